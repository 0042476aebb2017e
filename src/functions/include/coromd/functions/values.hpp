// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace coromd::functions {

/// What a function of a trajectory returns: an array of (n_frames, n_columns) float64, row major.
class Values {
public:
    Values() = default;
    /// `data` has n_frames * n_columns elements; throws Error(usage) where it has not.
    Values(std::int64_t n_frames, std::int64_t n_columns, std::vector<double> data);

    std::int64_t n_frames() const noexcept { return n_frames_; }
    std::int64_t n_columns() const noexcept { return n_columns_; }
    const std::vector<double>& data() const noexcept { return data_; }

    /// The n_columns values of one frame. Throws Error(usage) where `frame` is out of range.
    std::span<const double> row(std::int64_t frame) const;
    /// Throws Error(usage) where an index is out of range.
    double at(std::int64_t frame, std::int64_t column = 0) const;

    /// Does the condition hold in this frame: is its value not zero? Throws Error(usage) where
    /// there is more than one column, or `frame` is out of range.
    bool truth(std::int64_t frame) const;
    /// The first frame in which the condition holds; empty where there is none.
    /// Throws Error(usage) where there is more than one column.
    std::optional<std::int64_t> first_true() const;

    friend bool operator==(const Values&, const Values&) = default;

private:
    void require_one_column() const;

    std::int64_t n_frames_ = 0;
    std::int64_t n_columns_ = 1;
    std::vector<double> data_;
};

}  // namespace coromd::functions
