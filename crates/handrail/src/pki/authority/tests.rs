//! A6: what the private authority makes is what the server takes, and what it revokes the server refuses.

use super::*;
use crate::pki::alternative_names;
use crate::tls::client::{ClientTrust, Files, Standing, Trust, Unfit};
use std::{fs, os::unix::fs::PermissionsExt};

fn now() -> Instant {
    Instant::from_unix_millis(1_780_272_000_000)
}

fn wanted(name: &str, kind: Use) -> Wanted {
    Wanted {
        name: name.into(),
        common_name: name.into(),
        organization: Some("Example".into()),
        names: Vec::new(),
        kind,
        days: 365,
        curve: Curve::P256,
        request: None,
        renew: false,
    }
}

fn examined(authority: &Authority, der: &[u8], now_s: i64) -> Result<Standing, Unfit> {
    let files = Files { anchors: vec![authority.certificate_path()], lists: vec![authority.list_path()] };
    let trust = ClientTrust::new(Trust::of(&files.read().unwrap(), now_s).unwrap());
    let found = trust.examine(&[CertificateDer::from(der)], now_s);
    found.map(|examined| examined.standing).map_err(|(why, _)| why)
}

#[test]
fn what_it_makes_is_taken_until_it_is_revoked() {
    let own = tempfile::tempdir().unwrap();
    let folder = own.path().join("pki");
    let now_s = now().unix_seconds();
    let mut authority = Authority::init(&folder, "clients", (3650, 90), Curve::P384, now()).unwrap();
    let lab = authority.issue(&wanted("lab", Use::Client), now()).unwrap();
    let ehr = authority.issue(&wanted("ehr", Use::Client), now()).unwrap();
    let server = authority.issue(&wanted("fhir.example.org", Use::Server), now()).unwrap();
    assert_eq!(examined(&authority, &lab.der, now_s), Ok(Standing::Anchored));
    assert_eq!(examined(&authority, &server.der, now_s), Err(Unfit::Purpose));
    assert_eq!(examined(&authority, &lab.der, now_s + 91 * DAY_S), Err(Unfit::NoList), "the list has ended");
    drop(authority);
    // Another command, later.
    let later = Instant::from_unix_millis(now().unix_millis() + 3_600_000);
    let mut authority = Authority::open(&folder).unwrap();
    assert_eq!(authority.revoke("lab", Reason::KeyCompromise, later).unwrap(), 1);
    assert_eq!(examined(&authority, &lab.der, now_s + 3600), Err(Unfit::Revoked));
    assert_eq!(examined(&authority, &ehr.der, now_s + 3600), Ok(Standing::Anchored));
    assert!(matches!(authority.revoke("lab", Reason::Unspecified, later), Err(PkiError::Asked(_))));
    assert_eq!(authority.revoke(&ehr.issued.serial.to_uppercase(), Reason::Superseded, later).unwrap(), 1);
    // A list that is written anew keeps what is revoked.
    let until_s = authority.write_list(Instant::from_unix_millis(now().unix_millis() + 80 * DAY_S * 1000)).unwrap();
    assert_eq!(until_s, now_s + 170 * DAY_S);
    assert_eq!(examined(&authority, &lab.der, now_s + 100 * DAY_S), Err(Unfit::Revoked));
    let states: Vec<_> = authority.issued().iter().map(|one| (one.name.as_str(), one.revoked.is_some())).collect();
    assert_eq!(states, [("lab", true), ("ehr", true), ("fhir.example.org", false)]);
}

#[test]
fn keys_are_for_their_owner_alone() {
    let own = tempfile::tempdir().unwrap();
    let folder = own.path().join("pki");
    let mut authority = Authority::init(&folder, "clients", (10, 10), Curve::P256, now()).unwrap();
    let made = authority.issue(&wanted("lab", Use::Client), now()).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for private in [folder.join("ca.key"), made.key.unwrap(), folder.join("register.json")] {
        assert_eq!(mode(&private), 0o600, "{}", private.display());
    }
    // Nothing outlives the authority.
    assert_eq!(made.issued.ends_s, now().unix_seconds() + 10 * DAY_S);
}

#[test]
fn a_request_brings_its_key_and_nothing_else() {
    let own = tempfile::tempdir().unwrap();
    let mut authority = Authority::init(&own.path().join("pki"), "clients", (100, 10), Curve::P256, now()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut asks = CertificateParams::new(vec!["admin.example.org".to_owned()]).unwrap();
    asks.distinguished_name = distinguished("administrator", None);
    asks.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let request = asks.serialize_request(&key).unwrap().pem().unwrap();
    let made =
        authority.issue(&Wanted { request: Some(request.clone()), ..wanted("lab", Use::Client) }, now()).unwrap();
    assert!(made.key.is_none() && !own.path().join("pki/lab.key").exists());
    let presented = authserver::client_certificate::Presented::new(vec![made.der.clone()], false).unwrap();
    let facts = presented.facts().unwrap();
    assert_eq!(facts.subject.to_string(), "CN=lab,O=Example");
    assert!(facts.dns.is_empty());
    assert_eq!(examined(&authority, &made.der, now().unix_seconds()), Ok(Standing::Anchored));
    let broken = request.replacen("MII", "MIJ", 1);
    for wrong in ["nothing", broken.as_str()] {
        let asked = Wanted { request: Some(wrong.to_owned()), ..wanted("other", Use::Client) };
        assert!(matches!(authority.issue(&asked, now()), Err(PkiError::Asked(_))));
    }
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let own = tempfile::tempdir().unwrap();
    let folder = own.path().join("pki");
    assert!(matches!(Authority::open(&folder), Err(PkiError::Missing(_))));
    let mut authority = Authority::init(&folder, "clients", (100, 10), Curve::P256, now()).unwrap();
    assert!(matches!(Authority::open(&folder), Err(PkiError::Busy(_))));
    for name in ["", "../lab", "ca", ".hidden", "a b", "crl"] {
        assert!(matches!(authority.issue(&wanted(name, Use::Client), now()), Err(PkiError::Asked(_))), "{name}");
    }
    authority.issue(&wanted("lab", Use::Client), now()).unwrap();
    assert!(matches!(authority.issue(&wanted("lab", Use::Client), now()), Err(PkiError::Asked(_))));
    authority.issue(&Wanted { renew: true, ..wanted("lab", Use::Client) }, now()).unwrap();
    assert_eq!(authority.revoke("lab", Reason::Unspecified, now()).unwrap(), 2, "both of that name");
    let ended = Instant::from_unix_millis(now().unix_millis() + 101 * DAY_S * 1000);
    assert!(matches!(authority.issue(&wanted("late", Use::Client), ended), Err(PkiError::Asked(_))));
    drop(authority);
    assert!(matches!(Authority::init(&folder, "x", (1, 1), Curve::P256, now()), Err(PkiError::Exists(_))));
    fs::write(folder.join("register.json"), "{}").unwrap();
    assert!(matches!(Authority::open(&folder), Err(PkiError::Register(_))));
    for wrong in ["a b", "", "a..b", "*", "https://a.example"] {
        assert!(alternative_names(&[wrong.to_owned()], &[], &[], &[]).is_err(), "{wrong}");
    }
    assert!(alternative_names(&["*.example.org".to_owned(), "::1".to_owned()], &[], &[], &[]).is_ok());
    assert!(alternative_names(&[], &["lab".to_owned()], &[], &[]).is_err());
    assert!(alternative_names(&[], &[], &[], &["lab".to_owned()]).is_err());
}
