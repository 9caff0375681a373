//! Long work of the processor, done so that it keeps no thread from serving others (row F66).
//!
//! What is validated is as large as its sender makes it, and a thread that serves requests serves nobody else
//! meanwhile. A small body is looked at where it is; a larger one with a thread lent for it, by whoever runs the
//! service. There are as many places as cores, so that the lent threads do not outnumber them; further work waits
//! for its turn without a thread.
//! Left out: reading JSON and XML, which takes a small part of the time that validation does.

use crate::{failure::Failure, limits};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Calls what it is given once, before it returns, in such a way that others are served meanwhile.
pub type Lend = dyn Fn(&mut (dyn FnMut() + Send)) + Send + Sync;

/// The places, and who lends the threads.
pub(crate) struct Aside {
    lend: Arc<Lend>,
    places: Semaphore,
}

impl Aside {
    /// As many places as this machine has cores.
    pub(crate) fn new(lend: Arc<Lend>) -> Self {
        Self::with_places(lend, std::thread::available_parallelism().map_or(1, usize::from))
    }

    fn with_places(lend: Arc<Lend>, places: usize) -> Self {
        Self { lend, places: Semaphore::new(places) }
    }

    /// Does work on a body of so many bytes.
    pub(crate) async fn run<T: Send>(
        &self,
        bytes: usize,
        work: impl FnOnce() -> Result<T, Failure> + Send,
    ) -> Result<T, Failure> {
        if bytes <= limits::INLINE_BYTES_MAX {
            return work();
        }
        // It is never closed.
        let _place = self.places.acquire().await.map_err(|_| Failure::Fault)?;
        let (mut work, mut done) = (Some(work), None);
        (self.lend)(&mut || done = work.take().map(|work| work()));
        done.unwrap_or(Err(Failure::Fault))
    }
}

#[cfg(test)]
mod tests;
