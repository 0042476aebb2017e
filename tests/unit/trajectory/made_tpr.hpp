// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "big_endian.hpp"

namespace coromd::trajectory {

/// Builds a TPR file in the layout of a version: two kinds of molecules, one parameter of each of
/// three types that differ between versions.
class TprBuilder {
public:
    std::int32_t version = 127;
    std::int32_t n_atoms = 8;
    std::int32_t n_waters = 2;
    std::int32_t unknown_type = -1;
    std::int32_t periodicity = 0;
    bool doubles = false;
    std::string tag = "release";

    std::string build() {
        const std::string body = take([&] { write_body(); });
        const std::string header = take([&] { write_header(static_cast<std::int64_t>(body.size())); });
        return header + body + std::string((4 - body.size() % 4) % 4, '\0');
    }

private:
    template <typename Write>
    std::string take(const Write& write) {
        out_.clear();
        write();
        return {reinterpret_cast<const char*>(out_.data()), out_.size()};
    }

    void ints(std::initializer_list<std::int32_t> values) {
        for (const std::int32_t value : values) append_big_endian(out_, value);
    }
    void reals(std::size_t n, double value = 0.5) {
        for (std::size_t i = 0; i < n; ++i) {
            if (doubles) {
                append_big_endian(out_, value);
            } else {
                append_big_endian(out_, static_cast<float>(value));
            }
        }
    }
    void characters(std::string_view text) {
        for (const char c : text) out_.push_back(static_cast<std::byte>(c));
    }
    void xdr_text(const std::string& text) {
        ints({static_cast<std::int32_t>(text.size()) + 1, static_cast<std::int32_t>(text.size())});
        characters(text + std::string((4 - text.size() % 4) % 4, '\0'));
    }

    void write_header(std::int64_t body_size) {
        xdr_text("VERSION 2022.5");
        ints({doubles ? 8 : 4, version, version >= 121 ? 28 : 27});
        xdr_text(tag);
        ints({n_atoms, 1, 0});
        reals(1);
        ints({1, 1, 1, 1, 0, 1});
        append_big_endian(out_, body_size);
    }

    void write_body() {
        for (int i = 0; i < 27; ++i) reals(1, i % 4 == 0 ? 3.0 : 0.0);  // box
        reals(1);                                                       // thermostat
        const std::vector<std::string> names{"system", "PEP", "CA",  "HA", "ALA", "SOL",  "OW",
                                             "HW",     "",    "GLY", "CT", "H1",  "OW_x", "HW_x"};
        ints({static_cast<std::int32_t>(names.size())});
        for (const std::string& name : names) {
            append_big_endian(out_, std::uint64_t{name.size()});
            characters(name);
        }
        ints({0});
        // Lennard-Jones, Thole polarization, SETTLE, virtual site 3.
        const std::int32_t vsite3 = version >= 121 ? 68 : 67;
        ints({2, 4, 37, 50, 64, unknown_type >= 0 ? unknown_type : vsite3});
        append_big_endian(out_, 12.0);
        reals(1);
        reals(2);
        reals(version < 127 ? 4 : 3);
        reals(2);
        reals(2);
        ints({2});
        write_peptide();
        write_water();
        ints({2});
        ints({0, 1, 2, 0, 0});
        ints({1, n_waters, 3, 1});
        reals(3);  // a restrained position
        ints({0});
        ints({n_atoms});
        write_rest_of_topology();
        for (int i = 0; i < 6 * n_atoms; ++i) reals(1, 0.125 * i);  // positions, velocities
        ints({periodicity});
        out_.push_back(std::byte{0});
    }
    void write_rest_of_topology() {
        out_.push_back(std::byte{1});  // interactions between molecules
        for (std::int32_t i = 0; i < (version >= 121 ? 94 : 93); ++i) i == 3 ? ints({1, 7}) : ints({0});
        if (version < 128) ints({2, 6, 8});  // atom types
        ints({1, 2});                        // a correction map of 2 by 2 points
        reals(16);
        for (int i = 0; i < 10; ++i) ints({1, 0});  // groups
        ints({2, 0, 1});                            // their names
        for (int i = 0; i < 9; ++i) ints({0});
        ints({3});
        for (int i = 0; i < 3; ++i) out_.push_back(std::byte{0});
        if (version >= 120) {
            append_big_endian(out_, std::int64_t{1});
            ints({5});
        }
    }

    void atom(double mass, double charge, std::int32_t residue, std::int32_t atomic_number) {
        reals(1, mass);
        reals(1, charge);
        reals(1, mass);
        reals(1, charge);
        ints({0});  // two types of 2 bytes
        ints({0, residue, atomic_number});
    }
    void lists(std::int32_t n_atoms_of_kind) {
        const std::int32_t n_lists = version >= 121 ? 94 : 93;
        for (std::int32_t i = 0; i < n_lists; ++i) {
            if (i == 10) {
                ints({4, 0, 0, 1, 2});
            } else if (i == 64 && n_atoms_of_kind == 3) {
                ints({4, 2, 0, 1, n_atoms_of_kind - 1});
            } else {
                ints({0});
            }
        }
        ints({1, 0, n_atoms_of_kind});   // charge groups
        ints({2, 3, 0, 2, 3, 0, 1, 1});  // exclusions
    }
    void write_peptide() {
        ints({1, 2, 2});
        atom(12.01, 0.25, 0, 6);
        atom(1.008, -0.25, 1, 1);
        ints({2, 3, 10, 11, 10, 10});
        ints({4, 7});
        out_.push_back(std::byte{' '});
        ints({9, 8});
        out_.push_back(std::byte{' '});
        lists(2);
    }
    void write_water() {
        ints({5, 3, 1});
        atom(15.999, -0.8, 0, 8);
        atom(1.008, 0.4, 0, 0);
        atom(1.008, 0.4, 0, -1);
        ints({6, 7, 7, 12, 13, 13, 12, 12, 12});
        ints({5, 1});
        out_.push_back(std::byte{' '});
        lists(3);
    }

    std::vector<std::byte> out_;
};

}  // namespace coromd::trajectory
