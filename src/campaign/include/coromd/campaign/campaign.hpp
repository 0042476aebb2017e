// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coromd/core/random.hpp"
#include "coromd/queue/ledger.hpp"
#include "coromd/runtime/context.hpp"
#include "coromd/runtime/task.hpp"

namespace coromd::campaign {

enum class OpenMode {
    resume_or_create,  ///< goes on with what is there
    fresh              ///< refuses a directory in which anything is
};

/// What outlives the program: a directory with one SQLite file, in which everything is recorded
/// that must not be done twice. The directory may be moved while no program runs on it.
///
/// One program at a time owns a campaign, by a lease file in its directory. Belongs to the loop thread.
class Campaign {
public:
    /// Opens the campaign in `directory`, or creates it there (mode 0700).
    /// `seed`: of all random streams; recorded at creation.
    ///
    /// Throws Error(usage) where `directory` holds something else, or anything at all for a fresh
    /// campaign; Error(conflict) where another program owns the campaign or the recorded seed is
    /// another one; Error(input) where the database is damaged or of a later version; Error(system).
    static std::unique_ptr<Campaign> open(runtime::Context& context, const std::filesystem::path& directory,
                                          OpenMode mode, std::uint64_t seed);
    /// Gives the lease back.
    ~Campaign();
    Campaign(const Campaign&) = delete;
    Campaign& operator=(const Campaign&) = delete;

    /// Absolute.
    const std::filesystem::path& directory() const noexcept;
    /// Where the program's log belongs. May be there before the campaign is.
    std::filesystem::path log_path() const;

    /// The memory of all jobs; lives as long as the campaign.
    queue::JobLedger& ledger() noexcept;

    std::uint64_t seed() const noexcept;
    /// The random numbers of `key`: the same in every run of the campaign.
    RandomStream random(std::string_view key) const noexcept;

    /// Remembers an input of the campaign (the text of its file, say) when its name is new. Returns
    /// when that is durable. Throws Error(conflict) that shows the difference where the name is
    /// known with another content.
    /// Cancellation: not cancellable.
    runtime::task<void> record_input(std::string name, std::string content);

private:
    struct Impl;
    explicit Campaign(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
};

/// A job as the database knows it.
struct JobRow {
    std::string key;
    queue::JobState state = queue::JobState::unknown;
    int attempts = 0;        ///< begun so far
    std::string submission;  ///< where the last attempt runs, in its queue's words; empty when it has ended
    std::string reason;      ///< of the last attempt that ended; empty where none did
};

/// All jobs that were ever begun, by key. Changes nothing, and works while a program owns the
/// campaign. Throws Error(usage) where `directory` holds no campaign, Error(input) where its
/// database is damaged, Error(system).
std::vector<JobRow> read_jobs(const std::filesystem::path& directory);

}  // namespace coromd::campaign
