//! Access tokens shown to an endpoint of this server: bearer tokens, and those bound to a certificate or a DPoP key.
//! SPEC: RFC 6750 sections 2 and 3, RFC 8705 section 3, RFC 9449 sections 7 and 9; rows A8, B63, B64.

use crate::{client_certificate, door, event::Event, outcome::Refusal, service::Inner};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, header};
use oauth::{
    bearer::{self, BearerError, LiveTokens},
    caller::Caller,
};
use std::sync::Arc;

/// What a request shows of who sends it. Holds a token: no Debug.
pub(crate) struct Shown {
    /// The `Authorization` field.
    pub(crate) authorization: Option<String>,
    /// The certificate of the connection.
    pub(crate) certificate: Option<client_certificate::Presented>,
    /// The `DPoP` field.
    pub(crate) dpop: Option<String>,
}

impl Shown {
    /// Of a request. Each field may come once, and a token nowhere else (row B64): in a URL it would get into logs.
    pub(crate) fn of(request: &Request<Bytes>) -> Result<Self, Refusal> {
        let only = |headers: &HeaderMap, name, several| door::only(headers, name, several);
        let authorization = only(request.headers(), header::AUTHORIZATION, Refusal::BearerRequest)?;
        let dpop = only(request.headers(), HeaderName::from_static("dpop"), Refusal::BearerRequest)?;
        let names_token = |text: &[u8]| text.split(|byte| *byte == b'&').any(|pair| pair.starts_with(b"access_token="));
        let is_form = door::is_form(request.headers());
        if names_token(request.uri().query().unwrap_or_default().as_bytes()) || (is_form && names_token(request.body()))
        {
            return Err(Refusal::BearerRequest);
        }
        // Made by the listener, never by the request.
        let certificate = request.extensions().get().cloned();
        Ok(Self { authorization, certificate, dpop })
    }

    /// The one token of a plain bearer field; `None` when there is no field.
    pub(crate) fn plain(&self) -> Result<Option<&str>, Refusal> {
        let Some(field) = self.authorization.as_deref() else { return Ok(None) };
        let token = field.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let legal = |token: &str| {
            !token.is_empty()
                && token.len() <= oauth::limits::TOKEN_BYTES_MAX
                && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte))
        };
        token.map(|(_, token)| token).filter(|token| legal(token)).map(Some).ok_or(Refusal::BearerRequest)
    }
}

/// Who is behind the token that a request shows. `url` is ours, from the configuration (row A24), without a query.
pub(crate) fn caller(
    inner: &Inner,
    shown: &Shown,
    method: &str,
    url: &str,
    event: &mut Event,
) -> Result<Caller, Refusal> {
    let authorization = shown.authorization.as_deref();
    let dpop = match (bearer::dpop_token(authorization), &shown.dpop) {
        (Some(access_token), Some(header)) => {
            let proof = bearer::ShownProof { header, method, url, access_token };
            let proven = inner.proven(&proof).map_err(|refused| {
                event.reason = Some("the DPoP proof is not good, or lacks the nonce".into());
                if refused.nonce.is_some() { Refusal::BearerNonce } else { Refusal::Bearer }
            });
            Some(proven?)
        }
        _ => None,
    };
    let presented = bearer::Presented {
        authorization,
        certificate_thumbprint: shown.certificate.as_ref().map(|shown| shown.thumbprint),
        dpop: dpop.as_ref(),
        principal: None,
    };
    let caller = bearer::authenticate(&presented, inner, inner.now().unix_seconds()).map_err(|why| {
        event.reason = Some(why.to_string());
        match why {
            BearerError::Missing => Refusal::NoToken,
            BearerError::Malformed => Refusal::BearerRequest,
            BearerError::Unknown | BearerError::Expired | BearerError::Unproven => Refusal::Bearer,
        }
    })?;
    event.token_name = Some(Arc::clone(&caller.grant().token_name));
    Ok(caller)
}
