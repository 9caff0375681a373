//! The endpoints, one file each.

pub(crate) mod account;
pub(crate) mod authorize;
pub(crate) mod bearer;
pub(crate) mod discovery;
pub(crate) mod introspect;
pub(crate) mod jwks;
pub(crate) mod register;
pub(crate) mod revoke;
pub(crate) mod token;
pub(crate) mod udap_discovery;
pub(crate) mod udap_register;
pub(crate) mod userinfo;

use crate::{client_certificate, event::Event, outcome::Refusal};
use bytes::Bytes;
use http::Response;

/// What an endpoint that takes a form comes to: an answer or a refusal, with the event to be recorded.
pub(crate) struct Outcome {
    pub(crate) answer: Result<Response<Bytes>, Refusal>,
    pub(crate) event: Event,
}

impl Outcome {
    pub(crate) fn refused(refusal: Refusal, event: Event) -> Self {
        Self { answer: Err(refusal), event }
    }
}

/// A form request, as far as HTTP is concerned.
pub(crate) struct Posted {
    /// The form.
    pub(crate) form: oauth::form::Form,
    /// The `Authorization` field. Several of them, or one that is no text, are refused before.
    pub(crate) authorization: Option<String>,
    /// The certificate of the connection.
    pub(crate) certificate: Option<client_certificate::Presented>,
    /// The `DPoP` field. Several of them are refused before.
    pub(crate) dpop: Option<String>,
}

impl Posted {
    /// Whether the client tried HTTP Basic.
    pub(crate) fn tries_basic(&self) -> bool {
        self.authorization
            .as_deref()
            .and_then(|field| field.get(..6))
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic "))
    }
}
