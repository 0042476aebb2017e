// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The campaign is opened once, so that its database is what the product makes of it; then its tables are
// filled as its programs would have done. The clock is that of a simulation with a queue of slots.
#include "made_campaign.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <SQLiteCpp/VariadicBind.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "coromd/campaign/campaign.hpp"
#include "coromd/functions/geometry.hpp"
#include "coromd/queue/job.hpp"
#include "coromd/trajectory/frame_writer.hpp"

namespace coromd::tests {

namespace fs = std::filesystem;
using functions::Vec3;
using nlohmann::json;
using queue::JobState;

namespace {

constexpr double kDtPs = 0.002;
constexpr std::int64_t kStepsPerFrame = 100;
constexpr std::int64_t kPauseMs = 40 * 60'000;

/// Where the next atom of a chain is, 0.15 nm from `c`, at a right angle, with a dihedral.
Vec3 next_atom(const Vec3& a, const Vec3& b, const Vec3& c, double dihedral) {
    const auto unit = [](const Vec3& v) { return 1 / functions::norm(v) * v; };
    const Vec3 along = unit(c - b);
    const Vec3 normal = unit(functions::cross(b - a, along));
    const Vec3 in_plane = functions::cross(normal, along);
    return c + 0.15 * (std::cos(dihedral) * in_plane + std::sin(dihedral) * normal);
}

/// Two angles that diffuse among wells; ends where psi has left its middle.
struct Walk {
    std::vector<std::pair<double, double>> angles;
    std::string state;  ///< "alphaR", "C7eq" or empty
};

Walk walk(int frames, std::mt19937_64& random) {
    std::normal_distribution<double> noise(0, 0.16);
    const auto wrapped = [](double angle) { return std::remainder(angle, 2 * std::numbers::pi); };
    Walk out;
    double phi = -1.4 + noise(random);
    double psi = 1.1 + noise(random);
    for (int i = 0; i < frames; ++i) {
        out.angles.emplace_back(phi, psi);
        if (psi < -0.2) out.state = "alphaR";
        if (psi > 2.3 || psi < -2.8) out.state = "C7eq";
        if (!out.state.empty()) break;
        phi = wrapped(phi - 0.06 * std::sin(phi + 1.4) + noise(random));
        psi = wrapped(psi - 0.02 * std::cos(2 * psi) + noise(random));
    }
    return out;
}

void write_trajectory(const fs::path& file, const Walk& walk) {
    fs::create_directories(file.parent_path());
    trajectory::FrameWriter writer(file);
    trajectory::Frame frame;
    for (const auto& [phi, psi] : walk.angles) {
        std::vector<Vec3> atoms{{1.15, 1, 1.15}, {1, 1, 1.15}, {1, 1, 1}};
        atoms.push_back(next_atom(atoms[0], atoms[1], atoms[2], phi));
        atoms.push_back(next_atom(atoms[1], atoms[2], atoms[3], psi));
        frame.positions.clear();
        for (const Vec3& at : atoms)
            frame.positions.push_back(
                {static_cast<float>(at.x), static_cast<float>(at.y), static_cast<float>(at.z)});
        writer.write(frame);
        frame.step += kStepsPerFrame;
        frame.time_ps = static_cast<double>(frame.step) * kDtPs;
    }
    writer.close();
}

class Writer {
public:
    Writer(const MadeCampaign& made, const fs::path& directory)
        : made_(made),
          directory_(directory),
          database_((directory / "campaign.sqlite").string(), SQLite::OPEN_READWRITE) {}

    void write() {
        SQLite::Transaction transaction(database_);
        inputs();
        for (int i = 0; i < made_.walkers; ++i) {
            names_.push_back(fmt::format("walkers/{:03}{}", i, made_.decoration));
            walks_.push_back(i < made_.distinct_trajectories
                                 ? walk(made_.frames, random_)
                                 : walks_[static_cast<std::size_t>(i % made_.distinct_trajectories)]);
        }
        run_all();
        for (std::size_t i = 0; i < names_.size(); ++i) trajectory_of(i);
        sessions();
        transaction.commit();
    }

private:
    template <typename... Args>
    void insert(const char* sql, const Args&... args) {
        SQLite::Statement statement(database_, sql);
        SQLite::bind(statement, args...);
        statement.exec();
    }

    void inputs() {
        const auto add = [&](const std::string& name, const std::string& content) {
            insert("INSERT INTO inputs VALUES (?, 1, ?, ?)", name, content + made_.decoration,
                   kMadeCampaignBegan);
        };
        add("committor", "temperature = 300\n");
        add("gromacs.mdp",
            "integrator = md\ndt = 0.002\nnstxout-compressed = 100\ngen-vel = no\n; ... and more\n");
        add("gromacs.top", "8f14e45fceea167a5a36dedd4bea2543");
        add("states.alphaR", "psi < -0.2 and psi > -2.8");
        add("states.C7eq", "psi > 2.3 or psi < -2.8");
        insert("INSERT INTO inputs VALUES ('variables.phi', 1, ?, ?)",
               R"(dihedral("index 0", "index 1", "index 2", "index 3"))", kMadeCampaignBegan);
        insert("INSERT INTO inputs VALUES ('variables.psi', 1, ?, ?)",
               R"(dihedral("index 1", "index 2", "index 3", "index 4"))", kMadeCampaignBegan);
        insert("INSERT INTO inputs VALUES ('variables.d', 1, ?, ?)", R"(distance("index 0", "index 4"))",
               kMadeCampaignBegan);
        insert("INSERT INTO notes (at_ms, subject, text) VALUES (?, 'structure', ?)", kMadeCampaignBegan,
               fmt::format("masses guessed from the names of elements{}", made_.decoration));
    }

