// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "coromd/trajectory/concatenate.hpp"
#include "coromd/trajectory/extract.hpp"

namespace coromd::cli {

/// The structure file that was given or, without one, `file` itself where it names its atoms (.gro, .tpr);
/// else an empty path.
std::filesystem::path structure_for(const std::filesystem::path& given, const std::filesystem::path& file);

/// Empty where the text is no finite number, or more than that.
std::optional<double> parse_number(std::string_view text);

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
