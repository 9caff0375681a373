//! One group of changes: gathered, made one batch, synced once, recorded, answered.
//!
//! INVARIANT: nobody is answered before the batch is on stable storage and the entries are in the
//! audit log. When either fails, the writer takes nothing more until the store is opened anew: the
//! outbox then brings the log up to the engine.

use super::{
    Job, TableAction, TableChange,
    check::{self, Before},
    prepare::{Action, Body, Keys, Postings, Preparer, Work, postings},
};
use crate::{
    CommitError, Committed,
    engine::{
        Batch, Engine, Fault, Space, Value,
        key::{self, Row, TypeNumber},
        mark::{Mark, MarkFile},
        record::{self, Commit, Hash, Made, Place, Version},
    },
    limits,
    page::Method,
    parameters::Parameters,
    plan::Heavy,
    reader::Reader,
    said::is_consent,
    stats::Meter,
    transaction::Done,
    types::Types,
};
use audit::{Log, entry::Encoded};
use fhir::{Instant, LogicalId, ResourceType, VersionId};
use search::{encoded::EncodedValues, matcher::patients_of};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::oneshot;

/// What the writer works with.
pub(crate) struct Parts {
    pub(crate) engine: Engine,
    pub(crate) types: Arc<Types>,
    /// Changed by the writer's own thread alone.
    pub(crate) parameters: Arc<Parameters>,
    pub(crate) base_url: String,
    pub(crate) search: limits::Search,
    pub(crate) heavy: Arc<Heavy>,
    pub(crate) log: Arc<Log>,
    pub(crate) mark: Arc<Mutex<MarkFile>>,
    pub(crate) chain: Chain,
    pub(crate) meter: Arc<Meter>,
}

/// Where the writer is: what the next commit continues.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    pub(crate) head: Head,
    /// Live resources by type.
    pub(crate) live: HashMap<TypeNumber, u64>,
    /// Keys of the outbox with the audit sequence that brings them home.
    pub(crate) outbox: VecDeque<(u64, Vec<[u8; 8]>)>,
    /// Nothing can be written any more; why.
    pub(crate) failed: Option<String>,
}

/// The numbers that run on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    /// Last commit.
    pub(crate) commit: u64,
    /// The chain's hash there.
    pub(crate) hash: Hash,
    /// Next row to give.
    pub(crate) next_row: Row,
    /// Next key of the outbox.
    pub(crate) next_outbox: u64,
}

/// A change of the engine that waits for its batch.
enum Op {
    Put(Space, Value, Value),
    Remove(Space, Value),
    /// The resource of this row changes, in this folder.
    Touch(Vec<u8>, Row),
}

impl Op {
    /// Where it stands in the engine.
    fn place(&self) -> (Option<Space>, &[u8]) {
        match self {
            Self::Put(space, key, _) | Self::Remove(space, key) => (Some(*space), key),
            Self::Touch(folder, _) => (None, folder),
        }
    }
}

/// A transaction that will be part of the batch.
struct Accepted {
    done: Vec<Done>,
    entries: Vec<Encoded>,
    recorded: Instant,
    outbox: Vec<[u8; 8]>,
    reply: oneshot::Sender<Result<Committed, CommitError>>,
}

/// What a note comes to.
enum Noted {
    /// It is none, or is as it was prepared.
    Not,
    /// What it would be about did not happen.
    Nothing,
    /// It is about another version than was expected.
    Anew(Box<Body>),
}

type TableReply = (std::sync::mpsc::Sender<Result<bool, CommitError>>, bool);

/// The group that is being gathered.
pub(crate) struct Group<'a> {
    parts: &'a Parts,
    chain: &'a mut Chain,
    /// As the numbers will be after the batch.
    next: Head,
    live: HashMap<TypeNumber, i64>,
    reader: Reader,
    /// What all transactions change.
    ops: Vec<Op>,
    batch: Batch<'a>,
    touched: HashSet<(ResourceType, LogicalId)>,
    kinds: HashSet<ResourceType>,
    keys: HashSet<(String, Vec<u8>)>,
    accepted: Vec<Accepted>,
    tables: Vec<TableReply>,
    bytes: usize,
}

