// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/core/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "coromd/core/file.hpp"
#include "fixtures.hpp"

namespace coromd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Origin here(int line, int column = 9, std::string file = "campaign.toml") {
    return {std::move(file), line, column};
}

Setting at_line(int line, Setting::Value value) {
    return Setting(std::move(value), here(line));
}

Setting table_at(int line, Setting::Table table) {
    return Setting(std::move(table), here(line, 1));
}

/// The message of the usage Error that `action` throws.
template <typename Action>
std::string refusal(Action&& action) {
    const Error error = error_of(action);
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.message();
}

class SettingsReaderTest : public testing::Test {
protected:
    Setting walkers_ = table_at(
        10, {
                {"count", at_line(12, std::string("many"))},
                {"max_step", at_line(13, std::int64_t{-5})},
                {"kappa", at_line(14, 2.5)},
                {"live", at_line(15, true)},
                {"names",
                 at_line(16, Setting::Array{at_line(16, std::string("a")), at_line(17, std::string("b"))})},
                {"mixed",
                 at_line(18, Setting::Array{at_line(18, std::string("a")), at_line(19, std::int64_t{1})})},
                {"inner", table_at(20, {{"x", at_line(21, std::int64_t{1})}})},
            });
    SettingsReader reader_{walkers_, "walkers"};
};

TEST(OriginTest, HasTheFormOfACompilersMessage) {
    EXPECT_EQ(here(12, 3).text(), "campaign.toml:12:3");
    EXPECT_EQ(here(12, 0).text(), "campaign.toml:12");
    EXPECT_EQ((Origin{"default", 0, 0}).text(), "default");
    EXPECT_EQ(Origin().text(), "");
}

TEST(SettingTest, KnowsItsType) {
    EXPECT_EQ(Setting(true, {}).type_name(), "a boolean");
    EXPECT_EQ(Setting(std::int64_t{1}, {}).type_name(), "an integer");
    EXPECT_EQ(Setting(1.0, {}).type_name(), "a number");
    EXPECT_EQ(Setting("text", {}).type_name(), "a string");
    EXPECT_EQ(Setting(Setting::Array{}, {}).type_name(), "an array");
    EXPECT_EQ(Setting().type_name(), "a table");
    EXPECT_EQ(refusal([] { at_line(3, true).table(); }),
              "campaign.toml:3:9: a table is expected here, not a boolean");
}

TEST(SettingTest, OverlayMergesTablesKeyByKey) {
    Setting base = Setting(
        Setting::Table{
            {"kept", Setting(std::int64_t{1}, {"default"})},
            {"replaced", Setting(std::int64_t{2}, {"default"})},
            {"inner", Setting(Setting::Table{{"deep", Setting(std::int64_t{3}, {"default"})}}, {"default"})}},
        {"default"});
    const Setting higher = table_at(1, {{"replaced", at_line(2, std::int64_t{20})},
                                        {"new", at_line(3, true)},
                                        {"inner", table_at(4, {{"other", at_line(5, std::int64_t{4})}})}});
    base.overlay(higher);

    SettingsReader reader(base, "");
    EXPECT_THAT(reader.keys(), ElementsAre("inner", "kept", "new", "replaced"));
    EXPECT_EQ(reader.integer("kept"), 1);
    EXPECT_EQ(reader.raw("kept").origin().text(), "default");
    EXPECT_EQ(reader.integer("replaced"), 20);
    EXPECT_EQ(reader.raw("replaced").origin().text(), "campaign.toml:2:9");
    SettingsReader inner = reader.table("inner");
    EXPECT_EQ(inner.integer("deep"), 3);
    EXPECT_EQ(inner.integer("other"), 4);
    EXPECT_EQ(inner.origin().text(), "campaign.toml:4:1");
}

TEST(SettingTest, OverlayReplacesWhatIsNoTable) {
    Setting array = at_line(1, Setting::Array{at_line(1, true), at_line(1, true)});
    array.overlay(at_line(2, Setting::Array{at_line(2, false)}));
    EXPECT_EQ(std::get<Setting::Array>(array.value()).size(), 1u);

    Setting table = table_at(1, {{"x", at_line(1, true)}});
    table.overlay(at_line(2, std::int64_t{1}));
    EXPECT_EQ(table.type_name(), "an integer");
}

