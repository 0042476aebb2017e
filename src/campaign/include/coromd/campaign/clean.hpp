// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coromd/campaign/campaign.hpp"

namespace coromd::campaign {

/// A kind of files that nobody needs any more once their walker has come to its end.
struct CleanRule {
    std::string_view name;
    std::string_view what;  ///< for a person
};

/// All rules there are.
std::span<const CleanRule> clean_rules() noexcept;

/// Something that may be removed.
struct Removal {
    std::filesystem::path path;  ///< relative to the campaign
    std::string rule;
    std::string product{};  ///< the key of what made it; empty where that is not recorded
    std::uint64_t bytes = 0;
    std::int64_t inodes = 0;  ///< of a folder: with all that is in there
};

struct CleanPlan {
    std::vector<Removal> removals;  ///< by path
    std::int64_t finished = 0;      ///< walkers whose result is recorded
    std::int64_t unfinished = 0;    ///< of these nothing is removed but what attempts left behind
};

/// What the named rules would remove of the campaign in `directory` now; changes nothing.
///
/// Only of walkers whose result is recorded (a memo `<walker>/result`), so that no start of the program looks
/// at these files again, and nothing that the history of an unfinished walker begins with. Parts of MD
/// only where the trajectory that they were put together to is there. Folders of attempts only of jobs
/// that are finished, and not while a file in there still has to move to its place.
/// Throws Error(usage) for a rule that is none, else as Snapshot does.
CleanPlan plan_clean(const std::filesystem::path& directory, const std::set<std::string>& rules);

/// Removes what is planned; before that it is recorded with what made the files, and in a note. The plan
/// must have been made while `campaign` was open. Returns what could not be removed, a line each.
/// Cancellation: not cancellable.
runtime::task<std::vector<std::string>> carry_out(Campaign& campaign, const CleanPlan& plan);

}  // namespace coromd::campaign
