// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/core/file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "fixtures.hpp"

namespace coromd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) >= 0;
}

/// While it lives no file can grow beyond `bytes`: write(2) is cut short, then fails with EFBIG.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) {
        handler_ = ::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        ::signal(SIGXFSZ, handler_);
    }

private:
    rlimit before_{};
    void (*handler_)(int) = nullptr;
};

class FileTest : public TemporaryFolder {};

TEST_F(FileTest, DescriptorIsClosedOnce) {
    FileDescriptor file = open_file("/dev/null", O_RDONLY);
    const int fd = file.get();
    FileDescriptor moved = std::move(file);
    EXPECT_FALSE(file);
    EXPECT_EQ(moved.get(), fd);
    moved = FileDescriptor();
    EXPECT_FALSE(is_open(fd));
}

TEST_F(FileTest, DescriptorAssignmentClosesTheOldOne) {
    FileDescriptor first = open_file("/dev/null", O_RDONLY);
    FileDescriptor second = open_file("/dev/null", O_RDONLY);
    const int old = first.get();
    const int kept = second.get();
    first = std::move(second);
    EXPECT_FALSE(is_open(old));
    EXPECT_TRUE(is_open(kept));
    EXPECT_EQ(first.get(), kept);
    const FileDescriptor owner(first.release());
    EXPECT_FALSE(first);
    EXPECT_TRUE(is_open(kept));
}

TEST_F(FileTest, OpensAreNotInherited) {
    EXPECT_TRUE(::fcntl(open_file("/dev/null", O_RDONLY).get(), F_GETFD) & FD_CLOEXEC);
}

TEST_F(FileTest, OpenNamesThePath) {
    const Error error = error_of([&] { open_file(at("none"), O_RDONLY); });
    EXPECT_EQ(error.kind(), ErrorKind::system);
    EXPECT_EQ(error.message(), "cannot open '" + at("none").string() + "': No such file or directory");
}

TEST_F(FileTest, ReadsWhatWasWritten) {
    for (const std::size_t size : {0, 1, 65535, 65536, 65537, 200000}) {
        std::string content(size, 'x');
        if (size > 0) content.back() = '\0';
        write_file_durably(at("file"), content);
        EXPECT_EQ(read_text_file(at("file")), content) << size;
    }
}

TEST_F(FileTest, ReadsFilesThatReportNoSize) {
    EXPECT_THAT(read_text_file("/proc/self/stat"), HasSubstr("core_test"));
}

TEST_F(FileTest, ReadsPipesToTheirEnd) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const FileDescriptor reader(ends[0]);
    std::thread writer([fd = ends[1]] {
        const FileDescriptor owner(fd);
        for (int i = 0; i < 3; ++i) ASSERT_EQ(::write(fd, "abc", 3), 3);
    });
    std::string buffer(100, '\0');
    buffer.resize(read_fully(reader, buffer, "pipe"));
    writer.join();
    EXPECT_EQ(buffer, "abcabcabc");
}

TEST_F(FileTest, LimitIsInclusive) {
    write_file_durably(at("file"), "12345");
    EXPECT_EQ(read_text_file(at("file"), 5), "12345");
    const Error error = error_of([&] { read_text_file(at("file"), 4); });
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_EQ(error.message(), "'" + at("file").string() + "' is larger than 4 bytes");
    EXPECT_EQ(error_of([] { read_text_file("/dev/zero", 1 << 20); }).kind(), ErrorKind::input);
}

TEST_F(FileTest, FoldersAreNoText) {
    const Error error = error_of([&] { read_text_file(folder_); });
    EXPECT_EQ(error.kind(), ErrorKind::system);
    EXPECT_EQ(error.message(), "cannot read '" + folder_.string() + "': Is a directory");
}

TEST_F(FileTest, TailIsTheEnd) {
    write_file_durably(at("file"), "0123456789");
    EXPECT_EQ(read_tail(at("file"), 3), "789");
    EXPECT_EQ(read_tail(at("file"), 10), "0123456789");
    EXPECT_EQ(read_tail(at("file"), std::size_t{1} << 60), "0123456789");
    EXPECT_EQ(read_tail(at("file"), 0), "");
}