TEST(SettingTest, OverlayWithAPartOfItself) {
    Setting table = table_at(1, {{"x", at_line(2, std::string("a string too long to be stored in place"))}});
    table.overlay(table.table().at("x"));
    EXPECT_EQ(std::get<std::string>(table.value()), "a string too long to be stored in place");
    table.overlay(table);
    EXPECT_EQ(table.origin().line, 2);
}

TEST(SettingTest, OverlayWithNothingKeepsTheOrigin) {
    Setting table = table_at(1, {});
    table.overlay(Setting());
    EXPECT_EQ(table.origin().text(), "campaign.toml:1:1");
}

TEST_F(SettingsReaderTest, ReadsEachType) {
    EXPECT_EQ(reader_.string("count"), "many");
    EXPECT_EQ(reader_.integer("max_step"), -5);
    EXPECT_EQ(reader_.number("kappa"), 2.5);
    EXPECT_EQ(reader_.number("max_step"), -5.0);
    EXPECT_TRUE(reader_.boolean("live", false));
    EXPECT_THAT(reader_.strings("names"), ElementsAre("a", "b"));
    EXPECT_EQ(reader_.table("inner").integer("x"), 1);
    EXPECT_EQ(&reader_.raw("kappa"), &walkers_.table().at("kappa"));
}

TEST_F(SettingsReaderTest, FallsBackOnlyWhereTheKeyIsMissing) {
    EXPECT_EQ(reader_.string("none", "text"), "text");
    EXPECT_EQ(reader_.string("count", "text"), "many");
    EXPECT_EQ(reader_.integer("none", 3), 3);
    EXPECT_EQ(reader_.integer("max_step", 3), -5);
    EXPECT_EQ(reader_.integer_from("none", 1, 8), 8);
    EXPECT_EQ(reader_.number("none", 0.5), 0.5);
    EXPECT_EQ(reader_.number("kappa", 0.5), 2.5);
    EXPECT_TRUE(reader_.boolean("none", true));
    EXPECT_THAT(reader_.strings("none", {"z"}), ElementsAre("z"));
    EXPECT_EQ(reader_.duration("none", 5s), 5s);
}

TEST_F(SettingsReaderTest, WrongTypesAreRefusedWhereTheyAreWritten) {
    EXPECT_EQ(refusal([&] { reader_.integer("count"); }),
              "campaign.toml:12:9: 'walkers.count' must be an integer, not a string");
    EXPECT_EQ(refusal([&] { reader_.integer("count", 1); }),
              "campaign.toml:12:9: 'walkers.count' must be an integer, not a string");
    EXPECT_EQ(refusal([&] { reader_.integer("kappa"); }),
              "campaign.toml:14:9: 'walkers.kappa' must be an integer, not a number");
    EXPECT_EQ(refusal([&] { reader_.number("live"); }),
              "campaign.toml:15:9: 'walkers.live' must be a number, not a boolean");
    EXPECT_EQ(refusal([&] { reader_.string("inner"); }),
              "campaign.toml:20:1: 'walkers.inner' must be a string, not a table");
    EXPECT_EQ(refusal([&] { reader_.string("max_step", "x"); }),
              "campaign.toml:13:9: 'walkers.max_step' must be a string, not an integer");
    EXPECT_EQ(refusal([&] { reader_.boolean("count", true); }),
              "campaign.toml:12:9: 'walkers.count' must be true or false, not a string");
    EXPECT_EQ(refusal([&] { reader_.strings("count"); }),
              "campaign.toml:12:9: 'walkers.count' must be an array of strings, not a string");
    EXPECT_EQ(refusal([&] { reader_.strings("mixed"); }),
              "campaign.toml:19:9: 'walkers.mixed[1]' must be a string, not an integer");
    EXPECT_EQ(refusal([&] { reader_.table("kappa"); }),
              "campaign.toml:14:9: 'walkers.kappa' must be a table, not a number");
    EXPECT_EQ(refusal([&] { reader_.path("live"); }),
              "campaign.toml:15:9: 'walkers.live' must be a path, not a boolean");
}

