//! A21 over a pipe instead of a socket, with a paused clock: what slow and greedy peers get.

use super::*;
use http_body_util::{BodyExt, Full};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    task::JoinHandle,
    time::Instant,
};

/// A connection whose service answers with the length of the body, or `slow` when it came too slowly.
fn start(http_2: bool) -> (DuplexStream, watch::Sender<bool>, JoinHandle<hyper::Result<()>>) {
    let (peer, _seat, stop, server) = start_seated(http_2);
    (peer, stop, server)
}

type Seated = (DuplexStream, Arc<Seat>, watch::Sender<bool>, JoinHandle<hyper::Result<()>>);

/// The same, with its seat.
fn start_seated(http_2: bool) -> Seated {
    let (ours, theirs) = duplex(256 * 1024);
    let (stop, stopped) = watch::channel(false);
    let seat = Arc::new(Seat::new("192.0.2.1".parse().unwrap(), Instant::now()));
    let room = Arc::new(Room::new(8));
    let served = Arc::clone(&seat);
    let server = tokio::spawn(async move {
        let working = Arc::clone(&served);
        let service = service_fn(move |request: Request<Incoming>| {
            let work = Arc::new(Work::new(Arc::clone(&room), Arc::clone(&working)));
            async move {
                work.begin().unwrap();
                let text = match TimedBody::new(request.into_body(), Arc::clone(&work)).collect().await {
                    Ok(body) => body.to_bytes().len().to_string(),
                    Err(_) => "slow".to_owned(),
                };
                Ok::<_, Infallible>(http::Response::new(Answer::new(Full::new(Bytes::from(text)), &work)))
            }
        });
        converse(ours, http_2, service, &served, stopped).await
    });
    (theirs, seat, stop, server)
}

async fn read_all(peer: &mut DuplexStream) -> String {
    let mut bytes = Vec::new();
    let _ = peer.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test(start_paused = true)]
