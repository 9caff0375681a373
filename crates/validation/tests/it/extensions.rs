//! Extensions: URLs, definitions, contexts, counts, modifiers, parts.

use crate::made::{Made, issues_of, only, right, url, wrong};
use fhir::issue::IssueType::{Extension, Required, Structure, Value};
use fhir::issue::Severity::{Error, Information};
use validation::Validator;

fn validator() -> Validator<'static> {
    let fixed = |name: &str| format!(r#"{{"fixedUri":"{}"}}"#, url(name));
    Made::default()
        .invariant("unused", "error", "true")
        .profile("note", "Extension")
        .context("element", "Patient.name")
        .context("element", "Coding")
        .context("extension", &url("whole"))
        .context("fhirpath", "Patient.contact.where(gender = 'male')")
        .element("Extension", &[("min", "0"), ("max", "1")])
        .element("Extension.url", &[("values", &fixed("note"))])
        .element("Extension.value[x]", &[("min", "1"), ("types", "string")])
        .profile("whole", "Extension")
        .context("element", "Patient")
        .context_invariant("active.exists()")
        .element("Extension", &[("max", "*")])
        .element("Extension.url", &[("values", &fixed("whole"))])
        .element("Extension.extension", &[("slicing", "value:url;closed"), ("min", "1")])
        .element("Extension.extension:size", &[("min", "1"), ("max", "1")])
        .element("Extension.extension:size.url", &[("values", r#"{"fixedUri":"size"}"#)])
        .element("Extension.extension:size.value[x]", &[("min", "1"), ("types", "integer")])
        .element("Extension.extension:note", &[("max", "1"), ("types", &format!("Extension<{}", url("note")))])
        .profile("not", "Extension")
        .context("element", "Patient")
        .element("Extension", &[("flags", "m"), ("max", "1")])
        .element("Extension.url", &[("values", &fixed("not"))])
        .element("Extension.value[x]", &[("types", "boolean")])
        .profile("p", "Patient")
        .element("Patient", &[])
        .element("Patient.name.extension", &[("slicing", "value:url;open")])
        .element("Patient.name.extension:note", &[("max", "1"), ("types", &format!("Extension<{}", url("note")))])
        .validator()
}

fn patient(members: &str) -> String {
    format!(r#"{{"resourceType": "Patient", "active": true, {members}}}"#)
}

fn note(value: &str) -> String {
    format!(r#"{{"url": "{}", {value}}}"#, url("note"))
}

#[test]
fn a_known_extension_meets_its_definition() {
    let v = validator();
    let name = |extension: &str| patient(&format!(r#""name": [{{"extension": [{extension}]}}]"#));
    right(&v, "p", &name(&note(r#""valueString": "x""#)));
    let place = "Patient.name[0].extension[0].value";
    wrong(
        &v,
        "p",
        &name(&note(r#""valueBoolean": true"#)),
        (Error, place, Structure, "expected string, found boolean"),
    );
    // It is known where no profile speaks of it, too.
    let coding = patient(&format!(
        r#""maritalStatus": {{"coding": [{{"code": "x", "extension": [{}]}}]}}"#,
        note(r#""valueInteger": 1"#)
    ));
    let found = issues_of(&v, &coding, &[]);
    assert!(found.iter().any(|one| one.diagnostics.contains("expected string, found integer")), "{found:#?}");
    let twice = name(&format!("{}, {}", note(r#""valueString": "x""#), note(r#""valueString": "y""#)));
    let found = issues_of(&v, &twice, &[]);
    only(&found, (Error, "Patient.name[0].extension[1]", Structure, "does not repeat"), "twice");
}

#[test]
fn extensions_stand_where_they_may() {
    let v = validator();
    let text = note(r#""valueString": "x""#);
    let wrong_place = |members: String, place: &str| {
        let found = issues_of(&v, &patient(&members), &[]);
        only(&found, (Error, place, Extension, "stands on Patient.name or Coding"), place);
    };
    wrong_place(format!(r#""extension": [{text}]"#), "Patient.extension[0]");
    wrong_place(
        format!(r#""address": [{{"city": "x", "_city": {{"extension": [{text}]}}}}]"#),
        "Patient.address[0].city.extension[0]",
    );
    wrong_place(
        format!(r#""contact": [{{"name": {{"text": "x"}}, "gender": "female", "extension": [{text}]}}]"#),
        "Patient.contact[0].extension[0]",
    );
    assert_eq!(
        issues_of(
            &v,
            &patient(&format!(r#""contact": [{{"name": {{"text": "x"}}, "gender": "male", "extension": [{text}]}}]"#)),
            &[]
        ),
        []
    );
    let whole =
        format!(r#""extension": [{{"url": "{}", "extension": [{{"url": "size", "valueInteger": 1}}]}}]"#, url("whole"));
    assert_eq!(issues_of(&v, &patient(&whole), &[]), []);
    let found = issues_of(&v, &format!(r#"{{"resourceType": "Patient", {whole}}}"#), &[]);
    only(&found, (Error, "Patient.extension[0]", Extension, "active.exists() does not hold"), "context invariant");
}

#[test]
fn parts_of_a_complex_extension() {
    let v = validator();
    let whole =
        |parts: &str| patient(&format!(r#""extension": [{{"url": "{}", "extension": [{parts}]}}]"#, url("whole")));
    let size = r#"{"url": "size", "valueInteger": 1}"#;
    let place = "Patient.extension[0].extension";
    right(&v, "p", &whole(&format!("{size}, {}", note(r#""valueString": "x""#))));
    wrong(&v, "p", &whole(&note(r#""valueString": "x""#)), (Error, place, Required, "extension:size has 0"));
    let text = whole(r#"{"url": "size", "valueString": "1"}"#);
    wrong(&v, "p", &text, (Error, "Patient.extension[0].extension[0].value", Structure, "expected integer"));
    let text = whole(&format!(r#"{size}, {{"url": "colour", "valueString": "x"}}"#));
    wrong(&v, "p", &text, (Error, "Patient.extension[0].extension[1]", Structure, "slices size, note"));
}

#[test]
fn urls_and_what_is_not_known() {
    let v = validator();
    let extension = |kind: &str, url: &str| patient(&format!(r#""{kind}": [{{"url": "{url}", "valueString": "x"}}]"#));
    let far = "http://example.org/far";
    wrong(&v, "p", &extension("extension", far), (Information, "Patient.extension[0]", Extension, "not known"));
    wrong(
        &v,
        "p",
        &extension("modifierExtension", far),
        (Error, "Patient.modifierExtension[0]", Extension, "modifier extension http://example.org/far is not known"),
    );
    wrong(&v, "p", &extension("extension", "far"), (Error, "Patient.extension[0]", Extension, "is absolute"));
    let not = |kind: &str| patient(&format!(r#""{kind}": [{{"url": "{}", "valueBoolean": true}}]"#, url("not")));
    right(&v, "p", &not("modifierExtension"));
    wrong(
        &v,
        "p",
        &not("extension"),
        (
            Error,
            "Patient.extension[0]",
            Extension,
            "expected the extension http://example.org/StructureDefinition/not as modifierExtension",
        ),
    );
    let other = patient(&format!(r#""name": [{{"extension": [{{"url": "{far}"}}]}}]"#));
    assert!(issues_of(&v, &other, &[]).iter().any(|one| one.code != Value && one.severity == Error));
}
