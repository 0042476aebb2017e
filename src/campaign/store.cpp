// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Grouped commits without a thread of their own: a request joins `waiting_` and queues up for the
// turn. Who gets the turn and finds that an earlier turn has carried its request goes on its way;
// else it takes all that wait, in their order, and commits them in one transaction on the pool.
//
//   BEGIN IMMEDIATE        the write lock; readers go on
//   epoch as when opened?  else this program was taken over and may write no more
//   per request:           SAVEPOINT, change, RELEASE; on an Error back to the savepoint
//   COMMIT                 durable; only now the requests are done
//
// Anything that SQLite itself objects to (disk full, damaged file) undoes the whole group, and each
// of its requests reports that.
#include "store.hpp"

#include <string>
#include <utility>

#include <unistd.h>

#include "coromd/core/clock.hpp"
#include "coromd/core/error.hpp"
#include "coromd/core/fault.hpp"
#include "coromd/queue/spool.hpp"
#include "coromd/runtime/offload.hpp"
#include "coromd/runtime/with.hpp"
#include "database.hpp"
#include "jobs.hpp"
#include "migrations.hpp"
#include "place.hpp"

namespace coromd::campaign {

namespace {

void check_integrity(Connection& database) {
    const std::string verdict = database.execAndGet("PRAGMA quick_check(1)").getString();
    if (verdict != "ok") fail_damaged(database.file(), verdict);
}

void check_seed(Connection& database, std::uint64_t asked) {
    const std::string recorded = text_of(database, database.execAndGet("SELECT seed FROM campaign"));
    if (recorded != std::to_string(asked))
        fail(ErrorKind::conflict,
             "the campaign of '{}' was created with the seed {}, not {}: "
             "give that one, or choose another directory",
             database.file(), recorded, asked);
}

}  // namespace

Store::Store(runtime::Context& context, const std::filesystem::path& directory, std::uint64_t seed,
             const std::function<void()>& take_lease)
    : context_(context), database_(open_database(directory)) {
    translated(database_.file(), [&] {
        database_.exec("PRAGMA journal_mode = PERSIST");
        SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
        take_lease();
        check_integrity(database_);
        const std::string place = place_of(directory);
        migrate(database_, place);
        check_seed(database_, seed);
        epoch_ = recorded_epoch() + 1;
        prepare(database_, "UPDATE campaign SET epoch = ?", epoch_).exec();
        prepare(database_, "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, NULL)", epoch_, queue::host_name(),
                std::int64_t{::getpid()}, std::string(COROMD_VERSION), now_ms())
            .exec();
        settle_in(place);
        fault_point("store.open");
        transaction.commit();
        fault_point("store.opened");
    });
}

Store::~Store() {
    try {
        translated(database_.file(), [&] {
            prepare(database_, "UPDATE sessions SET ended_ms = ? WHERE epoch = ?", now_ms(), epoch_).exec();
        });
    } catch (const Error&) {
        // Then it looks as if it had been killed.
    }
}

/// A copy must not touch what the original's jobs do: it takes them for lost, and looks for records in a
/// folder of its own.
void Store::settle_in(const std::string& place) {
    const std::string recorded = text_of(database_, database_.execAndGet("SELECT place FROM campaign"));
    spool_ = text_of(database_, database_.execAndGet("SELECT spool FROM campaign"));
    if (!recorded.empty() && !same_place(recorded, place)) {
        spool_ = fmt::format("spool-{}", epoch_);
        context_.log().warn(
            "this is a copy of a campaign: jobs that the original may still run are left to it");
        std::vector<StoredJob> left;
        SQLite::Statement row(database_,
                              fmt::format("SELECT {} FROM jobs WHERE state = 'started'", kJobColumns));
        while (row.executeStep()) left.push_back(job_of(database_, row));
        for (StoredJob& job : left) {
            queue::JobResult result;
            result.key = job.record.key;
            result.attempt = job.record.attempts;
            result.state = queue::JobState::interrupted;
            result.exit.known = false;
            result.reason = "the campaign was copied while it ran";
            JobEvent event{JobEvent::Kind::ended, result.attempt, result.state, result.to_json()};
            append_event(database_, std::move(job), std::move(event));
        }
    }
    prepare(database_, "UPDATE campaign SET place = ?, spool = ?", place, spool_).exec();
}

runtime::task<void> Store::write(Change& change) {
    Request request{change, false, nullptr};
    try {
        co_await runtime::shield(take_turn(request));
    } catch (const Cancelled&) {
        // The request was carried out all the same. The caller's next wait reports the cancellation.
    }
    if (request.error) std::rethrow_exception(request.error);
}

runtime::task<void> Store::take_turn(Request& request) {
    waiting_.push_back(&request);
    const runtime::Permit turn = co_await turn_.acquire();
    if (request.done) co_return;
    const std::vector<Request*> group = std::exchange(waiting_, {});
    auto work = [&] { commit(group); };
    co_await runtime::offload(context_, work);
}

void Store::commit(const std::vector<Request*>& group) noexcept {
    std::exception_ptr error;
    try {
        translated(database_.file(), [&] {
            fault_point("store.begin");
            SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
            if (recorded_epoch() != epoch_)
                fail(ErrorKind::conflict,
                     "another program has taken over the campaign of '{}'; this one must end",
                     database_.file());
            for (Request* request : group) apply(*request);
            fault_point("store.commit");
            transaction.commit();
            fault_point("store.committed");
        });
    } catch (...) {
        error = std::current_exception();
    }
    for (Request* request : group) {
        if (error) request->error = error;
        request->done = true;
    }
}

void Store::apply(Request& request) {
    database_.prepared("SAVEPOINT request")->exec();
    try {
        request.change(database_);
    } catch (const Error&) {
        request.error = std::current_exception();
        database_.exec("ROLLBACK TO request");
    }
    database_.prepared("RELEASE request")->exec();
}

std::int64_t Store::recorded_epoch() {
    return integer_of(database_, database_.execAndGet("SELECT epoch FROM campaign"));
}

}  // namespace coromd::campaign
