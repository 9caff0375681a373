//! Revocation lists and OCSP answers, fetched when needed and kept as long as they count, five minutes at most. SPEC:
//! rows D9, F60.
//!
//! One request fetches, the others of the same address wait for it. What could not be had is not asked for again for a
//! while, and a host that does not answer at all is left alone for longer. Hosts that answered the last time have places
//! of their own, so that a thousand that hang hold up nobody who asks one that works. A fetch goes on when whoever asked
//! has gone, for others will ask the same. What is kept was verified; its bytes are bounded in all.
//!
//! Who gives it out may say that it is to be kept for less (`Cache-Control`), down to five seconds.

use crate::{
    egress::{Fetch, FetchError, Fetched, Listing},
    limits,
};
use fhir::Instant;
use oauth::x509::{
    Certificate, Status,
    crl::{Crl, CrlError, List},
    ocsp::{self, Answer, OcspError, Response},
};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Semaphore, time::timeout};

/// Why there is no list or answer. For the log and the audit entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    Fetch(FetchError),
    Crl(CrlError),
    Ocsp(OcspError),
    /// It failed a moment ago.
    NotAgainYet,
    /// So many wait that there was no place in time.
    Busy,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(why) => why.fmt(f),
            Self::Crl(why) => write!(f, "the list cannot be used: {why}"),
            Self::Ocsp(why) => write!(f, "the answer cannot be used: {why}"),
            Self::NotAgainYet => f.write_str("it failed a moment ago"),
            Self::Busy => f.write_str("too many wait for others"),
        }
    }
}

/// Who waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waits {
    /// Somebody whose request stands open: only so many.
    Request,
    /// Nobody: registrations are looked after.
    Nobody,
}

/// What is asked for: by its address, of whom, and, of a responder, about which.
#[derive(Clone)]
enum Asked {
    List { url: Arc<str>, issuer: Arc<Certificate> },
    Answer { url: Arc<str>, issuer: Arc<Certificate>, certificate: Arc<Certificate> },
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    url: Arc<str>,
    issuer: [u8; 32],
    certificate: Option<[u8; 32]>,
}

impl Asked {
    fn key(&self) -> Key {
        match self {
            Self::List { url, issuer } => Key { url: Arc::clone(url), issuer: *issuer.thumbprint(), certificate: None },
            Self::Answer { url, issuer, certificate } => {
                Key { url: Arc::clone(url), issuer: *issuer.thumbprint(), certificate: Some(*certificate.thumbprint()) }
            }
        }
    }

    fn url(&self) -> &Arc<str> {
        match self {
            Self::List { url, .. } | Self::Answer { url, .. } => url,
        }
    }

    /// Takes apart what came, verified. Takes its time for a long list.
    fn read(&self, body: &[u8], now_s: i64) -> Result<Kept, Failure> {
        match self {
            Self::List { issuer, .. } => {
                let list = Crl::read(body).and_then(|list| list.verify(issuer, now_s)).map_err(Failure::Crl)?;
                Ok(Kept::List(Arc::new(list)))
            }
            Self::Answer { issuer, certificate, .. } => {
                let response = Response::read(body);
                let answer = response.and_then(|response| response.verify(certificate, issuer, now_s));
                Ok(Kept::Answer(Arc::new(answer.map_err(Failure::Ocsp)?)))
            }
        }
    }
}

#[derive(Clone)]
enum Kept {
    List(Arc<List>),
    Answer(Arc<Answer>),
}

impl Kept {
    fn until_s(&self) -> i64 {
        match self {
            Self::List(list) => list.until_s(),
            Self::Answer(answer) => match answer.status {
                Status::Good { until_s } | Status::Revoked { until_s, .. } => until_s,
                Status::Unknown => i64::MAX,
            },
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::List(list) => list.bytes(),
            Self::Answer(_) => 0,
        }
    }
}

#[derive(Clone, Default)]
struct Held {
    /// With the second from which on it does not count.
    kept: Option<(Kept, i64)>,
    /// Why it was not had the last time.
    failure: Option<Failure>,
    /// Not asked for again before.
    again_s: i64,
    used_s: i64,
}

impl Held {
    /// With the second from which on it is asked for again.
    fn said(&self, now_s: i64) -> Result<(Kept, i64), Failure> {
        match &self.kept {
            Some((kept, until_s)) if now_s < *until_s => Ok((kept.clone(), self.again_s.min(*until_s))),
            _ => Err(self.failure.clone().unwrap_or(Failure::NotAgainYet)),
        }
    }
}

#[derive(Default)]
struct Slot {
    held: Mutex<Held>,
    fetching: tokio::sync::Mutex<()>,
}

