//! `handrail demo` as a newcomer meets it: the printed lines are pasted into a shell.

use crate::support::{Server, handrail};
use std::{
    path::Path,
    process::{Command, Stdio},
};

fn demo(directory: &Path) -> Command {
    let mut command = handrail();
    command.args(["demo", "--patients", "2", "--listen", "127.0.0.1:0", "--data"]).arg(directory);
    command
}

/// The lines that a demo prints, up to its last.
fn screen(directory: &Path) -> (std::process::Child, Vec<String>) {
    use std::io::BufRead;
    let mut child = demo(directory).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = Vec::new();
    for line in std::io::BufReader::new(child.stdout.as_mut().unwrap()).lines() {
        let line = line.unwrap();
        let last = line.starts_with("listening on ");
        lines.push(line);
        if last {
            break;
        }
    }
    (child, lines)
}

#[test]
fn the_printed_lines_work_when_pasted() {
    let own = tempfile::tempdir().unwrap();
    let (mut child, lines) = screen(&own.path().join("a demo's folder"));
    let pasted: Vec<_> = lines
        .iter()
        .filter(|line| ["curl ", "TOKEN=", "PAYER="].iter().any(|start| line.starts_with(start)))
        .cloned()
        .collect();
    assert_eq!(pasted.iter().filter(|line| line.starts_with("curl ")).count(), 4, "{lines:#?}");
    let script = pasted.join(" \n").replace("curl ", "echo; curl -sS --fail-with-body ");
    let output = Command::new("bash").args(["-e", "-c", &script]).output().unwrap();
    let _ = child.kill();
    let _ = child.wait();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    let answers: Vec<serde_json::Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let kinds: Vec<_> = answers.iter().map(|answer| answer["resourceType"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["CapabilityStatement", "Bundle", "Bundle", "Bundle"]);
    let links: Vec<_> = lines.iter().filter(|line| line.contains("/account/invitation?invitation=")).collect();
    let roles: Vec<_> = links.iter().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(roles, ["patient", "caregiver", "clinician", "administrator"], "{lines:#?}");
    for bundle in &answers[1..] {
        assert!(bundle["entry"].as_array().is_some_and(|entries| !entries.is_empty()), "{bundle}");
    }
}

#[tokio::test]
async fn a_second_start_finds_the_story_and_the_client() {
    let own = tempfile::tempdir().unwrap();
    let directory = own.path().join("demo");
    let count = async |server: &Server| {
        let id: serde_json::Value =
            serde_json::from_slice(&std::fs::read(directory.join("demo.json")).unwrap()).unwrap();
        let client = crate::support::Client {
            id: id["client_id"].as_str().unwrap().to_owned(),
            key: directory.join("demo-key.jwk"),
        };
        let token = server.token(&client);
        let found = server.http().await.get_as(&token, "/fhir/Patient?_count=0&_total=accurate").await.json();
        (client.id, found["total"].as_u64().unwrap())
    };
    let mut server = Server::spawn(demo(&directory), &directory);
    let first = count(&server).await;
    assert_eq!(first.1, 2);
    let other = demo(&directory).output().unwrap();
    assert!(!other.status.success(), "one demo to a folder");
    assert_eq!(server.stop("INT"), Some(0));
    let server = Server::spawn(demo(&directory), &directory);
    assert_eq!(count(&server).await, first);
}