TEST_F(FileTest, TailOfNoFileIsEmpty) {
    write_file_durably(at("file"), "0123456789");
    EXPECT_EQ(read_tail(at("none"), 3), "");
    EXPECT_EQ(read_tail(at("file/none"), 3), "");
    EXPECT_EQ(error_of([&] { read_tail(folder_, 3); }).kind(), ErrorKind::system);
}

TEST_F(FileTest, DurableWriteReplacesTheWholeFile) {
    write_file_durably(at("file"), "a long old content");
    write_file_durably(at("file"), "new");
    EXPECT_EQ(read_text_file(at("file")), "new");
    EXPECT_THAT(names(), ElementsAre("file"));
}

TEST_F(FileTest, DurableWriteLeavesOpenReadersTheOldFile) {
    write_file_durably(at("file"), "old");
    const FileDescriptor reader = open_file(at("file"), O_RDONLY);
    write_file_durably(at("file"), "new");
    std::string content(10, '\0');
    content.resize(read_fully(reader, content, at("file")));
    EXPECT_EQ(content, "old");
}

TEST_F(FileTest, DurableWriteTakesARelativeName) {
    const std::filesystem::path before = std::filesystem::current_path();
    std::filesystem::current_path(folder_);
    write_file_durably("file", "here");
    std::filesystem::current_path(before);
    EXPECT_EQ(read_text_file(at("file")), "here");
}

TEST_F(FileTest, FailedWriteKeepsTheOldFileAndNothingElse) {
    write_file_durably(at("file"), "old");
    {
        const FileSizeLimit limit(10);
        const Error error = error_of([&] { write_file_durably(at("file"), "longer than ten bytes"); });
        EXPECT_EQ(error.kind(), ErrorKind::system);
        EXPECT_THAT(error.what(), HasSubstr("File too large"));
    }
    EXPECT_EQ(read_text_file(at("file")), "old");
    EXPECT_THAT(names(), ElementsAre("file"));
}

TEST_F(FileTest, FailedRenameLeavesNothingBehind) {
    std::filesystem::create_directory(at("folder"));
    const Error error = error_of([&] { write_file_durably(at("folder"), "text"); });
    EXPECT_EQ(error.message(), "cannot replace '" + at("folder").string() + "': Is a directory");
    EXPECT_THAT(names(), ElementsAre("folder"));
}

TEST_F(FileTest, LeftoversOfACrashDoNotHinder) {
    const std::string leftover = ".file." + std::to_string(::getpid()) + "-0.tmp";
    write_file_durably(at(leftover), "half");
    write_file_durably(at("file"), "whole");
    EXPECT_EQ(read_text_file(at("file")), "whole");
    EXPECT_EQ(read_text_file(at(leftover)), "half");
}

TEST_F(FileTest, ConcurrentWritersNeverMix) {
    std::vector<std::thread> writers;
    for (char letter = 'a'; letter < 'e'; ++letter) {
        writers.emplace_back([this, letter] {
            for (int i = 0; i < 10; ++i) write_file_durably(at("file"), std::string(100000, letter));
        });
    }
    for (std::thread& writer : writers) writer.join();
    const std::string content = read_text_file(at("file"));
    EXPECT_EQ(content, std::string(100000, content.at(0)));
    EXPECT_THAT(names(), ElementsAre("file"));
}

TEST_F(FileTest, MakesFoldersWithTheirParents) {
    make_directories_durably(at("a") / "b" / "c");
    EXPECT_TRUE(std::filesystem::is_directory(at("a") / "b" / "c"));
    EXPECT_NO_THROW(make_directories_durably(at("a") / "b"));
    write_file_durably(at("file"), "x");
    EXPECT_EQ(error_of([&] { make_directories_durably(at("file") / "folder"); }).kind(), ErrorKind::system);
}

TEST_F(FileTest, SyncsFilesAndFolders) {
    write_file_durably(at("file"), "x");
    EXPECT_NO_THROW(sync_path(at("file")));
    EXPECT_NO_THROW(sync_path(folder_));
    EXPECT_EQ(error_of([&] { sync_path(at("none")); }).kind(), ErrorKind::system);
}

}  // namespace
}  // namespace coromd
