//! `handrail package`: by the binary, on a running server and at rest, with packages made here; hostile ones too.

use crate::support::{Server, handrail, ok, run, stderr};
use flate2::{Compression, write::GzEncoder};
use std::{
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

const URL: &str = "http://example.org/fhir";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn about(name: &str, version: &str, dependencies: &str) -> String {
    format!(
        r#"{{"name":"{name}","version":"{version}","fhirVersions":["4.0.1"],"dependencies":{{"hl7.fhir.r4.core":"4.0.1"{dependencies}}}}}"#
    )
}

fn parameter(code: &str, expression: &str) -> String {
    format!(
        r#"{{"resourceType":"SearchParameter","id":"{code}","url":"{URL}/SearchParameter/{code}","version":"1","name":"N","status":"active","description":"d","code":"{code}","base":["Observation"],"type":"string","expression":"{expression}"}}"#
    )
}

fn profile() -> String {
    format!(
        r#"{{"resourceType":"StructureDefinition","id":"noted","url":"{URL}/StructureDefinition/noted","version":"1","name":"Noted","status":"active","kind":"resource","abstract":false,"type":"Observation","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Observation","derivation":"constraint","differential":{{"element":[{{"id":"Observation.note","path":"Observation.note","min":1}}]}}}}"#
    )
}

fn value_set() -> String {
    format!(
        r#"{{"resourceType":"ValueSet","id":"v","url":"{URL}/ValueSet/v","version":"1","status":"active","compose":{{"include":[{{"system":"s","concept":[{{"code":"a"}}]}}]}}}}"#
    )
}

/// A `.tgz` of these entries.
fn archive(to: &Path, entries: &[(&str, &[u8])]) -> PathBuf {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, body) in entries {
        let mut header = tar::Header::new_gnu();
        // Set by hand: the library refuses the names that are wanted here.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(body.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, *body).unwrap();
    }
    std::fs::write(to, tar.into_inner().unwrap().finish().unwrap()).unwrap();
    to.to_owned()
}

fn guide(to: &Path) -> PathBuf {
    let (about, parameter) = (
        about("example.guide", "1.0.0", r#","example.absent":"2.0.0""#),
        parameter("note-text", "Observation.note.text"),
    );
    let known = parameter_known();
    archive(
        to,
        &[
            ("package/package.json", about.as_bytes()),
            ("package/SearchParameter-note-text.json", parameter.as_bytes()),
            ("package/SearchParameter-status.json", known.as_bytes()),
            ("package/StructureDefinition-noted.json", profile().as_bytes()),
            ("package/ValueSet-v.json", value_set().as_bytes()),
        ],
    )
}

/// One that would mean more than R4's own: scopes are written in R4's.
fn parameter_known() -> String {
    parameter("status", "Observation.status | Observation.note.text")
}

fn observation(id: &str, note: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"text":"c"}},"note":[{{"text":"{note}"}}]}}"#
    )
}

/// Waits until everything is indexed: the list says so.
fn indexed(data: &Path) -> String {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let list = ok(&run(["package", "list", "--data", text(data)]));
        if !list.contains("indexing") && !list.contains("removing") {
            return list;
        }
        assert!(Instant::now() < until, "{list}");
    }
}

