//! Tests of `cookie`. Row A20.

use super::*;

fn headers(fields: &[&str]) -> HeaderMap {
    fields.iter().map(|field| (header::COOKIE, HeaderValue::from_str(field).unwrap())).collect()
}

#[test]
fn a_cookie_is_read_when_it_is_there_once() {
    for (fields, expected) in [
        (&["__Host-handrail=abc"][..], Some("abc")),
        (&["other=1; __Host-handrail=abc; __Host-handrail-visit=x"], Some("abc")),
        (&["other=1", "__Host-handrail=abc"], Some("abc")),
        (&["__Host-handrail=abc; __Host-handrail=def"], None),
        (&["__Host-handrail=abc", "__Host-handrail=abc"], None),
        (&["__Host-handrail="], None),
        (&["__host-handrail=abc"], None),
        (&["x__Host-handrail=abc"], None),
        (&[], None),
    ] {
        assert_eq!(value(&headers(fields), SESSION), expected, "{fields:?}");
    }
    assert_eq!(value(&headers(&[&format!("{SESSION}={}", "a".repeat(129))]), SESSION), None);
}

#[test]
fn what_is_set_holds_to_its_prefix() {
    for cookie in [of_session(SESSION, "abc"), of_device("abc"), gone(VISIT)] {
        let cookie = cookie.unwrap();
        assert!(cookie.is_sensitive(), "not in any log");
        let text = cookie.to_str().unwrap();
        assert!(text.starts_with("__Host-") && text.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{text}");
        assert!(!text.to_ascii_lowercase().contains("domain"), "{text}");
    }
    assert!(!of_session(SESSION, "abc").unwrap().to_str().unwrap().contains("Max-Age"));
}
