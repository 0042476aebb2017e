// SPDX-License-Identifier: LGPL-3.0-or-later
//
// A round: the campaign is run with COROMD_FAULT_KILL set, until a process of it kills itself; then it
// is run again without, as a user would, and has to come to its end. What the jobs say of themselves in
// the witness, and the campaign's own records, must agree with the promise in
// docs/design/crash-safety.md. Nothing else is killed: agents and jobs go on.
#include "harness.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include "coromd/campaign/snapshot.hpp"

namespace coromd::crash {

namespace fs = std::filesystem;

namespace {

std::string content_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

std::set<int> some_of(int passages, bool first_only) {
    if (first_only) return {1};
    return {1, (passages + 1) / 2, passages};
}

}  // namespace

Workload scripts_on(const std::string& queue) {
    Workload workload;
    workload.name = queue;
    workload.command = {COROMD_CRASH_JOBS, "settings.toml", "place/campaign"};
    workload.settings = "agent = \"" COROMD_PROGRAM "\"\n[queues.jobs]\n";
    workload.settings += queue == "slurm"
                             ? "kind = \"slurm\"\ncommands = \"cluster/bin\"\npoll = \"200 ms\"\n"
                               "lost_after = \"2 s\"\n"
                             : "cores = 2\n";
    workload.settings += "retries = {infrastructure = 5, delay = \"10 ms\"}\n";
    workload.slurm = queue == "slurm";
    // In SLURM it is a job as any other.
    workload.helpers = workload.slurm ? "none" : "helper";
    workload.results = ".data";
    return workload;
}

Workload committor() {
    Workload workload;
    workload.name = "committor";
    workload.command = {COROMD_PROGRAM, "run", "settings.toml", "-d", "place/campaign"};
    workload.helpers = "grompp";
    workload.results = "until.xtc";
    return workload;
}

Workload model() {
    Workload workload;
    workload.name = "model";
    workload.command = {COROMD_PROGRAM, "run", "settings.toml", "-d", "place/campaign"};
    workload.settings = R"([campaign]
name = "double_well"
kind = "committor"
seed = 2026

[engine]
kind = "model"
structure = "particle.gro"
integrator = "overdamped"
dt = 0.0005
kt = 1.0
nstout = 10

[engine.potential]
kind = "double_well"
height = 5.0

[queues.local]
cores = 2
retries = {infrastructure = 5, delay = "10 ms"}

[variables]
x = 'x("index 0")'

[states]
left = "x <= -1"
right = "x >= 1"

[walkers]
count = 2
temperature = 120.27
max_steps = 1000000
slice = "20 ms"
)";
    workload.results = "until.trr";
    workload.witness = false;
    return workload;
}

Passages count_passages(const std::string& log) {
    Passages count;
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);) ++count[line];
    return count;
}

CrashTest::~CrashTest() {
    if (workload_.slurm) shell_quietly("'" COROMD_FAKE_SLURM "' stop cluster");
}

std::string CrashTest::shell_quietly(const std::string& line) const {
    return shell(line).out;
}

void CrashTest::prepare(const Workload& workload) {
    workload_ = workload;
    std::string settings = workload.settings;
    if (settings.empty()) {
        settings = campaign_text();
        const std::string retries = "[queues.local]\n";
        settings.insert(settings.find(retries) + retries.size(),
                        "retries = {infrastructure = 5, delay = \"10 ms\"}\n");
    }
    write("settings.toml", settings);
    write(
        "particle.gro",
        "a particle\n    1\n    1MOD    MOD    1  -0.100   0.000   0.000\n   0.00000   0.00000   0.00000\n");
    environment_["CRASH_WITNESS"] = (folder_ / "witness").string();
    if (workload.slurm)
        shell_quietly("'" COROMD_FAKE_SLURM
                      "' setup cluster --nodes 2 --cores-per-node 2 --minute 1s --kill-wait 200ms");
}

void CrashTest::clear() const {
    for (const char* name : {"place", "witness", "passages", "commands.log"}) fs::remove_all(folder_ / name);
    fs::create_directory(folder_ / "place");
}

pid_t CrashTest::start_run(const std::map<std::string, std::string>& environment) const {
    std::vector<std::string> words{"/usr/bin/env"};
    for (const auto& [name, value] : environment) words.push_back(name + "=" + value);
    // What never ends has failed.
    words.insert(words.end(), {"/usr/bin/timeout", "--signal=KILL", "120"});
    words.insert(words.end(), workload_.command.begin(), workload_.command.end());
    return launch(std::move(words));
}

