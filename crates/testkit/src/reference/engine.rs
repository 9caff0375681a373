//! The engine in the same world: `policy::consent` over what the store would have drawn out of each resource.

use super::decider::{Caller, Defaults, House, Kind, World};
use fhir::{Instant, LogicalId, ResourceType, element::Element, json::Tree};
use policy::{
    Identity,
    consent::{Asking, Combine, ConsentSource, Directives, Glass, Implicit, Ruling, Settings, View},
};
use search::{
    IndexValues, ParameterId, Predicate, Registry, Test, compare,
    matcher::{Related, Subject, matches},
    predicate::ReferenceTest,
};
use serde_json::Value;
use std::{collections::HashMap, sync::Arc};

const BASE: &str = "https://world.invalid/fhir";

/// A resource in both forms.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) json: Value,
    kind: ResourceType,
    id: LogicalId,
    values: IndexValues,
}

/// Resources that know each other.
#[derive(Debug)]
pub(super) struct Engine {
    registry: Arc<Registry>,
    now: Instant,
    resources: Vec<Resource>,
    patient: LogicalId,
}

impl Engine {
    pub(super) fn new(world: &World) -> Self {
        let mut engine = Self {
            registry: Arc::clone(search::registry::registry()),
            now: Instant::from_unix_millis(world.now),
            resources: Vec::new(),
            patient: LogicalId::parse("pat").unwrap(),
        };
        engine.resources = world.resources.iter().map(|json| engine.resource(json.clone())).collect();
        engine
    }

    pub(super) fn resource(&self, json: Value) -> Resource {
        let tree = Tree::parse(serde_json::to_vec(&json).unwrap()).unwrap();
        let element = Element::resource(&tree, self.registry.schema()).unwrap();
        let kind = ResourceType::parse(element.definition.name).unwrap();
        let id = LogicalId::parse(json["id"].as_str().unwrap()).unwrap();
        let values = search::extract(&self.registry, element, BASE);
        Resource { json, kind, id, values }
    }

    pub(super) fn read(&self, consents: &[Value]) -> Directives {
        let texts: Vec<(String, Vec<u8>)> =
            consents.iter().enumerate().map(|(at, one)| (format!("c{at}"), serde_json::to_vec(one).unwrap())).collect();
        let source = |(id, json): &'_ (String, Vec<u8>)| -> (String, Vec<u8>) { (id.clone(), json.clone()) };
        let texts: Vec<(String, Vec<u8>)> = texts.iter().map(source).collect();
        let sources: Vec<ConsentSource<'_>> =
            texts.iter().map(|(id, json)| ConsentSource { id, version: 1, json }).collect();
        Directives::read(&sources)
    }

    pub(super) fn asking<'a>(&'a self, caller: &Caller, house: &House, read: &'a Directives) -> Asks<'a> {
        let asking = match caller.kind {
            Kind::Clinician => Asking::Clinician,
            Kind::Person => Asking::Person,
            Kind::Organization => Asking::Organization,
            Kind::System => Asking::System,
        };
        let purposes: Vec<_> =
            caller.purposes.iter().map(|code| oauth::udap::purpose::Purpose::parse(code).unwrap()).collect();
        let settings = Settings {
            default: match house.default {
                Defaults::AllNormal => Implicit::AllNormal,
                Defaults::BasicNormal => Implicit::BasicNormal,
                Defaults::BreakGlassOnly => Implicit::BreakGlassOnly,
                Defaults::Deny => Implicit::Deny,
            },
            combine: if house.newest { Combine::Newest } else { Combine::DenyOverrides },
            glass: if house.glass_overrides { Glass::Overrides } else { Glass::AsConsented },
        };
        let view = View::new(asking, Identity::new(&caller.own), &purposes, settings, &self.registry);
        Asks { engine: self, view: Arc::new(view), read, made: HashMap::new() }
    }

    fn means(&self, one: &Resource, predicate: &Predicate) -> bool {
        let subject = Subject { resource_type: one.kind, id: &one.id, last_updated: self.now, values: &one.values };
        matches(&self.registry, predicate, subject, self)
    }
}

/// One caller before one set of Consents.
pub(super) struct Asks<'a> {
    engine: &'a Engine,
    view: Arc<View>,
    read: &'a Directives,
    made: HashMap<(ResourceType, bool), Arc<Predicate>>,
}

impl Asks<'_> {
    /// Whether the rule is beyond the engine's limit, where nothing is left by design.
    pub(super) fn is_too_large(&self, resource: &Resource, gives: bool) -> bool {
        let ruling =
            if gives { Ruling::gives(&self.view, resource.kind) } else { Ruling::guard(&self.view, resource.kind) };
        ruling.is_too_large(self.read, self.engine)
    }

    /// Whether the resource is left to the caller, or given.
    pub(super) fn decides(&mut self, resource: &Resource, gives: bool) -> bool {
        let predicate = self.made.entry((resource.kind, gives)).or_insert_with(|| {
            let ruling =
                if gives { Ruling::gives(&self.view, resource.kind) } else { Ruling::guard(&self.view, resource.kind) };
            ruling.of(&self.engine.patient, Some(self.read), self.engine)
        });
        self.engine.means(resource, predicate)
    }
}

impl Related for Engine {
    fn target_matches(&self, target: ResourceType, id: &LogicalId, predicate: &Arc<Predicate>) -> bool {
        self.resources.iter().any(|one| one.kind == target && one.id == *id && self.means(one, predicate))
    }

    fn referred_to(&self, to: (ResourceType, &LogicalId), by: (ResourceType, ParameterId), these: &Predicate) -> bool {
        let test = Test::Reference(ReferenceTest::Target(to.0, to.1.clone()));
        let refers = |one: &Resource| one.values.of(by.1).any(|value| compare::passes(&test, value.borrow()));
        self.resources.iter().any(|one| one.kind == by.0 && refers(one) && self.means(one, these))
    }

    fn now(&self) -> Instant {
        self.now
    }

    fn rule(&self, _: &Arc<dyn search::predicate::Ruling>, _: &LogicalId) -> Arc<Predicate> {
        Arc::new(Predicate::Nothing)
    }
}
