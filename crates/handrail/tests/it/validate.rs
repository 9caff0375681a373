//! `handrail validate`: reports for people and for scripts, exit codes, packages and definitions of one run;
//! and the server, over TLS: profiles that the operator requires, `$validate`, code systems that were loaded.

use crate::support::{Server, run, stderr, stdout};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const GOOD: &str = r#"{"resourceType": "Patient", "text": {"status": "generated",
  "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">P</div>"}, "active": true}"#;
const BAD: &str = "{\"resourceType\": \"Patient\",\n  \"gender\": \"none\",\n  \"colour\": \"red\"}";
const OURS: &str = "http://example.org/StructureDefinition/named-patient";

fn written(directory: &Path, name: &str, text: &str) -> PathBuf {
    let file = directory.join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, text).unwrap();
    file
}

/// A profile as a differential: a patient has a name.
fn profile() -> Value {
    json!({
        "resourceType": "StructureDefinition", "url": OURS, "version": "1.0.0", "name": "NamedPatient",
        "status": "active", "fhirVersion": "4.0.1", "kind": "resource", "abstract": false, "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient", "derivation": "constraint",
        "differential": {"element": [{"id": "Patient.name", "path": "Patient.name", "min": 1}]}
    })
}

/// A package with that profile, which depends on one that is not there.
fn package(directory: &Path) -> PathBuf {
    let path = directory.join("package.tgz");
    let mut tar = tar::Builder::new(GzEncoder::new(std::fs::File::create(&path).unwrap(), Compression::fast()));
    let about = json!({"name": "example.ours", "version": "1.0.0", "fhirVersions": ["4.0.1"],
        "dependencies": {"hl7.fhir.r4.core": "4.0.1", "example.absent": "2.0.0"}});
    for (name, json) in [("package/package.json", about), ("package/StructureDefinition-a.json", profile())] {
        let bytes = json.to_string().into_bytes();
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap();
    path
}

fn validate(arguments: &[&Path], options: &[&str]) -> std::process::Output {
    let paths = arguments.iter().map(|path| path.to_str().unwrap().to_owned());
    run(["validate".to_owned()].into_iter().chain(paths).chain(options.iter().map(|one| (*one).to_owned())))
}

#[test]
fn exit_codes_and_places() {
    let own = tempfile::tempdir().unwrap();
    let (good, bad) = (written(own.path(), "good.json", GOOD), written(own.path(), "bad.json", BAD));
    let fine = validate(&[&good], &[]);
    assert_eq!(fine.status.code(), Some(0), "{}", stderr(&fine));
    assert_eq!(
        stdout(&fine),
        format!("{}: information: all OK\n1 file: 1 valid; 0 errors, 0 warnings\n", good.display())
    );
    let wrong = validate(&[&bad], &[]);
    assert_eq!(wrong.status.code(), Some(1));
    let text = stdout(&wrong);
    let place = format!("{}:2:13: error: ", bad.display());
    assert!(text.lines().any(|line| line.starts_with(&place) && line.ends_with("(Patient.gender)")), "{text}");
    assert!(text.contains(&format!("{}:3:", bad.display())) && text.contains("colour"), "{text}");
    assert!(text.ends_with("1 file: 0 valid, 1 with errors; 2 errors, 1 warning\n"), "{text}");
    let xml = written(
        own.path(),
        "bad.xml",
        "<Patient xmlns=\"http://hl7.org/fhir\">\n  <gender value=\"none\"/>\n</Patient>",
    );
    let text = stdout(&validate(&[&xml], &[]));
    assert!(text.contains(&format!("{}:2:", xml.display())) && text.contains("(Patient.gender)"), "{text}");
    for broken in ["{\"resourceType\":", "<Patient", "", "[]"] {
        let file = written(own.path(), "broken", broken);
        assert_eq!(validate(&[&file], &[]).status.code(), Some(1), "{broken}");
    }
}

#[test]
fn what_could_not_run_is_two() {
    let own = tempfile::tempdir().unwrap();
    let good = written(own.path(), "good.json", GOOD);
    let missing = own.path().join("none.json");
    let both = validate(&[&missing, &good], &[]);
    assert_eq!(both.status.code(), Some(2));
    assert!(stderr(&both).contains("none.json") && stdout(&both).contains("1 valid, 1 not read"), "{}", stdout(&both));
    std::fs::create_dir(own.path().join("empty")).unwrap();
    assert_eq!(validate(&[&own.path().join("empty")], &[]).status.code(), Some(2));
    let none = missing.to_str().unwrap();
    for options in [
        vec!["--profile", "http://example.org/none"],
        vec!["--format", "pdf"],
        vec!["--package", none],
        vec!["--definitions", none],
        vec!["--data", none],
    ] {
        assert_eq!(validate(&[&good], &options).status.code(), Some(2), "{options:?}");
    }
    assert_eq!(run(["validate"]).status.code(), Some(2));
}

/// Both forms tell the same issues, of each file of a folder and of the folders in it.
#[test]
fn all_forms_tell_the_same() {
    let own = tempfile::tempdir().unwrap();
    written(own.path(), "a.json", GOOD);
    written(own.path(), "in/b.json", BAD);
    written(own.path(), "in/c.xml", "<Patient xmlns=\"http://hl7.org/fhir\"><gender value=\"none\"/></Patient>");
    written(own.path(), "in/readme.txt", "no resource");
    let text = stdout(&validate(&[own.path()], &[]));
    let json = validate(&[own.path()], &["--format", "json"]);
    assert_eq!(json.status.code(), Some(1));
    let mut lines = text.lines();
    for line in stdout(&json).lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let outcome = &line["outcome"];
        assert_eq!(outcome["resourceType"], "OperationOutcome");
        for issue in outcome["issue"].as_array().unwrap() {
            let said = lines.next().unwrap();
            let plain = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            assert!(said.starts_with(&plain(&line["file"])), "{said} {issue}");
            assert!(
                said.contains(&plain(&issue["severity"])) && said.contains(&plain(&issue["diagnostics"])),
                "{said}"
            );
            assert!(said.contains(&plain(&issue["expression"][0])), "{said} {issue}");
        }
    }
    assert!(lines.next().unwrap().starts_with("3 files: 1 valid, 2 with errors"));
    let junit = stdout(&validate(&[own.path()], &["--format", "junit"]));
    assert!(
        junit.contains("<testsuite name=\"handrail validate\" tests=\"3\" failures=\"2\" errors=\"0\">"),
        "{junit}"
    );
    assert_eq!(junit.matches("<failure ").count(), text.matches(": error: ").count());
    assert!(!junit.contains("\"none\"") && junit.contains("Patient.gender"), "{junit}");
}

