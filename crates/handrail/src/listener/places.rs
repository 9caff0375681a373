//! Places for connections: how many there are, and who gives way when all are taken (rows A21, F66).
//!
//! A connection that rests costs memory and no work, so resting ones may hold every place, until
//! another peer needs one. Then one of the address that holds the most gives way, the one that
//! rested longest: ten thousand idle connections of one peer cost the others nothing. While every
//! place works, peers wait in the kernel's backlog, and an address with more than its share is
//! turned away.

use super::{room::Room, seat::Seat};
use crate::limits;
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

/// All places of a listener, and the room for what they ask.
pub(super) struct Places {
    free: Arc<Semaphore>,
    count: usize,
    of_one_address_max: usize,
    /// Free places from which on resting connections give way.
    reserve: usize,
    /// Resting connections that give way at a time: looking through all places for each newcomer of a
    /// storm would cost more than serving it.
    at_a_time: usize,
    taken: Arc<Mutex<Taken>>,
    origin: Instant,
    /// Room for requests and their bodies.
    pub(super) room: Arc<Room>,
}

#[derive(Default)]
struct Taken {
    next: u64,
    /// Newcomers for whom a connection gave way already.
    ahead: usize,
    seats: HashMap<u64, Arc<Seat>>,
    of_address: HashMap<IpAddr, usize>,
}

/// A place that a connection holds until this is dropped.
pub(super) struct Place {
    /// What the connection does.
    pub(super) seat: Arc<Seat>,
    number: u64,
    taken: Arc<Mutex<Taken>>,
    _permit: OwnedSemaphorePermit,
}

impl Taken {
    fn held_by(&self, address: IpAddr) -> usize {
        self.of_address.get(&address).copied().unwrap_or(0)
    }

    /// Of the seats that have a time here, one of the address that holds the most, the oldest.
    fn oldest_of_the_greediest(&self, since_ms: impl Fn(&Seat) -> Option<u64>) -> Option<Arc<Seat>> {
        let since = |seat: &Arc<Seat>| Some((since_ms(seat)?, Arc::clone(seat)));
        let greed = |(since, seat): &(u64, Arc<Seat>)| (self.held_by(seat.address()), u64::MAX - since);
        self.seats.values().filter_map(since).max_by_key(greed).map(|(_, seat)| seat)
    }
}

impl Taken {
    /// Tells resting connections to leave, at most this many, one after the other as
    /// [`Taken::oldest_of_the_greediest`] would; how many.
    fn make_places(&self, count: usize) -> usize {
        let mut resting = HashMap::<IpAddr, Vec<(u64, &Arc<Seat>)>>::new();
        for seat in self.seats.values() {
            if let Some(since) = seat.rests_since_ms() {
                resting.entry(seat.address()).or_default().push((since, seat));
            }
        }
        let mut greedy = BinaryHeap::new();
        for (address, seats) in &mut resting {
            // The oldest is the last.
            seats.sort_unstable_by_key(|(since, _)| Reverse(*since));
            greedy.extend(seats.last().map(|(since, _)| (self.held_by(*address), Reverse(*since), *address)));
        }
        let mut told = 0;
        while let Some((held, _, address)) = greedy.pop().filter(|_| told < count) {
            let Some(seats) = resting.get_mut(&address) else { continue };
            if let Some((_, seat)) = seats.pop() {
                seat.leave();
                told += 1;
            }
            greedy.extend(seats.last().map(|(since, _)| (held.saturating_sub(1), Reverse(*since), address)));
        }
        told
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Places {
    /// This many places, and room for this many requests at once.
    pub(super) fn new(count: usize, requests: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(count)),
            count,
            of_one_address_max: (count * limits::CONNECTIONS_OF_ONE_ADDRESS_QUARTERS / 4).max(1),
            reserve: count / limits::CONNECTIONS_RESERVE,
            at_a_time: (count / limits::CONNECTIONS_RESERVE / 2).max(1),
            taken: Arc::default(),
            origin: Instant::now(),
            room: Arc::new(Room::new(requests)),
        }
    }

    /// A place for a connection of this address, when there is one or a resting one gives way; else
    /// waits for the next, unless the address has its share.
    pub(super) async fn take(&self, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        // Places are made before the last is gone, so that newcomers do not wait for goodbyes.
        if self.free.available_permits() <= self.reserve {
            let mut taken = lock(&self.taken);
            if taken.ahead == 0 {
                taken.ahead = taken.make_places(self.at_a_time);
                if taken.ahead == 0 && taken.held_by(address) >= self.of_one_address_max {
                    return None;
                }
            }
            taken.ahead = taken.ahead.saturating_sub(1);
        }
        // The semaphore is never closed.
        let permit = Arc::clone(&self.free).acquire_owned().await.ok()?;
        let seat = Arc::new(Seat::new(address, self.origin));
        let mut taken = lock(&self.taken);
        let number = taken.next;
        taken.next += 1;
        taken.seats.insert(number, Arc::clone(&seat));
        *taken.of_address.entry(address).or_default() += 1;
        drop(taken);
        Some(Place { seat, number, taken: Arc::clone(&self.taken), _permit: permit })
    }

