// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>

#include "coromd/campaign/snapshot.hpp"
#include "coromd/core/log.hpp"

namespace coromd::campaign {

/// Says, in the file lease.json of a campaign's directory, which program owns the campaign. Given
/// back when it is destroyed.
class Lease {
public:
    static constexpr char kFileName[] = "lease.json";

    /// An owner on another host that has not renewed its lease for so long is taken for dead.
    static constexpr std::chrono::minutes kSilence{10};

    /// Takes the lease for this process; takes over that of a program of this host that is dead, of one on
    /// another host that is silent, and with `take_over` of any on another host.
    /// To be called with the database locked, so that two who see a dead owner take turns.
    /// Throws Error(conflict) that names the owner, Error(input) where the file is not a lease,
    /// Error(system).
    static Lease take(const std::filesystem::path& directory, const Logger& log, bool take_over = false);
    /// Says that the owner lives. Where that fails it will look silent.
    void renew() const noexcept;

    Lease(Lease&& other) noexcept : file_(std::exchange(other.file_, {})), token_(std::move(other.token_)) {}
    Lease& operator=(Lease&&) = delete;
    /// Removes the file if it is still ours: neither taken over, nor of the process we were forked from.
    ~Lease();

private:
    Lease(std::filesystem::path file, std::string token) : file_(std::move(file)), token_(std::move(token)) {}

    std::filesystem::path file_;
    std::string token_;
};

}  // namespace coromd::campaign
