//! D10: which names may stand below an authority, kind by kind.

use super::*;
use crate::pki::{Authority, Name, Wanted, der, name_constraints};

const NOW_S: i64 = 1_800_000_000;

fn permits(permitted: &[Name], excluded: &[Name], names: Vec<Name>) -> bool {
    let (_, _, value) = name_constraints(permitted, excluded);
    let leaf = Wanted { names, ..Wanted::leaf("Leaf", "", NOW_S) };
    let leaf = Certificate::read(&Authority::root("Root", NOW_S).issue(&leaf).der).unwrap();
    NameConstraints::read(&value).unwrap().permit(&leaf)
}

fn uri(text: &str) -> Name {
    Name::Uri(text.into())
}

fn dns(text: &str) -> Name {
    Name::Dns(text.into())
}

fn email(text: &str) -> Name {
    Name::Email(text.into())
}

#[test]
fn uris_by_their_host() {
    let below = |tree: &str, name: &str| permits(&[uri(tree)], &[], vec![uri(name)]);
    assert!(below("a.example", "https://A.example:8443/fhir?x#y"));
    assert!(below("a.example", "https://user@a.example/"));
    assert!(below(".example", "https://a.b.example/"));
    for (tree, name) in [
        ("a.example", "https://b.a.example/"),
        (".example", "https://example/"),
        ("a.example", "https://a.example@b.example/"),
        ("a.example", "https://b.example/a.example"),
        ("a.example", "https://evil-a.example/"),
        (".a.example", "https://evila.example/"),
        ("a.example", "urn:oid:1.2.3"),
        ("a.example", "https://192.0.2.1/"),
        ("a.example", "https://[::1]/"),
        ("https://a.example", "https://a.example"),
        ("", "https://a.example"),
    ] {
        assert!(!below(tree, name), "{tree} {name}");
    }
    // The root's dot is no way around.
    for name in ["https://a.example./", "https://x.a.example.:8443/fhir"] {
        assert!(!permits(&[], &[uri("a.example"), uri(".a.example")], vec![uri(name)]), "{name}");
    }
    assert!(!permits(&[], &[dns("a.example")], vec![dns("x.a.example.")]));
    // What has no host is excluded as soon as any host is.
    assert!(!permits(&[], &[uri("b.example")], vec![uri("urn:oid:1.2.3")]));
    // Every name must do, not one of them.
    assert!(!permits(&[uri("a.example")], &[], vec![uri("https://a.example/"), uri("https://b.example/")]));
}

#[test]
fn other_kinds() {
    assert!(permits(&[dns("example")], &[], vec![dns("a.example"), uri("https://elsewhere.test")]));
    assert!(permits(&[dns(".example")], &[], vec![dns("a.example")]));
    assert!(!permits(&[dns("a.example")], &[], vec![dns("ba.example")]));
    assert!(!permits(&[], &[dns("a.example")], vec![dns("x.A.example")]));
    assert!(permits(&[email("a.example")], &[], vec![email("x@a.example")]));
    assert!(permits(&[email("x@a.example")], &[], vec![email("x@A.example")]));
    assert!(!permits(&[email("x@a.example")], &[], vec![email("X@a.example")]));
    assert!(!permits(&[email(".a.example")], &[], vec![email("x@a.example")]));
    let network = Name::Ip(vec![192, 0, 2, 0, 255, 255, 255, 0]);
    assert!(permits(std::slice::from_ref(&network), &[], vec![Name::Ip(vec![192, 0, 2, 7])]));
    assert!(!permits(std::slice::from_ref(&network), &[], vec![Name::Ip(vec![192, 0, 3, 7])]));
    assert!(!permits(std::slice::from_ref(&network), &[], vec![Name::Ip(vec![0; 16])]));
    assert!(!permits(&[Name::Ip(vec![192, 0, 2, 0])], &[], vec![Name::Ip(vec![192, 0, 2, 0])]), "no mask");
}

#[test]
fn the_subject_itself() {
    // [4] around a Name.
    let tree = |name: &str| {
        let rdn = der::set(&der::sequence(&[der::oid("2.5.4.3"), der::tlv(12, name.as_bytes())]));
        der::sequence(&[der::explicit(0, &der::sequence(&[der::explicit(4, &der::sequence(&[rdn]))]))])
    };
    let leaf = Authority::root("Root", NOW_S).issue(&Wanted::leaf("Leaf", "https://a.example", NOW_S));
    let leaf = Certificate::read(&leaf.der).unwrap();
    assert!(NameConstraints::read(&tree("LEAF")).unwrap().permit(&leaf));
    assert!(!NameConstraints::read(&tree("Other")).unwrap().permit(&leaf));
}
