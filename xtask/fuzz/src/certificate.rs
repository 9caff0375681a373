//! Certificates, revocation lists and OCSP answers (rows D9, D10): whatever is done to one without its authority's key,
//! it is not believed; and no bytes end in a panic.

use crate::choices::Choices;
use oauth::{
    ocsp_responder::Question,
    x509::{Anchors, Certificate, crl::Crl, ocsp::Response},
};
use std::sync::LazyLock;
use testkit::pki::{Answer, Authority, Held, List, Standing, Wanted};

const NOW_S: i64 = 1_800_000_000;

struct Lab {
    anchors: Anchors,
    issuer: Certificate,
    leaf: Held,
    read: Certificate,
    list: Vec<u8>,
    answer: Vec<u8>,
}

static LAB: LazyLock<Lab> = LazyLock::new(|| {
    let root = Authority::root("Root", NOW_S);
    let middle = root.below(&Wanted::authority("Middle", NOW_S));
    let leaf = middle.issue(&Wanted {
        lists: vec!["http://ca.example/1.crl".into()],
        responders: vec!["http://ca.example/".into()],
        ..Wanted::leaf("Leaf", "https://a.example/fhir", NOW_S)
    });
    Lab {
        anchors: Anchors::new(&[root.der()]).expect("an anchor"),
        issuer: Certificate::read(middle.der()).expect("a certificate"),
        read: Certificate::read(&leaf.der).expect("a certificate"),
        list: middle.list(&List::of(1, NOW_S, &[&leaf])),
        answer: middle.answer(&Answer::of(&leaf, Standing::Revoked(NOW_S), NOW_S)),
        leaf,
    }
});

/// The first byte says what is done, and to what.
pub fn certificate(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let lab = &*LAB;
    match choices.below(5) {
        0 => raw(bytes.get(1..).unwrap_or_default()),
        1 => {
            let mut sent = lab.leaf.chain.clone();
            let at = choices.below(sent.len());
            let changed = edited(&sent[at], &mut choices);
            let is_same = changed == sent[at];
            sent[at] = changed;
            if let Ok(chain) = lab.anchors.chain(&sent, NOW_S) {
                assert!(is_same, "a changed certificate is believed");
                assert_eq!(chain.leaf().map(|leaf| leaf.uris()), Some(lab.read.uris()));
            }
        }
        2 => {
            let changed = edited(&lab.list, &mut choices);
            let verified = Crl::read(&changed).and_then(|list| list.verify(&lab.issuer, NOW_S));
            assert_eq!(verified.is_ok(), changed == lab.list, "a changed list is believed");
        }
        3 => {
            let changed = edited(&lab.answer, &mut choices);
            let verified = Response::read(&changed).and_then(|answer| answer.verify(&lab.read, &lab.issuer, NOW_S));
            assert_eq!(verified.is_ok(), changed == lab.answer, "a changed answer is believed");
        }
        _ => {
            // In any order, some of them, some twice: the leaf is the first or there is no chain.
            let count = choices.below(12);
            let sent: Vec<&Vec<u8>> =
                (0..count).map(|_| &lab.leaf.chain[choices.below(lab.leaf.chain.len())]).collect();
            let is_whole = lab.leaf.chain.iter().all(|one| sent.contains(&one));
            let chain = lab.anchors.chain(&sent, NOW_S);
            let holds = is_whole && count <= 10 && sent.first() == lab.leaf.chain.first().as_ref();
            assert_eq!(chain.is_ok(), holds, "{chain:?}");
        }
    }
}

fn raw(bytes: &[u8]) {
    if let Ok(read) = Certificate::read(bytes) {
        assert_eq!(read.der(), bytes);
        let _ = (read.subject().to_string(), read.issuer().to_string(), read.crl_urls(), read.ocsp_urls());
    }
    let _ = Crl::read(bytes).map(|list| list.verify(&LAB.issuer, NOW_S).map(drop));
    let _ = Response::read(bytes).map(|answer| answer.verify(&LAB.read, &LAB.issuer, NOW_S).map(drop));
    let _ = Anchors::new(&[bytes]);
    let _ = LAB.anchors.chain(&[bytes, &LAB.leaf.der], NOW_S);
    let _ = Question::read(bytes);
}

fn edited(good: &[u8], choices: &mut Choices<'_>) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..=choices.below(4) {
        let at = (usize::from(choices.byte()) << 8 | usize::from(choices.byte())) % bytes.len().max(1);
        match choices.below(5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, choices.byte()),
            2 => drop(bytes.get(at).is_some().then(|| bytes.remove(at))),
            3 => bytes.extend_from_slice(&good[at.min(good.len())..]),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= choices.byte().max(1);
                }
            }
        }
    }
    bytes
}
