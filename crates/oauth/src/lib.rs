//! OAuth 2.0, SMART App Launch and Backend Services as protocol, without any I/O.
//!
//! - [`scope`]: the SMART scope grammar, v1 and v2, and what a request gets (rows B30 to B36, C11).
//! - [`jws`], [`jwk`], [`sign`]: signatures and keys (rows C2, C6, C7). [`strict_json`]: the JSON under them.
//! - [`client_assertion`]: a client proves who it is (rows C1 to C5).
//! - [`certificate`]: what a client certificate says of its holder (row A7).
//! - [`form`], [`token_request`], [`introspection`], [`revocation`]: what is asked of the authorization server.
//! - [`error`], [`discovery`]: what it answers.
//! - [`caller`]: the proof that a request was authenticated; only [`bearer`] makes one (rows A8, B63, B64).
//!   [`launch_context`]: what was in context when a person let an app in (row B50).
//!
//! Pure: no I/O, no clock; time and keys come in as arguments.

pub mod bearer;
pub mod caller;
pub mod certificate;
pub mod client_assertion;
pub mod discovery;
pub mod error;
pub mod form;
pub mod introspection;
pub mod jwk;
pub mod jws;
pub mod launch_context;
pub mod limits;
pub mod revocation;
pub mod scope;
pub mod sign;
pub mod strict_json;
pub mod token_request;

pub use caller::Caller;
