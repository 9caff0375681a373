//! Room for requests: how many are worked on at once, and the bytes of their bodies and answers
//! (rows F57, F66). What finds none gets 503 with `Retry-After`.
//!
//! A place is held while we work, not while a peer is slow to send: five hundred trickling bodies
//! must not keep out those who send theirs whole.
//!
//! An HTTP/2 peer may ask for a hundred answers and open no window for them. So no answer is made on
//! a connection whose peer has [`limits::UNTAKEN_BYTES_MAX`] to take; its requests wait in line.

use super::seat::Seat;
use crate::limits;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The room of a listener.
#[derive(Debug)]
pub(crate) struct Room {
    requests: Arc<Semaphore>,
    body_bytes: Arc<Semaphore>,
    sending_bytes: AtomicUsize,
    /// Rings when more watched answers wait than there is room for.
    crowded: Notify,
}

/// There is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoRoom;

/// One request's part of it; given back when dropped.
#[derive(Debug)]
pub(crate) struct Work {
    room: Arc<Room>,
    seat: Arc<Seat>,
    http_2: bool,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    begun: bool,
    /// The peer takes nothing: it gets no more.
    refused: bool,
    place: Option<OwnedSemaphorePermit>,
    bytes: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// Room for this many requests at once.
    pub(crate) fn new(requests: usize) -> Self {
        Self {
            requests: Arc::new(Semaphore::new(requests)),
            body_bytes: Arc::new(Semaphore::new(limits::BODY_BYTES_IN_FLIGHT_MAX)),
            sending_bytes: AtomicUsize::new(0),
            crowded: Notify::new(),
        }
    }

    /// Bytes of request bodies in memory.
    pub(crate) fn body_bytes(&self) -> usize {
        limits::BODY_BYTES_IN_FLIGHT_MAX.saturating_sub(self.body_bytes.available_permits())
    }

    /// Waits until more watched answers wait to be taken than there is room for.
    pub(super) async fn crowded(&self) {
        self.crowded.notified().await;
    }

    /// Bytes of watched answers that peers have not taken yet.
    pub(crate) fn sending_bytes(&self) -> usize {
        self.sending_bytes.load(Relaxed)
    }
}

impl Work {
    /// A request of this connection, not begun.
    pub(crate) fn new(room: Arc<Room>, seat: Arc<Seat>) -> Self {
        Self { room, seat, http_2: false, held: Mutex::default() }
    }

    /// One of an HTTP/2 connection, when it is its turn: not before the peer has taken most of what it
    /// asked for. Where the peer takes nothing for [`limits::STALL`], the request finds no room. Each
    /// answer is watched: without a window even the smallest waits with us.
    pub(super) async fn in_turn(room: Arc<Room>, seat: Arc<Seat>) -> Self {
        let takes = seat.takes(limits::UNTAKEN_BYTES_MAX, limits::STALL).await;
        let held = Mutex::new(Held { refused: !takes, ..Held::default() });
        Self { room, seat, http_2: true, held }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins.
    pub(crate) fn begin(&self) -> Result<(), NoRoom> {
        let mut held = self.held();
        if held.refused {
            return Err(NoRoom);
        }
        held.begun = true;
        self.take_place(&mut held)
    }

    fn take_place(&self, held: &mut Held) -> Result<(), NoRoom> {
        if held.begun && held.place.is_none() {
            held.place = Some(Arc::clone(&self.room.requests).try_acquire_owned().map_err(|_| NoRoom)?);
            self.seat.works();
        }
        Ok(())
    }

    fn give_place(&self, held: &mut Held) {
        if held.place.take().is_some() {
            self.seat.waits();
        }
    }

    /// The peer is waited for.
    pub(super) fn pause(&self) {
        self.give_place(&mut self.held());
    }

    /// This many bytes of the body came.
    pub(super) fn came(&self, bytes: usize) -> Result<(), NoRoom> {
        let mut held = self.held();
        self.take_place(&mut held)?;
        let bytes = u32::try_from(bytes).map_err(|_| NoRoom)?;
        let fresh = Arc::clone(&self.room.body_bytes).try_acquire_many_owned(bytes).map_err(|_| NoRoom)?;
        match &mut held.bytes {
            Some(bytes) => bytes.merge(fresh),
            none => *none = Some(fresh),
        }
        Ok(())
    }
}

/// The body of an answer. A large one, and any of HTTP/2, is watched until the peer has it, from the
/// moment it is made: an HTTP/2 peer that opens no window makes us hold it without asking for its first
/// byte. The request's place is free once its answer goes out: then it is the peer that is waited for.
pub(super) struct Answer<B> {
    body: B,
    sending: Option<Arc<Sending>>,
    /// Bytes of one part.
    part_max: usize,
    /// What is left of a frame of the body.
    rest: Bytes,
}

impl<B: Body> Answer<B> {
    /// Wraps the body of the answer to this request.
    pub(super) fn new(body: B, work: &Work) -> Self {
        work.pause();
        let bytes = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        // HTTP/2 takes a part when there is a window for it: parts tell a slow peer from a dead one.
        let (watched_from, part_max) =
            if work.http_2 { (1, limits::PART_BYTES) } else { (limits::LARGE_ANSWER_BYTES, usize::MAX) };
        let sending = (bytes >= watched_from).then(|| Arc::new(Sending::new(bytes, work)));
        Self { body, sending, part_max, rest: Bytes::new() }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Answer<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let Some(sending) = self.sending.clone() else { return Pin::new(&mut self.body).poll_frame(cx) };
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)).map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => self.rest = data,
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Err(why)) => return Poll::Ready(Some(Err(why))),
                None => return Poll::Ready(None),
            }
        }
        let bytes = self.rest.len().min(self.part_max);
        let part = self.rest.split_to(bytes);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(Part { part, sending })))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = body.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(body.lower().saturating_add(rest));
        hint
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let mut held = std::mem::take(&mut *self.held());
        self.give_place(&mut held);
    }
}

