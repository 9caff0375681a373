//! `handrail fhirpath`: results with their places, for people and for scripts; errors by exit code.

use crate::support::{ok, run, stderr, stdout};
use std::{path::Path, process::Output};

const PATIENT: &str = r#"{
  "resourceType": "Patient",
  "id": "p1",
  "name": [
    {"use": "official", "family": "Smith", "given": ["Betsy", "Ann"]},
    {"given": ["Bets"]}
  ],
  "_birthDate": {"extension": [{"url": "http://example.org/why", "valueCode": "unknown"}]},
  "extension": [{"url": "http://example.org/weight", "valueQuantity": {"value": 71.50, "unit": "kg"}}],
  "generalPractitioner": [{"reference": "Practitioner/7"}]
}"#;

const BUNDLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Bundle xmlns="http://hl7.org/fhir">
  <type value="collection"/>
  <entry>
    <fullUrl value="http://example.org/fhir/Patient/p1"/>
    <resource><Patient><id value="p1"/><active value="true"/></Patient></resource>
  </entry>
  <entry>
    <fullUrl value="http://example.org/fhir/Observation/o1"/>
    <resource>
      <Observation>
        <id value="o1"/>
        <status value="final"/>
        <code><text value="weight"/></code>
        <subject><reference value="Patient/p1"/></subject>
        <valueQuantity><value value="71.50"/><unit value="kg"/></valueQuantity>
      </Observation>
    </resource>
  </entry>
</Bundle>"#;