TEST_F(SettingsReaderTest, MissingKeysAreReportedAtTheTable) {
    EXPECT_EQ(refusal([&] { reader_.integer("seed"); }),
              "campaign.toml:10:1: 'walkers.seed' is missing: it must be an integer");
    EXPECT_EQ(refusal([&] { reader_.integer_from("seed", 0); }),
              "campaign.toml:10:1: 'walkers.seed' is missing: it must be an integer");
    EXPECT_EQ(refusal([&] { reader_.path("mdp"); }),
              "campaign.toml:10:1: 'walkers.mdp' is missing: it must be a path");
    EXPECT_THAT(refusal([&] { reader_.duration("every"); }),
                StartsWith("campaign.toml:10:1: 'walkers.every' is missing: it must be a positive duration"));
    EXPECT_EQ(refusal([&] { reader_.raw("x"); }),
              "campaign.toml:10:1: 'walkers.x' is missing: it must be a value");
}

TEST_F(SettingsReaderTest, IntegersHaveAMinimum) {
    EXPECT_EQ(reader_.integer_from("max_step", -5), -5);
    EXPECT_EQ(refusal([&] { reader_.integer_from("max_step", 1); }),
              "campaign.toml:13:9: 'walkers.max_step' must be at least 1, not -5");
    EXPECT_EQ(refusal([&] { reader_.integer_from("max_step", 1, 3); }),
              "campaign.toml:13:9: 'walkers.max_step' must be at least 1, not -5");
}

TEST_F(SettingsReaderTest, NumbersAreFinite) {
    const Setting table = table_at(
        1, {{"a", at_line(2, kInfinity)}, {"b", at_line(3, std::numeric_limits<double>::quiet_NaN())}});
    SettingsReader reader(table, "");
    EXPECT_EQ(refusal([&] { reader.number("a"); }), "campaign.toml:2:9: 'a' must be finite, not inf");
    EXPECT_EQ(refusal([&] { reader.number("b", 1.0); }), "campaign.toml:3:9: 'b' must be finite, not nan");
}

TEST_F(SettingsReaderTest, AMissingTableIsEmptyAtItsParent) {
    SettingsReader missing = reader_.table("queue");
    EXPECT_THAT(missing.keys(), ElementsAre());
    EXPECT_EQ(missing.name(), "walkers.queue");
    EXPECT_EQ(missing.integer("slots", 2), 2);
    EXPECT_NO_THROW(missing.finish());
    SettingsReader deeper = missing.table("limits");
    EXPECT_EQ(refusal([&] { deeper.string("account"); }),
              "campaign.toml:10:1: 'walkers.queue.limits.account' is missing: it must be a string");
}

TEST_F(SettingsReaderTest, HasDoesNotAsk) {
    const Setting table = table_at(1, {{"x", at_line(2, true)}});
    SettingsReader reader(table, "");
    EXPECT_TRUE(reader.has("x"));
    EXPECT_FALSE(reader.has("y"));
    EXPECT_EQ(refusal([&] { reader.finish(); }),
              "campaign.toml:2:9: unknown key 'x' (no keys are known here)");
}

TEST_F(SettingsReaderTest, FinishAcceptsWhatWasAskedFor) {
    for (const std::string& key : reader_.keys()) reader_.raw(key);
    EXPECT_NO_THROW(reader_.finish());
}

TEST_F(SettingsReaderTest, FinishSuggestsTheNearestKey) {
    for (const char* key : {"count", "kappa", "live", "names", "mixed", "inner"}) reader_.raw(key);
    reader_.integer("max_steps", 0);
    reader_.integer("min_steps", 0);
    EXPECT_EQ(refusal([&] { reader_.finish(); }),
              "campaign.toml:13:9: unknown key 'walkers.max_step' (did you mean 'max_steps'?)");
}

