// SPDX-License-Identifier: LGPL-3.0-or-later
//
// TPR, the run input file of GROMACS; atoms, bonds, positions and velocities are read. Big-endian throughout.
//
//     header   XDR: version text, size of a real, file version, generation, tag, number of atoms,
//              ..., size of the body
//     body     without padding: box, thermostats, then the topology:
//              names        all texts; everything below refers to them by number
//              parameters   of all interactions, as many numbers as each type has
//              molecules    per kind: atoms (mass, charge, ...), names, types, residues,
//                           interaction lists, two obsolete or unneeded lists
//              blocks       which kind of molecule how many times
//              number of atoms
//              interactions between molecules, correction maps, groups
//              positions, velocities
//              run parameters, which are not read
//
// Nothing says how long a part is, so that all that comes before has to be understood. The layout
// is that of GROMACS' tpxio.cpp for the file versions 119 (2020) to 133 (2024). The number of
// atoms, which is found in three places, tells whether it was.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "big_endian.hpp"
#include "elements.hpp"
#include "formats/builtin.hpp"
#include "formats/corrupt.hpp"
#include "formats/tpr_interactions.hpp"

namespace coromd::trajectory {

namespace {

constexpr std::int32_t kFirstVersion = 119;
constexpr std::int32_t kLastVersion = 133;
constexpr std::int32_t kVersionWithExclusionGroup = 120;
constexpr std::int32_t kVersionWithVirtualSite1 = 121;
constexpr std::int32_t kVersionWithoutTholeRfac = 127;
constexpr std::int32_t kVersionWithoutAtomTypes = 128;
constexpr std::int64_t kMaxFileSize = std::int64_t{4} << 30;

/// Walks through the bytes of a file.
class Cursor {
public:
    explicit Cursor(const InputFile& file) : file_(file) {
        if (file.size() > kMaxFileSize) {
            fail(ErrorKind::input, "'{}' is larger than {} bytes", file.path().string(), kMaxFileSize);
        }
        bytes_.resize(static_cast<std::size_t>(file.size()));
        file.read_exactly(0, bytes_);
    }

    void set_real_size(std::size_t size) { real_size_ = size; }
    std::size_t real_size() const noexcept { return real_size_; }
    std::size_t remaining() const noexcept { return bytes_.size() - position_; }

    template <typename T>
    T number() {
        return load_big_endian<T>(take(sizeof(T)));
    }
    std::int32_t int32() { return number<std::int32_t>(); }
    double real() { return real_size_ == 8 ? number<double>() : static_cast<double>(number<float>()); }

    /// One byte, 0 or 1.
    bool flag() {
        const auto value = std::to_integer<int>(*take(1));
        if (value > 1) complain("yes or no is expected, not {}", value);
        return value == 1;
    }

    /// A count of things of at least `size` bytes each, that must fit into what is left.
    std::size_t count(std::size_t size, std::string_view what) {
        const std::int32_t n = int32();
        if (n < 0 || (size > 0 && static_cast<std::size_t>(n) > remaining() / size))
            complain("there cannot be {} {}", n, what);
        return static_cast<std::size_t>(n);
    }

    std::string_view text(std::size_t length) {
        return {reinterpret_cast<const char*>(take(length)), length};
    }
    /// As in the header: length with a final zero, length, characters padded to 4.
    std::string_view xdr_text() {
        const std::int32_t with_zero = int32();
        const std::size_t length = count(1, "characters");
        if (with_zero < 0 || static_cast<std::size_t>(with_zero) != length + 1)
            complain("a text is expected");
        const std::string_view found = text(length);
        skip((4 - length % 4) % 4);
        return found;
    }
    /// As in the body.
    std::string_view body_text() {
        const auto length = number<std::uint64_t>();
        if (length > remaining()) complain("a text cannot have {} characters", length);
        return text(static_cast<std::size_t>(length));
    }

    void skip(std::size_t n) { take(n); }
    void skip_ints(std::size_t n) {
        if (n > remaining() / 4) complain("there cannot be {} numbers", n);
        skip(4 * n);
    }
    void skip_reals(std::size_t n) {
        if (n > remaining() / real_size_) complain("there cannot be {} numbers", n);
        skip(n * real_size_);
    }

