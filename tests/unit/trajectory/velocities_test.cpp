// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/velocities.hpp"

#include "coromd/core/units.hpp"
#include "testing.hpp"

namespace coromd::trajectory {
namespace {

constexpr double kTemperature = 300.0;

TEST(Velocities, InvertedTwiceAreAsBefore) {
    Frame frame = with_velocities(water_like_frame(5, 0));
    const auto before = frame.velocities;
    invert_velocities(frame);
    EXPECT_EQ(frame.velocities[3], (Vec3f{-before[3].x, -before[3].y, -before[3].z}));
    invert_velocities(frame);
    EXPECT_EQ(frame.velocities, before);
}

TEST(Velocities, AreOfTheTemperatureForEveryMass) {
    constexpr std::size_t kAtoms = 60000;
    Frame frame;
    frame.positions.resize(kAtoms);
    std::vector<double> masses(kAtoms);
    for (std::size_t i = 0; i < kAtoms; ++i) masses[i] = i % 2 == 0 ? 1.008 : 15.999;
    RandomStream random(11, "velocities");
    draw_velocities(frame, masses, kTemperature, random);
    for (const std::size_t kind : {0U, 1U}) {
        double sum = 0.0;
        double fourth = 0.0;
        double count = 0.0;
        for (std::size_t i = kind; i < kAtoms; i += 2) {
            const Vec3f& v = frame.velocities[i];
            for (const float c : {v.x, v.y, v.z}) {
                const double reduced = c * c * masses[i] / (units::kBoltzmann * kTemperature);
                sum += reduced;
                fourth += reduced * reduced;
                count += 1.0;
            }
        }
        // Five standard deviations of the mean: sqrt(2 / n), and sqrt(96 / n) for the fourth power.
        EXPECT_NEAR(sum / count, 1.0, 5.0 * std::sqrt(2.0 / count));
        EXPECT_NEAR(fourth / count, 3.0, 5.0 * std::sqrt(96.0 / count));
    }
}

TEST(Velocities, OfOneAtomAreNotNothingWhereTheDriftIsKept) {
    Frame frame;
    frame.positions.resize(1);
    const std::vector<double> masses{2.0};
    constexpr int kDraws = 20000;
    RandomStream random(5, "one");
    double sum = 0.0;
    for (int i = 0; i < kDraws; ++i) {
        draw_velocities(frame, masses, kTemperature, random, true);
        sum += 2.0 * frame.velocities[0].x * frame.velocities[0].x / (units::kBoltzmann * kTemperature);
    }
    EXPECT_NEAR(sum / kDraws, 1.0, 5.0 * std::sqrt(2.0 / kDraws));
    draw_velocities(frame, masses, kTemperature, random);
    EXPECT_EQ(frame.velocities[0], Vec3f{});
}

TEST(Velocities, CentreOfMassRestsAndMasslessAtomsDoToo) {
    Frame frame;
    frame.positions.resize(40);
    std::vector<double> masses(40, 12.0);
    masses[7] = 0.0;
    RandomStream random(2, "few");
    draw_velocities(frame, masses, kTemperature, random);
    double px = 0.0;
    double py = 0.0;
    double pz = 0.0;
    for (std::size_t i = 0; i < 40; ++i) {
        px += masses[i] * frame.velocities[i].x;
        py += masses[i] * frame.velocities[i].y;
        pz += masses[i] * frame.velocities[i].z;
    }
    EXPECT_NEAR(px, 0.0, 1e-4);
    EXPECT_NEAR(py, 0.0, 1e-4);
    EXPECT_NEAR(pz, 0.0, 1e-4);
    EXPECT_EQ(frame.velocities[7], Vec3f{});
    EXPECT_NE(frame.velocities[8], Vec3f{});
}

TEST(Velocities, AreTheSameForTheSameStream) {
    Frame a;
    a.positions.resize(10);
    Frame b = a;
    const std::vector<double> masses(10, 1.0);
    RandomStream one(5, "key");
    RandomStream two(5, "key");
    draw_velocities(a, masses, kTemperature, one);
    draw_velocities(b, masses, kTemperature, two);
    EXPECT_EQ(a.velocities, b.velocities);
}

TEST(Velocities, RefuseNonsense) {
    Frame frame;
    frame.positions.resize(3);
    RandomStream random(1, "x");
    const std::vector<double> good(3, 1.0);
    EXPECT_EQ(error_of([&] { draw_velocities(frame, std::vector<double>(2, 1.0), 300.0, random); }).kind(),
              ErrorKind::usage);
    for (const double t : {0.0, -1.0, double(NAN), double(INFINITY)}) {
        EXPECT_EQ(error_of([&] { draw_velocities(frame, good, t, random); }).kind(), ErrorKind::usage);
    }
    for (const double m : {-1.0, double(NAN), double(INFINITY)}) {
        EXPECT_EQ(error_of([&] {
                      draw_velocities(frame, std::vector<double>{1.0, m, 1.0}, 300.0, random);
                  }).kind(),
                  ErrorKind::usage);
    }
    EXPECT_FALSE(frame.has_velocities());
}

}  // namespace
}  // namespace coromd::trajectory
