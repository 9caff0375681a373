//! Search parameters that packages add: indexed in the background, in small steps, and never
//! answered short.

use super::world::*;
use crate::{CommitError, Indexed, ReadError, Store, doctor, reader::Covers, writer::prepare::Prepared};
use fhir::ResourceType;
use policy::Need;
use search::{Context, ParameterId, Predicate, Query, added::Definition};
use std::sync::Arc;

fn definition(code: &str, base: &[&str], kind: &str, expression: &str) -> Definition {
    Definition {
        url: format!("http://example.org/SearchParameter/{code}"),
        code: code.into(),
        kind: kind.into(),
        base: base.iter().map(|one| (*one).to_owned()).collect(),
        target: Vec::new(),
        expression: expression.into(),
        components: Vec::new(),
    }
}

fn note() -> Definition {
    definition("note-text", &["Observation"], "string", "Observation.note.text")
}

fn method() -> Definition {
    definition("site", &["Observation"], "token", "Observation.bodySite")
}

fn supporter() -> Definition {
    definition("supporter", &["Observation"], "reference", "Observation.device")
}

fn observation(patient: &str, note: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","status":"final","code":{{"text":"c"}},"subject":{{"reference":"Patient/{patient}"}},"bodySite":{{"coding":[{{"system":"s","code":"{note}"}}]}},"device":{{"reference":"Device/{note}"}},"note":[{{"text":"{note}"}}]}}"#
    )
}

fn query(store: &Store, text: &str) -> Query {
    let (of, rest) = text.split_once('?').unwrap();
    let pairs: Vec<(String, String)> = rest
        .split('&')
        .map(|pair| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap())
        .collect();
    let context = Context { base_url: BASE, now: at(0), compartment: None, handling: search::query::Handling::Strict };
    search::query::parse(&store.registry(), kind(of), &pairs, &context).unwrap()
}

fn found_under(store: &Store, permit: &dyn Covers, text: &str) -> Result<Vec<String>, ReadError> {
    let page = store.snapshot(at(0)).search_under(permit, &query(store, text), None, "me")?;
    Ok(page.matches.iter().chain(&page.included).map(|found| found.id.to_string()).collect())
}

fn found(store: &Store, text: &str) -> Result<Vec<String>, ReadError> {
    found_under(store, everything().as_ref(), text)
}

fn refused(store: &Store, text: &str) {
    match found(store, text) {
        Err(ReadError::NotIndexed(why)) => assert!(why.contains("is being indexed"), "{why}"),
        other => panic!("{text}: {other:?}"),
    }
}

/// Twenty observations: p0 and p1 by turns, notes n0 to n4 by turns; o3 updated, o4 deleted.
fn filled() -> World {
    let world = World::new();
    // Few commits: each waits for the disk.
    let mut first = vec![world.create(&patient("Ada"), "p0"), world.create(&patient("Bea"), "p1")];
    first.extend((0..20).map(|number| {
        let json = observation(&format!("p{}", number % 2), &format!("n{}", number % 5));
        world.create(&json, &format!("o{number:02}"))
    }));
    world.commit(first, 1);
    world.commit(vec![world.update(&observation("p1", "later"), "o03", None), world.delete("Observation", "o04")], 30);
    world
}

fn sound(world: &mut World) {
    world.store = None;
    let report = doctor::examine(&world.path(), search::registry(), None).unwrap();
    assert_eq!(report.findings, [], "after {:?}", report.facts);
    world.reopen();
}

