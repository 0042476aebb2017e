// SPDX-License-Identifier: LGPL-3.0-or-later
#include <fmt/format.h>

#include "sections.hpp"

namespace coromd::report {

namespace {

using campaign::Owner;
using queue::JobState;

std::string state_text(const Material& material) {
    if (material.owner) {
        const Owner& owner = *material.owner;
        switch (owner.life) {
            case Owner::Life::runs:
                return fmt::format("running: process {} on {}, since {}", owner.pid, owner.host, owner.since);
            case Owner::Life::unknown:
                return fmt::format("in use by process {} on {}, since {}", owner.pid, owner.host,
                                   owner.since);
            case Owner::Life::dead:
                return "not running: its program was killed. The next start goes on";
        }
    }
    if (material.sessions.empty()) return "not begun";
    if (!material.sessions.back().ended_ms)
        return "not running: its program was killed. The next start goes on";
    for (const JobState open : {JobState::started, JobState::interrupted})
        if (material.job_counts.contains(open)) return "stopped, with jobs that the next start goes on with";
    return material.job_counts.contains(JobState::failed) ? "ended, with jobs that failed" : "ended";
}

double md_ps(const Material& material) {
    double ps = 0;
    for (const MdDone& md : material.md) ps += md.ps;
    if (ps > 0) return ps;
    for (const campaign::WalkerRow& walker : material.walkers) ps += walker.progress.time_ps;
    return ps;
}

std::string card(std::string_view value, std::string_view what, std::string_view css_class = {}) {
    return fmt::format("<div class=\"card {}\"><b>{}</b><span>{}</span></div>\n", css_class, escape(value),
                       escape(what));
}

std::string cards(const Material& material) {
    std::int64_t jobs = 0;
    for (const auto& [state, count] : material.job_counts) jobs += count;
    const auto count = [&](JobState state) {
        const auto at = material.job_counts.find(state);
        return at == material.job_counts.end() ? 0 : at->second;
    };
    const double wall = material.seconds_since_start(material.last_ms());
    std::string html = "<div class=\"cards\">\n";
    html += card(count_text(static_cast<std::int64_t>(material.walkers.size())),
                 material.walkers.size() == 1 ? "walker" : "walkers");
    const std::int64_t finished = count(JobState::finished);
    html += card(count_text(finished),
                 finished == jobs ? "jobs finished" : fmt::format("of {} jobs finished", count_text(jobs)));
    html += card(count_text(count(JobState::failed)), "jobs failed",
                 count(JobState::failed) > 0 ? "bad-card" : "");
    html += card(md_time_text(md_ps(material)), "of MD run");
    html += card(duration_text(wall), "from first to last");
    if (wall > 0 && md_ps(material) > 0)
        html += card(md_time_text(md_ps(material) / wall * 86400), "of MD per day");
    return html + "</div>\n";
}

std::string head(const Material& material) {
    std::string html =
        fmt::format("<header><p class=\"over\">coromd campaign</p><h1>{}</h1>\n", escape(material.name()));
    html += fmt::format("<p class=\"state\">{}</p>\n</header>\n", escape(state_text(material)));
    html += cards(material);
    Table table({"", ""});
    const auto row = [&](std::string_view name, std::string_view text) {
        table.row({escape(name), escape(text)});
    };
    row("Directory", material.directory.string());
    row("Created", date_text(material.created_ms));
    row("Seed of all random numbers", std::to_string(material.seed));
    row("This page shows it as of", date_text(material.now_ms));
    html += "<div class=\"facts\">" + table.html() + "</div>";

    Table sessions({">session", "host", ">process", "coromd", "began", "ended"});
    for (const campaign::SessionRow& s : material.sessions) {
        const bool last = &s == &material.sessions.back();
        const std::string ended = s.ended_ms                ? date_text(*s.ended_ms)
                                  : last && material.runs() ? "runs"
                                                            : "killed";
        sessions.row({std::to_string(s.epoch), escape(s.host), std::to_string(s.pid), escape(s.version),
                      escape(date_text(s.began_ms)), escape(ended)});
    }
    if (!sessions.empty())
        html += folded(
            fmt::format("{} session{}", material.sessions.size(), material.sessions.size() == 1 ? "" : "s"),
            sessions.html());
    return html;
}

}  // namespace

Section head_section() {
    return {"head", "", head};
}

}  // namespace coromd::report
