//! Rows A1, A2, A3, A5 on the wire.

use crate::support::{Http, Server, handshake, run, stdout, tls};
use oauth::ocsp_responder;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
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
    old_versions_are_refused(server.port).await;
}

/// SSL 3.0, TLS 1.0 and 1.1 get an alert.
pub(crate) async fn old_versions_are_refused(port: u16) {
    for version in [[3, 0], [3, 1], [3, 2]] {
        let mut tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
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

/// Certificate files of the operator, and a server on them with metrics.
struct Own {
    folder: tempfile::TempDir,
    server: Server,
}

impl Own {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("handrail.toml");
        let text = "[tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\n[metrics]\nlisten = \"127.0.0.1:0\"\n";
        std::fs::write(&config, text).unwrap();
        Self::write(folder.path(), "one.example");
        let server = Server::on(&folder.path().join("data"), &["--config", config.to_str().unwrap()]);
        Self { folder, server }
    }

    /// A new pair of this name in the files, and a copy of its certificate to trust.
    fn write(folder: &Path, name: &str) {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned(), name.to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        std::fs::write(folder.join("server.pem"), &certificate).unwrap();
        std::fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
        std::fs::write(folder.join(format!("{name}.pem")), &certificate).unwrap();
    }

    fn ca(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.pem"))
    }

    /// Whether a new connection is answered with the certificate of this name.
    async fn serves(&self, name: &str) -> bool {
        handshake(self.server.port, tls(&self.ca(name), rustls::ALL_VERSIONS, &[])).await.is_ok()
    }

    /// SIGHUP, and waits until the files were read that often with this outcome.
    async fn reload(&self, outcome: &str, times: f64) {
        self.server.signal("HUP");
        let series = format!("handrail_certificate_reloads_total{{outcome=\"{outcome}\"}}");
        let seen = async {
            while self.server.metrics().value(&series) != times {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(20), seen).await.unwrap();
    }
}

#[tokio::test]
async fn a5_a_new_certificate_reaches_new_connections_and_open_ones_live_on() {
    let own = Own::start();
    assert!(!own.server.ca().exists(), "no local CA beside certificate files");
    let mut open = Http::connect(own.server.port, &own.ca("one.example"), false).await;
    assert_eq!(open.get("/livez", &[]).await.status, 200);
    Own::write(own.folder.path(), "two.example");
    own.reload("taken", 1.0).await;
    assert!(own.serves("two.example").await && !own.serves("one.example").await);
    assert_eq!(open.get("/livez", &[]).await.status, 200, "the open connection goes on");
}

#[tokio::test]
async fn a5_a_certificate_that_cannot_be_used_leaves_the_old_one() {
    let mut own = Own::start();
    let ends = own.server.metrics().value("handrail_certificate_not_after_timestamp_seconds");
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    std::fs::write(own.folder.path().join("server.key"), &key).unwrap();
    own.reload("refused", 1.0).await;
    std::fs::write(own.folder.path().join("server.pem"), "-----BEGIN CERTIFICATE-----\ncut").unwrap();
    own.reload("refused", 2.0).await;
    std::fs::remove_file(own.folder.path().join("server.pem")).unwrap();
    own.reload("refused", 3.0).await;
    assert!(own.serves("one.example").await);
    let metrics = own.server.metrics();
    assert_eq!(metrics.value("handrail_certificate_stale"), 1.0);
    assert_eq!(metrics.value("handrail_certificate_not_after_timestamp_seconds"), ends);
    Own::write(own.folder.path(), "two.example");
    own.reload("taken", 1.0).await;
    assert_eq!(own.server.metrics().value("handrail_certificate_stale"), 0.0);
    assert!(own.serves("two.example").await);
    own.server.stop("TERM");
    let log = own.server.log();
    assert_eq!(log.matches("the new certificate cannot be used; the old one stays").count(), 3, "{log}");
    assert_eq!(log.matches("the certificate was renewed").count(), 1, "{log}");
    assert!(!log.contains(key.lines().nth(1).unwrap()), "{log}");
}

#[tokio::test]
async fn a5_a_client_gets_the_certificate_of_the_host_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, names: &[&str]| {
        let key = rcgen::KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        std::fs::write(folder.path().join(format!("{file}.pem")), certificate.pem()).unwrap();
        std::fs::write(folder.path().join(format!("{file}.key")), key.serialize_pem()).unwrap();
        certificate.der().clone()
    };
    let first = write("first", &["one.example"]);
    let second = write("second", &["two.example", "*.three.example"]);
    let config = folder.path().join("handrail.toml");
    let text =
        "[tls]\ncertificate = \"first.pem\"\nkey = \"first.key\"\nmore_certificates = [\"second.pem=second.key\"]\n";
    std::fs::write(&config, text).unwrap();
    let server = Server::on(&folder.path().join("data"), &["--config", config.to_str().unwrap()]);
    let mut client = tls(&folder.path().join("first.pem"), rustls::ALL_VERSIONS, &[]);
    let seen = std::sync::Arc::new(crate::support::Seen::default());
    client.dangerous().set_certificate_verifier(std::sync::Arc::clone(&seen) as _);
    let client = std::sync::Arc::new(client);
    for (host, expected) in [
        ("one.example", &first),
        ("two.example", &second),
        ("TWO.example", &second),
        ("a.three.example", &second),
        ("a.b.three.example", &first),
        ("other.example", &first),
        ("127.0.0.1", &first),
    ] {
        let tcp = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
        let name = rustls::pki_types::ServerName::try_from(host).unwrap();
        let connected = tokio_rustls::TlsConnector::from(std::sync::Arc::clone(&client)).connect(name, tcp).await;
        assert!(connected.is_ok(), "{host}");
        assert_eq!(seen.last().as_ref(), Some(expected), "{host}");
    }
}

/// A folder with a certificate of an authority, and the OCSP responses that the authority would give of it.
struct Stapled {
    folder: tempfile::TempDir,
    authority: rcgen::KeyPair,
    id: Vec<u8>,
}

impl Stapled {
    fn new() -> Self {
        use rcgen::PublicKeyData as _;
        let folder = tempfile::tempdir().unwrap();
        let authority = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca = params.self_signed(&authority).unwrap();
        let issuer = rcgen::Issuer::from_params(&params, &authority);
        let key = rcgen::KeyPair::generate().unwrap();
        let leaf = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &issuer).unwrap();
        let (_, parsed) = x509_parser::parse_x509_certificate(leaf.der()).unwrap();
        let (name, serial) = (parsed.issuer().as_raw(), parsed.raw_serial());
        let id = ocsp_responder::certificate_id(ocsp_responder::IdHash::Sha1, name, authority.der_bytes(), serial);
        let write = |file: &str, text: String| std::fs::write(folder.path().join(file), text).unwrap();
        write("ca.pem", ca.pem());
        write("server.pem", leaf.pem());
        write("server.key", key.serialize_pem());
        let files = "certificate = \"server.pem\"\nkey = \"server.key\"\nocsp_staple = \"staple.der\"\n";
        write("handrail.toml", format!("[tls]\n{files}"));
        Self { folder, authority, id }
    }

    /// Writes the response that is good from so many seconds ago until so many seconds from now.
    fn write(&self, from_s: i64, until_s: i64) -> Vec<u8> {
        use rcgen::{PublicKeyData as _, SigningKey as _};
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let now_s = i64::try_from(now.as_secs()).unwrap();
        let single = ocsp_responder::Single {
            id: self.id.clone(),
            told: ocsp_responder::Told::Good,
            this_update_s: now_s - from_s,
            next_update_s: Some(now_s + until_s),
        };
        let answer = ocsp_responder::Answer {
            responder_key: self.authority.der_bytes(),
            produced_s: now_s - from_s,
            singles: &[single],
            nonce: None,
            certificates: &[],
        };
        let bytes = answer.signed(oauth::der::Signing::EcdsaSha256, |data| self.authority.sign(data).ok()).unwrap();
        std::fs::write(self.folder.path().join("staple.der"), &bytes).unwrap();
        bytes
    }

    fn server(&self) -> Server {
        let config = self.folder.path().join("handrail.toml");
        Server::on(&self.folder.path().join("data"), &["--config", config.to_str().unwrap()])
    }

    /// The OCSP response that a new connection is shown.
    async fn shown(&self, server: &Server, version: &'static rustls::SupportedProtocolVersion) -> Vec<u8> {
        let mut client = tls(&self.folder.path().join("ca.pem"), &[version], &[]);
        let seen = std::sync::Arc::new(crate::support::Seen::default());
        client.dangerous().set_certificate_verifier(std::sync::Arc::clone(&seen) as _);
        handshake(server.port, client).await.unwrap();
        seen.staple()
    }
}

