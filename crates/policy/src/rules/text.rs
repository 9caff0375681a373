//! The text of a file of rules: lines, words with their places, and what is wrong with them.

use std::fmt;

/// Where something stands in a file: both from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Place {
    /// The same line, so many bytes of `text` further on.
    pub(super) fn after(self, text: &str, bytes: usize) -> Self {
        let characters = text.get(..bytes).unwrap_or(text).chars().count();
        Self { line: self.line, column: self.column.saturating_add(u32::try_from(characters).unwrap_or(u32::MAX)) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// What is wrong with a file, where, and what to write instead. For its author: it repeats what they wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub instead: Option<String>,
}

impl Fault {
    pub(super) fn new(place: Place, what: impl Into<String>) -> Self {
        Self { place, what: what.into(), instead: None }
    }

    pub(super) fn instead(self, instead: impl Into<String>) -> Self {
        Self { instead: Some(instead.into()), ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)?;
        self.instead.as_ref().map_or(Ok(()), |instead| write!(f, "; {instead}"))
    }
}

impl std::error::Error for Fault {}

/// A word without blanks, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<'t> {
    pub(super) text: &'t str,
    pub(super) place: Place,
}

/// The words of a text that begins at `place`.
pub(super) fn words(text: &str, place: Place) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        match (character.is_whitespace(), start) {
            (false, None) => start = Some(at),
            (true, Some(from)) => {
                start = None;
                found.push(Word { text: text.get(from..at).unwrap_or_default(), place: place.after(text, from) });
            }
            _ => {}
        }
    }
    found
}

/// The items of a list: words up to one that ends with a comma. A comma within a word is a part of it, as in
/// `category=vital-signs,laboratory`.
pub(super) fn items<'t>(words: &[Word<'t>]) -> Result<Vec<Vec<Word<'t>>>, Fault> {
    let mut items = vec![Vec::new()];
    let mut comma = None;
    for word in words {
        let cut = word.text.strip_suffix(',');
        let own = Word { text: cut.unwrap_or(word.text), ..*word };
        comma = cut.map(|_| word.place);
        let Some(item) = items.last_mut() else { continue };
        if !own.text.is_empty() {
            item.push(own);
        }
        if item.is_empty() {
            return Err(Fault::new(word.place, "nothing stands before this comma"));
        }
        if cut.is_some() {
            items.push(Vec::new());
        }
    }
    match comma {
        Some(place) => Err(Fault::new(place, "nothing follows the comma at its end")),
        None => Ok(items.into_iter().filter(|item| !item.is_empty()).collect()),
    }
}

/// The candidate that looks most like the word, when one does.
pub(super) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let distance = |candidate: &str| {
        let (word, candidate) = (word.to_lowercase(), candidate.to_lowercase());
        if candidate.starts_with(&word) || word.starts_with(&candidate) { 1 } else { edits(&word, &candidate) }
    };
    let most = (word.chars().count() / 3).max(1);
    let measured = candidates.into_iter().map(|candidate| (distance(candidate), candidate));
    measured.filter(|(distance, _)| *distance <= most).min().map(|(_, candidate)| candidate)
}

/// How many characters to put in, take out or change (Levenshtein).
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, character) in one.chars().enumerate() {
        let mut corner = at;
        let mut left = at + 1;
        let mut next = vec![left];
        for (above, own) in row.iter().skip(1).zip(&other) {
            left = (corner + usize::from(*own != character)).min(*above + 1).min(left + 1);
            corner = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// Decodes `%20`. A `%` that two hexadecimal digits do not follow is no part of a literal.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let hex = after.get(..2).filter(|two| two.iter().all(u8::is_ascii_hexdigit))?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}
