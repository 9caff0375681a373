//! Bundles: reading the entries of a batch or transaction. Writing is the caller's, with
//! [`crate::json::Writer`]. SPEC: R4 bundle.html, http.html#transaction.

use crate::json::Value;
use std::borrow::Cow;

/// One entry of a Bundle, as cursors into its tree.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Position in `Bundle.entry`, from 0.
    pub index: usize,
    /// The entry object itself.
    pub value: Value<'a>,
    /// `fullUrl`.
    pub full_url: Option<Cow<'a, str>>,
    /// `resource`.
    pub resource: Option<Value<'a>>,
    /// `request.method` as written.
    pub method: Option<Cow<'a, str>>,
    /// `request.url` as written.
    pub url: Option<Cow<'a, str>>,
    /// `request.ifMatch`, `.ifNoneMatch`, `.ifNoneExist` as written.
    pub if_match: Option<Cow<'a, str>>,
    /// See `if_match`.
    pub if_none_match: Option<Cow<'a, str>>,
    /// See `if_match`.
    pub if_none_exist: Option<Cow<'a, str>>,
}

/// The entries of a Bundle in their order.
pub fn entries(bundle: Value<'_>) -> impl Iterator<Item = Entry<'_>> {
    let list = bundle.get("entry");
    list.into_iter().flat_map(Value::items).enumerate().map(|(index, value)| {
        let request = value.get("request");
        let text = |name: &str| request.and_then(|request| request.get(name)).and_then(Value::as_str);
        Entry {
            index,
            value,
            full_url: value.get("fullUrl").and_then(Value::as_str),
            resource: value.get("resource"),
            method: text("method"),
            url: text("url"),
            if_match: text("ifMatch"),
            if_none_match: text("ifNoneMatch"),
            if_none_exist: text("ifNoneExist"),
        }
    })
}
