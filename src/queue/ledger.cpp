// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/queue/ledger.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "coromd/core/error.hpp"

namespace coromd::queue {

namespace {

class MemoryLedger final : public JobLedger {
public:
    runtime::task<Claim> claim(std::string key, std::string specification) override {
        if (taken_.contains(key)) fail(ErrorKind::conflict, "the key '{}' is used by two jobs of this program", key);
        Entry& entry = entries_[key];
        if (entry.specification.empty()) entry.specification = specification;
        if (entry.specification != specification)
            fail(ErrorKind::conflict, "the job '{}' is known with another specification:\n{}", key,
                 specification_difference(entry.specification, specification));
        taken_.insert(key);
        co_return entry.claim;
    }

    runtime::task<int> begin_attempt(std::string key) override {
        Claim& claim = entries_.at(key).claim;
        if (claim.state == JobState::finished)
            fail(ErrorKind::conflict, "the job '{}' is finished and cannot be begun again", key);
        claim.state = JobState::started;
        claim.submission.clear();
        co_return ++claim.attempts;
    }

    runtime::task<void> submitted(std::string key, int /*attempt*/, std::string submission) override {
        entries_.at(key).claim.submission = std::move(submission);
        co_return;
    }

    runtime::task<void> ended(JobResult result) override {
        Claim& claim = entries_.at(result.key).claim;
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
    std::map<std::string, Entry> entries_;
    std::set<std::string> taken_;
};

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

}  // namespace

std::unique_ptr<JobLedger> memory_ledger() { return std::make_unique<MemoryLedger>(); }

std::string specification_difference(const std::string& recorded, const std::string& asked) {
    // Lines that only one side has, in their order: specifications are short and mostly equal.
    const auto old_lines = lines_of(recorded);
    const auto new_lines = lines_of(asked);
    std::string out;
    const auto append_missing = [&out](const auto& lines, auto others, const char* mark) {
        for (const std::string& line : lines) {
            const auto it = std::ranges::find(others, line);
            if (it != others.end()) others.erase(it);
            else out += (out.empty() ? "" : "\n") + std::string(mark) + line;
        }
    };
    append_missing(old_lines, new_lines, "  - ");
    append_missing(new_lines, old_lines, "  + ");
    return out.empty() ? "  (the same lines in another order)" : out;
}

}  // namespace coromd::queue
