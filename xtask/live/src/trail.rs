//! The audit log read from its files: how many entries each request has. The chain itself is
//! verified by `handrail audit verify`; here its entries are held against what was answered.

use audit::{Entry, entry::Outcome, frame::Segment};
use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader},
    path::Path,
};

/// Entries of one request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entries {
    /// All of them.
    pub all: usize,
    /// Those that speak of success.
    pub success: usize,
}

/// Entries by request id.
#[derive(Debug, Default)]
pub struct Trail {
    by_request: HashMap<String, Entries>,
    /// The newest sequence that was read.
    last: u64,
}

impl Trail {
    /// Reads what was recorded since the last call.
    ///
    /// # Errors
    /// A log that cannot be read, or that misses an entry.
    pub fn read_on(&mut self, data: &Path) -> io::Result<()> {
        let by_request = &mut self.by_request;
        each_after(data, &mut self.last, |_, entry| {
            let entries = by_request.entry(entry.request_id.to_string()).or_default();
            entries.all += 1;
            entries.success += usize::from(entry.outcome == Outcome::Success);
        })
    }

    /// What is recorded of a request.
    pub fn of(&self, request_id: &str) -> Entries {
        self.by_request.get(request_id).copied().unwrap_or_default()
    }

    /// The number of entries read.
    pub fn count(&self) -> u64 {
        self.last
    }
}

/// Hands on every entry after this sequence, in order, with its own; `last` becomes the newest one's.
///
/// # Errors
/// A log that cannot be read, or that misses an entry.
pub fn each_after(data: &Path, last: &mut u64, mut take: impl FnMut(u64, Entry)) -> io::Result<()> {
    let mut segments: Vec<Segment<BufReader<File>>> = Vec::new();
    for file in std::fs::read_dir(data.join("audit"))? {
        let file = file?;
        if file.file_type()?.is_file() {
            // Files that are no segments (checkpoints, keys) do not open as one.
            segments.extend(Segment::open(BufReader::new(File::open(file.path())?)).ok());
        }
    }
    segments.sort_by_key(Segment::first_sequence);
    for mut segment in segments {
        while let Ok(Some(record)) = segment.next_record() {
            if record.sequence <= *last {
                continue;
            }
            if record.sequence != *last + 1 {
                return Err(io::Error::other(format!("the audit log misses entry {}", *last + 1)));
            }
            *last = record.sequence;
            let entry = Entry::decode(&record.entry)
                .map_err(|_| io::Error::other(format!("audit entry {} is malformed", record.sequence)))?;
            take(record.sequence, entry);
        }
    }
    Ok(())
}
