//! Tests of `used_assertions`. Row C4; how it shows at the token endpoint is tested there.

use super::UsedAssertions;
use crate::tables::{Table, memory::MemoryTables};
use oauth::{
    client_assertion::{ClientAssertion, Expected, Unverified, signed},
    jwk::Jwks,
    jws::Algorithm,
    sign::PrivateKey,
};
use std::sync::{LazyLock, atomic::Ordering};

static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(Algorithm::Es256).unwrap());

/// Of this client, with this `jti`, ending so long after `now_s`.
fn assertion(client: &str, jti: &str, now_s: i64, life_s: i64) -> ClientAssertion {
    let text = signed(&KEY, client, "aud", jti, now_s, life_s).unwrap();
    let keys = Jwks::new(vec![KEY.public().clone()]);
    let expected = Expected { keys: &keys, jwks_url: None, audiences: &["aud"], now_s };
    Unverified::parse(&text).unwrap().verify(expected).unwrap()
}

#[test]
fn once_until_it_ends() {
    let tables = MemoryTables::default();
    let used = UsedAssertions::open(tables.assertions.clone()).unwrap();
    let one = assertion("a", "x", 0, 300);
    assert!(!used.was_used(&one, 0).unwrap());
    assert!(used.use_once(&one, 0).unwrap());
    assert!(used.was_used(&one, 0).unwrap());
    assert!(!used.use_once(&one, 0).unwrap());
    assert!(used.use_once(&assertion("b", "x", 0, 300), 0).unwrap(), "of another client");
    assert!(used.use_once(&assertion("a", "y", 0, 300), 0).unwrap(), "another jti");
    assert!(!used.use_once(&one, 359).unwrap());
    // Unswept, and past its end: the jti may come again, and is then marked to its new end.
    let later = assertion("a", "x", 360, 300);
    assert!(used.use_once(&later, 360).unwrap());
    assert!(!used.use_once(&later, 360).unwrap());
    used.sweep(400).unwrap();
    assert!(!used.use_once(&later, 400).unwrap(), "the new mark outlives the old one's end");
    assert_eq!(tables.assertions.all_keys().len(), 1);

    let again = UsedAssertions::open(tables.assertions.clone()).unwrap();
    assert!(!again.use_once(&later, 400).unwrap(), "durable");
    again.sweep(719).unwrap();
    assert_eq!(tables.assertions.all_keys().len(), 1);
    again.sweep(720).unwrap();
    assert!(tables.assertions.all_keys().is_empty(), "swept after a restart too");
}

/// Client and jti cannot be moved against each other.
#[test]
fn client_and_jti_stay_apart() {
    let used = UsedAssertions::open(MemoryTables::default().assertions).unwrap();
    assert!(used.use_once(&assertion("ab", "c", 0, 60), 0).unwrap());
    assert!(used.use_once(&assertion("a", "bc", 0, 60), 0).unwrap());
}

#[test]
fn failures_are_told() {
    let tables = MemoryTables::default();
    let used = UsedAssertions::open(tables.assertions.clone()).unwrap();
    tables.assertions.full.store(true, Ordering::Relaxed);
    assert!(used.use_once(&assertion("a", "x", 0, 60), 0).is_err());
    tables.assertions.full.store(false, Ordering::Relaxed);
    assert!(used.use_once(&assertion("a", "x", 0, 60), 0).unwrap(), "the failed one left no mark");
    tables.assertions.put(b"short", b"").unwrap();
    assert!(UsedAssertions::open(tables.assertions.clone()).is_err());
}
