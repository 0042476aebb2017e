// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coromd/core/error.hpp"

namespace coromd {

/// The kinds of something that can be chosen by name: an ordinary object that is filled by a
/// module's `register_builtin` and handed to who needs it.
///
/// `Entry` has a member `name`.
template <typename Entry>
class Registry {
public:
    /// `what` is the noun used in messages, such as "queue kind".
    explicit Registry(std::string_view what) : what_(what) {}

    /// Throws Error(usage) where the name is taken.
    void add(Entry entry) {
        if (find(entry.name)) fail(ErrorKind::usage, "{} '{}' is registered twice", what_, entry.name);
        entries_.push_back(std::move(entry));
    }

    /// Null where there is none of that name.
    const Entry* find(std::string_view name) const noexcept {
        const auto it = std::ranges::find_if(entries_, [&](const Entry& e) { return e.name == name; });
        return it == entries_.end() ? nullptr : &*it;
    }

    /// Throws Error(usage) that lists the known names.
    const Entry& at(std::string_view name) const {
        if (const Entry* entry = find(name)) return *entry;
        fail(ErrorKind::usage, "unknown {} '{}': known are {}", what_, name, names());
    }

    /// "a, b, c" in the order of registration.
    std::string names() const {
        std::string out;
        for (const Entry& entry : entries_) {
            if (!out.empty()) out += ", ";
            out += entry.name;
        }
        return out;
    }

    const std::vector<Entry>& entries() const noexcept { return entries_; }

private:
    std::string_view what_;
    std::vector<Entry> entries_;
};

}  // namespace coromd
