// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Only in builds for tests. The environment says what happens:
//
//   COROMD_FAULT_LOG=FILE        each passage is a line; of all processes together, in their order
//   COROMD_FAULT_KILL=NAME:N     who writes the N-th line NAME of the log dies
//   COROMD_FAULT_CLOCK_MS=SHIFT  is added to the clock
//
// The log is also the counter, so that of many agents one dies, and once. A line is one write with
// O_APPEND, which ends where the file position says afterwards.
#include "coromd/core/fault.hpp"

#ifdef COROMD_FAULT_POINTS

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "coromd/core/file.hpp"

namespace coromd {

namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

/// What the environment wants, read once.
struct Plan {
    Plan() : log(variable("COROMD_FAULT_LOG")) {
        const std::string kill = variable("COROMD_FAULT_KILL");
        const auto colon = kill.rfind(':');
        if (colon == kill.npos) return;
        victim = kill.substr(0, colon);
        passage = std::strtol(kill.c_str() + colon + 1, nullptr, 10);
    }

    std::string log;
    std::string victim;
    long passage = 0;
};

const Plan& plan() {
    static const Plan plan;
    return plan;
}

std::atomic<const char*> process_name{nullptr};

/// Writes the line and tells the how manieth of its kind it is.
long count_passage(const std::string& name) {
    const FileDescriptor log = open_file(plan().log, O_RDWR | O_CREAT | O_APPEND);
    const std::string line = name + "\n";
    write_fully(log, line, plan().log);
    const auto end = ::lseek(log.get(), 0, SEEK_CUR);
    std::string text(static_cast<std::size_t>(end), '\0');
    ::lseek(log.get(), 0, SEEK_SET);
    read_fully(log, text, plan().log);
    long count = 0;
    for (std::size_t begin = 0; begin < text.size(); begin = text.find('\n', begin) + 1)
        count += std::string_view(text).substr(begin).starts_with(line) ? 1 : 0;
    return count;
}

}  // namespace

void fault_point(const char* name) noexcept {
    const char* process = process_name.load();
    if (process == nullptr || plan().log.empty()) return;
    const std::string full = std::string(process) + "." + name;
    const long passage = count_passage(full);
    if (full == plan().victim && passage == plan().passage) ::kill(::getpid(), SIGKILL);
}

void name_process_for_faults(const char* name) noexcept {
    process_name.store(name);
}

std::int64_t faulty_clock_ms() noexcept {
    static const std::int64_t shift = std::strtoll(variable("COROMD_FAULT_CLOCK_MS").c_str(), nullptr, 10);
    return shift;
}

}  // namespace coromd

#endif
