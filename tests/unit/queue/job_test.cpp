// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/queue/job.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace coromd::queue {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using namespace std::string_literals;
namespace fs = std::filesystem;

/// The kind of Error that `action` throws; fails the test where there is none.
template <typename Action>
ErrorKind error_of(Action action) {
    try {
        action();
    } catch (const Error& error) {
        return error.kind();
    }
    ADD_FAILURE() << "nothing was thrown";
    return {};
}

Job job_of(std::vector<std::string> command = {"/bin/true"}) {
    return Job("walkers/003/md", std::move(command));
}

JobResult full_result() {
    JobResult result;
    result.key = "walkers/003/md";
    result.attempt = 7;
    result.state = JobState::failed;
    result.exit.exit_code = 3;
    result.exit.signal = 15;
    result.exit.known = false;
    result.exit.stopped = true;
    result.exit.timed_out = true;
    result.exit.node = "node01";
    result.exit.started_ms = 1'700'000'000'000;
    result.exit.ended_ms = 1'700'000'000'001;
    result.exit.cpu_seconds = 0.1;
    result.exit.peak_memory_kib = 4096;
    result.exit.stdout_tail = "out\n";
    result.exit.stderr_tail = "err\n";
    result.failure = FailureClass::memory;
    result.reason = "no memory";
    result.files = {{"md.xtc", std::uint64_t{1} << 40}, {"md.log", 0}};
    return result;
}

TEST(Job, KeysArePortablePathsOfAFewParts) {
    for (const std::string& key : {"a"s, "walkers/003/md.part0004"s, "a-b_c+d.e/.f"s, std::string(200, 'x')})
        EXPECT_EQ(Job(key, {"true"}).key(), key);
    for (const std::string& key :
         {""s, "/a"s, "a/"s, "a//b"s, "."s, ".."s, "a/./b"s, "a/../b"s, "a b"s, "a\nb"s, "a\0b"s, "\0"s,
          "\xc3\xa4"s, "a\\b"s, "{a}"s, std::string(201, 'x')})
        EXPECT_EQ(error_of([&] { Job(key, {"true"}); }), ErrorKind::usage) << testing::PrintToString(key);
    std::string deep = "a";
    while (deep.size() <= 512) deep += "/a";
    EXPECT_EQ(error_of([&] { Job(deep, {"true"}); }), ErrorKind::usage);
}

TEST(Job, WhatCannotBeRunIsRefused) {
    EXPECT_EQ(error_of([] { Job("a", {}); }), ErrorKind::usage);
    EXPECT_EQ(error_of([] { Job("a", {"", "x"}); }), ErrorKind::usage);
    const auto refused = [](auto change) {
        Resources bad;
        change(bad);
        EXPECT_EQ(error_of([&] { job_of().needs(bad); }), ErrorKind::usage);
    };
    refused([](Resources& bad) { bad.cores = 0; });
    refused([](Resources& bad) { bad.cores = -1; });
    refused([](Resources& bad) { bad.tasks = 0; });
    refused([](Resources& bad) { bad.nodes = -1; });
    refused([](Resources& bad) { bad.gpus = -1; });
    refused([](Resources& bad) { bad.walltime = std::chrono::milliseconds(-1); });
    refused([](Resources& bad) { bad.cores = bad.tasks = 1 << 16; });
}

TEST(Job, AnOutputIsThePlainNameOfAFile) {
    EXPECT_THAT(job_of().writes("md.xtc").writes("a b").outputs(), testing::ElementsAre("md.xtc", "a b"));
    for (const std::string& name :
         {""s, "."s, ".."s, "a/b"s, "/a"s, "a\0b"s, "job.out"s, "job.err"s, "job.json"s})
        EXPECT_EQ(error_of([&] { job_of().writes(name); }), ErrorKind::usage) << testing::PrintToString(name);
}

TEST(Job, AttemptsRunBesideEachOther) {
    Job job = job_of();
    EXPECT_EQ(job.leaf(), "md");
    EXPECT_EQ(Job("md", {"true"}).leaf(), "md");
    job.in_directory("/data/walkers/003");
    EXPECT_EQ(job.attempt_directory(12), "/data/walkers/003/md.attempt12");
    EXPECT_EQ(job.in_directory("here").attempt_directory(1), fs::current_path() / "here/md.attempt1");
}

