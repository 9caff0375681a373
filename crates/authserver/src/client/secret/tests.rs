//! Tests of `secret`.

use super::{NewSecret, Pepper, Secret};
use crate::tables::{Table, memory::Memory};
use fhir::Instant;

fn kept(pepper: &Pepper, client: &str, secret: &str) -> Secret {
    Secret { hash: pepper.of_secret(client, secret), created: Instant::from_unix_millis(0), last_used: None }
}

/// Row B12: either of two secrets works, of this client alone, and only whole.
#[test]
fn either_secret_counts_and_nothing_else() {
    let pepper = Pepper::open(&Memory::default()).unwrap();
    let (one, two) = (NewSecret::new().unwrap(), NewSecret::new().unwrap());
    assert_eq!(one.expose().len(), 43, "256 bits");
    let secrets = [kept(&pepper, "app", one.expose()), kept(&pepper, "app", two.expose())];
    assert_eq!(pepper.position("app", one.expose(), &secrets), Some(0));
    assert_eq!(pepper.position("app", two.expose(), &secrets), Some(1));
    assert_eq!(pepper.position("other", one.expose(), &secrets), None);
    assert_eq!(pepper.position("app", &one.expose()[1..], &secrets), None);
    assert_eq!(pepper.position("app", "", &secrets), None);
    assert_eq!(pepper.position("app", one.expose(), &secrets[1..]), None);
    assert_eq!(pepper.position("app", one.expose(), &[]), None);
}

/// The row of a client without the server's key tells nothing, and the key is there after a restart.
#[test]
fn the_pepper_lasts_and_counts() {
    let table = Memory::default();
    let first = Pepper::open(&table).unwrap();
    let secrets = [kept(&first, "app", "a secret")];
    assert_eq!(Pepper::open(&table).unwrap().position("app", "a secret", &secrets), Some(0));
    assert_eq!(Pepper::open(&Memory::default()).unwrap().position("app", "a secret", &secrets), None);
    table.put(b"pepper", b"short").unwrap();
    assert!(Pepper::open(&table).is_err());
    assert_ne!(first.of("a", &[b"bc"]), first.of("a", &[b"b", b"c"]), "parts stay apart");
    assert!(!format!("{:?} {:?}", secrets[0], NewSecret::new().unwrap()).contains("hash"));
}
