// SPDX-License-Identifier: LGPL-3.0-or-later
#include "formats/builtin.hpp"

namespace coromd::trajectory {

const Registry<Format>& builtin_formats() {
    static const Registry<Format> formats = [] {
        Registry<Format> all("file format");
        all.add(xtc_format());
        all.add(trr_format());
        all.add(gro_format());
        all.add(pdb_format());
        all.add(tpr_format());
        all.add(dcd_format());
        all.add(amber_netcdf_format());
        return all;
    }();
    return formats;
}

}  // namespace coromd::trajectory
