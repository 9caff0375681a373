//! The bounded queue of a server's log lines, and the thread that writes them.
//!
//! Whoever reads standard error may be slow or stand still: a full pipe must not hold a request. So a
//! line that finds no room is dropped and counted; the next line written tells how many were.

use super::Format;
use crate::limits;
use std::{
    io::{self, Write, stderr},
    sync::{
        OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::Duration,
};

static QUEUE: OnceLock<Queue> = OnceLock::new();

struct Queue {
    sender: SyncSender<Job>,
    bytes: AtomicUsize,
    lost: AtomicU64,
}

enum Job {
    Line(Vec<u8>),
    /// Says that all before it was written.
    Written(SyncSender<()>),
}

/// Time that the last lines get to be written when the program ends.
const LAST: Duration = Duration::from_secs(2);

/// Bytes written at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// The running thread; dropping this waits, for a while, until everything is written.
pub(super) struct Lines(());

impl Lines {
    /// Starts the thread, once in a process.
    pub(super) fn start(format: Format) -> Option<Self> {
        let (sender, receiver) = sync_channel(limits::LOG_LINES_MAX);
        QUEUE.set(Queue { sender, bytes: AtomicUsize::new(0), lost: AtomicU64::new(0) }).ok()?;
        let thread = std::thread::Builder::new().name("log".into());
        thread.spawn(move || write_all(&receiver, format, &mut stderr())).ok()?;
        Some(Self(()))
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let Some(queue) = QUEUE.get() else { return };
        let (written, done) = sync_channel(1);
        let ends = std::time::Instant::now() + LAST;
        let mut job = Job::Written(written);
        while let Err(back) = queue.sender.try_send(job) {
            let std::sync::mpsc::TrySendError::Full(again) = back else { return };
            if std::time::Instant::now() >= ends {
                return;
            }
            job = again;
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = done.recv_timeout(LAST);
    }
}

pub(super) fn is_started() -> bool {
    QUEUE.get().is_some()
}

/// Queues a line, with its line break. Never waits.
pub(super) fn send(line: Vec<u8>) {
    match QUEUE.get() {
        Some(queue) => queue.send(line),
        None => drop(stderr().write_all(&line)),
    }
}

impl Queue {
    fn send(&self, line: Vec<u8>) {
        let length = line.len();
        let queued = self.bytes.fetch_add(length, Ordering::Relaxed);
        let room = queued + length <= limits::LOG_BYTES_MAX;
        if !room || self.sender.try_send(Job::Line(line)).is_err() {
            self.bytes.fetch_sub(length, Ordering::Relaxed);
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Lines that found no room since the start.
pub(crate) fn lost() -> u64 {
    QUEUE.get().map_or(0, |queue| queue.lost.load(Ordering::Relaxed))
}

/// What tracing writes a whole line into.
pub(super) struct Writer;

impl Write for Writer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        send(line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_all(receiver: &Receiver<Job>, format: Format, out: &mut impl Write) {
    let (mut chunk, mut told) = (Vec::with_capacity(CHUNK_BYTES), 0);
    while let Ok(first) = receiver.recv() {
        let (mut next, mut waiting) = (Some(first), Vec::new());
        while let Some(job) = next.take() {
            match job {
                Job::Line(line) => {
                    if let Some(queue) = QUEUE.get() {
                        queue.bytes.fetch_sub(line.len(), Ordering::Relaxed);
                    }
                    chunk.extend_from_slice(&line);
                }
                Job::Written(done) => waiting.push(done),
            }
            if chunk.len() < CHUNK_BYTES {
                next = receiver.try_recv().ok();
            }
        }
        let lost = lost();
        if lost > told {
            chunk.extend_from_slice(&notice(format, lost - told));
            told = lost;
        }
        // Nobody reads it: there is nowhere to say so.
        let _ = out.write_all(&chunk).and_then(|()| out.flush());
        chunk.clear();
        for done in waiting {
            let _ = done.try_send(());
        }
    }
}

fn notice(format: Format, count: u64) -> Vec<u8> {
    let at = crate::clock::now();
    let text = "log lines were lost: standard error is not read fast enough";
    match format {
        Format::Text => format!("{at}  WARN {text} lines={count}\n"),
        Format::Json => format!(
            r#"{{"timestamp":"{at}","level":"WARN","message":"{text}","lines":{count},"target":"handrail::log"}}{}"#,
            '\n'
        ),
    }
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_written_in_order_and_the_end_is_told() {
        let (sender, receiver) = sync_channel(8);
        let (written, done) = sync_channel(1);
        sender.send(Job::Line(b"one\n".to_vec())).unwrap();
        sender.send(Job::Line(b"two\n".to_vec())).unwrap();
        sender.send(Job::Written(written)).unwrap();
        drop(sender);
        let mut out = Vec::new();
        write_all(&receiver, Format::Json, &mut out);
        assert_eq!(out, b"one\ntwo\n");
        done.try_recv().unwrap();
    }

    /// Nobody reads here, as at a full pipe; were a line waited for, this test would not end.
    #[test]
    fn a_line_without_room_is_dropped_and_counted() {
        let (sender, _receiver) = sync_channel(2);
        let queue = Queue { sender, bytes: AtomicUsize::new(0), lost: AtomicU64::new(0) };
        (0..5).for_each(|_| queue.send(b"line\n".to_vec()));
        assert_eq!(queue.lost.load(Ordering::Relaxed), 3);
        assert_eq!(queue.bytes.load(Ordering::Relaxed), 10);
        queue.send(vec![0; limits::LOG_BYTES_MAX]);
        assert_eq!(queue.lost.load(Ordering::Relaxed), 4);
    }

    #[test]
    fn what_was_lost_is_a_line_of_json() {
        let line: serde_json::Value = serde_json::from_slice(&notice(Format::Json, 3)).unwrap();
        assert_eq!((line["lines"].as_u64(), line["level"].as_str()), (Some(3), Some("WARN")));
    }
}
