//! F60 and C9 against real sockets on loopback: what is refused, and that an allowed fetch is bounded.

use super::*;
use crate::tls;
use http_body_util::BodyExt;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use tokio::net::TcpListener;

/// A server that answers `/jwks`, redirects within and away, and sends too much.
async fn server(directory: &std::path::Path) -> (u16, Arc<ClientConfig>) {
    let now = crate::clock::now();
    let leaf = tls::local_ca::leaf(directory, "127.0.0.1", now).unwrap();
    let certificate = tls::certificate::Certificate::from_pem(leaf.chain.as_bytes(), leaf.key.as_bytes()).unwrap();
    let nobody = tls::client::Trust::of(&tls::client::Content::default(), now.unix_seconds()).unwrap();
    let trust = Arc::new(tls::client::ClientTrust::new(nobody));
    let acceptor = tls::Handshakes::new(
        Arc::new(tls::certificate::Certificates::new(vec![Arc::new(certificate)])),
        tls::client::Mode::Off,
        trust,
        false,
    )
    .unwrap()
    .acceptor();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(tcp).await else { return };
                let service = service_fn(|request: Request<hyper::body::Incoming>| async move {
                    let moved = |to: &str| Response::builder().status(302).header(header::LOCATION, to);
                    let full = |body: &'static [u8]| Full::new(Bytes::from_static(body));
                    Ok::<_, Infallible>(match request.uri().path() {
                        "/jwks" => Response::builder()
                            .header(header::CACHE_CONTROL, "max-age=60")
                            .body(full(b"{\"keys\":[]}"))
                            .unwrap(),
                        "/moved" => moved("/jwks").body(full(b"")).unwrap(),
                        "/loop" => moved("/loop").body(full(b"")).unwrap(),
                        "/away" => moved("https://127.0.0.1:1/jwks").body(full(b"")).unwrap(),
                        "/down" => moved("http://127.0.0.1/jwks").body(full(b"")).unwrap(),
                        // Says back what came.
                        "/told" => {
                            let told = |name| request.headers().get(name).map_or("", |value| value.to_str().unwrap());
                            let line =
                                [request.method().as_str(), told(header::CONTENT_TYPE), told(header::AUTHORIZATION)];
                            let line = line.join(" ");
                            let body = request.into_body().collect().await.unwrap().to_bytes();
                            let body = [line.as_bytes(), b" ", &body].concat();
                            Response::builder().status(401).body(Full::new(body.into())).unwrap()
                        }
                        "/large" => Response::new(Full::new(vec![b' '; FETCH_BODY_BYTES_MAX + 1].into())),
                        _ => Response::builder().status(404).body(full(b"")).unwrap(),
                    })
                });
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (port, tls::trust::client_config(Some(&tls::local_ca::ca_path(directory))).unwrap())
}

#[tokio::test]
async fn an_allowed_network_is_fetched_from_within_bounds() {
    let directory = tempfile::tempdir().unwrap();
    let (port, tls) = server(directory.path()).await;
    let egress = Egress::new(tls, vec!["127.0.0.0/8".parse().unwrap()]);
    let fetch = |path: &str| {
        let url = format!("https://127.0.0.1:{port}{path}");
        let egress = &egress;
        async move { egress.fetch(&url).await }
    };
    let fetched = fetch("/jwks").await.unwrap();
    assert_eq!((fetched.body.as_ref(), fetched.life_s()), (&b"{\"keys\":[]}"[..], Some(60)));
    assert!(fetch("/moved").await.is_ok());
    assert!(matches!(fetch("/loop").await, Err(FetchError::Forbidden(_))));
    assert!(matches!(fetch("/away").await, Err(FetchError::Forbidden(_))));
    assert!(matches!(fetch("/down").await, Err(FetchError::Forbidden(_))));
    assert!(matches!(fetch("/large").await, Err(FetchError::TooLarge)));
    assert!(matches!(fetch("/nothing").await, Err(FetchError::Status(404))));
}

#[tokio::test]
async fn what_is_sent_comes_whole_and_what_is_said_back_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let (port, tls) = server(directory.path()).await;
    let egress = Egress::new(tls.clone(), vec!["127.0.0.0/8".parse().unwrap()]);
    let (body, held) = (Secret::new("a=b"), Secret::new("Bearer t"));
    let send = async |egress: &Egress, path: &str, authorization: Option<&Secret>| {
        let url = format!("https://127.0.0.1:{port}{path}");
        let message = Message { url: &url, media_type: "application/x-www-form-urlencoded", body: &body };
        egress.send(message, authorization).await
    };
    let told = send(&egress, "/told", Some(&held)).await.unwrap();
    assert_eq!((told.status, &told.body[..]), (401, &b"POST application/x-www-form-urlencoded Bearer t a=b"[..]));
    let told = send(&egress, "/told", None).await.unwrap();
    assert_eq!(&told.body[..], b"POST application/x-www-form-urlencoded  a=b");
    // What was meant for one place goes to no other.
    assert_eq!(send(&egress, "/moved", Some(&held)).await.unwrap().status, 302);
    assert!(send(&egress, "/large", None).await.is_err(), "within the limit of what is read");
    let guarded = Egress::new(tls, Vec::new());
    assert!(matches!(send(&guarded, "/told", Some(&held)).await, Err(FetchError::Forbidden(_))), "F60");
}

