//! ICD-10-CM: the order file (`icd10cm-order-YEAR.txt`), or the tabular list (`icd10cm-tabular-YEAR.xml`).
//!
//! SPEC: CDC/NCHS and CMS, readme of the code files (order file: columns 1-5 number, 7-13 code, 15 whether it
//! may be submitted, 17-76 and from 78 on the titles). The tabular list writes codes with a seventh character
//! as a rule, not one by one: loaded from it alone, such codes cannot be checked.

use super::{
    Fault, Load, LoadError, Reading,
    xml::{self, Event},
};
use crate::Completeness;

const ORDER: u8 = 0;
const TABULAR: u8 = 1;

pub(super) fn role(name: &str) -> Option<u8> {
    let name = name.to_ascii_lowercase();
    let is = |part: &str, end: &str| name.contains("icd10cm") && name.contains(part) && name.ends_with(end);
    if is("order", ".txt") && !name.contains("addenda") {
        Some(ORDER)
    } else if is("tabular", ".xml") && !name.contains("addenda") {
        Some(TABULAR)
    } else {
        None
    }
}

/// The first four digits in a file's name that can be a year.
fn year(name: &str) -> Option<&str> {
    name.split(|one: char| !one.is_ascii_digit()).find(|part| part.len() == 4 && part.starts_with("20"))
}

pub(super) fn read(load: &mut Load, role: u8, name: &str, reading: &mut Reading<'_>) -> Result<(), LoadError> {
    if let Some(year) = year(name)
        && load.builder.about().version.is_empty()
    {
        load.builder.about().version = year.to_owned();
    }
    if role == TABULAR { tabular(load, reading) } else { order(load, reading) }
}

fn order(load: &mut Load, reading: &mut Reading<'_>) -> Result<(), LoadError> {
    let billable = load.builder.property("billable", "boolean");
    loop {
        let line = reading.lines.next();
        let outcome = match line {
            Err(why) => return Err(reading.failed(why)),
            Ok(None) => return Ok(()),
            Ok(Some(line)) if line.trim().is_empty() => continue,
            Ok(Some(_)) if reading.skip > 0 => {
                reading.skip -= 1;
                continue;
            }
            Ok(Some(line)) => row(load, line, billable),
        };
        let line = reading.lines.line();
        load.row(reading, line, outcome)?;
    }
}

fn row(load: &mut Load, line: &str, billable: usize) -> Result<(), Fault> {
    let code = line.get(6..13).map(str::trim).ok_or("the line is too short")?;
    let is_billable = match line.get(14..15) {
        Some("1") => "true",
        Some("0") => "false",
        _ => return Err("column 15 is neither 0 nor 1".into()),
    };
    let is = (3..=7).contains(&code.len())
        && code.starts_with(|one: char| one.is_ascii_uppercase())
        && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !is {
        return Err(format!("{code:?} is no ICD-10-CM code").into());
    }
    let (short, long) = (line.get(16..76).unwrap_or_default().trim(), line.get(77..).unwrap_or_default().trim());
    let concept = load.builder.concept(&dotted(code))?;
    load.builder.display(concept, if long.is_empty() { short } else { long })?;
    load.builder.set(concept, billable, is_billable)?;
    // The order file states headers before what is below them.
    let mut above = code;
    while above.len() > 3 {
        above = above.get(..above.len() - 1).unwrap_or_default();
        if let Some(parent) = load.builder.find(&dotted(above)) {
            load.builder.parent(concept, parent)?;
            break;
        }
    }
    Ok(())
}

/// `A0101` is `A01.01`.
fn dotted(code: &str) -> String {
    match code.split_at_checked(3) {
        Some((category, rest)) if !rest.is_empty() => format!("{category}.{rest}"),
        _ => code.to_owned(),
    }
}

/// Chapters, sections and diagnoses, nested.
fn tabular(load: &mut Load, reading: &mut Reading<'_>) -> Result<(), LoadError> {
    let mut xml = xml::Tokens::new();
    // Elements that are concepts, with their numbers once known; the text of `name` and `desc`.
    let mut open: Vec<Option<u32>> = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut text = String::new();
    loop {
        let event = xml.next(&mut reading.lines).map_err(|why| reading.failed(why))?;
        let outcome = match event {
            Event::End(_) if path.is_empty() => continue,
            Event::Done => return Ok(()),
            Event::Start(name, attributes) => {
                text.clear();
                let mut outcome = Ok(());
                if matches!(name.as_str(), "chapter" | "section" | "diag") {
                    open.push(None);
                    if name == "section"
                        && let Some((_, id)) = attributes.iter().find(|(key, _)| key == "id")
                    {
                        outcome = group(load, &mut open, id);
                    }
                }
                path.push(name);
                outcome
            }
            Event::Text(more) => {
                text.push_str(&more);
                Ok(())
            }
            Event::End(name) => {
                path.pop();
                let outcome = closed(load, &mut open, &path, &name, text.trim());
                text.clear();
                if matches!(name.as_str(), "chapter" | "section" | "diag") {
                    open.pop();
                }
                outcome
            }
        };
        let line = reading.lines.line();
        load.row(reading, line, outcome)?;
    }
}

fn closed(load: &mut Load, open: &mut [Option<u32>], path: &[String], name: &str, text: &str) -> Result<(), Fault> {
    let inside = path.last().map(String::as_str);
    match (inside, name) {
        (Some("diag"), "name") => number(load, open, text),
        (Some("chapter"), "name") => group(load, open, &format!("chapter-{text}")),
        (Some("diag" | "chapter" | "section"), "desc") => {
            let concept = open.last().copied().flatten().ok_or("a title stands before its code")?;
            Ok(load.builder.display(concept, text)?)
        }
        (None, "version") if load.builder.about().version.is_empty() => {
            load.builder.about().version = text.to_owned();
            Ok(())
        }
        (Some("ICD10CM.tabular"), "version") => {
            load.builder.about().version = text.to_owned();
            Ok(())
        }
        _ => Ok(()),
    }
}

fn number(load: &mut Load, open: &mut [Option<u32>], code: &str) -> Result<(), Fault> {
    let concept = load.builder.concept(code)?;
    let above = open.iter().rev().skip(1).find_map(|one| *one);
    if let Some(own) = open.last_mut() {
        *own = Some(concept);
    }
    if let Some(above) = above {
        load.builder.parent(concept, above)?;
    }
    Ok(())
}

/// A chapter or section: it only groups.
fn group(load: &mut Load, open: &mut [Option<u32>], code: &str) -> Result<(), Fault> {
    number(load, open, code)?;
    if let Some(concept) = open.last().copied().flatten() {
        load.builder.not_selectable(concept);
    }
    Ok(())
}

pub(super) fn finish(load: &mut Load) -> Result<(), LoadError> {
    match (load.has_role(ORDER), load.has_role(TABULAR)) {
        (false, false) => Err(LoadError::Missing("icd10cm-order-YEAR.txt")),
        (false, true) => {
            load.builder.about().completeness = Completeness::Part;
            Ok(())
        }
        _ => Ok(()),
    }
}
