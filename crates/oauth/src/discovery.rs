//! What the server offers, and the documents that say so. SPEC: SMART App Launch 2.2 conformance; RFC 8414; RFC 8705
//! section 5, RFC 9126 section 5, RFC 9207 section 3, RFC 9449 section 5.1; rows A8, B2 to B8, B10.
//!
//! [`Offer`] describes what is built, no more; each document is made of it, so none can claim what another does not
//! know. [`Offer::contradictions`] finds a claim that cannot work without another one. OpenID Connect's document is
//! [`crate::openid_discovery`].

use crate::{
    client_authentication::Method,
    granular,
    jws::Algorithm,
    pkce,
    scope::{Permissions, Scope, ScopeContext},
};
use serde_json::{Map, Value, json};

/// Where what is. All URLs absolute (row B2); that one is here does not mean that the server offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Issuer: scheme, host and port, perhaps a path.
    pub issuer: String,
    /// Our own FHIR base.
    pub fhir_base: String,
    /// Authorization endpoint.
    pub authorize: String,
    /// Token endpoint.
    pub token: String,
    /// Pushed authorization requests.
    pub par: String,
    /// Introspection endpoint.
    pub introspect: String,
    /// Revocation endpoint.
    pub revoke: String,
    /// Client registration.
    pub register: String,
    /// Registration of clients of trust communities (UDAP).
    pub udap_register: String,
    /// OpenID Connect UserInfo.
    pub userinfo: String,
    /// The server's own public keys.
    pub jwks: String,
    /// Where a person sees and ends what apps may do.
    pub management: String,
    /// User-access brands.
    pub brands: String,
}

impl Endpoints {
    /// From our own FHIR base URL, which ends with `/fhir`; `None` when it does not, or is not https.
    #[must_use]
    pub fn of_fhir_base(base_url: &str) -> Option<Self> {
        let issuer = base_url.strip_suffix("/fhir")?;
        let authority = issuer.strip_prefix("https://")?;
        if authority.is_empty() || authority.contains(['?', '#', '@', ' ']) || authority.starts_with('/') {
            return None;
        }
        let below = |path: &str| format!("{issuer}{path}");
        Some(Self {
            authorize: below("/oauth/authorize"),
            token: below("/oauth/token"),
            par: below("/oauth/par"),
            introspect: below("/oauth/introspect"),
            revoke: below("/oauth/revoke"),
            register: below("/oauth/register"),
            udap_register: below("/oauth/udap/register"),
            userinfo: below("/oauth/userinfo"),
            jwks: below("/oauth/jwks"),
            management: below("/account/apps"),
            brands: below("/brands"),
            fhir_base: base_url.to_owned(),
            issuer: issuer.to_owned(),
        })
    }
}

/// A `grant_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantType {
    /// A person lets an app in.
    AuthorizationCode,
    /// And it comes again.
    RefreshToken,
    /// A system asks for itself.
    ClientCredentials,
}

impl GrantType {
    /// All.
    pub const ALL: [Self; 3] = [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    /// The value of `grant_type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// Reads it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == text)
    }
}

/// Something that the server can do besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// Apps are launched from the EHR side.
    EhrLaunch,
    /// Apps start on their own.
    StandaloneLaunch,
    /// The authorization endpoint takes POST.
    AuthorizePost,
    /// Id tokens.
    OpenIdConnect,
    /// `need_patient_banner` is told.
    ContextBanner,
    /// `smart_style_url` is told.
    ContextStyle,
    /// A launch from the EHR has a patient.
    EhrPatient,
    /// A launch from the EHR can have an encounter.
    EhrEncounter,
    /// An app that starts on its own gets a patient.
    StandalonePatient,
    /// An app that starts on its own can get an encounter.
    StandaloneEncounter,
    /// `offline_access`.
    OfflineAccess,
    /// `online_access`.
    OnlineAccess,
    /// `patient/` scopes.
    PatientScopes,
    /// `user/` scopes.
    UserScopes,
    /// Scopes of SMART 1.
    ScopesV1,
    /// Scopes of SMART 2.
    ScopesV2,
    /// State of apps on the server.
    AppState,
    /// Pushed authorization requests.
    PushedRequests,
    /// Clients register themselves.
    Registration,
    /// The page where a person ends what apps may do.
    Management,
    /// The bundle of user-access brands.
    Brands,
    /// UserInfo.
    UserInfo,
    /// DPoP.
    Dpop,
    /// Tokens bound to the client's certificate.
    CertificateBoundTokens,
}

