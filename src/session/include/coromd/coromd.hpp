// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

/// The names that a program uses most, in one include and one namespace. Everything else is in the
/// namespaces of its module.

#include "coromd/core/error.hpp"
#include "coromd/core/outcome.hpp"
#include "coromd/core/proportion.hpp"
#include "coromd/core/random.hpp"
#include "coromd/engine/gromacs/system.hpp"
#include "coromd/engine/md_system.hpp"
#include "coromd/engine/model/simulation.hpp"
#include "coromd/engine/model/system.hpp"
#include "coromd/functions/definitions.hpp"
#include "coromd/propagation/until.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/offload.hpp"
#include "coromd/runtime/process.hpp"
#include "coromd/runtime/race.hpp"
#include "coromd/runtime/semaphore.hpp"
#include "coromd/runtime/task.hpp"
#include "coromd/runtime/timeout.hpp"
#include "coromd/runtime/timer.hpp"
#include "coromd/runtime/with.hpp"
#include "coromd/sampling/committor.hpp"
#include "coromd/session/session.hpp"
#include "coromd/trajectory/concatenate.hpp"
#include "coromd/trajectory/extract.hpp"
#include "coromd/trajectory/trajectory.hpp"

namespace coromd {

using engine::MdEngine;
using engine::MdSystem;
using functions::Definitions;
using functions::FunctionPtr;
using propagation::start_with_new_velocities;
using propagation::until_any;
using propagation::UntilLimits;
using propagation::UntilResult;
using runtime::gather;
using runtime::gather_outcomes;
using runtime::offload;
using runtime::race;
using runtime::Semaphore;
using runtime::task;
using runtime::with_timeout;
using session::Session;
using session::SessionOptions;
using trajectory::Trajectory;

namespace gromacs = engine::gromacs;
namespace model = engine::model;

}  // namespace coromd
