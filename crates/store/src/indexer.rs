//! Indexing in the background: added search parameters on resources that were there before, and the
//! end of removed ones.
//!
//! A thread walks current versions, then past ones, and draws out what is missing; the writer takes
//! it in small batches between its groups, so that no commit waits for more than one. A version that
//! changed meanwhile is left to what was written: new writes have all values at once. Past versions
//! have to be walked too, since a grant is held against them (row F5).
//!
//! INVARIANT: a record's values and its keys change in one batch, with the position; so an
//! interruption leaves a store that is sound, and the walk goes on where it was.

use crate::{
    engine::{
        Fault, Space, Value, key,
        key::Row,
        record::{Damaged, Version},
    },
    limits,
    parameters::{Known, Parameters, Phase, Position, State},
    redaction,
    types::Types,
    writer::{
        Queue,
        group::Parts,
        prepare::{Postings, postings},
    },
};
use fhir::{LogicalId, ResourceType, element::Element, json::Tree};
use search::{
    Registry,
    encoded::{self, EncodedValues},
    matcher::patients_of,
};
use std::{
    collections::HashSet,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Wakes and ends the thread.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Mutex<Rung>,
    changed: Condvar,
}

#[derive(Debug, Default, Clone, Copy)]
struct Rung {
    work: bool,
    stop: bool,
    /// Batches that it may still do; tests say so.
    steps: Option<u32>,
    /// It waits.
    idle: bool,
}

impl Rung {
    fn may_work(self) -> bool {
        self.work && self.steps != Some(0)
    }
}

