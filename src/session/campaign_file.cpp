// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/session/campaign_file.hpp"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "coromd/core/error.hpp"
#include "coromd/session/settings_file.hpp"

namespace coromd::session {

namespace fs = std::filesystem;

namespace {

/// The keys of a table in the order of the file, in which each definition builds on those before.
std::vector<std::string> keys_as_written(SettingsReader& table) {
    std::vector<std::string> keys = table.keys();
    std::ranges::stable_sort(keys, {}, [&](const std::string& key) {
        const Origin& origin = table.raw(key).origin();
        return std::tuple(origin.file, origin.line, origin.column);
    });
    return keys;
}

/// Runs `define`, and tells where in the file the text stands that it did not like.
template <typename Define>
void with_origin(SettingsReader& table, const std::string& key, Define define) {
    try {
        define();
    } catch (const Error& error) {
        table.complain(key, error.message());
    }
}

/// Runs `make`, and tells which table is to blame where the error does not point at a line of it.
template <typename Make>
auto in_table(const SettingsReader& table, Make make) {
    try {
        return make();
    } catch (Error& error) {
        if (!error.message().starts_with(table.origin().file + ":"))
            error.add_context(fmt::format("{}: [{}]", table.origin().text(), table.name()));
        throw;
    }
}

bool is_name_for_files(std::string_view name) {
    constexpr std::size_t kLongest = 200;  // bytes; file systems take 255, and we append to it
    const auto forbidden = [](char c) {
        return c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    };
    return !name.empty() && name.size() <= kLongest && std::ranges::none_of(name, forbidden);
}

}  // namespace

CampaignFile::CampaignFile(const fs::path& file) : settings_(load_settings(file)) {
    SettingsReader top(settings_, "");
    SettingsReader campaign = top.table("campaign");
    name_ = campaign.string("name", file.stem().string());
    kind_ = campaign.string("kind");
    const std::int64_t seed = campaign.integer_from("seed", 0, 1);
    seed_ = static_cast<std::uint64_t>(seed);
    directory_ = campaign.has("directory") ? campaign.path("directory")
                                           : fs::absolute(file).parent_path() / (name_ + ".campaign");
    for (const char* of_the_session : {"min_free_mib", "min_free_inodes"})
        if (campaign.has(of_the_session)) campaign.raw(of_the_session);
    campaign.finish();
    if (!is_name_for_files(name_))
        campaign.complain(
            "name",
            "'campaign.name' must be a name for files: of 1 to 200 bytes, without '/' and control "
            "characters");
}

functions::Definitions CampaignFile::definitions(SettingsReader& top) const {
    functions::Definitions definitions;
    SettingsReader variables = top.table("variables");
    for (const std::string& name : keys_as_written(variables)) {
        const std::string text = variables.string(name);
        with_origin(variables, name, [&] { definitions.variable(name, text); });
    }
    SettingsReader states = top.table("states");
    for (const std::string& name : keys_as_written(states)) {
        const std::string text = states.string(name);
        with_origin(states, name, [&] { definitions.state(name, text); });
    }
    return definitions;
}

CampaignFile::Parts CampaignFile::build(Session& session) const {
    SettingsReader top(settings_, "");
    // These two were read when the file and the session were made.
    top.table("campaign");
    // Read by the session.
    top.table("queues");
    if (top.has("agent")) top.raw("agent");

    const Registry<sampling::MethodKind> methods = sampling::builtin_methods();
    const sampling::MethodKind* method = methods.find(kind_);
    if (method == nullptr)
        top.table("campaign")
            .complain("kind",
                      fmt::format("unknown kind of campaign '{}': known are {}", kind_, methods.names()));

    Parts parts;
    parts.definitions = definitions(top);
    try {
        parts.method = method->make(top, parts.definitions);
    } catch (const Error&) {
        // A table that is missed may be one whose name is misspelt.
        top.table("engine");
        top.finish();
        throw;
    }

    const Registry<engine::EngineKind> engines = engine::builtin_engines();
    SettingsReader engine_table = top.table("engine");
    const std::string engine_name = engine_table.string("kind");
    const engine::EngineKind* engine = engines.find(engine_name);
    if (engine == nullptr)
        engine_table.complain("kind",
                              fmt::format("unknown engine '{}': known are {}", engine_name, engines.names()));
    parts.system =
        in_table(engine_table, [&] { return engine->make(session.engine_context(), engine_table); });
    engine_table.finish();
    top.finish();

    in_table(engine_table, [&] { parts.system->check(); });
    // A selection that finds nothing is told with the line of the definition.
    const auto topology = parts.system->structure().topology();
    for (const char* table_name : {"variables", "states"}) {
        SettingsReader table = top.table(table_name);
        for (const std::string& name : keys_as_written(table))
            with_origin(table, name, [&] { parts.definitions.at(name).function->bind(*topology); });
    }
    in_table(top.table("campaign"), [&] { parts.method->check(*parts.system); });
    return parts;
}

}  // namespace coromd::session
