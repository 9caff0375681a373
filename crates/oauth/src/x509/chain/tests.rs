//! D9, D10: every rule of a chain, each broken once.

use super::*;
use crate::pki::{self, Authority, DAY_S, Held, Key, Name, Wanted, der, name_constraints};

const NOW_S: i64 = 1_800_000_000;
const URI: &str = "https://payer.example/fhir";

fn root() -> Authority {
    Authority::root("Root", NOW_S)
}

fn leaf(wanted: impl FnOnce(&mut Wanted)) -> Wanted {
    let mut leaf = Wanted::leaf("Payer", URI, NOW_S);
    wanted(&mut leaf);
    leaf
}

fn middle(name: &str, wanted: impl FnOnce(&mut Wanted)) -> Wanted {
    let mut middle = Wanted::authority(name, NOW_S);
    wanted(&mut middle);
    middle
}

fn chain(root: &Authority, held: &Held) -> Result<Chain, ChainError> {
    Anchors::new(&[root.der()]).unwrap().chain(&held.chain, NOW_S)
}

/// Through one authority.
fn through(
    wanted_middle: impl FnOnce(&mut Wanted),
    wanted_leaf: impl FnOnce(&mut Wanted),
) -> Result<Chain, ChainError> {
    let root = root();
    let held = root.below(&middle("Middle", wanted_middle)).issue(&leaf(wanted_leaf));
    chain(&root, &held)
}

#[test]
fn d9_a_chain_in_whatever_order_it_came() {
    let root = root();
    let outer = root.below(&middle("Outer", |_| {}));
    let inner = outer.below(&middle("Inner", |_| {}));
    let held = inner.issue(&leaf(|_| {}));
    let stranger = Authority::root("Stranger", NOW_S);
    let anchors = Anchors::new(&[stranger.der(), root.der()]).unwrap();
    let names = |chain: Chain| -> Vec<String> {
        chain.certificates().iter().map(|certificate| certificate.subject().to_string()).collect()
    };
    let expected = ["CN=Payer", "CN=Inner", "CN=Outer", "CN=Root"];
    assert_eq!(names(anchors.chain(&held.chain, NOW_S).unwrap()), expected);
    // Out of order, twice, with the anchor and with one that has nothing to do with it.
    let mut sent = held.chain.clone();
    sent.extend([root.der().to_vec(), stranger.der().to_vec(), sent[1].clone()]);
    sent[1..].reverse();
    let found = anchors.chain(&sent, NOW_S).unwrap();
    assert_eq!(found.issued().count(), 3);
    assert_eq!(found.until_s(), NOW_S + 364 * DAY_S);
    assert_eq!(names(found), expected);
    // An anchor in the middle is the end.
    let anchors = Anchors::new(&[outer.der()]).unwrap();
    assert_eq!(names(anchors.chain(&held.chain, NOW_S).unwrap()), expected[..3]);
}

#[test]
fn d9_no_way_to_an_anchor() {
    let (root, other) = (root(), Authority::root("Other", NOW_S));
    let held = root.below(&middle("Middle", |_| {})).issue(&leaf(|_| {}));
    let refused = chain(&other, &held).unwrap_err();
    assert_eq!(refused, ChainError::NoIssuer("CN=Middle".into()));
    assert!(!refused.is_malformed());
    // Its own chain is not believed because it brings its root along.
    let mut sent = held.chain.clone();
    sent.push(root.der().to_vec());
    assert_eq!(
        Anchors::new(&[other.der()]).unwrap().chain(&sent, NOW_S).unwrap_err(),
        ChainError::NoIssuer("CN=Root".into())
    );
    // The intermediate is missing.
    assert_eq!(
        Anchors::new(&[root.der()]).unwrap().chain(&held.chain[..1], NOW_S).unwrap_err(),
        ChainError::NoIssuer("CN=Payer".into())
    );
}

#[test]
fn d9_the_same_name_is_not_the_same_authority() {
    let (root, forged) = (root(), Authority::root("Root", NOW_S));
    let held = forged.issue(&leaf(|_| {}));
    assert_eq!(chain(&root, &held).unwrap_err(), ChainError::Signature("CN=Payer".into()));
    // Two anchors of one name: the right one is found.
    Anchors::new(&[root.der(), forged.der()]).unwrap().chain(&held.chain, NOW_S).unwrap();
}

