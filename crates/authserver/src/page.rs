//! How a page reaches a browser: frame, language, headers, cookies. SPEC: rows A17, A18, A19, A20.
//!
//! What a page shows is `pages`'; what it is about, the endpoint's. No page has a CORS field (row A17): `door` gives
//! none, and the binary shares these paths with nobody.

pub(crate) mod facts;

use crate::{
    outcome::page::Sent,
    people::{account::Account, session::Session},
    random,
    service::Inner,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use oauth::caller::Role;
use pages::{Frame, Language, Place, Secret, Signed, Text, View, fields};
use percent_encoding::percent_decode_str;

/// The form token of signing out, which every page of somebody who is signed in has.
pub(crate) const SIGN_OUT_FORM: &str = "sign-out";

/// What of a request a page depends on.
pub(crate) struct Head {
    pub(crate) headers: HeaderMap,
    query: Vec<(String, String)>,
    pub(crate) language: Language,
    /// The language was chosen with this request.
    chooses: bool,
    /// Or before, in this browser.
    has_chosen: bool,
}

impl Head {
    /// Of a request.
    pub(crate) fn of(request: &Request<Bytes>) -> Self {
        let headers = request.headers().clone();
        let query = query(request.uri().query().unwrap_or_default());
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let chosen = query.iter().find(|(name, _)| name == fields::LANGUAGE).map(|(_, value)| value.as_str());
        let kept = crate::people::cookie::value(&headers, pages::LANGUAGE_COOKIE);
        let language = Language::choose(chosen, kept, text(header::ACCEPT_LANGUAGE));
        let chooses = chosen.and_then(Language::from_tag).is_some();
        let has_chosen = chooses || kept.and_then(Language::from_tag).is_some();
        Self { headers, query, language, chooses, has_chosen }
    }

    /// An app wishes for one of these languages (`ui_locales`, best first); the person's own choice goes before.
    pub(crate) fn wish(&mut self, tags: Option<&str>) {
        let wished = tags.unwrap_or_default().split(' ').find_map(Language::from_tag);
        if let Some(language) = wished.filter(|_| !self.has_chosen) {
            self.language = language;
        }
    }

    /// The same for another page of the same answer.
    pub(crate) fn again(&self) -> Self {
        Self { headers: self.headers.clone(), query: Vec::new(), ..*self }
    }

    /// A parameter of the query, when it is there once.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let mut found = self.query.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str());
        match (found.next(), found.next()) {
            (Some(value), None) => Some(value),
            _ => None,
        }
    }
}

/// A query as names and values; what is not properly encoded is left out.
fn query(text: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(Into::into);
    text.split('&')
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?, decoded(value)?))
        })
        .collect()
}

/// A page to be sent.
pub(crate) struct Sending<'a> {
    /// What it shows.
    pub(crate) view: View,
    /// How.
    pub(crate) sent: Sent,
    /// Whose head it has.
    pub(crate) session: Option<&'a Session>,
    /// Whether the head leads elsewhere: not in the middle of something.
    pub(crate) has_places: bool,
    /// Where its form leads in the end.
    pub(crate) redirect_uris: &'a [&'a str],
    /// What the browser is to keep.
    pub(crate) cookies: Vec<HeaderValue>,
}

