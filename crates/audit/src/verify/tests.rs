//! Every way to tamper is found, at its place. F23.

use super::*;
use crate::{
    checkpoint::Signer,
    frame::{RECORD_BYTES, header},
    log::{
        Appender, Durability, Log,
        tests::{Memory, entry},
    },
};

const ENTRIES: u64 = 12;

/// A log of 12 entries in two segments (7 and 5), checkpoints at 5 and 10.
struct World {
    segments: Vec<Vec<u8>>,
    /// For each sequence from 1: segment, start and end of its record.
    places: Vec<(usize, usize, usize)>,
    hashes: Vec<Hash>,
    checkpoints: Vec<u8>,
    keys: Vec<PublicKey>,
}

fn world() -> World {
    let (memory, sink) = (Memory::default(), Memory::default());
    let log = Log::open(Box::new(memory.clone()), None, Durability::Appended);
    let signer = Signer::from_pkcs8(&Signer::new_key().unwrap()).unwrap();
    let keys = vec![signer.public_key()];
    log.sign_checkpoints(signer, Box::new(sink.clone()), None).unwrap();
    let mut segments = vec![header(1, &GENESIS).to_vec()];
    let (mut places, mut hashes) = (Vec::new(), vec![GENESIS]);
    for sequence in 1..=ENTRIES {
        if sequence == 8 {
            segments.push(header(8, &hashes[7]).to_vec());
        }
        memory.bytes.lock().unwrap().clear();
        log.record(&entry(i64::try_from(sequence).unwrap())).unwrap();
        let last = segments.len() - 1;
        let start = segments[last].len();
        segments[last].extend_from_slice(&memory.bytes.lock().unwrap());
        places.push((last, start, segments[last].len()));
        hashes.push(log.last().1);
        if sequence == 5 || sequence == 10 {
            log.checkpoint(Instant::from_unix_millis(1)).unwrap().unwrap();
        }
    }
    memory.sync().unwrap();
    let checkpoints = sink.bytes.lock().unwrap().clone();
    World { segments, places, hashes, checkpoints, keys }
}

impl World {
    fn verify(&self) -> Result<Report, Broken> {
        verify(self.segments.iter().map(|segment| &segment[..]), &self.checkpoints, &self.keys)
    }

    fn record(&self, sequence: usize) -> Vec<u8> {
        let (segment, start, end) = self.places[sequence - 1];
        self.segments[segment][start..end].to_vec()
    }

    /// Rebuilds the segments from these records, hashes made anew from `from` on.
    fn forge(&mut self, records: &[Vec<u8>], from: usize) {
        self.segments = vec![header(1, &GENESIS).to_vec()];
        let mut before = GENESIS;
        for (at, record) in records.iter().enumerate() {
            if at == 7 {
                self.segments.push(header(8, &before).to_vec());
            }
            let last = self.segments.len() - 1;
            let sequence = at as u64 + 1;
            if at + 1 >= from {
                before = crate::frame::put_record(
                    &mut self.segments[last],
                    &before,
                    sequence,
                    &record[12..record.len() - 32],
                );
            } else {
                self.segments[last].extend_from_slice(record);
                before = record[record.len() - 32..].try_into().unwrap();
            }
        }
    }
}

#[test]
fn an_honest_log_holds() {
    let report = world().verify().unwrap();
    assert_eq!((report.first, report.last, report.checkpoints, report.torn_end), (1, ENTRIES, 2, false));
    assert_eq!(report.last_checkpoint.unwrap().0, 10);
    assert_eq!(report.uncovered(), 2);
    let empty = verify(std::iter::empty::<&[u8]>(), &[], &[]).unwrap();
    assert_eq!((empty.last, empty.uncovered()), (0, 0));
}

/// Every single byte of every record, changed: found, at that entry.
#[test]
fn any_altered_byte_is_found_at_its_entry() {
    let honest = world();
    for (index, (segment, start, end)) in honest.places.iter().copied().enumerate() {
        for at in start..end {
            for mask in [0x01, 0x80] {
                let mut segments = honest.segments.clone();
                segments[segment][at] ^= mask;
                let result = verify(segments.iter().map(|s| &s[..]), &honest.checkpoints, &honest.keys);
                let broken = result.expect_err(&format!("entry {}, byte {}", index + 1, at - start));
                assert_eq!(broken.sequence, index as u64 + 1, "byte {} of the record: {broken}", at - start);
            }
        }
    }
}

#[test]
fn any_altered_byte_of_a_header_is_found() {
    let honest = world();
    for segment in 0..2 {
        for at in 0..48 {
            let mut segments = honest.segments.clone();
            segments[segment][at] ^= 1;
            assert!(
                verify(segments.iter().map(|s| &s[..]), &honest.checkpoints, &honest.keys).is_err(),
                "{segment} {at}"
            );
        }
    }
}

#[test]
fn a_removed_entry_is_found() {
    for removed in 1..ENTRIES {
        let mut world = world();
        let (segment, start, end) = world.places[usize::try_from(removed).unwrap() - 1];
        world.segments[segment].drain(start..end);
        let broken = world.verify().unwrap_err();
        assert_eq!(broken.sequence, removed, "{broken}");
    }
}

