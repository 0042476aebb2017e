// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "coromd/campaign/provenance.hpp"
#include "coromd/core/error.hpp"
#include "coromd/session/session.hpp"
#include "coromd/trajectory/frame_index.hpp"

namespace coromd::cli {

namespace fs = std::filesystem;
using campaign::FileRecord;
using campaign::OnDisk;
using campaign::Provenance;
using campaign::ProvenanceStep;
using campaign::Snapshot;
using nlohmann::json;

namespace {

struct ProvenanceOptions {
    std::string subject;
    fs::path directory;
    std::optional<std::int64_t> frame;
    bool json = false;
    bool dot = false;
};

/// The frame that was asked for, as its file has it.
struct FramePlace {
    std::int64_t number = 0;
    std::int64_t step = 0;
    double time_ps = 0.0;
};

/// A history, ready to be shown.
struct History {
    fs::path root;
    std::string subject;
    std::optional<FramePlace> frame;
    Provenance provenance;

    /// What made files of the campaign is not read again: their sizes tell. Inputs, which others may
    /// change, are compared by content.
    OnDisk state_of(const FileRecord& file, bool is_input) const {
        return campaign::look_at(file, root, is_input);
    }
};

/// A name of a campaign as it is recorded: relative to its directory. What is no path in there stays.
std::string recorded_name(const std::string& subject, const fs::path& root, bool in_root) {
    std::error_code error;
    const fs::path place = in_root ? root / subject : fs::absolute(subject);
    for (const fs::path& path : {place.lexically_normal(), fs::weakly_canonical(place, error)})
        for (const fs::path& base : {root, fs::weakly_canonical(root, error)}) {
            const fs::path relative = path.lexically_relative(base);
            if (!relative.empty() && *relative.begin() != "..") return relative.string();
        }
    return subject;
}

FramePlace place_of_frame(const fs::path& file, std::int64_t number) {
    trajectory::FrameIndex index(file);
    index.refresh();
    if (number < 0 || number >= index.size())
        fail(ErrorKind::usage, "'{}' has no frame {}: it has {}, from 0 on", file.string(), number,
             counted(index.size(), "frame"));
    const trajectory::FrameHeader& header = index.at(number);
    return {number, header.step, header.time_ps};
}

History history_of(const ProvenanceOptions& options) {
    const bool in_root = !options.directory.empty();
    std::optional<fs::path> root = options.directory;
    if (!in_root) root = campaign::find_campaign(fs::path(options.subject));
    if (!root)
        fail(ErrorKind::usage,
             "'{}' lies in no campaign: name a file of one, or the campaign's directory with --directory",
             options.subject);
    const Snapshot snapshot(*root);
    History history{
        snapshot.directory(), recorded_name(options.subject, snapshot.directory(), in_root), {}, {}};
    std::optional<std::int64_t> step;
    if (options.frame) {
        history.frame = place_of_frame(history.root / history.subject, *options.frame);
        step = history.frame->step;
    }
    history.provenance = campaign::provenance_of(snapshot, history.subject, step);
    return history;
}

/// The command of a job, as far as its specification has it.
std::vector<std::string> command_of(const ProvenanceStep& step) {
    const json specification = json::parse(step.specification, nullptr, false);
    if (!specification.is_object() || !specification.contains("command")) return {};
    const json& command = specification["command"];
    const auto is_text = [](const json& word) { return word.is_string(); };
    if (!command.is_array() || !std::ranges::all_of(command, is_text)) return {};
    return command.get<std::vector<std::string>>();
}

std::string state_text(OnDisk state) {
    switch (state) {
        case OnDisk::unchanged:
            return "unchanged";
        case OnDisk::present:
            return "there";
        case OnDisk::changed:
            return "CHANGED since";
        case OnDisk::removed:
            return "removed by clean";
        default:
            return "GONE";
    }
}

std::string source_text(const ProvenanceStep::From& from) {
    std::string text = from.source.file.string();
    if (from.source.frame) text += fmt::format(" frame {}", *from.source.frame);
    return text + (from.step ? fmt::format("  (step {})", *from.step + 1) : "  (input)");
}

std::string text_of(const History& history) {
    std::string text = history.subject;
    if (history.frame)
        text += fmt::format("  frame {}: step {}, {:.6g} ps", history.frame->number, history.frame->step,
                            history.frame->time_ps);
    text += "\n";
    const auto line = [&](std::string_view name, const std::string& what) {
        text += fmt::format("      {:<8} {}\n", name, one_line(what, 1000));
    };
    for (std::size_t i = 0; i < history.provenance.steps.size(); ++i) {
        const ProvenanceStep& step = history.provenance.steps[i];
        text += fmt::format("\n{:>3}  {}  [{}]\n", i + 1, step.product.key, step.product.kind);
        std::string_view name = "made";
        for (const FileRecord& file : step.files) {
            line(name,
                 fmt::format("{}  ({})", file.path.string(), state_text(history.state_of(file, false))));
            name = "";
        }
        name = "from";
        for (const ProvenanceStep::From& from : step.from) {
            line(name, source_text(from));
            name = "";
        }
        if (const auto command = command_of(step); !command.empty())
            line("command", fmt::format("{}", fmt::join(command, " ")));
        if (step.result) {
            const queue::JobExit& exit = step.result->exit;
            line("run", fmt::format("attempt {}{}{}, {} to {}, {}", step.result->attempt,
                                    exit.node.empty() ? "" : " on ", exit.node, time_text(exit.started_ms),
                                    time_text(exit.ended_ms), exit.text()));
            if (!step.coromd_version.empty()) line("coromd", step.coromd_version);
        }
        for (const auto& [key, value] : step.product.details) line("", fmt::format("{} = {}", key, value));
    }
    if (!history.provenance.inputs.empty()) text += "\ninputs\n";
    for (const FileRecord& file : history.provenance.inputs)
        text += fmt::format("      {}  {}  ({})\n", one_line(file.path.string(), 1000),
                            file.fingerprint.empty() ? "no fingerprint recorded" : file.fingerprint,
                            state_text(history.state_of(file, true)));
    return text;
}

json to_json(const History& history, const FileRecord& file, bool is_input) {
    json out{{"file", file.path.string()}, {"on_disk", to_string(history.state_of(file, is_input))}};
    if (!file.fingerprint.empty()) out["fingerprint"] = file.fingerprint;
    if (file.size) out["size"] = *file.size;
    return out;
}

json to_json(const History& history) {
    json steps = json::array();
    for (const ProvenanceStep& step : history.provenance.steps) {
        json files = json::array();
        for (const FileRecord& file : step.files) files.push_back(to_json(history, file, false));
        json sources = json::array();
        for (const ProvenanceStep::From& from : step.from) {
            json source{{"file", from.source.file.string()}};
            if (from.source.frame) source["frame"] = *from.source.frame;
            if (!from.source.fingerprint.empty()) source["fingerprint"] = from.source.fingerprint;
            source["made_by"] =
                from.step ? json(history.provenance.steps[*from.step].product.key) : json(nullptr);
            sources.push_back(std::move(source));
        }
        json one{{"key", step.product.key}, {"kind", step.product.kind},       {"files", files},
                 {"sources", sources},      {"details", step.product.details}, {"job", nullptr}};
        if (step.result) {
            const queue::JobExit& exit = step.result->exit;
            one["job"] = {{"attempt", step.result->attempt},
                          {"command", command_of(step)},
                          {"node", exit.node},
                          {"scheduler_job", exit.scheduler_job},
                          {"started_ms", exit.started_ms},
                          {"ended_ms", exit.ended_ms},
                          {"cpu_seconds", exit.cpu_seconds},
                          {"coromd", step.coromd_version}};
        }
        steps.push_back(std::move(one));
    }
    json inputs = json::array();
    for (const FileRecord& file : history.provenance.inputs) inputs.push_back(to_json(history, file, true));
    json frame = nullptr;
    if (history.frame)
        frame = {{"number", history.frame->number},
                 {"step", history.frame->step},
                 {"time_ps", history.frame->time_ps}};
    return {{"campaign", history.root.string()},
            {"subject", history.subject},
            {"frame", frame},
            {"steps", steps},
            {"inputs", inputs}};
}

/// A text of Graphviz in its quotes.
std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c == '\n' ? ' ' : c;
    }
    return out + "\"";
}

