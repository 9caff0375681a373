//! Order, chain, durability and the closed door after a failure.

use super::*;
use crate::{
    checkpoint::CHECKPOINT_BYTES,
    entry::{Action, Kind, Outcome},
    frame::Segment,
};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

/// Bytes in memory; fails when told to.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    pub(crate) bytes: Arc<Mutex<Vec<u8>>>,
    pub(crate) syncs: Arc<AtomicUsize>,
    pub(crate) broken: Arc<AtomicBool>,
}

impl Appender for Memory {
    fn append(&self, record: &[u8]) -> io::Result<()> {
        if self.broken.load(SeqCst) {
            return Err(io::Error::other("disk full"));
        }
        self.bytes.lock().unwrap().extend_from_slice(record);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.syncs.fetch_add(1, SeqCst);
        if self.broken.load(SeqCst) { Err(io::Error::other("disk gone")) } else { Ok(()) }
    }
}

pub(crate) fn entry(number: i64) -> Entry {
    Entry {
        recorded: Instant::from_unix_millis(1_700_000_000_000 + number),
        kind: Kind::Rest,
        subtype: "search-type".into(),
        action: Action::Execute,
        outcome: Outcome::Success,
        outcome_text: None,
        client_id: Some("client".into()),
        token_name: None,
        person: None,
        organization: None,
        grounds: None,
        address: None,
        request_id: format!("request-{number}").into(),
        query: Some("Observation?code=52491-8".into()),
        touched: Vec::new(),
        patients: Vec::new(),
    }
}

fn open(memory: &Memory, durability: Durability) -> Log {
    Log::open(Box::new(memory.clone()), None, durability)
}

#[test]
fn sequences_run_from_one_and_the_chain_goes_on_after_opening_anew() {
    let memory = Memory::default();
    let log = open(&memory, Durability::Appended);
    assert_eq!(log.record(&entry(1)).unwrap().sequence(), 1);
    assert_eq!(log.record_all(&[entry(2), entry(3)]).unwrap().sequence(), 3);
    let last = log.last();
    drop(log);
    let log = Log::open(Box::new(memory.clone()), Some(last), Durability::Appended);
    assert_eq!(log.record_encoded(&[entry(4).encode()], entry(4).recorded).unwrap().sequence(), 4);

    let file = [&crate::frame::header(1, &GENESIS)[..], &memory.bytes.lock().unwrap()].concat();
    let mut segment = Segment::open(&file[..]).unwrap();
    let mut before = *segment.before();
    for number in 1..=4 {
        let record = segment.next_record().unwrap().unwrap();
        assert_eq!(record.sequence, number);
        assert!(record.follows(&before));
        assert_eq!(Entry::decode(&record.entry).unwrap(), entry(i64::try_from(number).unwrap()));
        before = record.hash;
    }
    assert!(segment.next_record().unwrap().is_none());
    assert_eq!(segment.good_bytes(), file.len() as u64);
    assert_eq!(log.last(), (4, before));
}

/// Invariant 6: strict mode waits for stable storage before there is a receipt.
#[test]
fn strict_waits_for_a_sync_and_waiters_share_it() {
    let memory = Memory::default();
    let log = open(&memory, Durability::Strict);
    log.record(&entry(1)).unwrap();
    assert_eq!(memory.syncs.load(SeqCst), 1);
    log.sync().unwrap();
    assert_eq!(memory.syncs.load(SeqCst), 1, "nothing new to sync");

    let memory = Memory::default();
    let log = open(&memory, Durability::Appended);
    log.record(&entry(1)).unwrap();
    assert_eq!(memory.syncs.load(SeqCst), 0);
    log.sync().unwrap();
    assert_eq!(memory.syncs.load(SeqCst), 1);
}

/// F25: after one failure nothing is recorded, so nothing is answered, even when the disk is back.
#[test]
fn a_failure_closes_the_log() {
    for fail_on_sync in [false, true] {
        let memory = Memory::default();
        let log = open(&memory, Durability::Appended);
        log.record(&entry(1)).unwrap();
        memory.broken.store(true, SeqCst);
        if fail_on_sync {
            assert!(log.sync().is_err());
        } else {
            assert!(log.record(&entry(2)).is_err());
        }
        memory.broken.store(false, SeqCst);
        assert!(log.record(&entry(3)).is_err());
        assert!(log.sync().is_err());
        assert_eq!(log.last().0, 1);
    }
}

#[test]
fn recording_nothing_proves_nothing() {
    assert!(open(&Memory::default(), Durability::Appended).record_all(&[]).is_err());
}

#[test]
fn threads_get_their_own_place_in_one_order() {
    let memory = Memory::default();
    let log = open(&memory, Durability::Strict);
    let mut sequences: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let log = &log;
                scope.spawn(move || {
                    (0..50).map(|n| log.record(&entry(thread * 50 + n)).unwrap().sequence()).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    sequences.sort_unstable();
    assert_eq!(sequences, (1..=200).collect::<Vec<_>>());
}

#[test]
fn checkpoints_come_by_count_and_on_demand() {
    let (memory, sink) = (Memory::default(), Memory::default());
    let log = open(&memory, Durability::Appended);
    let key = Signer::new_key().unwrap();
    log.sign_checkpoints(Signer::from_pkcs8(&key).unwrap(), Box::new(sink.clone()), None).unwrap();
    let now = Instant::from_unix_millis(5);
    assert_eq!(log.checkpoint(now).unwrap(), None, "an empty log has nothing to sign");
    log.record(&entry(1)).unwrap();
    let checkpoint = log.checkpoint(now).unwrap().unwrap();
    assert_eq!((checkpoint.sequence, checkpoint.hash, checkpoint.time), (1, log.last().1, now));
    assert!(memory.syncs.load(SeqCst) > 0, "synced before it was signed");
    assert_eq!(log.checkpoint(now).unwrap(), None, "nothing new");
    for number in 0..CHECKPOINT_ENTRIES {
        log.record(&entry(i64::try_from(number).unwrap())).unwrap();
    }
    log.sync().unwrap();
    let bytes = sink.bytes.lock().unwrap().clone();
    assert_eq!(bytes.len(), 2 * CHECKPOINT_BYTES);
    let last = Checkpoint::last(&bytes).unwrap();
    assert_eq!(last.sequence, 1 + CHECKPOINT_ENTRIES);

    let shorter = Log::open(Box::new(memory), Some((7, GENESIS)), Durability::Appended);
    let signer = Signer::from_pkcs8(&key).unwrap();
    assert!(shorter.sign_checkpoints(signer, Box::new(sink), Some(&last)).is_err(), "the end was cut off");
    assert!(shorter.record(&entry(8)).is_err());
}
