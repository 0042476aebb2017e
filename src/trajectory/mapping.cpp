// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Whoever reads a page of a mapped file behind the file's end gets SIGBUS. The handler puts zeros
// under the reader's feet, so that it comes to its end, and leaves word that they are not the file's.
// No signal comes for the rest of the last page, which is zeros: bytes that end with one are
// believed only when the file is still as long as it was.
#include "mapping.hpp"

#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace coromd::trajectory {

namespace {

/// Below, a few system calls cost less than a mapping.
constexpr std::int64_t kSmallestWorthMapping = std::int64_t{256} << 10;

/// What this thread is copying from.
struct Access {
    std::byte* begin = nullptr;
    std::byte* end = nullptr;
    std::atomic<bool>* cut_off = nullptr;
};
thread_local Access access_of_this_thread;

struct sigaction previous_action {};

void pass_on(int signal, siginfo_t* info, void* context) {
    if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
        previous_action.sa_sigaction(signal, info, context);
    } else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
        previous_action.sa_handler(signal);
    } else {
        ::sigaction(signal, &previous_action, nullptr);
        ::raise(signal);
    }
}

void on_bus_error(int signal, siginfo_t* info, void* context) {
    const int saved_errno = errno;
    const Access& access = access_of_this_thread;
    auto* const address = static_cast<std::byte*>(info->si_addr);
    if (access.begin == nullptr || address < access.begin || address >= access.end) {
        pass_on(signal, info, context);
    } else {
        // Said before the zeros are there: other threads may read them at once.
        access.cut_off->store(true);
        const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        std::byte* const from = access.begin + static_cast<std::size_t>(address - access.begin) / page * page;
        void* const zeros = ::mmap(from, static_cast<std::size_t>(access.end - from), PROT_READ,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        if (zeros == MAP_FAILED) pass_on(signal, info, context);
    }
    errno = saved_errno;
}

void handle_bus_errors() {
    static std::once_flag once;
    std::call_once(once, [] {
        struct sigaction action {};
        action.sa_sigaction = on_bus_error;
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        sigemptyset(&action.sa_mask);
        ::sigaction(SIGBUS, &action, &previous_action);
    });
}

bool is_local(int fd) {
    constexpr unsigned long kXfs = 0x58465342;
    constexpr unsigned long kZfs = 0x2fc12fc1;
    struct statfs status {};
    if (::fstatfs(fd, &status) != 0) return false;
    switch (static_cast<unsigned long>(status.f_type)) {
        case EXT4_SUPER_MAGIC:
        case BTRFS_SUPER_MAGIC:
        case F2FS_SUPER_MAGIC:
        case OVERLAYFS_SUPER_MAGIC:
        case TMPFS_MAGIC:
        case kXfs:
        case kZfs:
            return true;
        default:
            return false;
    }
}

}  // namespace

std::unique_ptr<Mapping> Mapping::of(int fd, std::int64_t size) {
    if (size < kSmallestWorthMapping || !is_local(fd)) return nullptr;
    const auto length = static_cast<std::size_t>(size);
    void* const begin = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, fd, 0);
    if (begin == MAP_FAILED) return nullptr;
    handle_bus_errors();
    return std::unique_ptr<Mapping>(new Mapping(fd, static_cast<std::byte*>(begin), length));
}

Mapping::~Mapping() {
    ::munmap(begin_, size_);
}

bool Mapping::still_as_long() const noexcept {
    struct stat status {};
    return ::fstat(fd_, &status) == 0 && static_cast<std::size_t>(status.st_size) >= size_;
}

void Mapping::prefetch(std::int64_t offset, std::int64_t size) const noexcept {
    constexpr std::int64_t kCacheLine = 64;
    const std::int64_t end = std::min(offset + size, static_cast<std::int64_t>(size_));
    for (std::int64_t i = std::max<std::int64_t>(offset, 0); i < end; i += kCacheLine)
        __builtin_prefetch(begin_ + i);
}

bool Mapping::is_faster_for(std::int64_t offset, std::size_t size) const noexcept {
    // The kernel maps 64 KiB at once: too much for a few bytes here and there. And of much at once, its
    // own copy is the faster one.
    constexpr std::int64_t kNear = std::int64_t{32} << 10;
    constexpr std::size_t kMuch = std::size_t{16} << 10;
    const std::int64_t last = last_offset_.exchange(offset, std::memory_order_relaxed);
    return size < kMuch && std::abs(offset - last) < kNear;
}

bool Mapping::copy(std::int64_t offset, std::span<std::byte> out) const noexcept {
    if (out.empty()) return true;
    access_of_this_thread = {begin_, begin_ + size_, &cut_off_};
    // The compiler must neither move the copy out of here nor take it for harmless.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    std::memcpy(out.data(), begin_ + offset, out.size());
    std::atomic_signal_fence(std::memory_order_seq_cst);
    access_of_this_thread = {};
    if (cut_off_.load()) return false;
    return out.back() != std::byte{0} || still_as_long();
}

}  // namespace coromd::trajectory
