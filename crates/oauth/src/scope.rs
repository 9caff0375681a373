//! SMART scopes: `system/Observation.rs?category=…|survey`. SPEC: SMART App Launch 2.2 scopes; rows B30 to B36, B43.
//!
//! - [`cover`]: whether one scope gives all that another gives, and what two have in common.
//! - [`narrow`]: what of a request a system client may have (row C11).
//! - [`request`]: a whole scope string of an app, `launch`, `openid` and their kin among them.
//! - [`offer`]: what a person may give an app, what they chose, and what is left of it at a refresh.
//!
//! A scope that breaks the grammar is refused, never read as another one. Left out: what a scope means for an
//! interaction (crate `policy`).

pub mod cover;
pub mod narrow;
pub mod offer;
pub mod request;

use crate::limits;
use percent_encoding::percent_decode_str;
use std::{fmt, sync::Arc};

/// Whose permission the scope speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScopeContext {
    /// `patient/`: the patient in context.
    Patient,
    /// `user/`: what the user may see.
    User,
    /// `system/`: what the client was allowed in advance.
    System,
}

impl ScopeContext {
    /// As written before the slash.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::User => "user",
            Self::System => "system",
        }
    }
}

/// A set of the five interaction letters of SMART v2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Permissions(u8);

impl Permissions {
    /// No letter.
    pub const NONE: Self = Self(0);
    /// `c`: create.
    pub const CREATE: Self = Self(1);
    /// `r`: read, vread, instance history.
    pub const READ: Self = Self(2);
    /// `u`: update, patch.
    pub const UPDATE: Self = Self(4);
    /// `d`: delete.
    pub const DELETE: Self = Self(8);
    /// `s`: search, type and system history.
    pub const SEARCH: Self = Self(16);
    /// All five.
    pub const ALL: Self = Self(31);

    /// The letters in the only order that the grammar knows.
    const LETTERS: [(char, Self); 5] =
        [('c', Self::CREATE), ('r', Self::READ), ('u', Self::UPDATE), ('d', Self::DELETE), ('s', Self::SEARCH)];

    /// All letters of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every letter of `other` is here.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The letters common to both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there is no letter.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Reads what stands after the dot: `read`, `write`, `*` (v1) or letters of `cruds` in order (v2).
    fn parse(text: &str) -> Option<Self> {
        match text {
            "read" => return Some(Self::READ.union(Self::SEARCH)),
            "write" => return Some(Self::CREATE.union(Self::UPDATE).union(Self::DELETE)),
            "*" => return Some(Self::ALL),
            _ => {}
        }
        let mut rest = text;
        let mut found = Self::NONE;
        for (letter, permission) in Self::LETTERS {
            if let Some(after) = rest.strip_prefix(letter) {
                rest = after;
                found = found.union(permission);
            }
        }
        (rest.is_empty() && !found.is_empty()).then_some(found)
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Self::LETTERS.iter().filter(|(_, one)| self.contains(*one)).try_for_each(|(letter, _)| write!(f, "{letter}"))
    }
}

/// One FHIR resource scope, taken apart. `text` is what was granted, to the letter (row B32).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    /// As requested and granted.
    pub text: Arc<str>,
    /// `patient`, `user` or `system`.
    pub context: ScopeContext,
    /// Resource type name; `None` for `*`.
    pub resource_type: Option<Arc<str>>,
    /// The letters.
    pub permissions: Permissions,
    /// What stands after `?`: percent-decoded (name, value) pairs, in order; ANDed.
    pub query: Vec<(String, String)>,
}

/// Why a text is no resource scope. Tells no part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeError {
    /// Longer than [`limits::SCOPE_BYTES_MAX`].
    TooLong,
    /// A character that RFC 6749 does not allow in a scope.
    Character,
    /// Does not begin with `patient/`, `user/` or `system/`.
    Context,
    /// What follows the slash is neither `*` nor shaped like a resource type.
    ResourceType,
    /// What follows the dot is not `read`, `write`, `*`, or letters of `cruds` in this order.
    Permissions,
    /// What follows the question mark is not `name=value` pairs, or stands behind a v1 scope.
    Query,
}

impl fmt::Display for ScopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the scope is too long",
            Self::Character => "the scope has a character that no scope may have",
            Self::Context => "a resource scope begins with patient/, user/ or system/",
            Self::ResourceType => "after the slash stands a resource type or *",
            Self::Permissions => {
                "after the dot stand letters of c r u d s in this order (or read, write, * of SMART v1)"
            }
            Self::Query => "after the question mark stand name=value pairs, and only behind letters of SMART v2",
        })
    }
}

