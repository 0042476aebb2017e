// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Parsing and changing mdp files: a typical one of 60 lines, and one of the size and lay-out of what
// grompp writes as mdout.mdp (COROMD_MDOUT names a real one to be read instead).
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "coromd/core/file.hpp"
#include "coromd/engine/gromacs/mdp.hpp"

namespace coromd::engine::gromacs {
namespace {

std::string file_of(int keys) {
    std::string text;
    for (int i = 0; i < keys; ++i) {
        if (i % 3 == 0) text += fmt::format("\n; Options of group {}, as grompp comments on them\n", i / 3);
        text +=
            fmt::format("{:<24} = {}\n", fmt::format("some-option-{}", i), i % 4 == 0 ? "" : "Protein 0.002");
    }
    return text;
}

std::string typical() {
    return file_of(36);
}

std::string mdout() {
    const char* const path = std::getenv("COROMD_MDOUT");
    return path != nullptr ? read_text_file(path) : file_of(180);
}

void parse(benchmark::State& state, const std::string& text) {
    for (auto _ : state) benchmark::DoNotOptimize(Mdp::parse(text, "md.mdp"));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK_CAPTURE(parse, typical, typical());
BENCHMARK_CAPTURE(parse, mdout, mdout());

void look_up(benchmark::State& state, const std::string& text) {
    const Mdp mdp = Mdp::parse(text, "md.mdp");
    for (auto _ : state) benchmark::DoNotOptimize(mdp.contains("Some_Option_17"));
}
BENCHMARK_CAPTURE(look_up, typical, typical());

void set(benchmark::State& state, const std::string& text) {
    Mdp mdp = Mdp::parse(text, "md.mdp");
    std::int64_t nsteps = 0;
    for (auto _ : state) mdp.set("nsteps", ++nsteps);
}
BENCHMARK_CAPTURE(set, typical, typical());

void fingerprint(benchmark::State& state, const std::string& text) {
    const Mdp mdp = Mdp::parse(text, "md.mdp");
    for (auto _ : state) benchmark::DoNotOptimize(mdp.fingerprint());
}
BENCHMARK_CAPTURE(fingerprint, typical, typical());

}  // namespace
}  // namespace coromd::engine::gromacs
