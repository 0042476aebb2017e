// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "coromd/trajectory/frame.hpp"

namespace coromd::trajectory {

/// What precedes the bits of compressed coordinates, and is needed to read them.
struct XtcPacking {
    std::array<std::int32_t, 3> minimum{};  ///< of the rounded coordinates
    std::array<std::int32_t, 3> maximum{};
    std::int32_t small_index = 0;  ///< where in the table of small sizes the bits begin

    /// Can it be what a writer wrote?
    bool plausible() const noexcept;
};

/// unpack_xtc() may read so many bytes beyond the end of its input, and write so many atoms
/// beyond those wanted.
inline constexpr std::size_t kXtcReadAhead = 128;
inline constexpr std::int64_t kXtcOvershoot = 10;

enum class XtcUnpacked {
    done,
    ran_out,  ///< the bits end before the wanted atoms do
    corrupt
};

/// Decodes at least the first `n_wanted` of `n_atoms` atoms.
/// `bits` points to `n_bytes` bytes, followed by kXtcReadAhead bytes of any content; `out` has
/// room for min(n_atoms, n_wanted + kXtcOvershoot) atoms.
XtcUnpacked unpack_xtc(const XtcPacking& packing, const std::byte* bits, std::size_t n_bytes,
                       std::int64_t n_atoms, std::int64_t n_wanted, float precision, Vec3f* out);

/// Rounds the coordinates to multiples of 1/precision and appends their bits to `out`.
/// Throws Error(usage) where a coordinate is not finite or too large for the precision.
XtcPacking pack_xtc(std::span<const Vec3f> positions, float precision, std::vector<std::byte>& out);

}  // namespace coromd::trajectory
