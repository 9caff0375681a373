//! Clients of trust communities register, change and go: D12 to D21, and each way to be refused.

use crate::{
    Approval, NewCommunity, limits,
    testing::{
        Answer, NOW_S, World,
        communities::{CLIENT, Lab, REDIRECT, REGISTER, with},
        request,
    },
};
use http::Method;
use oauth::bearer::LiveTokens;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use testkit::pki::{DAY_S, Held, Wanted};

fn id(answer: &Answer) -> String {
    answer.body["client_id"].as_str().unwrap_or_else(|| panic!("no client_id: {}", answer.body)).to_owned()
}

fn world() -> (World, Lab) {
    let world = World::new();
    let lab = Lab::joined("lab", &world);
    (world, lab)
}

/// Rows D13, D16: 201, what was sent to the letter, nothing empty, nothing of the JWT.
#[tokio::test]
async fn d16_a_new_system_and_a_new_app() {
    let (world, lab) = world();
    for (uri, claims) in [(CLIENT, world.system_statement()), ("https://payer.example/app", world.app_statement())] {
        let held = lab.member(uri);
        let claims = with(claims, &[("iss", json!(uri)), ("sub", json!(uri))]);
        let statement = held.jws(&claims.to_string());
        let body = json!({ "software_statement": statement, "certifications": [], "udap": "1", "more": {} });
        let answer = world.register_with(&body).await;
        assert_eq!(answer.line(), "201", "{}", answer.body);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.body["software_statement"], json!(statement));
        for name in ["client_name", "grant_types", "token_endpoint_auth_method", "redirect_uris", "response_types"] {
            assert_eq!(answer.body.get(name), claims.get(name), "{name}");
        }
        assert_eq!(answer.body["scope"], claims["scope"]);
        for name in ["iss", "sub", "aud", "exp", "iat", "jti", "client_secret"] {
            assert!(answer.body.get(name).is_none(), "{name}");
        }
        let entry = world.last_entry();
        assert_eq!(&*entry.subtype, "client-added");
        assert!(entry.query.unwrap().contains("certificate="), "D21");
        let client = world.service.client(&id(&answer)).unwrap();
        let udap = client.kind.udap().unwrap();
        assert_eq!((&*udap.uri, &*udap.community, &udap.x5c[..]), (uri, &*lab.uri, &held.chain[..]));
    }
    assert_eq!(world.service.udap_registrations().len(), 2);
}

/// Row D18: the same URI in the same community again changes the registration, which keeps its id; over a restart, too.
#[tokio::test]
async fn d18_a_change_keeps_the_client_id() {
    let (mut world, lab) = world();
    let (held, client) = world.registered(&lab, &world.system_statement()).await;
    let token = world.udap_token(&held, &client.id).await.token().to_owned();
    world.restart();
    // A certificate that was issued anew is as good (row D21).
    let renewed = lab.member(CLIENT);
    let claims = with(world.system_statement(), &[("client_name", json!("Another name"))]);
    let answer = world.register(&renewed, &claims).await;
    assert_eq!((answer.line().as_str(), id(&answer)), ("200", client.id.to_string()));
    assert_eq!(&*world.last_entry().subtype, "client-changed");
    assert_eq!(&*world.service.client(&client.id).unwrap().name, "Another name");
    assert!(world.service.grant(&token).is_some());
    // Fewer scopes end what was given by more.
    let claims = with(world.system_statement(), &[("scope", json!("system/Encounter.rs"))]);
    assert_eq!(world.register(&held, &claims).await.line(), "200");
    assert!(world.service.grant(&token).is_none());
    assert_eq!(world.service.udap_registrations().len(), 1);
}

/// Row D18: community by community; nothing done in one touches another.
#[tokio::test]
async fn d18_another_community_is_never_touched() {
    let world = World::new();
    let (one, other) = (Lab::joined("one", &world), Lab::joined("other", &world));
    let (held, client) = world.registered(&one, &world.system_statement()).await;
    let (foreign, twin) = world.registered(&other, &world.system_statement()).await;
    assert_ne!(client.id, twin.id);
    let token = world.udap_token(&held, &client.id).await.token().to_owned();
    let cancelled = with(world.system_statement(), &[("grant_types", json!([]))]);
    assert_eq!(id(&world.register(&foreign, &cancelled).await), *twin.id);
    assert!(world.service.client(&twin.id).is_none() && world.service.client(&client.id).is_some());
    assert!(world.service.grant(&token).is_some());
    // Row D26: nor is a certificate of the one good for a client of the other.
    assert_eq!(world.udap_token(&foreign, &client.id).await.line(), "400 invalid_client");
}

