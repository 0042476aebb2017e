// SPDX-License-Identifier: LGPL-3.0-or-later
//
// One measurement of the trajectory module; compare.py runs it beside its peers.
//
//   trajectory_bench CASE TRAJECTORY [ARGUMENT]
//
// Prints seconds, and what was found, so that a case that does nothing is seen.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <string_view>

#include "coromd/trajectory/concatenate.hpp"
#include "coromd/trajectory/extract.hpp"
#include "coromd/trajectory/trajectory.hpp"

namespace {

namespace fs = std::filesystem;
using namespace coromd::trajectory;

struct Arguments {
    fs::path trajectory;
    std::string extra;
};

using Case = std::function<double(const Arguments&)>;

double index_frames(const Arguments& arguments) {
    const Trajectory trajectory(arguments.trajectory, {});
    return static_cast<double>(trajectory.n_frames()) + trajectory.last_time_ps();
}

/// The length of an XTC frame from its header, as any program would do it.
std::int64_t xtc_frame_size(const unsigned char* header) {
    std::uint32_t n_bytes;
    std::memcpy(&n_bytes, header + 88, sizeof n_bytes);
    return 92 + (static_cast<std::int64_t>(__builtin_bswap32(n_bytes)) + 3) / 4 * 4;
}

double hop_with_mmap(const Arguments& arguments) {
    const int fd = ::open(arguments.trajectory.c_str(), O_RDONLY);
    const auto size = static_cast<std::int64_t>(fs::file_size(arguments.trajectory));
    const auto length = static_cast<std::size_t>(size);
    auto* const bytes = static_cast<unsigned char*>(::mmap(nullptr, length, PROT_READ, MAP_SHARED, fd, 0));
    double n = 0;
    for (std::int64_t offset = 0; offset + 92 <= size; offset += xtc_frame_size(bytes + offset)) ++n;
    ::munmap(bytes, length);
    ::close(fd);
    return n;
}

double hop_with_pread(const Arguments& arguments) {
    const int fd = ::open(arguments.trajectory.c_str(), O_RDONLY);
    std::array<unsigned char, 92> header{};
    double n = 0;
    for (std::int64_t offset = 0; ::pread(fd, header.data(), header.size(), offset) == 92;
         offset += xtc_frame_size(header.data()))
        ++n;
    ::close(fd);
    return n;
}

double read_all(const Arguments& arguments) {
    double sum = 0;
    const Trajectory trajectory(arguments.trajectory, {});
    trajectory.for_each_frame({}, [&](const Frame& frame) { sum += frame.positions.back().x; });
    return sum;
}

double read_all_in_parallel(const Arguments& arguments) {
    const Trajectory trajectory(arguments.trajectory, {});
    std::vector<float> last(static_cast<std::size_t>(trajectory.n_frames()));
    trajectory.for_each_frame_in_parallel({}, static_cast<unsigned>(std::stoi(arguments.extra)),
                                          [&](std::int64_t i, const Frame& frame) {
                                              last[static_cast<std::size_t>(i)] = frame.positions.back().x;
                                          });
    double sum = 0;
    for (const float x : last) sum += x;
    return sum;
}

using Vector = std::array<double, 3>;

Vector between(const Vec3f& from, const Vec3f& to) {
    return {static_cast<double>(to.x) - from.x, static_cast<double>(to.y) - from.y,
            static_cast<double>(to.z) - from.z};
}
Vector cross(const Vector& a, const Vector& b) {
    return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}
double dot(const Vector& a, const Vector& b) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

double dihedral(const Frame& frame, const std::array<std::size_t, 4>& atoms) {
    const auto position = [&](std::size_t i) { return frame.positions[atoms[i]]; };
    const Vector b1 = between(position(0), position(1));
    const Vector b2 = between(position(1), position(2));
    const Vector b3 = between(position(2), position(3));
    const Vector n1 = cross(b1, b2);
    const Vector n2 = cross(b2, b3);
    return std::atan2(std::sqrt(dot(b2, b2)) * dot(b1, n2), dot(n1, n2));
}

double psi_and_phi(const Arguments& arguments) {
    double sum = 0;
    const Trajectory trajectory(arguments.trajectory, {});
    trajectory.for_each_frame({.atoms = 17}, [&](const Frame& frame) {
        sum += dihedral(frame, {6, 8, 14, 16}) + dihedral(frame, {4, 6, 8, 14});
    });
    return sum;
}

double last_molecule(const Arguments& arguments) {
    double sum = 0;
    const Trajectory trajectory(arguments.trajectory, {});
    trajectory.for_each_frame({}, [&](const Frame& frame) {
        const std::size_t n = frame.positions.size();
        const Vector bond = between(frame.positions[n - 3], frame.positions[n - 2]);
        sum += std::sqrt(dot(bond, bond));
    });
    return sum;
}

/// The centre of ten atoms; `extra` has their indices.
double some_atoms(const Arguments& arguments) {
    std::vector<std::size_t> atoms;
    for (std::size_t at = 0; at < arguments.extra.size();) {
        const std::size_t comma = std::min(arguments.extra.find(',', at), arguments.extra.size());
        atoms.push_back(std::stoul(arguments.extra.substr(at, comma - at)));
        at = comma + 1;
    }
    double sum = 0;
    const Trajectory trajectory(arguments.trajectory, {});
    const auto needed = static_cast<std::int64_t>(*std::max_element(atoms.begin(), atoms.end())) + 1;
    trajectory.for_each_frame({.atoms = needed}, [&](const Frame& frame) {
        for (const std::size_t atom : atoms) sum += frame.positions[atom].x;
    });
    return sum / static_cast<double>(atoms.size());
}

double concatenate_forward(const Arguments& arguments) {
    const Trajectory trajectory(arguments.trajectory, {});
    ConcatenateOptions options;
    options.overwrite = true;
    return static_cast<double>(concatenate({{trajectory, {}}}, arguments.extra, options).n_frames());
}

double concatenate_backwards(const Arguments& arguments) {
    const Trajectory trajectory(arguments.trajectory, {});
    ConcatenateOptions options;
    options.overwrite = true;
    return static_cast<double>(
        concatenate({{trajectory, {std::nullopt, std::nullopt, -1}}}, arguments.extra, options).n_frames());
}

std::vector<std::int64_t> random_frames(std::int64_t n_frames) {
    std::mt19937_64 random(1);
    std::vector<std::int64_t> frames(100);
    for (std::int64_t& frame : frames)
        frame = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n_frames));
    return frames;
}

