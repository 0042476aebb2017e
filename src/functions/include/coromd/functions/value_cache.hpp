// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "coromd/core/hash.hpp"
#include "coromd/functions/values.hpp"
#include "coromd/trajectory/trajectory.hpp"

namespace coromd::functions {

/// Remembers what functions gave for trajectories, so that nobody has to read those again. What it
/// has forgotten is computed again: it may lose anything, but must not make anything up.
///
/// Safe from any thread. Reads and writes files: not for the loop thread.
class ValueCache {
public:
    virtual ~ValueCache() = default;

    /// The values of a function (TrajectoryFunction::identity()) for some content (content_key()).
    virtual std::optional<Values> find(const std::string& content, const std::string& function) = 0;
    virtual void store(const std::string& content, const std::string& function, const Values& values) = 0;

    /// fingerprint_file(), of which the last answer may be remembered as long as device, inode, size and
    /// times of the file are the same. Throws Error(system).
    virtual Fingerprint fingerprint(const std::filesystem::path& file) = 0;
};

/// What values of a trajectory depend on: the content of its files and of its structure file, and
/// whether frames that two parts share are kept.
/// Throws Error(system) where a file cannot be read.
std::string content_key(ValueCache& cache, const trajectory::Trajectory& trajectory);

/// Values in one SQLite file, which may be deleted at any time. A file that is damaged, or of another
/// version, is begun anew; where none can be written nothing is remembered. Throws nothing for that.
std::unique_ptr<ValueCache> sqlite_value_cache(std::filesystem::path file);

}  // namespace coromd::functions
