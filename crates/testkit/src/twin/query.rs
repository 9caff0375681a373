//! Random searches: every parameter that the registry supports on the types of the worlds, with
//! values of the worlds' own vocabulary, every modifier, and all that shapes an answer.

use super::{
    dice::Dice,
    shape::{CODES, LINKS, LOINC, TYPES, Type, WORDS},
};
use fhir::ResourceType;
use search::{Parameter, ParameterKind};

const MODIFIERS: [&str; 12] = [
    "missing",
    "exact",
    "contains",
    "not",
    "text",
    "above",
    "below",
    "identifier",
    "Patient",
    "in",
    "of-type",
    "bogus",
];
const PREFIXES: [&str; 12] = ["", "", "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"];

fn parameters(kind: Type) -> Vec<&'static Parameter> {
    let registry = search::registry::registry();
    let kind = ResourceType::parse(kind.name()).expect("a type of R4");
    registry.of_type(kind).filter(|parameter| registry.is_supported(parameter)).collect()
}

fn references(kind: Type) -> Vec<&'static Parameter> {
    parameters(kind).into_iter().filter(|parameter| parameter.kind == ParameterKind::Reference).collect()
}

/// Percent-encodes what a query string cannot hold.
pub(super) fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~,:/$*@!=".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// An id of the worlds, or nearly.
pub(super) fn id(dice: &mut Dice, kind: Type) -> String {
    match dice.below(20) {
        0..15 => kind.id(dice.below(kind.ids())),
        15..18 => format!("made-{}", dice.below(12)),
        18 => "absent".to_owned(),
        _ => dice.word(&["x_y", "p0.", "%00", "id"]).to_owned(),
    }
}

fn date(dice: &mut Dice) -> String {
    match dice.below(8) {
        0 => "2026".to_owned(),
        1 => "2026-01".to_owned(),
        2 => format!("2026-01-01T0{}:00:{:02}Z", dice.below(2), dice.below(60)),
        3 => dice.word(&["2026-13", "today", "1900-01-01"]).to_owned(),
        _ => format!("2026-01-{:02}", 1 + dice.below(28)),
    }
}

fn reference(dice: &mut Dice, parameter: Option<&Parameter>) -> String {
    let targets: Vec<Type> = TYPES
        .into_iter()
        .filter(|kind| {
            parameter.is_none_or(|one| one.targets.is_empty() || one.targets.iter().any(|t| t.name() == kind.name()))
        })
        .collect();
    let kind = if targets.is_empty() { Type::Patient } else { *dice.pick(&targets) };
    let id = id(dice, kind);
    match dice.below(6) {
        0 => id,
        1 => format!("https://handrail.test/fhir/{}/{id}", kind.name()),
        _ => format!("{}/{id}", kind.name()),
    }
}

fn value(dice: &mut Dice, kind: Type, parameter: &Parameter) -> String {
    match parameter.kind {
        _ if parameter.code == "_id" => id(dice, kind),
        ParameterKind::Date => format!("{}{}", dice.word(&PREFIXES), date(dice)),
        ParameterKind::Number => format!("{}0.{:02}", dice.word(&PREFIXES), dice.below(100)),
        ParameterKind::Quantity => {
            let unit =
                dice.word(&["", "", "|http://unitsofmeasure.org|/min", "||/min", "|http://unitsofmeasure.org|Hz"]);
            format!("{}{}{unit}", dice.word(&PREFIXES), dice.below(100))
        }
        ParameterKind::Reference => reference(dice, Some(parameter)),
        ParameterKind::Uri => dice
            .word(&["http://example.org/q/Alba/1", "http://example.org/q/Alba", "http://example.org/q", "urn:x", "x"])
            .to_owned(),
        ParameterKind::String => {
            dice.word(&["Al", "alba", "Alba", "b", "Birch", "Ålesund", "ales", "G", "G1", "", "x,y"]).to_owned()
        }
        ParameterKind::Composite => {
            format!("{LOINC}|{}${}{}", dice.pick(&CODES), dice.word(&PREFIXES), dice.below(100))
        }
        ParameterKind::Token | ParameterKind::Special => {
            let (_, system, codes) = kind.label();
            match dice.below(10) {
                0..3 => dice.word(&codes).to_owned(),
                3 => format!("{system}|{}", dice.word(&codes)),
                4 => format!("{LOINC}|{}", dice.pick(&CODES)),
                5 => kind.status().map_or("draft", |(_, codes)| dice.word(&codes)).to_owned(),
                6 => format!("urn:test:mrn|{}", dice.word(&WORDS)),
                7 => format!("n{}", dice.below(4)),
                8 => dice.word(&["t1", "urn:test:tag|t2", "|t1", "urn:test:tag|"]).to_owned(),
                _ => dice.word(&["true", "false", "Alba", "|", "a|b|c"]).to_owned(),
            }
        }
    }
}

