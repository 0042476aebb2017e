// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/session/session.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "agent_program.hpp"
#include "coromd/core/error.hpp"
#include "coromd/core/log.hpp"
#include "coromd/runtime/signals.hpp"
#include "coromd/session/settings_file.hpp"

namespace coromd::session {

namespace fs = std::filesystem;

namespace {

/// Makes the null logger, which had to be handed out before there was a directory to write to, a
/// logger to a file.
void write_to(const Logger& logger, const fs::path& file, bool verbose) {
    const Logger target = file_logger(file, verbose);
    logger->sinks() = target->sinks();
    logger->set_level(target->level());
    logger->flush_on(target->flush_level());
}

}  // namespace

int exit_code_of(const Error& error) noexcept {
    const bool wrong_request = error.kind() == ErrorKind::usage || error.kind() == ErrorKind::conflict;
    return wrong_request ? kExitUsage : kExitFailed;
}

SessionOptions& SessionOptions::seed(std::uint64_t seed) {
    seed_ = seed;
    return *this;
}

SessionOptions& SessionOptions::fresh(bool fresh) {
    fresh_ = fresh;
    return *this;
}

SessionOptions& SessionOptions::settings(Setting settings) {
    settings_ = std::move(settings);
    return *this;
}

SessionOptions& SessionOptions::verbose(bool verbose) {
    verbose_ = verbose;
    return *this;
}

SessionOptions& SessionOptions::progress(ProgressStyle style) {
    progress_ = style;
    return *this;
}

SessionOptions& SessionOptions::rehearsal(bool rehearsal) {
    rehearsal_ = rehearsal;
    return *this;
}

// In the order in which they are built; what comes later uses what comes before.
struct Session::Impl {
    explicit Impl(Setting merged) : settings(std::move(merged)), log(null_logger()), context(0, log) {}

    Setting settings;
    Logger log;
    runtime::Context context;
    fs::path directory;
    std::uint64_t seed = 0;
    fs::path program;  // coromd, which runs beside jobs and as the model engine's MD
    std::unique_ptr<Terminal> terminal;
    std::unique_ptr<campaign::Campaign> campaign;
    std::unique_ptr<queue::JobLedger> rehearsal_ledger;
    std::map<std::string, std::unique_ptr<queue::Queue>> queues;

    queue::JobLedger& ledger() { return campaign ? campaign->ledger() : *rehearsal_ledger; }

    /// Where agents of jobs are, and where they leave their records. A rehearsal runs no jobs.
    queue::Site site() {
        SettingsReader all(settings, "");
        const fs::path named = all.has("agent") ? all.existing_file("agent") : fs::path();
        program = named.empty() ? find_agent() : named;
        if (!campaign) return {};
        if (program.empty()) {
            log->warn("no coromd program was found to run beside jobs: they will not outlive this one");
            return {};
        }
        program = kept_copy(program, directory / "agent");
        return {campaign->spool(), program};
    }

    static queue::Retries retries_from(SettingsReader settings, queue::Retries retries) {
        constexpr std::int64_t kMany = 1'000'000;
        for (const auto& [name, count] :
             {std::pair{"infrastructure", &retries.infrastructure}, std::pair{"timeout", &retries.timeout},
              std::pair{"memory", &retries.memory}, std::pair{"user", &retries.user}})
            *count = static_cast<int>(std::min(settings.integer_from(name, 0, *count), kMany));
        retries.delay = settings.duration("delay", retries.delay);
        settings.finish();
        return retries;
    }

