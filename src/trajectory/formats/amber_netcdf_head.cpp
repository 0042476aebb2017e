// SPDX-License-Identifier: LGPL-3.0-or-later
//
// NetCDF in its classic formats (CDF-1, CDF-2 and CDF-5), big-endian. A file is
//
//     "CDF", version; number of records; dimensions; attributes; variables; data
//
// where a list is a tag, a number of elements and the elements, or two zeros where it is empty. Counts
// and lengths are int32, in CDF-5 int64; names and values are filled up to 4 bytes. A variable has a
// name, dimensions, attributes, a type, a size (which follows from the others) and the offset of its
// data (int32 in CDF-1, else int64). The dimension of length 0 is that of the records: a record holds a
// piece of every variable that has it, each filled up to 4 bytes unless it is the only one. A record is
// a frame. How many there are follows from the size of the file: the number in the head is -1 or old
// while a program writes.
#include "formats/amber_netcdf_head.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "big_endian.hpp"
#include "formats/corrupt.hpp"
#include "text_fields.hpp"

namespace coromd::trajectory::amber {

namespace {

constexpr std::string_view kHdf5Magic = "\x89HDF";
constexpr std::size_t kMaxHeadSize = std::size_t{1} << 20;
constexpr std::int64_t kMaxRecordSize = std::int64_t{1} << 50;
constexpr double kNmPerAngstrom = 1.0 / kAngstromPerNm;

enum Tag : std::int32_t { kDimensions = 10, kVariables = 11, kAttributes = 12 };
/// Of each type, from 1 on; those from 7 on are in CDF-5 only.
constexpr std::array<std::int64_t, 12> kTypeSizes{0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8};

std::int64_t filled_up(std::int64_t size) {
    return (size + 3) / 4 * 4;
}

bool is_number(std::int32_t type) {
    return type == kInt || type == kFloat || type == kDouble;
}

/// Reads the head. A zero where none may be, or the end of the file, is what has not arrived yet: from
/// there on everything reads as zero, and incomplete() says so.
class HeadReader {
public:
    explicit HeadReader(const InputFile& file) : file_(file) {
        bytes_.resize(std::min(kMaxHeadSize, static_cast<std::size_t>(file.size())));
        bytes_.resize(file.read_some(0, bytes_));
    }

    std::optional<Head> read() {
        read_magic();
        integer();  // the number of records
        read_dimensions();
        const Attributes attributes = read_attributes();
        read_variables();
        if (incomplete_) return std::nullopt;
        check_convention(attributes);
        return interpret();
    }

private:
    struct Attributes {
        std::string conventions;
        std::string units;
        double scale_factor = 1.0;
    };
    struct RawVariable {
        std::string name;
        std::vector<std::int64_t> dimensions;
        Attributes attributes;
        std::int32_t type = 0;
        std::int64_t size = 0;
        std::int64_t offset = 0;
    };

    /// The next bytes, or null where they are not there yet.
    const std::byte* take(std::int64_t size) {
        const auto left = static_cast<std::int64_t>(bytes_.size() - position_);
        if (!incomplete_ && size > left && bytes_.size() == kMaxHeadSize) {
            fail_corrupt(file_, offset(), "the head has more than {} bytes", kMaxHeadSize);
        }
        incomplete_ = incomplete_ || size > left;
        if (incomplete_) return nullptr;
        const std::byte* bytes = bytes_.data() + position_;
        position_ += static_cast<std::size_t>(size);
        return bytes;
    }
    std::int64_t offset() const { return static_cast<std::int64_t>(position_); }
    std::int32_t int32() {
        const std::byte* bytes = take(4);
        return bytes ? load_big_endian<std::int32_t>(bytes) : 0;
    }
    std::int64_t int64() {
        const std::byte* bytes = take(8);
        return bytes ? load_big_endian<std::int64_t>(bytes) : 0;
    }
    /// As wide as counts and lengths are in this version.
    std::int64_t integer() { return version_ == 5 ? int64() : int32(); }
    std::int64_t count(std::string_view what) {
        const std::int64_t start = offset();
        const std::int64_t value = integer();
        // An element of a list takes a byte at the least.
        if (value < 0 || value > static_cast<std::int64_t>(kMaxHeadSize)) {
            fail_corrupt(file_, start, "the number of {} is {}", what, value);
        }
        return value;
    }
    std::string text(std::int64_t length) {
        const std::byte* bytes = take(filled_up(length));
        return bytes ? std::string(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length))
                     : std::string();
    }
    std::string name() {
        std::string name = text(count("letters of a name"));
        if (name.empty()) incomplete_ = true;
        return name;
    }
    std::int32_t type() {
        const std::int64_t start = offset();
        const std::int32_t type = int32();
        if (type < 0 || type >= static_cast<std::int32_t>(kTypeSizes.size())) {
            fail_corrupt(file_, start, "there is no type {}", type);
        }
        if (type == 0) incomplete_ = true;
        return type;
    }
    std::int64_t list(Tag expected, std::string_view what) {
        const std::int64_t start = offset();
        const std::int32_t tag = int32();
        const std::int64_t n = count(what);
        if (tag != expected && (tag != 0 || n != 0)) {
            fail_corrupt(file_, start, "the list of {} begins with {}", what, tag);
        }
        return n;
    }

