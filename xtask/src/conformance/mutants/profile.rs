//! Breakages of what the claimed profiles say: least and most repeats, slices, types, codes, targets, fixed
//! values. A rule of a slice makes a mutant only where the change leaves the element in that slice.

use super::codes::{NO_CODE, NO_SYSTEM};
use super::made;
use super::node::{Edit, Node, Path, Step, member, object, text};
use super::rules::{Rule, Slice, Told};
use super::site::{Field, Site};
use super::structure::{self, removal, spoilt};
use super::{Extra, Kind, Mutants};
use fhir::schema::{self, BindingStrength, Definitions, Profile, TypeKind};

/// Items added to pass a maximum, at most.
const ADDED_MAX: u32 = 40;

/// Types that a reference may be turned to, where the base takes any.
const ANY_TARGETS: [&str; 4] = ["Basic", "Slot", "Patient", "Observation"];

fn named(rule: &Rule) -> String {
    format!("{} of {}", rule.id, rule.profile.url.rsplit('/').next().unwrap_or_default())
}

/// What a profile asks for is taken away (an error of the parent), what it forbids is added (an error of what
/// was added, or of the parent).
pub(super) fn cardinality(site: &Site<'_>, out: &mut Mutants) {
    for rule in &site.rules {
        for element in &site.definition.elements {
            let shown = if element.is_choice { format!("{}[x]", element.name) } else { element.name.to_owned() };
            let child = rule.child(&shown);
            let Some(says) = child.says() else { continue };
            if element.min == 0
                && says.min.is_some_and(|min| min > 0)
                && let Some(edits) = removal(site, element.name)
                && edits.iter().all(|edit| matches!(edit, Edit::Remove(path) if rule.stays(path)))
            {
                out.add(Kind::Missing, named(&child), edits, [site.place.clone()]);
            }
            if says.max == Some(0)
                && element.max != Some(0)
                && removal(site, element.name).is_none()
                && let Some((name, value)) = made::of_element(element)
                && rule.stays(&member(&site.path, &name))
            {
                let at = [site.place.clone(), format!("{}.{}", site.place, element.name)];
                out.add(Kind::TooMany, named(&child), vec![Edit::Set(member(&site.path, &name), value)], at);
            }
        }
    }
}

/// The most that a profile allows of an element that may repeat.
pub(super) fn most(field: &Field<'_, '_>, out: &mut Mutants) {
    let items = field.value.items();
    let Some(last) = items.last().filter(|_| field.by.element.max != Some(1)) else { return };
    for rule in field.rules.iter().filter(|rule| rule.stays(&field.path)) {
        let Some(most) = rule.says().and_then(|says| says.max).filter(|max| (1..ADDED_MAX).contains(max)) else {
            continue;
        };
        if field.by.element.max.is_none() {
            let added = (items.len()..=most as usize).map(|_| Edit::Push(field.path.clone(), last.clone()));
            out.add(Kind::TooMany, named(rule), added.collect(), [field.place.clone()]);
        }
    }
}

/// Slices: one that is asked for is taken away or turned into another, one with a maximum gets too many. Only
/// where it is known of each repeat whether it belongs. The error stands at the element without index, at a
/// repeat that was changed, or (where nothing is left) at the parent.
pub(super) fn slices(field: &Field<'_, '_>, out: &mut Mutants) {
    let alone = [field.value.clone()];
    let repeats = field.by.element.max != Some(1);
    let items = if repeats { field.value.items() } else { &alone };
    if items.is_empty() || field.holder.value.get(&format!("_{}", field.name)).is_some() {
        return;
    }
    for rule in field.rules.iter().filter(|rule| rule.stays(&field.path)) {
        let slices = rule.slices();
        for (index, slice) in slices.iter().enumerate() {
            let Some(says) = slice.rule.says() else { continue };
            let told = |item: &Node| {
                let before = slices.iter().take(index).map(|one| one.holds(item, field.definition.name, field.name));
                match slice.holds(item, field.definition.name, field.name) {
                    Told::No => Told::No,
                    its => before.fold(its, |sum, one| match (sum, one) {
                        (Told::No, _) | (_, Told::Yes) => Told::No,
                        (Told::Unknown, _) | (_, Told::Unknown) => Told::Unknown,
                        _ => Told::Yes,
                    }),
                }
            };
            let all: Vec<Told> = items.iter().map(told).collect();
            if all.contains(&Told::Unknown) || !all.contains(&Told::Yes) {
                continue;
            }
            let its = || all.iter().enumerate().filter(|(_, told)| **told == Told::Yes).map(|(at, _)| at);
            if says.min.is_some_and(|min| min > 0) {
                let kept: Vec<Node> =
                    items.iter().zip(&all).filter(|(_, told)| **told == Told::No).map(|(one, _)| one.clone()).collect();
                let edit = if kept.is_empty() {
                    Edit::Remove(field.path.clone())
                } else {
                    Edit::Set(field.path.clone(), Node::Array(kept))
                };
                let at = [field.place.clone(), field.holder.place.clone()];
                out.add(Kind::Missing, named(&slice.rule), vec![edit], at);
            }
            if repeats && let Some(most) = says.max.filter(|max| (1..ADDED_MAX).contains(max)) {
                let count = its().count();
                if let Some(one) = its().next().and_then(|at| items.get(at)) {
                    let added = (count..=most as usize).map(|_| Edit::Push(field.path.clone(), one.clone()));
                    out.add(Kind::TooMany, named(&slice.rule), added.collect(), [field.place.clone()]);
                }
            }
            let is_closed = rule.says().and_then(|says| says.slicing_rules) == Some("closed");
            if says.min.is_some_and(|min| min > 0) || is_closed {
                wrong(field, rule, slice, its().collect(), items, out);
            }
        }
    }
}

