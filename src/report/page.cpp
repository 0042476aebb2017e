// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/report/page.hpp"

#include <utility>

#include <fmt/format.h>

#include "coromd/core/file.hpp"
#include "coromd/report/html.hpp"
#include "coromd/runtime/offload.hpp"
#include "style.hpp"

namespace coromd::report {

namespace fs = std::filesystem;

std::string page(const Material& material, const Registry<Section>& sections) {
    std::string contents;
    std::string body;
    for (const Section& section : sections.entries()) {
        const std::string html = section.html(material);
        if (html.empty()) continue;
        std::string heading;
        if (!section.title.empty()) {
            heading = fmt::format("<h2>{}</h2>\n", escape(section.title));
            contents += fmt::format("<a href=\"#{}\">{}</a>\n", section.name, escape(section.title));
        }
        body += fmt::format("<section id=\"{}\">\n{}{}</section>\n", section.name, heading, html);
    }
    // The policy is a second line of defence: what a user wrote is escaped, and could do nothing if it were
    // not.
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n"
        "<title>{}: "
        "report</title>\n<style>\n{}</style>\n</head>\n<body>\n<nav>\n{}</nav>\n<main>\n{}</main>\n"
        "</body>\n</html>\n",
        escape(material.name()), kStyle, contents, body);
}

runtime::task<void> write_report(runtime::Context& context, fs::path directory, fs::path file,
                                 const Registry<Section>& sections, ValueLimits limits) {
    auto read = [&] { return read_material(directory, file); };
    Material material = co_await runtime::offload(context, read);
    material.variables = co_await evaluate_variables(context, material, limits);
    auto write = [&] { write_file_durably(file, page(material, sections)); };
    co_await runtime::offload(context, write);
}

}  // namespace coromd::report
