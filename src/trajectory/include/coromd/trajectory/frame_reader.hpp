// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "coromd/trajectory/format.hpp"

namespace coromd::trajectory {

/// Decodes frames of one file that a FrameIndex has found. Keeps the file open and the buffers
/// between calls; one reader is for one thread.
class FrameReader {
public:
    /// Throws Error(system) where the file cannot be opened, Error(usage) where no format has
    /// frames for that extension.
    explicit FrameReader(const std::filesystem::path& path);

    /// Overwrites `frame`, and reuses its buffers. Step and time are those of `header`.
    /// Throws Error(input) with the byte offset where the content is corrupt.
    void read(const FrameHeader& header, Frame& frame, const FrameNeeds& needs = {});

    /// Replaces `out` by the frame's bytes as they are in the file.
    void read_encoded(const FrameHeader& header, std::vector<std::byte>& out) const;

    const std::filesystem::path& path() const noexcept { return file_.path(); }

private:
    InputFile file_;
    std::unique_ptr<FrameCodec> codec_;
};

}  // namespace coromd::trajectory
