// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace coromd {

/// Who can mend it, which is what a caller wants to know first.
enum class ErrorKind {
    usage,    ///< the request makes no sense: wrong option, unknown key, impossible selection
    input,    ///< a file's content is wrong: truncated, corrupt, not what it should be
    system,   ///< the operating system said no: no such file, disk full, permission
    job,      ///< a program that was run for the user failed
    conflict  ///< what is asked for contradicts what was recorded before
};

/// "usage", "input", ...
std::string_view to_string(ErrorKind kind) noexcept;

/// An error with the frames of context that it passed on its way up.
///
/// what() reads from the outside in, one frame a line, each indented below the one
/// that it happened in: the walker, the job, the cause.
/// A cancelled wait is not an Error: see Cancelled.
class Error : public std::exception {
public:
    Error(ErrorKind kind, std::string message);

    /// Adds what was being done when the error passed by ("while reading 'a.gro'").
    Error& add_context(std::string frame) &;
    Error&& add_context(std::string frame) &&;

    ErrorKind kind() const noexcept { return kind_; }
    /// The innermost message, without context.
    const std::string& message() const noexcept { return message_; }
    /// Innermost first.
    const std::vector<std::string>& context() const noexcept { return context_; }
    const char* what() const noexcept override { return text_.c_str(); }

private:
    void rebuild_text();

    ErrorKind kind_;
    std::string message_;
    std::vector<std::string> context_;
    std::string text_;
};

/// Thrown out of every wait of a coroutine that was cancelled. Deliberately no Error, so that
/// `catch (const Error&)` never swallows a request to stop.
class Cancelled : public std::exception {
public:
    const char* what() const noexcept override { return "cancelled"; }
};

/// Throws an Error with a formatted message.
template <typename... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
    throw Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

/// Throws a system Error that ends with the text of `error_number` (an errno value).
[[noreturn]] void fail_errno(int error_number, const std::string& what);

/// The text of any exception, for reports; "no error" for null.
std::string describe(const std::exception_ptr& error);

}  // namespace coromd
