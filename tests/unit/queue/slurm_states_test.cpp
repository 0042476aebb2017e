// SPDX-License-Identifier: LGPL-3.0-or-later
#include "slurm/states.hpp"

#include <gtest/gtest.h>

#include <set>

namespace coromd::queue::slurm {
namespace {

TEST(SlurmStates, AreAllKnownByNameAndCode) {
    std::set<std::string_view> words;
    for (const State& state : states()) {
        EXPECT_EQ(&find_state(state.name), &state);
        EXPECT_EQ(&find_state(state.code), &state);
        EXPECT_NE(state.phase, Phase::unknown) << state.name;
        EXPECT_FALSE(state.text.empty());
        words.insert(state.name);
        words.insert(state.code);
        EXPECT_TRUE(state.failure == FailureClass::none || state.phase == Phase::ended) << state.name;
    }
    EXPECT_EQ(words.size(), 2 * states().size());
    EXPECT_EQ(states().size(), 24u);
}

TEST(SlurmStates, SayWhereAJobIs) {
    for (const char* word :
         {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"})
        EXPECT_EQ(find_state(word).phase, Phase::waiting) << word;
    for (const char* word : {"RUNNING", "SUSPENDED", "STOPPED", "RESIZING", "SIGNALING"})
        EXPECT_EQ(find_state(word).phase, Phase::running) << word;
    for (const char* word : {"COMPLETING", "STAGE_OUT"})
        EXPECT_EQ(find_state(word).phase, Phase::ending) << word;
    EXPECT_TRUE(find_state("REQUEUE_HOLD").held);
    EXPECT_FALSE(find_state("REQUEUED").held);
}

TEST(SlurmStates, SayWhomToBlame) {
    for (const char* word : {"BOOT_FAIL", "NODE_FAIL", "PREEMPTED", "REVOKED"})
        EXPECT_EQ(find_state(word).failure, FailureClass::infrastructure) << word;
    for (const char* word : {"TIMEOUT", "DEADLINE"})
        EXPECT_EQ(find_state(word).failure, FailureClass::timeout) << word;
    EXPECT_EQ(find_state("OUT_OF_MEMORY").failure, FailureClass::memory);
    EXPECT_EQ(find_state("FAILED").failure, FailureClass::user);
    EXPECT_EQ(find_state("CANCELLED").failure, FailureClass::none);
    EXPECT_TRUE(find_state("CANCELLED").cancelled());
    EXPECT_FALSE(find_state("CANCELLED").completed());
    EXPECT_TRUE(find_state("CD").completed());
}

TEST(SlurmStates, AreKnownAsSacctWritesThem) {
    EXPECT_EQ(find_state("CANCELLED by 1000").name, "CANCELLED");
    EXPECT_EQ(find_state("CANCELLED+").name, "CANCELLED");
    EXPECT_EQ(find_state("COMPLETED+").name, "COMPLETED");
    EXPECT_EQ(find_state("OUT_OF_ME+").name, "OUT_OF_MEMORY");
    EXPECT_EQ(find_state("REQUEUE_H+").name, "REQUEUE_HOLD");
    EXPECT_EQ(find_state(" PENDING ").name, "PENDING");
}

TEST(SlurmStates, UnknownOnesAreUnknown) {
    for (const char* word :
         {"", "+", "R+", "COMP+", "NEW_STATE", "RUNNING_", "running", "NEW_STATE by 3", "RUNN"}) {
        EXPECT_EQ(find_state(word).phase, Phase::unknown) << word;
        EXPECT_FALSE(find_state(word).completed());
    }
}

}  // namespace
}  // namespace coromd::queue::slurm
