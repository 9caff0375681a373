//! The codes of security labels, from the code systems that the packages bring: no hierarchy is written down here.
//! SPEC: v3-Confidentiality, v3-ActCode, v3-ActReason, v3-ObservationValue as of FHIR R4; rows F40, F41.
//!
//! Two facts are no part of those tables: the order of confidentiality, which the code system gives in words, and
//! `PROCESSINLINELABEL`, which the code system got after R4.

use super::{ACT_CODE, ACT_REASON, CONFIDENTIALITY, OBSERVATION_VALUE};
use fhir::schema::Definitions;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

/// How confidential, from the lowest to the highest (row F40).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the code system's own")]
pub enum Confidentiality {
    Unrestricted,
    Low,
    Moderate,
    Normal,
    Restricted,
    VeryRestricted,
}

impl Confidentiality {
    /// All, from the lowest to the highest.
    pub const ALL: [Self; 6] =
        [Self::Unrestricted, Self::Low, Self::Moderate, Self::Normal, Self::Restricted, Self::VeryRestricted];

    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unrestricted => "U",
            Self::Low => "L",
            Self::Moderate => "M",
            Self::Normal => "N",
            Self::Restricted => "R",
            Self::VeryRestricted => "V",
        }
    }

    /// Reads [`Confidentiality::code`].
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.code() == code)
    }
}

/// What a known code does as a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// How confidential: seen by whoever is cleared so far.
    Confidentiality(Confidentiality),
    /// A sensitivity or a compartment: seen by whoever is cleared for it.
    Category,
    /// A purpose of use: seen by whoever comes for it. Test data has a code of its own among them.
    Purpose,
    /// What a recipient must not do. Some bind this server ([`super::Clearance`]).
    Refrain,
    /// What a recipient must do.
    Obligation,
    /// Integrity, alteration, provenance, laws: tells, and restricts nobody.
    Informative,
}

/// Tops of hierarchies with what the codes below them do.
const TOPS: &[(&str, &str, Class)] = &[
    (ACT_CODE, "_InformationSensitivityPolicy", Class::Category),
    (ACT_CODE, "COMPT", Class::Category),
    (ACT_CODE, "RefrainPolicy", Class::Refrain),
    (ACT_CODE, "ObligationPolicy", Class::Obligation),
    (ACT_CODE, "_ActPrivacyLaw", Class::Informative),
    (ACT_REASON, "PurposeOfUse", Class::Purpose),
    (OBSERVATION_VALUE, "_SecurityObservationValue", Class::Informative),
];

/// Says that elements have labels of their own (DS4P); in the code system since after R4.
pub(super) const PROCESS_INLINE: &str = "PROCESSINLINELABEL";

/// What is known of one code.
#[derive(Debug, Clone, Copy)]
struct Known {
    class: Class,
    parent: &'static str,
}

type Table = BTreeMap<(&'static str, &'static str), Known>;

/// The known codes, read from the tables at first use.
fn table() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(|| {
        let mut table = Table::new();
        for level in Confidentiality::ALL {
            let known = Known { class: Class::Confidentiality(level), parent: "" };
            table.insert((CONFIDENTIALITY, level.code()), known);
        }
        table.insert((ACT_CODE, PROCESS_INLINE), Known { class: Class::Obligation, parent: "ObligationPolicy" });
        for (system, top, class) in TOPS {
            let Some(found) = Definitions::builtin().code_system(system) else { continue };
            let mut below: BTreeSet<&str> = BTreeSet::new();
            for concept in &found.concepts {
                if concept.code != *top && !below.contains(concept.parent) && concept.parent != *top {
                    continue;
                }
                below.insert(concept.code);
                if concept.code != *top {
                    table.insert((system, concept.code), Known { class: *class, parent: concept.parent });
                }
            }
        }
        table
    });
    &TABLE
}

/// What this code does as a label; `None`: it is no label that is known here (row F44).
#[must_use]
pub fn class(system: &str, code: &str) -> Option<Class> {
    table().get(&(system, code)).map(|known| known.class)
}

/// All codes that do this.
pub(super) fn of_class(test: impl Fn(Class) -> bool) -> impl Iterator<Item = (&'static str, &'static str)> {
    table().iter().filter(move |(_, known)| test(known.class)).map(|(code, _)| *code)
}

/// A code and all below it.
pub(super) fn with_below(system: &str, code: &str) -> BTreeSet<&'static str> {
    let mut found: BTreeSet<&'static str> = BTreeSet::new();
    let mut grown = true;
    while grown {
        grown = false;
        for ((of, one), known) in table() {
            let is_it = *of == system && (*one == code || found.contains(known.parent));
            grown |= is_it && found.insert(one);
        }
    }
    found
}

/// A code and all above it.
pub(super) fn with_above(system: &str, code: &str) -> Vec<&'static str> {
    let known = |code: &str| table().iter().find(|((of, one), _)| *of == system && *one == code);
    let mut found = Vec::new();
    let mut at = known(code);
    while let Some(((_, one), about)) = at {
        found.push(*one);
        at = known(about.parent);
    }
    found
}

#[cfg(test)]
mod tests;
