//! Signing in through an outside OpenID provider: this server is its client. SPEC: OpenID Connect Core sections 3.1.2 and
//! 3.1.3.7, Discovery section 4.3; RFC 9207; issue 5 item 2.
//!
//! The provider says who the person is, no more: what they may do is this server's. Each step is held against what this
//! server itself began ([`Begun`]): state, nonce, verifier, provider. Left out: fetching, keeping what was begun, which
//! account a subject belongs to (row F60 and the caller's tables).

use crate::{
    form::Form,
    jwk::{Jwks, PublicKey},
    jws::{Algorithm, Compact, JwsError},
    limits,
    pkce::{self, Challenge},
    secret::{Secret, same},
    strict_json, web_url,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use std::fmt;

/// Why a step with a provider is not taken. For the log; the person is told that signing in there did not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProviderError {
    /// A document that is too large or no strict JSON object.
    Document,
    /// A required member is missing or has the wrong form; its name.
    Member(&'static str),
    /// The document names another issuer.
    Issuer,
    /// None of its algorithms is one that we verify.
    Algorithms,
    /// The answer's `state` is not the one that was sent.
    State,
    /// The answer names another provider, or none where it must (mix-up).
    Mixed,
    /// The provider refused, or the person did.
    Refused,
    /// The answer has neither a code nor an error, or both, or a parameter twice.
    Answer,
    /// The id token is no JWS that we verify, or its signature is wrong.
    Jws(JwsError),
    /// No key, or more than one, can have signed it.
    Key,
    /// `aud` is not this server alone.
    Audience,
    /// `exp` is past or missing, or `iat` is missing or in the future.
    Time,
    /// `nonce` is not the one that was sent.
    Nonce,
    /// `sub` is missing, blank or over 255 bytes.
    Subject,
    /// The person signed in there longer ago than was asked for.
    TooLongAgo,
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Member(name) => return write!(f, "OpenID provider: {name} is missing or malformed"),
            Self::Jws(why) => return write!(f, "OpenID provider: id token: {why}"),
            Self::Document => "OpenID provider: the document is too large or no strict JSON object",
            Self::Issuer => "OpenID provider: the document or token names another issuer",
            Self::Algorithms => "OpenID provider: it signs with no algorithm that is accepted",
            Self::State => "OpenID provider: the answer's state is not the one that was sent",
            Self::Mixed => "OpenID provider: the answer is another provider's",
            Self::Refused => "OpenID provider: it refused, or the person did",
            Self::Answer => "OpenID provider: the answer is malformed",
            Self::Key => "OpenID provider: not exactly one key can have signed the id token",
            Self::Audience => "OpenID provider: the id token is not for this server alone",
            Self::Time => "OpenID provider: the id token has ended or is not yet valid",
            Self::Nonce => "OpenID provider: the id token's nonce is not the one that was sent",
            Self::Subject => "OpenID provider: the id token has no usable sub",
            Self::TooLongAgo => "OpenID provider: the person signed in too long ago",
        })
    }
}

impl std::error::Error for ProviderError {}

impl From<JwsError> for ProviderError {
    fn from(error: JwsError) -> Self {
        Self::Jws(error)
    }
}

/// A provider, by its discovery document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// `issuer`: the configured one, to the letter.
    pub issuer: String,
    /// `authorization_endpoint`.
    pub authorize: String,
    /// `token_endpoint`.
    pub token: String,
    /// `jwks_uri`.
    pub jwks: String,
    /// What may sign its id tokens: what it names of RS256 and ES256, which every provider has one of.
    pub algorithms: Vec<Algorithm>,
    /// It takes a client's secret in the form alone, not as HTTP Basic, which is what a provider takes that says nothing.
    pub secret_in_form: bool,
    /// Whether its answers must say whose they are (RFC 9207).
    pub names_itself: bool,
}

