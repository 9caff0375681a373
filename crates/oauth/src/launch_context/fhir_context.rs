//! One item of `fhirContext`. SPEC: SMART App Launch 2.2 launch context, `fhirContext`; row B50.

use serde_json::{Map, Value, json};
use std::{fmt, sync::Arc};

/// A resource in context besides patient and encounter: by relative reference, canonical or identifier, at least one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FhirContext {
    reference: Option<Arc<str>>,
    canonical: Option<Arc<str>>,
    /// System, when it has one, and value.
    identifier: Option<(Option<Arc<str>>, Arc<str>)>,
    resource_type: Option<Arc<str>>,
    role: Option<Arc<str>>,
}

/// Why an item is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FhirContextError {
    /// None of `reference`, `canonical`, `identifier`.
    Nothing,
    /// `reference` is not `Type/id`.
    Reference,
    /// `canonical` is not an absolute URI.
    Canonical,
    /// `identifier` has no value, or a member of the wrong type.
    Identifier,
    /// `type` is not shaped like a resource type, or is not that of the reference.
    Type,
    /// `role` is empty, or neither `launch` nor an absolute URI.
    Role,
    /// A Patient or an Encounter in the role of the launch: those have members of their own.
    OwnMember,
    /// A member that is no text where one is needed.
    Member,
}

impl fmt::Display for FhirContextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "an item of fhirContext needs a reference, canonical or identifier",
            Self::Reference => "a reference of fhirContext is relative: Type/id",
            Self::Canonical => "a canonical of fhirContext is an absolute URI",
            Self::Identifier => "an identifier of fhirContext needs a value",
            Self::Type => "the type of an item of fhirContext is a resource type, that of its reference",
            Self::Role => "a role of fhirContext is launch or an absolute URI",
            Self::OwnMember => "Patient and Encounter are in fhirContext only with a role other than launch",
            Self::Member => "a member of fhirContext has the wrong type",
        })
    }
}

impl std::error::Error for FhirContextError {}

/// The role that an item without one has.
const LAUNCH: &str = "launch";

impl FhirContext {
    /// A resource of this server.
    ///
    /// # Errors
    /// [`FhirContextError`].
    pub fn reference(reference: &str, role: Option<&str>) -> Result<Self, FhirContextError> {
        let mut item = Map::new();
        item.insert("reference".into(), reference.into());
        if let Some(role) = role {
            item.insert("role".into(), role.into());
        }
        Self::read(&item)
    }

    /// Reads an item; members that the standard does not name are passed over.
    ///
    /// # Errors
    /// [`FhirContextError`].
    pub fn read(item: &Map<String, Value>) -> Result<Self, FhirContextError> {
        use FhirContextError as E;
        let text = |name: &str| match item.get(name) {
            None => Ok(None),
            Some(Value::String(value)) => Ok(Some(Arc::<str>::from(value.as_str()))),
            Some(_) => Err(E::Member),
        };
        let (reference, canonical) = (text("reference")?, text("canonical")?);
        let (resource_type, role) = (text("type")?, text("role")?);
        let identifier = match item.get("identifier") {
            None => None,
            Some(identifier) => {
                let part = |name: &str| match identifier.get(name) {
                    None => Ok(None),
                    Some(Value::String(value)) if !value.is_empty() => Ok(Some(Arc::<str>::from(value.as_str()))),
                    Some(_) => Err(E::Identifier),
                };
                Some((part("system")?, part("value")?.ok_or(E::Identifier)?))
            }
        };
        if reference.is_none() && canonical.is_none() && identifier.is_none() {
            return Err(E::Nothing);
        }
        let referenced = match &reference {
            None => None,
            Some(reference) => Some(type_of(reference).ok_or(E::Reference)?),
        };
        if canonical.as_deref().is_some_and(|canonical| !is_absolute_uri(canonical)) {
            return Err(E::Canonical);
        }
        if let Some(named) = &resource_type {
            let fits = crate::scope::is_type_shaped(named) && referenced.is_none_or(|other| *other == **named);
            if !fits {
                return Err(E::Type);
            }
        }
        if role.as_deref().is_some_and(|role| role != LAUNCH && !is_absolute_uri(role)) {
            return Err(E::Role);
        }
        let kind = referenced.or(resource_type.as_deref());
        if matches!(kind, Some("Patient" | "Encounter")) && role.as_deref().is_none_or(|role| role == LAUNCH) {
            return Err(E::OwnMember);
        }
        Ok(Self { reference, canonical, identifier, resource_type, role })
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut item = Map::new();
        let texts = [("reference", &self.reference), ("canonical", &self.canonical), ("type", &self.resource_type)];
        for (name, value) in texts.into_iter().chain([("role", &self.role)]) {
            if let Some(value) = value {
                item.insert(name.into(), Value::from(&**value));
            }
        }
        if let Some((system, value)) = &self.identifier {
            let identifier = match system {
                Some(system) => json!({ "system": &**system, "value": &**value }),
                None => json!({ "value": &**value }),
            };
            item.insert("identifier".into(), identifier);
        }
        Value::Object(item)
    }
}

/// The type of a relative reference without version: `Type/id`.
fn type_of(reference: &str) -> Option<&str> {
    let (kind, id) = reference.split_once('/')?;
    let id_fits =
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    (crate::scope::is_type_shaped(kind) && id_fits).then_some(kind)
}

fn is_absolute_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
            && text.bytes().all(|b| b.is_ascii_graphic())
    })
}
