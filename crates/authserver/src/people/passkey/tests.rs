//! Tests of the two ceremonies, attacks included. Row B26.

use super::{
    PasskeyError as E,
    testing::{Authenticator, Key, bytes},
    *,
};
use ciborium::{Value, cbor};

const CHALLENGE: &[u8] = b"a challenge of 32 bytes or so...";

fn party() -> RelyingParty {
    RelyingParty::of_issuer("https://care.example:8443")
}

fn register(client_data: &[u8], attestation_object: &[u8]) -> Result<Passkey, E> {
    let answer = registration::Answer { client_data, attestation_object };
    registration::verify(&answer, CHALLENGE, &party(), "Phone".into(), 5)
}

fn assert_with(passkey: &Passkey, (client_data, data, signature): &(Vec<u8>, Vec<u8>, Vec<u8>)) -> Result<u32, E> {
    let answer = assertion::Answer { client_data, authenticator_data: data, signature };
    assertion::verify(&answer, CHALLENGE, &party(), passkey)
}

#[test]
fn the_relying_party_is_our_host() {
    for (issuer, id) in [
        ("https://care.example:8443", "care.example"),
        ("https://Care.Example", "care.example"),
        ("https://localhost:8443", "localhost"),
    ] {
        let party = RelyingParty::of_issuer(issuer);
        assert_eq!((party.id.as_str(), party.origin), (id, issuer.to_lowercase()));
    }
}

#[test]
fn all_kinds_of_key_register_and_sign_in() {
    for key in [Key::es256(), Key::eddsa(), Key::rs256()] {
        let mut authenticator = Authenticator::new(key, "credential");
        let (client_data, object) = authenticator.create(CHALLENGE);
        let passkey = register(&client_data, &object).unwrap();
        assert_eq!((&*passkey.id, passkey.counter), (&b"credential"[..], 0));
        let again = Passkey { key: key::PublicKey::from_cose(passkey.key.cose()).unwrap(), ..passkey };
        assert_eq!(assert_with(&again, &authenticator.get(CHALLENGE)), Ok(0));
        // Another's signature over the same.
        let mut other = Authenticator::new(Key::es256(), "credential");
        assert_eq!(assert_with(&again, &other.get(CHALLENGE)), Err(E::Signature));
        // Each byte of the signature counts.
        let mut answer = authenticator.get(CHALLENGE);
        *answer.2.last_mut().unwrap() ^= 1;
        assert_eq!(assert_with(&again, &answer), Err(E::Signature));
    }
}

/// A phisher's page, another ceremony, an old challenge, a frame.
#[test]
fn client_data_of_another_place_or_time_is_refused() {
    let mut authenticator = Authenticator::new(Key::es256(), "credential");
    let passkey = authenticator.registered(&party());
    let signed = |client_data: Vec<u8>| {
        let data = authenticator.data(false);
        let signature = authenticator.signature(&client_data, &data);
        (client_data, data, signature)
    };
    let good = r#"{"type":"webauthn.get","challenge":"CHALLENGE","origin":"https://care.example:8443"}"#;
    let challenge = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, CHALLENGE);
    for (from, to, expected) in [
        ("", "", None),
        ("webauthn.get", "webauthn.create", Some(E::Type)),
        ("webauthn.get", "payment.get", Some(E::Type)),
        ("CHALLENGE", "AAAA", Some(E::Challenge)),
        ("CHALLENGE", "CHALLENGEA", Some(E::Challenge)),
        ("https://care.example:8443", "https://care.example", Some(E::Origin)),
        ("https://care.example:8443", "https://care.example:8443.evil.example", Some(E::Origin)),
        ("https://care.example:8443", "http://care.example:8443", Some(E::Origin)),
        ("https://care.example:8443\"", "https://care.example:8443\",\"crossOrigin\":true", Some(E::Origin)),
        (
            "https://care.example:8443\"",
            "https://care.example:8443\",\"topOrigin\":\"https://e.example\"",
            Some(E::Origin),
        ),
        ("{", "", Some(E::Malformed)),
        ("\"origin\"", "\"other\"", Some(E::Malformed)),
    ] {
        let text = good.replace(from, to).replace("CHALLENGE", &challenge);
        let text = if from.is_empty() { good.replace("CHALLENGE", &challenge) } else { text };
        let result = assert_with(&passkey, &signed(text.into_bytes()));
        assert_eq!(result.err(), expected, "{from} -> {to}");
    }
    // What was signed for one challenge is for that one.
    let answer = authenticator.get(b"an older challenge");
    assert_eq!(assert_with(&passkey, &answer), Err(E::Challenge));
}

#[test]
fn the_authenticator_must_have_seen_and_verified_the_person_for_us() {
    for (change, expected) in [
        ((|a| a.flags = 0b1_1100) as fn(&mut Authenticator), E::NotPresent),
        (|a| a.flags = 0b1_1001, E::NotVerified),
        (|a| a.flags = 0b1_0101, E::Flags),
        (|a| a.rp_id = "evil.example".into(), E::RelyingParty),
        (|a| a.flags |= 1 << 7, E::Malformed),
    ] {
        let mut authenticator = Authenticator::new(Key::es256(), "credential");
        let passkey = authenticator.registered(&party());
        change(&mut authenticator);
        let (client_data, object) = authenticator.create(CHALLENGE);
        assert_eq!(register(&client_data, &object).err(), Some(expected));
        assert_eq!(assert_with(&passkey, &authenticator.get(CHALLENGE)), Err(expected));
    }
    // An assertion says nothing of a key.
    let mut authenticator = Authenticator::new(Key::es256(), "credential");
    let passkey = authenticator.registered(&party());
    let (client_data, _, _) = authenticator.get(CHALLENGE);
    let data = authenticator.data(true);
    let signature = authenticator.signature(&client_data, &data);
    assert_eq!(assert_with(&passkey, &(client_data, data, signature)), Err(E::Flags));
}

