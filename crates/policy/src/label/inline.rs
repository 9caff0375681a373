//! Labels of elements (DS4P `extension-inline-sec-label`): found wherever they stand. Row F43.
//!
//! The resource as a whole carries the high-water mark: every label of an element is added to `meta.security` when the
//! resource is written, with `PROCESSINLINELABEL`. So whoever is not cleared for an element does not see the resource
//! at all. That is more than the guide asks, and the only reading under which no search, sort key, condition or patch
//! can tell of an element that is redacted on reads.

use super::{ACT_CODE, Label, codes::PROCESS_INLINE, set::label_of};
use crate::limits;
use fhir::json::{Kind, Value};
use std::collections::BTreeSet;

/// The extension.
pub const URL: &str = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label";

/// Its last part, by which most resources are seen to have none.
const WORD: &str = "extension-inline-sec-label";

/// The labels of a resource's elements, and what says that there are some; empty: there are none.
///
/// # Errors
/// There are more than are looked at.
pub fn labels(resource: Value<'_>) -> Result<Vec<Label>, TooMany> {
    let raw = resource.raw();
    // An escaped character could hide the word.
    if !raw.contains(WORD) && !raw.contains("\\u") && !raw.contains("\\/") {
        return Ok(Vec::new());
    }
    let mut found = BTreeSet::new();
    collect(resource, &mut found);
    if found.len() > limits::INLINE_LABELS_MAX {
        return Err(TooMany);
    }
    if !found.is_empty() {
        found.insert(Label::new(ACT_CODE, PROCESS_INLINE));
    }
    Ok(found.into_iter().collect())
}

/// A resource with too many inline labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

fn collect(value: Value<'_>, into: &mut BTreeSet<Label>) {
    match value.kind() {
        Kind::Object => {
            if value.get("url").and_then(Value::as_str).as_deref() == Some(URL)
                && let Some(coding) = value.get("valueCoding")
            {
                into.insert(label_of(coding));
            }
            value.members().for_each(|member| collect(member, into));
        }
        Kind::Array => value.items().for_each(|item| collect(item, into)),
        _ => {}
    }
}
