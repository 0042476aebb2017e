// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/functions/function.hpp"

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <limits>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coromd/core/error.hpp"
#include "coromd/functions/definitions.hpp"
#include "coromd/trajectory/frame_writer.hpp"

namespace coromd::functions {
namespace {

using runtime::Context;
using runtime::task;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using trajectory::Frame;
using trajectory::FrameNeeds;
using trajectory::Topology;
using trajectory::Trajectory;

/// Sees every frame it is called with; needs the positions of given atoms.
class Spy final : public FrameFunction {
public:
    struct Seen {
        std::atomic<int> calls = 0;
        std::atomic<int> most_atoms = 0;
        std::atomic<bool> velocities = false;
    };

    Spy(std::string name, std::vector<std::int32_t> atoms, Seen& seen)
        : FrameFunction(std::move(name)), atoms_(std::move(atoms)), seen_(seen) {}
    std::unique_ptr<FrameEvaluator> bind(const Topology&) const override {
        return std::make_unique<Evaluator>(atoms_, seen_);
    }

private:
    class Evaluator final : public FrameEvaluator {
    public:
        Evaluator(const std::vector<std::int32_t>& atoms, Seen& seen) : FrameEvaluator(atoms), seen_(seen) {}
        double operator()(const Frame& frame) override {
            ++seen_.calls;
            seen_.most_atoms = std::max(seen_.most_atoms.load(), static_cast<int>(frame.positions.size()));
            if (frame.has_velocities()) seen_.velocities = true;
            return frame.positions[static_cast<std::size_t>(atoms().back())].x;
        }

    private:
        Seen& seen_;
    };

    std::vector<std::int32_t> atoms_;
    Seen& seen_;
};

/// Not computed frame by frame: two columns.
class WholeTrajectory final : public TrajectoryFunction {
public:
    using TrajectoryFunction::TrajectoryFunction;
    task<Values> evaluate(Context&, Trajectory trajectory) const override {
        const std::int64_t n = trajectory.n_frames();
        co_return Values(n, 2, std::vector<double>(static_cast<std::size_t>(2 * n), 7.0));
    }
};

class FunctionTest : public testing::Test {
protected:
    FunctionTest()
        : folder_(std::filesystem::temp_directory_path() /
                  ("coromd_functions_test." + std::to_string(::getpid()))) {
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
    }
    ~FunctionTest() override { std::filesystem::remove_all(folder_); }

    /// `n_atoms` atoms with x = frame + atom/10, velocities and a step of 2 ps.
    Trajectory write(int n_frames, int n_atoms = 6, const std::string& name = "t.trr") {
        trajectory::FrameWriter writer(folder_ / name, {.overwrite = true, .topology = nullptr});
        for (int i = 0; i < n_frames; ++i) {
            Frame frame;
            frame.step = i;
            frame.time_ps = 2.0 * i;
            for (int atom = 0; atom < n_atoms; ++atom) {
                frame.positions.push_back({static_cast<float>(i) + static_cast<float>(atom) / 8.0F, 0, 0});
                frame.velocities.push_back({static_cast<float>(atom), 0, 0});
            }
            writer.write(frame);
        }
        writer.close();
        return Trajectory(folder_ / name, std::filesystem::path());
    }

    Values evaluate(const FunctionPtr& function, const Trajectory& trajectory) {
        return context_.run(function->evaluate(context_, trajectory));
    }

    std::string error_of(const FunctionPtr& function, const Trajectory& trajectory) {
        try {
            evaluate(function, trajectory);
        } catch (const Error& error) {
            return error.what();
        }
        return "no error";
    }

