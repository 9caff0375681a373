//! search(store) = filter(matcher): the same resources, order and totals, under permits with
//! predicates, through chains and `_has`, page by page. And what goes along: includes.

use super::world::*;
use crate::{Page, ReadError, Snapshot, page::Found, reader::Covers, writer::prepare::Prepared};
use fhir::{Instant, LogicalId, ResourceType, primitive::decimal::Decimal};
use policy::{Access, Need};
use proptest::{collection::vec, prelude::*, sample::select};
use search::{
    IndexValue, IndexValues, ParameterId, ParameterKind, Predicate, Query, Test,
    matcher::{Related, Subject, matches},
    order::sort_key,
    predicate::{DateTest, NumberTest, Prefix, QuantityTest, ReferenceTest, StringMatch, TokenTest, UriMatch},
    query::{Direction, Include, SortKey, Total},
};
use std::sync::Arc;

const KINDS: [&str; 3] = ["Patient", "Observation", "Encounter"];

/// Parameters of each kind that the tests use.
fn parameters(of: &str) -> &'static [&'static str] {
    match of {
        "Patient" => &["family", "gender", "birthdate", "general-practitioner", "_profile"],
        "Observation" => {
            &["code", "status", "date", "subject", "patient", "encounter", "value-quantity", "performer", "_profile"]
        }
        _ => &["class", "date", "subject", "patient", "part-of", "identifier", "length"],
    }
}

fn parameter(of: &str, code: &str) -> ParameterId {
    search::registry().parameter(kind(of), code).unwrap_or_else(|| panic!("{of}.{code}")).id
}

fn kind_of(of: &str, code: &str) -> ParameterKind {
    search::registry().parameter(kind(of), code).unwrap().kind
}

fn decimal(number: i128) -> Decimal {
    Decimal { mantissa: number, exponent: 0 }
}

fn ids() -> impl Strategy<Value = LogicalId> {
    (0..12u8).prop_map(|number| id(&format!("r{number}")))
}

fn kinds() -> impl Strategy<Value = &'static str> {
    select(&KINDS[..])
}

fn date_value() -> impl Strategy<Value = (i64, i64)> {
    let day = 86_400_000;
    (0..6i64, select(vec![1i64, 1000, day, 31 * day, i64::MAX])).prop_map(move |(start, length)| {
        let low = start * day;
        (low, low.saturating_add(length))
    })
}

fn value(of: ParameterKind) -> BoxedStrategy<IndexValue> {
    let system = || select(&[None, Some("s"), Some("t")][..]).prop_map(|system| system.map(str::to_owned));
    match of {
        ParameterKind::Token => (system(), select(&["a", "b", "c", ""][..]))
            .prop_map(|(system, code)| IndexValue::Token { system, code: code.into(), text: Some("Text".into()) })
            .boxed(),
        ParameterKind::String => select(&["anna", "annabel", "Bea", "b"][..])
            .prop_map(|text| IndexValue::String { folded: search::fold::fold(text), original: text.into() })
            .boxed(),
        ParameterKind::Date => date_value().prop_map(|(low, high)| IndexValue::Date { low, high }).boxed(),
        ParameterKind::Reference => prop_oneof![
            4 => (kinds(), ids()).prop_map(|(of, id)| IndexValue::Reference {
                target: Some((kind(of), id)),
                url: None,
                identifier: None
            }),
            1 => Just(IndexValue::Reference {
                target: None,
                url: Some("http://elsewhere/1|2".into()),
                identifier: Some((Some("s".into()), "a".into()))
            }),
        ]
        .boxed(),
        ParameterKind::Quantity => (-3..4i128, select(&["kg", "g"][..]))
            .prop_map(|(number, unit)| IndexValue::Quantity {
                value: decimal(number),
                system: Some("s".into()),
                code: Some(unit.into()),
                unit: None,
                canonical: (unit == "g").then(|| (decimal(number), "g".to_owned())),
            })
            .boxed(),
        ParameterKind::Uri => {
            select(&["http://a/b", "http://a/b/c", "http://d"][..]).prop_map(|uri| IndexValue::Uri(uri.into())).boxed()
        }
        other => panic!("the tests have no values of {other:?}"),
    }
}

