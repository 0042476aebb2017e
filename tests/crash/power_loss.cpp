// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The tree is built anew from its root: of each directory the names that it had at its last sync, or
// has now; of each file the content of its last sync, or of now, or sectors of both. An inode that was
// never synced has had no content and no names.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "power.hpp"

namespace coromd::crash {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kSector = 512;

std::string identity(const fs::path& path) {
    struct statx status {};
    constexpr unsigned kWanted = STATX_TYPE | STATX_INO | STATX_BTIME;
    if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, kWanted, &status) != 0)
        throw std::runtime_error("cannot stat " + path.string());
    return (S_ISDIR(status.stx_mode) ? "d" : "f") + std::to_string(status.stx_ino) + "-" +
           std::to_string(status.stx_btime.tv_sec) + "." + std::to_string(status.stx_btime.tv_nsec);
}

std::optional<std::string> content_of(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return std::nullopt;
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

class Disk {
public:
    Disk(const fs::path& root, fs::path log, Unsynced unsynced, std::uint64_t seed)
        : log_(std::move(log)), unsynced_(unsynced), random_(seed) {
        now_[identity(root)] = root;
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root))
            now_[identity(entry.path())] = entry.path();
    }

    void rebuild(const std::string& inode, const fs::path& target) {
        const auto place = now_.find(inode);
        // Unlinked meanwhile, but its name is still on the disk.
        const bool gone = place == now_.end();
        if (inode.starts_with('d')) {
            fs::create_directory(target);
            for (const auto& [name, child] : names_in(inode, gone ? fs::path() : place->second))
                rebuild(child, target / name);
            return;
        }
        std::ofstream(target, std::ios::binary) << content(inode, gone ? fs::path() : place->second);
        if (!gone) fs::permissions(target, fs::status(place->second).permissions());
    }

private:
    using Names = std::map<std::string, std::string>;  // name -> inode

    Names names_in(const std::string& inode, const fs::path& place) {
        Names names;
        const bool as_now =
            unsynced_ == Unsynced::names || (unsynced_ == Unsynced::some && random_() % 2 == 0);
        if (as_now && !place.empty()) {
            for (const fs::directory_entry& entry : fs::directory_iterator(place))
                names[entry.path().filename().string()] = identity(entry.path());
            return names;
        }
        std::istringstream lines(content_of(log_ / inode).value_or(""));
        for (std::string line; std::getline(lines, line);)
            names[line.substr(line.find(' ') + 1)] = line.substr(0, line.find(' '));
        return names;
    }

    std::string content(const std::string& inode, const fs::path& place) {
        const std::string synced = content_of(log_ / inode).value_or("");
        const std::string now = place.empty() ? synced : content_of(place).value_or("");
        if (unsynced_ == Unsynced::nothing) return synced;
        std::string mixed = now;
        for (std::size_t begin = 0; begin < mixed.size(); begin += kSector) {
            if (unsynced_ == Unsynced::some && random_() % 2 == 0) continue;
            const std::size_t size = std::min(kSector, mixed.size() - begin);
            std::memset(mixed.data() + begin, 0, size);
            if (begin < synced.size())
                std::memcpy(mixed.data() + begin, synced.data() + begin,
                            std::min(size, synced.size() - begin));
        }
        return mixed;
    }

    fs::path log_;
    Unsynced unsynced_;
    std::mt19937_64 random_;
    std::map<std::string, fs::path> now_;
};

}  // namespace

void lose_power(const fs::path& folder, const fs::path& log, Unsynced unsynced, std::uint64_t seed) {
    const fs::path after = folder.string() + ".after";
    Disk disk(folder, log, unsynced, seed);
    disk.rebuild(identity(folder), after);
    fs::permissions(after, fs::status(folder).permissions());
    fs::remove_all(folder);
    fs::rename(after, folder);
    fs::remove_all(log);
}

}  // namespace coromd::crash