#[test]
fn swapped_entries_are_found() {
    for first in [1, 2, 5, 9, 11] {
        let mut world = world();
        let swapped = [world.record(first + 1), world.record(first)].concat();
        let (segment, start, _) = world.places[first - 1];
        world.segments[segment].splice(start..start + swapped.len(), swapped);
        let broken = world.verify().unwrap_err();
        assert_eq!(broken, Broken { sequence: first as u64, what: What::Sequence(first as u64 + 1) });
    }
}

#[test]
fn an_inserted_entry_is_found() {
    let mut world = world();
    let again = world.record(3);
    let (segment, _, end) = world.places[2];
    world.segments[segment].splice(end..end, again);
    assert_eq!(world.verify().unwrap_err(), Broken { sequence: 4, what: What::Sequence(3) });
}

/// One who makes all later hashes anew is found by the signed checkpoint.
#[test]
fn a_rewritten_chain_is_found_between_two_checkpoints() {
    let mut world = world();
    let mut records: Vec<Vec<u8>> = (1..=12).map(|sequence| world.record(sequence)).collect();
    let forged = crate::frame::RECORD_BYTES - 32;
    let entry = Entry { client_id: Some("somebody-else".into()), ..entry(7) }.encode();
    records[6] = [&records[6][..forged], entry.as_bytes(), &[0; 32]].concat();
    world.forge(&records, 7);
    assert_eq!(world.verify().unwrap_err(), Broken { sequence: 10, what: What::Rewritten { after: 5 } });
    assert_eq!(RECORD_BYTES, 44);
}

/// Removing an entry and numbering the rest anew is a rewritten chain as well.
#[test]
fn a_removed_entry_with_a_new_chain_is_found() {
    let mut world = world();
    let mut records: Vec<Vec<u8>> = (1..=12).map(|sequence| world.record(sequence)).collect();
    records.remove(2);
    world.forge(&records, 3);
    assert_eq!(world.verify().unwrap_err(), Broken { sequence: 5, what: What::Rewritten { after: 0 } });
}

#[test]
fn a_cut_end_is_found_by_the_last_checkpoint() {
    let mut world = world();
    let (segment, start, _) = world.places[8];
    world.segments[segment].truncate(start);
    assert_eq!(world.verify().unwrap_err(), Broken { sequence: 9, what: What::Truncated { checkpoint: 10 } });
    world.segments.pop();
    assert_eq!(world.verify().unwrap_err(), Broken { sequence: 8, what: What::Truncated { checkpoint: 10 } });
    world.segments.clear();
    assert_eq!(world.verify().unwrap_err(), Broken { sequence: 1, what: What::Truncated { checkpoint: 5 } });
}

#[test]
fn a_crash_at_the_end_is_told_apart_from_a_cut() {
    for keep in 1..60 {
        let mut world = world();
        let (segment, start, _) = world.places[11];
        world.segments[segment].truncate(start + keep);
        let report = world.verify().unwrap();
        assert_eq!((report.last, report.torn_end), (11, true));
    }
    let mut world = world();
    world.segments[0].pop();
    assert_eq!(world.verify().unwrap_err(), Broken { sequence: 7, what: What::Unreadable }, "not at the end");
}

#[test]
fn a_missing_or_foreign_segment_is_found() {
    let mut world = world();
    world.segments.swap(0, 1);
    assert!(world.verify().is_err());
    let mut missing = self::world();
    missing.segments[1] = header(9, &missing.hashes[8]).to_vec();
    assert_eq!(missing.verify().unwrap_err(), Broken { sequence: 8, what: What::Segment });
}

/// F23: a first header that its own record contradicts was altered: no log begins where it says.
#[test]
fn an_altered_first_header_is_no_missing_beginning() {
    for byte in [8, 15, 20, 47] {
        let mut world = world();
        world.segments[0][byte] ^= 2;
        let segments = world.segments.iter().map(|segment| &segment[..]);
        let broken = verify_with_cut(segments, &world.checkpoints, &world.keys, None).unwrap_err();
        assert!(broken.sequence == 1 && matches!(broken.what, What::Segment), "{byte}: {broken:?}");
    }
}

/// F26: old segments may move to an archive; what stays verifies from its header on.
#[test]
fn an_archived_start_is_no_break_but_is_reported() {
    let mut world = world();
    world.segments.remove(0);
    let report = world.verify().unwrap();
    assert_eq!((report.first, report.last, report.checkpoints), (8, 12, 1));
}

#[test]
fn forged_checkpoints_are_found() {
    let mut world = world();
    let last = world.checkpoints.len() - 1;
    world.checkpoints[last] ^= 1;
    assert_eq!(world.verify().unwrap_err(), Broken { sequence: 10, what: What::Checkpoint });
    let mut strangers = self::world();
    strangers.keys = self::world().keys;
    assert_eq!(strangers.verify().unwrap_err(), Broken { sequence: 5, what: What::Checkpoint });
}
