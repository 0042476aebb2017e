// SPDX-License-Identifier: LGPL-3.0-or-later
#include "client.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.hpp"
#include "coromd/core/error.hpp"
#include "step.hpp"
#include "text.hpp"
#include "wire.hpp"

namespace coromd::fake_slurm {

namespace {

constexpr double kPatience = 20.0;  ///< seconds for a controller to come up

FileDescriptor connect_to(const std::filesystem::path& directory) {
    FileDescriptor holder;
    const std::string path = socket_path(directory, holder);
    FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) return {};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return {};
    return socket;
}

/// Starts `serve` on its own: it must outlive us, and hold nothing open that somebody waits for.
void start_controller(const std::filesystem::path& directory) {
    const std::string program = std::filesystem::read_symlink("/proc/self/exe");
    const pid_t pid = ::fork();
    if (pid < 0) fail_errno(errno, "cannot start the controller");
    if (pid > 0) {
        int status = 0;
        ::waitpid(pid, &status, 0);
        return;
    }
    ::setsid();
    if (::fork() != 0) ::_exit(0);
    const std::string log = directory / "state" / "controller.log";
    const int null = ::open("/dev/null", O_RDWR);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (null < 0) ::_exit(1);
    ::dup2(null, STDIN_FILENO);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(out < 0 ? null : out, STDERR_FILENO);
    ::close_range(3, ~0U, 0);
    if (::chdir("/") != 0) ::_exit(1);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execl(program.c_str(), "coromd-fake-slurm", "serve", directory.c_str(), nullptr);
    ::_exit(1);
}

bool send_all(const FileDescriptor& socket, const std::string& message) {
    for (std::size_t done = 0; done < message.size();) {
        const ssize_t sent = ::send(socket.get(), message.data() + done, message.size() - done, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return false;
        done += static_cast<std::size_t>(sent);
    }
    return true;
}

/// The next message; none at the end of the connection.
std::optional<Answer> receive(const FileDescriptor& socket, std::string& buffer) {
    for (;;) {
        if (const auto message = take_message(buffer)) return decode_answer(*message);
        std::array<char, 65536> bytes;
        const ssize_t got = ::read(socket.get(), bytes.data(), bytes.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return std::nullopt;
        buffer.append(bytes.data(), static_cast<std::size_t>(got));
    }
}

void print(const Answer& answer) {
    std::fwrite(answer.out.data(), 1, answer.out.size(), stdout);
    std::fflush(stdout);
    std::fwrite(answer.err.data(), 1, answer.err.size(), stderr);
}

Request make_request(const std::string& command, const std::vector<std::string>& arguments) {
    Request request{.command = command, .arguments = arguments};
    for (char** one = ::environ; *one != nullptr; ++one) request.environment.emplace_back(*one);
    std::error_code gone;
    request.directory = std::filesystem::current_path(gone).string();
    request.pid = ::getpid();
    request.umask = ::umask(0);
    ::umask(request.umask);
    if (command == "sbatch" && script_from_stdin(arguments))
        request.input.assign(std::istreambuf_iterator<char>(std::cin), {});
    return request;
}

/// Sends a request and waits for the first answer. A controller that leaves does so before it reads a
/// request or after it answered: without an answer nothing was done.
Answer ask(const std::filesystem::path& directory, const Request& request, FileDescriptor& socket,
           std::string& buffer) {
    const double give_up = wall_clock() + kPatience;
    double start_again = 0.0;
    while (wall_clock() < give_up) {
        socket = connect_to(directory);
        if (socket && send_all(socket, encode(request)))
            if (auto answer = receive(socket, buffer)) return *answer;
        buffer.clear();
        if (wall_clock() >= start_again) {
            start_controller(directory);
            start_again = wall_clock() + 0.5;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    fail(ErrorKind::system, "the controller in {} does not start: see {}", directory.string(),
         (directory / "state" / "controller.log").string());
}

}  // namespace

bool controller_lives(const std::filesystem::path& directory) {
    const FileDescriptor lock(::open((directory / "state" / "lock").c_str(), O_RDWR | O_CLOEXEC));
    return lock && ::flock(lock.get(), LOCK_SH | LOCK_NB) != 0;
}

int run_command(const std::filesystem::path& directory, const std::string& command,
                const std::vector<std::string>& arguments) {
    const Request request = make_request(command, arguments);
    for (int attempt = 1;; ++attempt) {
        FileDescriptor socket;
        std::string buffer;
        Answer answer = ask(directory, request, socket, buffer);
        print(answer);
        if (answer.retry && attempt < 15) {
            std::this_thread::sleep_for(std::chrono::seconds(1));
            continue;
        }
        if (answer.launch.is_null()) return answer.code;
        const nlohmann::json launch = answer.launch;
        if (answer.more) {
            const auto granted = receive(socket, buffer);
            if (!granted) return 1;  // the job ended
            print(*granted);
        }
        return run_step(launch);
    }
}

}  // namespace coromd::fake_slurm
