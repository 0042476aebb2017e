// SPDX-License-Identifier: LGPL-3.0-or-later
//
// SLURM's commands tell of failures in words only: most end with 1 whatever happened, and scancel with
// the last eight bits of SLURM's own error number. The words are those of SLURM's slurm_errno.c, of
// its commands, and of its wait reasons. A text may hold several: the table is in the order in which
// they count. So a limit on submitted jobs is found before "Job violates accounting/QOS policy",
// which sbatch says of any limit, and "sleeping and retrying" comes after what it ended with.
#include <array>
#include <span>

#include "coromd/core/letters.hpp"
#include "slurm/answers.hpp"
#include "slurm/text.hpp"

namespace coromd::queue::slurm {

namespace {

using enum CommandFailure;

constexpr std::size_t kLongestText = 64 << 10;

// All messages are in lower case here.

constexpr std::string_view kNoAccounting[] = {
    "accounting storage is disabled",
    "not running a supported accounting_storage plugin",
};
constexpr std::string_view kAuthentication[] = {
    "protocol authentication error", "invalid authentication credential", "authentication credential expired",
    "rejecting authentication",      "token generation failed",           "munge",
};
constexpr std::string_view kAccounting[] = {
    "problem talking to the database",
    "unable to connect to database",
    "database connection reference is invalid",
    "failed to open persistent connection",
    "persistinit",
    "slurmdbd",
};
// The request may have arrived before the connection was lost.
constexpr std::string_view kTimedOut[] = {
    "socket timed out on send/recv",
    "zero bytes were transmitted or received",
    "slurm controller (receive failure)",
    "slurm controller (shutdown failure)",
    "message receive failure",
    "unexpected message received",
    "insane message length",
    "header lengths are longer than data received",
    "connection timed out reading",
    "connection timed out writing",
};
constexpr std::string_view kController[] = {
    "unable to contact slurm controller",
    "communication connection failure",
    "message send failure",
    "connection timed out establishing",
    "connection rejected by handler",
    "controller in standby mode",
    "controller is in standby mode",
    "could not establish a configuration source",
    "unable to establish controller machine",
    "can't find an address",
    "connection refused",
};
constexpr std::string_view kInvalidJob[] = {
    "invalid job id",
    "already completing or completed",
    "job has already finished",
};
// "submitjob" is of QOSMaxSubmitJobPerUserLimit, AssocGrpSubmitJobsLimit and their like.
constexpr std::string_view kLimits[] = {
    "submitjob",
    "maxjobcount limit reached",
    "rate limit exceeded",
    "system submissions disabled",
    "requested operation is presently disabled",
    "required partition not available",
    "required node not available",
    "partition in down state",
    "requested reservation not usable now",
};
// The first are of QOSMaxWallDurationPerJobLimit and its like; the last one is what sbatch says where a
// check of the site said no.
constexpr std::string_view kRefused[] = {
    "maxwall",
    "maxcpu",
    "maxnode",
    "maxmem",
    "maxgres",
    "maxtres",
    "mincpu",
    "mingres",
    "invalid partition",
    "no partition specified",
    "not permitted to use this partition",
    "nodes not in this partition",
    "partition configuration not available",
    "node configuration is not available",
    "topology configuration is not available",
    "more processors requested than permitted",
    "count specification invalid",
    "distribution specification invalid",
    "memory specification can not be satisfied",
    "memory required by task is not available",
    "invalid account",
    "invalid qos",
    "invalid wckey",
    "invalid license",
    "invalid feature",
    "invalid preferred feature",
    "invalid generic resource",
    "invalid gres",
    "invalid trackable resource",
    "gres option unsupported",
    "invalid node name",
    "invalid job array",
    "invalid time",
    "time limit is invalid",
    "access denied to requested reservation",
    "requested reservation is invalid",
    "job dependency problem",
    "job size specification",
    "requested account has breached",
    "burst buffer",
    "job script not specified",
    "does not look like a batch script",
    "dos line breaks",
    "invalid directive",
    "parameter too long",
    "mutually exclusive",
    "unrecognized option",
    "invalid option",
    "invalid argument",
    "invalid number of",
    "requires an argument",
    "cli_filter plugin",
    "batch job submission failed: unspecified error",
};
constexpr std::string_view kPermission[] = {
    "access/permission denied",
    "invalid user id",
};
constexpr std::string_view kLater[] = {
    "violates accounting/qos policy",    "job queue full",
    "job creation temporarily disabled", "temporarily unable to accept job",
    "resource temporarily unavailable",
};

struct Group {
    CommandFailure failure;
    std::span<const std::string_view> messages;
};

// In the order in which they count.
constexpr Group kGroups[] = {
    {no_accounting, kNoAccounting},
    {authentication, kAuthentication},
    {accounting_unreachable, kAccounting},
    {timed_out, kTimedOut},
    {controller_unreachable, kController},
    {invalid_job_id, kInvalidJob},
    {limit_reached, kLimits},
    {refused, kRefused},
    {permission, kPermission},
    {limit_reached, kLater},
};

}  // namespace

std::string_view to_string(CommandFailure failure) noexcept {
    constexpr std::array<std::string_view, 12> kTexts{
        "no failure",
        "the controller cannot be reached",
        "no answer in time",
        "the accounting cannot be reached",
        "the cluster keeps no accounting",
        "no such job",
        "a limit is reached",
        "permission denied",
        "authentication failed",
        "the options are refused",
        "there is no such command",
        "another failure",
    };
    return kTexts[static_cast<std::size_t>(failure)];
}

CommandFailure classify_failure(std::optional<int> exit_code, std::string_view stderr_text) {
    if (exit_code == 0) return none;
    if (stderr_text.size() > kLongestText) stderr_text.remove_prefix(stderr_text.size() - kLongestText);
    const std::string text = lower_case(stderr_text);
    for (const auto& [failure, messages] : kGroups) {
        for (const std::string_view message : messages)
            if (text.find(message) != text.npos) return failure;
    }
    if (!exit_code) return timed_out;
    switch (*exit_code) {
        case 8:  // 1800, SLURMCTLD_COMMUNICATIONS_CONNECTION_ERROR
            return controller_unreachable;
        case 140:  // 5004, SLURM_PROTOCOL_SOCKET_IMPL_TIMEOUT
            return timed_out;
        case 210:  // 2002, ESLURM_ACCESS_DENIED
            return permission;
        case 225:  // 2017, ESLURM_INVALID_JOB_ID
            return invalid_job_id;
        default:
            return other;
    }
}

}  // namespace coromd::queue::slurm
