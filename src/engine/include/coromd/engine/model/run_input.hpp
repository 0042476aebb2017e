// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "coromd/core/hash.hpp"
#include "coromd/core/settings.hpp"
#include "coromd/engine/model/simulation.hpp"

namespace coromd::engine::model {

enum class OutputFormat {
    trr,  ///< positions and velocities
    xtc   ///< positions
};

/// What is simulated, and how often it is written: what the walkers of a campaign share.
struct Model {
    Potential potential;
    std::optional<Harmonic> bias;
    Dynamics dynamics;
    std::int64_t nstout = 100;  ///< steps between two frames
    OutputFormat output = OutputFormat::trr;

    /// Of the trajectory's file: ".trr".
    std::string extension() const { return output == OutputFormat::trr ? ".trr" : ".xtc"; }

    /// Reads the keys that docs/guide/model-engine.md lists. Throws Error(usage) with file and line.
    /// Leaves the check for unknown keys to the caller.
    static Model read(SettingsReader& settings);
};

/// What `coromd model-md` is given as its input file: a model, where it starts, and the seed.
struct RunInput {
    Model model;
    /// One atom per particle, of which x and y are taken; of a trajectory, the last frame.
    std::filesystem::path start;
    std::optional<Fingerprint> start_content;  ///< what `start` must hold, where that is known
    std::uint64_t seed = 1;                    ///< below 2^63
    std::optional<std::int64_t> nsteps;        ///< from the start on, over all parts

    /// Takes all keys. Throws Error(usage) with file and line.
    static RunInput read(SettingsReader& settings);
    /// TOML that reads back as the same input to the last bit. A relative `start` stays so.
    std::string to_toml() const;
    /// Of what the dynamics depend on: not of nsteps, nor of where `start` lies.
    Fingerprint identity() const;
    /// The particles at step 0. Throws Error(input) where `start` is not what start_content says, or holds
    /// no frame; Error(usage) where velocities are needed and it has none; as Trajectory does.
    std::vector<Particle> first_particles() const;
};

}  // namespace coromd::engine::model
