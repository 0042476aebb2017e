// SPDX-License-Identifier: LGPL-3.0-or-later
//
// A program of a user's, to be killed: `crash_jobs SETTINGS DIRECTORY`. Two walkers, each with a helper
// and two segments that go on from one another, in the queue "jobs". Each program says in the file
// $CRASH_WITNESS that it begins, and as the last thing that it does that it ends. A segment waits for the
// file $CRASH_GO, where that is set.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/session/session.hpp"
#include "coromd/session/settings_file.hpp"

namespace {

using coromd::queue::Job;
using coromd::queue::JobResult;
using coromd::runtime::task;

/// Makes `leaf`.data of what `before` says and its own key, and a second file.
Job job(const coromd::session::Session& session, const std::string& walker, const std::string& leaf,
        const std::string& before) {
    const std::string key = "walkers/" + walker + "/" + leaf;
    const std::string wait =
        leaf == "helper" ? "" : "[ -z \"$CRASH_GO\" ] || until [ -e \"$CRASH_GO\" ]; do sleep 0.02; done; ";
    const std::string script = "echo begin " + key + " >> \"$CRASH_WITNESS\"; " + wait + "{ " + before +
                               " echo " + key + "; } > " + leaf + ".data; echo " + key + " > " + leaf +
                               ".note; echo end " + key + " >> \"$CRASH_WITNESS\"";
    Job made(key, {"/bin/sh", "-c", script});
    made.in_directory(session.directory() / "walkers" / walker).writes(leaf + ".data").writes(leaf + ".note");
    return made;
}

task<void> run(coromd::session::Session& session, Job job) {
    const JobResult result = co_await session.queue("jobs").run(std::move(job));
    if (!result.ok()) coromd::fail(coromd::ErrorKind::job, "{}: {}", result.key, result.reason);
}

task<void> walk(coromd::session::Session& session, std::string walker) {
    Job helper = job(session, walker, "helper", "");
    helper.direct();
    co_await run(session, std::move(helper));
    co_await run(session, job(session, walker, "segment1", "cat ../helper.data;"));
    co_await run(session, job(session, walker, "segment2", "cat ../segment1.data;"));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return coromd::session::kExitUsage;
    try {
        coromd::session::SessionOptions options{argv[2]};
        options.settings(coromd::session::load_settings(argv[1]));
        coromd::session::Session session(options);
        auto main = [&]() -> task<void> {
            std::map<std::string, std::string> inputs{{"walkers", "two"}};
            co_await session.campaign().record_inputs(std::move(inputs));
            std::vector<task<void>> walkers;
            walkers.push_back(walk(session, "0"));
            walkers.push_back(walk(session, "1"));
            co_await coromd::runtime::gather(std::move(walkers));
        };
        return session.run(main());
    } catch (const coromd::Error& error) {
        fmt::print(stderr, "error: {}\n", error.what());
        return coromd::session::exit_code_of(error);
    }
}
