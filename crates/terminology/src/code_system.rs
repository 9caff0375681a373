//! A code system in the form that answers: codes, displays, hierarchy, properties, designations, all by the
//! number of their concept. Made by [`crate::builder::Builder`], kept in files by [`crate::format`].
//!
//! SPEC: R4 codesystem.html. Left out: definitions of concepts (prose), attributes beyond code and value.

use crate::{
    hierarchy::Hierarchy,
    ranges::{self, Ranges},
    texts::{Index, Texts},
};

/// `CodeSystem.content`: how much of the system is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// All codes: what is not here is wrong.
    Complete,
    /// Some codes: what is not here cannot be checked.
    Part,
}

/// What a code system is, besides its concepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Canonical URL: `http://loinc.org`.
    pub url: String,
    /// Its version; empty when it has none.
    pub version: String,
    /// A short name for people: `LOINC`.
    pub name: String,
    /// How much of it is here.
    pub completeness: Completeness,
    /// Whether codes differ by case.
    pub is_case_sensitive: bool,
    /// Canonical of the value set of all its codes; empty when none is named.
    pub value_set: String,
}

/// A property that concepts have. SPEC: R4 codesystem.html#properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Its code: `COMPONENT`, `parent`.
    pub code: String,
    /// `code`, `Coding`, `string`, `integer`, `boolean`, `dateTime`, `decimal`.
    pub kind: String,
    /// Concept and value (a position of the texts of values), sorted.
    pub(crate) values: Vec<(u32, u32)>,
}

/// Another name of a concept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Designation<'a> {
    /// Language (BCP 47); empty when unsaid.
    pub language: &'a str,
    /// Code of its use; empty when unsaid.
    pub use_code: &'a str,
    /// The name.
    pub value: &'a str,
}

/// Designation as kept: concept, language, use (positions of the texts of values), value.
pub(crate) type Named = (u32, u32, u32, u32);

/// A code system. Concepts have numbers from 0: parents before most of their children.
#[derive(Debug, Clone)]
pub struct CodeSystem {
    pub(crate) about: About,
    pub(crate) codes: Texts,
    pub(crate) index: Index,
    pub(crate) displays: Texts,
    pub(crate) hierarchy: Hierarchy,
    pub(crate) inactive: Ranges,
    pub(crate) not_selectable: Ranges,
    pub(crate) properties: Vec<Property>,
    /// Values of properties, languages, uses: each text once.
    pub(crate) values: Texts,
    /// Sorted by concept.
    pub(crate) designations: Vec<Named>,
    pub(crate) designation_texts: Texts,
}

impl CodeSystem {
    /// What it is.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.about
    }

    /// How many concepts there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::try_from(self.codes.len()).unwrap_or(u32::MAX)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.codes.len() == 0
    }

    /// The number of the concept of this code.
    #[must_use]
    pub fn find(&self, code: &str) -> Option<u32> {
        self.index.find(&self.codes, code)
    }

    /// The code of a concept.
    #[must_use]
    pub fn code(&self, concept: u32) -> &str {
        self.codes.get(concept)
    }

    /// The display of a concept; empty when it has none.
    #[must_use]
    pub fn display(&self, concept: u32) -> &str {
        self.displays.get(concept)
    }

    /// Concepts directly above.
    #[must_use]
    pub fn parents(&self, concept: u32) -> &[u32] {
        self.hierarchy.parents.get(concept)
    }

    /// Concepts directly below.
    #[must_use]
    pub fn children(&self, concept: u32) -> &[u32] {
        self.hierarchy.children.get(concept)
    }

    /// Whether there is any hierarchy.
    #[must_use]
    pub fn has_hierarchy(&self) -> bool {
        !self.hierarchy.parents.items.is_empty()
    }

    /// Whether `one` is `top` or below it.
    #[must_use]
    pub fn is_a(&self, one: u32, top: u32) -> bool {
        ranges::hold(self.hierarchy.cover.get(top), one)
    }

    /// All at or below a concept.
    #[must_use]
    pub fn at_or_below(&self, concept: u32) -> Ranges {
        Ranges::of(self.hierarchy.cover.get(concept).to_vec())
    }

    /// All at or above a concept.
    #[must_use]
    pub fn at_or_above(&self, concept: u32) -> Ranges {
        let mut seen = std::collections::BTreeSet::from([concept]);
        let mut waiting = vec![concept];
        while let Some(one) = waiting.pop() {
            waiting.extend(self.parents(one).iter().filter(|parent| seen.insert(**parent)));
        }
        Ranges::of_positions(seen)
    }

    /// Whether the concept is retired.
    #[must_use]
    pub fn is_inactive(&self, concept: u32) -> bool {
        self.inactive.contains(concept)
    }

    /// Whether the concept only groups others: no instance may be coded with it.
    #[must_use]
    pub fn is_abstract(&self, concept: u32) -> bool {
        self.not_selectable.contains(concept)
    }

    /// All concepts.
    #[must_use]
    pub fn all(&self) -> Ranges {
        Ranges::below(self.len())
    }

    /// The retired ones.
    #[must_use]
    pub fn inactive(&self) -> &Ranges {
        &self.inactive
    }

    /// The properties that its concepts may have.
    #[must_use]
    pub fn properties(&self) -> &[Property] {
        &self.properties
    }

    /// The property of this code.
    #[must_use]
    pub fn property(&self, code: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.code == code)
    }

    /// What a concept has of a property.
    pub fn values_of<'a>(&'a self, property: &'a Property, concept: u32) -> impl Iterator<Item = &'a str> {
        let start = property.values.partition_point(|(of, _)| *of < concept);
        let rest = property.values.get(start..).unwrap_or_default();
        rest.iter().take_while(move |(of, _)| *of == concept).map(|(_, value)| self.values.get(*value))
    }

    /// Concepts whose property has a value that passes, each distinct value asked once.
    #[must_use]
    pub fn with_value(&self, property: &Property, mut passes: impl FnMut(&str) -> bool) -> Ranges {
        let mut known: Vec<u8> = vec![0; self.values.len()];
        Ranges::of_positions(property.values.iter().filter_map(|(concept, value)| {
            let state = known.get_mut(*value as usize)?;
            if *state == 0 {
                *state = 1 + u8::from(passes(self.values.get(*value)));
            }
            (*state == 2).then_some(*concept)
        }))
    }

    /// Other names of a concept.
    pub fn designations(&self, concept: u32) -> impl Iterator<Item = Designation<'_>> {
        let start = self.designations.partition_point(|(of, ..)| *of < concept);
        let rest = self.designations.get(start..).unwrap_or_default();
        rest.iter().take_while(move |(of, ..)| *of == concept).map(|(_, language, use_code, value)| Designation {
            language: self.values.get(*language),
            use_code: self.values.get(*use_code),
            value: self.designation_texts.get(*value),
        })
    }

    /// Bytes that it takes in memory, about.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let texts = [&self.codes, &self.displays, &self.values, &self.designation_texts];
        let texts: usize = texts.iter().map(|one| one.bytes.len() + 4 * one.ends.len()).sum();
        let edges = self.hierarchy.parents.items.len() + self.hierarchy.children.items.len();
        let properties: usize = self.properties.iter().map(|one| 8 * one.values.len()).sum();
        let fixed = self.codes.len() * (12 + 16);
        texts + 4 * edges + 8 * self.hierarchy.cover.items.len() + properties + 16 * self.designations.len() + fixed
    }
}
