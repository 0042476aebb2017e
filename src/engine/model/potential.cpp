// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/engine/model/potential.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <muParser.h>

#include "coromd/core/error.hpp"
#include "toml_text.hpp"

namespace coromd::engine::model {

namespace {

/// Half the distance between the two points of a central difference, at 1 nm from the origin: where
/// its own error and that of rounding are about the same.
constexpr double kDifference = 6e-6;
constexpr std::size_t kLongestFormula = 4096;  // muParser recurses into parentheses
constexpr std::size_t kMostGaussians = 10'000;

/// Kinds as settings name them.
constexpr std::string_view kKinds = "harmonic, double_well, mueller_brown, gaussians, formula";

/// The formula changes no variable: '=' is only a part of a comparison.
void refuse_assignment(const std::string& text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') continue;
        const bool with_next = i + 1 < text.size() && text[i + 1] == '=';
        const bool with_last = i > 0 && std::string_view("<>!").find(text[i - 1]) != std::string_view::npos;
        if (!with_next && !with_last)
            fail(ErrorKind::usage, "column {} of '{}': nothing can be assigned; a comparison is ==", i + 1,
                 text);
        i += with_next;
    }
}

double positive(SettingsReader& settings, std::string_view key, double fallback) {
    const double value = settings.number(key, fallback);
    if (!(value > 0.0)) settings.complain(key, fmt::format("'{}.{}' must be positive", settings.name(), key));
    return value;
}

Gaussian read_gaussian(const Setting& setting, std::size_t number) {
    if (!setting.is_table())
        fail(ErrorKind::usage, "{}: a Gaussian is a table, as {{ height = -1, x = 0, y = 0, width = 0.2 }}",
             setting.origin().text());
    SettingsReader table(setting, fmt::format("potential.gaussians[{}]", number));
    Gaussian gaussian;
    gaussian.height = table.number("height");
    gaussian.centre = {table.number("x"), table.number("y")};
    if (table.has("width")) {
        const double width = positive(table, "width", 1.0);
        gaussian.a = gaussian.c = -0.5 / (width * width);
    } else {
        gaussian.a = table.number("a");
        gaussian.b = table.number("b", 0.0);
        gaussian.c = table.number("c", gaussian.a);
    }
    table.finish();
    return gaussian;
}

Gaussians read_gaussians(SettingsReader& settings) {
    Gaussians potential;
    potential.wall = settings.number("wall", 0.0);
    const Setting& list = settings.raw("gaussians");
    const auto* array = std::get_if<Setting::Array>(&list.value());
    if (array == nullptr) settings.complain("gaussians", "'potential.gaussians' must be an array of tables");
    if (array->size() > kMostGaussians)
        settings.complain("gaussians", fmt::format("more than {} Gaussians are too many", kMostGaussians));
    for (const Setting& setting : *array)
        potential.terms.push_back(read_gaussian(setting, potential.terms.size()));
    return potential;
}

std::string toml_of(const Harmonic& p) {
    return fmt::format("kind = \"harmonic\"\nkx = {}\nky = {}\nx = {}\ny = {}\n", p.k.x, p.k.y, p.centre.x,
                       p.centre.y);
}
std::string toml_of(const DoubleWell& p) {
    return fmt::format("kind = \"double_well\"\nheight = {}\na = {}\nky = {}\n", p.height, p.a, p.ky);
}
std::string toml_of(const MuellerBrown& p) {
    return fmt::format("kind = \"mueller_brown\"\nscale = {}\n", p.scale);
}
std::string toml_of(const Gaussians& p) {
    std::string text = fmt::format("kind = \"gaussians\"\nwall = {}\ngaussians = [\n", p.wall);
    for (const Gaussian& g : p.terms)
        text += fmt::format("  {{ height = {}, x = {}, y = {}, a = {}, b = {}, c = {} }},\n", g.height,
                            g.centre.x, g.centre.y, g.a, g.b, g.c);
    return text + "]\n";
}
std::string toml_of(const Formula& p) {
    return fmt::format("kind = \"formula\"\nv = {}\n", toml_string(p.text()));
}

}  // namespace

