//! `hl7-b2b`: for whom and why a system asks. SPEC: HL7 FHIR UDAP Security 2.0 section 5.2.1.1; rows D27, D28, D29.
//!
//! An assertion of the client, no more: that the organization is who it says is proven by the certificate, elsewhere.
//! Left out: `hl7-b2b-user` and other extension objects, which are not looked at.

use super::{is_uri, purpose::Purpose};
use crate::{client_metadata::is_deceptive, limits};
use serde_json::{Map, Value, json};
use std::fmt;

/// The name of the extension object.
pub const NAME: &str = "hl7-b2b";

/// Items of each of its lists: an organization that asks for more purposes at once has none.
const LIST_MAX: usize = 16;

/// Why an object is no B2B object. Tells names of members, never what was in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum B2bError {
    /// Not a JSON object.
    Shape,
    /// `version` is not the text `1`.
    Version,
    /// A required member is missing or empty.
    Missing(&'static str),
    /// A member has the wrong type, is too long, or has characters that mislead.
    Member(&'static str),
    /// `purpose_of_use` has a code that is none of v3-ActReason's purposes of use.
    Purpose,
    /// `subject_id` or `subject_role` without `subject_name`.
    Nameless,
    /// `consent_reference` without `consent_policy`.
    NoPolicy,
}

impl fmt::Display for B2bError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape => f.write_str("hl7-b2b is not an object"),
            Self::Version => f.write_str("hl7-b2b: version is not 1"),
            Self::Missing(member) => write!(f, "hl7-b2b: {member} is missing"),
            Self::Member(member) => write!(f, "hl7-b2b: {member} is not as it should be"),
            Self::Purpose => f.write_str("hl7-b2b: purpose_of_use has a code that is not known here"),
            Self::Nameless => f.write_str("hl7-b2b: subject_id and subject_role need subject_name"),
            Self::NoPolicy => f.write_str("hl7-b2b: consent_reference needs consent_policy"),
        }
    }
}

impl std::error::Error for B2bError {}

/// What the object says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct B2b {
    /// `organization_id`: a URI.
    pub organization_id: String,
    /// `organization_name`.
    pub organization_name: Option<String>,
    /// `purpose_of_use`: one or more, each once.
    pub purposes: Vec<Purpose>,
    /// `subject_name`: who asks, a person or a program.
    pub subject_name: Option<String>,
    /// `subject_id`: of a person, for example a National Provider Identifier.
    pub subject_id: Option<String>,
    /// `subject_role`.
    pub subject_role: Option<String>,
    /// `consent_policy`: URIs.
    pub consent_policy: Vec<String>,
    /// `consent_reference`: URLs. Never fetched (row D29).
    pub consent_reference: Vec<String>,
}

impl B2b {
    /// Reads the object. Members that are not named here are not looked at.
    ///
    /// # Errors
    /// [`B2bError`].
    pub fn read(value: &Value) -> Result<Self, B2bError> {
        let members = value.as_object().ok_or(B2bError::Shape)?;
        match members.get("version") {
            Some(Value::String(version)) if version == "1" => {}
            None | Some(Value::Null) => return Err(B2bError::Missing("version")),
            Some(_) => return Err(B2bError::Version),
        }
        let organization_id = text(members, "organization_id")?.ok_or(B2bError::Missing("organization_id"))?;
        if !is_uri(&organization_id) {
            return Err(B2bError::Member("organization_id"));
        }
        let mut purposes = Vec::new();
        for code in list(members, "purpose_of_use")?.ok_or(B2bError::Missing("purpose_of_use"))? {
            let purpose = Purpose::parse(&code).ok_or(B2bError::Purpose)?;
            if !purposes.contains(&purpose) {
                purposes.push(purpose);
            }
        }
        let uris = |name: &'static str, is_good: fn(&str) -> bool| {
            let uris = list(members, name)?.unwrap_or_default();
            if uris.iter().all(|uri| is_good(uri)) { Ok(uris) } else { Err(B2bError::Member(name)) }
        };
        let b2b = Self {
            organization_id,
            organization_name: text(members, "organization_name")?,
            purposes,
            subject_name: text(members, "subject_name")?,
            subject_id: text(members, "subject_id")?,
            subject_role: text(members, "subject_role")?,
            consent_policy: uris("consent_policy", is_uri)?,
            consent_reference: uris("consent_reference", is_absolute_url)?,
        };
        if b2b.subject_name.is_none() && (b2b.subject_id.is_some() || b2b.subject_role.is_some()) {
            return Err(B2bError::Nameless);
        }
        if b2b.consent_policy.is_empty() && !b2b.consent_reference.is_empty() {
            return Err(B2bError::NoPolicy);
        }
        Ok(b2b)
    }

    /// The object, as [`B2b::read`] takes it: what a client sends, what introspection tells.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut members = Map::new();
        members.insert("version".to_owned(), json!("1"));
        members.insert("organization_id".to_owned(), json!(self.organization_id));
        let texts = [
            ("organization_name", &self.organization_name),
            ("subject_name", &self.subject_name),
            ("subject_id", &self.subject_id),
            ("subject_role", &self.subject_role),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                members.insert(name.to_owned(), json!(text));
            }
        }
        let purposes = self.purposes.iter().map(|purpose| purpose.to_urn()).collect();
        members.insert("purpose_of_use".to_owned(), purposes);
        for (name, uris) in [("consent_policy", &self.consent_policy), ("consent_reference", &self.consent_reference)] {
            if !uris.is_empty() {
                members.insert(name.to_owned(), json!(uris));
            }
        }
        Value::Object(members)
    }
}

/// An absolute URL of the web. SPEC: section 5.2.1.1; whether https is for whoever would fetch it.
fn is_absolute_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    is_uri(text) && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#']))
}

fn text(members: &Map<String, Value>, name: &'static str) -> Result<Option<String>, B2bError> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) if fits(text) => Ok(Some(text.trim().to_owned())),
        Some(_) => Err(B2bError::Member(name)),
    }
}

fn list(members: &Map<String, Value>, name: &'static str) -> Result<Option<Vec<String>>, B2bError> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        // SPEC: each of them is a list of one or more.
        Some(Value::Array(items)) if items.is_empty() => Err(B2bError::Missing(name)),
        Some(Value::Array(items)) if items.len() <= LIST_MAX => items
            .iter()
            .map(|item| item.as_str().filter(|text| fits(text)).map(str::to_owned).ok_or(B2bError::Member(name)))
            .collect::<Result<Vec<String>, B2bError>>()
            .map(Some),
        Some(_) => Err(B2bError::Member(name)),
    }
}

/// It stands in the log of who did what, where people read it.
fn fits(text: &str) -> bool {
    text.len() <= limits::METADATA_TEXT_BYTES_MAX && !text.chars().any(is_deceptive)
}

#[cfg(test)]
mod tests;
