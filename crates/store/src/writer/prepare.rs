//! What can be done before the queue, on the calling task: index values drawn out and encoded,
//! index keys made, the server's mark prepared. The writer then only looks, copies and commits.

use crate::{
    Change, Labels, Transaction,
    engine::{
        Fault, key,
        record::{Damaged, Hash, Version},
    },
    indexer::completed,
    page::Method,
    reader::Covers,
    transaction::{Again, Condition},
    types::Types,
};
use bytes::Bytes;
use fhir::{Instant, LogicalId, ResourceType, VersionId, json::Tree, stamp::Template};
use search::{
    ParameterKind, Registry,
    encoded::{self, EncodedValues},
    matcher::patients_of,
};
use std::sync::Arc;

/// A transaction ready for the writer.
pub(crate) struct Work {
    pub(crate) changes: Vec<Prepared>,
    pub(crate) resolved: Vec<(Condition, LogicalId, Arc<dyn Covers>)>,
    pub(crate) audit: Vec<audit::Entry>,
    pub(crate) glasses: Vec<(Arc<str>, Arc<str>)>,
    pub(crate) now: Instant,
    /// What index values were drawn out with.
    pub(crate) registry: Arc<Registry>,
    /// About how many bytes it holds.
    pub(crate) bytes: usize,
}

/// One change ready for the writer.
pub(crate) struct Prepared {
    pub(crate) kind: ResourceType,
    pub(crate) id: LogicalId,
    pub(crate) permit: Arc<dyn Covers>,
    pub(crate) action: Action,
}

pub(crate) enum Action {
    Create {
        body: Body,
        unless: Option<Condition>,
    },
    Update {
        body: Body,
        if_match: Option<VersionId>,
        if_none_match_any: bool,
        labels: Labels,
    },
    Delete {
        if_match: Option<VersionId>,
    },
    /// About the version that the change at this place makes.
    Note {
        body: Body,
        of: usize,
        expected: VersionId,
        again: Again,
    },
}

/// A resource to be stored.
pub(crate) struct Body {
    /// JSON with holes for version and time.
    pub(crate) json: Template,
    /// The JSON as it most likely will be.
    pub(crate) ready: Option<Ready>,
    /// It has parts that can be withheld alone.
    pub(crate) labelled: bool,
    /// Encoded index values.
    pub(crate) values: Vec<u8>,
    pub(crate) postings: Postings,
    pub(crate) patients: Vec<LogicalId>,
}

/// A first version, made before it is known whether it will be that.
pub(crate) struct Ready {
    now: Instant,
    pub(crate) json: Bytes,
    /// What the chain of commits vouches for.
    pub(crate) digest: Hash,
}

impl Ready {
    /// Whether this is what the version will be.
    pub(crate) fn is_for(&self, version: VersionId, now: Instant) -> bool {
        version == VersionId::FIRST && self.now == now
    }
}

/// Begins of the index keys of one resource; its row follows each.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Postings {
    pub(crate) index: Keys,
    pub(crate) compartment: Keys,
}

/// Begins of keys: sorted, each once. One after the other in one piece of memory.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    bytes: Vec<u8>,
    spans: Vec<(u32, u32)>,
}

impl Keys {
    fn push(&mut self, parts: &[&[u8]]) {
        let start = self.bytes.len();
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
        // INVARIANT: keys of a body below 4 GiB.
        let at = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        self.spans.push((at(start), at(self.bytes.len())));
    }

    fn sort(&mut self) {
        let Self { bytes, spans } = self;
        let key = |span: &(u32, u32)| bytes.get(span.0 as usize..span.1 as usize).unwrap_or_default();
        spans.sort_unstable_by(|a, b| key(a).cmp(key(b)));
        spans.dedup_by(|a, b| key(a) == key(b));
    }

    fn key(&self, span: (u32, u32)) -> &[u8] {
        self.bytes.get(span.0 as usize..span.1 as usize).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.spans.iter().map(|span| self.key(*span))
    }

    /// Whether this key is one of them.
    pub(crate) fn has(&self, key: &[u8]) -> bool {
        self.spans.binary_search_by(|span| self.key(*span).cmp(key)).is_ok()
    }
}

/// Which parameters are also indexed within a patient's compartment: those that people filter a
/// patient's record by. Identifiers and references select well enough by themselves.
pub(crate) fn in_compartment(registry: &Registry, parameter: search::ParameterId) -> bool {
    registry.by_id(parameter).is_some_and(|parameter| {
        matches!(parameter.kind, ParameterKind::Token | ParameterKind::Date)
            && !parameter.code.starts_with('_')
            && parameter.code != "identifier"
    })
}

