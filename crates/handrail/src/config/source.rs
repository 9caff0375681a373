//! Where values come from: file, environment, flags. Each is read whole, so that all mistakes are told at once.
//!
//! Nothing here judges a value; [`super::value`] does.

use super::{
    problem::{Place, Problem},
    table::{Setting, TABLE, nearest},
};
use std::{ffi::OsString, path::Path};
use toml::de::{DeTable, DeValue};

/// Prefix of our environment variables.
const PREFIX: &str = "HANDRAIL_";

/// The variable that names the file.
pub(crate) const FILE_VARIABLE: &str = "HANDRAIL_CONFIG";

/// A value as someone wrote it.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// Of which setting.
    pub(crate) setting: &'static Setting,
    /// Its text; those of a list.
    pub(crate) texts: Vec<String>,
    /// Where it stands.
    pub(crate) place: Place,
}

/// Values given as flags: the setting, and each use of its flag.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags(pub(crate) Vec<(&'static Setting, Vec<String>)>);

/// Line and column, from 1, of a byte of a text.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// Reads the file's text.
pub(crate) fn file(path: &Path, text: &str, written: &mut Vec<Written>, problems: &mut Vec<Problem>) {
    let place = |at: usize| {
        let (line, column) = line_and_column(text, at);
        Place::File { path: path.to_owned(), line, column }
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    let faulty = !errors.is_empty();
    for error in errors {
        // The message alone: the error's own text quotes the line, which may hold what was put there by mistake.
        problems.push(Problem::new(place(error.span().map_or(0, |span| span.start)), error.message().to_owned()));
    }
    if faulty {
        // What follows a fault may have been read as part of something else: naming it would mislead.
        return;
    }
    let mut found = Vec::new();
    leaves("", table.get_ref(), &mut found);
    found.sort_by_key(|leaf| leaf.key_at);
    for Leaf { name, key_at, value_at, value } in found {
        let Some(setting) = TABLE.iter().find(|setting| setting.name == name) else {
            problems.push(Problem::new(place(key_at), unknown_in_file(&name, value)));
            continue;
        };
        match texts(setting, value) {
            Some(texts) => written.push(Written { setting, texts, place: place(value_at) }),
            None => {
                let text = format!("{name}: expected {}, found {}", setting.kind.expected(), value.type_str());
                problems.push(Problem::new(place(value_at), text));
            }
        }
    }
}

struct Leaf<'a> {
    name: String,
    key_at: usize,
    value_at: usize,
    value: &'a DeValue<'a>,
}

/// Names with their values; of a section its members.
fn leaves<'a>(prefix: &str, table: &'a DeTable<'a>, found: &mut Vec<Leaf<'a>>) {
    for (key, value) in table {
        let name = format!("{prefix}{}", key.get_ref());
        match value.get_ref() {
            DeValue::Table(members) if !members.is_empty() => leaves(&format!("{name}."), members, found),
            // An empty section of ours says nothing.
            DeValue::Table(_) if section(&name).next().is_some() => {}
            value_of => {
                found.push(Leaf { name, key_at: key.span().start, value_at: value.span().start, value: value_of });
            }
        }
    }
}

/// The settings of a section.
fn section(name: &str) -> impl Iterator<Item = &'static str> {
    let prefix = format!("{name}.");
    TABLE.iter().map(|setting| setting.name).filter(move |setting| setting.starts_with(&prefix))
}

fn unknown_in_file(name: &str, value: &DeValue<'_>) -> String {
    let members: Vec<&str> = section(name).collect();
    if !members.is_empty() && !value.is_table() {
        return format!("{name} is a section, with {}", members.join(", "));
    }
    // The last part alone is often right, under the wrong section.
    let names = || TABLE.iter().map(|setting| setting.name);
    let last = |name: &str| name.rsplit('.').next().map(str::to_owned);
    let near = nearest(name, names()).or_else(|| names().find(|known| last(known) == last(name)));
    unknown(name, near)
}

fn unknown(name: &str, near: Option<&str>) -> String {
    match near {
        Some(near) => format!("{name}: there is no such setting; did you mean {near}?"),
        None => format!("{name}: there is no such setting"),
    }
}

/// The texts of a value of the file, when its type is the setting's.
fn texts(setting: &Setting, value: &DeValue<'_>) -> Option<Vec<String>> {
    use super::table::Kind;
    Some(match (setting.kind, value) {
        (kind, DeValue::Array(items)) if kind.is_list() => {
            let text = |item: &toml::Spanned<DeValue<'_>>| item.get_ref().as_str().map(str::to_owned);
            items.iter().map(text).collect::<Option<_>>()?
        }
        (Kind::Switch, DeValue::Boolean(value)) => vec![value.to_string()],
        (Kind::Count(..), DeValue::Integer(value)) => vec![value.to_string()],
        (Kind::Switch | Kind::Count(..), _) => return None,
        (kind, DeValue::String(text)) if !kind.is_list() => vec![text.to_string()],
        _ => return None,
    })
}

/// Reads the environment.
pub(crate) fn environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
    written: &mut Vec<Written>,
    problems: &mut Vec<Problem>,
) {
    let mut ours: Vec<(String, OsString)> = variables
        .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value)))
        .filter(|(name, _)| name.starts_with(PREFIX) && name != FILE_VARIABLE && !is_of_an_orchestrator(name))
        .collect();
    ours.sort();
    for (name, value) in ours {
        let place = Place::Environment(name.clone());
        let Some(setting) = TABLE.iter().find(|setting| setting.variable == name) else {
            let names = TABLE.iter().map(|setting| setting.variable).chain([FILE_VARIABLE]);
            let text = match nearest(&name, names) {
                Some(near) => format!("there is no such setting; did you mean {near}?"),
                None => "there is no such setting".to_owned(),
            };
            problems.push(Problem::new(place, text));
            continue;
        };
        match value.into_string() {
            Ok(text) => written.push(Written { setting, texts: divided(setting, &text), place }),
            Err(_) => problems.push(Problem::new(place, "its value is not UTF-8".to_owned())),
        }
    }
}

/// Variables that Kubernetes and container links put beside a service called `handrail`: not ours, and no mistake.
fn is_of_an_orchestrator(name: &str) -> bool {
    let ends = |what: &str| name.ends_with(what);
    ends("_SERVICE_HOST")
        || ends("_PORT")
        || name.contains("_SERVICE_PORT")
        || name.split_once("_PORT_").is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// The items of a list; any other value stays whole.
fn divided(setting: &Setting, text: &str) -> Vec<String> {
    if setting.kind.is_list() {
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    } else {
        vec![text.to_owned()]
    }
}

/// Reads the flags.
pub(crate) fn flags(flags: Flags, written: &mut Vec<Written>) {
    for (setting, uses) in flags.0 {
        let texts = uses.iter().flat_map(|text| divided(setting, text)).collect();
        written.push(Written { setting, texts, place: Place::Flag(setting.flag) });
    }
}
