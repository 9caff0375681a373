//! A family's durable row, JSON; the key is its name. What cannot be read makes the whole row unreadable.

use super::{Family, Lasting, Refresh};
use crate::{random, token::TokenHash};
use oauth::{caller::Confirmation, launch_context::LaunchContext};
use serde_json::{Value, json};
use std::sync::Arc;

impl Lasting {
    /// As it is kept.
    pub(crate) fn to_kept(&self) -> Value {
        match self {
            Self::Once => json!("once"),
            Self::Session(session) => json!({ "session": &**session }),
            Self::Offline => json!("offline"),
        }
    }

    /// Reads [`Lasting::to_kept`].
    pub(crate) fn from_kept(kept: &Value) -> Option<Self> {
        match kept.as_str() {
            Some("once") => Some(Self::Once),
            Some("offline") => Some(Self::Offline),
            Some(_) => None,
            None => Some(Self::Session(kept.get("session")?.as_str()?.into())),
        }
    }
}

/// The row's value.
pub(super) fn encode(family: &Family) -> Vec<u8> {
    let refresh = family.refresh.as_ref().map(|refresh| {
        json!({
            "generation": refresh.generation,
            "hash": random::hex(refresh.hash.as_bytes()),
            "before": refresh.before.map(|hash| random::hex(hash.as_bytes())),
            "rotated_s": refresh.rotated_s,
        })
    });
    let confirmation = family.confirmation.as_ref().map(|confirmation| {
        let (name, value) = confirmation.member();
        json!([name, value])
    });
    let row = json!({
        "client_id": &*family.client_id,
        "sub": &*family.user,
        "scope": &*family.scope_text,
        "launch": family.launch.to_kept(),
        "cnf": confirmation,
        "began_s": family.began_s,
        "signed_in_s": family.signed_in_s,
        "lasting": family.lasting.to_kept(),
        "ends_s": family.ends_s,
        "used_s": family.used_s,
        "refresh": refresh,
    });
    row.to_string().into_bytes()
}

/// Reads [`encode`].
pub(super) fn decode(id: &[u8], row: &[u8]) -> Option<Family> {
    let row: Value = serde_json::from_slice(row).ok()?;
    let text = |name: &str| row.get(name)?.as_str().map(Arc::<str>::from);
    let time_s = |name: &str| row.get(name)?.as_i64();
    let confirmation = match row.get("cnf")? {
        Value::Null => None,
        pair => Some(Confirmation::from_member(pair.get(0)?.as_str()?, pair.get(1)?.as_str()?)?),
    };
    let hash = |value: &Value| TokenHash::from_bytes(&random::from_hex::<32>(value.as_str()?)?);
    let refresh = match row.get("refresh")? {
        Value::Null => None,
        refresh => Some(Refresh {
            generation: refresh.get("generation")?.as_u64()?.try_into().ok()?,
            hash: hash(refresh.get("hash")?)?,
            before: match refresh.get("before")? {
                Value::Null => None,
                before => Some(hash(before)?),
            },
            rotated_s: refresh.get("rotated_s")?.as_i64()?,
        }),
    };
    Some(Family {
        id: std::str::from_utf8(id).ok()?.into(),
        client_id: text("client_id")?,
        user: text("sub")?,
        scope_text: text("scope")?,
        launch: Arc::new(LaunchContext::from_kept(row.get("launch")?)?),
        confirmation,
        began_s: time_s("began_s")?,
        signed_in_s: time_s("signed_in_s")?,
        lasting: Lasting::from_kept(row.get("lasting")?)?,
        ends_s: time_s("ends_s")?,
        used_s: time_s("used_s")?,
        refresh,
    })
}
