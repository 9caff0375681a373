//! A5: what may be stapled, and in which words the operator hears what may not. The responses are made by
//! `oauth::ocsp_responder`, signed by the certificate's authority.

use super::*;
use crate::tls::certificate::Certificate;
use oauth::{
    der::Signing,
    ocsp_responder::{Answer, Failed, IdHash, Single as Told1, Told, certificate_id},
};
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};

const NOW_S: i64 = 1_800_000_000;

/// An authority and a certificate of it.
pub(crate) struct Pair {
    authority: KeyPair,
    issuer: Vec<u8>,
    serial: Vec<u8>,
    pub(crate) chain: String,
    pub(crate) key: String,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let authority = KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, "An authority");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = rcgen::Issuer::from_params(&params, &authority);
        let key = KeyPair::generate().unwrap();
        let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &issuer).unwrap();
        let (_, parsed) = x509_parser::parse_x509_certificate(leaf.der()).unwrap();
        let (issuer, serial) = (parsed.issuer().as_raw().to_vec(), parsed.raw_serial().to_vec());
        Self { authority, issuer, serial, chain: leaf.pem(), key: key.serialize_pem() }
    }

    pub(crate) fn certificate(&self) -> Certificate {
        Certificate::from_pem(self.chain.as_bytes(), self.key.as_bytes()).unwrap()
    }

    /// A response about this certificate, good for this long.
    pub(crate) fn staple(&self, from_s: i64, until_s: i64) -> Vec<u8> {
        self.response(IdHash::Sha1, &self.serial, Told::Good, from_s, Some(until_s))
    }

    fn response(&self, hash: IdHash, serial: &[u8], told: Told, from_s: i64, until_s: Option<i64>) -> Vec<u8> {
        let key = self.authority.der_bytes();
        let id = certificate_id(hash, &self.issuer, key, serial);
        let other = certificate_id(hash, &self.issuer, key, &[9]);
        let single = |id, told| Told1 { id, told, this_update_s: from_s, next_update_s: until_s };
        let singles = [single(other, Told::Good), single(id, told)];
        let answer =
            Answer { responder_key: key, produced_s: from_s, singles: &singles, nonce: None, certificates: &[] };
        answer.signed(Signing::EcdsaSha256, |data| self.authority.sign(data).ok()).unwrap()
    }

    fn read(&self, bytes: &[u8]) -> Result<Staple, StapleError> {
        Staple::read(bytes, &self.certificate().leaf().unwrap(), NOW_S)
    }
}

#[test]
fn a5_a_good_and_current_response_about_the_certificate_is_shown() {
    let pair = Pair::new();
    for hash in [IdHash::Sha1, IdHash::Sha256] {
        let bytes = pair.response(hash, &pair.serial, Told::Good, NOW_S - 60, Some(NOW_S + 60));
        assert_eq!(pair.read(&bytes), Ok(Staple { der: bytes, until_s: NOW_S + 60 }));
    }
    assert!(pair.read(&pair.staple(NOW_S + SKEW_S, NOW_S + 900)).is_ok(), "clocks differ a little");
}

#[test]
fn a5_what_may_not_be_shown_is_said_in_words() {
    let (pair, other) = (Pair::new(), Pair::new());
    let about = |told, from_s, until_s| pair.response(IdHash::Sha1, &pair.serial, told, from_s, until_s);
    let good = pair.staple(NOW_S - 60, NOW_S + 60);
    let mut cut = good.clone();
    cut.pop();
    let revoked = Told::Revoked { at_s: NOW_S - 90, reason: Some(1) };
    // Same serial, another authority's name: an answer of a stranger.
    let mut elsewhere = other.certificate().leaf().unwrap();
    elsewhere.serial.clone_from(&pair.serial);
    elsewhere.issuer.push(0);
    assert_eq!(Staple::read(&good, &elsewhere, NOW_S), Err(StapleError::OtherCertificate));
    for (bytes, said) in [
        (b"-----BEGIN OCSP RESPONSE-----".to_vec(), "not an OCSP response in DER"),
        (Vec::new(), "not an OCSP response in DER"),
        (cut, "not an OCSP response in DER"),
        ([&good[..], &[0]].concat(), "not an OCSP response in DER"),
        (vec![0x30; limits::OCSP_STAPLE_BYTES_MAX + 1], "the file is over"),
        (Failed::TryLater.to_der(), "gave no answer, but tryLater"),
        (other.staple(NOW_S - 60, NOW_S + 60), "about another certificate"),
        (about(revoked, NOW_S - 60, Some(NOW_S + 60)), "is revoked"),
        (about(Told::Unknown, NOW_S - 60, Some(NOW_S + 60)), "does not know the certificate"),
        (about(Told::Good, NOW_S - 60, None), "until when it is good"),
        (about(Told::Good, NOW_S - 60, Some(NOW_S)), "ended on 2027-01-15T08:00:00"),
        (about(Told::Good, NOW_S + SKEW_S + 1, Some(NOW_S + 900)), "counts only from"),
    ] {
        let why = pair.read(&bytes).unwrap_err().to_string();
        assert!(why.contains(said), "{said}: {why}");
    }
    let none = bytes_of(Path::new("nowhere/at/all")).unwrap_err().to_string();
    assert!(none.contains("No such file"), "{none}");
}

#[test]
fn a5_no_bytes_make_the_reader_fail() {
    let pair = Pair::new();
    let leaf = pair.certificate().leaf().unwrap();
    let good = pair.staple(NOW_S - 60, NOW_S + 60);
    for at in 0..good.len() {
        for bit in [0x01, 0x20, 0x80] {
            let mut bytes = good.clone();
            bytes[at] ^= bit;
            let _ = Staple::read(&bytes, &leaf, NOW_S);
        }
        let _ = Staple::read(&good[..at], &leaf, NOW_S);
    }
}
