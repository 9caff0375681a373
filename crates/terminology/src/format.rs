//! A code system as bytes: what lies in a file per system, and a load that was interrupted.
//!
//! Head: eight bytes that name the form, its version, the length and the XXH3 of what follows; numbers are
//! little-endian. Then text and lists in a fixed order, each with its length. Reading checks every length and
//! position, so a damaged or hostile file is an error, not a panic or a wrong answer.

use crate::{
    builder::Builder,
    code_system::{About, CodeSystem, Completeness, Named, Property},
    hierarchy::{Hierarchy, Lists},
    limits,
    ranges::Ranges,
    texts::{Index, Texts},
};
use std::{
    fmt,
    io::{self, Write},
};
use xxhash_rust::xxh3::Xxh3;

/// Names the form of a finished system.
const SYSTEM: [u8; 8] = *b"HRTERMCS";

/// Names the form of an interrupted load.
const CHECKPOINT: [u8; 8] = *b"HRTERMCP";

/// A change that older readers would misread changes the number.
const VERSION: u32 = 1;

/// Name, version, length, checksum.
const HEAD_BYTES: usize = 8 + 4 + 8 + 8;

/// Why bytes are not a code system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatError {
    /// Not a file of this kind.
    Kind,
    /// Written by another version of the program.
    Version,
    /// Cut off or changed: length or checksum do not fit.
    Damaged,
    /// The checksum fits, but the content cannot be.
    Content,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kind => "not a code system of this server",
            Self::Version => "written by another version of this server",
            Self::Damaged => "cut off or damaged",
            Self::Content => "its content contradicts itself",
        })
    }
}

impl std::error::Error for FormatError {}

/// Collects the body, then writes head and body.
#[derive(Default)]
struct Out(Vec<u8>);

impl Out {
    fn number(&mut self, number: usize) {
        self.0.extend_from_slice(&(number as u64).to_le_bytes());
    }

    fn word(&mut self, word: u32) {
        self.0.extend_from_slice(&word.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn words(&mut self, words: &[u32]) {
        self.number(words.len());
        words.iter().for_each(|word| self.word(*word));
    }

    fn pairs(&mut self, pairs: &[(u32, u32)]) {
        self.number(pairs.len());
        for (one, other) in pairs {
            self.word(*one);
            self.word(*other);
        }
    }

    fn texts(&mut self, texts: &Texts) {
        self.text(&texts.bytes);
        self.words(&texts.ends);
    }

    fn about(&mut self, about: &About) {
        for text in [&about.url, &about.version, &about.name, &about.value_set] {
            self.text(text);
        }
        self.word(u32::from(about.completeness == Completeness::Complete));
        self.word(u32::from(about.is_case_sensitive));
    }

    fn properties(&mut self, properties: &[Property]) {
        self.number(properties.len());
        for property in properties {
            self.text(&property.code);
            self.text(&property.kind);
            self.pairs(&property.values);
        }
    }

    fn named(&mut self, named: &[Named]) {
        self.number(named.len());
        for (concept, language, use_code, value) in named {
            [concept, language, use_code, value].into_iter().for_each(|word| self.word(*word));
        }
    }

    fn finish(self, name: [u8; 8], to: &mut dyn Write) -> io::Result<()> {
        let mut hash = Xxh3::new();
        hash.update(&self.0);
        to.write_all(&name)?;
        to.write_all(&VERSION.to_le_bytes())?;
        to.write_all(&(self.0.len() as u64).to_le_bytes())?;
        to.write_all(&hash.digest().to_le_bytes())?;
        to.write_all(&self.0)
    }
}

/// Reads a body whose checksum is right.
struct In<'a>(&'a [u8]);

type Read<T> = Result<T, FormatError>;

impl<'a> In<'a> {
    fn open(bytes: &'a [u8], name: [u8; 8]) -> Read<Self> {
        let (head, body) = bytes.split_at_checked(HEAD_BYTES).ok_or(FormatError::Kind)?;
        let mut head = Self(head);
        if head.take(8)? != name {
            return Err(FormatError::Kind);
        }
        if head.word()? != VERSION {
            return Err(FormatError::Version);
        }
        let (len, sum) = (head.number()?, head.take(8)?);
        let mut hash = Xxh3::new();
        hash.update(body);
        if len != body.len() || hash.digest().to_le_bytes() != sum {
            return Err(FormatError::Damaged);
        }
        Ok(Self(body))
    }

