// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/signals.hpp"

#include <array>
#include <csignal>

#include <asio/signal_set.hpp>

#include "coromd/core/error.hpp"

namespace coromd::runtime {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM};

}  // namespace

// The handler that waits in the loop may be called once more after the object is gone, so it holds
// no more than a weak reference.
struct SignalHandler::Impl : std::enable_shared_from_this<Impl> {
    Impl(Context& context, std::function<void(int)> callback)
        : callback(std::move(callback)), signals(context.executor()) {}

    void install() {
        for (std::size_t i = 0; i < kSignals.size(); ++i) {
            sigaction(kSignals[i], nullptr, &before[i]);
            asio::error_code error;
            signals.add(kSignals[i], error);
            if (error) fail_errno(error.value(), "cannot handle signals");
        }
        listen();
    }

    void listen() {
        signals.async_wait([weak = weak_from_this()](const asio::error_code& error, int number) {
            const std::shared_ptr<Impl> self = weak.lock();
            if (error || !self) return;
            self->listen();
            self->callback(number);
        });
    }

    /// Asio puts the default back, not what there was.
    void restore() {
        asio::error_code ignored;
        signals.clear(ignored);
        signals.cancel(ignored);
        for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before[i], nullptr);
    }

    std::function<void(int)> callback;
    asio::signal_set signals;
    std::array<struct sigaction, kSignals.size()> before{};
};

SignalHandler::SignalHandler(Context& context, std::function<void(int)> callback)
    : impl_(std::make_shared<Impl>(context, std::move(callback))) {
    impl_->install();
}

SignalHandler::~SignalHandler() {
    impl_->restore();
}

}  // namespace coromd::runtime
