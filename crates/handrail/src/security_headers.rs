//! Headers that protect whoever reads an answer in a browser. SPEC: rows A4, A18, A19.
//!
//! Set on every response, unless the page that made it has set a stricter or fitting one itself
//! (discovery documents may be cached, the authorization server's pages have their own policy).

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// What differs between servers.
#[derive(Debug, Clone)]
pub(crate) struct SecurityHeaders {
    transport: HeaderValue,
}

impl SecurityHeaders {
    /// `local`: the certificate is the local CA's. A browser that trusts that CA must not be bound to
    /// HTTPS on `localhost` for a year, so the promise is kept to five minutes then.
    pub(crate) fn new(local: bool, include_subdomains: bool) -> Self {
        let transport = HeaderValue::from_static(match (local, include_subdomains) {
            (true, _) => "max-age=300",
            (false, false) => "max-age=31536000",
            (false, true) => "max-age=31536000; includeSubDomains",
        });
        Self { transport }
    }

    /// Completes the headers of a response.
    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        let fixed: [(HeaderName, &'static str); 6] = [
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::CACHE_CONTROL, "no-store"),
            (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (header::REFERRER_POLICY, "no-referrer"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        ];
        for (name, value) in fixed {
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
        headers.insert(header::STRICT_TRANSPORT_SECURITY, self.transport.clone());
        // No banner: which server this is, and which version, is nobody's business (row A19).
        headers.remove(header::SERVER);
    }
}
