// SPDX-License-Identifier: LGPL-3.0-or-later
#include <cmath>
#include <cstdio>
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
#include "coromd/trajectory/selection.hpp"
#include "traj_input.hpp"

namespace coromd::cli {

namespace fs = std::filesystem;
using nlohmann::json;
using trajectory::Frame;
using trajectory::Piece;
using trajectory::Trajectory;
using trajectory::VelocityMode;

namespace {

struct TrajOptions {
    fs::path structure;
    fs::path in;
    std::vector<fs::path> files;
    fs::path out;
    std::string piece;
    std::vector<std::string> pieces;
    std::string selection;
    std::int64_t index = 0;
    std::string velocities = "keep";
    std::uint64_t seed = 1;
    bool fingerprint = false;
    bool keep_double_frames = false;
    bool keep_velocities = false;
    bool overwrite = false;
    bool json = false;
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

void print_info(const TrajOptions& options) {
    const Trajectory all(options.files, options.structure);
    if (!options.structure.empty()) all.topology();  // says so where the atoms do not fit
    const std::int64_t n_frames = all.n_frames();
    std::optional<Frame> first;
    if (n_frames > 0) first = all.frame(0);
    json info{{"n_frames", n_frames},
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
        info["fingerprint"] = all.fingerprint().hex();
        info["asyncmd_hash"] = trajectory::asyncmd_hash(all.files());
    }
    if (options.json) {
        print(dumped(info));
        return;
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
        line("times", fmt::format("{} to {}, every {}", ps(info["first_time_ps"]), ps(info["last_time_ps"]),
                                  ps(info["dt_ps"], 5)));
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
        line("fingerprint", info["fingerprint"].get<std::string>());
        line("asyncmd hash", std::to_string(info["asyncmd_hash"].get<std::uint64_t>()));
    }
    if (all.trailing_bytes() > 0)
        line("at the end",
             counted(all.trailing_bytes(), "byte") + " of a frame that is cut off, or being written");
    print(text);
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

int check(const TrajOptions& options) {
    json all = json::array();
    std::string text;
    bool ok = true;
    for (const fs::path& file : options.files) {
        const trajectory::Inspection found = trajectory::inspect(file);
        ok = ok && found.ok();
        all.push_back(to_json(file, found));
        text += text_of(file, found);
    }
    print(options.json ? dumped(all) : text);
    return ok ? session::kExitDone : session::kExitFailed;
}

/// Where the structure of a selection of atoms goes: "protein.gro" beside "protein.xtc".
fs::path structure_beside(const fs::path& out) {
    return fs::path(out).replace_extension(".gro");
}

void write_structure_of(const Trajectory& whole, const std::vector<std::int32_t>& atoms, const fs::path& out,
                        bool overwrite) {
    Frame frame = whole.frame(0);
    keep_atoms(frame, atoms);
    trajectory::WriteOptions options;
    options.overwrite = overwrite;
    options.topology = std::make_shared<const trajectory::Topology>(subset(*whole.topology(), atoms));
    write_frame(structure_beside(out), frame, options);
}

void cat(const TrajOptions& options) {
    std::vector<Piece> pieces;
    for (const std::string& piece : options.pieces) pieces.push_back(parse_piece(piece, options.structure));
    const Trajectory& first = pieces.front().trajectory;
    trajectory::ConcatenateOptions how;
    how.overwrite = options.overwrite;
    how.remove_double_frames = !options.keep_double_frames;
    how.invert_velocities_when_reversed = !options.keep_velocities;
    if (!options.selection.empty()) {
        how.atoms = trajectory::select(*first.topology(), options.selection);
        // First: what is wrong with it is known before the trajectory is written.
        if (structure_beside(options.out) != options.out)
            write_structure_of(first, how.atoms, options.out, options.overwrite);
    }
    const Trajectory written = concatenate(pieces, options.out, how);
    print(fmt::format("{}: {}, {}", options.out.string(), counted(written.n_frames(), "frame"),
                      counted(written.n_atoms(), "atom")));
}

void extract(const TrajOptions& options) {
    const Velocities velocities = parse_velocities(options.velocities);
    RandomStream random(options.seed, "extract");
    trajectory::ExtractOptions how;
    how.velocities = velocities.mode;
    how.temperature_k = velocities.temperature_k;
    how.random = &random;
    how.overwrite = options.overwrite;
    const Trajectory all(options.files, options.structure);
    const Trajectory one = extract_frame(all, options.index, options.out, how);
    const Frame frame = one.frame(0);
    print(fmt::format("{}: step {}, {} ps", options.out.string(), frame.step,
                      std::isnan(frame.time_ps) ? "unknown" : fmt::format("{:.7g}", frame.time_ps)));
}

int repair(const TrajOptions& options) {
    const trajectory::Inspection found = trajectory::repair(options.in, options.out, options.overwrite);
    print(options.json ? dumped(to_json(options.in, found)) : text_of(options.in, found));
    return session::kExitDone;
}

void add_structure(CLI::App* command, TrajOptions& options) {
    command->add_option("-s,--structure", options.structure,
                        "The structure file that names the atoms (.gro, .tpr, ...)");
}
void add_overwrite(CLI::App* command, TrajOptions& options) {
    command->add_flag("--overwrite", options.overwrite, "Replace an output that is there");
}
void add_selection(CLI::App* command, TrajOptions& options) {
    command->add_option(
        "--select", options.selection,
        "Only these atoms (\"protein and not name H*\"; needs -s); their structure is written\n"
        "beside OUT, as .gro");
}

}  // namespace

void add_traj(CLI::App& app, int& exit_code) {
    CLI::App* command =
        app.add_subcommand("traj", "Look at trajectories, check, cut, join, convert and repair them");
    command->require_subcommand(1);
    command->footer(
        "Examples:\n  coromd traj info md.xtc\n  coromd traj check md.part*.xtc\n"
        "  coromd traj cat all.xtc 'back.xtc[::-1]' 'forth.xtc[1:]'");
    auto options = std::make_shared<TrajOptions>();
    const auto add = [&](const char* name, const char* what, const char* examples) {
        CLI::App* sub = command->add_subcommand(name, what);
        sub->footer(std::string("Examples:\n") + examples);
        return sub;
    };

    CLI::App* info = add("info", "Print what a trajectory, of one or several parts, holds",
                         "  coromd traj info md.xtc\n  coromd traj info md.part*.trr --json --fingerprint");
    info->add_option("files", options->files, "The file, or its parts in order")->required();
    add_structure(info, *options);
    info->add_flag("--fingerprint", options->fingerprint,
                   "Read all bytes, and print what identifies the content");
    info->add_flag("--json", options->json, "Print JSON");
    info->callback([options, &exit_code] {
        print_info(*options);
        exit_code = session::kExitDone;
    });

    CLI::App* checking = add("check", "Read every frame, and tell what is damaged, cut off or jumps",
                             "  coromd traj check md.xtc\n  coromd traj check md.part*.xtc --json");
    checking->add_option("files", options->files, "The files, each by itself")->required();
    checking->add_flag("--json", options->json, "Print JSON");
    checking->callback([options, &exit_code] { exit_code = check(*options); });

    CLI::App* joining = add("cat", "Join trajectories, or pieces of them, in the order given",
                            "  coromd traj cat all.xtc md.part*.xtc\n"
                            "  coromd traj cat path.trr 'back.trr[::-1]' 'forth.trr[1:]'\n"
                            "  coromd traj cat protein.xtc 'md.xtc[::10]' -s md.tpr --select protein");
    joining->add_option("out", options->out, "The new file; its name says the format")->required();
    joining
        ->add_option("in", options->pieces,
                     "FILE or FILE[start:stop:step], as Python slices; backwards inverts velocities")
        ->required();
    add_structure(joining, *options);
    add_selection(joining, *options);
    joining->add_flag("--keep-double-frames", options->keep_double_frames,
                      "Also a frame with time and step of the one before it");
    joining->add_flag("--keep-velocities", options->keep_velocities,
                      "Do not invert them in pieces that run backwards");
    add_overwrite(joining, *options);
    joining->callback([options, &exit_code] {
        cat(*options);
        exit_code = session::kExitDone;
    });

    CLI::App* converting =
        add("convert", "Write a trajectory in another format, or some of its atoms or frames",
            "  coromd traj convert md.trr md.xtc\n"
            "  coromd traj convert 'md.xtc[::100]' some.gro -s md.tpr --select 'resname ALA'");
    converting->add_option("in", options->piece, "FILE or FILE[start:stop:step]")->required();
    converting->add_option("out", options->out, "The new file; its name says the format")->required();
    add_structure(converting, *options);
    add_selection(converting, *options);
    add_overwrite(converting, *options);
    converting->callback([options, &exit_code] {
        options->pieces = {options->piece};
        options->keep_double_frames = true;
        cat(*options);
        exit_code = session::kExitDone;
    });

    CLI::App* extracting =
        add("extract", "Write one frame, from which MD can start",
            "  coromd traj extract -i -1 last.gro md.trr -s md.tpr\n"
            "  coromd traj extract -i 100 start.trr md.trr -s md.tpr --velocities mb:300 --seed 7");
    extracting->add_option("out", options->out, "The new file; its name says the format")->required();
    extracting->add_option("files", options->files, "The file, or its parts in order")->required();
    extracting->add_option("-i,--index", options->index, "Which frame, from 0; negative: from the end")
        ->required();
    add_structure(extracting, *options);
    extracting->add_option(
        "--velocities", options->velocities,
        "keep (default), invert, or mb:T: drawn at T K from the Maxwell-Boltzmann distribution");
    extracting->add_option("--seed", options->seed, "Of the velocities that are drawn (default 1)");
    add_overwrite(extracting, *options);
    extracting->callback([options, &exit_code] {
        extract(*options);
        exit_code = session::kExitDone;
    });

    CLI::App* repairing = add("repair", "Write all good frames of a damaged file to a new one, byte for byte",
                              "  coromd traj repair damaged.xtc whole.xtc");
    repairing->add_option("in", options->in, "The damaged file, which stays as it is")->required();
    repairing->add_option("out", options->out, "The new file, of the same format")->required();
    repairing->add_flag("--json", options->json, "Print JSON");
    add_overwrite(repairing, *options);
    repairing->callback([options, &exit_code] { exit_code = repair(*options); });
}

}  // namespace coromd::cli
