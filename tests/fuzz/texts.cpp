// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "coromd/core/error.hpp"
#include "coromd/engine/gromacs/mdp.hpp"
#include "coromd/trajectory/ndx.hpp"
#include "coromd/trajectory/selection.hpp"
#include "target.hpp"
#include "unit/trajectory/made_frames.hpp"

namespace coromd::fuzz {

using namespace trajectory;
namespace fs = std::filesystem;

namespace {

void check_kind(const Error& error) {
    promise(error.kind() == ErrorKind::input || error.kind() == ErrorKind::usage,
            "the error is not one of the input");
    promise(!error.message().empty(), "the error says nothing");
}

/// Of everything that selections can ask for.
Topology colourful_topology() {
    std::vector<Atom> atoms = water_topology(12)->atoms();
    const char* names[] = {"N", "CA", "C", "O", "CB", "H"};
    for (std::size_t i = 0; i < 18; ++i) {
        Atom atom;
        atom.name = names[i % 6];
        atom.resname = i < 6 ? "ALA" : i < 12 ? "GLY" : "NA+";
        atom.resid = static_cast<std::int32_t>(i / 6 + 1);
        atom.type = i % 2 == 0 ? "CT" : "HC";
        atom.element = i % 6 == 5 ? "H" : "C";
        atom.segid = i < 9 ? "A" : "B";
        atom.moltype = "Protein";
        atom.molecule = static_cast<std::int32_t>(i / 12);
        atom.mass_amu = i % 2 == 0 ? 12.011 : 1.008;
        atom.charge_e = i % 2 == 0 ? -0.25 : 0.25;
        atoms.push_back(atom);
    }
    return Topology(std::move(atoms));
}

}  // namespace

void run_selection(const fs::path&, std::string_view bytes) {
    static const Topology topology = colourful_topology();
    static const Frame frame = water_like_frame(static_cast<std::size_t>(topology.size()), 0);
    static const AtomGroups groups{{"Protein", {12, 13, 14}}, {"two words", {0, 29}}, {"empty", {}}};
    std::optional<Selection> selection;
    try {
        selection = Selection::parse(bytes);
    } catch (const Error& error) {
        check_kind(error);
        return;
    }
    for (const SelectionContext context : {SelectionContext{&frame, &groups}, SelectionContext{}}) {
        try {
            const std::vector<std::int32_t> found = selection->evaluate(topology, context);
            promise(std::ranges::is_sorted(found) && std::ranges::adjacent_find(found) == found.end(),
                    "the atoms are not ascending");
            promise(found.empty() || (found.front() >= 0 && found.back() < topology.size()),
                    "an atom does not exist");
            promise(context.frame || !selection->needs_positions(), "positions were needed");
        } catch (const Error& error) {
            check_kind(error);
        }
    }
}

void run_ndx(const fs::path& path, std::string_view /*bytes*/) {
    std::vector<IndexGroup> groups;
    try {
        groups = read_ndx(path);
    } catch (const Error& error) {
        check_kind(error);
        return;
    }
    const fs::path copy = path.parent_path() / "copy.ndx";
    try {
        write_ndx(copy, groups, true);
    } catch (const Error& error) {
        check_kind(error);
        return;
    }
    promise(read_ndx(copy) == groups, "what was written reads back as something else");
    for (const IndexGroup& wanted : groups) {
        try {
            promise(&group(groups, wanted.name) == &wanted, "a group is another one");
        } catch (const Error& error) {
            check_kind(error);
        }
    }
}

void run_mdp(const fs::path& path, std::string_view /*bytes*/) {
    using engine::gromacs::Mdp;
    using engine::gromacs::OutputFormat;
    Mdp mdp;
    try {
        mdp = Mdp::read(path);
    } catch (const Error& error) {
        check_kind(error);
        return;
    }
    const auto attempt = [](const auto& action) {
        try {
            action();
        } catch (const Error& error) {
            check_kind(error);
        }
    };
    for (const Mdp::Item& item : mdp.items()) {
        promise(mdp.contains(item.key) && mdp.text(item.key) == std::string(item.value), "a key is lost");
        attempt([&] { mdp.integer(item.key); });
        attempt([&] { mdp.real(item.key); });
        attempt([&] { mdp.boolean(item.key); });
        mdp.words(item.key);
    }
    for (const OutputFormat format : {OutputFormat::xtc, OutputFormat::trr})
        attempt([&] { nstout(mdp, format); });
    promise(Mdp::parse(mdp.text(), "copy").canonical() == mdp.canonical(), "the text is another one");
    attempt([&] {
        Mdp changed = mdp;
        changed.set("nsteps", 1000);
        promise(changed.integer("nsteps") == 1000, "a value that was set is not there");
        differences(mdp, changed);
        changed.remove("nsteps");
        promise(!changed.contains("nsteps"), "a key that was removed is there");
    });
    // Any text of the file may be asked for as a key or a value.
    const std::vector<Mdp::Item> items = mdp.items();
    for (std::size_t i = 0; i < std::min<std::size_t>(items.size(), 4); ++i) {
        attempt([&] {
            Mdp changed = mdp;
            const std::string value(items.back().value);
            changed.set(items[i].key, value);
            promise(changed.text(items[i].key) == value, "a value is another one");
            changed.set(items[i].value, 0.5);
            changed.set(items[i].key, mdp.words(items[i].key));
        });
    }
    const fs::path copy = path.parent_path() / "copy.mdp";
    mdp.write(copy, true);
    promise(Mdp::read(copy).text() == mdp.text(), "what was written reads back as something else");
}

}  // namespace coromd::fuzz