#[test]
fn packages_and_definitions_of_one_run() {
    let own = tempfile::tempdir().unwrap();
    let good = written(own.path(), "good.json", GOOD);
    let package = package(own.path());
    let with_package = validate(&[&good], &["--profile", OURS, "--package", package.to_str().unwrap()]);
    assert_eq!(with_package.status.code(), Some(1), "{}", stderr(&with_package));
    assert!(stdout(&with_package).contains("Patient.name"), "{}", stdout(&with_package));
    assert!(stderr(&with_package).contains("example.absent#2.0.0"), "{}", stderr(&with_package));
    let json = written(own.path(), "definition.json", &profile().to_string());
    let xml = "<ValueSet xmlns=\"http://hl7.org/fhir\"><url value=\"http://example.org/vs\"/><status value=\"active\"/></ValueSet>";
    let xml = written(own.path(), "definition.xml", xml);
    let files = [json.to_str().unwrap(), xml.to_str().unwrap()];
    let alone = validate(&[&good], &["--profile", OURS, "--definitions", files[0], "--definitions", files[1]]);
    assert_eq!(alone.status.code(), Some(1), "{}", stderr(&alone));
    assert!(stdout(&alone).contains("Patient.name"), "{}", stdout(&alone));
    let none = written(own.path(), "patient.json", GOOD);
    assert_eq!(
        validate(&[&good], &["--definitions", none.to_str().unwrap()]).status.code(),
        Some(2),
        "defines nothing"
    );
}

/// A profile whose subject is a patient with a name, and a definition of that.
fn definitions(directory: &Path) -> [String; 2] {
    let mut about = profile();
    about["url"] = json!("http://example.org/StructureDefinition/about-named");
    about["name"] = json!("AboutNamed");
    about["type"] = json!("Observation");
    about["baseDefinition"] = json!("http://hl7.org/fhir/StructureDefinition/Observation");
    about["differential"]["element"] = json!([{"id": "Observation.subject", "path": "Observation.subject",
        "type": [{"code": "Reference", "targetProfile": [OURS]}]}]);
    [("a.json", profile()), ("b.json", about)].map(|(name, definition)| {
        written(&directory.join("definitions"), name, &definition.to_string()).to_str().unwrap().to_owned()
    })
}

