//! Slices: every kind of discriminator and path, rules, order, counts, reslices.

use crate::made::{Made, issues_of, right, url, wrong};
use fhir::issue::IssueType::{Required, Structure, Value};
use fhir::issue::Severity::{Error, Warning};
use validation::Validator;

fn observation(members: &str) -> String {
    format!(r#"{{"resourceType": "Observation", "status": "final", "code": {{"text": "x"}}, {members}}}"#)
}

fn category(codes: &[&str]) -> String {
    let one = |code: &&str| format!(r#"{{"coding": [{{"system": "http://example.org/s", "code": "{code}"}}]}}"#);
    let list: Vec<String> = codes.iter().map(one).collect();
    observation(&format!(r#""category": [{}]"#, list.join(", ")))
}

fn sliced(slicing: &str) -> Made {
    Made::default()
        .profile("sliced", "Observation")
        .element("Observation", &[])
        .element("Observation.category", &[("slicing", slicing)])
}

const A: &str = r#"{"patternCodeableConcept":{"coding":[{"system":"http://example.org/s","code":"a"}]}}"#;
const B: &str = r#"{"patternCodeableConcept":{"coding":[{"code":"b","system":"http://example.org/s"}]}}"#;

fn a_and_b(slicing: &str) -> Validator<'static> {
    sliced(slicing)
        .element("Observation.category:a", &[("min", "1"), ("max", "1"), ("values", A)])
        .element("Observation.category:b", &[("min", "0"), ("max", "2"), ("values", B)])
        .validator()
}

#[test]
fn by_pattern_with_counts() {
    let v = a_and_b("pattern:$this;open");
    right(&v, "sliced", &category(&["a"]));
    right(&v, "sliced", &category(&["c", "b", "a", "b"]));
    wrong(&v, "sliced", &category(&["b"]), (Error, "Observation.category", Required, "category:a has 0"));
    wrong(&v, "sliced", &category(&["a", "a"]), (Error, "Observation.category", Structure, "expected at most 1"));
    wrong(
        &v,
        "sliced",
        &category(&["a", "b", "b", "b"]),
        (Error, "Observation.category", Structure, "category:b has 3"),
    );
    // Nothing there at all: the slice is missing in its parent.
    wrong(&v, "sliced", &observation(r#""id": "x""#), (Error, "Observation", Required, "Observation.category:a"));
}

#[test]
fn closed_ordered_and_open_at_end() {
    let v = a_and_b("pattern:$this;closed");
    right(&v, "sliced", &category(&["b", "a"]));
    wrong(&v, "sliced", &category(&["a", "c"]), (Error, "Observation.category[1]", Structure, "slices a, b"));
    let v = a_and_b("pattern:$this;open;ordered");
    right(&v, "sliced", &category(&["c", "a", "c", "b", "b"]));
    wrong(&v, "sliced", &category(&["b", "a"]), (Error, "Observation.category[1]", Structure, "in the order"));
    let v = a_and_b("pattern:$this;openAtEnd");
    right(&v, "sliced", &category(&["b", "a", "c", "c"]));
    wrong(&v, "sliced", &category(&["c", "a"]), (Error, "Observation.category[1]", Structure, "before all others"));
}

#[test]
fn by_values_below() {
    let v = sliced("value:coding.code,value:coding.system;open")
        .element("Observation.category:a", &[("min", "1"), ("max", "1")])
        .element("Observation.category:a.coding", &[("min", "1"), ("max", "*")])
        .element(
            "Observation.category:a.coding.system",
            &[("min", "1"), ("values", r#"{"fixedUri":"http://example.org/s"}"#)],
        )
        .element("Observation.category:a.coding.code", &[("min", "1"), ("values", r#"{"fixedCode":"a"}"#)])
        .validator();
    right(&v, "sliced", &category(&["b", "a"]));
    wrong(&v, "sliced", &category(&["b"]), (Error, "Observation.category", Required, "category:a has 0"));
    // A pattern on the slice speaks for the paths below it.
    let v =
        sliced("value:coding.code;open").element("Observation.category:a", &[("min", "1"), ("values", A)]).validator();
    right(&v, "sliced", &category(&["a"]));
    wrong(&v, "sliced", &category(&["b"]), (Error, "Observation.category", Required, "category:a"));
    // Values below the path tell, too.
    let v = Made::default()
        .profile("sliced", "Observation")
        .element("Observation.component", &[("slicing", "value:code;open")])
        .element("Observation.component:a", &[("min", "1"), ("max", "1")])
        .element("Observation.component:a.code.coding.code", &[("values", r#"{"fixedCode":"a"}"#)])
        .element("Observation.component:a.value[x]", &[("min", "1"), ("types", "Quantity")])
        .validator();
    let component = |code: &str, value: &str| {
        observation(&format!(r#""component": [{{"code": {{"coding": [{{"code": "{code}"}}]}}, {value}}}]"#))
    };
    right(&v, "sliced", &component("a", r#""valueQuantity": {"value": 1}"#));
    wrong(
        &v,
        "sliced",
        &component("b", r#""valueString": "x""#),
        (Error, "Observation.component", Required, "component:a"),
    );
    wrong(
        &v,
        "sliced",
        &component("a", r#""valueString": "x""#),
        (Error, "Observation.component[0].value", Structure, "expected Quantity, found string"),
    );
    wrong(
        &v,
        "sliced",
        &component("a", r#""id": "x""#),
        (Error, "Observation.component[0]", Required, "Observation.component:a.value[x] is missing"),
    );
}

#[test]
fn by_required_codes() {
    let set = "required http://hl7.org/fhir/us/pacio-pfe/ValueSet/pfe-survey-category-vs";
    let v = sliced("pattern:$this;open")
        .element("Observation.category:survey", &[("min", "1"), ("binding", set)])
        .validator();
    let text = category(&["survey"])
        .replace("http://example.org/s", "http://terminology.hl7.org/CodeSystem/observation-category");
    right(&v, "sliced", &text);
    wrong(&v, "sliced", &category(&["survey"]), (Error, "Observation.category", Required, "category:survey"));
    // Codes that are not loaded put nothing into a slice, and are never an error.
    let set = "required http://example.org/ValueSet/nobody-has-it";
    let v =
        sliced("pattern:$this;open").element("Observation.category:far", &[("min", "1"), ("binding", set)]).validator();
    wrong(&v, "sliced", &category(&["a"]), (Warning, "Observation.category", Required, "category:far"));
}

#[test]
fn by_existence() {
    let v = Made::default()
        .profile("sliced", "Observation")
        .element("Observation.component", &[("slicing", "exists:referenceRange;closed")])
        .element("Observation.component:with", &[("max", "1")])
        .element("Observation.component:with.referenceRange", &[("min", "1")])
        .element("Observation.component:without", &[("max", "1")])
        .element("Observation.component:without.referenceRange", &[("max", "0")])
        .validator();
    let with = r#"{"code": {"text": "a"}, "valueString": "x", "referenceRange": [{"text": "low"}]}"#;
    let without = r#"{"code": {"text": "b"}, "valueString": "x"}"#;
    right(&v, "sliced", &observation(&format!(r#""component": [{with}, {without}]"#)));
    let twice = observation(&format!(r#""component": [{without}, {without}]"#));
    wrong(&v, "sliced", &twice, (Error, "Observation.component", Structure, "component:without has 2"));
}

#[test]
fn by_type() {
    let v = Made::default()
        .profile("sliced", "Observation")
        .element("Observation.value[x]", &[("slicing", "type:$this;closed"), ("types", "Quantity string")])
        .element("Observation.value[x]:valueQuantity", &[("types", "Quantity")])
        .element("Observation.value[x]:valueQuantity.code", &[("min", "1")])
        .element("Observation.value[x]:valueString", &[("types", "string"), ("values", r#"{"maxLength":3}"#)])
        .validator();
    right(
        &v,
        "sliced",
        &observation(r#""valueQuantity": {"value": 1, "system": "http://unitsofmeasure.org", "code": "1"}"#),
    );
    right(&v, "sliced", &observation(r#""valueString": "abc""#));
    let place = "Observation.value";
    let found = issues_of(&v, &observation(r#""valueBoolean": true"#), &[&url("sliced")]);
    assert!(
        found.iter().any(|one| one.diagnostics.contains("expected Quantity or string, found boolean")),
        "{found:#?}"
    );
    let text = observation(r#""valueQuantity": {"value": 1}"#);
    wrong(&v, "sliced", &text, (Error, place, Required, "valueQuantity.code is missing"));
    let text = observation(r#""valueString": "abcd""#);
    wrong(&v, "sliced", &text, (Error, place, fhir::issue::IssueType::TooLong, "at most 3 characters, found 4"));
    // The short form of a type slice, and no word of slicing.
    let v = Made::default()
        .profile("sliced", "Observation")
        .element("Observation.valueQuantity", &[("min", "1"), ("max", "1")])
        .element("Observation.valueQuantity.unit", &[("min", "1")])
        .validator();
    right(&v, "sliced", &observation(r#""valueQuantity": {"value": 1, "unit": "steps"}"#));
    wrong(&v, "sliced", &text, (Error, place, Required, "valueQuantity has 0"));
}

#[test]
fn by_what_is_referred_to() {
    // By the type of the target, by a value in it, and by a profile that it meets.
    let base = || Made::default().profile("sliced", "List");
    let list = |entries: &str| {
        format!(
            r##"{{"resourceType": "List", "status": "current", "mode": "working", "contained": [
            {{"resourceType": "Device", "id": "d", "status": "active"}},
            {{"resourceType": "Specimen", "id": "s", "status": "available"}}], "entry": [{entries}]}}"##
        )
    };
    let entry = |id: &str| format!(r##"{{"item": {{"reference": "#{id}"}}}}"##);
    let both = list(&format!("{}, {}", entry("d"), entry("s")));
    let two_devices = list(&format!("{}, {}, {}", entry("d"), entry("d"), entry("s")));

    let by_type = base()
        .element("List.entry", &[("slicing", "type:item.resolve();open")])
        .element("List.entry:device", &[("min", "1"), ("max", "1")])
        .element("List.entry:device.item", &[("types", "Reference>Device")])
        .validator();
    right(&by_type, "sliced", &both);
    wrong(&by_type, "sliced", &two_devices, (Error, "List.entry", Structure, "entry:device has 2"));

    let active = |made: Made| {
        made.profile("active", "Device")
            .element("Device.status", &[("min", "1"), ("values", r#"{"fixedCode":"active"}"#)])
    };
    let by_profile = active(Made::default())
        .profile("sliced", "List")
        .element("List.entry", &[("slicing", "profile:item.resolve();open")])
        .element("List.entry:device", &[("min", "1"), ("max", "1")])
        .element("List.entry:device.item", &[("types", &format!("Reference>{}", url("active")))])
        .validator();
    right(&by_profile, "sliced", &both);
    wrong(&by_profile, "sliced", &two_devices, (Error, "List.entry", Structure, "entry:device has 2"));
    let inactive = both.replace(r#""id": "d", "status": "active""#, r#""id": "d", "status": "inactive""#);
    wrong(&by_profile, "sliced", &inactive, (Error, "List.entry", Required, "entry:device has 0"));

    let by_value = active(Made::default())
        .profile("sliced", "List")
        .element("List.entry", &[("slicing", "value:item.resolve().status;open")])
        .element("List.entry:device", &[("min", "1"), ("max", "1")])
        .element("List.entry:device.item", &[("types", &format!("Reference>{}", url("active")))])
        .validator();
    right(&by_value, "sliced", &both);
    wrong(&by_value, "sliced", &inactive, (Error, "List.entry", Required, "entry:device has 0"));
    // A target that is not to be had leaves the slice open: no error.
    let elsewhere = both
        .replace("\"#d\"", "\"Device/elsewhere\"")
        .replace(r#"{"resourceType": "Device", "id": "d", "status": "active"},"#, "");
    wrong(&by_profile, "sliced", &elsewhere, (Warning, "List.entry", Required, "entry:device has 0"));
}

#[test]
fn by_an_extension_and_by_one_type_of_a_choice() {
    let v = Made::default()
        .profile("mark", "Extension")
        .context("element", "Observation.component")
        .element("Extension.url", &[("values", &format!(r#"{{"fixedUri":"{}"}}"#, url("mark")))])
        .element("Extension.value[x]", &[("types", "code")])
        .profile("sliced", "Observation")
        .element("Observation.component", &[("slicing", &format!("value:extension('{}').value;open", url("mark")))])
        .element("Observation.component:left", &[("min", "1"), ("max", "1")])
        .element("Observation.component:left.extension", &[("slicing", "value:url;open")])
        .element(
            "Observation.component:left.extension:mark",
            &[("min", "1"), ("types", &format!("Extension<{}", url("mark")))],
        )
        .element("Observation.component:left.extension:mark.value[x]", &[("values", r#"{"fixedCode":"left"}"#)])
        .profile("typed", "Observation")
        .element("Observation.component", &[("slicing", "value:value.ofType(CodeableConcept).coding.code;open")])
        .element("Observation.component:yes", &[("min", "1"), ("max", "1")])
        .element(
            "Observation.component:yes.value[x]",
            &[("types", "CodeableConcept"), ("values", r#"{"patternCodeableConcept":{"coding":[{"code":"yes"}]}}"#)],
        )
        .validator();
    let component = |side: &str| {
        format!(
            r#"{{"extension": [{{"url": "{}", "valueCode": "{side}"}}], "code": {{"text": "x"}}, "valueString": "x"}}"#,
            url("mark")
        )
    };
    right(&v, "sliced", &observation(&format!(r#""component": [{}, {}]"#, component("right"), component("left"))));
    let text = observation(&format!(r#""component": [{}]"#, component("right")));
    wrong(&v, "sliced", &text, (Error, "Observation.component", Required, "component:left has 0"));

    let component = |value: &str| observation(&format!(r#""component": [{{"code": {{"text": "x"}}, {value}}}]"#));
    right(&v, "typed", &component(r#""valueCodeableConcept": {"coding": [{"code": "yes"}]}"#));
    let text = component(r#""valueString": "yes""#);
    wrong(&v, "typed", &text, (Error, "Observation.component", Required, "component:yes has 0"));
}

#[test]
fn slices_of_slices() {
    let v = sliced("pattern:$this;open")
        .element(
            "Observation.category:a",
            &[("min", "1"), ("max", "3"), ("values", A), ("slicing", "value:text;closed")],
        )
        .element("Observation.category:a/one", &[("min", "1"), ("max", "1")])
        .element("Observation.category:a/one.text", &[("values", r#"{"fixedString":"one"}"#)])
        .element("Observation.category:a/two", &[("max", "1")])
        .element("Observation.category:a/two.text", &[("values", r#"{"fixedString":"two"}"#)])
        .validator();
    let with = |texts: &[&str]| {
        let one = |text: &&str| {
            format!(r#"{{"coding": [{{"system": "http://example.org/s", "code": "a"}}], "text": "{text}"}}"#)
        };
        let list: Vec<String> = texts.iter().map(one).collect();
        observation(&format!(r#""category": [{{"text": "other"}}, {}]"#, list.join(", ")))
    };
    right(&v, "sliced", &with(&["one"]));
    right(&v, "sliced", &with(&["two", "one"]));
    wrong(&v, "sliced", &with(&["two"]), (Error, "Observation.category", Required, "category:a/one has 0"));
    wrong(&v, "sliced", &with(&["one", "one"]), (Error, "Observation.category", Structure, "category:a/one has 2"));
    wrong(&v, "sliced", &with(&["one", "three"]), (Error, "Observation.category[2]", Structure, "a/one, a/two"));
}

#[test]
fn what_a_slice_says_is_checked_in_that_slice_alone() {
    let v = sliced("value:text;open")
        .element("Observation.category:a", &[])
        .element("Observation.category:a.text", &[("values", r#"{"fixedString":"a"}"#)])
        .element("Observation.category:a.coding", &[("min", "1"), ("max", "1")])
        .element("Observation.category:a.coding.code", &[("values", r#"{"fixedCode":"right"}"#)])
        .validator();
    right(&v, "sliced", &observation(r#""category": [{"text": "b"}, {"text": "a", "coding": [{"code": "right"}]}]"#));
    let text = observation(r#""category": [{"text": "b"}, {"text": "a", "coding": [{"code": "left"}]}]"#);
    wrong(&v, "sliced", &text, (Error, "Observation.category[1].coding[0].code", Value, "fixed value \"right\""));
    let text = observation(r#""category": [{"text": "a"}]"#);
    wrong(&v, "sliced", &text, (Error, "Observation.category[0]", Required, "category:a.coding is missing"));
}

#[test]
fn entries_of_a_bundle_by_the_type_of_their_resource() {
    let v = Made::default()
        .profile("named", "Patient")
        .element("Patient.name", &[("min", "1")])
        .profile("sliced", "Bundle")
        .element("Bundle.entry", &[("slicing", "type:resource;closed")])
        .element("Bundle.entry:patient", &[("min", "1"), ("max", "1")])
        .element("Bundle.entry:patient.resource", &[("min", "1"), ("types", &format!("Patient<{}", url("named")))])
        .element("Bundle.entry:group", &[])
        .element("Bundle.entry:group.resource", &[("min", "1"), ("types", "Group")])
        .validator();
    let bundle = |resources: &[&str]| {
        let entries: Vec<String> = resources.iter().map(|one| format!(r#"{{"resource": {one}}}"#)).collect();
        format!(r#"{{"resourceType": "Bundle", "type": "collection", "entry": [{}]}}"#, entries.join(", "))
    };
    let patient = r#"{"resourceType": "Patient", "name": [{"text": "x"}]}"#;
    let group = r#"{"resourceType": "Group", "type": "person", "actual": true}"#;
    right(&v, "sliced", &bundle(&[group, patient]));
    wrong(&v, "sliced", &bundle(&[group]), (Error, "Bundle.entry", Required, "entry:patient has 0"));
    let nameless = bundle(&[r#"{"resourceType": "Patient"}"#]);
    wrong(&v, "sliced", &nameless, (Error, "Bundle.entry[0].resource", Required, "Patient.name is missing"));
    let other = bundle(&[patient, r#"{"resourceType": "Practitioner"}"#]);
    wrong(&v, "sliced", &other, (Error, "Bundle.entry[1]", Structure, "slices patient, group"));
}
