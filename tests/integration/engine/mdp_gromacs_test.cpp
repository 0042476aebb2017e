// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Holds Mdp against the real grompp: the same odd files go to both, and both must take or refuse
// them. grompp is asked on two argon atoms; what it takes it also writes to mdout.mdp, whose values
// must be those that Mdp found.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/engine/gromacs/mdp.hpp"
#include "integration/engine/alanine.hpp"

namespace coromd::engine::gromacs {
namespace {

using namespace std::string_literals;

constexpr std::string_view kBase =
    "integrator = md\nnsteps = 100\ncutoff-scheme = Verlet\nrlist = 1.0\nrcoulomb = 1.0\nrvdw = 1.0\n";

constexpr std::string_view kTopology =
    "[ defaults ]\n1 2 no 1.0 1.0\n"
    "[ atomtypes ]\nAR 18 39.948 0 A 0.3405 0.996\n"
    "[ moleculetype ]\nAR 1\n"
    "[ atoms ]\n1 AR 1 AR AR 1 0 39.948\n"
    "[ system ]\nargon\n"
    "[ molecules ]\nAR 2\n";

constexpr std::string_view kStructure =
    "argon\n    2\n"
    "    1AR      AR    1   1.000   1.000   1.000\n"
    "    2AR      AR    2   1.500   1.000   1.000\n"
    "   4.00000   4.00000   4.00000\n";

struct OddFile {
    std::string name;  // of the test
    std::string text;
    bool taken;  // by grompp and by us
};

std::ostream& operator<<(std::ostream& out, const OddFile& file) {
    return out << file.name;
}

std::string after_base(std::string_view more) {
    return std::string(kBase).append(more);
}

std::string with_line_end(std::string_view line_end) {
    std::string text;
    for (const char c : kBase) text += c == '\n' ? std::string(line_end) : std::string(1, c);
    return text;
}

const std::vector<OddFile>& odd_files() {
    static const std::vector<OddFile> kFiles = {
        {"Empty", "", true},
        {"OneNewline", "\n", true},
        {"Plain", after_base(""), true},
        {"IndentedComments", after_base("   ; dt = 3\n\t; x\n"), true},
        {"LinesOfBlanks", after_base("   \t \n\n \r\n"), true},
        {"LineOfAVerticalTab", after_base("\v\n"), false},
        {"LineOfAFormFeed", after_base(" \f\n"), false},
        {"CommentOfAMillionBytes", after_base(";" + std::string(1000000, 'x') + "\n"), true},
        {"ValueThenComment", after_base("dt = 0.002;x = 4\n"), true},
        {"OnlyACommentAsValue", after_base("dt = ; 0.002\n"), true},
        {"EqualsInAComment", after_base("dt ; = 0.002\n"), false},
        {"EmptyRightHandSide", after_base("define =\n"), true},
        {"UnknownKeyWithoutValue", after_base("no-such-key =\n"), true},
        {"KeyOfDashesWithoutValue", after_base("- = \n"), true},
        {"OldName", after_base("nstxtcout = 50\n"), true},
        {"OtherSpellingOfAKey", after_base("Nst_XOUT-compressed = 50\n"), true},
        {"EqualsInTheValue", after_base("include = -I/tmp/a=b\n"), true},
        {"BlanksInsideTheValue", after_base("energygrps = System\nuser1-grps =   System\t\n"), true},
        {"VerticalTabsAndFormFeeds", after_base("\vdt\f=\v0.002\f\n"), true},
        {"NoNewlineAtTheEnd", after_base("dt = 0.002"), true},
        {"CarriageReturnNewline", with_line_end("\r\n"), true},
        {"CarriageReturnOnly", with_line_end("\r") + "\n", false},
        {"CarriageReturnInAReal", after_base("dt = 0.002\rtinit = 3\n"), false},
        {"NulInAComment", after_base("; a\0b\ndt = 0.002 ; \0\n"s), true},
        {"Utf8Comment", after_base("; \xc2\xb5s\n"), true},
        {"NoBreakSpace", after_base("dt = 0.002\xc2\xa0\n"), false},

        {"KeyTwice", after_base("nsteps = 5\n"), false},
        {"KeyTwiceWithTheSameValue", after_base("nsteps = 100\n"), false},
        {"KeyTwiceAfterFolding", after_base("N_st-EPS = 5\n"), false},
        {"KeyAgainButEmpty", after_base("nsteps =\n"), true},
        {"KeyBeforeButEmpty", "nsteps =\n" + after_base(""), true},
        {"KeyTwiceEmpty", after_base("define =\ndefine =\n"), true},
        {"NoEquals", after_base("dt 0.002\n"), false},
        {"NoKey", after_base(" = 3\n"), false},
        {"OnlyEquals", after_base("  =  \n"), false},
        {"Include", after_base("#include \"x.mdp\"\n"), false},
        {"HashComment", after_base("# x\n"), false},
        {"ContinuationLine", after_base("define = \\\n -DB\n"), false},
        {"ControlZ", after_base("\x1a"), false},
        {"ByteOrderMark", "\xef\xbb\xbf" + after_base(""), false},
        {"ByteOrderMarkBeforeComment", "\xef\xbb\xbf; x\n" + after_base(""), false},
        {"NulInAKey", after_base("d\0t = 0.002\n"s), false},

        {"RealWithExponent", after_base("dt = 1.0e+00\n"), true},
        {"RealWithoutFraction", after_base("dt = 1.\n"), true},
        {"RealWithoutInteger", after_base("dt = .5e-2\n"), true},
        {"RealWithPlus", after_base("dt = +1\n"), true},
        {"RealHexadecimal", after_base("dt = 0x1p-9\n"), true},
        {"RealOfFortran", after_base("dt = 1d0\n"), false},
        {"RealWithComma", after_base("dt = 1,0\n"), false},
        {"RealWithLetter", after_base("dt = 1e-3x\n"), false},
        {"RealTwice", after_base("dt = 1 2\n"), false},
        {"IntegerWithPlus", after_base("nstlist = +10\n"), true},
        {"IntegerWithZero", after_base("nstlist = 010\n"), true},
        {"IntegerWithExponent", after_base("nstlist = 1e1\n"), false},
        {"IntegerWithPoint", after_base("nstlist = 10.0\n"), false},
        {"IntegerHexadecimal", after_base("nstlist = 0x10\n"), false},
        {"IntegerWithLooseSign", after_base("nstlist = - 1\n"), false},
        {"BooleanYes", after_base("continuation = yes\n"), true},
        {"BooleanCase", after_base("continuation = YES\n"), true},
        {"BooleanDash", after_base("continuation = y-es\n"), true},
        {"BooleanOn", after_base("continuation = on\n"), false},
        {"BooleanOff", after_base("continuation = off\n"), false},
        {"BooleanLetter", after_base("continuation = y\n"), false},
        {"BooleanTrue", after_base("qmmm-cp2k-active = false\n"), true},
        {"BooleanNumber", after_base("qmmm-cp2k-active = 0\n"), true},
        {"BooleanOfOtherKindOn", after_base("qmmm-cp2k-active = off\n"), false},
    };
    return kFiles;
}

class WithGrompp : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(test::gmx_runs()) << "there is no " << test::gmx();
        std::string pattern = testing::TempDir() + "mdp_grompp_XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
        write_file_durably(directory_ / "topol.top", kTopology);
        write_file_durably(directory_ / "conf.gro", kStructure);
    }
    void TearDown() override {
        if (!directory_.empty()) std::filesystem::remove_all(directory_);
    }

