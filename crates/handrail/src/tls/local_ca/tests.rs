//! The local CA over its life: kept, renewed, given another name, and never readable by others.

use super::*;

const NOW: Instant = Instant::from_unix_millis(1_790_000_000_000);

fn later(days: i64) -> Instant {
    Instant::from_unix_millis(NOW.unix_millis() + days * DAY_S * 1000)
}

#[test]
fn is_kept_between_starts_and_renewed_before_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let first = leaf(directory.path(), "127.0.0.1", NOW).unwrap();
    let again = leaf(directory.path(), "127.0.0.1", later(LEAF_LIFE_DAYS - RENEW_DAYS - 1)).unwrap();
    assert_eq!(first.chain, again.chain);
    let renewed = leaf(directory.path(), "127.0.0.1", later(LEAF_LIFE_DAYS - RENEW_DAYS + 1)).unwrap();
    assert_ne!(first.chain, renewed.chain);
    let ca = fs::read_to_string(ca_path(directory.path())).unwrap();
    assert!(renewed.chain.ends_with(&ca), "the CA stays, so clients keep trusting");
}

#[test]
fn another_listen_host_gets_a_leaf_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let first = leaf(directory.path(), "127.0.0.1", NOW).unwrap();
    let named = leaf(directory.path(), "fhir.example.org", NOW).unwrap();
    assert_ne!(first.chain, named.chain);
    let der = CertificateDer::from_pem_slice(named.chain.as_bytes()).unwrap();
    let certificate = rustls::server::ParsedCertificate::try_from(&der).unwrap();
    for name in ["localhost", "127.0.0.1", "::1", "fhir.example.org"] {
        rustls::client::verify_server_name(&certificate, &name.try_into().unwrap()).unwrap();
    }
}

#[test]
fn an_unspecified_address_is_no_name() {
    assert_eq!(names("0.0.0.0"), names("127.0.0.1"));
    assert_eq!(names("::"), names("::1"));
}

#[cfg(unix)]
#[test]
fn keys_are_readable_by_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    leaf(directory.path(), "localhost", NOW).unwrap();
    for key in ["tls/ca.key", "tls/server.key"] {
        let mode = fs::metadata(directory.path().join(key)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
}
