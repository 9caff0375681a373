//! Row G16: `handrail policy`, and the rules of a running server over TLS.

use crate::support::{Server, add_client, handrail, ok, run, stderr, stdout};
use std::path::Path;

const RULES: &str = r#"deny "HIV results are for nobody but the lab"
    who      anyone
    may not  see
    what     Observation?code=hiv

test "They are hidden"
    given {"resourceType": "Observation", "id": "h", "status": "final", "code": {"coding": [{"code": "hiv"}]}}
    given {"resourceType": "Observation", "id": "b", "status": "final", "code": {"coding": [{"code": "bp"}]}}
    as           client ehr, custodian
    may not see  Observation/h
    may see      Observation/b
"#;

fn file(own: &Path, text: &str) -> String {
    let file = own.join("rules.policy");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn rules_are_checked_and_read_aloud() {
    let own = tempfile::tempdir().unwrap();
    let good = ok(&run(["policy", "check", &file(own.path(), RULES)]));
    assert!(good.contains("anyone may not read, search: Observation?code=hiv"), "{good}");
    assert!(good.contains("OK: 1 rule, 1 test"), "{good}");
    let wrong = file(own.path(), &RULES.replace("?code=", "?cod=").replace("who ", "whom"));
    let output = run(["policy", "check", &wrong]);
    let text = stderr(&output);
    assert!(!output.status.success());
    assert!(text.contains("rules.policy:2:5: a rule has no line 'whom'; write who"), "{text}");
    assert!(text.contains("rules.policy:4:26: cod: Observation has no such search parameter; write code"), "{text}");
}

#[test]
fn tests_beside_the_rules_are_run() {
    let own = tempfile::tempdir().unwrap();
    let rules = file(own.path(), RULES);
    let good = ok(&run(["policy", "test", &rules]));
    assert!(good.contains("ok      They are hidden") && good.contains("1 test, 4 expectations"), "{good}");
    // More of them in a file of their own, with resources in files.
    std::fs::write(
        own.path().join("h.json"),
        r#"{"resourceType":"Observation","id":"h","status":"final","code":{"coding":[{"code":"hiv"}]}}"#,
    )
    .unwrap();
    let more = "test \"More\"\n  given file h.json\n  as client x, custodian\n  may read Observation/h\n";
    std::fs::write(own.path().join("rules.policy.test"), more).unwrap();
    let output = run(["policy", "test", &rules]);
    let text = stdout(&output);
    assert!(!output.status.success());
    assert!(
        text.contains("FAILED  More")
            && text.contains("rules.policy.test:4:12: the client x may not read Observation/h"),
        "{text}"
    );
}

#[test]
fn a_server_with_a_mistake_in_its_rules_does_not_start() {
    let own = tempfile::tempdir().unwrap();
    let rules = file(own.path(), "allow \"x\"\n  who anyone\n  may see\n  what Patint\n");
    let data = own.path().join("data");
    let output = handrail()
        .args(["serve", "--listen", "127.0.0.1:0", "--policy-file", &rules, "--data"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(stderr(&output).contains("rules.policy:4:8: there is no resource type 'Patint' in R4; write Patient"));
}

#[tokio::test]
async fn rules_rule_and_are_read_again() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    let rules = file(own.path(), RULES);
    let mut server = Server::on(&data, &["--policy-file", &rules]);
    let token = server.token(&add_client(&data, "ehr", "system/*.cruds"));
    let mut http = server.http().await;
    let mut ids = Vec::new();
    for code in ["hiv", "bp"] {
        let body =
            format!(r#"{{"resourceType":"Observation","status":"final","code":{{"coding":[{{"code":"{code}"}}]}}}}"#);
        let made = http.put_as(&token, "POST", "/fhir/Observation", &body).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        ids.push(made.header("location").split('/').nth_back(2).unwrap().to_owned());
    }
    let seen = async |http: &mut crate::support::Http| {
        let total = http.get_as(&token, "/fhir/Observation?_total=accurate").await.json()["total"].as_u64().unwrap();
        let mut found = Vec::new();
        for id in &ids {
            found.push(http.get_as(&token, &format!("/fhir/Observation/{id}")).await.status == 200);
        }
        (total, found)
    };
    assert_eq!(seen(&mut http).await, (1, vec![false, true]));
    let absent = http.get_as(&token, "/fhir/Observation/absent").await;
    let hidden = http.get_as(&token, &format!("/fhir/Observation/{}", ids[0])).await;
    assert_eq!((absent.status, absent.body), (hidden.status, hidden.body));

    let data_text = data.to_str().unwrap();
    file(own.path(), &RULES.replace("code=hiv", "code=bp"));
    let reloaded = ok(&run(["policy", "reload", "--data", data_text]));
    assert!(reloaded.contains("1 rule in force"), "{reloaded}");
    assert_eq!(
        seen(&mut http).await,
        (1, vec![true, false]),
        "with the next request, for a token that was there before"
    );

    // A mistake changes nothing, and is told.
    file(own.path(), "deny nothing");
    let output = run(["policy", "reload", "--data", data_text]);
    assert!(!output.status.success());
    let text = stderr(&output);
    assert!(text.contains("rules.policy:1:6: the name is missing") && text.contains("stays in force"), "{text}");
    server.signal("HUP");
    assert_eq!(seen(&mut http).await, (1, vec![true, false]));

    file(own.path(), "# none\n");
    server.signal("HUP");
    let begin = std::time::Instant::now();
    while seen(&mut http).await.0 != 2 {
        assert!(begin.elapsed().as_secs() < 20, "{}", server.log());
    }
    assert_eq!(server.stop("TERM"), Some(0));
    assert!(server.log().contains("what was in force stays"), "{}", server.log());
}

/// G16: rules in shadow change no answer; what they would do is told and kept; then they rule, and nothing differs.
#[tokio::test]
async fn g16_rules_in_shadow_are_tried_and_rule_nobody() {
    const CANARY: &str = "canary-5519";
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    let data_text = data.to_str().unwrap();
    let live = file(own.path(), "# none\n");
    let next = own.path().join("next.policy").to_str().unwrap().to_owned();
    std::fs::write(&next, RULES).unwrap();
    let settings = ["--policy-file", &live, "--policy-shadow", &next, "--metrics-listen", "127.0.0.1:0"];
    let mut server = Server::on(&data, &settings);
    let client = add_client(&data, "ehr", "system/*.cruds");
    let mut token = server.token(&client);
    let mut http = server.http().await;
    let mut ids = Vec::new();
    for code in ["hiv", "bp"] {
        let body = format!(
            r#"{{"resourceType":"Observation","status":"final","code":{{"text":"{CANARY}","coding":[{{"code":"{code}"}}]}}}}"#
        );
        let made = http.put_as(&token, "POST", "/fhir/Observation", &body).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        ids.push(made.header("location").split('/').nth_back(2).unwrap().to_owned());
    }
    let told = || ok(&run(["policy", "shadow", "--data", data_text]));
    assert!(told().contains("looked at  2 requests; left out 0\nnone of them"), "{}", told());
    for id in &ids {
        assert_eq!(http.get_as(&token, &format!("/fhir/Observation/{id}")).await.status, 200);
    }
    assert_eq!(http.get_as(&token, "/fhir/Observation?_total=accurate").await.json()["total"], 2);
    let report = told();
    let hidden = &ids[0];
    for expected in [
        "in shadow  1 rule (".to_owned(),
        "looked at  5 requests; left out 0".to_owned(),
        "       0       2       0       0  HIV results are for nobody but the lab".to_owned(),
        format!("  read Observation  withheld: Observation/{hidden}\n"),
        format!("  search-type Observation  withheld 1 of 2: Observation/{hidden}\n"),
        format!("by \"HIV results are for nobody but the lab\"; client {}", client.id),
    ] {
        assert!(report.contains(&expected), "{expected}\n{report}");
    }
    assert!(!report.contains(CANARY) && !report.contains(&ids[1]), "{report}");
    let metrics = server.metrics();
    for (series, value) in [
        ("handrail_policy_shadow_requests_total", 5.0),
        (r#"handrail_policy_shadow_differences_total{interaction="read",outcome="withheld"}"#, 1.0),
        (r#"handrail_policy_shadow_differences_total{interaction="search-type",outcome="withheld"}"#, 1.0),
    ] {
        assert_eq!(metrics.value(series), value, "{series}");
    }
    assert!(!metrics.samples.keys().any(|series| series.contains("HIV")), "a rule's name may be somebody's");

    // A mistake in them is told, and changes nothing.
    std::fs::write(&next, "deny nothing").unwrap();
    let refused = run(["policy", "reload", "--data", data_text]);
    assert!(stderr(&refused).contains("next.policy:1:6: the name is missing"), "{}", stderr(&refused));
    std::fs::write(&next, RULES).unwrap();

    // What was found stands over a restart, and can be read at rest.
    assert_eq!(server.stop("TERM"), Some(0));
    assert!(told().contains("looked at  5 requests"), "{}", told());
    server = Server::on(&data, &settings);
    (http, token) = (server.http().await, server.token(&client));
    assert_eq!(told(), report);

    // They become those in force: the answers are what was foretold, and nothing differs any more.
    file(own.path(), RULES);
    let reloaded = ok(&run(["policy", "reload", "--data", data_text]));
    assert!(reloaded.contains("1 rule in force, 1 rule in shadow"), "{reloaded}");
    assert_eq!(http.get_as(&token, &format!("/fhir/Observation/{hidden}")).await.status, 404);
    assert_eq!(http.get_as(&token, "/fhir/Observation?_total=accurate").await.json()["total"], 1);
    assert!(told().contains("looked at  7 requests") && told().contains("       0       2       0       0  HIV"));
    // Others begin anew.
    std::fs::write(&next, "# none\n").unwrap();
    assert!(ok(&run(["policy", "reload", "--data", data_text])).contains("1 rule in force, 0 rules in shadow"));
    assert_eq!(http.get_as(&token, &format!("/fhir/Observation/{hidden}")).await.status, 404);
    let report = told();
    assert!(
        report.contains("looked at  1 request;") && report.contains(&format!("given: Observation/{hidden}")),
        "{report}"
    );
    let events = http.get_as(&token, "/fhir/AuditEvent?subtype=policy-shadow").await.json();
    assert!(events["entry"].as_array().is_some_and(|all| !all.is_empty()), "{events}");
}

/// G18: who may see what, part by part, at rest and on a running server.
#[test]
fn a_decision_is_explained() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    let data_text = data.to_str().unwrap();
    let lines = r#"{"resourceType":"Patient","id":"anna","generalPractitioner":[{"reference":"Practitioner/gp"}]}
{"resourceType":"Practitioner","id":"gp"}
{"resourceType":"Observation","id":"o","status":"final","code":{"coding":[{"code":"hiv"}]},"subject":{"reference":"Patient/anna"}}"#;
    let file_of = own.path().join("all.ndjson");
    std::fs::write(&file_of, lines).unwrap();
    ok(&run(["load", file_of.to_str().unwrap(), "--data", data_text]));
    let gp =
        ["policy", "explain", "Observation/o", "--as", "role clinician, user Practitioner/gp", "--data", data_text];
    let text = ok(&run(gp));
    assert!(text.starts_with("MAY: read Observation/o"), "{text}");
    assert!(text.contains("role clinician") && text.contains("gives"), "{text}");
    let other =
        ["policy", "explain", "Observation/o", "--as", "role clinician, user Practitioner/q", "--data", data_text];
    assert!(ok(&run(other)).starts_with("MAY NOT: read Observation/o"));

    let rules = file(own.path(), RULES);
    let server = Server::on(&data, &["--policy-file", &rules]);
    let text = ok(&run(gp));
    assert!(text.starts_with("MAY NOT: read Observation/o"), "{text}");
    assert!(text.contains("HIV results are for nobody but the lab") && text.contains("withholds"), "{text}");
    let client = add_client(&data, "ehr", "system/*.rs");
    let by_client = ["policy", "explain", "Patient/anna", "--client", &client.id, "--data", data_text];
    assert!(ok(&run(by_client)).starts_with("MAY: read Patient/anna"));
    let nobody = run(["policy", "explain", "Patient/anna", "--user", "nobody", "--data", data_text]);
    assert!(!nobody.status.success() && stderr(&nobody).contains("no account here"), "{}", stderr(&nobody));
    let absent = run(["policy", "explain", "Patient/zoe", "--client", &client.id, "--data", data_text]);
    assert!(!absent.status.success());
    drop(server);
}

/// G16: what other rules would change, counted over the data, at rest and on a running server; nothing comes into force.
#[test]
fn other_rules_are_tried() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    let data_text = data.to_str().unwrap();
    let lines = r#"{"resourceType":"Observation","id":"h","status":"final","code":{"coding":[{"code":"hiv"}]}}
{"resourceType":"Observation","id":"b","status":"final","code":{"coding":[{"code":"bp"}]}}"#;
    let loaded = own.path().join("all.ndjson");
    std::fs::write(&loaded, lines).unwrap();
    ok(&run(["load", loaded.to_str().unwrap(), "--data", data_text]));
    let client = add_client(&data, "ehr", "system/*.cruds");
    let rules = file(own.path(), RULES);
    let asked = ["policy", "try", &rules, "--data", data_text];
    let told = ok(&run(asked));
    assert!(told.contains(&format!("ehr (client {})  see Observation  -1 (h)", client.id)), "{told}");
    let empty = own.path().join("empty.policy");
    std::fs::write(&empty, "# none\n").unwrap();
    let server = Server::on(&data, &["--policy-file", &rules]);
    let told = ok(&run(asked));
    assert!(told.contains("nothing changes"), "{told}");
    let told = ok(&run(["policy", "try", empty.to_str().unwrap(), "--data", data_text]));
    assert!(told.contains("see Observation  +1 (h)"), "{told}");
    let wrong = own.path().join("wrong.policy");
    std::fs::write(&wrong, "deny nothing").unwrap();
    let output = run(["policy", "try", wrong.to_str().unwrap(), "--data", data_text]);
    assert!(stderr(&output).contains("wrong.policy:1:6: the name is missing"), "{}", stderr(&output));
    // Asked over the network by whoever reads the whole log.
    let officer = server.token(&add_client(&data, "officer", "system/AuditEvent.rs system/Observation.rs"));
    let explained = run([
        "policy",
        "explain",
        "Observation/h",
        "--client",
        &client.id,
        "--server",
        &server.base,
        "--token",
        &officer,
        "--ca",
        server.ca().to_str().unwrap(),
    ]);
    let text = ok(&explained);
    assert!(text.starts_with("MAY NOT: read Observation/h") && text.contains("withholds"), "{text}");
}
