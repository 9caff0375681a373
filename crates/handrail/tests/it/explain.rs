//! `handrail explain`: on a directory at rest and on a running server; recorded, and without a word
//! of what was found.

use crate::support::{Server, ok, run, stderr};
use std::path::Path;

const CANARY: &str = "canary-3f1c";

/// A directory with a patient and three observations.
fn loaded(own: &Path) -> String {
    let mut lines = format!(r#"{{"resourceType":"Patient","id":"p1","name":[{{"family":"{CANARY}"}}]}}"#);
    for (id, code) in [("o1", "a"), ("o2", "a"), ("o3", "b")] {
        lines.push('\n');
        lines.push_str(&format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","subject":{{"reference":"Patient/p1"}},"code":{{"coding":[{{"system":"http://s","code":"{code}"}}]}},"valueString":"{CANARY}"}}"#
        ));
    }
    let file = own.join("all.ndjson");
    std::fs::write(&file, lines).unwrap();
    let data = own.join("data").to_str().unwrap().to_owned();
    ok(&run(["load", file.to_str().unwrap(), "--data", &data]));
    data
}

/// Entries of the audit log.
fn entries(data: &str) -> u64 {
    let report = ok(&run(["audit", "verify", "--data", data]));
    let number = report.strip_prefix("OK: ").and_then(|rest| rest.split(' ').next()).unwrap();
    number.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

#[test]
fn a_search_is_explained_at_rest_and_on_a_running_server() {
    let own = tempfile::tempdir().unwrap();
    let data = loaded(own.path());
    let search = "Observation?patient=p1&code=http://s|a&_sort=-date&_total=accurate";
    let before = entries(&data);
    let text = ok(&run(["explain", search, "--data", &data]));
    assert_eq!(entries(&data), before + 1, "it is recorded as the search that it is");
    assert!(text.contains("patient = Patient/p1 and code = http://s|a"), "{text}");
    assert!(text.contains("sorted by    -date") && text.contains("all matches are read and sorted"), "{text}");
    assert!(text.contains("2 on the first page, all there are; total 2"), "{text}");
    assert!(text.contains("index keys") && text.contains("candidates tested") && text.contains(" ms"), "{text}");
    assert!(!text.contains(CANARY) && !text.contains("o1"), "numbers, not what was found: {text}");

    // Under a scope: its condition joins the search, and hides the rest.
    let scope = "system/Observation.rs?code=http://s|b";
    let narrowed = ok(&run(["explain", "Observation?patient=p1", "--data", &data, "--scope", scope]));
    assert!(narrowed.contains("code = http://s|b") && narrowed.contains("1 on the first page"), "{narrowed}");
    let denied = run(["explain", "Patient?family=x", "--data", &data, "--scope", scope]);
    assert!(!denied.status.success() && stderr(&denied).contains("scope"), "{}", stderr(&denied));
    let wrong = run(["explain", "Observation?no-such=1", "--data", &data]);
    assert!(!wrong.status.success() && stderr(&wrong).contains("no-such"), "{}", stderr(&wrong));

    let server = Server::on(Path::new(&data), &[]);
    let through = ok(&run(["explain", search, "--data", &data]));
    assert!(through.contains("2 on the first page, all there are; total 2"), "{through}");
    drop(server);
}
