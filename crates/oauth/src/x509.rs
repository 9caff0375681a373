//! X.509: what certificates say, whether a chain of them ends in an anchor, and whether one was revoked. SPEC: RFC 5280,
//! RFC 6960; rows D7 to D11.
//!
//! - [`Certificate`]: one certificate as facts. Bytes are read by [`crate::der`].
//! - [`Anchors::chain`]: a chain from a leaf to an anchor, with every rule of row D10.
//! - [`crl`], [`ocsp`]: what an authority says of the certificates that it gave out; [`Status`].
//!
//! WHY not rustls-webpki, which is in the tree: it refuses whatever an authority with URI or directory name constraints
//! gave out, looks at no key usage and no end of an anchor, and knows no delta lists and no OCSP. WHY not x509-parser:
//! what must be signed to the byte is better read by a reader that takes one encoding alone.
//!
//! Left out, and refused where a certificate makes it critical: policy constraints. Policies themselves mean nothing
//! here, for none is asked for. Names chain by their bytes, as they do everywhere in practice.

mod certificate;
mod chain;
pub mod crl;
mod name;
mod name_constraints;
pub mod ocsp;
mod pem;
mod san;
mod scheme;

pub use certificate::{Certificate, CertificateError};
pub use chain::{Anchors, AnchorsError, Chain, ChainError};
pub use san::Unnamed;

/// What an authority says of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is not revoked. The word counts until then, in seconds since the epoch.
    Good {
        /// `nextUpdate`.
        until_s: i64,
    },
    /// It is revoked.
    Revoked {
        /// Since when, in seconds since the epoch.
        since_s: i64,
        /// How long the word counts: another one may take it back (reason `certificateHold`).
        until_s: i64,
    },
    /// It says nothing of this certificate.
    Unknown,
}

#[cfg(test)]
mod tests;