#[tokio::test]
async fn private_addresses_are_refused_before_a_connection_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let (port, tls) = server(directory.path()).await;
    let egress = Egress::new(tls, Vec::new());
    for host in [
        "127.0.0.1",
        "localhost",
        "localhost.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[0:0:0:0:0:0:0:1]",
        "169.254.169.254",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0",
    ] {
        let fetched = egress.fetch(&format!("https://{host}:{port}/jwks")).await;
        assert!(matches!(fetched, Err(FetchError::Forbidden(_) | FetchError::Unreachable(_))), "{host}: {fetched:?}");
    }
    for url in [format!("http://127.0.0.1:{port}/jwks"), "file:///etc/passwd".into(), "gopher://x".into()] {
        assert!(matches!(egress.fetch(&url).await, Err(FetchError::Forbidden(_))), "{url}");
    }
}

/// F60: the answer of the name server is checked whole, and only what was checked is connected to: a second
/// answer is never asked for (rebinding).
#[tokio::test]
async fn one_inner_address_spoils_a_name() {
    let directory = tempfile::tempdir().unwrap();
    let (_, tls) = server(directory.path()).await;
    let egress = Egress::new(tls, vec!["10.1.0.0/16".parse().unwrap()]);
    let check = |url: &str, found: &[&str]| {
        let found: Vec<SocketAddr> = found.iter().map(|address| address.parse().unwrap()).collect();
        egress.check(&Url::parse(url).unwrap(), &found).is_ok()
    };
    let url = "https://client.example/jwks";
    assert!(check(url, &["93.184.216.34:443", "[2606:2800:220:1::1]:443"]));
    for inner in ["127.0.0.1:443", "169.254.169.254:443", "[fd00::1]:443", "[::ffff:10.0.0.1]:443", "192.168.0.1:443"] {
        assert!(!check(url, &["93.184.216.34:443", inner]), "{inner}");
        assert!(!check(url, &[inner, "93.184.216.34:443"]), "{inner}");
    }
    // Ports: those of HTTPS, unless the operator allowed the network.
    assert!(check("https://client.example:8443/jwks", &["93.184.216.34:8443"]));
    for port in [22, 25, 80, 6379, 8080] {
        let address = format!("93.184.216.34:{port}");
        assert!(!check(&format!("https://client.example:{port}/jwks"), &[&address]), "{port}");
        let allowed = format!("10.1.2.3:{port}");
        assert!(check(&format!("https://client.example:{port}/jwks"), &[&allowed]), "{port}");
    }
}

#[tokio::test]
async fn an_untrusted_certificate_is_refused() {
    let (ours, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (port, _) = server(ours.path()).await;
    tls::local_ca::leaf(other.path(), "127.0.0.1", crate::clock::now()).unwrap();
    let tls = tls::trust::client_config(Some(&tls::local_ca::ca_path(other.path()))).unwrap();
    let egress = Egress::new(tls, vec!["127.0.0.0/8".parse().unwrap()]);
    let fetched = egress.fetch(&format!("https://127.0.0.1:{port}/jwks")).await;
    assert!(matches!(fetched, Err(FetchError::Unreachable(_))), "{fetched:?}");
}

/// A server of lists by plain HTTP: redirects within and away, and one that sends too much.
async fn lists() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let service = service_fn(|request: Request<hyper::body::Incoming>| async move {
                    let moved = |to: &str| Response::builder().status(302).header(header::LOCATION, to);
                    let full = |body: Vec<u8>| Full::new(Bytes::from(body));
                    let asks = request.method() == "POST"
                        && request.headers()[header::CONTENT_TYPE] == "application/ocsp-request";
                    let path = request.uri().path().to_owned();
                    let body = http_body_util::BodyExt::collect(request.into_body()).await.unwrap().to_bytes();
                    Ok::<_, Infallible>(match path.as_str() {
                        "/ocsp" if asks => Response::new(full([b"answer to ", &body[..]].concat())),
                        "/ocsp-large" => Response::new(full(vec![0; oauth::limits::OCSP_BYTES_MAX + 1])),
                        "/ocsp-moved" => moved("/ocsp").body(full(Vec::new())).unwrap(),
                        "/1.crl" => Response::new(full(b"list".to_vec())),
                        "/large.crl" => Response::new(full(vec![0; oauth::limits::CRL_BYTES_MAX])),
                        "/larger.crl" => Response::new(full(vec![0; oauth::limits::CRL_BYTES_MAX + 1])),
                        "/moved.crl" => moved("/1.crl").body(full(Vec::new())).unwrap(),
                        "/away.crl" => moved("http://127.0.0.1:1/1.crl").body(full(Vec::new())).unwrap(),
                        "/up.crl" => moved("https://127.0.0.1/1.crl").body(full(Vec::new())).unwrap(),
                        _ => Response::builder().status(404).body(full(Vec::new())).unwrap(),
                    })
                });
                let _ = http1::Builder::new().serve_connection(TokioIo::new(tcp), service).await;
            });
        }
    });
    port
}

