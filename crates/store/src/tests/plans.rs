//! Searches in a few well-chosen stores: includes, cursors, audit events, the compartment's index.
//! Random ones are the business of `oracle`.

use super::world::*;
use crate::{Page, ReadError, Snapshot, page::Found};
use policy::{Access, Need};
use proptest::prelude::ProptestConfig;
use search::{
    ParameterId, Predicate, Query, Test,
    predicate::{ReferenceTest, TokenTest},
    query::{Direction, Include, SortKey, Total},
};
use std::sync::Arc;

pub(super) fn parameter(of: &str, code: &str) -> ParameterId {
    search::registry().parameter(kind(of), code).unwrap_or_else(|| panic!("{of}.{code}")).id
}

#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) of: &'static str,
    pub(super) predicate: Arc<Predicate>,
    pub(super) permit: Arc<Table>,
    pub(super) sort: Vec<SortKey>,
    pub(super) count: usize,
}

pub(super) fn query(asked: &Asked, total: Total) -> Query {
    Query {
        resource_type: kind(asked.of),
        predicate: Arc::clone(&asked.predicate),
        sort: asked.sort.clone(),
        count: asked.count,
        total,
        includes: Vec::new(),
        revincludes: Vec::new(),
        applied: "asked".into(),
        warnings: Vec::new(),
    }
}

/// All pages one after the other.
pub(super) fn walked(snapshot: &Snapshot, asked: &Asked, total: Total) -> (Vec<Found>, Vec<Option<u64>>) {
    let (mut found, mut totals) = (Vec::new(), Vec::new());
    let mut cursor = None;
    loop {
        let page: Page =
            snapshot.search_under(asked.permit.as_ref(), &query(asked, total), cursor.as_deref(), "me").unwrap();
        assert!(page.matches.len() <= asked.count);
        totals.push(page.total);
        found.extend(page.matches);
        cursor = page.next;
        if cursor.is_none() {
            return (found, totals);
        }
    }
}

/// `cargo test` means the same on every machine: `.cargo/config.toml` gives all properties their seed.
#[test]
fn properties_start_from_a_fixed_seed() {
    assert!(matches!(ProptestConfig::default().rng_seed, proptest::test_runner::RngSeed::Fixed(_)));
}

/// `patient=` goes by the compartment's index, since it finds a part of what `subject` finds; the
/// values of a property's stores must keep to that as extraction does. (A store once made of values
/// that no resource has differed from the matcher here.)
#[test]
fn a_search_by_patient_within_the_compartment_finds_what_subject_names() {
    let world = World::new();
    let json = |reference: &str| {
        format!(
            r#"{{"resourceType":"Observation","status":"final","subject":{{"reference":"{reference}"}},"code":{{"coding":[{{"system":"s","code":"a"}}]}},"performer":[{{"reference":"Patient/r6"}}]}}"#
        )
    };
    let forms = ["Patient/r9", "Patient/r9/_history/1", "https://example.org/fhir/Patient/r9", "Group/r9"];
    let all = forms.iter().enumerate().map(|(at, form)| world.create(&json(form), &format!("o{at}"))).collect();
    world.commit(all, 0);
    let value = |code: &str, test| Arc::new(Predicate::Value { parameter: parameter("Observation", code), test });
    let patient = Test::Reference(ReferenceTest::Target(kind("Patient"), id("r9")));
    let performer = Test::Reference(ReferenceTest::AnyType(id("r6")));
    let code = Test::Token(TokenTest::SystemCode("s".into(), "a".into()));
    let snapshot = world.store().snapshot(at(0));
    let parts = vec![value("performer", performer), value("patient", patient), value("code", code)];
    let with = |query: &mut Query| query.predicate = Arc::new(Predicate::And(parts));
    let (matches, _) = searched(&snapshot, &everything(), with).unwrap();
    assert_eq!(matches, ["Observation/o0", "Observation/o1", "Observation/o2"]);
}

fn searched(
    snapshot: &Snapshot,
    permit: &Arc<Table>,
    change: impl FnOnce(&mut Query),
) -> Result<(Vec<String>, Vec<String>), ReadError> {
    let asked = Asked {
        of: "Observation",
        predicate: Arc::new(Predicate::All),
        permit: Arc::clone(permit),
        sort: Vec::new(),
        count: 10,
    };
    let mut query = query(&asked, Total::None);
    change(&mut query);
    let page = snapshot.search_under(permit.as_ref(), &query, None, "me")?;
    let names = |list: Vec<Found>| list.iter().map(|found| format!("{}/{}", found.resource_type, found.id)).collect();
    Ok((names(page.matches), names(page.included)))
}

