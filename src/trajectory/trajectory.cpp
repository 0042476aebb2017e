// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What is known of a trajectory is read in three independent pieces, each when first asked for:
// the frames of all files (headers only), the topology, and the fingerprint. A piece is read by
// one thread while others that ask for it wait; a failed read is tried again by the next asker.
#include "coromd/trajectory/trajectory.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "coromd/core/error.hpp"
#include "coromd/trajectory/frame_index.hpp"
#include "coromd/trajectory/frame_reader.hpp"

namespace coromd::trajectory {

namespace {

namespace fs = std::filesystem;

/// A value that is computed once, by whichever thread asks first.
template <typename T>
class Lazy {
public:
    template <typename Compute>
    const T& get(const Compute& compute) {
        if (!ready_.load(std::memory_order_acquire)) {
            const std::scoped_lock lock(mutex_);
            if (!value_) value_ = compute();
            ready_.store(true, std::memory_order_release);
        }
        return *value_;
    }

private:
    std::mutex mutex_;
    std::atomic<bool> ready_{false};
    std::optional<T> value_;
};

/// The frames of one file, without the one that the file before has as well.
struct Part {
    std::size_t file = 0;
    std::int64_t first = 0;  ///< its place among the frames of all parts
    std::vector<FrameHeader> frames;

    std::int64_t end() const { return first + static_cast<std::int64_t>(frames.size()); }
};

/// All frames; parts without frames are left out.
struct Frames {
    std::vector<Part> parts;
    std::int64_t trailing_bytes = 0;

    std::int64_t size() const { return parts.empty() ? 0 : parts.back().end(); }
    const Part& part_of(std::int64_t index) const {
        return *std::prev(std::ranges::upper_bound(parts, index, {}, &Part::first));
    }
};

fs::path absolute_path(const fs::path& path) {
    if (path.empty()) return path;
    std::error_code error;
    const fs::path absolute = fs::absolute(path, error);
    if (error) fail_errno(error.value(), fmt::format("cannot find the folder of '{}'", path.string()));
    return absolute.lexically_normal();
}

/// By how much the steps of a part have to be raised so that they follow those before: a part
/// that starts after a wrap cannot know of it.
std::int64_t wrap_between(const FrameHeader& last, const FrameHeader& next) {
    constexpr std::int64_t kHalfTurn = std::int64_t{1} << 31;
    constexpr std::int64_t kTurn = std::int64_t{1} << 32;
    const std::int64_t missing = last.step - kHalfTurn - next.step;
    if (missing <= 0 || !(next.time_ps >= last.time_ps)) return 0;
    return (missing + kTurn - 1) / kTurn * kTurn;
}

void append_part(FrameIndex index, std::size_t file, bool keep_duplicate, Frames& frames) {
    Part part{file, frames.size(), std::move(index).frames()};
    if (part.frames.empty()) return;
    if (!frames.parts.empty()) {
        const FrameHeader& last = frames.parts.back().frames.back();
        const FrameHeader& next = part.frames.front();
        if (next.n_atoms != last.n_atoms) {
            fail(ErrorKind::input, "'{}' has {} atoms, the file before it has {}", index.path().string(),
                 next.n_atoms, last.n_atoms);
        }
        const std::int64_t shift = wrap_between(last, next);
        const bool duplicate = next.step + shift == last.step && next.time_ps == last.time_ps;
        if (shift != 0) {
            for (FrameHeader& header : part.frames) header.step += shift;
        }
        if (duplicate && !keep_duplicate) part.frames.erase(part.frames.begin());
        if (part.frames.empty()) return;
    }
    frames.parts.push_back(std::move(part));
}

}  // namespace

struct Trajectory::State {
    std::vector<fs::path> files;
    fs::path structure;
    TrajectoryOptions options;

    Lazy<Frames> lazy_frames;
    Lazy<std::shared_ptr<const Topology>> lazy_topology;
    Lazy<Fingerprint> lazy_fingerprint;

    const Frames& frames() {
        return lazy_frames.get([&] {
            Frames frames;
            for (std::size_t i = 0; i < files.size(); ++i) {
                FrameIndex part(files[i]);
                part.refresh();
                frames.trailing_bytes = part.trailing_bytes();
                append_part(std::move(part), i, options.keep_boundary_duplicates, frames);
            }
            return frames;
        });
    }

