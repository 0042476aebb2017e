// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "coromd/core/error.hpp"
#include "coromd/trajectory/frame_index.hpp"
#include "coromd/trajectory/frame_reader.hpp"
#include "made_frames.hpp"

namespace coromd::trajectory {

inline std::filesystem::path golden(const std::string& name) {
    return std::filesystem::path(COROMD_TEST_DATA) / name;
}

inline std::vector<std::int64_t> steps_of(const Trajectory& trajectory) {
    std::vector<std::int64_t> steps;
    for (std::int64_t i = 0; i < trajectory.n_frames(); ++i) steps.push_back(trajectory.step(i));
    return steps;
}

inline float largest_difference(const std::vector<Vec3f>& a, const std::vector<Vec3f>& b) {
    if (a.size() != b.size()) return INFINITY;
    float largest = 0.0F;
    for (std::size_t i = 0; i < a.size(); ++i) {
        largest = std::max(
            {largest, std::abs(a[i].x - b[i].x), std::abs(a[i].y - b[i].y), std::abs(a[i].z - b[i].z)});
    }
    return largest;
}

/// The error that `action` throws; fails the test where there is none.
template <typename Action>
Error error_of(const Action& action) {
    try {
        action();
    } catch (const Error& error) {
        return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return Error(ErrorKind::usage, "nothing was thrown");
}

}  // namespace coromd::trajectory
