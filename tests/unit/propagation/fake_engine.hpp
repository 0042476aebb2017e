// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/engine/md_engine.hpp"
#include "coromd/functions/function.hpp"
#include "coromd/trajectory/frame_writer.hpp"

namespace coromd::test {

/// How the MD of a FakeEngine goes.
struct FakeRun {
    std::int64_t nstout = 10;
    double dt_ps = 0.5;
    /// Where the parts end; behind the last of them, parts reach as far as is asked for.
    std::vector<std::int64_t> part_ends = {};
    /// The parts are there from an earlier start of the program, whatever the limits are now.
    bool recorded = false;
    /// How fast the first atom moves along x, in pm per step.
    double speed = 1.0;
    /// Thrown in place of the part of that number.
    std::exception_ptr failure = nullptr;
    int failing_part = 1;
};

/// An MdEngine whose first atom moves along x, `speed` pm in each step; a frame every nstout steps,
/// the first one of a part double where the part before ended there, as mdrun does it.
class FakeEngine final : public engine::MdEngine {
public:
    FakeEngine(std::string name, std::filesystem::path directory, FakeRun run)
        : name_(std::move(name)), directory_(std::move(directory)), run_(std::move(run)) {
        std::filesystem::create_directories(directory_);
    }

    const std::string& name() const noexcept override { return name_; }
    const std::filesystem::path& directory() const noexcept override { return directory_; }
    Recorder& recorder() const noexcept override { return recorder_; }

    runtime::task<void> prepare(trajectory::Trajectory start, std::int64_t frame) override {
        if (frame != 0 || start.n_frames() != 1) fail(ErrorKind::usage, "the fake takes one frame");
        start_ = std::move(start);
        co_return;
    }

    runtime::task<std::optional<trajectory::Trajectory>> run(engine::RunLimits limits) override {
        const std::int64_t total = *limits.total_steps();
        if (steps_done_ >= total) co_return std::nullopt;
        if (run_.failure && part() + 1 == run_.failing_part) std::rethrow_exception(run_.failure);
        limits_ = limits;
        const auto next = static_cast<std::size_t>(part());
        std::int64_t end = next < run_.part_ends.size() ? run_.part_ends[next] : total;
        if (!run_.recorded) end = std::min(end, total);
        files_.push_back(directory_ / ("md.part" + std::to_string(part() + 1) + ".xtc"));
        write_part(steps_done_, end);
        steps_done_ = end;
        co_return trajectory::Trajectory(files_.back(), {});
    }

    trajectory::Trajectory start() const override { return *start_; }
    trajectory::Trajectory trajectory() const override { return {files_, {}}; }
    std::int64_t steps_done() const noexcept override { return steps_done_; }
    int part() const noexcept override { return static_cast<int>(files_.size()); }
    double wall_seconds() const noexcept override { return 1.5 * part(); }
    std::int64_t nstout() const noexcept override { return run_.nstout; }
    double dt_ps() const noexcept override { return run_.dt_ps; }

    /// What the last part was asked for.
    const engine::RunLimits& limits() const noexcept { return limits_; }
    /// What was told of what was made.
    const std::vector<Product>& products() const noexcept { return recorder_.products; }

    static trajectory::Frame frame(std::int64_t step, double time_ps, double x_nm) {
        trajectory::Frame frame;
        frame.step = step;
        frame.time_ps = time_ps;
        frame.box = {{9, 0, 0}, {0, 9, 0}, {0, 0, 9}};
        frame.positions = {{static_cast<float>(x_nm), 0, 0}, {1, 1, 1}};
        return frame;
    }

private:
    struct Told final : Recorder {
        std::vector<Product> products;

        void progress(const Progress&) override {}
        void note(std::string_view, std::string_view) override {}
        void product(const Product& product) override { products.push_back(product); }
    };

    void write_part(std::int64_t begin, std::int64_t end) const {
        const std::int64_t first = (begin + run_.nstout - 1) / run_.nstout * run_.nstout;
        if (first > end) {
            write_file_durably(files_.back(), "");
            return;
        }
        trajectory::WriteOptions options;
        options.overwrite = true;
        trajectory::FrameWriter writer(files_.back(), options);
        for (std::int64_t step = first; step <= end; step += run_.nstout) {
            const auto steps = static_cast<double>(step);
            writer.write(frame(step, steps * run_.dt_ps, steps * run_.speed / 1000.0));
        }
        writer.close();
    }

    mutable Told recorder_;
    std::string name_;
    std::filesystem::path directory_;
    FakeRun run_;
    std::optional<trajectory::Trajectory> start_;
    std::vector<std::filesystem::path> files_;
    std::int64_t steps_done_ = 0;
    engine::RunLimits limits_;
};

/// Holds where the first atom is between the two, in nm.
inline functions::FunctionPtr between(std::string name, double low, double high) {
    auto call = [low, high](const trajectory::Frame& frame) {
        const double x = static_cast<double>(frame.positions.front().x);
        return x > low - 1e-6 && x < high + 1e-6 ? 1.0 : 0.0;
    };
    return functions::frame_function(std::move(name), call);
}

/// Holds from there on.
inline functions::FunctionPtr from(std::string name, double x_nm) {
    return between(std::move(name), x_nm, 1e9);
}

}  // namespace coromd::test
