//! Folding of text for string search: what is the same word to a person is the same text.
//!
//! Unicode compatibility decomposition, combining marks dropped, lower case (once more decomposed,
//! as lower-casing may compose), punctuation dropped, white space collapsed to one blank and trimmed.
//! A text of punctuation only keeps it, so that it does not match everything.
//! SPEC: R4 search.html#string ("ignoring case, accents, punctuation and non-significant white space").

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Folds a text. Idempotent; empty only for a text of white space and marks.
#[must_use]
pub fn fold(text: &str) -> String {
    let folded = fold_keeping(text, false);
    if folded.is_empty() { fold_keeping(text, true) } else { folded }
}

fn fold_keeping(text: &str, punctuation: bool) -> String {
    if text.is_ascii() {
        return collapse(text.chars().map(|c| c.to_ascii_lowercase()), text.len(), punctuation);
    }
    let letters = text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(lower);
    collapse(letters, text.len(), punctuation)
}

/// Lower case of one character, decomposed again, marks dropped. `ß`, `ø`, `ł`, `đ`, `æ` and `œ` have no
/// decomposition but are written without their mark by people who lack the key.
fn lower(c: char) -> impl Iterator<Item = char> {
    let spelled: &'static str = match c {
        'ß' | 'ẞ' => "ss",
        'ø' | 'Ø' => "o",
        'ł' | 'Ł' => "l",
        'đ' | 'Đ' => "d",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'ς' => "σ",
        _ => "",
    };
    let own = spelled.is_empty().then(|| c.to_lowercase().nfkd().filter(|c| !is_combining_mark(*c)));
    spelled.chars().chain(own.into_iter().flatten())
}

fn collapse(letters: impl Iterator<Item = char>, capacity: usize, punctuation: bool) -> String {
    let mut out = String::with_capacity(capacity);
    let mut gap = false;
    for c in letters {
        if c.is_whitespace() || c.is_control() {
            gap = true;
        } else if punctuation || !is_punctuation(c) {
            if gap && !out.is_empty() {
                out.push(' ');
            }
            gap = false;
            out.push(c);
        }
    }
    out
}

/// ASCII punctuation, and the Latin-1 and general punctuation blocks: apostrophes, dashes, quotes, dots.
const fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation()
        || matches!(c, '\u{a1}' | '\u{a7}' | '\u{ab}' | '\u{b6}' | '\u{b7}' | '\u{bb}' | '\u{bf}')
        || matches!(c, '\u{200b}'..='\u{206f}' | '\u{2b0}'..='\u{2ff}' | '\u{3001}'..='\u{3003}')
        || matches!(c, '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}')
}

#[cfg(test)]
mod tests;
