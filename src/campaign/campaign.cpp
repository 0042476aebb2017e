// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Opening a campaign, step by step; a crash after any of them is harmless:
//
//   directory   made (0700), or found to be empty, or ours
//   database    created as a whole, or found
//   lock        the database's write lock, for the steps below; competitors wait
//   lease       taken, or refused: then nothing was changed
//   epoch       raised; from its commit on, an earlier owner that still lives can write no more
#include "coromd/campaign/campaign.hpp"

#include <chrono>
#include <optional>
#include <set>
#include <utility>

#include "coromd/core/clock.hpp"
#include "coromd/core/error.hpp"
#include "coromd/core/fault.hpp"
#include "coromd/core/file.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/offload.hpp"
#include "coromd/runtime/timer.hpp"
#include "database.hpp"
#include "lease.hpp"
#include "recorder.hpp"
#include "sqlite_ledger.hpp"
#include "store.hpp"

namespace coromd::campaign {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds kRenewal{10};
constexpr char kLogName[] = "coromd.log";

/// What may lie in a directory that is no campaign yet: the log, and what a crash while creating left.
bool comes_first(const fs::path& file) {
    const std::string name = file.filename().string();
    return name == kLogName || name.starts_with(std::string(".") + kDatabaseName);
}

bool holds_nothing(const fs::path& directory) {
    std::error_code error;
    bool empty = true;
    fs::directory_iterator entry(directory, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error))
        empty &= comes_first(entry->path());
    if (error) fail(ErrorKind::system, "cannot read '{}': {}", directory.string(), error.message());
    return empty;
}

void make_directory(const fs::path& directory) {
    std::error_code error;
    make_directories_durably(directory);
    // Also where it was there, empty or with the log: from now on it holds a campaign.
    fs::permissions(directory, fs::perms::owner_all, error);
    if (error) fail(ErrorKind::system, "cannot create '{}': {}", directory.string(), error.message());
}

[[noreturn]] void fail_not_fresh(const fs::path& directory) {
    fail(ErrorKind::usage,
         "a fresh campaign needs a new or an empty directory, and '{}' is not empty: choose another one, "
         "remove it, or resume what is there",
         directory.string());
}

/// Makes sure that there is a database: a new one, or what was there, which is looked at later.
void prepare_directory(const fs::path& directory, OpenMode mode, std::uint64_t seed) {
    std::error_code ignored;
    const fs::file_status status = fs::status(directory, ignored);
    if (fs::exists(status)) {
        if (!fs::is_directory(status)) fail(ErrorKind::usage, "'{}' is not a directory", directory.string());
        if (!holds_nothing(directory)) {
            if (mode == OpenMode::fresh) fail_not_fresh(directory);
            if (has_database(directory)) return;
            fail(ErrorKind::usage,
                 "'{}' is not a campaign directory: it is not empty and has no {}. "
                 "Choose a new or an empty one",
                 directory.string(), kDatabaseName);
        }
    }
    make_directory(directory);
    fault_point("campaign.directory");
    if (!create_database(directory, seed) && mode == OpenMode::fresh) fail_not_fresh(directory);
}

}  // namespace

struct Campaign::Impl {
    Impl(runtime::Context& context, const fs::path& place, std::uint64_t campaign_seed, OnChange on_change,
         bool take_over)
        : context(context),
          directory(place),
          seed(campaign_seed),
          on_change(on_change),
          store(context, place, seed,
                [&] { lease.emplace(Lease::take(place, context.logger(), take_over)); }),
          ledger(store, on_change),
          recorder(context, store, place) {}

    runtime::task<void> renew_lease() {
        for (;;) {
            co_await runtime::sleep_for(kRenewal);
            auto renew = [&] { lease->renew(); };
            co_await runtime::offload(context, renew);
        }
    }

    runtime::Context& context;
    fs::path directory;
    std::uint64_t seed;
    OnChange on_change;
    std::optional<Lease> lease;  // given back when the store is closed
    Store store;
    SqliteLedger ledger;
    CampaignRecorder recorder;
    std::set<std::string> memos;  // that were asked for in this run
};