/// `name=value` that filters; names what it likes.
fn simple(dice: &mut Dice, kind: Type, own_name: bool) -> (String, String) {
    let all = parameters(kind);
    let parameter = *dice.pick(&all);
    let mut name = parameter.code.clone();
    let mut text = value(dice, kind, parameter);
    if dice.chance(15) {
        text = format!("{text},{}", value(dice, kind, parameter));
    }
    if own_name && dice.chance(30) {
        let modifier = match parameter.kind {
            _ if dice.chance(15) => dice.word(&MODIFIERS),
            ParameterKind::Token => dice.word(&["missing", "not", "text"]),
            ParameterKind::String => dice.word(&["missing", "exact", "contains"]),
            ParameterKind::Reference => dice.word(&["missing", "identifier", "Patient", "Practitioner"]),
            ParameterKind::Uri => dice.word(&["missing", "above", "below"]),
            _ => "missing",
        };
        if modifier == "missing" {
            text = dice.word(&["true", "false"]).to_owned();
        }
        name = format!("{name}:{modifier}");
    }
    (name, text)
}

/// Parameters that the worlds' own content answers, so that searches find something.
fn telling(dice: &mut Dice, kind: Type) -> (String, String) {
    let (parameter, _, codes) = kind.label();
    match dice.below(7) {
        0 => (parameter.to_owned(), dice.word(&codes).to_owned()),
        1 => (format!("{parameter}:not"), dice.word(&codes).to_owned()),
        2 if kind.has_code() => {
            let system = dice.word(&["", "http://loinc.org|"]);
            ("code".to_owned(), format!("{system}{}", dice.word(&CODES)))
        }
        3 if kind.has_patient() => ("patient".to_owned(), Type::Patient.id(dice.below(4))),
        4 if kind.number() == Some("value-quantity") => {
            ("value-quantity".to_owned(), format!("{}{}", dice.word(&PREFIXES), dice.below(100)))
        }
        5 => match kind.date() {
            Some(name) => (name.to_owned(), format!("{}{}", dice.word(&PREFIXES), date(dice))),
            None => ("_id".to_owned(), id(dice, kind)),
        },
        _ => {
            let moment = format!("2026-01-01T0{}:00:{:02}Z", usize::from(dice.chance(20)), dice.below(60));
            ("_lastUpdated".to_owned(), format!("{}{moment}", dice.word(&PREFIXES)))
        }
    }
}

