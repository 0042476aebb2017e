// SPDX-License-Identifier: LGPL-3.0-or-later
#include "disk_watch.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <limits>
#include <sstream>

#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fmt/format.h>

#include "coromd/core/error.hpp"

namespace coromd::session {

namespace fs = std::filesystem;

namespace {

/// The block device of the file system with that number; empty where it has none (network, memory).
std::string device_of(dev_t number) {
    // 36 35 98:0 /root /mnt rw,noatime master:1 - ext3 /dev/root rw
    const std::string id = fmt::format("{}:{}", ::major(number), ::minor(number));
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        std::istringstream words(line);
        std::string mount;
        std::string parent;
        std::string found;
        if (!(words >> mount >> parent >> found) || found != id) continue;
        const std::size_t dash = line.find(" - ");
        if (dash == line.npos) return {};
        std::istringstream rest(line.substr(dash + 3));
        std::string type;
        std::string source;
        rest >> type >> source;
        return source.starts_with('/') ? source : std::string();
    }
    return {};
}

/// What is left of a quota; nothing is taken away where there is none.
void apply_quota(const fs::path& directory, DiskSpace& space) {
    struct stat status {};
    if (::stat(directory.c_str(), &status) != 0) return;
    const std::string device = device_of(status.st_dev);
    if (device.empty()) return;
    dqblk quota{};
    const int id = static_cast<int>(::geteuid());
    if (::quotactl(QCMD(Q_GETQUOTA, USRQUOTA), device.c_str(), id, reinterpret_cast<caddr_t>(&quota)) != 0)
        return;
    const auto left = [](std::uint64_t limit, std::uint64_t used) { return limit > used ? limit - used : 0; };
    // Limits are in blocks of 1 KiB, the usage in bytes.
    if (quota.dqb_bhardlimit > 0)
        space.bytes =
            std::min<std::uint64_t>(space.bytes, left(quota.dqb_bhardlimit << 10, quota.dqb_curspace));
    if (quota.dqb_ihardlimit > 0)
        space.inodes = std::min<std::uint64_t>(space.inodes, left(quota.dqb_ihardlimit, quota.dqb_curinodes));
}

}  // namespace

DiskSpace disk_space(const fs::path& directory) {
    struct statvfs status {};
    if (::statvfs(directory.c_str(), &status) != 0)
        fail_errno(errno, fmt::format("cannot find out what is free in '{}'", directory.string()));
    DiskSpace space;
    space.bytes = std::uint64_t{status.f_bavail} * status.f_frsize;
    space.inodes = status.f_files > 0 ? status.f_favail : std::numeric_limits<std::uint64_t>::max();
    apply_quota(directory, space);
    return space;
}

std::string disk_shortage(const fs::path& directory, const DiskLimits& limits,
                          const std::function<DiskSpace(const fs::path&)>& ask) {
    DiskSpace space;
    try {
        space = ask(directory);
    } catch (const Error&) {
        return {};
    }
    const auto mib = [](std::uint64_t bytes) { return bytes >> 20; };
    if (space.bytes < limits.bytes)
        return fmt::format("only {} MiB are free in '{}', and {} are to be left (campaign.min_free_mib)",
                           mib(space.bytes), directory.string(), mib(limits.bytes));
    if (space.inodes < limits.inodes)
        return fmt::format(
            "only {} more files can be made in '{}', and {} are to be left "
            "(campaign.min_free_inodes)",
            space.inodes, directory.string(), limits.inodes);
    return {};
}

}  // namespace coromd::session
