//! A client's certificate as a trusted proxy hands it on. SPEC: RFC 9440 (`Client-Cert`, `Client-Cert-Chain`); row A9.
//!
//! A proxy that ends TLS must take such headers of its clients away; this server does the same with those of everyone
//! who is not one of the configured proxies. What a proxy hands on is examined here as if it came in a handshake.
//! Left out: `X-Forwarded-For`, `Forwarded` and other headers of proxies; none of them is believed.

use crate::{egress::Network, limits};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::net::IpAddr;

/// How a certificate is written in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `:BASE64:` of its DER, the rest of the chain in `Client-Cert-Chain`.
    Rfc9440,
    /// PEM, percent-encoded: `$ssl_client_escaped_cert` of nginx.
    EscapedPem,
}

/// The proxies that may hand on a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proxies {
    /// Where they are.
    pub(crate) networks: Vec<Network>,
    /// How they write it.
    pub(crate) form: Form,
    /// Where they write it.
    pub(crate) header: HeaderName,
}

const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");
const CLIENT_CERT_CHAIN: HeaderName = HeaderName::from_static("client-cert-chain");

/// What the headers of a request say of its certificate.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Forwarded {
    /// It does not come from a proxy: they say nothing.
    Direct,
    /// A proxy's client, with the chain in DER that it has, if any.
    ByProxy(Option<Vec<Vec<u8>>>),
    /// A proxy sent what cannot be read, or several where one is meant: perhaps its client's own.
    Malformed,
}

impl Forwarded {
    /// Takes those headers away, and reads them when the peer is a proxy.
    pub(crate) fn take(headers: &mut HeaderMap, proxies: Option<&Proxies>, peer: IpAddr) -> Self {
        let peer = peer.to_canonical();
        let by_proxy = proxies.filter(|proxies| proxies.networks.iter().any(|network| network.contains(peer)));
        let outcome = by_proxy.map_or(Self::Direct, |proxies| proxies.read(headers));
        headers.remove(CLIENT_CERT);
        headers.remove(CLIENT_CERT_CHAIN);
        if let Some(proxies) = proxies {
            headers.remove(&proxies.header);
        }
        outcome
    }
}

impl Proxies {
    fn read(&self, headers: &HeaderMap) -> Forwarded {
        let mut fields = headers.get_all(&self.header).iter();
        let field = match (fields.next(), fields.next()) {
            (None, _) => return Forwarded::ByProxy(None),
            (Some(field), None) => field.as_bytes().trim_ascii(),
            (Some(_), Some(_)) => return Forwarded::Malformed,
        };
        let chain = match self.form {
            // nginx sends an empty field where there is no certificate.
            Form::EscapedPem if field.is_empty() => return Forwarded::ByProxy(None),
            Form::EscapedPem => escaped_pem(field),
            Form::Rfc9440 => chain(field, headers),
        };
        chain.map_or(Forwarded::Malformed, |chain| Forwarded::ByProxy(Some(chain)))
    }
}

fn escaped_pem(field: &[u8]) -> Option<Vec<Vec<u8>>> {
    let pem: Vec<u8> = percent_decode(field).collect();
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).map(|der| der.map(|der| der.to_vec())).collect();
    all.ok().filter(|all| (1..=limits::CHAIN_MAX).contains(&all.len()))
}

fn chain(field: &[u8], headers: &HeaderMap) -> Option<Vec<Vec<u8>>> {
    let mut all = vec![binary(field)?];
    for field in headers.get_all(CLIENT_CERT_CHAIN) {
        for item in field.as_bytes().split(|byte| *byte == b',') {
            all.push(binary(item.trim_ascii())?);
            if all.len() > limits::CHAIN_MAX {
                return None;
            }
        }
    }
    Some(all)
}

/// A byte sequence of RFC 8941: `:BASE64:`. Parameters are not for certificates.
fn binary(item: &[u8]) -> Option<Vec<u8>> {
    let inside = item.strip_prefix(b":")?.strip_suffix(b":")?;
    STANDARD.decode(inside).ok().filter(|der| !der.is_empty())
}

#[cfg(test)]
mod tests;
