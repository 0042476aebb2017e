// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/engine/gromacs/mdp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"

namespace coromd::engine::gromacs {
namespace {

using namespace std::string_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

Mdp mdp_of(std::string_view text) {
    return Mdp::parse(text, "md.mdp");
}

/// What the Error of an action says; fails the test where there is none or one of another kind.
std::string error_of(const std::function<void()>& action, ErrorKind kind = ErrorKind::input) {
    try {
        action();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), kind) << error.what();
        return error.what();
    }
    ADD_FAILURE() << "no error";
    return {};
}

std::string parse_error(std::string_view text) {
    return error_of([&] { mdp_of(text); });
}

/// Its lay-out is that of the mdout.mdp of grompp.
constexpr std::string_view kMdout =
    ";\n"
    ";\tFile 'mdout.mdp' was generated\n"
    ";\t             :-) GROMACS - gmx grompp, 2022.5 (-:\n"
    ";\t\n"
    "\n"
    "; e.g.: -DPOSRES -DFLEXIBLE (note these variable names are case sensitive)\n"
    "define                   = \n"
    "\n"
    "integrator               = md\n"
    "dt                       = 1.0e+00\n"
    "nsteps                   = 100\n"
    "init-step                = 0\n"
    "comm-grps                = \n"
    "tc-grps                  = Protein Non-Protein\n";

class MdpFile : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "mdp_XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        directory = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(directory); }

    std::filesystem::path directory;
};

// Reading

TEST(Mdp, ReadsKeysAndValues) {
    const Mdp mdp = mdp_of("integrator = md\n\tdt=0.002 ; ps\n  nsteps   =   500\n");
    EXPECT_EQ(mdp.text("integrator"), "md");
    EXPECT_EQ(mdp.real("dt"), 0.002);
    EXPECT_EQ(mdp.integer("nsteps"), 500);
    EXPECT_FALSE(mdp.contains("tinit"));
    EXPECT_EQ(mdp.text("tinit"), std::nullopt);
}

TEST(Mdp, FoldsCaseDashesAndUnderscoresOfKeys) {
    const Mdp mdp = mdp_of("NstXout_Compressed = 50\n");
    for (const char* key :
         {"nstxout-compressed", "nstxoutcompressed", "NSTXOUT_COMPRESSED", "n-s-t_xoutcompressed-"}) {
        EXPECT_EQ(mdp.integer(key), 50) << key;
    }
    EXPECT_FALSE(mdp.contains("nstxout"));
}

TEST(Mdp, FindsEachOfManyKeys) {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += fmt::format("pull-coord{}-k = {}\n", i, 2 * i);
    const Mdp mdp = mdp_of(text);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(mdp.integer(fmt::format("Pull_Coord{}_k", i)), 2 * i);
    EXPECT_EQ(mdp.items().size(), 1000U);
}

TEST(Mdp, SkipsCommentsAndLinesOfBlanks) {
    const Mdp mdp = mdp_of("; dt = 1\n   ; dt = 2\n\t;dt=3\n\n   \t \n \r\n\vdt\f=\v4\f;dt = 5\n");
    EXPECT_EQ(mdp.real("dt"), 4.0);
    EXPECT_EQ(mdp.items().size(), 1U);
}

TEST(Mdp, TakesTheOutputOfGrompp) {
    const Mdp mdp = mdp_of(kMdout);
    EXPECT_EQ(mdp.real("dt"), 1.0);
    EXPECT_EQ(mdp.integer("nsteps"), 100);
    EXPECT_THAT(mdp.words("tc-grps"), ElementsAre("Protein", "Non-Protein"));
    EXPECT_FALSE(mdp.contains("define"));
    EXPECT_EQ(mdp.text(), kMdout);
}

TEST(Mdp, TakesAnyLineEnd) {
    const Mdp crlf = mdp_of("integrator = md\r\ndefine = -DPOSRES\r\n\r\n; comment\r\nnsteps = 5");
    EXPECT_EQ(crlf.text("integrator"), "md");
    EXPECT_EQ(crlf.text("define"), "-DPOSRES");
    EXPECT_EQ(crlf.integer("nsteps"), 5);
    EXPECT_TRUE(mdp_of("").items().empty());
    EXPECT_TRUE(mdp_of("\r\n").items().empty());
}

