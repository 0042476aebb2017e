// SPDX-License-Identifier: LGPL-3.0-or-later
//
//   list  = item { "," item }
//   item  = { text | "[" range { "," range } "]" }
//   range = number [ "-" number ]
//
// An item stands for the product of its brackets, the last one running fastest. The width of a range
// is that of its first number. Sizes are checked before anything is made.
#include "slurm/hostlist.hpp"

#include <algorithm>
#include <cstdint>

#include "coromd/core/error.hpp"
#include "slurm/text.hpp"

namespace coromd::queue::slurm {

namespace {

constexpr std::size_t kLongestName = 255;

class Expansion {
public:
    explicit Expansion(std::string_view text) : text_(text) {}

    std::vector<std::string> names() {
        std::vector<std::string> out;
        while (true) {
            std::vector<std::string> item = this->item();
            if (out.size() + item.size() > kMostHosts) fail_with("stands for too many nodes");
            for (std::string& name : item) out.push_back(std::move(name));
            if (at_ == text_.size()) return out;
            ++at_;  // the comma
        }
    }

private:
    [[noreturn]] void fail_with(std::string_view what) const {
        fail(ErrorKind::input, "the node list '{}' {}", printable(text_), what);
    }

    std::vector<std::string> item() {
        std::vector<std::string> names{""};
        while (at_ < text_.size() && text_[at_] != ',') {
            if (text_[at_] == '[') {
                const std::size_t end = text_.find(']', at_);
                if (end == text_.npos) fail_with("has a bracket that is never closed");
                names = product(names, numbers(text_.substr(at_ + 1, end - at_ - 1)));
                at_ = end + 1;
            } else {
                const std::size_t end = std::min(text_.find_first_of(",[", at_), text_.size());
                const std::string_view part = text_.substr(at_, end - at_);
                for (const char c : part)
                    if (c == ']' || static_cast<unsigned char>(c) <= ' ' || c == 0x7f)
                        fail_with("has a character that no name of a node has");
                names = product(names, {std::string(part.substr(0, kLongestName + 1))});
                at_ = end;
            }
        }
        if (names.front().empty()) fail_with("has an empty name");
        return names;
    }

    std::vector<std::string> numbers(std::string_view ranges) const {
        std::vector<std::string> out;
        if (ranges.ends_with(',')) fail_with("has a range that is none");
        do {
            const std::string_view range = cut(ranges, ',');
            const std::string_view first = range.substr(0, range.find('-'));
            const std::string_view last =
                first.size() == range.size() ? first : range.substr(first.size() + 1);
            const auto low = whole_number<std::uint64_t>(first);
            const auto high = whole_number<std::uint64_t>(last);
            if (!low || !high || *low > *high || first.size() > kLongestName)
                fail_with("has a range that is none");
            if (*high - *low >= kMostHosts - out.size()) fail_with("stands for too many nodes");
            for (std::uint64_t i = 0; i <= *high - *low; ++i)
                out.push_back(fmt::format("{:0{}}", *low + i, first.size()));
        } while (!ranges.empty());
        return out;
    }

    std::vector<std::string> product(const std::vector<std::string>& heads,
                                     const std::vector<std::string>& tails) const {
        if (heads.size() * tails.size() > kMostHosts) fail_with("stands for too many nodes");
        std::vector<std::string> out;
        out.reserve(heads.size() * tails.size());
        for (const std::string& head : heads) {
            for (const std::string& tail : tails) {
                if (head.size() + tail.size() > kLongestName) fail_with("has a name that is too long");
                out.push_back(head + tail);
            }
        }
        return out;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

std::vector<std::string> expand_hostlist(std::string_view text) {
    text = trimmed(text);
    if (text.empty() || text == "(null)" || text == "None assigned") return {};
    return Expansion(text).names();
}

}  // namespace coromd::queue::slurm