/// F60: lists and OCSP alone come by plain HTTP, under the same rules of addresses, with bounds of their own.
#[tokio::test]
async fn f60_lists_come_by_plain_http_within_bounds() {
    let port = lists().await;
    let tls = tls::trust::client_config(None).unwrap();
    let egress = Egress::new(Arc::clone(&tls), vec!["127.0.0.0/8".parse().unwrap()]);
    let crl = |path: &str| {
        let url = format!("http://127.0.0.1:{port}{path}");
        let egress = &egress;
        async move { egress.list(Listing::Crl { url: &url }).await.map(|fetched| fetched.body.len()) }
    };
    assert_eq!(crl("/1.crl").await, Ok(4));
    assert_eq!(crl("/moved.crl").await, Ok(4));
    assert_eq!(crl("/large.crl").await, Ok(oauth::limits::CRL_BYTES_MAX));
    assert_eq!(crl("/larger.crl").await, Err(FetchError::TooLarge));
    assert!(matches!(crl("/away.crl").await, Err(FetchError::Forbidden(_))));
    assert!(matches!(crl("/up.crl").await, Err(FetchError::Forbidden(_))));
    assert_eq!(crl("/none.crl").await, Err(FetchError::Status(404)));
    let ocsp = |path: &str| {
        let url = format!("http://127.0.0.1:{port}{path}");
        let egress = &egress;
        async move { egress.list(Listing::Ocsp { url: &url, request: b"question" }).await.map(|fetched| fetched.body) }
    };
    assert_eq!(ocsp("/ocsp").await.unwrap().as_ref(), b"answer to question");
    assert_eq!(ocsp("/ocsp-large").await, Err(FetchError::TooLarge));
    assert_eq!(ocsp("/ocsp-moved").await, Err(FetchError::Status(302)), "a question goes where it was sent alone");
    // Nothing else comes by plain HTTP.
    assert!(matches!(egress.fetch(&format!("http://127.0.0.1:{port}/1.crl")).await, Err(FetchError::Forbidden(_))));
    let picture = format!("http://127.0.0.1:{port}/1.crl");
    assert!(matches!(egress.picture(&picture).unwrap().await, Err(FetchError::Forbidden(_))));
    // And not from where nothing else may come.
    let egress = Egress::new(tls, Vec::new());
    for host in
        ["127.0.0.1", "localhost", "[::1]", "[::ffff:7f00:1]", "169.254.169.254", "0x7f.1", "10.0.0.1", "192.168.1.1"]
    {
        for url in
            [format!("http://{host}/1.crl"), format!("https://{host}/1.crl"), format!("http://{host}:{port}/1.crl")]
        {
            for asked in [Listing::Crl { url: &url }, Listing::Ocsp { url: &url, request: b"" }] {
                let fetched = egress.list(asked).await;
                assert!(
                    matches!(fetched, Err(FetchError::Forbidden(_) | FetchError::Unreachable(_))),
                    "{url}: {fetched:?}"
                );
            }
        }
    }
    for url in ["file:///etc/passwd", "ldap://192.0.2.1/x", "ftp://192.0.2.1/x", "http://user@192.0.2.1/"] {
        assert!(matches!(egress.list(Listing::Crl { url }).await, Err(FetchError::Forbidden(_))), "{url}");
    }
    // Ports: the usual ones of each scheme.
    let check = |url: &str| {
        let url = Url::parse_plain_too(url).unwrap();
        egress.check(&url, &[SocketAddr::new("93.184.216.34".parse().unwrap(), url.port())]).is_ok()
    };
    assert!(check("http://crl.example/x") && check("https://crl.example/x") && check("https://crl.example:8443/x"));
    for port in [22, 443, 6379, 8080, 8443] {
        assert!(!check(&format!("http://crl.example:{port}/x")), "{port}");
    }
}

/// F60: a host that takes the question and never answers costs no more than the limit of time.
#[tokio::test(start_paused = true)]
async fn f60_a_list_that_never_comes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/1.crl", listener.local_addr().unwrap());
    let held = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok(accepted) = listener.accept().await {
            held.push(accepted);
        }
    });
    let egress = Egress::new(tls::trust::client_config(None).unwrap(), vec!["127.0.0.0/8".parse().unwrap()]);
    assert_eq!(egress.list(Listing::Crl { url: &url }).await.err(), Some(FetchError::TimedOut));
    held.abort();
}
