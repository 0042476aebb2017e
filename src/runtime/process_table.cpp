// SPDX-License-Identifier: LGPL-3.0-or-later
#include "process_table.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <asio/posix/stream_descriptor.hpp>
#include <asio/redirect_error.hpp>

#include "coromd/core/error.hpp"
#include "coromd/runtime/process.hpp"
#include "coromd/runtime/timer.hpp"
#include "waiter.hpp"

namespace coromd::runtime {
namespace detail {

std::optional<ProcessEntry> parse_process_entry(std::string_view stat) {
    // "pid (name) state ppid pgrp ...": the name may hold blanks and parentheses. Counted from
    // the state, the group is field 2 and the start time field 19.
    const std::size_t name_end = stat.rfind(')');
    if (name_end == stat.npos) return std::nullopt;
    std::vector<std::string_view> fields;
    for (std::size_t begin = name_end + 1; fields.size() < 20;) {
        begin = stat.find_first_not_of(' ', begin);
        if (begin == stat.npos) return std::nullopt;
        const std::size_t end = std::min(stat.find_first_of(" \n", begin), stat.size());
        fields.push_back(stat.substr(begin, end - begin));
        begin = end;
    }
    ProcessEntry entry;
    const std::string_view state = fields[0];
    entry.lives = state != "Z" && state != "X" && state != "x";
    const auto [end, error] = std::from_chars(fields[2].begin(), fields[2].end(), entry.group);
    if (error != std::errc() || end != fields[2].end()) return std::nullopt;
    entry.start_time = fields[19];
    return entry;
}

std::optional<ProcessEntry> process_entry(pid_t pid) {
    const FileDescriptor file(::open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return std::nullopt;
    char buffer[1024];  // more than the line ever has
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n <= 0) return std::nullopt;
    return parse_process_entry(std::string_view(buffer, static_cast<std::size_t>(n)));
}

bool group_lives(pid_t group) {
    // What only waits to be reaped counts for kill(), and in a container may stay for ever: look closer.
    if (::kill(-group, 0) != 0 && errno == ESRCH) return false;
    std::error_code failed;
    for (std::filesystem::directory_iterator it("/proc", failed), last; it != last && !failed;
         it.increment(failed)) {
        const std::string name = it->path().filename();
        pid_t pid = 0;
        const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (bad != std::errc() || end != name.data() + name.size()) continue;
        const std::optional<ProcessEntry> entry = process_entry(pid);
        if (entry && entry->lives && entry->group == group) return true;
    }
    return false;
}

FileDescriptor open_pidfd(pid_t pid) {
#ifdef SYS_pidfd_open
    return FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
#else
    static_cast<void>(pid);
    return FileDescriptor();
#endif
}

}  // namespace detail

std::string boot_id() {
    std::string text = read_text_file("/proc/sys/kernel/random/boot_id", 1 << 10);
    return text.substr(0, text.find('\n'));
}

std::optional<std::string> process_start_time(pid_t pid) {
    std::optional<detail::ProcessEntry> entry = detail::process_entry(pid);
    if (!entry || !entry->lives) return std::nullopt;
    return std::move(entry->start_time);
}

bool process_is(pid_t pid, const std::string& start_time) {
    return process_start_time(pid) == start_time;
}

task<void> wait_for_foreign(pid_t pid, std::string start_time, ExitNotice notice) {
    constexpr std::chrono::milliseconds kPollInterval{200};

    detail::throw_if_cancelled(co_await asio::this_coro::cancellation_state);
    FileDescriptor pidfd;
    if (notice == ExitNotice::automatic) pidfd = detail::open_pidfd(pid);
    // Only now: the descriptor may be that of a later process.
    if (pidfd && process_is(pid, start_time)) {
        asio::posix::stream_descriptor end(co_await asio::this_coro::executor, pidfd.release());
        asio::error_code error;
        co_await end.async_wait(end.wait_read, asio::redirect_error(asio::use_awaitable, error));
        if (error == asio::error::operation_aborted) throw Cancelled();
    }
    while (process_is(pid, start_time)) co_await sleep_for(kPollInterval);
}

}  // namespace coromd::runtime
