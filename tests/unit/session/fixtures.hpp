// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>

#include "coromd/core/error.hpp"

namespace coromd::session {

/// A test with an empty folder of its own, and with site and user settings in `site` and `user`
/// below it instead of the machine's.
class FolderTest : public testing::Test {
protected:
    FolderTest() {
        std::string name = testing::TempDir() + "coromd-session-XXXXXX";
        if (::mkdtemp(name.data()) != nullptr) folder_ = name;
        set_environment("XDG_CONFIG_DIRS", at("site"));
        set_environment("XDG_CONFIG_HOME", at("user"));
    }
    ~FolderTest() override {
        for (const auto& [name, value] : before_) {
            if (value)
                ::setenv(name.c_str(), value->c_str(), 1);
            else
                ::unsetenv(name.c_str());
        }
        std::error_code ignored;
        if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
    }
    void SetUp() override { ASSERT_FALSE(folder_.empty()); }

    std::filesystem::path at(const std::string& name) const { return folder_ / name; }

    std::filesystem::path write(const std::string& name, const std::string& text) const {
        std::filesystem::create_directories(at(name).parent_path());
        std::ofstream(at(name), std::ios::binary) << text;
        return at(name);
    }

    /// Until the end of the test; an empty value takes the variable away.
    void set_environment(const std::string& name, const std::string& value) {
        const char* now = std::getenv(name.c_str());
        before_.try_emplace(name, now == nullptr ? std::nullopt : std::optional<std::string>(now));
        if (value.empty())
            ::unsetenv(name.c_str());
        else
            ::setenv(name.c_str(), value.c_str(), 1);
    }

    std::filesystem::path folder_;

private:
    std::map<std::string, std::optional<std::string>> before_;
};

/// The Error that `action` throws; a failed expectation where it throws none.
template <typename Action>
Error error_of(Action&& action) {
    try {
        action();
    } catch (const Error& error) {
        return error;
    }
    ADD_FAILURE() << "no Error was thrown";
    return Error(ErrorKind::usage, "");
}

}  // namespace coromd::session
