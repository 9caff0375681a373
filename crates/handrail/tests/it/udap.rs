//! `handrail pki community` and `handrail udap`: operators of trust communities. Rows D1, D4, D6, D9, F24.

use crate::support::{Server, handrail, ok, run, stderr};
use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Output, Stdio},
};

/// A community in a folder, and what it publishes. Killed when dropped.
struct Lab {
    folder: PathBuf,
    desk: Child,
}

impl Lab {
    /// Its lists and answers count for two seconds and one: what is revoked is known soon.
    fn new(folder: PathBuf, name: &str) -> Self {
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
    fn member(&self, name: &str, uri: &str, more: &[&str]) -> [String; 2] {
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

const COMMUNITY: &str = "https://lab.example.org/community";

/// `udap community add`, for a running server or a directory at rest.
fn add(data: &Path, lab: &Lab, [certificate, key]: &[String; 2], more: &[&str]) -> Output {
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