#[test]
fn d9_times() {
    let ended = through(|_| {}, |leaf| leaf.until_s = NOW_S - 1).unwrap_err();
    assert_eq!(ended, ChainError::Ended("CN=Payer".into()));
    assert!(ended.is_malformed());
    through(|_| {}, |leaf| leaf.until_s = NOW_S).unwrap();
    assert_eq!(through(|_| {}, |leaf| leaf.from_s = NOW_S + 1).unwrap_err(), ChainError::NotYet("CN=Payer".into()));
    assert_eq!(
        through(|middle| middle.until_s = NOW_S - 1, |_| {}).unwrap_err(),
        ChainError::Ended("CN=Middle".into())
    );
    assert_eq!(
        through(|middle| middle.from_s = NOW_S + 1, |_| {}).unwrap_err(),
        ChainError::NotYet("CN=Middle".into())
    );
    let old = Authority::self_signed(&middle("Root", |root| root.until_s = NOW_S - 1));
    let refused = chain(&old, &old.issue(&leaf(|_| {}))).unwrap_err();
    assert_eq!(refused, ChainError::AnchorEnded("CN=Root".into()));
}

#[test]
fn d10_authorities_are_authorities() {
    assert_eq!(through(|m| m.authority = None, |_| {}).unwrap_err(), ChainError::NoAuthority("CN=Middle".into()));
    let no_certificates = |m: &mut Wanted| m.key_usage = Some(vec![pki::CRL_SIGN, pki::DIGITAL_SIGNATURE]);
    assert_eq!(through(no_certificates, |_| {}).unwrap_err(), ChainError::KeyUsage("CN=Middle".into()));
    // One that says nothing of key usage may do all (RFC 5280 section 6.1.4 n).
    through(|m| m.key_usage = None, |leaf| leaf.key_usage = None).unwrap();
    let encryption = |leaf: &mut Wanted| leaf.key_usage = Some(vec![pki::KEY_ENCIPHERMENT]);
    assert_eq!(through(|_| {}, encryption).unwrap_err(), ChainError::KeyUsage("CN=Payer".into()));
    assert_eq!(through(|_| {}, |leaf| leaf.authority = Some(None)).unwrap_err(), ChainError::LeafIsAuthority);
    // A leaf that gives out another leaf.
    let root = root();
    let payer = Authority { held: root.issue(&leaf(|_| {})) };
    let held = payer.issue(&leaf(|leaf| leaf.name = "Forged".into()));
    assert_eq!(chain(&root, &held).unwrap_err(), ChainError::NoAuthority("CN=Payer".into()));
}

#[test]
fn d10_extended_key_usage_says_nothing() {
    through(|_| {}, |leaf| leaf.purposes = vec![pki::SERVER_AUTH]).unwrap();
    through(|middle| middle.purposes = vec![pki::OCSP_SIGNING], |_| {}).unwrap();
}

#[test]
fn d10_path_length() {
    let path = |most: Option<u8>, of_root: Option<u8>| {
        let root = Authority::self_signed(&middle("Root", |root| root.authority = Some(of_root)));
        let outer = root.below(&middle("Outer", |outer| outer.authority = Some(most)));
        let held = outer.below(&middle("Inner", |_| {})).issue(&leaf(|_| {}));
        chain(&root, &held)
    };
    path(Some(1), Some(2)).unwrap();
    assert_eq!(path(Some(0), None).unwrap_err(), ChainError::PathLength("CN=Outer".into()));
    assert_eq!(path(None, Some(1)).unwrap_err(), ChainError::PathLength("CN=Root".into()));
}

#[test]
fn d10_chain_length_count_and_bytes() {
    let root = root();
    let mut last = root.clone();
    for at in 0..4 {
        last = last.below(&middle(&format!("Authority {at}"), |_| {}));
    }
    assert_eq!(chain(&root, &last.issue(&leaf(|_| {}))).unwrap().certificates().len(), 6);
    let held = last.below(&middle("One more", |_| {})).issue(&leaf(|_| {}));
    assert_eq!(chain(&root, &held).unwrap_err(), ChainError::TooLong);
    let anchors = Anchors::new(&[root.der()]).unwrap();
    let held = root.issue(&leaf(|_| {}));
    let many: Vec<Vec<u8>> = std::iter::repeat_n(held.der.clone(), 11).collect();
    assert_eq!(anchors.chain(&many, NOW_S).unwrap_err(), ChainError::TooMany);
    anchors.chain(&many[..10], NOW_S).unwrap();
    let large = leaf(|leaf| leaf.extensions = vec![("1.2.3", false, vec![0; 64 * 1024])]);
    assert_eq!(anchors.chain(&root.issue(&large).chain, NOW_S).unwrap_err(), ChainError::TooLarge);
    assert_eq!(anchors.chain::<Vec<u8>>(&[], NOW_S).unwrap_err(), ChainError::Empty);
    assert_eq!(
        anchors.chain(&[held.der, vec![0x30, 0]], NOW_S).unwrap_err(),
        ChainError::Certificate(1, CertificateError::Malformed)
    );
}