#[test]
fn a_search_by_a_half_built_parameter_is_refused_and_then_whole() {
    let mut world = filled();
    world.store().index(Some(0));
    assert!(world.store().set_parameters(vec![note(), method(), supporter()]).unwrap());
    assert!(!world.store().set_parameters(vec![note(), method(), supporter()]).unwrap(), "nothing changes again");
    // What is written meanwhile is indexed at once.
    world.commit(vec![world.create(&observation("p0", "n1"), "new")], 40);
    for step in 0..4 {
        for text in [
            "Observation?note-text=n1",
            "Observation?status=final&note-text:missing=false",
            "Observation?site:not=s|n1",
            "Observation?_sort=note-text",
            "Patient?_has:Observation:patient:note-text=n1",
            "Observation?_include=Observation:supporter",
        ] {
            refused(world.store(), text);
        }
        let [Indexed::Building { done, .. }, ..] = [world.store().parameters()[0].indexed] else { panic!() };
        assert_eq!(done > 0, step > 0, "step {step}");
        assert_eq!(found(world.store(), "Observation?status=final").unwrap().len(), 20, "others are answered");
        world.store().index(Some(1));
    }
    world.store().index(None);
    assert!(world.store().parameters().iter().all(|one| one.indexed == Indexed::Ready));
    assert_eq!(found(world.store(), "Observation?note-text=n1").unwrap(), ["o01", "o06", "o11", "o16", "new"]);
    assert_eq!(found(world.store(), "Observation?note-text=later").unwrap(), ["o03"]);
    assert_eq!(found(world.store(), "Observation?patient=p1&site=s|n2").unwrap(), ["o07", "o17"]);
    assert_eq!(found(world.store(), "Patient?_has:Observation:patient:note-text=later").unwrap(), ["p1"]);
    assert_eq!(found(world.store(), "Observation?note-text:missing=true").unwrap(), [""; 0]);
    assert_eq!(found(world.store(), "Observation?_sort=-note-text&_count=1").unwrap().len(), 1);
    sound(&mut world);
    assert_eq!(found(world.store(), "Observation?site=s|n1").unwrap().len(), 5, "after a start");
}

/// Row F5: a grant is held against past versions too, and a grant that cannot be decided is refused,
/// never widened.
#[test]
fn a_grant_by_a_half_built_parameter_decides_nothing() {
    let world = filled();
    world.store().index(Some(0));
    world.store().set_parameters(vec![note()]).unwrap();
    let registry = world.store().registry();
    let criteria = |name: &str, value: &str| {
        let pairs = [(name.to_owned(), value.to_owned())];
        search::compile_criteria(&registry, kind("Observation"), &pairs).unwrap()
    };
    let grants = [
        only(kind("Observation"), criteria("note-text", "n0")),
        only(kind("Observation"), criteria("note-text:missing", "true")),
        only(kind("Observation"), Predicate::Not(Arc::new(criteria("note-text", "n0")))),
    ];
    for steps in [0, 1, 3] {
        world.store().index(Some(steps));
        for grant in &grants {
            let grant = grant.as_ref();
            let is_refused = |error: ReadError| assert!(matches!(error, ReadError::NotIndexed(_)), "{error:?}");
            let snapshot = world.store().snapshot(at(0));
            is_refused(snapshot.read_under(grant, kind("Observation"), &id("o00")).unwrap_err());
            is_refused(snapshot.history_under(grant, kind("Observation"), &id("o03"), 9, None).unwrap_err());
            let first = fhir::VersionId::FIRST;
            is_refused(snapshot.vread_under(grant, kind("Observation"), &id("o03"), first).unwrap_err());
            is_refused(found_under(world.store(), grant, "Observation?status=final").unwrap_err());
            is_refused(found_under(world.store(), grant, "Patient?_has:Observation:patient:status=final").unwrap_err());
            is_refused(found_under(world.store(), grant, "Patient?_revinclude=Observation:subject").unwrap_err());
            assert_eq!(found_under(world.store(), grant, "Patient?active=true").unwrap().len(), 2, "of other types");
        }
        for change in [world.update(&observation("p0", "n0"), "o00", None), world.delete("Observation", "o01")] {
            let change = Prepared { permit: grants[0].clone(), ..change };
            let error = world.try_commit(vec![change], 50).unwrap_err();
            assert!(matches!(error, CommitError::NotIndexed(_)), "{error:?}");
        }
        let unless = world.create_unless(&observation("p0", "x"), "unless", criteria("note-text", "n0"));
        assert!(matches!(world.try_commit(vec![unless], 50).unwrap_err(), CommitError::NotIndexed(_)));
    }
    world.store().index(None);
    let grant = grants[0].as_ref();
    let snapshot = world.store().snapshot(at(0));
    assert!(snapshot.read_under(grant, kind("Observation"), &id("o00")).is_ok());
    assert!(matches!(snapshot.read_under(grant, kind("Observation"), &id("o03")), Err(ReadError::NotFound)));
    // o03 was n3, which is not granted; o04 was deleted with n4: seen by "not n0" as gone.
    assert!(matches!(snapshot.read_under(grants[2].as_ref(), kind("Observation"), &id("o04")), Err(ReadError::Gone)));
    let past = snapshot.vread_under(grants[1].as_ref(), kind("Observation"), &id("o03"), fhir::VersionId::FIRST);
    assert!(matches!(past, Err(ReadError::NotFound)), "a past version has the value, so it is not missing");
}

