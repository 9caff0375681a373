//! SNOMED CT: the Snapshot files of an RF2 release.
//!
//! SPEC: SNOMED CT Release File Specifications (concepts, descriptions, relationships, language reference
//! sets); R4 snomedct.html. Kept: all concepts with their state, fully specified names and synonyms, the
//! inferred `is a`. The display is the term preferred in US English, else the fully specified name.

use super::{Fault, Load, LoadError, Reading, rows::Record};

const CONCEPTS: u8 = 0;
const LANGUAGE: u8 = 1;
const DESCRIPTIONS: u8 = 2;
const RELATIONSHIPS: u8 = 3;

const IS_A: &str = "116680003";
const FULLY_SPECIFIED: &str = "900000000000003001";
const SYNONYM: &str = "900000000000013009";
const DEFINED: &str = "900000000000073002";
const PREFERRED: &str = "900000000000548007";
const US_ENGLISH: &str = "900000000000509007";

pub(super) fn role(name: &str) -> Option<u8> {
    let name = name.strip_prefix('x').unwrap_or(name);
    if !name.contains("Snapshot") || !name.ends_with(".txt") {
        return None;
    }
    Some(match name {
        name if name.starts_with("sct2_Concept_") => CONCEPTS,
        name if name.starts_with("der2_cRefset_Language") => LANGUAGE,
        name if name.starts_with("sct2_Description_") => DESCRIPTIONS,
        name if name.starts_with("sct2_Relationship_") => RELATIONSHIPS,
        _ => return None,
    })
}

/// Columns of each file, in their order.
const fn columns(role: u8) -> &'static [&'static str] {
    match role {
        CONCEPTS => &["id", "effectiveTime", "active", "moduleId", "definitionStatusId"],
        LANGUAGE => {
            &["id", "effectiveTime", "active", "moduleId", "refsetId", "referencedComponentId", "acceptabilityId"]
        }
        DESCRIPTIONS => &[
            "id",
            "effectiveTime",
            "active",
            "moduleId",
            "conceptId",
            "languageCode",
            "typeId",
            "term",
            "caseSignificanceId",
        ],
        _ => &[
            "id",
            "effectiveTime",
            "active",
            "moduleId",
            "sourceId",
            "destinationId",
            "relationshipGroup",
            "typeId",
            "characteristicTypeId",
            "modifierId",
        ],
    }
}

/// Edition by the namespace in file names, to its module. SPEC: R4 snomedct.html#versions.
const EDITIONS: [(&str, &str); 8] = [
    ("INT", "900000000000207008"),
    ("US1000124", "731000124108"),
    ("AU1000036", "32506021000036107"),
    ("NL", "11000146104"),
    ("SE1000052", "45991000052106"),
    ("DK1000005", "554471000005108"),
    ("GB1000000", "83821000000107"),
    ("CA1000087", "20611000087101"),
];

/// `sct2_Concept_Snapshot_INT_20250101.txt` is the version `…/900000000000207008/version/20250101`.
fn version(name: &str) -> String {
    let mut parts = name.trim_end_matches(".txt").rsplit('_');
    let (date, namespace) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is_date = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
    match EDITIONS.iter().find(|(edition, _)| *edition == namespace) {
        Some((_, module)) if is_date => format!("http://snomed.info/sct/{module}/version/{date}"),
        _ if is_date => date.to_owned(),
        _ => String::new(),
    }
}