#[test]
fn references_lead_to_the_other_files_of_the_run() {
    let own = tempfile::tempdir().unwrap();
    let definitions = definitions(own.path());
    let known = ["--definitions", &definitions[0], "--definitions", &definitions[1], "--target-profiles", "error"];
    let about = |name: &str, reference: &str| {
        let text = json!({"resourceType": "Observation", "status": "final", "code": {"text": "a"},
            "meta": {"profile": ["http://example.org/StructureDefinition/about-named"]},
            "subject": {"reference": reference}});
        written(own.path(), name, &text.to_string())
    };
    let patient = |folder: &str, named: bool, version: &str| {
        let name = if named { r#","name":[{"family":"N"}]"# } else { "" };
        let text = format!(r#"{{"resourceType":"Patient","id":"p1","meta":{{"versionId":"{version}"}}{name}}}"#);
        written(&own.path().join(folder), "p.json", &text)
    };
    let (named, nameless) = (patient("named", true, "1"), patient("nameless", false, "2"));
    let is_valid = |files: &[&Path]| {
        let output = validate(files, &known);
        let text = stdout(&output);
        assert!(output.status.success() || text.contains(OURS) && text.contains("Observation.subject"), "{text}");
        output.status.success()
    };
    let literal = about("literal.json", "Patient/p1");
    assert!(is_valid(&[&literal]), "in none of the files: by its type alone");
    assert!(is_valid(&[&literal, &named]));
    assert!(!is_valid(&[&literal, &nameless]));
    let warned = validate(&[&literal, &nameless], &known[..4]);
    assert!(warned.status.success() && stdout(&warned).contains("warning: Observation.subject: expected a"));
    let wrong = written(own.path(), "wrong.json", r#"{"resourceType":"Group","id":"g","type":"person","actual":true}"#);
    assert!(!validate(&[&about("group.json", "Group/g"), &wrong], &known[..4]).status.success(), "a type is a type");
    let both = validate(&[&literal, &named, &nameless], &known);
    assert!(both.status.success(), "the first counts");
    let said = stderr(&both);
    assert!(said.contains("Patient/p1 is in") && said.contains("named/p.json"), "{said}");
    assert!(!is_valid(&[&about("versioned.json", "Patient/p1/_history/2"), &nameless]));
    assert!(is_valid(&[&about("versioned.json", "Patient/p1/_history/1"), &nameless]), "no such version there");
    // An entry of another file, in XML, by its fullUrl and by its id.
    let bundle = r#"<Bundle xmlns="http://hl7.org/fhir"><type value="collection"/><entry>
        <fullUrl value="http://example.org/fhir/Patient/p2"/><resource><Patient><id value="p2"/></Patient></resource>
        </entry></Bundle>"#;
    let bundle = written(own.path(), "bundle.xml", bundle);
    for reference in ["http://example.org/fhir/Patient/p2", "Patient/p2"] {
        assert!(!is_valid(&[&about("entry.json", reference), &bundle]), "{reference}");
    }
    assert!(is_valid(&[&about("entry.json", "http://example.com/fhir/Patient/p2"), &bundle]), "another server's");
}

#[test]
fn canonicals_lead_to_the_other_files_of_the_run() {
    let own = tempfile::tempdir().unwrap();
    let response = |canonical: &str| {
        let text = json!({"resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": canonical,
            "item": [{"linkId": "no-such", "answer": [{"valueBoolean": true}]}]});
        written(own.path(), "response.json", &text.to_string())
    };
    let questionnaire = r#"{"resourceType": "Questionnaire", "url": "http://example.org/Questionnaire/q",
        "version": "1", "status": "active", "item": [{"linkId": "a", "type": "boolean"}]}"#;
    let questionnaire = written(own.path(), "questionnaire.json", questionnaire);
    let code = |files: &[&Path]| validate(files, &[]).status.code();
    for known in ["http://example.org/Questionnaire/q", "http://example.org/Questionnaire/q|1"] {
        let response = response(known);
        assert_eq!(code(&[&response]), Some(0), "{known}");
        assert_eq!(code(&[&response, &questionnaire]), Some(1), "{known}");
    }
    let other = response("http://example.org/Questionnaire/q|2");
    assert_eq!(code(&[&other, &questionnaire]), Some(0), "another version of it");
}

/// The whole server: what is required by configuration is required, and `$validate` says so beforehand.
#[tokio::test]
async fn a_server_requires_what_its_operator_says() {
    const SINGLE: &str = "http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/pfe-observation-single";
    let config = format!("[validation]\nrequired_profiles = [\"Observation={SINGLE}\"]\nunknown_profile = \"error\"\n");
    let server = Server::configured(&config);
    let token = server.full_token();
    let mut http = server.http().await;
    let observation = r#"{"resourceType": "Observation", "status": "final", "code": {"text": "a"}}"#;
    let refused = http.put_as(&token, "POST", "/fhir/Observation", observation).await;
    assert_eq!(refused.status, 422);
    assert!(refused.json().to_string().contains(SINGLE));
    let mode = format!(
        r#"{{"resourceType": "Parameters", "parameter": [{{"name": "mode", "valueCode": "create"}}, {{"name": "resource", "resource": {observation}}}]}}"#
    );
    let told = http.put_as(&token, "POST", "/fhir/Observation/$validate", &mode).await;
    assert_eq!(told.status, 200);
    assert!(told.json().to_string().contains(SINGLE));
    let unknown = r#"{"resourceType": "Patient", "meta": {"profile": ["http://example.org/none"]}, "active": true}"#;
    assert_eq!(http.put_as(&token, "POST", "/fhir/Patient", unknown).await.status, 422);
    let found =
        http.get_as(&token, "/fhir/CodeSystem/$lookup?system=http://hl7.org/fhir/observation-status&code=final").await;
    assert_eq!(found.status, 200, "{:?}", found.body);
}

#[test]
fn a_required_profile_that_is_not_loaded_stops_the_start() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    let setting = "Observation=http://example.org/none";
    let data = data.to_str().unwrap();
    let output = run(["serve", "--data", data, "--listen", "127.0.0.1:0", "--validation-required-profiles", setting]);
    assert!(!output.status.success() && stderr(&output).contains("no such profile is loaded"), "{}", stderr(&output));
}
