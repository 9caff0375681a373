//! UDAP: trust between organizations that have never met. SPEC: HL7 FHIR UDAP Security 1.0, 1.1 and 2.0; rows D.
//!
//! - [`purpose`], [`b2b`]: why a system asks, and for whom (rows D27 to D29).
//!
//! Whether a chain of certificates leads to an anchor is not decided here.

pub mod b2b;
pub mod purpose;

/// A URI with a scheme. SPEC: RFC 3986 section 3; row D6: compared to the letter everywhere, never normalized.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte))
}
