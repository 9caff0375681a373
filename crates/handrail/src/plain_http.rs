//! A listener of plain HTTP/1.1, for what is nobody's secret: metrics, and the lists and answers of a lab community. FHIR
//! is never served here (row A3).

use crate::limits;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};

/// How much there is of it at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Open connections; further ones wait to be accepted.
    pub(crate) connections: usize,
    /// Time after which a connection is closed, whatever it does.
    pub(crate) life: Duration,
}

/// Serves until the task is aborted.
pub(crate) async fn serve<Answering>(
    listener: TcpListener,
    bounds: Bounds,
    answer: impl Fn(Request<Incoming>) -> Answering + Clone + Send + 'static,
) where
    Answering: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(bounds.connections));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(why) => {
                tracing::warn!(%why, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let answer = answer.clone();
        tokio::spawn(async move {
            let _place = place;
            let service = service_fn(move |request| {
                let answering = answer(request);
                async move { Ok::<_, Infallible>(answering.await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits::HEAD)
                .max_headers(limits::HEADERS_MAX)
                .max_buf_size(limits::HEAD_BYTES_MAX)
                .serve_connection(TokioIo::new(stream), service);
            let _ = timeout(bounds.life, connection).await;
        });
    }
}
