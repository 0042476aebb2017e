// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/report/section.hpp"
#include "sections/sections.hpp"

namespace coromd::report {

Registry<Section> builtin_sections() {
    Registry<Section> sections("section");
    sections.add(head_section());
    sections.add(outcomes_section());
    sections.add(jobs_section());
    sections.add(timeline_section());
    sections.add(throughput_section());
    sections.add(waiting_section());
    sections.add(failures_section());
    sections.add(time_series_section());
    sections.add(densities_section());
    sections.add(inputs_section());
    sections.add(provenance_section());
    sections.add(notes_section());
    return sections;
}

}  // namespace coromd::report
