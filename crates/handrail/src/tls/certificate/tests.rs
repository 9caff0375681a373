//! A5: weak, foreign and broken keys are refused; a swap reaches the next handshake.

use super::*;

fn pair(algorithm: &'static rcgen::SignatureAlgorithm) -> (String, String) {
    let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

#[test]
fn takes_a_matching_pair_and_knows_its_end() {
    let (chain, key) = pair(&rcgen::PKCS_ECDSA_P256_SHA256);
    let certificate = Certificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
    assert!(certificate.ends_at_s().unwrap() > 1_700_000_000);
}

#[test]
fn refuses_a_key_of_another_certificate() {
    let (chain, _) = pair(&rcgen::PKCS_ECDSA_P256_SHA256);
    let (_, key) = pair(&rcgen::PKCS_ECDSA_P256_SHA256);
    assert!(matches!(Certificate::from_pem(chain.as_bytes(), key.as_bytes()), Err(CertificateError::Unusable(_))));
}

#[test]
fn says_which_file_is_not_pem() {
    let (chain, key) = pair(&rcgen::PKCS_ECDSA_P256_SHA256);
    assert!(matches!(Certificate::from_pem(b"", key.as_bytes()), Err(CertificateError::Chain)));
    assert!(matches!(Certificate::from_pem(chain.as_bytes(), chain.as_bytes()), Err(CertificateError::Key)));
}

#[test]
fn a_failed_swap_keeps_the_old_certificate() {
    let (chain, key) = pair(&rcgen::PKCS_ECDSA_P256_SHA256);
    let certificate = Certificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
    let before = certificate.current.load_full();
    assert!(certificate.replace(b"nothing", key.as_bytes()).is_err());
    assert!(Arc::ptr_eq(&before, &certificate.current.load_full()));
    let (chain, key) = pair(&rcgen::PKCS_ECDSA_P384_SHA384);
    certificate.replace(chain.as_bytes(), key.as_bytes()).unwrap();
    assert!(!Arc::ptr_eq(&before, &certificate.current.load_full()));
}
