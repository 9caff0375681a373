//! `provision.data`: single resources and what goes with them. SPEC: R4 consent.html, code system consent-data-meaning;
//! IHE PCF (related); row G4.
//!
//! | meaning | means |
//! |---|---|
//! | `instance` | the resource itself, in each of its versions |
//! | `dependents` | and all that refers to it |
//! | `related` | and all that it refers to, but for the Patient; and all that refers to it, which is what PCF means by it |
//! | `authoredby` | what this person, role or organization wrote, did, ordered or said ([`super::facts`]); for a deny also what a Provenance says is of them, and what could have an author and names none |
//!
//! A role of the author counts as the author. References count where a search parameter finds them, R4's own or the
//! server's hidden one.

use super::{
    algebra::{Criterion, Sides, and, nothing, or},
    facts,
    read::reference,
};
use fhir::{LogicalId, ResourceType, json::Value};
use search::{ParameterId, Predicate, Test, predicate::ReferenceTest};
use std::sync::{Arc, LazyLock};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    Instance,
    Related,
    Dependents,
    AuthoredBy,
}

/// One `data`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Data {
    meaning: Meaning,
    kind: ResourceType,
    id: LogicalId,
}

pub(crate) fn read(value: Value<'_>) -> Option<Data> {
    if super::read::is_modified(value) {
        return None;
    }
    let meaning = match &*value.get("meaning").and_then(Value::as_str)? {
        "instance" => Meaning::Instance,
        "related" => Meaning::Related,
        "dependents" => Meaning::Dependents,
        "authoredby" => Meaning::AuthoredBy,
        _ => return None,
    };
    let (kind, id) = reference(value.get("reference")?)?;
    Some(Data { meaning, kind, id })
}

pub(crate) fn sides(criterion: &Criterion<Data>, kind: ResourceType) -> Sides {
    criterion.sides(|data| of(data, kind))
}

fn of(data: &Data, kind: ResourceType) -> Sides {
    if data.meaning == Meaning::AuthoredBy {
        return authored(data, kind);
    }
    let itself = || {
        if data.kind == kind { Arc::new(Predicate::Id(vec![data.id.clone()])) } else { nothing() }
    };
    let dependents = || or(facts::of(kind).references.iter().map(|parameter| names(*parameter, data)));
    let referred = || {
        // Whom it is about is nothing that goes with it: everything is about the Patient.
        if kind.name() == "Patient" {
            return nothing();
        }
        let predicate = Arc::new(Predicate::Id(vec![data.id.clone()]));
        let references = facts::of(data.kind).references.iter();
        or(references.filter(|parameter| reaches(**parameter, kind)).map(|parameter| {
            let (source, predicate) = (data.kind, Arc::clone(&predicate));
            Arc::new(Predicate::Has { source, parameter: *parameter, predicate })
        }))
    };
    Sides::exact(match data.meaning {
        Meaning::Instance | Meaning::AuthoredBy => itself(),
        Meaning::Dependents => or([itself(), dependents()]),
        Meaning::Related => or([itself(), dependents(), referred()]),
    })
}

/// Whether a reference parameter may point at this type.
fn reaches(parameter: ParameterId, kind: ResourceType) -> bool {
    let found = search::registry::registry().by_id(parameter);
    found.is_some_and(|one| one.targets.is_empty() || one.targets.contains(&kind))
}

fn names(parameter: ParameterId, data: &Data) -> Arc<Predicate> {
    let test = Test::Reference(ReferenceTest::Target(data.kind, data.id.clone()));
    Arc::new(Predicate::Value { parameter, test })
}

/// Parameters of other types that authors are found by.
struct Paths {
    role: ResourceType,
    practitioner: ParameterId,
    provenance: ResourceType,
    target: ParameterId,
    agent: ParameterId,
}

static PATHS: LazyLock<Option<Paths>> = LazyLock::new(|| {
    let registry = search::registry::registry();
    let (role, provenance) = (ResourceType::parse("PractitionerRole").ok()?, ResourceType::parse("Provenance").ok()?);
    Some(Paths {
        practitioner: registry.parameter(role, "practitioner")?.id,
        target: registry.parameter(provenance, "target")?.id,
        agent: registry.parameter(provenance, "agent")?.id,
        role,
        provenance,
    })
});

fn authored(data: &Data, kind: ResourceType) -> Sides {
    let Some(paths) = &*PATHS else { return Sides::doubtful() };
    let names = |parameter: ParameterId| {
        let named = names(parameter, data);
        if data.kind.name() != "Practitioner" {
            return named;
        }
        let predicate = names(paths.practitioner, data);
        or([named, Arc::new(Predicate::Chain { parameter, target: paths.role, predicate })])
    };
    let authors = &facts::of(kind).authors;
    let surely = or(authors.iter().map(|parameter| names(*parameter)));
    let told = Predicate::Has { source: paths.provenance, parameter: paths.target, predicate: names(paths.agent) };
    let unnamed = if authors.is_empty() {
        nothing()
    } else {
        let missing = |parameter: &ParameterId| Arc::new(Predicate::Missing { parameter: *parameter, missing: true });
        and(authors.iter().map(missing))
    };
    Sides { maybe: or([Arc::clone(&surely), Arc::new(told), unnamed]), surely }
}
