// SPDX-License-Identifier: LGPL-3.0-or-later
//
// A stand-in for GROMACS: `gmx grompp` and `gmx mdrun` as far as coromd uses them, for tests that
// need no physics. The files look like GROMACS's own: xtc, log with its lines on start, signals,
// checkpoints and end, parts, exit codes.
//
// Dynamics: nothing moves but the last atom, which turns about the z axis, one degree per frame
// and one way or the other as the start velocities say. So a frame's content follows from its
// step alone, and a gap or a double frame shows.
//
// Environment:
//   FAKE_GMX_LOG           a line is appended when a command starts and when it ends
//   FAKE_GMX_MS_PER_FRAME  wall time that a frame takes (0)
//   FAKE_GMX_MISBEHAVE     "COMMAND WHERE HOW;...": a COMMAND (grompp, mdrun) whose working
//                          directory contains WHERE does HOW: fail, hang, crash, silent
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "coromd/core/file.hpp"
#include "coromd/core/hash.hpp"
#include "coromd/trajectory/format.hpp"
#include "coromd/trajectory/frame_index.hpp"
#include "coromd/trajectory/frame_reader.hpp"
#include "coromd/trajectory/trajectory.hpp"

namespace fs = std::filesystem;
using namespace coromd;
using std::chrono::steady_clock;

namespace {

volatile std::sig_atomic_t terminations = 0;

/// The options of a command, each with its value ("" where none follows).
class Options {
public:
    explicit Options(const std::vector<std::string>& arguments) {
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            const bool has_value = i + 1 < arguments.size() && !is_option(arguments[i + 1]);
            values_[arguments[i]] = has_value ? arguments[i + 1] : "";
            i += has_value;
        }
    }
    bool has(const std::string& name) const { return values_.contains(name); }
    std::string at(const std::string& name) const {
        const auto it = values_.find(name);
        if (it == values_.end()) throw std::runtime_error("the stand-in needs " + name);
        return it->second;
    }

private:
    // A negative number is no option.
    static bool is_option(const std::string& text) {
        return text.size() > 1 && text[0] == '-' && std::isdigit(static_cast<unsigned char>(text[1])) == 0;
    }
    std::map<std::string, std::string> values_;
};

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

void log_line(const std::string& line) {
    const std::string file = environment("FAKE_GMX_LOG");
    if (file.empty()) return;
    const FileDescriptor out = open_file(file, O_WRONLY | O_CREAT | O_APPEND);
    const std::string text = line + "\n";
    if (::write(out.get(), text.data(), text.size()) < 0) std::abort();
}

[[noreturn]] void fatal(const std::string& command, const std::string& text) {
    std::cerr << "\n-------------------------------------------------------\n"
              << "Program:     gmx " << command << ", version 2022.5-stand-in\n"
              << "Source file: src/stand/in.cpp (line 1)\n\n"
              << "Fatal error:\n"
              << text << "\n\n"
              << "For more information and tips for troubleshooting, please check the GROMACS\n"
              << "website at http://www.gromacs.org/Documentation/Errors\n"
              << "-------------------------------------------------------\n";
    std::exit(1);
}

void misbehave(const std::string& command, const std::string& here) {
    std::istringstream all(environment("FAKE_GMX_MISBEHAVE"));
    for (std::string one; std::getline(all, one, ';');) {
        std::istringstream words(one);
        std::string which, where, how;
        words >> which >> where >> how;
        if (which != command || here.find(where) == std::string::npos) continue;
        if (how == "fail") fatal(command, "The stand-in was told to fail");
        if (how == "silent") std::exit(0);
        if (how == "crash") std::raise(SIGSEGV);
        if (how == "hang") {
            std::signal(SIGTERM, SIG_IGN);
            for (;;) ::pause();
        }
    }
}

/// The value of a key of an mdp file.
double mdp_number(const std::string& file, const std::string& key, double fallback) {
    std::istringstream lines(read_text_file(file));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string name, equals;
        double value = 0.0;
        if (words >> name >> equals >> value && name == key) return value;
    }
    return fallback;
}

/// What the stand-in's tpr holds.
struct RunInput {
    std::int64_t nstout = 0;
    double dt_ps = 0.0;
    int direction = 1;
    std::string structure;  ///< path of the gro
};

int grompp(const Options& options) {
    const std::string mdp = options.at("-f");
    if (read_text_file(options.at("-p")).find("[ system ]") == std::string::npos)
        fatal("grompp", "Syntax error - File " + options.at("-p"));
    const std::string start = options.has("-t") ? options.at("-t") : options.at("-c");
    const int direction = fingerprint_file(start).low % 2 == 0 ? 1 : -1;
    std::ofstream(options.at("-po")) << "; as processed\n";
    std::ofstream(options.at("-o")) << mdp_number(mdp, "nstxout-compressed", 0) << ' '
                                    << mdp_number(mdp, "dt", 0.001) << ' ' << direction << '\n'
                                    << fs::absolute(options.at("-c")).string() << '\n';
    return 0;
}

RunInput read_tpr(const std::string& file) {
    std::ifstream in(file);
    RunInput run;
    double nstout = 0.0;
    in >> nstout >> run.dt_ps >> run.direction >> std::ws;
    std::getline(in, run.structure);
    if (!in) fatal("mdrun", "Cannot read " + file);
    run.nstout = static_cast<std::int64_t>(nstout);
    return run;
}

