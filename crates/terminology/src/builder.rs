//! Collects a code system, concept by concept in any order, and finishes it into its compact form.

use crate::{
    code_system::{About, CodeSystem, Completeness, Named, Property},
    hierarchy, limits,
    ranges::Ranges,
    texts::{Index, Texts},
};
use std::fmt;

/// Why a code system cannot be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildError {
    /// More concepts than [`limits::CONCEPTS_MAX`] or more text than [`limits::TEXT_BYTES_MAX`].
    TooLarge,
    /// A code longer than [`limits::CODE_BYTES_MAX`], or an empty one.
    Code,
    /// More second parents than [`limits::COVER_RANGES_MAX`] ranges can say.
    Tangled,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("the code system has more concepts or text than there is room for"),
            Self::Code => f.write_str("a code is empty or longer than 1024 bytes"),
            Self::Tangled => f.write_str("the hierarchy has too many concepts with several parents"),
        }
    }
}

impl std::error::Error for BuildError {}

/// A code system being collected.
#[derive(Debug)]
pub struct Builder {
    pub(crate) about: About,
    pub(crate) codes: Texts,
    pub(crate) index: Index,
    /// Display of each concept, as a position of `names`; `u32::MAX`: none yet.
    pub(crate) displays: Vec<u32>,
    pub(crate) names: Texts,
    pub(crate) edges: Vec<(u32, u32)>,
    pub(crate) inactive: Vec<u32>,
    pub(crate) not_selectable: Vec<u32>,
    pub(crate) properties: Vec<Property>,
    pub(crate) values: Texts,
    pub(crate) value_index: Index,
    pub(crate) designations: Vec<Named>,
    pub(crate) designation_texts: Texts,
}

const NONE: u32 = u32::MAX;

impl Builder {
    /// Of a system without concepts.
    #[must_use]
    pub fn new(about: About) -> Self {
        let fold = !about.is_case_sensitive;
        Self {
            about,
            codes: Texts::default(),
            index: Index::new(fold),
            displays: Vec::new(),
            names: Texts::default(),
            edges: Vec::new(),
            inactive: Vec::new(),
            not_selectable: Vec::new(),
            properties: Vec::new(),
            values: Texts::default(),
            value_index: Index::new(false),
            designations: Vec::new(),
            designation_texts: Texts::default(),
        }
    }

    /// Of a complete, case-sensitive system.
    #[must_use]
    pub fn complete(url: &str, version: &str, name: &str) -> Self {
        Self::new(About {
            url: url.to_owned(),
            version: version.to_owned(),
            name: name.to_owned(),
            completeness: Completeness::Complete,
            is_case_sensitive: true,
            value_set: String::new(),
        })
    }

    /// What the system is; its version is often known only after its files were read.
    pub fn about(&mut self) -> &mut About {
        &mut self.about
    }