/// A cloned passkey: whichever of the two comes second shows a counter that was there.
#[test]
fn a_counter_that_does_not_go_on_tells_a_copy() {
    let mut original = Authenticator::new(Key::es256(), "credential");
    original.counter = 10;
    let mut passkey = original.registered(&party());
    for _ in 0..3 {
        passkey.counter = assert_with(&passkey, &original.get(CHALLENGE)).unwrap();
    }
    assert_eq!(passkey.counter, 13);
    original.counter = 11;
    assert_eq!(assert_with(&passkey, &original.get(CHALLENGE)), Err(E::Counter));
    original.counter = 12;
    assert_eq!(assert_with(&passkey, &original.get(CHALLENGE)), Err(E::Counter), "the same again");
    original.counter = 0;
    assert_eq!(assert_with(&passkey, &original.get(CHALLENGE)), Err(E::Counter), "back to counting nothing");
    original.counter = 13;
    assert_eq!(assert_with(&passkey, &original.get(CHALLENGE)), Ok(14));
}

#[test]
fn keys_that_were_not_asked_for_are_refused() {
    let (x, y) = (Value::Bytes(vec![1; 32]), Value::Bytes(vec![2; 32]));
    let n = |length| Value::Bytes(vec![0xff; length]);
    let e = || Value::Bytes(vec![1, 0, 1]);
    for (name, value, expected) in [
        ("ES256 on P-384", cbor!({ 1 => 2, 3 => -7, -1 => 2, -2 => x, -3 => y }), E::Key),
        ("ES384", cbor!({ 1 => 2, 3 => -35, -1 => 2, -2 => x, -3 => y }), E::Key),
        ("a compressed point", cbor!({ 1 => 2, 3 => -7, -1 => 1, -2 => x, -3 => true }), E::Key),
        ("a short coordinate", cbor!({ 1 => 2, 3 => -7, -1 => 1, -2 => Value::Bytes(vec![1]), -3 => y }), E::Key),
        ("no algorithm", cbor!({ 1 => 2, -1 => 1, -2 => x, -3 => y }), E::Key),
        ("an algorithm of another kind", cbor!({ 1 => 2, 3 => -257, -1 => 1, -2 => x, -3 => y }), E::Key),
        ("Ed448", cbor!({ 1 => 1, 3 => -8, -1 => 7, -2 => Value::Bytes(vec![1; 57]) }), E::Key),
        ("RS1", cbor!({ 1 => 3, 3 => -65535, -1 => n(256), -2 => e() }), E::Key),
        ("RSA of 1024 bits", cbor!({ 1 => 3, 3 => -257, -1 => n(128), -2 => e() }), E::Key),
        ("a symmetric key", cbor!({ 1 => 4, 3 => 5, -1 => x }), E::Key),
        ("no map", cbor!([1, 2]), E::Malformed),
    ] {
        assert_eq!(key::PublicKey::from_cose(&bytes(&value.unwrap())).err(), Some(expected), "{name}");
    }
    // Twice the same label, and something behind the key.
    let twice = Value::Map(vec![(1.into(), 2.into()), (3.into(), (-7).into()), (3.into(), (-8).into())]);
    assert_eq!(key::PublicKey::from_cose(&bytes(&twice)).err(), Some(E::Malformed));
    let mut behind = Key::eddsa().cose();
    behind.push(0);
    assert_eq!(key::PublicKey::from_cose(&behind).err(), Some(E::Malformed));
    // A point that is not on the curve verifies nothing.
    let point = bytes(&cbor!({ 1 => 2, 3 => -7, -1 => 1, -2 => x, -3 => y }).unwrap());
    assert_eq!(key::PublicKey::from_cose(&point).unwrap().verify(b"m", b"s"), Err(E::Signature));
}

#[test]
fn an_attestation_object_is_read_to_its_end() {
    let mut authenticator = Authenticator::new(Key::es256(), "credential");
    let (client_data, object) = authenticator.create(CHALLENGE);
    for cut in 0..object.len() {
        assert!(register(&client_data, &object[..cut]).is_err(), "{cut}");
    }
    let longer = [&object[..], &[0]].concat();
    assert_eq!(register(&client_data, &longer).err(), Some(E::Malformed));
    let data = [authenticator.data(true), vec![0]].concat();
    assert_eq!(register(&client_data, &authenticator.object(data)).err(), Some(E::Malformed));
    assert_eq!(register(&client_data, &authenticator.object(authenticator.data(false))).err(), Some(E::Malformed));
    // A length that points beyond, and one that is over the limit.
    let mut data = authenticator.data(true);
    data[53] = 0xff;
    assert_eq!(register(&client_data, &authenticator.object(data)).err(), Some(E::Malformed));
    // Formats that nobody reads are no obstacle; `none` says nothing.
    authenticator.format = "packed";
    let (client_data, object) = authenticator.create(CHALLENGE);
    assert!(register(&client_data, &object).is_ok());
    let said =
        cbor!({ "fmt" => "none", "attStmt" => { "x" => 1 }, "authData" => Value::Bytes(authenticator.data(true)) });
    assert_eq!(register(&client_data, &bytes(&said.unwrap())).err(), Some(E::Malformed));
    // Deep and endless CBOR ends.
    assert_eq!(register(&client_data, &vec![0x81; 60_000]).err(), Some(E::Malformed));
    assert_eq!(
        register(&client_data, &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).err(),
        Some(E::Malformed)
    );
    assert_eq!(
        register(&client_data, &[0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).err(),
        Some(E::Malformed)
    );
}
