//! References: what the text of `Reference.reference` points at. SPEC: R4 references.html.

use crate::{LogicalId, ResourceType, VersionId};

/// A reference's text, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `Patient/123` or `Patient/123/_history/2`.
    Relative(ResourceType, LogicalId, Option<VersionId>),
    /// `#id`: a contained resource (`#` alone: the container).
    Contained(String),
    /// `urn:uuid:…` or `urn:oid:…`.
    Urn(String),
    /// Another absolute URL. `Self::parse` with our own base turns those below it into `Relative`.
    Absolute(String),
    /// `Patient?identifier=…`: a conditional reference, legal in a transaction only.
    Conditional(ResourceType, String),
}

impl Reference {
    /// Takes a reference apart. `base`: our own FHIR base URL without trailing slash; a URL below
    /// it is `Relative`. `None` when the text fits no form.
    #[must_use]
    pub fn parse(text: &str, base: Option<&str>) -> Option<Self> {
        if let Some(id) = text.strip_prefix('#') {
            return Some(Self::Contained(id.to_owned()));
        }
        if text.starts_with("urn:") {
            return Some(Self::Urn(text.to_owned()));
        }
        let text = match base.and_then(|base| text.strip_prefix(base)) {
            Some(rest) => rest.strip_prefix('/')?,
            None => text,
        };
        if let Some((kind, query)) = text.split_once('?')
            && let Ok(kind) = ResourceType::parse(kind)
        {
            return Some(Self::Conditional(kind, query.to_owned()));
        }
        if text.contains("://") {
            return Some(Self::Absolute(text.to_owned()));
        }
        let mut parts = text.split('/');
        let kind = ResourceType::parse(parts.next()?).ok()?;
        let id = LogicalId::parse(parts.next()?).ok()?;
        let version = match (parts.next(), parts.next()) {
            (None, _) => None,
            (Some("_history"), Some(version)) => Some(VersionId::parse(version).ok()?),
            _ => return None,
        };
        if parts.next().is_some() { None } else { Some(Self::Relative(kind, id, version)) }
    }
}
