// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "coromd/campaign/memo.hpp"
#include "coromd/core/hash.hpp"
#include "fixtures.hpp"

namespace coromd::campaign {

/// A test with a campaign as engines leave it: walkers with parts, files, products and results.
class MadeCampaign : public CampaignFolder {
protected:
    MadeCampaign() {
        write("../topol.top", "topology");
        campaign = open();
    }

    void write(const std::filesystem::path& file, const std::string& text) const {
        std::filesystem::create_directories((place / file).parent_path());
        std::ofstream(place / file) << text;
    }
    bool is_there(const std::filesystem::path& file) const { return std::filesystem::exists(place / file); }

    /// A finished job with these files, written beside its key.
    void job(const std::string& key, const std::vector<std::string>& names) {
        queue::JobLedger& ledger = campaign->ledger();
        context.run(ledger.claim(key, R"({"command": ["gmx", "mdrun"]})"));
        queue::JobResult result =
            result_of(key, context.run(ledger.begin_attempt(key)), queue::JobState::finished);
        result.exit.node = "node01";
        result.exit.exit_code = 0;
        result.exit.started_ms = 4'000'000'000'000;
        for (const std::string& name : names) {
            const std::filesystem::path file = std::filesystem::path(key).parent_path() / name;
            write(file, key + " " + name);
            result.files.push_back(
                {name, std::filesystem::file_size(place / file), fingerprint_file(place / file).hex()});
        }
        context.run(ledger.ended(std::move(result)));
    }

    void product(Product product) {
        for (auto& file : product.files) file = place / file;
        for (auto& source : product.sources) source.file = (place / source.file).lexically_normal();
        campaign->recorder().product(product);
    }

    void part(const std::string& walker, int number) {
        const std::string name = fmt::format("md.part{:04}", number);
        std::vector<std::string> names;
        for (const char* extension : {".xtc", ".log", ".edr", ".cpt"}) names.push_back(name + extension);
        job(walker + "/" + name, names);
        Product md{walker + "/" + name, "md", {{walker + "/md.tpr"}}, {}, {}};
        if (number > 1) md.sources.push_back({walker + fmt::format("/md.part{:04}.cpt", number - 1)});
        for (const std::string& file : names) md.files.push_back(walker + "/" + file);
        md.details = {{"first_step", std::to_string(100 * (number - 1))},
                      {"last_step", std::to_string(100 * number)}};
        product(std::move(md));
    }

    /// A walker with its start, its tpr and parts; with a trajectory and a result where it is finished.
    void walker(const std::string& name, int parts, bool finished) {
        write(name + "/start.trr", "start");
        product({name + "/start", "start", {{"../start.gro", 0, {}}}, {name + "/start.trr"}, {}});
        job(name + "/grompp", {"md.tpr"});
        product({name + "/grompp",
                 "tpr",
                 {{name + "/start.trr"}, {"../topol.top", {}, fingerprint_file(folder / "topol.top").hex()}},
                 {name + "/md.tpr"},
                 {}});
        Product until{name + "/until", "trajectory", {}, {name + "/until.xtc"}, {{"operation", "cut"}}};
        for (int i = 1; i <= parts; ++i) {
            part(name, i);
            until.sources.push_back({name + fmt::format("/md.part{:04}.xtc", i)});
        }
        progress(name, finished ? "reached left" : "running", parts);
        if (finished) {
            write(name + "/until.xtc", "until");
            product(std::move(until));
            context.run(
                campaign->remember(name + "/result", "until", 1, encode_memo(std::string("reached"))));
        }
        context.run(campaign->flush());
    }

    void progress(const std::string& name, const std::string& phase, int parts) {
        Progress progress;
        progress.subject = name;
        progress.phase = phase;
        progress.part = parts;
        progress.time_ps = 10.0 * parts;
        progress.ns_per_day = 86.4;
        campaign->recorder().progress(progress);
    }

    std::unique_ptr<Campaign> campaign;
};

}  // namespace coromd::campaign
