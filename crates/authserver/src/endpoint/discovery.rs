//! Discovery documents. SPEC: SMART App Launch 2.2 conformance, RFC 8414; rows B1 to B6: always JSON, open to all.
//!
//! [`offer`] says what is built; `oauth::discovery` makes the documents of it.

use crate::{
    client::check,
    outcome::{self, Refusal},
    service::Inner,
};
use bytes::Bytes;
use http::Response;
use oauth::{
    client_authentication::Method,
    discovery::{self, Endpoints, Feature, GrantType, Offer},
    openid_discovery,
    scope::ScopeContext,
};
use pages::Language;

/// `/.well-known/smart-configuration` of the FHIR base.
pub(crate) fn smart_configuration(inner: &Inner) -> Response<Bytes> {
    outcome::document(&discovery::smart_configuration(&inner.offer))
}

/// `/.well-known/oauth-authorization-server`.
pub(crate) fn authorization_server(inner: &Inner) -> Response<Bytes> {
    outcome::document(&discovery::authorization_server(&inner.offer))
}

/// `/.well-known/openid-configuration`: there when people can be told of (row B10).
pub(crate) fn openid_configuration(inner: &Inner) -> Response<Bytes> {
    match openid_discovery::document(&inner.offer) {
        Some(document) => outcome::document(&document),
        None => outcome::refused(Refusal::NotFound),
    }
}

/// What this server offers: what is built, and of scopes what it can enforce (row B4).
pub(crate) fn offer(endpoints: Endpoints, enforceable: &check::Enforceable) -> Offer {
    let specials = [
        "openid",
        "fhirUser",
        "profile",
        "launch",
        "launch/patient",
        "launch/encounter",
        "offline_access",
        "online_access",
    ];
    let contexts = [ScopeContext::Patient, ScopeContext::User, ScopeContext::System];
    let mut offer = Offer {
        endpoints,
        grants: GrantType::ALL.to_vec(),
        methods: vec![Method::None, Method::ClientSecretBasic, Method::ClientSecretPost, Method::PrivateKeyJwt],
        features: vec![
            Feature::EhrLaunch,
            Feature::EhrPatient,
            Feature::EhrEncounter,
            Feature::ContextBanner,
            Feature::ContextStyle,
            Feature::StandaloneLaunch,
            Feature::StandalonePatient,
            Feature::StandaloneEncounter,
            Feature::AuthorizePost,
            Feature::OpenIdConnect,
            Feature::OfflineAccess,
            Feature::OnlineAccess,
            Feature::PatientScopes,
            Feature::UserScopes,
            Feature::ScopesV1,
            Feature::ScopesV2,
            Feature::PushedRequests,
            Feature::Dpop,
            Feature::Registration,
        ],
        scopes: discovery::scopes_supported(&specials, &contexts, |scope| check::usable(scope, enforceable).is_ok()),
        languages: Language::ALL.iter().map(|language| language.tag()).collect(),
        brand_identifier: None,
        mtls: None,
    };
    if offer.has_codes() {
        offer.features.push(Feature::Management);
    }
    if offer.has(Feature::OpenIdConnect) {
        offer.features.push(Feature::UserInfo);
    }
    offer
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Row B4: no claim that cannot be true beside the others.
    #[test]
    fn the_offer_does_not_contradict_itself() {
        let endpoints = Endpoints::of_fhir_base("https://care.example/fhir").unwrap();
        assert_eq!(offer(endpoints, &|_| Ok(())).contradictions(), [""; 0]);
    }
}
