//! The authorization server: discovery, token, introspection, revocation, clients and keys.
//!
//! - [`service`]: the route table and the door: every answer is an [`audit::Audited`] one.
//! - [`client`]: registered clients, durable, read through an in-memory copy.
//! - [`egress`]: the one way out, implemented by the binary.
//!
//! SPEC: SMART Backend Services; RFC 6749, 7009, 7523, 7662, 8414; rows B1 to B6, B46, B61, B67 to B69, C1 to C13.
//! Left out until people come (issue 5): authorize, login, consent, OpenID Connect.

pub mod client;
pub mod egress;
pub mod limits;
pub mod service;

pub use client::{Client, ClientError, NewClient, NewKeys};
pub use service::{Parts, Service, StartError};