TEST(JobSpecification, DoesNotKnowPlacesLimitsAndResources) {
    Job here = job_of({"gmx", "grompp", "-f", "/here/run.mdp", "-nt", "{cores}", "-maxh", "{maxh}"});
    here.in_directory("/here").reads("/here/run.mdp", fingerprint("dt = 0.002")).parameter("maxh", "1");
    Job there = job_of({"gmx", "grompp", "-f", "/there/run.mdp", "-nt", "{cores}", "-maxh", "{maxh}"});
    there.in_directory("/there").reads("/there/run.mdp", fingerprint("dt = 0.002")).parameter("maxh", "2");
    Resources resources;
    resources.cores = 4;
    there.needs(resources).grace(std::chrono::seconds(1)).recoverable();
    there.judged_by([](const JobExit&, const fs::path&) { return Verdict::good(); });
    EXPECT_EQ(here.specification(), there.specification());
    EXPECT_THAT(here.specification(), Not(HasSubstr("/here")));
}

TEST(JobSpecification, ChangesWithWhatTheProgramSees) {
    const auto mdp = [](const char* content) {
        Job job = job_of({"gmx", "run.mdp"});
        job.reads("run.mdp", fingerprint(content));
        return job;
    };
    std::vector<Job> jobs{mdp("dt = 0.002"), mdp("dt = 0.004"), job_of({"gmx", "run.mdp"}),
                          job_of({"gmx", "run", ".mdp"})};
    jobs.push_back(mdp("dt = 0.002").environment("GMX_MAXBACKUP", "-1"));
    jobs.push_back(mdp("dt = 0.002").environment("GMX_MAXBACKUP", "0"));
    jobs.push_back(mdp("dt = 0.002").input("Protein\n"));
    jobs.push_back(mdp("dt = 0.002").input("System\n"));
    jobs.push_back(mdp("dt = 0.002").writes("md.tpr"));
    jobs.push_back(mdp("dt = 0.002").reads("topol.top", fingerprint("")));
    std::set<std::string> specifications;
    for (const Job& job : jobs) specifications.insert(job.specification());
    EXPECT_EQ(specifications.size(), jobs.size());
}

TEST(JobSpecification, HasALineForEachArgumentSoThatADifferenceCanBeShown) {
    EXPECT_THAT(job_of({"gmx", "a\nb"}).specification(), HasSubstr("\n  \"gmx\",\n  \"a\\nb\"\n"));
}

TEST(JobSpecification, TakesAnyBytes) {
    EXPECT_NO_THROW(job_of({"gmx", "\xff\xfe\0"s}).specification());
}

TEST(JobExit, SaysHowTheProgramEnded) {
    JobExit exit;
    EXPECT_EQ(exit.text(), "it was not run");
    exit.exit_code = 3;
    EXPECT_EQ(exit.text(), "exit code 3");
    exit.timed_out = true;
    EXPECT_EQ(exit.text(), "stopped at its wall time");
    exit.known = false;
    EXPECT_EQ(exit.text(), "its end was not seen");
    JobExit killed;
    killed.signal = 9;
    EXPECT_EQ(killed.text(), "killed by signal 9 (Killed)");
    killed.signal = 12345;  // as a damaged record may say
    EXPECT_EQ(killed.text(), "killed by signal 12345 (unknown)");
}

TEST(JobState, IsReadBackFromItsName) {
    for (const JobState state : {JobState::unknown, JobState::started, JobState::finished, JobState::failed,
                                 JobState::interrupted, JobState::cancelled})
        EXPECT_EQ(job_state(to_string(state)), state);
    EXPECT_EQ(error_of([] { job_state("Finished"); }), ErrorKind::input);
}

