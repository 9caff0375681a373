//! D7, D9: lists never end before they are replaced, deltas add to older ones, answers are about members alone.

use super::super::tests::{at, member, new};
use super::*;
use crate::pki::{
    Curve, KeyKind, Reason,
    community::{Community, INTERMEDIATE},
    parts::bytes,
};
use oauth::{
    der::{self, Reader},
    ocsp_responder::{IdHash, certificate_id},
};
use x509_parser::{prelude::FromDer, revocation_list::CertificateRevocationList};

pub(in super::super) fn list(desk: &Desk, name: &str, now: Instant) -> Bytes {
    match desk.publish(&Method::GET, &format!("/{name}"), &[], now) {
        Published::List(der, _) => der,
        other => panic!("{name}: {other:?}"),
    }
}

/// Number, number of the base, when it ends (seconds from the beginning), serial numbers.
fn read(der: &[u8]) -> (u64, Option<u64>, i64, Vec<Vec<u8>>) {
    let (rest, list) = CertificateRevocationList::from_der(der).unwrap();
    assert!(rest.is_empty());
    let base = list.extensions().iter().find_map(|extension| match extension {
        _ if extension.oid.to_id_string() == "2.5.29.27" => {
            assert!(extension.critical);
            let number = Reader::only(extension.value, der::INTEGER).unwrap().content;
            Some(number.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
        }
        _ => None,
    });
    let number = list.crl_number().unwrap().to_u64_digits().first().copied().unwrap();
    let ends = list.next_update().unwrap().timestamp() - at(0).unix_seconds();
    (number, base, ends, list.iter_revoked_certificates().map(|one| one.raw_serial().to_vec()).collect())
}

fn lab(folder: &Path) -> (Community, Desk) {
    let mut lab = Community::init(folder, &new(KeyKind::Ec(Curve::P256)), at(0)).unwrap();
    for name in ["north", "south"] {
        lab.issue(&member(name), at(0)).unwrap();
    }
    (lab, Desk::open(folder).unwrap())
}

#[test]
fn d9_lists_are_made_anew_in_time_and_with_each_revocation() {
    let own = tempfile::tempdir().unwrap();
    let (mut lab, desk) = lab(&own.path().join("lab"));
    let get = |name, seconds| read(&list(&desk, name, at(seconds)));
    let serial =
        |lab: &Community, name| bytes(&lab.issued().iter().find(|issued| issued.name == name).unwrap().serial).unwrap();
    let first = get("ca.crl", 0);
    assert_eq!((first.1, first.2, first.3.len()), (None, 60, 0));
    assert_eq!(get("ca.crl", 30), first, "half its life is not over");
    let second = get("ca.crl", 31);
    assert!(second.0 > first.0 && second.2 == 91);
    lab.revoke("north", Reason::Superseded, at(40)).unwrap();
    let third = get("ca.crl", 40);
    assert!(third.0 > second.0);
    assert_eq!((third.2, &third.3), (100, &vec![serial(&lab, "north")]));
    // Who holds the first list, which counts until 60, adds the delta to it.
    let delta = get("ca-delta.crl", 40);
    assert_eq!((delta.0, delta.1, delta.3.len()), (third.0, Some(first.0), 1));
    // When the first two have ended, the delta is to the third.
    let later = get("ca-delta.crl", 95);
    assert_eq!((later.1, &later.3), (Some(third.0), &vec![serial(&lab, "north")]));
    lab.revoke("south", Reason::Unspecified, at(130)).unwrap();
    let delta = get("ca-delta.crl", 130);
    assert_eq!(delta.3, [serial(&lab, "south")], "what the base has is not told again");
    assert!(get("root.crl", 130).3.is_empty(), "the root's list is about the intermediate alone");
    lab.revoke(INTERMEDIATE, Reason::Cessation, at(131)).unwrap();
    assert_eq!(get("root.crl", 131).3, [serial(&lab, INTERMEDIATE)]);
    // A clock that was set back makes no list that begins in the future.
    assert_eq!(get("ca.crl", 50).2, 110);
}

fn question(nonce: Option<&[u8]>, ids: &[Vec<u8>]) -> Vec<u8> {
    let list: Vec<Vec<u8>> = ids.iter().map(|id| der::sequence(&[id])).collect();
    let nonce = nonce.map_or_else(Vec::new, |nonce| {
        let extension = der::extension(&[1, 3, 6, 1, 5, 5, 7, 48, 1, 2], false, &der::octets(nonce));
        der::explicit(2, &der::sequence(&[&extension]))
    });
    der::sequence(&[&der::sequence(&[&der::value(der::SEQUENCE, &list.concat()), &nonce])])
}

#[test]
fn d9_answers_are_about_members_and_repeat_the_nonce() {
    let own = tempfile::tempdir().unwrap();
    let (mut lab, desk) = lab(&own.path().join("lab"));
    let (_, read) = x509_parser::parse_x509_certificate(&desk.signers.intermediate.der).unwrap();
    let (name, key) = (read.subject().as_raw(), read.public_key().subject_public_key.data.as_ref());
    let id = |serial: &[u8]| certificate_id(IdHash::Sha1, name, key, serial);
    let ask = |body: &[u8], now| match desk.publish(&Method::POST, "/ocsp", body, now) {
        Published::Answer(der, life) => (der, life),
        other => panic!("{other:?}"),
    };
    // Status of the response, and the tags of what is told of each certificate.
    let told = |der: &[u8]| {
        let mut outer = Reader::only(der, der::SEQUENCE).unwrap().inside();
        let status = outer.expect(der::ENUMERATED).unwrap().content.to_vec();
        let Some(bytes) = outer.optional(der::context(0)).unwrap() else { return (status, Vec::new()) };
        let mut bytes = Reader::only(bytes.content, der::SEQUENCE).unwrap().inside();
        bytes.expect(der::OID).unwrap();
        let basic = Reader::only(bytes.expect(der::OCTET_STRING).unwrap().content, der::SEQUENCE).unwrap();
        let mut data = basic.inside().expect(der::SEQUENCE).unwrap().inside();
        data.expect(der::context(2)).unwrap();
        data.expect(der::GENERALIZED_TIME).unwrap();
        let (mut all, mut tags) = (data.expect(der::SEQUENCE).unwrap().inside(), Vec::new());
        while !all.is_empty() {
            let mut one = all.expect(der::SEQUENCE).unwrap().inside();
            one.expect(der::SEQUENCE).unwrap();
            tags.push(one.take().unwrap().tag);
        }
        (status, tags)
    };
    let serials: Vec<Vec<u8>> = lab.issued().iter().map(|issued| bytes(&issued.serial).unwrap()).collect();
    let [_, north, south] = serials.as_slice() else { panic!("the intermediate and two members") };
    let ids = [id(north), id(south), id(&[7])];
    let (answer, life) = ask(&question(None, &ids), at(0));
    assert_eq!((told(&answer), life), ((vec![0], vec![0x80, 0x80, 0x82]), Some(10)));
    lab.revoke("north", Reason::KeyCompromise, at(1)).unwrap();
    let (answer, life) = ask(&question(Some(b"0123456789abcdef"), &ids), at(1));
    assert_eq!((told(&answer), life), ((vec![0], vec![0xa1, 0x80, 0x82]), None));
    assert!(answer.windows(16).any(|window| window == b"0123456789abcdef"));
    let text = STANDARD.encode(question(None, &ids)).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let Published::Answer(answer, _) = desk.publish(&Method::GET, &format!("/ocsp/{text}"), &[], at(1)) else {
        panic!("a question by GET is answered")
    };
    assert_eq!(told(&answer).1, [0xa1, 0x80, 0x82]);
    // What is not ours to tell, and what is no question.
    let other = certificate_id(IdHash::Sha1, name, b"another key", north);
    assert_eq!(told(&ask(&question(None, &[id(north), other]), at(1)).0), (vec![6], vec![]));
    assert_eq!(told(&ask(b"no question", at(1)).0), (vec![1], vec![]));
    assert!(matches!(desk.publish(&Method::POST, "/ca.crl", &[], at(1)), Published::Method));
    assert!(matches!(desk.publish(&Method::GET, "/ca.key", &[], at(1)), Published::Elsewhere));
}
