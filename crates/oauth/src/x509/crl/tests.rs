//! D9: revocation lists, good and bad.

use super::*;
use crate::pki::{self, Authority, DAY_S, Held, List as Wanted, Revoked, Wanted as Certified, der, point};

const NOW_S: i64 = 1_800_000_000;
const URL: &str = "http://crl.example/1.crl";

struct Lab {
    root: Authority,
    one: Held,
    other: Held,
}

fn lab() -> Lab {
    let root = Authority::root("Root", NOW_S);
    let leaf = |name: &str| {
        root.issue(&Certified { lists: vec![URL.into()], ..Certified::leaf(name, "https://a.example", NOW_S) })
    };
    let (one, other) = (leaf("One"), leaf("Other"));
    Lab { root, one, other }
}

fn read(held: &Held) -> Certificate {
    Certificate::read(&held.der).unwrap()
}

impl Lab {
    fn verified(&self, list: &Wanted) -> Result<List, CrlError> {
        Crl::read(&self.root.list(list))?.verify(&read(&self.root.held), NOW_S)
    }

    fn status(&self, list: &Wanted, held: &Held) -> Status {
        self.verified(list).unwrap().status(&read(held), None)
    }
}

#[test]
fn who_is_on_it() {
    let lab = lab();
    let list = Wanted::of(1, NOW_S - 10, &[&lab.one]);
    let until_s = NOW_S - 10 + DAY_S;
    assert_eq!(lab.status(&list, &lab.one), Status::Revoked { since_s: NOW_S - 10, until_s });
    assert_eq!(lab.status(&list, &lab.other), Status::Good { until_s });
    assert_eq!(lab.status(&Wanted::empty(1, NOW_S), &lab.one), Status::Good { until_s: NOW_S + DAY_S });
    // PEM too.
    let pem = pki::pem("X509 CRL", &lab.root.list(&list));
    let verified = Crl::read(pem.as_bytes()).unwrap().verify(&read(&lab.root.held), NOW_S).unwrap();
    assert!(matches!(verified.status(&read(&lab.one), None), Status::Revoked { .. }));
    // Many, in no order.
    let mut many = Wanted::of(1, NOW_S, &[&lab.one]);
    many.revoked.extend((1_u64..2000).map(|n| Revoked {
        serial: (n * 7919 % 2003).to_be_bytes().to_vec(),
        at_s: NOW_S,
        reason: Some(1),
        extensions: vec![],
    }));
    assert!(matches!(lab.status(&many, &lab.one), Status::Revoked { .. }));
    assert!(matches!(lab.status(&many, &lab.other), Status::Good { .. }));
    // The same certificate twice: which one counts?
    let twice = Wanted::of(1, NOW_S, &[&lab.one, &lab.one]);
    assert_eq!(lab.verified(&twice).unwrap_err(), CrlError::Malformed);
}

#[test]
fn d9_signature_and_issuer() {
    let lab = lab();
    let root = read(&lab.root.held);
    // Another authority of the same name.
    let forged = Authority::root("Root", NOW_S).list(&Wanted::empty(2, NOW_S));
    assert_eq!(Crl::read(&forged).unwrap().verify(&root, NOW_S).unwrap_err(), CrlError::Issuer, "by its key's name");
    let mut changed = lab.root.list(&Wanted::of(1, NOW_S, &[&lab.one]));
    let last = changed.len() - 1;
    changed[last] ^= 1;
    assert!(matches!(Crl::read(&changed).unwrap().verify(&root, NOW_S).unwrap_err(), CrlError::Signature));
    let other = Authority::root("Elsewhere", NOW_S).list(&Wanted::empty(2, NOW_S));
    assert_eq!(Crl::read(&other).unwrap().verify(&root, NOW_S).unwrap_err(), CrlError::Issuer);
    // An authority that may not sign lists.
    let mute = Certified { key_usage: Some(vec![pki::CERT_SIGN]), ..Certified::authority("Mute", NOW_S) };
    let mute = Authority::self_signed(&mute);
    let list = Crl::read(&mute.list(&Wanted::empty(1, NOW_S))).unwrap();
    assert_eq!(list.verify(&read(&mute.held), NOW_S).unwrap_err(), CrlError::KeyUsage);
    // A list says nothing of another issuer's certificate with the same number.
    let stranger = Authority::root("Stranger", NOW_S)
        .issue(&Certified { serial: lab.one.serial.clone(), ..Certified::leaf("S", "https://s.example", NOW_S) });
    assert_eq!(lab.status(&Wanted::of(1, NOW_S, &[&lab.one]), &stranger), Status::Unknown);
}

#[test]
fn d9_times() {
    let lab = lab();
    let with = |made_s: i64, until_s: Option<i64>| {
        lab.verified(&Wanted { made_s, until_s, ..Wanted::empty(1, NOW_S) }).map(|list| list.until_s())
    };
    assert_eq!(with(NOW_S - 10, Some(NOW_S + 1)), Ok(NOW_S + 1));
    assert_eq!(with(NOW_S - 10, Some(NOW_S)), Err(CrlError::Old));
    assert_eq!(with(NOW_S - 10, None), Err(CrlError::Endless));
    assert_eq!(with(NOW_S + 61, Some(NOW_S + DAY_S)), Err(CrlError::NotYet));
    assert_eq!(with(NOW_S + 60, Some(NOW_S + DAY_S)), Ok(NOW_S + DAY_S), "clocks differ");
}

