// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Walkers on the model engine. A walker's md.toml says all that its runs depend on. Each part is a job that
// runs model-md with that file and the checkpoint of the part before; how far it came is what its own
// checkpoint says.
#include "coromd/engine/model/system.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <string_view>
#include <utility>
#include <vector>

#include "../kinds.hpp"
#include "checkpoint.hpp"
#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/runtime/offload.hpp"
#include "parts_engine.hpp"

namespace coromd::engine::model {

namespace fs = std::filesystem;
using runtime::task;
using trajectory::Trajectory;

namespace {

constexpr const char* kInputFile = "md.toml";
constexpr std::size_t kLogTail = 4 << 10;
constexpr int kInterrupted = 130;

/// The line of a key at the top of an md.toml.
std::string_view line_of(std::string_view text, std::string_view key) {
    const std::size_t begin = text.find(fmt::format("\n{} = ", key)) + 1;
    return begin == 0 ? std::string_view() : text.substr(begin, text.find('\n', begin) - begin);
}

queue::Verdict judge(const queue::JobExit& exit, const fs::path& directory, const std::string& part) {
    const bool ended_well = exit.exit_code == 0 || exit.exit_code == kInterrupted || !exit.known;
    const bool finished =
        read_tail(directory / (part + ".log"), kLogTail).find("\nFinished model-md ") != std::string::npos;
    if (ended_well && finished) {
        Checkpoint::read(directory / (part + ".cpt"));
        return queue::Verdict::good();
    }
    if (is_stop_signal(exit.signal))
        return queue::Verdict::bad(queue::FailureClass::infrastructure, exit.text());
    const std::string& said = exit.stderr_tail;
    return queue::Verdict::bad(queue::FailureClass::user, said.empty() ? exit.text() : said);
}

/// The first line in which two texts differ, as "'a', now 'b'".
std::string first_difference(std::string_view before, std::string_view now) {
    while (!before.empty() || !now.empty()) {
        const std::string_view old_line = before.substr(0, before.find('\n'));
        const std::string_view new_line = now.substr(0, now.find('\n'));
        if (old_line != new_line) return fmt::format("'{}', now '{}'", old_line, new_line);
        before.remove_prefix(std::min(old_line.size() + 1, before.size()));
        now.remove_prefix(std::min(new_line.size() + 1, now.size()));
    }
    return "nothing";
}

class ModelSystem final : public MdSystem {
public:
    ModelSystem(const EngineContext& context, Model model, const fs::path& structure, queue::Queue& md_queue)
        : context_(context),
          model_(std::move(model)),
          structure_(structure, structure),
          md_queue_(md_queue) {}

    std::unique_ptr<MdEngine> engine(std::string name) const override;
    const Trajectory& structure() const noexcept override { return structure_; }
    task<Trajectory> reference() override { co_return structure_; }
    std::int64_t nstout() const noexcept override { return model_.nstout; }
    double dt_ps() const noexcept override { return model_.dynamics.dt_ps; }

    task<std::map<std::string, std::string>> inputs() override {
        RunInput input;
        input.model = model_;
        std::map<std::string, std::string> inputs{{"model", input.to_toml()}};
        auto read = [&] { return fingerprint_file(structure_.files().front()).hex(); };
        inputs["model.structure"] = co_await runtime::offload(context_.runtime, read);
        co_return inputs;
    }

    void check() const override {
        if (context_.program.empty())
            fail(ErrorKind::usage,
                 "the coromd program was not found, which runs model-md: put it in PATH, or name it in the "
                 "setting "
                 "'agent'");
        for (const trajectory::Vec3f& at : structure_.frame(0).positions) {
            const Vec2 r{at.x, at.y};
            const double e = energy(model_.potential, r);
            if (std::isfinite(e) && std::abs(r.x) <= Simulation::kFarthest &&
                std::abs(r.y) <= Simulation::kFarthest)
                continue;
            fail(ErrorKind::usage, "nothing can start from '{}': at ({}, {}) nm the potential is {} kJ/mol",
                 structure_.files().front().string(), r.x, r.y, e);
        }
    }

