// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coromd {

/// How far one walker (or any other subject that does MD) has come.
struct Progress {
    std::string subject;      ///< "walkers/003"
    std::string phase;        ///< "preparing", "waiting", "running", "reached alphaR", ...
    double time_ps = 0.0;     ///< MD done, over all parts
    double ns_per_day = 0.0;  ///< rate of the running part; 0 where unknown
    int part = 0;             ///< the part that runs or ran last; 0 before the first
};

/// What something was made from: a file, or one frame of it.
struct Source {
    std::filesystem::path file;
    std::optional<std::int64_t> frame{};
    std::string fingerprint{};  ///< of the content, in hex; empty where nobody has computed it
};

/// How files of a campaign came to be: one step of their history.
struct Product {
    std::string key;   ///< that of the job that made it, or a name that is used for nothing else
    std::string kind;  ///< "md", "start", "trajectory", ...
    std::vector<Source> sources;
    std::vector<std::filesystem::path> files;
    std::map<std::string, std::string>
        details;  ///< "engine", "version", "seed", "first_step", "last_step", ...
};

/// What lower floors report to while they work. The campaign and the terminal implement it.
/// Called on the loop thread; must not block for long and must not throw.
class Recorder {
public:
    virtual ~Recorder() = default;

    virtual void progress(const Progress& progress) = 0;
    /// Something a user should know that is no error, such as "masses guessed from elements".
    virtual void note(std::string_view subject, std::string_view text) = 0;
    /// Told again at each start of the program that comes by; the last word counts.
    virtual void product(const Product& product) = 0;
};

/// Records nothing.
class NullRecorder final : public Recorder {
public:
    void progress(const Progress&) override {}
    void note(std::string_view, std::string_view) override {}
    void product(const Product&) override {}
};

}  // namespace coromd
