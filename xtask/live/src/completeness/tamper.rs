//! Copies of a finished log, each tampered with in one way, and what `handrail` says of it: the segment and the record.
//! Row F23.
//!
//! The copy is cut into three segments first, as a longer log is; that has to verify. A cut of the newest entries that no
//! checkpoint covers cannot be found (`docs/audit-events.md`), so places are chosen before the last checkpoint.

use super::{Plan, Sums, said};
use crate::seeded::Seeded;
use audit::{
    checkpoint::CHECKPOINT_BYTES,
    frame::{self, GENESIS, HEADER_BYTES, Hash, Segment},
};
use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    process::Command,
};

/// One of so many tampered logs is shown to `handrail doctor` as well, which reads the whole store.
const DOCTOR_EVERY: usize = 12;

/// A log in three segments.
#[derive(Clone)]
struct Log {
    segments: Vec<Vec<u8>>,
    /// Place in the segments of each record, from sequence 1.
    places: Vec<(usize, Range<usize>)>,
    checkpoints: Vec<u8>,
    /// Sequences that checkpoints name.
    covered: Vec<usize>,
}

/// Where it is broken: the number that is named, and the segment.
struct Place {
    sequence: usize,
    segment: usize,
}

pub(crate) fn all(plan: &Plan, data: &Path, copy: &Path, chance: &mut Seeded, sums: &mut Sums) -> Result<(), String> {
    Command::new("cp").arg("-a").args([data, copy]).status().map_err(said)?;
    let honest = Log::read(&data.join("audit"))?;
    honest.write(copy)?;
    let (code, text) = asked(plan, copy, &["audit", "verify"])?;
    if code != Some(0) {
        return Err(format!("an honest log in three segments: {text}"));
    }
    for turn in 0..plan.tamperings {
        for (at, (name, way)) in WAYS.iter().enumerate() {
            let mut log = honest.clone();
            let Some(place) = way(&mut log, chance) else { continue };
            log.write(copy)?;
            let (code, text) = asked(plan, copy, &["audit", "verify"])?;
            found(name, &place, code, &text)?;
            if (turn * WAYS.len() + at).is_multiple_of(DOCTOR_EVERY) {
                let (code, text) = asked(plan, copy, &["doctor"])?;
                found(name, &place, code, &text).map_err(|why| format!("doctor: {why}"))?;
            }
            *sums.tampered.entry(name).or_default() += 1;
        }
    }
    fs::remove_dir_all(copy).map_err(said)
}

fn asked(plan: &Plan, data: &Path, command: &[&str]) -> Result<(Option<i32>, String), String> {
    let output = Command::new(&plan.handrail).args(command).arg("--data").arg(data).output().map_err(said)?;
    Ok((output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned()))
}

fn found(name: &str, place: &Place, code: Option<i32>, text: &str) -> Result<(), String> {
    let number = format!("record {}", place.sequence);
    let segment = format!("{:08}.log", place.segment + 1);
    let is_named = text.lines().any(|line| {
        let rest = line.split_once(&segment).map(|(_, rest)| rest.trim_start_matches([',', ' ']));
        rest.is_some_and(|rest| rest.trim_end_matches(')') == number)
    });
    if code == Some(1) && is_named {
        return Ok(());
    }
    Err(format!("TAMPERED AND NOT FOUND AT ITS PLACE: {name}, segment {segment}, {number}: {code:?} {text}"))
}

impl Log {
    fn read(directory: &Path) -> Result<Self, String> {
        let mut paths: Vec<PathBuf> = fs::read_dir(directory)
            .map_err(said)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
            .collect();
        paths.sort();
        let mut records: Vec<(Vec<u8>, Hash)> = Vec::new();
        for path in paths {
            let bytes = fs::read(path).map_err(said)?;
            let mut segment = Segment::open(&bytes[..]).map_err(|why| format!("{why:?}"))?;
            let mut from = HEADER_BYTES;
            while let Some(record) = segment.next_record().map_err(|why| format!("{why:?}"))? {
                let to = usize::try_from(segment.good_bytes()).map_err(said)?;
                records.push((bytes.get(from..to).unwrap_or_default().to_vec(), record.hash));
                from = to;
            }
        }
        let (mut segments, mut places, mut before) = (Vec::<Vec<u8>>::new(), Vec::new(), GENESIS);
        let each = records.len() / 3;
        for (at, (record, hash)) in records.iter().enumerate() {
            if at == segments.len() * each && segments.len() < 3 {
                segments.push(frame::header(at as u64 + 1, &before).to_vec());
            }
            let number = segments.len() - 1;
            if let Some(segment) = segments.last_mut() {
                let from = segment.len();
                segment.extend_from_slice(record);
                places.push((number, from..segment.len()));
            }
            before = *hash;
        }
        let checkpoints = fs::read(directory.join("checkpoints")).map_err(said)?;
        let sequence = |chunk: &[u8]| {
            let number: [u8; 8] = chunk.get(1..9)?.try_into().ok()?;
            usize::try_from(u64::from_be_bytes(number)).ok()
        };
        let covered: Vec<usize> = checkpoints.chunks_exact(CHECKPOINT_BYTES).filter_map(sequence).collect();
        if places.len() < 20 || covered.last().is_none_or(|last| last * 2 < places.len()) {
            return Err(format!("a log of {} records with checkpoints at {covered:?} is too short", places.len()));
        }
        Ok(Self { segments, places, checkpoints, covered })
    }

