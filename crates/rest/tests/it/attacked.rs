//! Every route is attacked. The routes come from the router's own table: a new one without a row
//! here fails the test. Rows B63, B64, F13, H33.

use crate::world::{ALL, observation, server};
use rest::route::{Kind, ROUTES, Route, Segment};
use testkit::{Reply, Request, Server};

/// A path of the route, about Observation.
fn path(route: &Route) -> String {
    let parts: Vec<&str> = route
        .path
        .iter()
        .map(|segment| match segment {
            Segment::Word(word) => word,
            Segment::Type => "Observation",
            Segment::Id => "some-id",
            Segment::Version => "1",
        })
        .collect();
    parts.join("/")
}

/// A body that the route would take.
fn with_body<'a>(route: &Route, request: Request<'a>) -> Request<'a> {
    match route.kind {
        Kind::Create => request.json(&observation("p", "survey", "1")),
        Kind::Update => {
            let mut body = observation("p", "survey", "1");
            body["id"] = "some-id".into();
            request.json(&body)
        }
        Kind::Patch => {
            let operation = serde_json::json!({"op": "replace", "path": "/status", "value": "amended"});
            request.body("application/json-patch+json", serde_json::json!([operation]).to_string())
        }
        Kind::Bundle => {
            let entry = serde_json::json!({"request": {"method": "GET", "url": "Observation/some-id"}});
            request.json(&serde_json::json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]}))
        }
        Kind::SearchType | Kind::SearchCompartment if route.method == rest::wire::Method::Post => {
            request.body("application/x-www-form-urlencoded", "code=1")
        }
        Kind::Validate if route.method == rest::wire::Method::Post => request.json(&observation("p", "survey", "1")),
        Kind::Relabel => request.json(&serde_json::json!({"resourceType": "Parameters"})),
        Kind::Terminology | Kind::VerifySignature | Kind::ExplainAccess | Kind::Rules
            if route.method == rest::wire::Method::Post =>
        {
            request.json(&serde_json::json!({"resourceType": "Parameters"}))
        }
        _ => request,
    }
}

/// Scopes that must not open this route, when there is one that could: everything but what it needs.
fn insufficient(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Read | Kind::Vread | Kind::HistoryInstance | Kind::Bundle | Kind::VerifySignature => {
            &["system/Patient.cruds", "system/Observation.cuds"]
        }
        Kind::Create => &["system/Patient.cruds", "system/Observation.ruds"],
        Kind::Update | Kind::Relabel => &["system/Patient.cruds", "system/Observation.crds"],
        Kind::Patch => &["system/Patient.cruds", "system/Observation.crds", "system/Observation.cuds"],
        Kind::Delete => &["system/Patient.cruds", "system/Observation.crus"],
        Kind::SearchType | Kind::SearchCompartment => &["system/Patient.cruds", "system/Observation.crud"],
        Kind::Validate => &["system/Patient.cruds", "system/Observation.ds"],
        Kind::ExplainAccess => &["system/Observation.cruds", "system/AuditEvent.cuds"],
        Kind::Rules => &["system/*.cruds", "system/Library.cruds"],
        Kind::AccessReport => &["system/Patient.cruds", "system/AuditEvent.crud"],
        Kind::Terminology => &["system/Patient.cruds", "system/*.cuds"],
        Kind::KAnonymity => &["system/Patient.crud", "system/Observation.cruds"],
        Kind::Capabilities => &[],
    }
}

fn attacked() -> Vec<&'static Route> {
    ROUTES.iter().filter(|route| !route.public).collect()
}

fn send(server: &Server, route: &Route, authorization: Option<&str>) -> Reply {
    let request = with_body(route, server.request(route.method.name(), &path(route)));
    authorization
        .map_or(with_body(route, server.request(route.method.name(), &path(route))), |value| {
            request.header("authorization", value)
        })
        .send()
}

#[test]
fn without_a_token_every_route_is_closed() {
    let (server, _) = server();
    assert!(attacked().len() >= 34);
    for route in attacked() {
        let refused = send(&server, route, None);
        assert_eq!(refused.status, 401, "{route:?}");
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"), "{route:?}");
        assert_eq!(refused.json()["resourceType"], "OperationOutcome");
    }
}

