//! A client as a row of the table: JSON, read back with the same checks as a registration's grammar.
//!
//! Rows of before there were kinds have no `kind`: they are systems.

use super::{Binding, Certificate, Client, Keys, Kind, OwnRegistration, Secret, Udap, scopes, secret::SECRETS_MAX};
use crate::random;
use fhir::Instant;
use oauth::caller::Standing;
use oauth::{
    certificate::RegisteredSubject,
    ehr_launch::LaunchIntent,
    jwk::Jwks,
    jws::Algorithm,
    redirect_uri::{ApplicationType, RedirectUri},
    udap::purpose::Purpose,
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The row's value; the key is the id.
pub(super) fn encode(client: &Client) -> Vec<u8> {
    let mut row = Map::new();
    let mut put = |name: &str, value: Value| drop(row.insert(name.into(), value));
    put("name", (&*client.name).into());
    put("scope", (&*client.scope_text).into());
    put("kind", client.kind.name().into());
    put("origins", client.origins.clone().into());
    put("introspects_any", client.introspects_any.into());
    put("created_ms", client.created.unix_millis().into());
    put("disabled", client.disabled.into());
    if client.is_app() {
        put("redirect_uris", client.redirect_uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>().into());
        put("application", client.application.as_str().into());
        put("verified", client.is_verified.into());
    }
    if client.is_fapi2 {
        put("fapi2", true.into());
    }
    let texts = [
        ("maker", client.maker.as_deref()),
        ("purpose", client.purpose.as_deref()),
        ("logo", client.logo.as_deref()),
        ("launch_url", client.launch_url.as_deref()),
        ("binding", client.binding.map(Binding::as_str)),
        ("assertion_algorithm", client.assertion_algorithm.map(|algorithm| algorithm.as_str())),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            put(name, text.into());
        }
    }
    if !client.intents.is_empty() {
        put("intents", client.intents.iter().map(ToString::to_string).collect::<Vec<_>>().into());
    }
    if client.requires_pushed {
        put("pushed", true.into());
    }
    if let Some(own) = &client.own {
        put("own", own.encode(&client.scope_text));
    }
    match &client.kind {
        Kind::Public | Kind::Udap(_) => {}
        Kind::ConfidentialSymmetric(secrets) => put("secrets", secrets.iter().map(encode_secret).collect()),
        Kind::ConfidentialAsymmetric(keys) | Kind::BackendService(keys) => match keys {
            Keys::Inline(jwks) => put("jwks", jwks.to_json()),
            Keys::Url(url) => put("jwks_uri", (&**url).into()),
        },
        Kind::MutualTls(Certificate::Subject(subject)) => {
            let (member, value) = subject.member();
            put("certificate", json!({ member: value }));
        }
        Kind::MutualTls(Certificate::SelfSigned(known)) => {
            put("certificates", known.iter().map(|thumbprint| random::hex(thumbprint)).collect::<Vec<_>>().into());
        }
    }
    if let Some(udap) = client.kind.udap() {
        put("udap", udap.encode());
    }
    if !client.purposes_of_use.is_empty() {
        put("purposes_of_use", client.purposes_of_use.iter().map(|purpose| purpose.code()).collect::<Vec<_>>().into());
    }
    if client.calls_without_token {
        put("without_token", true.into());
    }
    if client.standing != Standing::Ordinary {
        put("standing", client.standing.as_str().into());
    }
    Value::Object(row).to_string().into_bytes()
}

fn encode_secret(secret: &Secret) -> Value {
    json!({
        "hash": random::hex(&secret.hash),
        "created_ms": secret.created.unix_millis(),
        "last_used_ms": secret.last_used.map(Instant::unix_millis),
    })
}

fn decode_secret(row: &Value) -> Option<Secret> {
    let millis = |name: &str| row.get(name)?.as_i64().map(Instant::from_unix_millis);
    Some(Secret {
        hash: random::from_hex(row.get("hash")?.as_str()?)?,
        created: millis("created_ms")?,
        last_used: millis("last_used_ms"),
    })
}

