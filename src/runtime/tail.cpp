// SPDX-License-Identifier: LGPL-3.0-or-later
#include "tail.hpp"

namespace coromd::runtime::detail {

void Tail::append(std::string_view bytes) {
    total_ += bytes.size();
    if (bytes.size() >= limit_) {
        kept_.assign(bytes.substr(bytes.size() - limit_));
        return;
    }
    if (kept_.size() + bytes.size() > 2 * limit_) kept_.erase(0, kept_.size() + bytes.size() - limit_);
    kept_.append(bytes);
}

std::string Tail::text() const {
    return kept_.size() > limit_ ? kept_.substr(kept_.size() - limit_) : kept_;
}

}  // namespace coromd::runtime::detail
