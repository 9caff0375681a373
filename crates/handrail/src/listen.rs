//! Where to listen: `HOST:PORT`, with a name or an address, port 0 for a free one.

use std::{fmt, io, net::SocketAddr, str::FromStr};
use tokio::net::lookup_host;

/// A host as the operator wrote it, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listen {
    host: String,
    port: u16,
}

/// Text that is no place to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoListen;

impl fmt::Display for NoListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected HOST:PORT, such as 127.0.0.1:8443, [::1]:8443 or 0.0.0.0:443")
    }
}

impl std::error::Error for NoListen {}

impl FromStr for Listen {
    type Err = NoListen;

    fn from_str(text: &str) -> Result<Self, NoListen> {
        let (host, port) = text.rsplit_once(':').ok_or(NoListen)?;
        let port = port.parse().map_err(|_| NoListen)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        let fits = match bare {
            Some(host) => host.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.'),
        };
        if fits { Ok(Self { host: host.to_ascii_lowercase(), port }) } else { Err(NoListen) }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", in_url(&self.host), self.port)
    }
}

impl Listen {
    /// The host that a client on this machine can name: `localhost` for "all addresses".
    pub(crate) fn host(&self) -> &str {
        if matches!(self.host.as_str(), "0.0.0.0" | "::") { "localhost" } else { &self.host }
    }

    /// Where `demo` and `serve` listen when nothing else is said.
    pub(crate) fn usual() -> Self {
        Self { host: "127.0.0.1".into(), port: 8443 }
    }

    /// The same host, any free port.
    pub(crate) fn on_any_port(&self) -> Self {
        Self { port: 0, ..self.clone() }
    }

    /// The first address of the host.
    ///
    /// # Errors
    /// When it has none.
    pub(crate) async fn address(&self) -> io::Result<SocketAddr> {
        let mut found = lookup_host((self.host.as_str(), self.port)).await?;
        found.next().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the host has no address"))
    }

    /// The FHIR base below this host, on the port that was taken.
    pub(crate) fn base_url(&self, port: u16) -> String {
        format!("https://{}:{port}/fhir", in_url(self.host()))
    }
}

/// Brackets around an IPv6 address.
fn in_url(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_and_addresses() {
        for (text, base) in [
            ("127.0.0.1:0", "https://127.0.0.1:9/fhir"),
            ("localhost:8443", "https://localhost:9/fhir"),
            ("[::1]:8443", "https://[::1]:9/fhir"),
            ("0.0.0.0:8443", "https://localhost:9/fhir"),
            ("[::]:8443", "https://localhost:9/fhir"),
        ] {
            let listen: Listen = text.parse().unwrap();
            assert_eq!((listen.to_string().as_str(), listen.base_url(9).as_str()), (text, base));
        }
    }

    #[test]
    fn refuses_what_is_neither() {
        for text in ["", "8443", ":8443", "localhost", "::1:8443", "a b:1", "localhost:99999", "https://a:1"] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }
}
