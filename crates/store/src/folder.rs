//! Folders: what one patient's compartment holds of one type, in a form that answers in memory.
//!
//! Most searches here name a patient. Over the engine each costs an iterator or two and a look-up
//! for each candidate; in a folder the values of all its resources stand once each, with the
//! resources that have them, so a part of a predicate is tested on a few distinct values. And it
//! holds the versions themselves, packed, so that nothing has to be looked up for the answer.
//!
//! A folder is made from current versions when it is asked for a second time. When a resource in it
//! changes, that one is read again and the rest stays (`engine::folders`). It answers by the same comparison as the matcher
//! ([`search::compare`]), on the same values: what it says of a part is exact.
//!
//! What references lead to is asked once for each target, and the rule of a patient (`crate::said`) once. Which resources
//! a grant with such rules means is kept with the folder, as long as what it rests on holds ([`crate::watched`]): most
//! searches of a record are by callers who searched it before.
//!
//! Left out: joins back, times of update, and identifiers, of which each resource has its own; they
//! are tested on the stored versions as ever.

use crate::{
    ReadError,
    engine::{Space, folders::Shelved, key, key::Row, packed::Packed, record::Damaged},
    limits,
    reader::{Reader, Stored},
    watched::{Rests, Watched},
};
use fhir::{LogicalId, ResourceType};
use search::{
    ParameterId, Predicate, Registry, ValueRef,
    encoded::{EncodedValues, decoded},
    matcher::Related,
    predicate::Ruled,
};
use std::{
    collections::BTreeMap,
    mem::size_of,
    sync::{Arc, Mutex, PoisonError, Weak},
};

/// A value with the resources that have it.
#[derive(Debug)]
struct Entry {
    parameter: ParameterId,
    /// End of its bytes; they begin where those of the entry before end.
    value_end: u32,
    /// End of its ordinals.
    ordinals_end: u32,
}

/// The resources of one type in one compartment. Without contents when they are too many.
#[derive(Debug)]
pub(crate) struct Folder {
    contents: Option<Contents>,
    granted: Mutex<Vec<Arc<Granted>>>,
}

/// What of a folder a part of a grant means.
#[derive(Debug)]
struct Granted {
    /// The part; held so that no other can have its address.
    part: Weak<Predicate>,
    registry: Weak<Registry>,
    rests: Rests,
    set: Set,
}

impl Granted {
    fn is_of(&self, part: &Arc<Predicate>, registry: &Arc<Registry>) -> bool {
        std::ptr::eq(self.part.as_ptr(), Arc::as_ptr(part))
            && std::ptr::eq(self.registry.as_ptr(), Arc::as_ptr(registry))
    }
}

/// Whether rules of patients are in it, as in parts of grants and in nothing that anybody searches for.
fn has_rules(part: &Predicate) -> bool {
    match part {
        Predicate::Ruled(_) => true,
        Predicate::And(parts) | Predicate::Or(parts) => parts.iter().any(|part| has_rules(part)),
        Predicate::Not(part) | Predicate::Now(part) => has_rules(part),
        _ => false,
    }
}

#[derive(Debug)]
struct Contents {
    patient: LogicalId,
    /// Ascending.
    rows: Vec<Row>,
    /// Ascending by parameter.
    entries: Vec<Entry>,
    values: Vec<u8>,
    /// Places in `rows`.
    ordinals: Vec<u16>,
    /// The version of each row; `None` for one that is too large to be kept.
    versions: Vec<Option<Packed>>,
}

/// A set of places in a folder's rows.
#[derive(Debug, Clone, PartialEq)]
struct Set(Vec<u64>);

impl Set {
    fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn all(count: usize) -> Self {
        let mut set = Self::none(count);
        set.turn(count);
        set
    }

    /// The others. Bits beyond `count` stay off.
    fn turn(&mut self, count: usize) {
        self.0.iter_mut().for_each(|word| *word = !*word);
        if let Some(last) = self.0.last_mut()
            && !count.is_multiple_of(64)
        {
            *last &= (1 << (count % 64)) - 1;
        }
    }

