//! Tests of `seal`.

use super::Seal;
use crate::tables::{Table, memory::Memory};

#[test]
fn a_secret_opens_for_its_owner_alone_and_after_a_restart() {
    let table = Memory::default();
    let seal = Seal::open(&table).unwrap();
    let sealed = seal.seal("ana", b"the seed").unwrap();
    assert!(!sealed.windows(8).any(|window| window == b"the seed"));
    assert_ne!(sealed, seal.seal("ana", b"the seed").unwrap(), "each time anew");
    assert_eq!(seal.unseal("ben", &sealed), None);
    assert_eq!(Seal::open(&table).unwrap().unseal("ana", &sealed).unwrap(), b"the seed");
    let mut bent = sealed.clone();
    bent[0] ^= 1;
    assert_eq!(seal.unseal("ana", &bent), None);
    assert_eq!(seal.unseal("ana", b"short"), None);
    assert_eq!(Seal::open(&Memory::default()).unwrap().unseal("ana", &sealed), None);
}

#[test]
fn tags_differ_by_purpose_and_by_how_their_parts_are_cut() {
    let seal = Seal::open(&Memory::default()).unwrap();
    let tags = [
        seal.tag("a", &[b"bc"]),
        seal.tag("a", &[b"b", b"c"]),
        seal.tag("ab", &[b"c"]),
        seal.tag("a", &[b"bc", b""]),
        Seal::open(&Memory::default()).unwrap().tag("a", &[b"bc"]),
    ];
    for (at, tag) in tags.iter().enumerate() {
        assert!(!tags[..at].contains(tag));
    }
    let table = Memory::default();
    let tag = Seal::open(&table).unwrap().tag("a", &[]);
    assert_eq!(Seal::open(&table).unwrap().tag("a", &[]), tag, "forms survive a restart");
    assert_eq!(table.all().unwrap().len(), 1);
}