#[test]
fn with_a_bad_token_every_route_is_closed() {
    let (server, _) = server();
    let expired = server.token_for(ALL);
    server.clock().advance_s(301);
    let revoked = server.token_for(ALL);
    server.tokens().revoke(&revoked);
    let live = server.token_for(ALL);
    for route in attacked() {
        for authorization in [
            "Bearer garbage".to_owned(),
            format!("Bearer {expired}"),
            format!("Bearer {revoked}"),
            format!("Bearer {live} {live}"),
            format!("Bearer {live}\u{e9}"),
            format!("Basic {live}"),
            "Bearer ".to_owned(),
            live.clone(),
        ] {
            let refused = send(&server, route, Some(&authorization));
            assert_eq!(refused.status, 401, "{route:?} {authorization}");
            let challenge = refused.header("www-authenticate").unwrap();
            assert!(challenge.contains("error=\"invalid_token\""), "{route:?} {challenge}");
        }
    }
}

/// B64: a token in the URL or in a form is no token.
#[test]
fn a_token_elsewhere_is_no_token() {
    let (server, token) = server();
    let _ = server.request("GET", &format!("Patient?access_token={token}")).send().expect(401);
    let form = format!("access_token={token}");
    let _ =
        server.request("POST", "Patient/_search").body("application/x-www-form-urlencoded", form).send().expect(401);
    let _ = server.request("GET", "Patient").header("cookie", &format!("token={token}")).send().expect(401);
}

/// Row B66: types that were not granted.
#[test]
fn with_another_scope_every_route_is_closed() {
    let (server, _) = server();
    for route in attacked() {
        let scopes = insufficient(route.kind);
        assert!(!scopes.is_empty(), "no attack on {route:?}");
        for scope in scopes {
            let refused = send(&server, route, Some(&format!("Bearer {}", server.token_for(scope))));
            assert_eq!(refused.status, 403, "{route:?} with {scope}: {}", refused.text());
            assert_eq!(refused.header("www-authenticate"), Some("Bearer error=\"insufficient_scope\""), "{route:?}");
            assert_eq!(refused.issue().0, "forbidden");
        }
    }
}

/// B24, B42: a person's token with scopes of another kind, or of a patient who is not theirs, opens nothing; nor does a
/// system's with a person's scopes.
#[test]
fn with_the_scopes_of_another_every_route_is_closed() {
    let (server, _) = server();
    let patient = testkit::Person {
        id: "u-1",
        name: "Ada",
        role: oauth::caller::Role::Patient,
        fhir_user: Some("Patient/a"),
        patients: &["a"],
    };
    let of_person = |context, scope: &str| server.tokens().token_of_person(&patient, context, scope);
    let tokens = [
        of_person(Some("a"), "system/*.cruds"),
        of_person(Some("b"), "patient/*.cruds"),
        of_person(None, "patient/*.cruds"),
        server.token_for("patient/*.cruds user/*.cruds"),
    ];
    for route in attacked() {
        for (at, token) in tokens.iter().enumerate() {
            let refused = send(&server, route, Some(&format!("Bearer {token}")));
            assert_eq!(refused.status, 403, "{route:?} with token {at}: {}", refused.text());
        }
    }
}

/// Invariant 3: a body that could not be parsed tells nothing apart to one who may not be here.
#[test]
fn bodies_are_not_looked_at_before_the_permit() {
    let (server, _) = server();
    let other = server.token_for("system/Patient.cruds");
    for body in ["{\"resourceType\":\"Observation\"", "not json", "{}"] {
        let send = |token: Option<&str>| {
            let request = server.request("POST", "Observation").body("application/fhir+json", body);
            token
                .map_or(server.request("POST", "Observation").body("application/fhir+json", body), |token| {
                    request.token(token)
                })
                .send()
        };
        let _ = send(None).expect(401);
        let _ = send(Some(&other)).expect(403);
    }
}

#[test]
fn a_scope_opens_its_own_type_alone() {
    let (server, all) = server();
    let id = crate::world::create(&server, &all, &observation("p", "survey", "1")).id();
    let encounters = server.token_for("system/Encounter.rs");
    let _ = server.request("GET", "Observation").token(&encounters).send().expect(403);
    let _ = server.request("GET", &format!("Observation/{id}")).token(&encounters).send().expect(403);
    let _ = server.request("GET", "Encounter").token(&encounters).send().expect(200);
    let _ =
        server.request("GET", &format!("Observation/{id}")).token(&server.token_for("system/*.rs")).send().expect(200);
}

/// The operator needs no token; anyone else who comes by that door does.
#[test]
fn the_operator_holds_the_data_already() {
    let (server, _) = server();
    let made = server.request("POST", "Observation").as_operator().json(&observation("p", "survey", "1")).send();
    let _ = made.expect(201);
}
