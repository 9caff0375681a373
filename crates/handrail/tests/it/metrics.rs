//! Metrics as Prometheus reads them: their own listener, a strict format, and numbers that are what happened.

use crate::support::{Server, handshake, tls};
use std::time::Duration;
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};

const ON: &str = "[metrics]\nlisten = \"127.0.0.1:0\"\n";

#[tokio::test]
async fn what_happened_is_counted() {
    let server = Server::configured(ON);
    let token = server.full_token();
    let mut http = server.http().await;
    for number in 0..3 {
        let body = format!(r#"{{"resourceType":"Patient","id":"p{number}"}}"#);
        assert_eq!(http.put_as(&token, "PUT", &format!("/fhir/Patient/p{number}"), &body).await.status, 201);
    }
    assert_eq!(http.get_as(&token, "/fhir/Patient/p1").await.status, 200);
    assert_eq!(http.get_as(&token, "/fhir/Patient/none").await.status, 404);
    assert_eq!(http.get_as(&token, "/fhir/Observation?code=x").await.status, 200);
    assert_eq!(http.get_as("no-token-at-all-of-this-server-000000000000", "/fhir/Patient/p1").await.status, 401);
    assert_eq!(http.get("/fhir/Patient/p1", &[("host", "evil.example")]).await.status, 421);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let sent = "grant_type=client_credentials&client_assertion=bad&client_assertion_type=x";
    assert_eq!(http.send("POST", "/oauth/token", &form, sent).await.status, 400);
    let metrics = server.metrics();
    for (series, value) in [
        (r#"handrail_http_requests_total{interaction="update",code="201"}"#, 3.0),
        (r#"handrail_http_requests_total{interaction="read",code="200"}"#, 1.0),
        (r#"handrail_http_requests_total{interaction="read",code="404"}"#, 1.0),
        (r#"handrail_http_request_duration_seconds_count{interaction="search-type"}"#, 1.0),
        (r#"handrail_fhir_requests_total{type="Patient"}"#, 5.0),
        (r#"handrail_fhir_requests_total{type="Observation"}"#, 1.0),
        (r#"handrail_refusals_total{reason="not-found"}"#, 1.0),
        (r#"handrail_refusals_total{reason="wrong-host"}"#, 1.0),
        ("handrail_tokens_issued_total", 1.0),
        (r#"handrail_tokens_refused_total{reason="client-no-credentials"}"#, 1.0),
        ("handrail_clients", 1.0),
        ("handrail_ready", 1.0),
        ("handrail_store_writer_up", 1.0),
        ("handrail_audit_log_up", 1.0),
        ("handrail_store_transactions_total", 3.0),
        ("handrail_http_requests_in_flight", 0.0),
        ("handrail_store_queue_jobs", 0.0),
        ("handrail_certificate_stale", 0.0),
        ("handrail_log_lines_lost_total", 0.0),
    ] {
        assert_eq!(metrics.value(series), value, "{series}");
    }
    let refused: f64 =
        metrics.samples.iter().filter(|(name, _)| name.contains("reason=\"token-")).map(|(_, n)| n).sum();
    assert_eq!(refused, 1.0, "{:?}", metrics.samples);
    for positive in [
        "handrail_connections_open",
        "handrail_connections_accepted_total",
        "handrail_audit_entries_total",
        "handrail_engine_disk_bytes",
        "handrail_engine_journals",
        "handrail_disk_free_bytes",
        "handrail_certificate_not_after_timestamp_seconds",
        "handrail_store_commit_duration_seconds_sum",
        "process_start_time_seconds",
    ] {
        assert!(metrics.value(positive) > 0.0, "{positive}");
    }
    if cfg!(target_os = "linux") {
        for name in ["process_resident_memory_bytes", "process_open_fds", "process_max_fds", "process_threads"] {
            assert!(metrics.value(name) > 1.0, "{name}");
        }
    }
}

#[tokio::test]
async fn the_listener_serves_nothing_else() {
    let server = Server::configured(ON);
    for (request, status) in [
        ("GET /fhir/metadata", "404"),
        ("GET /", "404"),
        ("GET /metricsx", "404"),
        ("POST /metrics", "405"),
        ("DELETE /metrics", "405"),
        ("HEAD /metrics", "200"),
    ] {
        let (head, body) = server.scrape(request);
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{request}: {head}");
        assert!(!body.contains("fhirVersion"), "{request}");
    }
    let mut http = server.http().await;
    assert_eq!(http.get("/metrics", &[]).await.status, 404, "metrics are not where clients are");
}

#[tokio::test]
async fn without_the_setting_nothing_listens() {
    let mut server = Server::start();
    server.stop("TERM");
    assert!(!server.log().contains("/metrics"), "{}", server.log());
}

#[tokio::test]
async fn failed_handshakes_are_counted_by_kind_and_logged_sparingly() {
    let mut server = Server::configured(ON);
    for _ in 0..30 {
        let mut tcp = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
        tcp.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    }
    let distrust = tls(&server.ca(), rustls::ALL_VERSIONS, &[b"nonsense"]);
    assert!(handshake(server.port, distrust).await.is_err());
    let counted = async {
        loop {
            let metrics = server.metrics();
            let of = |kind: &str| metrics.value(&format!("handrail_tls_handshake_failures_total{{kind=\"{kind}\"}}"));
            if of("not-tls") == 30.0 && of("no-protocol") == 1.0 {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), counted).await.unwrap();
    server.stop("TERM");
    let lines = server.log().matches("a TLS handshake failed").count();
    assert!((1..=20).contains(&lines), "{lines} lines for 31 failures");
}
