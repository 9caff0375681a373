//! A store in a directory that vanishes, resources of a few types, and permits made up at will.

use crate::{
    CommitError, Committed, OpenError, Options, Store,
    reader::Covers,
    transaction::{Condition, Done},
    writer::prepare::{Action, Body, Prepared, Work},
};
use audit::Entry;
use fhir::{Instant, LogicalId, ResourceType, VersionId, json::Tree, stamp::Template};
use policy::{Access, Need};
use search::Predicate;
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

pub(crate) const BASE: &str = "https://example.org/fhir";

pub(crate) fn kind(name: &str) -> ResourceType {
    ResourceType::parse(name).unwrap()
}

pub(crate) fn id(text: &str) -> LogicalId {
    LogicalId::parse(text).unwrap()
}

pub(crate) fn at(millis: i64) -> Instant {
    Instant::from_unix_millis(1_700_000_000_000 + millis)
}

/// A permit as a table; what is not in it is the default.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) default: Access,
    pub(crate) of: HashMap<(ResourceType, Need), Access>,
}

impl Covers for Table {
    fn access(&self, resource_type: ResourceType, need: Need) -> &Access {
        self.of.get(&(resource_type, need)).unwrap_or(&self.default)
    }
}

pub(crate) fn everything() -> Arc<Table> {
    Arc::new(Table { default: Access::Everything, of: HashMap::new() })
}

/// Everything, but of one type only what the predicate means, for every need.
pub(crate) fn only(resource_type: ResourceType, predicate: Predicate) -> Arc<Table> {
    let predicate = Arc::new(predicate);
    let needs = [Need::Read, Need::Search, Need::Create, Need::Update, Need::Delete];
    let of = needs.map(|need| ((resource_type, need), Access::Where(Arc::clone(&predicate))));
    Arc::new(Table { default: Access::Everything, of: HashMap::from(of) })
}

pub(crate) fn entry(subtype: &str, touched: &[(ResourceType, LogicalId)]) -> Entry {
    Entry {
        recorded: at(0),
        kind: audit::entry::Kind::Rest,
        subtype: subtype.into(),
        action: audit::entry::Action::Create,
        outcome: audit::entry::Outcome::Success,
        outcome_text: None,
        client_id: Some("test".into()),
        token_name: None,
        person: None,
        organization: None,
        grounds: None,
        address: None,
        request_id: "request".into(),
        query: None,
        touched: touched
            .iter()
            .map(|(resource_type, id)| audit::entry::Touched {
                resource_type: *resource_type,
                id: id.clone(),
                version: None,
            })
            .collect(),
        patients: Vec::new(),
    }
}

pub(crate) struct World {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) store: Option<Store>,
}

pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

pub(crate) fn open(path: &Path) -> Result<Store, OpenError> {
    let options = Options { base_url: BASE.into(), strict_audit: false };
    Store::open(path, Arc::clone(search::registry()), options)
}

impl World {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Some(open(directory.path()).unwrap());
        Self { directory, store }
    }

    /// With limits of a search of its own.
    pub(crate) fn small(search: crate::limits::Search) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = Options { base_url: BASE.into(), strict_audit: false };
        let given = crate::Given { secret: [7; 32], search };
        let store = Store::open_given(directory.path(), Arc::clone(search::registry()), options, given);
        Self { directory, store: Some(store.unwrap()) }
    }

    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    pub(crate) fn reopen(&mut self) {
        self.store = None;
        self.store = Some(open(self.directory.path()).unwrap());
    }

    /// A copy of the files as they are: what a power cut would leave, everything synced being there.
    pub(crate) fn image(&self) -> tempfile::TempDir {
        let image = tempfile::tempdir().unwrap();
        copy(self.directory.path(), image.path());
        image
    }

    pub(crate) fn body(&self, json: &str, id: &LogicalId) -> (ResourceType, Body) {
        let preparer = self.store().preparer();
        let tree = Tree::parse(json.as_bytes().to_vec()).unwrap();
        let kind = kind(&tree.resource_type().unwrap());
        let values = crate::rebuild::extract(&preparer.registry, &tree, BASE);
        let template = Template::new(tree.root(), id);
        (kind, preparer.with_values(template, &values, kind, id))
    }

    pub(crate) fn create(&self, json: &str, name: &str) -> Prepared {
        let id = id(name);
        let (kind, body) = self.body(json, &id);
        Prepared { kind, id, permit: everything(), action: Action::Create { body, unless: None } }
    }

    pub(crate) fn create_unless(&self, json: &str, name: &str, predicate: Predicate) -> Prepared {
        let mut prepared = self.create(json, name);
        if let Action::Create { unless, .. } = &mut prepared.action {
            *unless = Some(Condition::new(prepared.kind, Arc::new(predicate)));
        }
        prepared
    }

    pub(crate) fn update(&self, json: &str, name: &str, if_match: Option<u32>) -> Prepared {
        let id = id(name);
        let (kind, body) = self.body(json, &id);
        let if_match = if_match.and_then(VersionId::new);
        let action = Action::Update { body, if_match, if_none_match_any: false, labels: crate::Labels::Kept };
        Prepared { kind, id, permit: everything(), action }
    }

    pub(crate) fn delete(&self, name: &str, of: &str) -> Prepared {
        Prepared { kind: kind(name), id: id(of), permit: everything(), action: Action::Delete { if_match: None } }
    }

    pub(crate) fn try_commit(&self, changes: Vec<Prepared>, millis: i64) -> Result<Committed, CommitError> {
        wait(self.store().commit_work(work(changes, millis)))
    }

    pub(crate) fn commit(&self, changes: Vec<Prepared>, millis: i64) -> Vec<Done> {
        self.try_commit(changes, millis).unwrap().into_parts().0
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().to_owned()
    }
}

pub(crate) fn work(changes: Vec<Prepared>, millis: i64) -> Work {
    let audit = changes.iter().map(|change| entry("create", &[(change.kind, change.id.clone())])).collect();
    let registry = Arc::clone(search::registry());
    Work { changes, resolved: Vec::new(), audit, glasses: Vec::new(), now: at(millis), registry, bytes: 1000 }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub(crate) fn patient(family: &str) -> String {
    format!(r#"{{"resourceType":"Patient","name":[{{"family":"{family}"}}],"active":true}}"#)
}

pub(crate) fn observation(patient: &str, code: &str, day: u32) -> String {
    format!(
        r#"{{"resourceType":"Observation","status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}},"subject":{{"reference":"Patient/{patient}"}},"effectiveDateTime":"2024-01-{day:02}"}}"#
    )
}
