//! What the headers of a page allow, and what no redirect URI can smuggle into them.

use super::*;
use crate::{Done, DoneWhat, Next, Passkey, Secret, Text};

fn frame() -> Frame {
    Frame { facility: Text::new("Maple Grove"), nonce: Secret::new("bm9uY2U"), person: None }
}

fn policy(view: &View, redirect_uris: &[&str]) -> String {
    let headers = of_page(&frame(), view, Language::English, redirect_uris);
    headers.into_iter().find(|(name, _)| *name == "content-security-policy").map(|(_, value)| value).unwrap()
}

fn done() -> View {
    Done { what: DoneWhat::SignedOut, next: Next::Close }.into()
}

#[test]
fn a18_never_framed_nothing_inline_nothing_from_elsewhere() {
    let policy = policy(&done(), &[]);
    for part in
        ["default-src 'none'", "script-src 'none'", "frame-ancestors 'none'", "form-action 'self';", "base-uri 'none'"]
    {
        assert!(policy.contains(part), "{part}: {policy}");
    }
    for word in ["unsafe", "data:", "*", "http"] {
        assert!(!policy.contains(word), "{word}: {policy}");
    }
    assert!(FIXED.contains(&("x-frame-options", "DENY")));
}

#[test]
fn a18_a_script_runs_by_the_nonce_of_its_response() {
    let passkey =
        Passkey { csrf: "c".into(), continuation: None, options: "{}".into(), name: None, has_failed: false }.into();
    assert!(policy(&passkey, &[]).contains("script-src 'nonce-bm9uY2U';"));
    assert!(crate::page(&frame(), &passkey, Language::English).contains("nonce=\"bm9uY2U\""));
}

#[test]
fn a17_no_cors_header_on_a_page_and_a19_no_store() {
    let headers = of_page(&frame(), &done(), Language::Spanish, &[]);
    assert!(headers.iter().all(|(name, _)| !name.starts_with("access-control")));
    assert!(headers.contains(&("cache-control", "no-store".to_owned())));
    assert!(headers.contains(&("content-language", "es".to_owned())));
}

#[test]
fn a18_form_action_has_the_origins_that_a_form_may_lead_to() {
    let uris =
        ["https://App.example/cb?x=1", "https://app.example/other", "com.example.app:/cb", "http://127.0.0.1:4000/cb"];
    let policy = policy(&done(), &uris);
    assert!(
        policy.contains("form-action 'self' com.example.app: http://127.0.0.1:4000 https://app.example;"),
        "{policy}"
    );
}

#[test]
fn a_redirect_uri_cannot_write_the_policy() {
    for uri in [
        "https://a.example; script-src *",
        "https://a.example/;x",
        "https://a.example,b",
        "https://user@a.example",
        "https://*.example",
        "https:// x",
        "https://a:1;2",
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        "x y:z",
        "1a:b",
        "none",
        "",
    ] {
        let target = form_target(uri);
        let is_plain = target.as_ref().is_none_or(|target| target == "https://a.example");
        assert!(is_plain, "{uri}: {target:?}");
    }
    assert_eq!(form_target("http://[::1]:8000/cb").as_deref(), Some("http:"));
}

#[test]
fn static_files_are_kept_for_good() {
    let headers = of_asset(&crate::assets::STYLE);
    assert!(headers.contains(&("cache-control", "public, max-age=31536000, immutable".to_owned())));
    assert!(headers.contains(&("x-content-type-options", "nosniff".to_owned())));
}
