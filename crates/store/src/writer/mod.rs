//! The writer: one thread that takes all changes in order and makes groups of them durable together.
//!
//! The engine holds its journal while it syncs, so several committers would wait for one another;
//! one thread that gathers what came in meanwhile turns that wait into a shared sync. A group
//! touches each resource, and each key of a table, once, so every condition can be held against
//! the view that the group began with; what touches one again begins a new group.
//! A transaction that fails leaves nothing behind and harms no other of its group.

pub(crate) mod check;
pub(crate) mod group;
pub(crate) mod prepare;

use crate::{
    CommitError, Committed,
    engine::{TableSpace, mark::Mark},
    limits,
    stats::Meter,
};
use prepare::Work;
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
    mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
};
use tokio::sync::oneshot;

pub(crate) use group::{Chain, Group, Head, Parts};

/// What the writer is asked to do.
pub(crate) enum Job {
    /// Commit a transaction.
    Commit(Box<Work>, oneshot::Sender<Result<Committed, CommitError>>),
    /// Change a table; the answer says whether the key had a value before.
    Table(TableChange, std::sync::mpsc::Sender<Result<bool, CommitError>>),
    /// Do this when no commit is under way.
    Between(Between),
    /// Finish what is queued before this, and end.
    Stop,
}

/// What is done between two groups.
type Between = Box<dyn FnOnce(&mut Parts, &mut Chain) + Send>;

/// A change of a table.
pub(crate) struct TableChange {
    pub(crate) table: TableSpace,
    pub(crate) key: Vec<u8>,
    pub(crate) action: TableAction,
}

/// What to do with a key.
pub(crate) enum TableAction {
    Put(Vec<u8>),
    InsertNew(Vec<u8>),
    Remove,
}

/// The way to the writer.
#[derive(Debug)]
pub(crate) struct Queue {
    sender: SyncSender<Job>,
    bytes: Arc<AtomicUsize>,
    /// Cleared when the writer takes nothing more.
    running: Arc<AtomicBool>,
    meter: Arc<Meter>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

fn unavailable(why: &str) -> CommitError {
    CommitError::Unavailable(why.into())
}

impl Queue {
    /// Starts the writer.
    pub(crate) fn start(parts: Parts) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(limits::QUEUE_TRANSACTIONS_MAX);
        let bytes = Arc::new(AtomicUsize::new(0));
        let queued = Arc::clone(&bytes);
        let running = Arc::new(AtomicBool::new(true));
        let still = Running(Arc::clone(&running));
        let meter = Arc::clone(&parts.meter);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || run(parts, &receiver, &queued, &still))?;
        Ok(Self { sender, bytes, running, meter, thread: Mutex::new(Some(thread)) })
    }

    /// Whether the writer takes changes.
    pub(crate) fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    fn send(&self, job: Job) -> Result<(), CommitError> {
        // Counted before it is there: the writer may take it at once.
        self.meter.queued();
        self.sender.try_send(job).map_err(|error| {
            self.meter.taken();
            match error {
                TrySendError::Full(_) => self.busy(),
                TrySendError::Disconnected(_) => unavailable("the writer has ended"),
            }
        })
    }

    fn busy(&self) -> CommitError {
        self.meter.refused();
        CommitError::Busy
    }

    /// Bytes of transactions that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Queues a transaction and waits for its outcome.
    pub(crate) async fn commit(&self, work: Work) -> Result<Committed, CommitError> {
        let bytes = work.bytes;
        if self.bytes.fetch_add(bytes, Ordering::AcqRel) > limits::QUEUE_BYTES_MAX {
            self.bytes.fetch_sub(bytes, Ordering::AcqRel);
            return Err(self.busy());
        }
        let (reply, answer) = oneshot::channel();
        if let Err(error) = self.send(Job::Commit(Box::new(work), reply)) {
            self.bytes.fetch_sub(bytes, Ordering::AcqRel);
            return Err(error);
        }
        answer.await.unwrap_or_else(|_| Err(unavailable("the writer has ended")))
    }

    /// Changes a table and waits until that is on stable storage.
    pub(crate) fn table(&self, change: TableChange) -> Result<bool, CommitError> {
        let (reply, answer) = std::sync::mpsc::channel();
        self.send(Job::Table(change, reply))?;
        answer.recv().unwrap_or_else(|_| Err(unavailable("the writer has ended")))
    }

    /// Changes a table several times, so that the changes share syncs, and waits for all of them.
    pub(crate) fn table_all(&self, changes: impl Iterator<Item = TableChange>) -> Result<(), CommitError> {
        let mut answers = Vec::new();
        let mut outcome = Ok(());
        for change in changes {
            let (reply, answer) = std::sync::mpsc::channel();
            outcome = self.send(Job::Table(change, reply));
            if outcome.is_err() {
                break;
            }
            answers.push(answer);
        }
        for answer in answers {
            let one = answer.recv().unwrap_or_else(|_| Err(unavailable("the writer has ended")));
            outcome = outcome.and(one.map(|_| ()));
        }
        outcome
    }

    /// Does something when what is queued before it is committed and nothing after it is begun.
    pub(crate) fn between<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CommitError> {
        self.with(|_, _| work())
    }

    /// As [`Queue::between`], with what the writer works with.
    pub(crate) fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Parts, &mut Chain) -> T + Send + 'static,
    ) -> Result<T, CommitError> {
        let (reply, answer) = std::sync::mpsc::channel();
        self.send(Job::Between(Box::new(move |parts, chain| {
            // Whoever asked may have gone.
            let _ = reply.send(work(parts, chain));
        })))?;
        answer.recv().map_err(|_| unavailable("the writer has ended"))
    }

    /// Lets the writer finish what is queued and end.
    pub(crate) fn stop(&self) {
        // A full queue is no reason to lose what is in it: this waits.
        let _ = self.sender.send(Job::Stop);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writer ended in a panic");
        }
    }
}

