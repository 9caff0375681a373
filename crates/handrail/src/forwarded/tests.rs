//! A9: who may say by a header what certificate a client has, and what becomes of the header.

use super::*;

const DER: &[u8] = b"\x30\x03leaf";

fn proxies(form: Form, header: &'static str) -> Proxies {
    let networks = vec!["10.2.0.0/24".parse().unwrap(), "fd00::/8".parse().unwrap()];
    Proxies { networks, form, header: HeaderName::from_static(header) }
}

fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    let field = |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
    fields.iter().map(field).collect()
}

/// What is read of these headers, and the names of those that are left.
fn taken(fields: &[(&'static str, &str)], proxies: Option<&Proxies>, peer: &str) -> (Forwarded, Vec<String>) {
    let mut headers = headers(fields);
    let outcome = Forwarded::take(&mut headers, proxies, peer.parse().unwrap());
    (outcome, headers.keys().map(ToString::to_string).collect())
}

#[test]
fn a_header_counts_from_a_proxy_alone_and_is_always_taken_away() {
    let proxies = proxies(Form::Rfc9440, "client-cert");
    let value = format!(":{}:", STANDARD.encode(DER));
    let fields = [("client-cert", value.as_str()), ("client-cert-chain", value.as_str()), ("accept", "*/*")];
    let left = vec!["accept".to_owned()];
    let chain = vec![DER.to_vec(), DER.to_vec()];
    for proxy in ["10.2.0.7", "fd00::1", "::ffff:10.2.0.7"] {
        assert_eq!(taken(&fields, Some(&proxies), proxy), (Forwarded::ByProxy(Some(chain.clone())), left.clone()));
    }
    for other in ["10.2.1.7", "127.0.0.1", "::1", "::ffff:10.3.0.1"] {
        assert_eq!(taken(&fields, Some(&proxies), other), (Forwarded::Direct, left.clone()), "{other}");
    }
    assert_eq!(taken(&fields, None, "10.2.0.7"), (Forwarded::Direct, left));
}

#[test]
fn a_header_of_another_name_is_taken_away_too() {
    let proxies = proxies(Form::EscapedPem, "x-client-cert");
    let fields = [("x-client-cert", "a"), ("client-cert", "b")];
    assert_eq!(taken(&fields, Some(&proxies), "192.0.2.1"), (Forwarded::Direct, Vec::new()));
    assert_eq!(taken(&[("client-cert", "b")], Some(&proxies), "10.2.0.1"), (Forwarded::ByProxy(None), Vec::new()));
}

#[test]
fn what_a_proxy_sends_twice_or_wrongly_is_refused() {
    let proxies = proxies(Form::Rfc9440, "client-cert");
    let value = format!(":{}:", STANDARD.encode(DER));
    let bare = STANDARD.encode(DER);
    let long = [value.as_str(); limits::CHAIN_MAX + 1].join(", ");
    for fields in [
        vec![("client-cert", value.as_str()), ("client-cert", value.as_str())],
        vec![("client-cert", bare.as_str())],
        vec![("client-cert", "::")],
        vec![("client-cert", ":not base64:")],
        vec![("client-cert", "")],
        vec![("client-cert", value.as_str()), ("client-cert-chain", "x")],
        vec![("client-cert", value.as_str()), ("client-cert-chain", long.as_str())],
    ] {
        assert_eq!(taken(&fields, Some(&proxies), "10.2.0.7").0, Forwarded::Malformed, "{fields:?}");
    }
    assert_eq!(taken(&[], Some(&proxies), "10.2.0.7").0, Forwarded::ByProxy(None));
}

#[test]
fn the_form_of_nginx_is_read() {
    let proxies = proxies(Form::EscapedPem, "x-client-cert");
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(DER));
    let escaped = percent_encoding::utf8_percent_encode(&pem, percent_encoding::NON_ALPHANUMERIC).to_string();
    let read = |value: &str| taken(&[("x-client-cert", value)], Some(&proxies), "10.2.0.7").0;
    assert_eq!(read(&escaped), Forwarded::ByProxy(Some(vec![DER.to_vec()])));
    assert_eq!(read(""), Forwarded::ByProxy(None));
    assert_eq!(read("%zz"), Forwarded::Malformed);
    assert_eq!(read("-----BEGIN"), Forwarded::Malformed);
}
