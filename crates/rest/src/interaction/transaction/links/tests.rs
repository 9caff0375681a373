//! Where links begin and end.

use super::{next_link, root_of};

#[test]
fn the_root_of_a_full_url() {
    assert_eq!(root_of("http://example.org/fhir/Patient/1"), Some("http://example.org/fhir"));
    assert_eq!(root_of("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"), None);
    assert_eq!(root_of("http://example.org/Library/x/y"), None);
    assert_eq!(root_of("Patient/1"), None);
}

#[test]
fn links_of_narrative_in_their_order() {
    let html = r#"<a href="urn:uuid:1">x</a><img src='#a'/>"#;
    let (before, link, after) = next_link(html).unwrap();
    assert_eq!((before, link), ("<a href=\"", "urn:uuid:1"));
    let (_, link, after) = next_link(after).unwrap();
    assert_eq!((link, after), ("#a", "'/>"));
    assert_eq!(next_link("<p>href=none</p>"), None);
    assert_eq!(next_link("href=\"unclosed"), None);
}
