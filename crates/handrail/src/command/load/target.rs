//! Where a load goes: a server over TLS, or a directory through the same FHIR service in this process.
//!
//! Both take a Bundle and run every check; neither is a way around permit, validation or audit.

use crate::{
    assembly::{self, Assembly, BaseUrl},
    command::{
        remote::{Reach, Remote},
        token,
    },
    config::{Config, Durability},
    control,
    fault::Fault,
    household::Keeper,
};
use authserver::egress::NoFetch;
use bytes::Bytes;
use fhir::{
    bundle,
    json::{Tree, Value},
};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use oauth::{Caller, sign::PrivateKey};
use rest::wire::Accepted;
use std::{
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::Arc,
};

const FHIR_JSON: &str = "application/fhir+json";

/// Where to.
pub(in crate::command) enum Target {
    /// A server.
    Server {
        /// It.
        remote: Box<Remote>,
        /// The access token in use.
        token: String,
        /// Who to get another as.
        client: Option<Box<(String, Option<PrivateKey>)>>,
    },
    /// A data directory, or a server's own services before it serves.
    Here {
        /// The FHIR service.
        rest: Arc<rest::Service>,
        /// Keeps the directory open.
        _open: Option<Assembly>,
        /// Who acts: the operator, by this command.
        caller: Caller,
    },
}

/// What became of a Bundle.
pub(in crate::command) enum Sent {
    /// It was done; for each entry why it was not, which only a batch's entries can have.
    Done(Vec<Option<String>>),
    /// It was refused.
    Refused(Vec<Reason>),
}

/// Why something was refused.
pub(in crate::command) struct Reason {
    /// Which entry, when the server says so.
    pub(super) entry: Option<usize>,
    /// The server's text.
    pub(in crate::command) text: String,
}

impl Target {
    /// A server, with a token as it is.
    ///
    /// # Errors
    /// [`Fault`].
    pub(super) fn server(base: &str, reach: &Reach, token: String) -> Result<Self, Fault> {
        Ok(Self::Server { remote: Box::new(Remote::new(base, reach)?), token, client: None })
    }

    /// A server, as a client that gets its tokens here: with its key, or without one by its certificate.
    ///
    /// # Errors
    /// [`Fault`].
    pub(super) async fn server_as(
        base: &str,
        reach: &Reach,
        client: String,
        key: Option<&Path>,
    ) -> Result<Self, Fault> {
        let key = key.map(token::read_key).transpose()?;
        let mut remote = Remote::new(base, reach)?;
        let token = token::obtain(&mut remote, &client, key.as_ref(), None).await?;
        Ok(Self::Server { remote: Box::new(remote), token, client: Some(Box::new((client, key))) })
    }

    /// A data directory that no server has open, under the rules of this configuration.
    ///
    /// # Errors
    /// [`Fault`]; a running server is named with the way to use it.
    pub(super) async fn directory(directory: &Path, config: &Config) -> Result<Self, Fault> {
        if control::is_served(directory).await {
            return Err(Fault::at(directory.display(), "a server runs on this data directory")
                .fix("load through it: --server URL --client ID --key FILE --ca DIR/tls/ca.pem"));
        }
        let strict_audit = config.durability == Durability::Strict;
        let open = assembly::open(directory, BaseUrl::AsItWas, strict_audit, &config.validation, Arc::new(NoFetch))?;
        // What is loaded gets its labels as it would from a server.
        Keeper::at_rest(&open, config.household.clone())?;
        open.rest.record_provenance(config.records_provenance);
        let rest = Arc::clone(&open.rest);
        Ok(Self::Here { rest, _open: Some(open), caller: Caller::operator("handrail load") })
    }

    /// The services of a server that this process is about to run.
    pub(in crate::command) fn own(rest: Arc<rest::Service>, command: &str) -> Self {
        Self::Here { rest, _open: None, caller: Caller::operator(command) }
    }