    /// The part of a frame, and its header; a negative index counts from the end.
    std::pair<const Part&, const FrameHeader&> locate(std::int64_t index) {
        const std::int64_t size = frames().size();
        const std::int64_t from_start = index < 0 ? index + size : index;
        if (from_start < 0 || from_start >= size) {
            fail(ErrorKind::usage, "there is no frame {} in '{}', which has {}", index,
                 files.front().string(), size);
        }
        const Part& part = frames().part_of(from_start);
        return {part, part.frames[static_cast<std::size_t>(from_start - part.first)]};
    }

    const FrameHeader& end_frame(std::int64_t index) {
        if (frames().size() == 0) {
            fail(ErrorKind::input, "there is no whole frame in '{}'", files.front().string());
        }
        return locate(index).second;
    }

    std::int64_t n_atoms() { return frames().size() == 0 ? 0 : locate(0).second.n_atoms; }

    std::shared_ptr<const Topology> topology() {
        return lazy_topology.get([&] {
            if (structure.empty()) {
                fail(ErrorKind::usage,
                     "no structure file was given for '{}', so that its atoms have no names",
                     files.front().string());
            }
            auto topology = std::make_shared<const Topology>(read_topology(structure));
            if (frames().size() != 0 && topology->size() != n_atoms()) {
                fail(ErrorKind::input, "'{}' has {} atoms, but '{}' has {}", structure.string(),
                     topology->size(), files.front().string(), n_atoms());
            }
            return topology;
        });
    }

    Fingerprint fingerprint() {
        return lazy_fingerprint.get([&] {
            std::vector<Fingerprint> parts = options.fingerprints;
            if (parts.empty()) {
                for (const fs::path& file : files) parts.push_back(fingerprint_file(file));
            }
            if (parts.size() == 1) return parts.front();
            std::string text = options.keep_boundary_duplicates ? "all frames" : "without duplicates";
            for (const Fingerprint& part : parts) text += ' ' + part.hex();
            return coromd::fingerprint(text);
        });
    }
};

Trajectory::Trajectory(std::vector<fs::path> files, fs::path structure, TrajectoryOptions options)
    : state_(std::make_shared<State>()) {
    if (files.empty()) fail(ErrorKind::usage, "a trajectory needs at least one file");
    if (!options.fingerprints.empty() && options.fingerprints.size() != files.size()) {
        fail(ErrorKind::usage, "{} fingerprints were given for {} files", options.fingerprints.size(),
             files.size());
    }
    for (fs::path& file : files) {
        frame_format_of(file);
        file = absolute_path(file);
    }
    state_->files = std::move(files);
    state_->structure = absolute_path(structure);
    state_->options = std::move(options);
}

Trajectory::Trajectory(const fs::path& file, fs::path structure, TrajectoryOptions options)
    : Trajectory(std::vector<fs::path>{file}, std::move(structure), std::move(options)) {}

const std::vector<fs::path>& Trajectory::files() const noexcept {
    return state_->files;
}
const fs::path& Trajectory::structure() const noexcept {
    return state_->structure;
}
const TrajectoryOptions& Trajectory::options() const noexcept {
    return state_->options;
}

std::int64_t Trajectory::n_frames() const {
    return state_->frames().size();
}
std::int64_t Trajectory::n_atoms() const {
    return state_->n_atoms();
}
double Trajectory::dt_ps() const {
    return n_frames() < 2 ? 0.0 : time_ps(1) - time_ps(0);
}
double Trajectory::first_time_ps() const {
    return state_->end_frame(0).time_ps;
}
double Trajectory::last_time_ps() const {
    return state_->end_frame(-1).time_ps;
}
std::int64_t Trajectory::first_step() const {
    return state_->end_frame(0).step;
}
std::int64_t Trajectory::last_step() const {
    return state_->end_frame(-1).step;
}
double Trajectory::time_ps(std::int64_t index) const {
    return state_->locate(index).second.time_ps;
}
std::int64_t Trajectory::step(std::int64_t index) const {
    return state_->locate(index).second.step;
}
std::int64_t Trajectory::trailing_bytes() const {
    return state_->frames().trailing_bytes;
}

Frame Trajectory::frame(std::int64_t index, const FrameNeeds& needs) const {
    Frame frame;
    reader().read(index, frame, needs);
    return frame;
}

TrajectoryReader Trajectory::reader() const {
    return TrajectoryReader(*this);
}

void Trajectory::for_each_frame(const FrameNeeds& needs, const std::function<void(const Frame&)>& fn) const {
    TrajectoryReader frames = reader();
    Frame frame;
    for (std::int64_t i = 0; i < n_frames(); ++i) {
        frames.read(i, frame, needs);
        fn(frame);
    }
}

void Trajectory::for_each_frame_in_parallel(const FrameNeeds& needs, unsigned n_threads,
                                            const std::function<void(std::int64_t, const Frame&)>& fn) const {
    // Frames that follow each other in the file are for one thread, which has their pages at hand.
    constexpr std::int64_t kFramesAtOnce = 32;
    const std::int64_t end = n_frames();
    std::atomic<std::int64_t> next{0};
    std::mutex mutex;
    std::exception_ptr failure;
    const auto work = [&] {
        try {
            TrajectoryReader frames = reader();
            Frame frame;
            for (std::int64_t first; (first = next.fetch_add(kFramesAtOnce)) < end;) {
                for (std::int64_t i = first; i < std::min(first + kFramesAtOnce, end); ++i) {
                    frames.read(i, frame, needs);
                    fn(i, frame);
                }
            }
        } catch (...) {
            next = end;
            const std::scoped_lock lock(mutex);
            if (!failure) failure = std::current_exception();
        }
    };
    {
        std::vector<std::jthread> others;
        for (unsigned i = 1; i < n_threads; ++i) others.emplace_back(work);
        work();
    }
    if (failure) std::rethrow_exception(failure);
}

std::shared_ptr<const Topology> Trajectory::topology() const {
    return state_->topology();
}
Fingerprint Trajectory::fingerprint() const {
    return state_->fingerprint();
}

class TrajectoryReader::Impl {
public:
    explicit Impl(Trajectory trajectory) : trajectory_(std::move(trajectory)) {}

