// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <set>
#include <string>

#include "coromd/core/error.hpp"

namespace coromd {

/// A test with an empty folder of its own, removed with all that is in it.
class TemporaryFolder : public testing::Test {
protected:
    TemporaryFolder() {
        std::string name = testing::TempDir() + "coromd-core-XXXXXX";
        if (::mkdtemp(name.data())) folder_ = name;
    }
    ~TemporaryFolder() override {
        std::error_code ignored;
        if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
    }
    void SetUp() override { ASSERT_FALSE(folder_.empty()); }

    std::filesystem::path at(const std::string& name) const { return folder_ / name; }

    std::set<std::string> names() const {
        std::set<std::string> out;
        for (const auto& entry : std::filesystem::directory_iterator(folder_))
            out.insert(entry.path().filename());
        return out;
    }

    std::filesystem::path folder_;
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

}  // namespace coromd
