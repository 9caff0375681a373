//! Identity providers of trust communities, where people sign in who come to us: whether one is trusted, who we are there,
//! and whom it vouches for. SPEC: HL7 FHIR UDAP Security 2.0 section 6; rows D35 to D38, F60.
//!
//! A provider is named by whoever asks, so nothing but its metadata is fetched before a community whose members may be
//! providers vouches for it; then its endpoints are those that its certificate signed. This server registers there by
//! itself when it must, once a day at most. Each provider has one place: of many people one asks, the others wait for
//! what comes of it, and a provider that failed is left alone for a while.
//!
//! What is kept durably is who we are there. It is made anew when the provider does not know it any more.

use super::{community::Community, trust::Distrust};
use crate::{
    client::Client,
    egress::{Fetch, FetchError, Message},
    limits, random,
    service::Inner,
    tables::{Table, Unavailable},
};
use oauth::{
    openid_provider::{Begun, Person, ProviderError, id_token_of},
    scope::request::Special,
    secret::Secret,
    sign::KeyError,
    udap::{
        metadata::{Document, DocumentError},
        tiered::{self, Idp, IdpError, Ours},
        x5c::{self, Signed, UdapJwtError},
    },
    x509::Certificate,
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{Mutex as Turn, Semaphore};

const FORM: &str = "application/x-www-form-urlencoded";

/// Why nobody came in by a provider. For the log and the audit entry.
#[derive(Debug)]
pub(crate) enum TieredError {
    /// No community here has members that may be providers.
    NoCommunity,
    /// It cannot be reached, or refused; what was asked.
    Fetch(&'static str, FetchError),
    /// What it said is not right.
    Idp(IdpError),
    /// Its certificate cannot be read.
    Certificate(&'static str),
    /// Nobody vouches for its certificates.
    Distrust(Distrust),
    /// It wants to know of us what the operator has not said; the setting.
    Unsaid(&'static str),
    /// It refused to register us, with this status.
    Registration(u16),
    /// It does not know us any more.
    UnknownClient,
    /// It did not take the code, and answered with this status.
    Token(u16),
    /// It failed a moment ago.
    NotAgainYet,
    /// So many wait for providers that there is no room.
    Busy,
    /// Ours: keys, tables, randomness.
    Own(String),
}

impl fmt::Display for TieredError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("identity provider: ")?;
        match self {
            Self::NoCommunity => f.write_str("no community here has members that people may sign in at"),
            Self::Fetch(what, why) => write!(f, "{what}: {why}"),
            Self::Idp(why) => why.fmt(f),
            Self::Certificate(whose) => write!(f, "the first certificate of {whose} cannot be read"),
            Self::Distrust(why) => why.fmt(f),
            Self::Unsaid(setting) => write!(f, "this server cannot register there: {setting}"),
            Self::Registration(status) => write!(f, "it refused to register this server, with status {status}"),
            Self::UnknownClient => f.write_str("it does not know this server any more"),
            Self::Token(status) => write!(f, "it did not take the code, with status {status}"),
            Self::NotAgainYet => f.write_str("not asked again yet"),
            Self::Busy => f.write_str("too many wait"),
            Self::Own(why) => f.write_str(why),
        }
    }
}

impl From<IdpError> for TieredError {
    fn from(error: IdpError) -> Self {
        Self::Idp(error)
    }
}

impl From<ProviderError> for TieredError {
    fn from(error: ProviderError) -> Self {
        Self::Idp(error.into())
    }
}

impl From<DocumentError> for TieredError {
    fn from(error: DocumentError) -> Self {
        Self::Idp(error.into())
    }
}

impl From<UdapJwtError> for TieredError {
    fn from(error: UdapJwtError) -> Self {
        Self::Idp(error.into())
    }
}

impl From<Distrust> for TieredError {
    fn from(error: Distrust) -> Self {
        Self::Distrust(error)
    }
}

impl From<KeyError> for TieredError {
    fn from(_: KeyError) -> Self {
        Self::Own("our key of the community does not sign".into())
    }
}

impl From<random::NoRandomness> for TieredError {
    fn from(_: random::NoRandomness) -> Self {
        Self::Own("no randomness".into())
    }
}

impl From<Unavailable> for TieredError {
    fn from(error: Unavailable) -> Self {
        Self::Own(error.0)
    }
}

/// A provider that can be used now.
#[derive(Clone)]
pub(crate) struct Ready {
    pub(crate) idp: Arc<Idp>,
    /// Who vouches for it, and as whose member we speak there.
    pub(crate) community: Arc<Community>,
    /// Our name there.
    pub(crate) client_id: Arc<str>,
}

/// What is known of one provider.
#[derive(Default)]
struct Known {
    found: Option<(Arc<Idp>, Arc<Community>)>,
    /// Until when that counts.
    fresh_until_s: i64,
    /// Until when a failure is remembered.
    failed_until_s: i64,
    /// Until when a registration that is due is not tried.
    again_s: i64,
}

/// All providers that somebody named lately, and what we tell them of ourselves.
pub(crate) struct Idps {
    redirect_uri: String,
    logo: Option<String>,
    contact: Option<String>,
    fetch: Arc<dyn Fetch>,
    /// Who we are at each.
    table: Arc<dyn Table>,
    places: Semaphore,
    known: Mutex<HashMap<Arc<str>, Arc<Turn<Known>>>>,
}

impl Idps {
    /// `issuer`: our own, before our path for the answer.
    pub(crate) fn new(
        issuer: &str,
        logo: Option<String>,
        contact: Option<String>,
        fetch: Arc<dyn Fetch>,
        table: Arc<dyn Table>,
    ) -> Self {
        Self {
            redirect_uri: format!("{issuer}{}", pages::paths::IDP_BACK),
            logo,
            contact: contact.map(|address| format!("mailto:{address}")),
            fetch,
            table,
            places: Semaphore::new(limits::OUTSIDE_AT_ONCE_MAX),
            known: Mutex::default(),
        }
    }

    /// The place of a provider; `None` when there is no room for it.
    fn place(&self, base_url: &str) -> Option<Arc<Turn<Known>>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = known.get(base_url) {
            return Some(Arc::clone(place));
        }
        if known.len() >= limits::IDPS_MAX {
            // What nobody waits for can be asked again.
            known.retain(|_, place| Arc::strong_count(place) > 1);
        }
        if known.len() >= limits::IDPS_MAX {
            return None;
        }
        let place = Arc::new(Turn::default());
        known.insert(base_url.into(), Arc::clone(&place));
        Some(place)
    }

    /// Where to send the browser.
    pub(crate) fn url(&self, ready: &Ready, begun: &Begun, max_age_s: Option<u32>) -> String {
        begun.url_of_idp(&ready.idp, &ready.client_id, &self.redirect_uri, max_age_s)
    }

    /// What is told of us where we register.
    fn ours<'a>(&'a self, inner: &'a Inner) -> Result<Ours<'a>, TieredError> {
        // Row D15: what a provider must ask of an app, before it is asked.
        let unfit = TieredError::Unsaid("facility.logo must be a PNG, JPG or GIF (and facility.website be set)");
        let logo = self.logo.as_deref().filter(|logo| is_picture(logo)).ok_or(unfit)?;
        let contact = self.contact.as_deref().ok_or(TieredError::Unsaid("facility.contact must be set"))?;
        let (base_url, redirect_uri) = (&inner.endpoints.fhir_base, &self.redirect_uri);
        Ok(Ours { base_url, name: &inner.facility, contact, logo, redirect_uri })
    }
}

/// By its ending, as providers look at it.
fn is_picture(url: &str) -> bool {
    let path = url.split('?').next().unwrap_or_default().to_ascii_lowercase();
    [".png", ".jpg", ".jpeg", ".gif"].iter().any(|ending| path.ends_with(ending))
}

/// A signer's certificate.
fn leaf(x5c: &[Vec<u8>], whose: &'static str) -> Result<Certificate, TieredError> {
    x5c.first().and_then(|der| Certificate::read(der).ok()).ok_or(TieredError::Certificate(whose))
}

/// Who we are at a provider, as it is kept.
struct Row {
    client_id: Arc<str>,
    since_s: i64,
}

impl Row {
    fn encode(&self) -> Vec<u8> {
        json!({ "client_id": &*self.client_id, "since_s": self.since_s }).to_string().into_bytes()
    }

    fn decode(row: &[u8]) -> Option<Self> {
        let row: Value = serde_json::from_slice(row).ok()?;
        Some(Self { client_id: row.get("client_id")?.as_str()?.into(), since_s: row.get("since_s")?.as_i64()? })
    }
}

fn key(community: &Community, idp: &Idp) -> Vec<u8> {
    // No URI has a line feed.
    format!("{}\n{}", community.uri, idp.base_url).into_bytes()
}

/// Does what waits for the disk.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Unavailable> + Send + 'static,
) -> Result<T, TieredError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.unwrap_or_else(|_| Err(Unavailable("a task ended early".into())))?)
}

