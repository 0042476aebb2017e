// SPDX-License-Identifier: LGPL-3.0-or-later
#include "place.hpp"

#include <cerrno>

#include <sys/stat.h>

#include <fmt/format.h>

#include "coromd/core/error.hpp"
#include "coromd/core/hash.hpp"
#include "database.hpp"

namespace coromd::campaign {

namespace fs = std::filesystem;

std::string place_of(const fs::path& directory) {
    const fs::path file = directory / kDatabaseName;
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) fail_errno(errno, fmt::format("cannot stat '{}'", file.string()));
    std::error_code error;
    const fs::path real = fs::canonical(directory, error);
    if (error) fail(ErrorKind::system, "'{}': {}", directory.string(), error.message());
    return fmt::format("{} {}", status.st_ino, fingerprint(real.string()).hex());
}

bool same_place(const std::string& recorded, const std::string& now) {
    const std::size_t blank = recorded.find(' ');
    const std::size_t other = now.find(' ');
    if (blank == recorded.npos || other == now.npos) return false;
    return recorded.substr(0, blank) == now.substr(0, other) || recorded.substr(blank) == now.substr(other);
}

}  // namespace coromd::campaign