impl Bell {
    fn change(&self, change: impl FnOnce(&mut Rung)) {
        change(&mut self.rung.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    /// There is something to do.
    pub(crate) fn ring(&self) {
        self.change(|rung| rung.work = true);
    }

    /// End.
    pub(crate) fn stop(&self) {
        self.change(|rung| rung.stop = true);
    }

    /// Lets the thread do so many batches and no more, or as many as there are: tests want to see what
    /// is half built.
    #[cfg(test)]
    pub(crate) fn allow(&self, steps: Option<u32>) {
        self.change(|rung| rung.steps = steps);
    }

    /// Waits until the thread has done what it may.
    #[cfg(test)]
    pub(crate) fn rested(&self) {
        let rung = self.rung.lock().unwrap();
        drop(self.changed.wait_while(rung, |rung| !rung.idle || rung.may_work()).unwrap());
    }

    fn is_stopped(&self) -> bool {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner).stop
    }

    /// Waits for work; false at the end.
    fn wait(&self) -> bool {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if rung.stop {
                return false;
            }
            if rung.may_work() {
                (rung.work, rung.idle) = (false, false);
                return true;
            }
            rung.idle = true;
            self.changed.notify_all();
            rung = self.changed.wait(rung).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Rests between two batches; true when it must not go on.
    fn pause(&self) -> bool {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        rung.steps = rung.steps.map(|steps| steps.saturating_sub(1));
        if rung.stop || rung.steps == Some(0) {
            // What is left is gone on with when it may.
            rung.work = true;
            return true;
        }
        let waited = self.changed.wait_timeout(rung, limits::INDEX_PAUSE);
        waited.unwrap_or_else(PoisonError::into_inner).0.stop
    }
}

/// What the thread works with.
pub(crate) struct Indexer {
    pub(crate) engine: crate::engine::Engine,
    pub(crate) types: Arc<Types>,
    pub(crate) base_url: String,
    pub(crate) queue: Arc<Queue>,
    pub(crate) parameters: Arc<arc_swap::ArcSwap<Parameters>>,
    pub(crate) bell: Arc<Bell>,
}

/// A version whose values change.
struct Item {
    kind: ResourceType,
    row: Row,
    space: Space,
    key: Vec<u8>,
    /// As it was read: it must still be that.
    before: Value,
    after: Vec<u8>,
    old: Postings,
    new: Postings,
    patients: Vec<LogicalId>,
}

/// A part of the walk.
struct Part {
    from: Position,
    to: Position,
    /// The walk of this phase is at its end.
    ended: bool,
    items: Vec<Item>,
}

impl Indexer {
    /// Starts the thread.
    pub(crate) fn start(self) -> std::io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name("store-indexer".into()).spawn(move || {
            while self.bell.wait() {
                if let Err(fault) = self.work() {
                    tracing::error!(%fault, "indexing of added search parameters stopped; the next start goes on");
                    return;
                }
            }
        })
    }

    fn work(&self) -> Result<(), Fault> {
        let mut told = Instant::now();
        loop {
            let parameters = self.parameters.load_full();
            let unfinished = parameters.known.iter().filter_map(Known::position);
            let Some(from) = unfinished.min_by_key(|one| (one.space, one.after.clone())).cloned() else {
                return Ok(());
            };
            let part = self.part(&parameters, from)?;
            let done = part.to.done;
            if !self.hand_over(parameters, part)? || self.bell.pause() {
                return Ok(());
            }
            if told.elapsed() >= limits::INDEX_TOLD {
                told = Instant::now();
                tracing::info!(versions = done, "indexing added search parameters");
            }
        }
    }

    /// Reads on from a position until a batch is full.
    fn part(&self, parameters: &Parameters, from: Position) -> Result<Part, Fault> {
        let started = Instant::now();
        let kinds: HashSet<ResourceType> = parameters
            .known
            .iter()
            .filter(|one| one.state != State::Ready)
            .flat_map(|one| &one.definition.base)
            .filter_map(|base| ResourceType::parse(base).ok())
            .collect();
        let view = self.engine.view();
        let space = from.space.space();
        let mut begin = from.after.clone();
        if !begin.is_empty() {
            // The first key after it.
            begin.push(0);
        }
        let mut pairs = view.from(space, &begin)?;
        let mut part = Part { to: from.clone(), from, ended: true, items: Vec::new() };
        let mut bytes = 0;
        while let Some((found, value)) = pairs.next_pair()? {
            part.to.after = found.to_vec();
            part.to.done += 1;
            let number = found.first_chunk::<2>().map(|bytes| key::TypeNumber(u16::from_be_bytes(*bytes)));
            let kind = number.and_then(|number| self.types.kind(number)).ok_or(Damaged("type number"))?;
            if kinds.contains(&kind)
                && let Some(item) = self.item(&view, &parameters.registry, (kind, space), &found, value)?
            {
                bytes += item.after.len();
                part.items.push(item);
            }
            let is_full = part.items.len() >= limits::INDEX_BATCH_VERSIONS || bytes >= limits::INDEX_BATCH_BYTES;
            if is_full || started.elapsed() >= limits::INDEX_PART || self.bell.is_stopped() {
                part.ended = false;
                break;
            }
        }
        Ok(part)
    }

    /// What becomes of a version; `None` when its values are as they should be.
    fn item(
        &self,
        view: &crate::engine::View,
        registry: &Registry,
        (kind, space): (ResourceType, Space),
        found: &[u8],
        before: Value,
    ) -> Result<Option<Item>, Fault> {
        let version = Version::decode(&before)?;
        let row = found.get(2..10).and_then(key::row_of).ok_or(Damaged("version key"))?;
        let ended;
        let json = if version.json.is_empty() {
            // A deletion keeps the values of what it ended.
            let past = key::history(self.types.number(kind), row, version.version.saturating_sub(1));
            ended = view.value(Space::History, &past)?.ok_or(Damaged("history of a deletion"))?;
            Version::decode(&ended)?.json
        } else {
            version.json
        };
        let tree = Tree::parse(json.to_vec()).map_err(|_| Damaged("stored JSON"))?;
        let values = completed(registry, version.values, &tree, &self.base_url)?;
        if values == version.values {
            return Ok(None);
        }
        let after = Version { values: &values, ..version }.encode();
        let (mut old, mut new, mut patients) = (Postings::default(), Postings::default(), Vec::new());
        if space == Space::Current {
            let id = LogicalId::parse(version.id).map_err(|_| Damaged("id"))?;
            let was = EncodedValues::new(version.values);
            patients = patients_of(&was, registry, kind, &id);
            old = postings(&self.types, registry, kind, &patients, was);
            new = postings(&self.types, registry, kind, &patients, EncodedValues::new(&values));
        }
        Ok(Some(Item { kind, row, space, key: found.to_vec(), after, old, new, patients, before }))
    }

    /// Has the writer put it into the store. False when the writer takes nothing more.
    fn hand_over(&self, parameters: Arc<Parameters>, part: Part) -> Result<bool, Fault> {
        let types = Arc::clone(&self.types);
        let shared = Arc::clone(&self.parameters);
        let given = self.queue.with(move |parts, chain| {
            if let Some(why) = &chain.failed {
                return Err(Fault(why.clone()));
            }
            if !Arc::ptr_eq(&parts.parameters.registry, &parameters.registry) {
                // Other parameters are wanted since: this was drawn out for those before.
                return Ok(());
            }
            let done = put(parts, &types, &shared, part);
            if let Err(fault) = &done {
                chain.failed = Some(fault.0.clone());
            }
            done
        });
        match given {
            Ok(done) => done.map(|()| true),
            Err(crate::CommitError::Busy) => {
                // Writes of clients go first.
                std::thread::sleep(Duration::from_millis(20));
                Ok(true)
            }
            Err(_) => Ok(false),
        }
    }
}

/// The stored values with those of added parameters as the registry has them now.
pub(crate) fn completed(registry: &Registry, stored: &[u8], tree: &Tree, base_url: &str) -> Result<Vec<u8>, Fault> {
    let mut values = encoded::decode(stored).ok_or(Damaged("index values"))?;
    values.0.retain(|(parameter, _)| !parameter.is_added());
    let open = redaction::open(tree)?;
    if let Some(resource) = Element::resource(open.as_ref().unwrap_or(tree), registry.schema()) {
        values.0.extend(search::extract_added(registry, resource, base_url).0);
    }
    Ok(encoded::encode(&values))
}

fn put(parts: &mut Parts, types: &Types, shared: &arc_swap::ArcSwap<Parameters>, part: Part) -> Result<(), Fault> {
    let view = parts.engine.view();
    let mut batch = parts.engine.batch();
    for item in &part.items {
        // What was written since has everything; what was there then is in the history now.
        if view.value(item.space, &item.key)?.is_none_or(|now| *now != *item.before) {
            continue;
        }
        batch.put(item.space, &item.key, &item.after);
        let lists = [
            (Space::Index, &item.old.index, &item.new.index),
            (Space::Compartment, &item.old.compartment, &item.new.compartment),
        ];
        for (space, old, new) in lists {
            for begin in old.iter().filter(|begin| !new.has(begin)) {
                batch.remove(space, &key::with_row(begin, item.row));
            }
            for begin in new.iter().filter(|begin| !old.has(begin)) {
                batch.put(space, &key::with_row(begin, item.row), &[]);
            }
        }
        for patient in &item.patients {
            batch.touch(&key::folder(patient.as_str(), types.number(item.kind)), item.row);
        }
    }
    let before = Arc::clone(&parts.parameters);
    let after = advanced(&before, &part);
    after.write(&before, &mut batch);
    batch.commit()?;
    for one in &before.known {
        let now = after.known.iter().find(|now| now.id == one.id).map(|now| &now.state);
        match (&one.state, now) {
            (State::Building(_), Some(State::Ready)) => {
                tracing::info!(parameter = one.definition.url, "an added search parameter is indexed");
            }
            (_, None) => tracing::info!(parameter = one.definition.url, "a removed search parameter is gone"),
            _ => {}
        }
    }
    // After the batch: a search must not trust an index before its last key is there.
    let after = Arc::new(after);
    parts.parameters = Arc::clone(&after);
    shared.store(after);
    Ok(())
}

/// The parameters when a part of the walk is done.
fn advanced(before: &Parameters, part: &Part) -> Parameters {
    let end = Position { space: Phase::History, after: Vec::new(), done: part.to.done };
    let mut gone = false;
    let known: Vec<Known> = before
        .known
        .iter()
        .filter_map(|one| {
            let Some(own) = one.position() else { return Some(one.clone()) };
            let own_is_within = !own.is_before(&part.from) && own.space == part.from.space;
            let passed = part.ended || own.is_before(&part.to);
            if !(own_is_within && passed) {
                return Some(one.clone());
            }
            let finished = part.ended && part.from.space == Phase::History;
            let position = if part.ended { end.clone() } else { part.to.clone() };
            let state = match &one.state {
                State::Building(_) if finished => State::Ready,
                State::Building(_) => State::Building(position),
                State::Removing(_) if finished => {
                    gone = true;
                    return None;
                }
                State::Removing(_) => State::Removing(position),
                State::Ready => State::Ready,
            };
            Some(Known { state, ..one.clone() })
        })
        .collect();
    if gone { before.with(known) } else { before.with_states(known) }
}
