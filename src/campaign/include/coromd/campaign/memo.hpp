// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <nlohmann/json.hpp>

#include "coromd/campaign/campaign.hpp"

// The templates of Campaign::memo(). Whoever calls it includes this.
namespace coromd::campaign {

/// The bytes of a value, for Campaign::remember().
template <typename T>
std::string encode_memo(const T& value) {
    // CBOR, unlike JSON, keeps all bits of a number, and those that are none.
    const std::vector<std::uint8_t> bytes = nlohmann::json::to_cbor(nlohmann::json(value));
    return {bytes.begin(), bytes.end()};
}

/// The value of what Campaign::recall() gives. Throws Error(conflict) where the recorded value is none of
/// this type.
template <typename T>
T decode_memo(const std::string& key, const std::string& bytes) {
    try {
        return nlohmann::json::from_cbor(bytes).get<T>();
    } catch (const nlohmann::json::exception& error) {
        fail(ErrorKind::conflict, "the memo '{}' is recorded with a value of another kind: {}", key,
             error.what());
    }
}

namespace detail {

template <typename T>
struct MemoOf {
    using type = T;
    static runtime::task<T> get(T value) { co_return value; }
};

template <typename T>
struct MemoOf<runtime::task<T>> {
    using type = T;
    static runtime::task<T> get(runtime::task<T> value) { return value; }
};

}  // namespace detail

template <typename Fn>
runtime::task<MemoValue<Fn>> Campaign::memo(std::string key, Fn& fn, int version) {
    using T = MemoValue<Fn>;
    std::optional<std::string> known = co_await recall(key, typeid(T).name(), version);
    if (known) co_return decode_memo<T>(key, *known);
    try {
        T value = co_await detail::MemoOf<std::invoke_result_t<Fn&>>::get(fn());
        co_await remember(key, typeid(T).name(), version, encode_memo(value));
        co_return value;
    } catch (...) {
        // It may be asked for again: nothing is remembered of what did not succeed.
        release_memo(key);
        throw;
    }
}

}  // namespace coromd::campaign
