// SPDX-License-Identifier: LGPL-3.0-or-later
#include "log_watch.hpp"

#include <algorithm>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "coromd/core/file.hpp"

namespace coromd::agent {

LogWatch::LogWatch(std::filesystem::path file, std::string ready, std::string acknowledged)
    : file_(std::move(file)), ready_text_(std::move(ready)), acknowledged_text_(std::move(acknowledged)) {
    ready_ = ready_text_.empty();
}

void LogWatch::refresh() {
    const FileDescriptor file(::open(file_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return;
    char buffer[16 << 10];
    for (;;) {
        const ssize_t n = ::pread(file.get(), buffer, sizeof buffer, static_cast<off_t>(offset_));
        if (n <= 0) return;
        offset_ += static_cast<std::uint64_t>(n);
        carry_.append(buffer, static_cast<std::size_t>(n));
        ready_ = ready_ || carry_.find(ready_text_) != carry_.npos;
        acknowledged_ =
            acknowledged_ || (!acknowledged_text_.empty() && carry_.find(acknowledged_text_) != carry_.npos);
        const std::size_t keep = std::max(ready_text_.size(), acknowledged_text_.size());
        if (carry_.size() > keep) carry_.erase(0, carry_.size() - keep);
    }
}

}  // namespace coromd::agent