TEST_F(SettingsReaderTest, FinishListsTheKnownKeysWhereNoneIsNear) {
    const Setting table = table_at(1, {{"colour", at_line(2, true)}});
    SettingsReader reader(table, "");
    reader.integer("seed", 0);
    reader.integer("count", 0);
    EXPECT_EQ(refusal([&] { reader.finish(); }),
              "campaign.toml:2:9: unknown key 'colour' (known keys: count, seed)");
}

TEST_F(SettingsReaderTest, FinishOfHostileKeys) {
    const Setting table = table_at(1, {{std::string(1 << 20, 'x') + "\x1b[2J", at_line(2, true)}});
    SettingsReader reader(table, "");
    reader.integer("xxx", 0);
    EXPECT_EQ(refusal([&] { reader.finish(); }),
              "campaign.toml:2:9: unknown key '" + std::string(80, 'x') + "...' (known keys: xxx)");

    const Setting escapes = table_at(1, {{"a\x1b[2J\n", at_line(2, true)}});
    EXPECT_EQ(refusal([&] { SettingsReader(escapes, "").finish(); }),
              "campaign.toml:2:9: unknown key 'a\\x1b[2J\\x0a' (no keys are known here)");
}

TEST_F(SettingsReaderTest, ComplainsAtTheKeyOrTheTable) {
    EXPECT_EQ(refusal([&] { reader_.complain("kappa", "is odd"); }), "campaign.toml:14:9: is odd");
    EXPECT_EQ(refusal([&] { reader_.complain("none", "is odd"); }), "campaign.toml:10:1: is odd");
    EXPECT_EQ(refusal([&] { SettingsReader(Setting(), "").complain("", "is odd"); }), "is odd");
}

TEST_F(SettingsReaderTest, OnlyTablesAreRead) {
    const Setting number = at_line(4, 1.0);
    EXPECT_EQ(refusal([&] { SettingsReader(number, "walkers"); }),
              "campaign.toml:4:9: a table is expected here, not a number");
}

TEST_F(SettingsReaderTest, Durations) {
    const Setting table = table_at(1, {{"text", at_line(2, std::string("10 min"))},
                                       {"seconds", at_line(3, std::int64_t{90})},
                                       {"fraction", at_line(4, 0.25)},
                                       {"month", at_line(5, std::string("5m"))},
                                       {"zero", at_line(6, std::int64_t{0})},
                                       {"huge", at_line(7, std::numeric_limits<std::int64_t>::max())},
                                       {"infinite", at_line(8, kInfinity)},
                                       {"flag", at_line(9, true)}});
    SettingsReader reader(table, "");
    EXPECT_EQ(reader.duration("text"), 10min);
    EXPECT_EQ(reader.duration("text", 1s), 10min);
    EXPECT_EQ(reader.duration("seconds"), 90s);
    EXPECT_EQ(reader.duration("fraction"), 250ms);
    EXPECT_EQ(
        refusal([&] { reader.duration("month"); }),
        "campaign.toml:5:9: 'month' must be a positive duration such as '90s', '10 min', '1.5h' or '2d', "
        "not '5m'");
    EXPECT_THAT(refusal([&] { reader.duration("zero", 1s); }), HasSubstr(":6:9: 'zero' must be a positive"));
    EXPECT_THAT(refusal([&] { reader.duration("huge"); }), HasSubstr("not 9223372036854775807"));
    EXPECT_THAT(refusal([&] { reader.duration("infinite"); }), HasSubstr("not inf"));
    EXPECT_THAT(refusal([&] { reader.duration("flag"); }), HasSubstr("not a boolean"));
}

