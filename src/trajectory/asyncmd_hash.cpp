// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/asyncmd_hash.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <blake2.h>

#include "big_endian.hpp"
#include "coromd/trajectory/input_file.hpp"

namespace coromd::trajectory {

std::uint64_t asyncmd_hash(const std::vector<std::filesystem::path>& files) {
    constexpr std::int64_t kEnd = 512;
    blake2b_state state;
    std::array<std::byte, sizeof(std::uint64_t)> digest{};
    blake2b_init(&state, digest.size());
    for (const std::filesystem::path& path : files) {
        const InputFile file(path);
        const std::string size = std::to_string(file.size());
        blake2b_update(&state, reinterpret_cast<const std::uint8_t*>(size.data()), size.size());
        std::vector<std::byte> end(static_cast<std::size_t>(std::min(kEnd, file.size())));
        for (const std::int64_t offset :
             {std::int64_t{0}, file.size() - static_cast<std::int64_t>(end.size())}) {
            file.read_exactly(offset, end);
            blake2b_update(&state, reinterpret_cast<const std::uint8_t*>(end.data()), end.size());
        }
    }
    blake2b_final(&state, reinterpret_cast<std::uint8_t*>(digest.data()), digest.size());
    return load_big_endian<std::uint64_t>(digest.data());
}

}  // namespace coromd::trajectory
