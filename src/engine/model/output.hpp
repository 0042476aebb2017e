// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "coromd/core/file.hpp"
#include "coromd/trajectory/format.hpp"

namespace coromd::engine::model {

/// A file that grows while others read it. Where it is not to be continued it must not be there.
class GrowingFile {
public:
    /// `keep`: go on behind so many bytes of what is there, and cut off the rest.
    /// Throws Error(usage) where the file is in the way, or has less than it is to keep; Error(system).
    GrowingFile(std::filesystem::path path, std::optional<std::uint64_t> keep);

    /// Throws Error(system).
    void append(std::string_view bytes);
    void sync() const;
    std::uint64_t size() const noexcept { return size_; }

private:
    std::filesystem::path path_;
    FileDescriptor file_;
    std::uint64_t size_ = 0;
};

/// The trajectory of a run. Frames are written together, a few times a second at the least.
class GrowingTrajectory {
public:
    GrowingTrajectory(const std::filesystem::path& path, std::optional<std::uint64_t> keep);

    void write(const trajectory::Frame& frame);
    /// All that was written is on the disk then. Returns the size of the file.
    std::uint64_t sync();

private:
    void flush();

    GrowingFile file_;
    std::unique_ptr<trajectory::FrameCodec> codec_;
    std::vector<std::byte> buffer_;
    std::chrono::steady_clock::time_point flushed_;
};

}  // namespace coromd::engine::model