    /// Cuts peers that take their answers too slowly: those over [`limits::TAKEN`], and while more
    /// than [`limits::SENDING_BYTES_MAX`] wait to be taken, the slowest as well.
    pub(super) fn relieve(&self) {
        let taken = lock(&self.taken);
        let now_ms = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX);
        let late_ms = u64::try_from(limits::TAKEN.as_millis()).unwrap_or(u64::MAX);
        for seat in taken.seats.values() {
            if seat.sends_since_ms().is_some_and(|since| now_ms.saturating_sub(since) > late_ms) {
                seat.cut();
            }
        }
        let mut over = self.room.sending_bytes().saturating_sub(limits::SENDING_BYTES_MAX);
        while over > 0 {
            let Some(slowest) = taken.oldest_of_the_greediest(Seat::sends_since_ms) else { break };
            over = over.saturating_sub(slowest.sending_bytes());
            slowest.cut();
        }
    }

    /// Waits until every place is free, at most this long; the number that never was.
    pub(super) async fn drained(&self, at_most: Duration) -> usize {
        let count = u32::try_from(self.count).unwrap_or(u32::MAX);
        match timeout(at_most, self.free.acquire_many(count)).await {
            Ok(_) => 0,
            Err(_) => lock(&self.taken).seats.len(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        taken.seats.remove(&self.number);
        let address = self.seat.address();
        if let Some(count) = taken.of_address.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.of_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    //! A21, F66: who takes much gives first, and who works is never sent away.

    use super::*;

    const GREEDY: &str = "192.0.2.1";
    const OTHER: &str = "192.0.2.2";

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Whether the connection of this seat was told to leave.
    async fn is_told(place: &Place) -> bool {
        timeout(Duration::ZERO, place.seat.told()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_resting_of_the_greediest_gives_way() {
        let places = Places::new(4, 1);
        let other = places.take(address(OTHER)).await.unwrap();
        let mut greedy = Vec::new();
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            greedy.push(places.take(address(GREEDY)).await.unwrap());
        }
        greedy[0].seat.moved();
        let newcomer = tokio::spawn({
            let places = Arc::new(places);
            async move { places.take(address("192.0.2.3")).await.is_some() }
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(is_told(&greedy[1]).await, "it rested longest");
        assert!(!is_told(&greedy[0]).await && !is_told(&greedy[2]).await && !is_told(&other).await);
        greedy.remove(1);
        assert!(newcomer.await.unwrap());
    }

    /// A storm of newcomers: those who rest give way some at a time, of the greediest address first.
    #[tokio::test(start_paused = true)]
    async fn f66_a_storm_is_made_places_at_a_time() {
        let places = Places::new(256, 1);
        let mut held = Vec::new();
        for n in 0..248 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let from = if n % 31 < 15 { GREEDY } else { OTHER };
            held.push(places.take(address(from)).await.unwrap());
        }
        let told = async |held: &[Place]| {
            let mut told = Vec::new();
            for (n, place) in held.iter().enumerate() {
                if is_told(place).await {
                    told.push((n, place.seat.address()));
                }
            }
            told
        };
        assert!(told(&held).await.is_empty());
        // 120 of one and 128 of the other: the other's four oldest. For the next four, nobody.
        let newcomers = async || places.take(address("192.0.2.3")).await.unwrap();
        for n in 0..4 {
            held.push(newcomers().await);
            assert_eq!(told(&held).await, [15, 16, 17, 18].map(|n| (n, address(OTHER))), "newcomer {n}");
        }
        held.push(newcomers().await);
        let told = told(&held).await;
        assert_eq!(told.len(), 8);
        assert!(told.iter().all(|(_, from)| *from == address(OTHER)), "it holds 128 until they are gone");
    }

    #[tokio::test(start_paused = true)]
    async fn who_works_stays_and_one_address_leaves_places_for_others() {
        let places = Places::new(4, 1);
        let mut held = Vec::new();
        for from in [GREEDY, GREEDY, "::ffff:192.0.2.1", OTHER] {
            let place = places.take(address(from)).await.unwrap();
            place.seat.works();
            held.push(place);
        }
        assert!(places.take(address(GREEDY)).await.is_none(), "it has its share");
        let waiting = timeout(Duration::from_secs(1), places.take(address("192.0.2.3"))).await;
        assert!(waiting.is_err(), "nobody rests, so the newcomer waits");
        for place in &held {
            assert!(!is_told(place).await);
        }
        held.pop();
        assert!(places.take(address("192.0.2.3")).await.is_some());
        held.clear();
        assert_eq!(places.drained(Duration::from_secs(5)).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_take_its_answer_is_cut() {
        let places = Places::new(4, 1);
        let (slow, quick) = (places.take(address(OTHER)).await.unwrap(), places.take(address(OTHER)).await.unwrap());
        slow.seat.sends(1000);
        tokio::time::sleep(limits::TAKEN / 2).await;
        quick.seat.sends(1000);
        places.relieve();
        assert!(!is_told(&slow).await);
        tokio::time::sleep(limits::TAKEN / 2 + Duration::from_secs(1)).await;
        places.relieve();
        assert!(slow.seat.told().await, "at once");
        assert!(!is_told(&quick).await);
    }
}
