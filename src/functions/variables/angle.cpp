// SPDX-License-Identifier: LGPL-3.0-or-later
#include <limits>

#include "coromd/functions/geometry.hpp"
#include "variables/kinds.hpp"

namespace coromd::functions {

namespace {

class Angle final : public FrameEvaluator {
public:
    explicit Angle(const CollectiveVariableArguments& arguments)
        : FrameEvaluator(arguments.atoms()), groups_(arguments.selections), pbc_(arguments.flag("pbc")) {}

    double operator()(const trajectory::Frame& frame) override {
        const MinimumImage image = pbc_ ? MinimumImage(frame.box) : MinimumImage();
        const Vec3 b = centre_of_geometry(frame, groups_[1], image);
        const Vec3 ba = image(centre_of_geometry(frame, groups_[0], image) - b);
        const Vec3 bc = image(centre_of_geometry(frame, groups_[2], image) - b);
        if (norm(ba) == 0.0 || norm(bc) == 0.0) return std::numeric_limits<double>::quiet_NaN();
        return std::atan2(norm(cross(ba, bc)), dot(ba, bc));  // exact near 0 and pi, unlike acos
    }

private:
    std::vector<std::vector<std::int32_t>> groups_;
    bool pbc_;
};

}  // namespace

CollectiveVariableKind angle_kind() {
    return {.name = "angle",
            .usage = "angle(A, B, C, pbc=true)",
            .description = "Angle at the centre of geometry of B between those of A and C, from 0 to pi",
            .units = "rad",
            .n_selections = 3,
            .options = {{"pbc", true}},
            .factory = [](const auto& arguments) { return std::make_unique<Angle>(arguments); }};
}

}  // namespace coromd::functions
