// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <exception>
#include <string>
#include <utility>
#include <variant>

#include "coromd/core/error.hpp"

namespace coromd {

/// A value or the exception that took its place. What gather_outcomes() returns for each child.
template <typename T>
class Outcome {
public:
    Outcome(T value)
        : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
    Outcome(std::exception_ptr error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

    bool ok() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return ok(); }

    /// The value; rethrows the exception where there is none.
    T& value() & {
        rethrow_if_failed();
        return std::get<0>(state_);
    }
    const T& value() const& {
        rethrow_if_failed();
        return std::get<0>(state_);
    }
    T&& value() && {
        rethrow_if_failed();
        return std::get<0>(std::move(state_));
    }

    /// The exception; null where there is a value.
    std::exception_ptr error() const noexcept { return ok() ? nullptr : std::get<1>(state_); }
    /// The text of the exception; empty where there is a value.
    std::string error_text() const { return ok() ? std::string() : describe(error()); }

private:
    void rethrow_if_failed() const {
        if (!ok()) std::rethrow_exception(std::get<1>(state_));
    }

    std::variant<T, std::exception_ptr> state_;
};

/// The outcome of something that returns nothing.
template <>
class Outcome<void> {
public:
    Outcome() = default;
    Outcome(std::exception_ptr error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

    bool ok() const noexcept { return !error_; }
    explicit operator bool() const noexcept { return ok(); }
    void value() const {
        if (error_) std::rethrow_exception(error_);
    }
    std::exception_ptr error() const noexcept { return error_; }
    std::string error_text() const { return ok() ? std::string() : describe(error_); }

private:
    std::exception_ptr error_;
};

}  // namespace coromd
