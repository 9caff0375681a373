//! What snapshots, plans and the writer share: one view with the names of types and parameters,
//! and the one place where a stored version is held against a permit.

use crate::engine::{
    Current, Fault, Space, Value, View,
    key::{self, Row},
    memory::Memory,
    packed::Packed,
    record::{Damaged, Place, Version},
};
use bytes::Bytes;
use fhir::{Instant, LogicalId, ResourceType, VersionId};
use policy::{Access, Need, Permit};
use search::{
    ParameterId, Predicate, Registry,
    encoded::{EncodedValues, MarkedValues},
    matcher::{ALWAYS, Related, Subject, matches},
    predicate::{During, Ruling},
};
use std::{
    cell::{OnceCell, RefCell},
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{Found, limits, page::Json, parameters::Parameters, plan::Heavy, redaction, said::Rules, types::Types};

/// What a permit says: the only question the store asks of one. Tests answer it themselves.
pub(crate) trait Covers: Send + Sync {
    /// Which resources of this type are covered for this need.
    fn access(&self, resource_type: ResourceType, need: Need) -> &Access;

    /// Whether what it says may rest on a search parameter that a package brought.
    fn asks_added(&self) -> bool {
        true
    }
}

impl Covers for Permit {
    fn access(&self, resource_type: ResourceType, need: Need) -> &Access {
        Permit::access(self, resource_type, need)
    }

    fn asks_added(&self) -> bool {
        Permit::asks_added(self)
    }
}

/// One view of the store.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    pub(crate) view: View,
    pub(crate) types: Arc<Types>,
    pub(crate) registry: Arc<Registry>,
    /// Which added parameters can be relied on in this view.
    pub(crate) parameters: Arc<Parameters>,
    pub(crate) search: limits::Search,
    pub(crate) heavy: Arc<Heavy>,
    pub(crate) followed: Arc<Followed>,
    /// The moment of the question: periods hold or do not hold by it.
    pub(crate) at: Instant,
}

/// What was found out of targets of references in one view: many rows have one target, and a grant asks the same of
/// it for each. Never longer than its reader, so never of another view.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    targets: Mutex<Answers>,
    pub(crate) rules: Rules,
}

/// Spans of time, `[low, high)` each.
type Periods = Arc<[(i64, i64)]>;

#[derive(Debug, Default)]
struct Answers {
    /// What was asked, held so that no other predicate can have its address.
    asked: Vec<Arc<Predicate>>,
    /// Place in `asked`, target → whether it is meant.
    meant: HashMap<(usize, ResourceType, LogicalId), bool>,
    /// Place in `asked` → how often targets were asked about it one by one, and the rows that it means once they were
    /// looked for: `None` when they are too many.
    members: HashMap<usize, (usize, Option<Members>)>,
    /// The same of periods ([`During`]), by the place of its predicate.
    periods: HashMap<(usize, ResourceType, LogicalId), Periods>,
}

/// The rows that a relation means, ascending; `None`: too many to be listed.
type Members = Option<Arc<[Row]>>;

/// Whether it says who has to do with whom, by several ways: then its rows are better listed once than asked for each.
pub(crate) fn is_relation(predicate: &Predicate) -> bool {
    let is_back = |part: &Arc<Predicate>| matches!(part.as_ref(), Predicate::Has { .. });
    match predicate {
        Predicate::Now(inner) => {
            matches!(inner.as_ref(), Predicate::Or(parts) if parts.len() > 1 && parts.iter().any(is_back))
        }
        _ => false,
    }
}

impl Answers {
    fn place_of(&self, predicate: &Arc<Predicate>) -> Option<usize> {
        self.asked.iter().position(|asked| Arc::ptr_eq(asked, predicate))
    }

    /// Its place, from now on; `None` when there are too many.
    fn placed(&mut self, predicate: &Arc<Predicate>) -> Option<usize> {
        if let Some(at) = self.place_of(predicate) {
            return Some(at);
        }
        if self.asked.len() >= limits::FOLLOWED_PREDICATES_MAX {
            return None;
        }
        self.asked.push(Arc::clone(predicate));
        Some(self.asked.len() - 1)
    }
}

