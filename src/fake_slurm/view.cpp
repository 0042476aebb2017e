// SPDX-License-Identifier: LGPL-3.0-or-later
#include <pwd.h>
#include <unistd.h>

#include "commands.hpp"

namespace coromd::fake_slurm {

std::string user_name() {
    const passwd* entry = ::getpwuid(::getuid());
    return entry == nullptr ? std::to_string(::getuid()) : entry->pw_name;
}

std::string variable_of(const std::vector<std::string>& environment, const std::string& name) {
    for (const std::string& one : environment)
        if (one.starts_with(name + "=")) return one.substr(name.size() + 1);
    return "";
}

View view_of(const Job& job, double when, double now, const Faults& faults) {
    View view{.job = &job, .state = job.state, .started = job.started, .ended = job.ended, .exists = true};
    if (when < now) {
        if (view.ended > when) {
            view.ended = 0.0;
            view.state = "RUNNING";
        }
        if (view.started > when) {
            view.started = 0.0;
            view.state = "PENDING";
        }
        view.exists = job.submitted <= when;
    }
    if (view.state == "RUNNING") {
        const std::string unknown = faults.text("unknown_state");
        if (!unknown.empty()) view.state = unknown;
    }
    return view;
}

std::string padded(std::string text, std::size_t width, bool right) {
    if (width == 0) return text;
    if (text.size() > width) text.resize(width);
    const std::string space(width - text.size(), ' ');
    return right ? space + text : text + space;
}

}  // namespace coromd::fake_slurm
