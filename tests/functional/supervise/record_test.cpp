// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What the exit record tells of a program that was left alone, and what becomes of it where it cannot
// be written.
#include <chrono>

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "agent.hpp"
#include "coromd/core/error.hpp"
#include "coromd/core/hash.hpp"
#include "coromd/queue/attempt_files.hpp"

namespace coromd::functional {
namespace {

namespace fs = std::filesystem;
using queue::ExitRecord;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Record = AgentTest;

TEST_F(Record, TheAgentEndsAsTheProgramDoes) {
    shell("exit 0");
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(record().exit.exit_code, 0);
    next_attempt();
    shell("exit 3");
    EXPECT_EQ(run(), 3);
    EXPECT_EQ(record().exit.exit_code, 3);
    next_attempt();
    shell("kill -KILL $$");
    EXPECT_EQ(run(), 128 + SIGKILL);
    EXPECT_EQ(record().exit.exit_code, std::nullopt);
    EXPECT_EQ(record().exit.signal, SIGKILL);
}

TEST_F(Record, IsComplete) {
    probe({"use=50", "burn=20", "end=go", "code=4"});
    environment_["SLURMD_NODENAME"] = "node17";
    environment_["SLURM_JOB_GPUS"] = "0-2,5";
    write(file("go"));
    EXPECT_EQ(run(), 4);
    const ExitRecord found = record();
    EXPECT_EQ(found.key, job_.key);
    EXPECT_EQ(found.attempt, 1);
    EXPECT_EQ(found.error, "");
    EXPECT_TRUE(found.exit.known);
    EXPECT_FALSE(found.exit.stopped || found.exit.timed_out || found.exit.terminated);
    EXPECT_EQ(found.exit.restart, 0);
    EXPECT_EQ(found.exit.node, "node17");
    EXPECT_THAT(found.exit.gpus, ElementsAre(0, 1, 2, 5));
    EXPECT_GT(found.exit.started_ms, 1'600'000'000'000);
    EXPECT_GE(found.exit.ended_ms, found.exit.started_ms);
    EXPECT_GE(found.exit.cpu_seconds, 0.02);
    EXPECT_GE(found.exit.peak_memory_kib, 50u << 10);
    EXPECT_LT(found.exit.peak_memory_kib, 1u << 20);
}

TEST_F(Record, IsWrittenToWhereTheCampaignIsNow) {
    probe({"end=go"});
    const fs::path before = folder_ / "before";
    fs::create_directory(before);
    job_.directory = before / "job.attempt1";
    job_.spool = before / "spool";
    const queue::Spool spool(job_.spool);
    const pid_t agent = start();
    await(file("md.log"), "ready");
    fs::rename(before, folder_ / "after");
    write(folder_ / "after" / "job.attempt1" / "go");
    EXPECT_EQ(wait(agent), 0);
    EXPECT_FALSE(fs::exists(before));
    const auto found = queue::Spool(folder_ / "after" / "spool").read_record(id());
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->exit.files.empty());
}

TEST_F(Record, NamesTheFilesBySizeAndFingerprint) {
    shell(
        "printf abc > 'two words.xtc'; printf 12345 > Ümlaut.dat; : > empty; mkdir folder; printf x > "
        "job.sh");
    EXPECT_EQ(run(), 0);
    std::vector<std::string> names;
    for (const queue::OutputFile& output : record().exit.files) {
        names.push_back(output.name);
        EXPECT_EQ(output.size, fs::file_size(file(output.name)));
        EXPECT_EQ(output.fingerprint, fingerprint_file(file(output.name)).hex()) << output.name;
    }
    EXPECT_THAT(names, ElementsAre("empty", "two words.xtc", "Ümlaut.dat"));
}

TEST_F(Record, NamesOfAnyBytesArriveAsTheyAre) {
    const std::string name = "a\xff\xfe\n.bin";
    shell("printf abc > \"$NAME\"");
    environment_["NAME"] = name;
    EXPECT_EQ(run(), 0);
    const ExitRecord found = record();
    ASSERT_EQ(found.exit.files.size(), 1u);
    EXPECT_EQ(found.exit.files[0].name, name);
    EXPECT_EQ(found.exit.files[0].fingerprint, fingerprint_file(file(name)).hex());
}

TEST_F(Record, TellsOfWhatTheProgramLeftHoweverOdd) {
    shell("ln -s circle circle; ln -s nowhere dangling; mkfifo pipe; rm job.out; mkfifo job.out; echo x > y");
    EXPECT_EQ(run(), 0);
    EXPECT_THAT(record().exit.files, testing::SizeIs(1));
    next_attempt();
    shell("rm -r \"$PWD\"");
    EXPECT_EQ(run(), 0);
    EXPECT_THAT(record().exit.files, IsEmpty());
}

TEST_F(Record, KeepsTheEndsOfTheStreams) {
    shell("head -c 40000 /dev/zero | tr '\\0' o; echo end; head -c 20000 /dev/zero | tr '\\0' '\\377' >&2");
    EXPECT_EQ(run(), 0);
    const ExitRecord found = record();
    EXPECT_EQ(found.exit.stdout_tail.size(), queue::kStreamTail);
    EXPECT_TRUE(found.exit.stdout_tail.ends_with("oend\n"));
    EXPECT_THAT(found.exit.stderr_tail, testing::StartsWith("\xef\xbf\xbd")) << "no UTF-8: replaced";
    EXPECT_EQ(fs::file_size(file(queue::kStdoutFile)), 40004u);
}

TEST_F(Record, ACommandThatCannotBeStartedIsToldWithItsReason) {
    write(file("data"), "text");
    write(file("script"), "#!/no/such/interpreter\n");
    write(file("rubbish"), std::string("\x7f"
                                       "ELF\0\0",
                                       6));
    fs::permissions(file("data"), fs::perms::owner_read);
    for (const char* name : {"script", "rubbish"}) fs::permissions(file(name), fs::perms::owner_all);
    const std::vector<std::pair<std::string, std::string>> cases{
        {"no-such-program-anywhere", "was not found in PATH"},
        {"/no/such/program", "No such file"},
        {file("data"), "Permission denied"},
        {file("script"), "interpreter"},
        {file("rubbish"), "Exec format error"}};
    for (const auto& [program, reason] : cases) {
        job_.command = {program};
        EXPECT_EQ(run(), 127) << program;
        const ExitRecord found = record();
        EXPECT_THAT(found.error, HasSubstr(reason));
        EXPECT_THAT(found.error, HasSubstr(program));
        EXPECT_EQ(found.exit.exit_code, std::nullopt);
        EXPECT_THAT(found.exit.files, IsEmpty());
        ++job_.attempt;
    }
}

TEST_F(Record, AJobFileThatCannotBeReadEndsWithItsOwnCode) {
    for (const char* text : {"", "{", "[]", "{\"version\": 1}", "{\"version\": 2}", "\xff\xfe"}) {
        write(file(queue::kJobFile), text);
        EXPECT_EQ(wait(supervise({file(queue::kJobFile).string()})), 65) << text;
        EXPECT_THAT(read(folder_ / "stderr"), HasSubstr(queue::kJobFile));
        fs::remove(folder_ / "stderr");
    }
    EXPECT_EQ(wait(supervise({file("missing.json").string()})), 65);
    EXPECT_THAT(read(folder_ / "stderr"), HasSubstr("missing.json"));
    EXPECT_THAT(spool_.records(), IsEmpty());
}

TEST_F(Record, TheProgramGetsWhatTheJobFileSays) {
    shell(
        "cat; echo $A $CUDA_VISIBLE_DEVICES; nproc; ls /proc/self/fd | wc -l; pwd; kill -USR1 $$; echo "
        "lived");
    job_.environment = {{"A", "own"}};
    job_.input = "input\n";
    job_.gpus = {1, 3};
    cpu_set_t mine;
    ASSERT_EQ(::sched_getaffinity(0, sizeof mine, &mine), 0);
    for (int core = 0; core < CPU_SETSIZE && job_.cores.empty(); ++core)
        if (CPU_ISSET(core, &mine)) job_.cores = {core};
    EXPECT_EQ(run(), 128 + SIGUSR1) << "no signal stays blocked";
    EXPECT_EQ(record().exit.stdout_tail, "input\nown 1,3\n1\n4\n" + job_.directory.string() + "\n");
    EXPECT_THAT(record().exit.gpus, ElementsAre(1, 3));
}

TEST_F(Record, StandardStreamsMayBeClosed) {
    shell("cat; echo out; echo err >&2");
    EXPECT_EQ(wait(start(Begin::without_streams)), 0);
    EXPECT_EQ(record().exit.stdout_tail, "out\n");
    EXPECT_EQ(record().exit.stderr_tail, "err\n");
}

/// A spool on a small file system of its own, in a mount namespace that ends with this process.
class SmallDisk : public AgentTest {
protected:
    SmallDisk() { job_.spool = folder_ / "disk"; }
    ~SmallDisk() override { ::umount2((folder_ / "disk").c_str(), MNT_DETACH); }