#[test]
fn d9_whom_it_speaks_of() {
    let lab = lab();
    let with = |url: Option<&str>, flags: &[u8]| Wanted { point: Some(point(url, flags)), ..Wanted::empty(1, NOW_S) };
    let good = Status::Good { until_s: NOW_S + DAY_S };
    assert_eq!(lab.status(&with(Some(URL), &[]), &lab.one), good);
    assert_eq!(lab.status(&with(Some("http://crl.example/2.crl"), &[]), &lab.one), Status::Unknown);
    assert_eq!(lab.status(&with(None, &[1]), &lab.one), good);
    assert_eq!(lab.status(&with(None, &[2]), &lab.one), Status::Unknown, "authorities only");
    assert_eq!(lab.status(&with(None, &[5]), &lab.one), Status::Unknown, "attributes only");
    let middle = lab.root.below(&Certified::authority("Middle", NOW_S)).held;
    assert_eq!(lab.status(&with(None, &[1]), &middle), Status::Unknown, "users only");
    assert_eq!(lab.status(&with(None, &[2]), &middle), good);
    assert_eq!(lab.verified(&with(Some(URL), &[4])).unwrap_err(), CrlError::Indirect);
    let reasons = der::sequence(&[der::tlv(0x83, &[6, 0x40])]);
    assert_eq!(
        lab.verified(&Wanted { point: Some(reasons), ..Wanted::empty(1, NOW_S) }).unwrap_err(),
        CrlError::Reasons
    );
}

#[test]
fn d9_what_is_critical_and_unknown() {
    let lab = lab();
    let odd = |critical| ("1.2.3.4", critical, der::null());
    let with = |critical| Wanted { extensions: vec![odd(critical)], ..Wanted::empty(1, NOW_S) };
    lab.verified(&with(false)).unwrap();
    assert_eq!(lab.verified(&with(true)).unwrap_err(), CrlError::Critical);
    let entry = |extension| {
        let mut list = Wanted::of(1, NOW_S, &[&lab.one]);
        list.revoked[0].extensions.push(extension);
        lab.verified(&list).map(|_| ())
    };
    assert_eq!(entry(odd(false)), Ok(()));
    assert_eq!(entry(odd(true)), Err(CrlError::Critical));
    // certificateIssuer: the rest of the list is another's.
    let issuer = der::sequence(&[der::explicit(4, &der::sequence(&[]))]);
    assert_eq!(entry(("2.5.29.29", true, issuer)), Err(CrlError::Indirect));
}

#[test]
fn d9_changes_to_a_list() {
    let lab = lab();
    let whole = |number| lab.verified(&Wanted::of(number, NOW_S, &[&lab.one])).unwrap();
    let delta = |number, base, revoked: Vec<Revoked>| {
        lab.verified(&Wanted { base: Some(base), revoked, until_s: Some(NOW_S + 60), ..Wanted::empty(number, NOW_S) })
            .unwrap()
    };
    let (one, other) = (read(&lab.one), read(&lab.other));
    let until_s = NOW_S + 60;
    let mut lifted = Revoked::of(&lab.one, NOW_S);
    lifted.reason = Some(8);
    let changes = delta(7, 5, vec![lifted, Revoked::of(&lab.other, NOW_S)]);
    assert!(changes.is_delta());
    for number in [5, 6, 7] {
        let whole = whole(number);
        assert_eq!(whole.status(&one, Some(&changes)), Status::Good { until_s }, "removeFromCRL");
        assert_eq!(whole.status(&other, Some(&changes)), Status::Revoked { since_s: NOW_S, until_s });
    }
    // Begun later than the list, or older than it: left aside.
    for number in [4, 8] {
        assert!(!changes.changes(&whole(number)));
        assert!(matches!(whole(number).status(&one, Some(&changes)), Status::Revoked { .. }));
        assert!(matches!(whole(number).status(&other, Some(&changes)), Status::Good { .. }));
    }
    // Alone it says nothing.
    assert_eq!(changes.status(&other, None), Status::Unknown);
    // Of another reach.
    let reach = Wanted { base: Some(5), point: Some(point(Some(URL), &[])), ..Wanted::empty(7, NOW_S) };
    assert!(!lab.verified(&reach).unwrap().changes(&whole(5)));
}

#[test]
fn sizes() {
    assert_eq!(Crl::read(&vec![0x30; limits::CRL_BYTES_MAX + 1]).err(), Some(CrlError::TooLarge));
    assert_eq!(Crl::read(b"").err(), Some(CrlError::Malformed));
    assert_eq!(Crl::read(b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----").err(), Some(CrlError::Malformed));
    let lab = lab();
    let bytes = lab.root.list(&Wanted::of(1, NOW_S, &[&lab.one]));
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        let verified = Crl::read(&bad).and_then(|list| list.verify(&read(&lab.root.held), NOW_S));
        assert!(verified.is_err(), "byte {at}");
        assert!(Crl::read(&bytes[..at]).is_err());
    }
}
