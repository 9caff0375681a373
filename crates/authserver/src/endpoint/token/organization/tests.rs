//! Tokens of organizations: D9, D12, D21, D25 to D28, D30 to D32, and each way to be refused.

use crate::{
    NewCommunity, WhenUnavailable,
    testing::{
        NOW_S, TOKEN, World,
        communities::{CLIENT, Lab, b2b, udap_form, with},
        credentials, encoded, form, request,
    },
};
use http::Method;
use oauth::bearer::LiveTokens;
use serde_json::{Value, json};
use testkit::pki::{Authority, Held, List, Wanted};

const FORM: &str = "grant_type=client_credentials&scope=system%2FPatient.rs";

async fn bench() -> (World, Lab, Held, String) {
    let world = World::new();
    let lab = Lab::joined("lab", &world);
    let (held, client) = world.registered(&lab, &world.system_statement()).await;
    let id = client.id.to_string();
    (world, lab, held, id)
}

/// Rows D28, D30, D32, F48: what it said is bound to the token, beside what its certificate proves.
#[tokio::test]
async fn d28_the_token_carries_organization_and_purpose() {
    let (world, lab, held, id) = bench().await;
    world.charts.organizations.lock().unwrap().push((CLIENT.into(), "Organization/o1".into()));
    let answer = world.udap_token(&held, &id).await;
    assert_eq!(answer.line(), "200", "{}", answer.body);
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), (Some("no-store"), Some("no-cache")));
    assert_eq!((&answer.body["token_type"], &answer.body["scope"]), (&json!("Bearer"), &json!("system/Patient.rs")));
    assert!(answer.body["expires_in"].as_i64().unwrap() <= 3600 && answer.body.get("refresh_token").is_none());
    let grant = world.service.grant(answer.token()).unwrap();
    let acting = grant.acting.as_ref().unwrap();
    assert_eq!((&*acting.uri, &*acting.community), (CLIENT, &*lab.uri));
    assert_eq!(acting.organization.as_deref(), Some("Organization/o1"));
    assert_eq!(acting.b2b.to_value(), b2b());
    let told = world.last_entry().organization.unwrap();
    assert_eq!((&*told.uri, told.resource.as_deref()), (CLIENT, Some("Organization/o1")));
    assert_eq!((&*told.purposes[0], told.subject_name.as_deref()), ("HPAYMT", Some("Nightly run")));
}

/// Row D31: without `scope` what is registered; what is not, is left out; nothing left is an error.
#[tokio::test]
async fn d31_scopes_are_told() {
    let (world, _, held, id) = bench().await;
    let ask = async |scope: &str| {
        let form = format!("grant_type=client_credentials{scope}");
        world.udap_ask(&held, &world.udap_claims(&id), &form).await
    };
    assert_eq!(ask("").await.body["scope"], "system/Patient.rs system/Encounter.rs");
    assert_eq!(ask("&scope=system%2FEncounter.r%20system%2FGoal.rs").await.body["scope"], "system/Encounter.r");
    assert_eq!(ask("&scope=system%2FGoal.rs").await.line(), "400 invalid_scope");
}

/// Row D27: without a good B2B object, or for a purpose that the community does not have, nothing.
#[tokio::test]
async fn d27_the_b2b_object_is_needed() {
    let (world, _, held, id) = bench().await;
    for (extensions, why) in [
        (Value::Null, "missing"),
        (json!({}), "missing"),
        (json!({ "hl7-b2b": with(b2b(), &[("purpose_of_use", Value::Null)]) }), "purpose_of_use"),
        (json!({ "hl7-b2b": with(b2b(), &[("version", json!("2"))]) }), "version"),
        (json!({ "hl7-b2b": with(b2b(), &[("purpose_of_use", json!(["ELIGVER"]))]) }), "may not name"),
        (json!({ "hl7-b2b": with(b2b(), &[("purpose_of_use", json!(["HPAYMT", "HMARKT"]))]) }), "may not name"),
    ] {
        let claims = with(world.udap_claims(&id), &[("extensions", extensions)]);
        let answer = world.udap_ask(&held, &claims, FORM).await;
        assert_eq!(answer.line(), "400 invalid_grant", "{why}");
        assert!(answer.body["error_description"].as_str().unwrap().contains(why), "{}", answer.body);
    }
    // What a public test kit sends (row D15).
    let kit = json!({ "hl7-b2b": with(b2b(), &[("purpose_of_use", json!(["SYSDEV"]))]) });
    let claims = with(world.udap_claims(&id), &[("extensions", kit)]);
    assert_eq!(world.udap_ask(&held, &claims, FORM).await.line(), "200");
}

