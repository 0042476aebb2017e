// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/functions/geometry.hpp"
#include "variables/kinds.hpp"

namespace coromd::functions {

namespace {

template <double Vec3::*kAxis>
class Coordinate final : public FrameEvaluator {
public:
    explicit Coordinate(const CollectiveVariableArguments& arguments)
        : FrameEvaluator(arguments.atoms()),
          atoms_(arguments.selections.front()),
          pbc_(arguments.flag("pbc")) {}

    double operator()(const trajectory::Frame& frame) override {
        return centre_of_geometry(frame, atoms_, pbc_ ? MinimumImage(frame.box) : MinimumImage()).*kAxis;
    }

private:
    std::vector<std::int32_t> atoms_;
    bool pbc_;
};

template <double Vec3::*kAxis>
CollectiveVariableKind coordinate_kind(const std::string& axis) {
    return {.name = axis,
            .usage = axis + "(A, pbc=true)",
            .description = "Coordinate along " + axis + " of the centre of geometry of A",
            .units = "nm",
            .n_selections = 1,
            .options = {{"pbc", true}},
            .factory = [](const auto& arguments) { return std::make_unique<Coordinate<kAxis>>(arguments); }};
}

}  // namespace

CollectiveVariableKind x_kind() {
    return coordinate_kind<&Vec3::x>("x");
}
CollectiveVariableKind y_kind() {
    return coordinate_kind<&Vec3::y>("y");
}
CollectiveVariableKind z_kind() {
    return coordinate_kind<&Vec3::z>("z");
}

}  // namespace coromd::functions