/// One parameter that filters: simple, chained, or reverse chained.
fn filter(dice: &mut Dice, kind: Type) -> (String, String) {
    let inner = |dice: &mut Dice, kind: Type| {
        if dice.chance(60) { telling(dice, kind) } else { simple(dice, kind, true) }
    };
    match dice.below(20) {
        0..8 => telling(dice, kind),
        8..13 => simple(dice, kind, true),
        13 | 14 => {
            let list: Vec<_> = LINKS.iter().filter(|(source, ..)| *source == kind).collect();
            if list.is_empty() {
                return telling(dice, kind);
            }
            let (_, code, target) = **dice.pick(&list);
            let (name, value) = telling(dice, target);
            let typed = if dice.chance(80) { format!(":{}", target.name()) } else { String::new() };
            (format!("{code}{typed}.{name}"), value)
        }
        15 => {
            let list = references(kind);
            let Some(parameter) = (!list.is_empty()).then(|| *dice.pick(&list)) else { return telling(dice, kind) };
            let fits =
                |one: &Type| parameter.targets.is_empty() || parameter.targets.iter().any(|t| t.name() == one.name());
            let targets: Vec<Type> = TYPES.into_iter().filter(fits).collect();
            let target = if targets.is_empty() || dice.chance(5) { *dice.pick(&TYPES) } else { *dice.pick(&targets) };
            let (name, value) = inner(dice, target);
            let typed = if dice.chance(80) { format!(":{}", target.name()) } else { String::new() };
            (format!("{}{typed}.{name}", parameter.code), value)
        }
        16..19 => {
            let (source, code) = referring(dice, kind);
            let (name, value) = if dice.chance(70) { telling(dice, source) } else { inner(dice, source) };
            (format!("_has:{}:{code}:{name}", source.name()), value)
        }
        _ => {
            let wrong = ["colour", "_text", "_content", "_filter", "_has:Observation", "subject.name", "", "_sort:asc"];
            (dice.word(&wrong).to_owned(), dice.word(&["red", "", "1"]).to_owned())
        }
    }
}

/// A type and its parameter that may refer to this one.
fn referring(dice: &mut Dice, kind: Type) -> (Type, String) {
    let linked: Vec<_> = LINKS.iter().filter(|(.., target)| *target == kind).collect();
    if !linked.is_empty() && dice.chance(65) {
        let (source, code, _) = **dice.pick(&linked);
        return (source, code.to_owned());
    }
    for _ in 0..20 {
        let source = *dice.pick(&TYPES);
        let list = references(source);
        let fits = |one: &&&Parameter| one.targets.is_empty() || one.targets.iter().any(|t| t.name() == kind.name());
        let list: Vec<_> = list.iter().filter(fits).collect();
        if !list.is_empty() {
            return (source, dice.pick(&list).code.clone());
        }
    }
    (Type::Observation, "subject".to_owned())
}

fn shaping(dice: &mut Dice, kind: Type) -> (String, String) {
    match dice.below(12) {
        0..3 => ("_count".to_owned(), dice.word(&["0", "1", "1", "2", "2", "3", "1000", "-1", "x"]).to_owned()),
        3 | 4 => {
            let keys: Vec<String> = (0..1 + dice.below(2))
                .map(|_| {
                    let all = parameters(kind);
                    let by_code = |name: &str| name.to_owned();
                    let key = match dice.below(5) {
                        0 => by_code("_id"),
                        1 => by_code("_lastUpdated"),
                        2 => by_code(kind.date().unwrap_or("_lastUpdated")),
                        _ => dice.pick(&all).code.clone(),
                    };
                    format!("{}{key}", dice.word(&["", "-"]))
                })
                .collect();
            ("_sort".to_owned(), keys.join(","))
        }
        5 => ("_total".to_owned(), dice.word(&["none", "estimate", "accurate", "accurate", "few"]).to_owned()),
        6 | 7 => {
            let linked: Vec<_> = LINKS.iter().filter(|(source, ..)| *source == kind).collect();
            let list = references(kind);
            let code = if !linked.is_empty() && dice.chance(65) {
                dice.pick(&linked).1.to_owned()
            } else if list.is_empty() {
                "subject".to_owned()
            } else {
                dice.pick(&list).code.clone()
            };
            let target = if dice.chance(20) { format!(":{}", dice.pick(&TYPES).name()) } else { String::new() };
            let name = if dice.chance(4) { "_include:iterate" } else { "_include" };
            let what = if dice.chance(3) { "*".to_owned() } else { format!("{}:{code}{target}", kind.name()) };
            (name.to_owned(), what)
        }
        8 | 9 => {
            let (source, code) = referring(dice, kind);
            ("_revinclude".to_owned(), format!("{}:{code}", source.name()))
        }
        10 => ("_summary".to_owned(), dice.word(&["count", "count", "false", "true"]).to_owned()),
        _ => ("_elements".to_owned(), "id".to_owned()),
    }
}

