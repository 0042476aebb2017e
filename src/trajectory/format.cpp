// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/format.hpp"

#include <algorithm>

#include "coromd/core/letters.hpp"

namespace coromd::trajectory {

namespace {

/// ".xtc, .trr, .gro": of the formats that `wanted` holds for.
template <typename Predicate>
std::string extensions_of(const Predicate& wanted) {
    std::string text;
    for (const Format& format : builtin_formats().entries()) {
        if (!wanted(format)) continue;
        for (const std::string& extension : format.extensions) {
            if (!text.empty()) text += ", ";
            text += extension;
        }
    }
    return text;
}

}  // namespace

const Format& format_of(const std::filesystem::path& path) {
    const std::string extension = lower_case(path.extension().string());
    for (const Format& format : builtin_formats().entries()) {
        if (std::ranges::find(format.extensions, extension) != format.extensions.end()) return format;
    }
    fail(ErrorKind::usage, "the extension of '{}' stands for no known format: known are {}", path.string(),
         extensions_of([](const Format&) { return true; }));
}

const Format& frame_format_of(const std::filesystem::path& path) {
    const Format& format = format_of(path);
    if (format.make_codec) return format;
    fail(ErrorKind::usage, "'{}' cannot be used as a trajectory: {} holds no frames, these do: {}",
         path.string(), format.name, extensions_of([](const Format& f) { return bool(f.make_codec); }));
}

}  // namespace coromd::trajectory