    const EngineContext& context() const noexcept { return context_; }
    const Model& model() const noexcept { return model_; }
    queue::Queue& md_queue() const noexcept { return md_queue_; }

private:
    EngineContext context_;
    Model model_;
    Trajectory structure_;
    queue::Queue& md_queue_;
};

class ModelEngine final : public PartsEngine {
public:
    ModelEngine(const ModelSystem& system, std::string name)
        : PartsEngine(system, system.context(), system.md_queue(), std::move(name),
                      system.model().extension()),
          system_(system) {}

    VelocityRules velocity_rules() const override {
        const auto n_atoms = static_cast<std::size_t>(system_.structure().n_atoms());
        return {std::vector(n_atoms, system_.model().dynamics.mass), true};
    }

private:
    task<void> make_ready(fs::path start_file) override {
        auto write = [&] { write_input(start_file); };
        co_await runtime::offload(context().runtime, write);
        Product input{name() + "/input", "input", {{start_file}}, {directory() / kInputFile}, program()};
        recorder().product(input);
    }

    std::string input_file() const override { return kInputFile; }
    std::map<std::string, std::string> program() const override { return {{"engine", "model"}}; }

    void write_input(const fs::path& start_file) {
        RunInput input;
        input.model = system_.model();
        input.start = start_file.filename();
        input.start_content = fingerprint_file(start_file);
        // Of 63 bits, which TOML has numbers for.
        input.seed = hash64(name(), context().seed) >> 1;
        const std::string text = input.to_toml();
        const fs::path file = directory() / kInputFile;
        input_content_ = fingerprint(text);
        if (!fs::exists(file)) {
            write_file_durably(file, text);
        } else if (const std::string before = read_text_file(file); before != text) {
            if (line_of(before, "start_content") != line_of(text, "start_content") ||
                line_of(before, "seed") != line_of(text, "seed"))
                fail(ErrorKind::conflict, "{} was prepared with another start before: '{}' has {}", name(),
                     file.string(), first_difference(before, text));
            // Another model. Parts that were begun with the old one go on with it, if the ledger lets them:
            // it knows what they were asked for, and whether the user wants to go on with a change.
            if (!has_begun()) write_file_durably(file, text);
        }
    }

    bool has_begun() const {
        return std::ranges::any_of(fs::directory_iterator(directory()), [](const auto& entry) {
            return entry.path().filename().string().starts_with(part_name(1));
        });
    }

    queue::Job describe_part(const std::string& part, const fs::path& checkpoint) override {
        const fs::path& program = context().program;
        const fs::path input = directory() / kInputFile;
        const std::string checkpoint_out = part + ".cpt";
        std::vector<std::string> command{program,    "model-md",  "-s",    input,          "-deffnm",
                                         "md",       "-noappend", "-cpo",  checkpoint_out, "-nsteps",
                                         "{nsteps}", "-maxh",     "{maxh}"};
        if (!checkpoint.empty()) command.insert(command.end(), {"-cpi", checkpoint});

        queue::Job job(name() + "/" + part, std::move(command));
        job
            // An upgrade of coromd goes on with what an earlier one has begun.
            .reads(program, fingerprint("coromd"))
            .reads(input, input_content_)
            .writes(checkpoint_out)
            .writes(part + ".log")
            .judged_by([part](const queue::JobExit& exit, const fs::path& where) {
                return judge(exit, where, part);
            })
            .stops_by({SIGTERM, part + ".log", "Started model-md", "Received the TERM signal"})
            .recoverable();
        return job;
    }

    std::int64_t last_step(const std::string& part) const override {
        return Checkpoint::read(directory() / (part + ".cpt")).step;
    }

    const ModelSystem& system_;
    Fingerprint input_content_;
};

std::unique_ptr<MdEngine> ModelSystem::engine(std::string name) const {
    return std::make_unique<ModelEngine>(*this, std::move(name));
}

std::unique_ptr<MdSystem> from_settings(const EngineContext& context, SettingsReader& settings) {
    const fs::path structure = settings.existing_file("structure");
    Model model = Model::read(settings);
    return system(context, std::move(model), structure, context.queue(settings.string("queue", "local")));
}

}  // namespace

std::unique_ptr<MdSystem> system(const EngineContext& context, Model model, const fs::path& structure,
                                 queue::Queue& md_queue) {
    return std::make_unique<ModelSystem>(context, std::move(model), fs::absolute(structure), md_queue);
}

EngineKind kind() {
    return {"model", "Langevin dynamics on analytic potentials, by coromd itself (coromd model-md)",
            from_settings};
}

}  // namespace coromd::engine::model