#[test]
fn d10_unknown_critical_extensions() {
    let unknown = |critical| ("1.3.6.1.4.1.99999.1", critical, der::null());
    through(|middle| middle.extensions.push(unknown(false)), |leaf| leaf.extensions.push(unknown(false))).unwrap();
    let expected = |whose: &str| ChainError::Critical(whose.into(), "1.3.6.1.4.1.99999.1".into());
    assert_eq!(through(|_| {}, |leaf| leaf.extensions.push(unknown(true))).unwrap_err(), expected("CN=Payer"));
    assert_eq!(through(|middle| middle.extensions.push(unknown(true)), |_| {}).unwrap_err(), expected("CN=Middle"));
    // Policy constraints, which nobody here processes.
    let policies = ("2.5.29.36", true, der::sequence(&[der::implicit(0, &[0])]));
    let refused = through(|middle| middle.extensions.push(policies), |_| {}).unwrap_err();
    assert_eq!(refused.word(), "critical-extension");
    let root = Authority::self_signed(&middle("Root", |root| root.extensions.push(unknown(true))));
    assert_eq!(Anchors::new(&[root.der()]).unwrap_err(), AnchorsError::Critical(0, "1.3.6.1.4.1.99999.1".into()));
}

#[test]
fn the_same_extension_twice() {
    let twice = leaf(|leaf| leaf.extensions.push(("2.5.29.15", true, der::named_bits(&[pki::DIGITAL_SIGNATURE]))));
    let root = root();
    let expected = ChainError::Certificate(0, CertificateError::Malformed);
    assert_eq!(chain(&root, &root.issue(&twice)).unwrap_err(), expected);
}

#[test]
fn d10_name_constraints() {
    let uri = |text: &str| Name::Uri(text.into());
    let with = |permitted: &[Name], excluded: &[Name]| {
        through(|middle| middle.extensions.push(name_constraints(permitted, excluded)), |_| {}).map(|_| ())
    };
    let refused = Err(ChainError::Names("CN=Middle".into()));
    assert_eq!(with(&[uri("payer.example")], &[]), Ok(()));
    assert_eq!(with(&[uri(".example")], &[]), Ok(()));
    assert_eq!(with(&[uri("other.example"), uri("PAYER.example")], &[]), Ok(()));
    assert_eq!(with(&[uri("other.example")], &[]), refused);
    assert_eq!(with(&[uri(".payer.example")], &[]), refused, "a dot in front means what lies below");
    assert_eq!(with(&[], &[uri("payer.example")]), refused);
    assert_eq!(with(&[], &[uri(".example")]), refused);
    assert_eq!(with(&[], &[uri("other.example")]), Ok(()));
    // Of another kind of name: says nothing of URIs.
    assert_eq!(with(&[Name::Dns("other.example".into())], &[]), Ok(()));
    // The anchor's own count too.
    let root = Authority::self_signed(&middle("Root", |root| {
        root.extensions.push(name_constraints(&[Name::Uri("other.example".into())], &[]));
    }));
    assert_eq!(chain(&root, &root.issue(&leaf(|_| {}))).unwrap_err(), ChainError::Names("CN=Root".into()));
    // One that cannot be read.
    let odd = ("2.5.29.30", true, der::sequence(&[]));
    assert!(through(|middle| middle.extensions.push(odd), |_| {}).is_ok(), "no tree at all constrains nothing");
    let odd = ("2.5.29.30", true, der::sequence(&[der::explicit(0, &[])]));
    let refused = through(|middle| middle.extensions.push(odd), |_| {}).unwrap_err();
    assert_eq!(refused, ChainError::Certificate(1, CertificateError::Malformed));
}

#[test]
fn work_is_bounded() {
    // Certificates of one name that lead to each other on thousands of ways, and to no anchor.
    let keys: Vec<Key> = (0..9).map(|_| Key::p256()).collect();
    let authority = |key: &Key| Authority::self_signed(&Wanted { key: key.clone(), ..middle("Maze", |_| {}) });
    let first = authority(&keys[0]);
    let mut sent = vec![first.issue(&leaf(|_| {})).der];
    for pair in keys.windows(2) {
        let one = authority(&pair[0]);
        sent.push(one.issue(&Wanted { key: pair[1].clone(), ..middle("Maze", |_| {}) }).der);
    }
    sent.push(first.der().to_vec());
    let refused = Anchors::new(&[root().der()]).unwrap().chain(&sent, NOW_S).unwrap_err();
    assert!(matches!(refused, ChainError::Work | ChainError::Signature(_) | ChainError::NoIssuer(_)), "{refused:?}");
}

#[test]
fn what_can_be_an_anchor() {
    assert_eq!(Anchors::new::<Vec<u8>>(&[]).unwrap_err(), AnchorsError::Empty);
    let leaf = root().issue(&leaf(|_| {}));
    assert_eq!(Anchors::new(&[leaf.der]).unwrap_err(), AnchorsError::NoAuthority(0));
    let odd = Anchors::new(&[root().der(), &[1, 2, 3]]).unwrap_err();
    assert_eq!(odd, AnchorsError::Certificate(1, CertificateError::Malformed));
    assert_eq!(odd.to_string(), "anchor 2: it is not an X.509 certificate of version 3 in DER");
}
