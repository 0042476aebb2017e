// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/core/registry.hpp"

#include <gtest/gtest.h>

#include <string>

#include "fixtures.hpp"

namespace coromd {
namespace {

struct Kind {
    std::string name;
    int rank = 0;
};

class RegistryTest : public testing::Test {
protected:
    RegistryTest() {
        registry_.add({"slurm", 1});
        registry_.add({"local", 2});
    }

    Registry<Kind> registry_{"queue kind"};
};

TEST_F(RegistryTest, FindsByName) {
    ASSERT_NE(registry_.find("local"), nullptr);
    EXPECT_EQ(registry_.find("local")->rank, 2);
    EXPECT_EQ(registry_.at("slurm").rank, 1);
    EXPECT_EQ(registry_.find("loc"), nullptr);
}

TEST_F(RegistryTest, KeepsTheOrderOfRegistration) {
    EXPECT_EQ(registry_.names(), "slurm, local");
    EXPECT_EQ(registry_.entries().size(), 2u);
}

TEST_F(RegistryTest, UnknownNamesAreAnsweredWithTheKnown) {
    const Error error = error_of([&] { registry_.at("pbs"); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_STREQ(error.what(), "unknown queue kind 'pbs': known are slurm, local");
}

TEST_F(RegistryTest, RefusesASecondEntryOfTheSameName) {
    const Error error = error_of([&] { registry_.add({"local", 3}); });
    EXPECT_STREQ(error.what(), "queue kind 'local' is registered twice");
    EXPECT_EQ(registry_.at("local").rank, 2);
}

}  // namespace
}  // namespace coromd