/// Row D18: no way from systems to people by a change.
#[tokio::test]
async fn d18_the_grant_type_changes_by_cancelling_only() {
    let (world, lab) = world();
    let (held, client) = world.registered(&lab, &world.system_statement()).await;
    assert_eq!(world.register(&held, &world.app_statement()).await.line(), "400 invalid_client_metadata");
    let cancelled = with(world.system_statement(), &[("grant_types", json!([]))]);
    assert_eq!(world.register(&held, &cancelled).await.line(), "200");
    let answer = world.register(&held, &world.app_statement()).await;
    assert_eq!(answer.line(), "201");
    assert_ne!(id(&answer), *client.id);
}

/// Row D19.
#[tokio::test]
async fn d19_empty_grant_types_cancel_and_end_all() {
    let (world, lab) = world();
    let (held, client) = world.registered(&lab, &world.system_statement()).await;
    let token = world.udap_token(&held, &client.id).await.token().to_owned();
    let cancelled = || with(world.system_statement(), &[("grant_types", json!([])), ("scope", Value::Null)]);
    let answer = world.register(&held, &cancelled()).await;
    assert_eq!((answer.line().as_str(), &answer.body["grant_types"]), ("200", &json!([])));
    assert_eq!(&*world.last_entry().subtype, "client-removed");
    assert!(world.service.grant(&token).is_none());
    assert_eq!(world.udap_token(&held, &client.id).await.line(), "400 invalid_client");
    assert_eq!(world.register(&held, &cancelled()).await.line(), "400 invalid_client_metadata");
}

/// Row D12: once, until its end.
#[tokio::test]
async fn d12_a_statement_counts_once() {
    let (world, lab) = world();
    let held = lab.member(CLIENT);
    let claims = world.system_statement();
    assert_eq!(world.register(&held, &claims).await.line(), "201");
    assert_eq!(world.register(&held, &claims).await.line(), "400 invalid_software_statement");
    // Of another issuer the same `jti` is another one; after its end it may come again.
    let other = "https://other.example/client";
    let theirs = with(claims.clone(), &[("iss", json!(other)), ("sub", json!(other))]);
    assert_eq!(world.register(&lab.member(other), &theirs).await.line(), "201");
    world.pass(600);
    let again = with(world.system_statement(), &[("jti", claims["jti"].clone())]);
    assert_eq!(world.register(&held, &again).await.line(), "200");
}

/// Rows D9, D11, D17: whose certificates they are.
#[tokio::test]
async fn d17_certificates_that_are_not_trusted() {
    let (world, lab) = world();
    let stranger = Lab::new("stranger");
    let statement = || world.system_statement();
    assert_eq!(
        world.register(&stranger.member(CLIENT), &statement()).await.line(),
        "400 unapproved_software_statement",
        "another authority"
    );
    let entry = world.last_entry();
    assert_eq!(&*entry.subtype, "client-registration-refused");
    let leaf = |change: &dyn Fn(&mut Wanted)| {
        let mut wanted = Wanted::leaf("A member", CLIENT, crate::testing::NOW_S);
        change(&mut wanted);
        lab.middle.issue(&wanted)
    };
    let ended = leaf(&|wanted| wanted.until_s = crate::testing::NOW_S - DAY_S / 2);
    assert_eq!(world.register(&ended, &statement()).await.line(), "400 invalid_software_statement", "ended");
    // One slash.
    for uri in ["https://payer.example/client/", "https://PAYER.example/client", "https://payer.example"] {
        let line = world.register(&lab.member(uri), &statement()).await.line();
        assert_eq!(line, "400 invalid_software_statement", "{uri}");
    }
    let nameless = leaf(&|wanted| wanted.names.clear());
    assert_eq!(world.register(&nameless, &statement()).await.line(), "400 invalid_software_statement", "no SAN");
    // Without the authority between, nothing leads anywhere.
    let mut alone = lab.member(CLIENT);
    alone.chain.truncate(1);
    assert_eq!(world.register(&alone, &statement()).await.line(), "400 unapproved_software_statement");
    // Somebody else's certificate over one's own signature.
    let thief = Held { chain: lab.member(CLIENT).chain, ..lab.member("https://thief.example") };
    assert_eq!(world.register(&thief, &statement()).await.line(), "400 invalid_software_statement");
    assert!(world.service.udap_registrations().is_empty());
    assert_eq!(world.web.count(), 0);
}