impl Provider {
    /// Reads `/.well-known/openid-configuration` of the configured issuer.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub fn read(document: &[u8], issuer: &str) -> Result<Self, ProviderError> {
        let members = object(document)?;
        if members.get("issuer").and_then(Value::as_str) != Some(issuer) {
            return Err(ProviderError::Issuer);
        }
        let url = |name: &'static str| {
            let url = members.get(name).and_then(Value::as_str).filter(|url| web_url::is_https(url));
            url.map(str::to_owned).ok_or(ProviderError::Member(name))
        };
        let named = members.get("id_token_signing_alg_values_supported").and_then(Value::as_array);
        let named = named.ok_or(ProviderError::Member("id_token_signing_alg_values_supported"))?;
        let taken = |algorithm: &Algorithm| matches!(algorithm, Algorithm::Rs256 | Algorithm::Es256);
        let algorithms: Vec<Algorithm> =
            named.iter().filter_map(Value::as_str).filter_map(Algorithm::parse).filter(taken).collect();
        if algorithms.is_empty() {
            return Err(ProviderError::Algorithms);
        }
        // SPEC: Discovery section 3: client_secret_basic when nothing is said.
        let ways = members.get("token_endpoint_auth_methods_supported").and_then(Value::as_array);
        let has_way = |name: &str| ways.is_some_and(|ways| ways.iter().any(|way| way.as_str() == Some(name)));
        Ok(Self {
            issuer: issuer.to_owned(),
            authorize: url("authorization_endpoint")?,
            token: url("token_endpoint")?,
            jwks: url("jwks_uri")?,
            algorithms,
            secret_in_form: has_way("client_secret_post") && !has_way("client_secret_basic"),
            names_itself: members.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true)),
        })
    }
}

/// What this server keeps of a sign-in that it began, for one use and a few minutes. Holds secrets: no Debug.
pub struct Begun {
    /// Issuer of the provider that the browser was sent to.
    pub issuer: String,
    /// 128 random bits at least, bound to the browser by a cookie.
    pub state: Secret,
    /// 128 random bits at least.
    pub nonce: Secret,
    /// 43 to 128 characters of RFC 7636.
    pub verifier: Secret,
}

/// What `application/x-www-form-urlencoded` leaves as it is, and `~`.
const PARAMETER: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(crate) fn joined(parameters: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{name}={}", utf8_percent_encode(value, PARAMETER));
    parameters.iter().map(pair).collect::<Vec<_>>().join("&")
}

impl Begun {
    /// Where to send the browser. `max_age_s`: when the person must have proven who they are within this time.
    #[must_use]
    pub fn url(
        &self,
        provider: &Provider,
        client_id: &str,
        redirect_uri: &str,
        scope: &str,
        max_age_s: Option<u32>,
    ) -> String {
        self.url_at(&provider.authorize, client_id, redirect_uri, scope, max_age_s)
    }

