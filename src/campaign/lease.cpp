// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Taking a lease:
//
//   1. write it under a temporary name, synced
//   2. link(2) it to lease.json: atomic, and fails where there is one, on network file systems too
//   3. where there is one, read it: an owner that lives, or may live on another host, keeps it;
//      a dead one's file is removed, and step 2 is tried again
//
// Between the reading and the removal of a dead lease somebody else could have done both and put
// a live one there. So the caller holds the write lock of the database: whoever competes for the
// lease of a dead program runs on the same host, where that lock works. Should it not work after
// all, the epoch in the database still lets only the last owner write.
#include "lease.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <limits>
#include <optional>

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

#include "coromd/core/error.hpp"
#include "coromd/core/fault.hpp"
#include "coromd/core/file.hpp"
#include "coromd/queue/spool.hpp"
#include "coromd/runtime/process.hpp"
#include "database.hpp"

namespace coromd::campaign {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::size_t kMaxBytes = 64 << 10;

struct LeaseHolder {
    std::string host;
    std::string boot_id;
    pid_t pid = 0;
    std::string start_time;  // of the process, as the kernel writes it
    std::string token;       // of this one lease
    std::string since;       // for people
};

LeaseHolder this_process() {
    const pid_t pid = ::getpid();
    const std::optional<std::string> start_time = runtime::process_start_time(pid);
    if (!start_time) fail(ErrorKind::system, "cannot read when this process started: is /proc mounted?");
    return {queue::host_name(),
            runtime::boot_id(),
            pid,
            *start_time,
            random_token(),
            fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(std::time(nullptr)))};
}

std::string to_json(const LeaseHolder& owner) {
    const json out{{"host", owner.host},   {"boot_id", owner.boot_id},
                   {"pid", owner.pid},     {"start_time", owner.start_time},
                   {"token", owner.token}, {"since", owner.since}};
    return out.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

/// Empty where there is no such file.
std::optional<LeaseHolder> read_holder(const fs::path& file) {
    std::string text;
    try {
        text = read_text_file(file, kMaxBytes);
    } catch (const Error&) {
        std::error_code ignored;
        if (fs::symlink_status(file, ignored).type() == fs::file_type::not_found) return std::nullopt;
        throw;
    }
    try {
        const json in = json::parse(text);
        const auto string = [&](const char* name) { return in.at(name).get<std::string>(); };
        const auto pid = in.at("pid").get<std::int64_t>();
        if (pid < 1 || pid > std::numeric_limits<pid_t>::max())
            fail(ErrorKind::input, "'{}' is not a lease: the pid is {}", file.string(), pid);
        return LeaseHolder{string("host"),       string("boot_id"), static_cast<pid_t>(pid),
                           string("start_time"), string("token"),   string("since")};
    } catch (const json::exception& error) {
        fail(ErrorKind::input,
             "'{}' is not a lease: {}\nRemove it if you are sure that no program runs on this campaign",
             file.string(), error.what());
    }
}

bool is_dead(const LeaseHolder& owner, const LeaseHolder& self) {
    if (owner.host != self.host) return false;
    return owner.boot_id != self.boot_id || !runtime::process_is(owner.pid, owner.start_time);
}

/// By the file system's own clock, to which the clocks of hosts do not matter.
bool is_silent(const fs::path& file, const LeaseHolder& self) {
    const fs::path clock = file.parent_path() / fmt::format(".{}.{}.tmp", Lease::kFileName, self.token);
    std::error_code error;
    write_file_durably(clock, "");
    const auto now = fs::last_write_time(clock, error);
    fs::remove(clock, error);
    const auto renewed = fs::last_write_time(file, error);
    return !error && now - renewed > Lease::kSilence;
}

[[noreturn]] void refuse(const LeaseHolder& owner, const LeaseHolder& self, const fs::path& file) {
    const std::string who =
        fmt::format("process {} on host {} (since {})", owner.pid, owner.host, owner.since);
    if (owner.host == self.host)
        fail(ErrorKind::conflict, "the campaign in '{}' is in use by {}", file.parent_path().string(), who);
    fail(ErrorKind::conflict,
         "the campaign in '{}' is in use by {}, and from this host ({}) nobody can tell whether that still "
         "runs.\n"
         "It is taken for dead when it has been silent for {} minutes; if you are sure that it is, take its "
         "campaign over now (coromd run --take-over)",
         file.parent_path().string(), who, self.host, Lease::kSilence.count());
}

/// 0 or an errno value; EEXIST where there is a lease.
int create_exclusively(const fs::path& file, const LeaseHolder& owner) {
    const fs::path temporary = file.parent_path() / fmt::format(".{}.{}.tmp", Lease::kFileName, owner.token);
    write_file_durably(temporary, to_json(owner));
    fault_point("lease.written");
    const int error = ::link(temporary.c_str(), file.c_str()) == 0 ? 0 : errno;
    fault_point("lease.linked");
    ::unlink(temporary.c_str());
    return error;
}

}  // namespace

Lease Lease::take(const fs::path& directory, const Logger& log, bool take_over) {
    const fs::path file = directory / kFileName;
    const LeaseHolder self = this_process();
    constexpr int kAttempts = 10;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        const int error = create_exclusively(file, self);
        if (error == 0) return Lease(file, self.token);
        if (error != EEXIST) fail_errno(error, fmt::format("cannot create '{}'", file.string()));

        const std::optional<LeaseHolder> owner = read_holder(file);
        if (!owner) continue;  // given back meanwhile
        if (is_dead(*owner, self)) {
            log->warn("taking the campaign over from process {} of {}, which is dead", owner->pid,
                      owner->since);
        } else if (owner->host != self.host && (take_over || is_silent(file, self))) {
            log->warn("taking the campaign over from process {} on host {}, {}", owner->pid, owner->host,
                      take_over ? "as asked" : "which is silent");
        } else {
            refuse(*owner, self, file);
        }
        if (::unlink(file.c_str()) != 0 && errno != ENOENT)
            fail_errno(errno, fmt::format("cannot remove '{}'", file.string()));
        fault_point("lease.removed");
    }
    fail(ErrorKind::conflict, "other programs keep taking the lease '{}'", file.string());
}

std::optional<Owner> owner_of(const fs::path& directory) {
    const std::optional<LeaseHolder> holder = read_holder(directory / Lease::kFileName);
    if (!holder) return std::nullopt;
    Owner owner{holder->host, holder->pid, holder->since, Owner::Life::unknown};
    if (holder->host == queue::host_name())
        owner.life = is_dead(*holder, this_process()) ? Owner::Life::dead : Owner::Life::runs;
    return owner;
}

void Lease::renew() const noexcept {
    ::utimensat(AT_FDCWD, file_.c_str(), nullptr, 0);
}

Lease::~Lease() {
    if (file_.empty()) return;
    try {
        const std::optional<LeaseHolder> owner = read_holder(file_);
        if (owner && owner->token == token_ && owner->pid == ::getpid()) ::unlink(file_.c_str());
    } catch (const std::exception&) {
        // Not readable any more: whoever comes next will say so.
    }
}

}  // namespace coromd::campaign
