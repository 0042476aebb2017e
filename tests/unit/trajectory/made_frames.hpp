// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "coromd/core/random.hpp"
#include "coromd/trajectory/format.hpp"
#include "coromd/trajectory/frame_writer.hpp"
#include "coromd/trajectory/trajectory.hpp"

namespace coromd::trajectory {

/// A folder that is gone after the test.
class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "coromd-XXXXXX").string();
        if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
        path_ = name;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
    const std::filesystem::path& path() const { return path_; }
    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(path_)) {
            names.push_back(entry.path().filename().string());
        }
        return names;
    }

private:
    std::filesystem::path path_;
};

inline std::string read_bytes(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

inline void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << bytes;
}

/// Molecules of three atoms, the way of water, at random in a box.
inline Frame water_like_frame(std::size_t n_atoms, std::int64_t step, std::uint64_t seed = 1,
                              float box = 3.0F) {
    RandomStream random(seed, "frame " + std::to_string(step));
    Frame frame;
    frame.step = step;
    frame.time_ps = static_cast<double>(step) * 0.002;
    frame.box = {{box, 0, 0}, {0, box, 0}, {0, 0, box}};
    Vec3f p;
    for (std::size_t i = 0; i < n_atoms; ++i) {
        if (i % 3 == 0) {
            p = {static_cast<float>(random.uniform()) * box, static_cast<float>(random.uniform()) * box,
                 static_cast<float>(random.uniform()) * box};
        }
        const auto shift = [&] { return 0.06F * static_cast<float>(random.normal()); };
        p = {p.x + shift(), p.y + shift(), p.z + shift()};
        frame.positions.push_back(p);
    }
    return frame;
}

inline Frame with_velocities(Frame frame) {
    RandomStream random(7, "velocities");
    for (std::size_t i = 0; i < frame.positions.size(); ++i) {
        frame.velocities.push_back({static_cast<float>(random.normal()), static_cast<float>(random.normal()),
                                    static_cast<float>(random.normal())});
    }
    return frame;
}

inline std::shared_ptr<const Topology> water_topology(std::size_t n_atoms) {
    std::vector<Atom> atoms;
    for (std::size_t i = 0; i < n_atoms; ++i) {
        Atom atom;
        atom.name = i % 3 == 0 ? "OW" : i % 3 == 1 ? "HW1" : "HW2";
        atom.resname = "SOL";
        atom.resid = static_cast<std::int32_t>(i / 3 + 1);
        atoms.push_back(atom);
    }
    return std::make_shared<const Topology>(std::move(atoms));
}

/// Writes frames of steps first, first + by, ... to a file whose format follows from the name.
inline Trajectory write_trajectory(const std::filesystem::path& path, std::int64_t n_frames,
                                   std::int64_t first_step = 0, std::int64_t by = 10,
                                   std::size_t n_atoms = 12) {
    FrameWriter writer(path, {.overwrite = true, .topology = water_topology(n_atoms)});
    for (std::int64_t i = 0; i < n_frames; ++i) {
        Frame frame = water_like_frame(n_atoms, first_step + i * by);
        if (format_of(path).stores_velocities) frame = with_velocities(frame);
        writer.write(frame);
    }
    writer.close();
    return Trajectory(path, "");
}

}  // namespace coromd::trajectory
