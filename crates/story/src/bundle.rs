//! Resources with ids of our choice, and the transaction that puts them.
//!
//! `PUT Type/id` makes a load repeatable: the second one changes nothing but versions.
//! SPEC: R4 http.html#transaction, http.html#upsert.

use crate::json::Json;
use fhir::json::Writer;

/// One resource.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    members: Json,
}

impl Resource {
    /// `members` without `resourceType` and `id`.
    pub(crate) fn new(kind: &'static str, id: String, members: Json) -> Self {
        Self { kind, id, members }
    }

    pub(crate) fn reference(&self) -> String {
        format!("{}/{}", self.kind, self.id)
    }

    fn write(&self, w: &mut Writer) {
        let mut all = vec![("resourceType", Json::from(self.kind)), ("id", Json::from(&self.id))];
        if let Json::Object(members) = &self.members {
            all.extend(members.iter().cloned());
        }
        Json::Object(all).write(w);
    }
}

/// A transaction Bundle.
pub(crate) fn transaction(resources: &[Resource]) -> Vec<u8> {
    let mut w = Writer::with_capacity(resources.len() * 1024);
    w.object(|w| {
        w.member("resourceType", "Bundle");
        w.member("type", "transaction");
        w.key("entry");
        w.array(|w| {
            for resource in resources {
                w.object(|w| {
                    w.key("resource");
                    resource.write(w);
                    w.key("request");
                    w.object(|w| {
                        w.member("method", "PUT");
                        w.member("url", &resource.reference());
                    });
                });
            }
        });
    });
    w.into_bytes()
}
