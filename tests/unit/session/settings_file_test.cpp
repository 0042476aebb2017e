// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/session/settings_file.hpp"

#include <string>

#include <gmock/gmock.h>

#include "coromd/core/error.hpp"

namespace coromd::session {
namespace {

using testing::HasSubstr;

std::string refusal(std::string_view text) {
    try {
        parse_toml(text, "a.toml");
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        return error.message();
    }
    return "";
}

TEST(SettingsFile, KeepsValuesAndTheirPlaces) {
    const Setting all = parse_toml("top = 1\n[table]\nname = \"x\"\nlist = [1.5, true]\n", "a.toml");
    const Setting& table = all.table().at("table");
    EXPECT_EQ(std::get<std::int64_t>(all.table().at("top").value()), 1);
    EXPECT_EQ(std::get<std::string>(table.table().at("name").value()), "x");
    EXPECT_EQ(table.table().at("name").origin().text().substr(0, 9), "a.toml:3:");
    const auto& list = std::get<Setting::Array>(table.table().at("list").value());
    ASSERT_EQ(list.size(), 2u);
    EXPECT_EQ(std::get<double>(list[0].value()), 1.5);
    EXPECT_TRUE(std::get<bool>(list[1].value()));
}

TEST(SettingsFile, TellsWhereTheTextIsWrong) {
    EXPECT_THAT(refusal("a = 1\nb = \n"), HasSubstr("a.toml:2"));
    EXPECT_THAT(refusal("a = 1\na = 2\n"), HasSubstr("a.toml:2"));
    EXPECT_THAT(refusal("a = 2026-01-01\n"), HasSubstr("a.toml:1"));
    EXPECT_THAT(refusal("\xff\xfe = 1"), HasSubstr("a.toml:1"));
}

TEST(SettingsFile, BoundsTheDepth) {
    EXPECT_NE(refusal("a = " + std::string(200, '[') + std::string(200, ']')), "");
}

}  // namespace
}  // namespace coromd::session
