// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/core/log.hpp"

#include <fcntl.h>

#include <cstdio>
#include <vector>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include "coromd/core/error.hpp"

namespace coromd {

namespace {

spdlog::sink_ptr append_to(const std::filesystem::path& file) {
    spdlog::file_event_handlers handlers;
    // Programs that are started later must not hold the log open.
    handlers.after_open = [](const spdlog::filename_t&, std::FILE* stream) {
        ::fcntl(::fileno(stream), F_SETFD, FD_CLOEXEC);
    };
    try {
        return std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string(), false, handlers);
    } catch (const spdlog::spdlog_ex& error) {
        fail(ErrorKind::system, "cannot open the log file '{}': {}", file.string(), error.what());
    }
}

}  // namespace

// Loggers are made directly, not with spdlog's factories: those enter them in a global registry.

Logger null_logger() {
    auto logger = std::make_shared<spdlog::logger>("null", std::make_shared<spdlog::sinks::null_sink_mt>());
    logger->set_level(spdlog::level::off);
    return logger;
}

Logger file_logger(const std::filesystem::path& file, bool verbose) {
    std::vector<spdlog::sink_ptr> sinks = {append_to(file)};
    if (verbose) sinks.push_back(std::make_shared<spdlog::sinks::stderr_color_sink_mt>());

    auto logger = std::make_shared<spdlog::logger>("coromd", sinks.begin(), sinks.end());
    logger->set_level(spdlog::level::debug);
    logger->flush_on(spdlog::level::info);
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z [%^%l%$] %v");
    return logger;
}

}  // namespace coromd
