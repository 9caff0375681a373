//! Breakages that need no profile: missing and repeated elements, JSON kinds, types, formats, unknown elements,
//! narrative, base bindings and base targets. Each is invalid by the sentence that its function cites.

use super::codes::{self, NO_CODE, NO_SYSTEM};
use super::made;
use super::node::{Edit, Node, Path, Step, member, object, text};
use super::rules::Told;
use super::site::{Field, Site};
use super::{Kind, Mutants};
use fhir::schema::{BindingStrength, TypeKind};

/// Types that a choice of R4 rarely has.
const ODD_TYPES: [&str; 5] = ["Money", "HumanName", "ContactPoint", "Distance", "Annotation"];

/// Types that a reference may be turned to.
const OTHER_TARGETS: [&str; 7] = ["Basic", "Slot", "Binary", "Patient", "Observation", "Organization", "Library"];

/// An element with `min` above 0 is taken away: its parent has an error, for what is not there has no place.
pub(super) fn missing(site: &Site<'_>, out: &mut Mutants) {
    for element in site.definition.elements.iter().filter(|one| one.min > 0) {
        if let Some(edits) = removal(site, element.name) {
            out.add(Kind::Missing, format!("{} of R4", element.path), edits, [site.place.clone()]);
        }
    }
}

/// The edits that take an element away with its companion; `None` when it is not there.
pub(super) fn removal(site: &Site<'_>, element: &str) -> Option<Vec<Edit>> {
    let names = site.value.members().iter().map(|(name, _)| name);
    let its = names.filter(|name| {
        let plain = name.strip_prefix('_').unwrap_or(name);
        site.definition.member(plain).is_some_and(|(found, _)| found.name == element)
    });
    let edits: Vec<Edit> = its.map(|name| Edit::Remove(member(&site.path, name))).collect();
    (!edits.is_empty()).then_some(edits)
}

/// R4 json.html: an element that does not repeat is no array, one that does is a non-empty one. The error
/// stands at the element, without an index.
pub(super) fn repeats(field: &Field<'_, '_>, out: &mut Mutants) {
    let at = [field.place.clone()];
    let path = field.by.element.path;
    let set = |value: Node| vec![Edit::Set(field.path.clone(), value)];
    if field.by.element.max == Some(1) {
        let twice = Node::Array(vec![field.value.clone(), field.value.clone()]);
        out.add(Kind::TooMany, format!("{path} twice"), set(twice), at.clone());
        out.add(Kind::Json, format!("{path} in an array"), set(Node::Array(vec![field.value.clone()])), at.clone());
        out.add(Kind::Json, format!("{path} null"), set(Node::Null), at.clone());
    } else if let Some(first) = field.value.items().first() {
        out.add(Kind::Json, format!("{path} empty array"), set(Node::Array(Vec::new())), at.clone());
        if !matches!(first, Node::Null) {
            out.add(Kind::Json, format!("{path} without array"), set(first.clone()), at.clone());
        }
        if let Some(most) = field.by.element.max {
            let mut items = field.value.items().to_vec();
            while items.len() <= most as usize {
                items.push(first.clone());
            }
            out.add(Kind::TooMany, format!("{path} above {most}"), set(Node::Array(items)), at.clone());
        }
    }
    // R4 json.html#primitive: a companion is an object with id and extensions.
    let companion = format!("_{}", field.name);
    if field.definition.kind == TypeKind::Primitive
        && field.by.element.max == Some(1)
        && field.holder.value.get(&companion).is_none()
    {
        let odd = object([("handrailUnknown", text("x"))]);
        let edits = vec![Edit::Set(member(&field.holder.path, &companion), odd)];
        out.add(Kind::Unknown, format!("{path} companion"), edits, at);
    }
}

/// A choice in a type that R4 does not give it is an unknown element of its parent.
pub(super) fn odd_type(field: &Field<'_, '_>, out: &mut Mutants) {
    let element = field.by.element;
    if !element.is_choice {
        return;
    }
    let odd = ODD_TYPES.iter().find(|odd| !element.types.iter().any(|one| one.code == **odd));
    if let Some(odd) = odd
        && let Some(value) = made::of_type(odd)
    {
        let mut edits = vec![
            Edit::Remove(field.path.clone()),
            Edit::Set(member(&field.holder.path, &made::json_name(element, odd)), value),
        ];
        let companion = format!("_{}", field.name);
        if field.holder.value.get(&companion).is_some() {
            edits.push(Edit::Remove(member(&field.holder.path, &companion)));
        }
        out.add(Kind::WrongType, format!("{} as {odd}", element.path), edits, [field.holder.place.clone()]);
    }
}

