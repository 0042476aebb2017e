// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "big_endian.hpp"

namespace coromd::trajectory {

/// A file as a program could have written it.
struct MadeAmberNetcdf {
    struct Variable {
        std::string name;
        std::vector<int> dimensions;  ///< 0: frame, 1: atom, 2: spatial
        int type;                     ///< 2: char, 5: float, 6: double
        std::string units{};
        double scale_factor = 1.0;
    };
    int version = 2;
    std::string conventions = "AMBER";
    std::int64_t n_atoms = 4;
    int n_frames = 2;
    std::int32_t n_frames_said = 2;
    std::vector<Variable> variables{{"time", {0}, 5, "picosecond"},
                                    {"coordinates", {0, 1, 2}, 5, "angstrom"}};
    /// Of number i of a variable in a frame.
    std::function<double(const std::string&, int, std::int64_t)> value = [](const std::string& name,
                                                                            int frame, std::int64_t i) {
        return name == "cell_angles" ? 90.0 : 10.0 * static_cast<double>(i + 1) + frame;
    };

    std::string bytes() const {
        std::vector<std::byte> out;
        // The offsets follow from the length of the head.
        head(out, 0);
        const std::int64_t data = std::ssize(out);
        out.clear();
        head(out, data);
        for (int frame = 0; frame < n_frames; ++frame) {
            for (const Variable& variable : variables) {
                for (std::int64_t i = 0; i < count(variable); ++i) {
                    const double number = value(variable.name, frame, i);
                    if (variable.type == 2) out.push_back(std::byte{'x'});
                    if (variable.type == 5) append_big_endian(out, static_cast<float>(number));
                    if (variable.type == 6) append_big_endian(out, number);
                }
                fill(out);
            }
        }
        return {reinterpret_cast<const char*>(out.data()), out.size()};
    }

private:
    static void fill(std::vector<std::byte>& out) { out.resize((out.size() + 3) / 4 * 4); }
    std::int64_t count(const Variable& variable) const {
        std::int64_t n = 1;
        for (const int d : variable.dimensions) n *= d == 0 ? 1 : d == 1 ? n_atoms : 3;
        return n;
    }
    void number(std::vector<std::byte>& out, std::int64_t value) const {
        if (version == 5) {
            append_big_endian(out, value);
        } else {
            append_big_endian(out, static_cast<std::int32_t>(value));
        }
    }
    void text(std::vector<std::byte>& out, const std::string& text) const {
        number(out, std::ssize(text));
        for (const char c : text) out.push_back(static_cast<std::byte>(c));
        fill(out);
    }
    void text_attribute(std::vector<std::byte>& out, const std::string& name,
                        const std::string& value) const {
        text(out, name);
        append_big_endian(out, std::int32_t{2});
        text(out, value);
    }
    void head(std::vector<std::byte>& out, std::int64_t data) const {
        for (const char c : std::string("CDF")) out.push_back(static_cast<std::byte>(c));
        out.push_back(static_cast<std::byte>(version));
        number(out, n_frames_said);
        append_big_endian(out, std::int32_t{10});
        number(out, 3);
        text(out, "frame");
        number(out, 0);
        text(out, "atom");
        number(out, n_atoms);
        text(out, "spatial");
        number(out, 3);
        append_big_endian(out, std::int32_t{12});
        number(out, 1);
        text_attribute(out, "Conventions", conventions);
        append_big_endian(out, std::int32_t{11});
        number(out, std::ssize(variables));
        for (const Variable& variable : variables) {
            text(out, variable.name);
            number(out, std::ssize(variable.dimensions));
            for (const int d : variable.dimensions) number(out, d);
            append_big_endian(out, std::int32_t{12});
            number(out, 2);
            text_attribute(out, "units", variable.units);
            text(out, "scale_factor");
            append_big_endian(out, std::int32_t{6});
            number(out, 1);
            append_big_endian(out, variable.scale_factor);
            append_big_endian(out, std::int32_t{variable.type});
            const std::int64_t size = count(variable) * (variable.type == 2 ? 1 : variable.type == 5 ? 4 : 8);
            number(out, (size + 3) / 4 * 4);
            if (version == 1) {
                append_big_endian(out, static_cast<std::int32_t>(data));
            } else {
                append_big_endian(out, data);
            }
            data += (size + 3) / 4 * 4;
        }
    }
};

}  // namespace coromd::trajectory