    bool grompp_takes(std::string_view text) const {
        write_file_durably(directory_ / "in.mdp", text);
        const std::string command =
            "cd '" + directory_.string() + "' && timeout 120 " + test::gmx() +
            " -nobackup grompp -f in.mdp -c conf.gro -p topol.top -o out.tpr -po mdout.mdp >grompp.log 2>&1";
        return std::system(command.c_str()) == 0;
    }
    std::string grompp_log() const { return read_tail(directory_ / "grompp.log", 4000); }

    std::filesystem::path directory_;
};

/// Reads a file with the types that grompp knows its keys by.
void read_typed(std::string_view text) {
    const Mdp mdp = Mdp::parse(text, "in.mdp");
    for (const char* key : {"nsteps", "nstlist", "nstxout-compressed"}) mdp.integer(key);
    for (const char* key : {"dt", "tinit", "rlist", "rvdw", "rcoulomb"}) mdp.real(key);
    for (const char* key : {"continuation", "gen-vel", "qmmm-cp2k-active"}) mdp.boolean(key);
    // The only name of an integrator that these files use.
    if (mdp.text("integrator").value_or("md") != "md") fail(ErrorKind::input, "no such integrator");
}

class MdpAndGrompp : public WithGrompp, public testing::WithParamInterface<OddFile> {};

TEST_P(MdpAndGrompp, Agree) {
    const OddFile& file = GetParam();
    EXPECT_EQ(grompp_takes(file.text), file.taken) << grompp_log();
    if (!file.taken) {
        EXPECT_THROW(read_typed(file.text), Error);
        return;
    }
    ASSERT_NO_THROW(read_typed(file.text));
    const Mdp ours = Mdp::parse(file.text, "in.mdp");
    const Mdp theirs = Mdp::read(directory_ / "mdout.mdp");
    for (const auto& [key, value] : ours.items()) {
        if (key == "nstxtcout") {
            EXPECT_EQ(nstout(ours, OutputFormat::xtc), nstout(theirs, OutputFormat::xtc));
        } else if (key == "qmmm-cp2k-active") {
            EXPECT_EQ(ours.boolean(key), theirs.boolean(key));
        } else {
            EXPECT_EQ(theirs.text(key), value) << key;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(OddFiles, MdpAndGrompp, testing::ValuesIn(odd_files()),
                         [](const auto& info) { return info.param.name; });

using MdpRoundTrip = WithGrompp;

TEST_F(MdpRoundTrip, GromppTakesItsOutputAsChangedByUs) {
    ASSERT_TRUE(grompp_takes(kBase)) << grompp_log();
    Mdp mdp = Mdp::read(directory_ / "mdout.mdp");
    mdp.set("nsteps", 12345);
    mdp.set("comm-grps", std::vector<std::string>{"System"});
    mdp.set("continuation", true);
    mdp.remove("nstlog");
    ASSERT_TRUE(grompp_takes(mdp.text())) << grompp_log();
    const Mdp again = Mdp::read(directory_ / "mdout.mdp");
    EXPECT_EQ(again.integer("nsteps"), 12345);
    EXPECT_EQ(again.text("comm-grps"), "System");
    EXPECT_EQ(again.boolean("continuation"), true);
    EXPECT_TRUE(again.contains("nstlog"));
}

}  // namespace
}  // namespace coromd::engine::gromacs
