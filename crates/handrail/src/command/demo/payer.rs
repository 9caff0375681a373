//! The payer of the story that a partner of the demo can be: the first one that pays for somebody. It gets the address
//! of the partner's certificate as an identifier, by which the server knows it (docs/access.md).

use super::community;
use bytes::Bytes;
use fhir::json::Value;
use serde_json::json;
use std::collections::HashMap;

/// Looks for it while the story is told.
#[derive(Default)]
pub(super) struct Payer {
    /// All organizations so far, by reference, as JSON.
    organizations: HashMap<String, serde_json::Value>,
    /// Reference of the first one that a Coverage names.
    pays: Option<String>,
}

impl Payer {
    pub(super) fn look(&mut self, resource: Value<'_>) {
        if self.pays.is_some() {
            return;
        }
        let text = |name: &str| resource.get(name).and_then(Value::as_str).map(|text| text.into_owned());
        match text("resourceType").as_deref() {
            Some("Organization") => {
                let read = serde_json::from_str(resource.raw()).ok();
                if let Some((id, organization)) = text("id").zip(read) {
                    self.organizations.insert(format!("Organization/{id}"), organization);
                }
            }
            Some("Coverage") => {
                let payor = resource.get("payor").and_then(|payors| payors.items().next());
                self.pays = payor.and_then(|payor| Some(payor.get("reference")?.as_str()?.into_owned()));
            }
            _ => {}
        }
    }

    /// A Bundle that gives it the partner's address.
    pub(super) fn known(mut self) -> Option<Bytes> {
        let reference = self.pays?;
        let mut organization = self.organizations.remove(&reference)?;
        let identifiers = organization.as_object_mut()?.entry("identifier").or_insert_with(|| json!([]));
        identifiers.as_array_mut()?.push(json!({ "system": "urn:ietf:rfc:3986", "value": community::PAYER }));
        let bundle = json!({
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{ "resource": organization, "request": { "method": "PUT", "url": reference } }],
        });
        Some(Bytes::from(bundle.to_string()))
    }
}