    fn is_none(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    fn add(&mut self, at: u16) {
        if let Some(word) = self.0.get_mut(usize::from(at / 64)) {
            *word |= 1 << (at % 64);
        }
    }

    fn has(&self, at: u16) -> bool {
        self.0.get(usize::from(at / 64)).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    fn and(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= other);
    }

    fn or(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }
}

/// Whether a folder answers for this parameter.
fn keeps(registry: &Registry, parameter: ParameterId) -> bool {
    registry.by_id(parameter).is_some_and(|parameter| parameter.code != "identifier")
}

impl Folder {
    /// One that says no more than that there are too many.
    #[cfg(test)]
    pub(crate) fn of_too_many() -> Self {
        Self::of(None)
    }

    fn of(contents: Option<Contents>) -> Self {
        Self { contents, granted: Mutex::default() }
    }

    /// Bytes on the heap, about.
    pub(crate) fn bytes(&self) -> usize {
        self.contents.as_ref().map_or(64, |contents| {
            256 + contents.rows.capacity() * size_of::<Row>()
                + contents.entries.capacity() * size_of::<Entry>()
                + contents.values.capacity()
                + contents.ordinals.capacity() * size_of::<u16>()
                + contents.versions.iter().flatten().map(|packed| packed.bytes() + 48).sum::<usize>()
                + limits::FOLDER_GRANTS_MAX * (contents.rows.len() / 8 + 160)
        })
    }

    /// The rows that all parts mean, ascending, and the parts that it cannot answer; `None` when the
    /// folder is too large to be kept.
    #[expect(clippy::type_complexity, reason = "rows and what is left to test")]
    pub(crate) fn rows(
        &self,
        reader: &Reader,
        kind: ResourceType,
        parts: &[Arc<Predicate>],
    ) -> Result<Option<(Vec<Row>, Vec<Arc<Predicate>>)>, ReadError> {
        let Some(contents) = &self.contents else { return Ok(None) };
        let mut left = Vec::new();
        let mut meant = Set::all(contents.rows.len());
        reader.with_related(|related| -> Result<(), ReadError> {
            let asked = Asked { contents, reader, kind, related };
            for part in parts {
                let set = if has_rules(part) { self.granted(&asked, part)? } else { asked.set(part)? };
                match set {
                    Some(set) => meant.and(&set),
                    None => left.push(Arc::clone(part)),
                }
            }
            Ok(())
        })??;
        Ok(Some((contents.rows_of(&meant), left)))
    }

    /// The resources that a part with rules means: as it is kept, or made and kept.
    fn granted(&self, asked: &Asked<'_>, part: &Arc<Predicate>) -> Result<Option<Set>, ReadError> {
        let registry = &asked.reader.registry;
        let all = || self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = all().iter().find(|kept| kept.is_of(part, registry)).cloned();
        if let Some(kept) = kept
            && kept.rests.hold(asked.reader)?
        {
            return Ok(Some(kept.set.clone()));
        }
        let watched = Watched::new(asked.reader, asked.related);
        let set = Asked { related: &watched, ..*asked }.set(part)?;
        if let (Some(set), Some(rests)) = (&set, watched.rests()) {
            let (part, registry) = (Arc::downgrade(part), Arc::downgrade(registry));
            let of = Arc::new(Granted { part, registry, rests, set: set.clone() });
            let mut all = all();
            // What was replaced, what nobody can ask for any more, and else the oldest goes.
            all.retain(|kept| kept.part.strong_count() > 0 && !std::ptr::eq(kept.part.as_ptr(), of.part.as_ptr()));
            if all.len() >= limits::FOLDER_GRANTS_MAX {
                all.remove(0);
            }
            all.push(of);
        }
        Ok(set)
    }

