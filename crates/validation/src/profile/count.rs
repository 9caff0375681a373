//! How many: elements that a profile asks for, and those that it forbids. SPEC: R4 conformance-rules.html
//! #cardinality.

use super::shape::ActiveSet;
use crate::finding::Place;
use crate::walk::{Walk, bit};
use fhir::issue::{Issue, IssueType};
use fhir::json::Value;
use fhir::schema::TypeDefinition;

impl<'t> Walk<'t> {
    /// The repeats of one element. `place`: the element without index.
    pub(crate) fn check_count(&mut self, rules: &ActiveSet<'t>, count: usize, place: &Place<'_>, offset: usize) {
        for rule in rules {
            let node = rule.node();
            let (least, most) = (node.min as usize, node.max as usize);
            if (least..=most).contains(&count) || (node.max == u32::MAX && count >= least) {
                continue;
            }
            let (id, profile) = (rule.id(), rule.profile());
            let text = if node.max == 0 {
                format!("{id} is not allowed: expected none, found {count} ({profile})")
            } else if count < least {
                format!("{id} has {count} repeats: expected at least {least} ({profile})")
            } else {
                format!("{id} has {count} repeats: expected at most {most} ({profile})")
            };
            self.findings.add_at(Issue::error(IssueType::Structure, text), place, offset);
        }
    }

    /// Elements and slices that must be there and are not. `seen`: the elements of the object that are.
    pub(crate) fn check_needs(
        &mut self,
        active: &ActiveSet<'t>,
        definition: &TypeDefinition,
        seen: u128,
        place: &Place<'_>,
        object: Value<'_>,
    ) {
        for one in active {
            for need in &one.node().needs {
                if definition.element(need.name).is_some_and(|element| seen & bit(element) != 0) {
                    continue;
                }
                let missing = one.at(need.node);
                let text = format!(
                    "{} is missing: expected at least {} ({})",
                    missing.id(),
                    missing.node().min,
                    missing.profile()
                );
                self.findings.add_at(Issue::error(IssueType::Required, text), place, object.span().start);
            }
        }
    }
}