/// Values as extraction could give them: `patient` is what `subject` has of patients, since one
/// expression is the other's with a filter, and plans rely on that.
fn values(of: &'static str) -> BoxedStrategy<IndexValues> {
    let each: Vec<_> = parameters(of)
        .iter()
        .filter(|code| **code != "patient")
        .map(|code| {
            let parameter = parameter(of, code);
            vec(value(kind_of(of, code)), 0..3)
                .prop_map(move |values| values.into_iter().map(|value| (parameter, value)).collect::<Vec<_>>())
        })
        .collect();
    each.prop_map(move |values| {
        let mut values: Vec<_> = values.into_iter().flatten().collect();
        if of != "Patient" {
            let (subject, patient) = (parameter(of, "subject"), parameter(of, "patient"));
            let is_patient = |value: &IndexValue| matches!(value, IndexValue::Reference { target: Some((target, _)), .. } if *target == kind("Patient"));
            let of_subject: Vec<_> = values.iter().filter(|(id, value)| *id == subject && is_patient(value)).collect();
            let patients: Vec<_> = of_subject.into_iter().map(|(_, value)| (patient, value.clone())).collect();
            values.extend(patients);
        }
        values.sort_by_key(|(parameter, _)| *parameter);
        IndexValues(values)
    })
    .boxed()
}

fn prefix() -> impl Strategy<Value = Prefix> {
    use Prefix::*;
    select(vec![Eq, Ne, Gt, Lt, Ge, Le, Sa, Eb, Ap])
}

fn number_test() -> impl Strategy<Value = NumberTest> {
    (prefix(), -3..4i128).prop_map(|(prefix, number)| NumberTest {
        prefix,
        value: decimal(number),
        low: Decimal { mantissa: number * 10 - 5, exponent: -1 },
        high: Decimal { mantissa: number * 10 + 5, exponent: -1 },
    })
}

fn date_test() -> impl Strategy<Value = DateTest> {
    (prefix(), date_value()).prop_map(|(prefix, (low, high))| DateTest { prefix, low, high })
}

fn test(of: ParameterKind) -> BoxedStrategy<Test> {
    let code = || select(&["a", "b", "c"][..]).prop_map(str::to_owned);
    let system = || select(&["s", "t"][..]).prop_map(str::to_owned);
    match of {
        ParameterKind::Token => prop_oneof![
            4 => code().prop_map(TokenTest::Code),
            2 => (system(), code()).prop_map(|(system, code)| TokenTest::SystemCode(system, code)),
            1 => code().prop_map(TokenTest::NoSystem),
            1 => system().prop_map(TokenTest::System),
            1 => Just(TokenTest::Text("tex".into())),
        ]
        .prop_map(Test::Token)
        .boxed(),
        ParameterKind::String => (
            select(&[StringMatch::StartsWith, StringMatch::Exact, StringMatch::Contains][..]),
            select(&["anna", "Bea", "b", "n"][..]),
        )
            .prop_map(|(how, text)| Test::String(how, text.into()))
            .boxed(),
        ParameterKind::Date => date_test().prop_map(Test::Date).boxed(),
        ParameterKind::Reference => prop_oneof![
            4 => (kinds(), ids()).prop_map(|(of, id)| ReferenceTest::Target(kind(of), id)),
            1 => ids().prop_map(ReferenceTest::AnyType),
            1 => Just(ReferenceTest::Url("http://elsewhere/1".into())),
            1 => Just(ReferenceTest::Identifier(TokenTest::Code("a".into()))),
        ]
        .prop_map(Test::Reference)
        .boxed(),
        ParameterKind::Quantity => (number_test(), any::<bool>(), any::<bool>())
            .prop_map(|(number, unit, canonical)| {
                Test::Quantity(Box::new(QuantityTest {
                    number,
                    system: None,
                    code: unit.then(|| "g".to_owned()),
                    canonical: (unit && canonical).then(|| (number, "g".to_owned())),
                }))
            })
            .boxed(),
        ParameterKind::Uri => (
            select(&[UriMatch::Exact, UriMatch::Above, UriMatch::Below][..]),
            select(&["http://a/b", "http://a/b/c", "http://a"][..]),
        )
            .prop_map(|(how, uri)| Test::Uri(how, uri.into()))
            .boxed(),
        other => panic!("the tests have no tests of {other:?}"),
    }
}

