// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "coromd/queue/queue.hpp"
#include "coromd/queue/spool.hpp"
#include "coromd/runtime/event.hpp"
#include "coromd/runtime/service.hpp"
#include "slurm/settings.hpp"

namespace coromd::queue::slurm {

using Clock = std::chrono::steady_clock;

/// An element of an array, or a job of its own (no index).
struct SlurmId {
    static constexpr std::uint32_t kNoIndex = 0xffffffff;
    std::uint32_t job = 0;
    std::uint32_t index = kNoIndex;

    friend bool operator==(const SlurmId&, const SlurmId&) = default;
    /// "12" or "12_3"
    std::string text() const;
    static std::optional<SlurmId> parse(std::string_view text);
};

/// What lies in the spool for a submission. Who has submitted removes its list of jobs with the last of them;
/// a program that has found some of them again (`whole` is false) cannot know whether others still need it.
struct BatchFiles {
    BatchFiles(std::filesystem::path folder, std::string token, bool whole);
    ~BatchFiles();
    BatchFiles(const BatchFiles&) = delete;
    BatchFiles& operator=(const BatchFiles&) = delete;

    std::filesystem::path script() const { return folder / (token + ".sh"); }
    std::filesystem::path list() const { return folder / (token + ".list"); }
    /// SLURM's own standard output of a job: what its agent, or a node that could not start it, says.
    std::filesystem::path output(std::uint32_t index) const;
    /// The same as sbatch wants it.
    std::string output_pattern(bool array) const;

    const std::filesystem::path folder;
    const std::string token;
    const bool whole;
};

/// How an attempt stands. Kept small: there may be a hundred thousand.
struct Tracked {
    enum class Stage : std::uint8_t { waiting, submitting, looked_for, submitted, ended };

    explicit Tracked(RunId run) : run(run) {}

    RunId run;
    SlurmId id;
    Stage stage = Stage::waiting;
    const State* state = nullptr;  ///< SLURM's last word; null: none yet
    bool cancelled = false;        ///< scancel was asked for
    bool unwanted = false;         ///< its wait was cancelled
    bool held = false;             ///< SLURM will not begin it again by itself
    bool id_reused = false;        ///< SLURM shows its id with another name: it is somebody else's now
    bool recoverable = false;
    std::uint64_t seen_in_poll = 0;
    Clock::time_point submitted_at;
    Clock::time_point quiet_since{};  ///< since when nobody knows it, or it has ended without a record
    std::string nodes;
    std::string reason;        ///< why it waits, or SLURM's longer word on its end
    std::string not_possible;  ///< why it will never be submitted
    std::optional<JobExit> exit;
    std::shared_ptr<const BatchFiles> files;
    runtime::Event changed;  ///< set when it has ended or cannot be submitted
};

/// A job for sbatch.
struct Request {
    std::shared_ptr<Tracked> tracked;
    JobFile file;                    ///< for its agent
    std::filesystem::path job_file;  ///< where that was written
    SbatchOptions options;           ///< jobs with the same ones may become one array
    std::string warning;             ///< the argument that asks SLURM to warn the agent; "" for none
    Submitted record;
};

/// A SLURM cluster in the eyes of one queue: submits what is ready, in arrays where it can, and
/// watches all jobs at once. Runs while anybody waits for it. Belongs to the loop thread.
class Cluster {
public:
    Cluster(runtime::Context& context, const Settings& settings, Site site);

    const Spool& spool() const noexcept { return spool_; }
    const Client& client() const noexcept { return client_; }

    /// Held while a job is got ready that will be given to run() or submit_only() in a moment: what is
    /// ready already waits for it, so that both go in together. On the loop thread.
    class Coming {
    public:
        explicit Coming(Cluster& cluster) noexcept : cluster_(&cluster) { ++cluster_->n_coming_; }
        ~Coming() { --cluster_->n_coming_; }
        Coming(const Coming&) = delete;
        Coming& operator=(const Coming&) = delete;

    private:
        Cluster* cluster_;
    };

    /// Submits the job with others that are ready, and waits for its end.
    /// Throws Error(system) where SLURM refuses it.
    /// Cancellation: leaves the line, or stops the job; returns its exit, with `stopped` set.
    runtime::task<JobExit> run(Request request, std::chrono::milliseconds grace);

    /// Waits for the end of a job that an earlier program has submitted, as `words` of words_of_*()
    /// say. Empty where it never came to be.
    /// Cancellation: as for run().
    runtime::task<std::optional<JobExit>> follow(std::shared_ptr<Tracked> tracked, std::string words,
                                                 std::chrono::milliseconds grace);

    /// The two halves of run(), for who does not wait. submit() returns when SLURM has accepted the job.
    /// Cancellation: submit() takes it back; wait() touches nothing; both throw Cancelled.
    runtime::task<void> submit_only(Request request);
    runtime::task<void> wait(std::shared_ptr<Tracked> tracked);
    /// Returns when squeue was asked anew, or the job has ended.
    /// Cancellation: throws Cancelled.
    runtime::task<void> update(std::shared_ptr<Tracked> tracked);
    /// Asks a job to stop (`hard`: by scancel) and returns when SLURM was told.
    /// Cancellation: throws Cancelled.
    runtime::task<void> tell_to_stop(std::shared_ptr<Tracked> tracked, bool hard);

