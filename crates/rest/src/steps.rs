//! Wakes held answers at their moments ([`crate::held`]).
//!
//! A thread of its own: the timer of the runtime waits for whole milliseconds from when it is asked,
//! so that the time of the work would be added to the step and leave with the answer.
//!
//! Many answers wait at once, and to change threads for each costs more than to answer. So the thread is called only for
//! a moment that is before the one it sleeps for, and wakes a little after that, for all whose moment has come. Where
//! much is asked, whoever comes to wait lets those go whose moment has come, and the thread has nothing to do.

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
    /// When the thread wakes by itself; `None`: when it is called.
    wakes: Option<Instant>,
    ended: bool,
}

impl Waiting {
    /// Takes out all whose moment has come.
    fn due(&mut self, now: Instant) -> Vec<oneshot::Sender<()>> {
        let mut due = Vec::new();
        while let Some(first) = self.answers.first_entry().filter(|first| first.key().0 <= now) {
            due.push(first.remove());
        }
        due
    }
}

/// A request that was given up waits no more.
fn let_go(due: Vec<oneshot::Sender<()>>) {
    for one in due {
        let _ = one.send(());
    }
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
        waiting.answers.insert((moment, number), reply);
        let latest = moment.checked_add(HELD_TOGETHER).unwrap_or(moment);
        let is_earlier = waiting.wakes.is_none_or(|wakes| latest < wakes);
        if is_earlier {
            waiting.wakes = Some(latest);
        }
        let due = waiting.due(Instant::now());
        drop(waiting);
        if is_earlier {
            self.shared.earlier.notify_one();
        }
        let_go(due);
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
        let due = waiting.due(now);
        if !due.is_empty() {
            // Nobody waits for the lock meanwhile.
            drop(waiting);
            let_go(due);
            waiting = shared.waiting();
            continue;
        }
        let first = waiting.answers.first_key_value();
        waiting.wakes = first.map(|((moment, _), _)| moment.checked_add(HELD_TOGETHER).unwrap_or(*moment));
        waiting = match waiting.wakes {
            Some(wakes) => {
                let time = wakes.saturating_duration_since(now);
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
