//! The three ways in which values from outside reach a page: [`Text`], words; [`Literal`], ids; [`Secret`], secrets.
//!
//! A `Text` is plain words, never markup: the writer ([`crate::html`]) escapes it wherever it goes. It is cleaned
//! when it is made, because the name of an app is chosen by strangers and stands on the consent page (row B27):
//! no control characters, no marks that turn the direction of what follows, no invisible letters, no end of length.

use crate::limits;
use std::fmt;

/// Plain words from outside: a name, a place, what an app says of itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Text(String);

impl Text {
    /// Cleans and keeps the words. Runs of white space become one space; what is longer than
    /// [`limits::TEXT_CHARACTERS_MAX`] characters is cut and ends in `…`.
    #[must_use]
    pub fn new(words: &str) -> Self {
        Self::within(words, limits::TEXT_CHARACTERS_MAX)
    }

    /// The same of what somebody wrote into a form of ours, up to [`limits::NOTE_CHARACTERS_MAX`] characters.
    #[must_use]
    pub fn note(words: &str) -> Self {
        Self::within(words, limits::NOTE_CHARACTERS_MAX)
    }

    fn within(words: &str, most: usize) -> Self {
        let mut kept = String::with_capacity(words.len().min(most));
        let mut count = 0;
        let mut is_gap = false;
        for letter in words.chars().filter(|letter| !is_treacherous(*letter)) {
            if letter.is_whitespace() || letter.is_control() {
                is_gap = !kept.is_empty();
                continue;
            }
            if count >= most {
                kept.push('…');
                break;
            }
            if is_gap {
                kept.push(' ');
                count += 1;
                is_gap = false;
            }
            kept.push(letter);
            count += 1;
        }
        Self(kept)
    }

    /// The words, not escaped.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing is left to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Text {
    fn from(words: &str) -> Self {
        Self::new(words)
    }
}

impl From<String> for Text {
    fn from(words: String) -> Self {
        Self::new(&words)
    }
}

/// Names are PHI, and a page's values are mostly names (invariant 11).
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(…)")
    }
}

/// An id or a scope of ours: kept to the letter, escaped on the page like all else. Not for words of others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Literal(String);

impl Literal {
    /// Keeps the value as it is.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, not escaped.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Literal {
    fn from(value: &str) -> Self {
        Self::new(value)
    }
}

impl From<String> for Literal {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

/// Kept to the letter, escaped on the page, never printed: a CSRF token, a handle, a client secret, a recovery code.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Keeps the value as it is.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self::new(value)
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Letters that change how others look, or that nobody sees: a name must not be able to hide or turn words.
/// Zero-width joiners go too: they matter in some scripts' spelling, but two names that look the same must be the same.
fn is_treacherous(letter: char) -> bool {
    matches!(letter,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests;
