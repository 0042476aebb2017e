// SPDX-License-Identifier: LGPL-3.0-or-later
//
// replay TARGET [--mutations N] [FILE|FOLDER...]: what a fuzzer does, without one. Runs the target with all
// seeds and N mutations of them, which are the same each time, or with the files. An input that breaks it is
// kept in the file broken-TARGET; an input may take 10 s and 64 MB + 20 times its size.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <iostream>
#include <span>

#include "allocation_limit.hpp"
#include "mutate.hpp"
#include "target.hpp"
#include "unit/trajectory/made_frames.hpp"

namespace {

using namespace coromd;
namespace fs = std::filesystem;

constexpr unsigned kSeconds = 10;
constexpr std::size_t kMemory = std::size_t{64} << 20;
constexpr std::size_t kMemoryPerByte = 20;

/// For the signal handler.
std::string current_name;
const std::string* current_input = nullptr;
std::string broken_file;

/// Writes the input down; with what is allowed in a signal handler only.
void keep_input() {
    const auto say = [](std::string_view text) {
        if (::write(STDERR_FILENO, text.data(), text.size()) < 0) ::_exit(3);
    };
    if (!current_input) return;
    const int fd = ::open(broken_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd >= 0 && ::write(fd, current_input->data(), current_input->size()) >= 0) ::close(fd);
    say(current_name);
    say(" breaks the target; it is in ");
    say(broken_file);
    say("\n");
}

extern "C" void on_signal(int signal) {
    keep_input();
    ::signal(signal, SIG_DFL);
    ::raise(signal);
}

class Replay {
public:
    explicit Replay(const fuzz::Target& target) : target_(target), workshop_(target) {
        broken_file = (fs::current_path() / ("broken-" + target.name)).string();
        for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM})
            ::signal(signal, on_signal);
    }

    void run(std::string name, const std::string& bytes) {
        current_name = std::move(name);
        current_input = &bytes;
        ::alarm(kSeconds);
        fuzz::limit_allocations(kMemory + kMemoryPerByte * bytes.size());
        try {
            workshop_.run(bytes);
        } catch (const std::exception& error) {
            fuzz::limit_allocations(static_cast<std::size_t>(-1));
            keep_input();
            throw std::runtime_error(current_name + ": " + error.what());
        }
        fuzz::limit_allocations(static_cast<std::size_t>(-1));
        ::alarm(0);
        current_input = nullptr;
        ++n_run_;
    }

    void run_seeds(std::size_t n_mutations) {
        const std::vector<fuzz::Seed> seeds = fuzz::seeds_of(target_);
        for (const fuzz::Seed& seed : seeds) run("seed " + seed.name, seed.bytes);
        RandomStream random(1, "fuzz " + target_.name);
        for (std::size_t i = 0; i < n_mutations; ++i) {
            run("mutation " + std::to_string(i), fuzz::mutated(seeds, random));
        }
    }

    void run_files(const fs::path& path) {
        if (!fs::is_directory(path)) return run(path.string(), trajectory::read_bytes(path));
        std::vector<fs::path> files;
        for (const auto& entry : fs::directory_iterator(path)) files.push_back(entry.path());
        std::ranges::sort(files);
        for (const fs::path& file : files) run(file.string(), trajectory::read_bytes(file));
    }

    std::size_t n_run() const { return n_run_; }

private:
    const fuzz::Target& target_;
    fuzz::Workshop workshop_;
    std::size_t n_run_ = 0;
};

int replay(std::span<const std::string> arguments) {
    if (arguments.empty()) throw std::runtime_error("usage: replay TARGET [--mutations N] [FILE|FOLDER...]");
    Replay replay(fuzz::target(arguments[0]));
    std::size_t n_mutations = 0;
    bool files = false;
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        if (arguments[i] == "--mutations" && i + 1 < arguments.size()) {
            n_mutations = std::stoul(arguments[++i]);
        } else {
            files = true;
            replay.run_files(arguments[i]);
        }
    }
    if (!files) replay.run_seeds(n_mutations);
    std::cout << arguments[0] << ": " << replay.n_run() << " inputs\n";
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return replay(std::vector<std::string>(argv + 1, argv + argc));
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
