// SPDX-License-Identifier: LGPL-3.0-or-later
#include <map>

#include <fmt/format.h>

#include "sections.hpp"

namespace coromd::report {

namespace {

constexpr std::size_t kMostShown = 300;
constexpr std::size_t kMostFiles = 12;
constexpr std::size_t kDigits = 12;

template <typename T, typename Fn>
std::string lines(const std::vector<T>& items, Fn&& html_of) {
    std::string html;
    for (std::size_t i = 0; i < items.size() && i < kMostFiles; ++i)
        html += (i == 0 ? "" : "<br>") + html_of(items[i]);
    if (items.size() > kMostFiles) html += fmt::format("<br>and {} more", items.size() - kMostFiles);
    return html;
}

std::string provenance(const Material& material) {
    if (material.products.empty()) return {};
    std::map<std::string, std::int64_t> kinds;
    for (const Product& product : material.products) ++kinds[product.kind];
    std::string summary;
    for (const auto& [kind, count] : kinds)
        summary += fmt::format("{}{} {}", summary.empty() ? "" : ", ", count_text(count), kind);
    std::string html = paragraph("Recorded steps: " + summary + ".");

    Table table({"step", "files", "made from", "details"});
    const auto file_link = [&](const std::filesystem::path& file) {
        return link(material.link_to(file), file.string());
    };
    const auto source = [&](const Source& from) {
        std::string out = file_link(from.file);
        if (from.frame) out += fmt::format(", frame {}", *from.frame);
        if (!from.fingerprint.empty())
            out += fmt::format(" <code title=\"{}\">{}</code>", escape(from.fingerprint),
                               escape(std::string_view(from.fingerprint).substr(0, kDigits)));
        return out;
    };
    for (std::size_t i = 0; i < material.products.size() && i < kMostShown; ++i) {
        const Product& product = material.products[i];
        std::string details;
        for (const auto& [name, value] : product.details)
            details += fmt::format("{}{}: {}", details.empty() ? "" : "<br>", escape(name), escape(value));
        table.row({fmt::format("{}<br><small>{}</small>", escape(product.key), escape(product.kind)),
                   lines(product.files, file_link), lines(product.sources, source), details});
    }
    if (material.products.size() > kMostShown)
        html += paragraph(
            fmt::format("The first {} of {} steps, by name; the campaign has recorded all of them.",
                        kMostShown, count_text(static_cast<std::int64_t>(material.products.size()))),
            "left-out");
    return html + folded("Files, and what they were made from", table.html());
}

}  // namespace

Section provenance_section() {
    return {"provenance", "Provenance", provenance};
}

}  // namespace coromd::report
