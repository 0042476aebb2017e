// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/detail/group.hpp"

#include <memory>

#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/race.hpp"
#include "spawn.hpp"
#include "waiter.hpp"

// A group is a counter, the signals of its children, and one waiter that is resumed when the last
// child has ended. Whatever happens first decides: an error (fail_fast), an end (first_ends) or a
// cancellation from outside. It cancels the children once; what follows is only recorded.

namespace coromd::runtime::detail {
namespace {

class Group final : public Waiter {
public:
    Group(std::size_t size, GroupRule rule)
        : rule_(rule), size_(size), running_(size), members_(std::make_unique<Member[]>(size)) {
        end_.errors.resize(size);
    }

    void start(const asio::any_io_executor& executor, std::vector<task<void>> bodies) {
        for (std::size_t i = 0; i < size_; ++i) {
            members_[i].group = this;
            members_[i].start(executor, std::move(bodies[i]));
        }
        if (size_ == 0) resume();
    }

    GroupEnd take_end() { return std::move(end_); }

private:
    struct Member final : Child {
        Group* group = nullptr;
        void ended(std::exception_ptr error) noexcept override {
            group->member_ended(*this, std::move(error));
        }
    };

    void on_cancel() noexcept override {
        if (rule_ == GroupRule::shielded || end_.decisive) return;
        end_.cancelled = true;
        cancel_members();
    }

    void member_ended(const Member& member, std::exception_ptr error) noexcept {
        const auto index = static_cast<std::size_t>(&member - members_.get());
        const bool decides =
            rule_ == GroupRule::first_ends || (rule_ == GroupRule::fail_fast && error != nullptr);
        end_.errors[index] = std::move(error);
        --running_;
        if (decides && !end_.decisive && !end_.cancelled) {
            end_.decisive = index;
            cancel_members();
        }
        if (running_ == 0) resume();
    }

    void cancel_members() noexcept {
        for (std::size_t i = 0; i < size_; ++i) members_[i].cancel();
    }

    GroupRule rule_;
    std::size_t size_;
    std::size_t running_;
    std::unique_ptr<Member[]> members_;
    GroupEnd end_;
};

}  // namespace

task<GroupEnd> run_group(std::vector<task<void>> children, GroupRule rule) {
    if (rule != GroupRule::shielded) throw_if_cancelled(co_await asio::this_coro::cancellation_state);
    Group group(children.size(), rule);
    group.start(co_await asio::this_coro::executor, std::move(children));
    co_await group.suspend();
    co_return group.take_end();
}

task<void> gather_all(std::vector<task<void>> children) {
    const GroupEnd end = co_await run_group(std::move(children), GroupRule::fail_fast);
    if (end.cancelled) throw Cancelled();
    if (end.decisive) std::rethrow_exception(end.errors[*end.decisive]);
}

task<std::vector<std::exception_ptr>> gather_errors(std::vector<task<void>> children) {
    GroupEnd end = co_await run_group(std::move(children), GroupRule::wait_all);
    if (end.cancelled) throw Cancelled();
    co_return std::move(end.errors);
}

task<std::size_t> race_all(std::vector<task<void>> children) {
    if (children.empty()) fail(ErrorKind::usage, "a race needs at least one child");
    const GroupEnd end = co_await run_group(std::move(children), GroupRule::first_ends);
    if (end.cancelled) throw Cancelled();
    const std::size_t winner = *end.decisive;
    if (end.errors[winner]) std::rethrow_exception(end.errors[winner]);
    co_return winner;
}

}  // namespace coromd::runtime::detail

namespace coromd::runtime {

task<std::vector<Outcome<void>>> gather_outcomes(std::vector<task<void>> children) {
    std::vector<std::exception_ptr> errors = co_await detail::gather_errors(std::move(children));
    std::vector<Outcome<void>> outcomes;
    outcomes.reserve(errors.size());
    for (std::exception_ptr& error : errors) outcomes.emplace_back(std::move(error));
    co_return outcomes;
}

task<RaceResult<void>> race(std::vector<task<void>> children) {
    const std::size_t winner = co_await detail::race_all(std::move(children));
    RaceResult<void> result{winner};
    co_return result;
}

}  // namespace coromd::runtime
