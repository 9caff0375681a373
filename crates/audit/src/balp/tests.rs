//! F17 to F19, row by row, on the rendered JSON.

use super::*;
use crate::{
    entry::{Person, Touched},
    facts::facts_for_search,
};
use fhir::{
    Instant, VersionId,
    json::{Tree, Value},
};

fn server() -> Server {
    Server { base_url: "https://handrail.test:8443/fhir".into(), name: "handrail 0.1.0".into() }
}

fn touched(kind: &str, id: &str, version: u32) -> Touched {
    Touched {
        resource_type: ResourceType::parse(kind).unwrap(),
        id: LogicalId::parse(id).unwrap(),
        version: VersionId::new(version),
    }
}

fn entry(subtype: &str, action: Action) -> Entry {
    Entry {
        recorded: Instant::from_unix_millis(1_700_000_000_123),
        kind: Kind::Rest,
        subtype: subtype.into(),
        action,
        outcome: Outcome::Success,
        outcome_text: None,
        client_id: Some("client-1".into()),
        token_name: Some("0123456789abcdef".into()),
        person: None,
        organization: None,
        grounds: None,
        address: Some("192.0.2.7".parse().unwrap()),
        request_id: "request-1".into(),
        query: None,
        touched: vec![touched("Observation", "o1", 3)],
        patients: vec![LogicalId::parse("p1").unwrap()],
    }
}

fn search() -> Entry {
    Entry {
        query: Some("Observation?code=52491-8".into()),
        touched: Vec::new(),
        ..entry("search-type", Action::Execute)
    }
}

fn tree(entry: &Entry) -> Tree {
    let server = server();
    Tree::parse(event(entry, &LogicalId::parse("0000000000000042").unwrap(), &server).to_json()).unwrap()
}

/// `a.b` with the first item of arrays.
fn at<'a>(value: Value<'a>, path: &str) -> Option<Value<'a>> {
    path.split('.').try_fold(value, |value, name| {
        let value = value.items_or_self().next()?;
        value.get(name)?.items_or_self().next()
    })
}

fn text(value: Value<'_>, path: &str) -> String {
    at(value, path).and_then(Value::as_str).unwrap_or_default().into_owned()
}

fn list<'a>(tree: &'a Tree, name: &str) -> Vec<Value<'a>> {
    tree.root().get(name).map(|list| list.items().collect()).unwrap_or_default()
}

#[test]
fn a_read_is_this() {
    insta::assert_snapshot!(pretty(&tree(&entry("read", Action::Read))));
}

#[test]
fn a_search_is_this() {
    insta::assert_snapshot!(pretty(&tree(&search())));
}

#[test]
fn a_request_without_a_token_is_this() {
    let refused = Entry {
        outcome: Outcome::MinorFailure,
        outcome_text: Some("an access token is required".into()),
        client_id: None,
        token_name: None,
        touched: Vec::new(),
        patients: Vec::new(),
        ..entry("read", Action::Read)
    };
    insta::assert_snapshot!(pretty(&tree(&refused)));
}

/// One member a line, so that a change of a snapshot reads well.
fn pretty(tree: &Tree) -> String {
    let mut out = String::new();
    let (mut depth, mut in_string) = (0usize, false);
    let json = String::from_utf8(tree.bytes().to_vec()).unwrap();
    for character in json.chars() {
        match character {
            '"' => in_string = !in_string,
            '{' | '[' if !in_string => depth += 1,
            '}' | ']' if !in_string => depth -= 1,
            _ => {}
        }
        if !in_string && matches!(character, '}' | ']') {
            out.push_str(&format!("\n{}", " ".repeat(depth)));
        }
        out.push(character);
        if !in_string && matches!(character, '{' | '[' | ',') {
            out.push_str(&format!("\n{}", " ".repeat(depth)));
        }
    }
    out
}

