// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace coromd::report {

/// A test with a folder of its own.
class ReportTest : public testing::Test {
protected:
    ReportTest() {
        std::string name = testing::TempDir() + "coromd-report-XXXXXX";
        if (::mkdtemp(name.data()) != nullptr) folder_ = name;
    }
    ~ReportTest() override {
        std::error_code ignored;
        if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
    }
    void SetUp() override { ASSERT_FALSE(folder_.empty()); }

    std::filesystem::path folder_;
};

}  // namespace coromd::report
