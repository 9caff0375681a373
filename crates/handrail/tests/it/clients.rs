//! `handrail client` and `handrail token`: on a directory at rest and on a running server.

use crate::support::{Server, add_client, handrail, ok, run, stderr, stdout};

#[tokio::test]
async fn a_client_registered_before_the_start_gets_a_token() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    let client = add_client(&data, "early", "system/Patient.rs");
    let server = Server::on(&data, &[]);
    let token = server.token(&client);
    let mut http = server.http().await;
    assert_eq!(http.get_as(&token, "/fhir/Patient").await.status, 200);
    assert_eq!(http.get_as(&token, "/fhir/Observation").await.status, 403);
}

#[tokio::test]
async fn a_client_comes_and_goes_while_the_server_runs() {
    let server = Server::start();
    let client = server.client("late", "system/Patient.rs");
    let token = server.token(&client);
    let mut http = server.http().await;
    assert_eq!(http.get_as(&token, "/fhir/Patient").await.status, 200);
    let directory = server.directory.to_str().unwrap();
    let listed = ok(&run(["client", "list", "--data", directory]));
    assert!(listed.lines().any(|line| line.starts_with(&client.id) && line.contains("system/Patient.rs")), "{listed}");
    ok(&run(["client", "remove", &client.id, "--data", directory]));
    assert_eq!(http.get_as(&token, "/fhir/Patient").await.status, 401, "its token ends with it");
    assert_eq!(ok(&run(["client", "list", "--data", directory])), "");
    assert!(!run(["client", "remove", &client.id, "--data", directory]).status.success());
}

#[test]
fn standard_output_holds_the_result_alone() {
    let server = Server::start();
    let key = server.directory.join("alone.jwk");
    let output = handrail()
        .args(["client", "add", "alone", "--scope", "system/*.rs", "--data"])
        .arg(&server.directory)
        .arg("--generate-key")
        .arg(&key)
        .output()
        .unwrap();
    let id = ok(&output);
    assert_eq!(id.lines().count(), 1);
    assert!(!id.trim().is_empty() && !id.trim().contains(char::is_whitespace), "{id:?}");
    assert!(stderr(&output).contains("alone.jwk"), "explanations go to standard error");
    let token = handrail()
        .args(["token", "--server", &server.base, "--client", id.trim(), "--scope", "system/Patient.r"])
        .arg("--key")
        .arg(&key)
        .arg("--ca")
        .arg(server.ca())
        .output()
        .unwrap();
    let token = ok(&token);
    assert_eq!(token.lines().count(), 1);
    assert!(token.trim().len() >= 32);
}

#[cfg(unix)]
#[test]
fn a_private_key_is_its_owners_alone_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt;
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    let client = add_client(&data, "first", "system/*.rs");
    assert_eq!(std::fs::metadata(&client.key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    let before = std::fs::read(&client.key).unwrap();
    let again = handrail()
        .args(["client", "add", "second", "--scope", "system/*.rs", "--data"])
        .arg(&data)
        .arg("--generate-key")
        .arg(&client.key)
        .output()
        .unwrap();
    assert!(!again.status.success());
    assert!(stderr(&again).contains("fix:"), "{}", stderr(&again));
    assert_eq!(std::fs::read(&client.key).unwrap(), before);
}

#[test]
fn a_scope_that_cannot_be_enforced_is_refused_and_leaves_no_key() {
    let own = tempfile::tempdir().unwrap();
    for scope in ["patient/Observation.rs", "system/Observations.rs", "system/Observation.rs?no-such=x", ""] {
        let key = own.path().join("refused.jwk");
        let output = handrail()
            .args(["client", "add", "refused", "--scope", scope, "--data"])
            .arg(own.path().join("data"))
            .arg("--generate-key")
            .arg(&key)
            .output()
            .unwrap();
        assert!(!output.status.success(), "{scope}");
        assert_eq!(stdout(&output), "", "{scope}");
        assert!(!key.exists(), "{scope}");
    }
}

#[test]
fn a_token_that_is_refused_says_why() {
    let server = Server::start();
    let (one, other) = (server.client("one", "system/Patient.rs"), server.client("other", "system/Patient.rs"));
    let ask = |id: &str, key: &std::path::Path, more: &[&str]| {
        let mut command = handrail();
        command.args(["token", "--server", &server.base, "--client", id]).arg("--key").arg(key);
        command.args(more).output().unwrap()
    };
    let ca = server.ca();
    let ca = ["--ca", ca.to_str().unwrap()];
    let wrong_key = ask(&one.id, &other.key, &ca);
    assert!(!wrong_key.status.success());
    assert_eq!(stdout(&wrong_key), "");
    assert!(stderr(&wrong_key).contains("invalid_client"), "{}", stderr(&wrong_key));
    let wrong_scope = ask(&one.id, &one.key, &[ca[0], ca[1], "--scope", "system/Observation.rs"]);
    assert!(stderr(&wrong_scope).contains("invalid_scope"), "{}", stderr(&wrong_scope));
    let no_ca = ask(&one.id, &one.key, &[]);
    assert!(stderr(&no_ca).contains("--ca"), "{}", stderr(&no_ca));
}

/// Serves this document at every path over TLS with a certificate of its own; port and certificate.
pub(crate) async fn document(body: impl Into<bytes::Bytes>, folder: &std::path::Path) -> (u16, std::path::PathBuf) {
    let body = body.into();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let pem = folder.join("keys-host.pem");
    std::fs::write(&pem, certificate.pem()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let (acceptor, body) = (acceptor.clone(), body.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(tcp).await else { return };
                let service = hyper::service::service_fn(move |_request| {
                    let body = http_body_util::Full::new(body.clone());
                    async move { Ok::<_, std::convert::Infallible>(http::Response::new(body)) }
                });
                let io = hyper_util::rt::TokioIo::new(stream);
                let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
            });
        }
    });
    (port, pem)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f60_keys_by_url_come_through_the_guarded_client_alone() {
    let own = tempfile::tempdir().unwrap();
    // A key pair as some other system has it: the private file, and the public half at a URL.
    let made = add_client(&own.path().join("elsewhere"), "pair", "system/*.rs");
    let mut public: serde_json::Value = serde_json::from_slice(&std::fs::read(&made.key).unwrap()).unwrap();
    public.as_object_mut().unwrap().remove("d");
    let (port, ca) = document(serde_json::json!({ "keys": [public] }).to_string(), own.path()).await;
    let url = format!("https://127.0.0.1:{port}/jwks.json");

    for (allowed, works) in [("", false), ("127.0.0.0/8", true)] {
        let networks = if allowed.is_empty() { String::new() } else { format!("\"{allowed}\"") };
        let server =
            Server::configured(&format!("[egress]\nca = \"{}\"\nallow_networks = [{networks}]\n", ca.display()));
        let output = handrail()
            .args(["client", "add", "by-url", "--scope", "system/Patient.rs", "--jwks", &url, "--data"])
            .arg(&server.directory)
            .output()
            .unwrap();
        let id = ok(&output).trim().to_owned();
        let token = handrail()
            .args(["token", "--server", &server.base, "--client", &id])
            .arg("--key")
            .arg(&made.key)
            .arg("--ca")
            .arg(server.ca())
            .output()
            .unwrap();
        assert_eq!(token.status.success(), works, "allowed '{allowed}': {}", stderr(&token));
        assert!(!stderr(&token).contains("127.0.0.1:") || works, "the refusal names no address: {}", stderr(&token));
    }
}
