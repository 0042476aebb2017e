// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "coromd/core/hash.hpp"
#include "coromd/engine/model/simulation.hpp"

namespace coromd::engine::model {

/// Where a run of model-md stands, to the last bit.
struct Checkpoint {
    Fingerprint input;  ///< RunInput::identity()
    int part = 1;
    std::int64_t step = 0;
    std::uint64_t trajectory_bytes = 0;  ///< of the part's trajectory, up to this step
    std::vector<Particle> particles;

    friend bool operator==(const Checkpoint&, const Checkpoint&) = default;

    /// Durably, as a whole or not at all. A checkpoint that is there is kept as `<stem>_prev<extension>`.
    /// Throws Error(system).
    void write(const std::filesystem::path& path) const;
    /// Throws Error(system) where it cannot be read, Error(input) where it is damaged or no checkpoint.
    static Checkpoint read(const std::filesystem::path& path);
};

}  // namespace coromd::engine::model