double read_random_frames(const Arguments& arguments) {
    const Trajectory trajectory(arguments.trajectory, {});
    double sum = 0;
    for (const std::int64_t i : random_frames(trajectory.n_frames()))
        sum += trajectory.frame(i).positions.front().x;
    return sum;
}

/// Each to a file of its own in the folder `extra`, synced.
double extract_random_frames(const Arguments& arguments) {
    const Trajectory trajectory(arguments.trajectory, {});
    int n = 0;
    ExtractOptions options;
    options.overwrite = true;
    for (const std::int64_t i : random_frames(trajectory.n_frames()))
        extract_frame(trajectory, i, fs::path(arguments.extra) / fmt::format("{}.trr", n++), options);
    return n;
}

std::int64_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::int64_t total = 0;
    std::int64_t resident = 0;
    file >> total >> resident;
    return resident * ::sysconf(_SC_PAGESIZE);
}

/// All files of a folder, kept open as handles; prints the memory of each.
double many_small(const Arguments& arguments) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(arguments.trajectory)) files.push_back(entry.path());
    const std::int64_t before = resident_bytes();
    std::vector<Trajectory> trajectories;
    double n_frames = 0;
    for (const fs::path& file : files)
        n_frames += static_cast<double>(trajectories.emplace_back(file, fs::path()).n_frames());
    fmt::print(stderr, "{} bytes each\n",
               (resident_bytes() - before) / static_cast<std::int64_t>(trajectories.size()));
    return n_frames;
}

const std::map<std::string_view, Case> kCases = {
    {"index", index_frames},
    {"hop_mmap", hop_with_mmap},
    {"hop_pread", hop_with_pread},
    {"read", read_all},
    {"read_parallel", read_all_in_parallel},
    {"psi_phi", psi_and_phi},
    {"last_molecule", last_molecule},
    {"some_atoms", some_atoms},
    {"concatenate", concatenate_forward},
    {"backwards", concatenate_backwards},
    {"random_read", read_random_frames},
    {"random_extract", extract_random_frames},
    {"many_small", many_small},
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3 || !kCases.contains(argv[1])) {
        fmt::print(stderr, "usage: trajectory_bench CASE TRAJECTORY [ARGUMENT]\ncases:");
        for (const auto& [name, run] : kCases) fmt::print(stderr, " {}", name);
        fmt::print(stderr, "\n");
        return 2;
    }
    const Arguments arguments{argv[2], argc > 3 ? argv[3] : ""};
    const auto start = std::chrono::steady_clock::now();
    const double found = kCases.at(argv[1])(arguments);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    fmt::print("{:.6f} {:.6g}\n", took.count(), found);
}