/// R4 json.html: each type has its JSON kind.
pub(super) fn json_kind(site: &Site<'_>, out: &mut Mutants) {
    let Some(by) = site.by else {
        let edits = vec![Edit::Set(member(&[], "resourceType"), text("NoSuchType"))];
        let at = [String::new(), site.place.clone()];
        return out.add(Kind::WrongType, "resourceType".to_owned(), edits, at);
    };
    let path = by.element.path;
    let mut add = |what: &str, value: Node| {
        let edits = vec![Edit::Set(site.path.clone(), value)];
        out.add(Kind::Json, format!("{path} as {what}"), edits, [site.place.clone()]);
    };
    if site.definition.kind == TypeKind::Primitive {
        match site.value {
            Node::Text(_) => add("number", Node::Number("7".to_owned())),
            Node::Number(number) => add("string", text(number)),
            _ => add("string", text("true")),
        }
        add("object", object([("value", site.value.clone())]));
    } else {
        add("string", text("x"));
        add("number", Node::Number("7".to_owned()));
    }
}

/// R4 datatypes.html: formats of primitives.
pub(super) fn format(site: &Site<'_>, out: &mut Mutants) {
    if site.definition.kind != TypeKind::Primitive {
        return;
    }
    let bad: &[&str] = match site.definition.name {
        "date" => &["2024-13-01", "2023-02-29", "05/01/2024", "2024-5-1"],
        "dateTime" => &["2024-02-30", "2024-05-01T10:00:00", "2024-05-01T25:00:00Z", "2024-05-01 10:00:00Z"],
        "instant" => &["2024-05-01", "2024-05-01T10:00:00", "2024-05-01T10:61:00Z"],
        "time" => &["24:00:00", "10:00", "10:60:00"],
        "id" => &["a_b", "a b", "0123456789012345678901234567890123456789012345678901234567890123456"],
        "code" => &[" x", "x ", "a  b", ""],
        "uri" | "url" | "canonical" => &["http://example.org/a b", ""],
        "oid" => &["1.2.3", "urn:oid:3.1"],
        "uuid" => &["urn:uuid:not-a-uuid"],
        "base64Binary" => &["AAA", "!!!!"],
        "string" | "markdown" => &["", "a\u{1}b"],
        "integer" => &["1.5", "2147483648", "1e3"],
        "unsignedInt" => &["-1", "0.5"],
        "positiveInt" => &["0", "-3"],
        _ => &[],
    };
    let is_number = matches!(site.value, Node::Number(_));
    for bad in bad {
        let value = if is_number { Node::Number((*bad).to_owned()) } else { text(bad) };
        let edits = vec![Edit::Set(site.path.clone(), value)];
        let what = format!("{} {bad:?}", site.by.map_or(site.definition.name, |by| by.element.path));
        out.add(Kind::Format, what, edits, [site.place.clone()]);
    }
}

/// R4 json.html: no members that the type does not know. The error stands at the object.
pub(super) fn unknown(site: &Site<'_>, out: &mut Mutants) {
    if site.definition.kind == TypeKind::Primitive {
        return;
    }
    let at = [site.place.clone()];
    let name = site.definition.name;
    let edits = vec![Edit::Set(member(&site.path, "handrailUnknown"), text("x"))];
    out.add(Kind::Unknown, format!("{name} new"), edits, at.clone());
    for (have, _) in site.value.members().iter().filter(|(have, _)| have != "resourceType") {
        let misspelt = format!("{have}Z");
        if !have.starts_with('_') && site.definition.member(&misspelt).is_none() {
            let edits = vec![Edit::Rename(member(&site.path, have), misspelt)];
            out.add(Kind::Unknown, format!("{name} {have}"), edits, at.clone());
        }
    }
}

