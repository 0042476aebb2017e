// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/report/material.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <nlohmann/json.hpp>

#include "coromd/core/clock.hpp"

namespace coromd::report {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::string_view kResult = "/result";

std::string subject_of(const std::string& key) {
    const auto slash = key.rfind('/');
    return slash == std::string::npos ? key : key.substr(0, slash);
}

/// The clock of a node may be behind ours: nothing ends before it starts, or starts before it was submitted.
Span span_of(const campaign::AttemptRow& attempt) {
    Span span;
    span.key = attempt.key;
    span.subject = subject_of(attempt.key);
    span.attempt = attempt.number;
    span.submitted_ms = attempt.began_ms;
    if (!attempt.result) return span;
    const queue::JobExit& exit = attempt.result->exit;
    span.state = attempt.result->state;
    const std::int64_t ended = std::max(exit.ended_ms, attempt.began_ms);
    const bool ran = exit.started_ms != 0;
    span.started_ms = ran ? std::clamp(exit.started_ms, attempt.began_ms, ended) : ended;
    span.ended_ms = ended;
    return span;
}

double number_in(const Product& product, const char* name) {
    const auto at = product.details.find(name);
    double value = 0.0;
    if (at == product.details.end()) return value;
    const std::string& text = at->second;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string detail(const Product& product, const char* name) {
    const auto at = product.details.find(name);
    return at == product.details.end() ? std::string() : at->second;
}

MdDone md_of(const Product& product) {
    MdDone done{product.key, 0.0, detail(product, "engine")};
    const double ps =
        (number_in(product, "last_step") - number_in(product, "first_step")) * number_in(product, "dt_ps");
    if (std::isfinite(ps) && ps > 0) done.ps = ps;
    if (const std::string version = detail(product, "version"); !version.empty())
        done.engine += (done.engine.empty() ? "" : " ") + version;
    return done;
}

/// A result in the words of a memo; nothing where it is of another make.
std::optional<WalkerResult> result_of(const std::string& key, const std::string& text) {
    if (!key.ends_with(kResult)) return std::nullopt;
    json memo = json::parse(text, nullptr, false);
    if (memo.is_string()) memo = json::parse(memo.get<std::string>(), nullptr, false);
    if (!memo.is_object() || !memo.contains("conditions") || !memo["conditions"].is_array())
        return std::nullopt;
    WalkerResult result;
    result.walker = key.substr(0, key.size() - kResult.size());
    for (const json& condition : memo["conditions"])
        result.conditions.push_back(condition.is_string() ? condition.get<std::string>() : condition.dump());
    if (const json& time = memo["time_ps"]; time.is_number()) result.time_ps = time.get<double>();
    return result;
}

}  // namespace

double Span::waited_seconds() const noexcept {
    return started_ms ? static_cast<double>(*started_ms - submitted_ms) / 1000.0 : 0.0;
}
double Span::ran_seconds() const noexcept {
    return started_ms && ended_ms ? static_cast<double>(*ended_ms - *started_ms) / 1000.0 : 0.0;
}

std::string Material::name() const {
    const fs::path last =
        directory.has_filename() ? directory.filename() : directory.parent_path().filename();
    return last.extension() == ".campaign" ? last.stem().string() : last.string();
}

bool Material::runs() const noexcept {
    return owner && owner->may_run();
}

std::int64_t Material::last_ms() const noexcept {
    if (runs()) return std::max(now_ms, created_ms);
    std::int64_t last = created_ms;
    for (const campaign::SessionRow& session : sessions)
        last = std::max({last, session.began_ms, session.ended_ms.value_or(0)});
    for (const Span& span : spans) last = std::max({last, span.submitted_ms, span.ended_ms.value_or(0)});
    for (const campaign::WalkerRow& walker : walkers) last = std::max(last, walker.changed_ms);
    return last;
}

double Material::seconds_since_start(std::int64_t unix_ms) const noexcept {
    return static_cast<double>(unix_ms - created_ms) / 1000.0;
}

fs::path Material::link_to(const fs::path& file) const {
    if (file.is_absolute()) return file;
    const fs::path target = (directory / file).lexically_normal();
    const fs::path relative = target.lexically_relative(page.parent_path());
    return relative.empty() ? target : relative;
}

Material read_material(const fs::path& directory, const fs::path& page) {
    Material material;
    std::map<std::string, std::string> memos;
    {
        // A copy: the campaign can write meanwhile.
        const campaign::Snapshot snapshot(directory, campaign::SnapshotKind::copy);
        material.directory = snapshot.directory();
        material.seed = snapshot.seed();
        material.created_ms = snapshot.created_ms();
        material.sessions = snapshot.sessions();
        material.inputs = snapshot.inputs();
        material.job_counts = snapshot.job_counts();
        material.attempts = snapshot.attempts();
        material.walkers = snapshot.walkers();
        material.notes = snapshot.notes();
        material.products = snapshot.products();
        memos = snapshot.memos();
    }
    material.page = fs::absolute(page).lexically_normal();
    material.now_ms = now_ms();
    material.owner = campaign::owner_of(directory);
    for (const campaign::AttemptRow& attempt : material.attempts) material.spans.push_back(span_of(attempt));
    for (const auto& [key, value] : memos)
        if (std::optional<WalkerResult> result = result_of(key, value))
            material.results.push_back(*std::move(result));
    for (const Product& product : material.products)
        if (product.kind == "md") material.md.push_back(md_of(product));
    return material;
}

}  // namespace coromd::report
