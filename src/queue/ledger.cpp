// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/queue/ledger.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include "coromd/core/error.hpp"

namespace coromd::queue {

namespace {

class MemoryLedger final : public JobLedger {
public:
    runtime::task<Claim> claim(std::string key, std::string specification) override {
        if (taken_.contains(key))
            fail(ErrorKind::conflict, "the key '{}' is used by two jobs of this program", key);
        Claim claim;
        if (const auto known = entries_.find(key); known != entries_.end()) {
            if (known->second.specification != specification)
                fail(ErrorKind::conflict, "the job '{}' is known with another specification:\n{}", key,
                     specification_difference(known->second.specification, specification));
            claim = known->second.claim;
        }
        taken_.emplace(std::move(key), std::move(specification));
        co_return claim;
    }

    runtime::task<int> begin_attempt(std::string key) override {
        const auto taken = taken_.find(key);
        if (taken == taken_.end()) fail(ErrorKind::usage, "the job '{}' was begun without a claim", key);
        Entry& entry = entries_[key];
        if (entry.claim.state == JobState::finished)
            fail(ErrorKind::conflict, "the job '{}' is finished and cannot be begun again", key);
        entry.specification = taken->second;
        entry.claim.state = JobState::started;
        entry.claim.submission.clear();
        co_return ++entry.claim.attempts;
    }

    runtime::task<void> submitted(std::string key, int attempt, std::string submission) override {
        running(key, attempt).submission = std::move(submission);
        co_return;
    }

    runtime::task<void> ended(JobResult result) override {
        if (result.state == JobState::unknown || result.state == JobState::started)
            fail(ErrorKind::usage, "an attempt of '{}' cannot end as '{}'", result.key,
                 to_string(result.state));
        Claim& claim = running(result.key, result.attempt);
        claim.state = result.state;
        claim.submission.clear();
        claim.result = std::move(result);
        co_return;
    }

    void release(const std::string& key) noexcept override { taken_.erase(key); }

private:
    struct Entry {
        std::string specification;
        Claim claim;
    };

    Claim& running(const std::string& key, int attempt) {
        const auto known = entries_.find(key);
        if (known == entries_.end() || known->second.claim.state != JobState::started ||
            known->second.claim.attempts != attempt)
            fail(ErrorKind::conflict,
                 "attempt {} of the job '{}' does not run: it has ended, or was never begun", attempt, key);
        return known->second.claim;
    }

    std::map<std::string, Entry> entries_;
    std::map<std::string, std::string> taken_;  // with the specification that was asked for
};

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

}  // namespace

std::unique_ptr<JobLedger> memory_ledger() {
    return std::make_unique<MemoryLedger>();
}

std::string specification_difference(const std::string& recorded, const std::string& asked) {
    // Lines that only one side has, in their order: specifications are short and mostly equal.
    const auto old_lines = lines_of(recorded);
    const auto new_lines = lines_of(asked);
    std::string out;
    const auto append_missing = [&out](const auto& lines, auto others, const char* mark) {
        for (const std::string& line : lines) {
            const auto it = std::ranges::find(others, line);
            if (it != others.end())
                others.erase(it);
            else
                out += (out.empty() ? "" : "\n") + std::string(mark) + line;
        }
    };
    append_missing(old_lines, new_lines, "  - ");
    append_missing(new_lines, old_lines, "  + ");
    return out.empty() ? "  (the same lines in another order)" : out;
}

}  // namespace coromd::queue
