//! The story as its users meet it: bytes of transaction Bundles.

use fhir::json::{Tree, Value};
use std::collections::{BTreeMap, BTreeSet};
use story::Story;

const PATIENTS: u32 = 60;

#[expect(clippy::unwrap_used, reason = "a test")]
fn parse(bytes: Vec<u8>) -> Tree {
    Tree::parse(bytes).unwrap()
}

fn bundles() -> Vec<Tree> {
    Story::new(7, PATIENTS).map(parse).collect()
}

fn entries(bundle: &Tree) -> Vec<Value<'_>> {
    bundle.root().get("entry").map(|list| list.items().collect()).unwrap_or_default()
}

fn text(value: Value<'_>, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().into_owned()
}

fn resources(bundle: &Tree) -> Vec<Value<'_>> {
    entries(bundle).into_iter().filter_map(|entry| entry.get("resource")).collect()
}

fn identity(resource: Value<'_>) -> String {
    format!("{}/{}", text(resource, "resourceType"), text(resource, "id"))
}

/// `code.coding.code` of the first coding.
fn code(resource: Value<'_>, element: &str) -> String {
    let coding = resource.get(element).and_then(|concept| concept.get("coding")).and_then(|list| list.items().next());
    coding.map(|coding| text(coding, "code")).unwrap_or_default()
}

fn walk(value: Value<'_>, visit: &mut dyn FnMut(Value<'_>)) {
    visit(value);
    value.members().for_each(|member| walk(member, visit));
    value.items().for_each(|item| walk(item, visit));
}

#[test]
fn a_seed_gives_the_same_bytes_and_a_patient_does_not_depend_on_the_others() {
    let few: Vec<Vec<u8>> = Story::new(7, 3).collect();
    let many: Vec<Vec<u8>> = Story::new(7, 5).collect();
    assert_eq!(few.len(), 4);
    assert_eq!(few, many[..4]);
    assert_ne!(few[1], Story::new(8, 1).nth(1).unwrap());
    assert_eq!(Story::new(7, 3).size_hint(), (4, Some(4)));
}

/// Pins the bytes across machines and versions of `rand`: a changed story is a decision, not an accident.
#[test]
fn the_first_patient_of_seed_1_is_pinned() {
    let bytes = Story::new(1, 1).nth(1).unwrap();
    let digest = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    assert_eq!((bytes.len(), format!("{digest:016x}")), (202_513, "19cba8dbb64a7b20".to_owned()));
}

#[test]
fn every_entry_is_a_put_under_its_own_id() {
    let mut seen = BTreeSet::new();
    for bundle in &bundles() {
        assert_eq!(
            (text(bundle.root(), "resourceType"), text(bundle.root(), "type")),
            ("Bundle".into(), "transaction".into())
        );
        for entry in entries(bundle) {
            let identity = identity(entry.get("resource").unwrap());
            let request = entry.get("request").unwrap();
            assert_eq!((text(request, "method"), text(request, "url")), ("PUT".into(), identity.clone()));
            assert!(fhir::LogicalId::parse(identity.split_once('/').unwrap().1).is_ok(), "{identity}");
            assert!(seen.insert(identity), "twice");
        }
    }
}

#[test]
fn every_reference_resolves_within_the_bundle_or_the_shared_one() {
    let bundles = bundles();
    let shared: BTreeSet<String> = resources(&bundles[0]).into_iter().map(identity).collect();
    for bundle in &bundles {
        let own: BTreeSet<String> = resources(bundle).into_iter().map(identity).collect();
        let mut count = 0;
        walk(bundle.root(), &mut |value| {
            if value.name() == "reference" {
                let to = value.as_str().unwrap();
                assert!(own.contains(&*to) || shared.contains(&*to), "{to}");
                count += 1;
            }
        });
        assert!(count > 50);
    }
}

/// Every resource is what R4 allows: what the server would say to a load of the demo.
#[test]
fn every_resource_validates() {
    for bundle in &bundles() {
        for resource in resources(bundle) {
            let tree = Tree::parse(resource.raw().as_bytes().to_vec()).unwrap();
            if let Err(issues) = validation::validate(tree, fhir::schema::r4()) {
                panic!("{}: {issues:#?}", identity(resource));
            }
        }
    }
}

/// FHIR JSON has no empty strings, arrays, objects, and no null here.
#[test]
fn nothing_is_empty() {
    for bundle in &bundles()[..8] {
        walk(bundle.root(), &mut |value| {
            assert!(!matches!(value.raw(), "null" | "\"\"" | "[]" | "{}"), "{}", value.name());
        });
    }
}

