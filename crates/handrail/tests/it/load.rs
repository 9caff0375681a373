//! `handrail load`: what goes in, what is left out and why, on a server and on a directory.

use crate::support::{Server, handrail, ok, run, stderr, stdout};
use std::{
    path::{Path, PathBuf},
    process::Output,
};

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

/// A folder with one of each: a resource, NDJSON, a collection with a urn reference, a transaction.
fn folder() -> tempfile::TempDir {
    let own = tempfile::tempdir().unwrap();
    write(own.path(), "patient.json", r#"{"resourceType":"Patient","id":"p1","gender":"female"}"#);
    write(
        own.path(),
        "more/patients.ndjson",
        "{\"resourceType\":\"Patient\",\"id\":\"p2\"}\n\n{\"resourceType\":\"Patient\",\"id\":\"p3\"}\n",
    );
    write(
        own.path(),
        "more/collection.json",
        r#"{"resourceType":"Bundle","type":"collection","entry":[
            {"fullUrl":"urn:uuid:6a0d5b1e-9c1b-4b7e-8a57-0d8a6d3b0c01",
             "resource":{"resourceType":"Patient","gender":"male"}},
            {"resource":{"resourceType":"Observation","id":"o1","status":"final",
              "code":{"text":"gait speed"},"valueQuantity":{"value":1.20,"unit":"m/s"},
              "subject":{"reference":"urn:uuid:6a0d5b1e-9c1b-4b7e-8a57-0d8a6d3b0c01"}}}]}"#,
    );
    write(
        own.path(),
        "transaction.json",
        r#"{"resourceType":"Bundle","type":"transaction","entry":[
            {"resource":{"resourceType":"Patient","id":"p4"},"request":{"method":"PUT","url":"Patient/p4"}}]}"#,
    );
    write(own.path(), "notes.txt", "not read");
    own
}

fn load(server: &Server, token: &str, path: &Path) -> Output {
    let mut command = handrail();
    command.arg("load").arg(path).args(["--server", &server.base, "--token", token]).arg("--ca").arg(server.ca());
    command.output().unwrap()
}

fn row<'a>(table: &'a str, name: &str) -> Vec<&'a str> {
    let line = table.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {table}"));
    line.split_whitespace().collect()
}

#[tokio::test]
async fn a_folder_goes_to_a_server_whole() {
    let server = Server::start();
    let token = server.full_token();
    let folder = folder();
    let table = ok(&load(&server, &token, folder.path()));
    assert_eq!(row(&table, "Patient"), ["Patient", "5", "5", "0"]);
    assert_eq!(row(&table, "Observation"), ["Observation", "1", "1", "0"]);
    assert_eq!(row(&table, "total"), ["total", "6", "6", "0"]);
    let mut http = server.http().await;
    let observation = http.get_as(&token, "/fhir/Observation/o1").await;
    let subject = observation.json()["subject"]["reference"].as_str().unwrap().to_owned();
    assert!(subject.starts_with("Patient/"), "the urn became a reference: {subject}");
    assert_eq!(http.get_as(&token, &format!("/fhir/{subject}")).await.json()["gender"], "male");
    assert!(String::from_utf8_lossy(&observation.body).contains("1.20"), "decimals keep their text");
}

#[tokio::test]
async fn what_is_refused_is_named_and_the_rest_is_stored() {
    let server = Server::start();
    let token = server.full_token();
    let own = tempfile::tempdir().unwrap();
    let lines = [
        r#"{"resourceType":"Patient","id":"good-1"}"#,
        r#"{"resourceType":"Patient","id":"bad-1","gender":"no such code"}"#,
        r#"{"resourceType":"Patient","id":"good-2"}"#,
        r#"{"resourceType":"Patient","id":"twice","id":"twice"}"#,
        r#"{"id":"typeless"}"#,
        r#"{"resourceType":"Patience","id":"unheard-of"}"#,
        r#"{"resourceType":"Patient","id":"torn""#,
    ];
    write(own.path(), "patients.ndjson", &lines.join("\n"));
    let output = load(&server, &token, own.path());
    assert_eq!(output.status.code(), Some(1));
    let table = stdout(&output);
    assert_eq!(row(&table, "Patient"), ["Patient", "3", "2", "1"]);
    for place in [
        "patients.ndjson:2",
        "patients.ndjson:4",
        "patients.ndjson:5",
        "patients.ndjson:6",
        "patients.ndjson:7: line 1,",
    ] {
        assert!(table.contains(place), "{place}: {table}");
    }
    let mut http = server.http().await;
    assert_eq!(http.get_as(&token, "/fhir/Patient/good-2").await.status, 200);
    assert_eq!(http.get_as(&token, "/fhir/Patient/bad-1").await.status, 404);
}

