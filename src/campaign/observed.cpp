// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/campaign/observed.hpp"

#include <algorithm>

#include "coromd/core/clock.hpp"

namespace coromd::campaign {

using runtime::task;

namespace {

constexpr const char* kType = "order";
constexpr int kVersion = 1;

}  // namespace

namespace detail {

void Completions::done(std::size_t index) {
    ended_.push_back(index);
    events_[index]->set();
    any_->set();
}

task<std::size_t> Completions::next(std::optional<std::size_t> wanted) {
    if (wanted) {
        co_await events_[*wanted]->wait();
        std::erase(ended_, *wanted);
        co_return *wanted;
    }
    while (ended_.empty()) {
        any_ = std::make_unique<runtime::Event>();
        co_await any_->wait();
    }
    const std::size_t index = ended_.front();
    ended_.pop_front();
    co_return index;
}

task<std::optional<std::size_t>> recall_index(Campaign& campaign, std::string key, std::size_t limit) {
    const std::optional<std::string> bytes = co_await campaign.recall(key, kType, kVersion);
    std::optional<std::size_t> index;
    if (!bytes) co_return index;
    index = decode_memo<std::size_t>(key, *bytes);
    if (*index >= limit)
        fail(ErrorKind::conflict, "'{}' was decided for number {}, and there are {} now", key, *index, limit);
    co_return index;
}

task<void> remember_index(Campaign& campaign, std::string key, std::size_t index) {
    std::string bytes = encode_memo(index);
    co_await campaign.remember(std::move(key), kType, kVersion, std::move(bytes));
}

}  // namespace detail

task<std::int64_t> observed_now_ms(Campaign& campaign, std::string key) {
    auto now = [] { return now_ms(); };
    co_return co_await campaign.memo(std::move(key), now);
}

}  // namespace coromd::campaign
