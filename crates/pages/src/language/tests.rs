//! Which language is chosen from which header.

use super::*;

#[test]
fn the_choice_wins_over_the_cookie_over_the_browser() {
    use Language::{English, Spanish};
    assert_eq!(Language::choose(Some("es"), Some("en"), Some("en")), Spanish);
    assert_eq!(Language::choose(None, Some("es"), Some("en")), Spanish);
    assert_eq!(Language::choose(None, None, Some("es-MX,es;q=0.9,en;q=0.8")), Spanish);
    assert_eq!(Language::choose(Some("xx"), Some(""), Some("fr, es;q=0.3")), Spanish);
    assert_eq!(Language::choose(None, None, None), English);
}

#[test]
fn quality_decides_and_zero_refuses() {
    use Language::{English, Spanish};
    let by = |header: &str| Language::choose(None, None, Some(header));
    assert_eq!(by("en;q=0.5, es;q=0.75"), Spanish);
    assert_eq!(by("en;q=0.750, es;q=0.75"), English);
    assert_eq!(by("es;q=0, fr"), English);
    assert_eq!(by("*, fr;q=1"), English);
    assert_eq!(by("es;q=abc"), English);
    assert_eq!(by("es;q=1.0000"), English);
    assert_eq!(by("ES-419"), Spanish);
    assert_eq!(by(&"fr,".repeat(5_000)), English);
}

#[test]
fn the_cookie_holds_the_tag_alone() {
    assert!(Language::Spanish.cookie().starts_with("__Host-handrail-language=es; Path=/; "));
}
