// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "coromd/trajectory/input_file.hpp"
#include "formats/unit_cell.hpp"

namespace coromd::trajectory::amber {

/// Where the number of records is.
constexpr std::int64_t kRecordCountOffset = 4;
constexpr double kKjPerNmOfKcalPerAngstrom = 4.184 * kAngstromPerNm;
/// AMBER's own unit of velocity, Angstrom/ps.
constexpr double kAmberVelocity = 20.455;

/// Those that hold numbers are read.
enum Type : std::int32_t { kChar = 2, kInt = 4, kFloat = 5, kDouble = 6 };

/// In bytes.
std::size_t size_of_type(std::int32_t type);
double load_number(const std::byte* bytes, std::int32_t type);

/// A variable that is known, or is not there.
struct Variable {
    std::int32_t type = 0;    ///< 0: not there
    std::int64_t offset = 0;  ///< of the first record's piece
    double factor = 1.0;      ///< to our unit

    explicit operator bool() const { return type != 0; }
};

struct Head {
    std::int64_t records_offset = 0;
    std::int64_t record_size = 0;
    std::int64_t n_atoms = 0;
    Variable positions;
    Variable velocities;
    Variable forces;
    Variable time;
    Variable step;
    Variable cell_lengths;
    Variable cell_angles;
};

/// Empty where it is not there as a whole yet.
std::optional<Head> read_head(const InputFile& file);

/// What the frames of a file hold that is written: as the first frame has it.
struct Content {
    std::size_t positions = 0;
    std::size_t velocities = 0;
    std::size_t forces = 0;
    bool cell = false;

    friend bool operator==(const Content&, const Content&) = default;
};

void append_head(std::vector<std::byte>& out, const Content& content, std::int64_t n_atoms);

}  // namespace coromd::trajectory::amber