/// All repeats of a slice changed where the discriminators look.
fn wrong(field: &Field<'_, '_>, rule: &Rule, slice: &Slice, its: Vec<usize>, items: &[Node], out: &mut Mutants) {
    let repeats = field.by.element.max != Some(1);
    let mut edits = Vec::new();
    let mut at = vec![field.place.clone(), field.holder.place.clone()];
    for index in its {
        let Some(item) = items.get(index) else { return };
        let Some(changed) = turned(item, rule, field.definition.name) else { return };
        if slice.holds(&changed, field.definition.name, field.name) != Told::No {
            return;
        }
        let mut path = field.path.clone();
        if repeats {
            path.push(Step::Item(index));
            at.push(format!("{}[{index}]", field.place));
        }
        edits.push(Edit::Set(path, changed));
    }
    out.add(Kind::Slice, named(&slice.rule), edits, at);
}

/// A repeat with other values at the discriminators.
fn turned(item: &Node, rule: &Rule, type_name: &str) -> Option<Node> {
    let mut changed = item.clone();
    if type_name == "Extension" {
        changed.edit(&Edit::Set(member(&[], "url"), text("http://example.org/another")))?;
        return Some(changed);
    }
    for (kind, path) in &rule.says()?.discriminators {
        if !matches!(*kind, "value" | "pattern") {
            return None;
        }
        let names: Vec<&str> = if *path == "$this" { Vec::new() } else { path.split('.').collect() };
        let mut found: Vec<Path> = vec![Vec::new()];
        for name in names {
            let below = found.iter().filter_map(|path| {
                let path = member(path, name);
                let value = item.at(&path)?;
                let count = value.items().len();
                let each = (0..count).map(|at| super::node::item(&path, at)).collect();
                Some(if count > 0 { each } else { vec![path] })
            });
            found = below.flatten().collect();
        }
        for path in found {
            let value = item.at(&path)?;
            let other = match value {
                Node::Object(_) => spoilt(value, Some(NO_CODE), Some(NO_SYSTEM)),
                Node::Text(_) => text(NO_CODE),
                Node::Bool(value) => Node::Bool(!value),
                _ => return None,
            };
            changed.edit(&Edit::Set(path, other))?;
        }
    }
    Some(changed)
}

/// A type that R4 gives a choice, and the profile takes from it.
pub(super) fn types(field: &Field<'_, '_>, out: &mut Mutants) {
    let element = field.by.element;
    if !element.is_choice {
        return;
    }
    for rule in field.rules.iter().filter(|rule| rule.stays(&field.path)) {
        let said = rule.says().map(|says| says.types.as_slice()).unwrap_or_default();
        let taken =
            element.types.iter().filter(|one| !said.is_empty() && !said.iter().any(|said| said.code == one.code));
        for one in taken.take(2) {
            let Some(value) = made::of_type(one.code) else { continue };
            let mut edits = removal(field.holder, element.name).unwrap_or_default();
            edits.push(Edit::Set(member(&field.holder.path, &made::json_name(element, one.code)), value));
            let what = format!("{} as {}", named(rule), one.code);
            out.add(Kind::WrongType, what, edits, [field.place.clone(), field.holder.place.clone()]);
        }
    }
}

/// Required bindings of profiles.
pub(super) fn codes(site: &Site<'_>, out: &mut Mutants) {
    for rule in site.rules.iter().filter(|rule| rule.stays(&site.path)) {
        let Some(binding) = rule.says().and_then(|says| says.binding) else { continue };
        if binding.strength == BindingStrength::Required {
            structure::outside(site, binding.value_set, rule.profile.package, &named(rule), out);
        }
    }
}

