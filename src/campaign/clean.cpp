// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What may go, and why resuming never misses it:
//
//   parts, logs, edr, checkpoints   files of the products "md" of a walker that has a memo
//                                   "<walker>/result": the next start takes the result from there and
//                                   does not look at parts again. Not where an unfinished walker
//                                   was begun from such a file
//   backups                         #md.log.1#, what GROMACS puts aside, beside these
//   attempts                        folders of attempts of finished jobs. Files of the accepted attempt
//                                   that have not moved to their place yet (a crash came between) keep theirs
//
// First it is recorded, then removed: a file that is recorded as removed and is still there, because a crash
// came between, is removed by the next clean.
#include "coromd/campaign/clean.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "coromd/core/clock.hpp"
#include "coromd/core/error.hpp"
#include "file_record.hpp"

namespace coromd::campaign {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kResult = "/result";

constexpr std::array kRules{
    CleanRule{"parts", "trajectories of parts that were put together to one"},
    CleanRule{"logs", "logs of finished walkers"},
    CleanRule{"edr", "energies of finished walkers"},
    CleanRule{"checkpoints", "checkpoints of finished walkers"},
    CleanRule{"backups", "#files# that GROMACS put aside, of finished walkers"},
    CleanRule{"attempts", "folders that attempts of finished jobs left behind"},
};

/// The rule for a file of a part of MD, by its extension; empty where there is none.
std::string_view rule_for(const fs::path& file) {
    const std::string extension = file.extension().string();
    if (extension == ".xtc" || extension == ".trr") return "parts";
    if (extension == ".log") return "logs";
    if (extension == ".edr") return "edr";
    if (extension == ".cpt") return "checkpoints";
    return {};
}

/// The job that a folder of an attempt belongs to: its leaf and the number of the attempt.
struct AttemptName {
    std::string leaf;
    int number = 0;

    /// "md.part0004.attempt2" and "md.part0004.attempt2-1", as queue::Job::attempt_directory() has it.
    static std::optional<AttemptName> parse(const std::string& name) {
        constexpr std::string_view kAttempt = ".attempt";
        const std::size_t at = name.rfind(kAttempt);
        if (at == std::string::npos || at == 0) return std::nullopt;
        const char* const end = name.data() + name.size();
        AttemptName found{name.substr(0, at), 0};
        auto [stop, error] = std::from_chars(name.data() + at + kAttempt.size(), end, found.number);
        if (error != std::errc() || found.number < 1) return std::nullopt;
        int restart = 0;
        if (stop != end && *stop == '-') {
            const auto rest = std::from_chars(stop + 1, end, restart);
            if (rest.ec != std::errc()) return std::nullopt;
            stop = rest.ptr;
        }
        if (stop != end) return std::nullopt;
        return found;
    }
};

class Planner {
public:
    Planner(const fs::path& directory, const std::set<std::string>& rules) : rules_(rules) {
        // No longer than it takes to read: a program that runs the campaign cannot write meanwhile.
        const Snapshot snapshot(directory);
        root_ = snapshot.directory();
        for (const auto& [key, value] : snapshot.memos())
            if (key.ends_with(kResult)) finished_.insert(key.substr(0, key.size() - kResult.size()));
        for (const WalkerRow& walker : snapshot.walkers())
            plan_.unfinished += finished_.contains(walker.progress.subject) ? 0 : 1;
        plan_.finished = std::ssize(finished_);
        products_ = snapshot.products();
        if (rules.contains("attempts"))
            for (AttemptRow& attempt : snapshot.attempts())
                if (attempt.result && attempt.result->ok())
                    accepted_[attempt.key] = std::move(*attempt.result);
    }

    CleanPlan plan() {
        for (const Product& product : products_)
            if (!of_finished_walker(product.key))
                for (const Source& source : product.sources) needed_.insert(source.file.string());
        const std::unordered_set<std::string> together = put_together();
        for (const Product& product : products_) {
            if (product.kind != "md" || !of_finished_walker(product.key)) continue;
            for (const fs::path& file : product.files) {
                const std::string_view rule = rule_for(file);
                if (rule.empty() || (rule == "parts" && !together.contains(file.string()))) continue;
                add_file(file, std::string(rule), product.key);
            }
        }
        if (rules_.contains("backups"))
            for (const std::string& walker : finished_) add_backups(walker);
        add_attempts();
        std::ranges::sort(plan_.removals, {}, &Removal::path);
        return std::move(plan_);
    }

private:
    /// Whether the job or product is a step of a walker that has come to its end.
    bool of_finished_walker(const std::string& key) const {
        for (std::size_t at = key.rfind('/'); at != std::string::npos && at > 0; at = key.rfind('/', at - 1))
            if (finished_.contains(key.substr(0, at))) return true;
        return false;
    }

    /// The files whose frames are in a trajectory of their own, which is there.
    std::unordered_set<std::string> put_together() const {
        std::unordered_set<std::string> files;
        for (const Product& product : products_) {
            const auto is_there = [&](const fs::path& file) {
                std::error_code error;
                return fs::file_size(root_ / file, error) > 0 && !error;
            };
            if (product.kind != "trajectory" || product.files.empty() ||
                !std::ranges::all_of(product.files, is_there))
                continue;
            for (const Source& source : product.sources) files.insert(source.file.string());
        }
        return files;
    }

    /// Whether `file`, as it is recorded, surely lies in the campaign, where links lead to as well.
    bool is_inside(const fs::path& file) {
        if (file.is_absolute() || file.empty() || *file.lexically_normal().begin() == "..") return false;
        const fs::path folder = file.parent_path();
        const auto [known, is_new] = inside_.emplace(folder.string(), false);
        if (!is_new) return known->second;
        std::error_code error;
        const fs::path root = fs::canonical(root_, error);
        const fs::path real = error ? fs::path() : fs::canonical(root_ / folder, error);
        known->second = !error && std::ranges::mismatch(root, real).in1 == root.end();
        return known->second;
    }