impl Slot {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Host {
    places: Semaphore,
    record: Mutex<Record>,
}

#[derive(Clone, Copy, Default)]
struct Record {
    has_answered: bool,
    failures: u32,
    quiet_until_s: i64,
}

impl Host {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers how it went.
    fn note(&self, outcome: &Result<Fetched, FetchError>, now_s: i64) {
        let mut record = self.record();
        match outcome {
            Err(FetchError::TimedOut | FetchError::Unreachable(_)) => {
                let (least, most) = limits::LISTING_HOST_QUIET_S;
                let quiet_s = least.saturating_mul(1 << record.failures.min(8)).min(most);
                *record = Record {
                    has_answered: false,
                    failures: record.failures.saturating_add(1),
                    quiet_until_s: now_s + quiet_s,
                };
            }
            _ => *record = Record { has_answered: true, failures: 0, quiet_until_s: 0 },
        }
    }
}

/// All that is at hand.
pub(crate) struct Lists {
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Fn() -> Instant + Send + Sync>,
    slots: Mutex<HashMap<Key, Arc<Slot>>>,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
    proven: Semaphore,
    unproven: Semaphore,
    tending: Semaphore,
    waiting: Semaphore,
    waiting_proven: Semaphore,
    reading: Semaphore,
}

impl Lists {
    pub(crate) fn new(fetch: Arc<dyn Fetch>, clock: Arc<dyn Fn() -> Instant + Send + Sync>) -> Arc<Self> {
        Arc::new(Self {
            fetch,
            clock,
            slots: Mutex::default(),
            hosts: Mutex::default(),
            proven: Semaphore::new(limits::LISTING_PROVEN_AT_ONCE_MAX),
            unproven: Semaphore::new(limits::LISTING_UNPROVEN_AT_ONCE_MAX),
            tending: Semaphore::new(limits::LISTING_TENDING_AT_ONCE_MAX),
            waiting: Semaphore::new(limits::LISTING_WAITING_MAX),
            waiting_proven: Semaphore::new(limits::LISTING_WAITING_PROVEN_MAX),
            reading: Semaphore::new(limits::LISTING_READ_AT_ONCE_MAX),
        })
    }

    pub(crate) fn now_s(&self) -> i64 {
        (self.clock)().unix_seconds()
    }

    /// The list at this address, when this issuer made it, and when it is asked for again.
    pub(crate) async fn list(
        self: &Arc<Self>,
        url: &str,
        issuer: &Arc<Certificate>,
        waits: Waits,
    ) -> Result<(Arc<List>, i64), Failure> {
        match self.kept(Asked::List { url: url.into(), issuer: Arc::clone(issuer) }, waits).await? {
            (Kept::List(list), again_s) => Ok((list, again_s)),
            (Kept::Answer(_), _) => Err(Failure::NotAgainYet),
        }
    }

    /// What the responder at this address says of a certificate, and when it is asked again.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        url: &str,
        certificate: &Arc<Certificate>,
        issuer: &Arc<Certificate>,
        waits: Waits,
    ) -> Result<(Arc<Answer>, i64), Failure> {
        let (issuer, certificate) = (Arc::clone(issuer), Arc::clone(certificate));
        match self.kept(Asked::Answer { url: url.into(), issuer, certificate }, waits).await? {
            (Kept::Answer(answer), again_s) => Ok((answer, again_s)),
            (Kept::List(_), _) => Err(Failure::NotAgainYet),
        }
    }

    async fn kept(self: &Arc<Self>, asked: Asked, waits: Waits) -> Result<(Kept, i64), Failure> {
        let slot = self.slot(asked.key());
        let now_s = self.now_s();
        {
            let mut held = slot.held();
            held.used_s = now_s;
            if now_s < held.again_s {
                return held.said(now_s);
            }
        }
        // Whoever waits takes a place among all requests, which hosts that hang must not use up.
        let _place = match waits {
            Waits::Nobody => None,
            Waits::Request => {
                let has_answered = self.host(asked.url()).record().has_answered;
                let places = if has_answered { &self.waiting_proven } else { &self.waiting };
                Some(places.try_acquire().map_err(|_| Failure::Busy)?)
            }
        };
        // Beside whoever asked: when they have gone, what was learnt stays.
        let lists = Arc::clone(self);
        let fetched = tokio::spawn(async move { lists.fetched(&asked, &slot, waits).await });
        fetched.await.unwrap_or(Err(Failure::NotAgainYet))
    }