    void read_magic() {
        const std::byte* bytes = take(4);
        if (!bytes) return;
        const std::string_view magic(reinterpret_cast<const char*>(bytes), 4);
        if (magic == kHdf5Magic) {
            fail_corrupt(file_, 0,
                         "it is NetCDF-4, which is HDF5; `nccopy -k classic` makes a classic file of it");
        }
        version_ = std::to_integer<int>(bytes[3]);
        if (version_ == 0) {
            incomplete_ = true;
        } else if (!magic.starts_with("CDF") || (version_ != 1 && version_ != 2 && version_ != 5)) {
            fail_corrupt(file_, 0, "a NetCDF file should begin with 'CDF' and the version 1, 2 or 5");
        }
    }

    void read_dimensions() {
        const std::int64_t n = list(kDimensions, "dimensions");
        if (n == 0) incomplete_ = true;
        for (std::int64_t i = 0; i < n && !incomplete_; ++i) {
            name();
            const std::int64_t start = offset();
            const std::int64_t length = integer();
            if (length < 0) fail_corrupt(file_, start, "the length of a dimension is {}", length);
            dimensions_.push_back(length);
        }
    }

    Attributes read_attributes() {
        Attributes attributes;
        const std::int64_t n = list(kAttributes, "attributes");
        for (std::int64_t i = 0; i < n && !incomplete_; ++i) {
            const std::string attribute = name();
            const std::int32_t attribute_type = type();
            const std::int64_t start = offset();
            const std::int64_t n_values = count("values of an attribute");
            const std::int64_t size = n_values * kTypeSizes[static_cast<std::size_t>(attribute_type)];
            const std::string value = text(size);
            if (incomplete_) break;
            if (attribute_type == kChar && attribute == "Conventions") attributes.conventions = value;
            if (attribute_type == kChar && attribute == "units") attributes.units = value;
            if (attribute == "scale_factor") {
                incomplete_ = n_values == 0;
                if (incomplete_) break;
                if (!is_number(attribute_type) || n_values != 1) {
                    fail_corrupt(file_, start, "a scale_factor is not a number");
                }
                attributes.scale_factor =
                    load_number(reinterpret_cast<const std::byte*>(value.data()), attribute_type);
                if (!std::isfinite(attributes.scale_factor)) {
                    fail_corrupt(file_, start, "a scale_factor is {}", attributes.scale_factor);
                }
            }
        }
        return attributes;
    }

    void read_variables() {
        const std::int64_t n = list(kVariables, "variables");
        if (n == 0) incomplete_ = true;
        for (std::int64_t i = 0; i < n && !incomplete_; ++i) {
            const std::int64_t start = offset();
            RawVariable variable;
            variable.name = name();
            const std::int64_t n_dimensions = count("dimensions of a variable");
            for (std::int64_t d = 0; d < n_dimensions && !incomplete_; ++d) {
                variable.dimensions.push_back(integer());
            }
            variable.attributes = read_attributes();
            variable.type = type();
            integer();  // the size
            variable.offset = version_ == 1 ? int32() : int64();
            if (variable.offset == 0) incomplete_ = true;
            if (incomplete_) return;
            variable.size = size_of(variable, start);
            if (is_record(variable)) variables_.push_back(std::move(variable));
        }
    }

    bool is_record(const RawVariable& variable) const {
        return !variable.dimensions.empty() &&
               dimensions_[static_cast<std::size_t>(variable.dimensions.front())] == 0;
    }

    /// In bytes, without what fills it up: of a piece where it is in the records.
    std::int64_t size_of(const RawVariable& variable, std::int64_t start) const {
        std::int64_t size = kTypeSizes[static_cast<std::size_t>(variable.type)];
        for (std::size_t d = 0; d < variable.dimensions.size(); ++d) {
            const std::int64_t dimension = variable.dimensions[d];
            if (dimension < 0 || dimension >= std::ssize(dimensions_)) {
                fail_corrupt(file_, start, "'{}' has the dimension {}, and there are {}", variable.name,
                             dimension, dimensions_.size());
            }
            const std::int64_t length = dimensions_[static_cast<std::size_t>(dimension)];
            if (d == 0 && length == 0) continue;
            if (length == 0 || size > kMaxRecordSize / length) {
                fail_corrupt(file_, start, "the dimensions of '{}' make no sense", variable.name);
            }
            size *= length;
        }
        return size;
    }