/// F17, the table: interaction, action, client's part, server's part, role of the data.
#[test]
fn agents_and_entities_are_those_of_the_table() {
    let rows = [
        ("create", Action::Create, "C", "110153", "110152", "PatientCreate"),
        ("read", Action::Read, "R", "110152", "110153", "PatientRead"),
        ("vread", Action::Read, "R", "110152", "110153", "PatientRead"),
        ("update", Action::Update, "U", "110153", "110152", "PatientUpdate"),
        ("delete", Action::Delete, "D", "110150", "custodian", "PatientDelete"),
    ];
    for (code, action, letter, client, us, profile) in rows {
        let tree = tree(&entry(code, action));
        let root = tree.root();
        assert_eq!(text(root, "type.code"), "rest");
        assert_eq!(text(root, "subtype.code"), code);
        assert_eq!(text(root, "subtype.system"), "http://hl7.org/fhir/restful-interaction");
        assert_eq!(text(root, "action"), letter);
        assert_eq!(text(root, "outcome"), "0");
        let agents = list(&tree, "agent");
        assert_eq!(text(agents[0], "type.coding.code"), client, "{code}: client");
        assert_eq!(text(agents[0], "network.address"), "192.0.2.7");
        assert_eq!(text(agents[1], "type.coding.code"), us, "{code}: server");
        assert_eq!(text(agents[1], "network.type"), "5");
        let entities = list(&tree, "entity");
        assert_eq!(text(entities[0], "type.code"), "XrequestId");
        assert_eq!(text(entities[0], "what.identifier.value"), "request-1");
        assert_eq!(text(entities[1], "role.code"), "4");
        assert_eq!(text(entities[1], "what.reference"), "Observation/o1/_history/3");
        assert_eq!(text(entities[2], "role.code"), "1");
        assert_eq!(text(entities[2], "what.reference"), "Patient/p1");
        let profiles = root.get("meta").unwrap().get("profile").unwrap();
        let names: Vec<_> = profiles.items().filter_map(Value::as_str).collect();
        assert!(names.iter().any(|name| name.ends_with(&format!("IHE.BasicAudit.{profile}"))), "{names:?}");
    }
}

/// F17, last row: the raw request in base64, no `what`, role 24.
#[test]
fn a_query_is_an_entity_of_its_own() {
    let tree = tree(&search());
    let entities = list(&tree, "entity");
    assert_eq!(text(entities[1], "role.code"), "24");
    assert_eq!(STANDARD.decode(text(entities[1], "query")).unwrap(), b"Observation?code=52491-8");
    assert!(entities[1].get("what").is_none() && entities[1].get("lifecycle").is_none());
    let agents = list(&tree, "agent");
    assert_eq!(text(agents[0], "type.coding.code"), "110153");
    assert_eq!(text(agents[1], "type.coding.code"), "110152");
}

