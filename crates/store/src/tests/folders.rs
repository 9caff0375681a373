//! What is kept in memory answers for its own moment only: folders and versions after each kind of change.

use super::world::*;
use crate::{Snapshot, limits};
use policy::Access;
use search::{
    Predicate, Query, Test,
    predicate::{ReferenceTest, TokenTest},
    query::Total,
};
use std::{collections::HashMap, sync::Arc};

fn value(code: &str, test: Test) -> Arc<Predicate> {
    let parameter = search::registry().parameter(kind("Observation"), code).unwrap().id;
    Arc::new(Predicate::Value { parameter, test })
}

fn of(patient: &str) -> Arc<Predicate> {
    value("patient", Test::Reference(ReferenceTest::Target(kind("Patient"), id(patient))))
}

fn with_code(code: &str) -> Arc<Predicate> {
    value("code", Test::Token(TokenTest::Code(code.into())))
}

fn observation(patient: &str, code: &str, unit: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","status":"final","subject":{{"reference":"Patient/{patient}"}},"performer":[{{"reference":"Patient/keeper"}}],"code":{{"coding":[{{"system":"s","code":"{code}"}}]}},"valueString":"{unit}"}}"#
    )
}

fn query(parts: Vec<Arc<Predicate>>, count: usize) -> Query {
    Query {
        resource_type: kind("Observation"),
        predicate: Arc::new(Predicate::And(parts)),
        sort: Vec::new(),
        count,
        total: Total::WhenKnown,
        includes: Vec::new(),
        revincludes: Vec::new(),
        applied: "asked".into(),
        warnings: Vec::new(),
    }
}

/// Ids found, the same three times: over the indices, while the folder is made, and from it.
fn found(snapshot: &Snapshot, parts: &[Arc<Predicate>]) -> Vec<String> {
    let ask = || {
        let page = snapshot.search_under(everything().as_ref(), &query(parts.to_vec(), 50), None, "me").unwrap();
        page.matches.into_iter().map(|found| found.id.as_str().to_owned()).collect::<Vec<_>>()
    };
    let first = ask();
    assert_eq!(ask(), first);
    assert_eq!(ask(), first);
    first
}

#[test]
fn a_folder_is_of_its_moment() {
    let world = World::new();
    let create = |name: &str, code: &str| world.create(&observation("p1", code, "x"), name);
    world.commit(vec![create("o1", "a"), create("o2", "b"), create("o3", "a")], 0);
    let (a, b) = ([of("p1"), with_code("a")], [of("p1"), with_code("b")]);
    let before = world.store().snapshot(at(0));
    assert_eq!(found(&before, &a), ["o1", "o3"]);
    assert_eq!(found(&before, &b), ["o2"]);

    world.commit(vec![world.update(&observation("p1", "b", "x"), "o1", None)], 1);
    let updated = world.store().snapshot(at(0));
    assert_eq!(found(&updated, &a), ["o3"]);
    assert_eq!(found(&updated, &b), ["o1", "o2"]);
    assert_eq!(found(&before, &a), ["o1", "o3"], "an older view sees what it saw");

    world.commit(vec![world.delete("Observation", "o3"), create("o4", "a")], 2);
    let now = world.store().snapshot(at(0));
    assert_eq!(found(&now, &a), ["o4"]);
    assert_eq!(found(&updated, &a), ["o3"]);

    // It leaves the record of one patient for another's; in the compartment of the performer it stays.
    assert_eq!(found(&now, &[of("p2")]), Vec::<String>::new());
    world.commit(vec![world.update(&observation("p2", "a", "x"), "o4", None)], 3);
    let moved = world.store().snapshot(at(0));
    assert_eq!(found(&moved, &a), Vec::<String>::new());
    assert_eq!(found(&moved, &[of("p2")]), ["o4"]);
    let kept = Arc::new(Predicate::PatientCompartment(id("keeper")));
    assert_eq!(found(&moved, &[kept, with_code("a")]), ["o4"]);
}

#[test]
fn a_version_too_large_to_keep_is_found_among_others() {
    let world = World::new();
    let large = "x".repeat(limits::VERSION_KEPT_BYTES_MAX);
    let create = |name: &str, text: &str| world.create(&observation("p1", "a", text), name);
    world.commit(vec![create("o1", "small"), create("o2", &large), create("o3", "small")], 0);
    let snapshot = world.store().snapshot(at(0));
    assert_eq!(found(&snapshot, &[of("p1"), with_code("a")]), ["o1", "o2", "o3"]);
    let page = snapshot.search_under(everything().as_ref(), &query(vec![of("p1")], 50), None, "me").unwrap();
    let sizes: Vec<_> = page.matches.iter().map(|found| found.json.len() > large.len()).collect();
    assert_eq!(sizes, [false, true, false]);
}

