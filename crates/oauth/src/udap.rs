//! UDAP: trust between organizations that have never met. SPEC: HL7 FHIR UDAP Security 1.0, 1.1 and 2.0; rows D.
//!
//! - [`x5c`]: JWTs that bring their certificates along (row D8). `claims`: what all of them have.
//! - [`metadata`]: what a server says of itself, plain and signed (rows D2 to D4).
//! - [`statement`], [`certification`]: a client registers (rows D14 to D20).
//! - [`assertion`]: it proves who it is (rows D25, D26).
//! - [`purpose`], [`b2b`]: why a system asks, and for whom (rows D27 to D29).
//! - [`tiered`]: people sign in at another member's server (rows D34 to D39).
//!
//! Whether a chain of certificates leads to an anchor, and whether its names are those that are claimed, is not decided
//! here: readers take the key of the first certificate, and the caller has the chain vouched for.

pub mod assertion;
pub mod b2b;
pub mod certification;
mod claims;
pub mod metadata;
pub mod purpose;
pub mod statement;
pub mod tiered;
pub mod x5c;

pub use claims::ClaimError;

/// A URI with a scheme. SPEC: RFC 3986 section 3; row D6: compared to the letter everywhere, never normalized.
#[must_use]
pub fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte))
}

/// Parts that the tests of this module share.
#[cfg(test)]
mod testing {
    use crate::{jws::Algorithm, sign::PrivateKey};
    use std::sync::LazyLock;

    /// Now, in the tests.
    pub(super) const NOW_S: i64 = 1_900_000_000;

    /// A key of the kind that everybody must take.
    pub(super) static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(Algorithm::Rs256).unwrap());

    /// Another one.
    pub(super) static OTHER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(Algorithm::Es256).unwrap());

    /// What stands for a certificate where nobody reads it.
    pub(super) fn chain() -> Vec<Vec<u8>> {
        vec![b"leaf".to_vec(), b"authority".to_vec()]
    }
}
