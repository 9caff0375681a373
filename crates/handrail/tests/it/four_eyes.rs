//! Row G16: the facility's rules change by two persons, over TLS with real sign-ins: proposed by one, approved by
//! another, in force for open tokens at once, kept over restarts, on record.

use crate::{
    authorize::{enrol, field},
    launch::one_time_code,
    scenarios::{Facility, let_in, token_of},
    support::{Answer, Server, handrail, ok, run, stderr, stdout},
};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::Output,
    time::{Duration, Instant},
};

const RULES: &str = r#"deny "HIV results are for nobody but the lab"
    who      anyone
    may not  see
    what     Observation?code=hiv

test "They are hidden"
    given {"resourceType": "Observation", "id": "h", "status": "final", "code": {"coding": [{"code": "hiv"}]}}
    as           client ehr, custodian
    may not see  Observation/h
"#;

fn file(own: &Path, name: &str, text: &str) -> String {
    let file = own.join(name);
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

/// The token of an app that an administrator let in just now.
async fn administrator(facility: &mut Facility, app: &str, login: &str, itself: &str) -> String {
    with_scope(facility, app, login, itself, SCOPE).await
}

async fn with_scope(facility: &mut Facility, app: &str, login: &str, itself: &str, scope: &str) -> String {
    let (kind, id) = itself.split_once('/').unwrap();
    facility.put(json!({ "resourceType": kind, "id": id })).await;
    let mut pages = facility.server.http().await;
    let account = [login, "--name", login, "--role", "administrator", "--as", itself];
    let mut browser = enrol(&facility.server, &mut pages, &account).await;
    let (status, _, page) = browser.send("GET", "/account/security/authenticator", "").await;
    assert_eq!(status, 200, "{page}");
    let form = format!("csrf={}&code={}", field(&page, "csrf"), one_time_code(&page));
    assert_eq!(browser.send("POST", "/account/security/authenticator", &form).await.0, 303);
    token_of(&let_in(facility, &mut browser, app, scope, &[]).await)
}

const SCOPE: &str = "user/Library.cru";

fn cli(server: &Server, token: &str, arguments: &[&str]) -> Output {
    let ca: PathBuf = server.ca();
    let reach = ["--server", &server.base, "--token", token, "--ca", ca.to_str().unwrap()];
    handrail().arg("policy").args(arguments).args(reach).output().unwrap()
}

async fn act(facility: &mut Facility, token: &str, operation: &str, parameters: &[(&str, &str)]) -> Answer {
    let parameters: Vec<Value> =
        parameters.iter().map(|(name, value)| json!({ "name": name, "valueString": value })).collect();
    let body = json!({ "resourceType": "Parameters", "parameter": parameters }).to_string();
    facility.http.put_as(token, "POST", &format!("/fhir/Library/${operation}"), &body).await
}

fn hash_of(output: &Output) -> String {
    ok(output).trim().lines().last().unwrap().to_owned()
}

/// Whether the HIV result and the blood pressure are seen by the facility's own system.
async fn seen(facility: &mut Facility) -> (bool, bool) {
    let own = facility.own.clone();
    let mut status = async |id: &str| facility.status(&own, &format!("Observation/{id}")).await == 200;
    (status("hiv").await, status("bp").await)
}

async fn begin(own: &Path) -> Facility {
    let rules = file(own, "rules.policy", RULES);
    // The data is there before the rules: who is ruled sees a part of a type, and chooses no ids in it.
    let mut facility = Facility::on(Server::on(&own.join("data"), &[])).await;
    for code in ["hiv", "bp"] {
        let resource = json!({ "resourceType": "Observation", "id": code, "status": "final",
            "code": { "coding": [{ "code": code }] } });
        facility.put(resource).await;
    }
    drop(facility.server);
    let server = Server::on(&own.join("data"), &["--policy-file", &rules, "--policy-four-eyes", "true"]);
    facility = Facility { own: server.full_token(), http: server.http().await, server };
    facility
}

#[tokio::test]
async fn g16_rules_change_by_two_persons() {
    let own = tempfile::tempdir().unwrap();
    let mut facility = begin(own.path()).await;
    assert_eq!(seen(&mut facility).await, (false, true), "the file begins the history");
    let app = facility.app("Council", SCOPE);
    let ada = administrator(&mut facility, &app, "ada", "Practitioner/ada").await;
    let bea = administrator(&mut facility, &app, "bea", "Practitioner/bea").await;

    let other = RULES.replace("code=hiv\n", "code=bp\n").replace("Observation/h", "Observation/absent");
    let text = file(own.path(), "next.policy", &other);
    let refused = cli(&facility.server, &ada, &["propose", &text, "--note", "blood pressure"]);
    assert!(stderr(&refused).contains("Observation/absent is in no 'given' of this test"), "{}", stderr(&refused));
    let other = RULES.replace("code=hiv\n", "code=bp\n").replace("may not see", "may see");
    let text = file(own.path(), "next.policy", &other);
    // The test still says that it is hidden by another rule: told, and nothing waits.
    let wrong = file(own.path(), "wrong.policy", &other.replace("may see", "may not see"));
    let refused = cli(&facility.server, &ada, &["propose", &wrong, "--note", "blood pressure"]);
    assert!(stderr(&refused).contains("test \"They are hidden\""), "{}", stderr(&refused));
    let proposed = cli(&facility.server, &ada, &["propose", &text, "--note", "blood pressure"]);
    let hash = hash_of(&proposed);
    assert!(stdout(&proposed).contains("see Observation"), "whom it concerns: {}", stdout(&proposed));
    assert_eq!(hash.len(), 64);
    assert_eq!(seen(&mut facility).await, (false, true), "it waits");

    // Nobody approves their own, nobody else approves what is not there, no system approves anything.
    let own_approval = act(&mut facility, &ada, "policy-approve", &[("hash", &hash)]).await;
    assert_eq!(own_approval.status, 403, "{own_approval:?}");
    let unknown = act(&mut facility, &bea, "policy-approve", &[("hash", &"0".repeat(64))]).await;
    assert_eq!(unknown.status, 404);
    let system = facility.own.clone();
    assert_eq!(act(&mut facility, &system, "policy-approve", &[("hash", &hash)]).await.status, 403);
    let again = cli(&facility.server, &bea, &["propose", &text, "--note", "the same"]);
    assert!(stderr(&again).contains("waits already"), "{}", stderr(&again));
    assert_eq!(seen(&mut facility).await, (false, true));

    // The second pair of eyes: in force with the next request, for tokens that are out.
    let shown = ok(&cli(&facility.server, &bea, &["show", &hash]));
    assert_eq!(shown.trim(), other.trim());
    let asked = Instant::now();
    assert!(ok(&cli(&facility.server, &bea, &["approve", &hash])).contains("version 2 is in force"));
    assert_eq!(seen(&mut facility).await, (true, false));
    assert!(asked.elapsed() < Duration::from_secs(20), "of which the command is the most");
    assert_eq!(act(&mut facility, &bea, "policy-approve", &[("hash", &hash)]).await.status, 404, "once");

    // A file alone changes nothing, and whoever changed it is told.
    let data = facility.server.directory.to_str().unwrap().to_owned();
    file(own.path(), "rules.policy", "# nothing is denied\n");
    let reloaded = run(["policy", "reload", "--data", &data]);
    assert!(!reloaded.status.success() && stderr(&reloaded).contains("propose it"), "{}", stderr(&reloaded));
    assert_eq!(seen(&mut facility).await, (true, false));

    // On record: who, when, which text; and it stays over a restart.
    let history = ok(&cli(&facility.server, &ada, &["history"]));
    assert!(history.contains("proposed by ada") && history.contains("approved by bea"), "{history}");
    assert!(history.contains("blood pressure") && history.contains(&hash), "{history}");
    let events = facility.get(&system, "AuditEvent?subtype=policy-approved").await.json();
    assert!(events["total"] == 1 || events["entry"].as_array().is_some_and(|all| all.len() == 1), "{events}");
    assert!(events.to_string().contains("bea"), "{events}");
    let first = history.lines().find(|line| line.starts_with("version 1")).unwrap().to_owned();
    let first = first.split_whitespace().nth(2).unwrap().to_owned();
    assert_eq!(facility.server.stop("TERM"), Some(0));
    let at_rest = ok(&run(["policy", "history", "--data", &data]));
    assert!(at_rest.contains("approved by bea"), "{at_rest}");
    assert_eq!(ok(&run(["policy", "show", &hash, "--data", &data])).trim(), other.trim());
    let rules = own.path().join("rules.policy");
    let more = ["--policy-file", rules.to_str().unwrap(), "--policy-four-eyes", "true"];
    facility.server = Server::on(&own.path().join("data"), &more);
    facility.own = facility.server.full_token();
    facility.http = facility.server.http().await;
    assert_eq!(seen(&mut facility).await, (true, false));

    // Back to the first, by two again; what was proposed against the version before is void then.
    let back = cli(&facility.server, &bea, &["propose", "--version", &first, "--note", "back"]);
    let back = hash_of(&back);
    assert_eq!(back, first);
    let idle = file(own.path(), "idle.policy", "# none\n");
    let idle = hash_of(&cli(&facility.server, &ada, &["propose", &idle, "--note", "none at all"]));
    let withdrawn = file(own.path(), "withdrawn.policy", "# another\n");
    let withdrawn = hash_of(&cli(&facility.server, &ada, &["propose", &withdrawn, "--note", "a slip"]));
    assert!(ok(&cli(&facility.server, &bea, &["withdraw", &withdrawn])).contains("withdrawn"));
    assert_eq!(act(&mut facility, &bea, "policy-approve", &[("hash", &withdrawn)]).await.status, 404);
    assert_eq!(act(&mut facility, &bea, "policy-approve", &[("hash", &back)]).await.status, 403, "her own");
    assert_eq!(act(&mut facility, &ada, "policy-approve", &[("hash", &back)]).await.status, 200);
    assert_eq!(seen(&mut facility).await, (false, true));
    assert_eq!(act(&mut facility, &bea, "policy-approve", &[("hash", &idle)]).await.status, 409, "stale");
}

/// Two accounts of one human being are no two persons, where the record knows; an administrator who is none any more
/// proposes nothing; who has no such scope does nothing.
#[tokio::test]
async fn g16_one_person_with_two_accounts_is_one() {
    let own = tempfile::tempdir().unwrap();
    let mut facility = begin(own.path()).await;
    let app = facility.app("Council", SCOPE);
    let ada = administrator(&mut facility, &app, "ada", "Practitioner/ada").await;
    let twin = administrator(&mut facility, &app, "ada2", "Practitioner/ada").await;
    let alias = administrator(&mut facility, &app, "adele", "Practitioner/adele").await;
    let bea = administrator(&mut facility, &app, "bea", "Practitioner/bea").await;
    let links = ["ada", "adele"].map(|id| json!({ "target": { "reference": format!("Practitioner/{id}") } }));
    facility.put(json!({ "resourceType": "Person", "id": "ada", "link": links })).await;
    let in_role = administrator(&mut facility, &app, "ada3", "PractitionerRole/adas").await;
    facility
        .put(json!({ "resourceType": "PractitionerRole", "id": "adas",
            "practitioner": { "reference": "Practitioner/ada" } }))
        .await;
    let proposed = act(&mut facility, &ada, "policy-propose", &[("text", "# none\n"), ("note", "none")]).await;
    assert_eq!(proposed.status, 200, "{proposed:?}");
    let answer = proposed.json();
    let proposal = answer["parameter"].as_array().unwrap().iter().find(|one| one["name"] == "proposal").unwrap();
    let hash = proposal["part"].as_array().unwrap().iter().find(|one| one["name"] == "hash").unwrap();
    let hash = hash["valueString"].as_str().unwrap().to_owned();
    // What it tells is whom and what, never how many nor which: an administrator sees no patient's data.
    let effect = answer["parameter"].as_array().unwrap().iter().find(|one| one["name"] == "effect").unwrap();
    assert!(!effect.to_string().contains('+'), "{effect}");
    for token in [&ada, &twin, &alias, &in_role] {
        let refused = act(&mut facility, token, "policy-approve", &[("hash", &hash)]).await;
        assert_eq!(refused.status, 403, "{refused:?}");
    }
    // Without a scope that names it, and by other ways.
    let whole = facility.app("Everything", "user/*.cruds");
    let cleo = with_scope(&mut facility, &whole, "cleo", "Practitioner/cleo", "user/*.cruds").await;
    assert_eq!(act(&mut facility, &cleo, "policy-approve", &[("hash", &hash)]).await.status, 403);
    let entry = json!({ "request": { "method": "POST", "url": "Library/$policy-approve" },
        "resource": { "resourceType": "Parameters", "parameter": [{ "name": "hash", "valueString": hash }] } });
    let batch = json!({ "resourceType": "Bundle", "type": "batch", "entry": [entry] }).to_string();
    let answered = facility.http.put_as(&bea, "POST", "/fhir", &batch).await;
    assert!(!answered.body.is_empty());
    assert_eq!(seen(&mut facility).await, (false, true), "{answered:?}");
    // Its author is gone.
    let data = facility.server.directory.to_str().unwrap().to_owned();
    ok(&run(["user", "disable", "ada", "--data", &data]));
    let orphan = act(&mut facility, &bea, "policy-approve", &[("hash", &hash)]).await;
    assert_eq!(orphan.status, 409, "{orphan:?}");
    assert_eq!(seen(&mut facility).await, (false, true));
}
