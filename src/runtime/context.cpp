// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/context.hpp"

#include <atomic>
#include <csignal>
#include <mutex>

#include <sched.h>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/thread_pool.hpp>

#include "coromd/core/error.hpp"
#include "spawn.hpp"

namespace coromd::runtime {
namespace {

/// The coroutine that run() runs.
class Main final : public detail::Child {
public:
    explicit Main(asio::io_context& io) : io_(io) {}

    bool done() const noexcept { return done_; }
    const std::exception_ptr& error() const noexcept { return error_; }

private:
    void ended(std::exception_ptr error) noexcept override {
        done_ = true;
        error_ = std::move(error);
        io_.stop();
    }

    asio::io_context& io_;
    bool done_ = false;
    std::exception_ptr error_;
};

/// The CPUs that this process may use, which under a batch system are fewer than there are.
unsigned usable_cpus() {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0) return static_cast<unsigned>(CPU_COUNT(&cpus));
    return 1;
}

}  // namespace

struct Context::Impl {
    Impl(unsigned threads, Logger log)
        : pool_threads(threads ? threads : usable_cpus()), logger(std::move(log)) {}

    /// Threads inherit the mask: signals are for the thread of the loop.
    void start_pool() {
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        pool.emplace(pool_threads);
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }

    unsigned pool_threads;
    Logger logger;
    std::atomic<bool> stop_requested = false;
    std::atomic<Shutdown> shutdown = Shutdown::as_usual;
    asio::io_context io{1};
    Main* main = nullptr;  // touched by the loop's thread only
    std::once_flag pool_started;
    std::optional<asio::thread_pool> pool;
};

Context::Context(unsigned pool_threads, Logger log)
    : impl_(std::make_unique<Impl>(pool_threads, std::move(log))) {}

Context::~Context() {
    if (impl_->pool) impl_->pool->join();
}

void Context::run_main(task<void> body) {
    if (impl_->main) fail(ErrorKind::usage, "Context::run() was called from what it runs");
    Main main(impl_->io);
    impl_->main = &main;
    if (stop_requested()) main.cancel();
    main.start(executor(), std::move(body));

    // Nothing may leave this loop while coroutines are suspended: what they refer to would go first.
    std::exception_ptr stray;
    while (!main.done()) {
        impl_->io.restart();
        try {
            impl_->io.run();
        } catch (...) {
            if (!stray) stray = std::current_exception();
            main.cancel();
        }
    }
    impl_->main = nullptr;
    if (stray) std::rethrow_exception(stray);
    if (main.error()) std::rethrow_exception(main.error());
}

void Context::request_stop(Shutdown how) {
    if (!impl_->stop_requested) impl_->shutdown = how;
    impl_->stop_requested = true;
    asio::post(impl_->io, [impl = impl_.get()] {
        if (impl->main) impl->main->cancel();
    });
}

bool Context::stop_requested() const noexcept {
    return impl_->stop_requested;
}

bool Context::leaves_jobs(bool usual) const noexcept {
    const Shutdown how = impl_->shutdown;
    return stop_requested() && (how == Shutdown::as_usual ? usual : how == Shutdown::leave_jobs);
}

asio::any_io_executor Context::executor() noexcept {
    return impl_->io.get_executor();
}

void Context::post_to_pool(std::function<void()> work) {
    std::call_once(impl_->pool_started, [this] { impl_->start_pool(); });
    asio::post(*impl_->pool, std::move(work));
}

const Logger& Context::logger() const noexcept {
    return impl_->logger;
}

}  // namespace coromd::runtime
