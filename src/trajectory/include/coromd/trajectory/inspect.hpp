// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "coromd/trajectory/format.hpp"

namespace coromd::trajectory {

/// Something that is wrong with a trajectory file.
struct Flaw {
    std::int64_t offset = 0;      ///< the byte at which it begins
    std::int64_t last_good = -1;  ///< the last good frame before it, counted among the good ones; -1: none
    std::string what;             ///< for a person, without file and byte
    bool damage = true;           ///< false: the frames around it are whole, but do not fit together
};

/// What reading every byte of a trajectory file has shown.
struct Inspection {
    std::int64_t n_good = 0;  ///< frames that can be decoded and hold finite numbers
    std::vector<Flaw> flaws{};

    bool ok() const noexcept { return flaws.empty(); }
};

/// Reads all frames of a file and tells what is wrong: a header or compressed positions that make no sense,
/// numbers that are none, another number of atoms, a frame that is cut off at the end of the file, times
/// or steps that go back or jump (by other than the distance of the first two frames). Behind damage it
/// looks for the next whole frame and goes on there. `good` is called with each good frame, as it is
/// in the file.
/// Throws Error(system) where the file cannot be read, Error(usage) where no format has frames for that
/// extension.
Inspection inspect(const std::filesystem::path& file,
                   const std::function<void(const InputFile&, const FrameHeader&)>& good = nullptr);

/// Writes all good frames of `file` to `out`, byte for byte, and returns what was wrong.
/// Throws Error(usage) where the format is not one of plain frames, there is no good frame, `out` has
/// another format, or exists and must not be overwritten; as inspect() and FrameWriter do.
Inspection repair(const std::filesystem::path& file, const std::filesystem::path& out,
                  bool overwrite = false);

}  // namespace coromd::trajectory
