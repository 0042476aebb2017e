// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <span>
#include <string_view>

#include "coromd/queue/job.hpp"

namespace coromd::queue::slurm {

// One table says what each of SLURM's job states means to us, so that nothing else compares words.

enum class Phase {
    unknown,  ///< a word that we do not know: the job may be anywhere
    waiting,  ///< nothing of it runs yet, or no longer
    running,  ///< its script was started and has not ended
    ending,   ///< its script has ended, or is being killed; SLURM cleans up
    ended     ///< for good
};

struct State {
    std::string_view name;  ///< "NODE_FAIL"; "" for the unknown one
    std::string_view code;  ///< "NF"
    Phase phase = Phase::unknown;
    /// Whom the state blames, of ended ones. `user` of FAILED is a first guess: what the job left
    /// tells more. CANCELLED has `none`, and is no success.
    FailureClass failure = FailureClass::none;
    std::string_view text;  ///< for a person: "a node failed"
    bool held = false;      ///< waits for a person to release it

    bool completed() const noexcept { return name == "COMPLETED"; }
    bool cancelled() const noexcept { return name == "CANCELLED"; }
};

/// All known states.
std::span<const State> states() noexcept;

/// The state that `word` names: in full, by its code, as "CANCELLED by 1000", or cut short by sacct
/// ("COMPLETED+", "OUT_OF_ME+"). For any other word a state whose phase is unknown, never an error.
/// What is returned lives for ever.
const State& find_state(std::string_view word) noexcept;

}  // namespace coromd::queue::slurm
