//! One of the two worlds: a server that the script made, asked as the caller.

use super::{
    ask::{Ask, Plain},
    house::House,
    lens::Actor,
    memory::Memory,
    plant::Plant,
    script::{Event, Moment},
};
use crate::{Reply, Server};
use oauth::caller::{Role, User};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};
use store::{Given, limits};

/// Seconds after the start of the day at which the caller's requests begin: some scopes for audit
/// events say so.
const ASKS_BEGIN_S: i64 = 3600;

/// The worlds' common secret: equal positions have equal cursors.
const SECRET: [u8; 32] = [7; 32];

/// Limits with which small worlds go every way that a search can go. What refuses a search is as in
/// the product.
fn small() -> limits::Search {
    limits::Search { probe_rows: 3, gather_keys: 2, small_join_rows: 2, casual_keys: 8, ..limits::Search::default() }
}

/// A server whose content a script made, and a token of the caller.
pub(super) struct World {
    pub(super) server: Server,
    scope: String,
    actor: Option<Actor>,
    house: Option<House>,
    tokens: BTreeMap<String, String>,
    plant: Option<Plant>,
    memory: Memory,
}

/// What the worlds of a case are made from.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) moments: Vec<Moment>,
    pub(super) scope: String,
    /// The person whom the caller acts for.
    pub(super) actor: Option<Actor>,
    /// The organization that it is a system of.
    pub(super) house: Option<House>,
    /// With small limits, else with those of the product.
    pub(super) small: bool,
    pub(super) plant: Option<Plant>,
}

impl World {
    /// `which`: the first or the second world of the script.
    pub(super) fn new(plan: &Plan, which: usize) -> Self {
        let mut search = if plan.small { small() } else { limits::Search::default() };
        if let Some(plant) = plan.plant {
            plant.limit(&mut search);
        }
        let server = Server::given(Given { secret: SECRET, search });
        // A person with more sees all, whoever they are.
        let mut facility = policy::House::default();
        facility.clinicians = policy::Clinicians::Everyone;
        server.store().set_house(facility);
        for resource in plan.house.iter().flat_map(|house| house.resources(which)) {
            let path =
                [&resource["resourceType"], &resource["id"]].map(|part| part.as_str().unwrap_or_default()).join("/");
            let request = server.request("PUT", &path).as_operator().header("x-request-id", "script");
            let reply = request.json(&resource).send();
            assert!(reply.status == 201, "the house is at fault: {path} {}", reply.text());
        }
        let mut passed_s = 0;
        for moment in &plan.moments {
            server.clock().advance_s(moment.after_s);
            passed_s += moment.after_s;
            if moment.copies > 1 {
                crowd(&server, moment, which);
                continue;
            }
            let path = format!("{}/{}", moment.kind.name(), moment.id);
            // A request id of our own, so that the server makes as many in either world.
            let request =
                |method, path: &str| server.request(method, path).as_operator().header("x-request-id", "script").send();
            let reply = match &moment.events[which] {
                Event::Nothing => continue,
                Event::Noise(count) => {
                    (1..*count).for_each(|_| assert!(request("GET", "Patient?_count=1").status == 200));
                    request("GET", "Patient?_count=1")
                }
                Event::Put(shape) => {
                    let request = server.request("PUT", &path).as_operator().header("x-request-id", "script");
                    request.json(&shape.json()).send()
                }
                Event::Delete => request("DELETE", &path),
            };
            assert!(reply.status < 300, "the script is at fault: {path} {}", reply.text());
        }
        server.clock().advance_s(ASKS_BEGIN_S - passed_s);
        let (scope, actor, house) = (plan.scope.clone(), plan.actor.clone(), plan.house.clone());
        Self { server, scope, actor, house, tokens: BTreeMap::new(), plant: plan.plant, memory: Memory::default() }
    }

    /// The answer to one request; `None` when there is no page to go on to.
    pub(super) fn ask(&mut self, ask: &Ask) -> Option<Reply> {
        self.server.clock().advance_s(1);
        let plain = self.memory.filled(ask)?;
        let reply = match self.plant {
            Some(plant) => plant.answer(self, &plain),
            None => self.send(&plain, ""),
        };
        self.memory.learn(&reply);
        Some(reply)
    }

    /// The answer to a request of the caller, whose scopes are these more. A person with more is a clinician.
    pub(super) fn send(&mut self, plain: &Plain, more: &str) -> Reply {
        let scope = if more.is_empty() { self.scope.clone() } else { format!("{} {more}", self.scope) };
        let (server, actor, house) = (&self.server, &self.actor, self.house.as_ref().filter(|_| more.is_empty()));
        let token = self.tokens.entry(scope).or_insert_with_key(|scope| match actor {
            None if house.is_some() => {
                let purpose = house.map_or("", |house| house.purpose);
                server.tokens().token_of_organization(Some("Organization/house"), &[purpose], scope)
            }
            None => server.token_for(scope),
            Some(actor) => {
                let user = User {
                    id: "person".into(),
                    name: "A person of a test".into(),
                    role: if more.is_empty() { actor.role } else { Role::Clinician },
                    fhir_user: None,
                    patients: actor.patients.iter().map(|id| Arc::from(id.as_str())).collect(),
                    glasses: Arc::default(),
                    may_break_glass: false,
                };
                server.tokens().token_of_user(user, Some(&actor.context), &scope.replace("system/", "user/"))
            }
        });
        let mut request = server.request(plain.method, &plain.path).token(token);
        for (name, value) in &plain.headers {
            request = request.header(name, value);
        }
        if let Some((media_type, body)) = &plain.body {
            request = request.body(media_type, body.clone());
        }
        request.send()
    }
}

/// Makes a crowd in one commit.
fn crowd(server: &Server, moment: &Moment, which: usize) {
    let Event::Put(shape) = &moment.events[which] else { return };
    let entries: Vec<Value> = (0..moment.copies)
        .map(|copy| {
            let mut resource = shape.json();
            let id = format!("{}-{copy}", moment.id);
            resource["id"] = json!(id);
            let url = format!("{}/{id}", moment.kind.name());
            json!({"resource": resource, "request": {"method": "PUT", "url": url}})
        })
        .collect();
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
    let reply = server.request("POST", "").as_operator().header("x-request-id", "script").json(&bundle).send();
    assert!(reply.status < 300, "the script is at fault: {}", reply.text());
}
