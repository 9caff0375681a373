//! What snapshots, plans and the writer share: one view with the names of types and parameters,
//! and the one place where a stored version is held against a permit.

use crate::engine::{
    Fault, Space, Value, View,
    key::{self, Row},
    record::{Damaged, Place, Version},
};
use fhir::{Instant, LogicalId, ResourceType, VersionId};
use policy::{Access, Need, Permit};
use search::{
    ParameterId, Predicate, Registry,
    encoded::EncodedValues,
    matcher::{Related, Subject, matches},
};
use std::{cell::RefCell, sync::Arc};

use crate::{Found, limits, plan::Heavy, types::Types};

/// What a permit says: the only question the store asks of one. Tests answer it themselves.
pub(crate) trait Covers: Send + Sync {
    /// Which resources of this type are covered for this need.
    fn access(&self, resource_type: ResourceType, need: Need) -> &Access;
}

impl Covers for Permit {
    fn access(&self, resource_type: ResourceType, need: Need) -> &Access {
        Permit::access(self, resource_type, need)
    }
}

/// One view of the store.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    pub(crate) view: View,
    pub(crate) types: Arc<Types>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) search: limits::Search,
    pub(crate) heavy: Arc<Heavy>,
}

/// A stored version, its bytes shared with the engine.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) kind: ResourceType,
    pub(crate) row: Row,
    bytes: Value,
}

impl Stored {
    pub(crate) fn version(&self) -> Result<Version<'_>, Damaged> {
        Version::decode(&self.bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Id, time and values, for the matcher.
    pub(crate) fn subject<T>(&self, look: impl FnOnce(Subject<'_>) -> T) -> Result<T, Fault> {
        let version = self.version()?;
        let id = LogicalId::parse(version.id).map_err(|_| Damaged("id"))?;
        let values = EncodedValues::new(version.values);
        let last_updated = Instant::from_unix_millis(version.last_updated);
        Ok(look(Subject { resource_type: self.kind, id: &id, last_updated, values: &values }))
    }
}

impl Reader {
    /// Where the newest version of a resource is.
    pub(crate) fn place(&self, kind: ResourceType, id: &str) -> Result<Option<Place>, Fault> {
        let value = self.view.value(Space::Id, &key::id(self.types.number(kind), id))?;
        Ok(value.map(|value| Place::decode(&value)).transpose()?)
    }

    /// The current version of a row; `None` when it is deleted.
    pub(crate) fn current(&self, kind: ResourceType, row: Row) -> Result<Option<Stored>, Fault> {
        let value = self.view.value(Space::Current, &key::current(self.types.number(kind), row))?;
        Ok(value.map(|bytes| Stored { kind, row, bytes }))
    }

    /// A version of a row that is current no more, or its deletion.
    pub(crate) fn past(&self, kind: ResourceType, row: Row, version: u32) -> Result<Option<Stored>, Fault> {
        let value = self.view.value(Space::History, &key::history(self.types.number(kind), row, version))?;
        Ok(value.map(|bytes| Stored { kind, row, bytes }))
    }

    /// A pair of `current` or `history` as a version.
    pub(crate) fn stored(kind: ResourceType, row: Row, bytes: Value) -> Stored {
        Stored { kind, row, bytes }
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
            Access::Where(predicate) => self.meant(predicate, stored),
        }
    }

    /// Whether the predicate means this version.
    pub(crate) fn meant(&self, predicate: &Predicate, stored: &Stored) -> Result<bool, Fault> {
        stored.subject(|subject| self.means(predicate, subject))?
    }

    /// Whether the predicate means this subject, which may not be stored yet.
    pub(crate) fn means(&self, predicate: &Predicate, subject: Subject<'_>) -> Result<bool, Fault> {
        let joined = Joined { reader: self, fault: RefCell::new(None) };
        let meant = matches(&self.registry, predicate, subject, &joined);
        match joined.fault.into_inner() {
            Some(fault) => Err(fault),
            None => Ok(meant),
        }
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

    /// The version as it leaves.
    pub(crate) fn found(&self, stored: &Stored) -> Result<Found, Fault> {
        let version = stored.version()?;
        let id = LogicalId::parse(version.id).map_err(|_| Damaged("id"))?;
        let values = EncodedValues::new(version.values);
        Ok(Found {
            resource_type: stored.kind,
            patients: search::matcher::patients_of(&values, &self.registry, stored.kind, &id),
            id,
            version: VersionId::new(version.version).ok_or(Damaged("version number"))?,
            last_updated: Instant::from_unix_millis(version.last_updated),
            bytes: bytes::Bytes::copy_from_slice(version.json),
            method: version.method,
        })
    }
}

/// References followed over the view. The trait cannot fail, so a fault is kept and asked for after.
struct Joined<'a> {
    reader: &'a Reader,
    fault: RefCell<Option<Fault>>,
}

impl Joined<'_> {
    fn keep(&self, result: Result<bool, Fault>) -> bool {
        result.unwrap_or_else(|fault| {
            self.fault.borrow_mut().get_or_insert(fault);
            false
        })
    }

    fn target(&self, kind: ResourceType, id: &LogicalId, predicate: &Predicate) -> Result<bool, Fault> {
        let Some(place) = self.reader.place(kind, id.as_str())?.filter(|place| !place.deleted) else {
            return Ok(false);
        };
        match self.reader.current(kind, place.row)? {
            Some(stored) => self.reader.meant(predicate, &stored),
            None => Ok(false),
        }
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

impl Related for Joined<'_> {
    fn target_matches(&self, target: ResourceType, id: &LogicalId, predicate: &Predicate) -> bool {
        self.keep(self.target(target, id, predicate))
    }

    fn referred_to(
        &self,
        subject: (ResourceType, &LogicalId),
        source: ResourceType,
        parameter: ParameterId,
        predicate: &Predicate,
    ) -> bool {
        self.keep(self.referrer(subject, source, parameter, predicate))
    }
}
