//! What is in the engine, held against itself: commits, versions, places, history, indices, counters.

use super::{Facts, Findings, Severity, log::Told};
use crate::{
    engine::{
        Engine, Fault, SPACES, Space, View,
        key::{self, Row, TypeNumber},
        mark::Mark,
        record::{Commit, Damaged, Place, Version},
    },
    open,
    parameters::Parameters,
    rebuild,
    types::Types,
    writer::{group::NEXT_ROW, prepare::postings},
};
use audit::Entry;
use fhir::{LogicalId, ResourceType, json::Tree};
use search::{
    ParameterId,
    encoded::{self, EncodedValues},
    matcher::patients_of,
};
use std::{
    collections::{HashMap, HashSet},
    panic::{AssertUnwindSafe, catch_unwind},
};

pub(super) struct Look<'a> {
    pub(super) engine: &'a Engine,
    pub(super) types: &'a Types,
    /// With those that packages added.
    pub(super) parameters: &'a Parameters,
    pub(super) mark: Option<Mark>,
    pub(super) told: Option<&'a Told>,
}

/// What the walks count, to be compared in the end.
#[derive(Default)]
struct Counted {
    /// Newest version of each row, and whether it is a deletion.
    rows: HashMap<Row, (TypeNumber, u32, bool)>,
    live: HashMap<TypeNumber, u64>,
    history: HashMap<Row, u32>,
    made: u64,
    expected: [u64; 3],
    from_outbox: Told,
    /// Versions that are stored.
    seen: Told,
}

/// Index spaces, in the order of `Counted::expected`.
const INDICES: [(Space, &str); 3] =
    [(Space::Index, "index"), (Space::Compartment, "compartment"), (Space::LastUpdated, "last_updated")];

