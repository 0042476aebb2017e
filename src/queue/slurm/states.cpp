// SPDX-License-Identifier: LGPL-3.0-or-later
#include "slurm/states.hpp"

#include <array>

#include "slurm/text.hpp"

namespace coromd::queue::slurm {

namespace {

using enum FailureClass;

constexpr State kUnknown{"", "", Phase::unknown, none, "in a state that is not known"};

// Those that are seen most come first.
constexpr std::array kStates{
    State{"PENDING", "PD", Phase::waiting, none, "waits in the queue"},
    State{"RUNNING", "R", Phase::running, none, "runs"},
    State{"COMPLETED", "CD", Phase::ended, none, "completed"},
    State{"COMPLETING", "CG", Phase::ending, none, "is being cleaned up"},
    State{"FAILED", "F", Phase::ended, user, "its script failed"},
    State{"CANCELLED", "CA", Phase::ended, none, "was cancelled"},
    State{"TIMEOUT", "TO", Phase::ended, timeout, "reached its time limit"},
    State{"NODE_FAIL", "NF", Phase::ended, infrastructure, "a node failed"},
    State{"OUT_OF_MEMORY", "OOM", Phase::ended, memory, "ran out of memory"},
    State{"PREEMPTED", "PR", Phase::ended, infrastructure, "had to make room for another job"},
    State{"BOOT_FAIL", "BF", Phase::ended, infrastructure, "its nodes did not start"},
    State{"DEADLINE", "DL", Phase::ended, timeout, "could not end before its deadline"},
    State{"REVOKED", "RV", Phase::ended, infrastructure, "was revoked: another cluster took it"},
    State{"CONFIGURING", "CF", Phase::waiting, none, "waits for its nodes to start"},
    State{"REQUEUED", "RQ", Phase::waiting, none, "was put back into the queue"},
    State{"REQUEUE_FED", "RF", Phase::waiting, none, "is put back into the queue of a federation"},
    State{"REQUEUE_HOLD", "RH", Phase::waiting, none, "was put back into the queue and is held", true},
    State{"RESV_DEL_HOLD", "RD", Phase::waiting, none, "is held: its reservation was deleted", true},
    State{"SPECIAL_EXIT", "SE", Phase::waiting, none, "was put back and held for its exit code", true},
    State{"RESIZING", "RS", Phase::running, none, "is being resized"},
    State{"SIGNALING", "SI", Phase::running, none, "is being signalled"},
    State{"STOPPED", "ST", Phase::running, none, "is stopped, and keeps its processors"},
    State{"SUSPENDED", "S", Phase::running, none, "is suspended"},
    State{"STAGE_OUT", "SO", Phase::ending, none, "moves its files"},
};

}  // namespace

std::span<const State> states() noexcept {
    return kStates;
}

const State& find_state(std::string_view word) noexcept {
    word = trimmed(word);
    word = word.substr(0, word.find(' '));  // "CANCELLED by 1000"
    for (const State& state : kStates)
        if (state.name == word || state.code == word) return state;
    if (!word.ends_with('+')) return kUnknown;
    word.remove_suffix(1);
    const State* found = nullptr;
    for (const State& state : kStates) {
        if (state.name == word) return state;
        if (!state.name.starts_with(word)) continue;
        if (found) return kUnknown;
        found = &state;
    }
    return found ? *found : kUnknown;
}

}  // namespace coromd::queue::slurm
