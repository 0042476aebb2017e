// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The options that change frames take effect in the order of the command line: each is noted when it is
// parsed.
#include "traj_transform.hpp"

#include <algorithm>
#include <array>
#include <numbers>
#include <utility>

#include "coromd/core/error.hpp"
#include "coromd/trajectory/ndx.hpp"
#include "traj_input.hpp"

namespace coromd::cli {

namespace fs = std::filesystem;
using trajectory::CellShape;
using trajectory::FitKind;
using trajectory::Topology;
using trajectory::Trajectory;
using trajectory::Transformation;
using trajectory::Unit;
using trajectory::Vec3d;

namespace {

/// The value of a word out of a few. `what` is the option.
template <typename T, std::size_t N>
T chosen(const std::string& what, const std::string& word,
         const std::array<std::pair<std::string_view, T>, N>& words) {
    std::string known;
    for (const auto& [name, value] : words) {
        if (word == name) return value;
        known += (known.empty() ? "" : ", ") + std::string(name);
    }
    fail(ErrorKind::usage, "{} '{}': it is one of {}", what, word, known);
}

/// "a:b" as "a" and "b"; "a" as "a" and "".
std::pair<std::string, std::string> split(const std::string& text, char at) {
    const std::size_t place = text.find(at);
    if (place == text.npos) return {text, ""};
    return {text.substr(0, place), text.substr(place + 1)};
}

Vec3d parse_point(const std::string& option, const std::string& text) {
    Vec3d point{};
    std::string rest = text;
    for (std::size_t i = 0; i < 3; ++i) {
        const auto [number, after] = split(rest, ',');
        const std::optional<double> value = parse_number(number);
        if (!value || (i < 2) != (rest.find(',') != rest.npos))
            fail(ErrorKind::usage, "{} '{}': three numbers in nm are expected, such as 1,0,-0.5", option,
                 text);
        point[i] = *value;
        rest = after;
    }
    return point;
}

Transformation wrapping(const Topology* topology, const std::string& value) {
    const auto [unit_word, shape_word] = split(value, ':');
    constexpr std::array<std::pair<std::string_view, Unit>, 3> kUnits{
        {{"atoms", Unit::atoms}, {"residues", Unit::residues}, {"molecules", Unit::molecules}}};
    constexpr std::array<std::pair<std::string_view, CellShape>, 3> kShapes{
        {{"brick", CellShape::brick}, {"triclinic", CellShape::triclinic}, {"compact", CellShape::compact}}};
    const Unit unit = chosen("--wrap", unit_word, kUnits);
    const CellShape shape =
        value.find(':') == value.npos ? CellShape::brick : chosen("--wrap", shape_word, kShapes);
    return topology ? wrap(*topology, unit, shape) : trajectory::wrap(shape);
}

Transformation rotation(const std::string& value) {
    const auto [what, point] = split(value, '@');
    const auto [axis, degrees] = split(what, ':');
    const std::optional<double> angle = parse_number(degrees);
    if (!angle)
        fail(ErrorKind::usage,
             "--rotate '{}': an axis and degrees are expected, and a point if need be: z:90, 1,1,0:45 or "
             "z:90@1.5,1.5,0",
             value);
    const Vec3d direction = axis == "x"   ? Vec3d{1, 0, 0}
                            : axis == "y" ? Vec3d{0, 1, 0}
                            : axis == "z" ? Vec3d{0, 0, 1}
                                          : parse_point("--rotate", axis);
    return trajectory::rotate(trajectory::rotation_about(direction, *angle * std::numbers::pi / 180.0),
                              what == value ? Vec3d{} : parse_point("--rotate", point));
}

/// Makes the transformations of one command.
class Builder {
public:
    Builder(const TransformOptions& options, const Trajectory& trajectory,
            const trajectory::AtomGroups& groups)
        : options_(options), trajectory_(trajectory), groups_(groups) {}

