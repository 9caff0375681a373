//! Every invariant of the R4 tables evaluates on every element of filled resources.

use super::filled::filled;
use fhir::element::Element;
use fhir::json::Tree;
use fhir::schema::{Constraint, TypeKind, r4};
use fhirpath::{Context, Expression, evaluate_condition};
use std::collections::{BTreeMap, BTreeSet};

struct Checked<'t> {
    expressions: BTreeMap<&'static str, Expression>,
    root: Element<'t>,
    seen: BTreeSet<&'static str>,
    failed: BTreeSet<String>,
}

impl<'t> Checked<'t> {
    fn walk(&mut self, element: Element<'t>) {
        let of_element = element.reached_by.map_or(&[][..], |reached_by| &reached_by.constraints[..]);
        for constraint in element.definition.constraints.iter().chain(of_element) {
            self.check(constraint, element);
        }
        let mut children = Vec::new();
        element.all_children(|child| children.push(child));
        for child in children {
            self.walk(child);
        }
    }

    fn check(&mut self, constraint: &Constraint, element: Element<'t>) {
        self.seen.insert(constraint.expression);
        let parse = || Expression::parse(constraint.expression).expect("parses");
        let expression = self.expressions.entry(constraint.expression).or_insert_with(parse).clone();
        let context = Context { resource: Some(self.root), html_checks: Some(|_| true), ..Context::default() };
        if let (Err(error), _) = evaluate_condition(&expression, element, &context) {
            self.failed.insert(format!("{} on {}: {error}", constraint.key, element.definition.name));
        }
    }
}

#[test]
fn all_evaluate() {
    let schema = r4();
    let (mut seen, mut failed, mut expressions) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
    for definition in schema.types.iter().filter(|one| one.kind == TypeKind::Resource && !one.is_abstract) {
        for variant in 0..2 {
            let tree = Tree::parse(filled(schema, definition.name, variant)).expect("JSON");
            let root = Element::resource(&tree, schema).expect("resource");
            let mut checked = Checked { expressions, root, seen, failed };
            checked.walk(root);
            Checked { expressions, seen, failed, .. } = checked;
        }
    }
    assert!(failed.is_empty(), "{}", failed.into_iter().collect::<Vec<_>>().join("\n"));
    let all = schema.types.iter().flat_map(|definition| {
        definition.constraints.iter().chain(definition.elements.iter().flat_map(|element| &element.constraints))
    });
    let all: BTreeSet<&str> = all.map(|constraint| constraint.expression).collect();
    // Types that no resource reaches by its first choices are few.
    assert!(seen.len() * 10 > all.len() * 9, "{} of {} were seen", seen.len(), all.len());
}
