//! Authorization requests, good and attacked. Rows B11, B16 to B21, B23, B42.

use super::{AuthorizationRequest, ClientRules, Local, Prompt, Redirected, Refused, UdapRules, Unchecked, Way};
use crate::{
    authorization_response,
    discovery::Endpoints,
    error::ErrorCode as E,
    fapi2::Profile,
    redirect_uri::{ApplicationType, RedirectUri},
    secret::Secret,
};
use std::sync::LazyLock;

const BASE: &str = "https://care.example/fhir";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

static URIS: LazyLock<[RedirectUri; 1]> =
    LazyLock::new(|| [RedirectUri::register("https://app.example/cb?x=1", ApplicationType::Web).unwrap()]);

fn rules() -> ClientRules<'static> {
    ClientRules {
        redirect_uris: &*URIS,
        may_use_codes: true,
        requires_pushed: false,
        profile: Profile::Smart,
        udap: None,
    }
}

fn good() -> Vec<(&'static str, String)> {
    [
        ("response_type", "code"),
        ("client_id", "app"),
        ("redirect_uri", "https://app.example/cb?x=1"),
        ("scope", "launch/patient openid patient/*.rs"),
        ("state", "s&1 \u{e9}"),
        ("aud", BASE),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}

fn encoded(parameters: &[(&str, String)]) -> String {
    let escape =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    parameters.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect::<Vec<_>>().join("&")
}

fn check_with(rules: &ClientRules<'_>, way: Way, form: &str) -> Result<AuthorizationRequest, Refused> {
    Unchecked::parse(form.as_bytes())?.check(rules, way, BASE)
}

fn check(parameters: &[(&str, String)]) -> Result<AuthorizationRequest, Refused> {
    check_with(&rules(), Way::Browser, &encoded(parameters))
}

/// The good request with one parameter set to another value; empty for none.
fn with(name: &'static str, value: &str) -> Result<AuthorizationRequest, Refused> {
    let mut parameters = good();
    parameters.retain(|(other, _)| *other != name);
    parameters.push((name, value.to_owned()));
    check(&parameters)
}

fn redirected(outcome: Result<AuthorizationRequest, Refused>) -> Redirected {
    match outcome {
        Err(Refused::Redirected(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// Row B16.
#[test]
fn a_good_request() {
    let mut parameters = good();
    for (name, value) in [
        ("nonce", "n"),
        ("prompt", "login consent unknown"),
        ("max_age", "0"),
        ("login_hint", "ann@example.org"),
        ("ui_locales", "es en"),
        ("dpop_jkt", CHALLENGE),
        ("unknown", "x"),
    ] {
        parameters.push((name, value.to_owned()));
    }
    let request = check(&parameters).unwrap();
    assert_eq!((request.client_id.as_str(), request.state.as_str()), ("app", "s&1 \u{e9}"));
    assert_eq!(request.challenge.unwrap().as_parameter(), CHALLENGE);
    assert_eq!(request.prompt, Prompt { login: true, consent: true, ..Prompt::default() });
    assert_eq!((request.max_age_s, request.nonce.as_deref()), (Some(0), Some("n")));
    assert!(request.dpop_jkt.is_some() && request.is_openid() && request.scope.needs_patient());
    // Rows B19, B20: the answer keeps the query, echoes the state, names the issuer.
    let own = Endpoints::of_fhir_base(BASE).unwrap();
    let url = authorization_response::success(&request, &Secret::new("c0de"), &own);
    let expected = "https://app.example/cb?x=1&code=c0de&state=s%261%20%C3%A9&iss=https%3A%2F%2Fcare.example";
    assert_eq!(url.expose(), expected);
    let refused = request.refused(E::AccessDenied, "the person said no");
    assert_eq!(
        authorization_response::error(&refused, &own),
        "https://app.example/cb?x=1&error=access_denied&error_description=the%20person%20said%20no&state=s%261%20%C3%A9&iss=https%3A%2F%2Fcare.example"
    );
}

/// Row B19: as long as nobody knows that the address is the client's, nothing is sent there.
#[test]
fn what_never_redirects() {
    for uri in [
        "https://evil.example/cb",
        "https://app.example/cb",
        "https://app.example/cb?x=1&y=2",
        "https://app.example/cb?x=1#",
        "//evil.example",
        "javascript:alert(1)",
    ] {
        assert_eq!(with("redirect_uri", uri), Err(Refused::Local(Local::RedirectUri)), "{uri}");
    }
    assert_eq!(with("redirect_uri", ""), Err(Refused::Local(Local::NoRedirectUri)));
    assert_eq!(with("client_id", ""), Err(Refused::Local(Local::NoClientId)));
    for name in ["client_id", "redirect_uri", "state", "request_uri"] {
        let mut parameters = good();
        parameters.push((name, "a".into()));
        parameters.push((name, "b".into()));
        assert_eq!(check(&parameters), Err(Refused::Local(Local::Repeated(name))), "{name}");
    }
    let local = |form: &[u8]| Unchecked::parse(form).err();
    assert!(matches!(local(b"client_id=%zz"), Some(Local::Form(_))));
    assert!(matches!(local(b"client_id=%ff"), Some(Local::Form(_))));
    assert_eq!(local(&b"a=1&".repeat(20_000)), Some(Local::TooLong));
    assert_eq!(local(b""), Some(Local::NoClientId));
    // Wrong address and wrong everything: still no redirect.
    let form = "client_id=app&redirect_uri=https://evil.example&response_type=token&scope=system/*.rs";
    assert_eq!(check_with(&rules(), Way::Browser, form), Err(Refused::Local(Local::RedirectUri)));
}

/// Rows B17 to B21: all other errors go to the client, with its state.
#[test]
fn what_redirects() {
    let table = [
        ("response_type", "", E::InvalidRequest),
        ("response_type", "token", E::UnsupportedResponseType),
        ("response_type", "code id_token", E::UnsupportedResponseType),
        ("response_type", "CODE", E::UnsupportedResponseType),
        ("response_mode", "fragment", E::InvalidRequest),
        ("response_mode", "form_post", E::InvalidRequest),
        ("code_challenge", "", E::InvalidRequest),
        ("code_challenge", "short", E::InvalidRequest),
        ("code_challenge_method", "", E::InvalidRequest),
        ("code_challenge_method", "plain", E::InvalidRequest),
        ("aud", "", E::InvalidRequest),
        ("aud", "https://evil.example/fhir", E::InvalidRequest),
        ("resource", "https://evil.example/fhir", E::InvalidTarget),
        ("scope", "", E::InvalidScope),
        ("scope", "nothing known", E::InvalidScope),
        ("scope", "patient/*.rs system/*.rs", E::InvalidScope),
        ("request", "eyJhbGciOiJub25lIn0.e30.", E::RequestNotSupported),
        ("request_uri", "https://evil.example/request", E::RequestUriNotSupported),
        ("registration", "{}", E::RegistrationNotSupported),
        ("launch", "handle", E::InvalidScope),
        ("prompt", "none login", E::InvalidRequest),
        ("max_age", "-1", E::InvalidRequest),
        ("max_age", "1e3", E::InvalidRequest),
        ("dpop_jkt", "x", E::InvalidRequest),
        ("nonce", &"n".repeat(1025), E::InvalidRequest),
    ];
    for (name, value, code) in table {
        let why = redirected(with(name, value));
        assert_eq!(why.code, code, "{name}={value}");
        assert_eq!(why.target.as_str(), "https://app.example/cb?x=1");
        assert_eq!(why.state.as_deref(), Some("s&1 \u{e9}"), "B20");
        assert!(why.description.bytes().all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\'));
    }
    // Row B20: no state, no request; and none can be echoed.
    for state in [String::new(), "s".repeat(4097)] {
        let why = redirected(with("state", &state));
        assert_eq!((why.code, why.state), (E::InvalidRequest, None));
    }
    // Duplicate parameters (HTTP parameter pollution).
    for (name, value) in [("scope", "patient/*.cruds"), ("code_challenge_method", "plain"), ("aud", BASE), ("x", "1")] {
        let mut parameters = good();
        parameters.push((name, value.to_owned()));
        parameters.push((name, value.to_owned()));
        assert_eq!(redirected(check(&parameters)).code, E::InvalidRequest, "{name}");
    }
}

/// RFC 8707: `resource` may come more than once; each must be this server.
#[test]
fn several_resources() {
    let mut parameters = good();
    parameters.retain(|(name, _)| *name != "aud");
    parameters.push(("resource", BASE.to_owned()));
    parameters.push(("resource", format!("{BASE}/")));
    assert!(check(&parameters).is_ok());
    parameters.push(("resource", "https://evil.example".to_owned()));
    assert_eq!(redirected(check(&parameters)).code, E::InvalidTarget);
}

/// RFC 9126 section 6 and FAPI 2.0: a client that must push cannot be led around it.
#[test]
fn pushed_only() {
    let form = encoded(&good());
    for rules in [ClientRules { requires_pushed: true, ..rules() }, ClientRules { profile: Profile::Fapi2, ..rules() }]
    {
        assert_eq!(redirected(check_with(&rules, Way::Browser, &form)).code, E::InvalidRequest);
        assert!(check_with(&rules, Way::Pushed, &form).is_ok());
    }
    let no_codes = ClientRules { may_use_codes: false, ..rules() };
    assert_eq!(redirected(check_with(&no_codes, Way::Browser, &form)).code, E::UnauthorizedClient);
}

/// Row B23: a handle and the scope go together.
#[test]
fn launches() {
    let mut parameters = good();
    parameters.retain(|(name, _)| *name != "scope");
    parameters.push(("scope", "launch patient/*.rs".to_owned()));
    assert_eq!(check(&parameters).unwrap().launch, None, "an app that asks for both kinds of launch");
    parameters.push(("launch", "handle".to_owned()));
    assert_eq!(check(&parameters).unwrap().launch.as_deref(), Some("handle"));
}

/// Row D34: `idp` counts with the scope `udap`, of a client of a trust community; row D38: https alone.
#[test]
fn d34_idp() {
    let rules = ClientRules { udap: Some(UdapRules { requires_challenge: true, is_tiered: true }), ..rules() };
    let ask = |rules: &ClientRules<'_>, scope: &str, idp: &str| {
        let mut form = good();
        form.iter_mut().filter(|(name, _)| *name == "scope").for_each(|(_, value)| *value = scope.into());
        form.push(("idp", idp.into()));
        check_with(rules, Way::Browser, &encoded(&form))
    };
    let idp = "https://idp.example/fhir";
    assert_eq!(ask(&rules, "openid udap patient/*.rs", idp).unwrap().idp.as_deref(), Some(idp));
    assert_eq!(ask(&rules, "openid patient/*.rs", idp).unwrap().idp, None, "without udap");
    assert_eq!(ask(&rules, "openid udap patient/*.rs", "").unwrap().idp, None, "empty");
    assert!(
        ask(&rules, "openid udap", idp).unwrap().names_base
            && !ask(&rules, "openid patient/*.rs", idp).unwrap().names_base
    );
    for udap in [None, Some(UdapRules { requires_challenge: true, is_tiered: false })] {
        let request = ask(&ClientRules { udap, ..rules }, "openid udap patient/*.rs", idp).unwrap();
        assert!(request.idp.is_none() && !request.names_base, "where udap means nothing");
    }
    for bad in ["http://idp.example", "https://a@idp.example", "https://idp.example/?x=1", "file:///etc/passwd"] {
        assert_eq!(redirected(ask(&rules, "openid udap", bad)).code, E::InvalidIdp, "{bad}");
    }
}

/// Row D39: with the id token of a request for `openid udap`, its answers name the FHIR base URL, errors too.
#[test]
fn d39_answers_name_the_base_url() {
    let rules = ClientRules { udap: Some(UdapRules { requires_challenge: true, is_tiered: true }), ..rules() };
    let own = Endpoints::of_fhir_base(BASE).unwrap();
    let is_base = |url: &str| url.ends_with("&iss=https%3A%2F%2Fcare.example%2Ffhir");
    for (scope, expected) in [("openid udap", true), ("openid patient/*.rs", false), ("udap patient/*.rs", false)] {
        let mut form = good();
        form.iter_mut().filter(|(name, _)| *name == "scope").for_each(|(_, value)| *value = scope.into());
        let request = check_with(&rules, Way::Browser, &encoded(&form)).unwrap();
        let url = authorization_response::success(&request, &Secret::new("c"), &own);
        assert_eq!(is_base(url.expose()), expected, "{scope}");
        form.retain(|(name, _)| *name != "code_challenge");
        let refused = redirected(check_with(&rules, Way::Browser, &encoded(&form)));
        assert_eq!(is_base(&authorization_response::error(&refused, &own)), expected, "{scope}");
    }
}