TEST(JobResult, ComesBackAsItWas) {
    const JobResult result = full_result();
    const JobResult copy = JobResult::from_json(result.to_json());
    EXPECT_EQ(copy.to_json(), result.to_json());
    EXPECT_EQ(copy.key, result.key);
    EXPECT_EQ(copy.attempt, 7);
    EXPECT_EQ(copy.state, JobState::failed);
    EXPECT_EQ(copy.exit.exit_code, 3);
    EXPECT_EQ(copy.exit.signal, 15);
    EXPECT_FALSE(copy.exit.known);
    EXPECT_TRUE(copy.exit.stopped);
    EXPECT_TRUE(copy.exit.timed_out);
    EXPECT_EQ(copy.exit.node, "node01");
    EXPECT_EQ(copy.exit.started_ms, 1'700'000'000'000);
    EXPECT_EQ(copy.exit.ended_ms, 1'700'000'000'001);
    EXPECT_EQ(copy.exit.cpu_seconds, 0.1);
    EXPECT_EQ(copy.exit.peak_memory_kib, 4096u);
    EXPECT_EQ(copy.exit.stdout_tail, "out\n");
    EXPECT_EQ(copy.exit.stderr_tail, "err\n");
    EXPECT_EQ(copy.failure, FailureClass::memory);
    EXPECT_EQ(copy.reason, "no memory");
    ASSERT_EQ(copy.files.size(), 2u);
    EXPECT_EQ(copy.files[0].name, "md.xtc");
    EXPECT_EQ(copy.files[0].size, std::uint64_t{1} << 40);
}

TEST(JobResult, WithoutAnExitCodeHasNoneAfterwards) {
    JobResult result = full_result();
    result.exit.exit_code.reset();
    EXPECT_FALSE(JobResult::from_json(result.to_json()).exit.exit_code);
}

TEST(JobResult, TheLargestNumbersComeBack) {
    JobResult result = full_result();
    result.attempt = std::numeric_limits<int>::max();
    result.exit.exit_code = std::numeric_limits<int>::min();
    result.exit.started_ms = std::numeric_limits<std::int64_t>::min();
    result.exit.ended_ms = std::numeric_limits<std::int64_t>::max();
    result.exit.peak_memory_kib = std::numeric_limits<std::uint64_t>::max();
    const JobResult copy = JobResult::from_json(result.to_json());
    EXPECT_EQ(copy.to_json(), result.to_json());
    EXPECT_EQ(copy.exit.started_ms, result.exit.started_ms);
    EXPECT_EQ(copy.exit.peak_memory_kib, result.exit.peak_memory_kib);
}

TEST(JobResult, TextMayBeAnything) {
    JobResult result = full_result();
    result.exit.stdout_tail = "NUL \0, \"quotes\", \x1b[31m, \r\n\t\\ and \xc3\xa4"s;
    result.exit.stderr_tail = "not UTF-8: \xff, cut short: \xe2\x82"s;
    const JobResult copy = JobResult::from_json(result.to_json());
    EXPECT_EQ(copy.exit.stdout_tail, result.exit.stdout_tail);
    EXPECT_EQ(copy.exit.stderr_tail, "not UTF-8: \ufffd, cut short: \ufffd");
    EXPECT_EQ(copy.to_json(), result.to_json());
}

TEST(JobResult, WhatIsCutShortIsRefused) {
    const std::string text = full_result().to_json();
    for (std::size_t size = 0; size < text.size(); ++size)
        EXPECT_EQ(error_of([&] { JobResult::from_json(text.substr(0, size)); }), ErrorKind::input) << size;
    EXPECT_EQ(error_of([&] { JobResult::from_json(text + "}"); }), ErrorKind::input);
}

TEST(JobResult, WhatIsDamagedIsReadOrRefusedWithAnError) {
    const std::string text = full_result().to_json();
    for (std::size_t at = 0; at < text.size(); ++at) {
        for (const char c : "\xff\"9-{]e"s) {
            std::string damaged = text;
            damaged[at] = c;
            try {
                JobResult::from_json(damaged);
            } catch (const Error& error) {
                EXPECT_EQ(error.kind(), ErrorKind::input);
            }
        }
    }
}