fn of_parameter(of: &'static str) -> BoxedStrategy<(ParameterId, ParameterKind)> {
    select(parameters(of)).prop_map(move |code| (parameter(of, code), kind_of(of, code))).boxed()
}

fn references() -> BoxedStrategy<(&'static str, ParameterId)> {
    let all = [
        ("Observation", "subject"),
        ("Observation", "encounter"),
        ("Observation", "performer"),
        ("Encounter", "part-of"),
        ("Encounter", "patient"),
        ("Patient", "general-practitioner"),
    ];
    select(all.to_vec()).prop_map(|(of, code)| (of, parameter(of, code))).boxed()
}

fn leaf(of: &'static str) -> BoxedStrategy<Predicate> {
    let value = of_parameter(of)
        .prop_flat_map(|(parameter, of)| test(of).prop_map(move |test| Predicate::Value { parameter, test }));
    prop_oneof![
        12 => value,
        1 => Just(Predicate::All),
        1 => Just(Predicate::Nothing),
        1 => vec(ids(), 0..4).prop_map(Predicate::Id),
        1 => (prefix(), 0..30i64).prop_map(|(prefix, millis)| {
            let low = at(millis).unix_millis();
            Predicate::LastUpdated(DateTest { prefix, low, high: low + 5 })
        }),
        1 => (of_parameter(of), any::<bool>())
            .prop_map(|((parameter, _), missing)| Predicate::Missing { parameter, missing }),
        2 => ids().prop_map(Predicate::PatientCompartment),
    ]
    .boxed()
}

fn simple(of: &'static str) -> BoxedStrategy<Arc<Predicate>> {
    leaf(of)
        .prop_map(Arc::new)
        .prop_recursive(2, 8, 3, |inner| {
            prop_oneof![
                3 => vec(inner.clone(), 1..4).prop_map(|parts| Arc::new(Predicate::And(parts))),
                2 => vec(inner.clone(), 0..4).prop_map(|parts| Arc::new(Predicate::Or(parts))),
                1 => inner.prop_map(|part| Arc::new(Predicate::Not(part))),
            ]
        })
        .boxed()
}

fn joined(of: &'static str) -> BoxedStrategy<Arc<Predicate>> {
    let chain = (references(), kinds()).prop_flat_map(move |((_, parameter), target)| {
        simple(target)
            .prop_map(move |predicate| Arc::new(Predicate::Chain { parameter, target: kind(target), predicate }))
    });
    let has = references().prop_flat_map(|(source, parameter)| {
        simple(source)
            .prop_map(move |predicate| Arc::new(Predicate::Has { source: kind(source), parameter, predicate }))
    });
    let (chain, has) = (chain.boxed(), has.boxed());
    prop_oneof![
        4 => simple(of),
        1 => chain.clone(),
        1 => has.clone(),
        1 => (simple(of), chain, has).prop_map(|(a, b, c)| Arc::new(Predicate::And(vec![a, b, c]))),
    ]
    .boxed()
}

fn access(of: &'static str) -> BoxedStrategy<Access> {
    prop_oneof![
        4 => Just(Access::Everything),
        1 => Just(Access::Nothing),
        3 => simple(of).prop_map(Access::Where),
    ]
    .boxed()
}

fn permit() -> BoxedStrategy<Arc<Table>> {
    (access("Patient"), access("Observation"), access("Encounter"))
        .prop_map(|(patient, observation, encounter)| {
            let of = [("Patient", patient), ("Observation", observation), ("Encounter", encounter)];
            let of = of.into_iter().map(|(of, access)| ((kind(of), Need::Search), access)).collect();
            Arc::new(Table { default: Access::Everything, of })
        })
        .boxed()
}

