// SPDX-License-Identifier: LGPL-3.0-or-later
#include "file_record.hpp"

#include <algorithm>

namespace coromd::campaign {

namespace fs = std::filesystem;

std::string removed_detail(const fs::path& file) {
    return "removed " + file.string();
}

FileRecord record_of(const Product& product, const fs::path& file,
                     const std::vector<queue::OutputFile>& accepted) {
    FileRecord record{file, {}, {}, product.details.contains(removed_detail(file))};
    const auto one = std::ranges::find(accepted, file.filename().string(), &queue::OutputFile::name);
    if (one == accepted.end()) return record;
    record.fingerprint = one->fingerprint;
    record.size = one->size;
    return record;
}

}  // namespace coromd::campaign
