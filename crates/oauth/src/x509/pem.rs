//! PEM around one DER value. SPEC: RFC 7468.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The DER in the first block of this label; `None` when there is none.
pub(super) fn first(text: &[u8], label: &str) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let body: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(body).ok()
}