    /// The version of a row of it, when it is at hand.
    pub(crate) fn version(&self, row: Row) -> Option<&Packed> {
        let contents = self.contents.as_ref()?;
        contents.versions.get(contents.rows.binary_search(&row).ok()?)?.as_ref()
    }
}

/// Index values with the places of the resources that have them, in order.
type Gathered = BTreeMap<(ParameterId, Box<[u8]>), Vec<u16>>;

fn gather(gathered: &mut Gathered, registry: &Registry, stored: &Stored, at: u16) -> Result<(), ReadError> {
    for (parameter, value) in EncodedValues::new(stored.values()?).entries() {
        if keeps(registry, parameter) {
            let ordinals = gathered.entry((parameter, value.into())).or_default();
            if ordinals.last() != Some(&at) {
                ordinals.push(at);
            }
        }
    }
    Ok(())
}

impl Contents {
    fn empty(patient: &LogicalId, rows: Vec<Row>, versions: Vec<Option<Packed>>) -> Self {
        let patient = patient.clone();
        Self { patient, rows, entries: Vec::new(), values: Vec::new(), ordinals: Vec::new(), versions }
    }

    fn make(reader: &Reader, kind: ResourceType, patient: &LogicalId, rows: Vec<Row>) -> Result<Self, ReadError> {
        let mut gathered = Gathered::new();
        let mut versions = Vec::with_capacity(rows.len());
        for (row, at) in rows.iter().zip(0u16..) {
            let Some((stored, packed)) = reader.to_keep(kind, *row)? else {
                return Err(ReadError::Unavailable("an index names a row that is not there".into()));
            };
            versions.push(packed);
            gather(&mut gathered, &reader.registry, &stored, at)?;
        }
        let mut contents = Self::empty(patient, rows, versions);
        contents.entries.reserve_exact(gathered.len());
        contents.values.reserve_exact(gathered.keys().map(|(_, value)| value.len()).sum());
        contents.ordinals.reserve_exact(gathered.values().map(Vec::len).sum());
        for ((parameter, value), ordinals) in gathered {
            contents.push(parameter, &value, ordinals)?;
        }
        Ok(contents)
    }

    /// Appends a value; values come in order.
    fn push(
        &mut self,
        parameter: ParameterId,
        value: &[u8],
        ordinals: impl IntoIterator<Item = u16>,
    ) -> Result<(), ReadError> {
        let end =
            |length: usize| u32::try_from(length).map_err(|_| ReadError::Unavailable("a folder is too large".into()));
        let before = self.ordinals.len();
        self.ordinals.extend(ordinals);
        if self.ordinals.len() > before {
            self.values.extend_from_slice(value);
            let (value_end, ordinals_end) = (end(self.values.len())?, end(self.ordinals.len())?);
            self.entries.push(Entry { parameter, value_end, ordinals_end });
        }
        Ok(())
    }