impl std::error::Error for ScopeError {}

/// The URI form of a scope (row B43).
const URI_PREFIX: &str = "http://smarthealthit.org/fhir/scopes/";

/// A system that the US Core lists misprint, and the one they mean (row B36).
const MISPRINTED_SYSTEM: (&str, &str) = (
    "http://terminology.hl7.org//CodeSystem-observation-category",
    "http://terminology.hl7.org/CodeSystem/observation-category",
);

impl Scope {
    /// Reads one scope.
    ///
    /// # Errors
    /// [`ScopeError`] for whatever is not exactly in the grammar of row B30.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        if text.len() > limits::SCOPE_BYTES_MAX {
            return Err(ScopeError::TooLong);
        }
        if !is_scope_token(text) {
            return Err(ScopeError::Character);
        }
        let short = text.strip_prefix(URI_PREFIX).unwrap_or(text);
        let (context, rest) = short.split_once('/').ok_or(ScopeError::Context)?;
        let context = match context {
            "patient" => ScopeContext::Patient,
            "user" => ScopeContext::User,
            "system" => ScopeContext::System,
            _ => return Err(ScopeError::Context),
        };
        let (base, raw_query) = match rest.split_once('?') {
            Some((base, query)) => (base, Some(query)),
            None => (rest, None),
        };
        let (resource_type, suffix) = base.split_once('.').ok_or(ScopeError::Permissions)?;
        let resource_type = match resource_type {
            "*" => None,
            name if is_type_shaped(name) => Some(Arc::from(name)),
            _ => return Err(ScopeError::ResourceType),
        };
        let permissions = Permissions::parse(suffix).ok_or(ScopeError::Permissions)?;
        let query = match raw_query {
            None => Vec::new(),
            // SPEC: granular constraints are SMART v2's; v1 has no such form.
            Some(_) if matches!(suffix, "read" | "write" | "*") => return Err(ScopeError::Query),
            Some(raw) => parse_query(raw)?,
        };
        Ok(Self { text: text.into(), context, resource_type, permissions, query })
    }

    /// What stands after `?` in the text, still encoded.
    pub(crate) fn raw_query(&self) -> Option<&str> {
        self.text.split_once('?').map(|(_, query)| query)
    }
}

/// Reads a scope string: each part with what it is. Empty parts (doubled blanks) are passed over.
pub fn parse_list(text: &str) -> impl Iterator<Item = (&str, Result<Scope, ScopeError>)> {
    text.split(' ').filter(|part| !part.is_empty()).take(limits::SCOPES_MAX).map(|part| (part, Scope::parse(part)))
}

/// Whether all characters are those of a scope-token. SPEC: RFC 6749 section 3.3.
fn is_scope_token(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// Whether the name has the shape of a resource type. That R4 has it is for others to say.
pub(crate) fn is_type_shaped(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// `name=value` pairs. An empty name or value is refused: a search ignores it, so it would widen the scope.
fn parse_query(raw: &str) -> Result<Vec<(String, String)>, ScopeError> {
    raw.split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').ok_or(ScopeError::Query)?;
            let (name, value) = (percent_decoded(name)?, percent_decoded(value)?);
            if name.is_empty() || value.is_empty() {
                return Err(ScopeError::Query);
            }
            Ok((name, corrected(&value)))
        })
        .collect()
}

/// Percent-decodes strictly: each `%` begins two hex digits, and the outcome is UTF-8 without control characters.
fn percent_decoded(text: &str) -> Result<String, ScopeError> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        let hex = after.get(..2).ok_or(ScopeError::Query)?;
        if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(ScopeError::Query);
        }
        rest = after;
    }
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| ScopeError::Query)?;
    if decoded.chars().any(char::is_control) { Err(ScopeError::Query) } else { Ok(decoded.into_owned()) }
}

/// The value with the misprinted system replaced, in each alternative.
fn corrected(value: &str) -> String {
    let (misprint, meant) = MISPRINTED_SYSTEM;
    value
        .split(',')
        .map(|alternative| match alternative.strip_prefix(misprint) {
            Some(rest) if rest.is_empty() || rest.starts_with('|') => format!("{meant}{rest}"),
            _ => alternative.to_owned(),
        })
        .collect::<Vec<_>>()
        .join(",")
}

#[cfg(test)]
mod tests;
