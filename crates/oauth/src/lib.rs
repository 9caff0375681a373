//! OAuth 2.0, SMART App Launch and Backend Services as protocol, without any I/O.
//!
//! - [`scope`]: the SMART scope grammar, v1 and v2, what a request gets, what a person may give (rows B30 to B36, C11).
//!   [`granular`]: finer scopes in place of a whole type (row B27).
//! - [`jws`], [`jwk`], [`sign`]: signatures and keys (rows C2, C6, C7). [`strict_json`]: the JSON under them.
//!   [`secret`]: texts that are never shown.
//! - [`authorization_request`], [`authorization_response`], [`pushed_authorization`], [`redirect_uri`], [`pkce`],
//!   [`audience`]: a person lets an app in (rows B11, B16 to B21).
//! - [`client_authentication`], [`client_assertion`], [`dpop`]: a client proves who it is (rows A7, B12, C1 to C5).
//!   [`certificate`], [`self_signed`]: by a certificate. [`fapi2`]: the rules of a stricter profile.
//! - [`client_metadata`], [`web_url`]: a client registers (rows B13, B14). [`ehr_launch`]: it is opened (row B23).
//!   [`brands`]: whose server this is, for apps (row B70).
//! - [`x509`]: certificates, chains, revocation (rows D7 to D11).
//! - [`form`], [`token_request`], [`introspection`], [`revocation`]: what is asked of the authorization server.
//! - [`error`], [`token_response`], [`id_token`], [`discovery`], [`openid_discovery`]: what it answers.
//! - [`ocsp_responder`], [`crl_issuer`], [`der`]: what a certification authority tells of its certificates (row D9).
//! - [`openid_provider`]: a person signs in elsewhere; this server is the client.
//! - [`udap`]: organizations that meet by certificates (rows D).
//! - [`caller`]: the proof that a request was authenticated; only [`bearer`] makes one (rows A8, B63, B64).
//!   [`launch_context`]: what was in context when a person let an app in (row B50).
//!
//! Pure: no I/O, no clock; time and keys come in as arguments.

pub mod audience;
pub mod authorization_request;
pub mod authorization_response;
pub mod bearer;
pub mod brands;
pub mod caller;
pub mod certificate;
pub mod client_assertion;
pub mod client_authentication;
pub mod client_metadata;
pub mod crl_issuer;
pub mod der;
pub mod discovery;
pub mod dpop;
pub mod ehr_launch;
pub mod error;
pub mod fapi2;
pub mod form;
pub mod granular;
pub mod id_token;
pub mod introspection;
pub mod jwk;
pub mod jws;
pub mod launch_context;
pub mod limits;
pub mod ocsp_responder;
pub mod openid_discovery;
pub mod openid_provider;
pub mod pkce;
pub mod pushed_authorization;
pub mod redirect_uri;
pub mod revocation;
pub mod scope;
pub mod secret;
pub mod self_signed;
pub mod sign;
pub mod strict_json;
pub mod token_request;
pub mod token_response;
pub mod udap;
pub mod web_url;
pub mod x509;

pub use caller::Caller;

/// A lab's certificates, from the crate of tests, which knows this one.
#[cfg(test)]
#[path = "../../testkit/src/pki.rs"]
pub mod pki;