#[test]
fn a_stop_in_the_middle_goes_on_where_it_was() {
    let mut world = filled();
    world.store().index(Some(0));
    world.store().set_parameters(vec![note()]).unwrap();
    world.store().index(Some(2));
    let before = world.store().parameters();
    // As a kill leaves it, and as a clean stop leaves it.
    let image = world.image();
    sound(&mut world);
    for path in [world.path(), image.path().to_owned()] {
        world.store = None;
        let store = open(&path).unwrap();
        let [status] = &store.parameters()[..] else { panic!("{:?}", store.parameters()) };
        if let (Indexed::Building { done, .. }, Indexed::Building { done: then, .. }) =
            (&status.indexed, &before[0].indexed)
        {
            assert!(done >= then, "it does not begin anew");
        }
        store.index(None);
        assert_eq!(found(&store, "Observation?note-text=n1").unwrap(), ["o01", "o06", "o11", "o16"]);
        drop(store);
        let report = doctor::examine(&path, search::registry(), None).unwrap();
        assert_eq!(report.findings, []);
    }
    world.reopen();
}

#[test]
fn changes_between_the_steps_leave_every_version_whole() {
    let mut world = filled();
    world.store().index(Some(0));
    world.store().set_parameters(vec![note(), method()]).unwrap();
    for step in 0..8 {
        world.store().index(Some(1));
        // Behind the walk, before it, and what was there already as a past version.
        let json = observation("p0", &format!("s{step}"));
        let mut changes: Vec<_> =
            [0, 7, 19].map(|number| world.update(&json, &format!("o{number:02}"), None)).into_iter().collect();
        changes.push(world.delete("Observation", &format!("o1{step}")));
        world.commit(changes, 100 + step);
        if step == 4 {
            world.store().set_parameters(vec![note(), method(), supporter()]).unwrap();
        }
    }
    world.store().index(None);
    assert_eq!(found(world.store(), "Observation?note-text=s7").unwrap(), ["o00", "o07", "o19"]);
    assert_eq!(found(world.store(), "Observation?supporter=Device/s7").unwrap(), ["o00", "o07", "o19"]);
    let missing = world.store().registry();
    let pairs = [("note-text:missing".to_owned(), "true".to_owned())];
    let missing = only(kind("Observation"), search::compile_criteria(&missing, kind("Observation"), &pairs).unwrap());
    let snapshot = world.store().snapshot(at(0));
    for number in 0..20 {
        let history =
            snapshot.history_under(missing.as_ref(), kind("Observation"), &id(&format!("o{number:02}")), 99, None);
        assert!(matches!(history, Err(ReadError::NotFound)), "o{number:02}: {history:?}");
    }
    drop(snapshot);
    sound(&mut world);
}

