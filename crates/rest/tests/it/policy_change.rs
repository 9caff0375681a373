//! `Library/$policy-…`: who may, how fresh, and what is told. What keeps the rules is tested where it lives. Row G16, H33.

use crate::world::{ALL, get};
use oauth::caller::Role;
use policy::Rules;
use rest::council::{Council, CouncilError, Draft, Hand, Ledger, Signature, Version, Waiting};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::{Person, Reply, Server};

const fn of(role: Role) -> Person {
    Person { id: "u-1", name: "Ada", role, fhir_user: Some("Practitioner/ada"), patients: &[] }
}

/// Takes everything.
struct Willing;

impl Council for Willing {
    fn propose(&self, by: &Hand<'_>, draft: Draft<'_>, note: &str) -> Result<(Waiting, Arc<Rules>), CouncilError> {
        let Draft::Text(text) = draft else { return Err(CouncilError::Unknown) };
        let rules = Rules::read(text, search::registry())
            .map_err(|faults| CouncilError::Faulty(faults.iter().map(ToString::to_string).collect()))?;
        let at = fhir::Instant::from_unix_millis(0);
        let by = Signature { account: by.user.id.to_string(), name: by.user.name.to_string(), at };
        let waiting = Waiting {
            hash: "a".repeat(64),
            note: note.into(),
            by,
            ends: at,
            replaces: String::new(),
            rules: 1,
            tests: 0,
        };
        Ok((waiting, Arc::new(rules)))
    }
    fn approve(&self, _: &Hand<'_>, _: &str) -> Result<Version, CouncilError> {
        Err(CouncilError::SamePerson)
    }
    fn withdraw(&self, _: &Hand<'_>, _: &str) -> Result<(), CouncilError> {
        Ok(())
    }
    fn ledger(&self) -> Result<Ledger, CouncilError> {
        Ok(Ledger { four_eyes: true, ..Ledger::default() })
    }
    fn text(&self, _: &str) -> Result<String, CouncilError> {
        Err(CouncilError::Unknown)
    }
}

fn act(server: &Server, token: &str, operation: &str, parameters: &[(&str, &str)]) -> Reply {
    let parameters: Vec<Value> =
        parameters.iter().map(|(name, value)| json!({"name": name, "valueString": value})).collect();
    let body = json!({"resourceType": "Parameters", "parameter": parameters});
    let request =
        server.request("POST", &format!("Library/${operation}")).header("authorization", &format!("Bearer {token}"));
    request.json(&body).send()
}

fn server() -> Server {
    let server = Server::new();
    server.service().seat(Arc::new(Willing));
    server.tokens().signed_in_at(server.clock().now().unix_seconds());
    server
}

const RULE: &str = "deny \"x\"\n who anyone\n may not see\n what Patient\n";

#[test]
fn g16_administrators_alone_with_a_scope_that_names_it() {
    let server = server();
    let asked = [("policy-propose", "c"), ("policy-approve", "u"), ("policy-withdraw", "u")];
    for role in Role::ALL {
        for (operation, letter) in asked {
            for scope in [
                format!("user/Library.{letter}"),
                "user/*.cruds".into(),
                "user/Library.ds".into(),
                "user/Basic.cruds".into(),
                format!("user/Library.{letter}?status=active"),
            ] {
                let token = server.tokens().token_of_person(&of(role), None, &scope);
                let status = act(&server, &token, operation, &[]).status;
                let may = role == Role::Administrator && scope == format!("user/Library.{letter}");
                assert_eq!(status != 403, may, "{role:?} {operation} {scope}: {status}");
            }
        }
        let token = server.tokens().token_of_person(&of(role), None, "user/Library.r");
        let status = get(&server, &token, "Library/$policy-history").status;
        let may = matches!(role, Role::Administrator | Role::PrivacyOfficer);
        assert_eq!(status, if may { 200 } else { 403 }, "{role:?}");
    }
    let system = server.token_for(ALL);
    assert_eq!(act(&server, &system, "policy-approve", &[("hash", "a")]).status, 403);
    assert_eq!(get(&server, &system, "Library/$policy-history").status, 403);
}

/// RFC 9470: an app that was let in an hour ago changes no rules.
#[test]
fn g16_who_changes_rules_signed_in_within_minutes() {
    let server = server();
    let token = || server.tokens().token_of_person(&of(Role::Administrator), None, "user/Library.cru");
    let given = [("text", RULE), ("note", "x")];
    assert_eq!(act(&server, &token(), "policy-propose", &given).status, 200);
    server.clock().advance_s(301);
    for operation in ["policy-propose", "policy-approve", "policy-withdraw"] {
        let refused = act(&server, &token(), operation, &[]);
        assert_eq!(refused.status, 401);
        let challenge = refused.header("www-authenticate").unwrap().to_owned();
        assert!(challenge.contains("insufficient_user_authentication") && challenge.contains("max_age"), "{challenge}");
    }
    assert_eq!(get(&server, &token(), "Library/$policy-history").status, 200, "to look takes no such proof");
}

#[test]
fn g16_what_is_wrong_is_told() {
    let server = server();
    let token = server.tokens().token_of_person(&of(Role::Administrator), None, "user/Library.cru");
    let told = |reply: Reply, status: u16, text: &str| {
        let body = reply.expect(status).json();
        assert!(body.to_string().contains(text), "{body}");
    };
    told(act(&server, &token, "policy-propose", &[("note", "x")]), 400, "give the text of the rules");
    told(act(&server, &token, "policy-propose", &[("text", RULE)]), 400, "say what the change is for");
    told(act(&server, &token, "policy-propose", &[("text", "deny\n"), ("note", "x")]), 400, "1:5: the name is missing");
    told(act(&server, &token, "policy-approve", &[]), 400, "which text");
    told(act(&server, &token, "policy-approve", &[("hash", &"a".repeat(64))]), 403, "nobody approves");
    told(get(&server, &token, "Library/$policy-history?hash=x"), 404, "no such resource");
    let proposed = act(&server, &token, "policy-propose", &[("text", RULE), ("note", "what for")]).expect(200).json();
    assert!(proposed.to_string().contains("what for"), "{proposed}");
    // No entry of a bundle, and nothing where nobody keeps rules.
    for kind in ["batch", "transaction"] {
        let entry = json!({"request": {"method": "POST", "url": "Library/$policy-withdraw"},
            "resource": {"resourceType": "Parameters", "parameter": [{"name": "hash", "valueString": "a"}]}});
        let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": [entry]});
        let reply = server.request("POST", "").header("authorization", &format!("Bearer {token}")).json(&bundle).send();
        assert!(reply.json().to_string().contains("by a request of its own"), "{kind}");
    }
    let other = Server::new();
    other.tokens().signed_in_at(other.clock().now().unix_seconds());
    let token = other.tokens().token_of_person(&of(Role::Administrator), None, "user/Library.cru");
    told(act(&other, &token, "policy-approve", &[("hash", "x")]), 409, "policy.four_eyes is not set");
}
