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

    /// Says that the start of this frame is likely to be read soon.
    void prefetch(const FrameHeader& header) const noexcept;

    /// The frame's bytes, header.size of them, as they are in the file, but with the velocities inverted.
    /// False where the format cannot do that without decoding.
    bool read_encoded_inverted(const FrameHeader& header, std::span<std::byte> out) const;

    const InputFile& file() const noexcept { return file_; }

private:
    InputFile file_;
    std::unique_ptr<FrameCodec> codec_;
};

}  // namespace coromd::trajectory
