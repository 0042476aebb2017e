// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/core/error.hpp"

#include <system_error>

namespace coromd {

namespace {

/// Appends `text` with every line of it indented; messages can be the tail of a program's stderr.
void append_indented(std::string& out, std::string_view text, std::size_t indent) {
    out.append(indent, ' ');
    for (const char c : text) {
        out += c;
        if (c == '\n') out.append(indent, ' ');
    }
}

}  // namespace

std::string_view to_string(ErrorKind kind) noexcept {
    switch (kind) {
        case ErrorKind::usage:
            return "usage";
        case ErrorKind::input:
            return "input";
        case ErrorKind::system:
            return "system";
        case ErrorKind::job:
            return "job";
        case ErrorKind::conflict:
            return "conflict";
    }
    return "unknown";
}

Error::Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {
    rebuild_text();
}

Error& Error::add_context(std::string frame) & {
    context_.push_back(std::move(frame));
    rebuild_text();
    return *this;
}

Error&& Error::add_context(std::string frame) && {
    return std::move(add_context(std::move(frame)));
}

void Error::rebuild_text() {
    text_.clear();
    std::size_t indent = 0;
    for (auto frame = context_.rbegin(); frame != context_.rend(); ++frame, indent += 2) {
        append_indented(text_, *frame, indent);
        text_ += ":\n";
    }
    append_indented(text_, message_, indent);
}

void fail_errno(int error_number, const std::string& what) {
    fail(ErrorKind::system, "{}: {}", what, std::generic_category().message(error_number));
}

std::string describe(const std::exception_ptr& error) {
    if (!error) return "no error";
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) {
        return e.what();
    } catch (...) {
        return "unknown exception";
    }
}

}  // namespace coromd
