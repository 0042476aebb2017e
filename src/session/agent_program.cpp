// SPDX-License-Identifier: LGPL-3.0-or-later
#include "agent_program.hpp"

#include <string>
#include <system_error>

#include <unistd.h>

#include <fmt/format.h>

#include "coromd/core/error.hpp"
#include "coromd/core/fault.hpp"
#include "coromd/core/file.hpp"
#include "coromd/core/hash.hpp"
#include "coromd/runtime/process.hpp"

namespace coromd::session {

namespace fs = std::filesystem;

namespace {

constexpr const char* kProgram = "coromd";

bool is_program(const fs::path& file) {
    std::error_code ignored;
    return fs::is_regular_file(file, ignored) && ::access(file.c_str(), X_OK) == 0;
}

}  // namespace

fs::path find_agent() {
    std::error_code error;
    fs::path self = fs::read_symlink("/proc/self/exe", error);
    if (!error && self.filename() == kProgram && is_program(self)) return self;
    if (!error && is_program(self.parent_path() / kProgram)) return self.parent_path() / kProgram;
    try {
        return runtime::find_program(runtime::Command({kProgram}));
    } catch (const Error&) {
        const fs::path installed = fs::path(COROMD_INSTALLED_BIN) / kProgram;
        return is_program(installed) ? installed : fs::path();
    }
}

fs::path kept_copy(const fs::path& program, const fs::path& directory) {
    const fs::path copy =
        directory / fmt::format("{}-{}", kProgram, fingerprint_file(program).hex().substr(0, 16));
    if (is_program(copy)) return copy;
    std::error_code error;
    fs::create_directories(directory, error);
    const fs::path temporary = fmt::format("{}.{}", copy.string(), ::getpid());
    if (!error) fs::copy_file(program, temporary, fs::copy_options::overwrite_existing, error);
    if (!error) fs::permissions(temporary, fs::perms::owner_all, error);
    fault_point("session.copied");
    if (!error) sync_path(temporary);
    if (!error) fs::rename(temporary, copy, error);
    if (error)
        fail(ErrorKind::system, "cannot copy '{}' to '{}': {}", program.string(), copy.string(),
             error.message());
    fault_point("session.copy_renamed");
    return copy;
}

}  // namespace coromd::session
