// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Each node of the tree is evaluated to a mask over the atoms.
#include "coromd/trajectory/selection.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "coromd/core/error.hpp"
#include "coromd/core/letters.hpp"
#include "coromd/core/suggestion.hpp"
#include "elements.hpp"
#include "neighbours.hpp"
#include "selection_tree.hpp"

namespace coromd::trajectory {

namespace {

using Mask = std::vector<bool>;

/// Does `text` match `pattern`, in which * stands for any characters and ? for one?
bool matches(std::string_view text, std::string_view pattern) {
    std::size_t t = 0;
    std::size_t p = 0;
    std::size_t star = std::string_view::npos;
    std::size_t after_star = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            after_star = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            // Let the last star swallow one character more.
            p = star + 1;
            t = ++after_star;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

/// In upper case; empty for virtual sites and where nothing is known.
std::string element_of(const Atom& atom) {
    if (!atom.element.empty()) return upper_case(atom.element);
    const Element* guess = guess_element(atom.name, atom.resname);
    return guess && guess->mass_amu > 0.0 ? std::string(guess->symbol) : std::string();
}

bool is_in_class(const Atom& atom, AtomClass atoms) {
    constexpr auto kBackbone = std::to_array<std::string_view>({"N", "CA", "C", "O"});
    switch (atoms) {
        case AtomClass::all:
            return true;
        case AtomClass::none:
            return false;
        case AtomClass::protein:
            return is_protein_residue(atom.resname);
        case AtomClass::backbone:
            return is_protein_residue(atom.resname) &&
                   std::ranges::find(kBackbone, atom.name) != kBackbone.end();
        case AtomClass::water:
            return is_water_residue(atom.resname);
        case AtomClass::solute:
            return !is_water_residue(atom.resname);
        case AtomClass::hydrogen:
            return element_of(atom) == "H";
    }
    return false;
}

bool passes(double value, const RealMatch::Test& test) {
    // Files have single precision: 0.4 is 0.40000001 there.
    const auto is_close = [value](double other) {
        return std::abs(value - other) <= 1e-6 * std::max(1.0, std::abs(other));
    };
    switch (test.comparison) {
        case Comparison::less:
            return value < test.first && !is_close(test.first);
        case Comparison::less_equal:
            return value < test.first || is_close(test.first);
        case Comparison::greater:
            return value > test.first && !is_close(test.first);
        case Comparison::greater_equal:
            return value > test.first || is_close(test.first);
        case Comparison::equal:
            return is_close(test.first);
        case Comparison::not_equal:
            return !is_close(test.first);
        case Comparison::range:
            return (test.first <= value && value <= test.last) || is_close(test.first) || is_close(test.last);
    }
    return false;
}

class Evaluator {
public:
    Evaluator(const SelectionTree& tree, const Topology& topology, const SelectionContext& context)
        : tree_(tree), atoms_(topology.atoms()), context_(context) {}

    Mask evaluate() { return mask_of(tree_.root); }

private:
    Mask mask_of(const SelectionNode& node) {
        return std::visit([&](const auto& rule) { return apply(rule, node.column); }, node.rule);
    }

    Mask apply(AtomClass atoms, std::size_t) const {
        return where([&](const Atom& atom) { return is_in_class(atom, atoms); });
    }

    Mask apply(const TextMatch& match, std::size_t column) const {
        switch (match.property) {
            case TextProperty::name:
                return by_text(match, &Atom::name);
            case TextProperty::resname:
                return by_text(match, &Atom::resname);
            case TextProperty::type:
                demand(column, "type", [](const Atom& atom) { return !atom.type.empty(); });
                return by_text(match, &Atom::type);
            case TextProperty::segid:
                demand_segments(column);
                return by_text(match, &Atom::segid);
            case TextProperty::moltype:
                demand(column, "moltype", [](const Atom& atom) { return !atom.moltype.empty(); });
                return by_text(match, &Atom::moltype);
            case TextProperty::element:
                return by_element(match);
        }
        return {};
    }

    Mask by_text(const TextMatch& match, std::string Atom::*member) const {
        return where([&](const Atom& atom) { return matches_any(atom.*member, match.patterns); });
    }

    Mask by_element(const TextMatch& match) const {
        std::vector<TextMatch::Pattern> patterns = match.patterns;
        for (TextMatch::Pattern& pattern : patterns) pattern.text = upper_case(pattern.text);
        return where([&](const Atom& atom) {
            const std::string element = element_of(atom);
            return !element.empty() && matches_any(element, patterns);
        });
    }

    static bool matches_any(const std::string& text, const std::vector<TextMatch::Pattern>& patterns) {
        return std::ranges::any_of(patterns, [&](const TextMatch::Pattern& pattern) {
            return pattern.literal ? text == pattern.text : matches(text, pattern.text);
        });
    }

    Mask apply(const NumberMatch& match, std::size_t) const {
        const bool is_resid = match.property == NumberProperty::resid;
        const std::int64_t base = match.property == NumberProperty::bynum ? 1 : 0;
        const auto n_atoms = static_cast<std::int64_t>(atoms_.size());
        for (const NumberMatch::Range& range : match.ranges) {
            if (is_resid || (range.first >= base && range.last < base + n_atoms)) continue;
            complain(range.column, "'{}' is out of range: the atoms are {} to {}",
                     range.first < base ? range.first : range.last, base, base + n_atoms - 1);
        }
        Mask mask(atoms_.size());
        for (std::size_t i = 0; i < mask.size(); ++i) {
            const std::int64_t n = is_resid ? atoms_[i].resid : static_cast<std::int64_t>(i) + base;
            mask[i] =
                std::ranges::any_of(match.ranges, [&](const auto& r) { return r.first <= n && n <= r.last; });
        }
        return mask;
    }

    Mask apply(const RealMatch& match, std::size_t column) const {
        const bool is_mass = match.property == RealProperty::mass;
        const auto member = is_mass ? &Atom::mass_amu : &Atom::charge_e;
        demand(column, is_mass ? "mass" : "charge",
               [&](const Atom& atom) { return !std::isnan(atom.*member); });
        return where([&](const Atom& atom) {
            return std::ranges::any_of(match.tests,
                                       [&](const auto& test) { return passes(atom.*member, test); });
        });
    }

    Mask apply(const GroupMatch& group, std::size_t column) const {
        if (!context_.groups)
            complain(column, "there are no groups here: they come from an index file (.ndx)");
        const auto found = context_.groups->find(group.name);
        if (found == context_.groups->end()) {
            std::vector<std::string_view> names;
            for (const auto& [name, atoms] : *context_.groups) names.push_back(name);
            const std::string_view nearest = nearest_name(group.name, names);
            complain(column, "there is no group '{}'{}", group.name,
                     nearest.empty() ? "" : fmt::format(" (did you mean '{}'?)", nearest));
        }
        Mask mask(atoms_.size());
        for (const std::int32_t atom : found->second) {
            if (atom < 0 || static_cast<std::size_t>(atom) >= atoms_.size()) {
                complain(column, "the group '{}' has the atom {} (counted from 0), and there are {} atoms",
                         group.name, atom, atoms_.size());
            }
            mask[static_cast<std::size_t>(atom)] = true;
        }
        return mask;
    }

    Mask apply(const SameAs& same, std::size_t column) {
        const Mask operand = mask_of(*same.operand);
        switch (same.property) {
            case SharedProperty::residue:
                return same_residue_as(operand);
            case SharedProperty::resname:
                return same_value_as(operand, &Atom::resname);
            case SharedProperty::segid:
                demand_segments(column);
                return same_value_as(operand, &Atom::segid);
            case SharedProperty::moltype:
                demand(column, "moltype", [](const Atom& atom) { return !atom.moltype.empty(); });
                return same_value_as(operand, &Atom::moltype);
            case SharedProperty::molecule:
                demand(column, "molecule", [](const Atom& atom) { return atom.molecule >= 0; });
                return same_value_as(operand, &Atom::molecule);
        }
        return {};
    }

    template <typename Value>
    Mask same_value_as(const Mask& operand, Value Atom::*member) const {
        std::set<Value> values;
        for (std::size_t i = 0; i < operand.size(); ++i) {
            if (operand[i]) values.insert(atoms_[i].*member);
        }
        return where([&](const Atom& atom) { return values.contains(atom.*member); });
    }

    /// A residue is a run of atoms: numbers start again in each chain, and after 99999.
    Mask same_residue_as(const Mask& operand) const {
        const auto is_same = [](const Atom& a, const Atom& b) {
            return a.resid == b.resid && a.resname == b.resname && a.segid == b.segid &&
                   a.molecule == b.molecule;
        };
        Mask mask(atoms_.size());
        for (std::size_t first = 0; first < atoms_.size();) {
            bool any = false;
            std::size_t end = first;
            for (; end < atoms_.size() && is_same(atoms_[first], atoms_[end]); ++end)
                any = any || operand[end];
            for (; first < end; ++first) mask[first] = any;
        }
        return mask;
    }

    Mask apply(const Near& near, std::size_t column) {
        const std::string_view word = near.with_operand ? "within" : "around";
        if (!context_.frame)
            complain(column, "'{}' needs the positions of a frame, and there are none here", word);
        const std::vector<Vec3f>& positions = context_.frame->positions;
        if (positions.size() != atoms_.size()) {
            complain(column,
                     "'{}' needs a frame of the same atoms: it has {} positions, the structure {} atoms",
                     word, positions.size(), atoms_.size());
        }
        if (!near.operand) return find_near(positions, {&near.point, 1}, context_.frame->box, near.radius_nm);

        const Mask operand = mask_of(*near.operand);
        std::vector<Vec3f> references;
        for (std::size_t i = 0; i < operand.size(); ++i) {
            if (operand[i]) references.push_back(positions[i]);
        }
        Mask mask = find_near(positions, references, context_.frame->box, near.radius_nm);
        for (std::size_t i = 0; i < mask.size(); ++i) {
            if (operand[i]) mask[i] = near.with_operand;
        }
        return mask;
    }

    Mask apply(const Not& inverse, std::size_t) {
        Mask mask = mask_of(*inverse.operand);
        mask.flip();
        return mask;
    }

    Mask apply(const AllOf& all, std::size_t) {
        Mask mask(atoms_.size(), true);
        for (const SelectionNode& node : all.operands) {
            const Mask other = mask_of(node);
            for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = mask[i] && other[i];
        }
        return mask;
    }

    Mask apply(const AnyOf& any, std::size_t) {
        Mask mask(atoms_.size());
        for (const SelectionNode& node : any.operands) {
            const Mask other = mask_of(node);
            for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = mask[i] || other[i];
        }
        return mask;
    }

    template <typename Predicate>
    Mask where(const Predicate& predicate) const {
        Mask mask(atoms_.size());
        for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = predicate(atoms_[i]);
        return mask;
    }

    template <typename Predicate>
    void demand(std::size_t column, std::string_view what, const Predicate& knows) const {
        const auto unknown = std::ranges::find_if_not(atoms_, knows);
        if (unknown == atoms_.end()) return;
        complain(column,
                 "the structure file does not say the {} of atom {} ('{}'): give the .tpr, which does", what,
                 unknown - atoms_.begin() + 1, unknown->name);
    }

    void demand_segments(std::size_t column) const {
        const bool any = std::ranges::any_of(atoms_, [](const Atom& atom) { return !atom.segid.empty(); });
        if (!any)
            complain(column, "the structure file names no segments or chains: in a .tpr, 'moltype' may do");
    }

    template <typename... Args>
    [[noreturn]] void complain(std::size_t column, fmt::format_string<Args...> format, Args&&... args) const {
        fail_in_selection(tree_.text, column, fmt::format(format, std::forward<Args>(args)...));
    }

    const SelectionTree& tree_;
    const std::vector<Atom>& atoms_;
    const SelectionContext& context_;
};

}  // namespace

Selection Selection::parse(std::string_view text) {
    return Selection(std::make_shared<const SelectionTree>(parse_selection(text)));
}

bool Selection::needs_positions() const noexcept {
    return tree_->needs_positions;
}

std::vector<std::int32_t> Selection::evaluate(const Topology& topology,
                                              const SelectionContext& context) const {
    if (topology.size() > std::numeric_limits<std::int32_t>::max()) {
        fail(ErrorKind::usage, "{} atoms are too many to select from", topology.size());
    }
    const Mask mask = Evaluator(*tree_, topology, context).evaluate();
    std::vector<std::int32_t> indices;
    for (std::size_t i = 0; i < mask.size(); ++i) {
        if (mask[i]) indices.push_back(static_cast<std::int32_t>(i));
    }
    return indices;
}

std::vector<std::int32_t> select(const Topology& topology, std::string_view text) {
    std::vector<std::int32_t> indices = Selection::parse(text).evaluate(topology);
    if (indices.empty()) fail(ErrorKind::usage, "the selection '{}' matches no atom", text);
    return indices;
}

}  // namespace coromd::trajectory
