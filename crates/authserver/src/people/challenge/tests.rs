//! Tests of `challenge`.

use super::*;
use crate::tables::memory::Memory;
use serde_json::json;

fn client_data(challenge: &[u8]) -> Vec<u8> {
    json!({ "challenge": URL_SAFE_NO_PAD.encode(challenge) }).to_string().into_bytes()
}

/// Row B26: a challenge of another browser, another purpose, another time, another server, or none of ours.
#[test]
fn a_challenge_is_for_one_browser_one_purpose_and_a_while() {
    let seal = Seal::open(&Memory::default()).unwrap();
    let (mine, other) = ([1; 32], [2; 32]);
    let challenge = new(&seal, Purpose::SignIn, &mine, 100).unwrap();
    let data = client_data(&challenge);
    let end = 100 + limits::CHALLENGE_LIFE_S;
    let named = |purpose, browser, now_s| named_in(&data, &seal, purpose, browser, now_s);
    assert_eq!(named(Purpose::SignIn, &mine, end - 1).unwrap(), challenge);
    assert_eq!(named(Purpose::SignIn, &mine, end), None);
    assert_eq!(named(Purpose::SignIn, &other, 100), None);
    assert_eq!(named(Purpose::Add, &mine, 100), None);
    let elsewhere = Seal::open(&Memory::default()).unwrap();
    assert_eq!(named_in(&data, &elsewhere, Purpose::SignIn, &mine, 100), None);
    for at in 0..challenge.len() {
        let mut bent = challenge.clone();
        bent[at] ^= 1;
        assert_eq!(named_in(&client_data(&bent), &seal, Purpose::SignIn, &mine, 100), None, "{at}");
    }
    assert_eq!(named_in(&client_data(b"short"), &seal, Purpose::SignIn, &mine, 100), None);
    assert_ne!(new(&seal, Purpose::SignIn, &mine, 100).unwrap(), challenge);
}

#[test]
fn a_challenge_is_used_once() {
    let seal = Seal::open(&Memory::default()).unwrap();
    let challenges = Challenges::default();
    let one = new(&seal, Purpose::SignIn, &[1; 32], 100).unwrap();
    let two = new(&seal, Purpose::SignIn, &[1; 32], 100).unwrap();
    assert!(!challenges.was_used(&one) && challenges.was_used(b"short"));
    assert!(challenges.use_once(&one, 100) && challenges.use_once(&two, 100));
    assert!(challenges.was_used(&one) && !challenges.use_once(&one, 200));
    // Past its end it is refused by `named_in` and need not be remembered.
    let later = new(&seal, Purpose::SignIn, &[1; 32], 10_000).unwrap();
    assert!(challenges.use_once(&later, 10_000));
    assert_eq!(challenges.used.lock().unwrap().len(), 1);
}
