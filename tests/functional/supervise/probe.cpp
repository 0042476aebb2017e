// SPDX-License-Identifier: LGPL-3.0-or-later
//
// probe key=value...: a program that takes SIGTERM as mdrun does. Writes "ready" to md.log, a line to
// "signals" for each SIGTERM, and "got TERM" to md.log some time after the first one; then it ends.
//
//   ready=FILE   not ready before FILE is there
//   told         md.log says "got TERM" without any signal
//   late=MS      how long after the signal md.log says so
//   linger=MS    how long it goes on then, in which a second signal would be seen
//   deaf         goes on after signals
//   end=FILE     ends when FILE is there, without any signal
//   code=N       its exit code
//   use=MIB      memory that it touches
//   burn=MS      CPU time that it uses
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;

int signals = -1;
volatile std::sig_atomic_t count = 0;

void note(int) {
    count = count + 1;
    [[maybe_unused]] const auto n = ::write(signals, "TERM\n", 5);
}

void say(std::string_view line) {
    const int log = ::open("md.log", O_WRONLY | O_CREAT | O_APPEND, 0644);
    [[maybe_unused]] const auto n = ::write(log, line.data(), line.size());
    ::close(log);
}

bool there(const std::string& file) {
    return ::access(file.c_str(), F_OK) == 0;
}

}  // namespace

int main(int argc, char** argv) {
    std::map<std::string, std::string> options;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const auto equals = word.find('=');
        options[word.substr(0, equals)] = equals == word.npos ? "" : word.substr(equals + 1);
    }
    const auto number = [&](const char* name) { return std::atoi(options[name].c_str()); };

    signals = ::open("signals", O_WRONLY | O_CREAT | O_APPEND, 0644);
    std::signal(SIGTERM, note);
    std::vector<char> memory(static_cast<std::size_t>(number("use")) << 20, 'x');
    while (std::clock() * 1000 / CLOCKS_PER_SEC < number("burn")) {
    }
    say("pid " + std::to_string(::getpid()) + "\n");
    if (options.contains("ready"))
        while (!there(options["ready"])) std::this_thread::sleep_for(2ms);
    say("ready\n");
    if (options.contains("told")) say("got TERM\n");
    while (!options.contains("end") || !there(options["end"])) {
        if (count > 0 && !options.contains("deaf")) {
            std::this_thread::sleep_for(std::chrono::milliseconds(number("late")));
            say("got TERM\n");
            std::this_thread::sleep_for(std::chrono::milliseconds(number("linger")));
            say("checkpoint\n");
            break;
        }
        std::this_thread::sleep_for(2ms);
    }
    return number("code");
}
