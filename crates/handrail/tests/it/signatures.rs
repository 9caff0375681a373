//! `handrail sign` and `handrail verify`, and a server that was told whom to believe. Rows F29 to F34.

use crate::support::{ok, run, stderr, stdout};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use std::path::{Path, PathBuf};

struct Lab {
    own: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        let mut root = CertificateParams::default();
        root.distinguished_name.push(DnType::CommonName, "Lab");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root_key = KeyPair::generate().unwrap();
        let anchor = root.self_signed(&root_key).unwrap();
        let mut leaf = CertificateParams::default();
        leaf.distinguished_name.push(DnType::CommonName, "Ada Example");
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().unwrap();
        let leaf = leaf.signed_by(&key, &Issuer::new(root, root_key)).unwrap();
        let lab = Self { own: tempfile::tempdir().unwrap() };
        lab.file("ca.pem", &anchor.pem());
        lab.file("me.key", &key.serialize_pem());
        lab.file("me.pem", &leaf.pem());
        lab.file("other.key", &KeyPair::generate().unwrap().serialize_pem());
        lab
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.own.path().join(name)
    }

    fn run(&self, line: &str) -> std::process::Output {
        let place = |word: &str| if word.contains('.') { self.path(word) } else { Path::new(word).to_owned() };
        run(line.split(' ').map(place))
    }
}

const OBSERVATION: &str = r#"{"resourceType":"Observation","id":"o","meta":{"versionId":"2"},"status":"final",
    "code":{"text":"x"},"valueQuantity":{"value":1.50}}"#;
const ADA: &str = r#"{"resourceType":"Practitioner","name":[{"family":"Example","given":["Ada"]}]}"#;

#[test]
fn what_was_signed_verifies_and_nothing_else() {
    let lab = Lab::new();
    lab.file("o.json", OBSERVATION);
    lab.file("ada.json", ADA);
    let made = ok(&lab.run("sign o.json --key me.key --chain me.pem --who Practitioner/1 --provenance"));
    assert!(made.contains("\"reference\":\"Observation/o/_history/2\""), "{made}");
    lab.file("p.json", &made);
    let verify = |more: &str| {
        let output = lab.run(&format!("verify p.json --anchors ca.pem {more}"));
        (output.status.code(), stdout(&output))
    };
    let (code, text) = verify("--target o.json --who ada.json");
    // Nobody was asked whether the certificate was revoked, and it is said.
    assert!(code == Some(2) && text.contains("indeterminate") && text.contains("nobody was asked"), "{text}");
    assert!(text.contains("signature        passed") && text.contains("signer           passed"), "{text}");
    assert_eq!(verify("--who ada.json").0, Some(2));
    lab.file("changed.json", &OBSERVATION.replace("1.50", "1.51"));
    let (code, text) = verify("--target changed.json");
    assert!(code == Some(1) && text.contains("invalid") && text.contains("content was changed"), "{text}");
    let strange = lab.run("verify p.json --target o.json --anchors me.pem");
    assert!(stderr(&strange).contains("no authority"), "{}", stderr(&strange));
}

#[test]
fn what_cannot_be_signed_is_said() {
    let lab = Lab::new();
    lab.file("o.json", OBSERVATION);
    lab.file("bare.json", r#"{"resourceType":"Observation","status":"final"}"#);
    for (line, part) in [
        ("sign o.json --key other.key --chain me.pem --who Practitioner/1", "not that of the key"),
        ("sign o.json --key me.key --chain me.pem --who Practitioner/1 --covers document", "is for Bundles"),
        (
            "sign bare.json --key me.key --chain me.pem --who Practitioner/1 --provenance",
            "no version of it can be named",
        ),
        ("sign me.pem --key me.key --chain me.pem --who Practitioner/1", "line 1"),
    ] {
        let output = lab.run(line);
        assert!(!output.status.success() && stderr(&output).contains(part), "{line}: {}", stderr(&output));
    }
    let none = lab.run("verify bare.json");
    assert!(none.status.code() == Some(2) && stderr(&none).contains("no signature"), "{}", stderr(&none));
}
