// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "functional/program.hpp"

namespace coromd::crash {

using functional::Ended;

/// A campaign that can be killed at any moment and must then come to the same end. Which one it is, and
/// in which queue it runs, is all that the tests need not know.
struct Workload {
    std::string name;
    /// The program and its arguments, run in the test's folder, where it makes the folder "place/campaign".
    std::vector<std::string> command;
    /// The settings file that `command` names.
    std::string settings;
    /// Jobs run in a stand-in for SLURM, which is made in the folder "cluster".
    bool slurm = false;
    /// Jobs whose names hold this are helpers, which may run again when nobody saw their end.
    std::string helpers;
    /// The files in the campaign that tell what it came to end with this.
    std::string results;
    /// Whether its jobs tell of themselves from outside of the campaign.
    bool witness = true;
};

/// Two walkers of small scripts; see jobs.cpp.
Workload scripts_on(const std::string& queue);
/// `coromd run` with a stand-in for GROMACS.
Workload committor();
/// `coromd run` with the model engine.
Workload model();

/// A point of the program, and how often it had been passed when the process died there.
struct Kill {
    std::string point;
    int passage = 1;
    std::string text() const { return point + ":" + std::to_string(passage); }
};

/// What died, and so how much is promised.
enum class Died {
    program,  ///< each program of a job runs to its end once
    agent,    ///< the same, but a job whose end was not durable yet may run again
    machine   ///< the same, and what was removed from the spool may be there again
};

/// How often an undisturbed run passes each point.
using Passages = std::map<std::string, int>;

/// A folder with a workload in it, which can be run, killed and looked at.
class CrashTest : public functional::CampaignTest {
protected:
    ~CrashTest() override;

    void prepare(const Workload& workload);
    /// Removes the campaign and what it left, for another round.
    void clear() const;
    /// Runs it in the campaign; without a fault unless `environment` says so.
    Ended run(const std::map<std::string, std::string>& environment = {}) const;
    /// Left to run.
    pid_t start_run(const std::map<std::string, std::string>& environment = {}) const;
    /// Runs it with a process that dies. False where that point was not reached.
    bool run_until(const Kill& kill, std::map<std::string, std::string> environment = {}) const;
    /// Runs it to its end; how often it passed each point. With `kill`, of the run after that one.
    Passages passages(const Kill* kill = nullptr) const;

    /// What the campaign came to: its results with their names.
    std::string result() const;
    /// The promise: it is done, each job was accepted once, the results are `undisturbed`, the database is
    /// sound, nothing runs any more and nothing was left.
    void expect_promise(const std::string& undisturbed, Died died = Died::program) const;
    /// Kills at the first, the middle and the last passage of all points of a process ("run.",
    /// "agent."), or at the first one only, and goes on. How many of the kills were carried out.
    int kill_everywhere(const std::string& process, bool first_only);

    std::filesystem::path campaign() const { return folder_ / "place" / "campaign"; }
    std::string shell_quietly(const std::string& line) const;

    Workload workload_;

private:
    /// For each program that has come to its end its job.
    std::vector<std::string> ends() const;
};

/// The passages of a log of faults.
Passages count_passages(const std::string& log);

}  // namespace coromd::crash
