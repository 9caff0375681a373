//! Names as people write them.

use super::fold;
use proptest::prelude::*;

#[test]
fn names_meet_however_they_are_typed() {
    assert_eq!(fold("  Müller "), "muller");
    assert_eq!(fold("Mu\u{308}ller"), "muller", "decomposed form");
    assert_eq!(fold("O'Brien"), "obrien");
    assert_eq!(fold("O’Brien"), "obrien", "typographic apostrophe");
    assert_eq!(fold("Дмитрий Ёлкин"), fold("дмитрий елкин"));
    assert_eq!(fold("Weiß"), "weiss");
    assert_eq!(fold("Łukasz Ørsted"), "lukasz orsted");
    assert_eq!(fold("a \t\n b"), "a b");
    assert_eq!(fold("İstanbul"), "istanbul");
    assert_eq!(fold("ΟΔΥΣΣΕΥΣ"), fold("οδυσσευς"));
}

#[test]
fn punctuation_alone_stays() {
    assert_eq!(fold("+"), "+");
    assert_eq!(fold(" \u{301} "), "");
}

proptest! {
    #[test]
    fn idempotent(text in "\\PC{0,12}") {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once);
    }
}