impl Followed {
    /// What is known of it.
    fn known(&self, predicate: &Arc<Predicate>, kind: ResourceType, id: &LogicalId) -> Option<bool> {
        let answers = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let at = answers.place_of(predicate)?;
        answers.meant.get(&(at, kind, id.clone())).copied()
    }

    fn note(&self, predicate: &Arc<Predicate>, kind: ResourceType, id: &LogicalId, meant: bool) {
        let mut answers = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = answers.placed(predicate) else { return };
        if answers.meant.len() < limits::FOLLOWED_TARGETS_MAX {
            answers.meant.insert((at, kind, id.clone()), meant);
        }
    }

    /// The rows of a relation, when they were looked for.
    fn known_members(&self, predicate: &Arc<Predicate>) -> Option<Members> {
        let answers = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        answers.members.get(&answers.place_of(predicate)?)?.1.clone()
    }

    fn note_members(&self, predicate: &Arc<Predicate>, members: &Members) {
        let mut answers = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = answers.placed(predicate) else { return };
        answers.members.entry(at).or_default().1 = Some(members.clone());
    }

    /// Whether enough targets were asked one by one.
    fn asks_much(&self, predicate: &Arc<Predicate>) -> bool {
        let mut answers = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = answers.placed(predicate) else { return false };
        let (asked, _) = answers.members.entry(at).or_default();
        *asked += 1;
        *asked > limits::MEMBERS_ASKED_MAX
    }

    fn known_periods(&self, during: &During, (kind, id): (ResourceType, &LogicalId)) -> Option<Arc<[(i64, i64)]>> {
        let answers = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let at = answers.place_of(&during.predicate)?;
        answers.periods.get(&(at, kind, id.clone())).cloned()
    }

    fn note_periods(&self, during: &During, (kind, id): (ResourceType, &LogicalId), periods: &Arc<[(i64, i64)]>) {
        let mut answers = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = answers.placed(&during.predicate) else { return };
        if answers.periods.len() < limits::FOLLOWED_TARGETS_MAX {
            answers.periods.insert((at, kind, id.clone()), Arc::clone(periods));
        }
    }
}

/// A stored version: its bytes shared with the engine, or packed as memory keeps them.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) kind: ResourceType,
    pub(crate) row: Row,
    /// The view has no later version of it.
    pub(crate) is_current: bool,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    Whole(Value),
    Packed(Unpacking),
}

/// A packed version, and what of it was unpacked so far.
#[derive(Debug, Clone)]
struct Unpacking {
    packed: Packed,
    kind: key::TypeNumber,
    memory: Arc<Memory>,
    values: OnceCell<Vec<u8>>,
    whole: OnceCell<Vec<u8>>,
}

/// The value of a cell, made when it is first asked for.
fn made<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T, Fault>) -> Result<&T, Damaged> {
    if cell.get().is_none() {
        let _ = cell.set(make().map_err(|_| Damaged("kept version"))?);
    }
    cell.get().ok_or(Damaged("kept version"))
}

impl Stored {
    /// The version with everything.
    pub(crate) fn version(&self) -> Result<Version<'_>, Damaged> {
        Version::decode(self.whole()?)
    }

    /// The record as it is stored.
    pub(crate) fn whole(&self) -> Result<&[u8], Damaged> {
        match &self.form {
            Form::Whole(value) => Ok(value),
            Form::Packed(it) => {
                made(&it.whole, || it.memory.dictionaries.whole(it.kind.0, &it.packed)).map(Vec::as_slice)
            }
        }
    }

    /// The version without values and JSON.
    pub(crate) fn head(&self) -> Result<Version<'_>, Damaged> {
        match &self.form {
            Form::Whole(value) => Ok(Version { values: &[], json: &[], ..Version::decode(value)? }),
            Form::Packed(it) => it.packed.head(),
        }
    }

    /// The index values.
    pub(crate) fn values(&self) -> Result<&[u8], Damaged> {
        match &self.form {
            Form::Whole(value) => Ok(Version::decode(value)?.values),
            Form::Packed(it) => {
                made(&it.values, || it.memory.dictionaries.values(it.kind.0, &it.packed)).map(Vec::as_slice)
            }
        }
    }

    fn json(&self) -> Result<Json, Damaged> {
        Ok(match &self.form {
            Form::Whole(value) => Bytes::copy_from_slice(Version::decode(value)?.json).into(),
            Form::Packed(it) => Json::packed(it.packed.clone(), it.kind, Arc::clone(&it.memory)),
        })
    }

    /// Id, time and values, for the matcher.
    pub(crate) fn subject<T>(&self, look: impl FnOnce(Subject<'_>) -> T) -> Result<T, Fault> {
        let head = self.head()?;
        let id = LogicalId::parse(head.id).map_err(|_| Damaged("id"))?;
        let values = MarkedValues::new(self.values()?);
        let last_updated = Instant::from_unix_millis(head.last_updated);
        Ok(look(Subject { resource_type: self.kind, id: &id, last_updated, values: &values }))
    }
}

