//! `handrail token`: the SMART Backend Services flow, for people and scripts.
//!
//! SPEC: SMART App Launch 2.2 backend-services: discovery, a signed client assertion, the token request.

use super::remote::{Reach, Remote};
use crate::{clock, fault::Fault, print};
use bytes::Bytes;
use clap::Args;
use http::StatusCode;
use oauth::{client_assertion, sign::PrivateKey};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Seconds that the assertion lives: the least that leaves room for clocks that differ.
const ASSERTION_LIFE_S: i64 = 120;

/// What is asked for when nothing else is said: the server narrows it to what the client may have (row C11).
const EVERYTHING: &str = "system/*.cruds";

/// Get an access token and print it.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  TOKEN=$(handrail token --server https://127.0.0.1:8443/fhir --client ID --key lab.jwk \\
      --ca data/tls/ca.pem)
  curl --cacert data/tls/ca.pem -H \"Authorization: Bearer $TOKEN\" \\
      https://127.0.0.1:8443/fhir/Patient

  handrail token --server https://127.0.0.1:8444/fhir --client ID --ca data/tls/ca.pem \\
      --certificate lab.pem --certificate-key lab.key

A client proves who it is with --key, or with --certificate when that is what it is registered by. A token
that was got with a certificate works with that certificate alone.
The access token alone goes to standard output. Without --scope it carries every scope that the
client is registered for. It lives five minutes; ask again for another.")]
pub(super) struct Token {
    /// FHIR base URL of the server
    #[arg(long, value_name = "URL")]
    server: String,
    #[command(flatten)]
    credentials: Credentials,
    #[command(flatten)]
    reach: Reach,
    /// Scopes to ask for, divided by blanks
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
}

#[derive(Debug, Args)]
struct Credentials {
    /// Client id, as 'handrail client add' printed it
    #[arg(long, value_name = "ID")]
    client: String,
    /// Private key: a JWK, a JWKS with one key, or PEM
    #[arg(long, value_name = "FILE", required_unless_present = "certificate")]
    key: Option<PathBuf>,
}

impl Token {
    /// Runs the flow.
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        let key = self.credentials.key.as_deref().map(read_key).transpose()?;
        let mut server = Remote::new(&self.server, &self.reach)?;
        let token = obtain(&mut server, &self.credentials.client, key.as_ref(), self.scope.as_deref()).await?;
        print::result(token);
        Ok(ExitCode::SUCCESS)
    }
}

/// Reads a private key file.
///
/// # Errors
/// [`Fault`], which tells no part of the key.
pub(super) fn read_key(path: &Path) -> Result<PrivateKey, Fault> {
    let text = std::fs::read_to_string(path).map_err(|why| Fault::at(path.display(), why))?;
    PrivateKey::parse(&text, None).map_err(|why| Fault::at(path.display(), why))
}

/// Gets an access token for a client: by a signed assertion, or without a key by the certificate that `server` shows.
///
/// # Errors
/// [`Fault`] with the server's own reason when it refuses.
pub(super) async fn obtain(
    server: &mut Remote,
    client_id: &str,
    key: Option<&PrivateKey>,
    scope: Option<&str>,
) -> Result<String, Fault> {
    let discovered = server.get("/.well-known/smart-configuration").await?;
    let configuration: Value = serde_json::from_slice(discovered.body()).unwrap_or_default();
    let endpoint = configuration.get("token_endpoint").and_then(Value::as_str).ok_or_else(|| {
        Fault::new("the server offers no SMART configuration")
            .fix("--server takes the FHIR base, which ends with /fhir")
    })?;
    let assertion = key.map(|key| {
        let jti = uuid::Uuid::new_v4().to_string();
        let now_s = clock::now().unix_seconds();
        client_assertion::signed(key, client_id, endpoint, &jti, now_s, ASSERTION_LIFE_S).map_err(Fault::new)
    });
    let assertion = assertion.transpose()?;
    let mut form = vec![("grant_type", "client_credentials"), ("scope", scope.unwrap_or(EVERYTHING))];
    match &assertion {
        Some(assertion) => {
            form.extend([("client_assertion_type", client_assertion::TYPE), ("client_assertion", assertion)]);
        }
        // SPEC: RFC 8705 section 2: the name says which registration the certificate is held against.
        None => form.push(("client_id", client_id)),
    }
    let alias = if server.shows_certificate() { alias_of(server, endpoint).await? } else { None };
    let body = form
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        .collect::<Vec<_>>()
        .join("&");
    let mut tokens = server.at(alias.as_deref().unwrap_or(endpoint))?;
    let answer = tokens.post("", "application/x-www-form-urlencoded", None, Bytes::from(body)).await?;
    let status = answer.status();
    let answer: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    match (status, text("access_token")) {
        (StatusCode::OK, Some(token)) => Ok(token.to_owned()),
        _ => Err(refused("a token", status, text("error"), text("error_description"))),
    }
}

/// Where the token endpoint asks for certificates, when that is another place. SPEC: RFC 8705 section 5.
async fn alias_of(server: &Remote, endpoint: &str) -> Result<Option<String>, Fault> {
    let Some(issuer) = endpoint.strip_suffix("/oauth/token") else { return Ok(None) };
    let document = server.at(&format!("{issuer}/.well-known/oauth-authorization-server"))?.get("").await?;
    let document: Value = serde_json::from_slice(document.body()).unwrap_or_default();
    let alias = document.pointer("/mtls_endpoint_aliases/token_endpoint").and_then(Value::as_str);
    Ok(alias.map(str::to_owned))
}

/// What a server said when it refused `what`.
pub(super) fn refused(what: &str, status: StatusCode, error: Option<&str>, description: Option<&str>) -> Fault {
    let error = error.unwrap_or("no reason given");
    let why = description.map(|text| format!(": {text}")).unwrap_or_default();
    let fault = Fault::new(format_args!("the server refused {what} ({}, {error}){why}", status.as_u16()));
    match error {
        "invalid_client" => fault.fix(
            "check client id, key file or certificate ('handrail client show ID --data DIR'), and this machine's clock",
        ),
        "invalid_scope" => fault.fix("ask for scopes that the client is registered for ('handrail client list')"),
        _ => fault,
    }
}
