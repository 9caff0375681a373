//! The bytes of keys and values are those that `docs/store.md` shows.

use super::{
    SPACES, Space,
    key::{self, TypeNumber},
    mark::{Mark, MarkFile},
    record::{self, Commit, Made, Place, Version},
};
use crate::page::Method;
use search::ParameterId;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const OBSERVATION: TypeNumber = TypeNumber(0x5d);

/// Each example with its name, as the document shows it.
fn examples() -> Vec<(&'static str, Vec<u8>)> {
    let code = search::index_key::ranges(&search::Test::Token(search::predicate::TokenTest::Code("8867-4".into())));
    let code = &code.ranges[0].start;
    let parameter = ParameterId(0x0123);
    let version = Version {
        method: Method::Create,
        labelled: false,
        version: 1,
        last_updated: 1_700_000_000_000,
        commit: 7,
        id: "o1",
        values: &[0x01, 0x23, 0x02, 0x02, 0x00],
        json: br#"{"resourceType":"Observation"}"#,
    };
    let digest = record::digest_of([version.digest("Observation")]);
    let commit = Commit {
        time: 1_700_000_000_000,
        chain: record::link(&record::GENESIS, 7, 1_700_000_000_000, &digest),
        digest,
        made: vec![Made { kind: OBSERVATION, row: 42, version: 1 }],
    };
    vec![
        ("id key", key::id(OBSERVATION, "o1")),
        ("id value", Place { row: 42, version: 1, deleted: false }.encode().to_vec()),
        ("current key", key::current(OBSERVATION, 42).to_vec()),
        ("current value", version.encode()),
        ("history key", key::history(OBSERVATION, 42, 1).to_vec()),
        ("index key", key::with_row(&key::index(OBSERVATION, parameter, code), 42)),
        ("compartment key", key::with_row(&key::compartment("p1", OBSERVATION, parameter, code), 42)),
        ("compartment membership", key::with_row(&key::compartment("p1", OBSERVATION, key::MEMBERSHIP, &[]), 42)),
        ("last_updated key", key::with_row(&key::last_updated(OBSERVATION, 1_700_000_000_000), 42)),
        ("commit key", 7u64.to_be_bytes().to_vec()),
        ("commit value", commit.encode()),
    ]
}

#[test]
fn the_document_shows_the_bytes_as_they_are() {
    let document = include_str!("../../../../docs/store.md");
    for (name, bytes) in examples() {
        let line = format!("{name}: `{}`", hex(&bytes));
        assert!(document.contains(&line), "docs/store.md lacks\n{line}");
    }
}

#[test]
fn records_come_back_as_they_were_and_cut_ones_do_not() {
    let (_, bytes) = examples().into_iter().find(|(name, _)| *name == "current value").unwrap();
    let version = Version::decode(&bytes).unwrap();
    assert_eq!((version.version, version.commit, version.id), (1, 7, "o1"));
    assert_eq!(version.encode(), bytes);
    assert!(Version::decode(&bytes[..20]).is_err());
    let (_, bytes) = examples().into_iter().find(|(name, _)| *name == "commit value").unwrap();
    assert_eq!(Commit::decode(&bytes).unwrap().encode(), bytes);
    assert!(Commit::decode(&bytes[..bytes.len() - 1]).is_err());
    let place = Place { row: 3, version: 9, deleted: true };
    assert_eq!(Place::decode(&place.encode()), Ok(place));
}

#[test]
fn keys_keep_the_order_of_numbers() {
    assert!(key::history(OBSERVATION, 42, 2) < key::history(OBSERVATION, 42, 1));
    assert!(key::last_updated(OBSERVATION, -5) < key::last_updated(OBSERVATION, 5));
    assert_eq!(key::millis_of(&key::last_updated(OBSERVATION, -5)), Some(-5));
    assert_eq!(key::after_prefix(&[1, 0xff, 0xff]), Some(vec![2]));
    assert_eq!(key::after_prefix(&[0xff]), None);
}

#[test]
fn spaces_are_in_the_order_of_their_list() {
    let spaces: Vec<Space> = SPACES.iter().map(|(space, ..)| *space).collect();
    assert!(spaces.iter().enumerate().all(|(at, space)| *space as usize == at));
}

#[test]
fn a_mark_survives_a_torn_slot() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mark");
    let mut file = MarkFile::open(&path).unwrap();
    assert_eq!(file.current(), Mark::NONE);
    for commit in 1..=3 {
        file.write(Mark { commit, chain: [7; 32], audit: commit, batch: commit }).unwrap();
    }
    assert_eq!(MarkFile::open(&path).unwrap().current().commit, 3);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[64 + 20] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(MarkFile::open(&path).unwrap().current().commit, 2);
}
