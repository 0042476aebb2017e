// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Where a frame cannot be found, its like is looked for: the first bytes of the first good frame, which in
// XTC and TRR are a magic number and something that all frames share. What is found there counts as a frame
// when it is one to the last number. What only begins like a frame costs as much as it claims to be long, or
// in text, where lines have to be read, all of the rest: the search ends when it has cost too much.
#include "coromd/trajectory/inspect.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "coromd/core/error.hpp"
#include "coromd/trajectory/frame_index.hpp"
#include "coromd/trajectory/frame_writer.hpp"

namespace coromd::trajectory {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSignature = 8;
constexpr const char* kNoFrame = "no whole frame begins here";
constexpr std::size_t kSearchBlock = std::size_t{1} << 20;
/// Of the size of the file.
constexpr std::int64_t kMaxSearchCost = 100;

bool finite(const std::vector<Vec3f>& vectors) {
    return std::ranges::all_of(vectors, [](const Vec3f& v) {
        return std::isfinite(v.x) && std::isfinite(v.y) && std::isfinite(v.z);
    });
}

/// What fail_corrupt() says, without the file and the byte.
std::string without_place(const std::string& message) {
    const std::size_t place = message.find("' is corrupt at byte ");
    return place == message.npos ? message : message.substr(message.find(": ", place) + 2);
}

/// Are two distances of frames the same, at these times? Times are floats: what they are rounded by grows
/// with them.
bool same_interval(double a_ps, double b_ps, double time_ps, double other_time_ps) {
    const double rounding = 4e-7 * std::max(std::abs(time_ps), std::abs(other_time_ps));
    return !(std::abs(a_ps - b_ps) > 1e-3 * std::abs(b_ps) + rounding);
}

class Inspector {
public:
    using Good = std::function<void(const InputFile&, const FrameHeader&)>;

    Inspector(const fs::path& path, const Good& good)
        : file_(path), format_(frame_format_of(path)), codec_(format_.make_codec()), good_(good) {}

    Inspection run() {
        std::int64_t offset = 0;
        while (offset < file_.size()) {
            const std::optional<FrameHeader> header = locate(offset);
            if (header) {
                offset = header->offset + header->size;
                look_at(*header);
                continue;
            }
            const std::int64_t next = find_next(offset + 1);
            if (next < file_.size())
                flaws_.back().what += fmt::format("; the next whole frame is at byte {}", next);
            else if (search_cost_ > max_search_cost())
                flaws_.back().what += "; the search for the next one was given up";
            else if (flaws_.back().what == kNoFrame)
                flaws_.back().what =
                    fmt::format("the file ends {} bytes into a frame", file_.size() - offset);
            offset = next;
        }
        Inspection found{n_good_, std::move(flaws_)};
        found.n_atoms = n_atoms_;
        found.first_step = first_step_;
        found.last_step = last_step_;
        found.first_time_ps = first_time_ps_;
        found.last_time_ps = last_time_ps_;
        if (n_good_ > 1) {
            found.nstout = nstout_;
            found.dt_ps = dt_ps_;
        }
        return found;
    }

private:
    /// Empty, and a flaw, where there is none.
    std::optional<FrameHeader> locate(std::int64_t offset) {
        // Returned as it comes: GCC 12 takes a named one for engaged when locate() throws.
        try {
            if (std::optional<FrameHeader> header = codec_->locate(file_, offset)) return *header;
            complain(offset, kNoFrame);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::input) throw;
            complain(offset, without_place(error.message()));
        }
        return std::nullopt;
    }