impl Feature {
    /// The capability of SMART that says so, for those that have one.
    #[must_use]
    pub const fn capability(self) -> Option<&'static str> {
        Some(match self {
            Self::EhrLaunch => "launch-ehr",
            Self::StandaloneLaunch => "launch-standalone",
            Self::AuthorizePost => "authorize-post",
            Self::OpenIdConnect => "sso-openid-connect",
            Self::ContextBanner => "context-banner",
            Self::ContextStyle => "context-style",
            Self::EhrPatient => "context-ehr-patient",
            Self::EhrEncounter => "context-ehr-encounter",
            Self::StandalonePatient => "context-standalone-patient",
            Self::StandaloneEncounter => "context-standalone-encounter",
            Self::OfflineAccess => "permission-offline",
            Self::OnlineAccess => "permission-online",
            Self::PatientScopes => "permission-patient",
            Self::UserScopes => "permission-user",
            Self::ScopesV1 => "permission-v1",
            Self::ScopesV2 => "permission-v2",
            Self::AppState => "smart-app-state",
            Self::PushedRequests
            | Self::Registration
            | Self::Management
            | Self::Brands
            | Self::UserInfo
            | Self::Dpop
            | Self::CertificateBoundTokens => return None,
        })
    }
}

/// The host that asks for client certificates, when it is another one than the usual (RFC 8705 section 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MtlsHost {
    /// What stands there in place of the issuer in the URLs of endpoints.
    pub base: String,
}

/// All that the server offers. What the documents say, and what the routes and checks behind them must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Where what is.
    pub endpoints: Endpoints,
    /// Grants that the token endpoint knows.
    pub grants: Vec<GrantType>,
    /// Ways in which clients authenticate.
    pub methods: Vec<Method>,
    /// What there is besides.
    pub features: Vec<Feature>,
    /// `scopes_supported`; see [`scopes_supported`].
    pub scopes: Vec<String>,
    /// Languages of the pages.
    pub languages: Vec<&'static str>,
    /// System and value by which the brand bundle names the organisation (row B70).
    pub brand_identifier: Option<(String, String)>,
    /// Where client certificates are asked for.
    pub mtls: Option<MtlsHost>,
}

impl Offer {
    /// Whether this is offered.
    #[must_use]
    pub fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    /// Whether this grant is offered.
    #[must_use]
    pub fn grants(&self, grant: GrantType) -> bool {
        self.grants.contains(&grant)
    }

    /// Whether there is an authorization endpoint.
    #[must_use]
    pub fn has_codes(&self) -> bool {
        self.grants(GrantType::AuthorizationCode)
    }

