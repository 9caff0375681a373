//! Lengths and bounds. No guide at hand states any, so profiles are made that do: for each type of resource one that
//! allows what the examples have and no more. The examples must meet them, and what goes beyond must be found.
//! SPEC: R4 elementdefinition.html `maxLength`, `minValue[x]`, `maxValue[x]`.

use super::node::{Edit, Node, member, text};
use super::site::{Site, Visit};
use super::{Example, Extra, Kind, Mutants, site};
use fhir::json::Tree;
use fhir::schema::{self, Definitions, TypeDefinition, TypeKind};
use std::collections::BTreeMap;
use std::sync::Arc;
use terminology::Terminology;
use validation::Validator;

/// Where the made profiles are.
const BASE: &str = "http://example.org/StructureDefinition/as-in-the-examples-";

/// Dates far from all examples: those of another precision compare with them too.
const DATES: [&str; 2] = ["1800-01-01", "2900-01-01"];
const BEYOND_DATES: [&str; 2] = ["1799-12-31", "2900-01-02"];

/// The made profiles, and who knows them.
pub(super) struct Bounds {
    pub(super) validator: &'static Validator<'static>,
    seen: BTreeMap<&'static str, Elements>,
}

/// Elements by their order in the definition, so that a differential has them in it.
type Elements = BTreeMap<Vec<usize>, Seen>;

/// What the examples have of one element.
#[derive(Debug)]
struct Seen {
    path: String,
    type_name: &'static str,
    /// Of several types, or of several units: nothing is said of it.
    is_mixed: bool,
    /// Characters of the longest text.
    longest: usize,
    /// Least and most, as written.
    numbers: Option<[(f64, String); 2]>,
    /// System and code of quantities.
    unit: Option<[String; 2]>,
}

/// The canonical of the profile made for a type.
pub(super) fn profile(of: &str) -> String {
    format!("{BASE}{of}")
}

impl Bounds {
    /// Profiles of what these examples have.
    pub(super) fn of(examples: &[Example]) -> Result<Self, String> {
        let mut seen = Collect(BTreeMap::new());
        for example in examples {
            site::walk(&example.node, example.package, &mut seen);
        }
        let seen = seen.0;
        let made: Result<Vec<Tree>, _> =
            seen.iter().map(|(of, all)| Tree::parse(definition(of, all).to_json())).collect();
        let package =
            definitions::Package::of_definitions("handrail.mutants", "1", made.map_err(|why| why.to_string())?);
        let compiled = definitions::compile(&package, schema::r4(), Definitions::builtin());
        if let Some(fault) = compiled.faults.first() {
            return Err(format!("the profiles that are made of the examples: {fault}"));
        }
        // Definitions live as long as the process.
        let known: &'static Definitions = Box::leak(Box::new(Definitions::builtin().with(vec![compiled.tables])));
        let validator = Validator::with(schema::r4(), known, Arc::new(Terminology::new(known, Vec::new())));
        Ok(Self { validator: Box::leak(Box::new(validator)), seen })
    }

    /// Whether there is a profile of this canonical.
    pub(super) fn knows(&self, profile: &str) -> bool {
        profile.strip_prefix(BASE).is_some_and(|of| self.seen.contains_key(of))
    }

    fn seen(&self, site: &Site<'_>) -> Option<&Seen> {
        let (of, order, _) = way(site)?;
        self.seen.get(of)?.get(&order).filter(|seen| !seen.is_mixed)
    }
}

