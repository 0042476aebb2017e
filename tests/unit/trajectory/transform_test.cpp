// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/transform.hpp"

#include <limits>
#include <numbers>

#include "coromd/trajectory/concatenate.hpp"
#include "coromd/trajectory/extract.hpp"
#include "lattice.hpp"
#include "testing.hpp"

namespace coromd::trajectory {
namespace {

constexpr double kPi = std::numbers::pi;

/// A cube, a dodecahedron and a cell that leans as far as GROMACS allows, and farther.
std::vector<Box> boxes() {
    return {{{3, 0, 0}, {0, 3, 0}, {0, 0, 3}},
            {{3, 0, 0}, {0, 3, 0}, {1.5F, 1.5F, 2.1213F}},
            {{3, 0, 0}, {1, 2.8284F, 0}, {-1, 1.4142F, 2.4495F}},
            {{2, 0, 0}, {0.99F, 4, 0}, {-0.99F, 1.99F, 1.5F}},
            {{2, 0, 0}, {3.7F, 2, 0}, {-5.1F, 4.4F, 2.5F}}};
}

Vec3f random_point(RandomStream& random, float spread) {
    const auto x = [&] { return spread * static_cast<float>(random.uniform() - 0.5); };
    return {x(), x(), x()};
}

/// Chains of ten atoms that are bonded one to the next, each 0.15 nm from the one before, in `n` molecules.
struct Chains {
    Topology topology;
    Frame frame;  ///< whole, the first atoms anywhere in and around the box
};
Chains chains(std::size_t n, const Box& box, std::uint64_t seed = 3) {
    RandomStream random(seed, "chains");
    std::vector<Atom> atoms;
    std::vector<Bond> bonds;
    Chains made;
    made.frame.box = box;
    Vec3f x;
    for (std::size_t i = 0; i < 10 * n; ++i) {
        Atom atom;
        atom.name = "C";
        atom.resname = "ONE";
        atom.resid = static_cast<std::int32_t>(i / 5);
        atom.molecule = static_cast<std::int32_t>(i / 10);
        atom.mass_amu = 1.0 + static_cast<double>(i % 3);
        atoms.push_back(atom);
        const Vec3f step = random_point(random, 1);
        const float length = std::sqrt(step.x * step.x + step.y * step.y + step.z * step.z);
        const float f = 0.15F / length;
        x = i % 10 == 0 ? random_point(random, 6)
                        : Vec3f{x.x + f * step.x, x.y + f * step.y, x.z + f * step.z};
        if (i % 10 != 0) bonds.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(i - 1)});
        made.frame.positions.push_back(x);
    }
    made.topology = Topology(std::move(atoms), std::move(bonds));
    return made;
}

Frame applied(const Transformation& transformation, Frame frame) {
    transformation.begin()(frame);
    return frame;
}

double distance(const Frame& frame, std::size_t i, std::size_t k) {
    const Vec3d d = to_double(frame.positions[i]) - to_double(frame.positions[k]);
    return std::sqrt(dot(d, d));
}

/// Is every position an image of that in the other frame?
void expect_images(const Frame& a, const Frame& b, double tolerance = 2e-6) {
    const Lattice lattice(a.box);
    ASSERT_EQ(a.positions.size(), b.positions.size());
    for (std::size_t i = 0; i < a.positions.size(); ++i) {
        const Vec3d d = lattice.shortest(to_double(a.positions[i]) - to_double(b.positions[i]));
        EXPECT_LT(std::sqrt(dot(d, d)), tolerance) << i;
    }
}

std::vector<std::int32_t> atoms_up_to(std::int32_t n) {
    std::vector<std::int32_t> atoms;
    for (std::int32_t i = 0; i < n; ++i) atoms.push_back(i);
    return atoms;
}

