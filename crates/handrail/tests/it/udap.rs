//! `handrail pki community` and `handrail udap`: operators of trust communities. Rows D1, D4, D6, D9, D18, D21, F24.

use crate::support::{Server, handrail, ok, run, stderr};
use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Output, Stdio},
};

/// A community in a folder, and what it publishes. Killed when dropped.
pub(crate) struct Lab {
    folder: PathBuf,
    desk: Child,
}

impl Lab {
    /// Its lists and answers count for two seconds and one: what is revoked is known soon.
    pub(crate) fn new(folder: PathBuf, name: &str) -> Self {
        // Certificates say the port before anyone listens there.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}");
        let init = ["init", "--name", name, "--url", &url, "--list-seconds", "2", "--answer-seconds", "1"];
        ok(&Self::command(&folder, &init));
        let mut desk = handrail()
            .args(["pki", "community"])
            .arg(&folder)
            .arg("serve")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(desk.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), format!("listening on {url}"));
        Self { folder, desk }
    }

    fn command(folder: &Path, arguments: &[&str]) -> Output {
        handrail().args(["pki", "community"]).arg(folder).args(arguments).output().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Self::command(&self.folder, arguments)
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    /// A member's certificate and key.
    pub(crate) fn member(&self, name: &str, uri: &str, more: &[&str]) -> [String; 2] {
        ok(&self.run(&[&["member", name, "--uri", uri, "--renew"], more].concat()));
        [self.file(&format!("{name}.pem")), self.file(&format!("{name}.key"))]
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.desk.kill();
        let _ = self.desk.wait();
    }
}

fn udap(arguments: &[&str]) -> Output {
    handrail().arg("udap").args(arguments).output().unwrap()
}

pub(crate) const COMMUNITY: &str = "https://lab.example.org/community";

/// `udap community add`, for a running server or a directory at rest.
pub(crate) fn add(data: &Path, lab: &Lab, [certificate, key]: &[String; 2], more: &[&str]) -> Output {
    let (data, anchors) = (data.to_str().unwrap(), lab.file("root.pem"));
    let all = ["community", "add", COMMUNITY, "--data", data, "--anchors", &anchors, "--certificate", certificate];
    udap(&[&all, ["--key", key].as_slice(), more].concat())
}

