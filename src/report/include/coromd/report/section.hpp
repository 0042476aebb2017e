// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <functional>
#include <string>

#include "coromd/core/registry.hpp"
#include "coromd/report/material.hpp"

namespace coromd::report {

/// A part of the page. Other modules add theirs to the registry that they are handed.
struct Section {
    std::string name;   ///< its anchor: small letters and '-'
    std::string title;  ///< its heading; empty for none
    /// Its HTML, of the pieces in html.hpp and plot.hpp, which escape what users wrote. Empty where there
    /// is nothing to say: then the section is left out. What it throws ends the report.
    std::function<std::string(const Material&)> html;
};

/// The sections of every campaign, in the order of the page.
Registry<Section> builtin_sections();

}  // namespace coromd::report
