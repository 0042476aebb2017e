// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The whole main job with real GROMACS: killed in the middle, started again, and looked at.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "coromd/trajectory/trajectory.hpp"
#include "integration/coromd_run.hpp"

namespace coromd {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class AlanineCampaign : public testing::Test {
protected:
    AlanineCampaign() {
        std::string name = testing::TempDir() + "coromd-alanine-XXXXXX";
        folder_ = ::mkdtemp(name.data());
        const fs::path example = COROMD_ALANINE_EXAMPLE;
        fs::create_directory_symlink(COROMD_ALANINE, folder_ / "system");
        fs::copy_file(example / "md.mdp", folder_ / "md.mdp");
        std::string text = read(example / "campaign.toml");
        replace(text, "count = 8", "count = 4");
        replace(text, "slice = \"1 s\"", "slice = \"300 ms\"");
        std::ofstream(folder_ / "campaign.toml") << text;
    }
    ~AlanineCampaign() override {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }

    static void replace(std::string& text, const std::string& what, const std::string& by) {
        const auto at = text.find(what);
        ASSERT_NE(at, std::string::npos) << what;
        text.replace(at, what.size(), by);
    }

    static std::string read(const fs::path& file) {
        std::ifstream in(file);
        std::ostringstream text;
        text << in.rdbuf();
        return text.str();
    }

    pid_t start() const { return test::start_coromd_run(folder_); }

    static int wait(pid_t pid) { return test::exit_code_of(pid); }

    fs::path walker(int number) const {
        return folder_ / "alanine.campaign/walkers" / ("00" + std::to_string(number));
    }

    fs::path folder_;
};

TEST_F(AlanineCampaign, SurvivesSigkillAndEndsWithTrajectoriesThatGmxAccepts) {
    const pid_t first = start();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (!fs::exists(walker(0) / "md.part0001.xtc") && !fs::exists(walker(1) / "md.part0001.xtc")) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline) << read(folder_ / "stderr");
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ::kill(first, SIGKILL);
    ASSERT_EQ(wait(first), 128 + SIGKILL);

    ASSERT_EQ(wait(start()), 0) << read(folder_ / "stderr");
    const json result = json::parse(read(folder_ / "stdout"));
    EXPECT_EQ(result.at("failed"), 0);
    for (int number = 0; number < 4; ++number) {
        const fs::path file = walker(number) / "until.xtc";
        const trajectory::Trajectory until(file, COROMD_ALANINE "/start.gro");
        for (std::int64_t i = 0; i < until.n_frames(); ++i) ASSERT_EQ(until.step(i), 20 * i) << file;
        EXPECT_EQ(result.at("walkers").at(static_cast<std::size_t>(number)).at("steps"), until.last_step());
        const std::string check = "gmx -quiet check -f '" + file.string() + "' > /dev/null 2>&1";
        EXPECT_EQ(std::system(check.c_str()), 0) << file;
    }
}

}  // namespace
}  // namespace coromd
