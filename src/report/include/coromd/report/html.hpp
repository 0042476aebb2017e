// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// Pieces of HTML. Everything that is called `html` below goes into the page as it is; everything
/// called `text` is what somebody wrote, and is escaped.
namespace coromd::report {

/// `text` as HTML, in an element or an attribute in quotes: `<`, `>`, `&`, quotes; control characters and
/// bytes that are no UTF-8 become U+FFFD.
std::string escape(std::string_view text);

/// `<p class="...">`; without a class `<p>`.
std::string paragraph(std::string_view text, std::string_view css_class = {});
/// What can be folded open; stays closed on paper unless it was opened.
std::string folded(std::string_view title_text, std::string_view html);
/// Text as it was written, of at most so many bytes: the end is kept, and what was left out is said.
std::string preformatted(std::string_view text, std::size_t limit = 16 << 10);
/// A link to a file. `path` is relative to the page, or absolute.
std::string link(const std::filesystem::path& path, std::string_view text);

/// A table with a head. Cells are HTML.
class Table {
public:
    /// A head that begins with '>' belongs to a column of numbers, which are set to the right.
    explicit Table(std::vector<std::string> head_texts);

    /// As many cells as there are columns.
    void row(std::vector<std::string> html_cells);
    bool empty() const noexcept { return rows_ == 0; }
    std::string html() const;

private:
    std::vector<std::string> head_;
    std::string body_;
    std::size_t rows_ = 0;
};

/// A picture with its caption. `svg` of Plot or of the caller.
std::string figure(std::string_view svg, std::string_view caption_text);

/// "2026-11-23 17:08:34 UTC"; "-" for 0, which stands for an unknown time.
std::string date_text(std::int64_t unix_ms);
/// "3.2 s", "4 min 10 s", "7 h 05 min", "3 d 4 h": two digits or two units.
std::string duration_text(double seconds);
/// "1.25 ns", "310 ps": MD time.
std::string md_time_text(double ps);
/// A number of things, with thin spaces between thousands.
std::string count_text(std::int64_t count);

}  // namespace coromd::report
