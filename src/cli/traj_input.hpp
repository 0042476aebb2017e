// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>

#include "coromd/trajectory/concatenate.hpp"
#include "coromd/trajectory/extract.hpp"

namespace coromd::cli {

/// "md.xtc", "md.xtc[10:]", "md.xtc[::-1]": a file and which of its frames, with the meaning of Python's
/// slices. A file whose name looks like that is taken as such. Throws Error(usage) where the slice makes no
/// sense.
trajectory::Piece parse_piece(const std::string& text, const std::filesystem::path& structure);

/// "keep", "invert", "mb:300": what becomes of velocities. Throws Error(usage).
struct Velocities {
    trajectory::VelocityMode mode = trajectory::VelocityMode::keep;
    double temperature_k = 0.0;
};
Velocities parse_velocities(const std::string& text);

}  // namespace coromd::cli
