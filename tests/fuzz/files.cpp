// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Trajectories and structures: the index, all frames with everything and with parts of it, the inspection,
// copies into every format, the topology.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>

#include "coromd/core/error.hpp"
#include "coromd/trajectory/format.hpp"
#include "coromd/trajectory/frame_index.hpp"
#include "coromd/trajectory/frame_reader.hpp"
#include "coromd/trajectory/inspect.hpp"
#include "coromd/trajectory/selection.hpp"
#include "coromd/trajectory/topology.hpp"
#include "coromd/trajectory/trajectory.hpp"
#include "target.hpp"

namespace coromd::fuzz {

using namespace trajectory;
namespace fs = std::filesystem;

namespace {

/// All frames are read of small files only, so that a fuzzer gets on.
constexpr std::int64_t kMaxFrames = 64;

/// Did it work? Throws where it failed with anything but an error about the input.
template <typename Action>
bool worked(const Action& action) {
    try {
        action();
        return true;
    } catch (const Error& error) {
        promise(error.kind() == ErrorKind::input || error.kind() == ErrorKind::usage,
                "the error is not one of the input");
        promise(!error.message().empty(), "the error says nothing");
        return false;
    }
}

void check_index(const FrameIndex& index, std::int64_t file_size) {
    std::int64_t end = 0;
    for (const FrameHeader& header : index.frames()) {
        promise(header.offset >= end && header.size > 0, "frames overlap");
        end = header.offset + header.size;
        promise(end <= file_size, "a frame ends behind the file");
        promise(header.n_atoms == index.n_atoms() && header.n_atoms > 0, "the number of atoms changes");
    }
    promise(index.trailing_bytes() >= 0, "there are fewer than no bytes behind the frames");
}

/// Bits, so that NaN equals itself.
bool is_start_of(const std::vector<Vec3f>& part, const std::vector<Vec3f>& whole) {
    return part.size() <= whole.size() &&
           (part.empty() || std::memcmp(part.data(), whole.data(), part.size() * sizeof(Vec3f)) == 0);
}

void read_parts(const fs::path& path, const FrameHeader& header, const Frame& whole) {
    FrameReader reader(path);
    Frame part;
    for (const std::int64_t atoms : {std::int64_t{0}, std::int64_t{1}, header.n_atoms / 2, header.n_atoms}) {
        for (const bool more : {false, true}) {
            const FrameNeeds needs{.atoms = atoms, .velocities = more, .forces = more};
            const bool good = worked([&] { reader.read(header, part, needs); });
            promise(good, "a part of a good frame cannot be read");
            promise(is_start_of(part.positions, whole.positions), "a part has other positions");
            promise(is_start_of(part.velocities, whole.velocities), "a part has other velocities");
            promise(is_start_of(part.forces, whole.forces), "a part has other forces");
            const auto expected = static_cast<std::size_t>(std::min(atoms, header.n_atoms));
            promise(whole.positions.empty() || part.positions.size() == expected, "a part has another size");
        }
    }
}

void convert(const Frame& frame) {
    const Topology topology(std::vector<Atom>(static_cast<std::size_t>(frame.n_atoms())));
    std::vector<std::byte> bytes;
    for (const Format& format : builtin_formats().entries()) {
        if (!format.writes_frames) continue;
        bytes.clear();
        const std::unique_ptr<FrameCodec> codec = format.make_codec();
        worked([&] { codec->encode(frame, &topology, bytes); });
    }
}

void read_frames(const FrameIndex& index) {
    FrameReader reader(index.path());
    Frame frame;
    std::int64_t n_read = 0;
    for (const FrameHeader& header : index.frames()) {
        if (n_read++ == kMaxFrames) break;
        if (!worked([&] { reader.read(header, frame); })) continue;
        for (const auto* vectors : {&frame.positions, &frame.velocities, &frame.forces}) {
            promise(vectors->empty() || std::ssize(*vectors) == header.n_atoms, "a frame lacks atoms");
        }
        if (n_read > 2 && n_read < index.size()) continue;
        read_parts(index.path(), header, frame);
        if (n_read == 1) convert(frame);
    }
}

}  // namespace

void run_frames(const fs::path& path, std::string_view bytes) {
    FrameIndex index(path);
    const auto size = static_cast<std::int64_t>(bytes.size());
    const bool good = worked([&] { index.refresh(); });
    check_index(index, size);
    if (good) {
        const std::int64_t n_frames = index.size();
        promise(!worked([&] { promise(index.refresh() == 0, "frames come from nowhere"); }) ||
                    index.size() == n_frames,
                "the index is not the same again");
    }
    read_frames(index);

    const Trajectory trajectory(path, "");
    const bool opened = worked([&] {
        promise(trajectory.n_frames() == index.size(), "a trajectory has other frames than its index");
        trajectory.dt_ps();
        if (trajectory.n_frames() > 0) trajectory.last_step();
        trajectory.trailing_bytes();
    });
    promise(opened == good, "a trajectory is read where its index is not, or the other way round");

    worked([&] {
        const Inspection found = inspect(path);
        promise(found.n_good > 0 || size == 0 || !found.ok(), "nothing is wrong with a file of no frame");
        promise(std::ranges::all_of(
                    found.flaws, [&](const Flaw& flaw) { return flaw.offset >= 0 && flaw.offset <= size; }),
                "a flaw is not in the file");
    });
}

void run_structure(const fs::path& path, std::string_view bytes) {
    Topology topology;
    if (!worked([&] { topology = read_topology(path); })) return;
    promise(topology.size() <= static_cast<std::int64_t>(bytes.size()), "there are more atoms than bytes");
    worked([&] { masses_of(topology); });
    for (const char* selection : {"protein or water", "element C* and mass > 2", "same residue as index 0"})
        worked([&] { select(topology, selection); });
}

void run_frames_and_structure(const fs::path& path, std::string_view bytes) {
    run_frames(path, bytes);
    run_structure(path, bytes);
}

/// Counts the atoms of GRO files by pairs, and has no room for the last of an odd number: the proof that a
/// bug is found.
void run_planted(const fs::path& path, std::string_view /*bytes*/) {
    FrameIndex index(path);
    worked([&] { index.refresh(); });
    for (const FrameHeader& header : index.frames()) {
        const auto n_atoms = static_cast<std::size_t>(header.n_atoms);
        std::vector<int> pairs(n_atoms / 2);
        for (std::size_t i = 0; i < n_atoms; ++i) {
            // Without AddressSanitizer a write behind the end may go unseen; at() sees it.
#ifdef COROMD_PLANTED_SILENTLY
            ++pairs.data()[i / 2];
#else
            ++pairs.at(i / 2);
#endif
        }
        promise(std::ranges::all_of(pairs, [](int n) { return n == 2; }), "a pair is not one");
    }
}

}  // namespace coromd::fuzz
