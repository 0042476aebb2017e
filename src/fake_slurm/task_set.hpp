// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coromd::fake_slurm {

/// The indices of an array job that have not started. Kept as ranges, so that an array of 100,000
/// takes no more room than one of ten.
class TaskSet {
public:
    /// "0-99", "1,3,5-9:2"; empty where the text is none of these.
    static std::optional<TaskSet> parse(std::string_view text);

    bool empty() const { return ranges_.empty(); }
    std::size_t size() const { return size_; }
    bool contains(int index) const;
    /// The smallest and the largest; the set must not be empty.
    int front() const { return ranges_.begin()->first; }
    int back() const { return ranges_.rbegin()->second; }
    void insert(int first, int last);
    void insert(int index) { insert(index, index); }
    void erase(int index);
    /// All indices in ascending order.
    std::vector<int> indices() const;
    /// "0-99", "1,3,5-9".
    std::string text() const;

private:
    std::map<int, int> ranges_;  ///< first -> last, neither overlapping nor adjacent
    std::size_t size_ = 0;
};

}  // namespace coromd::fake_slurm