/// Row D17: codes by the letter.
#[tokio::test]
async fn d17_each_error_has_its_code() {
    let (world, lab) = world();
    let held = lab.member(CLIENT);
    let system = [
        ("aud", json!("https://care.example:8443/oauth/register"), "invalid_software_statement"),
        ("exp", json!(world.now_s() + 301), "invalid_software_statement"),
        ("jti", Value::Null, "invalid_software_statement"),
        ("sub", json!("https://other.example"), "invalid_software_statement"),
        ("grant_types", json!(["client_credentials", "authorization_code"]), "invalid_client_metadata"),
        ("contacts", json!([]), "invalid_client_metadata"),
        ("scope", json!("patient/Patient.rs"), "invalid_client_metadata"),
        ("scope", json!("system/*.banana"), "invalid_client_metadata"),
        ("scope", json!("no such scopes"), "invalid_client_metadata"),
        ("redirect_uris", json!([REDIRECT]), "invalid_redirect_uri"),
    ];
    let app = [
        ("logo_uri", Value::Null, "invalid_client_metadata"),
        ("response_types", json!(["token"]), "invalid_client_metadata"),
        ("redirect_uris", json!(["http://payer.example/back"]), "invalid_redirect_uri"),
        ("redirect_uris", Value::Null, "invalid_redirect_uri"),
    ];
    let cases = system.into_iter().map(|case| (false, case)).chain(app.into_iter().map(|case| (true, case)));
    for (is_app, (name, value, code)) in cases {
        let claims = if is_app { world.app_statement() } else { world.system_statement() };
        let answer = world.register(&held, &with(claims, &[(name, value.clone())])).await;
        assert_eq!(answer.line(), format!("400 {code}"), "{name} {value}");
        assert!(answer.body["error_description"].as_str().is_some_and(|text| text.len() > 3), "{name}");
    }
    let statement = held.jws(&world.system_statement().to_string());
    for (body, code) in [
        (json!({ "software_statement": statement }), "invalid_client_metadata"),
        (json!({ "software_statement": statement, "udap": "2" }), "invalid_client_metadata"),
        (json!({ "software_statement": statement, "udap": 1 }), "invalid_client_metadata"),
        (json!({ "software_statement": statement, "udap": "1", "certifications": "x" }), "invalid_client_metadata"),
        (json!({ "udap": "1" }), "invalid_software_statement"),
        (json!({ "udap": "1", "software_statement": "a.b.c" }), "invalid_software_statement"),
        (json!({ "udap": "1", "software_statement": format!("{statement}A") }), "invalid_software_statement"),
        (json!([]), "invalid_client_metadata"),
    ] {
        assert_eq!(world.register_with(&body).await.line(), format!("400 {code}"), "{body}");
    }
    let json = [("content-type", "application/json")];
    let long = format!("{{\"udap\": \"{}\"}}", "1".repeat(64 * 1024));
    let answer = world.send("192.0.2.9", request(Method::POST, "/oauth/udap/register", &json, &long)).await;
    assert_eq!(answer.status, 413);
    let answer = world.send("192.0.2.9", request(Method::POST, "/oauth/udap/register", &[], "{}")).await;
    assert_eq!(answer.line(), "400 invalid_request");
    assert!(world.service.udap_registrations().is_empty());
}

