//! What is written is read; what was cut, changed or made up is an error.

use super::{FormatError, HEAD_BYTES};
use crate::{Builder, CodeSystem};
use xxhash_rust::xxh3::xxh3_64;

fn system() -> CodeSystem {
    let mut builder = Builder::complete("http://example.org/s", "1", "S");
    let top = builder.concept("top").expect("room");
    for number in 0..20 {
        let code = builder.concept(&format!("c{number}")).expect("room");
        builder.display(code, &format!("Näme {number}")).expect("room");
        builder.parent(code, top).expect("room");
        let colour = builder.property("colour", "string");
        builder.set(code, colour, if number % 2 == 0 { "red" } else { "green" }).expect("room");
        builder.designation(code, "de", "", "Name").expect("room");
    }
    builder.inactive(top);
    builder.finish().expect("fits").0
}

#[test]
fn what_is_written_is_read() {
    let system = system();
    let mut bytes = Vec::new();
    system.write(&mut bytes).expect("memory");
    let read = CodeSystem::read(&bytes).expect("as written");
    assert_eq!(read.about(), system.about());
    for concept in 0..system.len() {
        assert_eq!(read.find(system.code(concept)), Some(concept));
        assert_eq!(read.display(concept), system.display(concept));
        assert_eq!(read.parents(concept), system.parents(concept));
        assert_eq!(read.at_or_below(concept), system.at_or_below(concept));
        assert_eq!(read.is_inactive(concept), system.is_inactive(concept));
        assert!(read.designations(concept).eq(system.designations(concept)));
        let values = |of: &CodeSystem| -> Vec<String> {
            of.properties().iter().flat_map(|one| of.values_of(one, concept)).map(str::to_owned).collect()
        };
        assert_eq!(values(&read), values(&system));
    }
}

#[test]
fn a_damaged_file_is_named_so() {
    let mut bytes = Vec::new();
    system().write(&mut bytes).expect("memory");
    assert_eq!(CodeSystem::read(&[]).err(), Some(FormatError::Kind));
    assert_eq!(CodeSystem::read(&bytes[..bytes.len() - 1]).err(), Some(FormatError::Damaged));
    let mut changed = bytes.clone();
    changed[HEAD_BYTES + 30] ^= 1;
    assert_eq!(CodeSystem::read(&changed).err(), Some(FormatError::Damaged));
    let mut newer = bytes.clone();
    newer[8] = 9;
    assert_eq!(CodeSystem::read(&newer).err(), Some(FormatError::Version));
    newer[0] = b'X';
    assert_eq!(CodeSystem::read(&newer).err(), Some(FormatError::Kind));
}

/// Every byte of the body changed in turn, with a checksum that fits: an error or a system that answers.
#[test]
fn a_hostile_file_with_a_right_checksum_does_no_harm() {
    let mut bytes = Vec::new();
    system().write(&mut bytes).expect("memory");
    for at in HEAD_BYTES..bytes.len() {
        for change in [0x01, 0x80, 0xFF] {
            let mut changed = bytes.clone();
            changed[at] ^= change;
            let sum = xxh3_64(&changed[HEAD_BYTES..]);
            changed[20..28].copy_from_slice(&sum.to_le_bytes());
            let Ok(read) = CodeSystem::read(&changed) else { continue };
            for concept in 0..read.len().min(30) {
                let _ = (read.find("c1"), read.display(concept), read.parents(concept), read.at_or_above(concept));
                let _ = (read.at_or_below(concept), read.designations(concept).count());
            }
        }
    }
}

#[test]
fn a_load_goes_on_where_it_was() {
    let mut builder = Builder::complete("http://example.org/s", "1", "S");
    let (a, b) = (builder.concept("a").expect("room"), builder.concept("b").expect("room"));
    builder.parent(b, a).expect("room");
    let mut bytes = Vec::new();
    builder.write(&["file".to_owned(), "7".to_owned()], &mut bytes).expect("memory");
    let (mut again, notes) = Builder::read(&bytes).expect("as written");
    assert_eq!(notes, ["file", "7"]);
    assert_eq!(again.concept("b"), Ok(b));
    again.display(b, "B").expect("room");
    let (system, _) = again.finish().expect("fits");
    let b = system.find("b").expect("there");
    assert_eq!((system.display(b), system.parents(b).len()), ("B", 1));
}
