//! Places for connections: how many there are, how many one address may hold, when all are free.

use crate::limits;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// All places of a listener.
pub(super) struct Places {
    all: Arc<Semaphore>,
    count: usize,
    of_one_address_max: usize,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A free place, not yet anyone's.
pub(super) struct Free {
    permit: Option<OwnedSemaphorePermit>,
    of_one_address_max: usize,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A place that an address holds until this is dropped.
pub(super) struct Place {
    _permit: Option<OwnedSemaphorePermit>,
    address: IpAddr,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Places {
    /// This many places.
    pub(super) fn new(count: usize) -> Self {
        let of_one_address_max = (count * limits::CONNECTIONS_OF_ONE_ADDRESS_QUARTERS / 4).max(1);
        Self { all: Arc::new(Semaphore::new(count)), count, of_one_address_max, held: Arc::default() }
    }

    /// Waits for a free place. Peers beyond the count wait in the kernel's backlog meanwhile.
    pub(super) async fn free(&self) -> Free {
        Free {
            // The semaphore is never closed; were it, connections would be uncounted, not refused.
            permit: Arc::clone(&self.all).acquire_owned().await.ok(),
            of_one_address_max: self.of_one_address_max,
            held: Arc::clone(&self.held),
        }
    }

    /// Waits until every place is free, at most this long; the number that never was.
    pub(super) async fn drained(&self, at_most: Duration) -> usize {
        let count = u32::try_from(self.count).unwrap_or(u32::MAX);
        match timeout(at_most, self.all.acquire_many(count)).await {
            Ok(_) => 0,
            Err(_) => self.held.lock().unwrap_or_else(PoisonError::into_inner).values().sum(),
        }
    }
}

impl Free {
    /// Gives the place to this address; `None` when it holds its share already.
    pub(super) fn taken_by(mut self, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(address).or_default();
        if *count >= self.of_one_address_max {
            return None;
        }
        *count += 1;
        drop(held);
        Some(Place { _permit: self.permit.take(), address, held: Arc::clone(&self.held) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    //! A21: one address cannot take every place.

    use super::*;

    #[tokio::test]
    async fn one_address_leaves_places_for_others() {
        let places = Places::new(4);
        let greedy: IpAddr = "192.0.2.1".parse().unwrap();
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(places.free().await.taken_by(greedy).unwrap());
        }
        assert!(places.free().await.taken_by(greedy).is_none());
        let other = places.free().await.taken_by("192.0.2.2".parse().unwrap()).unwrap();
        held.pop();
        assert!(places.free().await.taken_by("::ffff:192.0.2.1".parse().unwrap()).is_some(), "a place came back");
        drop((held, other));
        assert_eq!(places.drained(Duration::from_secs(5)).await, 0);
    }
}