impl Look<'_> {
    /// Looks at everything.
    pub(super) fn at(&self, findings: &mut Findings, facts: &mut Facts) {
        let view = self.engine.view();
        let mut counted = Counted::default();
        type Step<'s> = fn(&Look<'s>, &View, &mut Counted, &mut Findings, &mut Facts) -> Result<(), Fault>;
        let steps: [(&str, Step<'_>); 8] = [
            ("outbox", Look::outbox),
            ("commit", Look::commits),
            ("id", Look::places),
            ("current", Look::current),
            ("history", Look::history),
            ("index", Look::indices),
            ("counter", Look::counters),
            ("meta", Look::rest),
        ];
        for (space, step) in steps {
            // WHY: the engine panics at some damage; the other steps still have something to say.
            let done = catch_unwind(AssertUnwindSafe(|| step(self, &view, &mut counted, findings, facts)));
            match done {
                Ok(Ok(())) => {}
                Ok(Err(fault)) => findings.damage("unreadable", format!("engine: {space}"), fault.0),
                Err(_) => findings.damage("unreadable", format!("engine: {space}"), "the engine gave up on it"),
            }
        }
    }

    fn kind(&self, number: TypeNumber) -> Result<ResourceType, Fault> {
        Ok(self.types.kind(number).ok_or(Damaged("type number"))?)
    }

    /// The values of parameters that are ready.
    fn are_ready<'v>(&self, values: EncodedValues<'v>) -> impl Iterator<Item = (ParameterId, &'v [u8])> + use<'_, 'v> {
        values.entries().filter(|(parameter, _)| self.parameters.is_ready(*parameter))
    }

    fn outbox(&self, view: &View, counted: &mut Counted, _: &mut Findings, facts: &mut Facts) -> Result<(), Fault> {
        let mut pairs = view.from(Space::Outbox, &[])?;
        while let Some((_, value)) = pairs.next_pair()? {
            let entry = value.get(8..).and_then(|entry| Entry::decode(entry).ok()).ok_or(Damaged("outbox entry"))?;
            counted.from_outbox.note(&entry);
            facts.outbox += 1;
        }
        Ok(())
    }

    fn commits(
        &self,
        view: &View,
        counted: &mut Counted,
        findings: &mut Findings,
        facts: &mut Facts,
    ) -> Result<(), Fault> {
        let mark = self.mark.unwrap_or(Mark::NONE);
        if let Err(error) = open::batches(self.engine, mark) {
            findings.damage("batches", "engine", super::words(&error));
        }
        match open::chain(self.engine, self.types, mark) {
            Ok(chain) => facts.commits = chain.head.commit,
            Err(error) => findings.damage("chain", "engine: commit", super::words(&error)),
        }
        let mut pairs = view.from(Space::Commit, &[])?;
        while let Some((number, value)) = pairs.next_pair()? {
            let number = key::row_of(&number).ok_or(Damaged("commit key"))?;
            let commit = Commit::decode(&value)?;
            counted.made += commit.made.len() as u64;
            if let Err(error) = open::versions(view, self.types, number, &commit) {
                findings.damage("version of a commit", "engine: commit", super::words(&error));
            }
        }
        Ok(())
    }

    fn places(&self, view: &View, counted: &mut Counted, findings: &mut Findings, _: &mut Facts) -> Result<(), Fault> {
        let mut pairs = view.from(Space::Id, &[])?;
        while let Some((found, value)) = pairs.next_pair()? {
            let (kind, id) = found.split_first_chunk::<2>().ok_or(Damaged("id key"))?;
            let number = TypeNumber(u16::from_be_bytes(*kind));
            let kind = self.kind(number)?;
            let id = std::str::from_utf8(id).map_err(|_| Damaged("id key"))?;
            let place = Place::decode(&value)?;
            let name = format!("{}/{id}", kind.name());
            if counted.rows.insert(place.row, (number, place.version, place.deleted)).is_some() {
                findings.damage("row of two", "engine: id", format!("{name} has the row of another resource"));
            }
            let current = view.value(Space::Current, &key::current(number, place.row))?;
            match current {
                None if place.deleted => {}
                None => findings.damage("no current version", "engine: current", format!("{name} has none")),
                Some(_) if place.deleted => {
                    findings.damage("deleted and current", "engine: current", format!("{name} is deleted"));
                }
                Some(value) => {
                    let version = Version::decode(&value)?;
                    if version.version != place.version || version.id != id {
                        let what = format!("{name}: another version or id stands there");
                        findings.damage("another version", "engine: current", what);
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the audit log or the outbox tells of this version.
    fn told(&self, counted: &mut Counted, kind: ResourceType, version: &Version<'_>, findings: &mut Findings) {
        let (Some(told), Ok(id)) = (self.told, LogicalId::parse(version.id)) else { return };
        let number = version.version;
        counted.seen.note_version(kind, &id, number);
        if !told.tells_of(kind, &id, number) && !counted.from_outbox.tells_of(kind, &id, number) {
            let what = format!("no record tells of the write of {}/{id}, version {number}", kind.name());
            findings.add(Severity::Damage, "write without a record", "audit", what, super::EVIDENCE);
        }
    }

    fn current(
        &self,
        view: &View,
        counted: &mut Counted,
        findings: &mut Findings,
        facts: &mut Facts,
    ) -> Result<(), Fault> {
        let base_url = open::base_url(self.engine).ok().flatten().unwrap_or_default();
        let fresh = open::fingerprint(self.engine, &self.parameters.registry, &base_url).is_ok_and(|(fresh, _)| fresh);
        if !fresh {
            let what = "they were made for other search parameters; the next start makes them anew";
            findings.add(Severity::Note, "indices", "engine: index", what, super::START);
        }
        let mut pairs = view.from(Space::Current, &[])?;
        while let Some((found, value)) = pairs.next_pair()? {
            let number = found.first_chunk::<2>().ok_or(Damaged("version key"))?;
            let number = TypeNumber(u16::from_be_bytes(*number));
            let (kind, row) = (self.kind(number)?, key::row_of(&found).ok_or(Damaged("version key"))?);
            let version = Version::decode(&value)?;
            let name = format!("{}/{}", kind.name(), version.id);
            facts.resources += 1;
            facts.versions += 1;
            *counted.live.entry(number).or_default() += 1;
            if counted.rows.get(&row) != Some(&(number, version.version, false)) {
                findings.damage("no place", "engine: id", format!("{name} is stored, and no id leads to it"));
            }
            self.told(counted, kind, &version, findings);
            let updated = key::with_row(&key::last_updated(number, version.last_updated), row);
            let mut expected = vec![(2, updated)];
            if fresh {
                let tree = Tree::parse(version.json.to_vec()).map_err(|_| Damaged("stored JSON"))?;
                let id = LogicalId::parse(version.id).map_err(|_| Damaged("id"))?;
                let values = rebuild::extract(&self.parameters.registry, &tree, &base_url);
                let patients = patients_of(&values, &self.parameters.registry, kind, &id);
                let values = encoded::encode(&values);
                let stored = EncodedValues::new(version.values);
                if !self.are_ready(EncodedValues::new(&values)).eq(self.are_ready(stored)) {
                    let what = format!("{name}: the stored values are not those of its JSON");
                    findings.damage("index values", "engine: current", what);
                }
                // What an indexer has not come to, or not taken away yet, is in the stored values as it
                // is in the index.
                let postings = postings(self.types, &self.parameters.registry, kind, &patients, stored);
                expected.extend(postings.index.iter().map(|begin| (0, key::with_row(begin, row))));
                expected.extend(postings.compartment.iter().map(|begin| (1, key::with_row(begin, row))));
            }
            for (at, expected) in expected {
                let (Some((space, label)), Some(count)) = (INDICES.get(at), counted.expected.get_mut(at)) else {
                    continue;
                };
                *count += 1;
                if view.value(*space, &expected)?.is_none() {
                    findings.damage("index row", format!("engine: {label}"), format!("a row of {name} is missing"));
                }
            }
        }
        if !fresh {
            counted.expected = [u64::MAX, u64::MAX, counted.expected[2]];
        }
        Ok(())
    }

    fn history(
        &self,
        view: &View,
        counted: &mut Counted,
        findings: &mut Findings,
        facts: &mut Facts,
    ) -> Result<(), Fault> {
        let mut pairs = view.from(Space::History, &[])?;
        while let Some((found, value)) = pairs.next_pair()? {
            let number = found.first_chunk::<2>().ok_or(Damaged("history key"))?;
            let number = TypeNumber(u16::from_be_bytes(*number));
            let row = found.get(2..10).and_then(key::row_of).ok_or(Damaged("history key"))?;
            let version = Version::decode(&value)?;
            let kind = self.kind(number)?;
            facts.versions += 1;
            *counted.history.entry(row).or_default() += 1;
            if *found != key::history(number, row, version.version) {
                let what = format!("{}/{}: another version stands there", kind.name(), version.id);
                findings.damage("another version", "engine: history", what);
            }
            self.told(counted, kind, &version, findings);
        }
        for (row, (kind, version, deleted)) in &counted.rows {
            let past = counted.history.remove(row).unwrap_or(0);
            if past + u32::from(!deleted) != *version {
                let name = self.kind(*kind)?.name();
                let what = format!("{name} of row {row}: {past} past versions, and its newest is {version}");
                findings.damage("history", "engine: history", what);
            }
        }
        if !counted.history.is_empty() {
            let what = format!("{} resources have a history and no id", counted.history.len());
            findings.damage("history", "engine: history", what);
        }
        let missing = self.told.map_or(0, |told| told.beyond(&counted.seen));
        if missing > 0 {
            let what = format!("the audit log tells of {missing} versions that are not stored");
            findings.damage("write that is gone", "engine", what);
        }
        if facts.versions != counted.made {
            let what = format!("{} versions are stored, and the commits made {}", facts.versions, counted.made);
            findings.damage("history", "engine: commit", what);
        }
        Ok(())
    }

    fn indices(
        &self,
        view: &View,
        counted: &mut Counted,
        findings: &mut Findings,
        facts: &mut Facts,
    ) -> Result<(), Fault> {
        for ((space, label), expected) in INDICES.iter().zip(counted.expected) {
            let mut count = 0;
            let mut keys = view.from(*space, &[])?;
            while keys.next_key()?.is_some() {
                count += 1;
            }
            facts.index_rows += count;
            if expected != u64::MAX && count != expected {
                let what = format!("{count} rows stand there, and the current resources have {expected}");
                findings.damage("index rows", format!("engine: {label}"), what);
            }
        }
        Ok(())
    }

    fn counters(
        &self,
        view: &View,
        counted: &mut Counted,
        findings: &mut Findings,
        _: &mut Facts,
    ) -> Result<(), Fault> {
        let mut pairs = view.from(Space::Counter, &[])?;
        while let Some((kind, value)) = pairs.next_pair()? {
            let (Some(kind), Some(count)) = (kind.first_chunk::<2>(), value.first_chunk::<8>()) else {
                return Err(Damaged("counter").into());
            };
            let (kind, count) = (TypeNumber(u16::from_be_bytes(*kind)), u64::from_be_bytes(*count));
            let live = counted.live.remove(&kind).unwrap_or(0);
            if live != count {
                let what = format!("{}: {live} are stored, and the counter says {count}", self.kind(kind)?.name());
                findings.damage("counter", "engine: counter", what);
            }
        }
        for (kind, live) in counted.live.drain() {
            let what = format!("{}: {live} are stored, and there is no counter", self.kind(kind)?.name());
            findings.damage("counter", "engine: counter", what);
        }
        Ok(())
    }

    /// The next row, and every value that no other step has read.
    fn rest(&self, view: &View, counted: &mut Counted, findings: &mut Findings, _: &mut Facts) -> Result<(), Fault> {
        let next = view.value(Space::Meta, NEXT_ROW)?;
        let next = next.and_then(|next| next.first_chunk::<8>().map(|next| u64::from_be_bytes(*next))).unwrap_or(1);
        if counted.rows.keys().any(|row| *row >= next) {
            findings.damage("next row", "engine: meta", "a row beyond the next one to give is taken");
        }
        let read: HashSet<_> = [Space::Outbox, Space::Commit, Space::Id, Space::Current, Space::History].into();
        for (space, ..) in SPACES.iter().filter(|(space, ..)| !read.contains(space)) {
            let mut pairs = view.from(*space, &[])?;
            while pairs.next_pair()?.is_some() {}
        }
        for table in self.engine.tables()? {
            table.all()?;
        }
        Ok(())
    }
}
