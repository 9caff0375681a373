//! Room for requests: how many are worked on at once, and the bytes of their bodies and answers
//! (rows F57, F66). What finds none gets 503 with `Retry-After`.
//!
//! A place is held while we work, not while a peer is slow to send: five hundred trickling bodies
//! must not keep out those who send theirs whole.

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
    task::{Context, Poll},
};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The room of a listener.
#[derive(Debug)]
pub(crate) struct Room {
    requests: Arc<Semaphore>,
    body_bytes: Arc<Semaphore>,
    sending_bytes: AtomicUsize,
    /// Rings when more large answers wait than there is room for.
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
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    begun: bool,
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

    /// Waits until more large answers wait to be taken than there is room for.
    pub(super) async fn crowded(&self) {
        self.crowded.notified().await;
    }

    /// Bytes of large answers that peers have not taken yet.
    pub(crate) fn sending_bytes(&self) -> usize {
        self.sending_bytes.load(Relaxed)
    }
}

impl Work {
    /// A request of this connection, not begun.
    pub(crate) fn new(room: Arc<Room>, seat: Arc<Seat>) -> Self {
        Self { room, seat, held: Mutex::default() }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins.
    pub(crate) fn begin(&self) -> Result<(), NoRoom> {
        let mut held = self.held();
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

/// The body of an answer. A large one is watched until the peer has it, from the moment it is made: an
/// HTTP/2 peer that opens no window makes us hold it without asking for its first byte. The request's
/// place is free once its answer goes out: then it is the peer that is waited for.
pub(super) struct Answer<B> {
    body: B,
    sending: Option<Arc<Sending>>,
}

impl<B: Body> Answer<B> {
    /// Wraps the body of the answer to this request.
    pub(super) fn new(body: B, work: &Work) -> Self {
        work.pause();
        let bytes = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        let sending = (bytes >= limits::LARGE_ANSWER_BYTES).then(|| Arc::new(Sending::new(bytes, work)));
        Self { body, sending }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Answer<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let Some(sending) = &self.sending else { return frame };
        let watched = |part| Bytes::from_owner(Part { part, _sending: Arc::clone(sending) });
        frame.map(|frame| frame.map(|frame| frame.map(|frame| frame.map_data(watched))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let mut held = std::mem::take(&mut *self.held());
        self.give_place(&mut held);
    }
}

/// A large answer that the peer does not have yet.
struct Sending {
    bytes: usize,
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
        Self { bytes, seat: Arc::clone(&work.seat), room: Arc::clone(&work.room) }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.seat.sent(self.bytes);
        self.room.sending_bytes.fetch_sub(self.bytes, Relaxed);
    }
}

/// A part of one.
struct Part {
    part: Bytes,
    _sending: Arc<Sending>,
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.part
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
}