    /// What Backend::forget() says. On any thread.
    void forget(const RunId& attempt, bool finished) noexcept;

    /// What is recorded of an attempt begins with one of these.
    static constexpr const char* kIntended = "slurm-intended ";  // + token + " " + index
    static constexpr const char* kSubmitted = "slurm ";          // + id + " " + token

private:
    // submit.cpp
    runtime::task<void> submit_loop();
    runtime::task<void> learn_limits();
    runtime::task<void> learn_more();
    std::vector<Request> next_batch();
    runtime::task<void> submit(std::vector<Request> batch);
    runtime::task<std::optional<std::uint32_t>> call_sbatch(std::vector<Request>& batch,
                                                            const BatchFiles& files);
    runtime::task<std::optional<std::uint32_t>> find_by_name(std::string token);
    runtime::task<void> try_fewer(std::vector<Request>& batch, std::string said);
    static void leave(Tracked& tracked);
    runtime::task<void> record(const std::vector<Request>& batch, const std::string& token,
                               std::optional<std::uint32_t> job);
    void write_files(const std::vector<Request>& batch, const BatchFiles& files) const;
    std::vector<std::string> sbatch_words(const std::vector<Request>& batch, const BatchFiles& files) const;
    std::string name_of(const std::string& token) const { return settings_.job_name + "-" + token; }
    bool is_name_of(std::string_view name, const Tracked& tracked) const;
    static void refuse(const std::vector<Request>& batch, const std::string& reason);
    runtime::task<void> back_off(std::string what, std::string said);

    // poll.cpp
    runtime::task<void> poll_loop();
    runtime::task<void> read_records();
    runtime::task<void> ask_squeue();
    runtime::task<void> ask_accounting();
    runtime::task<void> look_for_intended();
    /// The job is known under this id from now on.
    void adopt(const std::shared_ptr<Tracked>& tracked, const SlurmId& id);
    void take_record(const RunId& run, std::optional<ExitRecord> record, const std::string& error);
    void take_row(const JobRow& row, bool from_squeue);
    runtime::task<void> check_heartbeats();
    runtime::task<void> settle();
    void end(const std::shared_ptr<Tracked>& tracked, JobExit exit);
    runtime::task<void> end_without_record(std::shared_ptr<Tracked> tracked, bool late);
    void watch_nodes(const Tracked& tracked, const JobExit& exit);
    std::chrono::milliseconds record_grace() const;
    std::chrono::milliseconds squeue_pause() const;
    std::chrono::milliseconds spool_pause() const;

    // cluster.cpp
    runtime::task<void> serve();
    runtime::task<void> wait_for(std::shared_ptr<Tracked> tracked, std::chrono::milliseconds grace);
    runtime::task<void> stop(std::shared_ptr<Tracked> tracked, std::chrono::milliseconds grace);
    runtime::task<void> signal_loop();
    runtime::task<void> cancel_the_rest();
    void track(const std::shared_ptr<Tracked>& tracked);
    void untrack(const Tracked& tracked);
    void ask_to_stop(const Tracked& tracked, bool hard);

    static std::uint64_t key_of(const SlurmId& id) noexcept { return std::uint64_t{id.job} << 32 | id.index; }

    runtime::Context& context_;
    const Settings& settings_;
    Site site_;
    Spool spool_;
    Client client_;
    runtime::Service service_;

    // Of submitting.
    std::size_t n_coming_ = 0;
    std::vector<Request> ready_;
    std::unique_ptr<runtime::Event> something_ready_ = std::make_unique<runtime::Event>();
    bool limits_known_ = false;
    bool more_known_ = false;
    ClusterConfig config_;
    std::size_t array_limit_ = 1000;
    std::size_t batch_limit_ = 1000;  // smaller for a while after a limit was reached
    std::size_t n_submitted_ = 0;
    std::size_t submit_limit_ = 0;  // of SLURM; 0: not known
    std::chrono::milliseconds back_off_{0};

    // Of watching.
    std::map<RunId, std::shared_ptr<Tracked>> by_run_;
    std::unordered_map<std::uint64_t, Tracked*> by_id_;
    std::map<std::string, std::vector<std::pair<std::uint32_t, std::shared_ptr<Tracked>>>> intended_;
    std::set<RunId> records_taken_;                // of runs that were begun again since
    std::vector<std::shared_ptr<Tracked>> quiet_;  // of whom something is to be concluded soon

    // Of jobs that have ended, for forget(), which is called on another thread.
    std::mutex left_;
    std::map<RunId, std::filesystem::path> outputs_;
    std::set<RunId> may_come_again_;  // SLURM may begin them once more
    std::uint64_t polls_ = 0;
    Clock::time_point last_squeue_{};
    Clock::time_point last_submission_{};
    std::chrono::milliseconds squeue_took_{0};
    bool ask_now_ = false;
    std::chrono::milliseconds accounting_pause_{0};
    Clock::time_point next_accounting_{};
    Clock::time_point next_complaint_{};
    Clock::time_point last_heartbeats_{};
    std::set<std::string> told_;  // submissions and why they wait, of which the log has told
    NodeHealth health_;

    // Of stopping: what is gathered for one scancel.
    std::vector<std::string> to_signal_;
    std::vector<std::string> to_cancel_;
    std::unique_ptr<runtime::Event> something_to_stop_ = std::make_unique<runtime::Event>();
};

}  // namespace coromd::queue::slurm