fn written(directory: &Path, name: &str, text: &str) -> String {
    let file = directory.join(name);
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

fn ask(text: &str, name: &str, expression: &str, options: &[&str]) -> Output {
    let own = tempfile::tempdir().unwrap();
    let file = written(own.path(), name, text);
    run(["fhirpath", expression, &file].into_iter().chain(options.iter().copied()))
}

#[test]
fn results_have_type_value_path_and_place() {
    let text = ok(&ask(PATIENT, "p.json", "name.given", &[]));
    assert_eq!(
        text.lines().collect::<Vec<_>>(),
        [
            "string  Betsy  Patient.name[0].given[0]  5:54",
            "string  Ann  Patient.name[0].given[1]  5:63",
            "string  Bets  Patient.name[1].given[0]  6:16"
        ]
    );
    assert_eq!(ok(&ask(PATIENT, "p.json", "name.count() + 1", &[])).trim_end(), "integer  3");
    let birth = ok(&ask(PATIENT, "p.json", "birthDate.extension", &[]));
    assert!(birth.contains("Patient.birthDate.extension[0]  8:"), "{birth}");
    // XML: the places of the XML.
    let weight = ok(&ask(BUNDLE, "b.xml", "Bundle.entry.resource.ofType(Observation).value.unit", &[]));
    assert_eq!(weight.trim_end(), "string  kg  Bundle.entry[1].resource.value.unit  16:46");
}

#[test]
fn scripts_get_one_object_a_line() {
    let json = |expression: &str| ok(&ask(PATIENT, "p.json", expression, &["--json"]));
    assert_eq!(json("name.given.first()"), "{\"type\": \"string\", \"value\": \"Betsy\"}\n");
    assert_eq!(
        json("name.first() | name.exists() | 1.50 | @2024-02 | @T10:30 | 4 'mg'"),
        "{\"type\": \"HumanName\", \"value\": {\"use\":\"official\",\"family\":\"Smith\",\"given\":[\"Betsy\",\"Ann\"]}}\n\
         {\"type\": \"boolean\", \"value\": true}\n\
         {\"type\": \"decimal\", \"value\": 1.50}\n\
         {\"type\": \"date\", \"value\": \"2024-02\"}\n\
         {\"type\": \"time\", \"value\": \"10:30\"}\n\
         {\"type\": \"Quantity\", \"value\": \"4 'mg'\"}\n"
    );
    assert_eq!(json("extension.value"), "{\"type\": \"Quantity\", \"value\": {\"value\":71.50,\"unit\":\"kg\"}}\n");
    assert_eq!(json("birthDate"), "{\"type\": \"date\", \"value\": null}\n");
    assert_eq!(json("'a\nb'"), "{\"type\": \"string\", \"value\": \"a\\nb\"}\n");
    assert_eq!(
        json("1.type()"),
        "{\"type\": \"SimpleTypeInfo\", \"value\": {\"namespace\":\"System\",\"name\":\"Integer\"}}\n"
    );
    // A sign is no option, and options may come first.
    assert_eq!(json("-1 < 2"), "{\"type\": \"boolean\", \"value\": true}\n");
    let own = tempfile::tempdir().unwrap();
    let file = written(own.path(), "p.json", PATIENT);
    assert_eq!(ok(&run(["fhirpath", "--json", "-3.abs()", &file])), "{\"type\": \"integer\", \"value\": -3}\n");
    // Nothing for nothing, and what a reference points at outside the file is nothing.
    assert_eq!(json("photo"), "");
    assert_eq!(json("generalPractitioner.resolve()"), "");
}

#[test]
fn references_within_a_bundle_are_resolved() {
    let subject = ok(&ask(BUNDLE, "b.xml", "entry.resource.subject.resolve().active", &["--json"]));
    assert_eq!(subject, "{\"type\": \"boolean\", \"value\": true}\n");
}

#[test]
fn what_is_wrong_goes_to_standard_error_with_exit_code_1() {
    for (expression, word) in [
        ("name.given1", "HumanName has no element given1"),
        ("Encounter.status", "Patient is no Encounter"),
        ("name.", "column 6"),
        ("name.nosuch()", "nosuch"),
        ("name.single()", "one item was expected"),
        ("name.as(HumanName)", "one item was expected"),
        ("%nosuch", "unknown variable"),
        ("'a'.matches('(')", "regular expression"),
        ("conformsTo('http://example.org/nosuch')", "not available"),
        ("'x'.repeat($this & 'x')", "too many steps"),
    ] {
        for options in [&[][..], &["--json"]] {
            let output = ask(PATIENT, "p.json", expression, options);
            assert_eq!(output.status.code(), Some(1), "{expression}");
            assert_eq!(stdout(&output), "", "{expression}");
            assert!(stderr(&output).contains(word), "{expression}: {}", stderr(&output));
        }
    }
    for (text, word) in [("{", "p.json"), ("{\"resourceType\": \"Nosuch\"}", "resourceType"), ("<Patient/>", "p.json")]
    {
        let output = ask(text, "p.json", "id", &[]);
        assert_eq!((output.status.code(), stdout(&output)), (Some(1), String::new()));
        assert!(stderr(&output).contains(word), "{}", stderr(&output));
    }
    assert_eq!(run(["fhirpath", "id", "/no/such/file.json"]).status.code(), Some(1));
}

#[test]
fn a_trace_is_seen_beside_the_result() {
    let output = ask(PATIENT, "p.json", "name.trace('names', given).count()", &["--json"]);
    assert_eq!(ok(&output), "{\"type\": \"integer\", \"value\": 2}\n");
    assert!(stderr(&output).contains("trace names: string  \"Betsy\""), "{}", stderr(&output));
}

#[test]
fn the_profiles_that_are_compiled_in_answer() {
    let patient = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient";
    let with = r#"{"resourceType": "Patient", "identifier": [{"system": "urn:s", "value": "1"}], "name": [{"family": "A"}], "gender": "female"}"#;
    for (text, wanted) in [(with, "true"), (PATIENT, "false")] {
        let found = ok(&ask(text, "p.json", &format!("conformsTo('{patient}')"), &["--json"]));
        assert_eq!(found, format!("{{\"type\": \"boolean\", \"value\": {wanted}}}\n"));
    }
}

#[test]
fn the_terminology_that_is_compiled_in_answers() {
    let gender = "'male'.memberOf(%`vs-administrative-gender`) and 'men'.memberOf(%`vs-administrative-gender`).not()";
    assert_eq!(ok(&ask(PATIENT, "p.json", gender, &["--json"])), "{\"type\": \"boolean\", \"value\": true}\n");
}

/// What is loaded into a data directory is known with `--data`, and cannot be told without it.
#[test]
fn codes_of_a_data_directory_are_known() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let (data, table, answers) =
        (data.to_str().unwrap(), own.path().join("Loinc.csv"), own.path().join("AnswerList.csv"));
    std::fs::write(&table, "LOINC_NUM,LONG_COMMON_NAME,STATUS,VersionLastChanged\n1-8,One,ACTIVE,2.80\n").unwrap();
    std::fs::write(&answers, "AnswerListId,AnswerListName,AnswerStringId,DisplayText\nLL1-9,List,LA1-1,Yes\n").unwrap();
    ok(&run(["terminology", "load", "loinc", table.to_str().unwrap(), answers.to_str().unwrap(), "--data", data]));
    let observation = r#"{"resourceType": "Observation", "status": "final", "code": {"coding": [
        {"system": "http://loinc.org", "code": "LA1-1"}, {"system": "http://loinc.org", "code": "1-8"}]}}"#;
    let codings = "code.coding.select(memberOf('http://loinc.org/vs/LL1-9'))";
    let with = ok(&ask(observation, "o.json", codings, &["--data", data]));
    assert_eq!(with, "boolean  true\nboolean  false\n");
    let without = ask(observation, "o.json", codings, &[]);
    assert!(!stdout(&without).contains("boolean"), "{}", stdout(&without));
    let none = ask(observation, "o.json", codings, &["--data", "/no/such/directory"]);
    assert!(!none.status.success() && stderr(&none).contains("no such data directory"), "{}", stderr(&none));
}