/// `None` when the row is not one that [`encode`] wrote.
pub(super) fn decode(id: &[u8], row: &[u8]) -> Option<Client> {
    let row: Value = serde_json::from_slice(row).ok()?;
    let text = |name: &str| row.get(name).and_then(Value::as_str).map(Arc::<str>::from);
    // What is there must be a text: a member that cannot be read is not one that is absent.
    let optional =
        |name: &str| row.get(name).map_or(Some(None), |value| value.as_str().map(Arc::<str>::from).map(Some));
    let flag = |name: &str| row.get(name).map_or(Some(false), Value::as_bool);
    let keys = || match (row.get("jwks"), text("jwks_uri")) {
        (Some(jwks), None) => Some(Keys::Inline(Arc::new(Jwks::register(jwks.to_string().as_bytes()).ok()?))),
        (None, Some(url)) => Some(Keys::Url(url)),
        _ => None,
    };
    let kind = match optional("kind")?.as_deref() {
        None | Some("backend-service") => Kind::BackendService(keys()?),
        Some("public") => Kind::Public,
        Some("confidential-asymmetric") => Kind::ConfidentialAsymmetric(keys()?),
        Some("confidential-symmetric") => {
            let secrets = row.get("secrets")?.as_array()?.iter().map(decode_secret).collect::<Option<Vec<_>>>()?;
            Kind::ConfidentialSymmetric((secrets.len() <= SECRETS_MAX).then_some(secrets)?)
        }
        Some("mutual-tls") => Kind::MutualTls(match (row.get("certificate"), row.get("certificates")) {
            (Some(subject), None) => {
                let members = subject.as_object()?.iter().filter_map(|(name, value)| Some((&**name, value.as_str()?)));
                Certificate::Subject(RegisteredSubject::only(members).ok()?)
            }
            (None, Some(known)) => {
                let one = |known: &Value| random::from_hex(known.as_str()?);
                Certificate::SelfSigned(known.as_array()?.iter().map(one).collect::<Option<_>>()?)
            }
            _ => return None,
        }),
        Some("udap") => Kind::Udap(Udap::decode(row.get("udap")?)?),
        Some(_) => return None,
    };
    let needs_redirect = !matches!(kind, Kind::BackendService(_) | Kind::MutualTls(_) | Kind::Udap(_));
    let application = match optional("application")? {
        Some(name) => ApplicationType::parse(&name)?,
        None => ApplicationType::Web,
    };
    let redirect_uris = match row.get("redirect_uris") {
        Some(uris) => {
            let one = |uri: &Value| RedirectUri::register(uri.as_str()?, application).ok();
            uris.as_array()?.iter().map(one).collect::<Option<Vec<_>>>()?
        }
        None if needs_redirect => return None,
        None => Vec::new(),
    };
    let intents = match row.get("intents") {
        Some(intents) => {
            let one = |intent: &Value| LaunchIntent::register(intent.as_str()?).ok();
            intents.as_array()?.iter().map(one).collect::<Option<Vec<_>>>()?
        }
        None => Vec::new(),
    };
    let purposes_of_use = match row.get("purposes_of_use") {
        Some(purposes) => {
            let one = |purpose: &Value| Purpose::parse(purpose.as_str()?);
            purposes.as_array()?.iter().map(one).collect::<Option<Vec<_>>>()?
        }
        None => Vec::new(),
    };
    let binding = match optional("binding")? {
        Some(name) => Some(Binding::parse(&name)?),
        None => None,
    };
    let assertion_algorithm = match optional("assertion_algorithm")? {
        Some(name) => Some(Algorithm::parse(&name)?),
        None => None,
    };
    let own = match row.get("own") {
        Some(own) => Some(Arc::new(OwnRegistration::decode(own)?)),
        None => None,
    };
    let allowed = scopes::kept(&text("scope")?)?;
    let origins = row.get("origins")?.as_array()?.iter().map(|origin| origin.as_str().map(str::to_owned));
    Some(Client {
        id: std::str::from_utf8(id).ok()?.into(),
        name: text("name")?,
        maker: optional("maker")?,
        purpose: optional("purpose")?,
        logo: optional("logo")?,
        kind,
        scopes: allowed.resources,
        registered: allowed.all,
        scope_text: allowed.text,
        redirect_uris: redirect_uris.into(),
        application,
        launch_url: optional("launch_url")?,
        intents: intents.into(),
        origins: origins.collect::<Option<_>>()?,
        is_verified: flag("verified")?,
        is_fapi2: flag("fapi2")?,
        requires_pushed: flag("pushed")?,
        binding,
        assertion_algorithm,
        own,
        calls_without_token: flag("without_token")?,
        purposes_of_use: purposes_of_use.into(),
        introspects_any: flag("introspects_any")?,
        standing: row.get("standing").map_or(Some(Standing::Ordinary), |word| Standing::parse(word.as_str()?))?,
        created: Instant::from_unix_millis(row.get("created_ms")?.as_i64()?),
        disabled: flag("disabled")?,
    })
}

#[cfg(test)]
mod tests;