    /// The capabilities of SMART (row B7).
    #[must_use]
    pub fn capabilities(&self) -> Vec<&'static str> {
        let mut capabilities: Vec<&str> = self.features.iter().filter_map(|feature| feature.capability()).collect();
        let by_method = [
            ("client-public", &[Method::None][..]),
            ("client-confidential-symmetric", &[Method::ClientSecretBasic, Method::ClientSecretPost]),
            ("client-confidential-asymmetric", &[Method::PrivateKeyJwt]),
        ];
        for (capability, methods) in by_method {
            if methods.iter().any(|method| self.methods.contains(method)) {
                capabilities.push(capability);
            }
        }
        capabilities.sort_unstable();
        capabilities.dedup();
        capabilities
    }

    /// Claims that cannot all be true; empty for an offer that can be published. For a test, and for the start.
    #[must_use]
    pub fn contradictions(&self) -> Vec<&'static str> {
        use Feature as F;
        let has = |feature| self.has(feature);
        let scope = |text: &str| self.scopes.iter().any(|scope| scope == text);
        let context = |context: &str| self.scopes.iter().any(|scope| scope.starts_with(context));
        let launches = has(F::EhrLaunch) || has(F::StandaloneLaunch);
        let proves_by_key = self.methods.iter().any(|method| method.is_confidential() && !method.has_secret());
        let rules = [
            (launches != self.has_codes(), "authorization codes and a kind of launch go together"),
            (self.grants(GrantType::RefreshToken) && !self.has_codes(), "refresh tokens need authorization codes"),
            (
                (has(F::OfflineAccess) || has(F::OnlineAccess)) != self.grants(GrantType::RefreshToken),
                "refresh tokens and offline_access or online_access go together",
            ),
            (has(F::OpenIdConnect) && !self.has_codes(), "id tokens need authorization codes"),
            (has(F::OpenIdConnect) != scope("openid"), "id tokens and the scope openid go together"),
            (scope("fhirUser") && !has(F::OpenIdConnect), "fhirUser needs id tokens"),
            (has(F::UserInfo) && !has(F::OpenIdConnect), "UserInfo needs id tokens"),
            (has(F::OfflineAccess) != scope("offline_access"), "permission-offline and its scope go together"),
            (has(F::OnlineAccess) != scope("online_access"), "permission-online and its scope go together"),
            (has(F::EhrLaunch) != scope("launch"), "launch-ehr and the scope launch go together"),
            (
                has(F::StandalonePatient) != scope("launch/patient"),
                "context-standalone-patient and its scope go together",
            ),
            (
                has(F::StandaloneEncounter) != scope("launch/encounter"),
                "context-standalone-encounter and its scope go together",
            ),
            (
                (has(F::StandalonePatient) || has(F::StandaloneEncounter)) && !has(F::StandaloneLaunch),
                "a standalone context needs launch-standalone",
            ),
            ((has(F::EhrPatient) || has(F::EhrEncounter)) && !has(F::EhrLaunch), "an EHR context needs launch-ehr"),
            (has(F::PatientScopes) != context("patient/"), "permission-patient and its scopes go together"),
            (has(F::UserScopes) != context("user/"), "permission-user and its scopes go together"),
            (
                context("system/") != self.grants(GrantType::ClientCredentials),
                "system scopes and client credentials go together",
            ),
            (
                self.grants(GrantType::ClientCredentials) && !proves_by_key,
                "client credentials need a client that proves itself by a key (B12)",
            ),
            (!has(F::ScopesV1) && !has(F::ScopesV2), "scopes of one version at least"),
            (has(F::AuthorizePost) && !self.has_codes(), "authorize-post needs authorization codes"),
            (has(F::PushedRequests) && !self.has_codes(), "pushed requests need authorization codes"),
            (has(F::Management) && !self.has_codes(), "there is nothing to manage without authorization codes"),
            (self.brand_identifier.is_some() && !has(F::Brands), "a brand's identifier needs the brand bundle"),
            (
                self.mtls.is_some() && !has(F::CertificateBoundTokens),
                "a host for client certificates needs certificate-bound tokens",
            ),
            (self.methods.is_empty() || self.grants.is_empty(), "a token endpoint needs grants and clients"),
            (
                !self.mtls.iter().all(|host| host.base.starts_with("https://")),
                "every URL must be absolute and https (B2)",
            ),
        ];
        rules.into_iter().filter(|(broken, _)| *broken).map(|(_, rule)| rule).collect()
    }

    /// `token_endpoint_auth_methods_supported`.
    pub(crate) fn method_names(&self) -> Value {
        self.methods.iter().map(|method| method.as_str()).collect()
    }

    /// Methods that a confidential client may show: what introspection and revocation take beside (row B61).
    fn confidential_methods(&self) -> Value {
        self.methods.iter().filter(|method| method.is_confidential()).map(|method| method.as_str()).collect()
    }

    pub(crate) fn grant_names(&self) -> Value {
        self.grants.iter().map(|grant| grant.as_str()).collect()
    }

    pub(crate) fn has_assertions(&self) -> bool {
        self.methods.contains(&Method::PrivateKeyJwt)
    }
}

/// Signature algorithms of assertions and DPoP proofs.
pub(crate) fn algorithms() -> Value {
    Algorithm::ALL.into_iter().map(Algorithm::as_str).collect()
}

/// `scopes_supported` for these contexts: `specials` first, then for each context the wildcards, the types and the
/// categories that US Core demands (rows B4, B35, B37). Only what is `usable`, which is what the server can enforce; any
/// other resource type works in the same forms.
#[must_use]
pub fn scopes_supported(specials: &[&str], contexts: &[ScopeContext], usable: impl Fn(&Scope) -> bool) -> Vec<String> {
    let rs = Permissions::READ.union(Permissions::SEARCH);
    let of_context = |context: &ScopeContext| {
        let context = context.as_str();
        let wildcards = ["cruds", "rs", "read", "write", "*"].into_iter().map(|suffix| format!("{context}/*.{suffix}"));
        let types = granular::RESOURCE_TYPES.into_iter().map(|name| format!("{context}/{name}.rs"));
        let parts = granular::CATEGORIES.iter().map(|category| category.scope_text(context, rs));
        let texts: Vec<String> = wildcards.chain(types).chain(parts).collect();
        texts.into_iter().filter(|text| Scope::parse(text).is_ok_and(|scope| usable(&scope)))
    };
    specials.iter().map(|text| (*text).to_owned()).chain(contexts.iter().flat_map(of_context)).collect()
}

