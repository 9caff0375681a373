//! The steady caller: reads and searches at a fixed rate, timed from the moment at which each was
//! due, over a few connections that it opens anew when they end.

use crate::client::{Connection, request};
use rustls::ClientConfig;
use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::sleep_until;

/// Connections of the steady caller.
const CONNECTIONS: u32 = 4;

/// Patients of the story, each with [`OBSERVATIONS`].
const PATIENTS: usize = 20;
const OBSERVATIONS: usize = 40;

/// Whom it calls.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where.
    pub address: SocketAddr,
    /// Trusts the server.
    pub tls: Arc<ClientConfig>,
    /// Reads all of the story.
    pub token: String,
}

/// What it measured.
#[derive(Debug, Default)]
pub struct Steady {
    /// Of all requests, in microseconds.
    pub p99_us: f64,
    /// Requests that were answered neither 200 nor on a second connection.
    pub failed: usize,
    /// Most that `look` gave.
    pub resident_max: u64,
}

/// Loads what it reads.
///
/// # Errors
/// What the network says, or the server when it does not take it.
pub async fn load(target: &Target) -> io::Result<()> {
    let mut connection = Connection::open(target.address, &target.tls).await?;
    for patient in 0..PATIENTS {
        let words = "The resident walks with a rolling walker and one person beside. ".repeat(15);
        let mut entries = vec![format!(
            r#"{{"resource":{{"resourceType":"Patient","id":"p{patient}","name":[{{"family":"Siege{patient}"}}]}},"request":{{"method":"PUT","url":"Patient/p{patient}"}}}}"#
        )];
        entries.extend((0..OBSERVATIONS).map(|n| {
            format!(
                r#"{{"resource":{{"resourceType":"Observation","id":"o{patient}-{n}","status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"83254-3"}}]}},"subject":{{"reference":"Patient/p{patient}"}},"effectiveDateTime":"2026-01-{:02}","valueString":"{words}"}},"request":{{"method":"PUT","url":"Observation/o{patient}-{n}"}}}}"#,
                n % 28 + 1
            )
        }));
        let bundle = format!(r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}]}}"#, entries.join(","));
        let answer = connection.send(&request("POST", "/fhir", &target.token, bundle.as_bytes()), true).await?;
        if answer.status != 200 {
            return Err(io::Error::other(String::from_utf8_lossy(&answer.body).into_owned()));
        }
    }
    Ok(())
}

/// Calls at this rate for this time; `look` is asked ten times a second for the server's memory.
///
/// # Errors
/// None of its own.
pub async fn steady(target: &Arc<Target>, rate: u32, time: Duration, look: impl Fn() -> u64) -> io::Result<Steady> {
    let every = Duration::from_secs(u64::from(CONNECTIONS)) / rate;
    let calls: Vec<_> = (0..CONNECTIONS).map(|n| tokio::spawn(calls(Arc::clone(target), n, every, time))).collect();
    let begin = Instant::now();
    let mut resident_max = 0;
    while begin.elapsed() < time {
        resident_max = resident_max.max(look());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (mut latencies, mut failed) = (Vec::new(), 0);
    for call in calls {
        let (took, lost) = call.await.map_err(io::Error::other)?;
        latencies.extend(took);
        failed += lost;
    }
    latencies.sort_unstable();
    let p99 = latencies.get(latencies.len() * 99 / 100).copied().unwrap_or_default();
    Ok(Steady { p99_us: p99.as_secs_f64() * 1e6, failed, resident_max })
}

async fn calls(target: Arc<Target>, n: u32, every: Duration, time: Duration) -> (Vec<Duration>, usize) {
    let begin = tokio::time::Instant::now() + every * n / CONNECTIONS;
    let (mut latencies, mut failed, mut connection) = (Vec::new(), 0, None);
    for call in 0.. {
        let due = begin + every * call;
        if due.duration_since(begin) > time {
            break;
        }
        sleep_until(due).await;
        let n = usize::try_from(call).unwrap_or_default();
        let path = match n % 4 {
            0 => format!("/fhir/Observation?patient=p{}&_count=20", n % PATIENTS),
            _ => format!("/fhir/Observation/o{}-{}", n % PATIENTS, n % OBSERVATIONS),
        };
        let wanted = request("GET", &path, &target.token, b"");
        // A connection that rested may have been closed; whoever keeps connections tries once more.
        let mut answered = false;
        for _ in 0..2 {
            let mut open = match connection.take() {
                Some(open) => open,
                None => match Connection::open(target.address, &target.tls).await {
                    Ok(open) => open,
                    Err(_) => continue,
                },
            };
            if let Ok(answer) = open.send(&wanted, false).await {
                answered = answer.status == 200;
                connection = Some(open);
                break;
            }
        }
        failed += usize::from(!answered);
        latencies.push(due.elapsed());
    }
    (latencies, failed)
}
