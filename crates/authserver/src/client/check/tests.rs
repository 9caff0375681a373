//! Tests of `check`: what may be registered, and what an operator is told otherwise.

use super::is_origin;
use crate::{
    ClientError, Keys, Kind, NewCertificate, NewClient, NewKeys, NewKind, NewSecret, limits,
    tables::Table,
    testing::{KEY, World, jwks},
};
use oauth::caller::Standing;
use oauth::{jwk::Jwks, redirect_uri::ApplicationType};
use proptest::prelude::*;

fn good() -> NewClient {
    NewClient::new(
        "Post-acute exchange",
        "system/Patient.rs system/Observation.rs?category=a",
        NewKind::BackendService(NewKeys::Inline(jwks(&[&KEY]))),
    )
}

fn by_url(url: &str) -> NewKind {
    NewKind::BackendService(NewKeys::Url(url.into()))
}

fn app(kind: NewKind) -> NewClient {
    let redirect_uris = vec!["https://app.example.org/callback".into()];
    NewClient {
        redirect_uris,
        ..NewClient::new("App", "openid fhirUser launch/patient patient/*.rs user/Patient.r", kind)
    }
}

fn error(world: &World, new: &NewClient) -> String {
    match world.service.add_client(new) {
        Ok(added) => panic!("registered: {added:?}"),
        Err(ClientError::Invalid(why)) => why.to_string(),
        Err(why) => panic!("{why:?}"),
    }
}

#[test]
fn a_client_is_registered() {
    let world = World::new();
    let client = world.service.add_client(&NewClient { name: "  A name ".into(), ..good() }).unwrap().client;
    assert_eq!(&*client.name, "A name");
    assert_eq!(client.id.len(), 32);
    assert!(client.id.bytes().all(|b| b.is_ascii_hexdigit()), "pastes into a command line");
    assert_eq!(&*client.scope_text, "system/Patient.rs system/Observation.rs?category=a");
    let Some(Keys::Inline(keys)) = client.kind.keys() else { panic!() };
    assert_eq!(**keys, Jwks::new(vec![KEY.public().clone()]));
    assert!(!client.disabled);
    let other = world.service.add_client(&good()).unwrap().client;
    assert_ne!(other.id, client.id);
    let new = NewClient { kind: by_url("https://client.example:8443/jwks?x=y"), ..good() };
    assert!(world.service.add_client(&new).is_ok());
    let repeated = NewClient { scope: "system/Patient.rs  system/Patient.rs".into(), ..good() };
    assert_eq!(&*world.service.add_client(&repeated).unwrap().client.scope_text, "system/Patient.rs");
}

/// G4: consents leave the facility's own record system alone, and nobody else: no app of people. What is changed
/// counts for tokens that are made after.
#[test]
fn g4_only_a_system_of_this_facility_is_its_custodian() {
    let world = World::new();
    let custodian = |new: NewClient| NewClient { standing: Standing::Custodian, ..new };
    assert!(error(&world, &custodian(app(NewKind::Public))).contains("consents bind apps"));
    let own = world.service.add_client(&custodian(good())).unwrap().client;
    assert_eq!(own.standing, Standing::Custodian);
    world.service.set_client_standing(&own.id, Standing::Deidentified).unwrap();
    assert_eq!(world.service.client(&own.id).unwrap().standing, Standing::Deidentified);
    let app = world.service.add_client(&app(NewKind::Public)).unwrap().client;
    assert_eq!(app.standing, Standing::Ordinary);
    for standing in [Standing::Custodian, Standing::Deidentified] {
        world.service.set_client_standing(&app.id, standing).unwrap_err();
    }
    assert_eq!(world.service.client(&app.id).unwrap().standing, Standing::Ordinary);
}

