// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/transform.hpp"

#include <cmath>

#include "coromd/core/error.hpp"
#include "lattice.hpp"
#include "transform_checks.hpp"

namespace coromd::trajectory {

Transformation Transformation::from_change(Change change) {
    if (!change) return {};
    return each_frame([change = std::move(change)] { return change; });
}

Transformation Transformation::each_frame(std::function<Change()> begin) {
    Transformation one;
    one.steps_.push_back(std::make_shared<const std::function<Change()>>(std::move(begin)));
    return one;
}

Transformation Transformation::in_order(std::function<Change()> begin) {
    Transformation one = each_frame(std::move(begin));
    one.needs_order_ = true;
    return one;
}

Transformation Transformation::then(const Transformation& next) const {
    Transformation both = *this;
    both.steps_.insert(both.steps_.end(), next.steps_.begin(), next.steps_.end());
    both.needs_order_ = needs_order_ || next.needs_order_;
    return both;
}

Transformation::Change Transformation::begin() const {
    std::vector<Change> changes;
    for (const auto& step : steps_) changes.push_back((*step)());
    if (changes.size() == 1) return std::move(changes.front());
    return [changes = std::move(changes)](Frame& frame) {
        for (const Change& change : changes) change(frame);
    };
}

namespace {

std::vector<Vec3f> positions_of(const Frame& frame, std::span<const std::int32_t> atoms) {
    require_positions(frame, "to be laid upon others");
    require_atoms(frame, atoms);
    std::vector<Vec3f> positions;
    positions.reserve(atoms.size());
    for (const std::int32_t atom : atoms)
        positions.push_back(frame.positions[static_cast<std::size_t>(atom)]);
    return positions;
}

void check_atoms(std::span<const std::int32_t> atoms, std::span<const double> weights) {
    if (atoms.empty()) fail(ErrorKind::usage, "there are no atoms to be centred or laid upon others");
    if (weights.empty()) return;
    double sum = 0.0;
    for (const double w : weights) {
        if (!(w >= 0.0) || !std::isfinite(w)) fail(ErrorKind::usage, "there cannot be a weight of {}", w);
        sum += w;
    }
    if (weights.size() != atoms.size() || !(sum > 0.0))
        fail(ErrorKind::usage, "{} weights, of {} in all, do not fit {} atoms", weights.size(), sum,
             atoms.size());
}

void check_fit(std::span<const std::int32_t> atoms, FitKind kind, std::span<const double> weights) {
    check_atoms(atoms, weights);
    if (kind == FitKind::rotation_translation && atoms.size() < 3)
        fail(ErrorKind::usage, "a rotation is determined by three atoms or more, and there are {}",
             atoms.size());
}

void move(Frame& frame, const Vec3d& by) {
    for_each_position(frame, [&](const Vec3d& x) { return x + by; });
}

/// Of everything but positions.
void rotate_directions(Frame& frame, const Matrix3& rotation) {
    const auto turn = [&](Vec3f& v) { v = to_float(rotation * to_double(v)); };
    for (Vec3f& v : frame.velocities) turn(v);
    for (Vec3f& v : frame.forces) turn(v);
    if (!frame.box.periodic()) return;
    for (Vec3f* edge : {&frame.box.a, &frame.box.b, &frame.box.c}) turn(*edge);
}

void lay_upon(Frame& frame, std::span<const std::int32_t> atoms, std::span<const Vec3f> reference,
              FitKind kind, std::span<const double> weights) {
    const std::vector<Vec3f> mobile = positions_of(frame, atoms);
    if (kind == FitKind::translation) {
        const Superposition how = superpose_centres(mobile, reference, weights);
        move(frame, how.to - how.from);
        return;
    }
    const Superposition how = superpose(mobile, reference, weights);
    for_each_position(frame, [&](const Vec3d& x) { return how.rotation * (x - how.from) + how.to; });
    rotate_directions(frame, how.rotation);
}

bool is_rotation(const Matrix3& m) {
    constexpr double kRounding = 1e-6;
    double error = std::abs(dot(m[0], cross(m[1], m[2])) - 1.0);
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t k = 0; k <= i; ++k)
            error = std::max(error, std::abs(dot(m[i], m[k]) - (i == k ? 1.0 : 0.0)));
    return error < kRounding;
}

}  // namespace

Transformation centre(std::vector<std::int32_t> atoms, std::vector<double> weights,
                      std::optional<Vec3d> point) {
    check_atoms(atoms, weights);
    return Transformation([atoms = std::move(atoms), weights = std::move(weights), point](Frame& frame) {
        const std::vector<Vec3f> chosen = positions_of(frame, atoms);
        const Vec3d to = point ? *point : Lattice(frame.box).centre();
        move(frame, to - superpose_centres(chosen, chosen, weights).from);
    });
}

Transformation translate(const Vec3d& by_nm) {
    return Transformation([by_nm](Frame& frame) { move(frame, by_nm); });
}

Transformation rotate(const Matrix3& rotation, const Vec3d& about_nm) {
    if (!is_rotation(rotation)) fail(ErrorKind::usage, "the matrix is no rotation");
    return Transformation([rotation, about_nm](Frame& frame) {
        for_each_position(frame, [&](const Vec3d& x) { return rotation * (x - about_nm) + about_nm; });
        rotate_directions(frame, rotation);
    });
}

Transformation fit(std::vector<std::int32_t> atoms, std::vector<Vec3f> reference, FitKind kind,
                   std::vector<double> weights) {
    check_fit(atoms, kind, weights);
    if (atoms.size() != reference.size())
        fail(ErrorKind::usage, "{} atoms cannot be laid upon {}", atoms.size(), reference.size());
    return Transformation(
        [atoms = std::move(atoms), reference = std::move(reference), kind,
         weights = std::move(weights)](Frame& frame) { lay_upon(frame, atoms, reference, kind, weights); });
}

Transformation fit_to_first(std::vector<std::int32_t> atoms, FitKind kind, std::vector<double> weights) {
    check_fit(atoms, kind, weights);
    return Transformation::in_order([atoms = std::move(atoms), kind, weights = std::move(weights)] {
        auto reference = std::make_shared<std::vector<Vec3f>>();
        return Transformation::Change([=](Frame& frame) {
            if (reference->empty())
                *reference = positions_of(frame, atoms);
            else
                lay_upon(frame, atoms, *reference, kind, weights);
        });
    });
}

TransformedReader::TransformedReader(const Trajectory& trajectory, const Transformation& transformation,
                                     const FrameNeeds& needs)
    : reader_(trajectory), change_(transformation.begin()), needs_(needs) {
    needs_.atoms = FrameNeeds::kAllAtoms;
}

bool TransformedReader::next(Frame& frame) {
    if (next_ >= reader_.n_frames()) return false;
    reader_.read(next_++, frame, needs_);
    change_(frame);
    return true;
}

void for_each_frame(const Trajectory& trajectory, const FrameNeeds& needs,
                    const Transformation& transformation, const std::function<void(const Frame&)>& fn) {
    TransformedReader reader(trajectory, transformation, needs);
    for (Frame frame; reader.next(frame);) fn(frame);
}

}  // namespace coromd::trajectory