#[test]
fn a_change_that_no_compartment_key_shows_is_seen() {
    let world = World::new();
    world.commit(vec![world.create(&observation("p1", "a", "x"), "o1")], 0);
    let text = |text: &str| value("value-string", Test::String(search::predicate::StringMatch::Exact, text.into()));
    let before = world.store().snapshot(at(0));
    assert_eq!(found(&before, &[of("p1"), text("x")]), ["o1"]);
    world.commit(vec![world.update(&observation("p1", "a", "y"), "o1", None)], 1);
    let after = world.store().snapshot(at(0));
    assert_eq!(found(&after, &[of("p1"), text("x")]), Vec::<String>::new());
    assert_eq!(found(&after, &[of("p1"), text("y")]), ["o1"]);
}

/// Rows F1 to F4: a permit is one more part, and totals do not tell what is in memory.
#[test]
fn permits_and_totals_are_the_same_from_a_folder() {
    let world = World::new();
    let all = (0..limits::FOLDER_ROWS_MAX + 2).map(|n| {
        let (patient, code) = if n < 9 { ("p1", ["a", "b", "c"][n % 3]) } else { ("p2", "a") };
        world.create(&observation(patient, code, "x"), &format!("o{n}"))
    });
    world.commit(all.collect(), 0);
    let snapshot = world.store().snapshot(at(0));
    let narrow = only(kind("Observation"), Predicate::Or(vec![with_code("a"), with_code("b")]));
    let hidden: HashMap<_, _> = HashMap::new();
    let nothing = Arc::new(Table { default: Access::Nothing, of: hidden });
    for parts in
        [vec![of("p1")], vec![of("p1"), with_code("b")], vec![of("p1"), Arc::new(Predicate::Not(with_code("b")))]]
    {
        for permit in [everything(), Arc::clone(&narrow), Arc::clone(&nothing)] {
            let ask = |count| {
                let page = snapshot.search_under(permit.as_ref(), &query(parts.clone(), count), None, "me").unwrap();
                let ids: Vec<_> = page.matches.iter().map(|found| found.id.as_str().to_owned()).collect();
                (ids, page.total, page.next.is_some())
            };
            for count in [2, 50] {
                let first = ask(count);
                assert_eq!(ask(count), first, "{parts:?}");
                assert_eq!(ask(count), first, "{parts:?}");
            }
        }
    }
    // More than a folder holds: the indices answer.
    let keeper = vec![Arc::new(Predicate::PatientCompartment(id("keeper"))), with_code("b")];
    assert_eq!(found(&snapshot, &keeper), ["o1", "o4", "o7"]);
}

#[test]
fn a_version_that_was_kept_leaves_as_it_was_stored() {
    let world = World::new();
    let many = limits::DICTIONARY_SAMPLES as i64 + 3;
    for n in 0..many {
        world.commit(vec![world.create(&observation("p1", "a", &format!("text {n}")), &format!("o{n}"))], n);
    }
    let snapshot = world.store().snapshot(at(0));
    let read = |name: &str| {
        let found = snapshot.read_under(everything().as_ref(), kind("Observation"), &id(name)).unwrap();
        (found.id, found.version, found.last_updated, found.json.into_bytes().unwrap(), found.patients, found.method)
    };
    for _ in 0..2 {
        for n in 0..many {
            let name = format!("o{n}");
            let first = read(&name);
            assert_eq!(read(&name), first);
            assert!(std::str::from_utf8(&first.3).unwrap().contains(&format!("\"text {n}\"")));
            assert_eq!(first.4, [id("keeper"), id("p1")]);
        }
    }
    let page = snapshot.search_under(everything().as_ref(), &query(vec![of("p1")], 50), None, "me").unwrap();
    assert_eq!(page.matches.len(), many as usize);
    for found in page.matches {
        let read = read(found.id.as_str());
        assert_eq!((found.json.into_bytes().unwrap(), found.patients, found.version), (read.3, read.4, read.1));
    }
}

#[test]
fn what_is_changed_or_deleted_leaves_memory() {
    let world = World::new();
    let kept = || -> HashMap<_, _> {
        let stats = world.store().stats();
        stats.engine.shelves.iter().map(|shelf| (shelf.name, shelf.bytes)).collect()
    };
    world.commit(vec![world.create(&patient("Ada"), "p1"), world.create(&patient("Bea"), "p2")], 0);
    let read =
        |name| world.store().snapshot(at(0)).read_under(everything().as_ref(), kind("Patient"), &id(name)).is_ok();
    assert!(read("p1") && read("p2"));
    let full = kept();
    assert!(full["places"] > 0 && full["versions"] > 0);

    // Who replaces a version has read it, and does not keep it.
    world.commit(vec![world.update(&patient("Cleo"), "p1", None)], 1);
    world.commit(vec![world.delete("Patient", "p2")], 2);
    world.commit(vec![world.delete("Patient", "p1")], 3);
    let empty = kept();
    assert_eq!((empty["places"], empty["versions"]), (0, 0));
}
