// SPDX-License-Identifier: LGPL-3.0-or-later
#include "slurm_test.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

namespace coromd::functional {

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

}  // namespace

task<void> TappedLedger::submitted(std::string key, int attempt, std::string words) {
    co_await when_submitted(words);
    places.push_back(words);
    co_await ledger_->submitted(std::move(key), attempt, std::move(words));
}

task<void> TappedLedger::ended(JobResult result) {
    co_await when_ended();
    ends.push_back(result);
    co_await ledger_->ended(std::move(result));
}

task<void> TappedLedger::inherit(Job job, std::string words) {
    co_await ledger_->claim(job.key(), job.specification());
    co_await ledger_->begin_attempt(job.key());
    if (!words.empty()) co_await ledger_->submitted(job.key(), 1, std::move(words));
    ledger_->release(job.key());
}

SlurmTest::SlurmTest() {
    retries_.delay = 10ms;
    set("commands", file("cluster/bin").string());
    set("poll", "100 ms");
    setup();
}

SlurmTest::~SlurmTest() {
    queue_.reset();
    std::ofstream(file("go")) << "go\n";
    slurm("\"$FAKE\" stop \"$CLUSTER\"");
}

void SlurmTest::setup(const std::string& options) const {
    slurm("\"$FAKE\" stop \"$CLUSTER\" 2>&1");
    slurm("\"$FAKE\" setup \"$CLUSTER\" --nodes 2 --cores-per-node 8 --minute 1s --kill-wait 200ms " +
          options);
}

void SlurmTest::faults(const std::string& assignments) const {
    EXPECT_EQ(slurm("\"$FAKE\" faults \"$CLUSTER\" " + assignments + " 2>&1 || echo failed"), "");
}

std::string SlurmTest::slurm(const std::string& line) const {
    const fs::path cluster = file("cluster");
    const fs::path out = file("shell.out");
    const std::string whole = "cd '" + folder_.path().string() + "'; FAKE='" +
                              std::string(COROMD_FAKE_SLURM) + "'; CLUSTER='" + cluster.string() +
                              "'; PATH=\"$CLUSTER/bin:$PATH\"; { " + line + "; } > '" + out.string() + "'";
    if (std::system(whole.c_str()) < 0) ADD_FAILURE() << whole;
    std::string text = read("shell.out");
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

std::unique_ptr<queue::Queue> SlurmTest::make_queue(queue::JobLedger& ledger) {
    const Setting setting(settings_, Origin{"test.toml", 1, 1});
    SettingsReader reader(setting, "queues.test");
    const queue::Site site{file("spool"), COROMD_PROGRAM};
    const Registry<queue::QueueKind> kinds = queue::builtin_queues();
    auto made = std::make_unique<queue::Queue>("test", context_, ledger,
                                               kinds.at("slurm").make(context_, site, reader), retries_);
    reader.finish();
    return made;
}

queue::Queue& SlurmTest::queue() {
    if (!queue_) queue_ = make_queue(ledger_);
    return *queue_;
}

Job SlurmTest::script(const std::string& text, const std::string& key) const {
    const std::string first = "echo " + key + " >> '" + file("runs").string() + "'\n";
    Job job(key, {"/bin/sh", "-c", first + text});
    job.in_directory(file("jobs") / key).grace(1h);
    return job;
}

Job SlurmTest::waiting(const std::string& key, const std::string& first) const {
    return script(first + "\necho > '" + file(key + ".ready").string() + "'\nwhile [ ! -e '" +
                      file("go").string() + "' ]; do sleep 0.01; done",
                  key);
}

JobResult SlurmTest::run(Job job) {
    return context_.run(queue().run(std::move(job)));
}

task<std::vector<JobResult>> SlurmTest::all(std::vector<Job> jobs) {
    std::vector<task<JobResult>> children;
    for (Job& job : jobs) children.push_back(queue().run(std::move(job)));
    return runtime::gather(std::move(children));
}

std::vector<JobResult> SlurmTest::run_all(std::vector<Job> jobs) {
    return context_.run(all(std::move(jobs)));
}

task<void> SlurmTest::observe(Event& stop, Job job, std::string& how) {
    how = co_await queue::test::run_until(stop, queue(), std::move(job));
}

task<void> SlurmTest::until(std::function<bool()> condition) {
    const auto deadline = std::chrono::steady_clock::now() + 1min;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) fail(ErrorKind::system, "waited for in vain");
        co_await runtime::sleep_for(5ms);
    }
}

task<void> SlurmTest::until_ready(std::string key) {
    auto there = [this, key] { return fs::exists(file(key + ".ready")); };
    std::function<bool()> condition = there;
    co_await until(condition);
}

task<void> SlurmTest::until_called(std::string command, std::size_t more) {
    const std::size_t wanted = calls(command).size() + more;
    auto enough = [this, command, wanted] { return calls(command).size() >= wanted; };
    std::function<bool()> condition = enough;
    co_await until(condition);
}

std::string SlurmTest::read(const std::string& name) const {
    std::ifstream in(file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t SlurmTest::runs(const std::string& key) const {
    const std::vector<std::string> lines = lines_of(read("runs"));
    return static_cast<std::size_t>(
        std::ranges::count_if(lines, [&](const std::string& line) { return key.empty() || line == key; }));
}

std::vector<std::string> SlurmTest::calls(const std::string& command) const {
    std::vector<std::string> found;
    for (std::string& line : lines_of(read("cluster/calls.log"))) {
        std::istringstream words(line);
        std::string time;
        std::string name;
        words >> time >> name;
        if (name == command) found.push_back(std::move(line));
    }
    return found;
}

}  // namespace coromd::functional
