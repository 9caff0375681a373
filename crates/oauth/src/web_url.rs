//! URLs that a registration names for people or for fetching: logos, pages, key sets. SPEC: RFC 7591 section 2; rows F60,
//! F61. Shape only: which addresses may be reached is for whoever fetches.

use crate::redirect_uri::{host_and_port, is_host_name, percent_signs_are_whole};

/// Bytes of such a URL: what every browser takes.
const BYTES_MAX: usize = 2048;

/// Whether this is an https URL with a host and nothing that could mislead: no user name, no fragment, no character
/// that a URL may not have.
#[must_use]
pub fn is_https(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else { return false };
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&byte);
    if url.len() > BYTES_MAX || !url.bytes().all(legal) || !percent_signs_are_whole(url) {
        return false;
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return false;
    }
    host_and_port(authority).is_some_and(|(host, port)| {
        (host.starts_with('[') || is_host_name(host)) && port.is_none_or(|port| port.parse::<u16>().is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::is_https;

    #[test]
    fn shapes() {
        for good in ["https://a.example", "https://a.example:8443/x?y=z", "https://[::1]/x", "https://a.example/%20"] {
            assert!(is_https(good), "{good}");
        }
        for bad in [
            "http://a.example",
            "https://",
            "https:///x",
            "https://a@b.example/",
            "https://a.example/#x",
            "https://a.example/<x>",
            "https://a.example/\"",
            "https://a.example\\x",
            "https://a.example:port",
            "https://a.example:70000",
            "https://a b.example",
            "https://a.example/%2",
            "javascript:alert(1)",
            "data:image/svg+xml,x",
            "//a.example",
        ] {
            assert!(!is_https(bad), "{bad}");
        }
        assert!(!is_https(&format!("https://a.example/{}", "a".repeat(2048))));
    }
}
