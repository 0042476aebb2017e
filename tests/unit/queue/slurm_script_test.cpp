// SPDX-License-Identifier: LGPL-3.0-or-later
#include "slurm/script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

#include "unit/core/fixtures.hpp"

namespace coromd::queue::slurm {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string refusal(const std::string& text) {
    const Error error = error_of([&] { ScriptTemplate(text, "md.slurm"); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.message(), HasSubstr("md.slurm:"));
    return error.message();
}

std::vector<std::string> arguments(const std::string& directives) {
    return ScriptTemplate(directives + "\n{command}\n", "md.slurm").options().to_arguments();
}

TEST(ScriptTemplate, IsByDefaultTheCommand) {
    EXPECT_EQ(ScriptTemplate().text("gmx mdrun"), "#!/bin/bash\ngmx mdrun\n");
}

TEST(ScriptTemplate, HasThreeParts) {
    const ScriptTemplate script(
        "#!/bin/sh -e\n"
        "# of the group\n"
        "#SBATCH -p long\n"
        "\n"
        "   # more\n"
        "#SBATCH --mem=2G   # enough\n"
        "module load gromacs\n"
        "#SBATCH --qos=late\n"
        "srun {command} || exit $?\n"
        "echo ${HOME} {}",
        "md.slurm");
    EXPECT_EQ(script.shebang(), "#!/bin/sh -e");
    EXPECT_THAT(script.directives(), ElementsAre("#SBATCH -p long", "#SBATCH --mem=2G   # enough"));
    EXPECT_THAT(script.options().to_arguments(), ElementsAre("--mem=2G", "--partition=long"));
    EXPECT_THAT(script.late_directives(), ElementsAre(8));
    EXPECT_EQ(script.body("gmx mdrun"),
              "# of the group\n\n   # more\nmodule load gromacs\n#SBATCH --qos=late\n"
              "srun gmx mdrun || exit $?\necho ${HOME} {}\n");
    EXPECT_EQ(script.text("x"),
              "#!/bin/sh -e\n#SBATCH -p long\n#SBATCH --mem=2G   # enough\n" + script.body("x"));
}

TEST(ScriptTemplate, ReplacesAllPlaceholdersOfBothKinds) {
    EXPECT_EQ(ScriptTemplate("a {mdrun_cmd} b {cmd_str}{command} {command", "t").body("{command}"),
              "a {command} b {command}{command} {command\n");
}

TEST(ScriptTemplate, LeavesCommentsAlone) {
    EXPECT_EQ(ScriptTemplate("# {command} runs here\n  # {cmd_str}\n{command}", "t").body("rm\nx"),
              "# {command} runs here\n  # {cmd_str}\nrm\nx\n");
}

TEST(ScriptTemplate, WithoutAPlaceholderIsRefused) {
    for (const char* text :
         {"", "echo\n", "# {command}\n", "#!/bin/sh {command}\n", "{ command }\n", "{Command}"})
        EXPECT_THAT(refusal(text), HasSubstr("does not say where the command goes"));
    EXPECT_THAT(refusal("#SBATCH --comment={command}\necho"), HasSubstr("where the command goes"));
}

TEST(ScriptTemplate, MayHaveLineEndsOfWindows) {
    const ScriptTemplate script("\xef\xbb\xbf#!/bin/sh\r\n#SBATCH -p a\r\n{command}\r\n", "t");
    EXPECT_EQ(script.text("x"), "#!/bin/sh\n#SBATCH -p a\nx\n");
    EXPECT_EQ(script.options().value("partition"), "a");
}

TEST(ScriptTemplate, ShebangBelongsInTheFirstLine) {
    EXPECT_THAT(refusal("\n#!/bin/sh\n{command}"), HasSubstr("md.slurm:2: '#!' belongs in the first line"));
    EXPECT_THAT(refusal("#!bash\n{command}"), HasSubstr("md.slurm:1: '#!' needs the absolute path"));
    EXPECT_EQ(ScriptTemplate("{command}\n#!no matter", "t").shebang(), "#!/bin/bash");
    EXPECT_EQ(ScriptTemplate("#! /bin/zsh\n{command}", "t").shebang(), "#! /bin/zsh");
}

TEST(ScriptTemplate, HostileTextIsRefused) {
    EXPECT_THAT(refusal("echo\n{command}\0"s), HasSubstr("md.slurm:2: there is a NUL"));
    EXPECT_THAT(refusal("{command}\n" + std::string(kLongestScript, ' ')),
                HasSubstr("more than 1048576 bytes"));
    EXPECT_NO_THROW(ScriptTemplate("{command}" + std::string(kLongestScript - 9, '\n'), "t"));
}

TEST(ScriptTemplate, ReadsDirectivesAsSbatchDoes) {
    EXPECT_THAT(arguments("#SBATCH --nodes 1 -n2 --exclusive -k -Os -c 4"),
                ElementsAre("--cpus-per-task=4", "--exclusive", "--no-kill", "--nodes=1", "--ntasks=2",
                            "--overcommit", "--oversubscribe"));
    EXPECT_THAT(arguments("#SBATCH --comment=\"a b\" -A 'c d'"),
                ElementsAre("--account=c d", "--comment=a b"));
    EXPECT_THAT(arguments("#SBATCH --comment=a\\#b#c --qos=x"), ElementsAre("--comment=a#b"));
    EXPECT_THAT(arguments("#SBATCH --comment='a\\b'c\\\"d\\\\ -koff"),
                ElementsAre("--comment=abc\"d\\", "--no-kill=off"));
    EXPECT_THAT(arguments("#SBATCH --comment=\"a'b#c\\\"\" --qos=x\\"),
                ElementsAre("--comment=a'b#c\"", "--qos=x"));
    EXPECT_THAT(arguments("#SBATCH --comment=a\\ --qos=x"), ElementsAre("--comment=a", "--qos=x"));
    EXPECT_THAT(arguments("#SBATCH -p a\n#SBATCH -p b"), ElementsAre("--partition=b"));
    EXPECT_THAT(arguments("#SBATCH\n#SBATCH   \n#SBATCH # nothing"), IsEmpty());
    EXPECT_THAT(arguments(" #SBATCH -p a\n##SBATCH -p b\n#sbatch -p c\n# SBATCH -p d"), IsEmpty());
    EXPECT_THAT(arguments("#SLURM -p a\n#SBATCH-q b"), ElementsAre("--partition=a", "--qos=b"));
    EXPECT_THAT(arguments("true\n#SBATCH --job-name=late"), IsEmpty());
}

TEST(ScriptTemplate, BadDirectivesAreRefusedWithTheirLine) {
    EXPECT_THAT(refusal("#!/bin/sh\n\n#SBATCH -J mine\n{command}"),
                HasSubstr("md.slurm:3: sbatch's option 'job-name' cannot be set"));
    EXPECT_THAT(refusal("#SBATCH --mem=1G -o out\n{command}"),
                HasSubstr("md.slurm:1: sbatch's option 'output'"));
    EXPECT_THAT(refusal("#SBATCH -OH\n{command}"), HasSubstr("'hold' cannot be set"));
    EXPECT_THAT(refusal("#SLURM -J mine\n{command}"), HasSubstr("'job-name' cannot be set"));
    EXPECT_THAT(refusal("#SBATCH --partiton=a\n{command}"), HasSubstr("did you mean 'partition'"));
    EXPECT_THAT(refusal("#SBATCH -p\n{command}"), HasSubstr("needs a value"));
    EXPECT_THAT(refusal("#SBATCH --partition\n{command}"), HasSubstr("needs a value"));
    EXPECT_THAT(refusal("#SBATCH partition=a\n{command}"),
                HasSubstr("'partition=a' in a #SBATCH line is no option"));
    EXPECT_THAT(refusal("#SBATCH hetjob\n{command}"), HasSubstr("no parts"));
    EXPECT_THAT(refusal("#SBATCH --comment=PackJob\n{command}"), HasSubstr("no parts"));
    EXPECT_THAT(refusal("#SBATCH --comment=a\\ b\n{command}"), HasSubstr("'b' in a #SBATCH line"));
    EXPECT_THAT(refusal("#SBATCH --comment='a\n{command}"), HasSubstr("never closed"));
    for (const char* word :
         {"-", "--", "--=", "--=a", "---p=a=b", "--p=a", "--mem_per_cpu=1", "-=", "\"\"", "\\"})
        refusal("#SBATCH "s + word + "\n{command}");
}

TEST(ScriptTemplate, WhatIsDamagedIsReadOrRefusedWithAnError) {
    const std::string text = "#!/bin/sh\n#SBATCH -p 'a b' --gres=gpu:1,x -Os --time 1-2:3\n{command}\n";
    for (std::size_t at = 0; at < text.size(); ++at) {
        for (const char c : "\0\xff\n'\\-= #{"s) {
            std::string damaged = text;
            damaged[at] = c;
            try {
                ScriptTemplate(damaged, "t").text("x");
            } catch (const Error& error) {
                EXPECT_EQ(error.kind(), ErrorKind::usage);
            }
        }
    }
}

TEST(ShellQuote, IsReadBackByAShell) {
    const std::vector<std::string> argv{"printf", "[%s]",        "",     "a b",  "it's",    "$HOME `id` \\",
                                        "a\nb",   "\"*?[x]~#!;", "-x=1", "a'''", "\xc3\xa4"};
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(shell_quote(argv).c_str(), "r"), ::pclose);
    ASSERT_TRUE(pipe);
    std::string out(1000, '\0');
    out.resize(std::fread(out.data(), 1, out.size(), pipe.get()));
    std::string expected;
    for (std::size_t i = 2; i < argv.size(); ++i) expected += "[" + argv[i] + "]";
    EXPECT_EQ(out, expected);
}

TEST(ShellQuote, QuotesWhatNeedsIt) {
    const auto quoted = [](const std::vector<std::string>& argv) { return shell_quote(argv); };
    EXPECT_EQ(quoted({"gmx", "mdrun", "-s", "run_1.tpr", "x=1"}), "gmx mdrun -s run_1.tpr x=1");
    EXPECT_EQ(quoted({"x=1", "if"}), "'x=1' if");
    EXPECT_EQ(quoted({"time", "x"}), "'time' x");
    EXPECT_EQ(quoted({}), "");
    EXPECT_EQ(quoted({"~", "!", "it's"}), "'~' '!' 'it'\\''s'");
    EXPECT_EQ(error_of([&] { quoted({"a\0b"s}); }).kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace coromd::queue::slurm
