//! FHIR packages (row F67): any archive is read or refused, within its limits; no name leaves its folder;
//! what was read compiles to tables that are read again as they are.

use crate::choices::Choices;
use definitions::{Package, archive, package as reader};
use fhir::schema::{self, Definitions, Tables};
use flate2::{Compression, write::GzEncoder};
use std::io::Write as _;

/// Names of entries, good and bad.
const NAMES: [&str; 18] = [
    "package/package.json",
    "package/StructureDefinition-a.json",
    "package/ValueSet-a.json",
    "package/CodeSystem-a.json",
    "package/example/Patient-a.json",
    "package/.index.json",
    "package/other/a.json",
    "../package/a.json",
    "package/../../a.json",
    "/package/a.json",
    "C:/a.json",
    "package\\a.json",
    "package/a\0b.json",
    "package/a\u{1}.json",
    "",
    "package/",
    "package//a.json",
    "package/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q.json",
];

/// Bodies of entries.
const BODIES: [&str; 9] = [
    r#"{"name":"test.a","version":"1.0.0","fhirVersions":["4.0.1"],"dependencies":{"hl7.fhir.r4.core":"4.0.1"}}"#,
    r#"{"name":"test\tb","version":"1.0.0"}"#,
    r#"{"name":"test.c","version":"1\n2","fhirVersions":["5.0.0"]}"#,
    r#"{"resourceType":"StructureDefinition","url":"http://t/a","version":"1","type":"Patient","kind":"resource","derivation":"constraint","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","differential":{"element":[{"id":"Patient.name","path":"Patient.name","min":1}]}}"#,
    r#"{"resourceType":"ValueSet","url":"http://t/v\n== profiles\nP","version":"1\t2","compose":{"include":[{"system":"http://loinc.org","concept":[{"code":"a\tb","display":"c\nd"}]}]}}"#,
    r#"{"resourceType":"CodeSystem","url":"http://t/c","content":"complete","concept":[{"code":"a","display":"A","concept":[{"code":"b"}]}]}"#,
    r#"{"resourceType":"ConceptMap","url":"http://t/m","group":[{"source":"http://t/c","target":"http://t/d","element":[{"code":"a","target":[{"code":"b","equivalence":"equal"}]}]}]}"#,
    r#"{"resourceType":"SearchParameter","url":"http://t/s","code":"a","base":["Patient"],"type":"string","expression":"Patient.name"}"#,
    "{",
];

/// Raw bytes; bytes in a gzip frame; or entries by choice.
pub fn package(bytes: &[u8]) {
    let Some((mode, rest)) = bytes.split_first() else { return };
    let packed = match mode % 3 {
        0 => rest.to_vec(),
        1 => zipped(rest),
        _ => zipped(&archive_of(&mut Choices::new(rest))),
    };
    let mut names = Vec::new();
    let unpacked: Result<(), archive::ArchiveError> = archive::unpack(packed.as_slice(), |name, entry| {
        let body = archive::read_entry(name, entry)?;
        names.push((name.to_owned(), body.len()));
        Ok(())
    });
    for (name, _) in &names {
        let inside = !name.starts_with('/') && name.split('/').all(|step| step != "..") && !name.contains(['\\', '\0']);
        assert!(inside, "{name:?} leaves its folder");
    }
    let read = Package::read(packed.as_slice());
    let Ok(package) = read else { return };
    assert!(unpacked.is_ok() && package.len() <= names.len(), "a package of an archive that is none");
    assert!(package.id().chars().all(|letter| letter.is_ascii_graphic()), "{:?}", package.id());
    let _ = reader::examples(packed.as_slice());
    compiles(&package);
}

/// What holds for the tables of any package.
pub(crate) fn compiles(package: &Package) -> definitions::Compiled {
    let known = Definitions::builtin();
    let compiled = definitions::compile(package, schema::r4(), known);
    let again = definitions::compile(package, schema::r4(), known);
    assert_eq!(compiled.tables, again.tables, "compiled twice");
    assert_eq!(compiled.faults, again.faults, "compiled twice");
    let text = compiled.tables.to_text();
    assert_eq!(Tables::read(&text).as_ref(), Ok(&compiled.tables), "tables are read as they were written");
    compiled
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// A tar archive whose headers say what a builder of archives would refuse to write.
fn archive_of(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut archive = Vec::new();
    for _ in 0..1 + choices.below(8) {
        let name = if choices.once_in(6) { choices.text() } else { choices.one(&NAMES).to_owned() };
        let body = if choices.once_in(6) { choices.text() } else { choices.one(&BODIES).to_owned() };
        let mut header = tar::Header::new_ustar();
        let length = name.len().min(100);
        header.as_mut_bytes()[..length].copy_from_slice(&name.as_bytes()[..length]);
        let kind = [b'0', b'0', b'0', b'5', b'2', b'1', b'x', b'L', b'g', b'3', b'S'][choices.below(11)];
        header.set_entry_type(tar::EntryType::new(kind));
        let size = if choices.once_in(12) { 1 << (choices.below(40) + 1) } else { body.len() as u64 };
        header.set_size(size);
        header.set_cksum();
        archive.extend_from_slice(header.as_bytes());
        archive.extend_from_slice(body.as_bytes());
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}
