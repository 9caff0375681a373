//! How many costly searches run at once (row F66): a few, so that they leave cores to the others.
//!
//! A search does not know beforehand what it will cost. It runs as a light one, and when it has read
//! what a light one may, it needs one of these places; without one it ends, and its caller is told
//! to come back. So a caller with many bad searches slows itself down and nobody else.

use crate::{ReadError, limits};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The places of a store.
#[derive(Debug, Default)]
pub(crate) struct Heavy {
    running: AtomicUsize,
}

impl Heavy {
    /// Takes a place.
    ///
    /// # Errors
    /// [`ReadError::Busy`] when all are taken.
    pub(crate) fn enter(&self) -> Result<(), ReadError> {
        if self.running.fetch_add(1, Relaxed) >= limits::HEAVY_SEARCHES_MAX {
            self.leave();
            return Err(ReadError::Busy);
        }
        Ok(())
    }

    /// How many are taken.
    pub(crate) fn running(&self) -> usize {
        self.running.load(Relaxed)
    }

    /// Gives it back.
    pub(crate) fn leave(&self) {
        self.running.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    //! F66: heavy searches are few, light ones as many as come.

    use super::*;
    use crate::plan::Budget;
    use std::sync::Arc;

    #[test]
    fn a_search_is_heavy_only_beyond_what_a_light_one_may() {
        let heavy = Arc::new(Heavy::default());
        let search = || Budget::new(&limits::Search::default(), &heavy);
        let beyond = |search: &Budget| (0..=limits::LIGHT_LOADS).try_for_each(|_| search.load());
        let running: Vec<Budget> = (0..limits::HEAVY_SEARCHES_MAX).map(|_| search()).collect();
        for one in &running {
            beyond(one).unwrap();
        }
        let late = search();
        assert!(matches!(beyond(&late), Err(ReadError::Busy)));
        (0..1000).try_for_each(|_| search().key()).unwrap();
        drop(running);
        beyond(&search()).unwrap();
        assert_eq!(heavy.running.load(Relaxed), 0);
    }

    #[test]
    fn a_little_look_beside_a_search_never_makes_it_heavy() {
        let heavy = Arc::new(Heavy::default());
        let search = Budget::new(&limits::Search::default(), &heavy);
        let look = search.little(|| (0..=limits::LIGHT_KEYS).try_for_each(|_| search.key()));
        assert!(look.unwrap().is_none());
        assert_eq!(heavy.running.load(Relaxed), 0);
        (0..limits::LIGHT_KEYS).try_for_each(|_| search.key()).unwrap();
        assert_eq!(heavy.running.load(Relaxed), 0, "the look was free");
    }
}