impl Reader {
    /// Where the newest version of a resource is.
    pub(crate) fn place(&self, kind: ResourceType, id: &str) -> Result<Option<Place>, Fault> {
        self.view.place(self.types.number(kind), id)
    }

    /// The current version of a row; `None` when it is deleted.
    pub(crate) fn current(&self, kind: ResourceType, row: Row) -> Result<Option<Stored>, Fault> {
        let number = self.types.number(kind);
        Ok(match self.view.version(number, row)? {
            None => None,
            Some(Current::Kept(packed)) => Some(self.unpacking(kind, row, packed)),
            Some(Current::Read(value, unkept)) => {
                if let Some(packed) = self.packed(kind, &value)? {
                    self.view.keep_version(&unkept, packed);
                }
                Some(Self::stored(kind, row, value))
            }
        })
    }

    /// The current version of a row, for whoever is about to replace it: it is not kept.
    pub(crate) fn current_once(&self, kind: ResourceType, row: Row) -> Result<Option<Stored>, Fault> {
        Ok(self.view.version(self.types.number(kind), row)?.map(|current| match current {
            Current::Kept(packed) => self.unpacking(kind, row, packed),
            Current::Read(value, _) => Self::stored(kind, row, value),
        }))
    }

    /// The current version of a row, with what somebody else may keep of it.
    pub(crate) fn to_keep(&self, kind: ResourceType, row: Row) -> Result<Option<(Stored, Option<Packed>)>, Fault> {
        Ok(match self.view.version(self.types.number(kind), row)? {
            None => None,
            Some(Current::Kept(packed)) => Some((self.unpacking(kind, row, packed.clone()), Some(packed))),
            Some(Current::Read(value, _)) => {
                let packed = self.packed(kind, &value)?;
                Some((Self::stored(kind, row, value), packed))
            }
        })
    }

    /// A version that is packed.
    pub(crate) fn unpacking(&self, kind: ResourceType, row: Row, packed: Packed) -> Stored {
        let (values, whole) = (OnceCell::new(), OnceCell::new());
        let memory = Arc::clone(self.view.memory());
        let form = Form::Packed(Unpacking { packed, kind: self.types.number(kind), memory, values, whole });
        Stored { kind, row, is_current: true, form }
    }

    fn packed(&self, kind: ResourceType, value: &Value) -> Result<Option<Packed>, Fault> {
        let version = Version::decode(value)?;
        if value.len() > limits::VERSION_KEPT_BYTES_MAX {
            return Ok(None);
        }
        let patients = self.patients(kind, &version)?;
        let names = patients.iter().map(LogicalId::as_str);
        Ok(self.view.memory().dictionaries.pack(self.types.number(kind).0, value, &version, names))
    }

    fn patients(&self, kind: ResourceType, version: &Version<'_>) -> Result<Vec<LogicalId>, Fault> {
        let id = LogicalId::parse(version.id).map_err(|_| Damaged("id"))?;
        let values = EncodedValues::new(version.values);
        Ok(search::matcher::patients_of(&values, &self.registry, kind, &id))
    }

    /// A version of a row that is current no more, or its deletion.
    pub(crate) fn past(&self, kind: ResourceType, row: Row, version: u32) -> Result<Option<Stored>, Fault> {
        let value = self.view.value(Space::History, &key::history(self.types.number(kind), row, version))?;
        Ok(value.map(|value| Self::stored_past(kind, row, value)))
    }

