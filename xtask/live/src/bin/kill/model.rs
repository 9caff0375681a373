//! What the server has acknowledged, kept outside of it.
//!
//! Each client writes only its own resources, so its book is exact: after a crash, what was
//! acknowledged must be there byte for byte, and the one request under way may have happened or not,
//! as a whole where it was one change.

use fhir::json::{Tree, Value, Writer};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// System of the identifiers by which resources are found again.
pub(crate) const SYSTEM: &str = "https://kill.example/key";

/// System of the identifiers that all entries of one transaction share.
pub(crate) const TOGETHER: &str = "https://kill.example/transaction";

/// A version as we know it.
#[derive(Debug, Clone)]
pub(crate) enum Version {
    /// The bytes that were answered.
    Bytes(Vec<u8>),
    /// What was sent; its stored bytes were not seen yet.
    Sent(Vec<u8>),
    /// Deleted.
    Deleted,
}

/// A resource: its versions from the first on.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) versions: Vec<Version>,
}

impl Item {
    pub(crate) fn is_live(&self) -> bool {
        !matches!(self.versions.last(), None | Some(Version::Deleted))
    }
}

/// One change of a request.
#[derive(Debug, Clone)]
pub(crate) enum Effect {
    /// A new resource with this key, as sent.
    Create(String, Vec<u8>),
    /// A new version of the resource with this key, as sent.
    Update(String, Vec<u8>),
    /// The end of it.
    Delete(String),
}

impl Effect {
    pub(crate) fn key(&self) -> &str {
        match self {
            Self::Create(key, _) | Self::Update(key, _) | Self::Delete(key) => key,
        }
    }
}

/// A request that was sent and not answered.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) request_id: String,
    pub(crate) effects: Vec<Effect>,
    /// Whether all happen or none.
    pub(crate) atomic: bool,
}

/// The book of one client.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) client: usize,
    /// Id of its patient.
    pub(crate) patient: String,
    /// Next number for a key.
    pub(crate) next: usize,
    pub(crate) items: BTreeMap<String, Item>,
    /// Keys that changed since the last check.
    pub(crate) touched: BTreeSet<String>,
    pub(crate) pending: Option<Pending>,
    /// Request ids of answers since the last check, with the number of audit entries each must have.
    pub(crate) answered: Vec<(String, usize)>,
}

impl Book {
    /// Notes an effect that happened. `id` for what was created; `bytes` when the answer had them.
    pub(crate) fn happened(&mut self, effect: &Effect, id: Option<&str>, bytes: Option<&[u8]>) {
        let version = |sent: &[u8]| bytes.map_or_else(|| Version::Sent(sent.to_vec()), |b| Version::Bytes(b.to_vec()));
        self.touched.insert(effect.key().to_owned());
        match effect {
            Effect::Create(key, sent) => {
                let id = id.unwrap_or_default().to_owned();
                self.items.insert(key.clone(), Item { id, versions: vec![version(sent)] });
            }
            Effect::Update(key, sent) => {
                let version = version(sent);
                if let Some(item) = self.items.get_mut(key) {
                    item.versions.push(version);
                }
            }
            Effect::Delete(key) => {
                if let Some(item) = self.items.get_mut(key) {
                    item.versions.push(Version::Deleted);
                }
            }
        }
    }

    /// Live resources.
    pub(crate) fn live(&self) -> usize {
        self.items.values().filter(|item| item.is_live()).count()
    }
}

/// Keys that several clients create under the same condition: at most one resource each.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Key → ids that were acknowledged as created or found.
    pub(crate) keys: BTreeMap<String, BTreeSet<String>>,
    /// Keys asked for since the last check.
    pub(crate) touched: BTreeSet<String>,
}

/// An Observation of this key.
pub(crate) fn observation(patient: &str, key: &str, together: Option<&str>, id: Option<&str>, value: usize) -> Vec<u8> {
    let mut w = Writer::with_capacity(1024);
    w.object(|w| {
        w.member("resourceType", "Observation");
        if let Some(id) = id {
            w.member("id", id);
        }
        w.key("identifier");
        w.array(|w| {
            let keys = [(SYSTEM, Some(key)), (TOGETHER, together)];
            for (system, value) in keys.into_iter().filter_map(|(system, value)| Some((system, value?))) {
                w.object(|w| {
                    w.member("system", system);
                    w.member("value", value);
                });
            }
        });
        w.member("status", "final");
        w.key("code");
        w.object(|w| {
            w.key("coding");
            w.array(|w| {
                w.object(|w| {
                    w.member("system", "http://loinc.org");
                    w.member("code", if value.is_multiple_of(2) { "83254-3" } else { "83232-9" });
                });
            });
        });
        w.key("subject");
        w.object(|w| w.member("reference", &format!("Patient/{patient}")));
        w.member("effectiveDateTime", &format!("2026-03-{:02}T09:30:00Z", value % 28 + 1));
        w.member("valueString", &format!("value {value} {}", "·".repeat(value % 200)));
    });
    w.into_bytes()
}

/// A Bundle; entries are (method, url, resource, If-None-Exist).
pub(crate) fn bundle(kind: &str, entries: &[(&str, String, Option<&[u8]>)]) -> Vec<u8> {
    let mut w = Writer::with_capacity(1024 * entries.len());
    w.object(|w| {
        w.member("resourceType", "Bundle");
        w.member("type", kind);
        w.key("entry");
        w.array(|w| {
            for (method, url, resource) in entries {
                w.object(|w| {
                    if let Some(resource) = resource {
                        w.key("resource");
                        w.raw(resource);
                    }
                    w.key("request");
                    w.object(|w| {
                        w.member("method", method);
                        w.member("url", url);
                    });
                });
            }
        });
    });
    w.into_bytes()
}

/// A member's text; empty when there is none.
pub(crate) fn text<'a>(value: Option<Value<'a>>) -> Cow<'a, str> {
    value.and_then(Value::as_str).unwrap_or_default()
}

/// Whether `found` is the version `number` of what was sent.
pub(crate) fn is_sent(sent: &[u8], found: &[u8], id: &str, number: usize) -> bool {
    let (Ok(sent), Ok(found)) = (Tree::parse(sent.to_vec()), Tree::parse(found.to_vec())) else { return false };
    let (sent, found) = (sent.root(), found.root());
    text(found.get("id")) == id
        && text(found.get("meta").and_then(|meta| meta.get("versionId"))) == number.to_string()
        && sent
            .members()
            .filter(|member| member.name() != "id")
            .all(|member| found.get(member.name()).is_some_and(|other| other.raw() == member.raw()))
}