    void check_convention(const Attributes& attributes) const {
        if (attributes.conventions == "AMBERRESTART") {
            fail(ErrorKind::usage, "'{}' is a restart file of AMBER, and trajectories are read only",
                 file_.path().string());
        }
        if (attributes.conventions.find("AMBER") == std::string::npos) {
            fail_corrupt(file_, 0, "its Conventions are '{}', not AMBER", attributes.conventions);
        }
    }

    /// The variable `name`, which must have `n_numbers` in each record (-1: 3 for each atom).
    Variable find(Head& head, std::string_view name, std::string_view units, double factor,
                  std::int64_t n_numbers) const {
        const auto raw = std::ranges::find(variables_, name, &RawVariable::name);
        if (raw == variables_.end()) return {};
        if (!is_number(raw->type)) fail_corrupt(file_, raw->offset, "'{}' does not hold numbers", name);
        if (!raw->attributes.units.empty() && !raw->attributes.units.starts_with(units)) {
            fail_corrupt(file_, raw->offset, "the unit of '{}' is '{}', not '{}'", name,
                         raw->attributes.units, units);
        }
        const std::int64_t n = raw->size / kTypeSizes[static_cast<std::size_t>(raw->type)];
        bool fits = n == n_numbers;
        if (n_numbers < 0) {
            fits = raw->dimensions.size() == 3 && n % 3 == 0 &&
                   dimensions_[static_cast<std::size_t>(raw->dimensions[2])] == 3 &&
                   (head.n_atoms == 0 || head.n_atoms == n / 3);
            head.n_atoms = n / 3;
        }
        if (!fits) fail_corrupt(file_, raw->offset, "'{}' holds {} numbers in each frame", name, n);
        return {raw->type, raw->offset, factor * raw->attributes.scale_factor};
    }

    Head interpret() const {
        Head head;
        if (variables_.empty()) fail_corrupt(file_, 0, "no variable has a record for each frame");
        head.records_offset = std::numeric_limits<std::int64_t>::max();
        for (const RawVariable& variable : variables_) {
            head.records_offset = std::min(head.records_offset, variable.offset);
            head.record_size += variables_.size() == 1 ? variable.size : filled_up(variable.size);
            if (head.record_size > kMaxRecordSize) fail_corrupt(file_, 0, "the frames are too large");
        }
        for (const RawVariable& variable : variables_) {
            if (head.records_offset < offset() ||
                variable.offset - head.records_offset > head.record_size - variable.size) {
                fail_corrupt(file_, 0, "'{}' begins at byte {}, outside of the frames", variable.name,
                             variable.offset);
            }
        }
        head.positions = find(head, "coordinates", "angstrom", kNmPerAngstrom, -1);
        head.velocities = find(head, "velocities", "angstrom/picosecond", kNmPerAngstrom, -1);
        head.forces = find(head, "forces", "kilocalorie/mole/angstrom", kKjPerNmOfKcalPerAngstrom, -1);
        head.time = find(head, "time", "picosecond", 1.0, 1);
        head.step = find(head, "step", "", 1.0, 1);
        head.cell_lengths = find(head, "cell_lengths", "angstrom", kNmPerAngstrom, 3);
        head.cell_angles = find(head, "cell_angles", "degree", 1.0, 3);
        if (head.n_atoms == 0) fail_corrupt(file_, 0, "there are neither coordinates, velocities nor forces");
        if (bool(head.cell_lengths) != bool(head.cell_angles)) {
            fail_corrupt(file_, 0, "the unit cell lacks its lengths or its angles");
        }
        return head;
    }

    const InputFile& file_;
    std::vector<std::byte> bytes_;
    std::size_t position_ = 0;
    bool incomplete_ = false;
    int version_ = 0;
    std::vector<std::int64_t> dimensions_;
    std::vector<RawVariable> variables_;  ///< those of the records
};

class HeadWriter {
public:
    HeadWriter(const Content& content, std::int64_t n_atoms) {
        // The offsets of the data follow from the length of the head.
        write(content, n_atoms);
        data_offset_ = std::ssize(bytes_);
        bytes_.clear();
        write(content, n_atoms);
    }
    const std::vector<std::byte>& bytes() const { return bytes_; }

private:
    enum Dimension : std::int32_t { kFrame, kAtom, kSpatial, kCellSpatial, kCellAngular, kLabel };
    struct Attribute {
        std::string_view name;
        std::string_view text;
    };

