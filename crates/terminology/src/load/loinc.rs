//! LOINC: the release's `Loinc.csv`, answer lists, and the hierarchy of components.
//!
//! SPEC: LOINC Users' Guide, annexes on the files; R4 loinc.html (properties, answer lists, hierarchy). Parts
//! and answers are concepts as LOINC terms are: their codes begin with LP, LA, LL.

use super::{Fault, Load, LoadError, Reading, rows::Record};

const TABLE: u8 = 0;
const ANSWERS: u8 = 1;
const ANSWER_LINKS: u8 = 2;
const HIERARCHY: u8 = 3;
const PARTS: u8 = 4;

pub(super) fn role(name: &str) -> Option<u8> {
    Some(match name.to_ascii_lowercase().as_str() {
        "loinc.csv" => TABLE,
        "answerlist.csv" => ANSWERS,
        "loincanswerlistlink.csv" => ANSWER_LINKS,
        "componenthierarchybysystem.csv" | "multiaxialhierarchy.csv" => HIERARCHY,
        "part.csv" => PARTS,
        _ => return None,
    })
}

/// Columns of `Loinc.csv` that become properties. SPEC: R4 loinc.html#properties.
const PROPERTIES: [&str; 12] = [
    "COMPONENT",
    "PROPERTY",
    "TIME_ASPCT",
    "SYSTEM",
    "SCALE_TYP",
    "METHOD_TYP",
    "CLASS",
    "CLASSTYPE",
    "STATUS",
    "ORDER_OBS",
    "VersionLastChanged",
    "PanelType",
];

/// Columns of a file by their names.
struct Columns(Vec<usize>);

impl Columns {
    fn get<'a>(&self, record: &'a Record, at: usize) -> &'a str {
        self.0.get(at).map_or("", |column| record.get(*column))
    }
}

pub(super) fn read(load: &mut Load, role: u8, reading: &mut Reading<'_>) -> Result<(), LoadError> {
    let needed: &[&str] = match role {
        TABLE => &["LOINC_NUM", "LONG_COMMON_NAME", "STATUS"],
        ANSWERS => &["AnswerListId", "AnswerListName", "AnswerStringId", "DisplayText"],
        ANSWER_LINKS => &["LoincNumber", "AnswerListId"],
        HIERARCHY => &["IMMEDIATE_PARENT", "CODE", "CODE_TEXT"],
        _ => &["PartNumber", "PartDisplayName", "Status"],
    };
    let mut record = Record::default();
    let has_head = record.read_quoted(&mut reading.lines, b',').map_err(|why| reading.failed(why))?;
    let mut columns = Vec::new();
    for name in needed {
        match record.position(name).filter(|_| has_head) {
            Some(at) => columns.push(at),
            None => return load.bad(reading.file, 1, format!("there is no column {name}")),
        }
    }
    let columns = Columns(columns);
    let properties: Vec<(usize, usize)> = PROPERTIES
        .iter()
        .filter(|_| role == TABLE)
        .filter_map(|name| Some((record.position(name)?, load.builder.property(name, "string"))))
        .collect();
    let last_changed = record.position("VersionLastChanged");
    loop {
        let more = record.read_quoted(&mut reading.lines, b',').map_err(|why| reading.failed(why))?;
        if !more {
            return Ok(());
        }
        let is_blank = record.len() == 1 && record.get(0).is_empty();
        if is_blank || reading.skips() {
            continue;
        }
        let outcome = match role {
            TABLE => {
                if let Some(version) = last_changed {
                    newest(load, record.get(version));
                }
                term(load, &columns, &properties, &record)
            }
            ANSWERS => answer(load, &columns, &record),
            ANSWER_LINKS => answer_link(load, &columns, &record),
            HIERARCHY => hierarchy(load, &columns, &record),
            _ => part(load, &columns, &record),
        };
        load.row(reading, record.line, outcome)?;
    }
}

/// The release is at least as new as what was changed last.
fn newest(load: &mut Load, version: &str) {
    let number = |text: &str| -> Option<(u32, u32)> {
        let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
        // 2.8 was after 2.79: minor versions are decimals.
        Some((major.parse().ok()?, format!("{minor:0<3}").get(..3)?.parse().ok()?))
    };
    let about = load.builder.about();
    if let Some(new) = number(version)
        && number(&about.version).is_none_or(|have| new > have)
    {
        about.version = version.to_owned();
    }
}

