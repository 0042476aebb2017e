// SPDX-License-Identifier: LGPL-3.0-or-later
#include "products.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "coromd/core/error.hpp"

namespace coromd::campaign {

namespace fs = std::filesystem;
using nlohmann::json;

std::string recorded_path(const fs::path& file, const fs::path& root) {
    const fs::path relative = file.lexically_normal().lexically_relative(root);
    const bool below = !relative.empty() && *relative.begin() != "..";
    return below ? relative.string() : file.string();
}

std::string product_to_json(const Product& product, const fs::path& root) {
    json sources = json::array();
    for (const Source& source : product.sources) {
        json one{{"file", recorded_path(source.file, root)}};
        if (source.frame) one["frame"] = *source.frame;
        if (!source.fingerprint.empty()) one["fingerprint"] = source.fingerprint;
        sources.push_back(std::move(one));
    }
    json files = json::array();
    for (const fs::path& file : product.files) files.push_back(recorded_path(file, root));
    const json out{{"sources", sources}, {"files", files}, {"details", product.details}};
    return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

Product product_from_json(std::string key, std::string kind, const std::string& document) {
    Product product{std::move(key), std::move(kind), {}, {}, {}};
    try {
        const json in = json::parse(document);
        for (const json& source : in.at("sources")) {
            Source one{source.at("file").get<std::string>()};
            if (source.contains("frame")) one.frame = source.at("frame").get<std::int64_t>();
            one.fingerprint = source.value("fingerprint", "");
            product.sources.push_back(std::move(one));
        }
        for (const json& file : in.at("files")) product.files.emplace_back(file.get<std::string>());
        in.at("details").get_to(product.details);
    } catch (const json::exception& error) {
        fail(ErrorKind::input, "what is recorded of '{}' cannot be read: {}", product.key, error.what());
    }
    return product;
}

}  // namespace coromd::campaign
