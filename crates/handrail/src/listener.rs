//! Sockets: accepts, shakes hands, speaks HTTP/1.1 or HTTP/2 as ALPN agreed, and ends well.
//!
//! A slow peer is cut at each stage: handshake, head, body ([`body`]), taking our answer
//! ([`patience`]). Of a refused HTTP/2 body the rest is taken off the line ([`linger`]). HTTP/2 streams, resets and header lists are capped (row A21). On stop the socket
//! closes first, then each connection finishes the requests it has, then the caller may close the
//! store: what was acknowledged was committed, and what was not finished was never acknowledged.
//! Left out: plain HTTP (row A3: there is no such port), upgrades, HTTP/3.

pub(crate) mod body;
mod linger;
pub(crate) mod patience;
mod places;

use crate::{limits, router::Router};
use body::TimedBody;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::{HttpService, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
};
use patience::Patience;
use places::Places;
use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

/// The body of a request as the listener hands it on.
pub(crate) type RequestBody = TimedBody<linger::Lent<Incoming>>;

/// Binds the listening socket.
///
/// # Errors
/// Whatever the operating system says: address in use, not ours, not allowed.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(limits::BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Serves until `stop` turns true and the connections have drained, or [`limits::DRAIN`] has passed.
/// Returns the number of connections that were cut at that end.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: TlsAcceptor,
    router: Arc<Router>,
    connections_max: usize,
    mut stop: watch::Receiver<bool>,
) -> usize {
    let places = Arc::new(Places::new(connections_max));
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = async { (places.free().await, listener.accept().await) } => accepted,
        };
        let (tcp, peer) = match accepted {
            (place, Ok((tcp, peer))) => match place.taken_by(peer.ip()) {
                Some(place) => ((tcp, place), peer),
                // One address holds its share: closing at once costs least.
                None => continue,
            },
            (_, Err(why)) => {
                // Out of file descriptors, or the peer left between SYN and accept.
                tracing::warn!(%why, "a connection could not be accepted");
                sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (tls, router, stop) = (tls.clone(), Arc::clone(&router), stop.clone());
        tokio::spawn(async move {
            let (tcp, _place) = tcp;
            connection(tcp, peer, tls, router, stop).await;
        });
    }
    drop(listener);
    places.drained(limits::DRAIN).await
}

async fn connection(
    tcp: TcpStream,
    peer: SocketAddr,
    tls: TlsAcceptor,
    router: Arc<Router>,
    stop: watch::Receiver<bool>,
) {
    // Answers are written whole; waiting to fill a segment only adds delay.
    let _ = tcp.set_nodelay(true);
    let stream = match timeout(limits::HANDSHAKE, tls.accept(tcp)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(why)) => return tracing::debug!(%why, "TLS handshake failed"),
        Err(_) => return tracing::debug!("TLS handshake took too long"),
    };
    let http_2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let service = service_fn(move |request: Request<Incoming>| {
        let router = Arc::clone(&router);
        async move {
            let (parts, body) = request.into_parts();
            let (lent, left) = linger::lend(body);
            let response = router.answer(peer, Request::from_parts(parts, TimedBody::new(lent))).await;
            if http_2 {
                left.discard().await;
            }
            Ok::<_, Infallible>(response)
        }
    });
    if let Err(why) = converse(stream, http_2, service, stop).await {
        tracing::debug!(%why, "connection ended early");
    }
}

/// Speaks HTTP over this stream until it ends.
async fn converse<I, S>(stream: I, http_2: bool, service: S, stop: watch::Receiver<bool>) -> hyper::Result<()>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: HttpService<Incoming, ResBody = Full<Bytes>, Error = Infallible>,
    S::Future: Send + 'static,
{
    let io = TokioIo::new(Patience::new(stream, http_2));
    if http_2 {
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits::STREAMS_MAX)
            .max_pending_accept_reset_streams(limits::RESET_STREAMS_MAX)
            .max_local_error_reset_streams(limits::ERROR_STREAMS_MAX)
            .max_header_list_size(u32::try_from(limits::HEAD_BYTES_MAX).unwrap_or(u32::MAX))
            .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
            .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
            .keep_alive_interval(limits::PING)
            .keep_alive_timeout(limits::PING)
            .serve_connection(io, service);
        drive(connection, stop).await
    } else {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits::HEAD)
            .max_headers(limits::HEADERS_MAX)
            .max_header_size(limits::HEAD_BYTES_MAX)
            .max_buf_size(2 * limits::HEAD_BYTES_MAX)
            .serve_connection(io, service);
        drive(connection, stop).await
    }
}

/// Runs a connection; when the server stops or the connection is old, lets it finish what it has.
async fn drive<C>(connection: C, mut stop: watch::Receiver<bool>) -> Result<(), C::Error>
where
    C: GracefulConnection,
{
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        _ = stop.wait_for(|stop| *stop) => {}
        () = sleep(limits::CONNECTION_LIFE) => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}

#[cfg(test)]
mod tests;