    /// A pair of `current` as a version.
    pub(crate) fn stored(kind: ResourceType, row: Row, value: Value) -> Stored {
        Stored { kind, row, is_current: true, form: Form::Whole(value) }
    }

    /// A pair of `history` as a version.
    pub(crate) fn stored_past(kind: ResourceType, row: Row, value: Value) -> Stored {
        Stored { kind, row, is_current: false, form: Form::Whole(value) }
    }

    /// Live resources of a type.
    pub(crate) fn live(&self, kind: ResourceType) -> Result<u64, Fault> {
        let value = self.view.value(Space::Counter, &self.types.number(kind).0.to_be_bytes())?;
        Ok(value.and_then(|value| value.first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes))).unwrap_or(0))
    }

    /// Whether the access covers this version.
    pub(crate) fn covers(&self, access: &Access, stored: &Stored) -> Result<bool, Fault> {
        match access {
            Access::Nothing => Ok(false),
            Access::Everything => Ok(true),
            Access::Where(predicate) => self.grants(std::slice::from_ref(predicate), stored),
        }
    }

    /// Whether a grant, alone or with what is searched for, means this version: all of these parts. What the rules of
    /// patients say is asked last, for it is kept ([`crate::watched`]).
    pub(crate) fn grants(&self, parts: &[Arc<Predicate>], stored: &Stored) -> Result<bool, Fault> {
        let mut rules = Vec::new();
        let are_rules = stored.is_current && parts.iter().all(|part| matches!(part.as_ref(), Predicate::Ruled(_)));
        if are_rules {
            rules.extend(parts);
        } else {
            let is_meant = stored.subject(|subject| {
                let beside = stored.is_current.then_some(subject);
                self.with_related_beside(beside, |related| {
                    let mut meant = |part: &Predicate| matches(&self.registry, part, subject, related);
                    parts.iter().all(|part| self.but_for_rules(part, stored, &mut meant, &mut rules))
                })
            })??;
            if !is_meant {
                return Ok(false);
            }
        }
        for part in rules {
            if !self.within_rules(part, stored)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether all but the rules is meant; these are gathered.
    fn but_for_rules<'p>(
        &self,
        part: &'p Arc<Predicate>,
        stored: &Stored,
        meant: &mut dyn FnMut(&Predicate) -> bool,
        rules: &mut Vec<&'p Arc<Predicate>>,
    ) -> bool {
        match part.as_ref() {
            Predicate::And(parts) => parts.iter().all(|part| self.but_for_rules(part, stored, meant, rules)),
            Predicate::Ruled(_) if stored.is_current => {
                rules.push(part);
                true
            }
            other => meant(other),
        }
    }

    /// Whether the predicate means this version.
    pub(crate) fn meant(&self, predicate: &Predicate, stored: &Stored) -> Result<bool, Fault> {
        // What is current need not be looked for again to know what of it holds now.
        stored.subject(|subject| self.means_beside(predicate, subject, stored.is_current.then_some(subject)))?
    }

    /// Whether the predicate means this subject, which may not be stored yet.
    pub(crate) fn means(&self, predicate: &Predicate, subject: Subject<'_>) -> Result<bool, Fault> {
        self.with_related(|related| matches(&self.registry, predicate, subject, related))
    }

    /// What somebody makes of this view's other resources.
    pub(crate) fn with_related<T>(&self, make: impl FnOnce(&dyn Related) -> T) -> Result<T, Fault> {
        self.with_related_beside(None, make)
    }

    /// [`Reader::means`], with this resource as it will be.
    pub(crate) fn means_beside(
        &self,
        predicate: &Predicate,
        subject: Subject<'_>,
        beside: Option<Subject<'_>>,
    ) -> Result<bool, Fault> {
        self.with_related_beside(beside, |related| matches(&self.registry, predicate, subject, related))
    }

    pub(crate) fn with_related_beside<T>(
        &self,
        beside: Option<Subject<'_>>,
        make: impl FnOnce(&dyn Related) -> T,
    ) -> Result<T, Fault> {
        let joined = Joined { reader: self, beside, fault: RefCell::new(None) };
        let made = make(&joined);
        match joined.fault.into_inner() {
            Some(fault) => Err(fault),
            None => Ok(made),
        }
    }

    /// The rows that a relation means; `None`: too many to be listed.
    pub(crate) fn members(&self, kind: ResourceType, predicate: &Arc<Predicate>) -> Result<Members, Fault> {
        if let Some(known) = self.followed.known_members(predicate) {
            return Ok(known);
        }
        let members: Members = crate::plan::members(self, kind, predicate)?.map(Into::into);
        self.followed.note_members(predicate, &members);
        Ok(members)
    }

    /// Whether the current version of a resource is there and meant by the predicate.
    pub(crate) fn target_means(
        &self,
        kind: ResourceType,
        id: &LogicalId,
        predicate: &Arc<Predicate>,
    ) -> Result<bool, Fault> {
        Joined { reader: self, beside: None, fault: RefCell::new(None) }.target(kind, id, predicate)
    }

    /// Rows of `source` whose parameter points at this resource, as a prefix of the index.
    pub(crate) fn referrers(
        &self,
        source: ResourceType,
        parameter: ParameterId,
        target: (ResourceType, &LogicalId),
    ) -> Vec<u8> {
        let test = search::Test::Reference(search::predicate::ReferenceTest::Target(target.0, target.1.clone()));
        let ranges = search::index_key::ranges(&test);
        let begin = ranges.ranges.first().map(|range| range.start.clone()).unwrap_or_default();
        key::index(self.types.number(source), parameter, &begin)
    }

    /// The version as it leaves under a permit that covers it for this need.
    pub(crate) fn found(&self, stored: &Stored, permit: &dyn Covers, need: Need) -> Result<Found, Fault> {
        let mut all = self.found_all(std::slice::from_ref(stored), permit, need)?;
        Ok(all.pop().ok_or(Damaged("version"))?)
    }

    /// Versions as they leave under a permit that covers them for this need.
    pub(crate) fn found_all(&self, list: &[Stored], permit: &dyn Covers, need: Need) -> Result<Vec<Found>, Fault> {
        let mut all = self.whole(list)?;
        for (found, stored) in all.iter_mut().zip(list) {
            if let Some(left) = redaction::left(self, permit.access(stored.kind, need), stored)? {
                found.json = left.into();
            }
        }
        Ok(all)
    }

    /// Versions with all that stands in them: not for a caller's eyes.
    pub(crate) fn whole(&self, list: &[Stored]) -> Result<Vec<Found>, Fault> {
        let mut all: Vec<Found> = Vec::with_capacity(list.len());
        for stored in list {
            let head = stored.head()?;
            let before = all.last().map_or(&[][..], |before| before.patients.as_slice());
            all.push(Found {
                resource_type: stored.kind,
                patients: self.patients_of(stored, before)?,
                id: LogicalId::parse(head.id).map_err(|_| Damaged("id"))?,
                version: VersionId::new(head.version).ok_or(Damaged("version number"))?,
                last_updated: Instant::from_unix_millis(head.last_updated),
                json: stored.json()?,
                method: head.method,
            });
        }
        Ok(all)
    }

    /// The patients that a version is about. A page is mostly about one, whose name is shared with
    /// the version before.
    fn patients_of(&self, stored: &Stored, before: &[LogicalId]) -> Result<Vec<LogicalId>, Fault> {
        match &stored.form {
            Form::Whole(value) => self.patients(stored.kind, &Version::decode(value)?),
            Form::Packed(it) => {
                if it.packed.patients().eq(before.iter().map(LogicalId::as_str)) {
                    return Ok(before.to_vec());
                }
                let names = it.packed.patients().map(LogicalId::parse);
                Ok(names.collect::<Result<_, _>>().map_err(|_| Damaged("patient"))?)
            }
        }
    }
}

