// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What outlives the controller: the ended jobs, for sacct, and the next id. Waiting and running jobs
// do not, for it does not leave before they end.
#include <filesystem>
#include <fstream>
#include <tuple>

#include <nlohmann/json.hpp>

#include "cluster.hpp"
#include "coromd/core/file.hpp"

namespace coromd::fake_slurm {

namespace {

nlohmann::json to_json(const Job& job) {
    const Spec& spec = *job.spec;
    nlohmann::json shares = nlohmann::json::array();
    for (const Share& share : job.shares)
        shares.push_back({share.node, share.cores, share.tasks, share.memory});
    return {
        {"id", job.id},
        {"array_id", job.array_id},
        {"task", job.task},
        {"tasks", job.tasks.text()},
        {"state", job.state},
        {"reason", job.reason},
        {"limit_s", job.limit_s},
        {"restarts", job.restarts},
        {"exit_code", job.exit_code},
        {"exit_signal", job.exit_signal},
        {"submitted", job.submitted},
        {"eligible", job.eligible},
        {"started", job.started},
        {"ended", job.ended},
        {"shares", shares},
        {"spec",
         {spec.name, spec.partition, spec.account, spec.qos, spec.comment, spec.directory, spec.submit_line,
          spec.output, spec.error, spec.tasks, spec.cores_per_task, spec.memory_per_node, spec.throttle}}};
}

Job from_json(const nlohmann::json& json) {
    Job job;
    json.at("id").get_to(job.id);
    json.at("array_id").get_to(job.array_id);
    json.at("task").get_to(job.task);
    job.tasks = TaskSet::parse(json.at("tasks").get<std::string>()).value_or(TaskSet());
    json.at("state").get_to(job.state);
    json.at("reason").get_to(job.reason);
    json.at("limit_s").get_to(job.limit_s);
    json.at("restarts").get_to(job.restarts);
    json.at("exit_code").get_to(job.exit_code);
    json.at("exit_signal").get_to(job.exit_signal);
    json.at("submitted").get_to(job.submitted);
    json.at("eligible").get_to(job.eligible);
    json.at("started").get_to(job.started);
    json.at("ended").get_to(job.ended);
    for (const auto& share : json.at("shares"))
        job.shares.push_back(
            {.node = share.at(0), .cores = share.at(1), .tasks = share.at(2), .memory = share.at(3)});
    Spec spec;
    const auto& fields = json.at("spec");
    int next = 0;
    for (std::string* field : {&spec.name, &spec.partition, &spec.account, &spec.qos, &spec.comment,
                               &spec.directory, &spec.submit_line, &spec.output, &spec.error})
        fields.at(static_cast<std::size_t>(next++)).get_to(*field);
    fields.at(9).get_to(spec.tasks);
    fields.at(10).get_to(spec.cores_per_task);
    fields.at(11).get_to(spec.memory_per_node);
    fields.at(12).get_to(spec.throttle);
    job.spec = std::make_shared<const Spec>(std::move(spec));
    return job;
}

}  // namespace

void Cluster::save() const {
    nlohmann::json all = {
        {"next_id", next_id_}, {"jobs", nlohmann::json::array()}, {"history", nlohmann::json::array()}};
    for (const auto& [id, job] : jobs_) all["jobs"].push_back(to_json(job));
    for (const Job& job : history_) all["history"].push_back(to_json(job));
    std::string bytes;
    nlohmann::json::to_msgpack(all, bytes);
    write_file_durably(directory_ / "state" / "history", bytes);
}

void Cluster::load() {
    const auto file = directory_ / "state" / "history";
    if (!std::filesystem::exists(file)) return;
    try {
        const auto all = nlohmann::json::from_msgpack(read_text_file(file, std::size_t{1} << 30));
        all.at("next_id").get_to(next_id_);
        for (const auto& one : all.at("jobs")) {
            Job job = from_json(one);
            for (const Share& share : job.shares)
                std::ignore = nodes_.at(static_cast<std::size_t>(share.node));
            if (job.array_id != 0) members_[job.array_id].push_back(job.id);
            jobs_[job.id] = std::move(job);
        }
        for (const auto& one : all.at("history")) history_.push_back(from_json(one));
    } catch (const std::exception&) {
        // Of a cluster that was set up anew with fewer nodes, or damaged: the jobs are forgotten.
        jobs_.clear();
        members_.clear();
        history_.clear();
    }
}

}  // namespace coromd::fake_slurm