#[test]
fn a_patient_has_the_resources_that_were_promised() {
    let bundles = bundles();
    let sizes: Vec<usize> = bundles[1..].iter().map(|bundle| resources(bundle).len()).collect();
    let average = sizes.iter().sum::<usize>() / sizes.len();
    assert!(sizes.iter().all(|size| (80..=170).contains(size)), "{sizes:?}");
    assert!((100..=130).contains(&average), "{average}");
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for bundle in &bundles {
        for resource in resources(bundle) {
            *kinds.entry(text(resource, "resourceType")).or_default() += 1;
        }
    }
    for kind in [
        "AllergyIntolerance",
        "ClinicalImpression",
        "Condition",
        "Coverage",
        "Device",
        "DeviceUseStatement",
        "DiagnosticReport",
        "Encounter",
        "EpisodeOfCare",
        "Goal",
        "Location",
        "NutritionOrder",
        "Observation",
        "Organization",
        "Patient",
        "Practitioner",
        "PractitionerRole",
        "QuestionnaireResponse",
        "RelatedPerson",
        "ServiceRequest",
    ] {
        assert!(kinds.contains_key(kind), "no {kind}");
    }
}

const PFE: &str = "http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/";

fn claims(resource: Value<'_>, profile: &str) -> bool {
    let claimed = resource.get("meta").and_then(|meta| meta.get("profile"));
    claimed.is_some_and(|list| list.items().any(|url| url.as_str().as_deref() == Some(profile)))
}

/// What the PFE profiles ask of single Observations and collections, as far as it can be counted.
#[test]
fn observations_keep_what_their_profile_asks() {
    for bundle in &bundles() {
        for observation in resources(bundle).into_iter().filter(|one| text(*one, "resourceType") == "Observation") {
            let (single, collection) = (
                claims(observation, &format!("{PFE}pfe-observation-single")),
                claims(observation, &format!("{PFE}pfe-collection")),
            );
            assert!(single ^ collection);
            let categories: Vec<String> = observation
                .get("category")
                .unwrap()
                .items()
                .filter_map(|category| category.get("coding")?.items().next())
                .map(|coding| text(coding, "code"))
                .collect();
            assert!(categories.contains(&"survey".to_owned()));
            assert!(categories.iter().any(|code| code == "functional-status" || code == "cognitive-status"));
            assert_eq!(observation.get("hasMember").is_some(), collection);
            let has_value = observation.get("valueCodeableConcept").or(observation.get("valueQuantity")).is_some();
            assert_eq!(has_value, single);
            assert!(observation.get("performer").is_some() && observation.get("effectiveDateTime").is_some());
        }
    }
}

/// A total is the sum of what it is derived from, and says from what.
#[test]
fn totals_add_up() {
    let points = |code: &str| match code {
        "LA6306-0" | "LA10966-2" | "LA10010-9" | "LA10126-3" | "LA10978-7" | "LA10125-5" | "LA10998-5" => 1,
        "LA6404-3" | "LA10008-3" | "LA9927-0" | "LA10134-7" | "LA10999-3" => 2,
        "LA6395-3" | "LA11000-9" => 3,
        _ => 0,
    };
    let mut totals = 0;
    for bundle in &bundles() {
        let all: BTreeMap<String, Value<'_>> = resources(bundle).into_iter().map(|one| (identity(one), one)).collect();
        for total in all.values().filter(|one| one.get("valueQuantity").is_some()) {
            let derived: Vec<String> =
                total.get("derivedFrom").unwrap().items().map(|one| text(one, "reference")).collect();
            let sum: i64 = derived
                .iter()
                .filter(|to| to.starts_with("Observation/"))
                .map(|to| {
                    let (asked, answer) = (code(all[to], "code"), code(all[to], "valueCodeableConcept"));
                    // LOINC gives "Correct" 3 points for the year and 1 for the day of the week.
                    if answer == "LA9960-1" { if asked == "52732-5" { 3 } else { 1 } } else { points(&answer) }
                })
                .sum();
            let value = total.get("valueQuantity").unwrap().get("value").unwrap().number_text().unwrap();
            assert_eq!(value.parse::<i64>().unwrap(), sum, "{}", identity(*total));
            assert!(derived.iter().any(|to| to.starts_with("QuestionnaireResponse/")));
            totals += 1;
        }
    }
    assert!(totals > 50);
}

