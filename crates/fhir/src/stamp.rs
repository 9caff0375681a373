//! The server's own mark on a resource: `id`, `meta.versionId`, `meta.lastUpdated` spliced into
//! the bytes that the client sent. Everything else keeps its text; white space between values goes.
//!
//! SPEC: R4 resource.html#Meta, http.html#update.

use crate::json::{Kind, Value, Writer};
use crate::{Instant, LogicalId, VersionId};

#[cfg(test)]
mod tests;

/// A resource with holes for version and time, so that the commit only has to copy.
#[derive(Debug, Clone)]
pub struct Template {
    before_version: Vec<u8>,
    after_time: Vec<u8>,
}

impl Template {
    /// Takes a resource object; its own `id`, `versionId` and `lastUpdated` are dropped.
    #[must_use]
    pub fn new(resource: Value<'_>, id: &LogicalId) -> Self {
        let mut before_version = Vec::with_capacity(128);
        before_version.extend_from_slice(b"{\"resourceType\":");
        before_version.extend_from_slice(resource.get("resourceType").map_or("\"\"", Value::raw).as_bytes());
        before_version.extend_from_slice(b",\"id\":\"");
        before_version.extend_from_slice(id.as_str().as_bytes());
        before_version.extend_from_slice(b"\",\"meta\":{\"versionId\":\"");

        let mut after_time = Vec::with_capacity(resource.raw().len());
        after_time.push(b'"');
        let meta = resource.get("meta").filter(|meta| meta.kind() == Kind::Object);
        for member in meta.into_iter().flat_map(Value::members) {
            if !matches!(member.name(), "versionId" | "lastUpdated" | "_versionId" | "_lastUpdated") {
                append(&mut after_time, member);
            }
        }
        after_time.push(b'}');
        for member in resource.members() {
            if !matches!(member.name(), "resourceType" | "id" | "meta") {
                append(&mut after_time, member);
            }
        }
        after_time.push(b'}');
        Self { before_version, after_time }
    }

    /// The bytes to store and to answer with.
    #[must_use]
    pub fn stamp(&self, version: VersionId, last_updated: Instant) -> Vec<u8> {
        let mark = format!("{version}\",\"lastUpdated\":\"{last_updated}");
        [self.before_version.as_slice(), mark.as_bytes(), &self.after_time].concat()
    }
}

fn append(out: &mut Vec<u8>, member: Value<'_>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(member.name().as_bytes());
    out.extend_from_slice(b"\":");
    let mut writer = Writer::after(std::mem::take(out));
    writer.value(member);
    *out = writer.into_bytes();
}
