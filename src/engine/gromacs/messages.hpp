// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coromd::engine::gromacs {

/// What GROMACS itself says went wrong, out of the output of grompp or mdrun: the text of its last
/// error block, and where that only counts errors or warnings, those. Empty where there is none.
std::string error_text(std::string_view output);

/// The first sign of a system that blows up in the output of mdrun, which may crash soon after
/// without an error block: constraints that could not be kept. Empty where there is none.
std::string instability(std::string_view output);

/// What the log of an mdrun tells about how it ended.
struct RunSummary {
    bool finished = false;                        ///< it left its loop and closed its files
    bool told_to_stop = false;                    ///< it received a TERM or INT signal
    std::optional<std::int64_t> checkpoint_step;  ///< of the last checkpoint that it wrote
};

/// `log`: the end of an md.log.
RunSummary summarise_log(std::string_view log);

/// What `gmx --version` calls itself ("2022.5-Debian_2022.5_2"); empty where it does not say.
std::string version_in(std::string_view output);

/// How much of the end of a log is enough for what is above.
inline constexpr std::size_t kLogTail = 256 << 10;

}  // namespace coromd::engine::gromacs
