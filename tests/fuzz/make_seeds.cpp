// SPDX-License-Identifier: LGPL-3.0-or-later
//
// make_seeds FOLDER: the small valid files that the fuzzers start from, a folder for each target.
#include <exception>
#include <iostream>

#include "target.hpp"
#include "unit/trajectory/made_frames.hpp"

int main(int argc, char** argv) {
    try {
        if (argc != 2) throw std::runtime_error("usage: make_seeds FOLDER");
        for (const coromd::fuzz::Target& target : coromd::fuzz::targets()) {
            const std::filesystem::path folder = std::filesystem::path(argv[1]) / target.name;
            std::filesystem::create_directories(folder);
            for (const coromd::fuzz::Seed& seed : coromd::fuzz::seeds_of(target))
                coromd::trajectory::write_bytes(folder / seed.name, seed.bytes);
        }
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "make_seeds: " << error.what() << '\n';
        return 1;
    }
}
