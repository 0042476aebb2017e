// SPDX-License-Identifier: LGPL-3.0-or-later
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "coromd/campaign/check.hpp"
#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/session/session.hpp"

namespace coromd::cli {

namespace fs = std::filesystem;
using campaign::Snapshot;
using campaign::SnapshotKind;
using nlohmann::json;

namespace {

int check(const fs::path& directory, bool content, bool as_json) {
    std::vector<std::string> problems;
    std::vector<campaign::MadeFile> files;
    fs::path root;
    {
        const Snapshot snapshot(directory, SnapshotKind::copy);
        root = snapshot.directory();
        problems = snapshot.problems();
        files = campaign::made_files(snapshot);
    }
    const campaign::FileCheck found = campaign::check_files(files, root, content);
    problems.insert(problems.end(), found.problems.begin(), found.problems.end());
    const int exit_code = problems.empty() ? session::kExitDone : session::kExitFailed;
    if (as_json) {
        print(dumped({{"directory", root.string()},
                      {"files", found.looked_at},
                      {"contents_compared", found.compared},
                      {"removed_by_clean", found.removed},
                      {"problems", problems}}));
        return exit_code;
    }
    std::string text;
    for (const std::string& problem : problems) text += problem + "\n";
    text += fmt::format("{}: {}, {} removed by clean, contents compared of {}: {}", root.string(),
                        counted(found.looked_at, "file"), found.removed, found.compared,
                        problems.empty() ? "all is well" : counted(std::ssize(problems), "problem"));
    print(text);
    return exit_code;
}

/// Calls `write` with a new file that takes the name `file` when all is written.
template <typename Write>
void write_as_a_whole(const fs::path& file, Write&& write) {
    const fs::path partial = file.string() + ".partial";
    std::FILE* out = std::fopen(partial.c_str(), "we");
    if (out == nullptr) fail_errno(errno, fmt::format("cannot create '{}'", partial.string()));
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> closing(out, std::fclose);
    write(out);
    sync_path(partial);
    fs::rename(partial, file);
}

void export_lines(const fs::path& directory, std::FILE* out) {
    Snapshot(directory, SnapshotKind::copy).export_to([&](const std::string& line) {
        if (std::fwrite(line.data(), 1, line.size(), out) != line.size() || std::fputc('\n', out) == EOF)
            fail_errno(errno, "cannot write what is exported");
    });
    if (std::fflush(out) != 0) fail_errno(errno, "cannot write what is exported");
}

void export_to(const fs::path& directory, const fs::path& file) {
    if (file.empty())
        export_lines(directory, stdout);
    else
        write_as_a_whole(file, [&](std::FILE* out) { export_lines(directory, out); });
}

void add_directory(CLI::App* command, fs::path& directory) {
    command->add_option("directory", directory, "The campaign's directory")->required();
}

}  // namespace

void add_campaign(CLI::App& app, int& exit_code) {
    CLI::App* command =
        app.add_subcommand("campaign", "Check, export or shrink what a campaign has recorded");
    command->require_subcommand(1);
    command->footer(
        "Examples:\n  coromd campaign check alanine.campaign\n"
        "  coromd campaign export alanine.campaign -o alanine.jsonl");
    struct Options {
        fs::path directory;
        fs::path output;
        bool deep = false;
        bool json = false;
    };

    auto checked = std::make_shared<Options>();
    CLI::App* check_command =
        command->add_subcommand("check", "Verify the database and the files against it");
    add_directory(check_command, checked->directory);
    check_command->add_flag("--deep", checked->deep, "Read all files and compare their contents as well");
    check_command->add_flag("--json", checked->json, "Print JSON");
    check_command->footer(
        "Works while the campaign runs, and changes nothing. Exit code 1 when something is wrong.\n\n"
        "Examples:\n  coromd campaign check alanine.campaign\n"
        "  coromd campaign check alanine.campaign --deep --json");
    check_command->callback(
        [checked, &exit_code] { exit_code = check(checked->directory, checked->deep, checked->json); });

    auto exported = std::make_shared<Options>();
    CLI::App* export_command =
        command->add_subcommand("export", "Print all that is recorded, one JSON object a line");
    add_directory(export_command, exported->directory);
    export_command->add_option("-o,--output", exported->output, "A file instead of standard output");
    export_command->footer(
        "Works while the campaign runs, and changes nothing. The field \"record\" of each object says what\n"
        "it is: campaign, session, input, job, event, memo, product, walker or note.\n\n"
        "Examples:\n  coromd campaign export alanine.campaign -o alanine.jsonl\n"
        "  coromd campaign export alanine.campaign | jq 'select(.record == \"event\")'");
    export_command->callback([exported, &exit_code] {
        export_to(exported->directory, exported->output);
        exit_code = session::kExitDone;
    });

    auto shrunk = std::make_shared<Options>();
    CLI::App* vacuum_command =
        command->add_subcommand("vacuum", "Give unused space of the database back to the file system");
    add_directory(vacuum_command, shrunk->directory);
    vacuum_command->footer(
        "Not while a program runs the campaign.\n\nExample:\n  coromd campaign vacuum alanine.campaign");
    vacuum_command->callback([shrunk, &exit_code] {
        const auto [before, after] = campaign::vacuum(shrunk->directory);
        print(fmt::format("campaign.sqlite: {} before, {} now", bytes_text(before), bytes_text(after)));
        exit_code = session::kExitDone;
    });
}

}  // namespace coromd::cli