/// Row D15: scopes that cannot be given are left out; wildcards that are offered are good; a logo of a system is not kept.
#[tokio::test]
async fn d15_what_cannot_be_given_is_left_out() {
    let (world, lab) = world();
    let held = lab.member(CLIENT);
    let more = [
        ("scope", json!("system/*.read system/Patient.rs?unknown=1 user/Patient.rs openid udap offline_access")),
        ("logo_uri", json!("https://kit.example/logo.png")),
    ];
    let answer = world.register(&held, &with(world.system_statement(), &more)).await;
    assert_eq!((answer.line().as_str(), &answer.body["scope"]), ("201", &json!("system/*.read")));
    assert_eq!(world.service.client(&id(&answer)).unwrap().logo, None);
    // Without refresh_token no scope that would give one; without `openid` no `fhirUser`.
    let app = "https://payer.example/app";
    let more = [
        ("iss", json!(app)),
        ("sub", json!(app)),
        ("grant_types", json!(["authorization_code"])),
        ("scope", json!("fhirUser launch launch/patient patient/Patient.rs offline_access system/Patient.rs")),
    ];
    let answer = world.register(&lab.member(app), &with(world.app_statement(), &more)).await;
    assert_eq!(answer.body["scope"], "launch/patient patient/Patient.rs");
}

/// Row D20: what the community asks for must be certified by somebody whom it trusts; all else is not looked at.
#[tokio::test]
async fn d20_certifications() {
    let world = World::new();
    let lab = Lab::new("lab");
    let uri = "https://certifier.example/rules";
    world.service.add_community(&NewCommunity { certifications: vec![uri.into()], ..lab.community() }).unwrap();
    let (held, certifier) = (lab.member(CLIENT), "https://certifier.example");
    let certification = |held: &Held, changes: &[(&str, Value)]| {
        let now_s = world.now_s();
        let claims = json!({
            "iss": certifier, "sub": CLIENT, "iat": now_s - DAY_S, "exp": now_s + DAY_S, "jti": world.jti(),
            "certification_name": "Keeps the rules", "certification_uris": [uri],
        });
        held.jws(&with(claims, changes).to_string())
    };
    let register = async |certifications: Value| {
        let statement = held.jws(&world.system_statement().to_string());
        let body = json!({ "software_statement": statement, "certifications": certifications, "udap": "1" });
        world.register_with(&body).await.line()
    };
    let (good, stranger) = (lab.member(certifier), Lab::new("stranger").member(certifier));
    for (certifications, why) in [
        (json!([]), "none"),
        (json!(["a.b.c", 7]), "no certification"),
        (json!([certification(&good, &[("certification_uris", json!(["https://other.example"]))])]), "another one"),
        (json!([certification(&good, &[("sub", json!("https://other.example"))])]), "another client's"),
        (json!([certification(&good, &[("exp", json!(world.now_s() - 61))])]), "ended"),
        (json!([certification(&good, &[("iss", json!("https://evil.example"))])]), "not in the certificate"),
        (json!([certification(&stranger, &[])]), "of a stranger"),
    ] {
        assert_eq!(register(certifications).await, "400 unapproved_software_statement", "{why}");
    }
    assert_eq!(register(json!(["a.b.c", certification(&good, &[])])).await, "201");
    let metadata = world.send("192.0.2.1", request(Method::GET, "/fhir/.well-known/udap", &[], "")).await.body;
    assert_eq!(metadata["udap_certifications_required"], json!([uri]));
}

/// Where the community asks for it, nobody gets a token before the operator agreed, nor by a change more than that.
#[tokio::test]
async fn an_operator_agrees_first() {
    let world = World::new();
    let lab = Lab::new("lab");
    world.service.add_community(&NewCommunity { approval: Approval::Operator, ..lab.community() }).unwrap();
    let (held, client) = world.registered(&lab, &world.system_statement()).await;
    assert_eq!(world.udap_token(&held, &client.id).await.line(), "400 unauthorized_client");
    world.service.approve_udap(&client.id).unwrap();
    assert_eq!(&*world.last_entry().subtype, "client-approved");
    let token = world.udap_token(&held, &client.id).await.token().to_owned();
    let fewer = with(world.system_statement(), &[("scope", json!("system/Patient.rs"))]);
    assert_eq!(world.register(&held, &fewer).await.line(), "200");
    assert_eq!(world.udap_token(&held, &client.id).await.line(), "200");
    assert_eq!(world.register(&held, &world.system_statement()).await.line(), "200", "more again");
    assert_eq!(world.udap_token(&held, &client.id).await.line(), "400 unauthorized_client");
    assert!(world.service.grant(&token).is_none());
    // Cancelling is no way around.
    world.service.approve_udap(&client.id).unwrap();
    let cancelled = with(world.system_statement(), &[("grant_types", json!([]))]);
    assert_eq!(world.register(&held, &cancelled).await.line(), "200");
    let (held, client) = world.registered(&lab, &world.system_statement()).await;
    assert_eq!(world.udap_token(&held, &client.id).await.line(), "400 unauthorized_client");
}

