//! F23: frames as RFC 5425 has them.

use super::*;
use crate::tls;
use audit::{
    Entry,
    entry::{Action, Kind, Outcome},
};
use fhir::Instant;
use std::time::Duration;
use tokio::{io::AsyncReadExt, net::TcpListener};
use tokio_rustls::TlsAcceptor;

fn seen() -> Seen {
    let entry = Entry {
        recorded: Instant::from_unix_millis(1_700_000_000_123),
        kind: Kind::Rest,
        subtype: "read".into(),
        action: Action::Read,
        outcome: Outcome::Success,
        outcome_text: None,
        client_id: None,
        token_name: None,
        person: None,
        organization: None,
        grounds: None,
        address: None,
        request_id: "r".into(),
        query: None,
        touched: Vec::new(),
        patients: Vec::new(),
    };
    Seen { sequence: 7, entry }
}

#[test]
fn f23_a_frame_has_its_length_in_bytes() {
    let frame = frame(&seen(), "https://care.example:8443/fhir", "<AuditMessage>é</AuditMessage>");
    let text = String::from_utf8(frame).unwrap();
    let (length, message) = text.split_once(' ').unwrap();
    assert_eq!(length.parse::<usize>().unwrap(), message.len());
    assert_eq!(
        message,
        "<85>1 2023-11-14T22:13:20.123Z care.example handrail - DICOM+RFC3881 - \u{feff}<AuditMessage>é</AuditMessage>"
    );
}

/// A repository behind a certificate of this directory's CA, and what its clients trust.
async fn repository(directory: &std::path::Path) -> (Listen, TlsAcceptor, TcpListener, Arc<ClientConfig>) {
    let now = crate::clock::now();
    let leaf = tls::local_ca::leaf(directory, "127.0.0.1", now).unwrap();
    let certificate = tls::certificate::Certificate::from_pem(leaf.chain.as_bytes(), leaf.key.as_bytes()).unwrap();
    let nobody = tls::client::Trust::of(&tls::client::Content::default(), now.unix_seconds()).unwrap();
    let trust = Arc::new(tls::client::ClientTrust::new(nobody));
    let certificates = Arc::new(tls::certificate::Certificates::new(vec![Arc::new(certificate)]));
    let acceptor = tls::Handshakes::new(certificates, tls::client::Mode::Off, trust, false).unwrap().acceptor();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap().to_string().parse().unwrap();
    let trusts = tls::trust::client_config(Some(&tls::local_ca::ca_path(directory))).unwrap();
    (to, acceptor, listener, trusts)
}

/// Reads until this text came, then hangs up.
async fn received(listener: &TcpListener, acceptor: &TlsAcceptor, until: &str) -> String {
    let (tcp, _) = listener.accept().await.unwrap();
    let mut stream = acceptor.accept(tcp).await.unwrap();
    let (mut all, mut some) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&all).contains(until) {
        let count = stream.read(&mut some).await.unwrap();
        assert!(count > 0, "the sender went away");
        all.extend_from_slice(&some[..count]);
    }
    String::from_utf8(all).unwrap()
}

/// Nothing is lost when the repository goes away, and what it gets first is whole frames.
#[tokio::test(flavor = "multi_thread")]
async fn f23_what_was_not_sent_is_sent_later() {
    let directory = tempfile::tempdir().unwrap();
    let options = store::Options { base_url: "https://care.example/fhir".into(), strict_audit: false };
    let data = directory.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let store = Arc::new(Store::open(&data, Arc::clone(search::registry()), options).unwrap());
    let record = |from: u32, to: u32| {
        for number in from..to {
            let entry = Entry { request_id: format!("r-{number}-").into(), ..seen().entry };
            store.log().record(&entry).unwrap();
        }
        store.log().sync().unwrap();
    };
    let (to, acceptor, listener, tls) = repository(directory.path()).await;
    let metrics = Metrics::new();
    record(0, 5);
    let mut was_down = false;
    let (ended, first) =
        tokio::join!(session(&store, &to, &tls, &metrics, &mut was_down), received(&listener, &acceptor, "r-2-"));
    assert!(ended.is_err() && first.contains(" DICOM+RFC3881 - "), "it went away, and the sender saw it");
    record(5, 10);
    let mut was_down = true;
    let second = tokio::select! {
        ended = session(&store, &to, &tls, &metrics, &mut was_down) => panic!("{ended:?}"),
        second = received(&listener, &acceptor, "r-9-") => second,
    };
    for number in 0..10 {
        let id = format!("r-{number}-");
        assert!(second.contains(&id) || (first.contains(&id) && number < 5), "{id} is lost");
    }
    // A sender that starts anew goes on from a place that it certainly passed.
    assert!(cursor(&store).await.unwrap() <= 5);
}

/// F23: the place that is kept is that of what surely arrived, not of what was written.
#[test]
fn f23_the_place_waits_until_it_has_arrived() {
    let start = tokio::time::Instant::now();
    let mut written = Written::default();
    let at = |s: u64| start + Duration::from_secs(s);
    written.note(at(0), 200);
    written.note(at(2), 400);
    let arrived = limits::SYSLOG_ARRIVED.as_secs();
    assert_eq!(written.arrived(at(arrived - 1)), None);
    assert_eq!((written.arrived(at(arrived)), written.arrived(at(arrived + 1))), (Some(200), None));
    assert_eq!((written.arrived(at(arrived + 2)), written.batches.len()), (Some(400), 0));
}