/// `/.well-known/smart-configuration` below the FHIR base.
///
/// `issuer` and `jwks_uri` belong to `sso-openid-connect` (row B2). `code_challenge_methods_supported` is there because row
/// B2 demands it of every server, launch or not; it is S256, never plain.
#[must_use]
pub fn smart_configuration(offer: &Offer) -> Value {
    let Offer { endpoints, .. } = offer;
    let mut document = Map::new();
    let mut put = |name: &str, value: Value| document.insert(name.to_owned(), value);
    if offer.has(Feature::OpenIdConnect) {
        put("issuer", json!(endpoints.issuer));
        put("jwks_uri", json!(endpoints.jwks));
    }
    if offer.has_codes() {
        put("authorization_endpoint", json!(endpoints.authorize));
        put("response_types_supported", json!(["code"]));
    }
    put("token_endpoint", json!(endpoints.token));
    put("token_endpoint_auth_methods_supported", offer.method_names());
    if offer.has_assertions() {
        put("token_endpoint_auth_signing_alg_values_supported", algorithms());
    }
    put("grant_types_supported", offer.grant_names());
    put("scopes_supported", json!(offer.scopes));
    put("introspection_endpoint", json!(endpoints.introspect));
    put("revocation_endpoint", json!(endpoints.revoke));
    for (feature, name, url) in [
        (Feature::Registration, "registration_endpoint", &endpoints.register),
        (Feature::Management, "management_endpoint", &endpoints.management),
        (Feature::Brands, "user_access_brand_bundle", &endpoints.brands),
    ] {
        if offer.has(feature) {
            put(name, json!(url));
        }
    }
    if let Some((system, value)) = &offer.brand_identifier {
        put("user_access_brand_identifier", json!({ "system": system, "value": value }));
    }
    put("code_challenge_methods_supported", json!([pkce::METHOD]));
    put("capabilities", json!(offer.capabilities()));
    Value::Object(document)
}

/// `/.well-known/oauth-authorization-server`. SPEC: RFC 8414 section 2; `response_types_supported` is required there, and
/// empty where there is no authorization endpoint.
#[must_use]
pub fn authorization_server(offer: &Offer) -> Value {
    let Offer { endpoints, .. } = offer;
    let mut document = Map::new();
    let mut put = |name: &str, value: Value| document.insert(name.to_owned(), value);
    put("issuer", json!(endpoints.issuer));
    if offer.has_codes() {
        put("authorization_endpoint", json!(endpoints.authorize));
        put("response_types_supported", json!(["code"]));
        put("response_modes_supported", json!(["query"]));
        put("code_challenge_methods_supported", json!([pkce::METHOD]));
        put("authorization_response_iss_parameter_supported", json!(true));
        put("ui_locales_supported", json!(offer.languages));
    } else {
        put("response_types_supported", json!([]));
    }
    put("token_endpoint", json!(endpoints.token));
    put("jwks_uri", json!(endpoints.jwks));
    put("scopes_supported", json!(offer.scopes));
    put("grant_types_supported", offer.grant_names());
    for (name, methods) in [
        ("token", offer.method_names()),
        ("introspection", offer.confidential_methods()),
        ("revocation", offer.method_names()),
    ] {
        put(&format!("{name}_endpoint_auth_methods_supported"), methods);
        if offer.has_assertions() {
            put(&format!("{name}_endpoint_auth_signing_alg_values_supported"), algorithms());
        }
    }
    put("introspection_endpoint", json!(endpoints.introspect));
    put("revocation_endpoint", json!(endpoints.revoke));
    if offer.has(Feature::Registration) {
        put("registration_endpoint", json!(endpoints.register));
    }
    if offer.has(Feature::PushedRequests) {
        put("pushed_authorization_request_endpoint", json!(endpoints.par));
        put("require_pushed_authorization_requests", json!(false));
    }
    if offer.has(Feature::Dpop) {
        put("dpop_signing_alg_values_supported", algorithms());
    }
    if offer.has(Feature::CertificateBoundTokens) {
        put("tls_client_certificate_bound_access_tokens", json!(true));
    }
    if let Some(host) = &offer.mtls {
        let alias = |url: &str| url.strip_prefix(endpoints.issuer.as_str()).map(|path| format!("{}{path}", host.base));
        let mut aliases = Map::new();
        let mut names = vec![
            ("token_endpoint", &endpoints.token),
            ("introspection_endpoint", &endpoints.introspect),
            ("revocation_endpoint", &endpoints.revoke),
        ];
        if offer.has(Feature::PushedRequests) {
            names.push(("pushed_authorization_request_endpoint", &endpoints.par));
        }
        for (name, url) in names {
            aliases.extend(alias(url).map(|url| (name.to_owned(), Value::from(url))));
        }
        put("mtls_endpoint_aliases", Value::Object(aliases));
    }
    Value::Object(document)
}

#[cfg(test)]
pub(crate) mod tests;
