// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <asio/posix/stream_descriptor.hpp>
#include <asio/signal_set.hpp>

#include "coromd/core/error.hpp"
#include "coromd/runtime/event.hpp"
#include "launch.hpp"
#include "process_table.hpp"
#include "tail.hpp"

// Handlers in the loop, not coroutines, follow a process from its start on:
//   - a pipe is readable: read what is there; at its end, close it;
//   - the process has ended (its pidfd is readable, or a SIGCHLD came): reap it, read what is in the
//     pipes, set `ended`.
// The handler that waits for the end keeps the State alive, so that a process whose Process object is
// gone is still drained and reaped. The end of the pipes is not waited for: a grandchild may hold them
// open for hours. But they are drained as long as there is a Process object, for a grandchild that is
// asked to stop, together with a shell above it that dies at once, must not die of SIGPIPE when it says
// so on its standard error.

namespace coromd::runtime {
namespace {

std::chrono::nanoseconds duration_of(const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

ExitStatus exit_status(int wait_status) {
    ExitStatus status;
    if (WIFSIGNALED(wait_status)) {
        status.signal = WTERMSIG(wait_status);
    } else {
        status.exit_code = WEXITSTATUS(wait_status);
    }
    return status;
}

/// One of the two streams that a process writes.
class OutputStream {
public:
    OutputStream(const asio::any_io_executor& executor, FileDescriptor reader, std::size_t tail_limit)
        : pipe(executor), tail(tail_limit) {
        if (reader) pipe.assign(reader.release());
    }

    /// Reads once and says how much; closes the pipe at its end.
    std::size_t read_some() {
        char buffer[16 << 10];
        const ssize_t n = ::read(pipe.native_handle(), buffer, sizeof buffer);
        if (n > 0) {
            tail.append(std::string_view(buffer, static_cast<std::size_t>(n)));
            return static_cast<std::size_t>(n);
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) close();
        return 0;
    }

    /// Reads what the pipe holds now, and no more should somebody go on writing.
    void read_what_is_there() {
        if (!pipe.is_open()) return;
        const int capacity = ::fcntl(pipe.native_handle(), F_GETPIPE_SZ);
        for (std::size_t done = 0; done < static_cast<std::size_t>(std::max(capacity, 0));) {
            const std::size_t n = read_some();
            if (n == 0) break;
            done += n;
        }
    }

    void close() {
        asio::error_code ignored;
        pipe.close(ignored);
    }

    asio::posix::stream_descriptor pipe;
    detail::Tail tail;
};

}  // namespace

struct Process::State : std::enable_shared_from_this<State> {
    State(Context& context, const Command& command, detail::Launched launched)
        : log(context.logger()),
          text(command.text()),
          output(context.executor(), std::move(launched.stdout_pipe), command.tail_limit()),
          error(context.executor(), std::move(launched.stderr_pipe), command.tail_limit()),
          pidfd(context.executor()),
          sigchld(context.executor()) {
        known.pid = launched.pid;
        if (const auto entry = detail::process_entry(known.pid)) start_time = entry->start_time;
    }

    void follow(ExitNotice notice) {
        listen(output);
        listen(error);
        if (notice == ExitNotice::automatic) {
            if (FileDescriptor fd = detail::open_pidfd(known.pid)) pidfd.assign(fd.release());
        }
        if (!pidfd.is_open()) sigchld.add(SIGCHLD);
        listen_for_end();
        // It may have ended before SIGCHLD was caught.
        if (!pidfd.is_open()) reap();
    }

    void listen(OutputStream& stream) {
        if (!stream.pipe.is_open()) return;
        stream.pipe.async_wait(stream.pipe.wait_read,
                               [weak = weak_from_this(), &stream](const asio::error_code& failed) {
                                   const std::shared_ptr<State> self = weak.lock();
                                   if (failed || !self) return;
                                   stream.read_some();
                                   self->listen(stream);
                               });
    }

    void listen_for_end() {
        const auto on_notice = [self = shared_from_this()](const asio::error_code& failed, int = 0) {
            if (failed || self->ended.is_set()) return;
            self->reap();
            if (!self->ended.is_set()) self->listen_for_end();
        };
        if (pidfd.is_open()) {
            pidfd.async_wait(pidfd.wait_read, on_notice);
        } else {
            sigchld.async_wait(on_notice);
        }
    }

    void reap() {
        int wait_status = 0;
        rusage usage{};
        const pid_t reaped = ::wait4(known.pid, &wait_status, WNOHANG, &usage);
        if (reaped == 0 || (reaped < 0 && errno == EINTR)) return;
        known.wall_time = std::chrono::steady_clock::now() - started;
        if (reaped == known.pid) {
            known.status = exit_status(wait_status);
            known.cpu_time = duration_of(usage.ru_utime) + duration_of(usage.ru_stime);
            known.max_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
        } else {
            status_lost = true;
        }
        output.read_what_is_there();
        error.read_what_is_there();
        asio::error_code ignored;
        pidfd.close(ignored);
        sigchld.clear(ignored);
        sigchld.cancel(ignored);
        log->debug("process {} ended: {}: {}", known.pid, status_lost ? "status lost" : known.status.text(),
                   text);
        ended.set();
    }

    Logger log;
    std::string text;
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
    std::string start_time;
    OutputStream output;
    OutputStream error;
    asio::posix::stream_descriptor pidfd;
    asio::signal_set sigchld;  // where there is no pidfd
    Event ended;
    bool status_lost = false;
    ProcessResult known;
};

Process Process::start(Context& context, const Command& command, ExitNotice notice) {
    auto state = std::make_shared<State>(context, command, detail::launch(command));
    state->follow(notice);
    context.log().debug("process {} started: {}", state->known.pid, state->text);
    return Process(std::move(state));
}

Process::Process(std::shared_ptr<State> state) : state_(std::move(state)) {}
Process::Process(Process&&) noexcept = default;
Process& Process::operator=(Process&&) noexcept = default;
Process::~Process() = default;

pid_t Process::pid() const noexcept {
    return state_->known.pid;
}
const std::string& Process::start_time() const noexcept {
    return state_->start_time;
}
bool Process::ended() const noexcept {
    return state_->ended.is_set();
}

task<ExitStatus> Process::wait() {
    const std::shared_ptr<State> state = state_;
    co_await state->ended.wait();
    if (state->status_lost) {
        fail(ErrorKind::system, "how process {} ended was lost: does this program ignore SIGCHLD? ({})",
             state->known.pid, state->text);
    }
    co_return state->known.status;
}

void Process::signal(int number) noexcept {
    // Until it is reaped, here, its pid is no other's.
    if (!ended()) ::kill(pid(), number);
}

void Process::signal_group(int number) noexcept {
    // Afterwards the number is the group's as long as it has members.
    if (!ended() || detail::group_lives(pid())) ::kill(-pid(), number);
}

std::string Process::stdout_tail() const {
    return state_->output.tail.text();
}
std::string Process::stderr_tail() const {
    return state_->error.tail.text();
}

ProcessResult Process::result() const {
    ProcessResult result = state_->known;
    result.stdout_tail = stdout_tail();
    result.stderr_tail = stderr_tail();
    result.stdout_bytes = state_->output.tail.total();
    result.stderr_bytes = state_->error.tail.total();
    return result;
}

}  // namespace coromd::runtime