/// Ability (1 to 6) on one question over the assessments of a patient, in order of time.
fn abilities(bundle: &Tree, question: &str) -> Vec<i32> {
    let scale = ["LA27665-1", "LA11759-0", "LA10055-4", "LA28225-3", "LA10073-7", "LA9983-3"];
    let mut found: Vec<(String, i32)> = resources(bundle)
        .into_iter()
        .filter(|one| text(*one, "resourceType") == "Observation" && code(*one, "code") == question)
        .filter_map(|one| {
            let at = scale.iter().position(|answer| *answer == code(one, "valueCodeableConcept"))?;
            Some((text(one, "effectiveDateTime"), i32::try_from(at).ok()? + 1))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, value)| value).collect()
}

/// Most improve, some decline, and nobody leaps: three steps at most between two assessments.
#[test]
fn ability_moves_believably() {
    let bundles: Vec<Tree> = Story::new(11, 300).skip(1).map(|bytes| Tree::parse(bytes).unwrap()).collect();
    let (mut up, mut same, mut down) = (0, 0, 0);
    for bundle in &bundles {
        for question in ["83212-1", "83210-5", "83224-6"] {
            let course = abilities(bundle, question);
            assert!(course.len() >= 2, "{course:?}");
            assert!(course.windows(2).all(|pair| (pair[1] - pair[0]).abs() <= 3), "{course:?}");
            match course[course.len() - 1].cmp(&course[0]) {
                std::cmp::Ordering::Greater => up += 1,
                std::cmp::Ordering::Equal => same += 1,
                std::cmp::Ordering::Less => down += 1,
            }
        }
    }
    let all = up + same + down;
    assert!(up * 100 / all >= 55 && up * 100 / all <= 85, "up {up} of {all}");
    assert!(down * 100 / all >= 5 && down * 100 / all <= 25, "down {down} of {all}");
}

/// RT: timepoints are parts of a root encounter, lie inside it, do not overlap, and share impressions.
#[test]
fn timepoints_divide_their_stay() {
    let rt = "http://hl7.org/fhir/us/pacio-rt/StructureDefinition/reassessment-timepoints-encounter";
    let (mut seen, mut shared, mut open) = (0, 0, 0);
    for bundle in &bundles() {
        let all: BTreeMap<String, Value<'_>> = resources(bundle).into_iter().map(|one| (identity(one), one)).collect();
        let mut by_root: BTreeMap<String, Vec<Value<'_>>> = BTreeMap::new();
        for timepoint in all.values().filter(|one| claims(**one, rt)) {
            for element in
                ["identifier", "type", "serviceType", "participant", "reasonCode", "location", "serviceProvider"]
            {
                assert!(timepoint.get(element).is_some(), "{element}");
            }
            by_root.entry(text(timepoint.get("partOf").unwrap(), "reference")).or_default().push(*timepoint);
            seen += 1;
        }
        for (root, mut timepoints) in by_root {
            let period = |one: Value<'_>| {
                let period = one.get("period").unwrap();
                (text(period, "start")[..10].to_owned(), text(period, "end").get(..10).map(str::to_owned))
            };
            timepoints.sort_by_key(|one| period(*one));
            let (start, end) = period(all[&root]);
            assert_eq!(period(timepoints[0]).0, start);
            assert_eq!(period(timepoints[timepoints.len() - 1]).1, end);
            open += usize::from(end.is_none());
            for pair in timepoints.windows(2) {
                assert!(period(pair[0]).1.unwrap() < period(pair[1]).0);
                let impressions = |one: Value<'_>| -> Vec<String> {
                    let based_on = one.get("basedOn").unwrap();
                    based_on
                        .items()
                        .filter_map(|one| one.get("extension")?.items().next()?.get("valueReference"))
                        .map(|one| text(one, "reference"))
                        .collect()
                };
                assert_eq!(impressions(pair[0]).last(), impressions(pair[1]).first());
                shared += 1;
            }
        }
    }
    assert!(seen > 60 && shared > 10 && open > 0, "{seen} {shared} {open}");
}

/// Phone numbers are those kept for fiction.
#[test]
fn nobody_can_be_called() {
    for bundle in &bundles() {
        walk(bundle.root(), &mut |value| {
            if value.name() == "telecom" {
                for one in value.items() {
                    assert!(text(one, "value").get(3..).is_some_and(|rest| rest.starts_with("-555-01")));
                }
            }
        });
    }
}