/// A profile is claimed only where its cardinalities hold.
#[test]
fn profiles_are_claimed_honestly() {
    let server = server();
    let claimed = |entry: Entry| {
        let event = event(&entry, &LogicalId::parse("e1").unwrap(), &server);
        event.profiles.iter().map(|url| url.rsplit("BasicAudit.").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let token = "OAUTHaccessTokenUse.Opaque";
    assert_eq!(claimed(search()), [token, "PatientQuery"]);
    assert_eq!(claimed(Entry { patients: Vec::new(), ..search() }), [token, "Query"]);
    let many = vec![LogicalId::parse("p1").unwrap(), LogicalId::parse("p2").unwrap()];
    assert_eq!(claimed(Entry { patients: many, ..search() }), [token, "Query"]);
    assert_eq!(claimed(Entry { outcome: Outcome::MinorFailure, ..search() }), [token]);
    assert_eq!(claimed(Entry { address: None, ..search() }), [token]);
    assert_eq!(claimed(Entry { touched: Vec::new(), ..entry("create", Action::Create) }), [token]);
    assert_eq!(claimed(entry("history-instance", Action::Read)), [token]);
    assert_eq!(claimed(Entry { token_name: None, ..entry("transaction", Action::Execute) }), [""; 0]);
}

/// F19: never the token, only the name of it, and the one who asked is the token's holder.
#[test]
fn the_token_is_named_by_its_name() {
    let tree = tree(&entry("read", Action::Read));
    let agents = list(&tree, "agent");
    assert_eq!(agents.len(), 3);
    assert_eq!(text(agents[2], "type.coding.code"), "UserOauthAgent");
    assert_eq!(text(agents[2], "policy"), "urn:ietf:params:oauth:jti:0123456789abcdef");
    let asked: Vec<_> = agents.iter().map(|agent| agent.get("requestor").unwrap().as_bool().unwrap()).collect();
    assert_eq!(asked, [false, false, true]);
}

/// F18, F19: the user is one agent, by account, resource, name and role; the client is not the one who asked.
#[test]
fn a_person_is_named() {
    let person = |fhir_user: Option<&str>| Person {
        id: "u-1".into(),
        name: "Ada Lovelace".into(),
        role: oauth::caller::Role::Clinician,
        fhir_user: fhir_user.map(Into::into),
    };
    let of_person = |fhir_user| Entry { person: Some(Box::new(person(fhir_user))), ..entry("read", Action::Read) };
    let rendered = tree(&of_person(Some("Practitioner/dr")));
    insta::assert_snapshot!(pretty(&rendered));
    let agents = list(&rendered, "agent");
    let asked: Vec<_> = agents.iter().map(|agent| agent.get("requestor").unwrap().as_bool().unwrap()).collect();
    assert_eq!(asked, [false, false, true]);
    let kinds: Vec<_> =
        agents[2].get("type").unwrap().get("coding").unwrap().items().map(|one| text(one, "code")).collect();
    assert_eq!(kinds, ["IRCP", "UserOauthAgent"]);
    assert_eq!(text(agents[2], "who.reference"), "Practitioner/dr");
    assert_eq!(text(agents[2], "who.identifier.value"), "u-1");
    assert_eq!((text(agents[2], "name").as_str(), text(agents[2], "role.coding.code").as_str()), {
        ("Ada Lovelace", "clinician")
    });
    let profiles = rendered.root().get("meta").unwrap().get("profile").unwrap();
    assert!(profiles.items().filter_map(Value::as_str).any(|name| name.ends_with("OAUTHaccessTokenUse.Minimal")));
    let without = tree(&of_person(None));
    assert!(list(&without, "agent")[2].get("who").unwrap().get("reference").is_none());
    let signing_in = Entry { client_id: None, token_name: None, ..of_person(None) };
    let rendered = tree(&signing_in);
    let agents = list(&rendered, "agent");
    assert_eq!(agents.len(), 3);
    assert!(agents[2].get("policy").is_none());
    assert_eq!(agents[2].get("type").unwrap().get("coding").unwrap().items().count(), 1);
}

/// D28, F18: the organization is an agent of its own; why is said of the event, of who asked and of the organization.
#[test]
fn an_organization_is_named_with_its_purpose() {
    let organization = |purposes: &[&str], subject_id: Option<&str>| crate::entry::Organization {
        community: "https://community.example".into(),
        uri: "https://payer.example/fhir".into(),
        resource: Some("Organization/payer".into()),
        asserted_id: Some("https://payer.example".into()),
        name: Some("A payer".into()),
        purposes: purposes.iter().map(|code| (*code).into()).collect(),
        subject_name: Some("Eve Reviewer".into()),
        subject_id: subject_id.map(Into::into),
        subject_role: Some("Utilization reviewer".into()),
    };
    let of = |organization| Entry { organization: Some(Box::new(organization)), ..entry("read", Action::Read) };
    let codes = |value: Value<'_>, name: &str| -> Vec<String> {
        let all = value.get(name).map(|all| all.items().collect::<Vec<_>>()).unwrap_or_default();
        all.iter().map(|one| format!("{}|{}", text(*one, "coding.system"), text(*one, "coding.code"))).collect()
    };
    let why = ["HPAYMT", "TREAT"].map(|code| format!("http://terminology.hl7.org/CodeSystem/v3-ActReason|{code}"));

    let rendered = tree(&of(organization(&["HPAYMT", "TREAT"], Some("77"))));
    assert_eq!(codes(rendered.root(), "purposeOfEvent"), why);
    let agents = list(&rendered, "agent");
    assert_eq!(agents.len(), 4);
    let asked: Vec<_> = agents.iter().map(|agent| agent.get("requestor").unwrap().as_bool().unwrap()).collect();
    assert_eq!(asked, [false, false, true, false]);
    assert_eq!(text(agents[0], "who.identifier.value"), "client-1");
    assert_eq!(codes(agents[0], "purposeOfUse"), [""; 0]);
    let who = |agent: Value<'_>| (text(agent, "who.identifier.system"), text(agent, "who.identifier.value"));
    assert_eq!(who(agents[2]), ("https://payer.example/fhir".to_owned(), "77".to_owned()));
    assert_eq!((text(agents[2], "name"), text(agents[2], "role.text")), {
        ("Eve Reviewer".to_owned(), "Utilization reviewer".to_owned())
    });
    assert_eq!(codes(agents[2], "purposeOfUse"), why);
    assert!(text(agents[2], "policy").starts_with("urn:ietf:params:oauth:jti:"));
    assert_eq!(who(agents[3]), ("urn:ietf:rfc:3986".to_owned(), "https://payer.example/fhir".to_owned()));
    assert_eq!((text(agents[3], "who.reference"), text(agents[3], "who.display")), {
        ("Organization/payer".to_owned(), "A payer".to_owned())
    });
    assert_eq!(
        (text(agents[3], "type.coding.code"), codes(agents[3], "purposeOfUse")),
        ("PAYOR".to_owned(), why.to_vec())
    );

    let without_id = tree(&of(organization(&["TREAT"], None)));
    let agents = list(&without_id, "agent");
    assert_eq!(text(agents[2], "who.identifier.value"), "client-1", "who asked has no id, the client has");
    assert_eq!(
        (text(agents[2], "name").as_str(), text(agents[3], "type.coding.code").as_str()),
        ("Eve Reviewer", "PROV")
    );
    let refused = Entry { token_name: None, ..of(organization(&[], None)) };
    let refused = tree(&refused);
    assert_eq!(list(&refused, "agent").len(), 3);
    assert!(refused.root().get("purposeOfEvent").is_none());
}

/// F16: what the authorization server and the process do.
#[test]
fn security_and_application_events_speak_dicom() {
    let rows = [
        (Kind::Security, "token-issued", "110114", Some("110122"), 3),
        (Kind::Security, "token-refused", "110114", Some("110122"), 3),
        (Kind::Security, "token-introspected", "110114", None, 3),
        (Kind::Security, "authorization-granted", "110114", None, 3),
        (Kind::Security, "client-added", "110113", Some("110137"), 3),
        (Kind::Security, "sign-in", "110114", Some("110122"), 3),
        (Kind::Security, "sign-in-failed", "110114", Some("110122"), 3),
        (Kind::Security, "sign-out", "110114", Some("110123"), 3),
        (Kind::Security, "recovery-failed", "110114", Some("110122"), 3),
        (Kind::Security, "app-opened", "110114", None, 3),
        (Kind::Security, "authorization-ended", "110113", Some("110137"), 3),
        (Kind::Security, "user-disabled", "110113", Some("110137"), 3),
        (Kind::Security, "passkey-added", "110113", Some("110137"), 3),
        (Kind::Security, "recovery-codes-made", "110113", Some("110137"), 3),
        (Kind::Security, "break-glass-opened", "110113", Some("110127"), 3),
        (Kind::Security, "break-glass-ended", "110113", Some("110138"), 3),
        (Kind::Security, "break-glass-reviewed", "110113", None, 3),
        (Kind::Security, "form-refused", "110113", Some("110129"), 3),
        (Kind::Security, "keys-rotated", "110113", Some("110129"), 3),
        (Kind::Application, "start", "110100", Some("110120"), 1),
        (Kind::Application, "stop", "110100", Some("110121"), 1),
    ];
    for (kind, subtype, expected_type, dicom, agents) in rows {
        let token_name = (kind == Kind::Security).then(|| "0123".into());
        let tree = tree(&Entry { kind, token_name, ..entry(subtype, Action::Execute) });
        assert_eq!(text(tree.root(), "type.code"), expected_type);
        let subtypes = list(&tree, "subtype");
        assert_eq!(text(subtypes[0], "code"), subtype);
        assert_eq!(subtypes.get(1).map(|second| text(*second, "code")).as_deref(), dicom);
        assert_eq!(list(&tree, "agent").len(), agents);
    }
}

#[test]
fn facts_name_patients_clients_and_time() {
    use crate::facts::Fact;
    let (server, entry) = (server(), entry("read", Action::Read));
    let facts = facts_for_search(&event(&entry, &LogicalId::parse("0000000000000042").unwrap(), &server));
    let patient = Fact::Reference(ResourceType::parse("Patient").unwrap(), LogicalId::parse("p1").unwrap());
    assert!(facts.contains(&("patient", patient.clone())) && facts.contains(&("entity", patient)));
    assert!(facts.contains(&("date", Fact::Date(entry.recorded))));
    assert!(facts.contains(&("agent", Fact::Identifier(Some(server.base_url.clone()), "client-1".into()))));
    assert!(
        facts.contains(&("action", Fact::Token(Some("http://hl7.org/fhir/audit-event-action".into()), "R".into())))
    );
}
