// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
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

    // Of the good frames; of no meaning where there is none.
    std::int64_t n_atoms = 0;
    std::int64_t first_step = 0;
    std::int64_t last_step = 0;
    double first_time_ps = 0.0;  ///< NaN where the file does not say
    double last_time_ps = 0.0;
    /// From the first to the second; empty where there are less than two.
    std::optional<std::int64_t> nstout{};
    std::optional<double> dt_ps{};

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

/// How one file goes on where another ends.
struct Seam {
    std::string what;  ///< for a person
    bool flaw = true;  ///< false for a frame that both have, which is counted once
};

/// What there is to say where two files, of which `before` is first, are read as one trajectory: another
/// number of atoms, a time or a step that jumps or goes back, another distance of frames; or that the frame
/// at the boundary is in both. Empty where `after` goes on as expected, or one of them has no good frame.
std::optional<Seam> seam_between(const Inspection& before, const Inspection& after);

/// Writes all good frames of `file` to `out`, byte for byte, and returns what was wrong.
/// Throws Error(usage) where the format is not one of plain frames, there is no good frame, `out` has
/// another format, or exists and must not be overwritten; as inspect() and FrameWriter do.
Inspection repair(const std::filesystem::path& file, const std::filesystem::path& out,
                  bool overwrite = false);

}  // namespace coromd::trajectory
