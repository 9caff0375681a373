//! Tests of `record`: rows come back as they were, those of before there were kinds too.

use super::{decode, encode};
use crate::{
    Kind, NewCertificate, NewClient, NewKeys, NewKind,
    testing::{KEY, World, jwks},
};
use oauth::redirect_uri::ApplicationType;
use serde_json::{Value, json};

fn app(kind: NewKind) -> NewClient {
    NewClient {
        maker: Some("Example Apps".into()),
        redirect_uris: vec!["https://app.example.org/callback".into()],
        launch_url: Some("https://app.example.org/launch".into()),
        intents: vec!["reconcile-medications".into(), "gait=Look at the walk".into()],
        is_verified: true,
        ..NewClient::new("App", "openid fhirUser launch/patient offline_access patient/*.rs", kind)
    }
}

#[test]
fn every_kind_comes_back() {
    let world = World::new();
    let keys = || NewKeys::Inline(jwks(&[&KEY]));
    let subject = || NewCertificate::Subject("tls_client_auth_san_dns".into(), "lab.example.org".into());
    let native = NewClient {
        redirect_uris: vec!["org.example.app:/callback".into(), "http://127.0.0.1/cb".into()],
        application: ApplicationType::Native,
        ..app(NewKind::Public)
    };
    for new in [
        native,
        app(NewKind::ConfidentialSymmetric),
        NewClient { is_fapi2: true, ..app(NewKind::ConfidentialAsymmetric(keys())) },
        app(NewKind::MutualTls(subject())),
        app(NewKind::MutualTls(NewCertificate::SelfSigned(vec![b"one".to_vec(), b"two".to_vec()]))),
        NewClient::new("System", "system/*.rs", NewKind::BackendService(keys())),
        NewClient::new("System", "system/*.rs", NewKind::BackendService(NewKeys::Url("https://a.example/j".into()))),
        NewClient {
            calls_without_token: true,
            purposes_of_use: vec!["HPAYMT".into(), "ETREAT".into()],
            ..NewClient::new("System", "system/*.rs", NewKind::MutualTls(subject()))
        },
    ] {
        let client = world.service.add_client(&new).unwrap().client;
        let row = encode(&client);
        assert_eq!(decode(client.id.as_bytes(), &row).as_ref(), Some(&*client), "{new:?}");
        // A member of another form is no client: better none than another one.
        let whole: Value = serde_json::from_slice(&row).unwrap();
        for name in whole.as_object().unwrap().keys() {
            let mut broken = whole.clone();
            broken[name] = json!(7);
            let read = decode(client.id.as_bytes(), broken.to_string().as_bytes());
            assert!(read.is_none() || name == "created_ms", "{name}");
        }
    }
}

/// A row that an earlier version wrote.
#[test]
fn a_row_without_a_kind_is_a_system() {
    let row = json!({
        "name": "Lab", "scope": "system/Observation.rs", "origins": ["https://lab.example"], "introspects_any": true,
        "created_ms": 1_700_000_000_000_i64, "disabled": false, "jwks_uri": "https://lab.example/jwks.json",
    });
    let client = decode(b"0123", row.to_string().as_bytes()).unwrap();
    assert!(matches!(client.kind, Kind::BackendService(_)) && !client.is_app());
    assert!(client.introspects_any && !client.is_verified && !client.is_fapi2);
    assert_eq!((&*client.name, &*client.scope_text), ("Lab", "system/Observation.rs"));
}
