// SPDX-License-Identifier: LGPL-3.0-or-later
//
// AMBER trajectories that coromd and libnetcdf, which AMBER itself uses, write for each other.
#include <netcdf.h>

#include <array>

#include "unit/trajectory/testing.hpp"

namespace coromd::trajectory {
namespace {

constexpr std::size_t kAtoms = 7;
constexpr std::size_t kFrames = 3;

void check(int status) {
    if (status != NC_NOERR) throw std::runtime_error(nc_strerror(status));
}

/// A dataset that is closed with the scope.
class Dataset {
public:
    static Dataset create(const std::string& path, int mode) {
        Dataset dataset;
        check(nc_create(path.c_str(), mode, &dataset.id_));
        return dataset;
    }
    static Dataset open(const std::string& path) {
        Dataset dataset;
        check(nc_open(path.c_str(), NC_NOWRITE, &dataset.id_));
        return dataset;
    }
    Dataset(Dataset&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
    Dataset(const Dataset&) = delete;
    Dataset& operator=(const Dataset&) = delete;
    ~Dataset() {
        if (id_ >= 0) nc_close(id_);
    }

    int id() const { return id_; }
    int dimension(const char* name, std::size_t length) const {
        int dimension = 0;
        check(nc_def_dim(id_, name, length, &dimension));
        return dimension;
    }
    int define(const char* name, nc_type type, const std::vector<int>& dimensions,
               const std::string& units) const {
        int variable = 0;
        check(nc_def_var(id_, name, type, static_cast<int>(dimensions.size()), dimensions.data(), &variable));
        check(nc_put_att_text(id_, variable, "units", units.size(), units.c_str()));
        return variable;
    }
    int variable(const char* name) const {
        int variable = 0;
        check(nc_inq_varid(id_, name, &variable));
        return variable;
    }
    std::string text(int variable, const char* attribute) const {
        std::size_t length = 0;
        check(nc_inq_attlen(id_, variable, attribute, &length));
        std::string text(length, ' ');
        check(nc_get_att_text(id_, variable, attribute, text.data()));
        return text;
    }
    std::vector<double> all(const char* name, std::size_t n) const {
        std::vector<double> values(n);
        check(nc_get_var_double(id_, variable(name), values.data()));
        return values;
    }

private:
    Dataset() = default;
    int id_ = -1;
};

class AmberNetcdfLibrary : public testing::Test {
protected:
    TemporaryFolder folder_;
};

TEST_F(AmberNetcdfLibrary, ReadsWhatWeWrite) {
    std::vector<Frame> frames;
    FrameWriter writer(folder_ / "a.nc");
    for (std::size_t i = 0; i < kFrames; ++i) {
        Frame frame = with_velocities(water_like_frame(kAtoms, 500 * static_cast<std::int64_t>(i)));
        frame.forces = frame.velocities;
        frame.box = {{4, 0, 0}, {2, 3, 0}, {0, 0, 5}};
        writer.write(frame);
        frames.push_back(frame);
    }
    writer.close();

    const Dataset dataset = Dataset::open(folder_ / "a.nc");
    int format = 0;
    check(nc_inq_format(dataset.id(), &format));
    EXPECT_EQ(format, NC_FORMAT_64BIT_OFFSET);
    EXPECT_EQ(dataset.text(NC_GLOBAL, "Conventions"), "AMBER");
    EXPECT_EQ(dataset.text(NC_GLOBAL, "ConventionVersion"), "1.0");
    EXPECT_EQ(dataset.text(NC_GLOBAL, "program"), "coromd");
    int unlimited = -1;
    std::size_t n_records = 0;
    check(nc_inq_unlimdim(dataset.id(), &unlimited));
    check(nc_inq_dimlen(dataset.id(), unlimited, &n_records));
    EXPECT_EQ(n_records, kFrames);
    std::array<char, 3> axes{};
    check(nc_get_var_text(dataset.id(), dataset.variable("spatial"), axes.data()));
    EXPECT_EQ(std::string(axes.data(), axes.size()), "xyz");
    std::array<char, 15> angles{};
    check(nc_get_var_text(dataset.id(), dataset.variable("cell_angular"), angles.data()));
    EXPECT_EQ(std::string(angles.data(), angles.size()), "alphabeta gamma");
    double scale = 0.0;
    check(nc_get_att_double(dataset.id(), dataset.variable("velocities"), "scale_factor", &scale));
    EXPECT_EQ(scale, 20.455);

    const std::size_t n = 3 * kAtoms * kFrames;
    const std::vector<double> coordinates = dataset.all("coordinates", n);
    const std::vector<double> velocities = dataset.all("velocities", n);
    const std::vector<double> forces = dataset.all("forces", n);
    const std::vector<double> time = dataset.all("time", kFrames);
    const std::vector<double> lengths = dataset.all("cell_lengths", 3 * kFrames);
    const std::vector<double> cell_angles = dataset.all("cell_angles", 3 * kFrames);
    for (std::size_t f = 0; f < kFrames; ++f) {
        EXPECT_NEAR(time[f], frames[f].time_ps, 1e-6);
        EXPECT_NEAR(lengths[3 * f + 1], 10.0 * std::sqrt(13.0), 1e-6);
        EXPECT_EQ(cell_angles[3 * f], 90.0);
        EXPECT_NEAR(cell_angles[3 * f + 2], std::atan2(3.0, 2.0) * 180.0 / M_PI, 1e-6);
        for (std::size_t i = 0; i < kAtoms; ++i) {
            const std::size_t y = 3 * (f * kAtoms + i) + 1;
            EXPECT_NEAR(coordinates[y], 10.0 * frames[f].positions[i].y, 1e-5);
            EXPECT_NEAR(velocities[y] * scale, 10.0 * frames[f].velocities[i].y, 1e-5);
            EXPECT_NEAR(forces[y], frames[f].forces[i].y / 41.84, 1e-6);
        }
    }
}

TEST_F(AmberNetcdfLibrary, WritesWhatWeRead) {
    for (const int mode : {0, NC_64BIT_OFFSET, NC_64BIT_DATA}) {
        const std::string path = folder_ / ("b" + std::to_string(mode) + ".nc");
        {
            const Dataset dataset = Dataset::create(path, NC_CLOBBER | mode);
            const int frame = dataset.dimension("frame", NC_UNLIMITED);
            const int spatial = dataset.dimension("spatial", 3);
            const int atom = dataset.dimension("atom", kAtoms);
            check(nc_put_att_text(dataset.id(), NC_GLOBAL, "title", 0, ""));
            check(nc_put_att_text(dataset.id(), NC_GLOBAL, "Conventions", 5, "AMBER"));
            const int time = dataset.define("time", NC_FLOAT, {frame}, "picosecond");
            const int positions = dataset.define("coordinates", NC_FLOAT, {frame, atom, spatial}, "angstrom");
            const int note = dataset.define("note", NC_CHAR, {frame, atom}, "none");
            const int velocities =
                dataset.define("velocities", NC_FLOAT, {frame, atom, spatial}, "angstrom/picosecond");
            const float scale = 20.455F;
            check(nc_put_att_float(dataset.id(), velocities, "scale_factor", NC_FLOAT, 1, &scale));
            check(nc_enddef(dataset.id()));
            for (std::size_t f = 0; f < kFrames; ++f) {
                const std::array<std::size_t, 3> start{f, 0, 0};
                const std::array<std::size_t, 3> count{1, kAtoms, 3};
                std::vector<float> values(3 * kAtoms);
                for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(100 * f + i);
                const std::string letters(kAtoms, 'n');
                const float time_ps = 0.5F * static_cast<float>(f);
                check(nc_put_vara_float(dataset.id(), time, start.data(), count.data(), &time_ps));
                check(nc_put_vara_float(dataset.id(), positions, start.data(), count.data(), values.data()));
                check(nc_put_vara_text(dataset.id(), note, start.data(), count.data(), letters.data()));
                check(nc_put_vara_float(dataset.id(), velocities, start.data(), count.data(), values.data()));
            }
        }
        const Trajectory trajectory(path, "");
        ASSERT_EQ(trajectory.n_frames(), static_cast<std::int64_t>(kFrames)) << mode;
        EXPECT_EQ(trajectory.trailing_bytes(), 0);
        for (std::size_t f = 0; f < kFrames; ++f) {
            const Frame frame = trajectory.frame(static_cast<std::int64_t>(f));
            EXPECT_EQ(frame.time_ps, 0.5 * static_cast<double>(f));
            EXPECT_FALSE(frame.box.periodic());
            ASSERT_EQ(frame.positions.size(), kAtoms);
            for (std::size_t i = 0; i < kAtoms; ++i) {
                const auto value = static_cast<float>(100 * f + 3 * i + 2);
                EXPECT_FLOAT_EQ(frame.positions[i].z, value / 10.0F);
                EXPECT_FLOAT_EQ(frame.velocities[i].z, value * 2.0455F);
            }
        }
    }
}

}  // namespace
}  // namespace coromd::trajectory
