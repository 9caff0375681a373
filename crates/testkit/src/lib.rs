//! What tests share: a clock that stands still, ids that count, tokens of any scope, a lab's certificates, and the
//! FHIR service in process over a store in a directory that vanishes.
//!
//! Only tests depend on this crate; it may panic.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops"
)]

mod clock;
pub mod crash;
mod dice;
pub mod pki;
pub mod reference;
mod reply;
mod request;
mod server;
mod tokens;
pub mod twin;

pub use clock::Clock;
pub use oauth::caller::Role;
pub use reply::Reply;
pub use request::Request;
pub use server::Server;
pub use tokens::{Person, Tokens};
