//! The nodes of profiles applied to one element: types, values, bindings, invariants.

use super::binding::Binder;
use super::discriminator::Verdict;
use super::fixed;
use super::shape::{Active, ActiveSet, Shape, TypeRule};
use crate::finding::Place;
use crate::walk::{Inside, Walk};
use fhir::element::Element;
use fhir::issue::{Issue, IssueType, Severity};

/// Nodes on one element; more would be profiles that narrow each other in circles.
const ACTIVE_MAX: usize = 64;

impl<'t> Walk<'t> {
    /// Adds the profiles that narrow the element's type.
    pub(crate) fn expand(
        &mut self,
        active: &mut ActiveSet<'t>,
        element: Element<'t>,
        inside: &Inside<'_, 't>,
        place: &Place<'_>,
    ) {
        let mut at = 0;
        while let Some(one) = active.get(at).copied().filter(|_| active.len() < ACTIVE_MAX) {
            at += 1;
            let rules = one.node().types.iter().filter(|rule| rule.code == element.definition.name);
            for rule in rules.filter(|rule| !rule.profiles.is_empty()) {
                if let Some(shape) = self.narrowing(rule, one, element, inside, place) {
                    let root = Active::root(shape);
                    if !active.iter().any(|other| other.is(root)) {
                        active.push(root);
                    }
                }
            }
        }
    }

    /// The profile that an element meets, of those that its type names.
    fn narrowing(
        &mut self,
        rule: &'t TypeRule,
        active: Active<'t>,
        element: Element<'t>,
        inside: &Inside<'_, 't>,
        place: &Place<'_>,
    ) -> Option<&'t Shape> {
        let offset = element.value.or(element.companion).map_or(0, |value| value.span().start);
        if let [only] = rule.profiles.as_slice() {
            return match only.profile {
                Some(profile) => self.validator.shape(profile),
                // Of an extension its URL tells the same.
                None if rule.code == "Extension" => None,
                None => {
                    self.not_loaded(only.canonical, Severity::Information, place, offset);
                    None
                }
            };
        }
        let mut open = false;
        for one in &rule.profiles {
            match self.conforms(element, *one, inside) {
                Verdict::Yes => return one.profile.and_then(|profile| self.validator.shape(profile)),
                Verdict::Unknown => open = true,
                Verdict::No => {}
            }
        }
        if !open {
            let names: Vec<&str> = rule.profiles.iter().map(|one| one.canonical).collect();
            let text = format!(
                "{}: expected a {} that meets {}; this one does not ({})",
                active.id(),
                rule.code,
                names.join(" or "),
                active.profile()
            );
            self.findings.add_at(Issue::error(IssueType::Value, text), place, offset);
        }
        None
    }

    /// Checks one element against all nodes that apply to it.
    pub(crate) fn apply(
        &mut self,
        active: &ActiveSet<'t>,
        element: Element<'t>,
        inside: &Inside<'_, 't>,
        place: &Place<'_>,
    ) {
        for (at, one) in active.iter().enumerate() {
            let node = one.node();
            if !node.types.is_empty() {
                self.types(*one, element, inside, place);
            }
            if let Some(values) = &node.values {
                self.values(values, *one, &element, place);
            }
            if let Some(bound) = &node.binding
                && !is_fixed(active, element)
            {
                self.binding(bound, Binder::Profile(*one), &element, place);
            }
            for invariant in &node.invariants {
                let earlier = active.iter().take(at);
                let was_asked = earlier.flat_map(|other| &other.node().invariants).any(|other| other.is(invariant));
                if !was_asked {
                    self.invariant(invariant, Some(one.profile()), element, inside, place);
                }
            }
        }
    }

    fn types(&mut self, active: Active<'t>, element: Element<'t>, inside: &Inside<'_, 't>, place: &Place<'_>) {
        let rules = &active.node().types;
        let Some(rule) = rules.iter().find(|rule| rule.code == element.definition.name) else {
            if rules.iter().any(|rule| self.is_type(element, rule.code)) {
                return;
            }
            let offset = element.value.or(element.companion).map_or(0, |value| value.span().start);
            let names: Vec<&str> = rules.iter().map(|rule| rule.code).collect();
            let text = format!(
                "{}: expected {}, found {} ({})",
                active.id(),
                names.join(" or "),
                element.definition.name,
                active.profile()
            );
            return self.findings.add_at(Issue::error(IssueType::Structure, text), place, offset);
        };
        if rule.code == "Reference" {
            self.targets(rule, active, element, inside, place);
        }
    }
}

/// Whether a profile fixes the very code that a quantity has: that is more than a binding says, and goes before
/// it where the two contradict each other (docs/profiles.md, "units that a profile fixes").
fn is_fixed(active: &ActiveSet<'_>, element: Element<'_>) -> bool {
    if element.definition.name != "Quantity" {
        return false;
    }
    let Some(code) = element.value.and_then(|value| value.get("code")) else { return false };
    active.iter().any(|one| {
        let child = one.node().children.iter().find(|(name, _)| *name == "code");
        let values = child.and_then(|(_, at)| one.at(*at).node().values.as_deref());
        values.and_then(|values| values.fixed.as_ref()).is_some_and(|fixed| fixed::equals(code, fixed.root()))
    })
}