TEST(ParseDurationTest, NumbersWithUnits) {
    EXPECT_EQ(parse_duration("250ms"), 250ms);
    EXPECT_EQ(parse_duration("90s"), 90s);
    EXPECT_EQ(parse_duration("90sec"), 90s);
    EXPECT_EQ(parse_duration("10 min"), 10min);
    EXPECT_EQ(parse_duration("1.5h"), 90min);
    EXPECT_EQ(parse_duration("2  d"), 48h);
    EXPECT_EQ(parse_duration("90"), 90s);
    EXPECT_EQ(parse_duration(".5s"), 500ms);
    EXPECT_EQ(parse_duration("1.1s"), 1100ms);
    EXPECT_EQ(parse_duration("36525d"), 24h * 36525);
}

TEST(ParseDurationTest, RefusesEverythingElse) {
    for (const char* text :
         {"",          " ",   "s",     "min",    "5m",      "5M",      "5 S",
          "1y",        "-5s", "-0s",   "0",      "0.0001s", "0.4ms",   "+5s",
          " 5s",       "5s ", "1e3s",  "0x10s",  "1,5h",    "1h30min", "inf",
          "infs",      "nan", "nan s", "36526d", "1e",      "5\ts",    "99999999999999999999999999999999d",
          "10 minutes"}) {
        EXPECT_EQ(parse_duration(text), std::nullopt) << "'" << text << "'";
    }
    EXPECT_EQ(parse_duration(std::string(100000, '9')), std::nullopt);
    EXPECT_EQ(parse_duration(std::string_view("5s\0", 3)), std::nullopt);
}

class SettingsPathTest : public TemporaryFolder {
protected:
    Setting table_of(std::string text) const {
        return table_at(1, {{"mdp", Setting(std::move(text), here(2, 7, at("set/campaign.toml").string()))}});
    }
    std::string prefix() const { return at("set/campaign.toml").string() + ":2:7: "; }
};

TEST_F(SettingsPathTest, RelativePathsStartAtTheFile) {
    EXPECT_EQ(SettingsReader(table_of("md.mdp"), "").path("mdp"), at("set/md.mdp"));
    EXPECT_EQ(SettingsReader(table_of("./x/../../md.mdp"), "").path("mdp"), at("md.mdp"));
    EXPECT_EQ(SettingsReader(table_of("/abs//md.mdp"), "").path("mdp"), "/abs/md.mdp");
    const Setting relative = table_at(1, {{"mdp", at_line(2, std::string("in/md.mdp"))}});
    EXPECT_EQ(SettingsReader(relative, "").path("mdp"), "in/md.mdp");
}

TEST_F(SettingsPathTest, EmptyAndTruncatingPathsAreRefused) {
    EXPECT_EQ(refusal([&] { SettingsReader(table_of(""), "").path("mdp"); }),
              prefix() + "'mdp' must not be empty");
    EXPECT_EQ(refusal([&] { SettingsReader(table_of(std::string("a\0b", 3)), "").path("mdp"); }),
              prefix() + "'mdp' must not contain a null character");
    EXPECT_EQ(refusal([&] { SettingsReader(table_of(std::string("a\0b", 3)), "").string("mdp"); }),
              prefix() + "'mdp' must not contain a null character");
}

TEST_F(SettingsPathTest, ExistingFiles) {
    std::filesystem::create_directory(at("set"));
    write_file_durably(at("set/md.mdp"), "");
    std::filesystem::create_symlink("md.mdp", at("set/link.mdp"));
    EXPECT_EQ(SettingsReader(table_of("md.mdp"), "").existing_file("mdp"), at("set/md.mdp"));
    EXPECT_EQ(SettingsReader(table_of("link.mdp"), "").existing_file("mdp"), at("set/link.mdp"));
    EXPECT_EQ(refusal([&] { SettingsReader(table_of("no.mdp"), "").existing_file("mdp"); }),
              prefix() + "'mdp' names '" + at("set/no.mdp").string() + "': no such file");
    EXPECT_EQ(refusal([&] { SettingsReader(table_of("../set"), "").existing_file("mdp"); }),
              prefix() + "'mdp' names '" + at("set").string() + "': not a regular file");
    EXPECT_THAT(refusal([&] { SettingsReader(table_of(std::string(300, 'x')), "").existing_file("mdp"); }),
                HasSubstr("File name too long"));
}

}  // namespace
}  // namespace coromd
