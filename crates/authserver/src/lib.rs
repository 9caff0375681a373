//! The authorization server: discovery, token, introspection, revocation, clients and keys.
//!
//! - `service`: what it is made of. `door`: every answer is an [`audit::Audited`] one. `routes`: the table of paths.
//! - `operator`: what a command on this machine does: clients, keys. `registering`: changes to the register of clients.
//! - `endpoint`: one file each. `authentication`: who a client is. `outcome`: the only place that chooses a status.
//! - [`client`]: registered clients, durable, read through an in-memory copy. `jwks_source`: their keys by URL.
//! - [`glasses`]: who broke the glass, and what became of it.
//! - `live_tokens`, `used_assertions`, `keys`: what lasts, on `tables`. `rate`, [`limits`]: how much of it.
//! - [`udap`]: trust communities.
//! - [`egress`]: the one way out, implemented by the binary. [`outside`]: an OpenID provider that people sign in through.
//!
//! SPEC: SMART App Launch 2.2; OpenID Connect Core; RFC 6749, 7009, 7523, 7591, 7636, 7662, 8414, 8705, 9126, 9207, 9449;
//! rows A, B, C and E. Left out: request objects (RFC 9101), UDAP.

mod authentication;
mod brands;
mod choices;
pub mod client;
pub mod client_certificate;
mod codes;
mod door;
mod drafts;
pub mod egress;
mod ending;
mod endpoint;
mod event;
mod families;
pub mod glasses;
mod jwks_source;
mod keys;
mod launches;
mod ledger;
pub mod limits;
mod live_tokens;
mod logos;
mod operator;
mod outcome;
pub mod outside;
mod page;
pub mod people;
mod persons;
mod proofs;
mod random;
mod rate;
mod records;
mod registering;
mod routes;
mod service;
mod single_use;
mod tables;
#[cfg(test)]
mod testing;
mod token;
pub mod udap;
mod used_assertions;

pub use brands::Branding;
pub use choices::Desk;
pub use client::{
    AddressFault, Binding, Certificate, Client, ClientError, Invitation, Keys, Kind, KindName, NewCertificate,
    NewClient, NewInvitation, NewKeys, NewKind, NewSecret, OwnRegistration, Reach, Udap, Unfit,
};
pub use door::Answered;
pub use glasses::{Case, GlassRules};
pub use ledger::Watching;
pub use registering::Added;
pub use routes::{Endpoint, ROUTES, Route};
pub use service::{Facility, Parts, Service, StartError};
pub use tables::NOT_RESTORED;
pub use udap::community::{Approval, Community, CommunityError, NewCommunity, Profile, WhenUnavailable};
