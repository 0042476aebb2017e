// SPDX-License-Identifier: LGPL-3.0-or-later
#include "../kinds.hpp"

#include "coromd/engine/gromacs/system.hpp"

namespace coromd::engine::gromacs {

namespace {

constexpr std::int64_t kMostCores = 1 << 20;

std::unique_ptr<MdSystem> from_settings(const EngineContext& context, SettingsReader& settings) {
    const auto topology = settings.existing_file("topology");
    const auto mdp = settings.existing_file("mdp");
    const auto structure = settings.existing_file("structure");
    Input input(topology, mdp, structure);
    if (settings.has("index")) input.index(settings.existing_file("index"));
    const std::string output = settings.string("output", "xtc");
    if (output == "trr")
        input.output(OutputFormat::trr);
    else if (output != "xtc")
        settings.complain("output", "'" + settings.name() + ".output' must be \"xtc\" or \"trr\"");
    const std::int64_t cores = settings.integer_from("cores", 1, 1);
    if (cores > kMostCores) settings.complain("cores", fmt::format("no machine has {} cores", cores));
    input.cores(static_cast<int>(cores));
    input.gmx(settings.strings("gmx", input.gmx()));
    input.grompp_arguments(settings.strings("grompp_arguments"));
    input.mdrun_arguments(settings.strings("mdrun_arguments", input.mdrun_arguments()));

    const std::string queue_name = settings.string("queue", "local");
    queue::Queue& md_queue = context.queue(queue_name);
    queue::Queue& helper_queue = context.queue(settings.string("helper_queue", "local"));
    return system(context, std::move(input), md_queue, helper_queue);
}

}  // namespace

EngineKind kind() {
    return {"gromacs", "GROMACS: grompp and mdrun, in parts with checkpoints", from_settings};
}

}  // namespace coromd::engine::gromacs
