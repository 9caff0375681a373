//! A7, A10: by which certificate a client is known, and what it may do by it alone.

use super::*;
use crate::{NewCertificate, NewClient, NewKind, testing::World};
use rcgen::{CertificateParams, DnType, KeyPair};

/// A certificate with this common name and this host in it.
fn der(name: &str, host: &str) -> Vec<u8> {
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

fn shown(der: &[u8], is_trusted: bool) -> Presented {
    Presented::new(vec![der.to_vec()], is_trusted).unwrap()
}

fn by_name(member: &str, value: &str) -> NewKind {
    NewKind::MutualTls(NewCertificate::Subject(member.into(), value.into()))
}

/// A system that calls without a token.
fn caller(name: &str, kind: NewKind) -> NewClient {
    NewClient { calls_without_token: true, ..NewClient::new(name, "system/Patient.rs", kind) }
}

#[test]
fn a_name_counts_in_a_trusted_certificate_alone() {
    let lab = der("lab", "lab.example.org");
    for (member, value, is) in [
        ("tls_client_auth_subject_dn", "CN=LAB", true),
        ("tls_client_auth_san_dns", "lab.example.org", true),
        ("tls_client_auth_san_dns", "lab", false),
        ("tls_client_auth_subject_dn", "CN=lab,O=x", false),
    ] {
        let known = Certificate::Subject(oauth::certificate::RegisteredSubject::from_member(member, value).unwrap());
        assert_eq!(shown(&lab, true).is(&known), is, "{member} {value}");
        assert!(!shown(&lab, false).is(&known), "self-signed: {member} {value}");
        assert!(!shown(b"no certificate", true).is(&known));
    }
    let own = Certificate::SelfSigned([thumbprint(&lab)].into());
    assert!(shown(&lab, false).is(&own) && shown(&lab, true).is(&own));
    assert!(!shown(&der("lab", "lab.example.org"), true).is(&own), "another of the same name");
}

#[test]
fn a10_a_certificate_stands_for_the_one_system_that_may_call_by_it() {
    let world = World::new();
    let lab = der("lab", "lab.example.org");
    let of = |presented: &Presented| world.service.certificate_principal(presented);
    assert!(of(&shown(&lab, true)).is_none(), "nobody is registered");
    // A client by the same certificate that needs a token.
    world
        .service
        .add_client(&NewClient::new("x", "system/*.rs", by_name("tls_client_auth_subject_dn", "CN=lab")))
        .unwrap();
    assert!(of(&shown(&lab, true)).is_none());
    let added =
        world.service.add_client(&caller("lab", by_name("tls_client_auth_san_dns", "lab.example.org"))).unwrap();
    let id = Arc::clone(&added.client.id);
    let grant = of(&shown(&lab, true)).unwrap();
    assert_eq!((&grant.client_id, &*grant.scope_text), (&id, "system/Patient.rs"));
    assert_eq!(grant.confirmation, Some(Confirmation::Certificate(thumbprint(&lab))));
    assert!(grant.user.is_none() && grant.token_name.starts_with("x5t-"));
    assert!(of(&shown(&lab, false)).is_none(), "nobody vouches for it");
    assert!(of(&shown(&der("lab", "other.example.org"), true)).is_none());
    // Known by two systems: for none.
    let second = world.service.add_client(&caller("again", by_name("tls_client_auth_subject_dn", "CN=lab"))).unwrap();
    assert!(of(&shown(&lab, true)).is_none());
    world.service.remove_client(&second.client.id).unwrap();
    assert!(of(&shown(&lab, true)).is_some());
    // A11: gone with the next request.
    world.service.set_client_disabled(&id, true).unwrap();
    assert!(of(&shown(&lab, true)).is_none());
    world.service.set_client_disabled(&id, false).unwrap();
    assert!(of(&shown(&lab, true)).is_some());
    world.service.remove_client(&id).unwrap();
    assert!(of(&shown(&lab, true)).is_none());
}

#[test]
fn a_certificate_of_its_own_is_known_by_every_byte() {
    let world = World::new();
    let own = der("lab", "lab.example.org");
    let kind = NewKind::MutualTls(NewCertificate::SelfSigned(vec![own.clone()]));
    world.service.add_client(&caller("lab", kind)).unwrap();
    assert!(world.service.certificate_principal(&shown(&own, false)).is_some());
    assert!(world.service.certificate_principal(&shown(&der("lab", "lab.example.org"), true)).is_none());
}

/// A8: what the documents say is what the listener does.
#[tokio::test]
async fn the_documents_tell_of_certificates_when_they_are_asked_for() {
    let mut world = World::new();
    let get = |path: &'static str| crate::testing::request(http::Method::GET, path, &[], "");
    let path = "/.well-known/oauth-authorization-server";
    let before = world.send("192.0.2.1", get(path)).await.body;
    assert!(before.get("tls_client_certificate_bound_access_tokens").is_none());
    let host = Some("https://care.example:8444".to_owned());
    world.service.asks_for_certificates(Asked { has_anchors: true, takes_self_signed: false, host });
    assert_eq!(world.service.inner.offer.contradictions(), [""; 0]);
    let after = world.send("192.0.2.1", get(path)).await.body;
    assert_eq!(after["tls_client_certificate_bound_access_tokens"], true);
    assert_eq!(after["mtls_endpoint_aliases"]["token_endpoint"], "https://care.example:8444/oauth/token");
    let methods = after["token_endpoint_auth_methods_supported"].to_string();
    assert!(methods.contains("\"tls_client_auth\"") && !methods.contains("self_signed"), "{methods}");
}
