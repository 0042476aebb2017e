// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The outputs are those of GROMACS 2022.5, shortened where that makes no difference.
#include "gromacs/messages.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace coromd::engine::gromacs {
namespace {

/// The block that a program of GROMACS ends with.
std::string block(std::string_view message, std::string_view program = "gmx grompp") {
    return std::string(
               "\n-------------------------------------------------------\n"
               "Program:     ")
        .append(program)
        .append(
            ", version 2022.5-Debian_2022.5_2\n"
            "Source file: src/gromacs/gmxpreprocess/topio.cpp (line 577)\n\n")
        .append(message)
        .append(
            "\n\nFor more information and tips for troubleshooting, please check the GROMACS\n"
            "website at http://www.gromacs.org/Documentation/Errors\n"
            "-------------------------------------------------------\n");
}

constexpr std::string_view kBanner =
    "Generating 1-4 interactions: fudge = 0.5\n"
    "Number of degrees of freedom in T-Coupling group System is 3609.00\n";

struct Output {
    std::string name;  // of the test
    std::string output;
    std::string text;
};

std::ostream& operator<<(std::ostream& out, const Output& output) {
    return out << output.name;
}

const std::vector<Output>& outputs() {
    static const std::vector<Output> kOutputs = {
        {"Nothing", "", ""},
        {"NoError", std::string(kBanner), ""},
        {"FatalError",
         std::string(kBanner) +
             block("Fatal error:\nTopology include file \"amber99sb-ildn.ff/nothere.itp\" not found"),
         "Fatal error:\nTopology include file \"amber99sb-ildn.ff/nothere.itp\" not found"},
        {"SeveralLines",
         block("Fatal error:\nnumber of coordinates in coordinate file (start.gro, 1801)\n"
               "             does not match topology (count.top, 322)"),
         "Fatal error:\nnumber of coordinates in coordinate file (start.gro, 1801)\n"
         "             does not match topology (count.top, 322)"},
        {"ErrorInUserInput",
         "\n-------------------------------------------------------\n"
         "Program:     gmx mdrun, version 2022.5-Debian_2022.5_2\n"
         "Source file: src/gromacs/commandline/cmdlineparser.cpp (line 271)\n"
         "Function:    void gmx::CommandLineParser::parse(int*, char**)\n\n"
         "Error in user input:\nInvalid command-line options\n"
         "  In command-line option -s\n    File 'x.tpr' does not exist or is not accessible.\n\n"
         "For more information and tips for troubleshooting, please check the GROMACS\n"
         "website at http://www.gromacs.org/Documentation/Errors\n"
         "-------------------------------------------------------\n",
         "Error in user input:\nInvalid command-line options\n"
         "  In command-line option -s\n    File 'x.tpr' does not exist or is not accessible."},
        {"ParagraphsInTheMessage",
         block("Fatal error:\nStep 12: The total potential energy is nan, which is not finite.\n\n"
               "A second paragraph."),
         "Fatal error:\nStep 12: The total potential energy is nan, which is not finite.\n\n"
         "A second paragraph."},
        {"OneRankOfSeveral",
         "\n-------------------------------------------------------\n"
         "Program:     gmx mdrun, version 2022.5\n"
         "Source file: src/gromacs/domdec/domdec.cpp (line 2227)\n"
         "MPI rank:    0 (out of 64)\n\n"
         "Fatal error:\nThere is no domain decomposition for 64 ranks\n\n"
         "For more information and tips for troubleshooting, please check the GROMACS\n",
         "Fatal error:\nThere is no domain decomposition for 64 ranks"},
        {"OnlyTheLastOfTwoBlocks", block("Fatal error:\nthe first") + block("Fatal error:\nthe second"),
         "Fatal error:\nthe second"},
        {"CutOffInTheBlock",
         "\n-------\nProgram:     gmx grompp, version 2022.5\nSource file: x.cpp (line 1)\n\nFatal "
         "error:\nSomet",
         "Fatal error:\nSomet"},
        {"OneErrorCounted",
         "\nERROR 1 [file badn.mdp, line 35]:\n"
         "  Right hand side '5x' for parameter 'nsteps' in parameter file is not an\n  integer value\n\n\n" +
             block("Fatal error:\nThere was 1 error in input file(s)"),
         "ERROR 1 [file badn.mdp, line 35]:\n"
         "Right hand side '5x' for parameter 'nsteps' in parameter file is not an\ninteger value"},
        {"WarningsAndErrorsCounted",
         std::string(kBanner) +
             "\nWARNING 1 [file synt.top, line 30]:\n  Too few parameters on line (source file\n"
             "  ./src/gromacs/gmxpreprocess/toppush.cpp, line 1429)\n\n"
             "\nERROR 1 [file synt.top, line 31]:\n  Atoms in the .top are not numbered consecutively\n\n"
             "\nThere was 1 warning\n" +
             block("Fatal error:\nThere were 2 errors in input file(s)"),
         "WARNING 1 [file synt.top, line 30]:\nToo few parameters on line (source file\n"
         "./src/gromacs/gmxpreprocess/toppush.cpp, line 1429)\n"
         "ERROR 1 [file synt.top, line 31]:\nAtoms in the .top are not numbered consecutively"},
        {"WarningsTellHowToGoOn",
         "\nNOTE 1 [file unknown.mdp]:\n  Something harmless\n\n"
         "WARNING 1 [file unknown.mdp, line 36]:\n"
         "  Unknown left-hand 'nonsense-key' in parameter file\n\n  A second paragraph of it.\n\n" +
             std::string(kBanner) + "\nThere was 1 warning\n" +
             block("Fatal error:\nToo many warnings (1).\n"
                   "If you are sure all warnings are harmless, use the -maxwarn option."),
         "WARNING 1 [file unknown.mdp, line 36]:\nUnknown left-hand 'nonsense-key' in parameter file\n"
         "A second paragraph of it.\nFatal error:\nToo many warnings (1).\n"
         "If you are sure all warnings are harmless, use the -maxwarn option."},
        {"CountedButNotShown", block("Fatal error:\nThere was 1 error in input file(s)"),
         "Fatal error:\nThere was 1 error in input file(s)"},
        {"WarningsWithoutABlock", "\nWARNING 1 [file a.mdp]:\n  bad\n\n", "WARNING 1 [file a.mdp]:\nbad"},
        {"NoticesAreNoWarnings",
         "WARNING: Did not find a frame with velocities in file x.trr,\n  all zero!\n", ""},
        {"ProgramInTheMiddleOfALine", "x Program: y\n\nFatal error:\nz\n", ""},
    };
    return kOutputs;
}

class ErrorText : public testing::TestWithParam<Output> {};

TEST_P(ErrorText, IsWhatAUserNeedsToRead) {
    EXPECT_EQ(error_text(GetParam().output), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(Outputs, ErrorText, testing::ValuesIn(outputs()),
                         [](const auto& info) { return info.param.name; });

TEST(Instability, IsTheFirstWarningOnConstraints) {
    const std::string_view output =
        "starting mdrun 'Protein in water'\n200 steps,      1.6 ps.\n\n"
        "Step 0, time 0 (ps)  LINCS WARNING\n"
        "relative constraint deviation after LINCS:\n"
        "rms 0.002053, max 0.004172 (between atoms 1 and 2)\n"
        "bonds that rotated more than 30 degrees:\n"
        " atom 1 atom 2  angle  previous, current, constraint length\n"
        "      1      2   39.3    0.1090   0.1085      0.1090\n\n"
        "Step 1, time 0.008 (ps)  LINCS WARNING\n"
        "relative constraint deviation after LINCS:\n"
        "rms 0.633469, max 1.301965 (between atoms 1 and 4)\n";
    EXPECT_EQ(instability(output),
              "Step 0, time 0 (ps)  LINCS WARNING\n"
              "relative constraint deviation after LINCS:\n"
              "rms 0.002053, max 0.004172 (between atoms 1 and 2)");
}

TEST(Instability, AlsoOfWater) {
    EXPECT_EQ(instability("100 steps\n\nstep 3: One or more water molecules can not be settled.\n"
                          "Check for bad contacts and/or reduce the timestep if appropriate.\n\nmore\n"),
              "step 3: One or more water molecules can not be settled.\n"
              "Check for bad contacts and/or reduce the timestep if appropriate.");
}

TEST(Instability, IsEmptyForARunThatWentWell) {
    EXPECT_EQ(instability("starting mdrun 'Protein in water'\n20 steps,      0.0 ps.\n"), "");
    EXPECT_EQ(instability(""), "");
}

constexpr std::string_view kStarted = "\nStarted mdrun on rank 0 Mon Nov 23 11:31:31 2026\n\n";
constexpr std::string_view kFinished = "\nFinished mdrun on rank 0 Mon Nov 23 11:31:32 2026\n";

std::string log_of(std::initializer_list<std::string_view> pieces) {
    std::string log = "                      :-) GROMACS - gmx mdrun, 2022.5-Debian_2022.5_2 (-:\n";
    for (const std::string_view piece : pieces) log += piece;
    return log;
}

TEST(LogSummary, OfARunThatReachedItsLastStep) {
    const RunSummary run = summarise_log(
        log_of({kStarted, "Writing checkpoint, step 500 at Mon Nov 23 11:31:32 2026\n\n", kFinished}));
    EXPECT_TRUE(run.finished);
    EXPECT_FALSE(run.told_to_stop);
    EXPECT_EQ(run.checkpoint_step, 500);
}

TEST(LogSummary, TheLastCheckpointCounts) {
    EXPECT_EQ(summarise_log(log_of({kStarted, "Writing checkpoint, step 500 at Mon\n",
                                    "Writing checkpoint, step 4294967400 at Mon\n", kFinished}))
                  .checkpoint_step,
              4294967400);
}

TEST(LogSummary, OfARunThatWasToldToStop) {
    for (const std::string_view signal : {"TERM", "INT"}) {
        const std::string received =
            "\n\nReceived the " + std::string(signal) + " signal, stopping within 100 steps\n\n";
        const RunSummary run =
            summarise_log(log_of({kStarted, received, "Writing checkpoint, step 40 at Mon\n", kFinished}));
        EXPECT_TRUE(run.finished);
        EXPECT_TRUE(run.told_to_stop) << signal;
    }
}

TEST(LogSummary, OfARunThatWasKilled) {
    const RunSummary run = summarise_log(log_of({kStarted, "Writing checkpoint, step 500 at Mon\n"}));
    EXPECT_FALSE(run.finished);
    EXPECT_EQ(run.checkpoint_step, 500);
}

TEST(LogSummary, OfARunThatNeverBegan) {
    for (const std::string& log :
         {std::string(), log_of({}), log_of({block("Fatal error:\nno", "gmx mdrun")})}) {
        const RunSummary run = summarise_log(log);
        EXPECT_FALSE(run.finished);
        EXPECT_FALSE(run.told_to_stop);
        EXPECT_FALSE(run.checkpoint_step);
    }
}

TEST(LogSummary, WithoutACheckpointOfItsOwn) {
    // A restart names the checkpoint that it reads; that is none that it wrote.
    const RunSummary run = summarise_log(
        log_of({"Reading checkpoint file md.part0001.cpt\n  step:      500\n", kStarted, kFinished}));
    EXPECT_TRUE(run.finished);
    EXPECT_FALSE(run.checkpoint_step);
}

TEST(LogSummary, OfAnAppendedLogOnlyTheLastRunCounts) {
    const std::string first = log_of({kStarted, "\nReceived the TERM signal, stopping within 100 steps\n",
                                      "Writing checkpoint, step 40 at Mon\n", kFinished});
    const RunSummary run = summarise_log(first + log_of({kStarted}));
    EXPECT_FALSE(run.finished);
    EXPECT_FALSE(run.told_to_stop);
    EXPECT_FALSE(run.checkpoint_step);
}

TEST(LogSummary, OfTheTailOfALog) {
    // What comes before is cut off: neither the start nor the beginning of a line has to be there.
    const RunSummary run =
        summarise_log("kpoint, step 3 at\nWriting checkpoint, step 500 at Mon\n\nFinished mdrun on rank 0\n");
    EXPECT_TRUE(run.finished);
    EXPECT_EQ(run.checkpoint_step, 500);
}

TEST(LogSummary, OfNumbersThatAreNone) {
    EXPECT_FALSE(summarise_log("Writing checkpoint, step ").checkpoint_step);
    EXPECT_FALSE(summarise_log("Writing checkpoint, step x").checkpoint_step);
    EXPECT_FALSE(summarise_log("Writing checkpoint, step 99999999999999999999").checkpoint_step);
}

}  // namespace
}  // namespace coromd::engine::gromacs
