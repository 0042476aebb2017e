// SPDX-License-Identifier: LGPL-3.0-or-later
#include "slurm/hostlist.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/core/fixtures.hpp"

namespace coromd::queue::slurm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(SlurmHostlist, StandsForNames) {
    EXPECT_THAT(expand_hostlist("phys[04-07,9],gpu1,n[1-2]-ib[0-1]"),
                ElementsAre("phys04", "phys05", "phys06", "phys07", "phys9", "gpu1", "n1-ib0", "n1-ib1",
                            "n2-ib0", "n2-ib1"));
    EXPECT_THAT(expand_hostlist("node1.example.org\n"), ElementsAre("node1.example.org"));
    EXPECT_THAT(expand_hostlist("r[8-11]"), ElementsAre("r8", "r9", "r10", "r11"));
    EXPECT_THAT(expand_hostlist("r[008-010]x"), ElementsAre("r008x", "r009x", "r010x"));
    EXPECT_THAT(expand_hostlist("[1-2]"), ElementsAre("1", "2"));
    EXPECT_THAT(expand_hostlist("a[18446744073709551614-18446744073709551615]"), SizeIs(2));
}

TEST(SlurmHostlist, MayBeEmpty) {
    for (const char* text : {"", " ", "(null)", "None assigned"})
        EXPECT_THAT(expand_hostlist(text), IsEmpty());
}

TEST(SlurmHostlist, ThatMakesNoSenseIsRefusedWithItsText) {
    for (const char* text :
         {"a[", "a[1", "a]", "a[]", "a[1-]", "a[-1]", "a[x]", "a[2-1]", "a[1,]", "a[,1]", ",", "a,", ",a",
          "a,,b", "a b", "a[1-2-3]", "a[[1]]", "a[99999999999999999999]", "a[+1]"}) {
        const Error error = error_of([&] { expand_hostlist(text); });
        EXPECT_EQ(error.kind(), ErrorKind::input) << text;
        EXPECT_THAT(error.message(), HasSubstr(text));
    }
    EXPECT_THAT(error_of([] { expand_hostlist("a\x1b[2J"); }).message(), HasSubstr("a\\x1b[2J"));
}

TEST(SlurmHostlist, IsBounded) {
    EXPECT_THAT(expand_hostlist("n[1-65536]"), SizeIs(kMostHosts));
    EXPECT_THAT(expand_hostlist("n[0-255]-[0-255]"), SizeIs(kMostHosts));
    for (const char* text : {"n[0-65536]", "n[0-18446744073709551615]", "n[1-65535],a[1-2]",
                             "n[0-255]-[0-256]", "n[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]"})
        EXPECT_EQ(error_of([&] { expand_hostlist(text); }).kind(), ErrorKind::input) << text;
    EXPECT_THAT(expand_hostlist(std::string(255, 'n')), SizeIs(1));
    EXPECT_EQ(error_of([] { expand_hostlist(std::string(256, 'n')); }).kind(), ErrorKind::input);
    EXPECT_EQ(error_of([] { expand_hostlist(std::string(255, 'n') + "[1]"); }).kind(), ErrorKind::input);
    EXPECT_EQ(error_of([] { expand_hostlist("n[" + std::string(300, '0') + "1]"); }).kind(),
              ErrorKind::input);
}

}  // namespace
}  // namespace coromd::queue::slurm