    Transformation build() {
        Transformation all;
        for (const auto& [option, value] : options_.steps) {
            all = all.then(step(option, value));
            whole_ = whole_ || option == "--whole";
        }
        return all;
    }

private:
    const Topology& topology() const { return *trajectory_.topology(); }

    Transformation step(const std::string& option, const std::string& value) const {
        if (option == "--whole") return make_whole(topology());
        if (option == "--wrap") return wrapping(value.starts_with("atoms") ? nullptr : &topology(), value);
        if (option == "--unwrap") return trajectory::unwrap();
        if (option == "--unwrap-displacements") return trajectory::unwrap_displacements(topology());
        if (option == "--translate") return trajectory::translate(parse_point(option, value));
        if (option == "--rotate") return rotation(value);
        if (option == "--centre") return centring(value);
        return fitting(value);
    }

    Transformation centring(const std::string& selection) const {
        std::vector<std::int32_t> atoms = selected_atoms(topology(), selection, groups_);
        std::vector<double> weights = weights_of(atoms);
        std::optional<Vec3d> point;
        if (!options_.centre_at.empty()) point = parse_point("--centre-at", options_.centre_at);
        return trajectory::centre(std::move(atoms), std::move(weights), point);
    }

    Transformation fitting(const std::string& selection) const {
        constexpr std::array<std::pair<std::string_view, FitKind>, 2> kKinds{
            {{"translation", FitKind::translation}, {"rotation+translation", FitKind::rotation_translation}}};
        const FitKind kind = options_.fit_kind.empty() ? FitKind::rotation_translation
                                                       : chosen("--fit-kind", options_.fit_kind, kKinds);
        const std::vector<std::int32_t> atoms = selected_atoms(topology(), selection, groups_);
        if (options_.fit_to.empty()) return trajectory::fit_to_first(atoms, kind, weights_of(atoms));
        return trajectory::fit(atoms, reference(selection, atoms), kind, weights_of(atoms));
    }

    /// The positions of the same selection in the file to fit to, which may have other atoms besides.
    std::vector<trajectory::Vec3f> reference(const std::string& selection,
                                             std::vector<std::int32_t> atoms) const {
        const fs::path names = structure_for({}, options_.fit_to);
        const Trajectory file(options_.fit_to, names);
        trajectory::Frame frame = file.frame(0);
        const bool same_atoms = frame.n_atoms() == trajectory_.n_atoms();
        if (!same_atoms && names.empty())
            fail(ErrorKind::usage,
                 "'{}' has {} atoms, the trajectory {}: which of them to fit to is not known",
                 options_.fit_to.string(), frame.n_atoms(), trajectory_.n_atoms());
        if (whole_ && same_atoms && frame.box.periodic()) make_whole(topology()).begin()(frame);
        if (!names.empty()) {
            const std::size_t n_atoms = atoms.size();
            atoms = selected_atoms(*file.topology(), selection, groups_);
            if (atoms.size() != n_atoms)
                fail(ErrorKind::usage, "--fit '{}' are {} atoms of the trajectory, and {} of '{}'", selection,
                     n_atoms, atoms.size(), options_.fit_to.string());
        }
        keep_atoms(frame, atoms);
        return frame.positions;
    }

    std::vector<double> weights_of(const std::vector<std::int32_t>& atoms) const {
        constexpr std::array<std::pair<std::string_view, bool>, 2> kWords{{{"mass", true}, {"none", false}}};
        if (!options_.weights.empty() && !chosen("--weights", options_.weights, kWords)) return {};
        return masses_of(subset(topology(), atoms)).amu;
    }