#[tokio::test]
async fn a5_the_ocsp_response_of_the_file_is_shown_and_the_next_one_after_it() {
    let own = Stapled::new();
    let first = own.write(60, 3600);
    let mut server = own.server();
    for version in rustls::ALL_VERSIONS {
        assert_eq!(own.shown(&server, version).await, first, "{version:?}");
    }
    let second = own.write(30, 7200);
    assert_ne!(first, second);
    server.signal("HUP");
    let followed = async { while own.shown(&server, &rustls::version::TLS13).await != second {} };
    timeout(Duration::from_secs(20), followed).await.unwrap();
    server.stop("TERM");
    assert_eq!(server.log().matches("the OCSP response is shown with the certificate").count(), 2, "{}", server.log());
}

#[tokio::test]
async fn a5_an_ocsp_response_that_has_ended_is_not_shown() {
    let own = Stapled::new();
    own.write(7200, -60);
    let mut server = own.server();
    for version in rustls::ALL_VERSIONS {
        assert!(own.shown(&server, version).await.is_empty(), "{version:?}");
    }
    let config = own.folder.path().join("handrail.toml");
    let (config, data) = (config.to_str().unwrap(), server.directory.to_str().unwrap().to_owned());
    let doctor = || stdout(&run(["doctor", "--data", &data, "--config", config]));
    let said = doctor();
    assert!(said.contains("warning  OCSP response") && said.contains("the OCSP response ended on"), "{said}");
    let next = own.write(60, 3600);
    server.signal("HUP");
    let followed = async { while own.shown(&server, &rustls::version::TLS12).await != next {} };
    timeout(Duration::from_secs(20), followed).await.unwrap();
    assert!(doctor().contains("ok       OCSP response"), "{}", doctor());
    server.stop("TERM");
    let log = server.log();
    assert!(log.contains("no OCSP response is shown with the certificate") && log.contains("ended on"), "{log}");
}
