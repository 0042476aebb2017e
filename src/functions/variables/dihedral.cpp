// SPDX-License-Identifier: LGPL-3.0-or-later
#include <limits>
#include <numbers>

#include "coromd/functions/geometry.hpp"
#include "variables/kinds.hpp"

namespace coromd::functions {

namespace {

/// The sign is that of IUPAC: seen along the bond from B to C, positive where D is reached from A
/// by turning clockwise. cis is 0, trans is pi.
class Dihedral final : public FrameEvaluator {
public:
    explicit Dihedral(const CollectiveVariableArguments& arguments)
        : FrameEvaluator(arguments.atoms()), groups_(arguments.selections), pbc_(arguments.flag("pbc")) {}

    double operator()(const trajectory::Frame& frame) override {
        const MinimumImage image = pbc_ ? MinimumImage(frame.box) : MinimumImage();
        const Vec3 a = centre_of_geometry(frame, groups_[0], image);
        const Vec3 b = centre_of_geometry(frame, groups_[1], image);
        const Vec3 c = centre_of_geometry(frame, groups_[2], image);
        const Vec3 d = centre_of_geometry(frame, groups_[3], image);
        const Vec3 ab = image(b - a);
        const Vec3 bc = image(c - b);
        const Vec3 cd = image(d - c);
        const Vec3 abc = cross(ab, bc);  // the normals of the two planes
        const Vec3 bcd = cross(bc, cd);
        if (norm(abc) == 0.0 || norm(bcd) == 0.0) return std::numeric_limits<double>::quiet_NaN();
        const double angle = std::atan2(norm(bc) * dot(ab, bcd), dot(abc, bcd));
        return angle == -std::numbers::pi ? std::numbers::pi : angle;  // a sine of -0.0 or next to it
    }

private:
    std::vector<std::vector<std::int32_t>> groups_;
    bool pbc_;
};

}  // namespace

CollectiveVariableKind dihedral_kind() {
    return {.name = "dihedral",
            .usage = "dihedral(A, B, C, D, pbc=true)",
            .description = "Torsion about the bond from B to C, in (-pi, pi], with the sign of IUPAC",
            .units = "rad",
            .n_selections = 4,
            .options = {{"pbc", true}},
            .factory = [](const auto& arguments) { return std::make_unique<Dihedral>(arguments); }};
}

}  // namespace coromd::functions
