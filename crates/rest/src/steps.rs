//! Wakes held answers at their moments ([`crate::held`]).
//!
//! A thread of its own: the timer of the runtime waits for whole milliseconds from when it is asked,
//! so that the time of the work would be added to the step and leave with the answer.

use std::{
    collections::BTreeMap,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    time::Instant,
};
use tokio::sync::oneshot;

/// The way to the thread. It ends with this.
#[derive(Debug)]
pub struct Steps {
    sender: Sender<(Instant, oneshot::Sender<()>)>,
}

impl Steps {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the machine gives none.
    pub fn start() -> std::io::Result<Self> {
        let (sender, receiver) = channel();
        std::thread::Builder::new().name("steps".into()).spawn(move || wake(&receiver))?;
        Ok(Self { sender })
    }

    /// Ends at this moment; at once when the thread is no more.
    pub fn until(&self, moment: Instant) -> impl Future<Output = ()> + Send + use<> {
        let (reply, woken) = oneshot::channel();
        let sent = self.sender.send((moment, reply));
        async move {
            if sent.is_ok() {
                // A thread that ended drops its side: the answer leaves.
                let _ = woken.await;
            }
        }
    }
}

/// What waits belongs to a request each, so there are no more than those.
fn wake(receiver: &Receiver<(Instant, oneshot::Sender<()>)>) {
    let mut waiting: BTreeMap<(Instant, u64), oneshot::Sender<()>> = BTreeMap::new();
    let mut number = 0;
    loop {
        let now = Instant::now();
        while let Some(first) = waiting.first_entry().filter(|first| first.key().0 <= now) {
            // A request that was given up waits no more.
            let _ = first.remove().send(());
        }
        let next = match waiting.first_key_value() {
            Some(((moment, _), _)) => receiver.recv_timeout(moment.saturating_duration_since(now)),
            None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match next {
            Ok((moment, reply)) => {
                number += 1;
                waiting.insert((moment, number), reply);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

#[cfg(test)]
mod tests;
