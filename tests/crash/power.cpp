// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Preloaded into all processes of a campaign (LD_PRELOAD): remembers what has been synced. What a file
// holds, or a directory lists, at the moment of its last fsync is all that is sure to be there after a
// power loss; power.hpp makes a disk of that. One file per inode in $COROMD_POWER_LOG:
//
//   <type><inode>-<birth>   of a file (type f): its content; of a directory (d): for each entry such
//                           a name, a blank and the entry's own name
//
// The copy is made before the sync: what is written meanwhile is not promised to anybody.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

/// An inode's number is used again; with the time of its birth it is not.
std::string identity(int folder, const char* name, int flags) {
    struct statx status {};
    constexpr unsigned kWanted = STATX_TYPE | STATX_INO | STATX_BTIME;
    if (::statx(folder, name, flags | AT_SYMLINK_NOFOLLOW, kWanted, &status) != 0) return "";
    return (S_ISDIR(status.stx_mode) ? "d" : "f") + std::to_string(status.stx_ino) + "-" +
           std::to_string(status.stx_btime.tv_sec) + "." + std::to_string(status.stx_btime.tv_nsec);
}

std::string listing(int folder) {
    std::string text;
    const int copy = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* const entries = ::fdopendir(copy);
    if (entries == nullptr) return text;
    while (const dirent* entry = ::readdir(entries)) {
        if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
        text += identity(copy, entry->d_name, 0) + " " + entry->d_name + "\n";
    }
    ::closedir(entries);
    return text;
}

std::string content(int file) {
    std::string text;
    char buffer[1 << 16];
    // By another description: that of the program stays where it is, and may be for writing only.
    const int copy = ::open(("/proc/self/fd/" + std::to_string(file)).c_str(), O_RDONLY | O_CLOEXEC);
    ssize_t got = 0;
    while ((got = ::read(copy, buffer, sizeof buffer)) > 0)
        text.append(buffer, static_cast<std::size_t>(got));
    ::close(copy);
    return text;
}

void remember(int file) {
    const char* const log = std::getenv("COROMD_POWER_LOG");
    struct stat status {};
    if (log == nullptr || ::fstat(file, &status) != 0) return;
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return;
    const std::string text = S_ISDIR(status.st_mode) ? listing(file) : content(file);
    const std::string name = std::string(log) + "/" + identity(file, "", AT_EMPTY_PATH);
    const std::string temporary = name + "." + std::to_string(::gettid());
    const int out = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (out < 0 || ::write(out, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
    ::close(out);
    if (::rename(temporary.c_str(), name.c_str()) != 0) std::abort();
}

int synced(const char* call, int file) {
    remember(file);
    using Sync = int (*)(int);
    const auto next = reinterpret_cast<Sync>(::dlsym(RTLD_NEXT, call));
    return next(file);
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int fsync(int file) {
    return synced("fsync", file);
}

__attribute__((visibility("default"))) int fdatasync(int file) {
    return synced("fdatasync", file);
}
}
