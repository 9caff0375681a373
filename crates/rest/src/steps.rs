//! Wakes held answers at their moments ([`crate::held`]).
//!
//! A thread of its own: the timer of the runtime waits for whole milliseconds from when it is asked,
//! so that the time of the work would be added to the step and leave with the answer.
//!
//! Many answers wait at once, and to change threads for each costs more than to answer. So the thread is called only for
//! a moment that is before the one it sleeps for, and wakes a little after that, for all whose moment has come.

use crate::limits::HELD_TOGETHER;
use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio::sync::oneshot;

/// The way to the thread. It ends with this.
#[derive(Debug)]
pub struct Steps {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    earlier: Condvar,
}

/// What waits belongs to a request each, so there are no more than those.
#[derive(Debug, Default)]
struct Waiting {
    answers: BTreeMap<(Instant, u64), oneshot::Sender<()>>,
    /// Tells answers of one moment apart.
    number: u64,
    ended: bool,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Steps {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the machine gives none.
    pub fn start() -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let own = Arc::clone(&shared);
        std::thread::Builder::new().name("steps".into()).spawn(move || wake(&own))?;
        Ok(Self { shared })
    }

    /// Ends at this moment or a little after it; at once when the thread is no more.
    pub fn until(&self, moment: Instant) -> impl Future<Output = ()> + Send + use<> {
        let (reply, woken) = oneshot::channel();
        let mut waiting = self.shared.waiting();
        waiting.number += 1;
        let number = waiting.number;
        let is_first = waiting.answers.first_key_value().is_none_or(|((first, _), _)| moment < *first);
        waiting.answers.insert((moment, number), reply);
        drop(waiting);
        if is_first {
            self.shared.earlier.notify_one();
        }
        async move {
            // A thread that ended drops its side: the answer leaves.
            let _ = woken.await;
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.shared.waiting().ended = true;
        self.shared.earlier.notify_one();
    }
}

fn wake(shared: &Shared) {
    let mut waiting = shared.waiting();
    while !waiting.ended {
        let now = Instant::now();
        while let Some(first) = waiting.answers.first_entry().filter(|first| first.key().0 <= now) {
            // A request that was given up waits no more.
            let _ = first.remove().send(());
        }
        let next = waiting.answers.first_key_value().map(|((moment, _), _)| *moment);
        waiting = match next {
            Some(moment) => {
                let time = moment.saturating_duration_since(now).saturating_add(HELD_TOGETHER);
                shared.earlier.wait_timeout(waiting, time).unwrap_or_else(PoisonError::into_inner).0
            }
            None => shared.earlier.wait(waiting).unwrap_or_else(PoisonError::into_inner),
        };
    }
    // Whoever waits still is let go.
    waiting.answers.clear();
}

#[cfg(test)]
mod tests;
