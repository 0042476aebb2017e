// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/engine/gromacs/system.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/core/letters.hpp"
#include "coromd/runtime/offload.hpp"
#include "coromd/runtime/process.hpp"
#include "coromd/trajectory/topology.hpp"
#include "messages.hpp"
#include "system_impl.hpp"

namespace coromd::engine::gromacs {

namespace fs = std::filesystem;
using runtime::task;

namespace {

constexpr const char* kMdpName = "md.mdp";

/// The content of a topology with all files that it includes from beside it; those of GROMACS's
/// own library are covered by the version of GROMACS.
void add_with_includes(const fs::path& file, std::set<fs::path>& seen, std::string& content) {
    if (!seen.insert(file.lexically_normal()).second) return;
    const std::string text = read_text_file(file);
    content += text;
    constexpr std::string_view kInclude = "#include \"";
    for (auto at = text.find(kInclude); at != std::string::npos; at = text.find(kInclude, at + 1)) {
        const auto begin = at + kInclude.size();
        const auto end = text.find_first_of("\"\n", begin);
        if (end == std::string::npos) break;
        const fs::path included = file.parent_path() / text.substr(begin, end - begin);
        if (fs::is_regular_file(included)) add_with_includes(included, seen, content);
    }
}

Fingerprint topology_fingerprint(const fs::path& topology) {
    std::set<fs::path> seen;
    std::string content;
    add_with_includes(topology, seen, content);
    return fingerprint(content);
}

/// As GROMACS compares the values of its keys: without case, '-' and '_'.
std::string folded(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (c != '-' && c != '_') out += lower_case(c);
    return out;
}

queue::Verdict judge_grompp(const queue::JobExit& exit, const fs::path&) {
    if (exit.exit_code == 0) return queue::Verdict::good();
    std::string reason = error_text(exit.stderr_tail);
    return queue::Verdict::bad(queue::FailureClass::user, reason.empty() ? exit.text() : std::move(reason));
}

}  // namespace

Input::Input(const fs::path& topology, const fs::path& mdp, const fs::path& structure)
    : topology_(fs::absolute(topology)), mdp_(Mdp::read(mdp)), structure_(fs::absolute(structure)) {}

Input& Input::index(const fs::path& file) {
    index_ = fs::absolute(file);
    return *this;
}

Input& Input::output(OutputFormat format) {
    output_ = format;
    return *this;
}

Input& Input::cores(int cores) {
    if (cores < 1) fail(ErrorKind::usage, "mdrun cannot run on {} cores", cores);
    cores_ = cores;
    return *this;
}

Input& Input::gmx(std::vector<std::string> command) {
    if (command.empty()) fail(ErrorKind::usage, "the command for GROMACS is empty");
    gmx_ = std::move(command);
    return *this;
}

Input& Input::grompp_arguments(std::vector<std::string> arguments) {
    grompp_arguments_ = std::move(arguments);
    return *this;
}

Input& Input::mdrun_arguments(std::vector<std::string> arguments) {
    mdrun_arguments_ = std::move(arguments);
    return *this;
}

GromacsSystem::GromacsSystem(const EngineContext& context, Input input, queue::Queue& md_queue,
                             queue::Queue& helper_queue)
    : context_(context),
      input_(std::move(input)),
      md_queue_(md_queue),
      helper_queue_(helper_queue),
      structure_(input_.structure(), input_.structure()),
      nstout_(gromacs::nstout(input_.mdp(), input_.output())),
      dt_ps_(input_.mdp().real("dt").value_or(0.001)) {}

void GromacsSystem::check() const {
    const Mdp& mdp = input_.mdp();
    constexpr std::array kDynamics{"md", "mdvv", "mdvvavek", "sd", "bd"};
    const std::string integrator = mdp.text("integrator").value_or("md");
    if (std::ranges::find(kDynamics, folded(integrator)) == kDynamics.end())
        fail(ErrorKind::usage, "{}: integrator = {} is no dynamics: walkers need md, md-vv, sd or bd",
             mdp.location("integrator"), integrator);
    if (mdp.boolean("gen-vel").value_or(false))
        fail(ErrorKind::usage,
             "{}: gen-vel = yes would replace the velocities of every start frame: set it to no "
             "and have velocities drawn by the campaign",
             mdp.location("gen-vel"));
    if (dt_ps_ <= 0) fail(ErrorKind::usage, "{}: dt must be positive", mdp.location("dt"));
    for (const char* key : {"tinit", "init-step"})
        if (mdp.real(key).value_or(0.0) != 0.0)
            fail(ErrorKind::usage, "{}: {} must be 0: steps and times of a walker count from its start",
                 mdp.location(key), key);
    const std::string group = mdp.text("compressed-x-grps").value_or("System");
    if (input_.output() == OutputFormat::xtc && folded(group) != "system")
        fail(ErrorKind::usage,
             "{}: compressed-x-grps = {} leaves atoms out of the trajectory, so that no walker could start "
             "from "
             "its frames: set it to System",
             mdp.location("compressed-x-grps"), group);
    try {
        runtime::find_program(runtime::Command(input_.gmx()));
    } catch (const Error& error) {
        fail(ErrorKind::usage,
             "{}: install GROMACS (Debian and Ubuntu: apt install gromacs), load its module, or name the "
             "program in "
             "the setting engine.gmx",
             error.message());
    }
    topology_fingerprint(input_.topology());
    structure_.topology();
}

std::unique_ptr<MdEngine> GromacsSystem::engine(std::string name) const {
    return make_engine(*this, std::move(name));
}

task<trajectory::Trajectory> GromacsSystem::reference() {
    const auto permit = co_await one_at_a_time_.acquire();
    if (reference_) co_return *reference_;
    auto describe_job = [&] { return grompp("system", {}, "system.tpr"); };
    Grompp grompp = co_await runtime::offload(context_.runtime, describe_job);
    co_await run_grompp(std::move(grompp));
    std::string note;
    auto read = [&] {
        trajectory::Trajectory reference(input_.structure(), directory_of("system") / "system.tpr");
        try {
            reference.topology();
        } catch (const Error& error) {
            // A version of GROMACS whose tpr files we cannot read; the structure has the names.
            reference = structure_;
            note = error.message() + "; ";
        }
        note += trajectory::masses_of(*reference.topology()).note;
        return reference;
    };
    reference_ = co_await runtime::offload(context_.runtime, read);
    if (!note.empty()) context_.recorder.note("system", note);
    co_return *reference_;
}

task<std::map<std::string, std::string>> GromacsSystem::inputs() {
    std::map<std::string, std::string> inputs;
    auto read = [&] {
        inputs["gromacs.mdp"] = input_.mdp().canonical();
        inputs["gromacs.topology"] = topology_fingerprint(input_.topology()).hex();
        inputs["gromacs.structure"] = fingerprint_file(input_.structure()).hex();
        if (input_.index()) inputs["gromacs.index"] = fingerprint_file(*input_.index()).hex();
    };
    co_await runtime::offload(context_.runtime, read);
    std::vector<std::string> words = input_.gmx();
    words.insert(words.end(), {"-quiet", "--version"});
    runtime::Command ask(std::move(words));
    const runtime::ProcessResult answer = co_await runtime::run_process(context_.runtime, std::move(ask));
    version_ = version_in(answer.stdout_tail);
    if (!version_.empty()) inputs["gromacs.version"] = version_;
    inputs["gromacs.grompp_arguments"] = fmt::format("{}", fmt::join(input_.grompp_arguments(), " "));
    inputs["gromacs.mdrun_arguments"] = fmt::format("{}", fmt::join(input_.mdrun_arguments(), " "));
    co_return inputs;
}

GromacsSystem::Grompp GromacsSystem::grompp(const std::string& name, const fs::path& start,
                                            const std::string& tpr) const {
    // The limits of a run are arguments of mdrun: the tpr itself never ends.
    Mdp mdp = input_.mdp();
    mdp.set("nsteps", -1);
    const fs::path mdp_file = directory_of("system") / kMdpName;
    if (!fs::exists(mdp_file) || read_text_file(mdp_file) != mdp.text()) {
        fs::create_directories(mdp_file.parent_path());
        mdp.write(mdp_file, true);
    }
    std::vector<std::string> command = input_.gmx();
    command.insert(command.end(), {"-quiet", "grompp", "-f", mdp_file, "-c", input_.structure(), "-p",
                                   input_.topology(), "-o", tpr, "-po", "mdout.mdp"});
    if (!start.empty()) command.insert(command.end(), {"-t", start});
    if (input_.index()) command.insert(command.end(), {"-n", *input_.index()});
    const auto& extra = input_.grompp_arguments();
    command.insert(command.end(), extra.begin(), extra.end());

    Grompp grompp{queue::Job(name + "/grompp", std::move(command)), {name + "/grompp", "tpr", {}, {}, {}}};
    // The job knows an input by what of it matters, its history by the bytes of the file.
    const auto reads = [&](const fs::path& file, const Fingerprint& content) {
        grompp.job.reads(file, content);
        grompp.tpr.sources.push_back({file, {}, fingerprint_file(file).hex()});
    };
    grompp.job.direct()
        .in_directory(directory_of(name))
        .writes(tpr)
        .environment("GMX_MAXBACKUP", "-1")
        .judged_by(judge_grompp);
    if (!start.empty()) reads(start, fingerprint_file(start));
    reads(input_.structure(), fingerprint_file(input_.structure()));
    reads(input_.topology(), topology_fingerprint(input_.topology()));
    reads(mdp_file, mdp.fingerprint());
    if (input_.index()) reads(*input_.index(), fingerprint_file(*input_.index()));
    grompp.tpr.files = {directory_of(name) / tpr};
    grompp.tpr.details = {{"engine", "gromacs"}};
    if (!version_.empty()) grompp.tpr.details["version"] = version_;
    return grompp;
}

task<void> GromacsSystem::run_grompp(Grompp grompp) const {
    const queue::JobResult result = co_await helper_queue_.run(grompp.job);
    if (!result.ok()) throw queue::job_error(grompp.job, result);
    context_.recorder.product(grompp.tpr);
}

std::unique_ptr<MdSystem> system(const EngineContext& context, Input input, queue::Queue& md_queue,
                                 queue::Queue& helper_queue) {
    return std::make_unique<GromacsSystem>(context, std::move(input), md_queue, helper_queue);
}

}  // namespace coromd::engine::gromacs
