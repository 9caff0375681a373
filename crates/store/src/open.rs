//! Opening: format, secret, the chain of commits, the audit log and the outbox, in that order.
//! What does not verify is refused with the place where it breaks; nothing is repaired silently
//! but an unfinished record at the very end of the log. SPEC: rows F23 to F25.

use crate::{
    OpenError,
    audit_event::Events,
    engine::{
        Engine, Fault, Space, View,
        audit_files::AuditFiles,
        key,
        mark::Mark,
        record::{self, Commit, GENESIS, Hash, Place, Version},
    },
    limits,
    parameters::Parameters,
    types::Types,
    writer::{Chain, Head},
};
use audit::{
    Entry, Log,
    entry::{Encoded, Outcome},
};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use std::collections::{HashMap, VecDeque};

const FORMAT: &[u8] = b"format";
/// 2: every batch bears a number.
const FORMAT_NUMBER: u32 = 2;
const SECRET: &[u8] = b"cursor-secret";
const FINGERPRINT: &[u8] = b"fingerprint";

impl From<Fault> for OpenError {
    fn from(fault: Fault) -> Self {
        Self::Engine(fault.0)
    }
}

/// Reads or writes what every store has in `meta`: format, numbering of types, secret for cursors.
pub(crate) fn meta(engine: &Engine, given: Option<[u8; 32]>) -> Result<(Types, Vec<u8>), OpenError> {
    let view = engine.view();
    let mut batch = engine.batch();
    let format = view.value(Space::Meta, FORMAT)?.map(|value| value.to_vec());
    match format {
        None => batch.put(Space::Meta, FORMAT, &FORMAT_NUMBER.to_be_bytes()),
        Some(format) if format == FORMAT_NUMBER.to_be_bytes() => {}
        Some(format) => {
            return Err(OpenError::Format(format!("format {format:?}, this program knows {FORMAT_NUMBER}")));
        }
    }
    let (types, grown) = Types::load(&view, &mut batch)?;
    let secret = match view.value(Space::Meta, SECRET)? {
        Some(secret) => secret.to_vec(),
        None => {
            let secret = match given {
                Some(given) => given.to_vec(),
                None => random()?.to_vec(),
            };
            batch.put(Space::Meta, SECRET, &secret);
            secret
        }
    };
    if grown || view.value(Space::Meta, FORMAT)?.is_none() {
        batch.commit()?;
    }
    Ok((types, secret))
}

fn random() -> Result<[u8; 32], OpenError> {
    let mut bytes = [0; 32];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| OpenError::Engine("the machine gives no randomness".into()))?;
    Ok(bytes)
}

/// Whether indices were made for these parameters and this base URL; the note for when they are.
pub(crate) fn fingerprint(
    engine: &Engine,
    registry: &search::Registry,
    base_url: &str,
) -> Result<(bool, Vec<u8>), OpenError> {
    let wanted = [&registry.fingerprint().to_be_bytes()[..], base_url.as_bytes()].concat();
    let stored = engine.view().value(Space::Meta, FINGERPRINT)?;
    Ok((stored.is_some_and(|stored| *stored == *wanted), wanted))
}

/// The base URL that indices were made for, when there are any.
pub(crate) fn base_url(engine: &Engine) -> Result<Option<String>, OpenError> {
    let stored = engine.view().value(Space::Meta, FINGERPRINT)?;
    Ok(stored.and_then(|stored| String::from_utf8(stored.get(8..)?.to_vec()).ok()))
}

/// Notes what indices were made for, and that they were made for all added parameters, too.
pub(crate) fn note_fingerprint(
    engine: &Engine,
    fingerprint: &[u8],
    parameters: &Parameters,
) -> Result<Parameters, OpenError> {
    let rebuilt = parameters.rebuilt();
    let mut batch = engine.batch();
    batch.put(Space::Meta, FINGERPRINT, fingerprint);
    rebuilt.write(parameters, &mut batch);
    batch.commit()?;
    Ok(rebuilt)
}

/// The engine has every batch that the mark knows.
pub(crate) fn batches(engine: &Engine, mark: Mark) -> Result<(), OpenError> {
    let last = engine.last_batch();
    if last < mark.batch {
        let what = format!("the engine ends with batch {last}, and batch {} was acknowledged", mark.batch);
        return Err(OpenError::Lost(what));
    }
    Ok(())
}

/// Verifies the chain of commits against itself, the stored versions and the mark, and gives where
/// the writer goes on.
pub(crate) fn chain(engine: &Engine, types: &Types, mark: Mark) -> Result<Chain, OpenError> {
    let view = engine.view();
    let (mut number, mut hash) = (0u64, GENESIS);
    let mut tail = VecDeque::new();
    let mut pairs = view.from(Space::Commit, &[])?;
    while let Some((found, value)) = pairs.next_pair()? {
        let found = key::row_of(&found).ok_or_else(|| broken(number + 1, "its key is damaged"))?;
        if found != number + 1 {
            return Err(broken(number + 1, "it is missing"));
        }
        let (time, chain, digest) = Commit::head(&value).map_err(|_| broken(found, "its record is damaged"))?;
        if record::link(&hash, found, time, &digest) != chain {
            return Err(broken(found, "it does not follow from the commit before"));
        }
        (number, hash) = (found, chain);
        if found == mark.commit && chain != mark.chain {
            return Err(broken(found, "another commit stands in its place"));
        }
        tail.push_back((found, value));
        if tail.len() as u64 > limits::VERIFY_TAIL_COMMITS {
            tail.pop_front();
        }
    }
    if number < mark.commit {
        return Err(broken(number + 1, &format!("commits up to {} were acknowledged", mark.commit)));
    }
    let mut read = 0;
    for (number, commit) in tail.iter().rev() {
        if read > limits::VERIFY_TAIL_VERSIONS {
            break;
        }
        let commit = Commit::decode(commit).map_err(|_| broken(*number, "its record is damaged"))?;
        versions(&view, types, *number, &commit)?;
        read += commit.made.len();
    }
    let mut live = HashMap::new();
    let mut counters = view.from(Space::Counter, &[])?;
    while let Some((kind, value)) = counters.next_pair()? {
        let (Some(kind), Some(count)) = (kind.first_chunk::<2>(), value.first_chunk::<8>()) else {
            return Err(OpenError::Engine("a damaged counter".into()));
        };
        live.insert(key::TypeNumber(u16::from_be_bytes(*kind)), u64::from_be_bytes(*count));
    }
    let next_row = view.value(Space::Meta, crate::writer::group::NEXT_ROW)?;
    let next_row = next_row.and_then(|value| value.first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes)));
    let head = Head { commit: number, hash, next_row: next_row.unwrap_or(1), next_outbox: 1 };
    Ok(Chain { head, live, outbox: VecDeque::new(), failed: None })
}