    const TransformOptions& options_;
    const Trajectory& trajectory_;
    const trajectory::AtomGroups& groups_;
    bool whole_ = false;
};

/// Options that change others are of no use alone.
void check_company(const TransformOptions& options) {
    const auto given = [&](std::string_view name) {
        return std::ranges::find(options.steps, name, &TransformOptions::Step::option) != options.steps.end();
    };
    const auto needs = [&](std::string_view option, const std::string& value, bool company,
                           std::string_view with) {
        if (!value.empty() && !company) fail(ErrorKind::usage, "{} is of no use without {}", option, with);
    };
    needs("--fit-to", options.fit_to.string(), given("--fit"), "--fit");
    needs("--fit-kind", options.fit_kind, given("--fit"), "--fit");
    needs("--centre-at", options.centre_at, given("--centre"), "--centre");
    needs("--weights", options.weights, given("--fit") || given("--centre"), "--fit or --centre");
}

}  // namespace

void add_transformations(CLI::App* command, TransformOptions& options) {
    constexpr const char* kGroup = "Transformations, which take effect in the order given";
    const auto valued = [&](const std::string& name, const char* type, const char* help) {
        command
            ->add_option_function<std::string>(
                name,
                [&options, name](const std::string& value) {
                    options.steps.push_back({name, value});
                },
                help)
            ->type_name(type)
            ->trigger_on_parse()
            ->group(kGroup);
    };
    const auto plain = [&](const std::string& name, const char* help) {
        command
            ->add_flag_function(
                name,
                [&options, name](std::int64_t) {
                    options.steps.push_back({name, ""});
                },
                help)
            ->trigger_on_parse()
            ->group(kGroup);
    };
    plain("--whole", "Molecules that the box has cut are put together again (needs -s with a .tpr)");
    valued("--wrap", "UNIT[:SHAPE]",
           "atoms, residues or molecules into the box: brick (default), triclinic or compact");
    plain("--unwrap", "Atoms no longer jump across the box");
    plain("--unwrap-displacements", "The same by the paths of molecules, for diffusion at constant pressure");
    valued("--centre", "SELECTION", "Its centre goes to the centre of the box");
    valued("--translate", "X,Y,Z", "Everything moves by so many nm");
    valued("--rotate", "AXIS:DEGREES[@X,Y,Z]",
           "About x, y, z or a direction like 1,1,0, through a point (0,0,0)");
    valued("--fit", "SELECTION", "It is laid upon the reference, with everything else");
    command->add_option("--centre-at", options.centre_at, "The point (nm) for --centre")->type_name("X,Y,Z");
    command->add_option("--fit-to", options.fit_to, "The reference for --fit (default: the first frame)")
        ->type_name("FILE");
    command->add_option("--fit-kind", options.fit_kind, "translation or rotation+translation (default)");
    command->add_option("--weights", options.weights, "mass (default) or none, for --centre and --fit");
}

Transformation transformation_of(const TransformOptions& options, const Trajectory& trajectory,
                                 const trajectory::AtomGroups& groups) {
    check_company(options);
    return Builder(options, trajectory, groups).build();
}

trajectory::AtomGroups read_groups(const fs::path& ndx) {
    trajectory::AtomGroups groups;
    if (ndx.empty()) return groups;
    for (const trajectory::IndexGroup& group : trajectory::read_ndx(ndx)) {
        const auto [place, added] = groups.emplace(group.name, group.atoms);
        if (!added && place->second != group.atoms)
            fail(ErrorKind::usage, "'{}' has several groups of the name '{}'", ndx.string(), group.name);
    }
    return groups;
}

std::vector<std::int32_t> selected_atoms(const Topology& topology, const std::string& text,
                                         const trajectory::AtomGroups& groups) {
    const trajectory::Selection selection = trajectory::Selection::parse(text);
    if (selection.needs_positions())
        fail(ErrorKind::usage,
             "'{}' would change from frame to frame: only what is fixed can be selected here", text);
    std::vector<std::int32_t> atoms =
        selection.evaluate(topology, {.groups = groups.empty() ? nullptr : &groups});
    if (atoms.empty()) fail(ErrorKind::usage, "no atom is selected by '{}'", text);
    return atoms;
}

}  // namespace coromd::cli
