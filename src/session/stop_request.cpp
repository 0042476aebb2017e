// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/session/stop_request.hpp"

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"

namespace coromd::session {

namespace fs = std::filesystem;
using runtime::Shutdown;

namespace {

constexpr const char* kFile = "stop.request";

}  // namespace

std::string_view to_string(Shutdown how) noexcept {
    switch (how) {
        case Shutdown::stop_jobs:
            return "stop";
        case Shutdown::leave_jobs:
            return "leave";
        default:
            return "usual";
    }
}

Shutdown shutdown_from(std::string_view text) {
    for (const Shutdown how : {Shutdown::as_usual, Shutdown::stop_jobs, Shutdown::leave_jobs})
        if (text == to_string(how)) return how;
    fail(ErrorKind::usage, "'{}' is not what can be done with jobs: usual, stop or leave", text);
}

void request_stop(const fs::path& directory, Shutdown how) {
    write_file_durably(directory / kFile, to_string(how));
}

std::optional<Shutdown> take_stop_request(const fs::path& directory) {
    const fs::path file = directory / kFile;
    std::error_code error;
    if (!fs::exists(file, error)) return std::nullopt;
    Shutdown how = Shutdown::as_usual;
    try {
        how = shutdown_from(read_tail(file, 100));
    } catch (const Error&) {
        // Whatever it says, somebody wants the program to end.
    }
    fs::remove(file, error);
    return how;
}

}  // namespace coromd::session
