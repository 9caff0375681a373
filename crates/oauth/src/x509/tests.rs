//! Certificates that OpenSSL made: an independent hand. `tests/*.pem`; how, stands beside each.

use super::*;
use crate::{
    jwk::JwkError,
    pki::{Key, Wanted},
};
use proptest::prelude::*;

/// 2033: all of them last until 2126.
const NOW_S: i64 = 2_000_000_000;

fn der(pem: &str) -> Vec<u8> {
    pem::first(pem.as_bytes(), "CERTIFICATE").unwrap()
}

macro_rules! made {
    ($name:literal) => {
        der(include_str!(concat!("tests/", $name, ".pem")))
    };
}

#[test]
fn reads_what_openssl_wrote() {
    // req -x509 of a P-256 key; x509 -req of another, with a URI.
    let (root, leaf) = (Certificate::read(&made!("ca")).unwrap(), Certificate::read(&made!("good")).unwrap());
    assert_eq!(root.subject().to_string(), "CN=OpenSSL root,O=Lab,C=US");
    assert!(root.is_authority() && root.is_self_issued() && !leaf.is_authority());
    assert_eq!(leaf.uris(), ["https://a.example/fhir"]);
    assert_eq!((leaf.issuer_der(), leaf.issuer()), (root.subject_der(), root.subject()));
    assert_eq!(leaf.not_after_s() - leaf.not_before_s(), 36_400 * 86_400);
    assert_eq!(leaf.key().key_type(), "EC");
    assert_eq!(format!("{leaf:?}"), "Certificate(CN=good, of CN=OpenSSL root,O=Lab,C=US)");
    let anchors = Anchors::new(&[made!("ca")]).unwrap();
    let chain = anchors.chain(&[made!("good")], NOW_S).unwrap();
    assert_eq!(chain.certificates().len(), 2);
    assert_eq!(chain.leaf().unwrap().thumbprint(), leaf.thumbprint());
}

#[test]
fn d10_keys_and_algorithms() {
    // RSA with 1024 bits, P-224, Ed25519.
    assert_eq!(Certificate::read(&made!("weak")), Err(CertificateError::Key(JwkError::Size)));
    assert_eq!(Certificate::read(&made!("p224")), Err(CertificateError::Key(JwkError::Unsupported)));
    assert_eq!(Certificate::read(&made!("ed")), Err(CertificateError::Key(JwkError::Unsupported)));
    // x509 -req -sha1: the same otherwise.
    let anchors = Anchors::new(&[made!("ca")]).unwrap();
    let refused = anchors.chain(&[made!("sha1")], NOW_S).unwrap_err();
    assert_eq!((&refused, refused.word()), (&ChainError::Algorithm("CN=sha1".into()), "certificate-algorithm"));
}

#[test]
fn rsa_signatures_of_both_kinds() {
    // -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32, and -sha384 with the older padding.
    let anchors = Anchors::new(&[made!("pssca")]).unwrap();
    for leaf in [made!("pss"), made!("rsa384")] {
        anchors.chain(&[leaf], NOW_S).unwrap();
    }
    // The lab's own RSA.
    let root = crate::pki::Authority::self_signed(&Wanted { key: Key::rsa(), ..Wanted::authority("Root", NOW_S) });
    let leaf = root.issue(&Wanted { key: Key::p384(), ..Wanted::leaf("Leaf", "https://a.example", NOW_S) });
    Anchors::new(&[root.der()]).unwrap().chain(&leaf.chain, NOW_S).unwrap();
}

#[test]
fn a_changed_byte_is_another_certificate() {
    let anchors = Anchors::new(&[made!("ca")]).unwrap();
    let good = made!("good");
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(anchors.chain(&[bad], NOW_S).is_err(), "byte {at}");
    }
    for length in 0..good.len() {
        assert!(Certificate::read(&good[..length]).is_err());
    }
}

proptest! {
    /// Row F-like: bytes of strangers end in an error, never in a panic.
    #[test]
    fn hostile_bytes(at in 0_usize..400, change in proptest::collection::vec(any::<u8>(), 1..8), cut in 0_usize..400) {
        for name in [made!("good"), made!("pss")] {
            let mut bytes = name;
            for (offset, byte) in change.iter().enumerate() {
                let at = (at + offset) % bytes.len();
                bytes[at] = *byte;
            }
            let _ = Certificate::read(&bytes);
            let _ = crl::Crl::read(&bytes);
            let _ = ocsp::Response::read(&bytes);
            let _ = Certificate::read(&bytes[cut.min(bytes.len())..]);
        }
    }
}