    fn take(&mut self, len: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(FormatError::Content)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Read<usize> {
        let bytes = self.take(8)?.try_into().map_err(|_| FormatError::Content)?;
        usize::try_from(u64::from_le_bytes(bytes)).map_err(|_| FormatError::Content)
    }

    fn word(&mut self) -> Read<u32> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().map_err(|_| FormatError::Content)?))
    }

    fn text(&mut self) -> Read<String> {
        let len = self.number()?;
        std::str::from_utf8(self.take(len)?).map(str::to_owned).map_err(|_| FormatError::Content)
    }

    fn words(&mut self) -> Read<Vec<u32>> {
        let len = self.number()?.checked_mul(4).ok_or(FormatError::Content)?;
        let (words, _) = self.take(len)?.as_chunks::<4>();
        Ok(words.iter().map(|word| u32::from_le_bytes(*word)).collect())
    }

    fn pairs(&mut self) -> Read<Vec<(u32, u32)>> {
        let len = self.number()?.checked_mul(8).ok_or(FormatError::Content)?;
        let (pairs, _) = self.take(len)?.as_chunks::<8>();
        let word = |bytes: &[u8; 8], from: usize| {
            let word: [u8; 4] = bytes.get(from..from + 4).and_then(|four| four.try_into().ok()).unwrap_or_default();
            u32::from_le_bytes(word)
        };
        Ok(pairs.iter().map(|pair| (word(pair, 0), word(pair, 4))).collect())
    }

    /// Texts whose ends go up and fall between characters.
    fn texts(&mut self) -> Read<Texts> {
        let texts = Texts { bytes: self.text()?, ends: self.words()? };
        let mut last = 0;
        let fits = texts.ends.iter().all(|end| {
            let goes = *end >= last && texts.bytes.is_char_boundary(*end as usize);
            last = *end;
            goes
        });
        let whole = last as usize == texts.bytes.len() && texts.bytes.len() <= limits::TEXT_BYTES_MAX;
        if fits && whole { Ok(texts) } else { Err(FormatError::Content) }
    }

    fn about(&mut self) -> Read<About> {
        let (url, version, name, value_set) = (self.text()?, self.text()?, self.text()?, self.text()?);
        let completeness = if self.word()? == 1 { Completeness::Complete } else { Completeness::Part };
        Ok(About { url, version, name, completeness, is_case_sensitive: self.word()? == 1, value_set })
    }

    fn properties(&mut self) -> Read<Vec<Property>> {
        let len = self.number()?;
        let mut held = Vec::new();
        for _ in 0..len {
            held.push(Property { code: self.text()?, kind: self.text()?, values: self.pairs()? });
        }
        Ok(held)
    }

    fn named(&mut self) -> Read<Vec<Named>> {
        let len = self.number()?;
        let mut held = Vec::with_capacity(len.min(self.0.len() / 16));
        for _ in 0..len {
            held.push((self.word()?, self.word()?, self.word()?, self.word()?));
        }
        Ok(held)
    }

    fn end(self) -> Read<()> {
        if self.0.is_empty() { Ok(()) } else { Err(FormatError::Content) }
    }
}

/// Whether ends of lists go up to the number of items.
fn lists<T>(ends: Vec<u32>, items: Vec<T>, len: usize) -> Read<Lists<T>> {
    let up = ends.iter().zip(ends.iter().skip(1)).all(|(one, next)| one <= next);
    let whole = ends.last().copied().unwrap_or(0) as usize == items.len();
    if up && whole && ends.len() == len { Ok(Lists { ends, items }) } else { Err(FormatError::Content) }
}

fn ranges(pairs: Vec<(u32, u32)>, len: usize) -> Read<Ranges> {
    let fits = pairs.iter().all(|(_, end)| *end as usize <= len);
    let ranges = Ranges::of(pairs);
    if fits { Ok(ranges) } else { Err(FormatError::Content) }
}

fn check(fits: bool) -> Read<()> {
    if fits { Ok(()) } else { Err(FormatError::Content) }
}