#[test]
fn what_is_removed_goes_in_the_background_and_comes_back_whole() {
    let mut world = filled();
    world.store().set_parameters(vec![note(), method()]).unwrap();
    world.store().index(None);
    let old = query(world.store(), "Observation?note-text=n1");
    world.store().index(Some(0));
    world.store().set_parameters(vec![method()]).unwrap();
    let pairs = [("note-text".to_owned(), "n1".to_owned())];
    let context = Context { base_url: BASE, now: at(0), compartment: None, handling: search::query::Handling::Strict };
    let unknown = search::query::parse(&world.store().registry(), kind("Observation"), &pairs, &context);
    assert!(unknown.is_err(), "no query names it");
    for steps in [0, 2] {
        world.store().index(Some(steps));
        let answer = world.store().snapshot(at(0)).search_under(everything().as_ref(), &old, None, "me");
        assert!(matches!(answer, Err(ReadError::NotIndexed(_))), "parsed before: {answer:?}");
        assert_eq!(found(world.store(), "Observation?site=s|n1").unwrap().len(), 4);
    }
    sound(&mut world);
    world.store().index(Some(0));
    world.store().set_parameters(vec![note(), method()]).unwrap();
    refused(world.store(), "Observation?note-text=n1");
    world.store().index(None);
    assert_eq!(found(world.store(), "Observation?note-text=n1").unwrap().len(), 4);
    world.store().set_parameters(Vec::new()).unwrap();
    world.store().index(None);
    assert_eq!(world.store().parameters(), []);
    let answer = world.store().snapshot(at(0)).search_under(everything().as_ref(), &old, None, "me");
    assert!(matches!(answer, Err(ReadError::NotIndexed(_))));
    sound(&mut world);
    // A number is never another's: values that somebody kept would be read as the new one's.
    world.store().set_parameters(vec![note()]).unwrap();
    let number = world.store().registry().parameter(kind("Observation"), "note-text").unwrap().id;
    assert_eq!(number, ParameterId(search::added::FIRST + 2));
}

#[test]
fn work_prepared_before_a_parameter_came_is_indexed_by_it() {
    let world = filled();
    world.store().index(None);
    let prepared = world.create(&observation("p0", "early"), "early");
    world.store().set_parameters(vec![note(), method()]).unwrap();
    world.store().index(None);
    world.commit(vec![prepared], 60);
    assert_eq!(found(world.store(), "Observation?note-text=early").unwrap(), ["early"]);
    assert_eq!(found(world.store(), "Observation?patient=p0&site=s|early").unwrap(), ["early"]);
}

/// Another base URL has everything indexed anew: added parameters too.
#[test]
fn a_rebuild_covers_added_parameters() {
    let mut world = filled();
    world.store().index(Some(0));
    world.store().set_parameters(vec![note()]).unwrap();
    world.store = None;
    let options = crate::Options { base_url: "https://elsewhere.example/fhir".into(), strict_audit: false };
    let store = Store::open(&world.path(), Arc::clone(search::registry()), options).unwrap();
    assert_eq!(store.parameters()[0].indexed, Indexed::Ready);
    assert_eq!(found(&store, "Observation?note-text=n1").unwrap().len(), 4);
}

/// The permit asks for nothing that is not ready: another type's narrowing costs nothing.
#[test]
fn an_unrelated_type_is_never_refused() {
    let world = filled();
    world.store().index(Some(0));
    world.store().set_parameters(vec![note()]).unwrap();
    for of in ["Patient", "Encounter"] {
        let kind: ResourceType = kind(of);
        let grant = only(kind, Predicate::All);
        assert!(found_under(world.store(), grant.as_ref(), &format!("{of}?_id=p0")).is_ok());
        assert_eq!(*grant.access(kind, Need::Read), policy::Access::Where(Arc::new(Predicate::All)));
    }
}

