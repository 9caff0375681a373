//! The attacks: how each begins, and what the server must have made of it when it ends.

mod bodies;
mod connections;
mod http1;
mod http2;

use rustls::ClientConfig;
use std::{future::Future, io, net::SocketAddr, pin::Pin, sync::Arc};
use tokio::{sync::watch, task::JoinHandle};

/// What is attacked.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) token: String,
    /// Idle connections to open.
    pub(crate) idle: usize,
}

impl Target {
    /// For the steady caller.
    pub(crate) fn place(&self) -> live::steady::Target {
        live::steady::Target { address: self.address, tls: Arc::clone(&self.tls), token: self.token.clone() }
    }
}

/// What became of an attack, or of one peer: in words, and as `Err` when the server did what it must not.
pub(crate) type Verdict = Result<String, String>;

type Begin = fn(Arc<Target>) -> Pin<Box<dyn Future<Output = io::Result<Siege>> + Send>>;

/// An attack.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// `limits.connections` of the server.
    pub(crate) connections: usize,
    /// Begins it; when this returns it is under way.
    pub(crate) begin: Begin,
}

/// An attack under way.
pub(crate) struct Siege {
    stop: watch::Sender<bool>,
    peers: Vec<JoinHandle<Verdict>>,
    sum: fn(Vec<String>) -> String,
}

impl Siege {
    /// Peers that go on until told to stop.
    pub(crate) fn of<F>(
        count: usize,
        sum: fn(Vec<String>) -> String,
        peer: impl Fn(usize, watch::Receiver<bool>) -> F,
    ) -> Self
    where
        F: Future<Output = Verdict> + Send + 'static,
    {
        let (stop, stopped) = watch::channel(false);
        let peers = (0..count).map(|n| tokio::spawn(peer(n, stopped.clone()))).collect();
        Self { stop, peers, sum }
    }

    /// Stops it and says what became of it.
    pub(crate) async fn end(self) -> Verdict {
        let _ = self.stop.send(true);
        let mut said = Vec::new();
        for peer in self.peers {
            said.push(peer.await.map_err(|why| why.to_string())??);
        }
        Ok((self.sum)(said))
    }
}

/// How often each thing was said.
pub(crate) fn counted(said: Vec<String>) -> String {
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for words in said.iter().flat_map(|said| said.split("; ")).filter(|words| !words.is_empty()) {
        let (words, times) = words.rsplit_once(" ×").map_or((words, 1), |(w, n)| (w, n.parse().unwrap_or(1)));
        *counts.entry(words.to_owned()).or_default() += times;
    }
    let parts: Vec<String> = counts.into_iter().map(|(words, count)| format!("{words} ×{count}")).collect();
    parts.join(", ")
}

/// All attacks, in the order of the report.
pub(crate) const ATTACKS: &[Attack] = &[
    Attack { name: "idle TLS connections", connections: 1024, begin: connections::idle_tls },
    Attack { name: "idle TLS connections, room for all", connections: 12_000, begin: connections::idle_tls_held },
    Attack { name: "idle TCP connections", connections: 1024, begin: connections::idle_tcp },
    Attack { name: "slow readers of large answers", connections: 1024, begin: connections::slow_readers },
    Attack { name: "slow heads", connections: 1024, begin: http1::slow_heads },
    Attack { name: "slow bodies and forms", connections: 1024, begin: http1::slow_bodies },
    Attack { name: "oversized heads", connections: 1024, begin: http1::oversized_heads },
    Attack { name: "request smuggling", connections: 1024, begin: http1::smuggling },
    Attack { name: "HTTP/2 rapid reset", connections: 1024, begin: http2::rapid_reset },
    Attack { name: "HTTP/2 endless CONTINUATION", connections: 1024, begin: http2::continuation },
    Attack { name: "HTTP/2 pings and settings", connections: 1024, begin: http2::pings },
    Attack { name: "HTTP/2 window never opened", connections: 1024, begin: http2::closed_window },
    Attack { name: "100 KB of [", connections: 1024, begin: bodies::deep },
    Attack { name: "decompression bombs", connections: 1024, begin: bodies::bombs },
    Attack { name: "bodies over the limit", connections: 1024, begin: bodies::over_long },
    Attack { name: "costly searches", connections: 1024, begin: bodies::costly },
];
