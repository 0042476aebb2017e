// SPDX-License-Identifier: LGPL-3.0-or-later
#include "recorder.hpp"

#include <chrono>

#include "coromd/core/clock.hpp"
#include "coromd/core/error.hpp"
#include "coromd/runtime/timer.hpp"
#include "database.hpp"
#include "products.hpp"

namespace coromd::campaign {

using runtime::task;

namespace {

constexpr std::chrono::seconds kInterval{1};

}  // namespace

void CampaignRecorder::progress(const Progress& progress) {
    told_.walkers.insert_or_assign(progress.subject, progress);
}

void CampaignRecorder::note(std::string_view subject, std::string_view text) {
    told_.notes.push_back({now_ms(), std::string(subject), std::string(text)});
}

void CampaignRecorder::product(const Product& product) {
    told_.products.insert_or_assign(product.key, product);
}

void CampaignRecorder::write(Connection& database, const Told& told) const {
    for (const auto& [name, p] : told.walkers)
        prepare(database, "INSERT OR REPLACE INTO walkers VALUES (?, ?, ?, ?, ?, ?)", name, p.phase,
                p.time_ps, p.ns_per_day, p.part, now_ms())
            .exec();
    for (const Note& note : told.notes)
        prepare(database, "INSERT INTO notes (at_ms, subject, text) VALUES (?, ?, ?)", note.at_ms,
                note.subject, note.text)
            .exec();
    for (const auto& [key, product] : told.products) {
        prepare(database, "INSERT OR REPLACE INTO products VALUES (?, ?, ?, ?)", key, product.kind,
                product_to_json(product, root_), now_ms())
            .exec();
        for (const std::filesystem::path& file : product.files)
            prepare(database, "INSERT OR REPLACE INTO product_files VALUES (?, ?)",
                    recorded_path(file, root_), key)
                .exec();
    }
}

task<void> CampaignRecorder::flush() {
    if (told_.empty()) co_return;
    Told told = std::exchange(told_, {});
    std::exception_ptr error;
    try {
        Store::Change change = [&](Connection& database) { write(database, told); };
        co_await store_.write(change);
        co_return;
    } catch (const Error&) {
        error = std::current_exception();
    }
    // Unless something newer came meanwhile.
    told_.walkers.merge(told.walkers);
    told_.products.merge(told.products);
    told_.notes.insert(told_.notes.begin(), told.notes.begin(), told.notes.end());
    std::rethrow_exception(error);
}

task<void> CampaignRecorder::keep() {
    bool cancelled = false;
    while (!cancelled) {
        try {
            co_await runtime::sleep_for(kInterval);
        } catch (const Cancelled&) {
            cancelled = true;
        }
        try {
            co_await flush();
        } catch (const Error& error) {
            context_.log().warn("what was told of the campaign is not written yet: {}", error.what());
        } catch (const Cancelled&) {
            cancelled = true;
        }
    }
    throw Cancelled();
}

}  // namespace coromd::campaign
