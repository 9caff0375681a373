//! `handrail udap join URL`: a system joins a partner's server by its certificate. SPEC: HL7 FHIR UDAP Security 2.0
//! sections 2 (discovery), 3 (registration), 5 (token, client credentials); rows D14, D19, D25 to D27.
//!
//! The server's metadata is believed only when its chain holds to the anchors; then its signed endpoints are used.
//! Left out: apps that people sign in to.

use super::{
    certificates,
    check::{Whom, see},
};
use crate::{
    clock,
    command::{
        remote::{Reach, Remote},
        token,
    },
    doctor::Weight,
    fault::Fault,
    print,
};
use bytes::Bytes;
use clap::Args;
use http::StatusCode;
use oauth::{
    client_assertion,
    jws::Algorithm,
    sign::PrivateKey,
    udap::{b2b::B2b, x5c},
    x509::Certificate,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::{path::PathBuf, process::ExitCode};

/// Seconds that a statement or assertion counts: the standard allows 300.
const JWT_LIFE_S: i64 = 120;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  TOKEN=$(handrail udap join https://north.example.org/fhir --anchors community-root.pem \\
      --certificate payer.pem --key payer.key --contact mailto:it@payer.example.org \\
      --purpose HPAYMT --scope 'system/Encounter.rs')

  handrail udap join https://north.example.org/fhir --anchors community-root.pem \\
      --certificate payer.pem --key payer.key --leave

The certificate file holds the chain, its own first. Its URI is who you are; --uri chooses when it has
several. Joining again changes the registration, and its client id stays. The access token alone goes to
standard output.")]
pub(super) struct Join {
    /// FHIR base URL of the server, to the letter
    url: String,
    #[command(flatten)]
    whom: Whom,
    /// Certificate of the community (PEM, the chain after it)
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Who you are: one of the certificate's URIs [default: the first]
    #[arg(long, value_name = "URI")]
    uri: Option<String>,
    /// Name of your software, for people there
    #[arg(long, value_name = "NAME", default_value = "handrail")]
    name: String,
    /// How to reach you, as mailto:you@example.org; may be repeated
    #[arg(long = "contact", value_name = "ADDRESS", required_unless_present_any = ["client", "leave"])]
    contacts: Vec<String>,
    /// What to ask for, divided by blanks
    #[arg(long, value_name = "SCOPES", default_value = "system/*.rs")]
    scope: String,
    /// What for: a code of v3-ActReason, such as TREAT or HPAYMT; may be repeated
    #[arg(long = "purpose", value_name = "CODE", required_unless_present = "leave")]
    purposes: Vec<String>,
    /// URI of the organization that asks [default: who you are]
    #[arg(long, value_name = "URI")]
    organization_id: Option<String>,
    /// Its name
    #[arg(long, value_name = "NAME")]
    organization_name: Option<String>,
    /// Who asks: a person or a program
    #[arg(long, value_name = "NAME")]
    subject_name: Option<String>,
    /// File with a certification (a JWT) that the community asks for; may be repeated
    #[arg(long = "certification", value_name = "FILE")]
    certifications: Vec<PathBuf>,
    /// You are registered under this client id already: only get a token
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// Cancel the registration instead
    #[arg(long, conflicts_with_all = ["client", "purposes"])]
    leave: bool,
    /// CA file (PEM) that the server's TLS certificate is signed by, if the machine does not trust it
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// Who joins.
struct Member {
    uri: String,
    chain: Vec<Vec<u8>>,
    key: PrivateKey,
}

impl Member {
    fn read(join: &Join) -> Result<Self, Fault> {
        let chain = certificates(std::slice::from_ref(&join.certificate))?;
        let at = |why: &dyn std::fmt::Display| Fault::at(join.certificate.display(), why);
        let first = chain.first().map(|der| Certificate::read(der)).transpose().map_err(|why| at(&why))?;
        let leaf = first.ok_or_else(|| at(&"there is no certificate in it"))?;
        let uri = match &join.uri {
            Some(uri) if leaf.uris().contains(uri) => uri.clone(),
            Some(uri) => return Err(at(&format_args!("the certificate does not name {uri}"))),
            None => leaf.uris().first().ok_or_else(|| at(&"the certificate names no URI"))?.clone(),
        };
        let text = std::fs::read_to_string(&join.key).map_err(|why| Fault::at(join.key.display(), why))?;
        let key = PrivateKey::parse(&text, Some(Algorithm::Rs256)).map_err(|why| Fault::at(join.key.display(), why))?;
        if key.public().material() != leaf.key().material() {
            return Err(Fault::at(join.key.display(), "the key is not that of the certificate"));
        }
        Ok(Self { uri, chain, key })
    }

    /// Claims that each JWT has, signed with those that are its own.
    fn sign(&self, issuer: &str, audience: &str, own: Value) -> Result<String, Fault> {
        let now_s = clock::now().unix_seconds();
        let mut claims = json!({
            "iss": issuer,
            "sub": issuer,
            "aud": audience,
            "iat": now_s,
            "exp": now_s + JWT_LIFE_S,
            "jti": uuid::Uuid::new_v4().to_string(),
        });
        if let (Some(claims), Value::Object(own)) = (claims.as_object_mut(), own) {
            claims.extend(own);
        }
        x5c::sign(&self.key, &self.chain, &claims).map_err(Fault::new)
    }
}

impl Join {
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        let member = Member::read(&self)?;
        if self.whom.anchors()?.is_none() {
            return Err(Fault::new("no anchors are named, so the server cannot be believed")
                .fix("name the community's root with --anchors FILE"));
        }
        let b2b = if self.leave { None } else { Some(self.b2b(&member)?) };
        let reach = Reach { ca: self.ca.clone(), certificate: None, certificate_key: None };
        let mut server = Remote::new(&self.url, &reach)?;
        let seen = see(&mut server, &self.url, &self.whom).await?;
        let document = match (seen.weight(), seen.document) {
            (Weight::Problem, _) | (_, None) => {
                let wrong = seen.lines.into_iter().filter(|line| line.weight == Weight::Problem);
                let found: Vec<String> = wrong.map(|line| format!("{}: {}", line.subject, line.found)).collect();
                return Err(Fault::new(format_args!("the server cannot be believed: {}", found.join("; ")))
                    .fix("'handrail udap check' says more"));
            }
            (_, Some(document)) => document,
        };
        let client_id = match self.client.clone() {
            Some(id) => id,
            None => self.register(&member, &server, &document.registration_endpoint).await?,
        };
        let Some(b2b) = b2b else {
            print::note("the registration is cancelled");
            return Ok(ExitCode::SUCCESS);
        };
        print::note(format_args!("client id {client_id}"));
        let own = json!({ "extensions": { "hl7-b2b": b2b.to_value() } });
        let assertion = member.sign(&client_id, &document.token_endpoint, own)?;
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", self.scope.as_str()),
            ("client_assertion_type", client_assertion::TYPE),
            ("client_assertion", &assertion),
            ("udap", "1"),
        ];
        let form = form.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        let mut tokens = server.at(&document.token_endpoint)?;
        let body = Bytes::from(form.join("&"));
        let answer = tokens.post("", "application/x-www-form-urlencoded", None, body).await?;
        let status = answer.status();
        let answer: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        match (status, text("access_token")) {
            (StatusCode::OK, Some(access_token)) => {
                if let Some(scope) = text("scope").filter(|scope| *scope != self.scope) {
                    print::note(format_args!("the token is for: {scope}"));
                }
                print::result(access_token);
                Ok(ExitCode::SUCCESS)
            }
            _ => Err(token::refused("a token", status, text("error"), text("error_description"))),
        }
    }

    fn b2b(&self, member: &Member) -> Result<B2b, Fault> {
        let mut object = json!({
            "version": "1",
            "organization_id": self.organization_id.as_deref().unwrap_or(&member.uri),
            "purpose_of_use": self.purposes,
        });
        for (name, value) in [("organization_name", &self.organization_name), ("subject_name", &self.subject_name)] {
            if let (Some(value), Some(object)) = (value, object.as_object_mut()) {
                object.insert(name.to_owned(), json!(value));
            }
        }
        B2b::read(&object).map_err(Fault::new)
    }

    /// Registers, changes the registration, or cancels it; the client id.
    async fn register(&self, member: &Member, server: &Remote, endpoint: &str) -> Result<String, Fault> {
        let grants = if self.leave { json!([]) } else { json!(["client_credentials"]) };
        let own = json!({
            "client_name": self.name,
            "contacts": self.contacts,
            "grant_types": grants,
            "token_endpoint_auth_method": "private_key_jwt",
            "scope": self.scope,
        });
        let statement = member.sign(&member.uri, endpoint, own)?;
        let read = |path: &PathBuf| {
            std::fs::read_to_string(path)
                .map(|text| text.trim().to_owned())
                .map_err(|why| Fault::at(path.display(), why))
        };
        let certifications: Vec<String> = self.certifications.iter().map(read).collect::<Result<_, _>>()?;
        let mut request = json!({ "software_statement": statement, "udap": "1" });
        if let (false, Some(request)) = (certifications.is_empty(), request.as_object_mut()) {
            request.insert("certifications".to_owned(), json!(certifications));
        }
        let mut registry = server.at(endpoint)?;
        let answer = registry.post("", "application/json", None, Bytes::from(request.to_string())).await?;
        let status = answer.status();
        let answer: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        match (status, text("client_id")) {
            (StatusCode::OK | StatusCode::CREATED, Some(id)) => Ok(id.to_owned()),
            (StatusCode::OK, None) if self.leave => Ok(String::new()),
            _ => Err(token::refused("the registration", status, text("error"), text("error_description"))),
        }
    }
}