TEST(Mdp, KeepsAValueInOnePiece) {
    const Mdp mdp = mdp_of(
        "a = a,b (c)\nb = A&B\nc = Protein_&_DNA\ndefine = -DA=3  -DB=\nd == x\ne = \"quoted # text\"\n");
    EXPECT_EQ(mdp.text("a"), "a,b (c)");
    EXPECT_EQ(mdp.text("b"), "A&B");
    EXPECT_EQ(mdp.text("c"), "Protein_&_DNA");
    EXPECT_EQ(mdp.text("define"), "-DA=3  -DB=");
    EXPECT_EQ(mdp.text("d"), "= x");
    EXPECT_EQ(mdp.text("e"), "\"quoted # text\"");
    EXPECT_THAT(mdp.words("a"), ElementsAre("a,b", "(c)"));
    EXPECT_THAT(mdp.words("define"), ElementsAre("-DA=3", "-DB="));
}

TEST(Mdp, EmptyRightHandSideIsNotGiven) {
    const Mdp mdp = mdp_of("dt =\nnsteps = ; later\ngen-vel=\ntc-grps=  \n");
    EXPECT_FALSE(mdp.contains("dt"));
    EXPECT_EQ(mdp.real("dt"), std::nullopt);
    EXPECT_EQ(mdp.integer("nsteps"), std::nullopt);
    EXPECT_EQ(mdp.boolean("gen-vel"), std::nullopt);
    EXPECT_THAT(mdp.words("tc-grps"), IsEmpty());
    EXPECT_THAT(mdp.items(), IsEmpty());
}

TEST(Mdp, EmptyRightHandSideMayRepeatAKey) {
    EXPECT_EQ(mdp_of("nsteps =\nnsteps = 5\n").integer("nsteps"), 5);
    EXPECT_EQ(mdp_of("nsteps = 5\nn_steps =\n").integer("nsteps"), 5);
    EXPECT_FALSE(mdp_of("nsteps =\nnsteps =\n").contains("nsteps"));
}

TEST(Mdp, ItemsAreInTheOrderOfTheFileAsWritten) {
    const Mdp mdp = mdp_of("nsteps = 5\nDT = 1\nempty =\nGen_Vel = no\n");
    std::string all;
    for (const auto& [key, value] : mdp.items()) all += fmt::format("{}={} ", key, value);
    EXPECT_EQ(all, "nsteps=5 DT=1 Gen_Vel=no ");
}

// Refusing

TEST(Mdp, RefusesARepeatedKeyNamingBothLines) {
    EXPECT_EQ(parse_error("nsteps = 1\n; x\nN_st-EPS = 2\n"),
              "md.mdp:3: 'N_st-EPS = 2' repeats line 1, 'nsteps = 1'");
    EXPECT_THAT(parse_error("b = 1\nz = 1\na = 1\nz = 1\na = 1\nb = 2"),
                StartsWith("md.mdp:4: 'z = 1' repeats line 2"));
    EXPECT_THAT(parse_error("a = 1\na =\nA = 1"), StartsWith("md.mdp:3: 'A = 1' repeats line 1"));
}

TEST(Mdp, RefusesALineWithoutEquals) {
    EXPECT_EQ(parse_error("dt = 1\nnsteps 100 ; = 5\n"), "md.mdp:2: there is no '=' in 'nsteps 100'");
    EXPECT_THAT(parse_error("#include \"other.mdp\"\n"), StartsWith("md.mdp:1: there is no '='"));
    EXPECT_THAT(parse_error("define = -DA \\\n -DB\n"), StartsWith("md.mdp:2: there is no '='"));
}

TEST(Mdp, RefusesALineOfFormFeedsAsGromppDoes) {
    EXPECT_EQ(parse_error("dt = 1\n \v\f \n"), "md.mdp:2: there is no '=' in '\\x0b\\x0c'");
}

TEST(Mdp, RefusesALineWithoutAKey) {
    EXPECT_EQ(parse_error(" = 3\n"), "md.mdp:1: there is no key before the '=' in '= 3'");
    EXPECT_THAT(parse_error("dt = 1\r\n\t=\t;x\r\n"), StartsWith("md.mdp:2: there is no key"));
}

