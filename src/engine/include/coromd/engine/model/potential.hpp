// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "coromd/core/settings.hpp"

namespace coromd::engine::model {

struct Vec2 {
    double x = 0.0;
    double y = 0.0;

    friend bool operator==(const Vec2&, const Vec2&) = default;
};

// The potentials: energies in kJ/mol, positions in nm, forces (minus the gradient) in kJ/(mol nm).
// Each is a class of its own, with its force in sight of the integrator, so that a step calls nothing.

/// kx/2 (x - x0)^2 + ky/2 (y - y0)^2; of x alone where ky = 0. Also the bias of a simulation.
struct Harmonic {
    Vec2 k;  ///< kJ/(mol nm^2)
    Vec2 centre;

    int dimensions() const noexcept { return k.y == 0.0 ? 1 : 2; }
    double energy(Vec2 r) const noexcept {
        const Vec2 d{r.x - centre.x, r.y - centre.y};
        return 0.5 * (k.x * d.x * d.x + k.y * d.y * d.y);
    }
    Vec2 force(Vec2 r) const noexcept { return {-k.x * (r.x - centre.x), -k.y * (r.y - centre.y)}; }
};

/// height ((x/a)^2 - 1)^2 + ky/2 y^2: minima at x = -a and a; of x alone where ky = 0.
struct DoubleWell {
    double height = 1.0;
    double a = 1.0;
    double ky = 0.0;

    int dimensions() const noexcept { return ky == 0.0 ? 1 : 2; }
    double energy(Vec2 r) const noexcept {
        const double u = r.x * r.x / (a * a) - 1.0;
        return height * u * u + 0.5 * ky * r.y * r.y;
    }
    Vec2 force(Vec2 r) const noexcept {
        const double per_area = 1.0 / (a * a);
        return {-4.0 * height * per_area * r.x * (per_area * r.x * r.x - 1.0), -ky * r.y};
    }
};

/// A exp(a dx^2 + b dx dy + c dy^2), with (dx, dy) from its centre.
struct Gaussian {
    double height = 0.0;
    double a = 0.0;
    double b = 0.0;
    double c = 0.0;
    Vec2 centre;

    double energy(Vec2 r) const noexcept {
        const Vec2 d{r.x - centre.x, r.y - centre.y};
        return height * std::exp(a * d.x * d.x + b * d.x * d.y + c * d.y * d.y);
    }
    Vec2 force(Vec2 r) const noexcept {
        const Vec2 d{r.x - centre.x, r.y - centre.y};
        const double e = -height * std::exp(a * d.x * d.x + b * d.x * d.y + c * d.y * d.y);
        return {e * (2.0 * a * d.x + b * d.y), e * (b * d.x + 2.0 * c * d.y)};
    }
};

/// The surface of Mueller and Brown, times `scale` (K. Mueller, L. D. Brown, Theor. Chim. Acta 53,
/// 75-93 (1979)): three minima, of which the deepest, -146.7 scale, is at (-0.558, 1.442).
struct MuellerBrown {
    double scale = 1.0;

    static constexpr std::array<Gaussian, 4> kTerms{{{-200.0, -1.0, 0.0, -10.0, {1.0, 0.0}},
                                                     {-100.0, -1.0, 0.0, -10.0, {0.0, 0.5}},
                                                     {-170.0, -6.5, 11.0, -6.5, {-0.5, 1.5}},
                                                     {15.0, 0.7, 0.6, 0.7, {-1.0, 1.0}}}};

    int dimensions() const noexcept { return 2; }
    double energy(Vec2 r) const noexcept {
        double sum = 0.0;
        for (const Gaussian& term : kTerms) sum += term.energy(r);
        return scale * sum;
    }
    Vec2 force(Vec2 r) const noexcept {
        Vec2 sum;
        for (const Gaussian& term : kTerms) {
            const Vec2 f = term.force(r);
            sum.x += f.x;
            sum.y += f.y;
        }
        return {scale * sum.x, scale * sum.y};
    }
};

/// wall (x^6 + y^6) plus a sum of Gaussians (negative heights: wells).
struct Gaussians {
    double wall = 0.0;  ///< kJ/(mol nm^6)
    std::vector<Gaussian> terms;

    int dimensions() const noexcept { return 2; }
    double energy(Vec2 r) const noexcept {
        const Vec2 square{r.x * r.x, r.y * r.y};
        double sum = wall * (square.x * square.x * square.x + square.y * square.y * square.y);
        for (const Gaussian& term : terms) sum += term.energy(r);
        return sum;
    }
    Vec2 force(Vec2 r) const noexcept {
        const Vec2 square{r.x * r.x, r.y * r.y};
        Vec2 sum{-6.0 * wall * r.x * square.x * square.x, -6.0 * wall * r.y * square.y * square.y};
        for (const Gaussian& term : terms) {
            const Vec2 f = term.force(r);
            sum.x += f.x;
            sum.y += f.y;
        }
        return sum;
    }
};

/// Any formula of x and y, in the language of muParser: + - * / ^, sin, cos, tan, exp, ln, log10,
/// sqrt, abs, min, max, a ? b : c, _pi, and others. Its force is a central difference, whose relative
/// error is about 1e-10. Of x alone where y does not occur. Copies share nothing: one per thread.
class Formula {
public:
    /// Throws Error(usage) that names the column where the text makes no sense.
    explicit Formula(std::string text);
    Formula(const Formula& other);
    Formula(Formula&&) noexcept;
    Formula& operator=(Formula other) noexcept;
    ~Formula();

    const std::string& text() const noexcept { return text_; }
    int dimensions() const noexcept;
    /// Throw Error(input) where muParser cannot evaluate it there.
    double energy(Vec2 r) const;
    Vec2 force(Vec2 r) const;

private:
    struct Parser;

    std::string text_;
    std::unique_ptr<Parser> parser_;
};

/// One of the above: a value, copied where it is used.
using Potential = std::variant<Harmonic, DoubleWell, MuellerBrown, Gaussians, Formula>;

double energy(const Potential& potential, Vec2 r);
Vec2 force(const Potential& potential, Vec2 r);
/// 2, or 1 where it depends on x alone: then nothing moves along y.
int dimensions(const Potential& potential);

/// Reads a table `[potential]`; docs/guide/model-engine.md lists the keys. Throws Error(usage) with file
/// and line. Leaves the check for unknown keys to the caller.
Potential read_potential(SettingsReader& settings);
/// The table, which reads back as the same potential to the last bit.
std::string to_toml(const Potential& potential);

}  // namespace coromd::engine::model
