// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coromd/core/recorder.hpp"
#include "coromd/queue/job.hpp"

namespace coromd::campaign {

/// A job as the database knows it.
struct JobRow {
    std::string key;
    queue::JobState state = queue::JobState::unknown;
    int attempts = 0;        ///< begun so far
    std::string submission;  ///< where the last attempt runs, in its queue's words; empty when it has ended
    std::string reason;      ///< of the last attempt that ended; empty where none did
    std::int64_t began_ms = 0;  ///< of the last attempt, Unix time
    std::optional<std::int64_t> ended_ms;
};

/// One try at a job.
struct AttemptRow {
    std::string key;
    int number = 0;
    std::int64_t began_ms = 0;
    std::string submission;                  ///< its queue's last word on where it runs or ran
    std::optional<queue::JobResult> result;  ///< empty where nothing is known of its end
};

struct SessionRow {
    std::int64_t epoch = 0;
    std::string host;
    std::int64_t pid = 0;
    std::string version;
    std::int64_t began_ms = 0;
    std::optional<std::int64_t> ended_ms;  ///< empty: it runs, or was killed
};

struct InputRow {
    std::string name;
    int version = 0;  ///< from 1
    std::string content;
    std::int64_t recorded_ms = 0;
};

struct NoteRow {
    std::int64_t at_ms = 0;
    std::string subject;
    std::string text;
};

struct WalkerRow {
    Progress progress;
    std::int64_t changed_ms = 0;
};

/// A program that owns a campaign, by its lease.
struct Owner {
    enum class Life {
        runs,
        dead,
        unknown  ///< it is on another host
    };

    std::string host;
    std::int64_t pid = 0;
    std::string since;
    Life life = Life::unknown;

    /// On another host one that may be dead counts as well.
    bool may_run() const noexcept { return life != Life::dead; }
};

/// Who owns the campaign in `directory`; empty where nobody does. Throws Error(input) where its lease makes
/// no sense, Error(system).
std::optional<Owner> owner_of(const std::filesystem::path& directory);

/// What a Snapshot reads from. While one of the original lives, a program that owns the campaign cannot
/// write: it is for a short look. Whoever reads everything takes a copy, which keeps it for as long as
/// the disk needs for the bytes.
enum class SnapshotKind { original, copy };

/// What a campaign has recorded at one moment. Changes nothing, and works while a program owns the
/// campaign.
class Snapshot {
public:
    /// Throws Error(usage) where `directory` holds no campaign, Error(input) where its database is damaged,
    /// or of another version of coromd; Error(system). So does everything below.
    explicit Snapshot(const std::filesystem::path& directory, SnapshotKind kind = SnapshotKind::original);
    ~Snapshot();
    Snapshot(Snapshot&&) noexcept;
    Snapshot& operator=(Snapshot&&) noexcept;

    /// Absolute.
    const std::filesystem::path& directory() const noexcept;
    std::uint64_t seed() const;
    std::int64_t created_ms() const;

    /// All jobs that were ever begun, by key.
    std::vector<JobRow> jobs() const;
    /// How many there are in each state.
    std::map<queue::JobState, std::int64_t> job_counts() const;
    /// Those in one state, by key, at most `limit` of them.
    std::vector<JobRow> jobs_in(queue::JobState state, std::int64_t limit) const;
    /// The specification of a job; empty where there is no such job.
    std::optional<std::string> specification(const std::string& key) const;
    /// The result of a job that is finished.
    std::optional<queue::JobResult> result(const std::string& key) const;
    /// All attempts, in the order in which they were begun.
    std::vector<AttemptRow> attempts() const;

    std::vector<WalkerRow> walkers() const;
    std::vector<SessionRow> sessions() const;
    std::vector<InputRow> inputs() const;
    std::vector<NoteRow> notes() const;
    /// Keys of memos, and their values as JSON, by key.
    std::map<std::string, std::string> memos() const;

    /// By key. Paths into the campaign are relative to its directory.
    std::vector<Product> products() const;
    std::optional<Product> product(const std::string& key) const;
    /// What made a file (relative to the campaign's directory); empty where that is not known.
    std::optional<Product> product_of(const std::filesystem::path& file) const;

    /// Everything as JSON lines, one object each, handed to `line`.
    void export_to(const std::function<void(const std::string& line)>& line) const;
    /// What contradicts itself in the database, for a person; empty where all is well.
    std::vector<std::string> problems() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// All jobs that were ever begun, by key: Snapshot::jobs().
std::vector<JobRow> read_jobs(const std::filesystem::path& directory);

/// Gives the space of what was removed back to the file system. Not while a program owns the campaign:
/// Error(conflict). Returns the bytes of the database before and after. Throws as Snapshot does.
std::pair<std::uint64_t, std::uint64_t> vacuum(const std::filesystem::path& directory);

}  // namespace coromd::campaign
