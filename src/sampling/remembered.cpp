// SPDX-License-Identifier: LGPL-3.0-or-later
#include "remembered.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "coromd/campaign/memo.hpp"

namespace coromd::sampling {

namespace fs = std::filesystem;
using nlohmann::json;
using propagation::UntilResult;
using runtime::task;

namespace {

constexpr const char* kType = "until";
constexpr int kVersion = 1;

std::string record_of(const UntilResult& result, const std::vector<std::string>& states,
                      const fs::path& directory) {
    json conditions = json::array();
    for (const std::size_t i : result.conditions) conditions.push_back(states[i]);
    const fs::path file = result.trajectory.files().front().lexically_relative(directory);
    return campaign::encode_memo(json{{"conditions", conditions},
                                      {"trajectory", file.string()},
                                      {"steps", result.steps},
                                      {"time_ps", result.time_ps},
                                      {"parts", result.parts},
                                      {"wall_seconds", result.wall_seconds}});
}

/// Empty where what is recorded does not fit any more: another set of states, fewer steps, no file.
std::optional<UntilResult> recorded(const std::string& key, const std::string& bytes,
                                    const std::vector<std::string>& states, std::int64_t max_steps,
                                    const MethodContext& context) {
    const auto in = campaign::decode_memo<json>(key, bytes);
    const fs::path file = context.campaign.directory() / in.at("trajectory").get<std::string>();
    UntilResult result{{},
                       trajectory::Trajectory(file, context.system.structure().structure()),
                       in.at("steps").get<std::int64_t>(),
                       in.at("time_ps").get<double>(),
                       in.at("parts").get<int>(),
                       in.at("wall_seconds").get<double>()};
    for (const auto& name : in.at("conditions")) {
        const auto state = std::ranges::find(states, name.get<std::string>());
        if (state == states.end()) return std::nullopt;
        result.conditions.push_back(static_cast<std::size_t>(state - states.begin()));
    }
    std::error_code ignored;
    if (result.steps > max_steps || !fs::exists(file, ignored)) return std::nullopt;
    return result;
}

}  // namespace

task<UntilResult> remembered(MethodContext& context, std::string name, std::vector<std::string> states,
                             std::int64_t max_steps, task<UntilResult> propagate) {
    const std::string reached = name + "/result";
    const std::string given_up = fmt::format("{}/given_up.{}", name, max_steps);
    std::set<std::string> outdated;
    for (const std::string& key : {given_up, reached}) {
        const std::optional<std::string> known = co_await context.campaign.recall(key, kType, kVersion);
        if (!known) {
            context.campaign.release_memo(key);
            continue;
        }
        std::optional<UntilResult> result = recorded(key, *known, states, max_steps, context);
        if (result) co_return std::move(*result);
        outdated.insert(key);
    }
    UntilResult result = co_await std::move(propagate);
    const std::string& key = result.reached() ? reached : given_up;
    if (!outdated.contains(key)) {
        std::string record = record_of(result, states, context.campaign.directory());
        co_await context.campaign.remember(key, kType, kVersion, std::move(record));
    }
    co_return result;
}

}  // namespace coromd::sampling