    void look_at(const FrameHeader& header) {
        try {
            codec_->decode(file_, header, {}, frame_);
            codec_->verify(file_, header, frame_);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::input) throw;
            complain(header.offset, without_place(error.message()));
            return;
        }
        if (!finite(frame_.positions) || !finite(frame_.velocities) || !finite(frame_.forces)) {
            complain(header.offset, "the frame holds numbers that are not finite");
            return;
        }
        if (n_good_ > 0 && header.n_atoms != n_atoms_) {
            complain(header.offset,
                     fmt::format("the frame has {} atoms, those before have {}", header.n_atoms, n_atoms_));
            return;
        }
        n_atoms_ = header.n_atoms;
        compare_times(header);
        if (good_) good_(file_, header);
        if (n_good_++ == 0) file_.read_some(header.offset, signature_);
    }

    void compare_times(const FrameHeader& header) {
        const std::int64_t step = unwrapper_.unwrap(header.step, header.time_ps);
        const double dt = header.time_ps - last_time_ps_;
        const std::int64_t steps = step - last_step_;
        if (n_good_ == 0) {
            first_step_ = step;
            first_time_ps_ = header.time_ps;
        }
        if (n_good_ == 1) {
            dt_ps_ = dt;
            nstout_ = steps;
        }
        if (n_good_ > 0 && !std::isnan(dt)) {
            if (!same_interval(dt, dt_ps_, header.time_ps, last_time_ps_))
                jump(header.offset,
                     fmt::format("the time jumps from {} to {} ps", last_time_ps_, header.time_ps));
            else if (steps != nstout_)
                jump(header.offset, fmt::format("the step jumps from {} to {}", last_step_, step));
            else if (dt <= 0.0)
                jump(header.offset, fmt::format("the time does not go on from {} ps", last_time_ps_));
        }
        last_time_ps_ = header.time_ps;
        last_step_ = step;
    }

    /// The file's end where there is none.
    std::int64_t find_next(std::int64_t offset) {
        if (n_good_ == 0) return file_.size();
        std::vector<std::byte> block(kSearchBlock);
        for (; offset < file_.size(); offset += static_cast<std::int64_t>(kSearchBlock - kSignature + 1)) {
            const std::span<const std::byte> bytes(block.data(), file_.read_some(offset, block));
            for (auto from = bytes.begin();;) {
                const auto found = std::search(from, bytes.end(), signature_.begin(), signature_.end());
                if (found == bytes.end()) break;
                const std::int64_t place = offset + (found - bytes.begin());
                if (is_frame(place)) return place;
                if (search_cost_ > max_search_cost()) return file_.size();
                from = found + 1;
            }
        }
        return file_.size();
    }

    bool is_frame(std::int64_t offset) {
        std::int64_t cost = is_text() ? file_.size() - offset : 0;
        try {
            const std::optional<FrameHeader> header = codec_->locate(file_, offset);
            if (header && header->n_atoms == n_atoms_) {
                cost = header->size;
                codec_->decode(file_, *header, {}, frame_);
                codec_->verify(file_, *header, frame_);
                return true;
            }
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::input) throw;
        }
        search_cost_ += cost;
        return false;
    }
    bool is_text() const {
        return std::ranges::all_of(signature_,
                                   [](std::byte b) { return b >= std::byte{' '} || b == std::byte{'\n'}; });
    }
    std::int64_t max_search_cost() const { return kMaxSearchCost * file_.size(); }

    void complain(std::int64_t offset, std::string what) {
        flaws_.push_back({offset, n_good_ - 1, std::move(what), true});
    }
    void jump(std::int64_t offset, std::string what) {
        // Where frames were lost, times jump.
        if (!flaws_.empty() && flaws_.back().damage && flaws_.back().last_good == n_good_ - 1) return;
        flaws_.push_back({offset, n_good_ - 1, std::move(what), false});
    }

    InputFile file_;
    const Format& format_;
    std::unique_ptr<FrameCodec> codec_;
    const Good& good_;
    Frame frame_;
    StepUnwrapper unwrapper_;
    std::array<std::byte, kSignature> signature_{};
    std::int64_t search_cost_ = 0;  ///< bytes, of what looked like frames
    std::int64_t n_good_ = 0;
    std::int64_t n_atoms_ = 0;
    double last_time_ps_ = 0.0;
    double dt_ps_ = 0.0;
    std::int64_t first_step_ = 0;
    double first_time_ps_ = 0.0;
    std::int64_t last_step_ = 0;
    std::int64_t nstout_ = 0;
    std::vector<Flaw> flaws_;
};

}  // namespace

Inspection inspect(const fs::path& file,
                   const std::function<void(const InputFile&, const FrameHeader&)>& good) {
    return Inspector(file, good).run();
}

std::optional<Seam> seam_between(const Inspection& before, const Inspection& after) {
    if (before.n_good == 0 || after.n_good == 0) return std::nullopt;
    if (before.n_atoms != after.n_atoms)
        return Seam{
            fmt::format("the frames have {} atoms, those before have {}", after.n_atoms, before.n_atoms)};
    if (std::isnan(before.last_time_ps) || std::isnan(after.first_time_ps)) return std::nullopt;
    const double dt = after.first_time_ps - before.last_time_ps;
    // XTC and TRR have the lowest 32 bits of a step.
    const auto same_steps = [](std::int64_t a, std::int64_t b) {
        return static_cast<std::uint32_t>(a) == static_cast<std::uint32_t>(b);
    };
    const bool both = dt == 0.0 && same_steps(before.last_step, after.first_step);
    const std::optional<double> expected_ps = before.dt_ps ? before.dt_ps : after.dt_ps;
    const std::optional<std::int64_t> expected_steps = before.dt_ps ? before.nstout : after.nstout;
    if (!both) {
        const double reference = expected_ps.value_or(dt);
        if (dt <= 0.0 || !same_interval(dt, reference, before.last_time_ps, after.first_time_ps))
            return Seam{fmt::format("the time jumps from {:.7g} to {:.7g} ps", before.last_time_ps,
                                    after.first_time_ps)};
        if (expected_steps && !same_steps(after.first_step - before.last_step, *expected_steps))
            return Seam{fmt::format("the step jumps from {} to {}", before.last_step, after.first_step)};
    }
    if (before.dt_ps && after.dt_ps &&
        !same_interval(*after.dt_ps, *before.dt_ps, after.last_time_ps, before.last_time_ps))
        return Seam{
            fmt::format("frames are {:.5g} ps apart, those before {:.5g} ps", *after.dt_ps, *before.dt_ps)};
    if (!both) return std::nullopt;
    return Seam{fmt::format("the frame at {:.7g} ps is in both files, and counts once", before.last_time_ps),
                false};
}

Inspection repair(const fs::path& file, const fs::path& out, bool overwrite) {
    const Format& format = frame_format_of(file);
    if (!format.plain_frames)
        fail(ErrorKind::usage, "'{}' cannot be repaired: {} is no row of frames that stand for themselves",
             file.string(), format.name);
    if (&frame_format_of(out) != &format)
        fail(ErrorKind::usage, "'{}' must be of the format of '{}' ({})", out.string(), file.string(),
             format.name);
    WriteOptions options;
    options.overwrite = overwrite;
    options.encoded_only = true;
    FrameWriter writer(out, options);
    Inspection found = inspect(file, [&](const InputFile& in, const FrameHeader& header) {
        writer.copy_encoded(in, header.offset, header.size, 1);
    });
    if (found.n_good == 0) fail(ErrorKind::input, "there is no whole frame in '{}'", file.string());
    writer.close();
    return found;
}

}  // namespace coromd::trajectory
