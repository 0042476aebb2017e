// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "coromd/campaign/snapshot.hpp"
#include "coromd/core/random.hpp"
#include "coromd/core/recorder.hpp"
#include "coromd/queue/ledger.hpp"
#include "coromd/runtime/context.hpp"
#include "coromd/runtime/task.hpp"

namespace coromd::campaign {

enum class OpenMode {
    resume_or_create,  ///< goes on with what is there
    fresh              ///< refuses a directory in which anything is
};

/// What becomes of a change of what the campaign was begun with.
enum class OnChange {
    refuse,  ///< Error(conflict) that shows the difference
    go_on    ///< finished work stands, what is not done is done as it is asked for now; both are recorded
};

namespace detail {
template <typename T>
struct MemoOf;
}

/// What `fn()`, a function or a coroutine, gives.
template <typename Fn>
using MemoValue = typename detail::MemoOf<std::invoke_result_t<Fn&>>::type;

/// What outlives the program: a directory with one SQLite file, in which everything is recorded
/// that must not be done twice. The directory may be moved while no program runs on it.
///
/// One program at a time owns a campaign, by a lease file in its directory. Belongs to the loop thread.
class Campaign {
public:
    /// Opens the campaign in `directory`, or creates it there (mode 0700).
    /// `seed`: of all random streams; recorded at creation. `take_over`: also from an owner on another host
    /// that may live; it can write no more then.
    ///
    /// Throws Error(usage) where `directory` holds something else, or anything at all for a fresh
    /// campaign; Error(conflict) where another program owns the campaign or the recorded seed is
    /// another one; Error(input) where the database is damaged or of a later version; Error(system).
    static std::unique_ptr<Campaign> open(runtime::Context& context, const std::filesystem::path& directory,
                                          OpenMode mode, std::uint64_t seed,
                                          OnChange on_change = OnChange::refuse, bool take_over = false);
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

    /// Where the agents of jobs leave their records. A copy of a campaign has another folder than the
    /// original, whose jobs it must not touch.
    std::filesystem::path spool() const;

    /// Records walkers, notes and products: what is told is written about once a second while keep() runs,
    /// which also renews the lease.
    Recorder& recorder() noexcept;
    /// Cancellation: what was told is written; throws Cancelled.
    runtime::task<void> keep();
    /// Returns when all that the recorder was told is durable. Throws Error(conflict) where another program
    /// owns the campaign meanwhile, Error(system).
    /// Cancellation: not cancellable.
    runtime::task<void> flush();

    /// Remembers what the campaign is begun with: names, and contents (the text of a file, say) or
    /// fingerprints. Returns when that is durable. Throws Error(conflict) that shows all differences where
    /// a name is known with another content, unless changes are to be gone on with: then a note is made.
    /// Cancellation: not cancellable.
    runtime::task<void> record_inputs(std::map<std::string, std::string> inputs);

    /// A decision of the program's: calls `fn`, or answers with what it gave when it was called for the same
    /// key in an earlier run. Called at least once, recorded once, durably, before this returns. The value
    /// may be anything that nlohmann::json converts from and to; doubles keep all bits. An exception is
    /// rethrown and not recorded. Defined in memo.hpp.
    ///
    /// `key`: as a job's, in a space of its own. `version`: raised when the meaning of the value changes.
    /// Throws Error(conflict) for a key that is used twice in a run, or recorded with another type or
    /// version. Cancellation: that of `fn`.
    template <typename Fn>
    runtime::task<MemoValue<Fn>> memo(std::string key, Fn& fn, int version = 1);

    /// The two halves of memo(), for who has bytes: what is recorded of `key`, which is taken for this run.
    /// Cancellation: not cancellable.
    runtime::task<std::optional<std::string>> recall(std::string key, std::string type, int version);
    /// Cancellation: not cancellable.
    runtime::task<void> remember(std::string key, std::string type, int version, std::string value);
    /// Gives a key back of which nothing was recorded.
    void release_memo(const std::string& key) noexcept;

private:
    struct Impl;
    explicit Campaign(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
};

}  // namespace coromd::campaign
