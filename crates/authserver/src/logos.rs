//! Logos of apps: fetched by the guarded client alone, looked at, kept for a day and shown from here, so that no page
//! asks another host for a picture. SPEC: rows A18, B27, F60.
//!
//! Where anything is amiss there is no logo, and the page shows the app's first letter. A page never waits for one: a
//! logo that is not at hand is fetched beside the request, and there for the next page. `picture`: what is one.

mod picture;

pub(crate) use picture::Picture;

use crate::{
    client::Client,
    egress::{Fetch, FetchError},
    limits,
    page::facts,
    rate::Buckets,
    service::Inner,
};
use bytes::Bytes;
use fhir::Instant;
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use pages::{AppFacts, Literal};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Before the id of the client whose logo it is.
pub(crate) const PATH: &str = "/account/logo/";

/// Why a logo is not shown; for the log.
#[derive(Debug)]
enum LogoError {
    Fetch(FetchError),
    /// Too many bytes, not one of the kinds, or too many pixels.
    Picture,
}

impl fmt::Display for LogoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(why) => why.fmt(f),
            Self::Picture => f.write_str("it is no PNG, JPEG or GIF of a fitting size"),
        }
    }
}

/// What is known of an address.
#[derive(Clone, Default)]
struct Held {
    picture: Option<Arc<Picture>>,
    /// Until then nothing is fetched: it is good, it failed, or it is being fetched.
    quiet_until_s: i64,
}

/// All that is at hand.
pub(crate) struct Logos {
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Fn() -> Instant + Send + Sync>,
    held: Mutex<HashMap<Arc<str>, Held>>,
    rate: Buckets<()>,
}

impl Logos {
    pub(crate) fn new(fetch: Arc<dyn Fetch>, clock: Arc<dyn Fn() -> Instant + Send + Sync>) -> Self {
        Self { fetch, clock, held: Mutex::default(), rate: Buckets::new(limits::LOGO_FETCH_RATE) }
    }

    /// The logo at this address, when it is at hand. When it is not, or is old, it is fetched beside this.
    pub(crate) fn at_hand(self: &Arc<Self>, url: &Arc<str>) -> Option<Arc<Picture>> {
        let now = (self.clock)();
        let mut held = self.lock();
        let known = held.get(url).cloned().unwrap_or_default();
        let is_due = now.unix_seconds() >= known.quiet_until_s;
        let runtime = tokio::runtime::Handle::try_current();
        if let Ok(runtime) = runtime.as_ref()
            && is_due
            && self.rate.take((), now.unix_millis()).is_ok()
            && make_room(&mut held, url)
        {
            let quiet_until_s = now.unix_seconds() + limits::LOGO_FAILURE_S;
            held.insert(Arc::clone(url), Held { quiet_until_s, ..known.clone() });
            let (logos, url) = (Arc::clone(self), Arc::clone(url));
            drop(runtime.spawn(async move { logos.fetched(&url).await }));
        }
        known.picture
    }

    /// Fetches it now. What is not a good logo takes the place of one that was.
    async fn fetched(&self, url: &Arc<str>) {
        let Some(fetching) = self.fetch.picture(url) else { return };
        let fetched = fetching.await.map_err(LogoError::Fetch);
        let picture = fetched.and_then(|fetched| Picture::of(fetched.body).ok_or(LogoError::Picture));
        let life_s = if picture.is_ok() { limits::LOGO_LIFE_S } else { limits::LOGO_FAILURE_S };
        let quiet_until_s = (self.clock)().unix_seconds() + life_s;
        if let Err(why) = &picture {
            tracing::warn!(%why, "the logo of a client is not shown");
        }
        self.lock().insert(Arc::clone(url), Held { picture: picture.ok().map(Arc::new), quiet_until_s });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether there is room for this address; the one that is due first gives way.
fn make_room(held: &mut HashMap<Arc<str>, Held>, url: &Arc<str>) -> bool {
    if held.len() >= limits::LOGOS_MAX && !held.contains_key(url) {
        let oldest = held.iter().min_by_key(|(_, held)| held.quiet_until_s).map(|(url, _)| Arc::clone(url));
        oldest.is_some_and(|oldest| held.remove(&oldest).is_some())
    } else {
        true
    }
}

impl Inner {
    /// What people need to know of an app, its logo when that is at hand.
    pub(crate) fn app_facts(&self, client: &Client) -> AppFacts {
        let logo = client.logo.as_ref().filter(|_| !client.disabled).and_then(|url| self.logos.at_hand(url));
        let logo = logo.map(|_| Literal::new(format!("{PATH}{}", client.id)));
        AppFacts { logo, ..facts::app(client) }
    }

    /// The logo of the client of this id, as a response; nothing is fetched for it.
    pub(crate) fn logo(&self, id: &str, headers: &HeaderMap) -> Option<Response<Bytes>> {
        let client = self.clients.client(id).filter(|client| !client.disabled)?;
        let picture = self.logos.lock().get(client.logo.as_ref()?)?.picture.clone()?;
        let known = headers.get(header::IF_NONE_MATCH).and_then(|field| field.to_str().ok());
        let is_known = known.is_some_and(|known| known.split(',').any(|tag| tag.trim() == picture.etag()));
        let mut response =
            if is_known { crate::outcome::page::not_modified() } else { Response::new(picture.bytes().clone()) };
        let fields = [
            ("content-type", picture.media_type()),
            ("etag", picture.etag()),
            ("cache-control", "private, max-age=3600"),
            // What a picture says besides, nobody reads as a page.
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "same-origin"),
        ];
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        Some(response)
    }
}

#[cfg(test)]
mod tests;