impl Inner {
    /// Whether the scope `udap` means something for a client: it is registered for it, and the members of its community
    /// sign people in for each other (rows D34, D39).
    pub(crate) fn is_tiered(&self, client: &Client) -> bool {
        let community = client.kind.udap().and_then(|udap| self.communities.get(&udap.community));
        community.is_some_and(|community| community.identity_providers) && client.registered.asks(&Special::Udap)
    }

    /// The provider of this base URL, trusted and with us registered.
    pub(crate) async fn idp(&self, base_url: &str) -> Result<Ready, TieredError> {
        let idps = &self.idps;
        let _waiting = idps.places.try_acquire().map_err(|_| TieredError::Busy)?;
        let place = idps.place(base_url).ok_or(TieredError::Busy)?;
        let mut known = place.lock().await;
        let now_s = self.now().unix_seconds();
        // A community that was changed or removed since does not vouch any more.
        let is_same = |community: &Arc<Community>| {
            self.communities.get(&community.uri).is_some_and(|now| Arc::ptr_eq(&now, community))
        };
        let found = known.found.clone().filter(|(_, community)| now_s < known.fresh_until_s && is_same(community));
        let (idp, community) = match found {
            Some(found) => found,
            None if now_s < known.failed_until_s => return Err(TieredError::NotAgainYet),
            None => match self.found(base_url).await {
                Ok((idp, community)) => {
                    known.fresh_until_s = idp.expires_at_s.min(now_s + limits::OUTSIDE_DOCUMENT_S);
                    known.found = Some((Arc::clone(&idp), Arc::clone(&community)));
                    (idp, community)
                }
                Err(why) => {
                    known.found = None;
                    known.failed_until_s = self.now().unix_seconds() + limits::JWKS_FAILURE_S;
                    return Err(why);
                }
            },
        };
        let client_id = self.registered_at(&idp, &community, &mut known).await?;
        Ok(Ready { idp, community, client_id })
    }

