// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/functions/values.hpp"

#include <limits>
#include <utility>

#include "coromd/core/error.hpp"

namespace coromd::functions {

Values::Values(std::int64_t n_frames, std::int64_t n_columns, std::vector<double> data)
    : n_frames_(n_frames), n_columns_(n_columns), data_(std::move(data)) {
    const bool shape_fits = n_frames >= 0 && n_columns > 0 &&
                            n_frames <= std::numeric_limits<std::int64_t>::max() / n_columns &&
                            data_.size() == static_cast<std::size_t>(n_frames * n_columns);
    if (!shape_fits) {
        fail(ErrorKind::usage, "{} values do not fill an array of {} frames and {} columns", data_.size(),
             n_frames, n_columns);
    }
}

std::span<const double> Values::row(std::int64_t frame) const {
    if (frame < 0 || frame >= n_frames_) {
        fail(ErrorKind::usage, "there is no frame {}: values of {} frames are here", frame, n_frames_);
    }
    return std::span(data_).subspan(static_cast<std::size_t>(frame * n_columns_),
                                    static_cast<std::size_t>(n_columns_));
}

double Values::at(std::int64_t frame, std::int64_t column) const {
    const std::span<const double> values = row(frame);
    if (column < 0 || column >= n_columns_) {
        fail(ErrorKind::usage, "there is no column {}: the values have {}", column, n_columns_);
    }
    return values[static_cast<std::size_t>(column)];
}

bool Values::truth(std::int64_t frame) const {
    require_one_column();
    return at(frame) != 0.0;
}

std::optional<std::int64_t> Values::first_true() const {
    require_one_column();
    for (std::int64_t frame = 0; frame < n_frames_; ++frame) {
        if (truth(frame)) return frame;
    }
    return std::nullopt;
}

void Values::require_one_column() const {
    if (n_columns_ != 1) {
        fail(ErrorKind::usage, "values with {} columns are no condition: it takes exactly one", n_columns_);
    }
}

}  // namespace coromd::functions