struct Formula::Parser {
    double x = 0.0;
    double y = 0.0;
    mu::Parser parser;
    int dimensions = 1;

    explicit Parser(const std::string& text) {
        parser.DefineVar("x", &x);
        parser.DefineVar("y", &y);
        try {
            parser.SetExpr(text);
            dimensions = parser.GetUsedVar().contains("y") ? 2 : 1;
            parser.Eval();
        } catch (const mu::ParserError& error) {
            fail(ErrorKind::usage, "column {} of '{}': {}", error.GetPos() + 1, text, error.GetMsg());
        }
        if (parser.GetNumResults() != 1)
            fail(ErrorKind::usage, "'{}' has {} results: a potential is one formula", text,
                 parser.GetNumResults());
    }

    double at(Vec2 r) {
        x = r.x;
        y = r.y;
        return parser.Eval();
    }
};

Formula::Formula(std::string text) : text_(std::move(text)) {
    if (text_.size() > kLongestFormula)
        fail(ErrorKind::usage, "a formula of {} bytes is too long: {} is the limit", text_.size(),
             kLongestFormula);
    refuse_assignment(text_);
    parser_ = std::make_unique<Parser>(text_);
}
Formula::Formula(const Formula& other) : Formula(other.text_) {}
Formula::Formula(Formula&&) noexcept = default;
Formula& Formula::operator=(Formula other) noexcept {
    text_.swap(other.text_);
    parser_.swap(other.parser_);
    return *this;
}
Formula::~Formula() = default;

int Formula::dimensions() const noexcept {
    return parser_->dimensions;
}

double Formula::energy(Vec2 r) const {
    try {
        return parser_->at(r);
    } catch (const mu::ParserError& error) {
        fail(ErrorKind::input, "'{}' at ({}, {}): {}", text_, r.x, r.y, error.GetMsg());
    }
}

Vec2 Formula::force(Vec2 r) const {
    const auto slope = [&](double Vec2::*coordinate) {
        const double h = kDifference * std::max(1.0, std::abs(r.*coordinate));
        Vec2 ahead = r;
        Vec2 behind = r;
        ahead.*coordinate += h;
        behind.*coordinate -= h;
        return (energy(ahead) - energy(behind)) / (ahead.*coordinate - behind.*coordinate);
    };
    return {-slope(&Vec2::x), dimensions() == 2 ? -slope(&Vec2::y) : 0.0};
}

double energy(const Potential& potential, Vec2 r) {
    return std::visit([r](const auto& p) { return p.energy(r); }, potential);
}

Vec2 force(const Potential& potential, Vec2 r) {
    return std::visit([r](const auto& p) { return p.force(r); }, potential);
}

int dimensions(const Potential& potential) {
    return std::visit([](const auto& p) { return p.dimensions(); }, potential);
}

Potential read_potential(SettingsReader& settings) {
    const std::string kind = settings.string("kind");
    if (kind == "harmonic")
        return Harmonic{{settings.number("kx"), settings.number("ky", 0.0)},
                        {settings.number("x", 0.0), settings.number("y", 0.0)}};
    if (kind == "double_well")
        return DoubleWell{settings.number("height"), positive(settings, "a", 1.0),
                          settings.number("ky", 0.0)};
    if (kind == "mueller_brown") return MuellerBrown{positive(settings, "scale", 1.0)};
    if (kind == "gaussians") return read_gaussians(settings);
    if (kind == "formula") {
        const std::string text = settings.string("v");
        try {
            return Formula(text);
        } catch (const Error& error) {
            settings.complain("v", error.message());
        }
    }
    settings.complain("kind", fmt::format("unknown potential '{}': known are {}", kind, kKinds));
}

std::string to_toml(const Potential& potential) {
    return "[potential]\n" + std::visit([](const auto& p) { return toml_of(p); }, potential);
}

}  // namespace coromd::engine::model
