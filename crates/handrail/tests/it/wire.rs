//! Rows A21, A24 and the doors: what the socket takes and where a path leads.

use crate::support::{Http, Server, handshake, tls};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

#[tokio::test]
async fn http_2_and_http_1_answer_alike() {
    let server = Server::start();
    let mut one = server.http().await;
    let mut two = Http::connect(server.port, &server.ca(), true).await;
    for path in ["/fhir/metadata", "/fhir/Patient", "/livez", "/nowhere"] {
        let (first, second) = (one.get(path, &[]).await, two.get(path, &[]).await);
        assert_eq!((first.status, &first.body), (second.status, &second.body), "{path}");
        assert_eq!(first.header("content-type"), second.header("content-type"), "{path}");
    }
}

#[tokio::test]
async fn a21_a_head_over_the_limit_is_431_on_both_protocols() {
    let server = Server::start();
    let long = "a".repeat(70_000);
    for http_2 in [false, true] {
        let mut http = Http::connect(server.port, &server.ca(), http_2).await;
        let sent = http.try_send("GET", "/fhir/metadata", &[("x-long", &long)], "").await;
        if let Ok(answer) = sent {
            assert_eq!(answer.status, 431, "http_2 {http_2}");
        } else {
            assert!(http_2, "HTTP/1.1 says why");
        }
    }
    let mut http = server.http().await;
    let fits = "a".repeat(32_768);
    assert_eq!(http.get("/fhir/metadata", &[("x-long", &fits)]).await.status, 200, "32 kB of scopes fit");
}

#[tokio::test]
async fn a24_only_our_own_host_names_are_answered() {
    let server = Server::configured("allowed_hosts = [\"fhir.internal\"]");
    let mut http = server.http().await;
    let port = server.port;
    for (host, status) in [
        (format!("127.0.0.1:{port}"), 200),
        (format!("localhost:{port}"), 200),
        ("fhir.internal".to_owned(), 200),
        ("FHIR.internal".to_owned(), 200),
        ("evil.example".to_owned(), 421),
        (format!("127.0.0.1.evil.example:{port}"), 421),
        ("evil.example@localhost".to_owned(), 421),
    ] {
        let answer = http.get("/fhir/metadata", &[("host", &host)]).await;
        assert_eq!(answer.status.as_u16(), status, "{host}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("evil"), "{host}");
    }
    let forwarded = [("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example")];
    let answer = http.get("/fhir/.well-known/smart-configuration", &forwarded).await;
    assert_eq!(answer.json()["token_endpoint"], format!("https://127.0.0.1:{port}/oauth/token"));
}

#[tokio::test]
async fn health_needs_no_token_and_tells_nothing() {
    let server = Server::start();
    let mut http = server.http().await;
    for path in ["/livez", "/readyz"] {
        let answer = http.get(path, &[("host", "10.1.2.3")]).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.body.len() < 10, "{path}");
        assert_eq!(http.send("POST", path, &[], "").await.status, 405, "{path}");
    }
}

#[tokio::test]
async fn a_path_of_nobody_is_404_with_an_outcome() {
    let server = Server::start();
    let mut http = server.http().await;
    for path in ["/", "/fhirs", "/fhi", "/FHIR/Patient", "/admin", "/..", "//fhir"] {
        let answer = http.get(path, &[]).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.json()["resourceType"], "OperationOutcome", "{path}");
    }
}

#[tokio::test]
async fn a_form_for_the_authorization_server_is_bounded() {
    let server = Server::start();
    let mut http = server.http().await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = http.send("POST", "/oauth/token", &form, "a".repeat(65_537)).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["error"], "invalid_request");
}

#[tokio::test]
async fn f66_a_body_that_trickles_keeps_nobody_out() {
    let server = Server::configured("[limits]\nrequests_in_flight = 1\n");
    let mut http = server.http().await;
    // A form that does not come to its end.
    let mut slow = handshake(server.port, tls(&server.ca(), rustls::ALL_VERSIONS, &[])).await.unwrap();
    let head = "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nab";
    slow.write_all(head.as_bytes()).await.unwrap();
    slow.flush().await.unwrap();
    // It takes the only place for the moment in which its first bytes are read.
    let mut served = 0;
    for _ in 0..200 {
        let answer = http.get("/fhir/metadata", &[]).await;
        served += usize::from(answer.status == 200);
        if answer.status != 200 {
            assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"));
            assert_eq!(answer.json()["resourceType"], "OperationOutcome");
        }
    }
    assert!(served > 190, "{served} of 200");
    drop(slow);
}

#[tokio::test]
async fn a21_a_resting_connection_gives_way_to_a_newcomer() {
    let server = Server::configured("[limits]\nconnections = 1\n");
    let connect = || handshake(server.port, tls(&server.ca(), rustls::ALL_VERSIONS, &[]));
    let mut first = connect().await.unwrap();
    let mut second = timeout(Duration::from_secs(20), connect()).await.unwrap().unwrap();
    let mut nothing = Vec::new();
    // In TLS's own words, or cut when the machine is too busy to say them.
    let _ = timeout(Duration::from_secs(20), first.read_to_end(&mut nothing)).await.unwrap();
    assert!(nothing.is_empty());
    second.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    second.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}