    std::filesystem::path folder_;
    Context context_{2};
};

TEST_F(FunctionTest, has_one_value_per_frame) {
    Definitions define;
    const auto d = define.variable("d", "distance('index 0', 'index 4')");
    EXPECT_EQ(evaluate(d, write(3)), Values(3, 1, {0.5, 0.5, 0.5}));
    const auto x = frame_function("x", [](const Frame& frame) { return frame.positions[5].x; });
    EXPECT_THAT(evaluate(x, write(3)).data(), ElementsAre(0.625, 1.625, 2.625));
}

TEST_F(FunctionTest, state_finds_its_first_frame) {
    Definitions define;
    define.variable("x", frame_function("x", [](const Frame& frame) { return frame.positions[0].x; }));
    const auto state = define.state("s", "x >= 2 and x != 3");
    const Values values = evaluate(state, write(5));
    EXPECT_THAT(values.data(), ElementsAre(0, 0, 1, 0, 1));
    EXPECT_EQ(values.first_true(), 2);
}

TEST_F(FunctionTest, decodes_no_more_than_it_needs) {
    Spy::Seen seen;
    evaluate(std::make_shared<Spy>("spy", std::vector<std::int32_t>{3, 1}, seen), write(4));
    EXPECT_EQ(seen.calls, 4);
    EXPECT_EQ(seen.most_atoms, 4);
    EXPECT_FALSE(seen.velocities);
}

TEST_F(FunctionTest, callable_gets_whole_frames) {
    const auto kinetic =
        frame_function("v", [](const Frame& frame) { return frame.velocities.at(5).x + frame.n_atoms(); });
    EXPECT_THAT(evaluate(kinetic, write(2)).data(), ElementsAre(11, 11));
}

TEST_F(FunctionTest, without_any_atoms_it_is_constant) {
    Definitions define;
    EXPECT_THAT(evaluate(define.variable("c", "2*3"), write(2)).data(), ElementsAre(6, 6));
    EXPECT_THAT(evaluate(define.variable("d", "c + 1"), write(2, 6, "t.xtc")).data(), ElementsAre(7, 7));
}

TEST_F(FunctionTest, together_they_take_one_pass) {
    Spy::Seen a_seen;
    Spy::Seen b_seen;
    const std::vector<FunctionPtr> functions = {
        std::make_shared<Spy>("a", std::vector<std::int32_t>{1}, a_seen),
        std::make_shared<WholeTrajectory>("whole"),
        std::make_shared<Spy>("b", std::vector<std::int32_t>{3}, b_seen)};
    const std::vector<Values> values = context_.run(evaluate_together(context_, functions, write(2)));
    ASSERT_EQ(values.size(), 3U);
    EXPECT_THAT(values[0].data(), ElementsAre(0.125, 1.125));
    EXPECT_EQ(values[1].n_columns(), 2);
    EXPECT_THAT(values[2].data(), ElementsAre(0.375, 1.375));
    EXPECT_EQ(a_seen.most_atoms, 4);  // the union of atoms was decoded, once, for both
    EXPECT_EQ(a_seen.calls, 2);
}

TEST_F(FunctionTest, together_none_are_nothing) {
    EXPECT_TRUE(context_.run(evaluate_together(context_, {}, write(2))).empty());
}

TEST_F(FunctionTest, error_names_function_frame_and_trajectory) {
    Definitions define;
    define.variable("x", frame_function("x", [](const Frame& frame) { return frame.positions[0].x; }));
    const auto inverse = define.variable("inverse", "1/(x - 2)");
    EXPECT_THAT(error_of(inverse, write(5)),
                AllOf(HasSubstr("function 'inverse' in frame 2 of"), HasSubstr("t.trr"),
                      HasSubstr("column 2: division by zero, with x = 2")));
}

TEST_F(FunctionTest, value_that_is_not_finite_is_an_error) {
    const auto nan =
        frame_function("f", [](const Frame& frame) { return frame.step == 1 ? std::nan("") : 0.0; });
    EXPECT_THAT(error_of(nan, write(3)),
                AllOf(HasSubstr("function 'f' in frame 1"), HasSubstr("no finite number (nan)")));
}

TEST_F(FunctionTest, exception_of_a_callable_becomes_an_error) {
    const auto broken =
        frame_function("f", [](const Frame&) -> double { throw std::runtime_error("out of luck"); });
    EXPECT_THAT(error_of(broken, write(3)),
                AllOf(HasSubstr("function 'f' in frame 0"), HasSubstr("out of luck")));
    EXPECT_THROW(frame_function("f", nullptr), Error);
}

TEST_F(FunctionTest, selection_that_is_impossible_names_the_trajectory) {
    Definitions define;
    const auto d = define.variable("d", "distance('index 0', 'index 6')");
    EXPECT_THAT(error_of(d, write(3)), AllOf(HasSubstr("function 'd' of"), HasSubstr("t.trr"),
                                             HasSubstr("in variable 'd', column 21")));
}

TEST_F(FunctionTest, takes_the_names_of_the_structure_file) {
    std::vector<trajectory::Atom> atoms(6);
    for (std::size_t i = 0; i < atoms.size(); ++i) {
        atoms[i].name = i == 4 ? "CA" : "H";
        atoms[i].resname = "ALA";
        atoms[i].resid = 1;
    }
    Frame frame;
    frame.positions.resize(6);
    trajectory::write_frame(folder_ / "s.gro", frame,
                            {.overwrite = true, .topology = std::make_shared<Topology>(atoms)});
    const Trajectory trajectory(write(1).files(), folder_ / "s.gro");
    Definitions define;
    EXPECT_THAT(evaluate(define.variable("d", "distance('index 0', 'name CA')"), trajectory).data(),
                ElementsAre(0.5));
}

TEST_F(FunctionTest, frame_without_positions_is_an_error) {
    trajectory::FrameWriter writer(folder_ / "v.trr", {.overwrite = true, .topology = nullptr});
    Frame frame;
    frame.velocities.resize(6);
    writer.write(frame);
    writer.close();
    Definitions define;
    EXPECT_THAT(
        error_of(define.variable("d", "distance('index 0', 'index 1')"), Trajectory(folder_ / "v.trr", {})),
        HasSubstr("frame 0 of"));
}

TEST_F(FunctionTest, is_cancelled_between_frames) {
    const Trajectory trajectory = write(50);
    std::atomic<int> calls = 0;
    // Each frame takes longer than a slice, so that there is a wait after each.
    const auto slow = frame_function("slow", [&](const Frame&) {
        if (++calls == 2) context_.request_stop();
        const auto stop = std::chrono::steady_clock::now() + std::chrono::milliseconds(250);
        while (std::chrono::steady_clock::now() < stop) {
        }
        return 0.0;
    });
    EXPECT_THROW(evaluate(slow, trajectory), Cancelled);
    EXPECT_EQ(calls, 2);
}

TEST(FrameEvaluator, atoms_are_sorted_and_unique) {
    class Nothing final : public FrameEvaluator {
    public:
        using FrameEvaluator::FrameEvaluator;
        double operator()(const Frame&) override { return 0; }
    };
    const Nothing some({5, 2, 5, 0});
    EXPECT_THAT(some.atoms(), ElementsAre(0, 2, 5));
    EXPECT_EQ(some.needs().atoms, 6);
    const Nothing more({2}, {.atoms = 0, .velocities = true, .forces = false});
    EXPECT_EQ(more.needs().atoms, 3);
    EXPECT_TRUE(more.needs().velocities);
    EXPECT_FALSE(more.needs().forces);
    EXPECT_EQ(Nothing(std::vector<std::int32_t>()).needs().atoms, 0);
}

}  // namespace
}  // namespace coromd::functions
