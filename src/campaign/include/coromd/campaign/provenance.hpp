// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coromd/campaign/snapshot.hpp"

namespace coromd::campaign {

/// What is in the place of a file, compared with what is recorded of it.
enum class OnDisk {
    unchanged,  ///< its content is the recorded one
    present,    ///< it is there; of its content nothing is recorded, or only its size, which is right
    changed,
    missing,
    removed  ///< missing, because `coromd clean` took it away
};

std::string_view to_string(OnDisk state) noexcept;

/// A file in a history.
struct FileRecord {
    std::filesystem::path path;         ///< relative to the campaign where it lies in there
    std::string fingerprint;            ///< as recorded, in hex; empty where none is
    std::optional<std::uint64_t> size;  ///< as recorded
    bool removed = false;               ///< by `coromd clean`
};

/// Looks at the file. A recorded size is always compared, a recorded content only with `content`, which
/// reads all of it. `root`: the campaign's directory. Throws Error(system) where it cannot be read.
OnDisk look_at(const FileRecord& file, const std::filesystem::path& root, bool content);

/// One step of a history: something that made files out of others.
struct ProvenanceStep {
    struct From {
        Source source;
        std::optional<std::size_t> step;  ///< what made it, by number; empty for an input
    };

    Product product;
    std::vector<From> from;
    std::vector<FileRecord> files;
    std::optional<queue::JobResult> result;  ///< of the job that did it, where one did
    std::string specification;               ///< of that job: JSON, see queue::Job::specification()
    std::string coromd_version;              ///< of the program that had it done; empty where not known
};

/// All that led to some file.
struct Provenance {
    std::vector<ProvenanceStep> steps;  ///< what was asked for comes first, each before what it was made from
    std::vector<FileRecord> inputs;     ///< files that the campaign has not made
};

/// The campaign directory in or above `place`, which need not exist; empty where there is none.
std::optional<std::filesystem::path> find_campaign(const std::filesystem::path& place);

/// The history of a file (relative to the campaign, or absolute) or of the job or product of that key.
/// `step`: only of what the trajectory has at this step of MD: parts that do not have it are left out.
/// Throws Error(usage) where nothing is recorded of `subject`, else as Snapshot does.
Provenance provenance_of(const Snapshot& snapshot, const std::string& subject,
                         std::optional<std::int64_t> step = std::nullopt);

}  // namespace coromd::campaign
