//! The two languages say the same things, in plain words, with nothing left over. What is measured,
//! and how: `reading`, which `tests/it` asks of whole pages too.

#[path = "../../tests/it/reading.rs"]
mod reading;

use super::*;
use reading::{MEASURES, SENTENCE_WORDS_MAX, sentences};

/// Texts that are the same in both languages: names of things, patterns of signs.
const SAME: [&str; 5] = ["no", "time", "words_genes", "launch_apps", "seen_person"];

fn places(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = text.split('{').skip(1).filter_map(|part| part.split('}').next()).collect();
    found.sort_unstable();
    found
}

fn english() -> Vec<(String, &'static str)> {
    of(Language::English).all()
}

fn spanish() -> Vec<(String, &'static str)> {
    of(Language::Spanish).all()
}

#[test]
fn both_have_the_same_keys_and_places() {
    assert_eq!(english().len(), spanish().len());
    for ((key, english), (other, spanish)) in english().into_iter().zip(spanish()) {
        assert_eq!(key, other);
        assert_eq!(places(english), places(spanish), "{key}");
    }
}

#[test]
fn nothing_is_empty_or_left_in_the_other_language() {
    for ((key, english), (_, spanish)) in english().into_iter().zip(spanish()) {
        assert!(!english.trim().is_empty() && !spanish.trim().is_empty(), "{key}");
        assert_eq!(english == spanish, SAME.contains(&key.as_str()), "{key}: {english}");
    }
}

#[test]
fn texts_are_set_with_care() {
    for (key, text) in english().into_iter().chain(spanish()) {
        for wrong in ["'", "\"", "...", "  ", " ,", " .", "!!", "<", ">", "&"] {
            assert!(!text.contains(wrong), "{key}: {wrong:?} in {text}");
        }
        assert_eq!(text, text.trim(), "{key}");
    }
    for (key, text) in spanish() {
        assert_eq!(text.contains('?'), text.contains('¿'), "{key}: {text}");
        assert_eq!(text.contains('!'), text.contains('¡'), "{key}: {text}");
    }
    // What `capital` makes large must begin small, or a name would change.
    for (key, text) in english().into_iter().chain(spanish()).filter(|(key, _)| key.starts_with("words_")) {
        assert!(
            text.starts_with(char::is_lowercase) || text.starts_with("X-") || text.starts_with('{'),
            "{key}: {text}"
        );
    }
}

#[test]
fn each_sentence_is_short() {
    for (key, text) in english().into_iter().chain(spanish()) {
        for sentence in sentences(text) {
            let words = sentence.split_whitespace().count();
            assert!(words <= SENTENCE_WORDS_MAX, "{key}: {words} words: {sentence}");
        }
    }
}

#[test]
fn texts_are_for_readers_of_twelve() {
    for (texts, measure) in [(english(), &MEASURES[0]), (spanish(), &MEASURES[1])] {
        measure.check(texts.into_iter().map(|(_, text)| text));
    }
}

#[test]
fn jargon_stays_out_of_what_patients_read() {
    let for_administrators = ["client_", "clients_", "kind_", "register", "register_", "registered_"];
    for (key, text) in english().into_iter().chain(spanish()) {
        if for_administrators.iter().any(|start| key.starts_with(start)) {
            continue;
        }
        for word in
            ["token", "scope", "OAuth", "FHIR", "OpenID", "authoriz", "autoriz", "consent", "credential", "credencial"]
        {
            assert!(!text.to_lowercase().contains(&word.to_lowercase()), "{key}: {word}: {text}");
        }
    }
}

#[test]
fn days_times_and_spans_read_as_people_say_them() {
    let (english, spanish) = (of(Language::English), of(Language::Spanish));
    let moment = Moment::from_unix(1_772_546_700, -300);
    assert_eq!(english.moment(moment), "March 3, 2026 at 9:05\u{a0}am");
    assert_eq!(spanish.moment(moment), "3 de marzo de 2026, 9:05\u{a0}a.\u{a0}m.");
    assert_eq!(english.moment(Moment::from_unix(0, 0)), "January 1, 1970 at 12:00\u{a0}am UTC");
    assert_eq!(english.moment(Moment::from_unix(43_200, 60)), "January 1, 1970 at 1:00\u{a0}pm");
    let month = Date { year: 1943, month: Some(5), day: None };
    assert_eq!((english.date(month), spanish.date(month)), ("May 1943".to_owned(), "mayo de 1943".to_owned()));
    for (lasts, in_english, in_spanish) in [
        (Lasts::Days(1), "1 day", "1 día"),
        (Lasts::Days(45), "45 days", "45 días"),
        (Lasts::Days(90), "3 months", "3 meses"),
        (Lasts::Days(365), "1 year", "1 año"),
        (Lasts::Days(730), "2 years", "2 años"),
    ] {
        assert_eq!((english.lasts(lasts).as_str(), spanish.lasts(lasts).as_str()), (in_english, in_spanish));
    }
}

#[test]
fn spanish_lists_end_in_y_or_e() {
    let spanish = of(Language::Spanish);
    for (next, word) in [("Iris", "e"), ("Hilario", "e"), ("Rosa", "y"), ("hierro", "y"), ("Ígor", "e")] {
        assert_eq!(spanish.and_before(next), word, "{next}");
    }
    assert_eq!(of(Language::English).and_before("Iris"), "and");
}