Ended CrashTest::run(const std::map<std::string, std::string>& environment) const {
    return wait(start_run(environment));
}

bool CrashTest::run_until(const Kill& kill, std::map<std::string, std::string> environment) const {
    const std::string log = (folder_ / "passages").string();
    fs::remove(log);
    environment.insert({{"COROMD_FAULT_LOG", log}, {"COROMD_FAULT_KILL", kill.text()}});
    run(environment);
    return count_passages(read("passages"))[kill.point] >= kill.passage;
}

Passages CrashTest::passages(const Kill* kill) const {
    clear();
    if (kill != nullptr) {
        EXPECT_TRUE(run_until(*kill)) << kill->text() << " was not reached";
    }
    const std::string log = (folder_ / "passages").string();
    fs::remove(log);
    const Ended ended = run({{"COROMD_FAULT_LOG", log}});
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return count_passages(read("passages"));
}

std::string CrashTest::result() const {
    std::map<std::string, std::string> files;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(campaign())) {
        const std::string path = entry.path().lexically_relative(campaign()).string();
        if (entry.is_regular_file() && path.ends_with(workload_.results) &&
            path.find(".attempt") == path.npos)
            files[path] = content_of(entry.path());
    }
    std::string all;
    for (const auto& [name, content] : files) all += name + "\n" + content + "\n";
    return all;
}

std::vector<std::string> CrashTest::ends() const {
    std::vector<std::string> jobs;
    // "end KEY" of scripts; "end PID COMMAND DIRECTORY" of the stand-in for gmx.
    std::istringstream lines(read("witness") + read("commands.log"));
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("end ") || line.find(workload_.helpers) != line.npos) continue;
        line = line.substr(0, line.find(".attempt"));
        jobs.push_back(line.substr(std::min(line.find('/'), line.find(' ') + 1)));
    }
    std::ranges::sort(jobs);
    return jobs;
}

void CrashTest::expect_promise(const std::string& undisturbed, Died died) const {
    EXPECT_EQ(result(), undisturbed);
    const std::vector<std::string> ends = this->ends();
    EXPECT_EQ(ends.empty(), !workload_.witness);
    if (died == Died::program) {
        EXPECT_EQ(std::ranges::adjacent_find(ends), ends.end()) << "a program ran twice";
    }

    SQLite::Database database((campaign() / "campaign.sqlite").string());
    EXPECT_EQ(database.execAndGet("PRAGMA integrity_check").getString(), "ok");
    for (const campaign::JobRow& job : campaign::read_jobs(campaign()))
        EXPECT_EQ(job.state, queue::JobState::finished) << job.key << ": " << job.reason;
    // A temporary file of an agent that died while it wrote may stay.
    for (const fs::directory_entry& record : fs::directory_iterator(campaign() / "spool" / "records"))
        EXPECT_TRUE(record.path().extension() != ".json" || died == Died::machine)
            << record.path() << " of a job that is done was left";
    EXPECT_FALSE(fs::exists(campaign() / "lease.json"));
    if (workload_.slurm) {
        EXPECT_EQ(shell_quietly("cluster/bin/squeue -h"), "");
    }
}

int CrashTest::kill_everywhere(const std::string& process, bool first_only) {
    const Passages undisturbed = passages();
    const std::string expected = result();
    EXPECT_NE(expected, "");
    expect_promise(expected);
    int hits = 0;
    for (const auto& [point, passages] : undisturbed) {
        if (!point.starts_with(process)) continue;
        for (const int passage : some_of(passages, first_only)) {
            const Kill kill{point, passage};
            SCOPED_TRACE("killed at " + kill.text());
            clear();
            // How writes are grouped is not the same in each run: the last passage may not come.
            const bool hit = run_until(kill);
            EXPECT_TRUE(hit || passage > 1) << "the point is not reached any more";
            hits += hit ? 1 : 0;
            const Ended ended = run();
            EXPECT_EQ(ended.exit_code, 0) << ended.err;
            expect_promise(expected, process == "run." ? Died::program : Died::agent);
            if (HasFailure()) return hits;
        }
    }
    return hits;
}

}  // namespace coromd::crash
