// SPDX-License-Identifier: LGPL-3.0-or-later
//
// A file is ours, with the real one behind it in the same memory, as SQLite gives it. Nothing but
// the calls that change files is looked at; shared memory and memory maps are not offered.
#include "faulty_vfs.hpp"

#include <csignal>

#include <unistd.h>

namespace coromd::crash {

namespace {

struct File {
    sqlite3_file base;
    FaultyVfs* vfs;

    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File& ours(sqlite3_file* file) {
    return *reinterpret_cast<File*>(file);
}
sqlite3_file* real(sqlite3_file* file) {
    return ours(file).real();
}
FaultyVfs& faults(sqlite3_vfs* vfs) {
    return *static_cast<FaultyVfs*>(vfs->pAppData);
}

const sqlite3_io_methods kMethods = {
    1,
    [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); },
    [](sqlite3_file* f, void* to, int size, sqlite3_int64 offset) {
        return real(f)->pMethods->xRead(real(f), to, size, offset);
    },
    [](sqlite3_file* f, const void* data, int size, sqlite3_int64 offset) {
        const int error = ours(f).vfs->on_write(real(f), data, size, offset);
        return error != SQLITE_OK ? error : real(f)->pMethods->xWrite(real(f), data, size, offset);
    },
    [](sqlite3_file* f, sqlite3_int64 size) {
        const int error = ours(f).vfs->on_other(SQLITE_IOERR_TRUNCATE);
        return error != SQLITE_OK ? error : real(f)->pMethods->xTruncate(real(f), size);
    },
    [](sqlite3_file* f, int flags) {
        const int error = ours(f).vfs->on_sync();
        return error != SQLITE_OK ? error : real(f)->pMethods->xSync(real(f), flags);
    },
    [](sqlite3_file* f, sqlite3_int64* size) { return real(f)->pMethods->xFileSize(real(f), size); },
    [](sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); },
    [](sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); },
    [](sqlite3_file* f, int* out) { return real(f)->pMethods->xCheckReservedLock(real(f), out); },
    [](sqlite3_file* f, int op, void* arg) { return real(f)->pMethods->xFileControl(real(f), op, arg); },
    [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); },
    [](sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); },
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr};

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    file->pMethods = nullptr;
    sqlite3_vfs* const behind = faults(vfs).real();
    const int error = behind->xOpen(behind, name, real(file), flags, out_flags);
    if (error != SQLITE_OK) return error;
    ours(file).vfs = &faults(vfs);
    file->pMethods = &kMethods;
    return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync_directory) {
    const int error = faults(vfs).on_other(SQLITE_IOERR_DELETE);
    sqlite3_vfs* const behind = faults(vfs).real();
    return error != SQLITE_OK ? error : behind->xDelete(behind, name, sync_directory);
}

}  // namespace

FaultyVfs::FaultyVfs(DiskFault fault, int nth)
    : fault_(fault), nth_(nth), real_(sqlite3_vfs_find(nullptr)), own_(*real_) {
    own_.zName = "faulty";
    own_.pAppData = this;
    own_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    own_.xOpen = open_file;
    own_.xDelete = delete_file;
    sqlite3_vfs_register(&own_, 1);
}

bool FaultyVfs::strikes() {
    return ++calls_ == nth_;
}

int FaultyVfs::on_write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
    const bool now = strikes();
    if (fault_ == DiskFault::full) return fired() ? SQLITE_FULL : SQLITE_OK;
    if (!now || fault_ == DiskFault::no_sync) return SQLITE_OK;
    if (fault_ != DiskFault::error) file->pMethods->xWrite(file, data, size / 2, offset);
    if (fault_ == DiskFault::crash) ::kill(::getpid(), SIGKILL);
    return SQLITE_IOERR_WRITE;
}

int FaultyVfs::on_sync() {
    if (fault_ == DiskFault::no_sync) return ++calls_ >= nth_ ? SQLITE_IOERR_FSYNC : SQLITE_OK;
    return on_other(SQLITE_IOERR_FSYNC);
}

int FaultyVfs::on_other(int error) {
    if (!strikes() || fault_ == DiskFault::full || fault_ == DiskFault::no_sync) return SQLITE_OK;
    if (fault_ == DiskFault::crash) ::kill(::getpid(), SIGKILL);
    return error;
}

}  // namespace coromd::crash