/// The index keys of a resource with these values.
pub(crate) fn postings(
    types: &Types,
    registry: &Registry,
    kind: ResourceType,
    patients: &[LogicalId],
    values: EncodedValues<'_>,
) -> Postings {
    let number = types.number(kind);
    let mut postings = Postings::default();
    // Most resources have some twenty keys of some thirty bytes.
    postings.index.bytes.reserve(1024);
    postings.index.spans.reserve(32);
    for patient in patients {
        postings.compartment.push(&[&key::compartment(patient.as_str(), number, key::MEMBERSHIP, &[])]);
    }
    let mut last = None;
    let mut narrow = false;
    for (parameter, value) in values.iter() {
        if !registry.is_listed(parameter) {
            continue;
        }
        if last != Some(parameter) {
            last = Some(parameter);
            narrow = in_compartment(registry, parameter);
        }
        let of_type = key::of_type(number, parameter);
        search::index_key::keys(value, &mut |value| {
            postings.index.push(&[&of_type, value]);
            if narrow {
                for patient in patients {
                    postings.compartment.push(&[patient.as_str().as_bytes(), &[0], &of_type, value]);
                }
            }
        });
    }
    postings.index.sort();
    postings.compartment.sort();
    postings
}

/// What preparing needs to know.
pub(crate) struct Preparer {
    pub(crate) types: Arc<Types>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) base_url: String,
}

impl Preparer {
    /// Prepares a whole transaction.
    pub(crate) fn transaction(&self, transaction: Transaction) -> Work {
        let Transaction { changes, resolved, audit, glasses, now } = transaction;
        let mut bytes = audit.len() * 256;
        let changes = changes
            .into_iter()
            .map(|(change, permit)| {
                let permit: Arc<dyn Covers> = Arc::new(permit);
                let (kind, id, action) = match change {
                    Change::Create { id, resource, unless } => {
                        bytes += resource.tree().bytes().len() * 2;
                        let kind = resource.resource_type();
                        let body = self.new_body(&resource, &id, now);
                        let unless = unless.map(|predicate| Condition::new(kind, predicate));
                        (kind, id, Action::Create { body, unless })
                    }
                    Change::Update { id, resource, if_match, if_none_match_any, labels } => {
                        bytes += resource.tree().bytes().len() * 2;
                        let body = self.body(&resource, &id);
                        (resource.resource_type(), id, Action::Update { body, if_match, if_none_match_any, labels })
                    }
                    Change::Note { id, of, expected, resource, again } => {
                        bytes += resource.tree().bytes().len() * 2;
                        let kind = resource.resource_type();
                        let body = self.new_body(&resource, &id, now);
                        (kind, id, Action::Note { body, of, expected, again })
                    }
                    Change::Delete { resource_type, id, if_match } => (resource_type, id, Action::Delete { if_match }),
                };
                Prepared { kind, id, permit, action }
            })
            .collect();
        let resolved = resolved
            .into_iter()
            .map(|(kind, predicate, id, permit)| {
                let permit: Arc<dyn Covers> = Arc::new(permit);
                (Condition::new(kind, predicate), id, permit)
            })
            .collect();
        Work { changes, resolved, audit, glasses, now, registry: Arc::clone(&self.registry), bytes }
    }

    /// Draws out the values of added parameters again: they became others since the work was prepared.
    ///
    /// # Errors
    /// When what was prepared cannot be read back, which does not happen.
    pub(crate) fn renew(&self, work: &mut Work) -> Result<(), Fault> {
        work.registry = Arc::clone(&self.registry);
        for change in &mut work.changes {
            let (Action::Create { body, .. } | Action::Update { body, .. } | Action::Note { body, .. }) =
                &mut change.action
            else {
                continue;
            };
            let json = body.json.stamp(VersionId::FIRST, work.now);
            let tree = Tree::parse(json).map_err(|_| Damaged("prepared JSON"))?;
            body.values = completed(&self.registry, &body.values, &tree, &self.base_url)?;
            let values = EncodedValues::new(&body.values);
            body.postings = postings(&self.types, &self.registry, change.kind, &body.patients, values);
        }
        Ok(())
    }

    /// The body of a resource that is created now.
    pub(crate) fn new_body(&self, resource: &validation::Validated, id: &LogicalId, now: Instant) -> Body {
        let mut body = self.body(resource, id);
        body.ready = Some(body.first(resource.resource_type(), id, now));
        body
    }

    fn body(&self, resource: &validation::Validated, id: &LogicalId) -> Body {
        let (values, labelled) = crate::rebuild::drawn(&self.registry, resource.tree(), &self.base_url);
        let template = Template::new(resource.tree().root(), id);
        let body = self.with_values(template, &values, resource.resource_type(), id);
        Body { labelled, ..body }
    }

    /// A body of ready values.
    pub(crate) fn with_values(
        &self,
        json: Template,
        values: &search::IndexValues,
        kind: ResourceType,
        id: &LogicalId,
    ) -> Body {
        let patients = patients_of(values, &self.registry, kind, id);
        let values = encoded::encode(values);
        let postings = postings(&self.types, &self.registry, kind, &patients, EncodedValues::new(&values));
        Body { json, ready: None, labelled: false, values, postings, patients }
    }
}

impl Body {
    /// The first version of a resource that is created now.
    fn first(&self, kind: ResourceType, id: &LogicalId, now: Instant) -> Ready {
        let json = Bytes::from(self.json.stamp(VersionId::FIRST, now));
        let version = Version {
            method: Method::Create,
            labelled: self.labelled,
            version: VersionId::FIRST.number(),
            last_updated: now.unix_millis(),
            commit: 0,
            id: id.as_str(),
            values: &[],
            json: &json,
        };
        let digest = version.digest(kind.name());
        Ready { now, digest, json }
    }
}
