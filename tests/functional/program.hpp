// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

#include <gtest/gtest.h>

namespace coromd::functional {

/// What a run of the program left.
struct Ended {
    int exit_code = 0;  ///< 128 + the signal where one ended it, as a shell has it
    std::string out;
    std::string err;
};

/// A test with a folder of its own in which a campaign lies ready: a system of five atoms, for the
/// stand-in of gmx, whose one angle grows or falls by a degree per frame.
class CampaignTest : public testing::Test {
protected:
    CampaignTest();
    ~CampaignTest() override;

    /// The campaign file, which tests change by replacing a piece of it.
    static std::string campaign_text();
    void write(const std::string& name, const std::string& text) const;
    std::string read(const std::string& name) const;
    /// The campaign file with `what` replaced by `by`.
    void write_campaign(const std::string& what = "", const std::string& by = "") const;

    /// Runs coromd with the stand-in first in PATH and no settings but those of the folder.
    Ended coromd(const std::vector<std::string>& arguments) const;
    /// The same, left to run.
    pid_t start(const std::vector<std::string>& arguments) const;
    Ended wait(pid_t pid) const;
    /// A line for /bin/sh, in which "$COROMD" is the program.
    Ended shell(const std::string& line) const;

    /// Waits until a file exists and holds `text`; fails the test after a minute.
    void await(const std::string& file, const std::string& text) const;
    /// The lines "start PID COMMAND DIRECTORY" and "end ..." that the stand-in wrote.
    std::vector<std::string> commands(const std::string& with) const;

    /// Kills what the stand-in has started and not ended.
    void kill_commands() const;

    std::filesystem::path folder_;
    std::map<std::string, std::string> environment_;

    /// Starts any program in the folder.
    pid_t launch(std::vector<std::string> words) const;
};

}  // namespace coromd::functional
