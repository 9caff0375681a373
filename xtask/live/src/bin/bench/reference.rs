//! The reference for HTTP: a bare axum and rustls server, in its own process, that answers every
//! request with the same bytes. It checks nothing, looks nothing up and records nothing.

use crate::load::Target;
use axum::{Router, body::Body, http::Response};
use bytes::Bytes;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use std::{
    io::{self, BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};
use tokio_rustls::TlsAcceptor;

/// Serves `body` on a free port, writes its certificate to `certificate`, and prints the port.
pub(crate) async fn serve(body: Bytes, certificate: &Path, say: impl Fn(u16)) -> io::Result<()> {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".into()]).map_err(io::Error::other)?;
    std::fs::write(certificate, key.cert.pem())?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()));
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], private)
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let router = Router::new().fallback(move |request: axum::extract::Request| {
        let body = body.clone();
        async move {
            // The body of a POST is read, as any server must.
            let _ = axum::body::to_bytes(request.into_body(), 64 * 1024 * 1024).await;
            Response::builder()
                .header("content-type", "application/fhir+json")
                .body(Body::from(body))
                .unwrap_or_default()
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    say(listener.local_addr()?.port());
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let (acceptor, router) = (acceptor.clone(), router.clone());
        tokio::spawn(async move {
            if let Ok(stream) = acceptor.accept(socket).await {
                let service = TowerToHyperService::new(router);
                let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
            }
        });
    }
}

/// A reference server in a process of its own.
pub(crate) struct Reference {
    child: Child,
    address: SocketAddr,
    tls: Arc<rustls::ClientConfig>,
}

impl Reference {
    /// Where it is.
    pub(crate) fn target(&self) -> Target {
        Target { address: self.address, tls: Arc::clone(&self.tls), process: self.child.id() }
    }

    /// Starts one that answers with `body`; `directory` is for its files.
    pub(crate) fn start(body: &[u8], directory: &Path) -> io::Result<Self> {
        let (file, certificate) = (directory.join("body"), directory.join("reference.pem"));
        std::fs::write(&file, body)?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg("--reference")
            .arg(&file)
            .arg("--certificate")
            .arg(&certificate)
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().ok_or_else(|| io::Error::other("no standard output"))?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let port = line.trim().parse().map_err(io::Error::other)?;
        let tls = live::client::tls(&std::fs::read(&certificate)?)?;
        Ok(Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)), tls })
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
