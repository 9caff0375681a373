//! The header that marks the use of a broken glass, to the letter. Rows F49, F67.

use super::*;

#[test]
fn f49_the_header_as_r4_writes_it() {
    let tag = "http://terminology.hl7.org/CodeSystem/v3-ActReason#BTG";
    let scheme = "scheme=\"http://hl7.org/fhir/tag/security\"";
    for header in [
        format!("{tag}; {scheme}; label=\"break the glass\""),
        format!("{tag};{scheme}"),
        format!("{tag} ; label=\"a, b; c\"; SCHEME = \"http://hl7.org/fhir/tag/security\""),
        format!("{tag}; scheme=http://hl7.org/fhir/tag/security"),
        format!("urn:other; scheme=\"http://hl7.org/fhir/tag\", {tag}; {scheme}"),
    ] {
        assert!(is_break_glass(&header), "{header}");
    }
    for header in [
        String::new(),
        tag.to_owned(),
        "BTG".to_owned(),
        format!("{tag}X; {scheme}"),
        format!("{tag}; scheme=\"http://hl7.org/fhir/tag\""),
        format!("{tag}; label=\"{}\"", scheme.replace('"', "")),
        format!("urn:x; label=\", {tag}; scheme=http://hl7.org/fhir/tag/security\""),
        format!("{}; {scheme}", tag.to_lowercase()),
        format!("{}; {scheme}", tag.replace("BTG", "TREAT")),
        "\"".repeat(9),
        ";;;,,,===\"".to_owned(),
    ] {
        assert!(!is_break_glass(&header), "{header}");
    }
}
