//! The end of a server: what was acknowledged is there afterwards, whatever was going on.

use crate::support::{Http, Server, ok, run};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const WRITERS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graceful_stop_under_load_loses_nothing_acknowledged() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    let mut server = Server::on(&data, &[]);
    let token: Arc<str> = server.full_token().into();
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let (port, ca, token) = (server.port, server.ca(), Arc::clone(&token));
        let acknowledged = Arc::clone(&acknowledged);
        writers.push(tokio::spawn(async move {
            let mut http = Http::connect(port, &ca, writer % 2 == 0).await;
            let mut ids = Vec::new();
            for number in 0.. {
                let id = format!("w{writer}-{number}");
                let body = format!(r#"{{"resourceType":"Patient","id":"{id}","active":true}}"#);
                let bearer = format!("Bearer {token}");
                let headers = [("authorization", bearer.as_str()), ("content-type", "application/fhir+json")];
                match http.try_send("PUT", &format!("/fhir/Patient/{id}"), &headers, body).await {
                    Ok(answer) if answer.status == 201 => {
                        ids.push(id);
                        acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                    // 503 of a stopping server, or its closed connection.
                    Ok(answer) => assert!(answer.status.is_server_error(), "{answer:?}"),
                    Err(_) => break,
                }
            }
            ids
        }));
    }
    // Stop in the middle of it: when every writer has been answered several times.
    let busy = async {
        while acknowledged.load(Ordering::Relaxed) < WRITERS * 10 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), busy).await.unwrap();
    let stopped = tokio::task::spawn_blocking(move || server.stop("TERM"));
    let mut ids = Vec::new();
    for writer in writers {
        ids.extend(writer.await.unwrap());
    }
    assert_eq!(stopped.await.unwrap(), Some(0), "a stop on request is no failure");
    assert!(!data.join("control.sock").exists());

    let server = Server::on(&data, &[]);
    let token = server.full_token();
    let mut http = server.http().await;
    for id in &ids {
        assert_eq!(http.get_as(&token, &format!("/fhir/Patient/{id}")).await.status, 200, "{id}");
    }
    drop(server);
    ok(&run(["audit", "verify", "--data", data.to_str().unwrap()]));
}

#[tokio::test]
async fn a_killed_server_starts_again_with_all_it_acknowledged() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    let mut server = Server::on(&data, &[]);
    let token = server.full_token();
    let mut http = server.http().await;
    for number in 0..20 {
        let body = format!(r#"{{"resourceType":"Patient","id":"k{number}"}}"#);
        assert_eq!(http.put_as(&token, "PUT", &format!("/fhir/Patient/k{number}"), &body).await.status, 201);
    }
    assert_eq!(server.stop("KILL"), None);
    let server = Server::on(&data, &[]);
    let mut http = server.http().await;
    assert_eq!(http.get_as(&token, "/fhir/Patient/k19").await.status, 200, "the token outlives the process too");
    let token = server.full_token();
    let found = http.get_as(&token, "/fhir/Patient?_count=0&_total=accurate").await;
    assert_eq!(found.json()["total"], 20);
    ok(&run(["audit", "verify", "--data", data.to_str().unwrap()]));
}
