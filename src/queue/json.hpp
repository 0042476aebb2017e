// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "coromd/core/error.hpp"
#include "coromd/queue/job.hpp"

// The pieces of JSON that what is written about jobs has in common: results, exit records, job files.

namespace coromd::queue {

/// Program output may hold any bytes; JSON only takes UTF-8.
std::string json_text(const nlohmann::json& value, int indent = -1);

/// An integer member. get() alone would convert what does not fit as a cast does.
/// Throws Error(input), or what nlohmann throws where there is no such member.
template <typename T>
T json_integer(const nlohmann::json& object, const char* name) {
    const nlohmann::json& value = object.at(name);
    const bool fits = value.is_number_unsigned()
                          ? std::in_range<T>(value.get<std::uint64_t>())
                          : value.is_number_integer() && std::in_range<T>(value.get<std::int64_t>());
    if (!fits) fail(ErrorKind::input, "'{}' is no integer that fits", name);
    return value.get<T>();
}

/// fn() with the object of `text`; whatever is wrong with it becomes an Error(input) that begins with
/// `what`, also a member "version" that is not `version`.
template <typename Fn>
auto from_versioned_json(std::string_view text, const char* what, int version, Fn&& fn) {
    try {
        const nlohmann::json in = nlohmann::json::parse(text);
        if (const int found = json_integer<int>(in, "version"); found != version)
            fail(ErrorKind::input, "it has version {}, this program reads version {}", found, version);
        return fn(in);
    } catch (const nlohmann::json::exception& error) {
        fail(ErrorKind::input, "{} cannot be read: {}", what, error.what());
    } catch (const Error& error) {
        fail(ErrorKind::input, "{} cannot be read: {}", what, error.message());
    }
}

/// Adds the members of an exit to an object.
void add_exit(nlohmann::json& object, const JobExit& exit);
JobExit exit_of(const nlohmann::json& object);

nlohmann::json files_json(const std::vector<OutputFile>& files);
std::vector<OutputFile> files_of(const nlohmann::json& array);

/// The plain name of a file that a job may leave.
bool is_output_name(const std::string& name);

}  // namespace coromd::queue