/// What one transaction does, before any of it is in the batch.
struct Effects {
    ops: Vec<Op>,
    done: Vec<Done>,
    entries: Vec<Encoded>,
    outbox: Vec<[u8; 8]>,
    live: Vec<(TypeNumber, i64)>,
    next: Head,
    /// Where keys and values are put together.
    scratch: Vec<u8>,
}

impl<'a> Group<'a> {
    pub(crate) fn new(parts: &'a Parts, chain: &'a mut Chain) -> Self {
        let next = chain.head;
        let reader = Reader {
            view: parts.engine.view(),
            types: Arc::clone(&parts.types),
            registry: Arc::clone(&parts.parameters.registry),
            parameters: Arc::clone(&parts.parameters),
            search: parts.search,
            heavy: Arc::clone(&parts.heavy),
            followed: Arc::default(),
            // Each transaction brings its own.
            at: Instant::from_unix_millis(0),
        };
        Self {
            parts,
            chain,
            next,
            live: HashMap::new(),
            reader,
            ops: Vec::new(),
            batch: parts.engine.batch(),
            touched: HashSet::new(),
            kinds: HashSet::new(),
            keys: HashSet::new(),
            accepted: Vec::new(),
            tables: Vec::new(),
            bytes: 0,
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.accepted.len() + self.tables.len() >= limits::GROUP_TRANSACTIONS_MAX
            || self.bytes >= limits::GROUP_BYTES_MAX
    }

    /// Whether the view of this group still tells the truth for the job.
    pub(crate) fn admits(&self, job: &Job) -> bool {
        match job {
            Job::Stop | Job::Between(_) => true,
            Job::Table(change, _) => !self.keys.contains(&table_key(change)),
            Job::Commit(work, _) => {
                let again =
                    |change: &super::prepare::Prepared| self.touched.contains(&(change.kind, change.id.clone()));
                (self.touched.is_empty() || !work.changes.iter().any(again))
                    && (self.kinds.is_empty()
                        || !check::types_looked_at(work).iter().any(|kind| self.kinds.contains(kind)))
            }
        }
    }

    /// Takes a job into the group, or answers it when it fails.
    pub(crate) fn take(&mut self, job: Job) {
        self.parts.meter.taken();
        match job {
            Job::Stop | Job::Between(_) => {}
            Job::Table(change, reply) => match self.table(&change) {
                Ok(had) => self.tables.push((reply, had)),
                Err(error) => {
                    let _ = reply.send(Err(error));
                }
            },
            Job::Commit(mut work, reply) => {
                let bytes = work.bytes;
                // WHY: no bug in one transaction may end the writer for all.
                let effects =
                    catch_unwind(AssertUnwindSafe(|| self.renewed(&mut work).and_then(|()| self.effects(&work))))
                        .unwrap_or_else(|_| {
                            Err(CommitError::Unavailable("the transaction made the writer panic".into()))
                        });
                match effects {
                    Ok(effects) => self.accept(*work, effects, reply),
                    Err(error) => {
                        let _ = reply.send(Err(error));
                    }
                }
                self.bytes += bytes;
            }
        }
    }

    fn usable(&self) -> Result<(), CommitError> {
        match &self.chain.failed {
            Some(why) => Err(CommitError::Unavailable(why.clone())),
            None => Ok(()),
        }
    }

    fn table(&mut self, change: &TableChange) -> Result<bool, CommitError> {
        self.usable()?;
        let had = change.table.value(&change.key).map_err(|fault| CommitError::Unavailable(fault.0))?.is_some();
        match &change.action {
            TableAction::Put(value) => self.batch.put_in(&change.table, &change.key, value),
            TableAction::InsertNew(value) if !had => self.batch.put_in(&change.table, &change.key, value),
            TableAction::Remove if had => self.batch.remove_from(&change.table, &change.key),
            TableAction::InsertNew(_) | TableAction::Remove => return Ok(had),
        }
        self.keys.insert(table_key(change));
        Ok(had)
    }

    /// Work that was prepared before the added parameters became others.
    fn renewed(&self, work: &mut Work) -> Result<(), CommitError> {
        let registry = &self.parts.parameters.registry;
        if Arc::ptr_eq(registry, &work.registry) {
            return Ok(());
        }
        self.preparer().renew(work).map_err(|fault| CommitError::Unavailable(fault.0))
    }

    fn effects(&mut self, work: &Work) -> Result<Effects, CommitError> {
        self.usable()?;
        if work.audit.is_empty() {
            return Err(CommitError::Unavailable("a transaction came without audit entries".into()));
        }
        if self.reader.at != work.now {
            // What holds for a time was asked of another moment.
            (self.reader.at, self.reader.followed) = (work.now, Arc::default());
        }
        let befores = check::transaction(&self.reader, work)?;
        self.changes(work, befores).map_err(|fault| CommitError::Unavailable(fault.0))
    }

    fn changes(&self, work: &Work, befores: Vec<Before>) -> Result<Effects, Fault> {
        let mut effects = Effects {
            ops: Vec::new(),
            done: Vec::new(),
            entries: Vec::new(),
            outbox: Vec::new(),
            live: Vec::new(),
            next: self.next,
            scratch: Vec::with_capacity(4096),
        };
        effects.next.commit += 1;
        let mut made = Vec::new();
        let mut digests = Vec::new();
        let mut patients = Vec::new();
        for (change, before) in work.changes.iter().zip(befores) {
            let (done, of) = match self.noted(work, change, &effects.done)? {
                Noted::Not => self.change(work.now, (change, None), &before, &mut effects, &mut made, &mut digests)?,
                Noted::Nothing => {
                    let done = Done {
                        resource_type: change.kind,
                        id: change.id.clone(),
                        version: None,
                        last_updated: work.now,
                        created: false,
                        bytes: bytes::Bytes::new(),
                    };
                    (done, Vec::new())
                }
                Noted::Anew(body) => {
                    self.change(work.now, (change, Some(&body)), &before, &mut effects, &mut made, &mut digests)?
                }
            };
            effects.done.push(done);
            patients.push(of);
        }
        if !made.is_empty() {
            let time = work.now.unix_millis();
            let digest = record::digest_of(digests);
            let chain = record::link(&effects.next.hash, effects.next.commit, time, &digest);
            let commit = Commit { time, chain, digest, made };
            let number = effects.next.commit.to_be_bytes();
            effects.ops.push(Op::Put(Space::Commit, Value::new(&number), Value::new(&commit.encode())));
            effects.next.hash = chain;
        } else {
            // Nothing changed: no commit. Its entries still go through the outbox.
            effects.next.commit -= 1;
        }
        let before = self.parts.log.last().0;
        for (at, entry) in work.audit.iter().enumerate() {
            // What was not made has no record.
            if let (Some(change), Some(done)) = (work.changes.get(at), effects.done.get(at))
                && matches!(change.action, Action::Note { .. })
                && done.version.is_none()
            {
                continue;
            }
            let mut entry = completed(entry, &effects.done, &patients, at);
            entry.mark_glass(&work.glasses);
            let entry = entry.encode();
            let key = effects.next.next_outbox.to_be_bytes();
            effects.next.next_outbox += 1;
            let value = joined(&mut effects.scratch, &[&before.to_be_bytes(), entry.as_bytes()]);
            effects.ops.push(Op::Put(Space::Outbox, Value::new(&key), value));
            effects.outbox.push(key);
            effects.entries.push(entry);
        }
        Ok(effects)
    }

    /// Whether a change is a note, and of which version. `done`: what became of the changes before it.
    fn noted(&self, work: &Work, change: &super::prepare::Prepared, done: &[Done]) -> Result<Noted, Fault> {
        let Action::Note { of, expected, again, .. } = &change.action else { return Ok(Noted::Not) };
        let Some(version) = done.get(*of).and_then(|done| done.version) else { return Ok(Noted::Nothing) };
        let is_deletion = work.changes.get(*of).is_some_and(|about| matches!(about.action, Action::Delete { .. }));
        let version = match is_deletion {
            true => VersionId::new(version.number().saturating_sub(1)),
            false => Some(version),
        };
        let Some(version) = version else { return Ok(Noted::Nothing) };
        if version == *expected {
            return Ok(Noted::Not);
        }
        let resource = (again.0)(version).ok_or_else(|| Fault("a note cannot be made of this version".into()))?;
        Ok(Noted::Anew(Box::new(self.preparer().new_body(&resource, &change.id, work.now))))
    }

    fn preparer(&self) -> Preparer {
        Preparer {
            types: Arc::clone(&self.parts.types),
            registry: Arc::clone(&self.parts.parameters.registry),
            base_url: self.parts.base_url.clone(),
        }
    }

    /// One change as operations; gives what became of it and the patients that it is about.
    fn change(
        &self,
        now: Instant,
        (change, anew): (&super::prepare::Prepared, Option<&Body>),
        before: &Before,
        effects: &mut Effects,
        made: &mut Vec<Made>,
        digests: &mut Vec<Hash>,
    ) -> Result<(Done, Vec<LogicalId>), Fault> {
        let kind = self.parts.types.number(change.kind);
        let old = before.live.as_ref().map(|stored| stored.version()).transpose()?;
        let (row, version) = match before.place {
            Some(place) => (place.row, place.version.saturating_add(1)),
            None => (effects.next.next_row, 1),
        };
        let version_id = VersionId::new(version).ok_or_else(|| Fault("version numbers are used up".into()))?;
        let mut done = Done {
            resource_type: change.kind,
            id: change.id.clone(),
            version: Some(version_id),
            last_updated: now,
            created: old.is_none(),
            bytes: bytes::Bytes::new(),
        };
        if before.idle {
            (done.version, done.created) = (None, false);
            return Ok((done, Vec::new()));
        }
        let old_patients = old.as_ref().map_or_else(Vec::new, |old| {
            patients_of(&EncodedValues::new(old.values), &self.parts.parameters.registry, change.kind, &change.id)
        });
        let (method, body) = match &change.action {
            Action::Create { body, .. } | Action::Note { body, .. } => (Method::Create, Some(anew.unwrap_or(body))),
            Action::Update { body, .. } => (Method::Update, Some(body)),
            Action::Delete { .. } => (Method::Delete, None),
        };
        let ready = body.and_then(|body| body.ready.as_ref()).filter(|ready| ready.is_for(version_id, now));
        let json = match (ready, body) {
            (Some(ready), _) => ready.json.clone(),
            (None, Some(body)) => body.json.stamp(version_id, now).into(),
            (None, None) => bytes::Bytes::new(),
        };
        let new = Version {
            method,
            labelled: body.is_some_and(|body| body.labelled),
            version,
            last_updated: now.unix_millis(),
            commit: effects.next.commit,
            id: change.id.as_str(),
            // A deletion keeps the values of what it ended, so that a permit can be held against it.
            values: body.map_or_else(|| old.map_or(&[][..], |old| old.values), |body| &body.values),
            json: &json,
        };
        digests.push(ready.map_or_else(|| new.digest(change.kind.name()), |ready| ready.digest));
        made.push(Made { kind, row, version });

        let (ops, scratch) = (&mut effects.ops, &mut effects.scratch);
        let updated = key::last_updated(kind, new.last_updated);
        if let (Some(stored), Some(old)) = (&before.live, &old) {
            let past = key::history(kind, row, old.version);
            ops.push(Op::Put(Space::History, Value::new(&past), Value::new(stored.whole()?)));
            // An update within the same millisecond keeps its key: one batch must not name it twice.
            if body.is_none() || old.last_updated != new.last_updated {
                let before = key::last_updated(kind, old.last_updated);
                ops.push(Op::Remove(Space::LastUpdated, joined(scratch, &[&before, &row.to_be_bytes()])));
            }
        }
        let place = Place { row, version, deleted: body.is_none() };
        ops.push(Op::Put(Space::Id, Value::new(&key::id(kind, change.id.as_str())), Value::new(&place.encode())));
        scratch.clear();
        new.encode_into(scratch);
        let current = Value::new(&key::current(kind, row));
        if body.is_some() {
            ops.push(Op::Put(Space::Current, current, Value::new(scratch)));
            ops.push(Op::Put(Space::LastUpdated, joined(scratch, &[&updated, &row.to_be_bytes()]), Value::empty()));
        } else {
            ops.push(Op::Put(Space::History, Value::new(&key::history(kind, row, version)), Value::new(scratch)));
            ops.push(Op::Remove(Space::Current, current));
        }
        let none = Postings::default();
        let new_postings = body.map_or(&none, |body| &body.postings);
        let old_postings = old.as_ref().map_or_else(Postings::default, |old| {
            let values = EncodedValues::new(old.values);
            postings(&self.parts.types, &self.parts.parameters.registry, change.kind, &old_patients, values)
        });
        replace(ops, Space::Index, &old_postings.index, &new_postings.index, row, scratch);
        replace(ops, Space::Compartment, &old_postings.compartment, &new_postings.compartment, row, scratch);

        if before.place.is_none() {
            effects.next.next_row += 1;
        }
        effects.live.push((kind, i64::from(body.is_some()) - i64::from(old.is_some())));

        done.bytes = json;
        let mut patients = body.map_or_else(Vec::new, |body| body.patients.clone());
        patients.extend(old_patients);
        patients.sort();
        patients.dedup();
        effects.ops.extend(patients.iter().map(|patient| Op::Touch(key::folder(patient.as_str(), kind), row)));
        if is_consent(change.kind) {
            // Whether there is any: `said`.
            effects.ops.push(Op::Touch(key::folder("", kind), row));
        }
        Ok((done, patients))
    }

    fn accept(&mut self, work: Work, mut effects: Effects, reply: oneshot::Sender<Result<Committed, CommitError>>) {
        self.ops.append(&mut effects.ops);
        for change in work.changes {
            self.kinds.insert(change.kind);
            self.touched.insert((change.kind, change.id));
        }
        self.next = effects.next;
        for (kind, change) in effects.live {
            *self.live.entry(kind).or_default() += change;
        }
        self.accepted.push(Accepted {
            done: effects.done,
            entries: effects.entries,
            recorded: work.now,
            outbox: effects.outbox,
            reply,
        });
    }

    /// Makes the batch durable, records, answers.
    pub(crate) fn commit(mut self) {
        if self.accepted.is_empty() && self.tables.is_empty() {
            return;
        }
        self.finish_batch();
        let Self { parts, chain, next, batch, accepted, tables, .. } = self;
        let started = std::time::Instant::now();
        let committed = batch.commit();
        parts.meter.written(accepted.len(), tables.len(), started.elapsed(), committed.is_ok());
        if let Err(fault) = committed {
            tracing::error!(%fault, "the engine failed; nothing is written until the store is opened anew");
            return refuse(chain, fault.0, accepted, tables);
        }
        chain.head = next;
        {
            let mut mark = parts.mark.lock().unwrap_or_else(PoisonError::into_inner);
            let batch = parts.engine.last_batch();
            let now = Mark { commit: next.commit, chain: next.hash, batch, ..mark.current() };
            if let Err(error) = mark.write(now) {
                tracing::warn!(%error, "the mark could not be written");
            }
        }
        for (reply, had) in tables {
            let _ = reply.send(Ok(had));
        }
        let mut accepted = accepted.into_iter();
        for one in accepted.by_ref() {
            match parts.log.record_encoded(&one.entries, one.recorded) {
                Ok(receipt) => {
                    chain.outbox.push_back((receipt.sequence(), one.outbox));
                    let _ = one.reply.send(Ok(Committed { done: one.done, receipt }));
                }
                Err(error) => {
                    let why = format!("audit log: {}", error.0);
                    tracing::error!(%why, "nothing is written until the store is opened anew");
                    let _ = one.reply.send(Err(CommitError::Unavailable(why.clone())));
                    return refuse(chain, why, accepted.collect(), Vec::new());
                }
            }
        }
    }

    /// Removes from the outbox what the log has for good.
    pub(crate) fn sweep(mut self) {
        if self.chain.failed.is_some() {
            return;
        }
        self.finish_batch();
        if let Err(fault) = self.batch.commit() {
            refuse(self.chain, fault.0, Vec::new(), Vec::new());
        }
    }

    /// What the transactions change, counters, the next row, and the end of outbox entries that are in the log for good.
    fn finish_batch(&mut self) {
        let mut ops = std::mem::take(&mut self.ops);
        // Keys that lie together are quicker to insert one after the other: the way to the first is
        // still in the processor's cache for the next.
        if ops.len() > limits::OPS_SORTED {
            ops.sort_by(|one, other| one.place().cmp(&other.place()));
        }
        for op in ops {
            match op {
                Op::Put(space, key, value) => self.batch.put_value(space, key, value),
                Op::Remove(space, key) => self.batch.remove_value(space, key),
                Op::Touch(folder, row) => self.batch.touch(&folder, row),
            }
        }
        for (kind, change) in self.live.drain().filter(|(_, change)| *change != 0) {
            let live = self.chain.live.entry(kind).or_default();
            *live = live.saturating_add_signed(change);
            self.batch.put(Space::Counter, &kind.0.to_be_bytes(), &live.to_be_bytes());
        }
        if self.next.next_row != self.chain.head.next_row {
            self.batch.put(Space::Meta, NEXT_ROW, &self.next.next_row.to_be_bytes());
        }
        let synced = self.parts.mark.lock().unwrap_or_else(PoisonError::into_inner).current().audit;
        while self.chain.outbox.front().is_some_and(|(sequence, _)| *sequence <= synced) {
            for key in self.chain.outbox.pop_front().into_iter().flat_map(|(_, keys)| keys) {
                self.batch.remove(Space::Outbox, &key);
            }
        }
    }
}

/// Key in `meta` of the next row.
pub(crate) const NEXT_ROW: &[u8] = b"next-row";

fn refuse(chain: &mut Chain, why: String, accepted: Vec<Accepted>, tables: Vec<TableReply>) {
    for one in accepted {
        let _ = one.reply.send(Err(CommitError::Unavailable(why.clone())));
    }
    for (reply, _) in tables {
        let _ = reply.send(Err(CommitError::Unavailable(why.clone())));
    }
    chain.failed = Some(why);
}

fn table_key(change: &TableChange) -> (String, Vec<u8>) {
    (change.table.name().to_owned(), change.key.clone())
}

/// Adds what is new to a row's keys and removes what is not there any more.
fn replace(ops: &mut Vec<Op>, space: Space, old: &Keys, new: &Keys, row: Row, scratch: &mut Vec<u8>) {
    let row = row.to_be_bytes();
    for begin in old.iter().filter(|begin| !new.has(begin)) {
        ops.push(Op::Remove(space, joined(scratch, &[begin, &row])));
    }
    ops.reserve(new.len());
    for begin in new.iter().filter(|begin| !old.has(begin)) {
        ops.push(Op::Put(space, joined(scratch, &[begin, &row]), Value::empty()));
    }
}

/// These bytes one after the other, as the engine takes them. `scratch` saves an allocation.
fn joined(scratch: &mut Vec<u8>, parts: &[&[u8]]) -> Value {
    scratch.clear();
    parts.iter().for_each(|part| scratch.extend_from_slice(part));
    Value::new(scratch)
}

/// An entry with the versions of what was touched, and the patients whose data it was, where the
/// caller could not know them. The first entries belong to the changes, the others to the whole.
fn completed(entry: &audit::Entry, done: &[Done], patients: &[Vec<LogicalId>], at: usize) -> audit::Entry {
    let mut entry = entry.clone();
    // Mostly an entry is about its own change.
    let own = done.get(at..).and_then(<[Done]>::first);
    for touched in entry.touched.iter_mut().filter(|touched| touched.version.is_none()) {
        let is_it = |done: &&Done| done.resource_type == touched.resource_type && done.id == touched.id;
        let of = own.filter(is_it).or_else(|| done.iter().find(is_it));
        touched.version = of.and_then(|done| done.version);
    }
    if entry.patients.is_empty() {
        entry.patients = match patients.get(at) {
            Some(patients) => patients.clone(),
            None => patients.concat(),
        };
        entry.patients.sort();
        entry.patients.dedup();
    }
    entry
}