    /// The same, at this authorization endpoint.
    pub(crate) fn url_at(
        &self,
        authorize: &str,
        client_id: &str,
        redirect_uri: &str,
        scope: &str,
        max_age_s: Option<u32>,
    ) -> String {
        let challenge = Challenge::of(self.verifier.expose()).as_parameter();
        let max_age = max_age_s.map(|seconds| seconds.to_string());
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", redirect_uri),
            ("scope", scope),
            ("state", self.state.expose()),
            ("nonce", self.nonce.expose()),
            ("code_challenge", &*challenge),
            ("code_challenge_method", pkce::METHOD),
        ];
        if let Some(seconds) = &max_age {
            parameters.push(("max_age", seconds));
        }
        let divider = if authorize.contains('?') { '&' } else { '?' };
        format!("{authorize}{divider}{}", joined(&parameters))
    }

    /// Takes the code out of the answer that the browser brings back; `query` is the URL's.
    ///
    /// # Errors
    /// [`ProviderError::State`] before all else; [`ProviderError::Mixed`], [`ProviderError::Refused`],
    /// [`ProviderError::Answer`].
    pub fn answered(&self, provider: &Provider, query: &[u8]) -> Result<Secret, ProviderError> {
        let code = self.code_in(query, provider.names_itself)?;
        if provider.issuer == self.issuer { Ok(code) } else { Err(ProviderError::Mixed) }
    }

    /// The same, of a provider that must name itself or need not.
    pub(crate) fn code_in(&self, query: &[u8], names_itself: bool) -> Result<Secret, ProviderError> {
        let form = Form::parse(query).map_err(|_| ProviderError::Answer)?;
        let state = form.value("state").ok_or(ProviderError::State)?;
        if !self.state.is(state.as_bytes()) {
            return Err(ProviderError::State);
        }
        // SPEC: RFC 9207 section 2.4.
        match form.value("iss") {
            Some(issuer) if issuer != self.issuer => return Err(ProviderError::Mixed),
            None if names_itself => return Err(ProviderError::Mixed),
            _ => {}
        }
        match (form.value("code"), form.value("error")) {
            (Some(code), None) => Ok(Secret::new(code)),
            (None, Some(_)) => Err(ProviderError::Refused),
            _ => Err(ProviderError::Answer),
        }
    }

    /// What goes to the provider's token endpoint.
    #[must_use]
    pub fn redemption(
        &self,
        provider: &Provider,
        code: &Secret,
        redirect_uri: &str,
        own: &Credentials<'_>,
    ) -> Redemption {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", redirect_uri),
            ("code_verifier", self.verifier.expose()),
        ];
        if provider.secret_in_form {
            form.extend([("client_id", own.client_id), ("client_secret", own.secret.expose())]);
            return Redemption { form: Secret::new(joined(&form)), authorization: None };
        }
        // SPEC: RFC 6749 section 2.3.1: each part encoded as in a form before both are.
        let encoded = |text: &str| utf8_percent_encode(text, PARAMETER).to_string();
        let pair = format!("{}:{}", encoded(own.client_id), encoded(own.secret.expose()));
        let authorization = Secret::new(format!("Basic {}", STANDARD.encode(pair)));
        Redemption { form: Secret::new(joined(&form)), authorization: Some(authorization) }
    }
}

/// Who we are at the provider.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// Our name there.
    pub client_id: &'a str,
    /// Our secret there.
    pub secret: &'a Secret,
}

/// A token request. Holds secrets: no Debug.
pub struct Redemption {
    /// The body, `application/x-www-form-urlencoded`.
    pub form: Secret,
    /// The field `Authorization`, when the secret goes there.
    pub authorization: Option<Secret>,
}

/// The id token out of the provider's token response.
///
/// # Errors
/// [`ProviderError::Document`], [`ProviderError::Member`].
pub fn id_token_of(response: &[u8]) -> Result<Secret, ProviderError> {
    let members = object(response)?;
    let token = members.get("id_token").and_then(Value::as_str);
    token.map(Secret::new).ok_or(ProviderError::Member("id_token"))
}

/// What a good id token must agree with.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// The provider.
    pub provider: &'a Provider,
    /// Its keys, fetched from [`Provider::jwks`].
    pub keys: &'a Jwks,
    /// Our name there.
    pub client_id: &'a str,
    /// Seconds since the person proved who they are, at most.
    pub max_age_s: Option<u32>,
    /// Now, seconds since the epoch.
    pub now_s: i64,
}

/// Who signed in at a provider. Made by [`Begun::person`] only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Issuer of the provider: a subject means something only beside it.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `auth_time`, or `iat` where it says none.
    pub authenticated_at_s: i64,
    /// `amr`: by what means, as far as it says.
    pub amr: Vec<String>,
}

