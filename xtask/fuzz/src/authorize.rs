//! Authorization requests, and what a person may give (rows B11, B16 to B21, B27, B41, B42, B57): whatever is sent, an
//! answer goes to an address of the client alone, with the state as it came and nothing else that was sent; a code is
//! bound to a challenge; and no step after the request gives more than the one before.

use oauth::{
    authorization_request::{ClientRules, Refused, UdapRules, Unchecked, Way},
    authorization_response,
    discovery::Endpoints,
    fapi2::Profile,
    form::Form,
    redirect_uri::{ApplicationType, RedirectUri},
    scope::{
        narrow::Granted,
        offer::{Able, Offer, refreshed},
        request::{ScopeRequest, Special},
    },
    secret::Secret,
};
use std::sync::LazyLock;

const BASE: &str = "https://care.example/fhir";
const ISSUER: &str = "https://care.example";
const REGISTERED: [&str; 3] = ["https://app.example/cb?x=1", "http://127.0.0.1/cb", "com.example.app:/cb"];
const SCOPES: &str = "openid fhirUser launch launch/patient offline_access patient/Patient.rs patient/Condition.rs \
                      patient/Observation.rs user/*.r";

static OWN: LazyLock<Endpoints> = LazyLock::new(|| Endpoints::of_fhir_base(BASE).expect("a base URL"));

static URIS: LazyLock<Vec<RedirectUri>> = LazyLock::new(|| {
    let register = |text: &&str| RedirectUri::register(text, ApplicationType::Native).expect("it may be registered");
    REGISTERED.iter().map(register).collect()
});

/// A query string, of an app and of one of a trust community that needs no PKCE.
pub fn authorize(bytes: &[u8]) {
    let Ok(unchecked) = Unchecked::parse(bytes) else { return };
    assert!(!unchecked.client_id().is_empty());
    for udap in [None, Some(UdapRules { requires_challenge: false, is_tiered: false })] {
        asked(&unchecked, udap);
    }
}

fn asked(unchecked: &Unchecked, udap: Option<UdapRules>) {
    let form = unchecked.form();
    let sent = |name: &str| form.value(name).unwrap_or_default();
    let rules = ClientRules {
        redirect_uris: &URIS,
        may_use_codes: true,
        requires_pushed: false,
        profile: Profile::Smart,
        udap,
    };
    match unchecked.check(&rules, Way::Browser, BASE) {
        Err(Refused::Local(_)) => {}
        Err(Refused::Redirected(why)) => {
            let url = authorization_response::error(&why, &OWN);
            assert!(why.state.as_deref().is_none_or(|state| state == sent("state")));
            let mut expected = vec![("error", why.code.as_str()), ("error_description", why.description)];
            expected.extend(why.state.as_deref().map(|state| ("state", state)));
            expected.push(("iss", ISSUER));
            leads_to_the_client(&url, sent("redirect_uri"), &expected);
        }
        Ok(request) => {
            assert_eq!(sent("response_type"), "code");
            match request.challenge {
                Some(challenge) => {
                    assert_eq!(sent("code_challenge_method"), "S256");
                    assert_eq!(sent("code_challenge"), challenge.as_parameter());
                }
                None => assert!(udap.is_some() && sent("code_challenge").is_empty()),
            }
            assert!(udap.is_some() || form.values("aud").chain(form.values("resource")).next().is_some());
            for name in ["aud", "resource"] {
                assert!(form.values(name).all(|named| named.trim_end_matches('/') == BASE), "{name}");
            }
            assert!(!request.state.is_empty() && request.state == sent("state"));
            assert!(!request.scope.asks_system());
            assert!(request.launch.is_none() || request.scope.asks(&Special::Launch));
            assert!(form.value("request").is_none() && form.value("request_uri").is_none());
            let code = Secret::new("c0de");
            let url = authorization_response::success(&request, &code, &OWN);
            let expected = [("code", "c0de"), ("state", &*request.state), ("iss", ISSUER)];
            leads_to_the_client(url.expose(), sent("redirect_uri"), &expected);
            narrows(&request.scope, sent("nonce"));
        }
    }
}

/// The URL is the requested one, which is registered, with exactly these parameters behind it.
fn leads_to_the_client(url: &str, requested: &str, expected: &[(&str, &str)]) {
    let without_port = |text: &str| match text.strip_prefix("http://127.0.0.1:") {
        Some(rest) => format!("http://127.0.0.1{}", rest.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => text.to_owned(),
    };
    assert!(REGISTERED.contains(&without_port(requested).as_str()), "{requested}");
    let added = url.strip_prefix(requested).expect("it begins with the requested URI");
    let added = added.strip_prefix(if requested.contains('?') { '&' } else { '?' }).expect("then come parameters");
    assert!(url.bytes().all(|byte| byte.is_ascii_graphic() && !b"#\"<>\\ ".contains(&byte)), "{url}");
    let read = Form::parse(added.as_bytes()).expect("no parameter twice");
    for (name, value) in expected {
        assert_eq!(read.value(name), Some(*value), "{name} in {url}");
    }
    assert_eq!(added.matches('=').count(), expected.len(), "{url}");
}

/// Offer, choice and refresh: each within the one before.
fn narrows(request: &ScopeRequest, chosen: &str) {
    let registered = ScopeRequest::parse(SCOPES).expect("it is short");
    let able = Able {
        enforces: &|scope| policy::enforceable_for_people(scope, search::registry()).is_ok(),
        has_fhir_user: true,
        is_ehr_launch: false,
        launch_types: &["patient"],
        is_tiered: false,
    };
    let Ok(offer) = Offer::of(request, &registered, &able) else { return };
    for offered in offer.resources() {
        let covered = |by: &ScopeRequest| by.resources().any(|wide| wide.covers(&offered.scope));
        assert!(covered(&registered) && covered(request), "{}", offered.scope.text);
        assert!(offered.parts.iter().all(|part| offered.scope.covers(part)), "{}", offered.scope.text);
    }
    let texts: Vec<&str> = chosen.split(' ').filter(|text| !text.is_empty()).collect();
    match offer.choose(texts.iter().copied()) {
        Err(_) => assert!(texts.iter().any(|text| !offer.offers(text))),
        Ok(granted) => within(&granted, &offer),
    }
    let all = offer.choose(offer.all()).expect("all was offered");
    within(&all, &offer);
    if let Ok(less) = refreshed(&all, Some(chosen)) {
        assert!(less.scopes.iter().all(|scope| all.scopes.iter().any(|wide| wide.covers(scope))), "{chosen}");
        let special = |text: &&str| Special::parse(text).is_some();
        assert!(less.text.split(' ').filter(special).all(|text| all.has(text)), "{chosen}");
    }
}

fn within(granted: &Granted, offer: &Offer) {
    assert!(granted.text.split(' ').filter(|text| !text.is_empty()).all(|text| offer.offers(text)), "{}", granted.text);
    for scope in granted.scopes.iter() {
        assert!(granted.has(&scope.text) && offer.offers(&scope.text), "{}", scope.text);
    }
}