TEST(JobResult, EveryFieldMustBeThereAndOfItsType) {
    const json good = json::parse(full_result().to_json());
    for (const auto& [name, value] : good.items()) {
        json bad = good;
        if (name != "exit_code") {
            bad.erase(name);
            EXPECT_EQ(error_of([&] { JobResult::from_json(bad.dump()); }), ErrorKind::input) << name;
        }
        for (const json& other :
             {json(nullptr), json::array({json::array()}), json{{"a", 1}}, json("no such word")}) {
            if (value.is_string() && other.is_string() && name != "state" && name != "failure") continue;
            bad[name] = other;
            EXPECT_EQ(error_of([&] { JobResult::from_json(bad.dump()); }), ErrorKind::input)
                << name << " " << other;
        }
        if (!value.is_number_integer()) continue;
        for (const json& other : {json(1e300), json(1.5), json::parse("99999999999999999999"), json(true)}) {
            bad[name] = other;
            EXPECT_EQ(error_of([&] { JobResult::from_json(bad.dump()); }), ErrorKind::input)
                << name << " " << other;
        }
    }
    for (const char* text : {"null", "[]", "\"finished\"", "17"})
        EXPECT_EQ(error_of([&] { JobResult::from_json(text); }), ErrorKind::input) << text;
}

TEST(JobResult, NumbersThatWouldNotFitAreRefused) {
    const json good = json::parse(full_result().to_json());
    for (const auto& [name, value] :
         std::vector<std::pair<std::string, json>>{{"attempt", 1LL << 31},
                                                   {"exit_code", -(1LL << 31) - 1},
                                                   {"peak_memory_kib", -1},
                                                   {"version", 2}}) {
        json bad = good;
        bad[name] = value;
        EXPECT_EQ(error_of([&] { JobResult::from_json(bad.dump()); }), ErrorKind::input) << name;
    }
}

TEST(JobResult, NoFileOutsideOfTheDirectoryIsBelieved) {
    const json good = json::parse(full_result().to_json());
    for (const std::string& name : {"../victim"s, "/etc/passwd"s, ".."s, ""s, "a\0b"s}) {
        json bad = good;
        bad["files"][0]["name"] = name;
        EXPECT_EQ(error_of([&] { JobResult::from_json(bad.dump()); }), ErrorKind::input) << name;
    }
}

TEST(JobError, TellsWhatFailedHowAndWhereToLook) {
    Job job = job_of({"gmx", "mdrun", "-s", "a b.tpr", "-ntomp", "{cores}"});
    job.in_directory("/data/walkers/003");
    JobResult result;
    result.key = job.key();
    result.attempt = 2;
    result.state = JobState::failed;
    result.exit.exit_code = 1;
    result.exit.node = "node01";
    result.exit.stdout_tail = "not this";
    result.exit.stderr_tail = "\nline 1\nline 2\n\n";
    result.reason = result.exit.text();
    const Error error = job_error(job, result);
    EXPECT_EQ(error.kind(), ErrorKind::job);
    EXPECT_STREQ(error.what(),
                 "job 'walkers/003/md' failed (attempt 2 on node01, exit code 1):\n"
                 "  its files are in '/data/walkers/003/md.attempt2':\n"
                 "    command: gmx mdrun -s 'a b.tpr' -ntomp 1:\n"
                 "      exit code 1; its last words:\n"
                 "      line 1\n"
                 "      line 2");
}

TEST(JobError, LeavesALongOutputToTheFile) {
    Job job = job_of();
    JobResult result;
    result.state = JobState::failed;
    result.exit.exit_code = 1;
    result.reason = result.exit.text();
    for (int i = 0; i < 100; ++i) result.exit.stdout_tail += "line " + std::to_string(i) + "\n";
    const std::string text = job_error(job, result).message();
    EXPECT_THAT(text, HasSubstr("line 90\n"));
    EXPECT_THAT(text, HasSubstr("line 99"));
    EXPECT_THAT(text, Not(HasSubstr("line 89")));
}

TEST(JobError, KeepsToTheReasonOfAJudge) {
    JobResult result;
    result.state = JobState::failed;
    result.exit.exit_code = 1;
    result.exit.stderr_tail = "noise";
    result.reason = "Fatal error: atoms are gone";
    EXPECT_EQ(job_error(job_of(), result).message(), "Fatal error: atoms are gone");
    JobResult cancelled;
    cancelled.state = JobState::cancelled;
    EXPECT_EQ(job_error(job_of(), cancelled).message(), "cancelled");
}

}  // namespace
}  // namespace coromd::queue
