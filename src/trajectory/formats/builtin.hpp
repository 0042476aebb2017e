// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include "coromd/trajectory/format.hpp"

namespace coromd::trajectory {

// One function per file of this folder: its metadata and factories.
Format amber_netcdf_format();
Format dcd_format();
Format gro_format();
Format pdb_format();
Format tpr_format();
Format trr_format();
Format xtc_format();

}  // namespace coromd::trajectory