    /// As it is in the reader's view, where these rows, ascending, may have changed since it was
    /// made. `None`: there are too many now.
    fn brought_up(&self, reader: &Reader, kind: ResourceType, changed: &[Row]) -> Result<Option<Self>, ReadError> {
        let mut fresh: Vec<(Row, Stored, Option<Packed>)> = Vec::with_capacity(changed.len());
        for row in changed {
            if is_member(reader, kind, &self.patient, *row)? {
                let (stored, packed) = reader.to_keep(kind, *row)?.ok_or(Damaged("index key"))?;
                fresh.push((*row, stored, packed));
            }
        }
        let has_changed = |row: &Row| changed.binary_search(row).is_ok();
        let count = self.rows.iter().filter(|row| !has_changed(row)).count() + fresh.len();
        if count > limits::FOLDER_ROWS_MAX {
            return Ok(None);
        }
        let (mut rows, mut versions) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut gathered = Gathered::new();
        // Where each resource that stays has its new place.
        let mut places: Vec<Option<u16>> = Vec::with_capacity(self.rows.len());
        let mut coming = fresh.into_iter().peekable();
        let place = |rows: &Vec<Row>| u16::try_from(rows.len()).map_err(|_| Damaged("folder"));
        for (row, version) in self.rows.iter().zip(&self.versions) {
            while let Some((row, stored, packed)) = coming.next_if(|(next, ..)| next < row) {
                gather(&mut gathered, &reader.registry, &stored, place(&rows)?)?;
                rows.push(row);
                versions.push(packed);
            }
            if has_changed(row) {
                places.push(None);
            } else {
                places.push(Some(place(&rows)?));
                rows.push(*row);
                versions.push(version.clone());
            }
        }
        for (row, stored, packed) in coming {
            gather(&mut gathered, &reader.registry, &stored, place(&rows)?)?;
            rows.push(row);
            versions.push(packed);
        }

        let mut contents = Self::empty(&self.patient, rows, versions);
        // A vector that outgrows its place takes twice as much.
        contents.entries.reserve_exact(self.entries.len() + gathered.len());
        contents.values.reserve_exact(self.values.len() + gathered.keys().map(|(_, value)| value.len()).sum::<usize>());
        contents.ordinals.reserve_exact(self.ordinals.len() + gathered.values().map(Vec::len).sum::<usize>());
        let mut coming = gathered.into_iter().peekable();
        for (parameter, value, ordinals) in self.all() {
            let own = (parameter, value);
            while let Some(((parameter, value), ordinals)) =
                coming.next_if(|((parameter, value), _)| (*parameter, value.as_ref()) < own)
            {
                contents.push(parameter, &value, ordinals)?;
            }
            let stay = ordinals.iter().filter_map(|at| places.get(usize::from(*at)).copied().flatten());
            let more = coming.next_if(|((parameter, value), _)| (*parameter, value.as_ref()) == own);
            let from = contents.ordinals.len();
            let is_shared = more.is_some();
            contents.push(parameter, value, stay.chain(more.into_iter().flat_map(|(_, ordinals)| ordinals)))?;
            if is_shared && let Some(both) = contents.ordinals.get_mut(from..) {
                both.sort_unstable();
            }
        }
        for ((parameter, value), ordinals) in coming {
            contents.push(parameter, &value, ordinals)?;
        }
        Ok(Some(contents))
    }

    /// All values with their resources.
    fn all(&self) -> impl Iterator<Item = (ParameterId, &[u8], &[u16])> {
        let mut from = (0, 0);
        self.entries.iter().map(move |entry| {
            let to = (entry.value_end as usize, entry.ordinals_end as usize);
            let (value, ordinals) = (self.values.get(from.0..to.0), self.ordinals.get(from.1..to.1));
            from = to;
            (entry.parameter, value.unwrap_or_default(), ordinals.unwrap_or_default())
        })
    }

    /// The values of a parameter with their resources.
    fn values_of(&self, parameter: ParameterId) -> impl Iterator<Item = (&[u8], &[u16])> {
        let first = self.entries.partition_point(|entry| entry.parameter < parameter);
        let before = first.checked_sub(1).and_then(|before| self.entries.get(before));
        let mut from = before.map_or((0, 0), |entry| (entry.value_end as usize, entry.ordinals_end as usize));
        let entries = self.entries.get(first..).unwrap_or_default().iter();
        entries.take_while(move |entry| entry.parameter == parameter).map(move |entry| {
            let to = (entry.value_end as usize, entry.ordinals_end as usize);
            let (value, ordinals) = (self.values.get(from.0..to.0), self.ordinals.get(from.1..to.1));
            from = to;
            (value.unwrap_or_default(), ordinals.unwrap_or_default())
        })
    }

    /// The resources that have a value of the parameter which passes.
    fn with_value(&self, parameter: ParameterId, mut passes: impl FnMut(&[u8]) -> bool) -> Set {
        let mut set = Set::none(self.rows.len());
        for (value, ordinals) in self.values_of(parameter) {
            if passes(value) {
                ordinals.iter().for_each(|at| set.add(*at));
            }
        }
        set
    }

    fn rows_of(&self, set: &Set) -> Vec<Row> {
        let ones: u32 = set.0.iter().map(|word| word.count_ones()).sum();
        let mut rows = Vec::with_capacity(ones as usize);
        for (chunk, word) in self.rows.chunks(64).zip(&set.0) {
            let mut rest = *word;
            while rest != 0 {
                rows.extend(chunk.get(rest.trailing_zeros() as usize));
                rest &= rest - 1;
            }
        }
        rows
    }
}

/// One look through a folder.
struct Asked<'a> {
    contents: &'a Contents,
    reader: &'a Reader,
    kind: ResourceType,
    related: &'a dyn Related,
}

