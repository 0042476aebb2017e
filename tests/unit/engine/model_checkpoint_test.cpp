// SPDX-License-Identifier: LGPL-3.0-or-later
#include "model/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>

#include "coromd/core/file.hpp"
#include "unit/core/fixtures.hpp"

namespace coromd::engine::model {
namespace {

using testing::HasSubstr;

class ModelCheckpoint : public TemporaryFolder {
protected:
    static Checkpoint example() {
        return {{1, 2},
                3,
                std::int64_t{1} << 40,
                77,
                {{{0.1, -0.2}, {1e-300, std::numeric_limits<double>::denorm_min()}},
                 {{-0.0, 1.0 / 3.0}, {4.0, 5.0}}}};
    }
};

TEST_F(ModelCheckpoint, ReadsBackToTheLastBit) {
    example().write(at("md.cpt"));
    EXPECT_EQ(Checkpoint::read(at("md.cpt")), example());
    EXPECT_TRUE(std::signbit(Checkpoint::read(at("md.cpt")).particles[1].position.x));
    EXPECT_THAT(names(), testing::ElementsAre("md.cpt"));
}

TEST_F(ModelCheckpoint, KeepsTheOneBefore) {
    Checkpoint checkpoint = example();
    for (const std::int64_t step : {10, 20, 30}) {
        checkpoint.step = step;
        checkpoint.write(at("md.cpt"));
    }
    EXPECT_EQ(Checkpoint::read(at("md.cpt")).step, 30);
    EXPECT_EQ(Checkpoint::read(at("md_prev.cpt")).step, 20);
}

TEST_F(ModelCheckpoint, RefusesEveryDamage) {
    example().write(at("md.cpt"));
    const std::string good = read_text_file(at("md.cpt"));
    const auto refusal = [&](const std::string& bytes) {
        std::ofstream(at("bad.cpt"), std::ios::binary) << bytes;
        const Error error = error_of([&] { Checkpoint::read(at("bad.cpt")); });
        EXPECT_EQ(error.kind(), ErrorKind::input);
        return std::string(error.what());
    };
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_THAT(refusal(good.substr(0, size)), HasSubstr("bad.cpt"));
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string changed = good;
        changed[i] = static_cast<char>(changed[i] ^ 0x10);
        EXPECT_THAT(refusal(changed), HasSubstr("bad.cpt")) << "byte " << i;
    }
    EXPECT_THAT(refusal(good + "x"), HasSubstr("checksum"));
}

TEST_F(ModelCheckpoint, BelievesNoNumberOfParticles) {
    // With a checksum that is right: somebody else's version, or malice.
    example().write(at("md.cpt"));
    const std::string good = read_text_file(at("md.cpt"));
    const auto with = [&](std::size_t offset, char value) {
        std::string bytes = good.substr(0, good.size() - 8);
        bytes[offset] = value;
        const std::uint64_t hash = hash64(bytes);
        for (int i = 0; i < 8; ++i) bytes += static_cast<char>(hash >> (8 * i) & 0xff);
        std::ofstream(at("bad.cpt"), std::ios::binary) << bytes;
        return std::string(error_of([&] { Checkpoint::read(at("bad.cpt")); }).what());
    };
    EXPECT_THAT(with(63, '\x7f'), HasSubstr("contradicts"));  // particles
    EXPECT_THAT(with(56, '\x00'), HasSubstr("contradicts"));
    EXPECT_THAT(with(31, '\xff'), HasSubstr("contradicts"));  // step
    EXPECT_THAT(with(20, '\x00'), HasSubstr("contradicts"));  // part
    EXPECT_THAT(with(16, '\x02'), HasSubstr("version 2"));
}

}  // namespace
}  // namespace coromd::engine::model