TEST(Lattice, ShortestIsTheShortestOfAllImages) {
    RandomStream random(1, "shortest");
    for (const Box& box : boxes()) {
        const Lattice lattice(box);
        for (int n = 0; n < 500; ++n) {
            const Vec3d d = to_double(random_point(random, 12));
            const Vec3d found = lattice.shortest(d);
            double best = dot(found, found);
            for (int i = -9; i <= 9; ++i)
                for (int j = -9; j <= 9; ++j)
                    for (int k = -9; k <= 9; ++k) {
                        const double x = i;
                        const Vec3d image =
                            found + lattice.cartesian({x, static_cast<double>(j), static_cast<double>(k)});
                        best = std::min(best, dot(image, image));
                    }
            EXPECT_GE(best, dot(found, found) * (1 - 1e-9));
            const Vec3d boxes_off = lattice.fractional(found - d);
            for (const double x : boxes_off) EXPECT_NEAR(x, std::round(x), 1e-9);
        }
    }
    // What a damaged file may hold comes to an end, too.
    for (const double x : {1e20, 1e38, 1e300, std::numeric_limits<double>::quiet_NaN()})
        Lattice(boxes()[1]).shortest({x, -x, 0.3 * x});
    EXPECT_EQ(error_of([] { Lattice(Box{}); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([] { Lattice({{3, 0, 0}, {3, 0, 0}, {0, 0, 3}}); }).kind(), ErrorKind::input);
}

TEST(Wrap, PutsAtomsIntoTheCell) {
    for (const Box& box : boxes()) {
        const Frame frame = chains(20, box).frame;
        const Frame triclinic = applied(wrap(CellShape::triclinic), frame);
        const Frame brick = applied(wrap(), frame);
        const Frame compact = applied(wrap(CellShape::compact), frame);
        const Lattice lattice(box);
        for (const Frame& wrapped : {triclinic, brick, compact}) expect_images(wrapped, frame);
        for (std::size_t i = 0; i < frame.positions.size(); ++i) {
            for (const double s : lattice.fractional(to_double(triclinic.positions[i]))) {
                EXPECT_GE(s, -1e-6);
                EXPECT_LE(s, 1 + 1e-6);
            }
            const Vec3f& x = brick.positions[i];
            EXPECT_GE(std::min({x.x, x.y, x.z}), -1e-6F);
            EXPECT_TRUE(x.x <= box.a.x && x.y <= box.b.y && x.z <= box.c.z) << i;
            const Vec3d from_centre = to_double(compact.positions[i]) - lattice.centre();
            const Vec3d shortest = lattice.shortest(from_centre);
            EXPECT_NEAR(dot(from_centre, from_centre), dot(shortest, shortest), 1e-5);
        }
    }
}

TEST(MakeWhole, UndoesWhatTheBoxHasCut) {
    for (const Box& box : boxes()) {
        const Chains made = chains(30, box);
        const Frame cut = applied(wrap(CellShape::triclinic), made.frame);
        const Frame whole = applied(make_whole(made.topology), cut);
        expect_images(whole, made.frame);
        for (std::size_t i = 0; i < cut.positions.size(); ++i) {
            if (i % 10 == 0)
                EXPECT_EQ(whole.positions[i], cut.positions[i]) << "the first atom stays";
            else
                EXPECT_NEAR(distance(whole, i, i - i % 10), distance(made.frame, i, i - i % 10), 1e-5);
        }
        const Frame residues = applied(make_whole(made.topology, Unit::residues), cut);
        for (std::size_t i = 0; i < cut.positions.size(); ++i)
            EXPECT_NEAR(distance(residues, i, i - i % 5), distance(made.frame, i, i - i % 5), 1e-5);
    }
}

TEST(MakeWhole, WithoutBondsTheNearestIsNext) {
    const Chains made = chains(10, boxes()[1]);
    const Topology no_bonds(made.topology.atoms());
    const Frame cut = applied(wrap(), made.frame);
    EXPECT_LT(largest_difference(applied(make_whole(no_bonds), cut).positions,
                                 applied(make_whole(made.topology), cut).positions),
              1e-5F);
    // Half of the bonds are there: the pieces are laid beside each other.
    std::vector<Bond> some = made.topology.bonds();
    std::erase_if(some, [](const Bond& bond) { return bond.a % 2 == 0; });
    EXPECT_LT(largest_difference(applied(make_whole(Topology(made.topology.atoms(), some)), cut).positions,
                                 applied(make_whole(made.topology), cut).positions),
              1e-5F);
}

TEST(Wrap, KeepsUnitsTogether) {
    for (const Box& box : boxes()) {
        for (const Unit unit : {Unit::residues, Unit::molecules}) {
            const std::size_t size = unit == Unit::residues ? 5 : 10;
            const Chains made = chains(20, box);
            const Frame cut = applied(wrap(CellShape::triclinic), made.frame);
            const Frame wrapped = applied(wrap(made.topology, unit, CellShape::triclinic), cut);
            expect_images(wrapped, made.frame);
            const Lattice lattice(box);
            for (std::size_t i = 0; i < cut.positions.size(); i += size) {
                Vec3d centre{};
                double mass = 0.0;
                for (std::size_t k = i; k < i + size; ++k) {
                    EXPECT_NEAR(distance(wrapped, i, k), distance(made.frame, i, k), 1e-5);
                    const double m = made.topology.atoms()[k].mass_amu;
                    centre = centre + m * to_double(wrapped.positions[k]);
                    mass += m;
                }
                for (const double s : lattice.fractional((1 / mass) * centre)) {
                    EXPECT_GE(s, -1e-6);
                    EXPECT_LE(s, 1 + 1e-6);
                }
            }
        }
    }
}

TEST(Periodic, WhatIsMissingIsAnError) {
    Chains made = chains(2, boxes()[0]);
    EXPECT_THAT(error_of([] { make_whole(*water_topology(9)); }).what(), testing::HasSubstr("give the .tpr"));
    EXPECT_NO_THROW(wrap(*water_topology(9), Unit::residues));
    Frame other = made.frame;
    other.positions.pop_back();
    EXPECT_EQ(error_of([&] { applied(make_whole(made.topology), other); }).kind(), ErrorKind::usage);
    other = made.frame;
    other.box = {};
    for (const Transformation& t : {make_whole(made.topology), wrap(), unwrap(), centre({0})})
        EXPECT_THAT(error_of([&] { applied(t, other); }).what(), testing::HasSubstr("no periodic box"));
    EXPECT_EQ(error_of([&] { applied(centre({99}), made.frame); }).kind(), ErrorKind::usage);
}

TEST(Unwrap, RestoresAWrappedWalk) {
    for (const Box& box : boxes()) {
        RandomStream random(5, "walk");
        Frame frame = chains(5, box).frame;
        const std::vector<Vec3f> start = applied(wrap(), frame).positions;
        frame.positions = start;
        const Transformation::Change restore = unwrap().begin();
        for (int n = 0; n < 300; ++n) {
            Frame seen = frame;
            wrap(n % 2 == 0 ? CellShape::brick : CellShape::compact).begin()(seen);
            if (n == 0) seen = frame;
            restore(seen);
            EXPECT_LT(largest_difference(seen.positions, frame.positions), 2e-4F) << n;
            for (Vec3f& x : frame.positions) {
                const Vec3f step = random_point(random, 0.4F);
                x = {x.x + step.x + 0.2F, x.y + step.y, x.z + step.z - 0.1F};
            }
        }
        EXPECT_GT(largest_difference(start, frame.positions), 30.0F) << "it went far";
    }
}

TEST(Unwrap, ABreathingBoxMakesNoJumps) {
    // Two atoms that rest in the coordinates of the box, after one has left it many times.
    const Transformation::Change restore = unwrap().begin();
    Frame frame;
    double before = 0.0;
    for (int n = 0; n < 400; ++n) {
        const float length = 3.0F * (1.0F + 0.03F * static_cast<float>(std::sin(0.1 * n)));
        const double s = n < 200 ? 0.3 * n : 60.0;
        frame.box = {{length, 0, 0}, {0, length, 0}, {0, 0, length}};
        frame.positions = {{static_cast<float>((s - std::floor(s)) * length), 0.5F * length, 0.5F * length}};
        restore(frame);
        EXPECT_NEAR(frame.positions[0].x / length, s, 1e-4) << n;
        before = frame.positions[0].x;
    }
    EXPECT_GT(before, 150.0);
}

TEST(Unwrap, FollowsABoxThatIsFlipped) {
    // The same lattice: b leans to the other side from frame 20 on.
    const Transformation::Change restore = unwrap().begin();
    for (int n = 0; n < 40; ++n) {
        Frame frame;
        frame.box = {{3, 0, 0}, {n < 20 ? 1.45F : -1.55F, 3, 0}, {0, 0, 3}};
        const Vec3d path{0.5 + 0.4 * n, 0.7 + 0.3 * n, 0.1 * n};
        frame.positions = {to_float(Lattice(frame.box).into(path, CellShape::triclinic))};
        restore(frame);
        EXPECT_LT(largest_difference(frame.positions, {to_float(path)}), 1e-4F) << n;
    }
    const Transformation::Change other = unwrap().begin();
    Frame frame = water_like_frame(3, 0);
    other(frame);
    frame.box.a.x *= 2;
    EXPECT_THAT(error_of([&] { other(frame); }).what(), testing::HasSubstr("changes too much"));
}

TEST(Unwrap, DisplacementsOfMoleculesAreThoseInTheBoxOfNow) {
    const Chains made = chains(8, boxes()[1]);
    RandomStream random(6, "boxes");
    Frame truth = made.frame;
    const Transformation::Change restore = unwrap_displacements(made.topology).begin();
    Vec3d offset{};
    for (int n = 0; n < 100; ++n) {
        Frame seen = truth;
        wrap(CellShape::triclinic).begin()(seen);
        restore(seen);
        // The same path, from the image that it began at.
        for (std::size_t i = 0; i < truth.positions.size(); ++i)
            EXPECT_NEAR(distance(seen, i, i - i % 10), distance(truth, i, i - i % 10), 1e-4);
        const Vec3d d = to_double(seen.positions[0]) - to_double(truth.positions[0]);
        if (n == 0) offset = d;
        EXPECT_LT(dot(d - offset, d - offset), 1e-6) << n;
        for (std::size_t m = 0; m < 8; ++m) {
            const Vec3f step = random_point(random, 0.8F);
            for (std::size_t i = 10 * m; i < 10 * m + 10; ++i)
                truth.positions[i] =
                    to_float(to_double(truth.positions[i]) + to_double(step) + Vec3d{0.2, 0, 0});
        }
    }
}

TEST(Unwrap, BeginsAnewWithEachPass) {
    const TemporaryFolder folder;
    const Box box = boxes()[0];
    FrameWriter writer(folder / "walk.trr");
    for (int n = 0; n < 30; ++n) {
        Frame frame;
        frame.step = n;
        frame.box = box;
        frame.positions = {to_float(Lattice(box).into({0.5 * n, 1, 1}, CellShape::brick))};
        writer.write(frame);
    }
    writer.close();
    const Trajectory walk(folder / "walk.trr", "");
    const Transformation straight = unwrap();
    EXPECT_TRUE(straight.needs_order());
    EXPECT_FALSE(wrap().needs_order());
    for (int pass = 0; pass < 2; ++pass) {
        float expected = 0;
        for_each_frame(walk, {}, straight, [&](const Frame& frame) {
            EXPECT_NEAR(frame.positions[0].x, expected, 1e-4);
            expected += 0.5F;
        });
        EXPECT_EQ(expected, 15.0F);
    }
    ExtractOptions options;
    options.transform = straight;
    for (const std::int64_t index : {20, -10}) {
        options.overwrite = true;
        const Trajectory one = extract_frame(walk, index, folder / "one.trr", options);
        EXPECT_NEAR(one.frame(0).positions[0].x, 10.0F, 1e-4) << "the frames before are seen, too";
    }
    EXPECT_EQ(error_of([&] { extract_frame(walk, 30, folder / "one.trr", options); }).kind(),
              ErrorKind::usage);
    // Pieces are one pass.
    const Trajectory joined = concatenate({{walk, {0, 10, {}}}, {walk, {10, 30, {}}}}, folder / "joined.trr",
                                          {.transform = straight});
    EXPECT_NEAR(joined.frame(-1).positions[0].x, 14.5F, 1e-4);
}

TEST(Centre, PutsASelectionIntoTheMiddle) {
    for (const Box& box : boxes()) {
        const Chains made = chains(5, box);
        const Lattice lattice(box);
        const Frame frame = applied(centre({3, 4}), made.frame);
        const Vec3d middle = 0.5 * (to_double(frame.positions[3]) + to_double(frame.positions[4]));
        EXPECT_LT(dot(middle - lattice.centre(), middle - lattice.centre()), 1e-11);
        EXPECT_NEAR(distance(frame, 0, 40), distance(made.frame, 0, 40), 1e-5) << "all move";
        const Frame weighted = applied(centre({3, 4}, {1, 3}, Vec3d{1, 2, 3}), made.frame);
        const Vec3d at = 0.25 * to_double(weighted.positions[3]) + 0.75 * to_double(weighted.positions[4]);
        EXPECT_LT(dot(at - Vec3d{1, 2, 3}, at - Vec3d{1, 2, 3}), 1e-11);
    }
    for (const std::vector<double>& wrong :
         {std::vector<double>{1}, std::vector<double>{0, 0}, std::vector<double>{-1, 2}})
        EXPECT_EQ(error_of([&] { centre({1, 2}, wrong); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([] { centre({}); }).kind(), ErrorKind::usage);
}

TEST(Rotate, ThereAndBackIsTheSame) {
    Frame frame = with_velocities(water_like_frame(30, 0));
    frame.forces = frame.positions;
    const Vec3d about{1, 2, 0.5};
    const Matrix3 there = rotation_about({1, 2, 3}, 0.7);
    const Frame turned = applied(rotate(there, about), frame);
    const Frame back =
        applied(rotate(there, about).then(rotate(rotation_about({1, 2, 3}, -0.7), about)), frame);
    EXPECT_GT(largest_difference(turned.positions, frame.positions), 0.5F);
    EXPECT_LT(largest_difference(back.positions, frame.positions), 2e-6F);
    EXPECT_LT(largest_difference(back.velocities, frame.velocities), 2e-6F);
    EXPECT_LT(largest_difference(back.forces, frame.forces), 2e-6F);
    EXPECT_NEAR(back.box.b.y, 3, 1e-6);
    // Lengths and angles remain, also those between velocities, positions and the box.
    for (std::size_t i = 0; i < 30; ++i) {
        const Vec3d x = to_double(frame.positions[i]) - about;
        const Vec3d y = to_double(turned.positions[i]) - about;
        EXPECT_NEAR(dot(x, to_double(frame.velocities[i])), dot(y, to_double(turned.velocities[i])), 1e-5);
        EXPECT_NEAR(dot(x, to_double(frame.box.a)), dot(y, to_double(turned.box.a)), 1e-5);
    }
}

TEST(Rotate, TheRightWayRound) {
    Frame frame;
    frame.positions = {{1, 0, 0}};
    frame.velocities = {{0, 1, 0}};
    const Frame turned = applied(rotate(rotation_about({0, 0, 2}, kPi / 2)), frame);
    EXPECT_LT(largest_difference(turned.positions, {{0, 1, 0}}), 1e-6F);
    EXPECT_LT(largest_difference(turned.velocities, {{-1, 0, 0}}), 1e-6F);
    EXPECT_FALSE(turned.box.periodic());
    EXPECT_EQ(error_of([] { rotation_about({0, 0, 0}, 1); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([] { rotate({{{1, 0, 0}, {0, 1, 0}, {0, 0, -1}}}); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([] { rotate({{{2, 0, 0}, {0, 1, 0}, {0, 0, 1}}}); }).kind(), ErrorKind::usage);
    // A cube on its corner has no numbers where an upright one has them, and is still periodic.
    frame.box = {{0, 1, 0}, {0, 0, 1}, {1, 0, 0}};
    EXPECT_TRUE(frame.box.periodic());
}

TEST(Fit, ARotatedCopyIsLaidUponItself) {
    const Frame frame = with_velocities(water_like_frame(60, 0));
    RandomStream random(8, "rotations");
    const std::vector<std::int32_t> atoms = atoms_up_to(20);
    const std::vector<Vec3f> reference(frame.positions.begin(), frame.positions.begin() + 20);
    for (int n = 0; n < 100; ++n) {
        const double angle = n == 0 ? kPi : n == 1 ? 0.0 : 2 * kPi * random.uniform();
        const Matrix3 rotation = rotation_about(to_double(random_point(random, 1)), angle);
        const Frame moved = applied(rotate(rotation).then(translate({5, -2, 1})), frame);
        const std::vector<Vec3f> mobile(moved.positions.begin(), moved.positions.begin() + 20);
        EXPECT_LT(superpose(mobile, reference).rmsd_nm, 1e-6) << n;
        std::vector<double> weights(20, 1.0);
        weights[3] = 16;
        for (const auto& w : {std::vector<double>{}, weights}) {
            const Frame fitted = applied(fit(atoms, reference, FitKind::rotation_translation, w), moved);
            EXPECT_LT(largest_difference(fitted.positions, frame.positions), 5e-6F) << n;
            EXPECT_LT(largest_difference(fitted.velocities, frame.velocities), 5e-6F) << n;
            EXPECT_NEAR(fitted.box.a.x, 3, 1e-5);
        }
    }
}

TEST(Fit, AMirrorImageIsNotReflected) {
    const Frame frame = water_like_frame(12, 0);
    std::vector<Vec3f> mirrored = frame.positions;
    for (Vec3f& x : mirrored) x.z = -x.z;
    const Superposition how = superpose(mirrored, frame.positions);
    EXPECT_GT(how.rmsd_nm, 0.05);
    EXPECT_NEAR(dot(how.rotation[0], cross(how.rotation[1], how.rotation[2])), 1.0, 1e-12);
    // No small rotation comes nearer.
    for (const Vec3d& axis : {Vec3d{1, 0, 0}, Vec3d{0, 1, 0}, Vec3d{0, 0, 1}})
        for (const double angle : {-1e-3, 1e-3}) {
            const Matrix3 wiggle = rotation_about(axis, angle);
            double sum = 0.0;
            for (std::size_t i = 0; i < mirrored.size(); ++i) {
                const Vec3d x = wiggle * (how.rotation * (to_double(mirrored[i]) - how.from));
                const Vec3d d = x - (to_double(frame.positions[i]) - how.to);
                sum += dot(d, d);
            }
            EXPECT_GT(std::sqrt(sum / static_cast<double>(mirrored.size())), how.rmsd_nm);
        }
    // Points in a plane and on a line have a mirror image that is a rotation.
    for (const int n : {3, 1}) {
        std::vector<Vec3f> flat = frame.positions;
        for (Vec3f& x : flat) x = n == 3 ? Vec3f{x.x, x.y, 0} : Vec3f{x.x, 0, 0};
        std::vector<Vec3f> other = flat;
        for (Vec3f& x : other) x.x = -x.x;
        EXPECT_LT(superpose(other, flat).rmsd_nm, 1e-6);
    }
}

TEST(Fit, WeightsCount) {
    Frame frame = water_like_frame(6, 0);
    const std::vector<Vec3f> reference = water_like_frame(6, 1).positions;
    const std::vector<std::int32_t> atoms = atoms_up_to(6);
    // Three atoms that alone count are matched as if there were no others.
    const Frame some =
        applied(fit(atoms, reference, FitKind::rotation_translation, {1, 2, 3, 0, 0, 0}), frame);
    const std::vector<Vec3f> three(reference.begin(), reference.begin() + 3);
    const Frame only = applied(fit({0, 1, 2}, three, FitKind::rotation_translation, {1, 2, 3}), frame);
    EXPECT_LT(largest_difference(some.positions, only.positions), 1e-5F);
    const Frame moved = applied(fit(atoms, reference, FitKind::translation), frame);
    EXPECT_NEAR(distance(moved, 0, 5), distance(frame, 0, 5), 1e-6);
    EXPECT_LT(superpose_centres(moved.positions, reference).from[0] -
                  superpose_centres(moved.positions, reference).to[0],
              1e-6);
    EXPECT_EQ(moved.box, frame.box);
    EXPECT_EQ(error_of([&] { fit({0, 1}, {{}, {}}); }).kind(), ErrorKind::usage);
    EXPECT_NO_THROW(fit({0, 1}, {{}, {}}, FitKind::translation));
    EXPECT_EQ(error_of([&] { fit(atoms, three); }).kind(), ErrorKind::usage);
}

TEST(Fit, TheFirstFrameIsTheReference) {
    const Transformation::Change change = fit_to_first(atoms_up_to(12)).begin();
    Frame first = water_like_frame(12, 0);
    Frame same = first;
    change(first);
    EXPECT_EQ(first.positions, same.positions);
    Frame turned = applied(rotate(rotation_about({1, 0, 0}, 1)), same);
    change(turned);
    EXPECT_LT(largest_difference(turned.positions, same.positions), 2e-6F);
    EXPECT_TRUE(fit_to_first(atoms_up_to(12)).needs_order());
}

TEST(Transformations, OrderMatters) {
    Frame frame;
    frame.positions = {{1, 0, 0}};
    const Transformation turn = rotate(rotation_about({0, 0, 1}, kPi / 2));
    const Transformation shift = translate({1, 0, 0});
    EXPECT_LT(largest_difference(applied(turn.then(shift), frame).positions, {{1, 1, 0}}), 1e-6F);
    EXPECT_LT(largest_difference(applied(shift.then(turn), frame).positions, {{0, 2, 0}}), 1e-6F);
}

TEST(Transformations, CallablesAndNothing) {
    EXPECT_FALSE(bool(Transformation()));
    EXPECT_FALSE(bool(Transformation(std::function<void(Frame&)>())));
    Frame frame;
    frame.positions = {{1, 0, 0}};
    const Transformation both =
        Transformation([](Frame& f) { f.step = 7; }).then({}).then([](Frame& f) { f.step *= 2; });
    EXPECT_TRUE(bool(both));
    EXPECT_EQ(applied(both, frame).step, 14);
    EXPECT_EQ(applied(Transformation(), frame).positions, frame.positions);
}

}  // namespace
}  // namespace coromd::trajectory