impl Asked<'_> {
    /// The resources that the part means; `None` when their values here do not tell.
    fn set(&self, part: &Predicate) -> Result<Option<Set>, ReadError> {
        let (contents, registry) = (self.contents, &*self.reader.registry);
        let count = contents.rows.len();
        Ok(Some(match part {
            Predicate::All => Set::all(count),
            Predicate::Nothing => Set::none(count),
            Predicate::And(parts) => {
                let mut set = Set::all(count);
                for part in parts {
                    if set.is_none() {
                        break;
                    }
                    let Some(part) = self.set(part)? else { return Ok(None) };
                    set.and(&part);
                }
                set
            }
            Predicate::Or(parts) => {
                let (mut set, all) = (Set::none(count), Set::all(count));
                for part in parts {
                    if set == all {
                        break;
                    }
                    let Some(part) = self.set(part)? else { return Ok(None) };
                    set.or(&part);
                }
                set
            }
            Predicate::Not(part) => {
                let Some(mut set) = self.set(part)? else { return Ok(None) };
                set.turn(count);
                set
            }
            // A folder holds current versions alone.
            Predicate::Now(part) => return self.set(part),
            Predicate::Id(ids) => self.with_ids(ids)?,
            Predicate::Value { parameter, test } if keeps(registry, *parameter) => contents
                .with_value(*parameter, |value| {
                    decoded(value).is_some_and(|value| search::compare::passes(test, value))
                }),
            Predicate::Missing { parameter, missing } if keeps(registry, *parameter) => {
                let mut set = contents.with_value(*parameter, |value| decoded(value).is_some());
                if *missing {
                    set.turn(count);
                }
                set
            }
            Predicate::InForce(parameter) if keeps(registry, *parameter) => {
                let mut set = contents.with_value(*parameter, |value| decoded(value).is_some());
                set.turn(count);
                set.or(&contents.with_value(
                    *parameter,
                    |value| matches!(decoded(value), Some(ValueRef::Date { low, high }) if self.related.holds(low, high)),
                ));
                set
            }
            Predicate::Only { parameter, tokens } if keeps(registry, *parameter) => {
                let mut set = contents.with_value(*parameter, |value| match decoded(value) {
                    Some(ValueRef::Token { system, code, .. }) => !tokens.has(system, code),
                    Some(_) => true,
                    None => false,
                });
                set.turn(count);
                set
            }
            Predicate::FromNow(from) => return self.set(&from.at(self.related.now())),
            Predicate::Ruled(ruled) if !registry.is_patient(self.kind) => return self.within_rules(ruled),
            // Many resources refer to one target, which is asked once.
            Predicate::Chain { parameter, target, predicate } if keeps(registry, *parameter) => {
                contents.with_value(*parameter, |value| match decoded(value) {
                    Some(ValueRef::Reference { target: Some((kind, id)), .. }) if kind == *target => {
                        LogicalId::parse(id).is_ok_and(|id| self.related.target_matches(kind, &id, predicate))
                    }
                    _ => false,
                })
            }
            Predicate::PatientCompartment(patient) if *patient == contents.patient => Set::all(count),
            Predicate::Value { .. }
            | Predicate::Missing { .. }
            | Predicate::PatientCompartment(_)
            | Predicate::NoOtherPatient(_)
            | Predicate::InForce(_)
            | Predicate::Only { .. }
            | Predicate::Ruled(_)
            | Predicate::Near { .. }
            | Predicate::While { .. }
            | Predicate::NoPatientBut(_)
            | Predicate::During(_)
            | Predicate::LastUpdated(_)
            | Predicate::Chain { .. }
            | Predicate::Has { .. } => return Ok(None),
        }))
    }

    fn with_ids(&self, ids: &[LogicalId]) -> Result<Set, ReadError> {
        let mut set = Set::none(self.contents.rows.len());
        for id in ids {
            if let Some(place) = self.reader.place(self.kind, id.as_str())?.filter(|place| !place.deleted)
                && let Ok(at) = self.contents.rows.binary_search(&place.row)
                && let Ok(at) = u16::try_from(at)
            {
                set.add(at);
            }
        }
        Ok(set)
    }

    /// The resources that the rule of each patient whom they are about lets through. Mostly that is one patient.
    fn within_rules(&self, ruled: &Ruled) -> Result<Option<Set>, ReadError> {
        let (contents, registry) = (self.contents, &*self.reader.registry);
        let mut withheld = Set::none(contents.rows.len());
        let mut of_patients: Vec<(LogicalId, Set)> = Vec::new();
        for parameter in &*ruled.about {
            if !keeps(registry, *parameter) {
                return Ok(None);
            }
            for (value, ordinals) in contents.values_of(*parameter) {
                let patient = match decoded(value) {
                    Some(ValueRef::Reference { target: Some((kind, id)), .. }) if registry.is_patient(kind) => id,
                    _ => continue,
                };
                let Ok(patient) = LogicalId::parse(patient) else {
                    ordinals.iter().for_each(|at| withheld.add(*at));
                    continue;
                };
                if !of_patients.iter().any(|(known, _)| *known == patient) {
                    let rule = self.related.rule(&ruled.ruling, &patient);
                    let Some(set) = self.set(&rule)? else { return Ok(None) };
                    of_patients.push((patient.clone(), set));
                }
                if let Some((_, lets)) = of_patients.iter().find(|(known, _)| *known == patient) {
                    ordinals.iter().filter(|at| !lets.has(**at)).for_each(|at| withheld.add(*at));
                }
            }
        }
        withheld.turn(contents.rows.len());
        Ok(Some(withheld))
    }
}

