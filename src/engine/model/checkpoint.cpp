// SPDX-License-Identifier: LGPL-3.0-or-later
//
// A checkpoint, little-endian:
//
//     byte  0  "coromd model cpt", 16 bytes
//          16  version: 1, and the part (uint32 each)
//          24  step (int64)
//          32  size of the part's trajectory in bytes
//          40  fingerprint of the input: high half, low half
//          56  number of particles
//          64  x, y, vx, vy of each: doubles
//         end  XXH3-64 of all that
#include "checkpoint.hpp"

#include <bit>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"

namespace coromd::engine::model {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kMagic = "coromd model cpt";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeadSize = 64;
constexpr std::size_t kParticleSize = 32;
constexpr std::size_t kHashSize = 8;
constexpr std::size_t kSizeLimit = std::size_t{1} << 30;

template <typename Word>
void append(std::string& out, Word word) {
    for (std::size_t i = 0; i < sizeof word; ++i) out += static_cast<char>(word >> (8 * i) & 0xff);
}

void append(std::string& out, double number) {
    append(out, std::bit_cast<std::uint64_t>(number));
}

template <typename Word>
Word take(std::string_view& bytes) {
    Word word = 0;
    for (std::size_t i = 0; i < sizeof word; ++i)
        word |= static_cast<Word>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    bytes.remove_prefix(sizeof word);
    return word;
}

double take_double(std::string_view& bytes) {
    return std::bit_cast<double>(take<std::uint64_t>(bytes));
}

void keep_previous(const fs::path& path) {
    fs::path previous = path;
    previous.replace_filename(path.stem().string() + "_prev" + path.extension().string());
    std::error_code error;
    if (!fs::exists(path, error)) return;
    fs::remove(previous, error);
    fs::create_hard_link(path, previous, error);
    // Not every file system has links.
    if (error) fs::copy_file(path, previous, fs::copy_options::overwrite_existing, error);
    if (error)
        fail(ErrorKind::system, "cannot keep '{}' as '{}': {}", path.string(), previous.string(),
             error.message());
}

}  // namespace

void Checkpoint::write(const fs::path& path) const {
    std::string bytes(kMagic);
    append(bytes, kVersion);
    append(bytes, static_cast<std::uint32_t>(part));
    append(bytes, static_cast<std::uint64_t>(step));
    append(bytes, trajectory_bytes);
    append(bytes, input.high);
    append(bytes, input.low);
    append(bytes, std::uint64_t{particles.size()});
    for (const auto& [r, v] : particles)
        for (const double number : {r.x, r.y, v.x, v.y}) append(bytes, number);
    append(bytes, hash64(bytes));
    keep_previous(path);
    write_file_durably(path, bytes);
}

Checkpoint Checkpoint::read(const fs::path& path) {
    const std::string content = read_text_file(path, kSizeLimit);
    std::string_view bytes = content;
    if (!bytes.starts_with(kMagic))
        fail(ErrorKind::input, "'{}' is no checkpoint of model-md", path.string());
    if (bytes.size() < kHeadSize + kHashSize)
        fail(ErrorKind::input, "'{}' is cut off: it has {} bytes", path.string(), bytes.size());
    std::string_view hash = bytes.substr(bytes.size() - kHashSize);
    bytes.remove_suffix(kHashSize);
    if (take<std::uint64_t>(hash) != hash64(bytes))
        fail(ErrorKind::input,
             "'{}' is damaged or cut off: its checksum is wrong; the checkpoint before it is the file with "
             "_prev "
             "in its name",
             path.string());

    bytes.remove_prefix(kMagic.size());
    if (const auto version = take<std::uint32_t>(bytes); version != kVersion)
        fail(ErrorKind::input, "'{}' is of version {}, and only {} is known: use the coromd that wrote it",
             path.string(), version, kVersion);
    Checkpoint checkpoint;
    const auto part = take<std::uint32_t>(bytes);
    const auto step = take<std::uint64_t>(bytes);
    checkpoint.trajectory_bytes = take<std::uint64_t>(bytes);
    checkpoint.input.high = take<std::uint64_t>(bytes);
    checkpoint.input.low = take<std::uint64_t>(bytes);
    const auto count = take<std::uint64_t>(bytes);
    if (part == 0 || part >= std::numeric_limits<int>::max() ||
        step > std::numeric_limits<std::int64_t>::max() || count == 0 || bytes.size() % kParticleSize != 0 ||
        count != bytes.size() / kParticleSize)
        fail(ErrorKind::input, "'{}' contradicts itself: part {}, step {}, {} particles in {} bytes",
             path.string(), part, step, count, bytes.size());
    checkpoint.part = static_cast<int>(part);
    checkpoint.step = static_cast<std::int64_t>(step);
    checkpoint.particles.resize(static_cast<std::size_t>(count));
    for (auto& [r, v] : checkpoint.particles)
        for (double* number : {&r.x, &r.y, &v.x, &v.y}) *number = take_double(bytes);
    return checkpoint;
}

}  // namespace coromd::engine::model