    void number(std::int64_t value) { append_big_endian(bytes_, static_cast<std::int32_t>(value)); }
    void text(std::string_view text) {
        number(std::ssize(text));
        filled(text);
    }
    void filled(std::string_view text) {
        append_text(bytes_, text);
        bytes_.resize(static_cast<std::size_t>(filled_up(std::ssize(bytes_))));
    }
    void dimension(std::string_view name, std::int64_t length) {
        text(name);
        number(length);
    }
    void attribute(const Attribute& attribute) {
        text(attribute.name);
        number(kChar);
        text(attribute.text);
    }
    void variable(std::string_view name, std::initializer_list<Dimension> dimensions, Type type,
                  std::int64_t size, std::string_view units = {}, double scale_factor = 1.0) {
        text(name);
        number(std::ssize(dimensions));
        for (const Dimension dimension : dimensions) number(dimension);
        const int n_attributes = (units.empty() ? 0 : 1) + (scale_factor == 1.0 ? 0 : 1);
        number(n_attributes == 0 ? 0 : kAttributes);
        number(n_attributes);
        if (!units.empty()) attribute({"units", units});
        if (scale_factor != 1.0) {
            text("scale_factor");
            number(kDouble);
            number(1);
            append_big_endian(bytes_, scale_factor);
        }
        number(type);
        number(filled_up(size));
        append_big_endian(bytes_, next_offset_);
        next_offset_ += filled_up(size);
    }

    void write(const Content& content, std::int64_t n_atoms) {
        constexpr std::string_view kMagic = "CDF\x02";
        filled(kMagic);
        number(-1);  // records are counted by the size of the file until finish()
        number(kDimensions);
        number(content.cell ? 6 : 3);
        dimension("frame", 0);
        dimension("atom", n_atoms);
        dimension("spatial", 3);
        if (content.cell) {
            dimension("cell_spatial", 3);
            dimension("cell_angular", 3);
            dimension("label", 5);
        }
        number(kAttributes);
        number(4);
        attribute({"Conventions", "AMBER"});
        attribute({"ConventionVersion", "1.0"});
        attribute({"program", "coromd"});
        attribute({"programVersion", "1"});

        const int n_blocks =
            (content.positions ? 1 : 0) + (content.velocities ? 1 : 0) + (content.forces ? 1 : 0);
        number(kVariables);
        number(3 + n_blocks + (content.cell ? 4 : 0));
        next_offset_ = data_offset_;
        variable("spatial", {kSpatial}, kChar, 3);
        if (content.cell) {
            variable("cell_spatial", {kCellSpatial}, kChar, 3);
            variable("cell_angular", {kCellAngular, kLabel}, kChar, 15);
        }
        const std::int64_t block = 12 * n_atoms;
        variable("step", {kFrame}, kDouble, 8);
        variable("time", {kFrame}, kFloat, 4, "picosecond");
        if (content.cell) {
            variable("cell_lengths", {kFrame, kCellSpatial}, kDouble, 24, "angstrom");
            variable("cell_angles", {kFrame, kCellAngular}, kDouble, 24, "degree");
        }
        if (content.positions > 0) {
            variable("coordinates", {kFrame, kAtom, kSpatial}, kFloat, block, "angstrom");
        }
        if (content.velocities > 0) {
            variable("velocities", {kFrame, kAtom, kSpatial}, kFloat, block, "angstrom/picosecond",
                     kAmberVelocity);
        }
        if (content.forces > 0) {
            variable("forces", {kFrame, kAtom, kSpatial}, kFloat, block, "kilocalorie/mole/angstrom");
        }
        if (data_offset_ == 0) return;
        filled("xyz");
        if (content.cell) {
            filled("abc");
            filled("alphabeta gamma");
        }
    }

    std::vector<std::byte> bytes_;
    std::int64_t data_offset_ = 0;
    std::int64_t next_offset_ = 0;
};

}  // namespace

std::size_t size_of_type(std::int32_t type) {
    return static_cast<std::size_t>(kTypeSizes[static_cast<std::size_t>(type)]);
}

double load_number(const std::byte* bytes, std::int32_t type) {
    switch (type) {
        case kInt:
            return load_big_endian<std::int32_t>(bytes);
        case kFloat:
            return load_big_endian<float>(bytes);
        default:
            return load_big_endian<double>(bytes);
    }
}

std::optional<Head> read_head(const InputFile& file) {
    return HeadReader(file).read();
}

void append_head(std::vector<std::byte>& out, const Content& content, std::int64_t n_atoms) {
    const HeadWriter head(content, n_atoms);
    out.insert(out.end(), head.bytes().begin(), head.bytes().end());
}

}  // namespace coromd::trajectory::amber
