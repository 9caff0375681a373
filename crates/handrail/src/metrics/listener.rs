//! The listener of the metrics: plain HTTP/1.1, `GET /metrics`, nothing else.
//!
//! What it tells names no person, no resource and no client, so it needs no token; it belongs on loopback or
//! into a network of the operators all the same. FHIR is never served here (row A3).

use crate::{
    limits,
    outcome::{self, Scraped},
};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, sync::Arc};
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};

/// Makes the page.
pub(crate) type Render = Arc<dyn Fn() -> String + Send + Sync>;

/// Serves until the task is aborted.
pub(crate) async fn serve(listener: TcpListener, render: Render) {
    let places = Arc::new(Semaphore::new(limits::METRICS_CONNECTIONS_MAX));
    // One page at a time: a page asks the store and the file system, and scrapers that pile up gain nothing.
    let turn = Arc::new(Semaphore::new(1));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(why) => {
                tracing::warn!(%why, "the metrics listener could not accept a connection");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        let (render, turn) = (Arc::clone(&render), Arc::clone(&turn));
        tokio::spawn(async move {
            let _place = place;
            let service = service_fn(move |request: Request<Incoming>| {
                let (render, turn) = (Arc::clone(&render), Arc::clone(&turn));
                async move { Ok::<_, Infallible>(answer(&request, render, &turn).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits::HEAD)
                .max_headers(limits::HEADERS_MAX)
                .max_buf_size(limits::HEAD_BYTES_MAX)
                .serve_connection(TokioIo::new(stream), service);
            let _ = timeout(limits::METRICS_CONNECTION_LIFE, connection).await;
        });
    }
}

async fn answer(request: &Request<Incoming>, render: Render, turn: &Semaphore) -> Response<Full<Bytes>> {
    match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => {
            let _turn = turn.acquire().await;
            let page = tokio::task::spawn_blocking(move || render()).await;
            outcome::metrics(page.map_or(Scraped::Failed, Scraped::Page))
        }
        (_, "/metrics") => outcome::metrics(Scraped::Method),
        _ => outcome::metrics(Scraped::Elsewhere),
    }
}
