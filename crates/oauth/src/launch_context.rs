//! What was in context when a person let an app in. SPEC: SMART App Launch 2.2, launch context; rows B50, B51.
//!
//! It rides on the token: `patient/` scopes mean the record of [`LaunchContext::patient`] (row B24).

use serde_json::{Map, Value};
use std::sync::Arc;

/// The context of a launch. Empty for a system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct LaunchContext {
    /// Logical id of the Patient in context.
    pub patient: Option<Arc<str>>,
    /// Logical id of the Encounter in context.
    pub encounter: Option<Arc<str>>,
}

impl LaunchContext {
    /// As the authorization server keeps it; [`LaunchContext::from_kept`] reads it. Empty members are left out.
    #[must_use]
    pub fn to_kept(&self) -> Value {
        let mut kept = Map::new();
        let mut text = |name: &str, value: &Option<Arc<str>>| {
            if let Some(value) = value {
                kept.insert(name.into(), Value::from(&**value));
            }
        };
        text("patient", &self.patient);
        text("encounter", &self.encounter);
        Value::Object(kept)
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
        Some(Self { patient: text("patient")?, encounter: text("encounter")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_kept_is_read() {
        for context in [
            LaunchContext::default(),
            LaunchContext { patient: Some("p".into()), encounter: None },
            LaunchContext { patient: Some("p".into()), encounter: Some("e".into()) },
        ] {
            assert_eq!(LaunchContext::from_kept(&context.to_kept()), Some(context));
        }
        for broken in [json!(null), json!("p"), json!({ "patient": 1 }), json!({ "patient": null })] {
            assert_eq!(LaunchContext::from_kept(&broken), None, "{broken}");
        }
    }
}
