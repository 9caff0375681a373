//! Row F37: size, hash and media type against the data.

use super::*;
use fhir::json::Tree;

const ANN: &[u8] = b"Ann walks 10 feet.";

/// The errors of an attachment: names of members and texts.
fn errors(attachment: &str) -> Vec<String> {
    let text = format!(
        r#"{{"resourceType":"DocumentReference","status":"current","content":[{{"attachment":{attachment}}}]}}"#
    );
    let tree = Tree::parse(text).unwrap();
    let found = match crate::r4().validate(tree, None) {
        Ok((_, warnings)) => warnings,
        Err(invalid) => invalid.issues,
    };
    let place = "DocumentReference.content[0].attachment";
    let own = found.into_iter().filter(|issue| issue.expression.as_deref().is_some_and(|at| at.starts_with(place)));
    own.map(|issue| format!("{} {}", issue.expression.unwrap().split_at(place.len()).1, issue.diagnostics)).collect()
}

fn with(content_type: &str, data: &[u8], more: &str) -> String {
    format!(r#"{{"contentType":"{content_type}","data":"{}"{more}}}"#, BASE64.encode(data))
}

#[test]
fn what_is_said_of_the_data_must_be_true() {
    let hash = BASE64.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, ANN));
    let right = format!(r#","size":18,"hash":"{hash}""#);
    assert_eq!(errors(&with("text/plain; charset=utf-8", ANN, &right)), [""; 0]);
    assert_eq!(
        errors(&with("text/plain", ANN, r#","size":17,"hash":"2jmj7l5rSw0yVb/vlWAYkK/YBwk=""#)),
        [".size size says 17 bytes, the data has 18", ".hash the hash is not the SHA-1 of the data"]
    );
    // Base64 with line ends is the same data.
    assert_eq!(errors(r#"{"contentType":"text/plain","data":"QW5u\nIHdh bGtz","size":9}"#), [""; 0]);
    // Of what is elsewhere nothing is known; a hash of another length is no SHA-1.
    assert_eq!(errors(&format!(r#"{{"url":"https://example.org/a.pdf","size":5,"hash":"{hash}"}}"#)), [""; 0]);
    assert_eq!(
        errors(r#"{"url":"https://example.org/a.pdf","hash":"RVFILy4uQWdNRQo="}"#),
        [".hash a hash is the SHA-1 of the data: expected 20 bytes in base64"]
    );
}

#[test]
fn the_known_digest_of_a_known_text() {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, b"abc");
    assert_eq!(BASE64.encode(hash), "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
}

#[test]
fn content_types_have_their_shape() {
    for right in ["text/plain", "application/hl7-v3+xml", "text/plain;charset=UTF-8", "image/svg+xml ; a=b", "x/y"] {
        assert!(MediaType::parse(right).is_some(), "{right}");
    }
    for wrong in ["pdf", "text/", "/plain", "text/plain/x", "te xt/plain", "text/plain;", "text/pl\u{e9}in", "text/<b>"]
    {
        assert!(MediaType::parse(wrong).is_none(), "{wrong}");
    }
    assert_eq!(
        errors(r#"{"contentType":"pdf","url":"https://example.org/a.pdf"}"#),
        [".contentType contentType is a media type: type/subtype, with parameters after ;"]
    );
}

/// Files that are what they say.
#[test]
fn data_begins_as_its_content_type_does() {
    let png = b"\x89PNG\r\n\x1a\nrest";
    for (content_type, data) in [
        ("image/png", &png[..]),
        ("IMAGE/PNG", png),
        ("application/pdf", b"%PDF-1.7 rest"),
        ("image/jpeg", b"\xFF\xD8\xFF\xE0"),
        ("image/gif", b"GIF89a.."),
        ("image/webp", b"RIFF....WEBP"),
        ("application/zip", b"PK\x03\x04rest"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK\x03\x04rest"),
        ("text/plain", ANN),
        ("text/plain", b"MZ twins, and %PDF- in a text"),
        ("text/html", b"<!DOCTYPE html><p>a</p>"),
        ("text/plain", b"<html>a source text</html>"),
        ("application/xhtml", b"<!DOCTYPE html>"),
        ("application/octet-stream", b"\x7FELF"),
        ("application/dicom", b"\0\0\0"),
        ("audio/mpeg", b"ID3"),
    ] {
        assert_eq!(MediaType::parse(content_type).unwrap().fits(data), Ok(()), "{content_type}");
    }
}

/// Files that are something else, or something else besides.
#[test]
fn data_that_is_another_thing_is_refused() {
    let mut gif_and_zip = b"GIF89a picture PK\x05\x06".to_vec();
    gif_and_zip.extend_from_slice(&[0; 16]);
    gif_and_zip.extend_from_slice(&[3, 0, b'e', b'n', b'd']);
    let program = [&b"MZ\x90\0\x03"[..], &[0; 80]].concat();
    for (content_type, data) in [
        ("image/png", &b"<!DOCTYPE html><script>x</script>"[..]),
        ("image/png", b"GIF89a"),
        ("application/pdf", b"  %PDF-1.7"),
        ("application/pdf", b"<html>"),
        ("image/gif", &gif_and_zip),
        ("image/jpeg", b"\xFF\xD8\xFF\xE0 %PDF-1.7 "),
        ("image/x-icon", b"<script>x</script>"),
        ("audio/mpeg", b"PK\x03\x04"),
        ("text/plain", b"%PDF-1.7"),
        ("text/plain", b"\x89PNG\r\n\x1a\n"),
        ("text/plain", &program),
        ("application/msword", b"\x7FELF"),
    ] {
        assert!(MediaType::parse(content_type).unwrap().fits(data).is_err(), "{content_type}");
    }
    assert!(!ends_as_archive(b"PK\x05\x06 of which the rest is missing"));
    assert_eq!(
        errors(&with("image/png", b"<html>", "")),
        [".contentType the data does not begin as data of this contentType does"]
    );
}

#[test]
fn a_binary_is_checked_alike() {
    let text = format!(
        r#"{{"resourceType":"Binary","contentType":"image/png","data":"{}"}}"#,
        BASE64.encode(b"<script>x</script>")
    );
    let invalid = crate::r4().validate(Tree::parse(text).unwrap(), None).unwrap_err();
    assert_eq!(invalid.issues[0].expression.as_deref(), Some("Binary.contentType"));
}

/// F38: nothing is fetched, and no address is taken that a click would run.
#[test]
fn f38_addresses_that_run_are_refused() {
    let of = |url: &str| errors(&format!(r#"{{"url":"{url}"}}"#)).len();
    for url in [
        "https://example.org/a.pdf",
        "http://example.org/a.pdf",
        "Binary/1",
        "https://handrail.test/fhir/Binary/1",
        "data:image/png;base64,AAAA",
        "urn:oid:1.2.3",
    ] {
        assert_eq!(of(url), 0, "{url}");
    }
    for url in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://example.org/1",
        "data:text/html,<p>",
        "data:image/svg+xml,x",
        "data:,x",
    ] {
        assert_eq!(of(url), 1, "{url}");
    }
}
