// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coromd/campaign/snapshot.hpp"
#include "coromd/report/variables.hpp"

namespace coromd::report {

/// One attempt at a job, on the clock.
struct Span {
    std::string key;      ///< of the job
    std::string subject;  ///< what it was for: the key without its last part
    int attempt = 0;
    std::int64_t submitted_ms = 0;
    /// Unix time; where the queue did not say when it began to run, `submitted_ms`, and where it never ran,
    /// the end. Empty where nothing is known of its end.
    std::optional<std::int64_t> started_ms;
    std::optional<std::int64_t> ended_ms;
    queue::JobState state = queue::JobState::started;

    double waited_seconds() const noexcept;  ///< 0 where it has not ended
    double ran_seconds() const noexcept;     ///< 0 where it has not ended
};

/// How a walker ended, by its memo "<walker>/result".
struct WalkerResult {
    std::string walker;
    std::vector<std::string> conditions;  ///< that held in its last frame
    double time_ps = 0.0;
};

/// MD that a job has done, by its product.
struct MdDone {
    std::string key;
    double ps = 0.0;
    std::string engine;  ///< "gromacs", and its version behind a blank where that is known
};

/// What a page is made from: what the campaign has recorded at one moment, and what follows from that
/// for several sections. Reading it takes no lease, and works while the campaign runs.
struct Material {
    std::filesystem::path directory;  ///< absolute
    std::filesystem::path page;       ///< where the page will be, absolute: links start there
    std::int64_t now_ms = 0;
    std::uint64_t seed = 0;
    std::int64_t created_ms = 0;
    std::optional<campaign::Owner> owner;
    std::vector<campaign::SessionRow> sessions;
    std::vector<campaign::InputRow> inputs;
    std::map<queue::JobState, std::int64_t> job_counts;
    std::vector<campaign::AttemptRow> attempts;
    std::vector<campaign::WalkerRow> walkers;
    std::vector<campaign::NoteRow> notes;
    std::vector<Product> products;

    std::vector<Span> spans;            ///< one per attempt, in their order
    std::vector<WalkerResult> results;  ///< by walker
    std::vector<MdDone> md;             ///< one per product of kind "md"
    VariableValues variables;           ///< filled by evaluate_variables()

    /// "alanine" for a directory "alanine.campaign".
    std::string name() const;
    bool runs() const noexcept;
    /// From the creation to the last thing that is known to have happened; to now, while it runs.
    std::int64_t last_ms() const noexcept;
    /// Seconds from the creation to a time.
    double seconds_since_start(std::int64_t unix_ms) const noexcept;
    /// A file as the campaign records it, as a link target from the page.
    std::filesystem::path link_to(const std::filesystem::path& file) const;
};

/// Reads everything but the variables. Throws as campaign::Snapshot does.
Material read_material(const std::filesystem::path& directory, const std::filesystem::path& page);

}  // namespace coromd::report
