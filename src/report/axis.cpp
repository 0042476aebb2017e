// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/report/axis.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include <fmt/format.h>

#include "coromd/report/html.hpp"

namespace coromd::report {

namespace {

// Beyond, the differences of doubles are no picture any more.
constexpr double kLargest = 1e300;
constexpr double kSmallest = 1e-290;
constexpr double kSmallestPositive = 1e-12;

/// 1, 2 or 5 times a power of ten, so that `span` has at most about `most` of it.
double round_step(double span, int most) {
    const double raw = span / std::max(most, 1);
    const double power = std::pow(10.0, std::floor(std::log10(raw)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (factor * power >= raw * (1 - 1e-9)) return factor * power;
    return 10 * power;
}

/// The number without noise of rounding, as short as its step allows.
std::string number_label(double value, double step) {
    if (std::abs(value) < step * 1e-6) return "0";
    const double largest = std::max(std::abs(value), step);
    if (largest >= 1e6 || largest < 1e-3) return fmt::format("{:.4g}", value);
    if (step >= 1 && largest >= 1e4) return count_text(std::llround(value));
    const int digits = std::clamp(static_cast<int>(-std::floor(std::log10(step) + 1e-9)), 0, 9);
    std::string label = fmt::format("{:.{}f}", value, digits);
    if (label.starts_with('-')) label.replace(0, 1, "\u2212");
    return label;
}

std::vector<Tick> ticks_every(double step, double low, double high) {
    std::vector<Tick> ticks;
    for (double i = std::ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i)
        ticks.push_back({i * step, number_label(i * step, step)});
    return ticks;
}

std::vector<Tick> linear_ticks(double low, double high, int most) {
    return ticks_every(round_step(high - low, most), low, high);
}

std::string pi_label(int numerator, int denominator) {
    if (numerator == 0) return "0";
    const std::string sign = numerator < 0 ? "\u2212" : "";
    const int n = std::abs(numerator);
    const std::string top = n == 1 ? "\u03c0" : fmt::format("{}\u03c0", n);
    return denominator == 1 ? sign + top : fmt::format("{}{}/{}", sign, top, denominator);
}

std::vector<Tick> pi_ticks(double low, double high, int most) {
    // The finest for which there is room; where there is less than half a turn to show, plain numbers.
    for (const int denominator : {8, 4, 2, 1}) {
        const double step = std::numbers::pi / denominator;
        const int first = static_cast<int>(std::ceil(low / step - 1e-9));
        const int last = static_cast<int>(std::floor(high / step + 1e-9));
        if (last - first + 1 > most + 1) continue;
        if (last - first + 1 < 3) break;
        std::vector<Tick> ticks;
        for (int i = first; i <= last; ++i) {
            int n = i;
            int d = denominator;
            for (; n % 2 == 0 && d > 1; d /= 2) n /= 2;
            ticks.push_back({i * step, pi_label(n, d)});
        }
        return ticks;
    }
    return linear_ticks(low, high, most);
}

std::string power_label(int exponent) {
    if (exponent >= -3 && exponent <= 4) return fmt::format("{:g}", std::pow(10.0, exponent));
    return fmt::format("1e{}", exponent);
}

std::vector<Tick> log_ticks(double low, double high, int most) {
    const int first = static_cast<int>(std::ceil(std::log10(low) - 1e-9));
    const int last = static_cast<int>(std::floor(std::log10(high) + 1e-9));
    if (last - first < 1) return linear_ticks(low, high, most);
    const int stride = std::max(1, (last - first + most) / std::max(most, 1));
    std::vector<Tick> ticks;
    for (int i = first; i <= last; i += stride) ticks.push_back({std::pow(10.0, i), power_label(i)});
    return ticks;
}

}  // namespace

Axis::Axis(std::string title, double low, double high, Scale scale, bool round)
    : title_(std::move(title)), low_(low), high_(high), scale_(scale) {
    const bool nothing = std::max(std::abs(low_), std::abs(high_)) < kSmallest;
    if (nothing || !std::isfinite(low_) || !std::isfinite(high_)) low_ = high_ = 0;
    if (low_ > high_) std::swap(low_, high_);
    low_ = std::max(low_, -kLargest);
    high_ = std::min(high_, kLargest);
    if (scale_ == Scale::log) {
        low_ = std::max(low_, kSmallestPositive);
        high_ = std::max(high_, low_);
        if (round) {
            low_ = std::pow(10.0, std::floor(std::log10(low_) + 1e-9));
            high_ = std::pow(10.0, std::ceil(std::log10(high_) - 1e-9));
        }
        if (high_ < low_ * 1.01) high_ = low_ * 10;
        return;
    }
    // A constant gets room on both sides, in proportion to what it is.
    if (high_ - low_ <= 1e-9 * std::max(std::abs(low_), std::abs(high_))) {
        const double room = low_ == 0 ? 1.0 : std::abs(low_) * 0.1;
        const bool from_zero = low_ == 0;
        low_ -= from_zero ? 0.0 : room;
        high_ += room;
    }
    if (round && (scale_ == Scale::linear || scale_ == Scale::count)) {
        const double least = scale_ == Scale::count ? 1.0 : 0.0;
        step_ = std::max(round_step(high_ - low_, 4), least);
        low_ = std::floor(low_ / step_ + 1e-9) * step_;
        high_ = std::ceil(high_ / step_ - 1e-9) * step_;
    }
}

Axis Axis::of_names(std::string title, std::vector<std::string> names) {
    Axis axis(std::move(title), -0.5, std::max<double>(static_cast<double>(names.size()), 1.0) - 0.5,
              Scale::names);
    axis.names_ = std::move(names);
    return axis;
}

double Axis::fraction(double value) const noexcept {
    if (scale_ == Scale::log) return value > 0 ? std::log(value / low_) / std::log(high_ / low_) : -1.0;
    const double fraction = (value - low_) / (high_ - low_);
    return scale_ == Scale::names ? 1 - fraction : fraction;
}

double Axis::value(double fraction) const noexcept {
    if (scale_ == Scale::log) return low_ * std::pow(high_ / low_, fraction);
    return low_ + (scale_ == Scale::names ? 1 - fraction : fraction) * (high_ - low_);
}

std::vector<Tick> Axis::ticks(int most) const {
    if (step_ > 0) return ticks_every(step_, low_, high_);
    switch (scale_) {
        case Scale::linear:
            return linear_ticks(low_, high_, most);
        case Scale::count:
            return linear_ticks(low_, high_, std::clamp(static_cast<int>(high_ - low_), 1, most));
        case Scale::log:
            return log_ticks(low_, high_, most);
        case Scale::pi:
            return pi_ticks(low_, high_, most);
        case Scale::names:
            break;
    }
    std::vector<Tick> ticks;
    for (std::size_t i = 0; i < names_.size(); ++i) ticks.push_back({static_cast<double>(i), names_[i]});
    return ticks;
}

TimeUnit time_unit(double seconds) noexcept {
    if (seconds > 4 * 86400.0) return {"d", 86400.0};
    if (seconds > 2 * 3600.0) return {"h", 3600.0};
    if (seconds > 240.0) return {"min", 60.0};
    return {"s", 1.0};
}

}  // namespace coromd::report
