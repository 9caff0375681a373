//! What was in context when a person let an app in. SPEC: SMART App Launch 2.2, launch context; rows B50, B51.
//!
//! It rides on the token: `patient/` scopes mean the record of [`LaunchContext::patient`] (row B24). The token response,
//! each refresh and introspection tell it in the same members ([`LaunchContext::members`]).

mod fhir_context;

pub use fhir_context::{FhirContext, FhirContextError};

use serde_json::{Map, Value};
use std::sync::Arc;

/// The context of a launch. Empty for a system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct LaunchContext {
    /// Logical id of the Patient in context.
    pub patient: Option<Arc<str>>,
    /// Logical id of the Encounter in context.
    pub encounter: Option<Arc<str>>,
    /// Other resources in context.
    pub fhir_context: Vec<FhirContext>,
    /// What the person wants to do, in a word that EHR and app know.
    pub intent: Option<Arc<str>>,
    /// Whether the app must show who the patient is; `None`: nothing is said.
    pub need_patient_banner: Option<bool>,
    /// URL of a JSON document with the look of the EHR.
    pub smart_style_url: Option<Arc<str>>,
    /// The organisation within a server of many.
    pub tenant: Option<Arc<str>>,
}

impl LaunchContext {
    /// As members of a token response or of introspection, each with the type that SMART gives it; what is not in
    /// context has no member.
    #[must_use]
    pub fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        let texts = [
            ("patient", &self.patient),
            ("encounter", &self.encounter),
            ("intent", &self.intent),
            ("smart_style_url", &self.smart_style_url),
            ("tenant", &self.tenant),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                members.insert(name.into(), Value::from(&**value));
            }
        }
        if let Some(needed) = self.need_patient_banner {
            members.insert("need_patient_banner".into(), needed.into());
        }
        if !self.fhir_context.is_empty() {
            members.insert("fhirContext".into(), self.fhir_context.iter().map(FhirContext::to_json).collect());
        }
        members
    }

    /// As the authorization server keeps it; [`LaunchContext::from_kept`] reads it. Empty members are left out.
    #[must_use]
    pub fn to_kept(&self) -> Value {
        Value::Object(self.members())
    }

    /// Reads [`LaunchContext::to_kept`]. A member of another form than it has there makes it unreadable: a context
    /// that lost its patient would be another one.
    #[must_use]
    pub fn from_kept(kept: &Value) -> Option<Self> {
        let kept = kept.as_object()?;
        let text = |name: &str| match kept.get(name) {
            None => Some(None),
            Some(value) => value.as_str().map(|value| Some(Arc::<str>::from(value))),
        };
        let need_patient_banner = match kept.get("need_patient_banner") {
            None => None,
            Some(value) => Some(value.as_bool()?),
        };
        let fhir_context = match kept.get("fhirContext") {
            None => Vec::new(),
            Some(list) => {
                let read = |item: &Value| FhirContext::read(item.as_object()?).ok();
                list.as_array()?.iter().map(read).collect::<Option<Vec<_>>>()?
            }
        };
        Some(Self {
            patient: text("patient")?,
            encounter: text("encounter")?,
            fhir_context,
            intent: text("intent")?,
            need_patient_banner,
            smart_style_url: text("smart_style_url")?,
            tenant: text("tenant")?,
        })
    }
}

#[cfg(test)]
mod tests;