fn sort(of: &'static str) -> BoxedStrategy<Vec<SortKey>> {
    let direction = || select(&[Direction::Ascending, Direction::Descending][..]);
    let key = prop_oneof![
        2 => (of_parameter(of), direction()).prop_map(|((parameter, _), way)| SortKey::Parameter(parameter, way)),
        1 => direction().prop_map(SortKey::LastUpdated),
        1 => direction().prop_map(SortKey::Id),
    ];
    prop_oneof![1 => Just(Vec::new()), 1 => vec(key, 1..3)].boxed()
}

#[derive(Debug, Clone)]
struct Asked {
    of: &'static str,
    predicate: Arc<Predicate>,
    permit: Arc<Table>,
    sort: Vec<SortKey>,
    count: usize,
}

fn asked() -> BoxedStrategy<Asked> {
    kinds()
        .prop_flat_map(|of| {
            (joined(of), permit(), sort(of), 1..6usize).prop_map(move |(predicate, permit, sort, count)| Asked {
                of,
                predicate,
                permit,
                sort,
                count,
            })
        })
        .boxed()
}

/// One resource as the model knows it; they stand in the order of their rows.
#[derive(Debug, Clone)]
struct Known {
    kind: ResourceType,
    id: LogicalId,
    last_updated: Instant,
    values: IndexValues,
}

impl Known {
    fn subject(&self) -> Subject<'_> {
        Subject { resource_type: self.kind, id: &self.id, last_updated: self.last_updated, values: &self.values }
    }
}

/// All resources; with a permit, joined types are seen through it.
struct Model<'a> {
    all: &'a [Known],
    permit: Option<&'a dyn Covers>,
}

impl Model<'_> {
    fn sees(&self, known: &Known) -> bool {
        match self.permit.map(|permit| permit.access(known.kind, Need::Search)) {
            None | Some(Access::Everything) => true,
            Some(Access::Nothing) => false,
            Some(Access::Where(grant)) => {
                matches(search::registry(), grant, known.subject(), &Model { all: self.all, permit: None })
            }
        }
    }

    fn means(&self, predicate: &Predicate, known: &Known) -> bool {
        self.sees(known) && matches(search::registry(), predicate, known.subject(), self)
    }
}

impl Related for Model<'_> {
    fn target_matches(&self, target: ResourceType, id: &LogicalId, predicate: &Predicate) -> bool {
        self.all.iter().any(|known| known.kind == target && known.id == *id && self.means(predicate, known))
    }

    fn referred_to(
        &self,
        subject: (ResourceType, &LogicalId),
        source: ResourceType,
        parameter: ParameterId,
        predicate: &Predicate,
    ) -> bool {
        self.all.iter().any(|known| {
            let refers = known.values.of(parameter).any(|value| {
                matches!(value, IndexValue::Reference { target: Some((kind, id)), .. }
                    if *kind == subject.0 && id == subject.1)
            });
            known.kind == source && refers && self.means(predicate, known)
        })
    }
}