TEST(Mdp, RefusesNulBytesOutsideOfComments) {
    EXPECT_EQ(parse_error("dt = 1\nnsteps = 1\0"
                          "00\n"s),
              "md.mdp:2: there is a NUL byte in 'nsteps = 1\\x0000'");
    EXPECT_THAT(parse_error("n\0s\0t\0"s), HasSubstr("NUL"));
    EXPECT_EQ(mdp_of("; \0\ndt = 1 ; \0\n"s).real("dt"), 1.0);
}

TEST(Mdp, RefusesAByteOrderMark) {
    EXPECT_THAT(parse_error("\xef\xbb\xbf"
                            "dt = 1\n"),
                HasSubstr("byte-order mark"));
}

TEST(Mdp, RefusesATextAboveTheLimit) {
    std::string text(Mdp::kSizeLimit, ';');
    EXPECT_EQ(mdp_of(text).items().size(), 0U);
    text += ';';
    EXPECT_THAT(parse_error(text), HasSubstr("too many"));
}

TEST(Mdp, RefusesMoreKeysThanTheLimit) {
    std::string text;
    for (std::size_t i = 0; i < Mdp::kKeyLimit; ++i) text += "a=\n";
    EXPECT_FALSE(mdp_of(text).contains("a"));
    EXPECT_THAT(parse_error(text + "a=\n"),
                StartsWith(fmt::format("md.mdp:{}: more than", Mdp::kKeyLimit + 1)));
}

TEST(Mdp, TakesHugeLinesAndShowsLittleOfThem) {
    const std::string huge(1 << 20, 'x');
    EXPECT_EQ(mdp_of("define = " + huge + "\n").text("define"), huge);
    const std::string error = parse_error(huge + "\x1b[2J\n");
    EXPECT_LT(error.size(), 200U);
    EXPECT_THAT(parse_error("\x1b[2J\xe9\n"), HasSubstr("\\x1b[2J\\xe9"));
}

// Typed values

TEST(Mdp, ReadsIntegers) {
    const auto integer = [](std::string_view value) {
        return mdp_of(fmt::format("k = {}\n", value)).integer("k");
    };
    EXPECT_EQ(integer("-1"), -1);
    EXPECT_EQ(integer("+5"), 5);
    EXPECT_EQ(integer("010"), 10);
    EXPECT_EQ(integer("9223372036854775807"), INT64_MAX);
    for (const char* value : {"1.0e2", "1e2", "100.0", "0x10", "- 1", "+-1", "+", "5 6", "five"}) {
        EXPECT_EQ(error_of([&] { integer(value); }),
                  fmt::format("md.mdp:1: k = '{}' is not an integer", value));
    }
    EXPECT_THAT(error_of([&] { integer("9223372036854775808"); }), HasSubstr("does not fit"));
}

TEST(Mdp, ReadsReals) {
    const auto real = [](std::string_view value) { return mdp_of(fmt::format("k = {}\n", value)).real("k"); };
    EXPECT_EQ(real("1.0e+00"), 1.0);
    EXPECT_EQ(real("1."), 1.0);
    EXPECT_EQ(real(".5E-2"), 0.005);
    EXPECT_EQ(real("+1"), 1.0);
    EXPECT_EQ(real("-300"), -300.0);
    EXPECT_EQ(real("0x1p-9"), 0.001953125);
    EXPECT_EQ(real("-0X10"), -16.0);
    for (const char* value : {"1d0", "1,0", "1 2", "1e-3x", "1.0f", "--1", "-+1", "+-1", "0x", "0x-1", "-",
                              "inf", "nan", "1e400"}) {
        EXPECT_THAT(error_of([&] { real(value); }),
                    StartsWith(fmt::format("md.mdp:1: k = '{}' is not a finite real number", value)));
    }
}

TEST(Mdp, ReadsBooleans) {
    const auto boolean = [](std::string_view value) {
        return mdp_of(fmt::format("k = {}\n", value)).boolean("k");
    };
    for (const char* value : {"yes", "YES", "y-es", "true", "True", "1"})
        EXPECT_EQ(boolean(value), true) << value;
    for (const char* value : {"no", "No", "false", "0"}) EXPECT_EQ(boolean(value), false) << value;
    for (const char* value : {"on", "off", "y", "none", "yes no"}) {
        EXPECT_EQ(error_of([&] { boolean(value); }),
                  fmt::format("md.mdp:1: k = '{}' is neither yes nor no", value));
    }
}