/// References followed over the view. The trait cannot fail, so a fault is kept and asked for after.
struct Joined<'a> {
    reader: &'a Reader,
    /// A resource that a commit is about to make or change, which counts, not what the view has of it; or one that the view
    /// has just so.
    beside: Option<Subject<'a>>,
    fault: RefCell<Option<Fault>>,
}

impl Joined<'_> {
    fn keep<T: Default>(&self, result: Result<T, Fault>) -> T {
        result.unwrap_or_else(|fault| {
            self.fault.borrow_mut().get_or_insert(fault);
            T::default()
        })
    }

    fn target(&self, kind: ResourceType, id: &LogicalId, predicate: &Arc<Predicate>) -> Result<bool, Fault> {
        if let Some(beside) = self.beside.filter(|beside| beside.resource_type == kind && beside.id == id) {
            return Ok(matches(&self.reader.registry, predicate, beside, self));
        }
        if let Some(known) = self.reader.followed.known(predicate, kind, id) {
            return Ok(known);
        }
        let place = self.reader.place(kind, id.as_str())?.filter(|place| !place.deleted);
        if is_relation(predicate)
            && self.reader.followed.asks_much(predicate)
            && let Some(members) = self.reader.members(kind, predicate)?
        {
            return Ok(place.is_some_and(|place| members.binary_search(&place.row).is_ok()));
        }
        let current = place.map(|place| self.reader.current(kind, place.row)).transpose()?.flatten();
        let meant = current.map(|stored| self.reader.meant(predicate, &stored)).transpose()?.unwrap_or(false);
        self.reader.followed.note(predicate, kind, id, meant);
        Ok(meant)
    }

    fn referrer(
        &self,
        subject: (ResourceType, &LogicalId),
        source: ResourceType,
        parameter: ParameterId,
        predicate: &Predicate,
    ) -> Result<bool, Fault> {
        let prefix = self.reader.referrers(source, parameter, subject);
        let mut keys = self.reader.view.prefix(Space::Index, &prefix)?;
        while let Some(found) = keys.next_key()? {
            let row = key::row_of(&found).ok_or(Damaged("index key"))?;
            if let Some(stored) = self.reader.current(source, row)?
                && self.reader.meant(predicate, &stored)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Joined<'_> {
    /// The periods that resources give a patient.
    fn periods_of(&self, patient: (ResourceType, &LogicalId), during: &During) -> Result<Arc<[(i64, i64)]>, Fault> {
        if let Some(known) = self.reader.followed.known_periods(during, patient) {
            return Ok(known);
        }
        let prefix = self.reader.referrers(during.source, during.by, patient);
        let mut keys = self.reader.view.prefix(Space::Index, &prefix)?;
        let mut periods = Vec::new();
        while let Some(found) = keys.next_key()? {
            let row = key::row_of(&found).ok_or(Damaged("index key"))?;
            if let Some(stored) = self.reader.current(during.source, row)?
                && self.reader.meant(&during.predicate, &stored)?
            {
                let values = EncodedValues::new(stored.values()?);
                let before = periods.len();
                search::Values::any(&values, during.period, &mut |value| {
                    if let search::ValueRef::Date { low, high } = value {
                        periods.push((low, high));
                    }
                    false
                });
                if periods.len() == before {
                    periods.push(ALWAYS);
                }
            }
        }
        let periods = periods.into();
        self.reader.followed.note_periods(during, patient, &periods);
        Ok(periods)
    }
}

impl Related for Joined<'_> {
    fn target_matches(&self, target: ResourceType, id: &LogicalId, predicate: &Arc<Predicate>) -> bool {
        self.keep(self.target(target, id, predicate))
    }

    fn referred_to(&self, to: (ResourceType, &LogicalId), by: (ResourceType, ParameterId), these: &Predicate) -> bool {
        self.keep(self.referrer(to, by.0, by.1, these))
    }

    fn now(&self) -> Instant {
        self.reader.at
    }

    fn rule(&self, ruling: &Arc<dyn Ruling>, patient: &LogicalId) -> Arc<Predicate> {
        let rule = self.reader.rule(ruling, patient, self);
        rule.unwrap_or_else(|fault| {
            self.fault.borrow_mut().get_or_insert(fault);
            Arc::new(Predicate::Nothing)
        })
    }

    fn periods(&self, patient: (ResourceType, &LogicalId), during: &Arc<During>) -> Arc<[(i64, i64)]> {
        self.keep(self.periods_of(patient, during))
    }
}