    void add_file(const fs::path& file, const std::string& rule, const std::string& product) {
        if (!rules_.contains(rule) || needed_.contains(file.string()) || !is_inside(file)) return;
        struct stat status {};
        if (::lstat((root_ / file).c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
        // What has another name as well frees nothing but this one.
        const bool last_name = status.st_nlink == 1;
        plan_.removals.push_back({file, rule, product,
                                  last_name ? static_cast<std::uint64_t>(status.st_size) : 0,
                                  last_name ? 1 : 0});
    }

    void add_backups(const std::string& walker) {
        if (!is_inside(fs::path(walker) / "x")) return;
        std::error_code error;
        fs::directory_iterator entry(root_ / walker, error);
        for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
            const std::string name = entry->path().filename().string();
            if (name.size() > 2 && name.starts_with('#') && name.ends_with('#'))
                add_file(fs::path(walker) / name, "backups", {});
        }
    }

    /// Folders of attempts lie beside the outputs of their job, which are where its key says.
    void add_attempts() {
        std::set<std::string> folders;
        for (const auto& [key, result] : accepted_) folders.insert(fs::path(key).parent_path().string());
        for (const std::string& folder : folders) {
            if (!is_inside(fs::path(folder) / "x")) continue;
            std::error_code error;
            fs::directory_iterator entry(root_ / folder, error);
            for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
                const std::string name = entry->path().filename().string();
                const std::optional<AttemptName> attempt = AttemptName::parse(name);
                if (attempt && entry->symlink_status(error).type() == fs::file_type::directory)
                    add_attempt(fs::path(folder) / name, (fs::path(folder) / attempt->leaf).string(),
                                attempt->number);
            }
        }
    }

    void add_attempt(const fs::path& folder, const std::string& job, int number) {
        const auto accepted = accepted_.find(job);
        if (accepted == accepted_.end()) return;
        const queue::JobResult& result = accepted->second;
        const auto has_to_move = [&](const queue::OutputFile& file) {
            std::error_code ignored;
            return fs::exists(root_ / folder / file.name, ignored);
        };
        if (number == result.attempt && std::ranges::any_of(result.files, has_to_move)) return;
        Removal removal{folder, "attempts", {}, 0, 1};
        std::error_code error;
        fs::recursive_directory_iterator entry(root_ / folder, error);
        for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
            struct stat status {};
            if (::lstat(entry->path().c_str(), &status) != 0) continue;
            if (S_ISREG(status.st_mode) && status.st_nlink > 1) continue;
            ++removal.inodes;
            if (S_ISREG(status.st_mode)) removal.bytes += static_cast<std::uint64_t>(status.st_size);
        }
        plan_.removals.push_back(std::move(removal));
    }

    const std::set<std::string>& rules_;
    fs::path root_;
    std::vector<Product> products_;
    std::unordered_map<std::string, queue::JobResult> accepted_;  // by key; only where attempts are asked for
    std::unordered_set<std::string> finished_;                    // walkers
    std::unordered_set<std::string> needed_;                      // what unfinished ones were made from
    std::unordered_map<std::string, bool> inside_;                // folders that were looked at
    CleanPlan plan_;
};

/// The products that lose files, with that added, and a note of all that goes.
struct Record {
    std::map<std::string, Product> products;
    std::string note;
};

Record record_of(const Snapshot& snapshot, const CleanPlan& plan) {
    Record record;
    std::map<std::string, std::pair<std::int64_t, std::uint64_t>> totals;
    for (const Removal& removal : plan.removals) {
        auto& [count, bytes] = totals[removal.rule];
        ++count;
        bytes += removal.bytes;
        if (removal.product.empty()) continue;
        if (!record.products.contains(removal.product))
            if (std::optional<Product> product = snapshot.product(removal.product))
                record.products.emplace(removal.product, std::move(*product));
        const auto at = record.products.find(removal.product);
        if (at != record.products.end())
            at->second.details[removed_detail(removal.path)] =
                fmt::format("by clean ({}) at {}", removal.rule, now_ms());
    }
    record.note = "removed:";
    for (const auto& [rule, total] : totals)
        record.note += fmt::format(" {} {} ({} bytes)", total.first, rule, total.second);
    return record;
}

std::vector<std::string> remove(const fs::path& root, const CleanPlan& plan) {
    std::vector<std::string> failures;
    for (const Removal& removal : plan.removals) {
        std::error_code error;
        fs::remove_all(root / removal.path, error);
        if (error) failures.push_back(fmt::format("'{}': {}", removal.path.string(), error.message()));
    }
    return failures;
}

}  // namespace

std::span<const CleanRule> clean_rules() noexcept {
    return kRules;
}

CleanPlan plan_clean(const fs::path& directory, const std::set<std::string>& rules) {
    for (const std::string& rule : rules)
        if (std::ranges::find(kRules, rule, &CleanRule::name) == kRules.end())
            fail(ErrorKind::usage, "there is no rule '{}' of what to clean", rule);
    return Planner(directory, rules).plan();
}

runtime::task<std::vector<std::string>> carry_out(Campaign& campaign, const CleanPlan& plan) {
    if (plan.removals.empty()) co_return std::vector<std::string>();
    const Record record = record_of(Snapshot(campaign.directory()), plan);
    for (const auto& [key, product] : record.products) campaign.recorder().product(product);
    campaign.recorder().note("clean", record.note);
    co_await campaign.flush();
    co_return remove(campaign.directory(), plan);
}

}  // namespace coromd::campaign