#[test]
fn includes_come_once_and_under_their_own_permit() {
    // Row F2.
    let world = World::new();
    world.commit(
        vec![
            world.create(&patient("Ada"), "p1"),
            world.create(&patient("Bea"), "p2"),
            world.create(&observation("p1", "1-1", 1), "o1"),
            world.create(&observation("p1", "1-1", 2), "o2"),
            world.create(&observation("p2", "1-1", 3), "o3"),
            world.create(&observation("p9", "1-1", 4), "o4"),
        ],
        0,
    );
    let snapshot = world.store().snapshot(at(0));
    let include =
        |target| Include { source: kind("Observation"), parameter: parameter("Observation", "subject"), target };
    let with = |query: &mut Query| query.includes = vec![include(None)];
    let (matches, included) = searched(&snapshot, &everything(), with).unwrap();
    assert_eq!(matches.len(), 4);
    assert_eq!(included, ["Patient/p1", "Patient/p2"]);
    let other = |query: &mut Query| query.includes = vec![include(Some(kind("Encounter")))];
    assert!(searched(&snapshot, &everything(), other).unwrap().1.is_empty());
    let ada = only(kind("Patient"), Predicate::Id(vec![id("p1")]));
    assert_eq!(searched(&snapshot, &ada, with).unwrap().1, ["Patient/p1"]);
    let mut blind = everything().as_ref().clone();
    blind.of.insert((kind("Patient"), Need::Read), Access::Nothing);
    assert!(searched(&snapshot, &Arc::new(blind), with).unwrap().1.is_empty());

    let back = |query: &mut Query| {
        query.resource_type = kind("Patient");
        query.revincludes = vec![include(None)];
    };
    let (matches, included) = searched(&snapshot, &everything(), back).unwrap();
    assert_eq!(matches, ["Patient/p1", "Patient/p2"]);
    assert_eq!(included, ["Observation/o1", "Observation/o2", "Observation/o3"]);
    let some = only(kind("Observation"), Predicate::Id(vec![id("o2"), id("o3")]));
    assert_eq!(searched(&snapshot, &some, back).unwrap().1, ["Observation/o2", "Observation/o3"]);
}

#[test]
fn a_cursor_works_for_its_caller_and_search_alone() {
    // Row F4.
    let world = World::new();
    let all = (0..5).map(|at| world.create(&observation("p1", "1-1", 1), &format!("o{at}"))).collect();
    world.commit(all, 0);
    let asked = Asked {
        of: "Observation",
        predicate: Arc::new(Predicate::All),
        permit: everything(),
        sort: Vec::new(),
        count: 2,
    };
    let query = query(&asked, Total::None);
    let snapshot = world.store().snapshot(at(0));
    let page = |query: &Query, cursor: &str, caller: &str| {
        snapshot.search_under(asked.permit.as_ref(), query, Some(cursor), caller)
    };
    let next = snapshot.search_under(asked.permit.as_ref(), &query, None, "me").unwrap().next.unwrap();
    assert_eq!(page(&query, &next, "me").unwrap().matches.len(), 2);
    assert!(matches!(page(&query, &next, "another"), Err(ReadError::Cursor)));
    let mut other = query.clone();
    other.applied = "code=x".into();
    assert!(matches!(page(&other, &next, "me"), Err(ReadError::Cursor)));
    other = query.clone();
    other.sort = vec![SortKey::Id(Direction::Ascending)];
    assert!(matches!(page(&other, &next, "me"), Err(ReadError::Cursor)));
    for at in 0..next.len() {
        let mut forged = next.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        assert!(matches!(page(&query, std::str::from_utf8(&forged).unwrap(), "me"), Err(ReadError::Cursor)));
    }
    // A page goes on where the one before ended, whatever came or went meanwhile.
    world.commit(vec![world.delete("Observation", "o0"), world.create(&observation("p1", "1-1", 1), "o9")], 1);
    let later = world.store().snapshot(at(0));
    let rest = later.search_under(asked.permit.as_ref(), &query, Some(&next), "me").unwrap();
    let names: Vec<_> = rest.matches.iter().map(|found| found.id.to_string()).collect();
    assert_eq!(names, ["o2", "o3"]);
}