pub(super) fn read(load: &mut Load, role: u8, name: &str, reading: &mut Reading<'_>) -> Result<(), LoadError> {
    let mut record = Record::default();
    let has_head = record.read_tabs(&mut reading.lines).map_err(|why| reading.failed(why))?;
    let wanted = columns(role);
    if !has_head || !wanted.iter().enumerate().all(|(at, column)| record.get(at) == *column) {
        return load.bad(reading.file, 1, format!("the columns must be {}", wanted.join(", ")));
    }
    if role == CONCEPTS && load.builder.about().version.is_empty() {
        load.builder.about().version = version(name);
    }
    let defined = load.builder.property("sufficientlyDefined", "boolean");
    let module = load.builder.property("moduleId", "code");
    while record.read_tabs(&mut reading.lines).map_err(|why| reading.failed(why))? {
        let is_blank = record.len() == 1 && record.get(0).is_empty();
        if is_blank || reading.skips() {
            continue;
        }
        let outcome = if record.len() != wanted.len() {
            Err(format!("{} fields instead of {}", record.len(), wanted.len()).into())
        } else {
            match role {
                CONCEPTS => concept(load, &record, defined, module),
                LANGUAGE => language(load, &record),
                DESCRIPTIONS => description(load, &record),
                _ => relationship(load, &record),
            }
        };
        load.row(reading, record.line, outcome)?;
    }
    if role == LANGUAGE {
        load.preferred.sort_unstable();
        load.preferred.dedup();
    }
    Ok(())
}

/// An identifier of 6 to 18 digits.
fn number(text: &str) -> Result<u64, Fault> {
    let is = (6..=18).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if is { text.parse().ok() } else { None };
    number.ok_or_else(|| format!("{text:?} is no SNOMED CT identifier").into())
}

fn is_active(record: &Record) -> Result<bool, Fault> {
    match record.get(2) {
        "1" => Ok(true),
        "0" => Ok(false),
        other => Err(format!("`active` is {other:?}, not 0 or 1").into()),
    }
}

fn known(load: &Load, code: &str) -> Result<u32, Fault> {
    load.builder.find(code).ok_or_else(|| format!("{code:?} is not among the concepts").into())
}

fn concept(load: &mut Load, record: &Record, defined: usize, module: usize) -> Result<(), Fault> {
    number(record.get(0))?;
    let active = is_active(record)?;
    let concept = load.builder.concept(record.get(0))?;
    if !active {
        load.builder.inactive(concept);
    }
    load.builder.set(concept, defined, if record.get(4) == DEFINED { "true" } else { "false" })?;
    Ok(load.builder.set(concept, module, record.get(3))?)
}

fn language(load: &mut Load, record: &Record) -> Result<(), Fault> {
    let description = number(record.get(5))?;
    if is_active(record)? && record.get(4) == US_ENGLISH && record.get(6) == PREFERRED {
        if load.preferred.len() >= crate::limits::CONCEPTS_MAX * 2 {
            return Err(Fault::Build(crate::BuildError::TooLarge));
        }
        load.preferred.push(description);
    }
    Ok(())
}

fn description(load: &mut Load, record: &Record) -> Result<(), Fault> {
    let description = number(record.get(0))?;
    let (kind, language, term) = (record.get(6), record.get(5), record.get(7));
    if !is_active(record)? || !matches!(kind, FULLY_SPECIFIED | SYNONYM) {
        return Ok(());
    }
    let concept = known(load, record.get(4))?;
    let preferred = load.preferred.binary_search(&description).is_ok();
    if kind == FULLY_SPECIFIED {
        load.builder.display(concept, term)?;
    } else if preferred {
        load.builder.rename(concept, term)?;
        // It is the display: as another name it would only stand twice.
        return Ok(());
    }
    let use_code = if kind == FULLY_SPECIFIED {
        "http://snomed.info/sct|900000000000003001"
    } else {
        "http://snomed.info/sct|900000000000013009"
    };
    Ok(load.builder.designation(concept, language, use_code, term)?)
}

fn relationship(load: &mut Load, record: &Record) -> Result<(), Fault> {
    number(record.get(0))?;
    if !is_active(record)? || record.get(7) != IS_A {
        return Ok(());
    }
    let (child, parent) = (known(load, record.get(4))?, known(load, record.get(5))?);
    Ok(load.builder.parent(child, parent)?)
}

pub(super) fn finish(load: &Load) -> Result<(), LoadError> {
    for (role, name) in [
        (CONCEPTS, "sct2_Concept_Snapshot_…"),
        (DESCRIPTIONS, "sct2_Description_Snapshot_…"),
        (RELATIONSHIPS, "sct2_Relationship_Snapshot_…"),
    ] {
        if !load.has_role(role) {
            return Err(LoadError::Missing(name));
        }
    }
    Ok(())
}