    /// The program was killed in the middle, and started again after a pause.
    std::int64_t on_the_clock(std::int64_t ms) const {
        return kMadeCampaignBegan + ms + (ms > half_ms_ ? kPauseMs : 0);
    }

    /// Runs all jobs, by a heap of what is ready.
    void run_all() {
        struct Ready {
            std::int64_t at_ms;
            std::size_t walker;
            int part;
            int attempt;
            bool operator>(const Ready& other) const {
                return std::tie(at_ms, walker) > std::tie(other.at_ms, other.walker);
            }
        };
        std::priority_queue<Ready, std::vector<Ready>, std::greater<>> ready;
        std::priority_queue<std::int64_t, std::vector<std::int64_t>, std::greater<>> slots;
        for (int i = 0; i < made_.slots; ++i) slots.push(0);
        for (std::size_t i = 0; i < names_.size(); ++i)
            ready.push({static_cast<std::int64_t>(20 * i), i, 0, 1});
        half_ms_ = std::int64_t{5} * 60'000 * made_.walkers / made_.slots + 60'000;
        std::uniform_real_distribution<double> uniform(0, 1);
        while (!ready.empty()) {
            const Ready now = ready.top();
            ready.pop();
            const std::int64_t free = now.part == 0 ? now.at_ms : slots.top();
            const std::int64_t start =
                std::max(now.at_ms, free) + static_cast<std::int64_t>(200 + 4000 * uniform(random_));
            const std::int64_t ran =
                static_cast<std::int64_t>(now.part == 0 ? 900 + 800 * uniform(random_)
                                                        : 60'000 + 400'000 * std::pow(uniform(random_), 2));
            if (now.part > 0) {
                slots.pop();
                slots.push(start + ran);
            }
            const bool failed = now.part > 0 && now.attempt < 3 && uniform(random_) < made_.failure_rate;
            attempt(names_[now.walker], now.part, now.attempt, now.at_ms, start, start + ran, failed);
            last_ms_ = std::max(last_ms_, start + ran);
            if (failed)
                ready.push({start + ran + 1000, now.walker, now.part, now.attempt + 1});
            else if (now.part < parts_of(now.walker))
                ready.push({start + ran + 300, now.walker, now.part + 1, 1});
        }
    }

    int parts_of(std::size_t walker) const { return 1 + static_cast<int>(walks_[walker].angles.size()) / 40; }