/// A query string.
pub(super) fn search(dice: &mut Dice, kind: Type) -> String {
    let mut pairs = Vec::new();
    for _ in 0..*dice.pick(&[0, 0, 1, 1, 1, 2, 3]) {
        pairs.push(filter(dice, kind));
    }
    for _ in 0..*dice.pick(&[0, 1, 1, 2, 2, 3]) {
        pairs.push(shaping(dice, kind));
    }
    joined(&pairs)
}

/// A query string that pages through much.
pub(super) fn paging(dice: &mut Dice, kind: Type) -> String {
    let mut pairs = vec![("_count".to_owned(), dice.word(&["1", "2", "20", "50", "100"]).to_owned())];
    for _ in 0..dice.below(3) {
        pairs.push(telling(dice, kind));
    }
    if dice.chance(40) {
        pairs.push(("_sort".to_owned(), dice.word(&["_lastUpdated", "-_lastUpdated", "_id", "code"]).to_owned()));
    }
    if dice.chance(30) {
        pairs.push(("_total".to_owned(), dice.word(&["none", "estimate", "accurate"]).to_owned()));
    }
    if dice.chance(30) {
        pairs.push(shaping(dice, kind));
    }
    joined(&pairs)
}

/// A query string for the audit log: its parameters as the registry has them.
pub(super) fn events(dice: &mut Dice) -> String {
    let registry = search::registry::registry();
    let kind = ResourceType::parse("AuditEvent").expect("a type of R4");
    let all: Vec<&Parameter> = registry.of_type(kind).filter(|parameter| registry.is_supported(parameter)).collect();
    let mut pairs = Vec::new();
    for _ in 0..*dice.pick(&[0, 0, 1, 1, 2]) {
        let parameter = *dice.pick(&all);
        let value = match parameter.code.as_str() {
            "_id" => format!("event-{}", dice.below(40)),
            "action" => dice.word(&["R", "E", "C", "U", "D"]).to_owned(),
            "outcome" => dice.word(&["0", "4", "8"]).to_owned(),
            "subtype" => dice.word(&["read", "vread", "search-type", "transaction", "update"]).to_owned(),
            _ if parameter.kind == ParameterKind::Date => {
                format!("{}2026-01-01T0{}:00:{:02}Z", dice.word(&PREFIXES), dice.below(2), dice.below(40))
            }
            _ if parameter.kind == ParameterKind::Reference => {
                let kind = *dice.pick(&TYPES);
                format!("{}/{}", kind.name(), id(dice, kind))
            }
            _ => dice.word(&["true", "x", "https://handrail.test/fhir", "1.2.3.4"]).to_owned(),
        };
        pairs.push((parameter.code.clone(), value));
    }
    if dice.chance(60) {
        pairs.push(("_count".to_owned(), dice.word(&["0", "1", "2", "3", "5", "100"]).to_owned()));
    }
    if dice.chance(40) {
        let sort = ["date", "-date", "_lastUpdated", "-_lastUpdated", "_id", "agent"];
        pairs.push(("_sort".to_owned(), dice.word(&sort).to_owned()));
    }
    if dice.chance(40) {
        pairs.push(("_total".to_owned(), dice.word(&["none", "estimate", "accurate", "accurate"]).to_owned()));
    }
    joined(&pairs)
}

fn joined(pairs: &[(String, String)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

/// Criteria of a conditional interaction.
pub(super) fn condition(dice: &mut Dice, kind: Type) -> String {
    let (name, value) = if dice.chance(70) { telling(dice, kind) } else { filter(dice, kind) };
    format!("{}={}", encode(&name), encode(&value))
}