    /// In place of the log of a data directory.
    fn write(&self, data: &Path) -> Result<(), String> {
        let directory = data.join("audit");
        for entry in fs::read_dir(&directory).map_err(said)?.flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "log") {
                fs::remove_file(entry.path()).map_err(said)?;
            }
        }
        for (segment, number) in self.segments.iter().zip(1..) {
            fs::write(directory.join(format!("{number:08}.log")), segment).map_err(said)?;
        }
        fs::write(directory.join("checkpoints"), &self.checkpoints).map_err(said)
    }

    /// A record that a checkpoint covers, not the last of its segment, nor the first.
    fn inner(&self, chance: &mut Seeded) -> (usize, usize, Range<usize>) {
        let last = self.covered.last().copied().unwrap_or_default();
        loop {
            let at = chance.below(last.min(self.places.len()));
            let of = |at: usize| self.places.get(at).map(|(segment, _)| *segment);
            let same = at > 0 && of(at - 1) == of(at) && of(at + 1) == of(at) && at + 1 < last;
            if let Some((segment, range)) = self.places.get(at).filter(|_| same) {
                return (at + 1, *segment, range.clone());
            }
        }
    }

    fn flip(&mut self, segment: usize, at: usize, chance: &mut Seeded) {
        if let Some(byte) = self.segments.get_mut(segment).and_then(|bytes| bytes.get_mut(at)) {
            *byte ^= 1 << chance.below(8);
        }
    }

    /// Puts these bytes where those of a range were.
    fn splice(&mut self, segment: usize, range: Range<usize>, with: &[u8]) {
        if let Some(bytes) = self.segments.get_mut(segment) {
            bytes.splice(range, with.iter().copied());
        }
    }

    fn bytes(&self, segment: usize, range: Range<usize>) -> Vec<u8> {
        self.segments.get(segment).and_then(|bytes| bytes.get(range)).unwrap_or_default().to_vec()
    }

    fn first_of(&self, segment: usize) -> usize {
        self.places.iter().position(|(of, _)| *of == segment).unwrap_or_default() + 1
    }
}

type Way = fn(&mut Log, &mut Seeded) -> Option<Place>;