Campaign::Campaign(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Campaign::~Campaign() = default;

std::unique_ptr<Campaign> Campaign::open(runtime::Context& context, const fs::path& directory, OpenMode mode,
                                         std::uint64_t seed, OnChange on_change, bool take_over) {
    std::error_code error;
    const fs::path place = fs::absolute(directory, error).lexically_normal();
    if (error) fail(ErrorKind::system, "'{}': {}", directory.string(), error.message());
    prepare_directory(place, mode, seed);
    return std::unique_ptr<Campaign>(
        new Campaign(std::make_unique<Impl>(context, place, seed, on_change, take_over)));
}

const fs::path& Campaign::directory() const noexcept {
    return impl_->directory;
}
fs::path Campaign::log_path() const {
    return impl_->directory / kLogName;
}
queue::JobLedger& Campaign::ledger() noexcept {
    return impl_->ledger;
}
std::uint64_t Campaign::seed() const noexcept {
    return impl_->seed;
}
RandomStream Campaign::random(std::string_view key) const noexcept {
    return RandomStream(seed(), key);
}

fs::path Campaign::spool() const {
    return impl_->directory / impl_->store.spool();
}
Recorder& Campaign::recorder() noexcept {
    return impl_->recorder;
}
runtime::task<void> Campaign::keep() {
    std::vector<runtime::task<void>> tasks;
    tasks.push_back(impl_->recorder.keep());
    tasks.push_back(impl_->renew_lease());
    return runtime::gather(std::move(tasks));
}

runtime::task<void> Campaign::flush() {
    return impl_->recorder.flush();
}

runtime::task<void> Campaign::record_inputs(std::map<std::string, std::string> inputs) {
    std::string changes;
    const bool go_on = impl_->on_change == OnChange::go_on;
    Store::Change record = [&](Connection& database) {
        for (const auto& [name, content] : inputs) {
            auto row = prepare(
                database, "SELECT content, version FROM inputs WHERE name = ? ORDER BY version DESC LIMIT 1",
                name);
            std::int64_t version = 1;
            if (row.executeStep()) {
                const std::string recorded = text_of(database, row.getColumn(0));
                if (recorded == content) continue;
                version = integer_of(database, row.getColumn(1), 1) + 1;
                changes += fmt::format("'{}' has changed:\n{}\n", name,
                                       queue::specification_difference(recorded, content));
                if (!go_on) continue;
            }
            prepare(database, "INSERT INTO inputs VALUES (?, ?, ?, ?)", name, version, content, now_ms())
                .exec();
        }
        if (!changes.empty() && !go_on)
            fail(ErrorKind::conflict, "The campaign was begun with other inputs:\n{}", changes);
    };
    co_await impl_->store.write(record);
    if (!changes.empty()) recorder().note("campaign", "gone on with changed inputs:\n" + changes);
}

runtime::task<std::optional<std::string>> Campaign::recall(std::string key, std::string type, int version) {
    if (!impl_->memos.insert(key).second)
        fail(ErrorKind::conflict, "the memo '{}' is asked for twice by this program", key);
    std::optional<std::string> value;
    Store::Change read = [&](Connection& database) {
        auto row = prepare(database, "SELECT type, version, value FROM memos WHERE key = ?", key);
        if (!row.executeStep()) return;
        const std::string recorded_type = text_of(database, row.getColumn(0));
        const std::int64_t recorded_version = integer_of(database, row.getColumn(1));
        if (recorded_type != type || recorded_version != version)
            fail(ErrorKind::conflict,
                 "the memo '{}' is recorded as version {} of the type '{}', and asked for as version {} of "
                 "'{}': give it another key",
                 key, recorded_version, recorded_type, version, type);
        value = row.getColumn(2).getString();
    };
    try {
        co_await impl_->store.write(read);
    } catch (...) {
        release_memo(key);
        throw;
    }
    co_return value;
}

runtime::task<void> Campaign::remember(std::string key, std::string type, int version, std::string value) {
    Store::Change insert = [&](Connection& database) {
        auto row = prepare(database, "INSERT INTO memos VALUES (?, ?, ?, ?, ?)", key, type, version);
        row.bind(4, value.data(), static_cast<int>(value.size()));
        row.bind(5, now_ms());
        row.exec();
    };
    co_await impl_->store.write(insert);
}

void Campaign::release_memo(const std::string& key) noexcept {
    impl_->memos.erase(key);
}

}  // namespace coromd::campaign
