//! D9: OCSP answers, good and forged.

use super::*;
use crate::pki::{self, Answer as Wanted, Authority, Held, Standing as Said, Wanted as Certified, der};

const NOW_S: i64 = 1_800_000_000;

fn root() -> Authority {
    Authority::root("Root", NOW_S)
}

fn leaf(root: &Authority) -> Held {
    root.issue(&Certified::leaf("Leaf", "https://a.example", NOW_S))
}

fn read(held: &Held) -> Certificate {
    Certificate::read(&held.der).unwrap()
}

fn said(bytes: &[u8], held: &Held, root: &Authority) -> Result<Status, OcspError> {
    Response::read(bytes)?.verify(&read(held), &read(&root.held), NOW_S).map(|answer| answer.status)
}

#[test]
fn the_question_is_one_that_openssl_reads() {
    // The same bytes come out of `openssl ocsp -issuer ca.pem -cert good.pem -no_nonce -reqout`.
    let pem = |text: &str| crate::x509::pem::first(text.as_bytes(), "CERTIFICATE").unwrap();
    let ca = Certificate::read(&pem(include_str!("../tests/ca.pem"))).unwrap();
    let good = Certificate::read(&pem(include_str!("../tests/good.pem"))).unwrap();
    assert_eq!(request(&good, &ca), include_bytes!("../tests/request.der"));
}

#[test]
fn what_is_said() {
    let root = root();
    let held = leaf(&root);
    let until_s = NOW_S + 3600;
    for sha256 in [false, true] {
        for by_name in [false, true] {
            let answer = |standing| root.answer(&Wanted { sha256, by_name, ..Wanted::of(&held, standing, NOW_S) });
            assert_eq!(said(&answer(Said::Good), &held, &root), Ok(Status::Good { until_s }));
            let revoked = Status::Revoked { since_s: NOW_S - 9, until_s };
            assert_eq!(said(&answer(Said::Revoked(NOW_S - 9)), &held, &root), Ok(revoked));
            assert_eq!(said(&answer(Said::Unknown), &held, &root), Ok(Status::Unknown));
        }
    }
    // Of another certificate.
    let other = leaf(&root);
    assert_eq!(said(&root.answer(&Wanted::of(&other, Said::Good, NOW_S)), &held, &root), Ok(Status::Unknown));
    assert_eq!(said(&pki::no_answer(6), &held, &root), Err(OcspError::Refused(6)));
    assert_eq!(said(b"no", &held, &root), Err(OcspError::Malformed));
    assert_eq!(said(&vec![0; 64 * 1024 + 1], &held, &root), Err(OcspError::TooLarge));
}

#[test]
fn d9_times() {
    let root = root();
    let held = leaf(&root);
    let with = |made_s, until_s| {
        said(&root.answer(&Wanted { made_s, until_s, ..Wanted::of(&held, Said::Good, NOW_S) }), &held, &root)
    };
    assert_eq!(with(NOW_S - 10, Some(NOW_S + 1)), Ok(Status::Good { until_s: NOW_S + 1 }));
    assert_eq!(with(NOW_S - 10, Some(NOW_S)), Err(OcspError::Old));
    assert_eq!(with(NOW_S + 61, Some(NOW_S + 99)), Err(OcspError::NotYet));
    // It does not say when there will be a newer one: good for ten minutes.
    assert_eq!(with(NOW_S - 10, None), Ok(Status::Good { until_s: NOW_S + 590 }));
    assert_eq!(with(NOW_S - 600, None), Err(OcspError::Old));
}

#[test]
fn d9_who_may_answer() {
    let root = root();
    let held = leaf(&root);
    let good = Wanted::of(&held, Said::Good, NOW_S);
    let responder = |wanted: &dyn Fn(&mut Certified)| {
        let mut responder = Certified::leaf("Responder", "https://r.example", NOW_S);
        responder.purposes = vec![pki::OCSP_SIGNING];
        wanted(&mut responder);
        responder
    };
    let by = |delegate: &Held| {
        let answer = Response::read(&root.answer_by(&good, delegate, true))?;
        answer.verify(&read(&held), &read(&root.held), NOW_S).map(|answer| answer.delegate.is_some())
    };
    assert_eq!(by(&root.issue(&responder(&|_| {}))), Ok(true), "to be asked whether it was revoked");
    let exempt = |wanted: &mut Certified| wanted.extensions.push((pki::OCSP_NO_CHECK, false, der::null()));
    assert_eq!(by(&root.issue(&responder(&exempt))), Ok(false));
    let refused = Err(OcspError::Responder);
    assert_eq!(by(&held), refused, "any certificate of the issuer");
    assert_eq!(by(&root.issue(&responder(&|wanted| wanted.purposes = vec![pki::SERVER_AUTH]))), refused);
    assert_eq!(by(&root.issue(&responder(&|wanted| wanted.purposes = vec!["2.5.29.37.0"]))), refused, "any purpose");
    assert_eq!(by(&root.issue(&responder(&|wanted| wanted.until_s = NOW_S - 1))), refused);
    assert_eq!(by(&root.issue(&responder(&|wanted| wanted.key_usage = Some(vec![pki::CRL_SIGN])))), refused);
    let odd = |wanted: &mut Certified| wanted.extensions.push(("1.2.3", true, der::null()));
    assert_eq!(by(&root.issue(&responder(&odd))), refused);
    // Of another authority, also of one of the same name.
    assert_eq!(by(&Authority::root("Other", NOW_S).issue(&responder(&|_| {}))), refused);
    assert_eq!(by(&Authority::root("Root", NOW_S).issue(&responder(&|_| {}))), refused);
    // Without its certificate nobody knows who it is.
    let bare = root.answer_by(&good, &root.issue(&responder(&|_| {})), false);
    assert_eq!(said(&bare, &held, &root), Err(OcspError::Responder));
}

#[test]
fn d9_forged() {
    let root = root();
    let held = leaf(&root);
    // By another key, under the issuer's name.
    let twin = Authority::root("Root", NOW_S);
    let wanted = Wanted { by_name: true, ..Wanted::of(&held, Said::Good, NOW_S) };
    assert_eq!(said(&root.answer_by(&wanted, &twin.held, false), &held, &root), Err(OcspError::Signature));
    let good = root.answer(&Wanted::of(&held, Said::Good, NOW_S));
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(said(&bad, &held, &root).is_err(), "byte {at}");
    }
}
