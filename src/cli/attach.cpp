// SPDX-License-Identifier: LGPL-3.0-or-later
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "commands.hpp"
#include "coromd/campaign/snapshot.hpp"
#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/session/session.hpp"
#include "detach.hpp"

namespace coromd::cli {

namespace fs = std::filesystem;

namespace {

/// How much of what was said before is shown.
constexpr off_t kBefore = 4096;

/// What has been added to the file since the last call.
class Follower {
public:
    explicit Follower(const fs::path& path) : path_(path), file_(open_file(path, O_RDONLY)) {
        const off_t size = ::lseek(file_.get(), 0, SEEK_END);
        ::lseek(file_.get(), size > kBefore ? size - kBefore : 0, SEEK_SET);
        if (size > kBefore) {
            const std::string cut = read();
            rest_ = cut.substr(std::min(cut.find('\n'), cut.size() - 1) + 1);
        }
    }

    std::string more() {
        std::string text = std::exchange(rest_, {});
        return text + read();
    }

private:
    std::string read() {
        std::string text(1 << 16, '\0');
        text.resize(read_fully(file_, text, path_));
        return text;
    }

    fs::path path_;
    FileDescriptor file_;
    std::string rest_;
};

int attach(const fs::path& directory) {
    campaign::Snapshot{directory};
    if (!fs::exists(directory / kOutputFile))
        fail(ErrorKind::usage,
             "the campaign in '{}' was never run with --detach: 'coromd status --watch' shows how far it is",
             directory.string());
    Follower said(directory / kOutputFile);
    for (bool runs = true; runs;) {
        const auto owner = campaign::owner_of(directory);
        runs = owner && owner->may_run();
        for (std::string text = said.more(); !text.empty(); text = said.more()) {
            std::fputs(text.c_str(), stdout);
            std::fflush(stdout);
        }
        if (runs) std::this_thread::sleep_for(std::chrono::milliseconds(300));
    }
    const std::vector<campaign::SessionRow> sessions = campaign::Snapshot(directory).sessions();
    const bool killed = !sessions.empty() && !sessions.back().ended_ms;
    if (killed) fail(ErrorKind::system, "the program was killed: start the same again to go on");
    return session::kExitDone;
}

}  // namespace

void add_attach(CLI::App& app, int& exit_code) {
    auto directory = std::make_shared<fs::path>();
    CLI::App* command = app.add_subcommand("attach", "Follow what a detached program says, until it ends");
    command->add_option("directory", *directory, "The campaign's directory")->required();
    command->footer(
        "Shows the end of coromd.out in the campaign's directory, and what is added to it. Ctrl-C leaves;\n"
        "the campaign goes on.\n\n"
        "Example:\n"
        "  coromd attach alanine.campaign");
    command->callback([directory, &exit_code] { exit_code = attach(*directory); });
}

}  // namespace coromd::cli
