// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "coromd/campaign/provenance.hpp"
#include "coromd/core/recorder.hpp"
#include "coromd/queue/job.hpp"

namespace coromd::campaign {

/// The detail of a product that says that one of its files was removed on purpose.
std::string removed_detail(const std::filesystem::path& file);

/// What is recorded of a file of `product`; `accepted`: the files of the job that made it.
FileRecord record_of(const Product& product, const std::filesystem::path& file,
                     const std::vector<queue::OutputFile>& accepted);

}  // namespace coromd::campaign