    /// Looks for a community that vouches for a provider. Only its metadata are fetched (row D38).
    async fn found(&self, base_url: &str) -> Result<(Arc<Idp>, Arc<Community>), TieredError> {
        let mut why = TieredError::NoCommunity;
        let communities = self.communities.all().into_iter().filter(|community| community.identity_providers);
        for community in communities.take(limits::COMMUNITIES_TRIED_MAX) {
            match self.vouched_by(&community, base_url).await {
                Ok(idp) => return Ok((Arc::new(idp), community)),
                Err(not) => why = not,
            }
        }
        Err(why)
    }

    async fn vouched_by(&self, community: &Community, base_url: &str) -> Result<Idp, TieredError> {
        let url = tiered::metadata_url(base_url, &community.uri);
        let fetched = self.idps.fetch.fetch(&url).await.map_err(|why| TieredError::Fetch("its metadata", why))?;
        let document = Document::read(&fetched.body)?;
        let signed = Signed::parse(&document.signed)?;
        let leaf = leaf(signed.x5c(), "its metadata")?;
        let idp = Idp::read(&document, &signed, leaf.key(), base_url, self.now().unix_seconds())?;
        let vouched = self.trust.vouched(community, signed.x5c(), base_url).await?;
        Ok(Idp { expires_at_s: idp.expires_at_s.min(vouched.known_until_s), ..idp })
    }

