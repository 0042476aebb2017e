// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/watch.hpp"

#include <cerrno>

#include <sys/stat.h>

#include "coromd/core/error.hpp"
#include "coromd/runtime/timer.hpp"
#include "waiter.hpp"

namespace coromd::runtime {
namespace {

/// 0 for what is not there (yet), or is no regular file.
std::uintmax_t size_of(const std::filesystem::path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0) {
        return S_ISREG(info.st_mode) ? static_cast<std::uintmax_t>(info.st_size) : 0;
    }
    // ESTALE: the file was replaced on a network file system; the next look finds the new one.
    if (errno != ENOENT && errno != ENOTDIR && errno != ESTALE) {
        fail_errno(errno, fmt::format("cannot watch '{}'", path.string()));
    }
    return 0;
}

}  // namespace

task<std::uintmax_t> wait_until_grown(std::filesystem::path path, std::uintmax_t known_size,
                                      std::chrono::nanoseconds poll_interval) {
    // Also where a file grows so fast that no wait is ever needed.
    detail::throw_if_cancelled(co_await asio::this_coro::cancellation_state);
    for (;;) {
        const std::uintmax_t size = size_of(path);
        if (size > known_size) co_return size;
        co_await sleep_for(poll_interval);
    }
}

}  // namespace coromd::runtime
