// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The power goes off: the program, its agents and their jobs are dead at once, and what was not synced
// is gone, or half gone. A job whose end was not durable yet runs again; what was accepted is there.
#include <csignal>
#include <cstdio>
#include <set>
#include <string>

#include <unistd.h>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "harness.hpp"
#include "power.hpp"

namespace coromd::crash {
namespace {

namespace fs = std::filesystem;

class PowerLoss : public CrashTest, public testing::WithParamInterface<Unsynced> {
protected:
    PowerLoss() {
        prepare(scripts_on("local"));
        clear();
    }
    ~PowerLoss() override { end_all(); }

    fs::path log() const { return folder_ / "synced"; }

    /// Kills all that works in the campaign: what has the log in its environment.
    void end_all() const {
        const std::string mark = "COROMD_POWER_LOG=" + log().string();
        for (bool found = true; found;) {
            found = false;
            for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
                const std::string name = entry.path().filename();
                if (name.find_first_not_of("0123456789") != name.npos) continue;
                std::string environment;
                try {
                    environment = read_text_file(entry.path() / "environ");
                } catch (const Error&) {
                    continue;  // it has ended
                }
                if (environment.find(mark) == environment.npos) continue;
                ::kill(std::stoi(name), SIGKILL);
                found = true;
            }
        }
    }

    /// Runs until a point is passed, and loses power there. False where it was not reached.
    bool lose_power_at(const Kill& kill, Unsynced unsynced, std::uint64_t seed) const {
        clear();
        fs::remove_all(log());
        fs::create_directory(log());
        const bool hit =
            run_until(kill, {{"LD_PRELOAD", COROMD_POWER}, {"COROMD_POWER_LOG", log().string()}});
        end_all();
        lose_power(folder_ / "place", log(), unsynced, seed);
        return hit;
    }
};

TEST_P(PowerLoss, LosesNothingThatWasAccepted) {
    const Passages undisturbed = passages();
    const std::string expected = result();
    int losses = 0;
    std::uint64_t seed = 0;
    for (const auto& [point, passages] : undisturbed) {
        for (const int passage : std::set<int>{1, (passages + 1) / 2, passages}) {
            if (++seed % (COROMD_CRASH_SAMPLE ? 11 : 1) != 0) continue;
            const Kill kill{point, passage};
            SCOPED_TRACE("power lost at " + kill.text());
            losses += lose_power_at(kill, GetParam(), seed) ? 1 : 0;
            const Ended ended = run();
            EXPECT_EQ(ended.exit_code, 0) << ended.err;
            expect_promise(expected, Died::machine);
            if (HasFailure()) return;
        }
    }
    EXPECT_GT(losses, 3);
    std::printf("%d losses of power\n", losses);
}

constexpr const char* kNames[] = {"NothingUnsyncedIsThere", "NamesAreThere", "SomeSectorsAreThere"};

INSTANTIATE_TEST_SUITE_P(, PowerLoss, testing::Values(Unsynced::nothing, Unsynced::names, Unsynced::some),
                         [](const auto& info) { return std::string(kNames[static_cast<int>(info.param)]); });

}  // namespace
}  // namespace coromd::crash
