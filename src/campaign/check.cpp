// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/campaign/check.hpp"

#include <unordered_map>
#include <utility>

#include "coromd/core/error.hpp"
#include "file_record.hpp"

namespace coromd::campaign {

namespace fs = std::filesystem;

std::vector<MadeFile> made_files(const Snapshot& snapshot) {
    std::unordered_map<std::string, std::vector<queue::OutputFile>> accepted;
    for (AttemptRow& attempt : snapshot.attempts())
        if (attempt.result && attempt.result->ok()) accepted[attempt.key] = std::move(attempt.result->files);
    std::vector<MadeFile> made;
    for (const Product& product : snapshot.products())
        for (const fs::path& path : product.files)
            made.push_back({record_of(product, path, accepted[product.key]), product.key});
    return made;
}

FileCheck check_files(const std::vector<MadeFile>& files, const fs::path& root, bool content) {
    FileCheck check;
    for (const MadeFile& made : files) {
        const FileRecord& file = made.file;
        const std::string name = fmt::format("'{}', made by '{}',", file.path.string(), made.product);
        ++check.looked_at;
        try {
            switch (look_at(file, root, content)) {
                case OnDisk::unchanged:
                    ++check.compared;
                    break;
                case OnDisk::present:
                    break;
                case OnDisk::removed:
                    ++check.removed;
                    break;
                case OnDisk::missing:
                    check.problems.push_back(name + " is gone");
                    break;
                case OnDisk::changed:
                    const std::uint64_t size = fs::file_size(root / file.path);
                    check.problems.push_back(
                        file.size && size != *file.size
                            ? fmt::format("{} has {} bytes, and had {}", name, size, *file.size)
                            : name + " has another content than it had");
                    break;
            }
        } catch (const Error& error) {
            check.problems.push_back(error.message());
        } catch (const fs::filesystem_error& error) {
            // It has gone away meanwhile.
            check.problems.push_back(fmt::format("{} cannot be read: {}", name, error.code().message()));
        }
    }
    return check;
}

}  // namespace coromd::campaign