    void make_queues() {
        const queue::Site site = this->site();
        const Registry<queue::QueueKind> kinds = queue::builtin_queues();
        SettingsReader all = SettingsReader(settings, "").table("queues");
        for (const std::string& name : all.keys()) {
            SettingsReader reader = all.table(name);
            const std::string kind_name = reader.string("kind", "local");
            const queue::QueueKind* kind = kinds.find(kind_name);
            if (kind == nullptr)
                reader.complain("kind", fmt::format("unknown kind of queue '{}': known are {}", kind_name,
                                                    kinds.names()));
            std::unique_ptr<queue::Backend> backend = kind->make(context, site, reader);
            const queue::Retries retries = retries_from(reader.table("retries"), kind->retries);
            reader.finish();
            queues[name] =
                std::make_unique<queue::Queue>(name, context, ledger(), std::move(backend), retries);
        }
        if (!queues.contains("local"))
            queues["local"] = std::make_unique<queue::Queue>("local", context, ledger(),
                                                             queue::local_backend(context, 0, site));
    }
};

Session::Session(fs::path directory) : Session(SessionOptions(std::move(directory))) {}

Session::Session(SessionOptions options)
    : impl_(std::make_unique<Impl>(options.settings_ ? std::move(*options.settings_) : load_settings())) {
    impl_->directory = fs::absolute(options.directory_).lexically_normal();
    impl_->seed = options.seed_;
    const ProgressStyle style = options.rehearsal_ || options.verbose_ ? ProgressStyle::none
                                : options.progress_                    ? *options.progress_
                                                                       : progress_style_for(stderr);
    impl_->terminal = std::make_unique<Terminal>(stderr, style, impl_->log);
    if (options.rehearsal_) {
        impl_->rehearsal_ledger = queue::memory_ledger();
    } else {
        const auto mode = options.fresh_ ? campaign::OpenMode::fresh : campaign::OpenMode::resume_or_create;
        impl_->campaign = campaign::Campaign::open(impl_->context, impl_->directory, mode, options.seed_);
        write_to(impl_->log, impl_->campaign->log_path(), options.verbose_);
        impl_->log->info("session begins, process {}", ::getpid());
    }
    impl_->make_queues();
}

Session::~Session() = default;

int Session::run(runtime::task<void> main) {
    Terminal& terminal = *impl_->terminal;
    const Logger& log = impl_->log;
    int signals = 0;
    const runtime::StopOnSignals stop(impl_->context, [&](int number) {
        log->warn("signal {}", number);
        if (++signals > 1) {
            terminal.say("Left at once. The next start takes care of MD that still runs.");
            std::_Exit(kExitInterrupted);
        }
        terminal.say("Stopping: MD that runs writes its checkpoints. (Again: leave at once.)");
    });
    const auto failed = [&](const std::string& text, int exit_code) {
        log->error("{}", text);
        terminal.finish();
        terminal.say("error: " + text);
        return exit_code;
    };
    try {
        impl_->context.run(std::move(main));
        log->info("session ends");
        terminal.finish();
        return kExitDone;
    } catch (const Cancelled&) {
        log->info("session ends: interrupted");
        terminal.finish();
        terminal.say("Stopped. Nothing is lost: start the same again to go on.");
        return kExitInterrupted;
    } catch (const Error& error) {
        return failed(error.what(), exit_code_of(error));
    } catch (const std::exception& error) {
        return failed(error.what(), kExitFailed);
    }
}

runtime::Context& Session::runtime() noexcept {
    return impl_->context;
}

Terminal& Session::terminal() noexcept {
    return *impl_->terminal;
}

campaign::Campaign& Session::campaign() {
    if (!impl_->campaign) fail(ErrorKind::usage, "a rehearsal has no campaign");
    return *impl_->campaign;
}

const fs::path& Session::directory() const noexcept {
    return impl_->directory;
}

RandomStream Session::random(std::string_view key) {
    return campaign().random(key);
}

queue::Queue& Session::queue(const std::string& name) {
    const auto it = impl_->queues.find(name);
    if (it != impl_->queues.end()) return *it->second;
    fail(ErrorKind::usage, "unknown queue '{}': known are {}; queues are set up in [queues.NAME]", name,
         fmt::join(queue_names(), ", "));
}

std::vector<std::string> Session::queue_names() const {
    std::vector<std::string> names;
    for (const auto& [name, queue] : impl_->queues) names.push_back(name);
    return names;
}

engine::EngineContext Session::engine_context() {
    return {impl_->context,   *impl_->terminal,
            impl_->directory, [this](const std::string& name) -> queue::Queue& { return queue(name); },
            impl_->program,   impl_->seed};
}

std::unique_ptr<engine::MdSystem> Session::gromacs(engine::gromacs::Input input,
                                                   const std::string& queue_name) {
    auto system =
        engine::gromacs::system(engine_context(), std::move(input), queue(queue_name), queue(queue_name));
    system->check();
    return system;
}

std::unique_ptr<engine::MdSystem> Session::model(engine::model::Model model, const fs::path& structure,
                                                 const std::string& queue_name) {
    auto system = engine::model::system(engine_context(), std::move(model), structure, queue(queue_name));
    system->check();
    return system;
}

}  // namespace coromd::session