#[test]
fn audit_events_are_searched_in_the_log() {
    let world = World::new();
    world.commit(vec![world.create(&patient("Ada"), "p1")], 0);
    world.commit(vec![world.create(&observation("p1", "1-1", 1), "o1")], 1);
    for _ in 0..300 {
        world.store().log().record(&entry("read", &[])).unwrap();
    }
    let snapshot = world.store().snapshot(at(0));
    let about = |patient: &str| {
        let test = Test::Reference(ReferenceTest::Target(kind("Patient"), id(patient)));
        Arc::new(Predicate::Value { parameter: parameter("AuditEvent", "patient"), test })
    };
    let asked = |predicate: Arc<Predicate>| Asked {
        of: "AuditEvent",
        predicate,
        permit: everything(),
        sort: Vec::new(),
        count: 50,
    };
    let (found, totals) = walked(&snapshot, &asked(about("p1")), Total::None);
    let found: Vec<_> = found.iter().map(|found| world.store().names.sequence(&found.id).unwrap()).collect();
    assert_eq!((found, totals), (vec![2, 1], vec![Some(2)]));
    let (found, totals) = walked(&snapshot, &asked(Arc::new(Predicate::All)), Total::Accurate);
    assert_eq!(found.len(), 302);
    assert!(totals.iter().all(|total| *total == Some(302)));
    let mut ascending = asked(Arc::new(Predicate::All));
    ascending.sort = vec![SortKey::Parameter(parameter("AuditEvent", "date"), Direction::Ascending)];
    let (found, _) = walked(&snapshot, &ascending, Total::None);
    assert_eq!(found.len(), 302);
    assert_eq!(world.store().names.sequence(&found[0].id), Some(1));
    // What came after the snapshot is not in it.
    world.store().log().record(&entry("read", &[])).unwrap();
    let (found, _) = walked(&snapshot, &asked(Arc::new(Predicate::All)), Total::None);
    assert_eq!(found.len(), 302);
    let mut blind = asked(Arc::new(Predicate::All));
    blind.permit = only(kind("AuditEvent"), about("p2").as_ref().clone());
    assert!(walked(&snapshot, &blind, Total::Accurate).0.is_empty());
}

/// B39: what is in a record through what it refers to is found from the record, not by looking through the type.
#[test]
fn alternatives_over_other_resources_are_no_scan() {
    let world = World::new();
    let observation = |at: usize| {
        let of = if at < 2 { "p1" } else { "p2" };
        let json = format!(
            r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient/{of}"}}}}"#
        );
        world.create(&json, &format!("o{at}"))
    };
    let provenance = |at: usize| {
        let json = format!(
            r#"{{"resourceType":"Provenance","target":[{{"reference":"Observation/o{at}"}}],"recorded":"2026-01-01T00:00:00Z","agent":[{{"who":{{"display":"x"}}}}]}}"#
        );
        world.create(&json, &format!("v{at}"))
    };
    world.commit((0..60).map(observation).collect(), 0);
    world.commit((0..60).map(provenance).collect(), 1);
    let about = |of: &str, code: &str| {
        let test = Test::Reference(ReferenceTest::Target(kind("Patient"), id("p1")));
        Arc::new(Predicate::Value { parameter: parameter(of, code), test })
    };
    let over = |target: &str, code: &str| {
        let (parameter, predicate) = (parameter("Provenance", "target"), about(target, code));
        Arc::new(Predicate::Chain { parameter, target: kind(target), predicate })
    };
    let record = vec![about("Provenance", "patient"), over("Observation", "subject"), over("Condition", "patient")];
    let asked = Asked {
        of: "Provenance",
        predicate: Arc::new(Predicate::All),
        permit: only(kind("Provenance"), Predicate::Or(record)),
        sort: Vec::new(),
        count: 50,
    };
    let snapshot = world.store().snapshot(at(0));
    let (page, explanation) =
        snapshot.explain_under(asked.permit.as_ref(), &query(&asked, Total::Accurate), None, "me");
    let page = page.unwrap();
    assert_eq!(page.matches.iter().map(|found| found.id.as_str()).collect::<Vec<_>>(), ["v0", "v1"]);
    assert_eq!(page.total, Some(2));
    let shapes: Vec<crate::Shape> = explanation.steps.iter().map(|step| step.shape).collect();
    assert!(shapes.contains(&crate::Shape::PathEitherJoin), "{shapes:?}");
    assert!(!shapes.contains(&crate::Shape::PlanScan), "{shapes:?}");
}
