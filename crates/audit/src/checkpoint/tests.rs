//! Bytes and signatures of checkpoints.

use super::*;

fn signer() -> Signer {
    Signer::from_pkcs8(&Signer::new_key().unwrap()).unwrap()
}

#[test]
fn bytes_round_trip_and_the_last_whole_one_is_found() {
    let signer = signer();
    let first = signer.sign(7, [1; 32], Instant::from_unix_millis(8));
    let second = signer.sign(9, [2; 32], Instant::from_unix_millis(10));
    assert_eq!(first.encode().len(), CHECKPOINT_BYTES);
    assert_eq!(Checkpoint::decode(&first.encode()), Some(first.clone()));
    let file = [first.encode(), second.encode(), first.encode()[..40].to_vec()].concat();
    assert_eq!(Checkpoint::last(&file), Some(second));
    assert_eq!(Checkpoint::last(&[]), None);
}

/// F23: every bit is under the signature.
#[test]
fn no_byte_can_change() {
    let signer = signer();
    let keys = [self::signer().public_key(), signer.public_key()];
    let checkpoint = signer.sign(7, [1; 32], Instant::from_unix_millis(8));
    assert!(checkpoint.is_signed_by(&keys));
    assert!(!checkpoint.is_signed_by(&keys[..1]));
    let bytes = checkpoint.encode();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(!Checkpoint::decode(&changed).is_some_and(|c| c.is_signed_by(&keys)), "byte {at}");
    }
}

#[test]
fn public_keys_travel_as_pem() {
    let (a, b) = (signer().public_key(), signer().public_key());
    let text = format!("{}# older\n{}", a.to_pem(), b.to_pem());
    assert_eq!(PublicKey::from_pem(&text), [a, b]);
    assert_eq!(PublicKey::from_pem("-----BEGIN PUBLIC KEY-----\n!!\n-----END PUBLIC KEY-----"), []);
}

#[test]
fn a_signer_tells_nothing_of_its_key() {
    assert_eq!(format!("{:?}", signer()), "Signer(…)");
    assert_eq!(Signer::from_pkcs8(b"nothing").err(), Some(KeyError));
}
