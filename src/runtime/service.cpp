// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/service.hpp"

#include <asio/post.hpp>

#include "coromd/core/error.hpp"
#include "coromd/runtime/event.hpp"
#include "coromd/runtime/with.hpp"
#include "spawn.hpp"

namespace coromd::runtime {

class Service::Run final : public detail::Child {
public:
    explicit Run(Service& service) : service_(service) {}
    virtual ~Run() = default;

    Event over;

private:
    void ended(std::exception_ptr error) noexcept override {
        try {
            if (error) std::rethrow_exception(error);
        } catch (const Cancelled&) {
            // The usual end.
        } catch (const std::exception& failure) {
            service_.context_.log().error("a service has failed: {}", failure.what());
        }
        over.set();
        service_.ended();
    }

    Service& service_;
};

Service::Service(Context& context, std::function<task<void>()> body)
    : context_(context), body_(std::move(body)) {}

Service::~Service() = default;

void Service::begin() {
    run_ = std::make_shared<Run>(*this);
    run_->start(context_.executor(), body_());
}

void Service::ended() {
    // The object must live until its coroutine is gone.
    asio::post(context_.executor(), [run = std::exchange(run_, nullptr)] {});
    if (users_ > 0) begin();
}

task<void> Service::use(task<void> child) {
    ++users_;
    if (!run_) begin();
    std::exception_ptr error;
    try {
        co_await std::move(child);
    } catch (...) {
        error = std::current_exception();
    }
    if (--users_ == 0) {
        const std::shared_ptr<Run> run = run_;
        run->cancel();
        co_await detail::run_shielded(run->over.wait());
    }
    if (error) std::rethrow_exception(error);
}

}  // namespace coromd::runtime
