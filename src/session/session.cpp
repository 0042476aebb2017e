// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/session/session.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "agent_program.hpp"
#include "coromd/core/error.hpp"
#include "coromd/core/fault.hpp"
#include "coromd/core/log.hpp"
#include "coromd/runtime/event.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/offload.hpp"
#include "coromd/runtime/service.hpp"
#include "coromd/runtime/signals.hpp"
#include "coromd/runtime/timeout.hpp"
#include "coromd/session/settings_file.hpp"
#include "coromd/session/stop_request.hpp"
#include "disk_watch.hpp"
#include "stop_question.hpp"

namespace coromd::session {

namespace fs = std::filesystem;
using runtime::task;

namespace {

constexpr std::chrono::seconds kLook{1};

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

SessionOptions& SessionOptions::take_over(bool take_over) {
    take_over_ = take_over;
    return *this;
}

SessionOptions& SessionOptions::on_change(campaign::OnChange on_change) {
    on_change_ = on_change;
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

/// Tells two.
class BothRecorders final : public Recorder {
public:
    void add(Recorder& recorder) { recorders_.push_back(&recorder); }

    void progress(const Progress& progress) override {
        for (Recorder* recorder : recorders_) recorder->progress(progress);
    }
    void note(std::string_view subject, std::string_view text) override {
        for (Recorder* recorder : recorders_) recorder->note(subject, text);
    }
    void product(const Product& product) override {
        for (Recorder* recorder : recorders_) recorder->product(product);
    }

private:
    std::vector<Recorder*> recorders_;
};

// In the order in which they are built; what comes later uses what comes before.
struct Session::Impl {
    explicit Impl(Setting merged)
        : settings(std::move(merged)),
          log(null_logger()),
          context(0, log),
          care_(context, [this] { return care(); }) {}

    Setting settings;
    Logger log;
    runtime::Context context;
    fs::path directory;
    std::uint64_t seed = 0;
    fs::path program;  // coromd, which runs beside jobs and as the model engine's MD
    std::unique_ptr<Terminal> terminal;
    std::unique_ptr<campaign::Campaign> campaign;
    std::unique_ptr<queue::JobLedger> rehearsal_ledger;
    BothRecorders recorder;
    std::map<std::string, std::unique_ptr<queue::Queue>> queues;
    DiskLimits disk_limits;
    std::string shortage;  // why the program was shut down, where the disk was the reason
    /// Set when a person at the terminal wants it to end.
    std::unique_ptr<runtime::Event> asked = std::make_unique<runtime::Event>();
    runtime::Service care_;

    queue::JobLedger& ledger() { return campaign ? campaign->ledger() : *rehearsal_ledger; }

    /// What is to be done beside the program, as long as it runs.
    task<void> care() {
        std::vector<task<void>> cares;
        cares.push_back(campaign->keep());
        cares.push_back(look_after());
        co_await runtime::gather(std::move(cares));
    }

    /// Looks for requests to stop, and for a disk that gets full.
    task<void> look_after() {
        for (;;) {
            const auto waited = co_await runtime::with_timeout(kLook, asked->wait());
            if (waited && !context.stop_requested()) {
                const auto how = co_await ask_about_jobs(*terminal);
                asked = std::make_unique<runtime::Event>();
                if (how) shut_down(*how);
                continue;
            }
            struct Seen {
                std::optional<runtime::Shutdown> request;
                std::string shortage;
            };
            const bool stopping = context.stop_requested();
            auto look = [&] {
                Seen seen{take_stop_request(directory), {}};
                if (!stopping && !seen.request) seen.shortage = disk_shortage(directory, disk_limits);
                return seen;
            };
            Seen seen = co_await runtime::offload(context, look);
            if (seen.request) shut_down(*seen.request);
            // The shortage that was the reason to stop stays.
            if (context.stop_requested()) continue;
            shortage = std::move(seen.shortage);
            if (shortage.empty()) continue;
            log->error("{}", shortage);
            context.request_stop(runtime::Shutdown::stop_jobs);
        }
    }

    void shut_down(runtime::Shutdown how) {
        if (context.stop_requested()) return;
        switch (how) {
            case runtime::Shutdown::leave_jobs:
                terminal->say("Leaving: jobs run on, and are found again at the next start.");
                break;
            case runtime::Shutdown::stop_jobs:
                terminal->say("Stopping: MD that runs writes its checkpoints. (Ctrl-C: leave at once.)");
                break;
            default:
                terminal->say(
                    "Stopping: MD that runs on this machine writes its checkpoints, jobs of clusters run on. "
                    "(Ctrl-C: leave at once.)");
        }
        context.request_stop(how);
    }

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

    void read_disk_limits() {
        SettingsReader all(settings, "");
        if (!all.has("campaign")) return;
        SettingsReader table = all.table("campaign");
        constexpr std::int64_t kMost = std::int64_t{1} << 40;
        const auto number = [&](const char* name, std::uint64_t fallback) {
            return static_cast<std::uint64_t>(
                std::min(table.integer_from(name, 0, static_cast<std::int64_t>(fallback)), kMost));
        };
        disk_limits.bytes = number("min_free_mib", disk_limits.bytes >> 20) << 20;
        disk_limits.inodes = number("min_free_inodes", disk_limits.inodes);
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
    name_process_for_faults("run");
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
        impl_->campaign = campaign::Campaign::open(impl_->context, impl_->directory, mode, options.seed_,
                                                   options.on_change_, options.take_over_);
        write_to(impl_->log, impl_->campaign->log_path(), options.verbose_);
        impl_->log->info("session begins, process {}", ::getpid());
    }
    impl_->recorder.add(*impl_->terminal);
    if (impl_->campaign) {
        impl_->recorder.add(impl_->campaign->recorder());
        take_stop_request(impl_->directory);  // of somebody who wanted an earlier program to end
        impl_->read_disk_limits();
        if (const std::string shortage = disk_shortage(impl_->directory, impl_->disk_limits);
            !shortage.empty())
            fail(ErrorKind::system, "nothing is begun: {}", shortage);
    }
    impl_->make_queues();
}

Session::~Session() = default;

int Session::run(runtime::task<void> main) {
    Terminal& terminal = *impl_->terminal;
    const Logger& log = impl_->log;
    const runtime::SignalHandler signals(impl_->context, [&](int number) {
        log->warn("signal {}", number);
        if (impl_->context.stop_requested()) {
            terminal.say("Left at once. The next start takes care of MD that still runs.");
            std::_Exit(kExitInterrupted);
        }
        const bool ask = number == SIGINT && impl_->campaign && !impl_->asked->is_set() && can_ask();
        if (ask)
            impl_->asked->set();
        else
            impl_->shut_down(runtime::Shutdown::as_usual);
    });
    const auto failed = [&](const std::string& text, int exit_code) {
        log->error("{}", text);
        terminal.finish();
        terminal.say("error: " + text);
        return exit_code;
    };
    try {
        impl_->context.run(impl_->campaign ? impl_->care_.use(std::move(main)) : std::move(main));
        if (impl_->campaign) impl_->context.run(impl_->campaign->flush());
        terminal.finish();
        // It may be why not all went well.
        if (impl_->campaign) impl_->shortage = disk_shortage(impl_->directory, impl_->disk_limits);
        if (!impl_->shortage.empty()) terminal.say("warning: " + impl_->shortage);
        log->info("session ends");
        return kExitDone;
    } catch (const Cancelled&) {
        if (!impl_->shortage.empty())
            return failed("Stopped, as " + impl_->shortage + ": make room and start the same again to go on",
                          kExitFailed);
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

Recorder& Session::recorder() noexcept {
    return impl_->recorder;
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
    return {impl_->context,   impl_->recorder,
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
