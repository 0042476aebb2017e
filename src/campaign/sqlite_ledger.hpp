// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <map>
#include <string>

#include "coromd/campaign/campaign.hpp"
#include "coromd/queue/ledger.hpp"
#include "store.hpp"

namespace coromd::campaign {

/// The memory of jobs in a campaign's database: what it says has happened survives the program.
class SqliteLedger final : public queue::JobLedger {
public:
    /// `store` must outlive the ledger.
    /// `on_change`: for a job that is asked for with another specification than the recorded one.
    SqliteLedger(Store& store, OnChange on_change) : store_(store), on_change_(on_change) {}

    runtime::task<queue::Claim> claim(std::string key, std::string specification) override;
    runtime::task<int> begin_attempt(std::string key) override;
    runtime::task<void> submitted(std::string key, int attempt, std::string submission) override;
    runtime::task<void> ended(queue::JobResult result) override;
    void release(const std::string& key) noexcept override;

private:
    Store& store_;
    OnChange on_change_;
    /// The specification of each key that was taken in this run; recorded, and dropped here, with
    /// the first attempt.
    std::map<std::string, std::string> taken_;
};

}  // namespace coromd::campaign
