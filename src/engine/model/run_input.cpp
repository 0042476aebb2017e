// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/engine/model/run_input.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "coromd/core/error.hpp"
#include "coromd/core/units.hpp"
#include "coromd/trajectory/trajectory.hpp"
#include "toml_text.hpp"

namespace coromd::engine::model {

namespace {

double positive(SettingsReader& settings, std::string_view key, std::optional<double> fallback = {}) {
    const double value = fallback ? settings.number(key, *fallback) : settings.number(key);
    if (!(value > 0.0)) settings.complain(key, fmt::format("'{}' must be positive", key));
    return value;
}

Integrator read_integrator(SettingsReader& settings) {
    constexpr std::array kAll{Integrator::overdamped, Integrator::baoab, Integrator::velocity_verlet};
    const std::string name = settings.string("integrator");
    for (const Integrator integrator : kAll)
        if (name == to_string(integrator)) return integrator;
    settings.complain("integrator", fmt::format("unknown integrator '{}': known are overdamped, baoab, "
                                                "velocity_verlet",
                                                name));
}

Dynamics read_dynamics(SettingsReader& settings) {
    Dynamics dynamics;
    dynamics.integrator = read_integrator(settings);
    dynamics.dt_ps = positive(settings, "dt");
    dynamics.mass = positive(settings, "mass", 1.0);
    if (dynamics.integrator == Integrator::velocity_verlet) return dynamics;
    dynamics.friction = positive(settings, "friction", 1.0);
    if (settings.has("temperature") == settings.has("kt"))
        settings.complain("temperature",
                          "a temperature is needed, once: 'temperature' in K, or 'kt' in kJ/mol");
    dynamics.kt =
        settings.has("kt") ? positive(settings, "kt") : positive(settings, "temperature") * units::kBoltzmann;
    return dynamics;
}

Harmonic read_bias(SettingsReader settings) {
    Harmonic bias{{settings.number("kx", 0.0), settings.number("ky", 0.0)},
                  {settings.number("x", 0.0), settings.number("y", 0.0)}};
    settings.finish();
    return bias;
}

Fingerprint read_fingerprint(SettingsReader& settings, std::string_view key) {
    const std::string hex = settings.string(key);
    if (hex.size() != 32 || hex.find_first_not_of("0123456789abcdef") != std::string::npos)
        settings.complain(key, fmt::format("'{}' must be a fingerprint: 32 hexadecimal digits", key));
    return {std::stoull(hex.substr(0, 16), nullptr, 16), std::stoull(hex.substr(16), nullptr, 16)};
}

/// The keys at the top, which stand before the tables.
std::string top_of(const Model& model) {
    const Dynamics& d = model.dynamics;
    std::string text =
        fmt::format("integrator = \"{}\"\ndt = {}\nmass = {}\n", to_string(d.integrator), d.dt_ps, d.mass);
    if (d.integrator != Integrator::velocity_verlet)
        text += fmt::format("friction = {}\nkt = {}\n", d.friction, d.kt);
    return text + fmt::format("nstout = {}\noutput = \"{}\"\n", model.nstout, model.extension().substr(1));
}

std::string tables_of(const Model& model) {
    std::string text = "\n" + to_toml(model.potential);
    if (const auto& bias = model.bias)
        text += fmt::format("\n[bias]\nkx = {}\nky = {}\nx = {}\ny = {}\n", bias->k.x, bias->k.y,
                            bias->centre.x, bias->centre.y);
    return text;
}

}  // namespace

Model Model::read(SettingsReader& settings) {
    SettingsReader table = settings.table("potential");
    Model model{read_potential(table), {}, read_dynamics(settings), 0, OutputFormat::trr};
    table.finish();
    if (settings.has("bias")) model.bias = read_bias(settings.table("bias"));
    model.nstout = settings.integer_from("nstout", 1, 100);
    const std::string output = settings.string("output", "trr");
    if (output == "xtc")
        model.output = OutputFormat::xtc;
    else if (output != "trr")
        settings.complain("output", "'output' must be \"trr\" or \"xtc\"");
    return model;
}

RunInput RunInput::read(SettingsReader& settings) {
    RunInput input;
    input.model = Model::read(settings);
    input.start = settings.existing_file("start");
    if (settings.has("start_content")) input.start_content = read_fingerprint(settings, "start_content");
    input.seed = static_cast<std::uint64_t>(settings.integer_from("seed", 0, 1));
    if (settings.has("nsteps")) input.nsteps = settings.integer_from("nsteps", 0);
    settings.finish();
    return input;
}

std::string RunInput::to_toml() const {
    std::string text = top_of(model) + fmt::format("start = {}\n", toml_string(start.string()));
    if (start_content)
        text +=
            fmt::format("start_content = \"{}\"  # of {}\n", start_content->hex(), start.filename().string());
    text += fmt::format("seed = {}\n", seed);
    if (nsteps) text += fmt::format("nsteps = {}\n", *nsteps);
    return text + tables_of(model);
}

Fingerprint RunInput::identity() const {
    const Fingerprint content = start_content ? *start_content : fingerprint_file(start);
    return fingerprint(top_of(model) + tables_of(model) + fmt::format("\n{} {}", seed, content.hex()));
}

std::vector<Particle> RunInput::first_particles() const {
    if (start_content && fingerprint_file(start) != *start_content)
        fail(ErrorKind::input, "'{}' has changed since this run was prepared", start.string());
    const trajectory::Trajectory file(start, {});
    if (file.n_frames() == 0) fail(ErrorKind::input, "'{}' holds no frame to start from", start.string());
    const trajectory::Frame frame = file.frame(-1);
    if (!frame.has_velocities() && model.dynamics.integrator != Integrator::overdamped)
        fail(ErrorKind::usage, "'{}' has no velocities, which {} dynamics start with: add them, or use a trr",
             start.string(), to_string(model.dynamics.integrator));
    std::vector<Particle> particles(frame.positions.size());
    for (std::size_t i = 0; i < particles.size(); ++i) {
        particles[i].position = {frame.positions[i].x, frame.positions[i].y};
        if (frame.has_velocities()) particles[i].velocity = {frame.velocities[i].x, frame.velocities[i].y};
    }
    return particles;
}

}  // namespace coromd::engine::model
