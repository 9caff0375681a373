//! D2, D4, D6, D9, D11: each thing that can be wrong with a partner's server is said, and by which rule.

use super::*;
use crate::pki::{
    Curve, KeyKind,
    community::{Community, NewCommunity, NewMember, StatusBy},
};
use oauth::{
    jws::Algorithm,
    sign::PrivateKey,
    udap::metadata::{Offered, signed},
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::{fs, path::Path};

const BASE: &str = "https://north.example.org/fhir";
const NOW_S: i64 = 1_780_272_000;

/// A community with a server in it that is what it should be.
struct Lab {
    folder: tempfile::TempDir,
    anchors: Anchors,
}

fn ders(path: &Path) -> Vec<Vec<u8>> {
    let pem = fs::read(path).unwrap();
    CertificateDer::pem_slice_iter(&pem).map(|der| der.unwrap().to_vec()).collect()
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let new = NewCommunity {
            name: "Lab".into(),
            url: "http://127.0.0.1:8089".into(),
            days: 100,
            list_s: 60,
            answer_s: 10,
            key: KeyKind::Ec(Curve::P256),
        };
        Community::init(&folder.path().join("lab"), &new, moment(NOW_S)).unwrap();
        let anchors = Anchors::new(&ders(&folder.path().join("lab/root.pem"))).unwrap();
        Self { folder, anchors }
    }

    fn member(&self, name: &str, uri: &str, days: u32, key: KeyKind) -> (Vec<Vec<u8>>, PrivateKey) {
        let folder = self.folder.path().join("lab");
        let wanted = NewMember {
            name: name.into(),
            common_name: name.into(),
            organization: None,
            uris: vec![uri.into()],
            others: Vec::new(),
            days,
            key,
            status: StatusBy::Both,
            request: None,
            renew: false,
        };
        let made = Community::open(&folder).unwrap().issue(&wanted, moment(NOW_S)).unwrap();
        let key = fs::read_to_string(made.key.unwrap()).unwrap();
        (ders(&made.certificate), PrivateKey::parse(&key, Some(Algorithm::Rs256)).unwrap())
    }
}

fn document(scopes: &[String]) -> Document {
    Document::offered(&Offered {
        authorization_endpoint: "https://north.example.org/oauth/authorize",
        token_endpoint: "https://north.example.org/oauth/token",
        registration_endpoint: "https://north.example.org/oauth/udap/register",
        scopes,
        certifications: &[],
        is_tiered: false,
    })
}

fn good() -> Document {
    document(&["system/*.rs".to_owned()])
}

/// The document with its signed part.
fn whole(document: Document, iss: &str, (chain, key): &(Vec<Vec<u8>>, PrivateKey)) -> Vec<u8> {
    let signed = signed(&document, iss, key, chain, "1", NOW_S, 3600).unwrap();
    serde_json::to_vec(&Document { signed, ..document }.to_value()).unwrap()
}

fn seen(body: &[u8], anchors: Option<&Anchors>, now_s: i64) -> Seen {
    let content_type = Some("application/json;charset=utf-8");
    look(BASE, &Answered { status: StatusCode::OK, content_type, body, community: None }, anchors, now_s)
}

/// Subject and text of what is worse than a note.
fn wrong(seen: &Seen) -> Vec<(Weight, &'static str, &str)> {
    let worse = seen.lines.iter().filter(|line| line.weight > Weight::Note);
    worse.map(|line| (line.weight, line.subject, line.found.as_str())).collect()
}

#[test]
fn a_good_server_is_told_line_by_line() {
    let lab = Lab::new();
    let server = lab.member("north", BASE, 90, KeyKind::Rsa);
    let found = seen(&whole(good(), BASE, &server), Some(&lab.anchors), NOW_S);
    assert_eq!(wrong(&found), []);
    assert!(found.document.is_some() && found.chain.is_some());
    let told: Vec<_> = found.lines.iter().map(|line| format!("{}: {}", line.subject, line.found)).collect();
    for part in [
        "offers: tokens at https://north.example.org/oauth/token",
        "certificate: it names https://north",
        "chain: it holds: CN=north <- CN=Lab CA,O=Lab <- CN=Lab root,O=Lab",
        "demands: extensions: hl7-b2b",
    ] {
        assert!(told.iter().any(|line| line.starts_with(part)), "{part}: {told:#?}");
    }
    // Without anchors nobody is believed, and that is said.
    let found = seen(&whole(good(), BASE, &server), None, NOW_S);
    assert!(found.chain.is_none() && found.weight() == Weight::Note);
    // 70 days later there are 20 left.
    let later = good();
    let signed = signed(&later, BASE, &server.1, &server.0, "1", NOW_S + 70 * DAY_S, 3600).unwrap();
    let body = serde_json::to_vec(&Document { signed, ..later }.to_value()).unwrap();
    let found = seen(&body, Some(&lab.anchors), NOW_S + 70 * DAY_S);
    let [(Weight::Warning, "ends", found)] = wrong(&found)[..] else { panic!("{:?}", wrong(&found)) };
    assert!(found.contains("ends in 20 days"), "{found}");
}