impl Inner {
    /// A page as a response.
    pub(crate) fn page(&self, head: &Head, sending: Sending<'_>) -> Response<Bytes> {
        let Sending { view, sent, session, has_places, redirect_uris, cookies } = sending;
        let account = session.and_then(|session| Some((session, self.people.account(&session.account)?)));
        let person = account.map(|(session, account)| Signed {
            name: Text::new(&account.name),
            csrf: Secret::new(self.people.csrf(&session.hash, SIGN_OUT_FORM)),
            places: if has_places && session.is_complete { self.places(&account) } else { Vec::new() },
        });
        let Ok(nonce) = random::secret() else { return empty(&Sent::Unavailable) };
        let frame = Frame { facility: Text::new(&self.facility), nonce: Secret::new(nonce), person };
        let mut response = Response::new(Bytes::from(pages::page(&frame, &view, head.language)));
        *response.status_mut() = sent.status();
        let fields = response.headers_mut();
        for (name, value) in pages::headers::of_page(&frame, &view, head.language, redirect_uris) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                fields.insert(HeaderName::from_static(name), value);
            }
        }
        if head.chooses
            && let Ok(cookie) = HeaderValue::from_str(&head.language.cookie())
        {
            fields.append(header::SET_COOKIE, cookie);
        }
        for cookie in cookies {
            fields.append(header::SET_COOKIE, cookie);
        }
        sent.fields(fields);
        response
    }
}

/// On to another path of this server.
pub(crate) fn see_other(path: String, cookies: Vec<HeaderValue>) -> Response<Bytes> {
    let mut response = empty(&Sent::SeeOther(path));
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// On to an app: the address has a handle or a code in it.
pub(crate) fn to_client(url: &oauth::secret::Secret) -> Response<Bytes> {
    let mut response = empty(&Sent::ToApp);
    if let Ok(mut to) = HeaderValue::from_str(url.expose()) {
        to.set_sensitive(true);
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

/// A response without a body, that nobody may keep.
pub(crate) fn empty(sent: &Sent) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = sent.status();
    sent.fields(response.headers_mut());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A static file of the pages; `None`: there is none there.
pub(crate) fn asset(path: &str) -> Option<Response<Bytes>> {
    let asset = pages::assets::find(path)?;
    let mut response = Response::new(Bytes::from_static(asset.body.as_bytes()));
    for (name, value) in pages::headers::of_asset(&asset) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    Some(response)
}

impl Inner {
    /// Where somebody may go.
    fn places(&self, account: &Account) -> Vec<Place> {
        let places = places(account, !self.communities.is_empty()).into_iter();
        // How many wait stands beside it: somebody is told at once (row F50).
        let counted = |place| match place {
            Place::Cases(_) => Place::Cases(u32::try_from(self.glasses.waiting().len()).unwrap_or(u32::MAX)),
            place => place,
        };
        places.map(counted).collect()
    }
}

/// The same without numbers. `has_communities`: this server is a member of a trust community.
fn places(account: &Account, has_communities: bool) -> Vec<Place> {
    let of_role = match account.role {
        Role::Patient | Role::Caregiver => &[Place::Apps, Place::Choices, Place::Seen][..],
        Role::Clinician if account.may_break_glass => &[Place::Launch, Place::Emergency, Place::Apps],
        Role::Clinician => &[Place::Launch, Place::Apps],
        Role::PrivacyOfficer => &[Place::Officer, Place::Cases(0), Place::Apps],
        Role::Administrator if has_communities => &[Place::Clients, Place::Partners],
        Role::Administrator => &[Place::Clients],
    };
    let built = |place: &&Place| {
        let path = path(**place);
        crate::endpoint::account::owns(path) || crate::routes::route(path).is_some()
    };
    of_role.iter().filter(built).copied().chain([Place::Security]).collect()
}

/// Where somebody goes when nothing else waits.
pub(crate) fn home(account: &Account) -> &'static str {
    places(account, false).first().map_or(pages::paths::SECURITY, |place| path(*place))
}

fn path(place: Place) -> &'static str {
    match place {
        Place::Apps => pages::paths::APPS,
        Place::Seen => pages::paths::SEEN,
        Place::Choices => pages::paths::CHOICES,
        Place::Officer => pages::paths::OFFICER,
        Place::Security => pages::paths::SECURITY,
        Place::Launch => pages::paths::LAUNCH,
        Place::Emergency => pages::paths::EMERGENCY,
        Place::Cases(_) => pages::paths::CASES,
        Place::Clients => pages::paths::CLIENTS,
        Place::Partners => pages::paths::PARTNERS,
    }
}
