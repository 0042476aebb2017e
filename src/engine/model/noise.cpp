// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Each step of a particle has a block of 128 random bits, Philox4x32-10 with the seed as its key and
// (step, particle, 0) as its counter. Each half becomes one normal deviate by the ziggurat method
// (G. Marsaglia, W. W. Tsang, J. Stat. Softw. 5(8), 2000) with 256 layers. Layer, sign and position
// come from different bits of the half, as J. A. Doornik asks for ("An improved ziggurat method",
// 2005). In 1 of 67 cases that does not decide: then further blocks do, whose last word of the
// counter names the component and the number of the try.
#include "noise.hpp"

#include <array>
#include <cmath>
#include <numbers>

#include "coromd/core/philox.hpp"

namespace coromd::engine::model {

namespace {

constexpr std::size_t kLayers = 256;
constexpr double kTail = 3.6541528853610088;  // where the tail begins, for 256 layers
constexpr double kUnit53 = 0x1.0p-53;

double density(double x) {
    return std::exp(-0.5 * x * x);
}

/// Layer i, all of the same area, reaches to x[i] (its bottom) and is under the curve up to x[i + 1].
struct Ziggurat {
    std::array<double, kLayers + 1> x{};
    std::array<double, kLayers + 1> height{};

    Ziggurat() {
        const double area = kTail * density(kTail) +
                            std::sqrt(0.5 * std::numbers::pi) * std::erfc(kTail / std::numbers::sqrt2);
        x[0] = area / density(kTail);  // as wide as a rectangle with the area of base and tail
        x[1] = kTail;
        for (std::size_t i = 1; i + 1 < kLayers; ++i)
            x[i + 1] = std::sqrt(-2.0 * std::log(area / x[i] + density(x[i])));
        x[kLayers] = 0.0;
        for (std::size_t i = 0; i <= kLayers; ++i) height[i] = density(x[i]);
    }
};

const Ziggurat& ziggurat() {
    static const Ziggurat tables;
    return tables;
}

/// What 64 bits say: a layer, a sign, and a position within the layer.
struct Candidate {
    std::size_t layer;
    double sign;
    double x;

    Candidate(const Ziggurat& tables, std::uint64_t bits)
        : layer(bits & (kLayers - 1)),
          sign((bits & kLayers) != 0 ? -1.0 : 1.0),
          x(static_cast<double>(bits >> 11) * kUnit53 * tables.x[layer]) {}

    bool is_inside(const Ziggurat& tables) const { return x < tables.x[layer + 1]; }
};

std::uint64_t join(std::uint32_t low, std::uint32_t high) {
    return std::uint64_t{high} << 32 | low;
}

double uniform(std::uint64_t bits) {
    return static_cast<double>(bits >> 11) * kUnit53;
}

/// Decides a candidate that is not surely inside of its layer.
[[gnu::noinline]] double decide(Candidate candidate, const Ziggurat& tables, PhiloxKey key,
                                PhiloxBlock counter, std::uint32_t component) {
    for (counter[3] = 1 + component;; counter[3] += 2) {
        const PhiloxBlock block = philox4x32(counter, key);
        const std::uint64_t first = join(block[0], block[1]);
        const std::uint64_t second = join(block[2], block[3]);
        if (candidate.layer == 0) {
            const double beyond = -std::log(1.0 - uniform(first)) / kTail;
            if (-2.0 * std::log(1.0 - uniform(second)) >= beyond * beyond)
                return candidate.sign * (kTail + beyond);
            continue;
        }
        const double bottom = tables.height[candidate.layer];
        const double top = tables.height[candidate.layer + 1];
        if (bottom + uniform(first) * (top - bottom) < density(candidate.x))
            return candidate.sign * candidate.x;
        candidate = Candidate(tables, second);
        if (candidate.is_inside(tables)) return candidate.sign * candidate.x;
    }
}

}  // namespace

void fill_noise(std::uint64_t seed, std::uint32_t particle, std::int64_t first_step, int components,
                std::span<double> out) noexcept {
    const Ziggurat& tables = ziggurat();
    const PhiloxKey key{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
    auto step = static_cast<std::uint64_t>(first_step);
    const auto normal = [&](std::uint64_t bits, PhiloxBlock counter, std::uint32_t component) {
        const Candidate candidate(tables, bits);
        if (candidate.is_inside(tables)) [[likely]]
            return candidate.sign * candidate.x;
        return decide(candidate, tables, key, counter, component);
    };
    for (std::size_t i = 0; i < out.size(); ++step) {
        const PhiloxBlock counter{static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(step >> 32),
                                  particle, 0};
        const PhiloxBlock block = philox4x32(counter, key);
        out[i++] = normal(join(block[0], block[1]), counter, 0);
        if (components == 2) out[i++] = normal(join(block[2], block[3]), counter, 1);
    }
}

}  // namespace coromd::engine::model