/// The folder of this patient and type, when it is kept or worth keeping. What making it costs is
/// bounded by [`limits::FOLDER_ROWS_MAX`] and no search's own: answers must not depend on it.
pub(crate) fn folder(
    reader: &Reader,
    kind: ResourceType,
    patient: &LogicalId,
) -> Result<Option<Arc<Folder>>, ReadError> {
    let number = reader.types.number(kind);
    let prefix = key::folder(patient.as_str(), number);
    let (contents, place) = match reader.view.folder(&prefix) {
        Shelved::Kept(folder) => return Ok(Some(folder)),
        Shelved::Rare => return Ok(None),
        Shelved::Behind(folder, changed, place) => {
            // Of too many it is not known how many there are now: it goes with the changes.
            let Some(contents) = &folder.contents else { return Ok(None) };
            (contents.brought_up(reader, kind, &changed)?, place)
        }
        Shelved::Wanted(place) => {
            let rows = members(reader, kind, patient)?;
            (rows.map(|rows| Contents::make(reader, kind, patient, rows)).transpose()?, place)
        }
    };
    let folder = Arc::new(Folder::of(contents));
    reader.view.keep_folder(place, Arc::clone(&folder));
    Ok(Some(folder))
}

/// Whether the resource of a row lies in the compartment.
fn is_member(reader: &Reader, kind: ResourceType, patient: &LogicalId, row: Row) -> Result<bool, ReadError> {
    let begin = key::compartment(patient.as_str(), reader.types.number(kind), key::MEMBERSHIP, &[]);
    Ok(reader.view.value(Space::Compartment, &key::with_row(&begin, row))?.is_some())
}

/// The rows in the compartment, unless they are too many.
fn members(reader: &Reader, kind: ResourceType, patient: &LogicalId) -> Result<Option<Vec<Row>>, ReadError> {
    let prefix = key::compartment(patient.as_str(), reader.types.number(kind), key::MEMBERSHIP, &[]);
    let mut keys = reader.view.prefix(Space::Compartment, &prefix)?;
    let mut rows = Vec::new();
    while let Some(found) = keys.next_key()? {
        if rows.len() >= limits::FOLDER_ROWS_MAX {
            return Ok(None);
        }
        rows.push(key::row_of(&found).ok_or(Damaged("index key"))?);
    }
    Ok(Some(rows))
}

#[cfg(test)]
mod tests;
