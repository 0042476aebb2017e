// SPDX-License-Identifier: LGPL-3.0-or-later
#include "slurm_test.hpp"

namespace coromd::functional {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class SlurmTemplate : public SlurmTest {
protected:
    void write_template(const std::string& text) {
        queue::test::write_file(file("job.in"), text);
        set("template", file("job.in").string());
    }
    /// What the settings are refused with.
    std::string complaint() {
        try {
            queue();
        } catch (const Error& error) {
            return error.what();
        }
        return "they are accepted";
    }
};

TEST_F(SlurmTemplate, ItsOptionsAreThoseOfTheJobAndItsLinesRun) {
    write_template(
        "#!/bin/bash\r\n"
        "#SBATCH --comment=ours --time=5\r\n"
        "#SBATCH -c 2 # cores\r\n"
        "\r\n"
        "module() { echo \"module $*\"; export LOADED=$2; }\r\n"
        "module load gromacs/2022\r\n"
        "{command}\r\n"
        "echo after\r\n");
    const JobResult result = run(script("echo $LOADED $SLURM_CPUS_PER_TASK")
                                     .writes("stdout.none")
                                     .judged_by([](const JobExit&, const fs::path&) {
                                         return Verdict::bad(FailureClass::user, "to see its files");
                                     }));
    EXPECT_EQ(result.exit.exit_code, 0) << result.reason;
    EXPECT_EQ(result.exit.stdout_tail, "module load gromacs/2022\ngromacs/2022 2\nafter\n");
    EXPECT_THAT(calls("sbatch").at(0),
                AllOf(HasSubstr("--comment=ours"), HasSubstr("--cpus-per-task=2"), HasSubstr("--time=5")));
    // What ran stays beside a failed attempt.
    const std::string script = read("jobs/job/job.attempt1/job.sh");
    EXPECT_THAT(script, AllOf(HasSubstr("module load gromacs/2022\n"), Not(HasSubstr("\r"))));
}

TEST_F(SlurmTemplate, SettingsAndJobsOverrideIt) {
    write_template("#!/bin/sh\n#SBATCH --comment=ours --time=5 --mem=100M\n{command}\n");
    Setting::Table options;
    options["comment"] = Setting(std::string("theirs"), Origin{});
    set("options", options);
    queue::Resources resources;
    resources.walltime = 20min;
    Job job = script("true").needs(resources);
    job.scheduler_option("nice", "7");
    EXPECT_TRUE(run(job).ok());
    EXPECT_THAT(calls("sbatch").at(0),
                AllOf(HasSubstr("--comment=theirs"), HasSubstr("--mem=100M"), HasSubstr("--nice=7"),
                      Not(HasSubstr("--comment=ours")), Not(HasSubstr("--time=5 "))));
}

TEST_F(SlurmTemplate, TheExitCodeIsThatOfItsLastLineAndExecIsFine) {
    write_template("#!/bin/sh -e\nexport A=b\nexec {command}\n");
    const JobResult result = run(script("echo $A; exit 5"));
    EXPECT_EQ(result.exit.exit_code, 5);
    EXPECT_EQ(result.exit.stdout_tail, "b\n");
}

TEST_F(SlurmTemplate, AJobOfItIsStoppedGracefully) {
    write_template("#!/bin/sh\necho before\n{command}\necho after\n");
    // The shell of the template waits for the command, and must not be what gets the signal.
    slurm("mkfifo '" + file("never").string() + "'");
    Job job("job", {"/bin/sh", "-c",
                    "trap 'echo x >> " + file("told").string() + "; exit 0' TERM; exec 3<> " +
                        file("never").string() + "; echo > " + file("job.ready").string() + "; read x <&3"});
    job.in_directory(file("jobs/job")).grace(1h);
    auto ready = [&]() -> task<void> { co_await until_ready(); };
    EXPECT_THAT(cancel_after({job}, ready), testing::ElementsAre("Cancelled"));
    EXPECT_TRUE(ledger_.ends.at(0).exit.stopped);
    EXPECT_EQ(read("told"), "x\n");
}

TEST_F(SlurmTemplate, WithoutItsCommandItIsRefused) {
    write_template("#!/bin/sh\n# {command}\n");
    EXPECT_THAT(complaint(), AllOf(HasSubstr("test.toml:1:1"), HasSubstr("job.in"), HasSubstr("{command}")));
}

TEST_F(SlurmTemplate, AnOptionThatIsOursIsRefusedWithItsLine) {
    write_template("#!/bin/sh\n#SBATCH --time=5\n#SBATCH --array=0-9\n{command}\n");
    EXPECT_THAT(complaint(), AllOf(HasSubstr("job.in:3"), HasSubstr("array")));
}

TEST_F(SlurmTemplate, AnOptionOfTheSettingsThatIsOursIsRefusedWithItsPlace) {
    Setting::Table options;
    options["array"] = Setting(std::string("0-9"), Origin{"test.toml", 7, 3});
    set("options", options);
    EXPECT_THAT(complaint(), AllOf(HasSubstr("test.toml:7:3"), HasSubstr("array")));
}

TEST_F(SlurmTemplate, AnOptionThatSbatchDoesNotKnowIsNamedWithWhatWasMeant) {
    Setting::Table options;
    options["partitoin"] = Setting(std::string("debug"), Origin{"test.toml", 7, 3});
    set("options", options);
    EXPECT_THAT(complaint(),
                AllOf(HasSubstr("test.toml:7:3"), HasSubstr("partitoin"), HasSubstr("partition")));
}

}  // namespace
}  // namespace coromd::functional
