// SPDX-License-Identifier: LGPL-3.0-or-later
//
// A program of a user's, to be killed and started again: `plain_jobs SETTINGS DIRECTORY N` runs N short jobs
// in the queue "cluster". Each adds its name to DIRECTORY/runs, and leaves a file that names its node.
#include <cstdlib>
#include <string>
#include <vector>

#include "coromd/runtime/gather.hpp"
#include "coromd/session/session.hpp"
#include "coromd/session/settings_file.hpp"

int main(int argc, char** argv) {
    if (argc != 4) return coromd::session::kExitUsage;
    coromd::session::SessionOptions options{argv[2]};
    options.settings(coromd::session::load_settings(argv[1]));
    coromd::session::Session session(options);
    auto main = [&]() -> coromd::runtime::task<void> {
        std::vector<coromd::runtime::task<coromd::queue::JobResult>> jobs;
        for (int i = 0; i < std::atoi(argv[3]); ++i) {
            const std::string name = "job" + std::to_string(i);
            coromd::queue::Job job(
                name, {"/bin/sh", "-c",
                       "echo " + name + " >> ../../runs; sleep 0.3; echo $SLURMD_NODENAME > " + name});
            job.in_directory(session.directory() / "jobs").writes(name);
            jobs.push_back(session.queue("cluster").run(job));
        }
        const auto results = co_await coromd::runtime::gather(std::move(jobs));
        for (const coromd::queue::JobResult& result : results)
            if (!result.ok()) coromd::fail(coromd::ErrorKind::job, "{}: {}", result.key, result.reason);
    };
    return session.run(main());
}