// Changing

TEST(Mdp, WithoutAChangeTheTextIsTheSame) {
    const std::string text = "\n ; a\r\nDT=1;b\n\n define =\t\n\tnst_eps  = 5   \n;no end";
    Mdp mdp = mdp_of(text);
    EXPECT_EQ(mdp.text(), text);
    mdp.set("n-steps", 5);
    mdp.set("dt", "1");
    mdp.set("define", "");
    mdp.set("unknown", " ");
    EXPECT_FALSE(mdp.remove("define"));
    EXPECT_EQ(mdp.text(), text);
    EXPECT_FALSE(mdp.changed());
}

TEST(Mdp, AChangeTouchesOnlyItsValue) {
    Mdp mdp = mdp_of("; head\r\n  Nst_eps=100   ; as long as it takes\r\ndt =  0.002\r\n");
    mdp.set("nsteps", std::int64_t{250000});
    EXPECT_EQ(mdp.text(), "; head\r\n  Nst_eps=250000   ; as long as it takes\r\ndt =  0.002\r\n");
    EXPECT_EQ(mdp.integer("nsteps"), 250000);
    EXPECT_EQ(mdp.real("dt"), 0.002);
    EXPECT_TRUE(mdp.changed());
    mdp.set("dt", 0.0005);
    EXPECT_EQ(mdp.text(), "; head\r\n  Nst_eps=250000   ; as long as it takes\r\ndt =  0.0005\r\n");
}

TEST(Mdp, AnEmptyValueIsFilledInItsLine) {
    Mdp mdp = mdp_of("define =\ntc-grps=; groups\ntau-t =   ; ps\n");
    mdp.set("define", "-DPOSRES");
    mdp.set("tc-grps", "System");
    mdp.set("tau-t", 0.5);
    EXPECT_EQ(mdp.text(), "define = -DPOSRES\ntc-grps= System; groups\ntau-t = 0.5   ; ps\n");
    EXPECT_EQ(mdp.text("tc-grps"), "System");
}

TEST(Mdp, SettingChangesTheLineThatHasTheValue) {
    Mdp mdp = mdp_of("nsteps =\nnsteps = 5\nnsteps =\n");
    mdp.set("nsteps", 6);
    EXPECT_EQ(mdp.text(), "nsteps =\nnsteps = 6\nnsteps =\n");
}

TEST(Mdp, NewKeysAreAppended) {
    Mdp mdp = mdp_of("dt = 1\r\nnsteps = 5");
    mdp.set("gen_vel", true);
    mdp.set("ld-seed", -1);
    EXPECT_EQ(mdp.text(),
              "dt = 1\r\nnsteps = 5\r\ngen_vel                  = yes\r\nld-seed                  = -1\r\n");
    Mdp empty;
    empty.set("dt", 1.0);
    EXPECT_EQ(empty.text(), "dt                       = 1\n");
}

TEST(Mdp, SetsValuesOfEveryType) {
    Mdp mdp;
    mdp.set("text", "a,b (c) = d");
    mdp.set("words", std::vector<std::string>{"Protein", "SOL"});
    mdp.set("integer", INT64_MIN);
    mdp.set("unsigned", std::uint64_t{7});
    mdp.set("real", 0.1 + 0.2);
    mdp.set("bool", false);
    EXPECT_EQ(mdp.text("text"), "a,b (c) = d");
    EXPECT_THAT(mdp.words("words"), ElementsAre("Protein", "SOL"));
    EXPECT_EQ(mdp.integer("integer"), INT64_MIN);
    EXPECT_EQ(mdp.integer("unsigned"), 7);
    EXPECT_EQ(mdp.real("real"), 0.1 + 0.2);
    EXPECT_EQ(mdp.boolean("bool"), false);
}

TEST(Mdp, AValueOfItsOwnCanBeSet) {
    Mdp mdp = mdp_of("a = something long enough\nb = 1\n");
    mdp.set("b", mdp.items().front().value);
    EXPECT_EQ(mdp.text("b"), "something long enough");
}

