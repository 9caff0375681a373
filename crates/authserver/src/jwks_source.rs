//! JWKS by URL: fetched when needed, kept no longer than the other side says. SPEC: row C9.
//!
//! A fresh copy is read without a lock. When there is none, one request fetches and the others of the same URL wait for
//! it. A failed fetch is not repeated for some seconds; an unknown key id makes us fetch once more, now and then.
//! Fetched are registered URLs only; how safely is the business of [`crate::egress::Fetch`].

use crate::{
    egress::{Fetch, FetchError},
    limits,
    rate::Buckets,
};
use arc_swap::ArcSwapOption;
use fhir::Instant;
use oauth::jwk::{Jwks, JwksError};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// Why a URL gave no keys. For the log and the audit entry.
#[derive(Debug, Clone)]
pub(crate) enum SourceError {
    /// The fetch failed.
    Fetch(FetchError),
    /// What came is no JWKS.
    Jwks(JwksError),
    /// It failed a moment ago, or was fetched too often.
    NotAgainYet,
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(why) => write!(f, "JWKS URL: {why}"),
            Self::Jwks(why) => write!(f, "JWKS URL: {why}"),
            Self::NotAgainYet => f.write_str("JWKS URL: not fetched again yet"),
        }
    }
}

/// A copy of a JWKS.
pub(crate) struct Copy {
    jwks: Jwks,
    fetched_s: i64,
    /// From this second on it counts no more.
    fresh_until_s: i64,
}

impl Copy {
    pub(crate) fn jwks(&self) -> &Jwks {
        &self.jwks
    }
}

#[derive(Default)]
struct Source {
    copy: ArcSwapOption<Copy>,
    /// Until when a failure is remembered. Held while fetching.
    failed_until_s: tokio::sync::Mutex<i64>,
}

/// All sources.
pub(crate) struct JwksSources {
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Fn() -> Instant + Send + Sync>,
    sources: Mutex<HashMap<Arc<str>, Arc<Source>>>,
    rate: Buckets<Arc<str>>,
}

impl JwksSources {
    pub(crate) fn new(fetch: Arc<dyn Fetch>, clock: Arc<dyn Fn() -> Instant + Send + Sync>) -> Self {
        Self { fetch, clock, sources: Mutex::new(HashMap::new()), rate: Buckets::new(limits::JWKS_FETCH_RATE) }
    }

    /// The keys at this URL, from a copy that still counts or fetched now.
    pub(crate) async fn jwks(&self, url: &Arc<str>) -> Result<Arc<Copy>, SourceError> {
        let source = self.source(url);
        if let Some(copy) = source.copy.load_full().filter(|copy| (self.clock)().unix_seconds() < copy.fresh_until_s) {
            return Ok(copy);
        }
        self.fetched(url, &source, None).await
    }

    /// The keys fetched anew, because the copy at hand does not have a key that an assertion names. `None` when that
    /// was done a moment ago.
    pub(crate) async fn newer_than(&self, url: &Arc<str>, copy: &Arc<Copy>) -> Option<Arc<Copy>> {
        if (self.clock)().unix_seconds() < copy.fetched_s + limits::JWKS_REFETCH_S {
            return None;
        }
        self.fetched(url, &self.source(url), Some(copy)).await.ok()
    }

    /// Forgets a URL that no client has any more.
    pub(crate) fn forget(&self, url: &str) {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).remove(url);
    }

    fn source(&self, url: &Arc<str>) -> Arc<Source> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(sources.entry(Arc::clone(url)).or_default())
    }

    async fn fetched(
        &self,
        url: &Arc<str>,
        source: &Source,
        older: Option<&Arc<Copy>>,
    ) -> Result<Arc<Copy>, SourceError> {
        let old = older.cloned().or_else(|| source.copy.load_full());
        let mut failed_until_s = source.failed_until_s.lock().await;
        // Someone else fetched while we waited: it was made after we asked, so it counts however short its life.
        if let Some(copy) =
            source.copy.load_full().filter(|copy| old.as_ref().is_none_or(|old| !Arc::ptr_eq(old, copy)))
        {
            return Ok(copy);
        }
        let now = (self.clock)();
        if now.unix_seconds() < *failed_until_s || self.rate.take(Arc::clone(url), now.unix_millis()).is_err() {
            return Err(SourceError::NotAgainYet);
        }
        let outcome = self.fetch.fetch(url).await;
        let now_s = (self.clock)().unix_seconds();
        let outcome = outcome.map_err(SourceError::Fetch).and_then(|fetched| {
            let jwks = Jwks::parse(&fetched.body).map_err(SourceError::Jwks)?;
            let stated_s = fetched.life_s().map(|life_s| i64::try_from(life_s).unwrap_or(i64::MAX));
            let life_s = stated_s.unwrap_or(limits::JWKS_CACHE_S_DEFAULT).min(limits::JWKS_CACHE_S_MAX);
            // WHY: counted from before the fetch, for Cache-Control speaks of when the response was made.
            let fresh_until_s = now.unix_seconds() + life_s;
            Ok(Arc::new(Copy { jwks, fetched_s: now_s, fresh_until_s }))
        });
        match &outcome {
            Ok(copy) => source.copy.store(Some(Arc::clone(copy))),
            Err(why) => {
                tracing::warn!(%why, "a client's JWKS could not be fetched");
                *failed_until_s = now_s + limits::JWKS_FAILURE_S;
            }
        }
        outcome
    }
}

#[cfg(test)]
mod tests;