/// Every kind of byte, and every way to move, take and add; `None` where a log has no place for one.
const WAYS: [(&str, Way); 17] = [
    ("flip in a length", |log, chance| {
        let (sequence, segment, range) = log.inner(chance);
        log.flip(segment, range.start + chance.below(4), chance);
        Some(Place { sequence, segment })
    }),
    ("flip in a sequence", |log, chance| {
        let (sequence, segment, range) = log.inner(chance);
        log.flip(segment, range.start + 4 + chance.below(8), chance);
        Some(Place { sequence, segment })
    }),
    ("flip in an entry", |log, chance| {
        let (sequence, segment, range) = log.inner(chance);
        log.flip(segment, range.start + 12 + chance.below(range.len() - 44), chance);
        Some(Place { sequence, segment })
    }),
    ("flip in a hash", |log, chance| {
        let (sequence, segment, range) = log.inner(chance);
        log.flip(segment, range.end - 1 - chance.below(32), chance);
        Some(Place { sequence, segment })
    }),
    ("flip in a header", |log, chance| {
        let segment = chance.below(3);
        log.flip(segment, chance.below(HEADER_BYTES), chance);
        Some(Place { sequence: log.first_of(segment), segment })
    }),
    ("flip in a signature", |log, chance| {
        let number = chance.below(log.covered.len());
        let at = number * CHECKPOINT_BYTES + CHECKPOINT_BYTES - 1 - chance.below(64);
        if let Some(byte) = log.checkpoints.get_mut(at) {
            *byte ^= 1 << chance.below(8);
        }
        let sequence = log.covered.get(number).copied()?;
        let (segment, _) = log.places.get(sequence - 1)?;
        Some(Place { sequence, segment: *segment })
    }),
    ("remove one", |log, chance| {
        let (sequence, segment, range) = log.inner(chance);
        log.splice(segment, range, &[]);
        Some(Place { sequence, segment })
    }),
    ("remove several", |log, chance| {
        let (sequence, segment, range) = log.inner(chance);
        let ends = log.places.iter().skip(sequence).take_while(|(of, _)| *of == segment).map(|(_, range)| range.end);
        let ends: Vec<usize> = ends.collect();
        // Not up to the end of the segment: that is a cut.
        let to = ends.get(chance.below(ends.len().saturating_sub(1))).copied()?;
        log.splice(segment, range.start..to, &[]);
        Some(Place { sequence, segment })
    }),
    ("swap two", |log, chance| {
        let (sequence, segment, range) = log.inner(chance);
        let (_, next) = log.places.get(sequence).cloned()?;
        let both = [log.bytes(segment, next.clone()), log.bytes(segment, range.clone())].concat();
        log.splice(segment, range.start..next.end, &both);
        Some(Place { sequence, segment })
    }),
    ("move one away", |log, chance| {
        let (sequence, segment, range) = log.inner(chance);
        let moved = log.bytes(segment, range.clone());
        let end = log.segments.get(segment)?.len();
        log.splice(segment, end..end, &moved);
        log.splice(segment, range, &[]);
        Some(Place { sequence, segment })
    }),
    ("insert one twice", |log, chance| {
        let (sequence, segment, range) = log.inner(chance);
        let again = log.bytes(segment, range.clone());
        log.splice(segment, range.end..range.end, &again);
        Some(Place { sequence: sequence + 1, segment })
    }),
    ("insert bytes", |log, chance| {
        let (sequence, segment, range) = log.inner(chance);
        let bytes: Vec<u8> = (0..1 + chance.below(40)).map(|_| (chance.next() >> 56) as u8 | 1).collect();
        log.splice(segment, range.start..range.start, &bytes);
        Some(Place { sequence, segment })
    }),
    ("cut off the end at a record", |log, chance| {
        let (sequence, segment, range) = log.inner(chance);
        log.segments.truncate(segment + 1);
        log.segments.last_mut()?.truncate(range.start);
        Some(Place { sequence, segment })
    }),
    ("cut off the end within a record", |log, chance| {
        let (sequence, segment, range) = log.inner(chance);
        log.segments.truncate(segment + 1);
        log.segments.last_mut()?.truncate(range.start + 1 + chance.below(range.len() - 1));
        Some(Place { sequence, segment })
    }),
    ("cut a segment short", |log, chance| {
        let segment = chance.below(2);
        let (sequence, range) = log
            .places
            .iter()
            .zip(1..)
            .filter(|((of, _), _)| *of == segment)
            .map(|((_, r), n)| (n, r.clone()))
            .last()?;
        log.segments.get_mut(segment)?.truncate(range.start + 1 + chance.below(range.len() - 1));
        Some(Place { sequence, segment })
    }),
    ("remove a segment", |log, _| {
        let sequence = log.first_of(1);
        log.segments.remove(1);
        // The third one stands in its place, as the second file.
        Some(Place { sequence, segment: 1 })
    }),
    ("write the chain anew", |log, chance| {
        // An entry altered, and every hash after it made to fit: the next checkpoint knows better.
        let (sequence, _, _) = log.inner(chance);
        let vouched = *log.covered.iter().find(|covered| **covered >= sequence)?;
        let mut before: Option<Hash> = None;
        for (number, (segment, range)) in log.places.clone().iter().enumerate() {
            let bytes = log.segments.get_mut(*segment)?;
            if range.start == HEADER_BYTES
                && let Some(before) = &before
            {
                bytes.get_mut(16..HEADER_BYTES)?.copy_from_slice(before);
            }
            let entry = range.start + 12..range.end - 32;
            if number + 1 == sequence {
                // A letter of the request id, or whatever stands at the end of it.
                *bytes.get_mut(entry.start + 10)? ^= 1;
                let hash: &[u8] = match range.start {
                    HEADER_BYTES => bytes.get(16..HEADER_BYTES)?,
                    start => bytes.get(start - 32..start)?,
                };
                before = hash.try_into().ok();
            }
            if let Some(known) = &mut before {
                *known = frame::chain(known, number as u64 + 1, bytes.get(entry)?);
                bytes.get_mut(range.end - 32..range.end)?.copy_from_slice(known);
            }
        }
        let (segment, _) = log.places.get(vouched - 1)?;
        Some(Place { sequence: vouched, segment: *segment })
    }),
];
