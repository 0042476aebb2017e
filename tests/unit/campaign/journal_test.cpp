// SPDX-License-Identifier: LGPL-3.0-or-later
#include "journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coromd/core/error.hpp"

namespace coromd::campaign {
namespace {

using queue::JobState;
using Kind = JobEvent::Kind;

JobRecord after(const std::vector<JobEvent>& events) {
    JobRecord job;
    job.key = "job";
    for (JobEvent event : events) {
        event.at_ms = 100 + event.seq;
        job = fold(job, event);
    }
    return job;
}

JobEvent begun(int attempt) {
    return {Kind::begun, attempt};
}
JobEvent submitted(int attempt, std::string words) {
    return {Kind::submitted, attempt, {}, std::move(words)};
}
JobEvent ended(int attempt, JobState end, std::int64_t seq = 9) {
    return {Kind::ended, attempt, end, {}, seq};
}

TEST(Journal, AJobIsWhatItsEventsAddUpTo) {
    EXPECT_EQ(after({begun(1)}).state, JobState::started);
    const JobRecord runs = after({begun(1), submitted(1, "a"), submitted(1, "b")});
    EXPECT_EQ(runs.submission, "b");
    EXPECT_FALSE(runs.result_seq);

    const JobRecord done = after({begun(1), submitted(1, "a"), ended(1, JobState::finished)});
    EXPECT_EQ(done.state, JobState::finished);
    EXPECT_EQ(done.submission, "");
    EXPECT_EQ(done.result_seq, 9);
    EXPECT_EQ(done.ended_ms, 109);

    const JobRecord again = after({begun(1), ended(1, JobState::failed), begun(2)});
    EXPECT_EQ(again.state, JobState::started);
    EXPECT_EQ(again.attempts, 2);
    EXPECT_EQ(again.result_seq, 9) << "the last one that is known";
    EXPECT_FALSE(again.ended_ms);
}

TEST(Journal, AnAttemptMayBeLeftBehind) {
    const JobRecord job = after({begun(1), submitted(1, "lost"), begun(2)});
    EXPECT_EQ(job.attempts, 2);
    EXPECT_EQ(job.submission, "");
}

TEST(Journal, WhatCannotFollowIsRefused) {
    const std::vector<std::vector<JobEvent>> impossible{
        {begun(2)},
        {submitted(1, "a")},
        {ended(1, JobState::finished)},
        {begun(1), begun(1)},
        {begun(1), begun(3)},
        {begun(1), ended(1, JobState::finished), begun(2)},
        {begun(1), ended(1, JobState::failed), ended(1, JobState::finished)},
        {begun(1), ended(1, JobState::failed), submitted(1, "a")},
        {begun(1), begun(2), ended(1, JobState::finished)},
        {begun(1), ended(1, JobState::started)},
        {{Kind::changed, 1, {}, "text"}}};
    for (const auto& events : impossible) EXPECT_THROW(after(events), Error);
}

TEST(Journal, NamesOfKindsAreReadBack) {
    for (const JobEvent& event :
         {begun(1), submitted(1, ""), ended(1, JobState::cancelled), JobEvent{Kind::changed, 1}}) {
        JobEvent read;
        read.set_kind(event.kind_name());
        EXPECT_EQ(read.kind, event.kind);
        EXPECT_EQ(read.end, event.end);
    }
    EXPECT_THROW(JobEvent().set_kind("exploded"), Error);
}

}  // namespace
}  // namespace coromd::campaign
