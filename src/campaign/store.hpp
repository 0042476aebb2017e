// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "coromd/runtime/context.hpp"
#include "coromd/runtime/semaphore.hpp"
#include "coromd/runtime/task.hpp"
#include "database.hpp"

namespace coromd::campaign {

/// All reading and writing that the owner of a campaign does: one transaction at a time, off the
/// loop, and everything that waits for its turn goes into the next one together. Belongs to the
/// loop thread.
class Store {
public:
    /// Part of a transaction; runs on a pool thread. Where it throws an Error only what it did is
    /// undone, the rest of the transaction stands.
    using Change = std::function<void(Connection&)>;

    /// Opens the database, which must be there and have been created with `seed`. `take_lease` is
    /// called with the database locked and may throw; then nothing has changed. Afterwards all
    /// earlier owners are locked out for good.
    /// Throws Error(conflict) for another seed, Error(input) where the database is damaged,
    /// Error(system).
    Store(runtime::Context& context, const std::filesystem::path& directory, std::uint64_t seed,
          const std::function<void()>& take_lease);
    /// Says that this owner has ended.
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// The folder of the records of jobs, in the campaign's directory.
    const std::string& spool() const noexcept { return spool_; }

    /// Returns when `change` was made and is durable. Rethrows what `change` threw; throws
    /// Error(conflict) where another program owns the campaign meanwhile, Error(system) where
    /// nothing can be written: then nothing was changed.
    /// Cancellation: not cancellable.
    runtime::task<void> write(Change& change);

private:
    struct Request {
        Change& change;
        bool done = false;
        std::exception_ptr error;
    };

    runtime::task<void> take_turn(Request& request);
    void commit(const std::vector<Request*>& group) noexcept;
    void apply(Request& request);
    std::int64_t recorded_epoch();
    void settle_in(const std::string& place);

    runtime::Context& context_;
    Connection database_;
    std::int64_t epoch_ = 0;
    std::string spool_;
    std::vector<Request*> waiting_;
    runtime::Semaphore turn_{1};
};

}  // namespace coromd::campaign
