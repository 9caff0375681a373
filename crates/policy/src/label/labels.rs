//! What an operator says of labels: clearances, defaults, what restricts nobody, who may change labels, rules.
//!
//! One text file, a statement a line (`docs/labels.md`). What it leaves unsaid stays as in `standard.rules`.

use super::{Clearance, Confidentiality, Label, read, rules::Rule};
use fhir::{LogicalId, ResourceType};
use oauth::caller::Role;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Whom a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    /// People of this role.
    Role(Role),
    /// Systems that the operator registered.
    System,
    /// This client.
    Client(String),
    /// Organizations that come for this purpose of use, or one below it.
    Purpose(String),
    /// Organizations that come for any other purpose.
    AnyOrganization,
    /// The organization that this Organization stands for.
    Organization(LogicalId),
    /// A person whose glass is broken.
    BrokenGlass,
}

/// Who may change labels, and of which types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    pub(super) who: Who,
    /// Empty: all.
    pub(super) types: Vec<ResourceType>,
}

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong, for the operator.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

/// What an operator says of labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// Labels withhold. Never false in a server that runs: tests of other things begin without.
    pub(super) enforced: bool,
    pub(super) clearances: BTreeMap<Who, Clearance>,
    /// What has no confidentiality has this one.
    pub(super) default: Confidentiality,
    pub(super) defaults: BTreeMap<ResourceType, Confidentiality>,
    pub(super) unrestricted: BTreeSet<(String, String)>,
    pub(super) unrestricted_systems: BTreeSet<String>,
    pub(super) hides_test_data: bool,
    pub(super) authorities: Vec<Authority>,
    pub(super) rules: Vec<Rule>,
}

impl Default for Labels {
    /// Nothing is withheld and nothing labelled.
    fn default() -> Self {
        Self {
            enforced: false,
            clearances: BTreeMap::new(),
            default: Confidentiality::Normal,
            defaults: BTreeMap::new(),
            unrestricted: BTreeSet::new(),
            unrestricted_systems: BTreeSet::new(),
            hides_test_data: false,
            authorities: Vec::new(),
            rules: Vec::new(),
        }
    }
}

impl Labels {
    /// The documented defaults, without any rule.
    #[must_use]
    pub fn standard() -> Self {
        // INVARIANT: it is read by a test. Were it not readable, nobody would be cleared for anything.
        let nobody = Self { enforced: true, ..Self::default() };
        read::read(nobody.clone(), include_str!("standard.rules")).unwrap_or(nobody)
    }

    /// The defaults with what this text says.
    ///
    /// # Errors
    /// Every line that cannot be read.
    pub fn read(text: &str) -> Result<Self, Vec<Problem>> {
        let standard = Self { authorities: Vec::new(), ..Self::standard() };
        let mut labels = read::read(standard, text)?;
        // Who says nothing of authorities has the standard's.
        if labels.authorities.is_empty() {
            labels.authorities = Self::standard().authorities;
        }
        Ok(labels)
    }

    /// The confidentiality of a resource of this type that says none (row F40).
    #[must_use]
    pub fn default_of(&self, kind: ResourceType) -> Confidentiality {
        self.defaults.get(&kind).copied().unwrap_or(self.default)
    }

    /// The rules of the labelling service.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether a label is known to mean something, or nothing, here.
    #[must_use]
    pub fn recognises(&self, label: &Label) -> bool {
        label.class().is_some()
            || self.unrestricted_systems.contains(&label.system)
            || self.unrestricted.contains(&(label.system.clone(), label.code.clone()))
    }

    /// Whether something is said of this very client: then its grants are its own.
    #[must_use]
    pub fn names_client(&self, id: &str) -> bool {
        let is_it = |who: &Who| matches!(who, Who::Client(own) if own == id);
        self.clearances.keys().any(is_it) || self.authorities.iter().any(|authority| is_it(&authority.who))
    }
}

#[cfg(test)]
mod tests;
