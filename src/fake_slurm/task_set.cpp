// SPDX-License-Identifier: LGPL-3.0-or-later
#include "task_set.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "text.hpp"

namespace coromd::fake_slurm {

std::optional<TaskSet> TaskSet::parse(std::string_view text) {
    TaskSet set;
    for (const std::string& part : split(text, ',')) {
        const auto colon = part.find(':');
        const auto dash = part.find('-');
        const auto first = to_int(part.substr(0, std::min(dash, colon)));
        auto last = first;
        std::optional<long> step = 1;
        if (dash != std::string::npos) {
            last = to_int(part.substr(dash + 1, colon == std::string::npos ? colon : colon - dash - 1));
            if (colon != std::string::npos) step = to_int(part.substr(colon + 1));
        } else if (colon != std::string::npos) {
            return std::nullopt;
        }
        if (!first || !last || !step || *first < 0 || *last < *first || *step < 1) return std::nullopt;
        if (*last > 10'000'000) return std::nullopt;
        if (*step == 1) set.insert(static_cast<int>(*first), static_cast<int>(*last));
        for (long i = *first; *step > 1 && i <= *last; i += *step) set.insert(static_cast<int>(i));
    }
    return set;
}

bool TaskSet::contains(int index) const {
    auto it = ranges_.upper_bound(index);
    return it != ranges_.begin() && std::prev(it)->second >= index;
}

void TaskSet::insert(int first, int last) {
    auto it = ranges_.upper_bound(first);
    if (it != ranges_.begin() && std::prev(it)->second >= first - 1) --it;
    while (it != ranges_.end() && it->first <= last + 1) {
        first = std::min(first, it->first);
        last = std::max(last, it->second);
        size_ -= static_cast<std::size_t>(it->second - it->first + 1);
        it = ranges_.erase(it);
    }
    ranges_[first] = last;
    size_ += static_cast<std::size_t>(last - first + 1);
}

void TaskSet::erase(int index) {
    if (!contains(index)) return;
    const auto it = std::prev(ranges_.upper_bound(index));
    const auto [first, last] = *it;
    ranges_.erase(it);
    if (first < index) ranges_[first] = index - 1;
    if (index < last) ranges_[index + 1] = last;
    --size_;
}

std::vector<int> TaskSet::indices() const {
    std::vector<int> all;
    all.reserve(size_);
    for (const auto& [first, last] : ranges_)
        for (int i = first; i <= last; ++i) all.push_back(i);
    return all;
}

std::string TaskSet::text() const {
    std::string text;
    for (const auto& [first, last] : ranges_) {
        if (!text.empty()) text += ',';
        text += first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
    }
    return text;
}

}  // namespace coromd::fake_slurm
