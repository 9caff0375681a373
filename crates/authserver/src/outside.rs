//! An outside OpenID provider that people may sign in through: what is configured, its document and keys, and the token
//! request. SPEC: OpenID Connect Discovery section 4, Core section 3.1.3; row F60; issue 5 item 2.
//!
//! All goes out by the one guarded way ([`crate::egress`]). What comes back is `oauth::openid_provider`'s to check; whose
//! account a subject is, `people::outside`'s. Nothing here is on the way of anybody who signs in otherwise.

use crate::{
    egress::{Fetch, FetchError, Posting},
    jwks_source::{JwksSources, SourceError},
    limits,
};
use arc_swap::ArcSwapOption;
use fhir::Instant;
use oauth::{
    openid_provider::{Begun, Credentials, Expected, Person, Provider, ProviderError, id_token_of},
    secret::Secret,
};
use std::{fmt, sync::Arc};
use tokio::sync::{Mutex, Semaphore};

/// What is asked for: who it is, no more.
const SCOPE: &str = "openid";

/// The provider as the operator names it. Holds a secret: no Debug.
pub struct Outside {
    /// What people call it: on the button.
    pub name: String,
    /// Its issuer, to the letter.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Our secret there.
    pub client_secret: Secret,
}

/// Why nobody came in that way. For the log and the audit entry.
#[derive(Debug)]
pub(crate) enum OutsideError {
    /// Its document or its token endpoint does not answer.
    Fetch(&'static str, FetchError),
    /// Its keys could not be had.
    Keys(SourceError),
    /// What it said is not right.
    Provider(ProviderError),
    /// It failed a moment ago.
    NotAgainYet,
    /// So many wait for it that there is no room.
    Busy,
}

impl fmt::Display for OutsideError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(what, why) => write!(f, "OpenID provider: {what}: {why}"),
            Self::Keys(why) => write!(f, "OpenID provider: {why}"),
            Self::Provider(why) => why.fmt(f),
            Self::NotAgainYet => f.write_str("OpenID provider: not asked again yet"),
            Self::Busy => f.write_str("OpenID provider: too many wait for it"),
        }
    }
}

impl From<ProviderError> for OutsideError {
    fn from(error: ProviderError) -> Self {
        Self::Provider(error)
    }
}

/// The provider's document.
struct Copy {
    provider: Arc<Provider>,
    fresh_until_s: i64,
}

/// The provider at work.
pub(crate) struct OutsideProvider {
    told: Outside,
    redirect_uri: String,
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Fn() -> Instant + Send + Sync>,
    copy: ArcSwapOption<Copy>,
    /// Until when a failure is remembered. Held while fetching.
    failed_until_s: Mutex<i64>,
    places: Semaphore,
}

impl OutsideProvider {
    /// `issuer`: our own, before our path for the answer.
    pub(crate) fn new(
        told: Outside,
        issuer: &str,
        fetch: Arc<dyn Fetch>,
        clock: Arc<dyn Fn() -> Instant + Send + Sync>,
    ) -> Self {
        Self {
            told,
            redirect_uri: format!("{issuer}{}", pages::paths::SIGN_IN_OUTSIDE_BACK),
            fetch,
            clock,
            copy: ArcSwapOption::empty(),
            failed_until_s: Mutex::new(0),
            places: Semaphore::new(limits::OUTSIDE_AT_ONCE_MAX),
        }
    }

    /// What people call it.
    pub(crate) fn name(&self) -> &str {
        &self.told.name
    }

    /// Its issuer.
    pub(crate) fn issuer(&self) -> &str {
        &self.told.issuer
    }

    /// Where to send the browser. `prove`: the person must prove anew who they are.
    pub(crate) fn url(&self, provider: &Provider, begun: &Begun, prove: bool) -> String {
        begun.url(provider, &self.told.client_id, &self.redirect_uri, SCOPE, prove.then_some(0))
    }

    /// Its document, from a copy that still counts or fetched now. One fetches, the others wait for it.
    pub(crate) async fn provider(&self) -> Result<Arc<Provider>, OutsideError> {
        let fresh = |copy: &Arc<Copy>| self.now_s() < copy.fresh_until_s;
        if let Some(copy) = self.copy.load_full().filter(fresh) {
            return Ok(Arc::clone(&copy.provider));
        }
        let _place = self.places.try_acquire().map_err(|_| OutsideError::Busy)?;
        let mut failed_until_s = self.failed_until_s.lock().await;
        if let Some(copy) = self.copy.load_full().filter(fresh) {
            return Ok(Arc::clone(&copy.provider));
        }
        let now_s = self.now_s();
        if now_s < *failed_until_s {
            return Err(OutsideError::NotAgainYet);
        }
        // SPEC: Discovery section 4.1: a slash at the end of the issuer goes first.
        let url = format!("{}/.well-known/openid-configuration", self.told.issuer.trim_end_matches('/'));
        let read = match self.fetch.fetch(&url).await {
            Ok(fetched) => Provider::read(&fetched.body, &self.told.issuer).map_err(OutsideError::Provider),
            Err(why) => Err(OutsideError::Fetch("discovery", why)),
        };
        match read {
            Ok(provider) => {
                let provider = Arc::new(provider);
                let fresh_until_s = now_s + limits::OUTSIDE_DOCUMENT_S;
                self.copy.store(Some(Arc::new(Copy { provider: Arc::clone(&provider), fresh_until_s })));
                Ok(provider)
            }
            Err(why) => {
                *failed_until_s = self.now_s() + limits::JWKS_FAILURE_S;
                Err(why)
            }
        }
    }

    /// Who came back with this answer (the query of the URL). `max_age_s`: they proved it within this time.
    pub(crate) async fn person(
        &self,
        sources: &JwksSources,
        begun: &Begun,
        query: &[u8],
        max_age_s: Option<u32>,
    ) -> Result<Person, OutsideError> {
        let provider = self.provider().await?;
        let code = begun.answered(&provider, query)?;
        let _place = self.places.try_acquire().map_err(|_| OutsideError::Busy)?;
        let own = Credentials { client_id: &self.told.client_id, secret: &self.told.client_secret };
        let redemption = begun.redemption(&provider, &code, &self.redirect_uri, &own);
        let posting =
            Posting { url: &provider.token, form: &redemption.form, authorization: redemption.authorization.as_ref() };
        let answer = self.fetch.post(posting).await.map_err(|why| OutsideError::Fetch("token", why))?;
        let id_token = id_token_of(&answer.body)?;
        let url: Arc<str> = provider.jwks.as_str().into();
        let keys = sources.jwks(&url).await.map_err(OutsideError::Keys)?;
        let read = |keys: &oauth::jwk::Jwks| {
            let (client_id, now_s) = (self.told.client_id.as_str(), self.now_s());
            begun.person(&id_token, &Expected { provider: &provider, keys, client_id, max_age_s, now_s })
        };
        match read(keys.jwks()) {
            // Signed with a key that the copy at hand does not have: it may be new.
            Err(ProviderError::Key) => match sources.newer_than(&url, &keys).await {
                Some(keys) => Ok(read(keys.jwks())?),
                None => Err(ProviderError::Key.into()),
            },
            read => Ok(read?),
        }
    }

    fn now_s(&self) -> i64 {
        (self.clock)().unix_seconds()
    }
}