#[test]
fn d4_d6_communities_come_and_go() {
    let own = tempfile::tempdir().unwrap();
    let server = Server::telling_all(&own.path().join("data"));
    let data = server.directory.to_str().unwrap();
    let lab = Lab::new(own.path().join("lab"), "Lab");
    let list = || ok(&udap(&["community", "list", "--data", data]));
    assert_eq!(list(), "");
    let slash = lab.member("slash", &format!("{}/", server.base), &[]);
    let refused = add(&server.directory, &lab, &slash, &[]);
    assert!(!refused.status.success() && stderr(&refused).contains("slash"), "{}", stderr(&refused));
    let ours = lab.member("ours", &server.base, &["--days", "20"]);
    let mixed = [ours[0].clone(), slash[1].clone()];
    assert!(stderr(&add(&server.directory, &lab, &mixed, &[])).contains("private key is not that"), "{mixed:?}");
    ok(&add(&server.directory, &lab, &ours, &["--name", "The Lab", "--approval", "operator"]));
    let listed = list();
    let fields: Vec<&str> = listed.trim().split('\t').collect();
    assert_eq!(
        (fields[0], fields[1], fields[2], fields[4], fields[5]),
        (COMMUNITY, "The Lab", "stu2", "operator", "0 registrations")
    );
    let shown = ok(&udap(&["community", "show", COMMUNITY, "--data", data]));
    for part in ["purposes\tTREAT HPAYMT", "when-unavailable\trefuse", "anchor\tCN=Lab root,O=Lab, until"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(stderr(&add(&server.directory, &lab, &ours, &[])).contains("--replace"));
    // Its end is near: the doctor, the metrics and the log say so.
    let doctor = run(["doctor", "--data", data]);
    let told = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(told.contains(&format!("{COMMUNITY}: ends in ")), "{told}");
    let series = format!("handrail_udap_community_not_after_timestamp_seconds{{community=\"{COMMUNITY}\"}}");
    assert!(server.metrics().value(&series) > 1.7e9);
    let long = lab.member("ours", &server.base, &[]);
    ok(&add(&server.directory, &lab, &long, &["--replace"]));
    let doctor = run(["doctor", "--data", data]);
    assert!(!String::from_utf8_lossy(&doctor.stdout).contains("ends in"));
    assert_eq!(ok(&udap(&["registrations", "--data", data])), "");
    for action in ["approve", "cancel"] {
        assert!(!udap(&[action, "nobody", "--data", data]).status.success());
    }
    ok(&udap(&["community", "remove", COMMUNITY, "--data", data]));
    assert_eq!(list(), "");
    assert!(!udap(&["community", "remove", COMMUNITY, "--data", data]).status.success());
    // The key went over the socket and into the store, and nowhere else.
    let key = std::fs::read_to_string(&long[1]).unwrap();
    let secret = key.lines().nth(5).unwrap();
    assert!(!server.log().contains(secret));
}

/// A server that may fetch lists on this machine.
fn partner(directory: &Path) -> Server {
    Server::on(directory, &["--egress-allow-networks", "127.0.0.0/8"])
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// `udap join`: the payer of `south` asks `north` for the stays of its members.
pub(crate) fn join(
    north: &Server,
    lab: &Lab,
    community: &str,
    [certificate, key]: &[String; 2],
    more: &[&str],
) -> Output {
    let (ca, anchors) = (north.ca(), lab.file("root.pem"));
    let all = ["join", &north.base, "--ca", text(&ca), "--anchors", &anchors, "--community", community];
    let who = ["--allow-network", "127.0.0.0/8", "--certificate", certificate, "--key", key];
    udap(&[all.as_slice(), &who, more].concat())
}

const STORY: [(&str, &str); 9] = [
    ("Organization/house", r#"{"resourceType":"Organization","id":"house","name":"North House"}"#),
    ("Patient/rosa", r#"{"resourceType":"Patient","id":"rosa","name":[{"family":"Diaz"}]}"#),
    ("Patient/pedro", r#"{"resourceType":"Patient","id":"pedro","name":[{"family":"Luna"}]}"#),
    (
        "Encounter/rosa-stay",
        r#"{"resourceType":"Encounter","id":"rosa-stay","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP"},"subject":{"reference":"Patient/rosa"},"period":{"start":"2026-03-01"}}"#,
    ),
    (
        "Encounter/rosa-point",
        r#"{"resourceType":"Encounter","id":"rosa-point","status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP"},"subject":{"reference":"Patient/rosa"},"period":{"start":"2026-03-05","end":"2026-03-12"},"partOf":{"reference":"Encounter/rosa-stay"}}"#,
    ),
    (
        "Encounter/pedro-stay",
        r#"{"resourceType":"Encounter","id":"pedro-stay","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP"},"subject":{"reference":"Patient/pedro"},"period":{"start":"2026-03-01"}}"#,
    ),
    (
        "Encounter/pedro-point",
        r#"{"resourceType":"Encounter","id":"pedro-point","status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP"},"subject":{"reference":"Patient/pedro"},"period":{"start":"2026-03-05","end":"2026-03-12"},"partOf":{"reference":"Encounter/pedro-stay"}}"#,
    ),
    (
        "Coverage/rosa",
        r#"{"resourceType":"Coverage","id":"rosa","status":"active","beneficiary":{"reference":"Patient/rosa"},"payor":[{"reference":"Organization/south"}],"period":{"start":"2026-01-01"}}"#,
    ),
    (
        "Coverage/pedro",
        r#"{"resourceType":"Coverage","id":"pedro","status":"active","beneficiary":{"reference":"Patient/pedro"},"payor":[{"reference":"Organization/house"}],"period":{"start":"2026-01-01"}}"#,
    ),
];

/// What South asks for.
const ASKS: [&str; 6] = [
    "--contact",
    "mailto:it@south.example.org",
    "--purpose",
    "HPAYMT",
    "--scope",
    "system/Encounter.rs system/Patient.rs",
];

/// Issue 6: two servers that have never met, each of a community and a CA of its own; a member of the second one's
/// community comes to the first.
#[tokio::test]
async fn two_servers_meet_and_a_revocation_parts_them() {
    let own = tempfile::tempdir().unwrap();
    let (north, south) = (partner(&own.path().join("north")), partner(&own.path().join("south")));
    let (one, two) = (Lab::new(own.path().join("one"), "One"), Lab::new(own.path().join("two"), "Two"));
    let (first, second) = ("https://one.example.org", "https://two.example.org");
    let enter = |server: &Server, lab: &Lab, uri: &str, files: &[String; 2]| {
        let (data, anchors) = (text(&server.directory), lab.file("root.pem"));
        let all = ["community", "add", uri, "--data", data, "--anchors", &anchors, "--certificate", &files[0]];
        ok(&udap(&[all.as_slice(), &["--key", &files[1]]].concat()));
    };
    // Before, nothing of UDAP is there (row D1).
    let ca = north.ca();
    let check = |more: &[&str]| {
        udap(&[["check", &north.base, "--ca", text(&ca), "--allow-network", "127.0.0.0/8"].as_slice(), more].concat())
    };
    let absent = check(&[]);
    assert!(!absent.status.success() && String::from_utf8_lossy(&absent.stdout).contains("does not speak UDAP"));
    // North is of both communities, South of the second alone.
    enter(&north, &one, first, &one.member("north", &north.base, &[]));
    enter(&north, &two, second, &two.member("north", &north.base, &[]));
    let payer = two.member("south", &south.base, &[]);
    enter(&south, &two, second, &payer);

    // Discovery: each community has its own certificate.
    let (root_one, root_two) = (one.file("root.pem"), two.file("root.pem"));
    for (more, is_good) in [
        ([root_one.as_str()].as_slice(), true),
        (&[&root_two, "--community", second], true),
        (&[&root_two], false),
        (&[&root_two, "--community", first], false),
    ] {
        let seen = check(&[["--anchors"].as_slice(), more].concat());
        assert_eq!(seen.status.success(), is_good, "{more:?}: {}", String::from_utf8_lossy(&seen.stdout));
    }

    // The story, with South as an Organization that North knows by its URI.
    let operator = north.full_token();
    let mut http = north.http().await;
    let organization = format!(
        r#"{{"resourceType":"Organization","id":"south","name":"South","identifier":[{{"system":"urn:ietf:rfc:3986","value":"{}"}}]}}"#,
        south.base
    );
    http.put_as(&operator, "PUT", "/fhir/Organization/south", &organization).await;
    for (reference, resource) in STORY {
        http.put_as(&operator, "PUT", &format!("/fhir/{reference}"), resource).await;
    }

    // Registration and token.
    let token = ok(&join(&north, &two, second, &payer, &ASKS)).trim().to_owned();
    let listed = ok(&udap(&["registrations", "--data", text(&north.directory)]));
    assert!(listed.contains(&format!("{}\t{second}\tworks", south.base)), "{listed}");
    let ids = |bundle: serde_json::Value| -> Vec<String> {
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()).collect()
    };
    let stay =
        |patient: &str| format!("/fhir/Encounter?part-of=Encounter/{patient}-stay&date=ge2026-03-01&date=le2026-03-31");
    assert_eq!(ids(http.get_as(&token, &stay("rosa")).await.json()), ["rosa-point"]);
    assert_eq!(ids(http.get_as(&token, &stay("pedro")).await.json()), [] as [&str; 0]);
    for (path, status) in [
        ("/fhir/Encounter/rosa-stay", 200),
        ("/fhir/Encounter/pedro-stay", 404),
        ("/fhir/Encounter/nobody", 404),
        ("/fhir/Patient/rosa", 200),
        ("/fhir/Patient/pedro", 404),
        ("/fhir/Observation", 403),
    ] {
        assert_eq!(http.get_as(&token, path).await.status, status, "{path}");
    }
    // Once more is the same registration; another community's certificate of the same URI would be another one.
    ok(&join(&north, &two, second, &payer, &ASKS));
    assert_eq!(ok(&udap(&["registrations", "--data", text(&north.directory)])).lines().count(), 1);
    let stranger = Lab::new(own.path().join("three"), "Three");
    let theirs = stranger.member("south", &south.base, &[]);
    let refused = join(&north, &two, second, &theirs, &ASKS);
    assert!(
        !refused.status.success() && stderr(&refused).contains("unapproved_software_statement"),
        "{}",
        stderr(&refused)
    );

    // Revoked: what it holds ends with a request soon after the list of before has ended, and it is let in no more.
    ok(&two.run(&["revoke", "south", "--reason", "key-compromise"]));
    let begun = std::time::Instant::now();
    while http.get_as(&token, "/fhir/Encounter/rosa-stay").await.status != 401 {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "it still works");
    }
    assert!(!join(&north, &two, second, &payer, &ASKS).status.success());
    let listed = ok(&udap(&["registrations", "--data", text(&north.directory)]));
    assert!(listed.contains("suspended: "), "{listed}");
    // A new certificate of the same URI is the same partner (row D21), and its registration comes back.
    let renewed = two.member("south", &south.base, &[]);
    let token = ok(&join(&north, &two, second, &renewed, &ASKS)).trim().to_owned();
    assert_eq!(http.get_as(&token, "/fhir/Encounter/rosa-stay").await.status, 200);
    ok(&join(&north, &two, second, &renewed, &["--leave"]));
    assert_eq!(http.get_as(&token, "/fhir/Encounter/rosa-stay").await.status, 401);
}
