//! D9, D10: what a lab community makes is a chain that holds, and what it publishes says who is revoked.

use super::*;
use crate::{
    pki::{Curve, parts::bytes},
    tls::client::{ClientTrust, Files, Trust, Unfit},
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
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

/// As another implementation sees the chain with these lists, all of whose authorities need one.
fn examined(folder: &Path, name: &str, desk: &desk::Desk, now: Instant) -> Result<(), Unfit> {
    let mut lists = Vec::new();
    for list in ["root.crl", "ca.crl"] {
        let path = folder.join(list);
        fs::write(&path, desk::tests::list(desk, list, now)).unwrap();
        lists.push(path);
    }
    let files = Files { anchors: vec![folder.join("root.pem")], lists };
    let now_s = now.unix_seconds();
    let trust = ClientTrust::new(Trust::of(&files.read().unwrap(), now_s).unwrap());
    let pem = fs::read(folder.join(format!("{name}.pem"))).unwrap();
    let chain: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(&pem).map(Result::unwrap).collect();
    assert_eq!(chain.len(), 2, "the intermediate follows, the anchor does not");
    trust.examine(&chain, now_s).map(drop).map_err(|(why, _)| why)
}

#[test]
fn d9_chains_hold_until_the_member_or_the_intermediate_is_revoked() {
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
        assert_eq!((see("north", at(1)), see("payer", at(1))), (Ok(()), Err(Unfit::Revoked)));
        Community::open(&folder).unwrap().revoke(INTERMEDIATE, Reason::Unspecified, at(2)).unwrap();
        assert_eq!(see("north", at(2)), Err(Unfit::Revoked));
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