    async fn fetched(self: &Arc<Self>, asked: &Asked, slot: &Arc<Slot>, waits: Waits) -> Result<(Kept, i64), Failure> {
        let _one_at_a_time = slot.fetching.lock().await;
        let before = slot.held().clone();
        let now_s = self.now_s();
        // Somebody else fetched while we waited.
        if now_s < before.again_s {
            return before.said(now_s);
        }
        let outcome = match self.come(asked, waits).await {
            Ok(fetched) => {
                let stated_s = fetched.life_s().map_or(i64::MAX, |life_s| i64::try_from(life_s).unwrap_or(i64::MAX));
                let life_s = stated_s.clamp(limits::LISTING_LIFE_S_MIN, limits::LISTING_LIFE_S_MAX);
                self.read(asked, fetched).await.map(|kept| (kept, life_s))
            }
            Err(why) => Err(why),
        };
        let now_s = self.now_s();
        {
            let mut held = slot.held();
            match outcome {
                Ok((kept, life_s)) => {
                    let until_s = kept.until_s().min(now_s + limits::LISTING_OLD_S_MAX);
                    held.again_s = until_s.min(now_s + life_s);
                    (held.kept, held.failure) = (Some((kept, until_s)), None);
                }
                Err(why) => {
                    // For want of a place: whoever asks next tries again.
                    if why != Failure::Busy {
                        held.again_s = now_s + limits::LISTING_FAILURE_S;
                    }
                    tracing::warn!(url = &**asked.url(), %why, "what an authority says of its certificates could not be had");
                    held.failure = Some(why);
                }
            }
        }
        self.make_room(slot);
        slot.held().said(now_s)
    }

    /// Fetches, when there is a place for it.
    async fn come(&self, asked: &Asked, waits: Waits) -> Result<Fetched, Failure> {
        let host = self.host(asked.url());
        let wait = Duration::from_secs(limits::LISTING_TIME_S_MAX);
        let is_quiet = |record: Record| self.now_s() < record.quiet_until_s;
        // Its own places first: who waits for a host that is slow holds none of the places of others.
        let Ok(Ok(_place)) = timeout(wait, host.places.acquire()).await else { return Err(Failure::Busy) };
        let record = *host.record();
        if is_quiet(record) {
            return Err(Failure::NotAgainYet);
        }
        let places = match waits {
            _ if record.has_answered => &self.proven,
            Waits::Request => &self.unproven,
            Waits::Nobody => &self.tending,
        };
        let Ok(Ok(_place)) = timeout(wait, places.acquire()).await else { return Err(Failure::Busy) };
        let request;
        let listing = match asked {
            Asked::List { url, .. } => Listing::Crl { url },
            Asked::Answer { url, issuer, certificate } => {
                request = ocsp::request(certificate, issuer);
                Listing::Ocsp { url, request: &request }
            }
        };
        let outcome = timeout(wait, self.fetch.list(listing)).await.unwrap_or(Err(FetchError::TimedOut));
        host.note(&outcome, self.now_s());
        outcome.map_err(Failure::Fetch)
    }

    async fn read(&self, asked: &Asked, fetched: Fetched) -> Result<Kept, Failure> {
        let _place = self.reading.acquire().await.map_err(|_| Failure::Busy)?;
        let (asked, now_s) = (asked.clone(), self.now_s());
        let read = tokio::task::spawn_blocking(move || asked.read(&fetched.body, now_s)).await;
        read.unwrap_or(Err(Failure::Busy))
    }

    fn slot(&self, key: Key) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(key).or_default())
    }

    /// Lets go of what was not used for longest, until all the rest has room.
    fn make_room(&self, newest: &Arc<Slot>) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let used_and_bytes = |slot: &Slot| {
            let held = slot.held();
            (held.used_s, held.kept.as_ref().map_or(0, |(kept, _)| kept.bytes()))
        };
        let mut total: usize = slots.values().map(|slot| used_and_bytes(slot).1).sum();
        if total <= limits::LISTINGS_BYTES_MAX && slots.len() <= limits::LISTINGS_MAX {
            return;
        }
        let mut others: Vec<(i64, usize, Key)> = slots
            .iter()
            .filter(|(_, slot)| !Arc::ptr_eq(slot, newest))
            .map(|(key, slot)| {
                let (used_s, bytes) = used_and_bytes(slot);
                (used_s, bytes, key.clone())
            })
            .collect();
        others.sort_by_key(|(used_s, ..)| *used_s);
        for (_, bytes, key) in others {
            let is_long = slots.len() > limits::LISTINGS_MAX;
            if total <= limits::LISTINGS_BYTES_MAX && !is_long {
                break;
            }
            if bytes > 0 || is_long {
                slots.remove(&key);
                total -= bytes;
            }
        }
    }

    fn host(&self, url: &str) -> Arc<Host> {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let name = rest.split(['/', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= limits::LISTING_HOSTS_MAX && !hosts.contains_key(&name) {
            let now_s = self.now_s();
            // Those that are asked now, or must not be, stay.
            hosts.retain(|_, host| Arc::strong_count(host) > 1 || now_s < host.record().quiet_until_s);
        }
        let new = || {
            let places = Semaphore::new(limits::LISTING_HOST_AT_ONCE_MAX);
            Arc::new(Host { places, record: Mutex::default() })
        };
        Arc::clone(hosts.entry(name).or_insert_with(new))
    }
}

#[cfg(test)]
mod tests;
