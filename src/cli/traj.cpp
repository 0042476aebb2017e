// SPDX-License-Identifier: LGPL-3.0-or-later
#include <array>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "coromd/core/error.hpp"
#include "coromd/session/session.hpp"
#include "coromd/trajectory/asyncmd_hash.hpp"
#include "coromd/trajectory/inspect.hpp"
#include "traj_formats.hpp"
#include "traj_input.hpp"
#include "traj_transform.hpp"

namespace coromd::cli {

namespace fs = std::filesystem;
using nlohmann::json;
using trajectory::Frame;
using trajectory::Piece;
using trajectory::Trajectory;

namespace {

struct TrajOptions {
    fs::path structure;
    fs::path in;
    std::vector<fs::path> files;
    fs::path out;
    std::string piece;
    std::vector<std::string> pieces;
    std::string selection;
    fs::path ndx;
    TransformOptions transform;
    std::int64_t index = 0;
    std::string velocities = "keep";
    std::uint64_t seed = 1;
    bool fingerprint = false;
    bool keep_double_frames = false;
    bool keep_velocities = false;
    bool overwrite = false;
    bool json = false;
    bool markdown = false;
};

/// JSON has no NaN.
json number_or_null(double value) {
    return std::isfinite(value) ? json(value) : json(nullptr);
}

json box_of(const trajectory::Box& box) {
    json rows = json::array();
    for (const trajectory::Vec3f& v : {box.a, box.b, box.c}) rows.push_back({v.x, v.y, v.z});
    return rows;
}

int info(const TrajOptions& options) {
    const Trajectory all(options.files, options.structure);
    if (!options.structure.empty()) all.topology();  // says so where the atoms do not fit
    const std::int64_t n_frames = all.n_frames();
    std::optional<Frame> first;
    if (n_frames > 0) first = all.frame(0);
    json found{{"n_frames", n_frames},
               {"n_atoms", all.n_atoms()},
               {"dt_ps", number_or_null(all.dt_ps())},
               {"first_time_ps", first ? number_or_null(all.first_time_ps()) : json(nullptr)},
               {"last_time_ps", first ? number_or_null(all.last_time_ps()) : json(nullptr)},
               {"first_step", first ? json(all.first_step()) : json(nullptr)},
               {"last_step", first ? json(all.last_step()) : json(nullptr)},
               {"has_velocities", first && first->has_velocities()},
               {"has_forces", first && first->has_forces()},
               {"box", first && first->box.periodic() ? box_of(first->box) : json(nullptr)}};
    if (options.fingerprint) {
        found["fingerprint"] = all.fingerprint().hex();
        found["asyncmd_hash"] = trajectory::asyncmd_hash(all.files());
    }
    if (options.json) {
        print(dumped(found));
        return session::kExitDone;
    }
    const auto ps = [](const json& value, int digits = 7) {
        return value.is_null() ? "unknown" : fmt::format("{:.{}g} ps", value.get<double>(), digits);
    };
    std::string text;
    const auto line = [&](const char* name, const std::string& value) {
        text += fmt::format("{:<12} {}\n", name, value);
    };
    line("frames", std::to_string(n_frames));
    line("atoms", std::to_string(all.n_atoms()));
    if (first) {
        line("times", fmt::format("{} to {}, every {}", ps(found["first_time_ps"]), ps(found["last_time_ps"]),
                                  ps(found["dt_ps"], 5)));
        line("steps", fmt::format("{} to {}", all.first_step(), all.last_step()));
        line("velocities", first->has_velocities() ? "yes" : "no");
        line("forces", first->has_forces() ? "yes" : "no");
        const auto& [a, b, c] = first->box;
        line("first box", !first->box.periodic()
                              ? "none"
                              : fmt::format("({:g} {:g} {:g}) ({:g} {:g} {:g}) ({:g} {:g} {:g}) nm", a.x, a.y,
                                            a.z, b.x, b.y, b.z, c.x, c.y, c.z));
    }
    if (options.fingerprint) {
        line("fingerprint", found["fingerprint"].get<std::string>());
        line("asyncmd hash", std::to_string(found["asyncmd_hash"].get<std::uint64_t>()));
    }
    if (all.trailing_bytes() > 0)
        line("at the end",
             counted(all.trailing_bytes(), "byte") + " of a frame that is cut off, or being written");
    print(text);
    return session::kExitDone;
}

json to_json(const fs::path& file, const trajectory::Inspection& found) {
    json flaws = json::array();
    for (const trajectory::Flaw& flaw : found.flaws)
        flaws.push_back({{"offset", flaw.offset},
                         {"last_good_frame", flaw.last_good},
                         {"what", flaw.what},
                         {"damage", flaw.damage}});
    return {{"file", file.string()}, {"good_frames", found.n_good}, {"flaws", std::move(flaws)}};
}

std::string text_of(const fs::path& file, const trajectory::Inspection& found) {
    std::string text;
    for (const trajectory::Flaw& flaw : found.flaws) {
        const std::string after = flaw.last_good < 0 ? "before the first good frame"
                                                     : fmt::format("after frame {}", flaw.last_good);
        text += fmt::format("{}: byte {}, {}: {}\n", file.string(), flaw.offset, after, flaw.what);
    }
    return text + fmt::format("{}: {}, {}\n", file.string(), counted(found.n_good, "good frame"),
                              found.ok() ? "all is well" : counted(std::ssize(found.flaws), "flaw"));
}

/// Each file by itself, and how it goes on from the one before.
int check(const TrajOptions& options) {
    json all = json::array();
    std::string text;
    bool ok = true;
    std::optional<trajectory::Inspection> before;
    for (std::size_t i = 0; i < options.files.size(); ++i) {
        const fs::path& file = options.files[i];
        trajectory::Inspection found = trajectory::inspect(file);
        ok = ok && found.ok();
        all.push_back(to_json(file, found));
        text += text_of(file, found);
        if (const auto seam = before ? trajectory::seam_between(*before, found) : std::nullopt) {
            ok = ok && !seam->flaw;
            all.back()["seam"] = {{"what", seam->what}, {"flaw", seam->flaw}};
            text +=
                fmt::format("{}, after {}: {}\n", file.string(), options.files[i - 1].string(), seam->what);
        }
        if (found.n_good > 0 || !before) before = std::move(found);
    }
    print(options.json ? dumped(all) : text);
    return ok ? session::kExitDone : session::kExitFailed;
}

/// Where the structure of a selection of atoms goes: "protein.gro" beside "protein.xtc".
fs::path structure_beside(const fs::path& out) {
    return fs::path(out).replace_extension(".gro");
}

/// The atoms of the first frame that is written, as they are there.
void write_structure_of(const Piece& piece, const trajectory::ConcatenateOptions& how, const fs::path& out) {
    const Trajectory& whole = piece.trajectory;
    const std::vector<std::int64_t> indices = piece.slice.indices(whole.n_frames());
    Frame frame = whole.frame(indices.empty() ? 0 : indices.front());
    if (how.transform) how.transform.begin()(frame);
    keep_atoms(frame, how.atoms);
    trajectory::WriteOptions options;
    options.overwrite = how.overwrite;
    options.topology = std::make_shared<const trajectory::Topology>(subset(*whole.topology(), how.atoms));
    write_frame(structure_beside(out), frame, options);
}

int cat(const TrajOptions& options) {
    std::vector<Piece> pieces;
    for (const std::string& piece : options.pieces) pieces.push_back(parse_piece(piece, options.structure));
    const Trajectory& first = pieces.front().trajectory;
    const trajectory::AtomGroups groups = read_groups(options.ndx);
    trajectory::ConcatenateOptions how;
    how.overwrite = options.overwrite;
    how.remove_double_frames = !options.keep_double_frames;
    how.invert_velocities_when_reversed = !options.keep_velocities;
    how.transform = transformation_of(options.transform, first, groups);
    if (!options.selection.empty()) {
        how.atoms = selected_atoms(*first.topology(), options.selection, groups);
        // First: what is wrong with it is known before the trajectory is written.
        if (structure_beside(options.out) != options.out)
            write_structure_of(pieces.front(), how, options.out);
    }
    const Trajectory written = concatenate(pieces, options.out, how);
    print(fmt::format("{}: {}, {}", options.out.string(), counted(written.n_frames(), "frame"),
                      counted(written.n_atoms(), "atom")));
    return session::kExitDone;
}

int convert(const TrajOptions& given) {
    TrajOptions options = given;
    options.pieces = {options.piece};
    options.keep_double_frames = true;
    return cat(options);
}

int extract(const TrajOptions& options) {
    const Velocities velocities = parse_velocities(options.velocities);
    RandomStream random(options.seed, "extract");
    trajectory::ExtractOptions how;
    how.velocities = velocities.mode;
    how.temperature_k = velocities.temperature_k;
    how.random = &random;
    how.overwrite = options.overwrite;
    const Trajectory all(options.files, structure_for(options.structure, options.files.front()));
    how.transform = transformation_of(options.transform, all, read_groups(options.ndx));
    const Trajectory one = extract_frame(all, options.index, options.out, how);
    const Frame frame = one.frame(0);
    print(fmt::format("{}: step {}, {} ps", options.out.string(), frame.step,
                      std::isnan(frame.time_ps) ? "unknown" : fmt::format("{:.7g}", frame.time_ps)));
    return session::kExitDone;
}

int formats(const TrajOptions& options) {
    print(options.json ? formats_json() : formats_text(options.markdown));
    return session::kExitDone;
}

int repair(const TrajOptions& options) {
    const trajectory::Inspection found = trajectory::repair(options.in, options.out, options.overwrite);
    print(options.json ? dumped(to_json(options.in, found)) : text_of(options.in, found));
    return session::kExitDone;
}

// Options that several commands have.

void add_structure(CLI::App* command, TrajOptions& options) {
    command->add_option("-s,--structure", options.structure,
                        "The structure file that names the atoms (.gro, .tpr, ...)");
}
void add_files(CLI::App* command, TrajOptions& options, const char* help) {
    command->add_option("files", options.files, help)->required();
}
void add_in(CLI::App* command, fs::path& in, const char* help) {
    command->add_option("in", in, help)->required();
}
void add_out(CLI::App* command, TrajOptions& options, const char* help) {
    command->add_option("out", options.out, help)->required();
    command->add_flag("--overwrite", options.overwrite, "Replace an output that is there");
}
void add_json(CLI::App* command, TrajOptions& options) {
    command->add_flag("--json", options.json, "Print JSON");
}
void add_ndx(CLI::App* command, TrajOptions& options) {
    command->add_option("-n,--ndx", options.ndx,
                        "Index file: 'group NAME' in selections is one of its groups");
}
void add_selection(CLI::App* command, TrajOptions& options) {
    command->add_option(
        "--select", options.selection,
        "Only these atoms (\"protein and not name H*\"; needs -s); their structure is written\n"
        "beside OUT, as .gro");
}
/// All that changes what is written.
void add_changes(CLI::App* command, TrajOptions& options) {
    add_structure(command, options);
    add_ndx(command, options);
    add_transformations(command, options.transform);
}

constexpr const char* kNewFile = "The new file; its name says the format";
constexpr const char* kParts = "The file, or its parts in order";

void add_info_options(CLI::App* command, TrajOptions& options) {
    add_files(command, options, kParts);
    add_structure(command, options);
    command->add_flag("--fingerprint", options.fingerprint,
                      "Read all bytes, and print what identifies the content");
    add_json(command, options);
}

void add_check_options(CLI::App* command, TrajOptions& options) {
    add_files(command, options, "The files: each by itself, and how it goes on from the one before");
    add_json(command, options);
}

void add_cat_options(CLI::App* command, TrajOptions& options) {
    add_out(command, options, kNewFile);
    command
        ->add_option("in", options.pieces,
                     "FILE or FILE[start:stop:step], as Python slices; backwards inverts velocities")
        ->required();
    add_selection(command, options);
    command->add_flag("--keep-double-frames", options.keep_double_frames,
                      "Also a frame with time and step of the one before it");
    command->add_flag("--keep-velocities", options.keep_velocities,
                      "Do not invert them in pieces that run backwards");
    add_changes(command, options);
}

void add_convert_options(CLI::App* command, TrajOptions& options) {
    command->add_option("in", options.piece, "FILE or FILE[start:stop:step]")->required();
    add_out(command, options, kNewFile);
    add_selection(command, options);
    add_changes(command, options);
}

void add_extract_options(CLI::App* command, TrajOptions& options) {
    add_out(command, options, kNewFile);
    add_files(command, options, kParts);
    command->add_option("-i,--index", options.index, "Which frame, from 0; negative: from the end")
        ->required();
    command->add_option(
        "--velocities", options.velocities,
        "keep (default), invert, or mb:T: drawn at T K from the Maxwell-Boltzmann distribution");
    command->add_option("--seed", options.seed, "Of the velocities that are drawn (default 1)");
    add_changes(command, options);
}

void add_repair_options(CLI::App* command, TrajOptions& options) {
    add_in(command, options.in, "The damaged file, which stays as it is");
    add_out(command, options, "The new file, of the same format");
    add_json(command, options);
}

void add_formats_options(CLI::App* command, TrajOptions& options) {
    add_json(command, options);
    command->add_flag("--markdown", options.markdown, "Print the table as it is in the guide");
}

/// A command of `coromd traj`.
struct Command {
    const char* name;
    const char* what;
    const char* examples;
    void (*add_options)(CLI::App*, TrajOptions&);
    int (*run)(const TrajOptions&);
};

constexpr auto kCommands = std::to_array<Command>({
    {"info", "Print what a trajectory, of one or several parts, holds",
     "  coromd traj info md.xtc\n  coromd traj info md.part*.trr --json --fingerprint", add_info_options,
     info},
    {"check", "Read every frame, and tell what is damaged, cut off or jumps",
     "  coromd traj check md.xtc\n  coromd traj check md.part*.xtc --json", add_check_options, check},
    {"cat", "Join trajectories, or pieces of them, in the order given",
     "  coromd traj cat all.xtc md.part*.xtc\n"
     "  coromd traj cat path.trr 'back.trr[::-1]' 'forth.trr[1:]'\n"
     "  coromd traj cat protein.xtc 'md.xtc[::10]' -s md.tpr --select protein",
     add_cat_options, cat},
    {"convert", "Write a trajectory in another format, some of its atoms or frames, or transformed",
     "  coromd traj convert md.trr md.xtc\n"
     "  coromd traj convert 'md.xtc[::100]' some.gro -s md.tpr --select 'resname ALA'\n"
     "  coromd traj convert md.xtc nice.xtc -s md.tpr --whole --centre protein --wrap molecules:compact\n"
     "  coromd traj convert md.xtc fitted.xtc -s md.tpr --whole --fit 'name CA'\n"
     "  coromd traj convert md.tpr start.gro",
     add_convert_options, convert},
    {"extract", "Write one frame, from which MD can start",
     "  coromd traj extract -i -1 last.gro md.trr -s md.tpr\n"
     "  coromd traj extract -i 100 start.trr md.trr -s md.tpr --velocities mb:300 --seed 7\n"
     "  coromd traj extract -i 0 whole.gro md.xtc -s md.tpr --whole",
     add_extract_options, extract},
    {"repair", "Write all good frames of a damaged file to a new one, byte for byte",
     "  coromd traj repair damaged.xtc whole.xtc", add_repair_options, repair},
    {"formats", "Print the formats of files and what each holds", "  coromd traj formats",
     add_formats_options, formats},
});

}  // namespace

void add_traj(CLI::App& app, int& exit_code) {
    CLI::App* traj =
        app.add_subcommand("traj", "Look at trajectories, check, cut, join, convert and repair them");
    traj->require_subcommand(1);
    traj->footer(
        "Examples:\n  coromd traj info md.xtc\n  coromd traj check md.part*.xtc\n"
        "  coromd traj cat all.xtc 'back.xtc[::-1]' 'forth.xtc[1:]'");
    auto options = std::make_shared<TrajOptions>();
    for (const Command& command : kCommands) {
        CLI::App* sub = traj->add_subcommand(command.name, command.what);
        sub->footer(std::string("Examples:\n") + command.examples);
        command.add_options(sub, *options);
        sub->callback([options, &command, &exit_code] { exit_code = command.run(*options); });
    }
}

}  // namespace coromd::cli