/// Says that the writer runs until it is dropped, by a panic too.
struct Running(Arc<AtomicBool>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

fn run(mut parts: Parts, receiver: &Receiver<Job>, queued: &AtomicUsize, running: &Running) {
    let mut chain = parts.chain.clone();
    let mut waiting = None;
    loop {
        if chain.failed.is_some() {
            running.0.store(false, Ordering::Release);
        }
        let first = match waiting.take() {
            Some(job) => job,
            None => match next_job(receiver, &chain) {
                Next::Job(job) => job,
                Next::Idle => {
                    Group::new(&parts, &mut chain).sweep();
                    rest(&parts, limits::IDLE_UNWRITTEN_BYTES);
                    continue;
                }
                Next::End => return,
            },
        };
        let mut group = Group::new(&parts, &mut chain);
        let mut next = Some(first);
        let (mut stop, mut between) = (false, None);
        while let Some(job) = next.take() {
            let job = match job {
                Job::Stop => {
                    stop = true;
                    break;
                }
                Job::Between(work) => {
                    parts.meter.taken();
                    between = Some(work);
                    break;
                }
                job => job,
            };
            if group.is_full() || !group.admits(&job) {
                waiting = Some(job);
                break;
            }
            if let Job::Commit(work, _) = &job {
                queued.fetch_sub(work.bytes, Ordering::AcqRel);
            }
            group.take(job);
            next = receiver.try_recv().ok();
        }
        group.commit();
        keep_up(&parts);
        if let Some(work) = between {
            work(&mut parts, &mut chain);
            keep_up(&parts);
        }
        if stop {
            finish(&parts, &mut chain);
            return;
        }
    }
}

enum Next {
    Job(Job),
    Idle,
    End,
}

/// Waits for a job; when entries are left in the outbox, no longer than a while.
fn next_job(receiver: &Receiver<Job>, chain: &Chain) -> Next {
    if chain.outbox.is_empty() || chain.failed.is_some() {
        return receiver.recv().map_or(Next::End, Next::Job);
    }
    match receiver.recv_timeout(limits::OUTBOX_IDLE) {
        Ok(job) => Next::Job(job),
        Err(RecvTimeoutError::Timeout) => Next::Idle,
        Err(RecvTimeoutError::Disconnected) => Next::End,
    }
}

fn keep_up(parts: &Parts) {
    let started = std::time::Instant::now();
    let kept_up = parts.engine.keep_up();
    parts.meter.kept_up(started.elapsed());
    if let Err(fault) = kept_up {
        tracing::error!(%fault, "the engine did not write out its memory");
    }
}

/// Lets the engine write out what lies in memory while nothing else is to be done.
fn rest(parts: &Parts, above: u64) {
    if let Err(fault) = parts.engine.write_out(above) {
        tracing::error!(%fault, "the engine did not write out its memory");
    }
}

/// Leaves nothing in the outbox that the log has for good, and nothing in the engine's journal.
fn finish(parts: &Parts, chain: &mut Chain) {
    let reached = parts.log.last().0;
    if parts.log.sync().is_ok() {
        let mut mark = parts.mark.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Mark { audit: reached, ..mark.current() };
        if let Err(error) = mark.write(now) {
            tracing::warn!(%error, "the mark could not be written");
        }
    }
    Group::new(parts, chain).sweep();
    if chain.failed.is_some() {
        // What stands in the journal is evidence.
        return;
    }
    match parts.engine.settle() {
        Ok(true) => {}
        Ok(false) => {
            tracing::warn!("the engine did not write out its memory in time; the next start replays its journal")
        }
        Err(fault) => tracing::warn!(%fault, "the engine's journal could not be emptied; the next start replays it"),
    }
}