impl Begun {
    /// Verifies the id token. That it was fetched over TLS from the token endpoint would do by the standard; the
    /// signature is checked all the same.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub fn person(&self, id_token: &Secret, expected: &Expected<'_>) -> Result<Person, ProviderError> {
        let jws = Compact::parse(id_token.expose())?;
        if !expected.provider.algorithms.contains(&jws.algorithm()) {
            return Err(ProviderError::Algorithms);
        }
        let claims = jws.verify(key_of(&jws, expected.keys)?)?;
        if expected.provider.issuer != self.issuer {
            return Err(ProviderError::Issuer);
        }
        self.told(claims, expected.client_id, expected.max_age_s, expected.now_s)
    }

    /// Who signed in, by the verified claims of an id token. SPEC: Core section 3.1.3.7.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub(crate) fn told(
        &self,
        claims: &Map<String, Value>,
        client_id: &str,
        max_age_s: Option<u32>,
        now_s: i64,
    ) -> Result<Person, ProviderError> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(self.issuer.as_str()) {
            return Err(ProviderError::Issuer);
        }
        let is_for_us = match claims.get("aud") {
            Some(Value::String(audience)) => audience == client_id,
            // SPEC: Core section 3.1.3.7 rule 3: none that we do not trust beside us; we trust no other.
            Some(Value::Array(list)) => matches!(list.as_slice(), [Value::String(only)] if only == client_id),
            _ => false,
        };
        if !is_for_us || claims.get("azp").is_some_and(|party| party.as_str() != Some(client_id)) {
            return Err(ProviderError::Audience);
        }
        let date = |name: &str| crate::client_assertion::numeric_date(claims, name);
        let (Some(issued_s), Some(expires_s)) = (date("iat"), date("exp")) else { return Err(ProviderError::Time) };
        let latest_s = now_s.saturating_add(limits::CLOCK_SKEW_S);
        if expires_s.saturating_add(limits::CLOCK_SKEW_S) <= now_s || issued_s > latest_s {
            return Err(ProviderError::Time);
        }
        if !text("nonce").is_some_and(|nonce| same(nonce.as_bytes(), self.nonce.expose().as_bytes())) {
            return Err(ProviderError::Nonce);
        }
        let subject =
            text("sub").filter(|sub| !sub.trim().is_empty() && sub.len() <= 255).ok_or(ProviderError::Subject)?;
        let authenticated = date("auth_time");
        if let Some(most_s) = max_age_s {
            // SPEC: Core section 3.1.2.1: `auth_time` is required when `max_age` was asked for.
            let earliest_s = now_s.saturating_sub(i64::from(most_s)).saturating_sub(limits::CLOCK_SKEW_S);
            if authenticated.is_none_or(|at_s| at_s < earliest_s || at_s > latest_s) {
                return Err(ProviderError::TooLongAgo);
            }
        }
        let amr = claims.get("amr").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Ok(Person {
            issuer: self.issuer.clone(),
            subject: subject.to_owned(),
            authenticated_at_s: authenticated.unwrap_or(issued_s),
            amr: amr.iter().filter_map(Value::as_str).take(10).map(str::to_owned).collect(),
        })
    }
}

/// The one key that can have signed: by `kid`, or, without one, the only key that fits. SPEC: Core section 10.1.
fn key_of<'a>(jws: &Compact<'_>, keys: &'a Jwks) -> Result<&'a PublicKey, ProviderError> {
    match jws.kid() {
        Some(kid) => keys.matching(kid, jws.algorithm()).map_err(|_| ProviderError::Key),
        None => {
            let mut fitting = keys.keys().iter().filter(|key| key.fits(jws.algorithm()));
            match (fitting.next(), fitting.next()) {
                (Some(key), None) => Ok(key),
                _ => Err(ProviderError::Key),
            }
        }
    }
}

fn object(bytes: &[u8]) -> Result<Map<String, Value>, ProviderError> {
    if bytes.len() > limits::JWKS_BYTES_MAX {
        return Err(ProviderError::Document);
    }
    strict_json::object(bytes).map_err(|_| ProviderError::Document)
}

#[cfg(test)]
mod tests;
