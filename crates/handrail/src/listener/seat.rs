//! What one connection is doing, as far as it matters to who gives way: it works, it rests, it waits
//! for its peer, or its peer takes an answer slowly.
//!
//! Kept in atomics: every request touches it.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};
use tokio::{
    sync::{Mutex, Notify},
    time::{Instant, timeout_at},
};

/// A connection's seat.
#[derive(Debug)]
pub(crate) struct Seat {
    address: IpAddr,
    origin: Instant,
    /// Requests that we work on.
    working: AtomicUsize,
    /// When something last came, began or ended, in milliseconds since `origin`.
    moved_ms: AtomicU64,
    /// Bytes of watched answers that the peer has not taken yet.
    sending_bytes: AtomicUsize,
    /// When the peer last took such an answer whole, or was first given one.
    sending_ms: AtomicU64,
    /// When it last took a part of one, or was first given one.
    took_ms: AtomicU64,
    /// Requests that wait until the peer has taken some, in the order in which they came.
    line: Mutex<()>,
    /// Rings when it has.
    taken: Notify,
    told: AtomicBool,
    cut: AtomicBool,
    bell: Notify,
}

impl Seat {
    /// A seat of a connection that was just accepted. `origin`: the same for all seats of a listener.
    pub(super) fn new(address: IpAddr, origin: Instant) -> Self {
        let seat = Self {
            address,
            origin,
            working: AtomicUsize::new(0),
            moved_ms: AtomicU64::new(0),
            sending_bytes: AtomicUsize::new(0),
            sending_ms: AtomicU64::new(0),
            took_ms: AtomicU64::new(0),
            line: Mutex::new(()),
            taken: Notify::new(),
            told: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            bell: Notify::new(),
        };
        seat.moved();
        seat
    }

    /// Whose it is.
    pub(super) fn address(&self) -> IpAddr {
        self.address
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn moved(&self) {
        self.moved_ms.store(self.now_ms(), Relaxed);
    }

    /// We begin, or go on, to work on a request.
    pub(super) fn works(&self) {
        self.working.fetch_add(1, Relaxed);
        self.moved();
    }

    /// We have done so, or wait for the peer.
    pub(super) fn waits(&self) {
        self.working.fetch_sub(1, Relaxed);
        self.moved();
    }

    /// Whether we work on a request of it.
    pub(super) fn is_working(&self) -> bool {
        self.working.load(Relaxed) > 0
    }

    /// Since when it rests; `None` while we work for it, or when it was told to leave already.
    pub(super) fn rests_since_ms(&self) -> Option<u64> {
        (!self.is_working() && !self.told.load(Relaxed)).then(|| self.moved_ms.load(Relaxed))
    }

    /// A watched answer goes out.
    pub(super) fn sends(&self, bytes: usize) {
        if self.sending_bytes.fetch_add(bytes, Relaxed) == 0 {
            let now_ms = self.now_ms();
            self.sending_ms.store(now_ms, Relaxed);
            self.took_ms.store(now_ms, Relaxed);
        }
    }

    /// The peer has a part of it.
    pub(super) fn took(&self, bytes: usize) {
        self.sending_bytes.fetch_sub(bytes, Relaxed);
        self.took_ms.store(self.now_ms(), Relaxed);
        self.moved();
        self.taken.notify_one();
    }

    /// The peer has it, with this rest.
    pub(super) fn sent(&self, bytes: usize) {
        self.sending_ms.store(self.now_ms(), Relaxed);
        self.took(bytes);
    }

    /// Waits until fewer than this many bytes of answers wait to be taken, in the order of the calls;
    /// `false` when the peer has taken nothing for this long.
    pub(super) async fn takes(&self, bytes_max: usize, patience: Duration) -> bool {
        let _first = self.line.lock().await;
        loop {
            if self.sending_bytes() < bytes_max {
                return true;
            }
            let end = self.origin + Duration::from_millis(self.took_ms.load(Relaxed)) + patience;
            if end <= Instant::now() {
                return false;
            }
            // Late or rung for nothing: the loop looks again.
            let _ = timeout_at(end, self.taken.notified()).await;
        }
    }

    /// Bytes of watched answers that its peer has not taken yet.
    pub(super) fn sending_bytes(&self) -> usize {
        self.sending_bytes.load(Relaxed)
    }

    /// Since when its peer takes watched answers; `None` when it has taken them, or was told to leave.
    pub(super) fn sends_since_ms(&self) -> Option<u64> {
        (self.sending_bytes.load(Relaxed) > 0 && !self.cut.load(Relaxed)).then(|| self.sending_ms.load(Relaxed))
    }

    /// Asks it to end after what it works on.
    pub(super) fn leave(&self) {
        self.told.store(true, Relaxed);
        self.bell.notify_one();
    }

    /// Ends it now.
    pub(super) fn cut(&self) {
        self.cut.store(true, Relaxed);
        self.leave();
    }

    /// Waits until it is told to leave; whether at once.
    pub(super) async fn told(&self) -> bool {
        loop {
            if self.told.load(Relaxed) {
                return self.cut.load(Relaxed);
            }
            self.bell.notified().await;
        }
    }

    /// Waits until it is cut.
    pub(super) async fn is_cut(&self) {
        while !self.cut.load(Relaxed) {
            self.bell.notified().await;
        }
    }
}