    template <typename... Args>
    [[noreturn]] void complain(fmt::format_string<Args...> format, Args&&... args) const {
        fail(ErrorKind::input,
             "'{}' is corrupt at byte {}: {} (file version {}); a .gro file may be given instead",
             file_.path().string(), position_, fmt::format(format, std::forward<Args>(args)...), version_);
    }
    void set_version(std::int32_t version) { version_ = version; }

private:
    const std::byte* take(std::size_t n) {
        if (n > remaining()) complain("the file ends {} bytes too early", n - remaining());
        const std::byte* found = bytes_.data() + position_;
        position_ += n;
        return found;
    }

    const InputFile& file_;
    std::vector<std::byte> bytes_;
    std::size_t position_ = 0;
    std::size_t real_size_ = 4;
    std::int32_t version_ = 0;
};

struct Header {
    std::int32_t version = 0;
    std::int32_t n_atoms = 0;
    std::int32_t n_thermostats = 0;
    bool has_box = false;
    bool has_velocities = false;
    bool has_run_parameters = false;
};

Header read_header(const InputFile& file, Cursor& in) {
    if (!in.xdr_text().starts_with("VERSION")) in.complain("this is no TPR file");
    const std::int32_t real_size = in.int32();
    if (real_size != 4 && real_size != 8) in.complain("a real cannot have {} bytes", real_size);
    in.set_real_size(static_cast<std::size_t>(real_size));
    Header header;
    header.version = in.int32();
    in.set_version(header.version);
    if (header.version < kFirstVersion || header.version > kLastVersion) {
        fail(ErrorKind::input,
             "'{}' has the TPR file version {}, and only {} to {} (GROMACS 2020 to 2024) are understood: "
             "give a "
             ".gro file instead",
             file.path().string(), header.version, kFirstVersion, kLastVersion);
    }
    in.int32();  // generation
    const std::string_view tag = in.xdr_text();
    if (tag != "release") in.complain("it was written by a modified GROMACS (tag '{}')", tag);
    header.n_atoms = in.int32();
    header.n_thermostats = in.int32();
    in.int32();  // free-energy state
    in.real();   // lambda
    header.has_run_parameters = in.int32() != 0;
    const bool has_topology = in.int32() != 0;
    const bool has_positions = in.int32() != 0;
    header.has_velocities = in.int32() != 0;
    in.int32();  // has forces?
    header.has_box = in.int32() != 0;
    const auto body_size = in.number<std::int64_t>();
    if (!has_topology || !has_positions) in.complain("it holds no topology or no positions");
    // The body is padded to a multiple of 4.
    if (body_size < 0 || (static_cast<std::uint64_t>(body_size) + 3) / 4 * 4 != in.remaining()) {
        in.complain("{} bytes follow the header, which promises {}", in.remaining(), body_size);
    }
    // Every atom has a position in the file: what is allocated below is limited by the file's size.
    if (header.n_atoms < 1 ||
        static_cast<std::size_t>(header.n_atoms) > in.remaining() / (3 * in.real_size())) {
        in.complain("there cannot be {} atoms", header.n_atoms);
    }
    if (header.n_thermostats < 0 || static_cast<std::size_t>(header.n_thermostats) > in.remaining() / 4) {
        in.complain("there cannot be {} thermostats", header.n_thermostats);
    }
    return header;
}

using Names = std::vector<std::string_view>;

Names read_names(Cursor& in) {
    Names names(in.count(8, "names"));
    for (std::string_view& name : names) name = in.body_text();
    return names;
}

std::string_view read_name(Cursor& in, const Names& names) {
    const std::int32_t index = in.int32();
    if (index < 0 || static_cast<std::size_t>(index) >= names.size())
        in.complain("there is no name {}", index);
    return names[static_cast<std::size_t>(index)];
}

void skip_parameters(Cursor& in, std::int32_t version) {
    in.int32();  // number of atom types
    std::vector<std::int32_t> types(in.count(4, "interaction types"));
    for (std::int32_t& type : types) {
        type = in.int32();
        if (version < kVersionWithVirtualSite1 && type >= kTypeVirtualSite1) ++type;
    }
    in.number<double>();  // power of the repulsion
    in.real();            // scaling of 1-4 charges
    for (const std::int32_t type : types) {
        const bool known = type >= 0 && static_cast<std::size_t>(type) < kParameterCounts.size() &&
                           kParameterCounts[static_cast<std::size_t>(type)].reals >= 0;
        if (!known) in.complain("the interaction type {} is unknown", type);
        const ParameterCount& count = kParameterCounts[static_cast<std::size_t>(type)];
        const bool rfac = type == kTypeThole && version < kVersionWithoutTholeRfac;
        in.skip_reals(static_cast<std::size_t>(count.reals) + (rfac ? 1 : 0));
        in.skip_ints(static_cast<std::size_t>(count.ints));
    }
}

struct MoleculeKind {
    std::vector<Atom> atoms;
    std::vector<Bond> bonds;
    std::size_t n_residues = 0;
};

/// The function type of list number `i`, in the numbers of the last version.
std::int32_t function_type(std::int32_t i, std::int32_t version) {
    return version < kVersionWithVirtualSite1 && i >= kTypeVirtualSite1 ? i + 1 : i;
}

std::int32_t n_interaction_lists(std::int32_t version) {
    return version < kVersionWithVirtualSite1 ? kFunctionTypes - 1 : kFunctionTypes;
}

/// A list of interactions: for each the number of its parameters, and its atoms.
void read_bonds(Cursor& in, std::int32_t type, std::size_t n_atoms, std::vector<Bond>& bonds) {
    const std::size_t n_numbers = in.count(4, "interactions");
    const auto bonded = std::ranges::find(kBondedTypes, type, &BondedType::type);
    if (bonded == kBondedTypes.end()) return in.skip_ints(n_numbers);
    if (n_numbers % (1 + bonded->n_atoms) != 0)
        in.complain("{} numbers are no list of interactions of type {}", n_numbers, type);
    std::vector<std::int32_t> atoms(bonded->n_atoms);
    for (std::size_t left = n_numbers / (1 + bonded->n_atoms); left > 0; --left) {
        in.int32();
        for (std::int32_t& atom : atoms) {
            atom = in.int32();
            if (atom < 0 || static_cast<std::size_t>(atom) >= n_atoms)
                in.complain("there is no atom {} in a molecule of {}", atom, n_atoms);
        }
        for (std::size_t k = 1; k <= bonded->n_partners; ++k) bonds.push_back({atoms[0], atoms[k]});
    }
}

MoleculeKind read_molecule_kind(Cursor& in, const Names& names, std::int32_t version) {
    MoleculeKind kind;
    const std::string moltype(read_name(in, names));
    // Mass and charge, twice (for free energies), two types of 2 bytes, three ints; three names.
    const std::size_t atom_size = 4 * in.real_size() + 4 + 12 + 12;
    kind.atoms.resize(in.count(4, "atoms"));
    kind.n_residues = in.count(1, "residues");
    if (kind.atoms.size() > in.remaining() / atom_size)
        in.complain("there cannot be {} atoms", kind.atoms.size());
    std::vector<std::size_t> residue_of(kind.atoms.size());
    for (std::size_t i = 0; i < kind.atoms.size(); ++i) {
        kind.atoms[i].mass_amu = in.real();
        kind.atoms[i].charge_e = in.real();
        in.skip_reals(2);
        in.skip(4);
        in.int32();  // particle type
        const std::int32_t residue = in.int32();
        if (residue < 0 || static_cast<std::size_t>(residue) >= kind.n_residues) {
            in.complain("atom {} is in a residue {} that does not exist", i, residue);
        }
        residue_of[i] = static_cast<std::size_t>(residue);
        kind.atoms[i].element = element_symbol(in.int32());
        kind.atoms[i].moltype = moltype;
    }
    for (Atom& atom : kind.atoms) atom.name = read_name(in, names);
    for (Atom& atom : kind.atoms) atom.type = read_name(in, names);
    in.skip_ints(kind.atoms.size());  // types at the other end of a free-energy transformation

    struct Residue {
        std::string_view name;
        std::int32_t number = 0;
    };
    std::vector<Residue> residues(kind.n_residues);
    for (Residue& residue : residues) {
        residue.name = read_name(in, names);
        residue.number = in.int32();
        in.skip(1);  // insertion code
    }
    for (std::size_t i = 0; i < kind.atoms.size(); ++i) {
        kind.atoms[i].resname = residues[residue_of[i]].name;
        kind.atoms[i].resid = residues[residue_of[i]].number;
    }

    for (std::int32_t i = 0; i < n_interaction_lists(version); ++i)
        read_bonds(in, function_type(i, version), kind.atoms.size(), kind.bonds);
    in.skip_ints(in.count(4, "charge groups") + 1);
    const std::size_t n_exclusion_lists = in.count(4, "exclusion lists");
    const std::size_t n_exclusions = in.count(4, "exclusions");
    in.skip_ints(n_exclusion_lists + 1);
    in.skip_ints(n_exclusions);
    return kind;
}

/// Molecules of a single residue are numbered on from the others, as GROMACS does it when it
/// writes a .gro file.
std::int32_t first_free_residue(const std::vector<MoleculeKind>& kinds) {
    std::int32_t highest = 0;
    for (const MoleculeKind& kind : kinds) {
        if (kind.n_residues <= 1) continue;
        for (const Atom& atom : kind.atoms) highest = std::max(highest, atom.resid);
    }
    return highest == std::numeric_limits<std::int32_t>::max() ? 1 : highest + 1;
}

Vec3f read_vector(Cursor& in) {
    std::array<float, 3> v{};
    for (float& value : v) {
        value = static_cast<float>(in.real());
        if (!std::isfinite(value)) in.complain("a number is expected");
    }
    return {v[0], v[1], v[2]};
}

Box read_box(Cursor& in) {
    Box box;
    for (Vec3f* edge : {&box.a, &box.b, &box.c}) *edge = read_vector(in);
    in.skip_reals(18);  // relative box, velocities of the box
    return box;
}

/// All molecules, one after the other.
Topology read_atoms(Cursor& in, const Header& header) {
    const Names names = read_names(in);
    read_name(in, names);  // of the system
    skip_parameters(in, header.version);

    std::vector<MoleculeKind> kinds(in.count(4, "kinds of molecules"));
    for (MoleculeKind& kind : kinds) kind = read_molecule_kind(in, names, header.version);

    const auto n_atoms = static_cast<std::size_t>(header.n_atoms);
    std::vector<Atom> atoms;
    std::vector<Bond> bonds;
    atoms.reserve(n_atoms);
    std::int32_t next_residue = first_free_residue(kinds);
    std::int32_t next_molecule = 0;
    for (std::size_t block = in.count(20, "blocks of molecules"); block > 0; --block) {
        const std::int32_t index = in.int32();
        const std::int32_t n_molecules = in.int32();
        in.int32();  // atoms per molecule, obsolete
        for (int state = 0; state < 2; ++state) {
            in.skip_reals(3 * in.count(3 * in.real_size(), "restrained positions"));
        }
        if (index < 0 || static_cast<std::size_t>(index) >= kinds.size() || n_molecules < 0) {
            in.complain("there cannot be {} molecules of kind {}", n_molecules, index);
        }
        const MoleculeKind& kind = kinds[static_cast<std::size_t>(index)];
        if (kind.atoms.empty()) continue;
        if (static_cast<std::size_t>(n_molecules) > (n_atoms - atoms.size()) / kind.atoms.size()) {
            in.complain("the molecules have more than {} atoms", n_atoms);
        }
        for (std::int32_t molecule = 0; molecule < n_molecules; ++molecule) {
            const auto first = static_cast<std::int32_t>(atoms.size());
            for (const Bond& bond : kind.bonds) bonds.push_back({first + bond.a, first + bond.b});
            for (const Atom& atom : kind.atoms) {
                atoms.push_back(atom);
                atoms.back().molecule = next_molecule;
                if (kind.n_residues == 1) atoms.back().resid = next_residue;
            }
            if (kind.n_residues == 1) ++next_residue;
            ++next_molecule;
        }
    }
    if (atoms.size() != n_atoms || in.int32() != header.n_atoms) {
        in.complain("the molecules have {} atoms, the header says {}", atoms.size(), n_atoms);
    }
    return Topology(std::move(atoms), std::move(bonds));
}

void skip_groups(Cursor& in) {
    constexpr int kGroupTypes = 10;
    for (int i = 0; i < kGroupTypes; ++i) in.skip_ints(in.count(4, "groups"));
    in.skip_ints(in.count(4, "names of groups"));
    for (int i = 0; i < kGroupTypes; ++i) in.skip(in.count(1, "atoms in groups"));
}

/// What stands between the atoms and their positions.
void skip_rest_of_topology(Cursor& in, const Header& header) {
    if (in.flag())  // interactions between molecules
        for (std::int32_t i = 0; i < n_interaction_lists(header.version); ++i)
            in.skip_ints(in.count(4, "interactions"));
    if (header.version < kVersionWithoutAtomTypes) in.skip_ints(in.count(4, "types of atoms"));
    const std::size_t n_maps = in.count(1, "correction maps");
    const std::size_t spacing = in.count(0, "points of a correction map");
    if (n_maps > 0 && spacing > 0 && n_maps > in.remaining() / in.real_size() / 4 / spacing / spacing)
        in.complain("there cannot be {} correction maps of {} points", n_maps, spacing);
    in.skip_reals(n_maps * 4 * spacing * spacing);
    skip_groups(in);
    if (header.version >= kVersionWithExclusionGroup) {
        const auto n = in.number<std::uint64_t>();
        if (n > in.remaining() / 4) in.complain("there cannot be {} excluded atoms", n);
        in.skip_ints(static_cast<std::size_t>(n));
    }
}

std::vector<Vec3f> read_vectors(Cursor& in, const Header& header, std::int64_t n_wanted) {
    const auto n_atoms = static_cast<std::size_t>(header.n_atoms);
    if (n_atoms > in.remaining() / (3 * in.real_size())) in.complain("there are no {} vectors", n_atoms);
    std::vector<Vec3f> vectors(
        std::min(n_atoms, static_cast<std::size_t>(std::max<std::int64_t>(n_wanted, 0))));
    for (Vec3f& v : vectors) v = read_vector(in);
    in.skip_reals(3 * (n_atoms - vectors.size()));
    return vectors;
}

/// Box and atoms are in front of what the frame needs, and the kind of periodicity is behind it: that this
/// is one shows that all before it was understood.
void read_tpr_frame(const InputFile& file, const FrameNeeds& needs, Frame& frame) {
    Cursor in(file);
    const Header header = read_header(file, in);
    frame = Frame{};
    frame.time_ps = std::numeric_limits<double>::quiet_NaN();
    if (header.has_box) frame.box = read_box(in);
    in.skip_reals(static_cast<std::size_t>(header.n_thermostats));
    read_atoms(in, header);
    skip_rest_of_topology(in, header);
    frame.positions = read_vectors(in, header, needs.atoms);
    if (header.has_velocities)
        frame.velocities = read_vectors(in, header, needs.velocities ? needs.atoms : 0);
    if (!header.has_run_parameters) return;
    if (const std::int32_t periodicity = in.int32(); periodicity < 0 || periodicity > 4)
        in.complain("there is no kind of periodicity {}", periodicity);
    in.flag();  // periodic molecules
}

Topology read_tpr_topology(const std::filesystem::path& path) {
    const InputFile file(path);
    Cursor in(file);
    const Header header = read_header(file, in);
    if (header.has_box) in.skip_reals(27);
    in.skip_reals(static_cast<std::size_t>(header.n_thermostats));
    return read_atoms(in, header);
}

/// The one frame that MD starts from.
class TprCodec final : public FrameCodec {
public:
    std::optional<FrameHeader> locate(const InputFile& file, std::int64_t offset) override {
        if (offset != 0) return std::nullopt;
        Cursor in(file);
        const Header header = read_header(file, in);
        return FrameHeader{.offset = 0,
                           .size = file.size(),
                           .n_atoms = header.n_atoms,
                           .step = 0,
                           .time_ps = std::numeric_limits<double>::quiet_NaN()};
    }
    void decode(const InputFile& file, const FrameHeader& /*header*/, const FrameNeeds& needs,
                Frame& frame) override {
        read_tpr_frame(file, needs, frame);
    }
    void encode(const Frame& /*frame*/, const Topology* /*topology*/,
                std::vector<std::byte>& /*out*/) override {
        fail(ErrorKind::usage, "TPR files are only read");
    }
};

}  // namespace

Format tpr_format() {
    Format format;
    format.name = "TPR";
    format.extensions = {".tpr"};
    format.description =
        "GROMACS run input: names, types, bonds, molecules, masses and charges, and one frame (2020 to 2024)";
    format.reads_frames = true;
    format.stores_velocities = true;
    format.exact = true;
    format.plain_frames = false;
    format.make_codec = [] { return std::make_unique<TprCodec>(); };
    format.read_topology = read_tpr_topology;
    return format;
}

}  // namespace coromd::trajectory
