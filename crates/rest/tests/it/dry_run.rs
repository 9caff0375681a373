//! What other rules would change, for whom. Row G16.

use crate::world::{ALL, observation, patient, put};
use oauth::caller::{Grant, Role, Standing, User};
use policy::{House, Rules};
use rest::DryRun;
use serde_json::json;
use std::sync::Arc;
use testkit::Server;

struct Known(Server);

fn user(id: &str, role: Role, fhir_user: &str) -> (String, Arc<User>) {
    let user = User {
        id: format!("u-{id}").into(),
        name: id.into(),
        role,
        fhir_user: Some(fhir_user.into()),
        patients: if role == Role::Patient { Arc::new(["anna".into()]) } else { Arc::default() },
        glasses: Arc::default(),
        may_break_glass: false,
    };
    (id.to_owned(), Arc::new(user))
}

struct All(Vec<Grant>);

impl rest::Acquaintances for All {
    fn user(&self, _: &str) -> Option<Arc<User>> {
        None
    }
    fn client(&self, _: &str) -> Option<Grant> {
        None
    }
    fn users(&self) -> Vec<(String, Arc<User>)> {
        vec![user("dora", Role::Clinician, "Practitioner/dr"), user("anna", Role::Patient, "Patient/anna")]
    }
    fn clients(&self) -> Vec<Grant> {
        self.0.clone()
    }
}

fn known() -> Known {
    let server = Server::new();
    let all = server.token_for(ALL);
    drop(put(&server, &all, "dr", json!({"resourceType": "Practitioner"})).expect(201));
    for (id, practitioner) in [("anna", Some("dr")), ("bo", None)] {
        let mut resource = patient(id);
        if let Some(practitioner) = practitioner {
            resource["generalPractitioner"] = json!([{"reference": format!("Practitioner/{practitioner}")}]);
        }
        drop(put(&server, &all, id, resource).expect(201));
    }
    for (id, of, category) in [
        ("a1", "anna", "laboratory"),
        ("a2", "anna", "vital-signs"),
        ("b1", "bo", "laboratory"),
        ("b2", "bo", "survey"),
    ] {
        drop(put(&server, &all, id, observation(of, category, "1")).expect(201));
    }
    let token = server.tokens().token_of_standing("own", "system/*.rs", Standing::Custodian);
    let grant = Grant::clone(&oauth::bearer::LiveTokens::grant(server.tokens(), &token).unwrap());
    server.service().meet(Arc::new(All(vec![grant])));
    Known(server)
}

fn rules(text: &str) -> Arc<Rules> {
    Arc::new(Rules::read(text, search::registry()).unwrap())
}

fn lines(run: &DryRun) -> Vec<String> {
    run.text().lines().map(|line| line.trim().to_owned()).filter(|line| line.contains("  see ")).collect()
}

const DENY: &str = "deny \"no laboratory\"\n who anyone\n may not see\n what Observation?category=laboratory\n";
const ALLOW: &str = "allow \"surveys\"\n who role clinician, organization https://x.example\n purpose TREAT\n may see\n what Observation?category=survey\n";

#[test]
fn g16_the_operator_learns_how_many_and_which() {
    let Known(server) = known();
    let peer = rest::wire::Accepted::new(std::net::Ipv4Addr::LOCALHOST.into());
    let tried = |text: &str| server.service().try_rules(&peer, "test", rules(text)).unwrap();
    let run = tried(DENY);
    assert_eq!(
        lines(&run),
        [
            "dora (account u-dora)  see Observation  -1 (a1)",
            "anna (account u-anna)  see Observation  -1 (a1)",
            "A client of a test (client own)  see Observation  -2 (a1, b1)",
        ]
    );
    let run = tried(ALLOW);
    assert_eq!(
        lines(&run),
        [
            "dora (account u-dora)  see Observation  +1 (b2)",
            "organization https://x.example, purpose TREAT  see Observation  +1 (b2)",
        ]
    );
    // From the rules of today: what one loses and another gains.
    let mut house = House::clone(&server.store().house());
    house.rules = rules(DENY);
    server.store().set_house(house);
    let run = tried(ALLOW);
    assert!(lines(&run).contains(&"dora (account u-dora)  see Observation  +2 (a1, b2)".to_owned()), "{}", run.text());
    assert!(tried(DENY).is_nothing());
    assert_eq!(server.store().house().rules.rules().len(), 1, "nothing came into force");
}

/// A count over a search of one's own choice is data: an administrator, who sees none, is told the same whatever there
/// is.
#[test]
fn g16_what_an_administrator_is_told_does_not_depend_on_the_data() {
    let (Known(full), empty) = (known(), Server::new());
    let token = empty.tokens().token_of_standing("own", "system/*.rs", Standing::Custodian);
    let grant = Grant::clone(&oauth::bearer::LiveTokens::grant(empty.tokens(), &token).unwrap());
    empty.service().meet(Arc::new(All(vec![grant])));
    for text in [DENY, ALLOW, "limit \"x\"\n who anyone\n may only see\n what Patient?_id=anna\n"] {
        let told = full.service().concerned(rules(text)).text();
        assert_eq!(told, empty.service().concerned(rules(text)).text());
        assert!(told.contains("Observation") && !told.contains("a1"), "{told}");
    }
}