async fn a_head_that_trickles_is_cut() {
    let (mut peer, _stop, server) = start(false);
    let started = Instant::now();
    let trickle = async {
        for byte in b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ".iter().chain(std::iter::repeat(&b'a')) {
            if peer.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_secs(1)).await;
        }
    };
    trickle.await;
    assert!(started.elapsed() <= limits::HEAD + Duration::from_secs(2), "{:?}", started.elapsed());
    assert!(server.await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_is_cut() {
    for http_2 in [false, true] {
        let (mut peer, _stop, server) = start(http_2);
        let started = Instant::now();
        read_all(&mut peer).await;
        assert!(started.elapsed() <= limits::HEAD + limits::STALL, "http_2 {http_2}: {:?}", started.elapsed());
        let _ = server.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_after_its_answer() {
    let (mut peer, _stop, server) = start(false);
    peer.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let started = Instant::now();
    assert!(read_all(&mut peer).await.starts_with("HTTP/1.1 200"));
    assert!(started.elapsed() <= limits::HEAD + Duration::from_secs(1), "{:?}", started.elapsed());
    let _ = server.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_ends_the_request() {
    let (mut peer, _stop, server) = start(false);
    peer.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n1234").await.unwrap();
    let answer = read_all(&mut peer).await;
    assert!(answer.ends_with("slow"), "{answer}");
    let _ = server.await.unwrap();
}

#[tokio::test]
async fn a_head_over_the_limit_is_431() {
    for head in [
        format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {}\r\n\r\n", "a".repeat(limits::HEAD_BYTES_MAX)),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X-Many: a\r\n".repeat(limits::HEADERS_MAX)),
    ] {
        let (mut peer, _stop, server) = start(false);
        peer.write_all(head.as_bytes()).await.unwrap();
        let answer = read_all(&mut peer).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
        let _ = server.await.unwrap();
    }
}

#[tokio::test]
async fn smuggled_lengths_are_refused() {
    for head in [
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n12345",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: +4\r\n\r\n1234",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX-Fold: a\r\n b\r\n\r\n",
    ] {
        let (mut peer, _stop, server) = start(false);
        peer.write_all(head.as_bytes()).await.unwrap();
        peer.shutdown().await.unwrap();
        let answer = read_all(&mut peer).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{head:?}: {answer}");
        let _ = server.await.unwrap();
    }
}

#[tokio::test]
async fn a_length_beside_chunks_does_not_split_the_stream() {
    // RFC 9112 section 6.3: Transfer-Encoding overrides, and the connection ends with the answer.
    let (mut peer, _stop, server) = start(false);
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n";
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
    peer.write_all(format!("{head}0\r\n\r\n{smuggled}").as_bytes()).await.unwrap();
    peer.shutdown().await.unwrap();
    let answer = read_all(&mut peer).await;
    assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{answer}");
    let _ = server.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_in_flight_finishes_when_the_server_stops() {
    let (mut peer, stop, server) = start(false);
    peer.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n12").await.unwrap();
    sleep(Duration::from_secs(1)).await;
    stop.send(true).unwrap();
    sleep(Duration::from_secs(1)).await;
    peer.write_all(b"34").await.unwrap();
    let answer = read_all(&mut peer).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n4"), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("connection: close"), "{answer}");
    server.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_ends_at_once_when_the_server_stops() {
    let (mut peer, stop, server) = start(false);
    let started = Instant::now();
    stop.send(true).unwrap();
    assert_eq!(read_all(&mut peer).await, "");
    assert!(started.elapsed() < Duration::from_secs(1));
    server.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn f66_a_resting_connection_gives_way_at_once_and_a_working_one_finishes() {
    for http_2 in [false, true] {
        let (mut peer, seat, _stop, server) = start_seated(http_2);
        let started = Instant::now();
        seat.leave();
        read_all(&mut peer).await;
        assert!(started.elapsed() <= limits::LEAVE, "http_2 {http_2}");
        let _ = server.await.unwrap();
    }
    let (mut peer, seat, _stop, server) = start_seated(false);
    peer.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n12").await.unwrap();
    sleep(Duration::from_secs(1)).await;
    seat.works();
    seat.leave();
    sleep(2 * limits::LEAVE).await;
    peer.write_all(b"34").await.unwrap();
    let answer = read_all(&mut peer).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    server.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn f66_a_connection_that_is_cut_ends_whatever_it_does() {
    let (mut peer, seat, _stop, server) = start_seated(false);
    peer.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n1").await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let started = Instant::now();
    seat.cut();
    assert_eq!(read_all(&mut peer).await, "");
    assert!(started.elapsed() < Duration::from_secs(1));
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_rapid_reset_flood_ends_the_connection() {
    let (peer, _stop, server) = start(true);
    let mut flood = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    // HEADERS of `:method: GET, :scheme: https, :path: /, :authority: a` without END_STREAM, then RST_STREAM.
    let block = [0x82u8, 0x87, 0x84, 0x41, 0x01, b'a'];
    for stream in (1u32..20_000).step_by(2) {
        flood.extend_from_slice(&[0, 0, 6, 1, 4]);
        flood.extend_from_slice(&stream.to_be_bytes());
        flood.extend_from_slice(&block);
        flood.extend_from_slice(&[0, 0, 4, 3, 0]);
        flood.extend_from_slice(&stream.to_be_bytes());
        flood.extend_from_slice(&8u32.to_be_bytes());
    }
    let (mut from, mut to) = tokio::io::split(peer);
    let reading = tokio::spawn(async move {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes).await;
    });
    let sent_all = to.write_all(&flood).await.is_ok();
    let ended = server.await.unwrap();
    assert!(ended.is_err(), "the connection is ended, not served; the flood was sent whole: {sent_all}");
    reading.await.unwrap();
}

/// Kind, flags and length of the HTTP/2 frames that are whole; what is left stays.
fn frames(bytes: &mut Vec<u8>) -> Vec<(u8, u8, usize)> {
    let mut out = Vec::new();
    while let Some(head) = bytes.get(..9) {
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let (kind, flags) = (head[3], head[4]);
        if bytes.len() < 9 + length {
            break;
        }
        bytes.drain(..9 + length);
        out.push((kind, flags, length));
    }
    out
}

/// CVE-2019-9517: fifty large answers asked for and no window. One or two are made; when the window
/// opens, all are, in turn.
#[tokio::test(start_paused = true)]
async fn f66_answers_that_have_no_window_are_not_made() {
    const STREAMS: u32 = 50;
    const BYTES: usize = 300 * 1024;
    let (ours, mut peer) = duplex(64 * 1024);
    let (_stop, stopped) = watch::channel(false);
    let seat = Arc::new(Seat::new("192.0.2.1".parse().unwrap(), Instant::now()));
    let room = Arc::new(Room::new(8));
    let made = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (served, working, count, held) = (Arc::clone(&seat), Arc::clone(&seat), Arc::clone(&made), Arc::clone(&room));
    let server = tokio::spawn(async move {
        let service = service_fn(move |_: Request<Incoming>| {
            let (room, seat, made) = (Arc::clone(&held), Arc::clone(&working), Arc::clone(&count));
            async move {
                let work = Work::in_turn(room, seat).await;
                work.begin().unwrap();
                made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                Ok::<_, Infallible>(http::Response::new(Answer::new(Full::new(Bytes::from(vec![7; BYTES])), &work)))
            }
        });
        converse(ours, true, service, &served, stopped).await
    });
    let made = || made.load(std::sync::atomic::Ordering::Relaxed);

    // SETTINGS_INITIAL_WINDOW_SIZE = 0, then HEADERS of a GET, with END_STREAM and END_HEADERS.
    let mut ask = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0".to_vec();
    for stream in (1..2 * STREAMS).step_by(2) {
        ask.extend_from_slice(&[0, 0, 6, 1, 5]);
        ask.extend_from_slice(&stream.to_be_bytes());
        ask.extend_from_slice(&[0x82, 0x87, 0x84, 0x41, 0x01, b'a']);
    }
    peer.write_all(&ask).await.unwrap();
    sleep(Duration::from_secs(5)).await;
    assert_eq!(made(), 2);
    assert_eq!(room.sending_bytes(), 2 * BYTES);

    // The same setting with 1 MB, and as much for the connection as there is.
    peer.write_all(b"\0\0\x06\x04\0\0\0\0\0\0\x04\0\x10\0\0").await.unwrap();
    peer.write_all(b"\0\0\x04\x08\0\0\0\0\0\x7f\0\0\0").await.unwrap();
    let (mut bytes, mut taken, mut ended) = (Vec::new(), 0, 0);
    while ended < STREAMS {
        assert!(peer.read_buf(&mut bytes).await.unwrap() > 0, "{ended} ended");
        for (_, flags, length) in frames(&mut bytes).into_iter().filter(|frame| frame.0 == 0) {
            taken += length;
            ended += u32::from(flags & 1);
        }
    }
    assert_eq!(taken, BYTES * usize::try_from(STREAMS).unwrap());
    assert_eq!(made(), usize::try_from(STREAMS).unwrap());
    drop(peer);
    let _ = server.await.unwrap();
    assert_eq!(room.sending_bytes(), 0);
}
