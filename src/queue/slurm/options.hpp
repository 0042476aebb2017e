// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coromd/queue/job.hpp"

namespace coromd::queue::slurm {

/// Options for sbatch, from a settings file, a template or a job, in one canonical form: a slip is
/// found before anything is submitted, and whose word counts is decided in one place.
///
/// Known are the options of SLURM 20.11 to 24.05. Names may be long or short, with or without dashes
/// in front, with '_' for '-'. Some are refused because coromd sets them itself; the message says why.
///
/// Three layers are merged with overlay(), lowest first: the template's #SBATCH lines, the queue's
/// options, the job's resources. An option of the higher layer replaces the same option below and
/// what says the same thing in other words:
/// - `mem`, `mem-per-cpu`, `mem-per-gpu`; `cpus-per-task`, `cpus-per-gpu`; `exclusive`, `oversubscribe`;
///   a `time` also the `time-min` below;
/// - `gpus`, `gpus-per-node`, `gpus-per-socket`, `gpus-per-task` and the gpu items of `gres`; the other
///   items of `gres` are merged for themselves, and a plain number of GPUs keeps the type that was named
///   below (`gres=gpu:a100:2`).
class SbatchOptions {
public:
    SbatchOptions() = default;
    /// As users write them: (name, value). Throws as set() does, and Error(usage) where an option
    /// is given twice.
    explicit SbatchOptions(std::span<const std::pair<std::string, std::string>> options);

    /// One option of a user; a later one replaces an earlier one. A flag takes "" or "true"; "false"
    /// takes it back, in this layer. Throws Error(usage) for a name that is unknown (with the nearest one),
    /// or reserved (with the reason), a value that is missing, not wanted or no SLURM time, and for control
    /// characters.
    void set(std::string_view name, std::string_view value);
    /// Puts `higher` over these.
    void overlay(const SbatchOptions& higher);
    /// Adds nodes to `exclude`.
    void exclude(const std::vector<std::string>& nodes);

    /// The value by canonical long name: "" for a flag; empty where it is not set.
    std::optional<std::string> value(std::string_view name) const;
    /// "--name=value" or "--name", sorted by name.
    std::vector<std::string> to_arguments() const;

    friend bool operator==(const SbatchOptions&, const SbatchOptions&) = default;

private:
    friend SbatchOptions resource_options(const Resources&);
    std::map<std::string, std::string, std::less<>> values_;
};

/// What a job asks for: `cpus-per-task`, `ntasks`, `nodes`, `gres` or `gpus`, `mem`, `time`. What it
/// does not ask for (0, or one core) is left to the layers below, and one core on one node is SLURM's own
/// default. `mem` is per node; `walltime` is rounded up to minutes.
SbatchOptions resource_options(const Resources& resources);

/// Whether an option is known and takes a value, for who splits a line of options into words.
enum class OptionValue { unknown, none, optional, required };
OptionValue option_value(std::string_view name);

}  // namespace coromd::queue::slurm