/// `NNN-C`: digits, a hyphen, the check digit.
fn is_number(code: &str) -> bool {
    code.split_once('-').is_some_and(|(digits, check)| {
        let all = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        all(digits) && check.len() == 1 && all(check)
    })
}

fn is_of(code: &str, letters: &str) -> bool {
    code.strip_prefix(letters).is_some_and(|rest| rest.bytes().any(|byte| byte.is_ascii_digit()))
}

fn term(load: &mut Load, columns: &Columns, properties: &[(usize, usize)], record: &Record) -> Result<(), Fault> {
    let code = columns.get(record, 0);
    if !is_number(code) {
        return Err(format!("{code:?} is no LOINC number").into());
    }
    let concept = load.builder.concept(code)?;
    load.builder.display(concept, columns.get(record, 1))?;
    if columns.get(record, 2).eq_ignore_ascii_case("DEPRECATED") {
        load.builder.inactive(concept);
    }
    for (column, property) in properties {
        let value = record.get(*column);
        if !value.is_empty() {
            load.builder.set(concept, *property, value)?;
        }
    }
    Ok(())
}

fn answer(load: &mut Load, columns: &Columns, record: &Record) -> Result<(), Fault> {
    let (list, name) = (columns.get(record, 0), columns.get(record, 1));
    let (answer, text) = (columns.get(record, 2), columns.get(record, 3));
    if !is_of(list, "LL") {
        return Err(format!("{list:?} is no answer list").into());
    }
    let group = load.builder.concept(list)?;
    load.builder.display(group, name)?;
    if answer.is_empty() {
        // A list whose answers are defined elsewhere.
        return Ok(());
    }
    if !is_of(answer, "LA") {
        return Err(format!("{answer:?} is no answer").into());
    }
    let concept = load.builder.concept(answer)?;
    load.builder.display(concept, text)?;
    let lists = load.builder.property("LIST", "code");
    Ok(load.builder.set(concept, lists, list)?)
}

fn answer_link(load: &mut Load, columns: &Columns, record: &Record) -> Result<(), Fault> {
    let (code, list) = (columns.get(record, 0), columns.get(record, 1));
    if !is_of(list, "LL") {
        return Err(format!("{list:?} is no answer list").into());
    }
    let Some(concept) = load.builder.find(code) else {
        return Err(format!("{code:?} is not in Loinc.csv").into());
    };
    let lists = load.builder.property("answer-list", "code");
    Ok(load.builder.set(concept, lists, list)?)
}

fn hierarchy(load: &mut Load, columns: &Columns, record: &Record) -> Result<(), Fault> {
    let (parent, code, text) = (columns.get(record, 0), columns.get(record, 1), columns.get(record, 2));
    if !is_number(code) && !is_of(code, "LP") {
        return Err(format!("{code:?} is neither a LOINC number nor a part").into());
    }
    let concept = load.builder.concept(code)?;
    load.builder.display(concept, text)?;
    if !parent.is_empty() {
        let above = load.builder.concept(parent)?;
        load.builder.parent(concept, above)?;
    }
    Ok(())
}

fn part(load: &mut Load, columns: &Columns, record: &Record) -> Result<(), Fault> {
    let (code, name, status) = (columns.get(record, 0), columns.get(record, 1), columns.get(record, 2));
    if !is_of(code, "LP") {
        return Err(format!("{code:?} is no part").into());
    }
    let concept = load.builder.concept(code)?;
    load.builder.display(concept, name)?;
    if status.eq_ignore_ascii_case("DEPRECATED") {
        load.builder.inactive(concept);
    }
    Ok(())
}

/// Without the files of answers and parts, codes of those are not known to be wrong.
pub(super) fn finish(load: &mut Load) -> Result<(), LoadError> {
    if !load.has_role(TABLE) {
        return Err(LoadError::Missing("Loinc.csv"));
    }
    if !load.has_role(ANSWERS) || !load.has_role(PARTS) {
        load.builder.about().completeness = crate::Completeness::Part;
    }
    Ok(())
}
