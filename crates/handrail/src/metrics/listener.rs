//! The listener of the metrics: plain HTTP/1.1, `GET /metrics`, nothing else.
//!
//! What it tells names no person, no resource and no client, so it needs no token; it belongs on loopback or
//! into a network of the operators all the same. FHIR is never served here (row A3).

use crate::{
    limits,
    outcome::{self, Scraped},
    plain_http::{self, Bounds},
};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use std::sync::Arc;
use tokio::{net::TcpListener, sync::Semaphore};

/// Makes the page.
pub(crate) type Render = Arc<dyn Fn() -> String + Send + Sync>;

/// Serves until the task is aborted.
pub(crate) async fn serve(listener: TcpListener, render: Render) {
    // One page at a time: a page asks the store and the file system, and scrapers that pile up gain nothing.
    let turn = Arc::new(Semaphore::new(1));
    let bounds = Bounds { connections: limits::METRICS_CONNECTIONS_MAX, life: limits::METRICS_CONNECTION_LIFE };
    let one = move |request: Request<Incoming>| {
        let (render, turn) = (Arc::clone(&render), Arc::clone(&turn));
        async move { answer(&request, render, &turn).await }
    };
    plain_http::serve(listener, bounds, one).await;
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
