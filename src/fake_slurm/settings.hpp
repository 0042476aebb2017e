// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace coromd::fake_slurm {

/// What `setup` fixes for the life of a cluster; DIR/cluster.json.
struct Settings {
    long nodes = 4;
    long cores_per_node = 8;
    long gpus_per_node = 0;
    long memory_per_node = 16000;  ///< MB
    std::string node_prefix = "n";
    std::string partition = "debug";
    double minute = 60.0;        ///< real seconds that a minute of SLURM lasts
    double kill_wait = 2.0;      ///< real seconds between TERM and KILL
    double min_job_age = 300.0;  ///< real seconds for which squeue -t all and scontrol know an ended job
    long max_array_size = 1001;
    long max_job_count = 10000;
    long max_submit = 0;   ///< jobs of a user, 0: no limit
    long job_requeue = 1;  ///< whether jobs without --requeue and --no-requeue may be requeued

    /// Real seconds of `slurm_seconds`.
    double real(double slurm_seconds) const { return slurm_seconds * minute / 60.0; }
    /// SLURM's seconds of `real_seconds`.
    double slurm(double real_seconds) const { return real_seconds * 60.0 / minute; }
};

/// From the options of `setup` ("--nodes", "4", ...). Throws Error(usage).
Settings parse_settings(std::span<const std::string> options);
Settings read_settings(const std::filesystem::path& directory);
void write_settings(const std::filesystem::path& directory, const Settings& settings);

}  // namespace coromd::fake_slurm