    /// Sends a Bundle.
    ///
    /// # Errors
    /// [`Fault`] when the target cannot go on: it cannot be reached, the token is not valid, it fails.
    pub(in crate::command) async fn send(&mut self, json: Bytes) -> Result<Sent, Fault> {
        let (mut status, mut body) = self.post(json.clone()).await?;
        if status == StatusCode::UNAUTHORIZED
            && let Self::Server { remote, token, client: Some(client) } = self
        {
            let (id, key) = client.as_ref();
            *token = token::obtain(remote, id, key.as_ref(), None).await?;
            (status, body) = self.post(json).await?;
        }
        let answer = Tree::parse(body).ok();
        let root = answer.as_ref().map(Tree::root);
        if status.is_success() {
            let outcomes = root.into_iter().flat_map(bundle::entries).map(|entry| failure(entry.value)).collect();
            return Ok(Sent::Done(outcomes));
        }
        let mut reasons = root.map(reasons).unwrap_or_default();
        if reasons.is_empty() {
            reasons.push(Reason { entry: None, text: format!("status {}", status.as_u16()) });
        }
        let first = || reasons.first().map(|reason| reason.text.clone()).unwrap_or_default();
        match status.as_u16() {
            401 => Err(Fault::at("the server does not take the token", first())
                .fix("a token lives five minutes: get another, or give --client and --key instead")),
            404 | 405 if reasons.iter().all(|reason| reason.entry.is_none()) => {
                Err(Fault::at("the server takes no transactions there", first())
                    .fix("--server takes the FHIR base, which ends with /fhir"))
            }
            429 | 500.. => Err(Fault::at("the server cannot go on", first())),
            _ => Ok(Sent::Refused(reasons)),
        }
    }

    async fn post(&mut self, json: Bytes) -> Result<(StatusCode, Bytes), Fault> {
        match self {
            Self::Server { remote, token, .. } => {
                let answer = remote.post("", FHIR_JSON, Some(token), json).await?;
                Ok((answer.status(), answer.into_body()))
            }
            Self::Here { rest, caller, .. } => {
                let request = Request::post("/fhir")
                    .header(header::CONTENT_TYPE, FHIR_JSON)
                    .header(header::ACCEPT, FHIR_JSON)
                    .header("prefer", "return=minimal")
                    .body(Full::new(json))
                    .map_err(Fault::new)?;
                let here = Accepted::new(IpAddr::V4(Ipv4Addr::LOCALHOST));
                let answer = rest.answer_operator(here, caller.clone(), request).await.into_inner();
                let (parts, body) = answer.into_parts();
                let body = body.collect().await.map_or_else(|never| match never {}, |body| body.to_bytes());
                Ok((parts.status, body))
            }
        }
    }
}

/// The errors of an OperationOutcome, with the entry that their expression names.
fn reasons(outcome: Value<'_>) -> Vec<Reason> {
    let text = |value: Value<'_>, name: &str| value.get(name).and_then(Value::as_str).map(|text| text.into_owned());
    outcome
        .get("issue")
        .into_iter()
        .flat_map(Value::items)
        .filter(|issue| text(*issue, "severity").is_none_or(|severity| severity == "error" || severity == "fatal"))
        .map(|issue| {
            let expression = issue.get("expression").and_then(|list| list.items().next()).and_then(Value::as_str);
            let entry = expression
                .as_deref()
                .and_then(|text| text.strip_prefix("Bundle.entry[")?.split_once(']')?.0.parse().ok());
            let said = text(issue, "diagnostics").or_else(|| text(issue, "code")).unwrap_or_default();
            let place = expression.as_deref().map(within_resource).filter(|place| !place.is_empty());
            Reason { entry, text: place.map_or(said.clone(), |place| format!("{place}: {said}")) }
        })
        .collect()
}

/// The place within the entry's resource: `status` of `Bundle.entry[3].resource.status`.
fn within_resource(expression: &str) -> &str {
    let after = expression.split_once(']').filter(|_| expression.starts_with("Bundle.entry[")).map(|(_, rest)| rest);
    after.map_or(expression, |rest| rest.trim_start_matches('.').trim_start_matches("resource").trim_start_matches('.'))
}

/// Why a batch entry failed, when it did.
fn failure(entry: Value<'_>) -> Option<String> {
    let response = entry.get("response")?;
    let status = response.get("status").and_then(Value::as_str)?;
    if status.starts_with('2') {
        return None;
    }
    let said = response.get("outcome").map(reasons).and_then(|mut list| list.pop()).map(|reason| reason.text);
    Some(said.unwrap_or_else(|| format!("status {status}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_name_their_entry_and_place() {
        let tree = Tree::parse(
            r#"{"resourceType":"OperationOutcome","issue":[
                {"severity":"warning","code":"value","diagnostics":"mild"},
                {"severity":"error","code":"required","diagnostics":"missing","expression":["Bundle.entry[12].resource.status"]},
                {"severity":"error","code":"forbidden"}]}"#,
        )
        .unwrap();
        let found: Vec<_> = reasons(tree.root()).into_iter().map(|reason| (reason.entry, reason.text)).collect();
        assert_eq!(found, [(Some(12), "status: missing".to_owned()), (None, "forbidden".to_owned())]);
    }
}
