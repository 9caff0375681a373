//! Sockets: accepts, shakes hands, speaks HTTP/1.1 or HTTP/2 as ALPN agreed, and ends well.
//!
//! A slow peer is cut at each stage: handshake, head, body ([`body`]), taking our answer
//! ([`patience`]). Of a refused HTTP/2 body the rest is taken off the line ([`linger`]). HTTP/2 streams, resets and header lists are capped (row A21). On stop the socket
//! closes first, then each connection finishes the requests it has, then the caller may close the
//! store: what was acknowledged was committed, and what was not finished was never acknowledged.
//! Who gives way when places are short is [`places`]; what requests may take at once is [`room`].
//! Left out: plain HTTP (row A3: there is no such port), upgrades, HTTP/3.

pub(crate) mod body;
mod linger;
pub(crate) mod patience;
pub(crate) mod peer;
mod places;
pub(crate) mod room;
mod seat;

use crate::{
    clock, limits,
    metrics::Metrics,
    router::Router,
    tls::{Handshakes, client::Unfit},
};
use body::TimedBody;
use bytes::Bytes;
use http::Request;
use http_body::Body;
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
use peer::{Peer, WayIn};
use places::{Place, Places};
use room::{Answer, Room, Work};
use seat::Seat;
use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{interval, sleep, timeout},
};

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

/// What a listener has room for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Capacity {
    /// Open connections.
    pub(crate) connections: usize,
    /// Requests worked on at once.
    pub(crate) requests: usize,
}

/// A place to listen.
pub(crate) struct Door {
    /// Its socket.
    pub(crate) listener: TcpListener,
    /// What it shakes hands with.
    pub(crate) handshakes: Arc<Handshakes>,
    /// What its connections have in common.
    pub(crate) way_in: Arc<WayIn>,
}

/// Serves until `stop` turns true and the connections have drained, or [`limits::DRAIN`] has passed.
/// Returns the number of connections that were cut at that end. All doors share the capacity.
pub(crate) async fn serve(
    doors: Vec<Door>,
    router: Arc<Router>,
    capacity: Capacity,
    stop: watch::Receiver<bool>,
) -> usize {
    let places = Arc::new(Places::new(capacity.connections, capacity.requests));
    let relief = tokio::spawn(relieve(Arc::clone(&places), Arc::clone(&router.metrics)));
    let mut open = JoinSet::new();
    for door in doors {
        open.spawn(attend(door, Arc::clone(&router), Arc::clone(&places), stop.clone()));
    }
    while open.join_next().await.is_some() {}
    let cut = places.drained(limits::DRAIN).await;
    relief.abort();
    cut
}

/// Takes in who comes to this door, until `stop`.
async fn attend(door: Door, router: Arc<Router>, places: Arc<Places>, mut stop: watch::Receiver<bool>) {
    let Door { listener, handshakes, way_in } = door;
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            accepted = accept(&listener, &places) => accepted,
        };
        let (tcp, peer, place) = match accepted {
            Ok(Some(accepted)) => accepted,
            // Its address has its share: closing at once costs least.
            Ok(None) => {
                router.metrics.connections.refused("address-share");
                continue;
            }
            Err(why) => {
                // Out of file descriptors, or the peer left between SYN and accept.
                tracing::warn!(%why, "a connection could not be accepted");
                router.metrics.connections.refused("not-accepted");
                sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (router, stop, room) = (Arc::clone(&router), stop.clone(), Arc::clone(&places.room));
        let (handshakes, way_in) = (Arc::clone(&handshakes), Arc::clone(&way_in));
        tokio::spawn(async move { connection(tcp, peer, &place, (&handshakes, way_in), router, room, stop).await });
    }
}

/// The next connection, with its place.
async fn accept(listener: &TcpListener, places: &Places) -> io::Result<Option<(TcpStream, SocketAddr, Place)>> {
    let (tcp, peer) = listener.accept().await?;
    Ok(places.take(peer.ip()).await.map(|place| (tcp, peer, place)))
}

async fn relieve(places: Arc<Places>, metrics: Arc<Metrics>) {
    let mut look = interval(limits::RELIEF);
    loop {
        tokio::select! {
            _ = look.tick() => {}
            () = places.room.crowded() => {}
        }
        places.relieve();
        metrics.connections.holds(places.room.body_bytes(), places.room.sending_bytes());
    }
}

