// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace coromd::agent {

/// Looks for two texts in a log that grows, reading each byte once.
class LogWatch {
public:
    LogWatch(std::filesystem::path file, std::string ready, std::string acknowledged);

    /// Reads what has come since. A file that is not there, or cannot be read, has nothing new.
    void refresh();
    bool ready() const noexcept { return ready_; }
    bool acknowledged() const noexcept { return acknowledged_; }

private:
    std::filesystem::path file_;
    std::string ready_text_;
    std::string acknowledged_text_;
    std::uint64_t offset_ = 0;
    std::string carry_;  // the end of what was read, in which a text may have begun
    bool ready_ = false;
    bool acknowledged_ = false;
};

}  // namespace coromd::agent