    /// Empty, or why there is none.
    std::string mount_it() {
        fs::create_directory(folder_ / "disk");
        if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("tmpfs", (folder_ / "disk").c_str(), "tmpfs", 0, "size=64k") != 0)
            return "only root can mount a small file system";
        spool_ = queue::Spool(folder_ / "disk");
        return {};
    }
    void fill() { write(folder_ / "disk/filler", std::string(std::size_t{1} << 20, 'x')); }
};

TEST_F(SmallDisk, ARecordIsTriedAgainUntilThereIsRoom) {
    if (const std::string reason = mount_it(); !reason.empty()) GTEST_SKIP() << reason;
    probe({"end=go", "code=5"});
    const pid_t agent = start();
    await(file("md.log"), "ready");
    fill();
    write(file("go"));
    await(folder_ / "stderr", "No space left");
    EXPECT_FALSE(has_record());
    fs::remove(folder_ / "disk/filler");
    EXPECT_EQ(wait(agent), 5);
    EXPECT_EQ(record().exit.exit_code, 5);
}

TEST_F(SmallDisk, ARecordThatCannotBeWrittenEndsWithItsOwnCode) {
    if (const std::string reason = mount_it(); !reason.empty()) GTEST_SKIP() << reason;
    probe({"end=go", "code=5"});
    job_.record_patience = std::chrono::milliseconds(0);
    const pid_t agent = start();
    await(file("md.log"), "ready");
    fill();
    write(file("go"));
    EXPECT_EQ(wait(agent), 74);
    EXPECT_FALSE(has_record());
}

TEST_F(SmallDisk, WhereNothingCanBeClaimedNothingIsRun) {
    if (const std::string reason = mount_it(); !reason.empty()) GTEST_SKIP() << reason;
    shell("touch ran");
    fill();
    EXPECT_EQ(run(), 74);
    fs::remove(folder_ / "disk/filler");
    ASSERT_EQ(::mount("none", (folder_ / "disk").c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
    EXPECT_EQ(run(), 74);
    EXPECT_THAT(read(folder_ / "stderr"), HasSubstr("Read-only file system"));
    EXPECT_FALSE(fs::exists(file("ran")));
    ASSERT_EQ(::mount("none", (folder_ / "disk").c_str(), nullptr, MS_REMOUNT, nullptr), 0);
    EXPECT_EQ(run(), 0) << "what failed to claim has left no claim";
    EXPECT_TRUE(fs::exists(file("ran")));
}

}  // namespace
}  // namespace coromd::functional