#[tokio::test]
async fn a_directory_at_rest_takes_the_same_and_its_log_says_so() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    let folder = folder();
    let into = |path: &Path| handrail().arg("load").arg(path).arg("--data").arg(&data).output().unwrap();
    let table = ok(&into(folder.path()));
    assert_eq!(row(&table, "total"), ["total", "6", "6", "0"]);
    write(folder.path(), "patient.json", r#"{"resourceType":"Patient","id":"p9","gender":"unheard of"}"#);
    assert_eq!(into(&folder.path().join("patient.json")).status.code(), Some(1), "validation holds here too");
    ok(&run(["audit", "verify", "--data", data.to_str().unwrap()]));

    let server = Server::on(&data, &[]);
    let token = server.full_token();
    let mut http = server.http().await;
    assert_eq!(http.get_as(&token, "/fhir/Patient/p4").await.status, 200);
    let events = http.get_as(&token, "/fhir/AuditEvent?entity=Patient/p4").await;
    assert!(String::from_utf8_lossy(&events.body).contains("operator"), "{:?}", events.body);

    let refused = into(folder.path());
    assert!(!refused.status.success());
    assert!(stderr(&refused).contains("--server"), "{}", stderr(&refused));
}

#[tokio::test]
async fn a_package_goes_in_one_transaction_with_cycles() {
    let server = Server::start();
    let client = server.client("loader", "system/*.cruds");
    let own = tempfile::tempdir().unwrap();
    let path = own.path().join("package.tgz");
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(
        std::fs::File::create(&path).unwrap(),
        flate2::Compression::fast(),
    ));
    let cyclic = |id: &str, other: &str| {
        format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"text":"x"}},
                "hasMember":[{{"reference":"Observation/{other}"}}]}}"#
        )
    };
    for (name, text) in [
        ("package/package.json", "{\"name\":\"x\"}".to_owned()),
        ("package/example/.index.json", "{}".to_owned()),
        ("package/example/Observation-a.json", cyclic("a", "b")),
        ("package/example/Observation-b.json", cyclic("b", "a")),
        ("package/StructureDefinition-x.json", "{\"resourceType\":\"StructureDefinition\"}".to_owned()),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap();
    let output = handrail()
        .arg("load")
        .arg(&path)
        .args(["--server", &server.base, "--client", &client.id])
        .arg("--key")
        .arg(&client.key)
        .arg("--ca")
        .arg(server.ca())
        .output()
        .unwrap();
    assert_eq!(row(&ok(&output), "Observation"), ["Observation", "2", "2", "0"]);
    let token = server.token(&client);
    let mut http = server.http().await;
    let events = http.get_as(&token, "/fhir/AuditEvent?subtype=transaction&_total=accurate").await.json();
    assert_eq!(events["total"], 1, "one transaction: {events}");
}

#[test]
fn mistakes_are_explained() {
    let own = tempfile::tempdir().unwrap();
    let file = write(own.path(), "patient.xml", "<Patient/>");
    let data = own.path().join("data");
    let fails = |arguments: &[&str]| {
        let output = run(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        stderr(&output)
    };
    let data = data.to_str().unwrap();
    assert!(fails(&["load", file.to_str().unwrap(), "--data", data]).contains("XML"));
    assert!(fails(&["load", "no-such-file.json", "--data", data]).contains("no-such-file.json"));
    let json = write(own.path(), "patient.json", "{}");
    let json = json.to_str().unwrap();
    assert!(fails(&["load", json, "--server", "https://127.0.0.1:1/fhir"]).contains("--token"));
    let server = Server::start();
    let ca = server.ca();
    let ca = ca.to_str().unwrap();
    let patient = write(own.path(), "p.json", r#"{"resourceType":"Patient"}"#);
    let patient = patient.to_str().unwrap();
    let stale = fails(&["load", patient, "--server", &server.base, "--token", "stale", "--ca", ca]);
    assert!(stale.contains("five minutes"), "{stale}");
}
