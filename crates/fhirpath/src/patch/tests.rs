//! FHIRPath Patch on small resources: each operation, each refusal with its place, the bounds. SPEC: R4 fhirpatch.html.

use super::*;
use fhir::schema;

fn tree(text: &str) -> Tree {
    Tree::parse(text.as_bytes().to_vec()).unwrap()
}

const PATIENT: &str = r#"{"resourceType":"Patient","birthDate":"1950-02-03","_birthDate":{"id":"b"},"name":[{"family":"Cole","given":["Joel","Alex","Kim"],"_given":[null,{"id":"g1"},null]},{"text":"Jo"}],"contact":[{"gender":"female"}]}"#;

/// An operation from its parts, each `name: JSON members`.
fn operation(parts: &[(&str, &str)]) -> String {
    let parts: Vec<String> = parts.iter().map(|(name, rest)| format!(r#"{{"name":"{name}",{rest}}}"#)).collect();
    format!(r#"{{"name":"operation","part":[{}]}}"#, parts.join(","))
}

fn parameters(operations: &[String]) -> String {
    format!(r#"{{"resourceType":"Parameters","parameter":[{}]}}"#, operations.join(","))
}

fn applied(resource: &str, operations: &[String]) -> Result<String, PatchError> {
    let after = patch(&tree(resource), &tree(&parameters(operations)), schema::r4(), &Context::default());
    after.map(|bytes| String::from_utf8(bytes).unwrap())
}

fn code(value: &str) -> String {
    format!(r#""valueCode":"{value}""#)
}

fn string(value: &str) -> String {
    format!(r#""valueString":"{value}""#)
}

fn add(path: &str, name: &str, value: &str) -> String {
    operation(&[("type", &code("add")), ("path", &string(path)), ("name", &string(name)), ("value", value)])
}

fn replace(path: &str, value: &str) -> String {
    operation(&[("type", &code("replace")), ("path", &string(path)), ("value", value)])
}

fn delete(path: &str) -> String {
    operation(&[("type", &code("delete")), ("path", &string(path))])
}

fn insert(path: &str, index: u32, value: &str) -> String {
    let index = format!(r#""valueInteger":{index}"#);
    operation(&[("type", &code("insert")), ("path", &string(path)), ("index", &index), ("value", value)])
}

fn moved(path: &str, source: u32, destination: u32) -> String {
    let number = |number: u32| format!(r#""valueInteger":{number}"#);
    let (source, destination) = (number(source), number(destination));
    let parts = [("type", code("move")), ("path", string(path)), ("source", source), ("destination", destination)];
    operation(&parts.each_ref().map(|(name, rest)| (*name, rest.as_str())))
}

#[test]
fn each_operation_does_what_the_standard_says() {
    let cases = [
        (add("Patient", "gender", &code("male")), r#""contact":[{"gender":"female"}],"gender":"male"}"#),
        (add("Patient.name[0]", "suffix", &string("Jr")), r#""suffix":["Jr"]}"#),
        (
            add("Patient.name[0]", "given", &string("Lee")),
            r#""given":["Joel","Alex","Kim","Lee"],"_given":[null,{"id":"g1"},null,null]"#,
        ),
        (add("Patient", "deceased", r#""valueBoolean":true"#), r#""deceasedBoolean":true"#),
        (add("Patient", "deceased[x]", r#""valueDateTime":"2020""#), r#""deceasedDateTime":"2020""#),
        (
            add(
                "Patient.birthDate",
                "extension",
                r#""part":[{"name":"url","valueUri":"urn:x"},{"name":"value","valueCode":"y"}]"#,
            ),
            r#""_birthDate":{"id":"b","extension":[{"url":"urn:x","valueCode":"y"}]}"#,
        ),
        (
            add(
                "Patient",
                "contact",
                r#""part":[{"name":"gender","valueCode":"male"},{"name":"telecom","valueContactPoint":{"value":"1"}},{"name":"telecom","valueContactPoint":{"value":"2"}}]"#,
            ),
            r#"{"gender":"male","telecom":[{"value":"1"},{"value":"2"}]}]"#,
        ),
        (
            add("Patient", "contained", r#""resource":{"resourceType":"Basic","id":"x"}"#),
            r#""contained":[{"resourceType":"Basic","id":"x"}]"#,
        ),
        (
            replace("Patient.birthDate", r#""valueDate":"1951""#),
            r#"{"resourceType":"Patient","birthDate":"1951","name""#,
        ),
        (
            replace("Patient.name[0].given[1]", r#""_valueString":{"id":"n"}"#),
            r#""given":["Joel",null,"Kim"],"_given":[null,{"id":"n"},null]"#,
        ),
        (replace("Patient.contact.gender", &string("male")), r#""contact":[{"gender":"male"}]"#),
        (delete("Patient.name[0].given[1]"), r#""given":["Joel","Kim"]}"#),
        (delete("Patient.contact.gender"), r#"{"text":"Jo"}]}"#),
        (delete("Patient.birthDate"), r#"{"resourceType":"Patient","name""#),
        (delete("Patient.gender"), r#""birthDate":"1950-02-03""#),
        (
            insert("Patient.name[0].given", 0, &string("Al")),
            r#""given":["Al","Joel","Alex","Kim"],"_given":[null,null,{"id":"g1"},null]"#,
        ),
        (insert("Patient.name", 2, r#""valueHumanName":{"text":"Z"}"#), r#"{"text":"Jo"},{"text":"Z"}]"#),
        (moved("Patient.name[0].given", 1, 2), r#""given":["Joel","Kim","Alex"],"_given":[null,null,{"id":"g1"}]"#),
        (moved("Patient.name", 1, 0), r#""name":[{"text":"Jo"},{"family""#),
    ];
    for (operation, expected) in cases {
        let after = applied(PATIENT, std::slice::from_ref(&operation)).unwrap();
        assert!(after.contains(expected), "{operation}\n{after}");
    }
}

#[test]
fn what_is_emptied_moves_no_other_companion() {
    let before = r#"{"resourceType":"Patient","name":[{"given":["Joel","Alex"],"_given":[{"id":"g0"},{"id":"g1"}]}]}"#;
    let after = r#"{"resourceType":"Patient","name":[{"given":["Joel","Alex"],"_given":[null,{"id":"g1"}]}]}"#;
    assert_eq!(applied(before, &[delete("Patient.name.given[0].id")]).unwrap(), after);
}

#[test]
fn the_type_of_a_choice_changes_in_its_place() {
    let before = r#"{"resourceType":"Observation","valueString":"x","_valueString":{"id":"v"},"status":"final","component":[{"valueInteger":1}]}"#;
    let operations = [
        replace("Observation.value", r#""valueQuantity":{"value":1.50}"#),
        replace("Observation.component[0].value", r#""valueBoolean":true"#),
    ];
    let after = r#"{"resourceType":"Observation","valueQuantity":{"value":1.50},"status":"final","component":[{"valueBoolean":true}]}"#;
    assert_eq!(applied(before, &operations).unwrap(), after);
}

#[test]
fn operations_see_what_came_before_them_and_resources_within() {
    let before = r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation","valueString":"x"}}]}"#;
    let operations = [
        replace("Bundle.entry[0].resource.value", r#""valueInteger":1"#),
        add("Bundle.entry.resource", "status", &code("final")),
        replace("Bundle.entry.resource.status", &code("amended")),
    ];
    let after = r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation","valueInteger":1,"status":"amended"}}]}"#;
    assert_eq!(applied(before, &operations).unwrap(), after);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    use Reason::*;
    let no_type = operation(&[("path", &string("Patient"))]);
    let cases = [
        (no_type, "type", Missing),
        (operation(&[("type", &code("put")), ("path", &string("Patient"))]), "type", UnknownType),
        (operation(&[("type", &code("delete"))]), "path", Missing),
        (operation(&[("type", &code("delete")), ("path", &string("a")), ("path", &string("a"))]), "path", Twice),
        (operation(&[("type", &code("delete")), ("pfad", &string("a"))]), "", UnknownPart),
        (operation(&[("type", &code("delete")), ("path", &string("a")), ("name", &string("b"))]), "name", UnknownPart),
        (operation(&[("type", &code("add")), ("path", &string("a")), ("name", &string("b"))]), "value", Missing),
        (replace("Patient.gender", &code("male")), "path", NotFound),
        (replace("Patient.name", &string("x")), "path", Several),
        (replace("Patient", &string("x")), "path", WholeResource),
        (delete("Patient.name"), "path", Several),
        (delete("Patient"), "path", WholeResource),
        (delete("1"), "path", NoElement),
        (delete("Patient.name.given.first() & 'x'"), "path", NoElement),
        (add("Patient", "birthDate", r#""valueDate":"1951""#), "path", There),
        (add("Patient", "shoe", &string("x")), "name", UnknownElement("shoe".into())),
        (add("Patient", "name", &string("x")), "value", NotOfThisType),
        (add("Patient", "deceased", &string("x")), "value", NotOfThisType),
        (add("Patient", "active", &string("true")), "value", NotOfThisType),
        (add("Patient", "gender", r#""part":[{"name":"id","valueString":"x"}]"#), "value", NotOfThisType),
        (add("Patient", "gender", r#""resource":{"resourceType":"Basic"}"#), "value", NotOfThisType),
        (
            add(
                "Patient",
                "contact",
                r#""part":[{"name":"gender","valueCode":"male"},{"name":"gender","valueCode":"male"}]"#,
            ),
            "value",
            Twice,
        ),
        (insert("Patient.name", 3, r#""valueHumanName":{"text":"Z"}"#), "index", BeyondTheEnd),
        (insert("Patient.birthDate", 0, r#""valueDate":"1951""#), "path", NotAList),
        (insert("Patient.name[0]", 0, r#""valueHumanName":{"text":"Z"}"#), "path", NotAllOfAList),
        (moved("Patient.name | Patient.contact", 0, 1), "path", NotAllOfAList),
        (moved("Patient.name", 0, 2), "destination", BeyondTheEnd),
        (moved("Patient.name", 2, 0), "source", BeyondTheEnd),
        (moved("Patient.photo", 0, 1), "path", NotFound),
    ];
    for (operation, part, reason) in cases {
        let error = applied(PATIENT, &[delete("Patient.gender"), operation.clone()]).unwrap_err();
        assert_eq!((error.operation, error.part, error.reason), (Some(1), part, reason), "{operation}");
    }
    let error = applied(PATIENT, &[delete("Patient..name")]).unwrap_err();
    assert!(matches!(error.reason, Reason::Path(_)), "{error:?}");
}

#[test]
fn a_patch_is_parameters_of_operations() {
    let refused = |text: &str| {
        let error = patch(&tree(PATIENT), &tree(text), schema::r4(), &Context::default()).unwrap_err();
        (error.operation, error.reason)
    };
    assert_eq!(refused(PATIENT), (None, Reason::NotParameters));
    assert_eq!(refused(r#"{"resourceType":"Parameters"}"#), (None, Reason::NoOperation));
    let other = r#"{"resourceType":"Parameters","parameter":[{"name":"x"}]}"#;
    assert_eq!(refused(other), (Some(0), Reason::NoOperation));
    let many = vec![delete("Patient.gender"); limits::PATCH_OPERATIONS_MAX + 1];
    assert_eq!(applied(PATIENT, &many).unwrap_err().reason, Reason::TooMany);
}

/// F57: many operations on a large resource end before they take long.
#[test]
fn the_work_of_a_patch_is_bounded() {
    let large = PATIENT.replace("1950", &format!("{}1950", "x".repeat(1024 * 1024)));
    let error = applied(&large, &vec![delete("Patient.gender"); 80]).unwrap_err();
    assert_eq!((error.operation, error.reason), (Some(63), Reason::TooLarge));
    let all = "%resource.descendants()";
    let costly = delete(&format!("{all}.where({all}.where({all}.where(false).exists()).exists())"));
    assert_eq!(applied(PATIENT, std::slice::from_ref(&costly)).map(|_| ()), Ok(()));
    let error = applied(PATIENT, &vec![costly; limits::PATCH_OPERATIONS_MAX]).unwrap_err();
    assert_eq!(error.reason, Reason::Evaluation(EvaluateError::TooCostly));
}
