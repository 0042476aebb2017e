// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/functions/geometry.hpp"
#include "variables/kinds.hpp"

namespace coromd::functions {

namespace {

class Distance final : public FrameEvaluator {
public:
    explicit Distance(const CollectiveVariableArguments& arguments)
        : FrameEvaluator(arguments.atoms()), groups_(arguments.selections), pbc_(arguments.flag("pbc")) {}

    double operator()(const trajectory::Frame& frame) override {
        const MinimumImage image = pbc_ ? MinimumImage(frame.box) : MinimumImage();
        const Vec3 a = centre_of_geometry(frame, groups_[0], image);
        const Vec3 b = centre_of_geometry(frame, groups_[1], image);
        return norm(image(b - a));
    }

private:
    std::vector<std::vector<std::int32_t>> groups_;
    bool pbc_;
};

}  // namespace

CollectiveVariableKind distance_kind() {
    return {.name = "distance",
            .usage = "distance(A, B, pbc=true)",
            .description = "Distance between the centres of geometry of A and B",
            .units = "nm",
            .n_selections = 2,
            .options = {{"pbc", true}},
            .factory = [](const auto& arguments) { return std::make_unique<Distance>(arguments); }};
}

}  // namespace coromd::functions
