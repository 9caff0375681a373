//! Hostile definitions: no panic, no hang, no growth without bound; and what is accepted is never looser
//! than its base.

use super::{compiled, faults, profile};
use definitions::Package;
use fhir::schema::{Definitions, Profile, r4};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

#[test]
fn profiles_in_a_circle_are_refused() {
    let ring: Vec<String> = (0..5)
        .map(|at| profile(&format!("ring{at}"), "Patient", &format!("http://example.org/ring{}", (at + 1) % 5), ""))
        .collect();
    let texts = faults(&ring.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(texts.len(), 5);
    assert!(texts.iter().all(|text| text.contains("derives from itself")), "{texts:#?}");
    let own = profile("own", "Patient", "http://example.org/own|1", "");
    assert!(faults(&[&own])[0].contains("derives from itself"));
}

#[test]
fn a_chain_of_bases_has_a_limit() {
    let chain = (0..60).map(|at| {
        let base = if at == 59 { "Patient".to_owned() } else { format!("http://example.org/chain{:02}", at + 1) };
        profile(&format!("chain{at:02}"), "Patient", &base, "")
    });
    let chain: Vec<String> = chain.collect();
    let texts = faults(&chain.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(texts[0].starts_with("http://example.org/chain00|1: it has too many profiles upon profiles"), "{texts:?}");
    assert!(!texts.iter().any(|text| text.contains("chain50|1:")), "those near the end are well");
}

#[test]
fn an_extension_within_itself_ends() {
    let mut id = "Extension".to_owned();
    let mut elements = Vec::new();
    for _ in 0..40 {
        id.push_str(".extension:again");
        let path: String = id.replace(":again", "");
        elements.push(format!(
            r#"{{"id": "{id}", "path": "{path}", "sliceName": "again", "type": [{{"code": "Extension", "profile": ["http://example.org/x"]}}]}}"#
        ));
    }
    let json = profile("x", "Extension", "Extension", &elements.join(","));
    let texts = faults(&[&json]);
    assert_eq!(texts.len(), 1);
    assert!(texts[0].contains("too many steps in a path"), "{texts:?}");
    let shorter = profile("x", "Extension", "Extension", &elements[..20].join(","));
    assert!(faults(&[&shorter]).is_empty());
}

#[test]
fn slices_upon_unfolded_slices_reach_the_limit_of_nodes() {
    let mut elements = vec![r#"{"id": "Patient.contact.name.extension.value[x].extension", "path": "Patient.contact.name.extension.value[x].extension"}"#.to_owned()];
    for at in 0..2_400 {
        elements.push(format!(r#"{{"id": "Patient.contact:s{at}", "path": "Patient.contact", "sliceName": "s{at}"}}"#));
        elements.push(format!(
            r#"{{"id": "Patient.contact:s{at}.name.text", "path": "Patient.contact.name.text", "min": 1}}"#
        ));
    }
    let json = profile("a", "Patient", "Patient", &elements.join(","));
    let texts = faults(&[&json]);
    assert!(texts[0].contains("too many elements"), "{texts:?}");
}

#[test]
fn huge_lists_have_limits() {
    let many = |one: &dyn Fn(usize) -> String, count: usize| (0..count).map(one).collect::<Vec<_>>().join(",");
    let element = |more: &str| {
        profile(
            "a",
            "Observation",
            "Observation",
            &format!(r#"{{"id": "Observation.subject", "path": "Observation.subject", {more}}}"#),
        )
    };
    let constraints = many(&|at| format!(r#"{{"key": "k-{at}", "severity": "error", "expression": "true"}}"#), 2_000);
    assert!(faults(&[&element(&format!(r#""constraint": [{constraints}]"#))])[0].contains("too many invariants"));
    let targets = many(&|at| format!(r#""http://example.org/{at}""#), 2_000);
    let types = format!(r#""type": [{{"code": "Reference", "targetProfile": [{targets}]}}]"#);
    assert!(faults(&[&element(&types)])[0].contains("too many canonicals"));
    let types = many(&|_| r#"{"code": "Reference"}"#.to_owned(), 2_000);
    assert!(faults(&[&element(&format!(r#""type": [{types}]"#))])[0].contains("too many types"));
    let elements = many(&|_| r#"{"id": "Observation", "path": "Observation"}"#.to_owned(), 5_001);
    assert!(faults(&[&profile("a", "Observation", "Observation", &elements)])[0].contains("too many elements"));
}

#[test]
fn texts_that_would_break_a_line_are_refused_or_mended() {
    let element = |more: &str| {
        let json = format!(r#"{{"id": "Observation.subject", "path": "Observation.subject", {more}}}"#);
        faults(&[&profile("a", "Observation", "Observation", &json)])
    };
    assert!(
        element(r#""type": [{"code": "Reference", "targetProfile": ["http://a\tE\tx"]}]"#)[0]
            .contains("a canonical is not one")
    );
    assert!(
        element(r#""type": [{"code": "Reference", "targetProfile": ["http://a,b"]}]"#)[0]
            .contains("a canonical is not one")
    );
    assert!(
        element(r#""binding": {"strength": "required", "valueSet": "http://a b"}"#)[0]
            .contains("a value set is not one")
    );
    assert!(
        element(r#""constraint": [{"key": "a\n== profiles", "expression": "true"}]"#)[0]
            .contains("the key of an invariant")
    );
    let id = r#"{"id": "Observation.category:a\tb\nP\tx", "path": "Observation.category", "sliceName": "a"}"#;
    let made = compiled(&[&profile("a", "Observation", "Observation", id)]);
    assert_eq!(
        made.tables.profiles.lines().filter(|line| line.starts_with("P\t")).count(),
        1,
        "{}",
        made.tables.profiles
    );
}

const PATHS: [&str; 22] = [
    "",
    "category",
    "category.coding",
    "category.coding.system",
    "category.text",
    "code",
    "code.coding.code",
    "code.text",
    "value[x]",
    "value[x]",
    "valueQuantity",
    "valueQuantity.code",
    "valueString",
    "component",
    "component.code",
    "component.value[x]",
    "component.valueQuantity.system",
    "component.referenceRange.text",
    "extension",
    "extension.value[x]",
    "subject",
    "subject.nothing",
];
const SLICES: [&str; 12] = ["", "", "", "", "", "", "a", "a", "a", "b", "b", "a/c"];

fn is_repeated(name: &str) -> bool {
    ["category", "coding", "component", "extension"].contains(&name)
}

fn any_element() -> impl Strategy<Value = String> {
    let path = prop::sample::select(&PATHS[..]);
    let slices = prop::collection::vec(prop::sample::select(&SLICES[..]), 4);
    let steps = (path, slices).prop_map(|(path, slices)| {
        let steps: Vec<&str> = path.split('.').filter(|step| !step.is_empty()).collect();
        steps
            .into_iter()
            .zip(slices)
            .map(|(name, slice)| (name, if is_repeated(name) { slice } else { "" }))
            .collect::<Vec<_>>()
    });
    let extras = prop::sample::subsequence(
        vec![
            r#""min": 0"#,
            r#""min": 1"#,
            r#""max": "0""#,
            r#""max": "1""#,
            r#""max": "*""#,
            r#""mustSupport": true"#,
            r#""type": [{"code": "Quantity"}]"#,
            r#""type": [{"code": "CodeableConcept"}, {"code": "string"}]"#,
            r#""slicing": {"discriminator": [{"type": "value", "path": "code"}], "rules": "closed"}"#,
            r#""slicing": {"rules": "open"}"#,
            r#""binding": {"strength": "required", "valueSet": "http://v"}"#,
            r#""binding": {"strength": "example"}"#,
            r#""fixedCode": "x""#,
            r#""patternCodeableConcept": {"text": "y"}"#,
            r#""maxLength": 4"#,
        ],
        0..3,
    );
    (steps, extras).prop_map(|(steps, extras)| {
        let (mut id, mut path) = ("Observation".to_owned(), "Observation".to_owned());
        let mut last = "";
        for (name, slice) in steps {
            id.push_str(&format!(".{name}{}{slice}", if slice.is_empty() { "" } else { ":" }));
            path.push_str(&format!(".{name}"));
            last = slice;
        }
        let name = if last.is_empty() { String::new() } else { format!(r#", "sliceName": "{last}""#) };
        let mut seen = Vec::new();
        let extras = extras.iter().fold(String::new(), |all, one| {
            let key = one.split(':').next();
            if seen.contains(&key) {
                return all;
            }
            seen.push(key);
            all + ", " + one
        });
        format!(r#"{{"id": "{id}", "path": "{path}"{name}{extras}}}"#)
    })
}

/// Elements of a profile that its base has too are as narrow.
fn is_as_narrow(own: &Profile, base: &Profile) -> Result<(), TestCaseError> {
    for of_base in &base.elements {
        // A choice narrowed to its slice says the same without it.
        let Some(one) = own.elements.iter().find(|one| one.id == of_base.id) else { continue };
        prop_assert!(one.min >= of_base.min, "{}: min", one.id);
        prop_assert!(one.max <= of_base.max, "{}: max", one.id);
        prop_assert!(one.must_support || !of_base.must_support, "{}: must support", one.id);
        let keys = |list: &[fhir::schema::Constraint]| list.iter().map(|one| one.key).collect::<Vec<_>>();
        prop_assert!(keys(&of_base.constraints).iter().all(|key| keys(&one.constraints).contains(key)), "{}", one.id);
        prop_assert!(of_base.slicing_rules != Some("closed") || one.slicing_rules == Some("closed"), "{}", one.id);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, rng_seed: proptest::test_runner::RngSeed::Fixed(4), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_differential_upon_any_other_ends_and_narrows(
        profiles in prop::collection::vec((prop::collection::vec(any_element(), 0..8), 0_usize..5), 1..4),
    ) {
        let json: Vec<String> = profiles.iter().enumerate().map(|(at, (elements, base))| {
            let base = if *base < profiles.len() { format!("http://example.org/p{base}") } else { "Observation".to_owned() };
            profile(&format!("p{at}"), "Observation", &base, &elements.join(","))
        }).collect();
        let made = compiled(&json.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(made.tables.profiles.lines().filter(|line| line.starts_with("P\t")).count() + count(&made.faults), profiles.len());
        let all = Definitions::builtin().with(vec![made.tables]);
        for one in all.profiles().filter(|one| one.package == "handrail.local#1") {
            prop_assert!(!one.elements.is_empty());
            if let Some(base) = all.profile(one.base) {
                is_as_narrow(one, base)?;
            }
        }
    }

    #[test]
    fn bytes_of_an_archive_that_changed_are_refused_or_read(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20), packed in any::<bool>()) {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, body) in [
            ("package/package.json", r#"{"name": "a", "version": "1", "dependencies": {"b": "1"}}"#.to_owned()),
            ("package/CodeSystem-s.json", r#"{"resourceType": "CodeSystem", "url": "http://s", "concept": [{"code": "x"}]}"#.to_owned()),
            ("package/StructureDefinition-p.json", profile("p", "Patient", "Patient", r#"{"id": "Patient.name", "path": "Patient.name", "min": 1}"#)),
        ] {
            let mut header = tar::Header::new_gnu();
            header.set_size(u64::try_from(body.len()).unwrap());
            header.set_mode(0o644);
            tar.append_data(&mut header, name, body.as_bytes()).unwrap();
        }
        let mut bytes = tar.into_inner().unwrap();
        let flip = |bytes: &mut Vec<u8>| flips.iter().for_each(|(at, to)| { let at = at.index(bytes.len()); bytes[at] = *to; });
        if !packed { flip(&mut bytes); }
        let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
        std::io::Write::write_all(&mut gz, &bytes).unwrap();
        let mut gz = gz.finish().unwrap();
        if packed { flip(&mut gz); }
        if let Ok(package) = Package::read(gz.as_slice()) {
            let _ = definitions::compile(&package, r4(), Definitions::builtin());
        }
    }
}

/// Definitions that have at least one fault.
fn count(faults: &[definitions::Fault]) -> usize {
    let mut names: Vec<&str> = faults.iter().map(|fault| fault.definition.as_str()).collect();
    names.dedup();
    names.len()
}
