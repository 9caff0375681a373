//! ICF: ClaML, or a table with a head.
//!
//! SPEC: ClaML 2.0 (EN 14463): `Class` with `SuperClass` and preferred `Rubric`; WHO's tables: a row a code,
//! columns `Code` and `Title` among others. In a table the code itself says what it is below: `d4501` is
//! below `d450`, that below `d4`, that below `d`.

use super::{
    Fault, Load, LoadError, Reading,
    rows::Record,
    xml::{self, Event},
};

const CLAML: u8 = 0;
const TABLE: u8 = 1;

pub(super) fn role(name: &str) -> Option<u8> {
    let name = name.to_ascii_lowercase();
    match name.rsplit('.').next()? {
        "xml" | "claml" => Some(CLAML),
        "csv" | "tsv" | "txt" if !name.contains("readme") && !name.contains("license") => Some(TABLE),
        _ => None,
    }
}

pub(super) fn read(load: &mut Load, role: u8, reading: &mut Reading<'_>) -> Result<(), LoadError> {
    if role == CLAML { claml(load, reading) } else { table(load, reading) }
}

/// A component letter and up to five digits. SPEC: as `grammar::icf`, which knows how many chapters there are.
fn is_code(code: &str) -> bool {
    let digits = code.strip_prefix(['b', 's', 'd', 'e']);
    digits.is_some_and(|digits| digits.len() <= 5 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn table(load: &mut Load, reading: &mut Reading<'_>) -> Result<(), LoadError> {
    let mut record = Record::default();
    // The head says which separator it is.
    let head = match reading.lines.next() {
        Ok(head) => head.unwrap_or_default().to_owned(),
        Err(why) => return Err(reading.failed(why)),
    };
    let separator = [b'\t', b';', b','].into_iter().max_by_key(|one| head.bytes().filter(|byte| byte == one).count());
    let separator = separator.unwrap_or(b',');
    let column = |names: &[&str]| {
        let mut all = head.split(char::from(separator)).map(|name| name.trim().trim_matches('"'));
        all.position(|name| names.iter().any(|wanted| name.eq_ignore_ascii_case(wanted)))
    };
    let Some((code, title)) = column(&["Code"]).zip(column(&["Title", "Description", "Name", "Label"])) else {
        return load.bad(reading.file, 1, "there must be the columns Code and Title".to_owned());
    };
    while record.read_quoted(&mut reading.lines, separator).map_err(|why| reading.failed(why))? {
        let (code, title) = (record.get(code).trim(), record.get(title));
        // Rows without a code head blocks.
        if code.is_empty() || reading.skips() {
            continue;
        }
        // WHO's tables show depth by leading hyphens.
        let outcome = row(load, code, title.trim_start_matches(['-', ' ']).trim_end());
        load.row(reading, record.line, outcome)?;
    }
    Ok(())
}

fn row(load: &mut Load, code: &str, title: &str) -> Result<(), Fault> {
    if !is_code(code) {
        return Err(format!("{code:?} is no ICF code").into());
    }
    let concept = load.builder.concept(code)?;
    Ok(load.builder.display(concept, title)?)
}

fn claml(load: &mut Load, reading: &mut Reading<'_>) -> Result<(), LoadError> {
    let mut xml = xml::Tokens::new();
    let mut class: Option<u32> = None;
    let mut preferred = false;
    let (mut label, mut language) = (None::<String>, String::new());
    loop {
        let event = xml.next(&mut reading.lines).map_err(|why| reading.failed(why))?;
        let outcome = match event {
            Event::Done => return Ok(()),
            Event::Start(name, attributes) => {
                let value = |wanted: &str| {
                    attributes.iter().find(|(key, _)| key == wanted).map_or("", |(_, value)| value.as_str())
                };
                match name.as_str() {
                    "Title" if load.builder.about().version.is_empty() => {
                        load.builder.about().version = value("version").to_owned();
                        Ok(())
                    }
                    "Class" => start(load, value("code"), value("kind")).map(|concept| class = Some(concept)),
                    "SuperClass" => above(load, class, value("code")),
                    "Rubric" => {
                        preferred = value("kind") == "preferred";
                        Ok(())
                    }
                    "Label" if preferred => {
                        label = Some(String::new());
                        value("xml:lang").clone_into(&mut language);
                        Ok(())
                    }
                    _ => Ok(()),
                }
            }
            Event::Text(text) => {
                if let Some(label) = &mut label {
                    label.push_str(&text);
                }
                Ok(())
            }
            Event::End(name) => match name.as_str() {
                "Class" => {
                    class = None;
                    Ok(())
                }
                "Rubric" => {
                    preferred = false;
                    Ok(())
                }
                "Label" => match (label.take(), class) {
                    (Some(text), Some(concept)) => titled(load, concept, &language, text.trim()),
                    _ => Ok(()),
                },
                _ => Ok(()),
            },
        };
        let line = reading.lines.line();
        load.row(reading, line, outcome)?;
    }
}

fn start(load: &mut Load, code: &str, kind: &str) -> Result<u32, Fault> {
    let concept = load.builder.concept(code)?;
    // Blocks between chapters and categories are no codes for data.
    if kind == "block" {
        load.builder.not_selectable(concept);
    }
    Ok(concept)
}

fn above(load: &mut Load, class: Option<u32>, parent: &str) -> Result<(), Fault> {
    let class = class.ok_or("SuperClass stands outside of a Class")?;
    let parent = load.builder.concept(parent)?;
    Ok(load.builder.parent(class, parent)?)
}

/// English first; other languages are other names.
fn titled(load: &mut Load, concept: u32, language: &str, text: &str) -> Result<(), Fault> {
    let is_english = language.is_empty() || language.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("en"));
    if is_english || load.builder.has_no_display(concept) {
        return Ok(load.builder.display(concept, text)?);
    }
    Ok(load.builder.designation(concept, language, "", text)?)
}

/// Gives the codes of a table what they are below.
pub(super) fn finish(load: &mut Load) -> Result<(), LoadError> {
    if !load.has_role(CLAML) && !load.has_role(TABLE) {
        return Err(LoadError::Missing("ClaML or a table of codes"));
    }
    if !load.has_role(TABLE) {
        return Ok(());
    }
    let codes: Vec<String> = load.builder.codes().filter(|code| is_code(code)).map(str::to_owned).collect();
    for code in codes {
        let mut above = code.as_str();
        while above.len() > 1 {
            above = above.get(..above.len() - 1).unwrap_or_default();
            if let (Some(child), Some(parent)) = (load.builder.find(&code), load.builder.find(above)) {
                load.builder.parent(child, parent)?;
                break;
            }
        }
    }
    Ok(())
}