/// Each message says what to change.
#[test]
fn what_is_wrong_is_named() {
    let world = World::new();
    let scope = |scope: &str| error(&world, &NewClient { scope: scope.into(), ..good() });
    assert!(scope("").contains("at least one scope"));
    assert!(scope("system/Patient.sr").starts_with("scope system/Patient.sr: after the dot"));
    assert!(scope("patient/Patient.rs").contains("system/"));
    assert!(scope("openid").starts_with("scope openid:"));
    assert!(scope("system/Patients.rs").contains("not a resource type"));
    assert!(scope("system/Observation.rs?unknown=1").contains("no such search parameter"), "B4");
    assert!(scope(&"system/Patient.rs ".repeat(2000)).contains("32 kB"));
    for name in ["", "   ", "a\nb", "\u{7f}", &"a".repeat(limits::CLIENT_NAME_BYTES_MAX + 1)] {
        assert!(error(&world, &NewClient { name: name.into(), ..good() }).starts_with("the name"), "{name:?}");
    }
    let keys =
        |text: String| error(&world, &NewClient { kind: NewKind::BackendService(NewKeys::Inline(text)), ..good() });
    assert!(keys("hello".into()).contains("not a JWKS"));
    assert!(keys(KEY.to_private_jwk().unwrap()).contains("private"));
    assert!(keys(r#"{"keys":[]}"#.into()).contains("no key"));
    assert!(world.service.clients().is_empty());
    assert!(world.tables.clients.all_keys().is_empty());
    assert_eq!(world.entries(), 0);
}

/// Rows B11 and B12: each kind with what it needs and nothing that it may not have.
#[test]
fn each_kind_has_its_rules() {
    let world = World::new();
    let keys = || NewKeys::Inline(jwks(&[&KEY]));
    let own = || NewKind::MutualTls(NewCertificate::SelfSigned(vec![b"der".to_vec()]));
    for kind in [NewKind::Public, NewKind::ConfidentialSymmetric, NewKind::ConfidentialAsymmetric(keys()), own()] {
        let added = world.service.add_client(&app(kind)).unwrap();
        assert!(added.client.is_app());
        assert_eq!(added.secret.is_some(), matches!(added.client.kind, Kind::ConfidentialSymmetric(_)), "B12");
    }
    let system = NewClient::new("System", "system/*.rs", own());
    assert!(!world.service.add_client(&system).unwrap().client.is_app());
    let public = || app(NewKind::Public);
    let wrong = |new: NewClient| error(&world, &new);
    assert!(wrong(NewClient { redirect_uris: vec![], ..public() }).contains("needs a redirect URI"));
    let intents = |intents: &[&str]| NewClient {
        launch_url: Some("https://a.example/l".into()),
        intents: intents.iter().map(|intent| (*intent).to_owned()).collect(),
        ..public()
    };
    let many: Vec<String> = (0..=limits::LAUNCH_INTENTS_MAX).map(|number| format!("intent-{number}")).collect();
    assert!(wrong(intents(&["two words"])).contains("two words: an intent is a word"));
    assert!(wrong(intents(&["x=\u{202e}eman"])).starts_with("the name of an intent"), "B27");
    assert!(wrong(NewClient { intents: many, ..intents(&[]) }).contains("at most 8 intents"));
    assert!(wrong(NewClient { launch_url: None, ..intents(&["x"]) }).contains("needs a launch URL"));
    let client = world.service.add_client(&intents(&["x", "y=Why", "x=Again"])).unwrap().client;
    let said: Vec<String> = client.intents.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["x=X", "y=Why"]);
    let uris = |uri: &str| vec![uri.to_owned()];
    assert!(wrong(NewClient { redirect_uris: uris("https://a.example/*"), ..public() }).contains("star"));
    assert!(wrong(NewClient { redirect_uris: uris("http://a.example/cb"), ..public() }).contains("https://"));
    assert!(wrong(NewClient { redirect_uris: uris("org.example.app:/cb"), ..public() }).contains("native app"));
    let native = |kind| NewClient {
        redirect_uris: uris("org.example.app:/cb"),
        application: ApplicationType::Native,
        ..app(kind)
    };
    assert!(world.service.add_client(&native(NewKind::Public)).is_ok());
    assert!(wrong(native(NewKind::ConfidentialSymmetric)).contains("only a public client"));
    assert!(wrong(NewClient { redirect_uris: uris("https://a.example/cb"), ..good() }).contains("no redirect URI"));
    assert!(wrong(NewClient { launch_url: Some("https://a.example/l".into()), ..good() }).contains("not launched"));
    assert!(wrong(NewClient { launch_url: Some("javascript:alert(1)".into()), ..public() }).contains("launch URL"));
    assert!(wrong(NewClient { is_fapi2: true, ..public() }).contains("FAPI"));
    assert!(wrong(NewClient { calls_without_token: true, ..good() }).contains("certificate"));
    let purposes = |purposes: &[&str], new: NewClient| NewClient {
        purposes_of_use: purposes.iter().map(|purpose| (*purpose).to_owned()).collect(),
        ..new
    };
    assert!(wrong(purposes(&["TREAT"], public())).contains("for a system"), "F48");
    assert!(wrong(purposes(&["treat"], good())).contains("treat: a purpose of use is a code"), "F48");
    assert!(wrong(purposes(&["BTG"], good())).contains("BTG is not for systems"), "F49");
    let client = world.service.add_client(&purposes(&["HPAYMT", "HRESCH", "HPAYMT"], good())).unwrap().client;
    assert_eq!(client.purposes_of_use.iter().map(|purpose| purpose.code()).collect::<Vec<_>>(), ["HPAYMT", "HRESCH"]);
    assert!(wrong(NewClient { maker: Some("Good\u{202e}evil".into()), ..public() }).starts_with("the maker"));
    let scope = |text: &str| wrong(NewClient { scope: text.into(), ..public() });
    assert!(scope("system/Patient.rs").contains("nobody signs in"));
    assert!(scope("launch/device").contains("patient or an encounter"));
    assert!(scope("fhirUser patient/*.rs").contains("openid"));
    assert!(scope("email").starts_with("scope email:"));
    assert!(wrong(NewClient { scope: "openid system/*.rs".into(), ..good() }).starts_with("scope openid:"));
    let none = NewKind::MutualTls(NewCertificate::SelfSigned(vec![]));
    assert!(wrong(NewClient::new("System", "system/*.rs", none)).contains("certificates"));
    // Row A13: an app runs where it is sent back to.
    assert!(world.service.knows_origin("https://app.example.org"));
}

/// Row B12: two secrets at most, shown once, kept as hashes; each change is recorded.
#[test]
fn secrets_are_changed_without_a_gap() {
    let world = World::new();
    let added = world.service.add_client(&app(NewKind::ConfidentialSymmetric)).unwrap();
    let id = &*added.client.id;
    let count = || match &world.service.client(id).unwrap().kind {
        Kind::ConfidentialSymmetric(secrets) => secrets.len(),
        _ => 0,
    };
    let works = |secret: &NewSecret| {
        let client = world.service.client(id).unwrap();
        let Kind::ConfidentialSymmetric(secrets) = &client.kind else { panic!() };
        world.service.inner.pepper.position(id, secret.expose(), secrets).is_some()
    };
    let first = added.secret.unwrap();
    let second = world.service.new_client_secret(id).unwrap();
    assert!(works(&first) && works(&second) && count() == 2);
    let third = world.service.new_client_secret(id).unwrap();
    assert!(!works(&first) && works(&second) && works(&third) && count() == 2, "two at most");
    let entries = world.entries();
    world.service.retire_client_secrets(id).unwrap();
    assert!(!works(&second) && works(&third) && count() == 1);
    assert_eq!(world.entries(), entries + 1);
    let rows = world.tables.clients.all().unwrap();
    assert!(rows.iter().all(|(_, row)| !String::from_utf8_lossy(row).contains(third.expose())));
    let public = world.add(&app(NewKind::Public));
    assert!(world.service.new_client_secret(&public).unwrap_err().to_string().contains("no secret"));
    assert!(matches!(world.service.new_client_secret("nobody"), Err(ClientError::NotFound)));
}

/// Row F60: what is fetched later is checked for shape now.
#[test]
fn jwks_urls() {
    let world = World::new();
    let long = format!("https://a/{}", "a".repeat(2048));
    for url in [
        "",
        "http://client.example/jwks",
        "HTTPS://client.example/jwks",
        "file:///etc/passwd",
        "https://",
        "https:///jwks",
        "https://:443/jwks",
        "https://user@client.example/jwks",
        "https://user:password@client.example/jwks",
        "https://client.example/jwks#fragment",
        "https://client.example/a b",
        "https://client.example\\@attacker.example/",
        "https://client.example/\r\nHost: a",
        "https://client.ex\u{e4}mple/jwks",
        &long,
    ] {
        let why = error(&world, &NewClient { kind: by_url(url), ..good() });
        assert!(why.starts_with("the JWKS URL"), "{url:?}: {why}");
    }
}

/// Row A16: origins are compared to the letter, so they are registered as browsers write them.
#[test]
fn origins() {
    for origin in [
        "https://app.example",
        "https://app.example:8443",
        "https://[2001:db8::1]:8443",
        "http://localhost:3000",
        "http://127.0.0.1:3000",
        "http://[::1]:3000",
    ] {
        assert!(is_origin(origin), "{origin}");
    }
    for origin in [
        "",
        "null",
        "*",
        "https://*.app.example",
        "https://app.example/",
        "https://app.example/path",
        "https://app.example?x",
        "https://APP.example",
        "https://app.example:443",
        "https://app.example:0443",
        "https://app.example:99999",
        "https://app.example:",
        "https://user@app.example",
        "https://.app.example",
        "https://",
        "https://[::1",
        "https://[0:0::1]",
        "http://app.example",
        "http://localhost:80",
        "http://localhost.attacker.example",
        "ftp://app.example",
        "app.example",
    ] {
        assert!(!is_origin(origin), "{origin}");
    }
    let world = World::new();
    let with = |origins: &[&str]| NewClient { origins: origins.iter().map(|o| (*o).into()).collect(), ..good() };
    assert!(error(&world, &with(&["https://app.example", "null"])).starts_with("null: an origin is"));
    assert!(error(&world, &with(&["https://app.example"; 33])).contains("at most 32"));
    let client = world.service.add_client(&with(&["https://app.example"])).unwrap().client;
    assert!(world.service.knows_origin("https://app.example"));
    for other in
        ["https://app.example:8443", "http://app.example", "https://x.app.example", "https://app.example.x", "null"]
    {
        assert!(!world.service.knows_origin(other), "{other}");
    }
    world.service.set_client_disabled(&client.id, true).unwrap();
    assert!(!world.service.knows_origin("https://app.example"));
    world.service.set_client_disabled(&client.id, false).unwrap();
    assert!(world.service.knows_origin("https://app.example"));
    world.service.remove_client(&client.id).unwrap();
    assert!(!world.service.knows_origin("https://app.example"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Row F67.
    #[test]
    fn any_text_is_judged(text in ".{0,60}", url in "https://[a-z:/@.?#\\[\\]]{0,20}") {
        let _ = is_origin(&text);
        let _ = is_origin(&url);
        let _ = super::https_url("URL", &text);
        let _ = super::https_url("URL", &url);
        for is_app in [false, true] {
            let _ = super::scopes::registered(&text, is_app, &|_| Ok(()));
        }
    }
}