struct Collect(BTreeMap<&'static str, Elements>);

impl Visit for Collect {
    fn field(&mut self, _: &site::Field<'_, '_>) {}

    fn element(&mut self, site: &Site<'_>) {
        let type_name = site.definition.name;
        let is_counted = site.definition.kind == TypeKind::Primitive || type_name == "Quantity";
        let Some((of, order, path)) = way(site).filter(|_| is_counted) else { return };
        let seen = self.0.entry(of).or_default().entry(order).or_insert_with(|| Seen {
            path,
            type_name,
            is_mixed: false,
            longest: 0,
            numbers: None,
            unit: None,
        });
        seen.is_mixed |= seen.type_name != type_name;
        seen.longest = seen.longest.max(site.value.as_text().map_or(0, |text| text.chars().count()));
        let number = if type_name == "Quantity" {
            let unit = ["system", "code"].map(|name| site.value.text_of(name).unwrap_or_default().to_owned());
            seen.is_mixed |= *seen.unit.get_or_insert_with(|| unit.clone()) != unit;
            site.value.get("value")
        } else {
            Some(site.value)
        };
        if let Some(Node::Number(text)) = number
            && let Ok(number) = text.parse::<f64>()
        {
            let one = (number, text.clone());
            let [least, most] = seen.numbers.get_or_insert_with(|| [one.clone(), one.clone()]);
            if number < least.0 {
                *least = one;
            } else if number > most.0 {
                *most = one;
            }
        }
    }
}

/// The type of the resource, and the element with its place in the definition: where a differential can name it
/// without slices. Choices are named at the end of a path alone. What stands behind a content reference
/// (`Questionnaire.item.item`) is named as what that refers to: its rules hold for both.
fn way(site: &Site<'_>) -> Option<(&'static str, Vec<usize>, String)> {
    let names: Vec<&str> = site.place.split('.').map(|step| step.split('[').next().unwrap_or(step)).collect();
    let (root, below) = names.split_first()?;
    let root = schema::r4().type_named(root)?;
    let (mut definition, mut path, mut above) = (root, root.name.to_owned(), Vec::new());
    for (at, name) in below.iter().enumerate() {
        if matches!(*name, "id" | "extension" | "modifierExtension" | "contained") {
            return None;
        }
        let element = definition.elements.iter().find(|one| one.name == *name)?;
        path = format!("{path}.{name}");
        if element.is_choice {
            let order = order(root, &path)?;
            return (at + 1 == below.len()).then_some((root.name, order, format!("{path}[x]")));
        }
        definition = schema::r4().type_of(element.types.first()?)?;
        if definition.kind == TypeKind::Resource {
            return None;
        }
        if definition.name.strip_prefix(root.name).is_some_and(|rest| rest.starts_with('.')) {
            definition.name.clone_into(&mut path);
        } else if above.contains(&definition.name) {
            return None;
        } else {
            above.push(definition.name);
        }
    }
    let order = order(root, &path).filter(|order| !order.is_empty())?;
    Some((root.name, order, path))
}

/// The numbers of a path's elements, each among its siblings.
fn order(root: &'static TypeDefinition, path: &str) -> Option<Vec<usize>> {
    let mut definition = root;
    let mut order = Vec::new();
    for name in path.split('.').skip(1) {
        let (number, element) = definition.elements.iter().enumerate().find(|(_, one)| one.name == name)?;
        order.push(number);
        definition = schema::r4().type_of(element.types.first()?)?;
    }
    Some(order)
}

/// The profile of a type, as a differential.
fn definition(of: &'static str, all: &Elements) -> Node {
    let elements = all.values().filter(|seen| !seen.is_mixed).filter_map(|seen| {
        let mut members = vec![("id".to_owned(), text(&seen.path)), ("path".to_owned(), text(&seen.path))];
        let limits = limits(seen);
        let says = !limits.is_empty();
        members.extend(limits);
        says.then_some(Node::Object(members))
    });
    let base = format!("http://hl7.org/fhir/StructureDefinition/{of}");
    let members = [
        ("resourceType", text("StructureDefinition")),
        ("url", text(&profile(of))),
        ("version", text("1")),
        ("name", text(&format!("AsInTheExamples{of}"))),
        ("status", text("active")),
        ("fhirVersion", text("4.0.1")),
        ("kind", text("resource")),
        ("abstract", Node::Bool(false)),
        ("type", text(of)),
        ("baseDefinition", text(&base)),
        ("derivation", text("constraint")),
        ("differential", super::node::object([("element", Node::Array(elements.collect()))])),
    ];
    super::node::object(members)
}

/// The members of an ElementDefinition that say how far the examples go.
fn limits(seen: &Seen) -> Vec<(String, Node)> {
    let mut letters = seen.type_name.chars();
    let first = letters.next().map(|one| one.to_ascii_uppercase());
    let name: String = first.into_iter().chain(letters).collect();
    let both = |[least, most]: [Node; 2]| vec![(format!("minValue{name}"), least), (format!("maxValue{name}"), most)];
    match seen.type_name {
        "string" | "markdown" | "uri" => {
            vec![("maxLength".to_owned(), Node::Number(seen.longest.to_string()))]
        }
        "integer" | "positiveInt" | "unsignedInt" | "decimal" => match &seen.numbers {
            Some(numbers) => both(numbers.clone().map(|(_, written)| Node::Number(written))),
            None => Vec::new(),
        },
        "date" | "dateTime" => both(DATES.map(text)),
        "instant" => both(DATES.map(|date| Node::Text(format!("{date}T00:00:00Z")))),
        "Quantity" => match (&seen.numbers, &seen.unit) {
            (Some(numbers), Some([system, code])) => both(numbers.clone().map(|(_, written)| {
                let mut members = vec![("value".to_owned(), Node::Number(written))];
                for (name, value) in [("system", system), ("code", code)] {
                    if !value.is_empty() {
                        members.push((name.to_owned(), text(value)));
                    }
                }
                Node::Object(members)
            })),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Longer texts, lesser and greater values than those of any example.
pub(super) fn beyond(site: &Site<'_>, bounds: &Bounds, out: &mut Mutants) {
    let Some(seen) = bounds.seen(site) else { return };
    let mut add = |kind: Kind, how: &str, path: super::node::Path, value: Node| {
        let what = format!("{} {how}", seen.path);
        out.add_with(kind, what, vec![Edit::Set(path, value)], [site.place.clone()], Extra::Bounds);
    };
    let path = || site.path.clone();
    match (seen.type_name, site.value) {
        ("string" | "markdown" | "uri", Node::Text(have)) => {
            let missing = (seen.longest + 1).saturating_sub(have.chars().count());
            add(Kind::Length, "too long", path(), Node::Text(format!("{have}{}", "a".repeat(missing))));
        }
        ("integer" | "positiveInt" | "unsignedInt" | "decimal", Node::Number(_)) => {
            for (how, number) in outside(seen) {
                add(Kind::Bound, how, path(), Node::Number(number));
            }
        }
        ("Quantity", Node::Object(_)) if site.value.get("value").is_some() => {
            for (how, number) in outside(seen) {
                add(Kind::Bound, how, member(&site.path, "value"), Node::Number(number));
            }
        }
        ("date" | "dateTime", Node::Text(_)) => {
            for (how, date) in ["before", "after"].into_iter().zip(BEYOND_DATES) {
                add(Kind::Bound, how, path(), text(date));
            }
        }
        ("instant", Node::Text(_)) => {
            for (how, date) in ["before", "after"].into_iter().zip(BEYOND_DATES) {
                add(Kind::Bound, how, path(), Node::Text(format!("{date}T00:00:00Z")));
            }
        }
        _ => {}
    }
}

/// Numbers below the least and above the most, that the type still has.
fn outside(seen: &Seen) -> Vec<(&'static str, String)> {
    let Some([(least, _), (most, _)]) = &seen.numbers else { return Vec::new() };
    let from = match seen.type_name {
        "positiveInt" => 1.0,
        "unsignedInt" => 0.0,
        _ => f64::MIN,
    };
    let mut all = vec![("above", most + 1.0)];
    if least - 1.0 >= from {
        all.push(("below", least - 1.0));
    }
    // Fifteen digits are as many as a double has for sure; the examples have fewer.
    all.into_iter()
        .map(|(how, number)| (how, format!("{number:.6}").trim_end_matches('0').trim_end_matches('.').to_owned()))
        .collect()
}