TEST(Mdp, RefusesToSetWhatWouldNotReadBack) {
    Mdp mdp = mdp_of("dt = 1\n");
    const auto refuses = [&](std::string_view key, std::string_view value) {
        EXPECT_THAT(error_of([&] { mdp.set(key, value); }, ErrorKind::usage), HasSubstr("cannot be"))
            << key << " = " << value;
    };
    for (const char* key : {"", " ", "-_", "a=b", "a;b", "a b", "a\nb",
                            "\xef\xbb\xbf"
                            "dt"})
        refuses(key, "1");
    refuses("k\0"s, "1");
    for (const char* value : {"1\nnsteps = 5", "1;2", "1\r2", "\x7f"}) refuses("k", value);
    refuses("k", "1\0"s);
    refuses("dt", "2\nnsteps = 5");
    EXPECT_THROW(mdp.set("dt", std::numeric_limits<double>::infinity()), Error);
    EXPECT_THROW(mdp.set("k", std::vector<std::string>{"a b"}), Error);
    EXPECT_THROW(mdp.set("k", std::vector<std::string>{"a", ""}), Error);
    EXPECT_EQ(mdp.text(), "dt = 1\n");
    EXPECT_FALSE(mdp.changed());
}

TEST(Mdp, AChangeAboveTheLimitLeavesTheFileAsItWas) {
    const std::string text = "a = 1\n" + std::string(Mdp::kSizeLimit - 6, ';');
    Mdp mdp = mdp_of(text);
    EXPECT_THROW(mdp.set("a", 12), Error);
    EXPECT_EQ(mdp.text(), text);
    EXPECT_FALSE(mdp.changed());
}

TEST(Mdp, RemoveTakesTheLineOut) {
    Mdp mdp = mdp_of("; head\ndt = 1 ; ps\n; tail\nN-steps = 5");
    EXPECT_TRUE(mdp.remove("nsteps"));
    EXPECT_TRUE(mdp.remove("DT"));
    EXPECT_FALSE(mdp.remove("DT"));
    EXPECT_EQ(mdp.text(), "; head\n; tail\n");
    EXPECT_TRUE(mdp.changed());
}

TEST(Mdp, CopiesAreIndependent) {
    Mdp original = mdp_of("dt = 1\n");
    Mdp copy = original;
    copy.set("dt", 2);
    original.set("d-t", 123456);
    EXPECT_EQ(copy.text(), "dt = 2\n");
    const Mdp moved = std::move(original);
    EXPECT_EQ(moved.integer("dt"), 123456);
}

TEST(Mdp, LocatesAKeyAlsoAfterAChange) {
    Mdp mdp = mdp_of("a = 1\nb = 1\n");
    EXPECT_EQ(mdp.location("b"), "md.mdp:2");
    EXPECT_EQ(mdp.location("c"), "md.mdp");
    mdp.remove("a");
    EXPECT_EQ(mdp.location("b"), "md.mdp:1");
}

// Files

TEST_F(MdpFile, IsReadAndWritten) {
    const auto path = directory / "md.mdp";
    Mdp mdp = mdp_of(kMdout);
    mdp.write(path);
    EXPECT_EQ(read_text_file(path), kMdout);
    const Mdp again = Mdp::read(path);
    EXPECT_EQ(again.name(), path.string());
    EXPECT_EQ(again.fingerprint(), mdp.fingerprint());
}

TEST_F(MdpFile, IsOverwrittenOnlyOnRequest) {
    const auto path = directory / "md.mdp";
    mdp_of("dt = 1\n").write(path);
    EXPECT_THAT(error_of([&] { mdp_of("dt = 2\n").write(path); }, ErrorKind::usage),
                HasSubstr(path.string()));
    EXPECT_EQ(read_text_file(path), "dt = 1\n");
    mdp_of("dt = 2\n").write(path, true);
    EXPECT_EQ(read_text_file(path), "dt = 2\n");

    const auto dangling = directory / "dangling.mdp";
    std::filesystem::create_symlink(directory / "nowhere", dangling);
    EXPECT_THROW(mdp_of("dt = 2\n").write(dangling), Error);
}

