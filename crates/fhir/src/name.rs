//! Names of things: newtypes, so that an id never travels as a bare string.
//!
//! SPEC: R4 datatypes.html#id, resource.html, references.html#canonical.

use crate::{limits, schema};
use std::{fmt, sync::Arc};

/// A name that breaks its rule. Holds no input: ids may be logged, other input may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidName {
    /// Not 1 to 64 characters of `[A-Za-z0-9-.]`.
    Id,
    /// Not a resource type of R4.
    ResourceType,
    /// Not a positive number.
    Version,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Id => "an id is 1 to 64 of the characters A-Z a-z 0-9 - .",
            Self::ResourceType => "not a resource type of FHIR R4",
            Self::Version => "a version id of this server is a positive number",
        })
    }
}

impl std::error::Error for InvalidName {}

/// A concrete resource type of R4: an index into the schema's sorted list of resource types.
///
/// The number is stable for one list of types only; what is stored on disk is the name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceType(u16);

impl ResourceType {
    /// The type with this exact name.
    ///
    /// # Errors
    /// [`InvalidName::ResourceType`] when R4 has no such concrete resource type.
    pub fn parse(name: &str) -> Result<Self, InvalidName> {
        schema::resource_type_named(name)
            .and_then(|index| u16::try_from(index).ok())
            .map(Self)
            .ok_or(InvalidName::ResourceType)
    }

    /// The name as R4 writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        schema::resource_type_names().get(usize::from(self.0)).copied().unwrap_or("Resource")
    }

    /// All concrete resource types, in the order of their names.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..schema::resource_type_names().len()).filter_map(|index| u16::try_from(index).ok().map(Self))
    }

    /// Position in the list of all types: for tables indexed by type within one process.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The logical id of a resource (R4 `id`): 1 to 64 of `[A-Za-z0-9-.]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogicalId(Arc<str>);

impl LogicalId {
    /// Checks and takes an id.
    ///
    /// # Errors
    /// [`InvalidName::Id`] on any other character or length (row F59).
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let fits = (1..=limits::ID_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        if fits { Ok(Self(text.into())) } else { Err(InvalidName::Id) }
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LogicalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A version of a resource: 1 for the first, one more for each change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VersionId(u32);

impl VersionId {
    /// The version of a resource that has just been created.
    pub const FIRST: Self = Self(1);

    /// The version with this number; `None` for 0.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }

    /// Reads a version id as this server writes them.
    ///
    /// # Errors
    /// [`InvalidName::Version`] when the text is not a positive decimal number without leading zero.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        if text.starts_with('0') || text.starts_with('+') {
            return Err(InvalidName::Version);
        }
        text.parse().ok().and_then(Self::new).ok_or(InvalidName::Version)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The version after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A canonical URL, with its optional `|version`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Canonical(Arc<str>);

impl Canonical {
    /// Takes the text as it stands.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The URL without version or fragment.
    #[must_use]
    pub fn url(&self) -> &str {
        let end = self.0.find(['|', '#']).unwrap_or(self.0.len());
        self.0.get(..end).unwrap_or(&self.0)
    }

    /// The version after `|`, when one is given.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.0.split_once('|').map(|(_, version)| version.split('#').next().unwrap_or(version))
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Canonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