/// A change of the model: which resource, what it becomes (`None`: deleted).
type Step = ((&'static str, LogicalId), Option<IndexValues>);

fn steps() -> BoxedStrategy<Vec<Step>> {
    let step = (kinds(), ids(), 0..8u8).prop_flat_map(|(of, id, fate)| {
        let becomes = if fate == 0 { Just(None).boxed() } else { values(of).prop_map(Some).boxed() };
        becomes.prop_map(move |becomes| ((of, id.clone()), becomes))
    });
    vec(step, 0..60).boxed()
}

fn prepared(world: &World, of: &'static str, id: &LogicalId, values: &IndexValues) -> Prepared {
    let tree = fhir::json::Tree::parse(format!(r#"{{"resourceType":"{of}"}}"#).into_bytes()).unwrap();
    let template = fhir::stamp::Template::new(tree.root(), id);
    let body = world.store().preparer().with_values(template, values, kind(of), id);
    let action = crate::writer::prepare::Action::Update { body, if_match: None, if_none_match_any: false };
    Prepared { kind: kind(of), id: id.clone(), permit: everything(), action }
}

/// Applies the steps to the store and to the model, a few different resources in each transaction.
fn apply(world: &World, steps: Vec<Step>) -> Vec<Known> {
    let mut rows: Vec<(ResourceType, LogicalId, Option<Known>)> = Vec::new();
    let mut steps = steps.into_iter().peekable();
    let mut time = 0;
    while steps.peek().is_some() {
        let mut of_one: Vec<(ResourceType, LogicalId)> = Vec::new();
        let mut changes = Vec::new();
        while let Some(((of, id), becomes)) =
            steps.next_if(|((of, id), _)| of_one.len() < 8 && !of_one.contains(&(kind(of), id.clone())))
        {
            of_one.push((kind(of), id.clone()));
            changes.push(match &becomes {
                Some(values) => prepared(world, of, &id, values),
                None => world.delete(of, id.as_str()),
            });
            let known = becomes.map(|values| Known { kind: kind(of), id: id.clone(), last_updated: at(time), values });
            match rows.iter_mut().find(|row| row.0 == kind(of) && row.1 == id) {
                Some(row) => row.2 = known,
                None if known.is_some() => rows.push((kind(of), id, known)),
                None => {}
            }
        }
        // Some transactions share their millisecond: an update then keeps its place in time.
        let step = if changes.len() % 2 == 0 { 0 } else { 4 };
        world.commit(changes, time);
        time += step;
    }
    rows.into_iter().filter_map(|(.., known)| known).collect()
}

fn query(asked: &Asked, total: Total) -> Query {
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
fn walked(snapshot: &Snapshot, asked: &Asked, total: Total) -> (Vec<Found>, Vec<Option<u64>>) {
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

fn expected(all: &[Known], asked: &Asked) -> Vec<LogicalId> {
    let model = Model { all, permit: Some(asked.permit.as_ref()) };
    let mut meant: Vec<_> = all
        .iter()
        .enumerate()
        .filter(|(_, known)| known.kind == kind(asked.of) && model.means(&asked.predicate, known))
        .collect();
    meant.sort_by_key(|(row, known)| (sort_key(known.subject(), &asked.sort), *row));
    meant.into_iter().map(|(_, known)| known.id.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_search_finds_what_the_matcher_means((steps, asked) in (steps(), vec(asked(), 80))) {
        let world = World::new();
        let all = apply(&world, steps);
        let snapshot = world.store().snapshot();
        for of in KINDS {
            let live = all.iter().filter(|known| known.kind == kind(of)).count() as u64;
            prop_assert_eq!(world.store().live_resources(kind(of)).unwrap(), live);
        }
        for asked in asked {
            let expected = expected(&all, &asked);
            let (found, totals) = walked(&snapshot, &asked, Total::Accurate);
            let found: Vec<_> = found.into_iter().map(|found| found.id).collect();
            prop_assert_eq!(&found, &expected, "{:?}", asked);
            let total = Some(expected.len() as u64);
            prop_assert!(totals.iter().all(|found| *found == total), "{:?} of {:?}", totals, total);
            let (found, totals) = walked(&snapshot, &asked, Total::WhenKnown);
            prop_assert_eq!(found.len(), expected.len());
            prop_assert!(totals.iter().all(|found| found.is_none() || *found == total));
            let mut only_count = query(&asked, Total::None);
            only_count.count = 0;
            let page = snapshot.search_under(asked.permit.as_ref(), &only_count, None, "me").unwrap();
            prop_assert!(page.matches.is_empty() && page.total == total && page.next.is_none());
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
    let snapshot = world.store().snapshot();
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
    let snapshot = world.store().snapshot();
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
    let snapshot = world.store().snapshot();
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
    let later = world.store().snapshot();
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
    let snapshot = world.store().snapshot();
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
