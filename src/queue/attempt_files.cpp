// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/queue/attempt_files.hpp"

#include <algorithm>

namespace coromd::queue {

namespace fs = std::filesystem;

std::vector<OutputFile> files_in(const fs::path& directory) {
    std::vector<OutputFile> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
        // A symbolic link that leads nowhere, or in a circle, is no file.
        std::error_code error;
        if (!entry.is_regular_file(error) || is_ours(entry.path().filename().native())) continue;
        files.push_back({entry.path().filename().string(), entry.file_size(), {}});
    }
    std::ranges::sort(files, {}, &OutputFile::name);
    return files;
}

}  // namespace coromd::queue