/// Row D26: signature, chain and claims are `invalid_client`.
#[tokio::test]
async fn d26_who_does_not_prove_it() {
    let (world, lab, held, id) = bench().await;
    let now_s = world.now_s();
    for (name, bad) in [
        ("iss", json!("other")),
        ("sub", json!(CLIENT)),
        ("aud", json!("https://care.example:8443/oauth/token/")),
        ("aud", json!("https://care.example:8443")),
        ("exp", json!(now_s + 301)),
        ("exp", Value::Null),
        ("iat", json!(now_s + 100)),
        ("jti", Value::Null),
    ] {
        let claims = with(world.udap_claims(&id), &[(name, bad.clone())]);
        assert_eq!(world.udap_ask(&held, &claims, FORM).await.line(), "400 invalid_client", "{name} {bad}");
    }
    let old = with(world.udap_claims(&id), &[("iat", json!(now_s - 400)), ("exp", json!(now_s - 100))]);
    assert_eq!(world.udap_ask(&held, &old, FORM).await.line(), "400 invalid_client");
    let stranger = Lab::new("stranger").member(CLIENT);
    let slash = lab.member("https://payer.example/client/");
    let thief = Held { chain: held.chain.clone(), ..lab.member("https://thief.example") };
    for (other, why) in [(&stranger, "untrusted"), (&slash, "one slash"), (&thief, "another key")] {
        assert_eq!(world.udap_token(other, &id).await.line(), "400 invalid_client", "{why}");
    }
    assert_eq!(world.udap_token(&held, "nobody").await.line(), "400 invalid_client");
    let claims = world.udap_claims(&id).to_string();
    for alg in ["none", "HS256", "PS256"] {
        let text = held.key.jws(&format!(r#"{{"alg":"{alg}","x5c":{}}}"#, held.x5c()), &claims);
        let body = format!("{FORM}&udap=1&{}", credentials(&text));
        assert_eq!(world.post("/oauth/token", &body).await.line(), "400 invalid_client", "{alg}");
    }
    let without = held.key.jws(&format!(r#"{{"alg":"{}"}}"#, held.key.alg()), &claims);
    let answer = world.post("/oauth/token", &format!("{FORM}&udap=1&{}", credentials(&without))).await;
    assert_eq!(answer.line(), "400 invalid_client", "no x5c");
    assert_eq!(world.udap_token(&held, &id).await.line(), "200");
}

/// Row D12.
#[tokio::test]
async fn d12_an_assertion_counts_once() {
    let (world, _, held, id) = bench().await;
    let claims = world.udap_claims(&id);
    assert_eq!(world.udap_ask(&held, &claims, FORM).await.line(), "200");
    assert_eq!(world.udap_ask(&held, &claims, FORM).await.line(), "400 invalid_client");
    world.pass(600);
    let again = with(world.udap_claims(&id), &[("jti", claims["jti"].clone())]);
    assert_eq!(world.udap_ask(&held, &again, FORM).await.line(), "200", "after its end");
}

/// Row D21: a certificate that was issued anew is as good, and noted; it is the one that is known then.
#[tokio::test]
async fn d21_a_renewed_certificate_is_accepted_and_noted() {
    let (world, lab, held, id) = bench().await;
    assert_eq!(world.udap_token(&held, &id).await.line(), "200");
    let before = world.entries();
    let renewed = lab.member(CLIENT);
    assert_eq!(world.udap_token(&renewed, &id).await.line(), "200");
    let entries = world.recorded.entries.lock().unwrap()[before..].to_vec();
    let subtypes: Vec<&str> = entries.iter().map(|entry| &*entry.subtype).collect();
    assert_eq!(subtypes, ["client-certificate-renewed", "token-issued"]);
    assert_eq!(world.service.client(&id).unwrap().kind.udap().unwrap().x5c[0], renewed.der);
}

/// Row D25: the parameters of UDAP, and nothing else beside them.
#[tokio::test]
async fn d25_the_form_of_a_request() {
    let (world, _, held, id) = bench().await;
    let good = || udap_form(&held, &world.udap_claims(&id), FORM);
    let with_header = request(
        Method::POST,
        "/oauth/token",
        &[("content-type", "application/x-www-form-urlencoded"), ("authorization", "Basic YTpi")],
        &good(),
    );
    let body = |text: String| form("/oauth/token", &text);
    let assertion = encoded(&held.jws(&world.udap_claims(&id).to_string()));
    for (request, why) in [
        (with_header, "an Authorization header"),
        (body(format!("{}&client_secret=x", good())), "a secret"),
        (body(good().replace("udap=1", "udap=2")), "another version"),
        (body(good().replace("&udap=1", "")), "udap is missing"),
        (body(format!("{FORM}&udap=1")), "no assertion"),
        (body(format!("{FORM}&udap=1&client_assertion={assertion}")), "no type"),
        (body(format!("{FORM}&udap=1&client_id={id}")), "a name alone"),
    ] {
        let answer = world.send("192.0.2.1", request).await;
        let is_tried_basic = why == "an Authorization header";
        assert!(answer.status == 400 || is_tried_basic, "{why}: {}", answer.status);
        assert_eq!(answer.body["error"], "invalid_request", "{why}");
    }
    let other = body(format!("{}&client_id=other", good()));
    assert_eq!(world.send("192.0.2.1", other).await.line(), "400 invalid_client");
    assert_eq!(world.post("/oauth/token", &format!("{}&client_id={id}", good())).await.line(), "200");
    // Row D25: a client of another kind is none of a community.
    let system = world.client("system/Patient.rs");
    let claims = with(world.udap_claims(&system), &[("aud", json!(TOKEN))]);
    assert_eq!(world.udap_ask(&held, &claims, FORM).await.line(), "400 invalid_request");
    assert_eq!(world.token(&system, "system/Patient.rs").await.line(), "200");
}

/// Row D30: a system has no other grant.
#[tokio::test]
async fn d30_a_system_has_no_codes() {
    let (world, _, held, id) = bench().await;
    let codes = "grant_type=authorization_code&code=x&redirect_uri=https%3A%2F%2Fpayer.example";
    assert_eq!(world.udap_ask(&held, &world.udap_claims(&id), codes).await.line(), "400 unauthorized_client");
    let refresh = "grant_type=refresh_token&refresh_token=x";
    assert_eq!(world.udap_ask(&held, &world.udap_claims(&id), refresh).await.line(), "400 invalid_grant");
}

/// Row D9: whose certificate was revoked has nothing any more, until it holds again.
#[tokio::test]
async fn d9_a_suspended_client_has_nothing() {
    let (mut world, _, held, id) = bench().await;
    let token = world.udap_token(&held, &id).await.token().to_owned();
    world.service.inner.suspend_udap(&id, Some("its certificate was revoked")).unwrap();
    assert_eq!(&*world.last_entry().subtype, "client-suspended");
    assert!(world.service.grant(&token).is_none());
    world.restart();
    assert_eq!(world.udap_token(&held, &id).await.line(), "400 invalid_client");
    let entries = world.entries();
    world.service.inner.suspend_udap(&id, Some("its certificate was revoked")).unwrap();
    assert_eq!(world.entries(), entries, "told once");
    world.service.inner.suspend_udap(&id, None).unwrap();
    assert!(world.service.grant(&token).is_none());
    assert_eq!(world.udap_token(&held, &id).await.line(), "200");
}

/// Row D9, with all of it real: the lists of both authorities are asked; where none says anything, nobody gets in; who is
/// on one has nothing any more, be it the client's certificate or the authority's above it.
#[tokio::test]
async fn d9_revoked_certificates_at_the_endpoints() {
    const ROOT: &str = "http://root.example/1.crl";
    const MIDDLE: &str = "http://middle.example/1.crl";
    for revoked in ["leaf", "middle"] {
        let world = World::new();
        let root = Authority::root("Root", NOW_S);
        let middle = root.below(&Wanted { lists: vec![ROOT.into()], ..Wanted::authority("Middle", NOW_S) });
        let lab = Lab { root, middle, uri: "https://lab.example/community".into() };
        let new = NewCommunity { when_unavailable: WhenUnavailable::Refuse, ..lab.community() };
        world.service.add_community(&new).unwrap();
        let held = lab.middle.issue(&Wanted { lists: vec![MIDDLE.into()], ..Wanted::leaf("A member", CLIENT, NOW_S) });
        let line = world.register(&held, &world.system_statement()).await.line();
        assert_eq!(line, "400 unapproved_software_statement", "no list");
        world.web.list_put(ROOT, lab.root.list(&List::empty(1, world.now_s())));
        world.web.list_put(MIDDLE, lab.middle.list(&List::empty(1, world.now_s())));
        world.pass(600);
        let registered = world.register(&held, &world.system_statement()).await;
        assert_eq!(registered.line(), "201", "{}", registered.body);
        let id = registered.body["client_id"].as_str().unwrap().to_owned();
        assert_eq!(world.udap_token(&held, &id).await.line(), "200");
        let now_s = world.now_s();
        if revoked == "leaf" {
            world.web.list_put(MIDDLE, lab.middle.list(&List::of(2, now_s, &[&held])));
        } else {
            world.web.list_put(ROOT, lab.root.list(&List::of(2, now_s, &[&lab.middle.held])));
        }
        world.pass(600);
        assert_eq!(world.udap_token(&held, &id).await.line(), "400 invalid_client", "{revoked}");
        let entry = world.last_entry();
        assert!(entry.outcome_text.unwrap().contains("was revoked"), "{revoked}");
        let line = world.register(&held, &world.system_statement()).await.line();
        assert_eq!(line, "400 unapproved_software_statement", "{revoked}");
    }
}
