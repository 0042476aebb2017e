// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/report/variables.hpp"

#include <algorithm>
#include <fstream>

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coromd/report/material.hpp"
#include "fixtures.hpp"
#include "made_campaign/made_campaign.hpp"

namespace coromd::report {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Variables : public ReportTest {
protected:
    void make(int walkers) {
        tests::MadeCampaign made;
        made.walkers = walkers;
        made.write(directory());
    }
    fs::path directory() const { return folder_ / "made.campaign"; }
    VariableValues evaluate(ValueLimits limits = {std::chrono::hours(1), 1'000'000}) {
        const Material material = read_material(directory(), folder_ / "page.html");
        return context_.run(evaluate_variables(context_, material, limits));
    }
    void record(const std::string& sql) const {
        SQLite::Database((directory() / "campaign.sqlite").string(), SQLite::OPEN_READWRITE).exec(sql);
    }

    runtime::Context context_{2};
};

TEST_F(Variables, AreThoseThatWereDefinedAlongAllTrajectories) {
    make(3);
    const VariableValues values = evaluate();
    ASSERT_EQ(values.variables.size(), 3u);
    EXPECT_EQ(values.variables[0].name, "d");
    EXPECT_EQ(values.variables[0].units, "nm");
    EXPECT_FALSE(values.variables[0].periodic);
    EXPECT_EQ(values.variables[1].units, "rad");
    EXPECT_TRUE(values.variables[1].periodic);
    EXPECT_THAT(values.left_out, IsEmpty());
    ASSERT_EQ(values.trajectories.size(), 3u);
    EXPECT_EQ(values.trajectories[2].subject, "walkers/002");
    for (const TrajectoryValues& one : values.trajectories) {
        ASSERT_EQ(one.columns.size(), 3u);
        ASSERT_GT(one.time_ps.size(), 1u);
        EXPECT_NEAR(one.time_ps[1], 0.2, 1e-6);
        EXPECT_NEAR(one.columns[1][0], -1.4, 0.8) << "where the walk of phi begins";
        for (const auto& column : one.columns) EXPECT_EQ(column.size(), one.time_ps.size());
    }
}

TEST_F(Variables, MayNeedOthersThatComeLaterInTheAlphabet) {
    make(1);
    record("INSERT INTO inputs VALUES ('variables.a', 1, 'cos(psi) + x', 0), ('variables.x', 1, '2*phi', 0)");
    const VariableValues values = evaluate();
    EXPECT_THAT(values.left_out, IsEmpty());
    std::vector<std::string> names;
    for (const Variable& variable : values.variables) names.push_back(variable.name);
    EXPECT_THAT(names, testing::UnorderedElementsAre("a", "d", "phi", "psi", "x"));
}

TEST_F(Variables, ThatMakeNoSenseAreToldAndTheOthersShown) {
    make(1);
    record("INSERT INTO inputs VALUES ('variables.bad', 1, 'no_such(\"index 1\")', 0)");
    const VariableValues values = evaluate();
    EXPECT_EQ(values.trajectories.size(), 1u);
    EXPECT_THAT(values.left_out, ElementsAre(HasSubstr("no_such")));
}

TEST_F(Variables, OfATrajectoryThatCannotBeReadAreTold) {
    make(3);
    fs::remove(directory() / "walkers/001/until.trr");
    std::ofstream(directory() / "walkers/002/until.trr", std::ios::binary) << std::string(500, 'x');
    const VariableValues values = evaluate();
    ASSERT_EQ(values.trajectories.size(), 1u);
    EXPECT_EQ(values.trajectories[0].subject, "walkers/000");
    EXPECT_THAT(values.left_out, Contains(HasSubstr("walkers/001/until")));
    EXPECT_THAT(values.left_out, Contains(HasSubstr("walkers/002/until")));
}

TEST_F(Variables, AreLimitedInFramesByAFairSample) {
    make(64);
    // Some trajectories are under way when the first is done and the limit is found to be reached.
    const VariableValues values = evaluate({std::chrono::hours(1), 1});
    ASSERT_GE(values.trajectories.size(), 1u);
    ASSERT_LE(values.trajectories.size(), 20u);
    EXPECT_THAT(values.left_out, ElementsAre(HasSubstr("of 64 trajectories are left out")));
    EXPECT_TRUE(std::ranges::any_of(values.trajectories, [](const auto& t) {
        return t.subject == "walkers/032";
    })) << "the second is half way";
}

TEST_F(Variables, AreNotComputedWithoutTime) {
    make(2);
    const VariableValues values = evaluate({std::chrono::milliseconds(0), 1'000'000});
    EXPECT_THAT(values.trajectories, IsEmpty());
    EXPECT_THAT(values.left_out, ElementsAre(HasSubstr("2 of 2 trajectories")));
}

TEST_F(Variables, AreKept) {
    make(1);
    const VariableValues first = evaluate();
    ASSERT_TRUE(fs::exists(directory() / "values.sqlite"));
    SQLite::Database cache((directory() / "values.sqlite").string(), SQLite::OPEN_READWRITE);
    EXPECT_EQ(cache.execAndGet("SELECT count(*) FROM content").getInt(), 4) << "three variables and the time";
    EXPECT_EQ(evaluate().trajectories[0].columns, first.trajectories[0].columns);
}

}  // namespace
}  // namespace coromd::report