#[tokio::test]
async fn a_package_is_added_to_a_running_server_and_removed() {
    let mut server = Server::start();
    let own = tempfile::tempdir().unwrap();
    let client = server.client("lab", "system/*.cruds");
    let token = server.token(&client);
    let mut http = server.http().await;
    for (id, note) in [("o1", "walks"), ("o2", "rests")] {
        let path = format!("/fhir/Observation/{id}");
        assert_eq!(http.put_as(&token, "PUT", &path, &observation(id, note)).await.status, 201);
    }
    let search = "/fhir/Observation?note-text=walks";
    assert_eq!(http.get_as(&token, search).await.status, 400, "nobody knows it yet");

    let file = guide(&own.path().join("guide.tgz"));
    let said = ok(&run(["package", "add", text(&file), "--data", text(&server.directory)]));
    assert!(said.starts_with("added example.guide#1.0.0"), "{said}");
    assert!(said.contains("1 profile, 1 value set"), "{said}");
    assert!(said.contains("hl7.fhir.r4.core#4.0.1: loaded"), "{said}");
    assert!(said.contains("example.absent#2.0.0: MISSING"), "{said}");
    assert!(said.contains("indexes     1 search parameter") && said.contains("keeps its meaning"), "{said}");
    // Written while it is indexed, or after: found at once.
    assert_eq!(http.put_as(&token, "PUT", "/fhir/Observation/o3", &observation("o3", "walks")).await.status, 201);
    let list = indexed(&server.directory);
    assert!(list.contains("example.guide#1.0.0\tadded") && list.contains("note-text\tObservation\tready"), "{list}");
    let found = http.get_as(&token, search).await;
    assert_eq!((found.status.as_u16(), found.json()["total"].as_u64()), (200, Some(2)), "{}", found.json());
    let statement = http.get_as(&token, "/fhir/metadata").await.json().to_string();
    assert!(statement.contains(&format!("{URL}/StructureDefinition/noted")), "the profile is listed");
    assert!(statement.contains(&format!("{URL}/SearchParameter/note-text")), "the parameter is listed");

    let again = ok(&run(["package", "add", text(&file), "--data", text(&server.directory)]));
    assert!(again.contains("is there already"), "{again}");

    // One that needs it; the needed one cannot go.
    let needs = about("example.child", "1.0.0", r#","example.guide":"1.0.0""#);
    let child = archive(&own.path().join("child.tgz"), &[("package/package.json", needs.as_bytes())]);
    ok(&run(["package", "add", text(&child), "--data", text(&server.directory)]));
    let refused = run(["package", "remove", "example.guide", "--data", text(&server.directory)]);
    assert!(!refused.status.success() && stderr(&refused).contains("example.child#1.0.0"), "{}", stderr(&refused));

    // A backup has it, and a start reads it.
    let backup = own.path().join("one.backup");
    ok(&run(["backup", "--data", text(&server.directory), "--to", text(&backup)]));
    assert_eq!(server.stop("TERM"), Some(0));
    let restored = own.path().join("restored");
    ok(&run(["restore", text(&backup), "--data", text(&restored)]));
    for data in [server.directory.clone(), restored] {
        let started = Server::on(&data, &[]);
        let token = started.token(&client);
        let mut http = started.http().await;
        let found = http.get_as(&token, search).await;
        assert_eq!((found.status.as_u16(), found.json()["total"].as_u64()), (200, Some(2)));
        for name in ["example.child#1.0.0", "example.guide"] {
            ok(&run(["package", "remove", name, "--data", text(&data)]));
        }
        assert_eq!(http.get_as(&token, search).await.status, 400, "no query names it any more");
        assert!(!indexed(&data).contains("example"));
        let statement = http.get_as(&token, "/fhir/metadata").await.json().to_string();
        assert!(!statement.contains("/StructureDefinition/noted"));
    }
}

#[test]
fn at_rest_it_is_added_for_the_next_start() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    let file = guide(&own.path().join("guide.tgz"));
    ok(&run(["package", "add", text(&file), "--data", text(&data)]));
    let list = ok(&run(["package", "list", "--data", text(&data)]));
    assert!(
        list.contains("example.guide#1.0.0\tadded") && list.contains("hl7.fhir.us.core#6.1.0\tcompiled in"),
        "{list}"
    );
    let other = about("example.guide", "1.0.0", "");
    let other = archive(&own.path().join("other.tgz"), &[("package/package.json", other.as_bytes())]);
    let refused = run(["package", "add", text(&other), "--data", text(&data)]);
    assert!(!refused.status.success() && stderr(&refused).contains("another archive"), "{}", stderr(&refused));
    let compiled_in = run(["package", "remove", "hl7.fhir.us.core#6.1.0", "--data", text(&data)]);
    assert!(!compiled_in.status.success() && stderr(&compiled_in).contains("compiled in"));
    // The store has indices that no compiled-in package knows: nothing is wrong with that.
    let sound = run(["doctor", "--data", text(&data)]);
    let told = String::from_utf8_lossy(&sound.stdout).into_owned();
    assert!(told.contains("1 added package") && !told.contains("PROBLEM"), "{told}");
    // Damage is named, with what to do; nothing starts upon half of a package.
    let tables = data.join("packages/example.guide#1.0.0/tables");
    let mut bytes = std::fs::read(&tables).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&tables, &bytes).unwrap();
    let damaged = run(["package", "list", "--data", text(&data)]);
    assert!(
        stderr(&damaged).contains("not what was written") && stderr(&damaged).contains("fix:"),
        "{}",
        stderr(&damaged)
    );
    let told = run(["doctor", "--data", text(&data)]);
    assert_eq!(told.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&told.stdout).contains("not what was written"), "{told:?}");
    // Tables of another form are made again of the archive.
    std::fs::write(&tables, "handrail package 0 of old\n").unwrap();
    assert!(ok(&run(["package", "list", "--data", text(&data)])).contains("note-text"));
    assert!(std::fs::read_to_string(&tables).unwrap().starts_with("handrail package 1 "));
}