TEST_F(MdpFile, ErrorsNameTheFile) {
    const auto path = directory / "bad.mdp";
    EXPECT_THAT(error_of([&] { Mdp::read(path); }, ErrorKind::system), HasSubstr(path.string()));
    write_file_durably(path, "dt = 1\nbad\n");
    EXPECT_THAT(error_of([&] { Mdp::read(path); }), StartsWith(path.string() + ":2: "));
}

// Comparing

TEST(Mdp, FingerprintIsOfTheContent) {
    const Fingerprint fingerprint = mdp_of("dt = 1\nnst-eps = 5\n").fingerprint();
    EXPECT_EQ(mdp_of("; comment\nNsteps=5\r\n\r\ndefine =\nDT =   1 ; ps").fingerprint(), fingerprint);
    EXPECT_NE(mdp_of("dt = 1\nnsteps = 6\n").fingerprint(), fingerprint);
    EXPECT_NE(mdp_of("dt = 1\n").fingerprint(), fingerprint);
    EXPECT_NE(mdp_of("dt = 1\nnsteps2 = 5\n").fingerprint(), fingerprint);
    EXPECT_EQ(mdp_of("define =\n").fingerprint(), Mdp().fingerprint());
}

TEST(Mdp, DifferencesAreReported) {
    const Mdp a = mdp_of("dt = 1\nnstxout-compressed = 50\ndefine = -DPOSRES\ntinit = ; 0\n");
    const Mdp b = mdp_of("; other\nNstXout_compressed = 100\nDT=1\ndefine =\ngen-vel = yes\n");
    EXPECT_THAT(differences(a, b), ElementsAre("nstxout-compressed: 50 -> 100",
                                               "define: -DPOSRES -> (default)", "gen-vel: (default) -> yes"));
    EXPECT_THAT(differences(a, a), IsEmpty());
}

// Output intervals

TEST(Nstout, OfXtc) {
    EXPECT_EQ(nstout(mdp_of("nstxout-compressed = 50\nnstxout = 7\n"), OutputFormat::xtc), 50);
    EXPECT_EQ(nstout(mdp_of("nstxtcout = 20\nnstxout-compressed =\n"), OutputFormat::xtc), 20);
    EXPECT_THAT(
        error_of([] { nstout(mdp_of("nstxtcout = 20\nnstxout_compressed = 20\n"), OutputFormat::xtc); }),
        AllOf(StartsWith("md.mdp:1: "), HasSubstr("both")));
}

TEST(Nstout, OfTrr) {
    EXPECT_EQ(nstout(mdp_of("nstxout = 100\nnstxout-compressed = 7\n"), OutputFormat::trr), 100);
    EXPECT_EQ(nstout(mdp_of("nstxout = 100\nnstvout = 100\nnstfout = 300\n"), OutputFormat::trr), 100);
    for (const char* key : {"nstvout", "nstfout"}) {
        const std::string text = fmt::format("nstxout = 100\n{} = 50\n", key);
        EXPECT_THAT(error_of([&] { nstout(mdp_of(text), OutputFormat::trr); }),
                    AllOf(StartsWith("md.mdp:2: "), HasSubstr(key), HasSubstr("without positions")));
    }
}

TEST(Nstout, SaysWhatToSetWhereNothingIsWritten) {
    for (const char* text : {"", "nstxout-compressed = 0\nnstvout = 5\n", "nstxtcout = 0\nnstxout = 0\n"}) {
        EXPECT_EQ(error_of([&] { nstout(mdp_of(text), OutputFormat::xtc); }),
                  "md.mdp: the mdp writes no xtc output: set nstxout-compressed");
        EXPECT_EQ(error_of([&] { nstout(mdp_of(text), OutputFormat::trr); }),
                  "md.mdp: the mdp writes no trr output: set nstxout");
    }
}

TEST(Nstout, RefusesWhatGromacsWouldTakeForAnotherNumber) {
    for (const char* value : {"-5", "2147483648", "4294967296"}) {
        const std::string text = fmt::format("; x\nnstxout-compressed = {}\n", value);
        EXPECT_THAT(error_of([&] { nstout(mdp_of(text), OutputFormat::xtc); }),
                    AllOf(StartsWith("md.mdp:2: "), HasSubstr(value)));
    }
}

}  // namespace
}  // namespace coromd::engine::gromacs
