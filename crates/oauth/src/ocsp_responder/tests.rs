//! Row D9: questions as `openssl ocsp` asks them, answers as RFC 6960 has them.

use super::*;
use base64::{Engine as _, engine::general_purpose::STANDARD};

fn question(nonce: Option<&[u8]>, ids: &[Vec<u8>]) -> Vec<u8> {
    let list: Vec<Vec<u8>> = ids.iter().map(|id| der::sequence(&[id])).collect();
    let extensions = nonce.map_or_else(Vec::new, |nonce| {
        der::explicit(2, &der::sequence(&[&der::extension(&NONCE, false, &der::octets(nonce))]))
    });
    der::sequence(&[&der::sequence(&[&der::value(der::SEQUENCE, &list.concat()), &extensions])])
}

#[test]
fn a_question_is_read_and_known_again() {
    for hash in [IdHash::Sha1, IdHash::Sha256] {
        let id = certificate_id(hash, b"name", b"key", &[0, 0x81, 2]);
        let read = Question::read(&question(Some(b"0123456789abcdef"), &[id.clone(), id.clone()])).unwrap();
        assert_eq!(read.nonce.as_deref(), Some(&b"0123456789abcdef"[..]));
        let [asked, _] = read.asked.as_slice() else { panic!("two were asked about") };
        assert_eq!((asked.id.as_slice(), asked.serial()), (id.as_slice(), &[0x81, 2][..]));
        assert!(asked.is_issued_by(b"name", b"key"));
        assert!(!asked.is_issued_by(b"name", b"other") && !asked.is_issued_by(b"other", b"key"));
    }
}

/// `openssl ocsp -issuer c.pem -serial 0x1000 -reqout -`, of an authority `CN=x` with a P-256 key.
#[test]
fn a_question_of_openssl() {
    let text = "MGgwZjA/MD0wOzAJBgUrDgMCGgUABBRCTvM2bYsX5PmGXqeEn+ECutGoLgQUjpU+EkK3cbdOhGXe/O40jfOqtbcCAhAAoiMwITAf\
                BgkrBgEFBQcwAQIEEgQQCH9/cYwX+qwSulSWPh8nNg==";
    let key = "BJ6UPme4zK2k4KHM2eIDV6pw7oF/uFJY1QfLgGzbydjqc9+yMny+64jFtwu+V+qhJI/bUkHFblj5ME/o+gbSGQU=";
    let [text, key] = [text, key].map(|text| STANDARD.decode(text).unwrap());
    let name = der::sequence(&[&der::value(0x31, &der::sequence(&[&der::oid(&[2, 5, 4, 3]), &der::value(12, b"x")]))]);
    let read = Question::read(&text).unwrap();
    assert_eq!(read.nonce.map(|nonce| nonce.len()), Some(16));
    let [asked] = read.asked.as_slice() else { panic!("one was asked about") };
    assert!(asked.is_issued_by(&name, &key));
    assert_eq!(
        (asked.serial(), asked.id.clone()),
        (&[0x10, 0][..], certificate_id(IdHash::Sha1, &name, &key, &[0x10, 0]))
    );
}

#[test]
fn what_no_one_asks_is_refused() {
    let id = certificate_id(IdHash::Sha1, b"name", b"key", &[1]);
    assert!(Question::read(&question(None, std::slice::from_ref(&id))).unwrap().nonce.is_none());
    for wrong in [
        question(None, &[]),
        question(None, &vec![id.clone(); OCSP_QUESTIONS_MAX + 1]),
        question(Some(&[]), std::slice::from_ref(&id)),
        question(Some(&[7; OCSP_NONCE_BYTES_MAX + 1]), std::slice::from_ref(&id)),
        [question(None, std::slice::from_ref(&id)), vec![0]].concat(),
        vec![0x30, 0],
    ] {
        assert_eq!(Question::read(&wrong), Err(Malformed));
    }
    let unknown_hash = {
        let algorithm = der::sequence(&[&der::oid(&[1, 2, 840, 113_549, 2, 5])]);
        der::sequence(&[&algorithm, &der::octets(b"a"), &der::octets(b"b"), &der::number(1)])
    };
    let read = Question::read(&question(None, &[unknown_hash])).unwrap();
    assert!(read.asked.iter().all(|asked| !asked.is_issued_by(b"name", b"key")));
}

/// The parts stand where RFC 6960 section 4.2.1 puts them.
#[test]
fn an_answer_has_its_parts() {
    let id = certificate_id(IdHash::Sha1, b"name", b"key", &[1]);
    let single = |told| Single { id: id.clone(), told, this_update_s: 0, next_update_s: Some(60) };
    let singles = [
        single(Told::Good),
        single(Told::Revoked { at_s: 5, reason: Some(1) }),
        Single { next_update_s: None, ..single(Told::Unknown) },
    ];
    let certificate = der::sequence(&[&der::number(9)]);
    let answer = Answer {
        responder_key: b"its key",
        produced_s: 1,
        singles: &singles,
        nonce: Some(b"0123456789abcdef"),
        certificates: &[&certificate],
    };
    let der = answer.signed(Signing::EcdsaSha256, |data| Some(digest(&digest::SHA256, data).as_ref().into())).unwrap();
    let mut outer = Reader::only(&der, der::SEQUENCE).unwrap().inside();
    assert_eq!(outer.expect(der::ENUMERATED).unwrap().content, [0]);
    let bytes = Reader::only(outer.expect(der::context(0)).unwrap().content, der::SEQUENCE).unwrap();
    let mut bytes = bytes.inside();
    assert_eq!(bytes.take().unwrap().whole, der::oid(&BASIC));
    let basic = Reader::only(bytes.expect(der::OCTET_STRING).unwrap().content, der::SEQUENCE).unwrap();
    let mut basic = basic.inside();
    let data = basic.expect(der::SEQUENCE).unwrap();
    assert_eq!(basic.take().unwrap().whole, Signing::EcdsaSha256.identifier());
    let signature = basic.expect(der::BIT_STRING).unwrap().content;
    assert_eq!(signature.get(1..).unwrap(), digest(&digest::SHA256, data.whole).as_ref());
    assert!(basic.expect(der::context(0)).unwrap().content.ends_with(&certificate));
    let mut data = data.inside();
    assert_eq!(data.expect(der::context(2)).unwrap().content.len(), 22, "SHA-1 of the key");
    data.expect(der::GENERALIZED_TIME).unwrap();
    let mut told = data.expect(der::SEQUENCE).unwrap().inside();
    for tag in [0x80, 0xa1, 0x82] {
        let mut one = told.expect(der::SEQUENCE).unwrap().inside();
        assert_eq!(one.take().unwrap().whole, id);
        assert_eq!(one.take().unwrap().tag, tag);
    }
    assert!(data.expect(der::context(1)).unwrap().content.ends_with(b"0123456789abcdef"));
    assert!(answer.signed(Signing::EcdsaSha256, |_| None).is_none());
    assert_eq!(Failed::TryLater.to_der(), [0x30, 3, 10, 1, 3]);
}
