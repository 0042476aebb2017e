// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coromd/core/error.hpp"

namespace coromd::functions {

/// The text of a definition, and what it defines: knows how to point at a place in it.
class SourceText {
public:
    /// `what` as messages name it: "state 'alphaR'". Throws Error(usage) where the text is longer
    /// than 10,000 bytes or empty.
    SourceText(std::string what, std::string text);

    const std::string& what() const noexcept { return what_; }
    const std::string& text() const noexcept { return text_; }

    /// "state 'alphaR', column 13"; counts characters from 1, not bytes.
    std::string place(std::size_t offset) const;
    /// Throws an Error with the place, the message, the text and a caret under the place.
    [[noreturn]] void fail_at(std::size_t offset, std::string_view message,
                              ErrorKind kind = ErrorKind::usage) const;

private:
    std::string what_;
    std::string text_;
};

enum class TokenKind { number, name, string, symbol, end };

/// One word of a definition.
struct Token {
    TokenKind kind = TokenKind::end;
    std::string_view text;   ///< as written; of a string what stands between the quotes
    std::size_t offset = 0;  ///< of its first byte in the source, the quote included
    double value = 0.0;      ///< of a number

    bool is(TokenKind k, std::string_view t) const noexcept { return kind == k && text == t; }
    bool is_symbol(std::string_view t) const noexcept { return is(TokenKind::symbol, t); }
    bool is_name(std::string_view t) const noexcept { return is(TokenKind::name, t); }
    /// "'phi'", "the text \"index 4\"" or "the end", for messages.
    std::string described() const;
};

/// The words of `source`, which must outlive them, and an end token.
/// Throws Error(usage) that points at what is no word; operators of other languages get a hint.
std::vector<Token> tokenize(const SourceText& source);

/// Letters, digits and underscores, no digit first.
bool is_identifier(std::string_view text) noexcept;

/// " (did you mean 'phi'?)" or, where no known name is near, "".
std::string suggestion(std::string_view name, std::span<const std::string_view> known);

}  // namespace coromd::functions
