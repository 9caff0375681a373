//! OAuth 2.0, SMART App Launch and Backend Services as protocol, without any I/O.
//!
//! - [`scope`]: the SMART scope grammar, v1 and v2 (rows B30 to B36).
//! - [`caller`]: the proof that a request was authenticated; only [`bearer`] makes one.
//! - [`bearer`]: the resource server's side (rows B63, B64).
//!
//! Pure: time, keys and randomness come in as arguments.

pub mod bearer;
pub mod caller;
pub mod scope;

pub use caller::Caller;
