//! Trust communities and their members in tests. Their certificates and JWTs are made by `testkit::pki`, which shares
//! nothing with what reads them.

use super::{Answer, BASE, NOW_S, TOKEN, World, credentials, request};
use crate::{Approval, Client, NewCommunity, Profile, WhenUnavailable};
use http::Method;
use oauth::secret::Secret;
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::pki::{Authority, Held, Key, Wanted};

pub(crate) const REGISTER: &str = "https://care.example:8443/oauth/udap/register";
/// The usual client.
pub(crate) const CLIENT: &str = "https://payer.example/client";
pub(crate) const REDIRECT: &str = "https://payer.example/back";

/// A community with its authorities.
pub(crate) struct Lab {
    pub(crate) root: Authority,
    pub(crate) middle: Authority,
    /// `https://NAME.example/community`.
    pub(crate) uri: String,
}

impl Lab {
    pub(crate) fn new(name: &str) -> Self {
        let root = Authority::root(&format!("{name} root"), NOW_S);
        let middle = root.below(&Wanted::authority(&format!("{name} issuing"), NOW_S));
        Self { root, middle, uri: format!("https://{name}.example/community") }
    }

    /// A certificate of a member with this URI.
    pub(crate) fn member(&self, uri: &str) -> Held {
        self.middle.issue(&Wanted::leaf("A member", uri, NOW_S))
    }

    /// Open, by the newest version of the guide; nobody says whether a certificate was revoked, and that is taken.
    pub(crate) fn community(&self) -> NewCommunity {
        self.community_of(BASE)
    }

    /// The same for the server of this base URL.
    pub(crate) fn community_of(&self, base: &str) -> NewCommunity {
        let own = self.middle.issue(&Wanted { key: Key::rsa(), ..Wanted::leaf("Care", base, NOW_S) });
        NewCommunity {
            uri: self.uri.clone(),
            name: None,
            anchors: vec![self.root.der().to_vec()],
            chain: own.chain.clone(),
            key: Secret::new(own.key.pem()),
            profile: Profile::Stu2,
            when_unavailable: WhenUnavailable::Accept,
            purposes: vec!["SYSDEV".into(), "TREAT".into(), "HPAYMT".into()],
            certifications: Vec::new(),
            approval: Approval::Open,
            registrations_max: None,
            identity_providers: false,
        }
    }

    /// The server becomes a member.
    pub(crate) fn joined(name: &str, world: &World) -> Self {
        let lab = Self::new(name);
        world.service.add_community(&lab.community()).unwrap();
        lab
    }
}

/// Members of a claim set replaced; `null` takes one out.
pub(crate) fn with(mut claims: Value, changes: &[(&str, Value)]) -> Value {
    for (name, value) in changes {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(*name)),
            value => claims[*name] = value.clone(),
        }
    }
    claims
}

/// The B2B object of a good assertion.
pub(crate) fn b2b() -> Value {
    json!({
        "version": "1",
        "organization_id": "https://payer.example",
        "organization_name": "Payer",
        "purpose_of_use": ["urn:oid:2.16.840.1.113883.5.8#HPAYMT"],
        "subject_name": "Nightly run",
    })
}

impl World {
    fn jwt_of(&self, issuer: &str, audience: &str) -> Value {
        let now_s = self.now_s();
        json!({ "iss": issuer, "sub": issuer, "aud": audience, "iat": now_s, "exp": now_s + 300, "jti": self.jti() })
    }

    /// The claims of a good software statement of a system.
    pub(crate) fn system_statement(&self) -> Value {
        let more = [
            ("client_name", json!("Payer's nightly run")),
            ("contacts", json!(["mailto:ops@payer.example"])),
            ("grant_types", json!(["client_credentials"])),
            ("token_endpoint_auth_method", json!("private_key_jwt")),
            ("scope", json!("system/Patient.rs system/Encounter.rs")),
        ];
        with(self.jwt_of(CLIENT, REGISTER), &more)
    }

    /// The claims of a good software statement of an app.
    pub(crate) fn app_statement(&self) -> Value {
        let more = [
            ("client_name", json!("Payer's app")),
            ("grant_types", json!(["authorization_code", "refresh_token"])),
            ("response_types", json!(["code"])),
            ("redirect_uris", json!([REDIRECT])),
            ("logo_uri", json!("https://payer.example/logo.png")),
            ("scope", json!("openid fhirUser launch/patient offline_access patient/Patient.rs patient/Observation.rs")),
        ];
        with(self.system_statement(), &more)
    }

    /// A registration with this body, from an address of its own.
    pub(crate) async fn register_with(&self, body: &Value) -> Answer {
        let address = format!("2001:db8:{:x}::1", self.entries());
        let json = [("content-type", "application/json")];
        self.send(&address, request(Method::POST, "/oauth/udap/register", &json, &body.to_string())).await
    }

    /// A registration by this statement.
    pub(crate) async fn register(&self, held: &Held, claims: &Value) -> Answer {
        let statement = held.jws(&claims.to_string());
        self.register_with(&json!({ "software_statement": statement, "udap": "1" })).await
    }

    /// A member's certificate, and the client that it is registered as.
    pub(crate) async fn registered(&self, lab: &Lab, claims: &Value) -> (Held, Arc<Client>) {
        let held = lab.member(CLIENT);
        let answer = self.register(&held, claims).await;
        assert_eq!(answer.line(), "201", "{}", answer.body);
        let client = self.service.client(answer.body["client_id"].as_str().unwrap()).unwrap();
        (held, client)
    }

    /// The claims of a good assertion with a B2B object.
    pub(crate) fn udap_claims(&self, client_id: &str) -> Value {
        with(self.jwt_of(client_id, TOKEN), &[("extensions", json!({ "hl7-b2b": b2b() }))])
    }

    /// A request with an assertion of these claims, and this before it.
    pub(crate) async fn udap_ask(&self, held: &Held, claims: &Value, form: &str) -> Answer {
        self.post("/oauth/token", &udap_form(held, claims, form)).await
    }

    /// A good token request of a system.
    pub(crate) async fn udap_token(&self, held: &Held, client_id: &str) -> Answer {
        let form = "grant_type=client_credentials&scope=system%2FPatient.rs";
        self.udap_ask(held, &self.udap_claims(client_id), form).await
    }
}

pub(crate) fn udap_form(held: &Held, claims: &Value, form: &str) -> String {
    format!("{form}&udap=1&{}", credentials(&held.jws(&claims.to_string())))
}