#[test]
fn d4_d6_d11_names_are_compared_to_the_letter() {
    let lab = Lab::new();
    let right = lab.member("north", BASE, 90, KeyKind::Rsa);
    let slash = lab.member("slash", "https://north.example.org/fhir/", 90, KeyKind::Rsa);
    let other = lab.member("south", "https://south.example.org/fhir", 90, KeyKind::Rsa);
    let elliptic = lab.member("elliptic", BASE, 90, KeyKind::Ec(Curve::P256));
    let of = |iss: &str, member| seen(&whole(good(), iss, member), Some(&lab.anchors), NOW_S);
    let found = of("https://north.example.org/fhir/", &right);
    assert!(matches!(wrong(&found)[..], [(Weight::Problem, "signature", _)]) && found.document.is_none());
    let found = of(BASE, &slash);
    let [(Weight::Problem, "certificate", text)] = wrong(&found)[..] else { panic!("{:?}", wrong(&found)) };
    assert_eq!(
        text,
        "it does not name https://north.example.org/fhir: https://north.example.org/fhir/ differs by a slash at its end"
    );
    assert!(matches!(wrong(&of(BASE, &other))[..], [(Weight::Problem, "certificate", _)]));
    assert!(matches!(wrong(&of(BASE, &elliptic))[..], [(Weight::Warning, "signature", _)]), "ES256 is not for all");
    let foreign = Lab::new().anchors;
    let found = seen(&whole(good(), BASE, &right), Some(&foreign), NOW_S);
    assert!(matches!(wrong(&found)[..], [(Weight::Problem, "chain", _)]) && found.chain.is_none());
    // Signed by another key than that of the certificate.
    let forged = (right.0.clone(), other.1);
    assert!(matches!(
        wrong(&seen(&whole(good(), BASE, &forged), Some(&lab.anchors), NOW_S))[..],
        [(Weight::Problem, "signature", _)]
    ));
}

/// Row D2, and where the versions disagree.
#[test]
fn d2_each_broken_rule_is_a_line() {
    let lab = Lab::new();
    let server = lab.member("north", BASE, 90, KeyKind::Rsa);
    let of = |document| seen(&whole(document, BASE, &server), Some(&lab.anchors), NOW_S);
    let older = Document { scopes: None, registration_algorithms: None, ..good() };
    let found = of(older);
    assert!(
        matches!(wrong(&found)[..], [(Weight::Warning, "rules", _), (Weight::Warning, "rules", _)]),
        "1.0 may lack them"
    );
    assert!(found.document.is_some());
    let found = of(Document { versions: vec!["1".into(), "2".into()], ..good() });
    assert!(matches!(wrong(&found)[..], [(Weight::Problem, "rules", _)]));
    // What is signed is another endpoint than what stands there plainly: the signed one is used.
    let mut moved: serde_json::Value = serde_json::from_slice(&whole(good(), BASE, &server)).unwrap();
    moved["token_endpoint"] = "https://evil.example.org/token".into();
    let found = seen(moved.to_string().as_bytes(), Some(&lab.anchors), NOW_S);
    assert!(matches!(wrong(&found)[..], [(Weight::Warning, "rules", _)]));
    assert_eq!(found.document.unwrap().token_endpoint, "https://north.example.org/oauth/token");
}

/// Rows D1, D5: 1.0 says 404 to an unknown community, 1.1 and 2.0 say 204.
#[test]
fn d1_d5_what_is_not_there_is_said() {
    let answer = |status, content_type, body: &[u8], community| {
        look(BASE, &Answered { status, content_type, body, community }, None, NOW_S)
    };
    let json = Some("application/json");
    for (status, community, part) in [
        (StatusCode::NOT_FOUND, None, "does not speak UDAP"),
        (StatusCode::NOT_FOUND, Some("urn:x"), "as 1.0 says it"),
        (StatusCode::NO_CONTENT, Some("urn:x"), "as 1.1 and 2.0 say it"),
        (StatusCode::NO_CONTENT, None, "status 204"),
        (StatusCode::UNAUTHORIZED, None, "status 401"),
    ] {
        let found = answer(status, json, b"", community);
        let [(Weight::Problem, "document", text)] = wrong(&found)[..] else { panic!("{:?}", wrong(&found)) };
        assert!(text.contains(part), "{text}");
    }
    assert!(matches!(wrong(&answer(StatusCode::OK, json, b"[]", None))[..], [(Weight::Problem, "document", _)]));
    let plain = answer(StatusCode::OK, Some("text/plain"), b"{}", None);
    assert!(matches!(wrong(&plain)[..], [(Weight::Problem, "document", _), (Weight::Problem, "document", _)]));
    let unsigned = Document { signed: "a.b.c".into(), ..good() }.to_value().to_string();
    assert!(matches!(wrong(&seen(unsigned.as_bytes(), None, NOW_S))[..], [(Weight::Problem, "signature", _)]));
}
