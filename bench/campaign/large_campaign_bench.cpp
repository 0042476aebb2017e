// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What looking at a large campaign costs: `large_campaign_bench DIRECTORY [segments]` makes a campaign there
// with that many finished segments (100,000) of walkers with ten each, all with their products, unless it is
// there already, and reads it as `coromd status`, `campaign check` and `clean` do. DIRECTORY is left, for
// the commands themselves: `time coromd status DIRECTORY`.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "coromd/campaign/check.hpp"
#include "coromd/campaign/clean.hpp"
#include "coromd/campaign/memo.hpp"
#include "coromd/campaign/status.hpp"
#include "coromd/runtime/gather.hpp"

namespace {

using namespace coromd;
using runtime::task;

constexpr int kPartsOfAWalker = 10;

task<void> finish_part(campaign::Campaign& campaign, std::string walker, int number) {
    const std::string name = fmt::format("md.part{:04}", number);
    const std::string key = walker + "/" + name;
    // As long as those of mdrun are.
    co_await campaign.ledger().claim(key, std::string(900, 's'));
    const int attempt = co_await campaign.ledger().begin_attempt(key);
    co_await campaign.ledger().submitted(key, attempt, "pid 1234 since 5678");
    queue::JobResult result;
    result.key = key;
    result.attempt = attempt;
    result.state = queue::JobState::finished;
    result.exit.exit_code = 0;
    result.exit.node = "node01";
    result.exit.stderr_tail = std::string(1500, 'e');
    Product md{key, "md", {{walker + "/md.tpr"}}, {}, {{"engine", "gromacs"}, {"walker", walker}}};
    for (const char* extension : {".xtc", ".log", ".edr", ".cpt"}) {
        result.files.push_back({name + extension, 4096, "0123456789abcdef0123456789abcdef"});
        md.files.push_back(campaign.directory() / walker / (name + extension));
    }
    co_await campaign.ledger().ended(std::move(result));
    campaign.recorder().product(md);
}

task<void> finish_walker(campaign::Campaign& campaign, int number, bool ends) {
    const std::string name = fmt::format("walkers/{:05}", number);
    for (int part = 1; part <= kPartsOfAWalker; ++part) co_await finish_part(campaign, name, part);
    Progress progress;
    progress.subject = name;
    progress.phase = ends ? "reached left" : "running";
    progress.part = kPartsOfAWalker;
    progress.time_ps = 100.0 + number;
    progress.ns_per_day = 50.0;
    campaign.recorder().progress(progress);
    if (ends) co_await campaign.remember(name + "/result", "until", 1, campaign::encode_memo(number));
}

void make(const std::filesystem::path& directory, int segments) {
    runtime::Context context(2);
    const auto campaign = campaign::Campaign::open(context, directory, campaign::OpenMode::fresh, 1);
    const int walkers = segments / kPartsOfAWalker;
    std::vector<task<void>> all;
    for (int i = 0; i < walkers; ++i) all.push_back(finish_walker(*campaign, i, i % 10 != 0));
    context.run(runtime::gather(std::move(all)));
    context.run(campaign->flush());
}

void measure(const char* name, const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    std::printf("%-28s %8.3f s\n", name, wall.count());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: large_campaign_bench DIRECTORY [segments]\n");
        return 2;
    }
    const std::filesystem::path directory = argv[1];
    const int segments = argc > 2 ? std::atoi(argv[2]) : 100'000;
    try {
        if (!std::filesystem::exists(directory)) measure("making it", [&] { make(directory, segments); });
        measure("status", [&] { campaign::read_status(directory); });
        measure("check: the database", [&] { campaign::Snapshot(directory).problems(); });
        std::vector<campaign::MadeFile> files;
        measure("check: list of files", [&] { files = campaign::made_files(campaign::Snapshot(directory)); });
        measure("check: the files", [&] { campaign::check_files(files, directory, false); });
        measure("clean: plan", [&] { campaign::plan_clean(directory, {"parts", "logs", "attempts"}); });
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