#[test]
fn a_required_profile_holds_at_rest_as_on_a_running_server() {
    let own = tempfile::tempdir().unwrap();
    let (data, config) = (own.path().join("data"), own.path().join("handrail.toml"));
    ok(&run(["package", "add", text(&guide(&own.path().join("guide.tgz"))), "--data", text(&data)]));
    let required = format!("Observation={URL}/StructureDefinition/noted");
    std::fs::write(
        &config,
        format!("[validation]\nrequired_profiles = [\"{required}\"]\nunknown_profile = \"error\"\n"),
    )
    .unwrap();
    let remove = |more: &[&str]| run([&["package", "remove", "example.guide", "--data", text(&data)], more].concat());
    let refused = remove(&["--config", text(&config)]);
    let why = stderr(&refused);
    assert!(!refused.status.success() && why.contains(&required) && why.contains("change that first"), "{why}");
    let mut by_environment = handrail();
    by_environment.args(["package", "remove", "example.guide", "--data", text(&data)]);
    let refused = by_environment.env("HANDRAIL_VALIDATION_REQUIRED_PROFILES", &required).output().unwrap();
    assert_eq!(stderr(&refused), why);
    // The server's configuration counts, not the command's.
    let mut server = Server::on(&data, &["--config", text(&config)]);
    assert_eq!(stderr(&remove(&[])), why);
    server.stop("TERM");

    let load = |name: &str, resource: &str, more: &[&str]| {
        let file = own.path().join(name);
        std::fs::write(&file, resource).unwrap();
        run([&["load", text(&file), "--data", text(&data)], more].concat())
    };
    let bare = r#"{"resourceType":"Observation","id":"bare","status":"final","code":{"text":"c"}}"#;
    let claims = r#"{"resourceType":"Patient","id":"p","meta":{"profile":["http://example.org/unheard-of"]}}"#;
    for resource in [bare, claims] {
        let refused = load("one.json", resource, &["--config", text(&config)]);
        assert_eq!(refused.status.code(), Some(1), "{resource}: {}", stderr(&refused));
        ok(&load("one.json", resource, &[]));
    }
    ok(&load("noted.json", &observation("noted", "walks"), &["--config", text(&config)]));

    ok(&remove(&[]));
    let refused = load("noted.json", &observation("noted", "walks"), &["--config", text(&config)]);
    assert!(stderr(&refused).contains("no such profile is loaded"), "{}", stderr(&refused));
    let unread = load("noted.json", &observation("noted", "walks"), &["--config", "/no/such/file"]);
    assert!(!unread.status.success() && stderr(&unread).contains("there is no such file"), "{}", stderr(&unread));
}

#[test]
fn hostile_archives_are_refused_by_name_and_leave_nothing() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let about = about("example.evil", "1.0.0", "");
    let about = ("package/package.json", about.as_bytes());
    let at = |name: &str| own.path().join(name);
    let bomb = vec![b' '; 12 << 20];
    let many: Vec<(String, &[u8])> = (0..50_001).map(|at| (format!("package/{at}"), &b""[..])).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, body)| (name.as_str(), *body)).collect();
    let mut link = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    link.append_link(&mut header, "package/link.json", "/etc/passwd").unwrap();
    std::fs::write(at("link.tgz"), link.into_inner().unwrap().finish().unwrap()).unwrap();
    let mut noise = std::fs::File::create(at("noise.tgz")).unwrap();
    noise.write_all(b"not an archive at all").unwrap();
    let hostile = [
        (archive(&at("escape.tgz"), &[about, ("package/../../escape.json", b"{}")]), "leaves its folder"),
        (archive(&at("root.tgz"), &[about, ("/etc/escape.json", b"{}")]), "leaves its folder"),
        (archive(&at("bomb.tgz"), &[about, ("package/other/bomb.bin", &bomb)]), "bomb"),
        (archive(&at("many.tgz"), &many), "more than 50000 entries"),
        (at("link.tgz"), "neither a file nor a folder"),
        (at("noise.tgz"), "not a readable .tgz"),
        (archive(&at("none.tgz"), &[("package/a.json", b"{}")]), "package.json"),
    ];
    for (file, why) in hostile {
        let refused = run(["package", "add", text(&file), "--data", text(&data)]);
        let said = stderr(&refused);
        assert!(!refused.status.success() && said.contains(why) && said.contains("fix:"), "{}: {said}", file.display());
        assert_eq!(std::fs::read_dir(&data).unwrap().count(), 0, "{}: something is left behind", file.display());
    }
    assert!(!own.path().join("escape.json").exists());
}