    void attempt(const std::string& walker, int part, int number, std::int64_t submitted,
                 std::int64_t started, std::int64_t ended, bool failed) {
        const std::string leaf = part == 0 ? "grompp" : fmt::format("md.part{:04}", part);
        const std::string key = walker + "/" + leaf;
        queue::JobResult result;
        result.key = key;
        result.attempt = number;
        result.state = failed ? JobState::failed : JobState::finished;
        result.exit.exit_code = failed ? 139 : 0;
        result.exit.node = fmt::format("node{:02}", (started / 1000) % 7);
        result.exit.scheduler_job = std::to_string(40'000 + next_seq_);
        result.exit.started_ms = on_the_clock(started);
        result.exit.ended_ms = on_the_clock(ended);
        if (failed) {
            result.failure = queue::FailureClass::infrastructure;
            result.reason = fmt::format("exit code 139 after {} s on {}\nthe node has failed{}",
                                        (ended - started) / 1000, result.exit.node, made_.decoration);
            result.exit.stderr_tail = fmt::format("srun: error: {}: task 0: Segmentation fault{}\n",
                                                  result.exit.node, made_.decoration);
        }
        if (number == 1)
            insert(
                "INSERT INTO jobs (key, specification, state, attempts, submission, began_ms) VALUES (?, "
                "'{}', 'started', 1, '', 0)",
                key);
        const std::int64_t job =
            database_.execAndGet("SELECT max(id) FROM jobs WHERE key = '" + quoted(key) + "'").getInt64();
        const auto event = [&](std::int64_t at, const char* kind, const std::string& data) {
            insert("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", ++next_seq_, at, job, number, kind, data);
        };
        event(on_the_clock(submitted), "begun", fmt::format("{:032x}", next_seq_));
        event(on_the_clock(submitted) + 100, "submitted", "job " + result.exit.scheduler_job);
        event(on_the_clock(ended) + 200, failed ? "failed" : "finished", result.to_json());
        insert(
            "UPDATE jobs SET state = ?, attempts = ?, result_seq = ?, began_ms = ?, ended_ms = ? WHERE id = "
            "?",
            failed ? "failed" : "finished", number, next_seq_, on_the_clock(submitted),
            on_the_clock(ended) + 200, job);
        if (!failed) made_by(key, walker, part);
    }

    void product(const std::string& key, const char* kind, const json& document) {
        insert("INSERT INTO products VALUES (?, ?, ?, ?)", key, kind, document.dump(), kMadeCampaignBegan);
    }

    void made_by(const std::string& key, const std::string& walker, int part) {
        if (part == 0) return;
        const std::string file = fmt::format("{}/md.part{:04}.trr", walker, part);
        product(key, "md",
                {{"sources",
                  {{{"file", walker + "/md.tpr"}, {"fingerprint", "5d41402abc4b2a76b9719d911017c592"}}}},
                 {"files", {file}},
                 {"details",
                  {{"engine", "gromacs"},
                   {"version", "2022.5"},
                   {"first_step", std::to_string((part - 1) * 4000)},
                   {"last_step", std::to_string(part * 4000)},
                   {"dt_ps", "0.002"}}}});
    }

    void trajectory_of(std::size_t i) {
        const std::string& walker = names_[i];
        const Walk& walk = walks_[i];
        const fs::path file = directory_ / walker / "until.trr";
        if (static_cast<int>(i) < made_.distinct_trajectories) {
            write_trajectory(file, walk);
        } else {
            fs::create_directories(file.parent_path());
            fs::copy_file(
                directory_ / names_[i % static_cast<std::size_t>(made_.distinct_trajectories)] / "until.trr",
                file);
        }
        const auto steps = static_cast<std::int64_t>(walk.angles.size() - 1) * kStepsPerFrame;
        json sources = json::array();
        for (int part = 1; part <= parts_of(i); ++part)
            sources.push_back({{"file", fmt::format("{}/md.part{:04}.trr", walker, part)}});
        product(
            walker + "/until", "trajectory",
            {{"sources", sources},
             {"files", {walker + "/until.trr"}},
             {"details",
              {{"operation", "until"}, {"last_step", std::to_string(steps)}, {"conditions", walk.state}}}});
        json conditions = json::array();
        if (!walk.state.empty()) conditions.push_back(walk.state + made_.decoration);
        const json result{{"steps", steps},           {"time_ps", static_cast<double>(steps) * kDtPs},
                          {"parts", parts_of(i)},     {"wall_seconds", 300.0},
                          {"conditions", conditions}, {"trajectory", walker + "/until.trr"}};
        const std::vector<std::uint8_t> cbor = json::to_cbor(result);
        SQLite::Statement memo(database_, "INSERT INTO memos VALUES (?, 'result', 1, ?, ?)");
        memo.bind(1, walker + "/result");
        memo.bind(2, cbor.data(), static_cast<int>(cbor.size()));
        memo.bind(3, kMadeCampaignBegan);
        memo.exec();
        insert("INSERT INTO walkers VALUES (?, ?, ?, 120.0, ?, ?)", walker,
               walk.state.empty() ? std::string("used up its steps")
                                  : "reached " + walk.state + made_.decoration,
               static_cast<double>(steps) * kDtPs, parts_of(i), on_the_clock(last_ms_));
    }

    void sessions() {
        database_.exec("DELETE FROM sessions");
        const std::int64_t resumed = on_the_clock(half_ms_ + 1);
        if (last_ms_ > half_ms_) {
            insert("INSERT INTO sessions VALUES (1, 'login1', 4711, '0.1.0', ?, NULL)", kMadeCampaignBegan);
            insert("INSERT INTO sessions VALUES (2, 'login2', 815, '0.1.0', ?, ?)", resumed,
                   on_the_clock(last_ms_) + 900);
        } else {
            insert("INSERT INTO sessions VALUES (1, 'login1', 4711, '0.1.0', ?, ?)", kMadeCampaignBegan,
                   on_the_clock(last_ms_) + 900);
        }
        insert("UPDATE campaign SET created_ms = ?, epoch = 2", kMadeCampaignBegan);
    }

    static std::string quoted(std::string text) {
        for (auto at = text.find('\''); at != std::string::npos; at = text.find('\'', at + 2))
            text.insert(at, "'");
        return text;
    }

    const MadeCampaign& made_;
    fs::path directory_;
    SQLite::Database database_;
    std::mt19937_64 random_{20260301};
    std::vector<std::string> names_;
    std::vector<Walk> walks_;
    std::int64_t next_seq_ = 0;
    std::int64_t half_ms_ = 0;
    std::int64_t last_ms_ = 0;
};

}  // namespace

void MadeCampaign::write(const fs::path& directory) const {
    {
        runtime::Context context(1);
        campaign::Campaign::open(context, directory, campaign::OpenMode::fresh, 42);
    }
    Writer(*this, directory).write();
}

}  // namespace coromd::tests
