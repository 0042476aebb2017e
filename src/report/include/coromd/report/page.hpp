// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>

#include "coromd/report/section.hpp"

namespace coromd::report {

/// The page: one HTML file with everything in it, that needs no script, no network and no other file.
std::string page(const Material& material, const Registry<Section>& sections);

/// Reads the campaign in `directory`, evaluates its variables and writes the page to `file`, which is
/// replaced as a whole. Throws as read_material(), and Error(system) where `file` cannot be written.
///
/// Cancellation: `file` is as it was; throws Cancelled.
runtime::task<void> write_report(runtime::Context& context, std::filesystem::path directory,
                                 std::filesystem::path file, const Registry<Section>& sections,
                                 ValueLimits limits);

}  // namespace coromd::report