/// Steps are boxes, inputs are ellipses; arrows go with time and carry the file.
std::string dot_of(const History& history) {
    std::string text = "digraph provenance {\n  rankdir = LR;\n  node [fontname = \"sans-serif\"];\n";
    const auto& steps = history.provenance.steps;
    for (std::size_t i = 0; i < steps.size(); ++i)
        text += fmt::format("  s{} [shape = box, label = {}];\n", i,
                            quoted(steps[i].product.key + " [" + steps[i].product.kind + "]"));
    for (const FileRecord& file : history.provenance.inputs)
        text += fmt::format("  {} [shape = ellipse];\n", quoted(file.path.string()));
    for (std::size_t i = 0; i < steps.size(); ++i)
        for (const ProvenanceStep::From& from : steps[i].from) {
            const std::string file = from.source.file.filename().string() +
                                     (from.source.frame ? fmt::format(" frame {}", *from.source.frame) : "");
            text +=
                fmt::format("  {} -> s{} [label = {}];\n",
                            from.step ? fmt::format("s{}", *from.step) : quoted(from.source.file.string()), i,
                            quoted(from.step ? file : ""));
        }
    return text + "}\n";
}

}  // namespace

void add_provenance(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<ProvenanceOptions>();
    CLI::App* command = app.add_subcommand("provenance", "Say what a file was made from, back to the inputs");
    command
        ->add_option("subject", options->subject,
                     "A file of a campaign; or, with --directory, the key of a job or a path in there")
        ->required();
    command->add_option("-d,--directory", options->directory,
                        "The campaign's directory (default: the one that the file lies in)");
    command->add_option("--frame", options->frame,
                        "Only what led to this frame of the trajectory, from 0 on");
    CLI::Option* as_json = command->add_flag("--json", options->json, "Print JSON");
    command->add_flag("--dot", options->dot, "Print a graph for Graphviz")->excludes(as_json);
    command->footer(
        "Works while the campaign runs, and changes nothing. Inputs are read to tell whether they are still\n"
        "what they were; of files that the campaign has made only the sizes are compared (all contents:\n"
        "coromd campaign check --deep).\n\n"
        "Examples:\n"
        "  coromd provenance alanine.campaign/walkers/003/until.xtc\n"
        "  coromd provenance alanine.campaign/walkers/003/until.xtc --frame 12 --json\n"
        "  coromd provenance walkers/003/md.part0002 -d alanine.campaign\n"
        "  coromd provenance alanine.campaign/walkers/003/until.xtc --dot | dot -Tsvg > history.svg");
    command->callback([options, &exit_code] {
        const History history = history_of(*options);
        print(options->json ? dumped(to_json(history)) : options->dot ? dot_of(history) : text_of(history));
        exit_code = session::kExitDone;
    });
}

}  // namespace coromd::cli