/// Types of targets that a profile takes from what the base allows.
pub(super) fn targets(site: &Site<'_>, out: &mut Mutants) {
    let Some(by) = site.by.filter(|_| site.definition.name == "Reference") else { return };
    let any = by.of.targets.is_empty() || by.of.targets.contains(&"Resource");
    let others: &[&str] = if any { &ANY_TARGETS } else { &by.of.targets };
    for rule in site.rules.iter().filter(|rule| rule.stays(&member(&site.path, "reference"))) {
        let Some(of) = rule.says().and_then(|says| says.types.iter().find(|one| one.code == "Reference")) else {
            continue;
        };
        let name = |canonical: &&'static str| {
            let short = canonical.strip_prefix("http://hl7.org/fhir/StructureDefinition/").unwrap_or(canonical);
            if fhir::schema::r4().type_named(short).is_some() {
                return Some(short);
            }
            Definitions::builtin().profile_for(canonical, rule.profile.package).map(|profile| profile.type_name)
        };
        let targets: Option<Vec<&str>> = of.targets.iter().map(name).collect();
        if let Some(targets) = targets.filter(|targets| !targets.is_empty() && !targets.contains(&"Resource")) {
            structure::elsewhere(site, &targets, others, &named(rule), out);
        }
    }
}

/// A reference to what does not meet the profile that is asked for: an empty resource of the type that the
/// reference names, where each profile of that type asks for some element.
pub(super) fn target_profiles(site: &Site<'_>, out: &mut Mutants) {
    let Some(reference) = site.value.text_of("reference").filter(|_| site.definition.name == "Reference") else {
        return;
    };
    // In a Bundle the entry is found first.
    let Some((of, _)) = reference.split_once('/').filter(|_| site.root.text_of("resourceType") != Some("Bundle"))
    else {
        return;
    };
    if schema::r4().type_named(of).is_none_or(|one| one.kind != TypeKind::Resource) {
        return;
    }
    for rule in site.rules.iter().filter(|rule| rule.stays(&member(&site.path, "reference"))) {
        let types = rule.says().map(|says| says.types.as_slice()).unwrap_or_default();
        let Some(asked) = types.iter().find(|one| one.code == "Reference") else { continue };
        let profiles: Option<Vec<&'static Profile>> = asked
            .targets
            .iter()
            .map(|canonical| Definitions::builtin().profile_for(canonical, rule.profile.package))
            .collect();
        let Some(profiles) = profiles else { continue };
        let mut its = profiles
            .into_iter()
            .filter(|profile| matches!(profile.type_name, "Resource") || profile.type_name == of)
            .peekable();
        let asks = |profile: &'static Profile| {
            let is_child = |id: &str| {
                id.strip_prefix(of).is_some_and(|rest| rest.matches('.').count() == 1 && !rest.contains(':'))
            };
            profile.elements.iter().any(|one| is_child(one.id) && one.min.is_some_and(|min| min > 0))
        };
        if its.peek().is_some() && its.all(asks) {
            let empty = object([("resourceType", text(of))]);
            let extra = Extra::Target(reference.to_owned(), empty);
            out.add_with(Kind::TargetProfile, named(rule), Vec::new(), [site.place.clone()], extra);
        }
    }
}

/// Another value than the fixed one, or one that the pattern does not meet.
pub(super) fn values(site: &Site<'_>, out: &mut Mutants) {
    for rule in site.rules.iter().filter(|rule| rule.stays(&site.path)) {
        let Some((wanted, is_fixed)) = rule.value() else { continue };
        let Some(changed) = other_than(site, &wanted) else { continue };
        if !changed.has(&wanted, is_fixed) {
            let edits = vec![Edit::Set(site.path.clone(), changed)];
            out.add(Kind::Fixed, named(rule), edits, [site.place.clone()]);
        }
    }
}

fn other_than(site: &Site<'_>, wanted: &Node) -> Option<Node> {
    match (site.value, wanted) {
        (Node::Text(_), _) if matches!(site.definition.name, "uri" | "url" | "canonical") => {
            Some(text("http://example.org/another"))
        }
        (Node::Text(_), _) if site.definition.kind == TypeKind::Primitive => Some(text("another")),
        (Node::Bool(value), _) => Some(Node::Bool(!value)),
        (Node::Number(_), _) => Some(Node::Number("77".to_owned())),
        (Node::Object(_), Node::Object(_))
            if site.value.get("coding").is_some() || site.value.get("code").is_some() =>
        {
            Some(spoilt(site.value, Some(NO_CODE), Some(NO_SYSTEM)))
        }
        (Node::Object(_), Node::Object(members)) => {
            let (name, _) = members.first()?;
            let mut changed = site.value.clone();
            changed.edit(&Edit::Remove(member(&[], name)))?;
            if changed.members().is_empty() {
                changed = object([("id", text("x"))]);
            }
            Some(changed)
        }
        _ => None,
    }
}
