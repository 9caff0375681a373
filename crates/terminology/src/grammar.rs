//! Code systems that no list can hold: their codes are checked by rule.
//!
//! UCUM units, BCP 47 language tags, MIME types, ISO 4217 currencies; and the shape of ICF codes, which
//! says what cannot be one while the classification itself is not loaded.

mod currency;
mod icf;
mod language;
mod mime;

use crate::truth::{Join, Truth};
use fhir::ucum::Units;
use std::fmt;

/// A rule for the codes of a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Grammar {
    /// `urn:ietf:bcp:47`, RFC 5646.
    Language,
    /// A language tag in which this subtag stands or does not stand.
    Subtag(language::Subtag, bool),
    /// `urn:ietf:bcp:13`, RFC 6838.
    Mime,
    /// `http://unitsofmeasure.org`.
    Ucum(Measures),
    /// Units that measure the same as this one.
    Comparable(Measures, Box<str>),
    /// `urn:iso:std:iso:4217`.
    Currency,
    /// `http://hl7.org/fhir/sid/icf`: the shape alone.
    Icf,
}

/// The units that are known: the built-in table or the official one.
#[derive(Clone, Copy)]
pub(crate) struct Measures(pub(crate) &'static Units);

impl fmt::Debug for Measures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} units", self.0.len())
    }
}

impl PartialEq for Measures {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Measures {}

/// Canonical URL of ICF in FHIR.
pub(crate) const ICF: &str = "http://hl7.org/fhir/sid/icf";

impl Grammar {
    /// The rule of a system, if it has one.
    pub(crate) fn of(system: &str, units: &'static Units) -> Option<Self> {
        Some(match system {
            "urn:ietf:bcp:47" => Self::Language,
            "urn:ietf:bcp:13" => Self::Mime,
            "http://unitsofmeasure.org" => Self::Ucum(Measures(units)),
            "urn:iso:std:iso:4217" => Self::Currency,
            ICF => Self::Icf,
            _ => return None,
        })
    }

    /// The rule of a filter on this system; `None` when the filter is not known here.
    pub(crate) fn filtered(&self, property: &str, operator: &str, value: &str) -> Option<Self> {
        match (self, operator) {
            (Self::Language, "exists") => Some(Self::Subtag(language::Subtag::named(property)?, value.parse().ok()?)),
            // SPEC: R4 ucum.html: units with the same canonical form.
            (Self::Ucum(units), "=") if property == "canonical" => Some(Self::Comparable(*units, value.into())),
            _ => None,
        }
    }

    /// Whether this is a code.
    pub(crate) fn check(&self, code: &str) -> Truth {
        let yes = |is: bool| if is { Truth::Yes } else { Truth::No };
        match self {
            Self::Language => yes(language::Tag::parse(code).is_some()),
            Self::Subtag(subtag, wanted) => {
                yes(language::Tag::parse(code).is_some_and(|tag| tag.has(*subtag) == *wanted))
            }
            // SPEC: R4 capabilitystatement.html, `format`: these words are allowed there beside media types.
            Self::Mime if matches!(code, "json" | "xml" | "ttl") => Truth::Unsure,
            Self::Mime => yes(mime::is_well_formed(code)),
            Self::Ucum(units) => units.0.is_valid(code).map_or(Truth::Unsure, yes),
            Self::Comparable(units, with) => units.0.are_comparable(code, with).map_or(Truth::Unsure, yes),
            Self::Currency => currency::check(code),
            Self::Icf => icf::check(code),
        }
    }
}

pub(crate) use icf::builder as icf_chapters;

/// What holds for codes that no list names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rest {
    Fixed(Truth),
    Rule(Grammar),
    Joined(Join, Box<(Rest, Rest)>),
}

/// Rules put together in one set; more cannot be checked.
const RULES_MAX: usize = 32;

impl Join {
    const fn is_without(self) -> bool {
        matches!(self, Self::Without)
    }
}

impl Rest {
    pub(crate) const NONE: Self = Self::Fixed(Truth::No);

    pub(crate) fn check(&self, code: &str) -> Truth {
        match self {
            Self::Fixed(truth) => *truth,
            Self::Rule(grammar) => grammar.check(code),
            Self::Joined(join, both) => join.of(both.0.check(code), both.1.check(code)),
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Fixed(_) | Self::Rule(_) => 1,
            Self::Joined(_, both) => both.0.size() + both.1.size(),
        }
    }

    pub(crate) fn join(&self, join: Join, other: &Self) -> Self {
        match (self, other) {
            (Self::Fixed(one), Self::Fixed(other)) => Self::Fixed(join.of(*one, *other)),
            (Self::Fixed(Truth::No), _) if join != Join::Or => Self::NONE,
            (Self::Fixed(Truth::No), other) => other.clone(),
            (_, Self::Fixed(Truth::No)) if join == Join::And => Self::NONE,
            (one, Self::Fixed(Truth::No)) => one.clone(),
            (_, Self::Fixed(Truth::Yes)) if join.is_without() => Self::NONE,
            (one, other) if one == other && join != Join::Without => one.clone(),
            (one, other) if one.size() + other.size() > RULES_MAX => Self::Fixed(Truth::Unsure),
            (one, other) => Self::Joined(join, Box::new((one.clone(), other.clone()))),
        }
    }

    /// Yes becomes unsure.
    pub(crate) fn weakened(&self) -> Self {
        self.join(Join::And, &Self::Fixed(Truth::Unsure))
    }
}

#[cfg(test)]
mod tests;
