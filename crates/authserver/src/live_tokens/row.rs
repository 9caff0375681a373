//! A token's durable row: its [`Grant`] as a JSON object.
//!
//! Members that a grant does not have are left out, so a row written before there were people is a system's, as it was.
//! What is there and cannot be read makes the whole row unreadable: a person's token that lost its person, its patient
//! or its key would be another one, and so would that of an organization that lost its purpose (row D28).

use crate::token::TokenHash;
use oauth::{
    caller::{Acting, Confirmation, Grant, Role, Standing, User},
    launch_context::LaunchContext,
    scope::{Scope, ScopeError, parse_list},
    udap::b2b::B2b,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// The row of a grant. Its token's name is not in it: that follows from the key.
pub(super) fn encode(grant: &Grant) -> Vec<u8> {
    let mut row = json!({
        "client_id": &*grant.client_id,
        "client_name": &*grant.client_name,
        "scope": &*grant.scope_text,
        "iat": grant.issued_at_s,
        "exp": grant.expires_at_s,
    });
    if let Some(row) = row.as_object_mut() {
        if let Some(user) = &grant.user {
            row.insert("user".into(), user_row(user));
        }
        if *grant.launch != LaunchContext::default() {
            row.insert("launch".into(), grant.launch.to_kept());
        }
        if let Some(confirmation) = &grant.confirmation {
            let (name, thumbprint) = confirmation.member();
            row.insert("cnf".into(), json!({ name: thumbprint }));
        }
        if let Some(family) = &grant.family {
            row.insert("family".into(), Value::from(&**family));
        }
        if let Some(acting) = &grant.acting {
            row.insert("acting".into(), acting_row(acting));
        }
        if grant.standing != Standing::Ordinary {
            row.insert("standing".into(), grant.standing.as_str().into());
        }
    }
    row.to_string().into_bytes()
}

fn user_row(user: &User) -> Value {
    json!({
        "sub": &*user.id,
        "name": &*user.name,
        "role": user.role.as_str(),
        "fhirUser": user.fhir_user.as_deref(),
        "patients": user.patients.iter().map(|id| &**id).collect::<Vec<&str>>(),
    })
}

fn acting_row(acting: &Acting) -> Value {
    json!({
        "community": &*acting.community,
        "uri": &*acting.uri,
        "hl7-b2b": acting.b2b.to_value(),
        "organization": acting.organization.as_deref(),
    })
}

/// Reads [`encode`].
pub(super) fn decode(hash: &TokenHash, row: &[u8]) -> Option<Grant> {
    let row: Value = serde_json::from_slice(row).ok()?;
    let time_s = |name: &str| row.get(name).and_then(Value::as_i64);
    let scope_text = text(&row, "scope")?;
    let user = match row.get("user") {
        None => None,
        Some(user) => Some(Arc::new(user_of(user)?)),
    };
    let confirmation = match row.get("cnf") {
        None => None,
        Some(cnf) => Some(confirmation_of(cnf)?),
    };
    let family = match row.get("family") {
        None => None,
        Some(_) => Some(text(&row, "family")?),
    };
    let acting = match row.get("acting") {
        None => None,
        Some(acting) => Some(Arc::new(acting_of(acting)?)),
    };
    Some(Grant {
        client_id: text(&row, "client_id")?,
        client_name: text(&row, "client_name")?,
        scopes: scopes_of(&scope_text, user.is_some())?.into(),
        scope_text,
        issued_at_s: time_s("iat")?,
        expires_at_s: time_s("exp")?,
        token_name: hash.name().into(),
        user,
        launch: Arc::new(row.get("launch").map_or_else(|| Some(LaunchContext::default()), LaunchContext::from_kept)?),
        confirmation,
        family,
        acting,
        standing: row.get("standing").map_or(Some(Standing::Ordinary), |word| Standing::parse(word.as_str()?))?,
        purposes: Arc::default(),
    })
}

/// The resource scopes. Beside them a person's token has words of another kind: `openid`, `launch/patient`.
fn scopes_of(text: &str, is_person: bool) -> Option<Vec<Scope>> {
    let mut scopes = Vec::new();
    for (_, scope) in parse_list(text) {
        match scope {
            Ok(scope) => scopes.push(scope),
            Err(ScopeError::Context) if is_person => {}
            Err(_) => return None,
        }
    }
    Some(scopes)
}

fn user_of(row: &Value) -> Option<User> {
    let patients = row.get("patients")?.as_array()?;
    Some(User {
        id: text(row, "sub")?,
        name: text(row, "name")?,
        role: Role::parse(&text(row, "role")?)?,
        fhir_user: text_or_null(row, "fhirUser")?,
        patients: patients.iter().map(|id| id.as_str().map(Arc::from)).collect::<Option<_>>()?,
        // They are of this moment: `Inner::grant` adds them.
        glasses: Arc::default(),
        may_break_glass: false,
    })
}

fn acting_of(row: &Value) -> Option<Acting> {
    Some(Acting {
        community: text(row, "community")?,
        uri: text(row, "uri")?,
        b2b: B2b::read(row.get("hl7-b2b")?).ok()?,
        organization: text_or_null(row, "organization")?,
    })
}

/// What must stand there, be it that there is none.
fn text_or_null(row: &Value, name: &str) -> Option<Option<Arc<str>>> {
    match row.get(name)? {
        Value::Null => Some(None),
        _ => text(row, name).map(Some),
    }
}

fn confirmation_of(cnf: &Value) -> Option<Confirmation> {
    let cnf = cnf.as_object().filter(|cnf| cnf.len() == 1)?;
    let (name, value) = cnf.iter().next()?;
    Confirmation::from_member(name, value.as_str()?)
}

fn text(row: &Value, name: &str) -> Option<Arc<str>> {
    row.get(name).and_then(Value::as_str).map(Arc::from)
}

#[cfg(test)]
mod tests;