async fn connection(
    tcp: TcpStream,
    peer: SocketAddr,
    place: &Place,
    (handshakes, way_in): (&Handshakes, Arc<WayIn>),
    router: Arc<Router>,
    room: Arc<Room>,
    stop: watch::Receiver<bool>,
) {
    let counted = Arc::clone(&router.metrics);
    let connections = &counted.connections;
    let _open = connections.accepted();
    // Answers are written whole; waiting to fill a segment only adds delay.
    let _ = tcp.set_nodelay(true);
    let handshake = tokio::select! {
        handshake = timeout(limits::HANDSHAKE, handshakes.acceptor().accept(tcp)) => handshake,
        _ = place.seat.told() => return failed(&router, peer, "gave-way", &"another connection needed the place"),
    };
    let stream = match handshake {
        Ok(Ok(stream)) => stream,
        Ok(Err(why)) => return failed(&router, peer, kind_of(&why), &why),
        Err(_) => return failed(&router, peer, "too-slow", &"it took too long"),
    };
    place.seat.moved();
    let http_2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    connections.shook_hands(http_2);
    // Of a session that is resumed, too.
    let peer = Arc::new(Peer::new(peer, way_in, stream.get_ref().1.peer_certificates()));
    let seat = Arc::clone(&place.seat);
    let service = service_fn(move |request: Request<Incoming>| {
        let (router, room, seat, peer) = (Arc::clone(&router), Arc::clone(&room), Arc::clone(&seat), Arc::clone(&peer));
        async move {
            let work = Arc::new(if http_2 { Work::in_turn(room, seat).await } else { Work::new(room, seat) });
            let (parts, body) = request.into_parts();
            let (lent, left) = linger::lend(body);
            let body = TimedBody::new(lent, Arc::clone(&work));
            let response = router.answer(&peer, &work, Request::from_parts(parts, body)).await;
            if http_2 {
                left.discard().await;
            }
            Ok::<_, Infallible>(response.map(|body| Answer::new(body, &work)))
        }
    });
    if let Err(why) = converse(stream, http_2, service, &place.seat, stop).await {
        tracing::debug!(%why, "connection ended early");
    }
}

/// A handshake that failed: counted always, in the log now and then, for strangers can make many.
fn failed(router: &Router, peer: SocketAddr, kind: &'static str, why: &dyn std::fmt::Display) {
    router.metrics.connections.handshake_failed(kind);
    if let Some(others) = router.handshake_lines.take(clock::now().unix_seconds()) {
        let peer = peer.ip().to_canonical();
        tracing::info!(kind, %peer, %why, others, "a TLS handshake failed");
    }
}

/// What went wrong in a handshake, as one word.
fn kind_of(why: &io::Error) -> &'static str {
    use rustls::Error as E;
    match why.get_ref().and_then(|inner| inner.downcast_ref::<E>()) {
        Some(E::PeerIncompatible(_)) => "incompatible",
        Some(E::AlertReceived(_)) => "refused-by-peer",
        Some(E::InvalidMessage(_) | E::InappropriateMessage { .. }) => "not-tls",
        Some(E::PeerMisbehaved(_) | E::InappropriateHandshakeMessage { .. }) => "misbehaved",
        Some(E::NoApplicationProtocol) => "no-protocol",
        Some(why @ (E::NoCertificatesPresented | E::InvalidCertificate(_) | E::InvalidCertRevocationList(_))) => {
            Unfit::of(why).word()
        }
        Some(_) => "other",
        None => "closed",
    }
}

/// Speaks HTTP over this stream until it ends.
async fn converse<I, S, B>(
    stream: I,
    http_2: bool,
    service: S,
    seat: &Seat,
    stop: watch::Receiver<bool>,
) -> hyper::Result<()>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: HttpService<Incoming, ResBody = B, Error = Infallible>,
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
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
        drive(connection, seat, stop).await
    } else {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits::HEAD)
            .max_headers(limits::HEADERS_MAX)
            .max_header_size(limits::HEAD_BYTES_MAX)
            .max_buf_size(2 * limits::HEAD_BYTES_MAX)
            .serve_connection(io, service);
        drive(connection, seat, stop).await
    }
}

/// Runs a connection. When the server stops or the connection is old, it finishes what it has, within
/// bounds; when another needs its place, it says goodbye and goes, unless we work for it just then.
async fn drive<C>(connection: C, seat: &Seat, mut stop: watch::Receiver<bool>) -> Result<(), C::Error>
where
    C: GracefulConnection,
{
    let mut connection = pin!(connection);
    let gives_way = tokio::select! {
        ended = connection.as_mut() => return ended,
        _ = stop.wait_for(|stop| *stop) => false,
        () = sleep(limits::CONNECTION_LIFE) => false,
        cut = seat.told() => if cut { return Ok(()) } else { true },
    };
    connection.as_mut().graceful_shutdown();
    let last = async {
        if gives_way {
            sleep(limits::LEAVE).await;
            if !seat.is_working() {
                return;
            }
        }
        sleep(limits::LAST).await;
    };
    tokio::select! {
        ended = connection => ended,
        () = last => Ok(()),
        () = seat.is_cut() => Ok(()),
    }
}

#[cfg(test)]
mod tests;