fn broken(at: u64, why: &str) -> OpenError {
    OpenError::Chain(at, why.to_owned())
}

/// The versions that a commit made are there and are what it digested.
pub(crate) fn versions(view: &View, types: &Types, number: u64, commit: &Commit) -> Result<(), OpenError> {
    let mut digests: Vec<Hash> = Vec::with_capacity(commit.made.len());
    for made in &commit.made {
        let kind = types.kind(made.kind).ok_or_else(|| broken(number, "it names an unknown type"))?;
        let past = view.value(Space::History, &key::history(made.kind, made.row, made.version))?;
        let value = match past {
            Some(past) => Some(past),
            None => view.value(Space::Current, &key::current(made.kind, made.row))?,
        };
        let value = value.ok_or_else(|| broken(number, "a version that it made is missing"))?;
        let version = Version::decode(&value).map_err(|_| broken(number, "a version that it made is damaged"))?;
        if version.version != made.version || version.commit != number {
            return Err(broken(number, "a version that it made is missing"));
        }
        digests.push(version.digest(kind.name()));
    }
    if record::digest_of(digests) != commit.digest {
        return Err(broken(number, "a version that it made was altered"));
    }
    Ok(())
}

/// Brings the log up to the engine: entries of the outbox that are not in the log are appended, in
/// their order, and the outbox is emptied.
pub(crate) fn outbox(engine: &Engine, files: &AuditFiles, log: &Log) -> Result<(), OpenError> {
    let view = engine.view();
    let mut entries = Vec::new();
    let mut since = u64::MAX;
    let mut pairs = view.from(Space::Outbox, &[])?;
    let mut batch = engine.batch();
    while let Some((key, value)) = pairs.next_pair()? {
        let (before, entry) = value.split_first_chunk::<8>().ok_or_else(damaged)?;
        since = since.min(u64::from_be_bytes(*before));
        entries.push(Encoded::check(entry).map_err(|_| damaged())?);
        batch.remove(Space::Outbox, &key);
    }
    if entries.is_empty() {
        return Ok(());
    }
    let mut present: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut records = files.backwards(log.last().0);
    while let Some(record) = records.next_record()?.filter(|record| record.sequence > since) {
        *present.entry(record.entry).or_default() += 1;
    }
    for entry in entries {
        match present.get_mut(entry.as_bytes()) {
            Some(count) if *count > 0 => *count -= 1,
            _ => {
                let recorded = Entry::decode(entry.as_bytes()).map_err(|_| damaged())?.recorded;
                tracing::warn!("audit log: an entry of a commit is brought home from the outbox");
                log.record_encoded(&[entry], recorded).map_err(|error| OpenError::Engine(error.0.to_string()))?;
            }
        }
    }
    log.sync().map_err(|error| OpenError::Engine(error.0.to_string()))?;
    Ok(batch.commit()?)
}

/// Every version that the end of the log speaks of is there: the log takes entries of writes after the
/// engine has them for good, so what it knows and the engine does not was lost.
pub(crate) fn recorded(engine: &Engine, types: &Types, files: &AuditFiles, last: u64) -> Result<(), OpenError> {
    let view = engine.view();
    let mut records = files.backwards(last);
    for _ in 0..limits::VERIFY_TAIL_RECORDS {
        let Some(record) = records.next_record()? else { break };
        let entry = Entry::decode(&record.entry)
            .map_err(|_| OpenError::AuditLog(record.sequence, "it is no entry of a known version".into()))?;
        // What was refused names what was asked for, not what is there: anybody may ask for version 9.
        let told = if entry.outcome == Outcome::Success { entry.touched.as_slice() } else { &[] };
        for touched in told {
            let Some(version) = touched.version.filter(|_| !Events::are(touched.resource_type)) else { continue };
            let key = key::id(types.number(touched.resource_type), touched.id.as_str());
            let place = view.value(Space::Id, &key)?;
            let place = place.map(|place| Place::decode(&place)).transpose().map_err(Fault::from)?;
            if place.is_none_or(|place| place.version < version.number()) {
                return Err(OpenError::Lost(format!(
                    "record {} of the audit log names version {} of a resource, and the engine does not have it",
                    record.sequence,
                    version.number()
                )));
            }
        }
    }
    Ok(())
}

fn damaged() -> OpenError {
    OpenError::Engine("a damaged outbox entry".into())
}
