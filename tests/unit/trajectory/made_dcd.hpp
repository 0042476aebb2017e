// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "big_endian.hpp"

namespace coromd::trajectory {

/// What a program could have written; the positions of frame f are those of position_of().
struct MadeDcd {
    bool big_endian = false;
    bool xplor = false;
    bool four_dimensions = false;
    std::string tag = "CORD";
    std::int32_t n_frames = 2;
    std::int32_t n_frames_said = 2;
    std::int32_t start = 100;
    std::int32_t interval = 50;
    double time_step = 2.0;
    std::int32_t n_titles = 2;
    std::int32_t n_atoms = 5;
    std::vector<std::int32_t> free_atoms;  ///< from 1; empty: no atom is fixed
    std::vector<double> cell;

    float coordinate(int frame, std::int32_t atom, int d) const {
        return static_cast<float>(100 * frame + 10 * atom + d);
    }

    std::string bytes() const {
        std::string out;
        std::array<std::int32_t, 20> controls{};
        controls[0] = n_frames_said;
        controls[1] = start;
        controls[2] = interval;
        controls[8] = free_atoms.empty() ? 0 : n_atoms - static_cast<std::int32_t>(free_atoms.size());
        std::string first = tag;
        for (std::size_t i = 0; i < controls.size(); ++i) {
            if (i == 9 && xplor) {
                put(first, time_step);
                ++i;
            } else if (i == 9) {
                put(first, static_cast<float>(time_step));
            } else if (!xplor && i == 10) {
                put(first, std::int32_t{cell.empty() ? 0 : 1});
            } else if (!xplor && i == 11) {
                put(first, std::int32_t{four_dimensions ? 1 : 0});
            } else if (!xplor && i == 19) {
                put(first, std::int32_t{35});
            } else {
                put(first, controls[i]);
            }
        }
        record(out, first);
        std::string titles;
        put(titles, n_titles);
        titles.append(static_cast<std::size_t>(80 * n_titles), '*');
        record(out, titles);
        std::string number;
        put(number, n_atoms);
        record(out, number);
        std::string list;
        for (const std::int32_t atom : free_atoms) put(list, atom);
        if (!free_atoms.empty()) record(out, list);
        for (int frame = 0; frame < n_frames; ++frame) {
            std::string lengths;
            for (const double value : cell) put(lengths, value);
            if (!cell.empty()) record(out, lengths);
            for (int d = 0; d < (four_dimensions ? 4 : 3); ++d) {
                std::string row;
                for (std::int32_t atom = 0; atom < n_atoms; ++atom) {
                    if (frame == 0 || free_atoms.empty() || std::ranges::count(free_atoms, atom + 1) > 0) {
                        put(row, coordinate(frame, atom, d));
                    }
                }
                record(out, row);
            }
        }
        return out;
    }

private:
    template <typename T>
    void put(std::string& out, T value) const {
        BitsOf<T> bits = std::bit_cast<BitsOf<T>>(value);
        if (big_endian) bits = swap_bytes(bits);
        out.append(reinterpret_cast<const char*>(&bits), sizeof bits);
    }
    void record(std::string& out, const std::string& content) const {
        put(out, static_cast<std::int32_t>(content.size()));
        out += content;
        put(out, static_cast<std::int32_t>(content.size()));
    }
};

}  // namespace coromd::trajectory
