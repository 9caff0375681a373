//! A client as a row of the table: JSON, read back with the same checks as a registration's grammar.

use super::{Client, Keys};
use fhir::Instant;
use oauth::{jwk::Jwks, scope};
use serde_json::{Value, json};
use std::sync::Arc;

/// The row's value; the key is the id.
pub(super) fn encode(client: &Client) -> Vec<u8> {
    let mut row = json!({
        "name": &*client.name,
        "scope": &*client.scope_text,
        "origins": client.origins,
        "introspects_any": client.introspects_any,
        "created_ms": client.created.unix_millis(),
        "disabled": client.disabled,
    });
    let (member, keys) = match &client.keys {
        Keys::Inline(jwks) => ("jwks", jwks.to_json()),
        Keys::Url(url) => ("jwks_uri", (**url).into()),
    };
    if let Some(members) = row.as_object_mut() {
        members.insert(member.into(), keys);
    }
    row.to_string().into_bytes()
}

/// `None` when the row is not one that [`encode`] wrote.
pub(super) fn decode(id: &[u8], row: &[u8]) -> Option<Client> {
    let row: Value = serde_json::from_slice(row).ok()?;
    let text = |name: &str| row.get(name).and_then(Value::as_str).map(Arc::<str>::from);
    let flag = |name: &str| row.get(name).and_then(Value::as_bool);
    let keys = match (row.get("jwks"), text("jwks_uri")) {
        (Some(jwks), None) => Keys::Inline(Arc::new(Jwks::register(jwks.to_string().as_bytes()).ok()?)),
        (None, Some(url)) => Keys::Url(url),
        _ => return None,
    };
    let scope_text = text("scope")?;
    let scopes: Result<Vec<_>, _> = scope::parse_list(&scope_text).map(|(_, scope)| scope).collect();
    let origins = row.get("origins")?.as_array()?.iter().map(|origin| origin.as_str().map(str::to_owned));
    Some(Client {
        id: std::str::from_utf8(id).ok()?.into(),
        name: text("name")?,
        scopes: scopes.ok()?.into(),
        scope_text,
        keys,
        origins: origins.collect::<Option<_>>()?,
        introspects_any: flag("introspects_any")?,
        created: Instant::from_unix_millis(row.get("created_ms")?.as_i64()?),
        disabled: flag("disabled")?,
    })
}