/// Who was disabled here stays so, whatever it sends.
#[tokio::test]
async fn a_disabled_client_cannot_help_itself() {
    let (world, lab) = world();
    let (held, client) = world.registered(&lab, &world.system_statement()).await;
    world.service.set_client_disabled(&client.id, true).unwrap();
    let cancelled = with(world.system_statement(), &[("grant_types", json!([]))]);
    for claims in [world.system_statement(), cancelled] {
        assert_eq!(world.register(&held, &claims).await.line(), "400 unapproved_software_statement");
    }
    assert_eq!(world.udap_token(&held, &client.id).await.line(), "400 invalid_client");
    world.service.cancel_udap(&client.id).unwrap();
    assert_eq!(world.register(&held, &world.system_statement()).await.line(), "201");
}

/// Row F66: so many of a community, and so often from one address.
#[tokio::test]
async fn registrations_are_bounded() {
    let world = World::new();
    let lab = Lab::new("lab");
    world.service.add_community(&NewCommunity { registrations_max: Some(1), ..lab.community() }).unwrap();
    let (held, _) = world.registered(&lab, &world.system_statement()).await;
    let other = "https://other.example/client";
    let theirs = with(world.system_statement(), &[("iss", json!(other)), ("sub", json!(other))]);
    assert_eq!(world.register(&lab.member(other), &theirs).await.line(), "400 unapproved_software_statement");
    assert_eq!(world.register(&held, &world.system_statement()).await.line(), "200", "a change is no new one");
    let json = [("content-type", "application/json")];
    let mut lines = Vec::new();
    for _ in 0..21 {
        let request = request(Method::POST, "/oauth/udap/register", &json, "{}");
        lines.push(world.send("192.0.2.50", request).await.status);
    }
    assert_eq!((lines[19], lines[20]), (400, 429));
}

/// The other endpoint does not take statements, and this one no plain registration (row D13).
#[tokio::test]
async fn d13_two_ways_that_do_not_mix() {
    let (world, _) = world();
    let plain = json!({ "client_name": "X", "redirect_uris": [REDIRECT] });
    assert_eq!(world.register_with(&plain).await.line(), "400 invalid_client_metadata");
    assert_eq!(REGISTER, world.service.inner.endpoints.udap_register);
}

/// Rows D9, F60: when too many wait to hear of theirs, the next one is told to come again, and not that nobody trusts it.
#[tokio::test(start_paused = true)]
async fn f60_busy_is_no_distrust() {
    let (world, lab) = world();
    let (_, client) = world.registered(&lab, &world.system_statement()).await;
    let community = world.service.inner.communities.get(&lab.uri).unwrap();
    let hanging = |at: usize| {
        let url = format!("http://hangs-{at}.example/1.crl");
        world.web.list_hangs(&url);
        lab.middle.issue(&Wanted { lists: vec![url], ..Wanted::leaf("A member", CLIENT, NOW_S) })
    };
    let mut waiting = tokio::task::JoinSet::new();
    for at in 0..limits::LISTING_WAITING_MAX {
        let (inner, community) = (Arc::clone(&world.service.inner), Arc::clone(&community));
        let held = hanging(at);
        waiting.spawn(async move { inner.trust.vouched(&community, &held.chain, CLIENT).await.is_ok() });
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    let held = hanging(limits::LISTING_WAITING_MAX);
    let answer = world.register(&held, &world.system_statement()).await;
    assert_eq!(answer.line(), "503 temporarily_unavailable");
    assert!(answer.header("retry-after").is_some());
    let answer = world.udap_token(&held, &client.id).await;
    assert_eq!(answer.line(), "503 temporarily_unavailable");
    while waiting.join_next().await.is_some() {}
}