/// At any moment, a search by added parameters is what the matcher means of all resources, or it is
/// refused and the parameter is not ready. Random changes, steps of the indexer, parameters that come
/// and go, stops.
#[test]
fn at_every_moment_a_search_is_whole_or_refused() {
    // At the same time: most of it is waiting for the disk.
    let seen = std::thread::scope(|scope| {
        let runs: Vec<_> = (1..4).map(|seed| scope.spawn(move || whole_or_refused(seed))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect::<Vec<_>>()
    });
    let (whole, refused) = seen.iter().fold((0, 0), |(whole, refused), one| (whole + one.0, refused + one.1));
    assert!(whole > 100 && refused > 100, "both were seen: {whole} whole, {refused} refused");
}

/// One store; how many searches were whole and how many refused.
fn whole_or_refused(seed: u64) -> (usize, usize) {
    use search::{IndexValues, matcher};
    use std::collections::BTreeMap;
    let all = [note(), method(), supporter()];
    let (mut whole, mut refused) = (0, 0);
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut dice = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut world = World::new();
    world.store().index(Some(0));
    let mut model: BTreeMap<String, Option<(String, i64)>> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    for step in 0..60 {
        let time = step * 10;
        let mut changes = Vec::new();
        for _ in 0..dice(4) {
            let name = format!("o{}", dice(14));
            if changes.iter().any(|change: &Prepared| change.id.as_str() == name) {
                continue;
            }
            if dice(5) == 0 {
                changes.push(world.delete("Observation", &name));
                model.entry(name).and_modify(|one| *one = None);
            } else {
                let json = observation(&format!("p{}", dice(2)), &format!("n{}", dice(3)));
                changes.push(world.update(&json, &name, None));
                if !order.contains(&name) {
                    order.push(name.clone());
                }
                model.insert(name, Some((json, time)));
            }
        }
        if !changes.is_empty() {
            world.commit(changes, time);
        }
        match dice(12) {
            0..3 => {
                let mask = dice(8);
                let wanted = all.iter().enumerate().filter(|(at, _)| mask & (1 << at) != 0);
                world.store().set_parameters(wanted.map(|(_, one)| one.clone()).collect()).unwrap();
            }
            3 if seed == 1 => {
                world.reopen();
                world.store().index(Some(0));
            }
            4 => world.store().index(None),
            _ => world.store().index(Some(1 + u32::try_from(dice(2)).unwrap())),
        }
        // What a store that was opened again still has to do must not run on by itself.
        world.store().index(Some(0));
        let registry = world.store().registry();
        let live = model.iter().filter_map(|(name, one)| Some((name, one.as_ref()?)));
        let values: BTreeMap<&String, (IndexValues, i64)> = live
            .map(|(name, (json, time))| {
                let tree = fhir::json::Tree::parse(json.clone().into_bytes()).unwrap();
                (name, (crate::rebuild::extract(&registry, &tree, BASE), *time))
            })
            .collect();
        for text in [
            "Observation?note-text=n1",
            "Observation?note-text:missing=true",
            "Observation?patient=p1&site=s|n1",
            "Observation?site:not=s|n2",
            "Observation?supporter=Device/n0",
        ] {
            let code = text.split(['?', '&']).nth_back(0).unwrap().split([':', '=']).next().unwrap();
            let Some(parameter) = registry.parameter(kind("Observation"), code) else { continue };
            let ready = world.store().is_indexed(parameter.id);
            let query = query(world.store(), text);
            match found(world.store(), text) {
                Err(ReadError::NotIndexed(_)) => {
                    assert!(!ready, "seed {seed}, step {step}: {text} is ready");
                    refused += 1;
                }
                Err(error) => panic!("{error:?}"),
                Ok(answer) => {
                    assert!(ready, "seed {seed}, step {step}: {text} is not ready and was answered");
                    let means = |name: &&String| {
                        let Some((values, time)) = values.get(*name) else { return false };
                        let subject = matcher::Subject {
                            resource_type: kind("Observation"),
                            id: &id(name),
                            last_updated: at(*time),
                            values,
                        };
                        matcher::matches(&registry, &query.predicate, subject, &matcher::Alone)
                    };
                    let expected: Vec<String> = order.iter().filter(means).cloned().collect();
                    assert_eq!(answer, expected, "seed {seed}, step {step}: {text}");
                    whole += 1;
                }
            }
        }
    }
    sound(&mut world);
    (whole, refused)
}
