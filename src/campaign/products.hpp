// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>

#include "coromd/core/recorder.hpp"

namespace coromd::campaign {

/// Sources, files and details as JSON. Paths below `root` are made relative to it.
std::string product_to_json(const Product& product, const std::filesystem::path& root);

/// Throws Error(input).
Product product_from_json(std::string key, std::string kind, const std::string& document);

/// `file` relative to `root` where it lies below, else as it is.
std::string recorded_path(const std::filesystem::path& file, const std::filesystem::path& root);

}  // namespace coromd::campaign
