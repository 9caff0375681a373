//! What a client has beside its registration when it made that itself: its own words, the token by which it comes back,
//! and how far it may go. SPEC: RFC 7591, RFC 7592; row B14.

use super::{Binding, Client, ClientError, KindName, NewCertificate, NewClient, NewKeys, NewKind, check, scopes};
use crate::random;
use fhir::Instant;
use oauth::{
    client_authentication::Method,
    client_metadata::{ClientMetadata, Issued, RegisteredKeys, answer},
    discovery::GrantType,
    fapi2::Profile,
    scope::request::{ScopeRequest, Special},
    self_signed,
};
use serde_json::{Value, json};
use std::{fmt, sync::Arc};

/// How far a registration may go: what its initial access token allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Kinds of client.
    pub kinds: Arc<[KindName]>,
    /// Scopes, divided by blanks: each one asked for must be one of these, or narrower.
    pub scope_text: Arc<str>,
}

/// A registration that a client made itself.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnRegistration {
    /// What it said, as far as it means something here.
    pub metadata: ClientMetadata,
    /// Name of the initial access token that it came with.
    pub invitation: Arc<str>,
    /// How far that let it go; changes are held to it.
    pub reach: Reach,
    /// What is kept of its registration access token.
    pub(crate) token: [u8; 32],
}

impl fmt::Debug for OwnRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnRegistration(by {}, …)", self.invitation)
    }
}

impl OwnRegistration {
    /// As it is kept. `scope`: what it is registered for.
    pub(super) fn encode(&self, scope: &str) -> Value {
        let issued = Issued { client_id: "", issued_at_s: 0, secret: None, scope, management: None };
        json!({
            "metadata": answer(&self.metadata, &issued),
            "invitation": &*self.invitation,
            "kinds": self.reach.kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
            "scope": &*self.reach.scope_text,
            "token": random::hex(&self.token),
        })
    }

    /// Reads [`OwnRegistration::encode`].
    pub(super) fn decode(row: &Value) -> Option<Self> {
        let text = |name: &str| row.get(name).and_then(Value::as_str);
        let kinds = row.get("kinds")?.as_array()?.iter().map(|kind| KindName::parse(kind.as_str()?));
        Some(Self {
            metadata: ClientMetadata::read(row.get("metadata")?.to_string().as_bytes()).ok()?,
            invitation: text("invitation")?.into(),
            reach: Reach { kinds: kinds.collect::<Option<_>>()?, scope_text: text("scope")?.into() },
            token: random::from_hex(text("token")?)?,
        })
    }
}

/// The client of a registration, when it is acceptable and goes no further than it may.
pub(crate) fn client(
    own: OwnRegistration,
    id: String,
    now: Instant,
    enforceable: &check::Enforceable,
) -> Result<Client, ClientError> {
    let metadata = &own.metadata;
    let allowed = ScopeRequest::parse(&own.reach.scope_text).map_err(|_| invalid("scope is too long"))?;
    let kind = kind(metadata)?;
    let is_app = metadata.grants.contains(&GrantType::AuthorizationCode);
    let scope = metadata.scope.clone().unwrap_or_else(|| scopes::fitting(&allowed, is_app));
    let new = NewClient {
        redirect_uris: metadata.redirect_uris.iter().map(|uri| uri.as_str().to_owned()).collect(),
        application: metadata.application,
        launch_url: metadata.launch_url.as_ref().map(|url| url.as_str().to_owned()),
        logo: metadata.logo.clone(),
        is_fapi2: metadata.profile == Profile::Fapi2,
        requires_pushed: metadata.requires_pushed,
        binding: match (metadata.binds_by_dpop, metadata.binds_by_certificate) {
            (true, _) => Some(Binding::Key),
            (_, true) => Some(Binding::Certificate),
            _ => None,
        },
        assertion_algorithm: metadata.assertion_algorithm.filter(|_| metadata.method == Method::PrivateKeyJwt),
        ..NewClient::new(&metadata.name, &scope, kind)
    };
    let client = Client::register(&new, id, now, enforceable)?;
    if !own.reach.kinds.contains(&client.kind.kind_name()) {
        return Err(invalid("the initial access token does not allow this kind of client"));
    }
    if scopes::beyond(&client.registered, &allowed).is_some() {
        return Err(invalid("scope has more than the initial access token allows"));
    }
    let refreshes = [Special::OfflineAccess, Special::OnlineAccess].iter().any(|scope| client.registered.asks(scope));
    if refreshes && !metadata.grants.contains(&GrantType::RefreshToken) {
        return Err(invalid("offline_access and online_access need refresh_token among grant_types"));
    }
    // As granted, so that an update which leaves it out asks for the same again.
    let metadata = ClientMetadata { scope: Some(client.scope_text.to_string()), ..own.metadata };
    Ok(Client { own: Some(Arc::new(OwnRegistration { metadata, ..own })), ..client })
}

fn invalid(why: &str) -> ClientError {
    ClientError::Invalid(why.into())
}

/// What the metadata says of how it proves who it is.
fn kind(metadata: &ClientMetadata) -> Result<NewKind, ClientError> {
    let is_app = metadata.grants.contains(&GrantType::AuthorizationCode);
    let keys = || match &metadata.keys {
        RegisteredKeys::Inline(text) => Ok(NewKeys::Inline(text.clone())),
        RegisteredKeys::Url(url) => Ok(NewKeys::Url(url.clone())),
        RegisteredKeys::None => Err(invalid("jwks or jwks_uri is missing")),
    };
    Ok(match metadata.method {
        Method::None => NewKind::Public,
        Method::ClientSecretBasic | Method::ClientSecretPost => NewKind::ConfidentialSymmetric,
        Method::PrivateKeyJwt if is_app => NewKind::ConfidentialAsymmetric(keys()?),
        Method::PrivateKeyJwt => NewKind::BackendService(keys()?),
        Method::TlsClientAuth => match &metadata.subject {
            Some(subject) => {
                let (member, value) = subject.member();
                NewKind::MutualTls(NewCertificate::Subject(member.to_owned(), value))
            }
            None => return Err(invalid("a name of the certificate is missing")),
        },
        Method::SelfSignedTlsClientAuth => match &metadata.keys {
            RegisteredKeys::Inline(text) => {
                let known = self_signed::thumbprints(text.as_bytes()).map_err(|why| invalid(&why.to_string()))?;
                NewKind::MutualTls(NewCertificate::Known(known))
            }
            _ => return Err(invalid("certificates are registered in jwks; jwks_uri is not taken for them")),
        },
    })
}
