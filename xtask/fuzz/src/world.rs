//! The FHIR service that targets attack: in process, with a few resources and two tokens.

use std::cell::RefCell;
use testkit::{Reply, Server};

/// Requests after which a new server takes over, so that no store grows without end.
const REQUESTS_MAX: usize = 20_000;

/// A server with two patients, of which the narrow token sees one.
pub(crate) struct World {
    pub(crate) server: Server,
    /// All types, all letters: `test-token-1`.
    pub(crate) wide: String,
    /// One patient, surveys: `test-token-2`.
    pub(crate) narrow: String,
    uses: usize,
}

impl World {
    fn new() -> Self {
        let server = Server::new();
        let wide = server.token_for("system/*.cruds");
        let narrow =
            server.token_for("system/Patient.rs?identifier=http://a|1 system/Observation.cruds?category=survey");
        let world = Self { server, wide, narrow, uses: 0 };
        for (path, body) in [
            ("Patient/p1", r#"{"resourceType":"Patient","id":"p1","identifier":[{"system":"http://a","value":"1"}]}"#),
            ("Patient/p2", r#"{"resourceType":"Patient","id":"p2","identifier":[{"system":"http://a","value":"2"}]}"#),
            (
                "Observation/o1",
                r#"{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"a"},"category":[{"coding":[{"code":"survey"}]}],"subject":{"reference":"Patient/p1"}}"#,
            ),
        ] {
            let reply = world.server.request("PUT", path).token(&world.wide).body("application/fhir+json", body).send();
            assert_eq!(reply.status, 201, "{}", reply.text());
        }
        world
    }

    /// A request with the wide token.
    pub(crate) fn get(&self, path: &str) -> Reply {
        self.server.request("GET", path).token(&self.wide).send()
    }
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// Runs with this thread's server; a new one when the last run panicked or it has served its time.
pub(crate) fn with<T>(work: impl FnOnce(&World) -> T) -> T {
    let mut world = WORLD.take().unwrap_or_else(World::new);
    world.uses += 1;
    let done = work(&world);
    if world.uses < REQUESTS_MAX {
        WORLD.set(Some(world));
    }
    done
}