impl CodeSystem {
    /// Writes the system.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        let mut out = Out::default();
        out.about(&self.about);
        out.texts(&self.codes);
        out.texts(&self.displays);
        for edges in [&self.hierarchy.parents, &self.hierarchy.children] {
            out.words(&edges.ends);
            out.words(&edges.items);
        }
        out.words(&self.hierarchy.cover.ends);
        out.pairs(&self.hierarchy.cover.items);
        out.pairs(self.inactive.ranges());
        out.pairs(self.not_selectable.ranges());
        out.properties(&self.properties);
        out.texts(&self.values);
        out.named(&self.designations);
        out.texts(&self.designation_texts);
        out.finish(SYSTEM, to)
    }

    /// Reads what [`Self::write`] wrote.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn read(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut from = In::open(bytes, SYSTEM)?;
        let about = from.about()?;
        let (codes, displays) = (from.texts()?, from.texts()?);
        let len = codes.len();
        check(displays.len() == len && len <= limits::CONCEPTS_MAX)?;
        let parents = lists(from.words()?, from.words()?, len)?;
        let children = lists(from.words()?, from.words()?, len)?;
        let cover = lists(from.words()?, from.pairs()?, len)?;
        let known = |number: &u32| (*number as usize) < len;
        check(parents.items.iter().all(known) && children.items.iter().all(known))?;
        check(cover.items.iter().all(|(start, end)| start < end && *end as usize <= len))?;
        let (inactive, not_selectable) = (ranges(from.pairs()?, len)?, ranges(from.pairs()?, len)?);
        let properties = from.properties()?;
        let values = from.texts()?;
        let (designations, designation_texts) = (from.named()?, from.texts()?);
        let value = |number: u32| (number as usize) < values.len();
        for property in &properties {
            check(property.values.iter().all(|(concept, text)| known(concept) && value(*text)))?;
            check(property.values.is_sorted_by_key(|(concept, _)| *concept))?;
        }
        check(designations.is_sorted_by_key(|one| one.0))?;
        check(designations.iter().all(|(concept, language, use_code, text)| {
            known(concept) && value(*language) && value(*use_code) && (*text as usize) < designation_texts.len()
        }))?;
        from.end()?;
        let index = Index::of(&codes, !about.is_case_sensitive);
        Ok(Self {
            about,
            codes,
            index,
            displays,
            hierarchy: Hierarchy { parents, children, cover },
            inactive,
            not_selectable,
            properties,
            values,
            designations,
            designation_texts,
        })
    }
}

impl Builder {
    /// Writes what was collected, with `notes` of the one who collects.
    ///
    /// # Errors
    /// Those of `to`.
    pub(crate) fn write(&self, notes: &[String], to: &mut dyn Write) -> io::Result<()> {
        let mut out = Out::default();
        out.number(notes.len());
        notes.iter().for_each(|note| out.text(note));
        out.about(&self.about);
        out.texts(&self.codes);
        out.words(&self.displays);
        out.texts(&self.names);
        out.pairs(&self.edges);
        out.words(&self.inactive);
        out.words(&self.not_selectable);
        out.properties(&self.properties);
        out.texts(&self.values);
        out.named(&self.designations);
        out.texts(&self.designation_texts);
        out.finish(CHECKPOINT, to)
    }

    /// Reads what [`Self::write`] wrote. Positions that do not fit are dropped when the system is finished.
    ///
    /// # Errors
    /// [`FormatError`].
    pub(crate) fn read(bytes: &[u8]) -> Result<(Self, Vec<String>), FormatError> {
        let mut from = In::open(bytes, CHECKPOINT)?;
        let mut notes = Vec::new();
        for _ in 0..from.number()? {
            notes.push(from.text()?);
        }
        let about = from.about()?;
        let codes = from.texts()?;
        let fold = !about.is_case_sensitive;
        let mut builder = Self::new(about);
        builder.index = Index::of(&codes, fold);
        builder.codes = codes;
        builder.displays = from.words()?;
        builder.names = from.texts()?;
        builder.edges = from.pairs()?;
        builder.inactive = from.words()?;
        builder.not_selectable = from.words()?;
        builder.properties = from.properties()?;
        builder.values = from.texts()?;
        builder.value_index = Index::of(&builder.values, false);
        builder.designations = from.named()?;
        builder.designation_texts = from.texts()?;
        check(builder.displays.len() == builder.codes.len())?;
        let len = builder.codes.len();
        let known = |number: &u32| (*number as usize) < len;
        check(builder.edges.iter().all(|(child, parent)| known(child) && known(parent)))?;
        check(builder.inactive.iter().all(known) && builder.not_selectable.iter().all(known))?;
        check(builder.designations.iter().all(|one| known(&one.0)))?;
        check(builder.properties.iter().all(|one| one.values.iter().all(|(concept, _)| known(concept))))?;
        from.end()?;
        Ok((builder, notes))
    }
}

#[cfg(test)]
mod tests;
