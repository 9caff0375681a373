//! Tests of `keys`.

use super::{Decoys, ServerKeys};
use crate::{limits, tables::memory::MemoryTables};
use fhir::Instant;
use oauth::{
    jwk::Jwks,
    jws::{Algorithm, Compact},
};
use serde_json::json;

fn at(seconds: i64) -> Instant {
    Instant::from_unix_millis(seconds * 1000)
}

fn kids(jwks: &Jwks) -> Vec<String> {
    jwks.keys().iter().filter_map(|key| key.kid()).map(str::to_owned).collect()
}

/// Made once, the same after a restart, replaced with overlap.
#[test]
fn keys_last_and_rotate() {
    let tables = MemoryTables::default();
    let keys = ServerKeys::open(tables.keys.clone(), at(0)).unwrap();
    let first = kids(&keys.published(at(0)));
    assert_eq!(first.len(), 2);
    assert_eq!(keys.published(at(0)).keys().iter().map(|key| key.key_type()).collect::<Vec<_>>(), ["RSA", "EC"]);
    let signed = keys.current(Algorithm::Es384).unwrap().jwt(&json!({})).unwrap();

    let again = ServerKeys::open(tables.keys.clone(), at(5)).unwrap();
    assert_eq!(kids(&again.published(at(5))), first);

    let second = again.rotate(at(100)).unwrap();
    assert_eq!(again.current(Algorithm::Rs256).unwrap().kid(), second[0]);
    assert_eq!(again.current(Algorithm::Es384).unwrap().kid(), second[1]);
    assert!(again.current(Algorithm::Es256).is_none());
    assert_eq!(kids(&again.published(at(100))), [first.clone(), second.clone()].concat());
    // What the old key signed can be verified throughout the overlap.
    let during = again.published(at(100 + limits::KEY_OVERLAP_S - 1));
    let jws = Compact::parse(&signed).unwrap();
    assert!(jws.verify(during.matching(&first[1], Algorithm::Es384).unwrap()).is_ok());
    let after = at(100 + limits::KEY_OVERLAP_S);
    assert_eq!(kids(&again.published(after)), second);

    let reopened = ServerKeys::open(tables.keys.clone(), after).unwrap();
    assert_eq!(kids(&reopened.published(after)), second);
    let third = reopened.rotate(after).unwrap();
    assert_eq!(kids(&reopened.published(after)), [second, third].concat(), "and the first are forgotten");
}

/// Nothing private is published.
#[test]
fn published_keys_are_public() {
    let keys = ServerKeys::open(MemoryTables::default().keys, at(0)).unwrap();
    let text = keys.published(at(0)).to_json().to_string();
    assert!(Jwks::register(text.as_bytes()).is_ok());
    for secret in ["\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"qi\""] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn a_spoiled_row_is_an_error() {
    let tables = MemoryTables::default();
    crate::tables::Table::put(&*tables.keys, super::ROW, b"[]").unwrap();
    assert!(ServerKeys::open(tables.keys.clone(), at(0)).is_err());
}

/// Row C13: for each algorithm there is something to verify with.
#[test]
fn every_algorithm_has_a_decoy() {
    let keys = ServerKeys::open(MemoryTables::default().keys, at(0)).unwrap();
    let decoys = Decoys::new(&keys).unwrap();
    assert!(Algorithm::ALL.into_iter().all(|algorithm| decoys.key(algorithm).is_some()));
}
