// SPDX-License-Identifier: LGPL-3.0-or-later
//
// One thread around poll(): connections, SIGCHLD through a signalfd, and the timers of the cluster.
// A connection carries one request and one answer; srun's stays open as long as its step.
#include "controller.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <list>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cluster.hpp"
#include "commands.hpp"
#include "coromd/core/error.hpp"
#include "dispatch.hpp"
#include "text.hpp"
#include "wire.hpp"

namespace coromd::fake_slurm {

namespace {

constexpr double kIdleSeconds = 60.0;

struct Connection {
    FileDescriptor socket;
    int number = 0;
    std::string in;
    std::string out;
    double answer_at = 0.0;  ///< `out` is not sent before
    bool asked = false;
    bool closing = false;  ///< after `out` was sent
};

class Controller {
public:
    explicit Controller(const std::filesystem::path& directory)
        : directory_(directory),
          faults_(directory / "faults.json"),
          cluster_(directory, read_settings(directory), faults_) {}

    /// False where somebody else serves.
    bool open();
    void run();

private:
    void accept_all();
    void read_from(Connection& connection);
    void write_to(Connection& connection);
    void handle_signals();
    void answer(Connection& connection, const Reply& reply, bool closes);
    int timeout_ms() const;
    bool idle() const;

    std::filesystem::path directory_;
    Faults faults_;
    Cluster cluster_;
    FileDescriptor lock_;
    FileDescriptor holder_;
    FileDescriptor listener_;
    FileDescriptor signals_;
    std::list<Connection> connections_;
    int next_number_ = 1;
    double last_asked_ = wall_clock();
    bool stopping_ = false;
};

bool Controller::open() {
    lock_ = open_file(directory_ / "state" / "lock", O_RDWR | O_CREAT, 0600);
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) return false;
    // Orphans of jobs come to us: in a container there may be nobody else to reap them.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigset_t wanted;
    sigemptyset(&wanted);
    for (const int signal : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&wanted, signal);
    ::sigprocmask(SIG_BLOCK, &wanted, nullptr);
    signals_ = FileDescriptor(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
    std::signal(SIGPIPE, SIG_IGN);

    cluster_.load();
    const std::string path = socket_path(directory_, holder_);
    ::unlink(path.c_str());
    listener_ = FileDescriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        ::listen(listener_.get(), 1024) != 0)
        fail_errno(errno, "cannot listen in " + directory_.string());
    return true;
}

bool Controller::idle() const {
    return cluster_.active().empty() && connections_.empty();
}

int Controller::timeout_ms() const {
    const double now = wall_clock();
    // Once a second it looks whether its directory is still there.
    double next = std::min(now + 1.0, cluster_.next_tick());
    for (const Connection& one : connections_)
        if (!one.out.empty() && one.answer_at > now) next = std::min(next, one.answer_at);
    return std::max(0, static_cast<int>(std::ceil((next - now) * 1000.0)));
}

void Controller::accept_all() {
    for (;;) {
        FileDescriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!socket) return;
        Connection& connection = connections_.emplace_back();
        connection.socket = std::move(socket);
        connection.number = next_number_++;
    }
}

void Controller::answer(Connection& connection, const Reply& reply, bool closes) {
    connection.out += encode(reply.answer);
    connection.answer_at = wall_clock() + reply.delay;
    connection.closing = closes;
}

void Controller::read_from(Connection& connection) {
    std::array<char, 65536> buffer;
    for (;;) {
        const ssize_t got = ::read(connection.socket.get(), buffer.data(), buffer.size());
        if (got > 0) {
            connection.in.append(buffer.data(), static_cast<std::size_t>(got));
            continue;
        }
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
        connection.socket.reset();
        return;
    }
    if (connection.asked) return;
    try {
        const auto message = take_message(connection.in);
        if (!message) return;
        connection.asked = true;
        last_asked_ = wall_clock();
        const Request request = decode_request(*message);
        Reply reply;
        try {
            reply = dispatch(cluster_, request, connection.number);
        } catch (const Error& error) {
            reply.answer = failure(fmt::format("{}: error: {}", request.command, error.what()));
            if (error.kind() == ErrorKind::usage) reply.answer.code = 2;
        }
        stopping_ |= reply.stops;
        answer(connection, reply, !reply.answer.more && reply.answer.launch.is_null());
    } catch (const std::exception&) {
        connection.socket.reset();  // no request of ours
    }
}

void Controller::write_to(Connection& connection) {
    while (!connection.out.empty()) {
        const ssize_t sent =
            ::send(connection.socket.get(), connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN && errno != EINTR) connection.socket.reset();
            return;
        }
        connection.out.erase(0, static_cast<std::size_t>(sent));
    }
    if (connection.closing) connection.socket.reset();
}

void Controller::handle_signals() {
    signalfd_siginfo info;
    while (::read(signals_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info)))
        if (info.ssi_signo != SIGCHLD) stopping_ = true;
    int status = 0;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) cluster_.reap(pid, status);
}

void Controller::run() {
    bool vanished = false;
    while (!stopping_ && !vanished && (!idle() || wall_clock() - last_asked_ < kIdleSeconds)) {
        std::vector<pollfd> polled = {{listener_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
        const double now = wall_clock();
        for (const Connection& one : connections_) {
            const bool due = !one.out.empty() && one.answer_at <= now;
            polled.push_back({one.socket.get(), static_cast<short>(POLLIN | (due ? POLLOUT : 0)), 0});
        }
        ::poll(polled.data(), polled.size(), timeout_ms());
        std::size_t i = 2;
        for (Connection& one : connections_) {
            const short events = polled[i++].revents;
            if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) read_from(one);
            // When it leaves, the answers come last: they tell that all is done.
            if (!stopping_ && one.socket && !one.out.empty() && one.answer_at <= wall_clock()) write_to(one);
        }
        if (polled[0].revents != 0) accept_all();
        handle_signals();
        for (const Connection& one : connections_)
            if (!one.socket) end_step(cluster_, one.number);
        std::erase_if(connections_, [](const Connection& one) { return !one.socket; });
        faults_.refresh();
        cluster_.tick();
        cluster_.schedule();
        for (const auto& [number, granted] : grant_steps(cluster_))
            for (Connection& one : connections_)
                if (one.number == number) answer(one, Reply{.answer = granted}, false);
        vanished = ::access((directory_ / "state").c_str(), F_OK) != 0;
    }
    // From here on a command finds nobody and waits for our successor.
    listener_.reset();
    cluster_.stop();
    // Whoever asked it to stop may look whether the processes are gone.
    for (int i = 0; i < 200; ++i) {
        pid_t pid = 0;
        while ((pid = ::waitpid(-1, nullptr, WNOHANG)) > 0) continue;
        if (pid < 0) break;
        ::usleep(5000);
    }
    if (!vanished) cluster_.save();
    lock_.reset();
    for (Connection& one : connections_) write_to(one);
}

}  // namespace

int serve(const std::filesystem::path& directory) {
    Controller controller(directory);
    if (!controller.open()) return 0;
    controller.run();
    return 0;
}

}  // namespace coromd::fake_slurm
