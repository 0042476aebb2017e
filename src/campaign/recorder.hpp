// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "coromd/core/recorder.hpp"
#include "coromd/runtime/context.hpp"
#include "coromd/runtime/task.hpp"
#include "store.hpp"

namespace coromd::campaign {

/// Keeps what it is told until the next commit. What a crash takes away is told again by the next run, as
/// the same work is come by again.
class CampaignRecorder final : public Recorder {
public:
    /// `root`: the campaign's directory.
    CampaignRecorder(runtime::Context& context, Store& store, std::filesystem::path root)
        : context_(context), store_(store), root_(std::move(root)) {}

    void progress(const Progress& progress) override;
    void note(std::string_view subject, std::string_view text) override;
    void product(const Product& product) override;

    /// Returns when all that was told is durable. Throws as Store::write().
    /// Cancellation: not cancellable.
    runtime::task<void> flush();
    /// flush() about once a second; what cannot be written is kept and tried again.
    /// Cancellation: flushes a last time, throws Cancelled.
    runtime::task<void> keep();

private:
    struct Note {
        std::int64_t at_ms;
        std::string subject;
        std::string text;
    };
    struct Told {
        std::map<std::string, Progress> walkers;
        std::vector<Note> notes;
        std::map<std::string, Product> products;

        bool empty() const { return walkers.empty() && notes.empty() && products.empty(); }
    };

    void write(Connection& database, const Told& told) const;

    runtime::Context& context_;
    Store& store_;
    std::filesystem::path root_;
    Told told_;
};

}  // namespace coromd::campaign
