// SPDX-License-Identifier: LGPL-3.0-or-later
#include "line_reader.hpp"

#include "testing.hpp"

namespace coromd::trajectory {
namespace {

TEST(LineReader, KnowsOffsetsAndAMissingLastNewline) {
    const TemporaryFolder folder;
    write_bytes(folder / "a", "one\n\ntwo\r\nthree");
    const InputFile file(folder / "a");
    LineReader lines(file, 0);
    const auto expect = [&](std::string_view text, bool terminated, std::int64_t offset) {
        const auto line = lines.next();
        ASSERT_TRUE(line);
        EXPECT_EQ(line->text, text);
        EXPECT_EQ(line->terminated, terminated);
        EXPECT_EQ(line->offset, offset);
    };
    expect("one", true, 0);
    expect("", true, 4);
    expect("two", true, 5);
    expect("three", false, 10);
    EXPECT_EQ(lines.offset(), 15);
    EXPECT_FALSE(lines.next());
}

TEST(LineReader, LinesSpanBuffers) {
    const TemporaryFolder folder;
    std::string text;
    for (int i = 0; i < 20000; ++i) text += "line number " + std::to_string(i) + "\n";
    write_bytes(folder / "a", text);
    const InputFile file(folder / "a");
    LineReader lines(file, 0);
    for (int i = 0; i < 20000; ++i) ASSERT_EQ(lines.next()->text, "line number " + std::to_string(i));
    EXPECT_FALSE(lines.next());
}

TEST(LineReader, EndlessLineIsAnError) {
    const TemporaryFolder folder;
    write_bytes(folder / "a", std::string(1 << 20, 'x'));
    const InputFile file(folder / "a");
    LineReader lines(file, 0);
    EXPECT_EQ(error_of([&] { lines.next(); }).kind(), ErrorKind::input);
}

}  // namespace
}  // namespace coromd::trajectory
