// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/core/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <stdexcept>

#include "fixtures.hpp"

namespace coromd {
namespace {

TEST(ErrorTest, WithoutContextIsItsMessage) {
    const Error error(ErrorKind::input, "frame 3 is truncated");
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_STREQ(error.what(), "frame 3 is truncated");
}

TEST(ErrorTest, ReadsFromTheOutsideIn) {
    Error error(ErrorKind::job, "gmx grompp ended with exit code 1");
    error.add_context("while running grompp").add_context("walkers/003");
    EXPECT_STREQ(error.what(),
                 "walkers/003:\n"
                 "  while running grompp:\n"
                 "    gmx grompp ended with exit code 1");
    EXPECT_EQ(error.message(), "gmx grompp ended with exit code 1");
    EXPECT_EQ(error.context(), (std::vector<std::string>{"while running grompp", "walkers/003"}));
}

TEST(ErrorTest, IndentsEveryLineOfAMessage) {
    const Error error = Error(ErrorKind::job, "stderr ends with\nFatal error").add_context("walkers/003");
    EXPECT_STREQ(error.what(), "walkers/003:\n  stderr ends with\n  Fatal error");
}

TEST(ErrorTest, KeepsContextWhenRethrown) {
    const Error error = error_of([] {
        try {
            fail(ErrorKind::conflict, "{} of {}", 2, "three");
        } catch (Error& passing) {
            passing.add_context("outside");
            throw;
        }
    });
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_STREQ(error.what(), "outside:\n  2 of three");
}

TEST(ErrorTest, FailErrnoEndsWithTheSystemsText) {
    const Error error = error_of([] { fail_errno(ENOENT, "cannot open 'a {} b'"); });
    EXPECT_EQ(error.kind(), ErrorKind::system);
    EXPECT_STREQ(error.what(), "cannot open 'a {} b': No such file or directory");
}

TEST(ErrorTest, KindsHaveNames) {
    EXPECT_EQ(to_string(ErrorKind::usage), "usage");
    EXPECT_EQ(to_string(ErrorKind::input), "input");
    EXPECT_EQ(to_string(ErrorKind::system), "system");
    EXPECT_EQ(to_string(ErrorKind::job), "job");
    EXPECT_EQ(to_string(ErrorKind::conflict), "conflict");
}

TEST(ErrorTest, CancelledIsNoError) {
    EXPECT_FALSE((std::is_base_of_v<Error, Cancelled>));
    EXPECT_THROW(throw Cancelled(), std::exception);
}

TEST(ErrorTest, DescribesAnyException) {
    const Error error = Error(ErrorKind::input, "bad").add_context("a.gro");
    EXPECT_EQ(describe(std::make_exception_ptr(error)), "a.gro:\n  bad");
    EXPECT_EQ(describe(std::make_exception_ptr(std::runtime_error("plain"))), "plain");
    EXPECT_EQ(describe(std::make_exception_ptr(Cancelled())), "cancelled");
    EXPECT_EQ(describe(std::make_exception_ptr(42)), "unknown exception");
    EXPECT_EQ(describe(nullptr), "no error");
}

}  // namespace
}  // namespace coromd