struct Checkpoint {
    std::int64_t step = 0;
    int part = 0;
};

Checkpoint read_checkpoint(const std::string& file) {
    std::ifstream in(file);
    Checkpoint checkpoint;
    in >> checkpoint.step >> checkpoint.part;
    if (!in) fatal("mdrun", "Cannot read " + file);
    return checkpoint;
}

/// "md.log" in part 3: "md.part0003.log".
std::string in_part(const std::string& name, int part) {
    const auto dot = name.rfind('.');
    return fmt::format("{}.part{:04}{}", name.substr(0, dot), part, name.substr(dot));
}

trajectory::Frame structure_of(const std::string& file) {
    const trajectory::Trajectory structure(file, file);
    trajectory::FrameIndex index(file);
    index.refresh();
    trajectory::Frame frame;
    trajectory::FrameReader(file).read(index.frames().front(), frame);
    frame.velocities.clear();
    return frame;
}

int mdrun(const Options& options) {
    const RunInput run = read_tpr(options.at("-s"));
    const Checkpoint from = options.has("-cpi") ? read_checkpoint(options.at("-cpi")) : Checkpoint();
    const int part = from.part + 1;
    const std::int64_t nsteps = std::stoll(options.at("-nsteps"));
    const double max_seconds = options.has("-maxh") ? std::stod(options.at("-maxh")) * 3600.0 * 0.99 : -1.0;
    const std::string pace = environment("FAKE_GMX_MS_PER_FRAME");
    const std::chrono::milliseconds per_frame(pace.empty() ? 0 : std::stoi(pace));

    std::ofstream log(in_part(options.at("-g"), part));
    log << "                      :-) GROMACS - gmx mdrun, 2022.5-stand-in (-:\n\n" << std::flush;
    trajectory::Frame frame = structure_of(run.structure);
    const trajectory::Vec3f last = frame.positions.back();
    const double radius = std::hypot(last.x, last.y);
    const double angle = std::atan2(last.y, last.x);
    std::ofstream xtc(in_part(options.at("-x"), part), std::ios::binary);
    const auto codec = trajectory::frame_format_of("md.xtc").make_codec();
    std::vector<std::byte> bytes;
    std::ofstream(in_part(options.at("-e"), part)) << "energies";

    log << "\nStarted mdrun on rank 0 Mon Nov 23 12:00:00 2026\n\n" << std::flush;

    const auto begun = steady_clock::now();
    bool end_of_time = false;
    std::int64_t step = from.step;
    for (;; step += run.nstout) {
        const double turn = run.direction * (M_PI / 180.0) * static_cast<double>(step / run.nstout);
        frame.step = step;
        frame.time_ps = static_cast<double>(step) * run.dt_ps;
        frame.positions.back().x = static_cast<float>(radius * std::cos(angle + turn));
        frame.positions.back().y = static_cast<float>(radius * std::sin(angle + turn));
        bytes.clear();
        codec->encode(frame, nullptr, bytes);
        xtc.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()))
            .flush();
        if (nsteps >= 0 && step >= from.step + nsteps) break;
        // As mdrun, it does at least one step.
        const std::chrono::duration<double> elapsed = steady_clock::now() - begun;
        end_of_time = max_seconds >= 0 && step > from.step && elapsed.count() >= max_seconds;
        if (end_of_time || (terminations > 0 && step > from.step)) break;
        if (terminations == 0) std::this_thread::sleep_for(per_frame);
    }
    if (terminations > 0) log << "\n\nReceived the TERM signal, stopping within 20 steps\n\n";
    if (end_of_time)
        log << "\nStep " << step << ": Run time exceeded, will terminate the run within 20 steps\n";
    log << "\nWriting checkpoint, step " << step << " at Mon Nov 23 12:00:00 2026\n\n";
    std::ofstream(options.at("-cpo")) << step << ' ' << part << '\n';
    log << "\nFinished mdrun on rank 0 Mon Nov 23 12:00:00 2026\n\n";
    return terminations > 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    // From the first instant, so that a test that stops it as soon as it has begun knows how it ends.
    struct sigaction on_term {};
    on_term.sa_handler = [](int) { terminations = terminations + 1; };
    ::sigaction(SIGTERM, &on_term, nullptr);
    ::sigaction(SIGINT, &on_term, nullptr);
    std::vector<std::string> arguments(argv + 1, argv + argc);
    std::erase(arguments, "-quiet");
    if (arguments.empty()) return 1;
    const std::string command = arguments.front();
    if (command == "--version") {
        fmt::print("GROMACS version:    stand-in\n");
        return 0;
    }
    const Options options({arguments.begin() + 1, arguments.end()});
    const std::string here = fs::current_path().string();
    log_line(fmt::format("start {} {} {}", ::getpid(), command, here));
    int code = 1;
    try {
        misbehave(command, here);
        if (command == "grompp") code = grompp(options);
        if (command == "mdrun") code = mdrun(options);
    } catch (const std::exception& error) {
        fatal(command, error.what());
    }
    log_line(fmt::format("end {} {} {}", ::getpid(), command, here));
    return code;
}
