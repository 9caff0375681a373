//! An account as a row of the table: JSON. A secret: it holds hashes and a sealed seed.

use super::{
    account::{Account, Record, State},
    credentials::{Credentials, Hash, OutsideIdentity, Totp, Until},
    passkey::{Passkey, key::PublicKey},
    password::PasswordHash,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fhir::Instant;
use oauth::caller::Role;
use serde_json::{Value, json};
use std::sync::Arc;

/// The row's value; the key is the id.
pub(super) fn encode(record: &Record) -> Vec<u8> {
    let (account, credentials) = (&record.account, &record.credentials);
    let until = |until: &Until| json!({ "hash": text(&until.hash), "ends_s": until.ends_s });
    let row = json!({
        "login": &*account.login,
        "name": &*account.name,
        "role": account.role.as_str(),
        "fhir_user": account.fhir_user.as_deref(),
        "patients": account.patients.iter().map(|id| &**id).collect::<Vec<_>>(),
        "state": account.state.as_str(),
        "created_ms": account.created.unix_millis(),
        "password": credentials.password.as_ref().map(PasswordHash::encode),
        "password_since_s": credentials.password_since_s,
        "totp": credentials.totp.as_ref().map(totp),
        "passkeys": credentials.passkeys.iter().map(passkey).collect::<Vec<_>>(),
        "recovery": credentials.recovery.iter().map(|hash| text(hash)).collect::<Vec<_>>(),
        "recovered": credentials.recovered,
        "outside": credentials.outside.iter().map(outside).collect::<Vec<_>>(),
        "invitation": credentials.invitation.as_ref().map(until),
        "devices": credentials.devices.iter().map(until).collect::<Vec<_>>(),
    });
    let mut row = row;
    if account.may_break_glass
        && let Some(row) = row.as_object_mut()
    {
        row.insert("break_glass".into(), true.into());
    }
    row.to_string().into_bytes()
}

/// `None` when the row is not one that [`encode`] wrote.
pub(super) fn decode(id: &[u8], row: &[u8]) -> Option<Record> {
    let row: Value = serde_json::from_slice(row).ok()?;
    let text = |name: &str| row.get(name).and_then(Value::as_str).map(Arc::<str>::from);
    let list = |name: &str| row.get(name).and_then(Value::as_array);
    let account = Account {
        id: std::str::from_utf8(id).ok()?.into(),
        login: text("login")?,
        name: text("name")?,
        role: Role::parse(&text("role")?)?,
        fhir_user: text("fhir_user"),
        patients: list("patients")?.iter().map(|id| id.as_str().map(Into::into)).collect::<Option<_>>()?,
        may_break_glass: row.get("break_glass").map_or(Some(false), Value::as_bool)?,
        state: State::parse(&text("state")?)?,
        created: Instant::from_unix_millis(row.get("created_ms")?.as_i64()?),
    };
    let optional = |name: &str| row.get(name).filter(|value| !value.is_null());
    let credentials = Credentials {
        password: match optional("password") {
            None => None,
            Some(hash) => Some(PasswordHash::decode(hash.as_str()?)?),
        },
        password_since_s: row.get("password_since_s")?.as_i64()?,
        totp: match optional("totp") {
            None => None,
            Some(totp) => Some(Totp {
                sealed: bytes(totp.get("sealed")?)?,
                last_step: totp.get("last_step")?.as_i64()?,
                since_s: totp.get("since_s")?.as_i64()?,
            }),
        },
        passkeys: list("passkeys")?.iter().map(read_passkey).collect::<Option<_>>()?,
        recovery: list("recovery")?.iter().map(read_hash).collect::<Option<_>>()?,
        recovered: row.get("recovered")?.as_bool()?,
        // Rows of before know none.
        outside: match list("outside") {
            None => Vec::new(),
            Some(all) => all.iter().map(read_outside).collect::<Option<_>>()?,
        },
        invitation: match optional("invitation") {
            None => None,
            Some(open) => Some(read_until(open)?),
        },
        devices: list("devices")?.iter().map(read_until).collect::<Option<_>>()?,
    };
    Some(Record { account: Arc::new(account), credentials })
}

fn totp(totp: &Totp) -> Value {
    json!({ "sealed": text(&totp.sealed), "last_step": totp.last_step, "since_s": totp.since_s })
}

fn passkey(passkey: &Passkey) -> Value {
    json!({
        "id": text(&passkey.id),
        "key": text(passkey.key.cose()),
        "counter": passkey.counter,
        "name": &*passkey.name,
        "created_s": passkey.created_s,
        "used_s": passkey.used_s,
        "suspended": passkey.suspended,
    })
}

fn read_passkey(row: &Value) -> Option<Passkey> {
    Some(Passkey {
        id: bytes(row.get("id")?)?,
        key: PublicKey::from_cose(&bytes(row.get("key")?)?).ok()?,
        counter: u32::try_from(row.get("counter")?.as_u64()?).ok()?,
        name: row.get("name")?.as_str()?.into(),
        created_s: row.get("created_s")?.as_i64()?,
        used_s: row.get("used_s")?.as_i64(),
        suspended: row.get("suspended")?.as_bool()?,
    })
}

fn outside(identity: &OutsideIdentity) -> Value {
    json!({ "issuer": &*identity.issuer, "subject": &*identity.subject, "since_s": identity.since_s })
}

fn read_outside(row: &Value) -> Option<OutsideIdentity> {
    Some(OutsideIdentity {
        issuer: row.get("issuer")?.as_str()?.into(),
        subject: row.get("subject")?.as_str()?.into(),
        since_s: row.get("since_s")?.as_i64()?,
    })
}

fn read_until(row: &Value) -> Option<Until> {
    Some(Until { hash: read_hash(row.get("hash")?)?, ends_s: row.get("ends_s")?.as_i64()? })
}

fn read_hash(value: &Value) -> Option<Hash> {
    bytes(value)?.try_into().ok()
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(value.as_str()?).ok()
}
