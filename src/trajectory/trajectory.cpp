// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What is known of a trajectory is read in three independent pieces, each when first asked for:
// the frames of all files (headers only), the topology, and the fingerprint. A piece is read by
// one thread while others that ask for it wait; a failed read is tried again by the next asker.
#include "coromd/trajectory/trajectory.hpp"

#include <atomic>
#include <mutex>
#include <optional>

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

struct IndexedFrame {
    FrameHeader header;
    std::size_t file = 0;
};

struct Frames {
    std::vector<IndexedFrame> all;
    std::int64_t trailing_bytes = 0;
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

void append_part(const FrameIndex& part, std::size_t file, bool keep_duplicate, Frames& frames) {
    if (part.size() == 0) return;
    std::int64_t shift = 0;
    std::size_t first = 0;
    if (!frames.all.empty()) {
        const FrameHeader& last = frames.all.back().header;
        const FrameHeader& next = part.frames().front();
        if (next.n_atoms != last.n_atoms) {
            fail(ErrorKind::input, "'{}' has {} atoms, the file before it has {}", part.path().string(),
                 next.n_atoms, last.n_atoms);
        }
        shift = wrap_between(last, next);
        const bool duplicate = next.step + shift == last.step && next.time_ps == last.time_ps;
        if (duplicate && !keep_duplicate) first = 1;
    }
    for (std::size_t i = first; i < part.frames().size(); ++i) {
        IndexedFrame frame{part.frames()[i], file};
        frame.header.step += shift;
        frames.all.push_back(frame);
    }
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
                append_part(part, i, options.keep_boundary_duplicates, frames);
                frames.trailing_bytes = part.trailing_bytes();
            }
            return frames;
        });
    }

    /// A negative index counts from the end.
    const IndexedFrame& frame(std::int64_t index) {
        const std::vector<IndexedFrame>& all = frames().all;
        const auto size = static_cast<std::int64_t>(all.size());
        const std::int64_t from_start = index < 0 ? index + size : index;
        if (from_start < 0 || from_start >= size) {
            fail(ErrorKind::usage, "there is no frame {} in '{}', which has {}", index,
                 files.front().string(), size);
        }
        return all[static_cast<std::size_t>(from_start)];
    }

    const FrameHeader& end_frame(std::int64_t index) {
        if (frames().all.empty()) {
            fail(ErrorKind::input, "there is no whole frame in '{}'", files.front().string());
        }
        return frame(index).header;
    }

    std::shared_ptr<const Topology> topology() {
        return lazy_topology.get([&] {
            if (structure.empty()) {
                fail(ErrorKind::usage,
                     "no structure file was given for '{}', so that its atoms have no names",
                     files.front().string());
            }
            auto topology = std::make_shared<const Topology>(read_topology(structure));
            if (!frames().all.empty() && topology->size() != frames().all.front().header.n_atoms) {
                fail(ErrorKind::input, "'{}' has {} atoms, but '{}' has {}", structure.string(),
                     topology->size(), files.front().string(), frames().all.front().header.n_atoms);
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
    return static_cast<std::int64_t>(state_->frames().all.size());
}
std::int64_t Trajectory::n_atoms() const {
    return n_frames() == 0 ? 0 : state_->frame(0).header.n_atoms;
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
    return state_->frame(index).header.time_ps;
}
std::int64_t Trajectory::step(std::int64_t index) const {
    return state_->frame(index).header.step;
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

std::shared_ptr<const Topology> Trajectory::topology() const {
    return state_->topology();
}
Fingerprint Trajectory::fingerprint() const {
    return state_->fingerprint();
}

class TrajectoryReader::Impl {
public:
    explicit Impl(Trajectory trajectory) : trajectory_(std::move(trajectory)) {}

    const IndexedFrame& frame(std::int64_t index) const { return trajectory_.state_->frame(index); }

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
    const IndexedFrame& found = impl_->frame(index);
    impl_->reader_of(found.file).read(found.header, frame, needs);
}

void TrajectoryReader::read_encoded(std::int64_t index, std::vector<std::byte>& out) {
    const IndexedFrame& found = impl_->frame(index);
    impl_->reader_of(found.file).read_encoded(found.header, out);
}

const fs::path& TrajectoryReader::file_of(std::int64_t index) const {
    return impl_->trajectory().files()[impl_->frame(index).file];
}

}  // namespace coromd::trajectory