/// A watched answer that the peer does not have yet.
struct Sending {
    /// Bytes that it has not taken.
    bytes: AtomicUsize,
    seat: Arc<Seat>,
    room: Arc<Room>,
}

impl Sending {
    fn new(bytes: usize, work: &Work) -> Self {
        work.seat.sends(bytes);
        let before = work.room.sending_bytes.fetch_add(bytes, Relaxed);
        if before.saturating_add(bytes) > limits::SENDING_BYTES_MAX {
            work.room.crowded.notify_one();
        }
        Self { bytes: AtomicUsize::new(bytes), seat: Arc::clone(&work.seat), room: Arc::clone(&work.room) }
    }

    /// The peer has this many bytes.
    fn took(&self, bytes: usize) {
        let before = self.bytes.fetch_update(Relaxed, Relaxed, |left| Some(left.saturating_sub(bytes)));
        let bytes = bytes.min(before.unwrap_or_else(|left| left));
        self.room.sending_bytes.fetch_sub(bytes, Relaxed);
        self.seat.took(bytes);
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let left = *self.bytes.get_mut();
        self.room.sending_bytes.fetch_sub(left, Relaxed);
        self.seat.sent(left);
    }
}

/// A part of one.
struct Part {
    part: Bytes,
    sending: Arc<Sending>,
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.part
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.sending.took(self.part.len());
    }
}

#[cfg(test)]
mod tests {
    //! F57, F66: room is for work; it comes back; what is large is watched.

    use super::*;
    use http_body_util::{BodyExt, Full};
    use tokio::time::Instant;

    fn seat() -> Arc<Seat> {
        Arc::new(Seat::new("192.0.2.1".parse().unwrap(), Instant::now()))
    }

    #[tokio::test]
    async fn who_waits_for_a_body_holds_no_place() {
        let (room, seat) = (Arc::new(Room::new(1)), seat());
        let request = || Work::new(Arc::clone(&room), Arc::clone(&seat));
        let (slow, quick) = (request(), request());
        slow.begin().unwrap();
        assert_eq!(quick.begin(), Err(NoRoom));
        slow.pause();
        assert!(!seat.is_working());
        quick.begin().unwrap();
        assert_eq!(slow.came(1), Err(NoRoom), "its place is taken meanwhile");
        drop(quick);
        slow.came(1).unwrap();
        assert!(seat.is_working());
        drop(slow);
        assert!(!seat.is_working());
        request().begin().unwrap();
    }

    #[tokio::test]
    async fn bodies_share_their_bytes() {
        let (room, seat) = (Arc::new(Room::new(9)), seat());
        let request = || Work::new(Arc::clone(&room), Arc::clone(&seat));
        let (large, small) = (request(), request());
        large.came(limits::BODY_BYTES_IN_FLIGHT_MAX / 2).unwrap();
        large.came(limits::BODY_BYTES_IN_FLIGHT_MAX / 2).unwrap();
        assert_eq!(small.came(1), Err(NoRoom));
        drop(large);
        small.came(1).unwrap();
    }

    #[tokio::test]
    async fn a_large_answer_counts_until_the_peer_has_it() {
        let (room, seat) = (Arc::new(Room::new(1)), seat());
        let work = Work::new(Arc::clone(&room), Arc::clone(&seat));
        let mut answer = Answer::new(Full::new(Bytes::from(vec![7; limits::LARGE_ANSWER_BYTES])), &work);
        assert_eq!(room.sending_bytes(), limits::LARGE_ANSWER_BYTES, "before anyone asked for it");
        let frame = answer.frame().await.unwrap().unwrap().into_data().unwrap();
        let part = frame.slice(1..2);
        drop((work, answer, frame));
        assert_eq!((room.sending_bytes(), part.as_ref()), (limits::LARGE_ANSWER_BYTES, &[7][..]));
        assert!(seat.sends_since_ms().is_some());
        drop(part);
        assert_eq!(room.sending_bytes(), 0);
        assert!(seat.sends_since_ms().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn f66_who_takes_nothing_is_made_no_more_answers() {
        let (room, seat) = (Arc::new(Room::new(9)), seat());
        let request = || Work::in_turn(Arc::clone(&room), Arc::clone(&seat));
        let full = || Full::new(Bytes::from(vec![7; limits::UNTAKEN_BYTES_MAX / 2]));
        let answers = [Answer::new(full(), &request().await), Answer::new(full(), &request().await)];
        let waiting = tokio::spawn(request());
        tokio::time::sleep(limits::STALL / 2).await;
        assert!(!waiting.is_finished());
        let [first, second] = answers;
        drop(first);
        waiting.await.unwrap().begin().unwrap();

        let third = Answer::new(full(), &request().await);
        let taken = Instant::now();
        let (late, later) = tokio::join!(request(), request());
        assert_eq!((late.begin(), later.begin()), (Err(NoRoom), Err(NoRoom)), "503");
        assert!(taken.elapsed() >= limits::STALL && taken.elapsed() < limits::STALL * 2, "{:?}", taken.elapsed());
        drop((second, third));
        request().await.begin().unwrap();
    }

    #[tokio::test]
    async fn f66_every_answer_of_http_2_is_watched() {
        let (room, seat) = (Arc::new(Room::new(1)), seat());
        let work = Work::in_turn(Arc::clone(&room), Arc::clone(&seat)).await;
        let answer = Answer::new(Full::new(Bytes::from_static(b"small")), &work);
        assert_eq!(room.sending_bytes(), 5);
        drop(answer);
        assert_eq!(room.sending_bytes(), 0);
    }
}
