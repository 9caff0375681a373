//! Reading members of definitions that may be absent or of the wrong kind.

use fhir::json::Value;

/// Text of a member; empty when absent.
#[must_use]
pub fn text(value: Value<'_>, name: &str) -> String {
    value.get(name).and_then(Value::as_str).map(std::borrow::Cow::into_owned).unwrap_or_default()
}

/// Texts of an array member.
#[must_use]
pub fn texts(value: Value<'_>, name: &str) -> Vec<String> {
    let list = value.get(name);
    list.into_iter().flat_map(Value::items).filter_map(|item| Some(item.as_str()?.into_owned())).collect()
}

/// Items of an array member.
pub fn items<'a>(value: Value<'a>, name: &str) -> impl Iterator<Item = Value<'a>> + use<'a> {
    value.get(name).into_iter().flat_map(Value::items)
}

/// Whether a boolean member is true.
#[must_use]
pub fn is_true(value: Value<'_>, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or_default()
}

/// The last segment of a canonical URL, without version.
#[must_use]
pub fn last_segment(url: &str) -> &str {
    let url = url.split('|').next().unwrap_or(url);
    url.rsplit('/').next().unwrap_or(url)
}
