//! Signatures on resources (rows F30, F33): whatever is done to a signed document, nothing but what was signed verifies;
//! what is canonical stays as it is; and no bytes end in a panic.

use crate::choices::Choices;
use fhir::{
    canonical::{Form, Notation, canonical},
    json::Tree,
    schema,
};
use oauth::{
    jws::detached::{self, Detached},
    sign::PrivateKey,
    x509::Anchors,
};
use rest::signature::{Against, Verdict, examine, signatures};
use std::sync::LazyLock;
use testkit::pki::{Authority, Wanted};

const NOW_S: i64 = 1_800_000_000;
const TIME: &str = "2027-01-15T07:00:00Z";
const BODY: &str = r#"{"resourceType":"Bundle","id":"b","meta":{"versionId":"1"},"type":"document","timestamp":"2027-01-15T00:00:00Z","entry":[{"fullUrl":"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e1","resource":{"resourceType":"Observation","status":"final","code":{"text":"x\u0041"},"valueQuantity":{"value":1.50}}}]"#;

struct Lab {
    anchors: [Anchors; 1],
    /// The whole signed document.
    document: String,
    /// What its signature covers, in both notations.
    signed: [Vec<u8>; 2],
}

static LAB: LazyLock<Lab> = LazyLock::new(|| {
    let root = Authority::root("Root", NOW_S);
    let leaf = root.issue(&Wanted::leaf("Leaf", "https://a.example/fhir", NOW_S));
    let key = PrivateKey::parse(&leaf.key.pem(), None).expect("a key");
    let tree = Tree::parse(format!("{BODY}}}").into_bytes()).expect("JSON");
    let signed = [Notation::AsWritten, Notation::Rfc8785]
        .map(|notation| canonical(tree.root(), Form::Document, notation, &[]).expect("canonical"));
    let jws = detached::sign(&key, &leaf.chain, TIME, &signed[0]).expect("a signature");
    let data = base64(jws.as_bytes());
    let signature = format!(
        r#","signature":{{"type":[{{"code":"x"}}],"when":"{TIME}","who":{{"display":"x"}},"sigFormat":"application/jose","targetFormat":"application/fhir+json;canonicalization={}","data":"{data}"}}}}"#,
        Form::Document.url()
    );
    Lab { anchors: [Anchors::new(&[root.der()]).expect("an anchor")], document: format!("{BODY}{signature}"), signed }
});

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let whole =
            chunk.iter().fold(0_usize, |whole, byte| whole << 8 | usize::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            out.push(if at <= chunk.len() { char::from(LETTERS[whole >> (18 - 6 * at) & 63]) } else { '=' });
        }
    }
    out
}

/// The first byte says what is done.
pub fn signature(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    match choices.below(3) {
        0 => drop(Detached::parse(&String::from_utf8_lossy(bytes.get(1..).unwrap_or_default()))),
        1 => any_json(bytes.get(1..).unwrap_or_default()),
        _ => changed_document(&mut choices),
    }
}

fn any_json(bytes: &[u8]) {
    let Ok(tree) = Tree::parse(bytes.to_vec()) else { return };
    for form in Form::ALL {
        for notation in [Notation::AsWritten, Notation::Rfc8785] {
            let Ok(once) = canonical(tree.root(), form, notation, &[]) else { continue };
            let again = Tree::parse(once.clone()).expect("canonical JSON is JSON");
            assert_eq!(canonical(again.root(), form, notation, &[]).as_ref(), Ok(&once), "not a normal form");
        }
    }
    for one in signatures(&tree, schema::r4()) {
        let examined = examine(&one, Against::Resource(tree.root()), &LAB.anchors, NOW_S);
        assert!(!examined.checks.is_empty(), "a signature without a word");
    }
}

fn changed_document(choices: &mut Choices<'_>) {
    let lab = &*LAB;
    let mut text = lab.document.clone().into_bytes();
    for _ in 0..choices.below(4) {
        let at = (usize::from(choices.byte()) << 8 | usize::from(choices.byte())) % text.len();
        match choices.below(3) {
            0 => text[at] ^= choices.byte().max(1),
            1 => drop(text.remove(at)),
            _ => text.insert(at, choices.byte()),
        }
    }
    let Ok(tree) = Tree::parse(text.clone()) else { return };
    let found = signatures(&tree, schema::r4());
    for one in &found {
        let examined = examine(one, Against::Resource(tree.root()), &lab.anchors, NOW_S);
        if examined.verdict() == Verdict::Valid || examined.verifies() {
            let own: Vec<_> = tree.root().get("signature").into_iter().collect();
            let covered = canonical(tree.root(), Form::Document, Notation::AsWritten, &own).expect("canonical");
            let by_rfc = canonical(tree.root(), Form::Document, Notation::Rfc8785, &own);
            let is_signed = lab.signed.contains(&covered) || by_rfc.is_ok_and(|covered| lab.signed.contains(&covered));
            assert!(is_signed, "what was not signed verifies: {}", String::from_utf8_lossy(&text));
        }
    }
    if text == lab.document.as_bytes() {
        assert!(found.len() == 1 && examine(&found[0], Against::Resource(tree.root()), &lab.anchors, NOW_S).verifies());
    }
}
