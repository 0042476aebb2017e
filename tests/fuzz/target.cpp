// SPDX-License-Identifier: LGPL-3.0-or-later
#include "target.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

namespace coromd::fuzz {

namespace fs = std::filesystem;

const std::vector<Target>& targets() {
    static const std::vector<Target> all{{"xtc", ".xtc", run_frames},
                                         {"trr", ".trr", run_frames},
                                         {"gro", ".gro", run_frames_and_structure},
                                         {"pdb", ".pdb", run_frames_and_structure},
                                         {"dcd", ".dcd", run_frames},
                                         {"amber_netcdf", ".nc", run_frames},
                                         {"tpr", ".tpr", run_frames_and_structure},
                                         {"selection", ".txt", run_selection},
                                         {"ndx", ".ndx", run_ndx},
                                         {"mdp", ".mdp", run_mdp},
                                         {"planted", ".gro", run_planted, true}};
    return all;
}

const Target& target(std::string_view name) {
    const auto found = std::ranges::find(targets(), name, &Target::name);
    if (found == targets().end()) throw std::runtime_error("there is no target '" + std::string(name) + "'");
    return *found;
}

Workshop::Workshop(const Target& target) : target_(target) {
    const fs::path memory = "/dev/shm";
    std::string name =
        ((::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path()) / "coromd-fuzz-XXXXXX")
            .string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    folder_ = name;
    input_ = folder_ / ("input" + target.extension);
}

Workshop::~Workshop() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

void Workshop::run(std::string_view bytes) {
    const int fd = ::open(input_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool written = fd >= 0 && ::write(fd, bytes.data(), bytes.size()) == std::ssize(bytes);
    if (fd >= 0) ::close(fd);
    if (!written) throw std::system_error(errno, std::generic_category(), input_.string());
    target_.run(input_, bytes);
}

}  // namespace coromd::fuzz
