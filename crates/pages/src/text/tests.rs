//! What words from outside cannot do.

use super::*;

#[test]
fn b27_a_name_cannot_turn_or_hide_words() {
    assert_eq!(Text::new("Pay\u{202e}gnihton").as_str(), "Paygnihton");
    assert_eq!(Text::new("Hand\u{200b}rail\u{feff}").as_str(), "Handrail");
    assert_eq!(Text::new("\u{2066}a\u{2069}").as_str(), "a");
    assert_eq!(Text::new(" two \n\t lines\0 ").as_str(), "two lines");
    assert_eq!(Text::new("Ángela Núñez 李").as_str(), "Ángela Núñez 李");
    assert!(Text::new("\u{200b}\u{3164} \n").is_empty());
}

#[test]
fn a_long_text_is_cut() {
    let long = Text::new(&"x".repeat(5_000));
    assert_eq!(long.as_str().chars().count(), limits::TEXT_CHARACTERS_MAX + 1);
    assert!(long.as_str().ends_with('…'));
    let note = Text::note(&"x".repeat(limits::NOTE_CHARACTERS_MAX));
    assert_eq!(note.as_str().chars().count(), limits::NOTE_CHARACTERS_MAX, "of a note nothing is cut");
    let spaced = Text::new(&"ab ".repeat(5_000));
    assert!(spaced.as_str().chars().count() <= limits::TEXT_CHARACTERS_MAX + 2);
}

#[test]
fn nothing_is_printed_by_debug() {
    assert_eq!(format!("{:?} {:?}", Text::new("Rosa"), Secret::new("s3cret")), "Text(…) Secret(…)");
}
