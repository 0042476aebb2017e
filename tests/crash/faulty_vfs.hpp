// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <sqlite3.h>

namespace coromd::crash {

/// What goes wrong with SQLite's files.
enum class DiskFault {
    error,    ///< one call fails and does nothing
    half,     ///< one write does its first half, then fails
    full,     ///< from one write on all of them find the disk full
    no_sync,  ///< from one sync on all of them fail
    crash     ///< the process dies in the middle of one call
};

/// Counts the calls by which SQLite changes files, and makes the n-th of them go wrong.
class FaultyVfs {
public:
    /// Makes it this process's default, for good: for a child process. `nth` counts from 1.
    FaultyVfs(DiskFault fault, int nth);
    FaultyVfs(const FaultyVfs&) = delete;
    FaultyVfs& operator=(const FaultyVfs&) = delete;

    /// Whether it has come so far.
    bool fired() const noexcept { return calls_ >= nth_; }

    /// What the calls below ask before they do anything: SQLITE_OK or the error to return.
    int on_write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset);
    int on_sync();
    int on_other(int error);
    sqlite3_vfs* real() const noexcept { return real_; }

private:
    bool strikes();

    DiskFault fault_;
    int nth_;
    int calls_ = 0;
    sqlite3_vfs* real_;
    sqlite3_vfs own_;
};

}  // namespace coromd::crash