    /// How many concepts there are so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there is none so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.codes.len() == 0
    }

    /// The number of a code, when it was added.
    #[must_use]
    pub fn find(&self, code: &str) -> Option<u32> {
        self.index.find(&self.codes, code)
    }

    /// The number of a code, added when it is new. Numbers change when the system is finished.
    ///
    /// # Errors
    /// No room; an empty or overlong code.
    pub fn concept(&mut self, code: &str) -> Result<u32, BuildError> {
        if let Some(at) = self.find(code) {
            return Ok(at);
        }
        if code.is_empty() || code.len() > limits::CODE_BYTES_MAX {
            return Err(BuildError::Code);
        }
        if self.codes.len() >= limits::CONCEPTS_MAX {
            return Err(BuildError::TooLarge);
        }
        let at = self.codes.push(code).ok_or(BuildError::TooLarge)?;
        self.index.insert(&self.codes, at);
        self.displays.push(NONE);
        Ok(at)
    }

    /// Gives a concept its display; the first stays.
    ///
    /// # Errors
    /// No room.
    pub fn display(&mut self, concept: u32, text: &str) -> Result<(), BuildError> {
        if text.is_empty() || !self.has_no_display(concept) {
            return Ok(());
        }
        let name = self.names.push(text).ok_or(BuildError::TooLarge)?;
        if let Some(slot) = self.displays.get_mut(concept as usize) {
            *slot = name;
        }
        Ok(())
    }

    /// Gives a concept its display in place of the one that it has.
    ///
    /// # Errors
    /// No room.
    pub fn rename(&mut self, concept: u32, text: &str) -> Result<(), BuildError> {
        if let Some(slot) = self.displays.get_mut(concept as usize) {
            *slot = NONE;
        }
        self.display(concept, text)
    }

    /// Codes that differ only in the case of their letters are the same. Before the first concept only.
    pub fn set_case_insensitive(&mut self) {
        self.about.is_case_sensitive = false;
        if self.is_empty() {
            self.index = Index::new(true);
        }
    }

    /// The codes so far.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        (0..u32::try_from(self.codes.len()).unwrap_or(u32::MAX)).map(|at| self.codes.get(at))
    }

    /// Whether a concept has no display so far.
    #[must_use]
    pub fn has_no_display(&self, concept: u32) -> bool {
        self.displays.get(concept as usize) == Some(&NONE)
    }

    /// Says that `parent` is directly above `child`. Twice is as good as once.
    ///
    /// # Errors
    /// No room.
    pub fn parent(&mut self, child: u32, parent: u32) -> Result<(), BuildError> {
        if self.edges.len() >= limits::COVER_RANGES_MAX {
            return Err(BuildError::Tangled);
        }
        self.edges.push((child, parent));
        Ok(())
    }

    /// Says that the concept is retired.
    pub fn inactive(&mut self, concept: u32) {
        self.inactive.push(concept);
    }

    /// Says that the concept only groups others.
    pub fn not_selectable(&mut self, concept: u32) {
        self.not_selectable.push(concept);
    }

    /// The number of a property, added when it is new.
    pub fn property(&mut self, code: &str, kind: &str) -> usize {
        if let Some(at) = self.properties.iter().position(|one| one.code == code) {
            return at;
        }
        self.properties.push(Property { code: code.to_owned(), kind: kind.to_owned(), values: Vec::new() });
        self.properties.len() - 1
    }

    fn value(&mut self, text: &str) -> Result<u32, BuildError> {
        if let Some(at) = self.value_index.find(&self.values, text) {
            return Ok(at);
        }
        let at = self.values.push(text).ok_or(BuildError::TooLarge)?;
        self.value_index.insert(&self.values, at);
        Ok(at)
    }

    /// Gives a concept a value of a property.
    ///
    /// # Errors
    /// No room.
    pub fn set(&mut self, concept: u32, property: usize, value: &str) -> Result<(), BuildError> {
        let value = self.value(value)?;
        if let Some(property) = self.properties.get_mut(property) {
            if property.values.len() >= limits::COVER_RANGES_MAX {
                return Err(BuildError::TooLarge);
            }
            property.values.push((concept, value));
        }
        Ok(())
    }

    /// Gives a concept another name.
    ///
    /// # Errors
    /// No room.
    pub fn designation(&mut self, concept: u32, language: &str, use_code: &str, value: &str) -> Result<(), BuildError> {
        let (language, use_code) = (self.value(language)?, self.value(use_code)?);
        let value = self.designation_texts.push(value).ok_or(BuildError::TooLarge)?;
        self.designations.push((concept, language, use_code, value));
        Ok(())
    }

    /// The system, with the codes (child, parent) whose relation closes a circle and is left out.
    ///
    /// # Errors
    /// A hierarchy with more second parents than there is room for.
    pub fn finish(self) -> Result<(CodeSystem, Vec<(String, String)>), BuildError> {
        let len = self.codes.len();
        let ordered = hierarchy::order(len, self.edges).map_err(|_| BuildError::Tangled)?;
        let name = |at: &u32| self.codes.get(*at).to_owned();
        let circles = ordered.circles.iter().map(|(child, parent)| (name(child), name(parent))).collect();
        let mut new = vec![0u32; len];
        let (mut codes, mut displays) = (Texts::default(), Texts::default());
        for (number, old) in (0u32..).zip(&ordered.order) {
            if let Some(slot) = new.get_mut(*old as usize) {
                *slot = number;
            }
            codes.push(self.codes.get(*old)).ok_or(BuildError::TooLarge)?;
            let display = self.displays.get(*old as usize).copied().unwrap_or(NONE);
            let text = if display == NONE { "" } else { self.names.get(display) };
            displays.push(text).ok_or(BuildError::TooLarge)?;
        }
        let number = |old: u32| new.get(old as usize).copied().unwrap_or(NONE);
        let numbers = |list: Vec<u32>| Ranges::of_positions(list.into_iter().map(number));
        let mut properties = self.properties;
        for property in &mut properties {
            property.values.iter_mut().for_each(|value| value.0 = number(value.0));
            // The order of several values of one concept is kept.
            property.values.sort_by_key(|(concept, _)| *concept);
            property.values.dedup();
        }
        let mut designations = self.designations;
        designations.iter_mut().for_each(|one| one.0 = number(one.0));
        designations.sort_by_key(|one| (one.0, one.3));
        // The same name twice says no more than once.
        let mut seen = std::collections::HashSet::new();
        let mut of = NONE;
        designations.retain(|(concept, language, use_code, value)| {
            if *concept != of {
                of = *concept;
                seen.clear();
            }
            seen.insert((*language, *use_code, self.designation_texts.get(*value)))
        });
        let mut names = Texts::default();
        for one in &mut designations {
            one.3 = names.push(self.designation_texts.get(one.3)).ok_or(BuildError::TooLarge)?;
        }
        let index = Index::of(&codes, !self.about.is_case_sensitive);
        let system = CodeSystem {
            about: self.about,
            codes,
            index,
            displays,
            hierarchy: ordered.hierarchy,
            inactive: numbers(self.inactive),
            not_selectable: numbers(self.not_selectable),
            properties,
            values: self.values,
            designations,
            designation_texts: names,
        };
        Ok((system, circles))
    }
}
