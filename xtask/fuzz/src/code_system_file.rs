//! Files of code systems (row F67): any text as a file of LOINC, SNOMED CT, ICD-10-CM or ICF is loaded or
//! refused line by line; what was loaded is written and read again the same; and any bytes as what this
//! server wrote are read or refused.

use crate::choices::Choices;
use std::sync::LazyLock;
use terminology::{
    Builder, CodeSystem,
    load::{Go, Kind, Load},
};
use xxhash_rust::xxh3::xxh3_64;

/// Files by system: the byte that begins a part of the input chooses one.
const FILES: [(Kind, &str); 14] = [
    (Kind::Loinc, "Loinc.csv"),
    (Kind::Loinc, "AnswerList.csv"),
    (Kind::Loinc, "LoincAnswerListLink.csv"),
    (Kind::Loinc, "ComponentHierarchyBySystem.csv"),
    (Kind::Loinc, "Part.csv"),
    (Kind::Snomed, "sct2_Concept_Snapshot_INT_20240101.txt"),
    (Kind::Snomed, "der2_cRefset_LanguageSnapshot-en_INT_20240101.txt"),
    (Kind::Snomed, "sct2_Description_Snapshot-en_INT_20240101.txt"),
    (Kind::Snomed, "sct2_Relationship_Snapshot_INT_20240101.txt"),
    (Kind::Icd10Cm, "icd10cm-order-2024.txt"),
    (Kind::Icd10Cm, "icd10cm-tabular-2024.xml"),
    (Kind::Icf, "icf.xml"),
    (Kind::Icf, "icf.csv"),
    (Kind::Icf, "icf.tsv"),
];

/// What stands between the files of one input.
const NEXT_FILE: u8 = 0x1E;

/// Bytes of what comes before the content of a file of this server: name, version, length, checksum.
const HEAD_BYTES: usize = 28;

/// From the first byte `@` on, changes to a file that this server wrote; else official files.
pub fn code_system_file(bytes: &[u8]) {
    if let Some(changes) = bytes.strip_prefix(b"@") {
        return written(changes);
    }
    let parts = bytes.split(|byte| *byte == NEXT_FILE).filter_map(|part| part.split_first());
    let mut files: Vec<(Kind, &str, &[u8])> = parts
        .map(|(choice, text)| {
            let (kind, name) = FILES[usize::from(*choice) % FILES.len()];
            (kind, name, text)
        })
        .collect();
    let Some((kind, ..)) = files.first().copied() else { return };
    files.retain(|(other, ..)| *other == kind);
    files.sort_by_key(|(_, name, _)| kind.role(name));
    let mut load = Load::new(kind);
    for (_, name, text) in files {
        let role = kind.role(name).expect("a file of it");
        let mut input = text;
        if load.read(role, name, &mut input, &mut |_, _| Go::On).is_err() {
            return;
        }
    }
    let mut checkpoint = Vec::new();
    if load.bad_lines().is_empty() {
        load.checkpoint(&mut checkpoint).expect("memory");
        let resumed = Load::resume(kind, &checkpoint).expect("what was written down goes on");
        assert_eq!(resumed.files().count(), load.files().count());
    }
    if let Ok((system, _)) = load.finish() {
        same_after_writing(&system);
    }
}

fn same_after_writing(system: &CodeSystem) {
    let mut file = Vec::new();
    system.write(&mut file).expect("memory");
    let again = CodeSystem::read(&file).expect("what was written is read");
    let mut second = Vec::new();
    again.write(&mut second).expect("memory");
    assert_eq!(second, file);
}

/// A system of each thing that a file may have.
static SMALL: LazyLock<(Vec<u8>, Vec<u8>)> = LazyLock::new(|| {
    let mut builder = Builder::complete("http://t/a", "1", "A");
    let concepts: Vec<u32> = ["a", "b", "c", "d"].iter().map(|code| builder.concept(code).expect("room")).collect();
    builder.display(concepts[0], "Alpha").expect("room");
    for (child, parent) in [(1, 0), (2, 0), (3, 1), (3, 2)] {
        builder.parent(concepts[child], concepts[parent]).expect("room");
    }
    let property = builder.property("p", "string");
    builder.set(concepts[1], property, "x").expect("room");
    builder.designation(concepts[2], "en", "s", "Sea").expect("room");
    builder.inactive(concepts[3]);
    builder.not_selectable(concepts[0]);
    let (system, _) = builder.finish().expect("a small system");
    let mut finished = Vec::new();
    system.write(&mut finished).expect("memory");
    let mut begun = Vec::new();
    Load::new(Kind::Icf).checkpoint(&mut begun).expect("memory");
    (finished, begun)
});

/// Changes the content of such a file, and gives it the checksum that fits.
fn written(changes: &[u8]) {
    let mut choices = Choices::new(changes);
    let is_finished = !choices.once_in(4);
    let mut file = if is_finished { SMALL.0.clone() } else { SMALL.1.clone() };
    while !choices.is_empty() {
        let at =
            HEAD_BYTES + (usize::from(choices.byte()) << 8 | usize::from(choices.byte())) % (file.len() - HEAD_BYTES);
        match choices.below(4) {
            0 => file[at] = choices.byte(),
            1 => file[at] ^= 1 << choices.below(8),
            2 => file.insert(at, choices.byte()),
            _ => drop(file.remove(at)),
        }
        if file.len() <= HEAD_BYTES {
            break;
        }
    }
    let content = file.split_off(HEAD_BYTES);
    file.truncate(12);
    file.extend_from_slice(&(content.len() as u64).to_le_bytes());
    file.extend_from_slice(&xxh3_64(&content).to_le_bytes());
    file.extend_from_slice(&content);
    if let Ok(system) = CodeSystem::read(&file) {
        same_after_writing(&system);
        for code in ["a", "b", "d", "x"] {
            let Some(concept) = system.find(code) else { continue };
            let _ = (system.display(concept), system.designations(concept).count());
            let _ = system.find("a").map(|other| system.is_a(concept, other));
        }
    }
    let _ = Load::resume(Kind::Icf, &file).map(Load::finish);
}
