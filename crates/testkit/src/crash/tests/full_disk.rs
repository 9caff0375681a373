//! A disk that takes no more: a process whose files may not grow beyond a megabyte (`ulimit -f`). Its
//! writes fail half way, as on a full disk. The child is this test program, told so by its environment.

use super::{
    super::{check::Ledger, disk::Loss, workload::hash},
    scratch,
};
use crate::{Server, dice::Dice};
use serde_json::json;
use std::{io::Write, path::Path, process::Command};

const DIRECTORY: &str = "TESTKIT_FULL_DISK";
/// What fills up: the engine's journal, or the audit log.
const WHAT: &str = "TESTKIT_FULL_DISK_WHAT";

/// Requests until one is refused; then everything must be.
fn child(directory: &Path, what: &str) {
    let server = Server::open(directory, Server::BASE_URL, false).unwrap();
    assert!(server.store().is_healthy());
    let mut lines = std::fs::File::options().append(true).open(directory.with_extension("lines")).unwrap();
    // What does not compress, from a fixed seed.
    let mut dice = Dice::new(5);
    let mut text =
        |bytes: usize| (0..bytes).map(|_| char::from(b'a' + u8::try_from(dice.below(26)).unwrap())).collect::<String>();
    let put = |number: usize, note: String| {
        let (id, request_id) = (format!("p{number}"), format!("n{number}"));
        let mark = json!([{"system": "urn:crash", "value": &request_id}, {"system": "urn:note", "value": note}]);
        let body = json!({"resourceType": "Patient", "id": id, "identifier": mark});
        let request = server.request("PUT", &format!("Patient/{id}")).as_operator();
        request.header("x-request-id", &request_id).json(&body).send()
    };
    let get = |query: &str| server.request("GET", &format!("Patient?family={query}")).as_operator().send();
    let mut refused = 0;
    for number in 100..2_000 {
        if what == "log" {
            refused = get(&text(3_000)).status;
        } else {
            lines.write_all(format!("try {number} Patient/p{number}\n").as_bytes()).unwrap();
            let reply = put(number, text(30_000));
            refused = reply.status;
            if reply.status < 300 {
                lines.write_all(format!("ack {number} {} {}\n", reply.status, hash(&reply.body)).as_bytes()).unwrap();
            }
        }
        if refused >= 300 {
            break;
        }
    }
    assert_eq!(refused, 503, "it is refused in the end");
    assert!(!server.store().is_healthy(), "and that is told");
    assert_eq!(put(2_000, "x".into()).status, 503, "nothing is written any more");
    let read = get("Ada").status;
    assert_eq!(read, if what == "log" { 503 } else { 200 }, "a read needs its record, and nothing else");
}

fn full(what: &str, test: &str) {
    if let Some(directory) = std::env::var_os(DIRECTORY) {
        return child(Path::new(&directory), &std::env::var(WHAT).unwrap());
    }
    let place = scratch();
    let data = place.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    let mut ledger = Ledger::new(false);
    {
        let server = Server::open(&data, Server::BASE_URL, false).unwrap();
        let body = json!({"resourceType": "Patient", "id": "p1", "name": [{"family": "Ada"}]});
        let reply = server.request("PUT", "Patient/p1").as_operator().header("x-request-id", "n1").json(&body).send();
        ledger.hear(1, "try 1 Patient/p1");
        ledger.hear(1, &format!("ack 1 201 {}", hash(&reply.body)));
    }
    let lines = data.with_extension("lines");
    std::fs::write(&lines, "").unwrap();
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args([&format!("crash::tests::full_disk::{test}"), "--exact", "--nocapture"])
        .env(DIRECTORY, &data)
        .env(WHAT, what)
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    // There is room again: a start mends, nothing acknowledged is gone, and writes are taken.
    for line in std::fs::read_to_string(&lines).unwrap().lines() {
        ledger.hear(2, line);
    }
    ledger.check(&data, Loss::Killed, true).unwrap();
    let server = Server::open(&data, Server::BASE_URL, false).unwrap();
    let body = json!({"resourceType": "Patient", "id": "p3000"});
    assert_eq!(server.request("PUT", "Patient/p3000").as_operator().json(&body).send().status, 201);
}

#[test]
fn a_full_disk_stops_writes_and_loses_nothing() {
    full("engine", "a_full_disk_stops_writes_and_loses_nothing");
}

#[test]
fn a_full_audit_log_stops_reads_too() {
    // Row F25.
    full("log", "a_full_audit_log_stops_reads_too");
}