    std::pair<const Part&, const FrameHeader&> locate(std::int64_t index) const {
        return trajectory_.state_->locate(index);
    }

    /// One file is open at a time: a trajectory may have very many parts.
    FrameReader& reader_of(std::size_t file) {
        if (!reader_ || file_ != file) {
            reader_.emplace(trajectory_.files()[file]);
            file_ = file;
        }
        return *reader_;
    }

    const Trajectory& trajectory() const noexcept { return trajectory_; }

private:
    Trajectory trajectory_;
    std::optional<FrameReader> reader_;
    std::size_t file_ = 0;
};

TrajectoryReader::TrajectoryReader(Trajectory trajectory)
    : impl_(std::make_unique<Impl>(std::move(trajectory))) {}
TrajectoryReader::TrajectoryReader(TrajectoryReader&&) noexcept = default;
TrajectoryReader& TrajectoryReader::operator=(TrajectoryReader&&) noexcept = default;
TrajectoryReader::~TrajectoryReader() = default;

std::int64_t TrajectoryReader::n_frames() const {
    return impl_->trajectory().n_frames();
}

void TrajectoryReader::read(std::int64_t index, Frame& frame, const FrameNeeds& needs) {
    // Of frames of which little is needed, one after the other, the processor would wait for each.
    constexpr std::ptrdiff_t kFramesAhead = 3;
    const auto& [part, header] = impl_->locate(index);
    FrameReader& file = impl_->reader_of(part.file);
    if (&part.frames.back() - &header >= kFramesAhead) file.prefetch((&header)[kFramesAhead]);
    file.read(header, frame, needs);
}

std::pair<const fs::path&, const FrameHeader&> TrajectoryReader::place_of(std::int64_t index) const {
    const auto& [part, header] = impl_->locate(index);
    return {impl_->trajectory().files()[part.file], header};
}

}  // namespace coromd::trajectory