    /// Who we are at a provider: as it is kept, or registered now.
    async fn registered_at(
        &self,
        idp: &Arc<Idp>,
        community: &Arc<Community>,
        known: &mut Known,
    ) -> Result<Arc<str>, TieredError> {
        let (table, row_key) = (Arc::clone(&self.idps.table), key(community, idp));
        let reading = row_key.clone();
        let row = on_disk(move || table.value(&reading)).await?.and_then(|row| Row::decode(&row));
        let now_s = self.now().unix_seconds();
        if let Some(row) = &row
            && (now_s < row.since_s + limits::IDP_REGISTRATION_S || now_s < known.again_s)
        {
            return Ok(Arc::clone(&row.client_id));
        }
        if row.is_none() && now_s < known.again_s {
            return Err(TieredError::NotAgainYet);
        }
        let registered = self.register_at(idp, community).await;
        match (registered, row) {
            (Ok(client_id), _) => {
                let row = Row { client_id, since_s: now_s };
                let (table, encoded) = (Arc::clone(&self.idps.table), row.encode());
                on_disk(move || table.put(&row_key, &encoded)).await?;
                Ok(row.client_id)
            }
            (Err(why), Some(row)) => {
                known.again_s = now_s + limits::IDP_REGISTRATION_AGAIN_S;
                tracing::warn!(%why, idp = idp.base_url, "a registration could not be made anew; the old one is used");
                Ok(row.client_id)
            }
            (Err(why), None) => {
                known.again_s = now_s + limits::JWKS_FAILURE_S;
                Err(why)
            }
        }
    }

    async fn register_at(&self, idp: &Idp, community: &Community) -> Result<Arc<str>, TieredError> {
        let ours = self.idps.ours(self)?;
        let claims = ours.statement(idp, &random::name()?, self.now().unix_seconds());
        let statement = x5c::sign(&community.key, &community.chain, &claims)?;
        let body = Secret::new(tiered::registration(&statement).to_string());
        let message = Message { url: &idp.register, media_type: "application/json", body: &body };
        let said = self.idps.fetch.send(message).await.map_err(|why| TieredError::Fetch("registration", why))?;
        match said.status {
            200 | 201 => Ok(tiered::registered(&said.body)?.into()),
            status => Err(TieredError::Registration(status)),
        }
    }

    /// Who came back from a provider with this answer (the query of the URL). `max_age_s`: they proved it within this
    /// time.
    pub(crate) async fn person_of_idp(
        &self,
        begun: &Begun,
        query: &[u8],
        max_age_s: Option<u32>,
    ) -> Result<(Person, Ready), TieredError> {
        let code = begun.code_of_idp(query)?;
        let ready = self.idp(&begun.issuer).await?;
        let Ready { idp, community, client_id } = &ready;
        let _waiting = self.idps.places.try_acquire().map_err(|_| TieredError::Busy)?;
        let claims = tiered::proof(client_id, idp, &random::name()?, self.now().unix_seconds());
        let proof = x5c::sign(&community.key, &community.chain, &claims)?;
        let form = begun.redemption_at_idp(&code, &self.idps.redirect_uri, &proof);
        let message = Message { url: &idp.token, media_type: FORM, body: &form };
        let said = self.idps.fetch.send(message).await.map_err(|why| TieredError::Fetch("token", why))?;
        if said.status != 200 {
            if !tiered::is_unknown_client(&said.body) {
                return Err(TieredError::Token(said.status));
            }
            let (table, row_key) = (Arc::clone(&self.idps.table), key(community, idp));
            on_disk(move || table.remove_all(&[row_key])).await?;
            return Err(TieredError::UnknownClient);
        }
        let id_token = id_token_of(&said.body)?;
        let signed = Signed::parse(id_token.expose())?;
        let leaf = leaf(signed.x5c(), "its id token")?;
        let now_s = self.now().unix_seconds();
        let person = begun.person_of_idp(&signed, leaf.key(), client_id, max_age_s, now_s)?;
        self.trust.vouched(community, signed.x5c(), &idp.base_url).await?;
        Ok((person, ready))
    }
}

#[cfg(test)]
mod tests;
