//! D9, D10: what a lab community makes is a chain that holds, and what it publishes says who is revoked.

use super::*;
use crate::pki::{Curve, parts::bytes};
use rustls::{
    CertificateError,
    pki_types::{CertificateDer, UnixTime, pem::PemObject},
    server::WebPkiClientVerifier,
};
use std::{fs, os::unix::fs::PermissionsExt};

pub(super) fn at(seconds: i64) -> Instant {
    Instant::from_unix_millis(1_780_272_000_000 + seconds * 1000)
}

pub(super) fn new(key: KeyKind) -> NewCommunity {
    let (name, url) = ("Lab".to_owned(), "http://127.0.0.1:8089/".to_owned());
    NewCommunity { name, url, days: 100, list_s: 60, answer_s: 10, key }
}

pub(super) fn member(name: &str) -> NewMember {
    NewMember {
        name: name.into(),
        common_name: name.into(),
        organization: None,
        uris: vec![format!("https://{name}.example.org/fhir")],
        others: Vec::new(),
        days: 365,
        key: KeyKind::Ec(Curve::P256),
        status: StatusBy::Both,
        request: None,
        renew: false,
    }
}

/// As another implementation (rustls-webpki) sees the chain, with both lists.
fn examined(folder: &Path, name: &str, desk: &desk::Desk, now: Instant) -> Result<(), rustls::Error> {
    let certificates = |file: String| -> Vec<CertificateDer<'static>> {
        let pem = fs::read(folder.join(file)).unwrap();
        CertificateDer::pem_slice_iter(&pem).map(|one| one.unwrap().into_owned()).collect()
    };
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificates("root.pem".into()).remove(0)).unwrap();
    let lists = ["root.crl", "ca.crl"].map(|list| desk::tests::list(desk, list, now).to_vec().into());
    let provider = crate::tls::provider();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(roots.into(), provider).with_crls(lists).build().unwrap();
    let chain = certificates(format!("{name}.pem"));
    let [leaf, intermediate] = chain.as_slice() else { panic!("the intermediate follows, the anchor does not") };
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(now.unix_seconds().try_into().unwrap()));
    verifier.verify_client_cert(leaf, std::slice::from_ref(intermediate), now).map(drop)
}

#[test]
fn d9_chains_hold_until_the_member_or_the_intermediate_is_revoked() {
    let revoked = || rustls::Error::InvalidCertificate(CertificateError::Revoked);
    for key in [KeyKind::Rsa, KeyKind::Ec(Curve::P384)] {
        let own = tempfile::tempdir().unwrap();
        let folder = own.path().join("lab");
        let mut lab = Community::init(&folder, &new(key), at(0)).unwrap();
        lab.issue(&member("north"), at(0)).unwrap();
        lab.issue(&NewMember { key: KeyKind::Rsa, ..member("payer") }, at(0)).unwrap();
        drop(lab);
        let desk = desk::Desk::open(&folder).unwrap();
        let see = |name, now| examined(&folder, name, &desk, now);
        assert_eq!((see("north", at(0)), see("payer", at(0))), (Ok(()), Ok(())));
        // Another command, while the desk is open.
        Community::open(&folder).unwrap().revoke("payer", Reason::KeyCompromise, at(1)).unwrap();
        assert_eq!((see("north", at(1)), see("payer", at(1))), (Ok(()), Err(revoked())));
        Community::open(&folder).unwrap().revoke(INTERMEDIATE, Reason::Unspecified, at(2)).unwrap();
        assert_eq!(see("north", at(2)), Err(revoked()));
    }
}

#[test]
fn certificates_say_whose_they_are_and_where_their_status_is() {
    let own = tempfile::tempdir().unwrap();
    let folder = own.path().join("lab");
    let mut lab = Community::init(&folder, &new(KeyKind::Ec(Curve::P256)), at(0)).unwrap();
    let made = lab.issue(&NewMember { days: 9999, ..member("north") }, at(0)).unwrap();
    assert_eq!(made.issued.ends_s, at(0).unix_seconds() + 100 * DAY_S, "nothing outlives the community");
    for (status, expected) in [
        (StatusBy::Both, [true, true]),
        (StatusBy::Crl, [true, false]),
        (StatusBy::Ocsp, [false, true]),
        (StatusBy::None, [false, false]),
    ] {
        let made = lab.issue(&NewMember { status, renew: true, ..member("north") }, at(0)).unwrap();
        let pem = fs::read(&made.certificate).unwrap();
        let der = CertificateDer::from_pem_slice(&pem).unwrap();
        let has = |text: &str| der.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(has("https://north.example.org/fhir"));
        assert_eq!([has("http://127.0.0.1:8089/ca.crl"), has("http://127.0.0.1:8089/ocsp")], expected, "{status:?}");
        let (_, read) = x509_parser::parse_x509_certificate(&der).unwrap();
        assert_eq!(read.raw_serial(), bytes(&made.issued.serial).unwrap());
        assert!(!read.is_ca() && read.key_usage().unwrap().unwrap().value.digital_signature());
    }
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in ["root.key", "ca.key", "ocsp.key", "north.key", "register.json"] {
        assert_eq!(mode(&folder.join(file)), 0o600, "{file}");
    }
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let own = tempfile::tempdir().unwrap();
    let folder = own.path().join("lab");
    let key = KeyKind::Ec(Curve::P256);
    assert!(matches!(Community::open(&folder), Err(PkiError::Missing(_))));
    assert!(matches!(desk::Desk::open(&folder), Err(PkiError::Missing(_))));
    for url in ["https://a.example", "http://u@a.example", "http://a.example/?x", "ftp://a", "127.0.0.1:80", ""] {
        let asked = NewCommunity { url: url.into(), ..new(key) };
        assert!(matches!(Community::init(&folder, &asked, at(0)), Err(PkiError::Asked(_))), "{url}");
    }
    let mut lab = Community::init(&folder, &NewCommunity { name: "L".repeat(64), ..new(key) }, at(0)).unwrap();
    assert!(matches!(Community::open(&folder), Err(PkiError::Busy(_))));
    for name in ["", "../lab", "ca", "root", "ocsp", ".hidden", "a b"] {
        assert!(matches!(lab.issue(&member(name), at(0)), Err(PkiError::Asked(_))), "{name}");
    }
    let wrong = NewMember { uris: vec!["no uri".into()], ..member("north") };
    assert!(matches!(lab.issue(&wrong, at(0)), Err(PkiError::Asked(_))));
    lab.issue(&member("north"), at(0)).unwrap();
    assert!(matches!(lab.issue(&member("north"), at(0)), Err(PkiError::Asked(_))));
    assert!(matches!(lab.revoke("south", Reason::Unspecified, at(0)), Err(PkiError::Asked(_))));
    assert!(matches!(lab.issue(&member("late"), at(101 * DAY_S)), Err(PkiError::Asked(_))));
    drop(lab);
    assert!(matches!(Community::init(&folder, &new(key), at(0)), Err(PkiError::Exists(_))));
    fs::write(folder.join("register.json"), "{}").unwrap();
    assert!(matches!(Community::open(&folder), Err(PkiError::Register(_))));
}
