//! Rows A1, A2, A3, A5 on the wire.

use crate::support::{Server, handshake, tls};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// A ClientHello of this version with suites that servers of its time took, and no list of newer versions.
fn old_hello(version: [u8; 2]) -> Vec<u8> {
    let suites = [0xc0, 0x14, 0xc0, 0x13, 0x00, 0x35, 0x00, 0x2f, 0x00, 0x0a];
    let mut body = version.to_vec();
    body.extend_from_slice(&[7; 32]);
    body.push(0);
    body.extend_from_slice(&[0, suites.len() as u8]);
    body.extend_from_slice(&suites);
    body.extend_from_slice(&[1, 0]);
    let groups = [0x00, 0x0a, 0x00, 0x04, 0x00, 0x02, 0x00, 0x17];
    body.extend_from_slice(&[0, groups.len() as u8]);
    body.extend_from_slice(&groups);
    let mut handshake = vec![1, 0, 0, body.len() as u8];
    handshake.extend_from_slice(&body);
    let mut record = vec![22, 3, 1, 0, handshake.len() as u8];
    record.extend_from_slice(&handshake);
    record
}

#[tokio::test]
async fn a1_older_versions_are_refused() {
    let server = Server::start();
    for version in [[3, 0], [3, 1], [3, 2]] {
        let mut tcp = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
        tcp.write_all(&old_hello(version)).await.unwrap();
        let mut answer = Vec::new();
        let _ = timeout(Duration::from_secs(10), tcp.read_to_end(&mut answer)).await.unwrap();
        // An alert record (21): fatal (2), handshake_failure (40) or protocol_version (70). Never a ServerHello (22).
        assert_eq!(answer.first(), Some(&21), "version {version:?}: {answer:?}");
        assert!(matches!(answer.get(5..7), Some([2, 40 | 70])), "version {version:?}: {answer:?}");
    }
}

#[tokio::test]
async fn a1_a2_tls_1_2_and_1_3_are_spoken_with_forward_secret_suites() {
    let server = Server::start();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let stream = handshake(server.port, tls(&server.ca(), &[version], &[])).await.unwrap();
        let session = stream.get_ref().1;
        assert_eq!(session.protocol_version(), Some(version.version));
        let suite = format!("{:?}", session.negotiated_cipher_suite().unwrap().suite());
        assert!(suite.starts_with("TLS13_") || suite.starts_with("TLS_ECDHE_"), "{suite}");
        assert!(suite.contains("GCM") || suite.contains("CHACHA20"), "{suite}");
    }
}

#[tokio::test]
async fn a3_plain_http_gets_no_answer() {
    let server = Server::start();
    let mut tcp = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    tcp.write_all(b"GET /fhir/metadata HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(10), tcp.read_to_end(&mut answer)).await.unwrap();
    assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
}

#[tokio::test]
async fn a5_a_new_certificate_is_taken_up_without_a_restart() {
    let own = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned(), name.to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        std::fs::write(own.path().join("server.pem"), &certificate).unwrap();
        std::fs::write(own.path().join("server.key"), key.serialize_pem()).unwrap();
        std::fs::write(own.path().join(format!("{name}.pem")), &certificate).unwrap();
    };
    write("one.example");
    let config = own.path().join("handrail.toml");
    std::fs::write(&config, "[tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\n").unwrap();
    let server = Server::on(&own.path().join("data"), &["--config", config.to_str().unwrap()]);
    assert!(!server.ca().exists(), "no local CA beside certificate files");
    let trusts = |name: &str| tls(&own.path().join(format!("{name}.pem")), rustls::ALL_VERSIONS, &[]);
    handshake(server.port, trusts("one.example")).await.unwrap();
    write("two.example");
    server.signal("HUP");
    let taken_up = async {
        while handshake(server.port, trusts("two.example")).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), taken_up).await.unwrap();
}
