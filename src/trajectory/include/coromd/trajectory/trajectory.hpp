// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "coromd/core/hash.hpp"
#include "coromd/trajectory/format.hpp"
#include "coromd/trajectory/frame.hpp"
#include "coromd/trajectory/topology.hpp"

namespace coromd::trajectory {

class TrajectoryReader;

struct TrajectoryOptions {
    /// `mdrun -noappend` writes the last frame of a part again as the first of the next (same
    /// step, same time). Such a frame is dropped unless it is to be kept.
    bool keep_boundary_duplicates = false;
    /// The fingerprints of the files where they are known already, one per file; else empty.
    std::vector<Fingerprint> fingerprints;
};

/// A trajectory: one or several files that are read as one, and the structure file that names
/// its atoms.
///
/// A light handle: copies share what was read. Everything is read when first asked for and
/// remembered, also when pool threads ask at the same moment; a file that grew later is not
/// looked at again (FrameIndex does that). Paths are made absolute, so that a change of the
/// working directory does no harm. Two handles of the same content compare equal, and each keeps
/// its own paths.
///
/// Everything but the paths throws Error(system) where a file cannot be read and Error(input)
/// where its content is wrong.
class Trajectory {
public:
    /// Reads nothing yet. `structure` may be empty, as long as nobody asks for topology(), and may
    /// be the trajectory itself (GRO). Throws Error(usage) where there is no file, a format has no
    /// frames, or the number of fingerprints is not that of the files.
    Trajectory(std::vector<std::filesystem::path> files, std::filesystem::path structure,
               TrajectoryOptions options = {});
    Trajectory(const std::filesystem::path& file, std::filesystem::path structure,
               TrajectoryOptions options = {});

    const std::vector<std::filesystem::path>& files() const noexcept;
    const std::filesystem::path& structure() const noexcept;
    const TrajectoryOptions& options() const noexcept;

    std::int64_t n_frames() const;
    std::int64_t n_atoms() const;  ///< 0 where there is no frame
    /// Time from the first frame to the second; 0 where there are less than two.
    double dt_ps() const;
    /// Throw Error(input) where there is no frame.
    double first_time_ps() const;
    double last_time_ps() const;
    std::int64_t first_step() const;
    std::int64_t last_step() const;
    /// Of frame `index`; a negative index counts from the end, as in Python. Throws Error(usage)
    /// where it is out of range.
    double time_ps(std::int64_t index) const;
    std::int64_t step(std::int64_t index) const;
    /// Bytes behind the last whole frame of the last file: a frame that was cut off.
    std::int64_t trailing_bytes() const;

    /// Reads one frame; a negative index counts from the end. For many, see reader().
    Frame frame(std::int64_t index, const FrameNeeds& needs = {}) const;
    /// A reader that keeps files open and buffers between frames.
    TrajectoryReader reader() const;
    /// Calls `fn` with every frame in turn. The frame is valid during the call only.
    void for_each_frame(const FrameNeeds& needs, const std::function<void(const Frame&)>& fn) const;

    /// Calls `fn` with the index of every frame and the frame, from `n_threads` threads at once and in
    /// no order. What `fn` or the reading of a frame throws ends all, and comes out here.
    void for_each_frame_in_parallel(const FrameNeeds& needs, unsigned n_threads,
                                    const std::function<void(std::int64_t, const Frame&)>& fn) const;

    /// The atoms of the structure file. Throws Error(usage) where there is none, Error(input)
    /// where it has another number of atoms than the frames.
    std::shared_ptr<const Topology> topology() const;

    /// Identifies the frames by the content of all files (not of the structure).
    Fingerprint fingerprint() const;
    /// Same content. Reads the files where their fingerprints are not known.
    friend bool operator==(const Trajectory& a, const Trajectory& b) {
        return a.state_ == b.state_ || a.fingerprint() == b.fingerprint();
    }

private:
    friend class TrajectoryReader;
    struct State;

    std::shared_ptr<State> state_;
};

/// Reads frames of a trajectory one after the other or at random. For one thread; several
/// readers of one trajectory may be used at the same time.
class TrajectoryReader {
public:
    explicit TrajectoryReader(Trajectory trajectory);
    TrajectoryReader(TrajectoryReader&&) noexcept;
    TrajectoryReader& operator=(TrajectoryReader&&) noexcept;
    ~TrajectoryReader();

    std::int64_t n_frames() const;
    /// Overwrites `frame` and reuses its buffers; a negative index counts from the end.
    void read(std::int64_t index, Frame& frame, const FrameNeeds& needs = {});
    /// The file that holds the frame, and where; for as long as there is the trajectory.
    std::pair<const std::filesystem::path&, const FrameHeader&> place_of(std::int64_t index) const;

private:
    class Impl;

    std::unique_ptr<Impl> impl_;
};

}  // namespace coromd::trajectory