/// R4 narrative.html, security rows F51 to F53: what a narrative must not hold.
pub(super) fn narrative(site: &Site<'_>, out: &mut Mutants) {
    let Some(div) = site.value.as_text().filter(|_| site.definition.name == "xhtml") else { return };
    let Some(open) = div.find('>') else { return };
    let (Some(head), Some(tail)) = (div.get(..=open), div.get(open + 1..)) else { return };
    if head.ends_with("/>") {
        return;
    }
    let inner = [
        ("script", "<script>alert(1)</script>"),
        ("event", "<p onclick=\"x()\">a</p>"),
        ("javascript URL", "<a href=\"javascript:alert(1)\">a</a>"),
        ("hidden javascript URL", "<a href=\" java&#115;cript:alert(1)\">a</a>"),
        ("entity", "&bogus;"),
        ("frame", "<iframe src=\"https://example.org\"></iframe>"),
        ("form", "<form action=\"/x\"><input name=\"a\"/></form>"),
        ("object", "<object data=\"x\"></object>"),
        ("stylesheet", "<link rel=\"stylesheet\" href=\"x.css\"/>"),
        ("base", "<base href=\"https://example.org\"/>"),
        ("deprecated", "<font>a</font>"),
        ("body", "<body>a</body>"),
        ("not closed", "<p>a"),
        ("not quoted", "<p id=a>a</p>"),
        ("bare ampersand", "a & b"),
    ];
    let mut add = |what: &str, div: String| {
        let edits = vec![Edit::Set(site.path.clone(), Node::Text(div))];
        out.add(Kind::Narrative, what.to_owned(), edits, [site.place.clone()]);
    };
    for (what, bad) in inner {
        add(what, format!("{head}{bad}{tail}"));
    }
    add("doctype", format!("<!DOCTYPE html [<!ENTITY e \"x\">]>{div}"));
    add("event on top", div.replacen("<div", "<div onload=\"x()\"", 1));
    add("no content", "<div xmlns=\"http://www.w3.org/1999/xhtml\"> </div>".to_owned());
    add("no div", "<p xmlns=\"http://www.w3.org/1999/xhtml\">a</p>".to_owned());
}

/// R4 terminologies.html#required, where the packages tell the set.
pub(super) fn base_code(site: &Site<'_>, out: &mut Mutants) {
    let Some(binding) = site.by.and_then(|by| by.element.binding) else { return };
    if binding.strength == BindingStrength::Required {
        let what = site.by.map(|by| by.element.path).unwrap_or_default();
        outside(site, binding.value_set, "hl7.fhir.r4.core#4.0.1", what, out);
    }
}

/// Codes outside of a value set, in their own system and in none.
pub(super) fn outside(site: &Site<'_>, value_set: &str, package: &str, what: &str, out: &mut Mutants) {
    let mut add = |changed: Node, how: &str| {
        if changed != *site.value && codes::holds(value_set, package, &changed) == Told::No {
            let edits = vec![Edit::Set(site.path.clone(), changed)];
            out.add(Kind::Code, format!("{what}: {how}"), edits, [site.place.clone()]);
        }
    };
    let coded = match site.value {
        Node::Text(_) => return add(text(NO_CODE), "another code"),
        Node::Object(_) => site.value,
        _ => return,
    };
    let has_code = coded.get("code").is_some()
        || coded.get("coding").is_some_and(|list| list.items().iter().any(|one| one.get("code").is_some()));
    if has_code {
        add(spoilt(coded, Some(NO_CODE), None), "another code");
        add(spoilt(coded, None, Some(NO_SYSTEM)), "another system");
    }
}

/// A concept, Coding or quantity with other codes or systems.
pub(super) fn spoilt(value: &Node, code: Option<&str>, system: Option<&str>) -> Node {
    let mut changed = value.clone();
    let codings: Vec<Path> = match value.get("coding") {
        Some(list) => (0..list.items().len()).map(|at| vec![Step::Name("coding".to_owned()), Step::Item(at)]).collect(),
        None => vec![Vec::new()],
    };
    for coding in codings {
        for (name, to) in [("code", code), ("system", system)] {
            if let Some(to) = to {
                changed.edit(&Edit::Set(member(&coding, name), text(to)));
            }
        }
    }
    changed
}

/// R4 references.html: the type of the target is one that the element names.
pub(super) fn base_target(site: &Site<'_>, out: &mut Mutants) {
    let Some(by) = site.by.filter(|_| site.definition.name == "Reference") else { return };
    if by.of.targets.is_empty() || by.of.targets.contains(&"Resource") {
        return;
    }
    elsewhere(site, by.of.targets.as_slice(), &OTHER_TARGETS, by.element.path, out);
}

/// A reference to a type that is none of `targets`, taken from `others`.
pub(super) fn elsewhere(site: &Site<'_>, targets: &[&str], others: &[&str], what: &str, out: &mut Mutants) {
    let at = [site.place.clone(), format!("{}.reference", site.place)];
    if site.value.get("reference").is_none() {
        return;
    }
    for other in others.iter().filter(|other| !targets.contains(other)).take(2) {
        for reference in [format!("{other}/1"), format!("https://example.org/fhir/{other}/1")] {
            let edits = vec![Edit::Set(member(&site.path, "reference"), Node::Text(reference))];
            out.add(Kind::Target, format!("{what} to {other}"), edits, at.clone());
        }
    }
}
