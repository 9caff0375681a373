//! Trust communities: their anchors, our own certificate in each, and their rules. SPEC: rows D1, D4 to D6, D9.
//!
//! A table, and a copy in memory that requests read without a lock. What cannot work is refused when it is added, with
//! words that say what to change: above all a certificate that does not have our FHIR base among its URIs to the letter,
//! for then no partner could believe what we sign.

mod checked;
mod row;

use crate::{
    event::Event,
    service::{Inner, Service},
    tables::{Table, Unavailable},
};
use arc_swap::ArcSwap;
use audit::entry::Action;
use fhir::Instant;
use oauth::{secret::Secret, sign::PrivateKey, udap::purpose::Purpose, x509::Anchors};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Which version of the guide a community's members keep to (row D24).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// 1.0: clients need no PKCE.
    Stu1,
    /// 1.1 and 2.0.
    #[default]
    Stu2,
}

impl Profile {
    /// `stu1` or `stu2`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stu1 => "stu1",
            Self::Stu2 => "stu2",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Stu1, Self::Stu2].into_iter().find(|profile| profile.as_str() == text)
    }
}

/// What counts when nobody says whether a certificate was revoked (row D9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenUnavailable {
    /// It is not believed.
    #[default]
    Refuse,
    /// It is believed, and the log says so.
    Accept,
}

impl WhenUnavailable {
    /// `refuse` or `accept`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Accept => "accept",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Refuse, Self::Accept].into_iter().find(|when| when.as_str() == text)
    }
}

/// Who agrees to a new member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Approval {
    /// Nobody: its certificate is enough.
    #[default]
    Open,
    /// The operator.
    Operator,
}

impl Approval {
    /// `open` or `operator`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Operator => "operator",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Operator].into_iter().find(|approval| approval.as_str() == text)
    }
}

/// A community as it is asked for. Holds a private key: no Debug.
#[derive(Clone)]
pub struct NewCommunity {
    /// Its URI: what partners name it by.
    pub uri: String,
    /// Its name for people; `None`: its URI.
    pub name: Option<String>,
    /// Its anchors, DER.
    pub anchors: Vec<Vec<u8>>,
    /// Our certificate in it and what leads to an anchor, DER, our own first.
    pub chain: Vec<Vec<u8>>,
    /// Our private key: PEM or a private JWK.
    pub key: Secret,
    /// Which version of the guide its members keep to.
    pub profile: Profile,
    /// What counts when nobody says whether a certificate was revoked.
    pub when_unavailable: WhenUnavailable,
    /// Purposes of use that its members may name, as codes of v3-ActReason.
    pub purposes: Vec<String>,
    /// URIs of certifications that its members must have.
    pub certifications: Vec<String>,
    /// Who agrees to a new member.
    pub approval: Approval,
    /// Registrations that it may have; `None`: [`crate::limits::COMMUNITY_REGISTRATIONS_DEFAULT`].
    pub registrations_max: Option<usize>,
    /// Whether its members may vouch for people who sign in here.
    pub identity_providers: bool,
}

/// A community. Holds a private key: its Debug is its URI.
pub struct Community {
    /// Its URI.
    pub uri: Arc<str>,
    /// Its name for people.
    pub name: String,
    /// Our certificate in it and what leads to an anchor, DER, our own first.
    pub chain: Vec<Vec<u8>>,
    /// Which version of the guide its members keep to.
    pub profile: Profile,
    /// What counts when nobody says whether a certificate was revoked.
    pub when_unavailable: WhenUnavailable,
    /// Purposes of use that its members may name.
    pub purposes: Vec<Purpose>,
    /// URIs of certifications that its members must have.
    pub certifications: Vec<String>,
    /// Who agrees to a new member.
    pub approval: Approval,
    /// Registrations that it may have.
    pub registrations_max: usize,
    /// Whether its members may vouch for people who sign in here.
    pub identity_providers: bool,
    /// When it was added.
    pub added: Instant,
    pub(crate) key: PrivateKey,
    anchors: Anchors,
}

impl fmt::Debug for Community {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Community({})", self.uri)
    }
}

impl Community {
    /// Its anchors.
    #[must_use]
    pub fn anchors(&self) -> &Anchors {
        &self.anchors
    }

    /// The first second in which our chain or its last anchor has ended, since the epoch.
    #[must_use]
    pub fn ends_s(&self) -> i64 {
        checked::ends_s(self)
    }
}

/// Why a community is not changed. The text of [`CommunityError::Invalid`] says what to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommunityError {
    /// It cannot work.
    Invalid(String),
    /// There is one of this URI.
    Exists,
    /// There is none of this URI.
    NotFound,
    /// The store or the audit log cannot take it now; the text is for the log.
    Unavailable(String),
}

impl fmt::Display for CommunityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(why) => f.write_str(why),
            Self::Exists => f.write_str("there is a community of this URI; change it, or remove it first"),
            Self::NotFound => f.write_str("no community of this URI"),
            Self::Unavailable(_) => f.write_str("the store is unavailable"),
        }
    }
}

impl std::error::Error for CommunityError {}

impl From<Unavailable> for CommunityError {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error.0)
    }
}

/// All communities.
pub(crate) struct Communities {
    table: Arc<dyn Table>,
    /// The first added first: it is the default one.
    copy: ArcSwap<Vec<Arc<Community>>>,
    writing: Mutex<()>,
}

impl Communities {
    /// Reads the table.
    pub(crate) fn open(table: Arc<dyn Table>) -> Result<Self, Unavailable> {
        let mut all = Vec::new();
        for (uri, row) in table.all()? {
            let community = row::decode(&uri, &row);
            all.push(Arc::new(community.ok_or_else(|| Unavailable("a community's row is malformed".into()))?));
        }
        Ok(Self { table, copy: ArcSwap::from_pointee(in_order(all)), writing: Mutex::new(()) })
    }

    /// All, the default one first.
    pub(crate) fn all(&self) -> Vec<Arc<Community>> {
        Vec::clone(&self.copy.load())
    }

    /// The one of this URI, to the letter.
    pub(crate) fn get(&self, uri: &str) -> Option<Arc<Community>> {
        self.copy.load().iter().find(|community| *community.uri == *uri).cloned()
    }

    /// Whether there is none: then nothing of UDAP is here (row D1).
    pub(crate) fn is_empty(&self) -> bool {
        self.copy.load().is_empty()
    }

    /// Puts one in; `record` is called when it is on stable storage and before it counts, and when that fails the change
    /// is taken back.
    fn put(
        &self,
        community: Community,
        record: impl FnOnce(&Community) -> Result<(), CommunityError>,
    ) -> Result<Arc<Community>, CommunityError> {
        let before = self.get(&community.uri);
        let key = community.uri.as_bytes();
        self.table.put(key, &encoded(&community)?)?;
        if let Err(why) = record(&community) {
            match before {
                Some(before) => self.table.put(key, &encoded(&before)?)?,
                None => self.table.remove_all(&[key.to_vec()])?,
            }
            return Err(why);
        }
        let community = Arc::new(community);
        let others = self.all().into_iter().filter(|other| other.uri != community.uri);
        self.copy.store(Arc::new(in_order(others.chain([Arc::clone(&community)]).collect())));
        Ok(community)
    }

    fn remove(
        &self,
        uri: &str,
        record: impl FnOnce(&Community) -> Result<(), CommunityError>,
    ) -> Result<(), CommunityError> {
        let gone = self.get(uri).ok_or(CommunityError::NotFound)?;
        let key = uri.as_bytes();
        self.table.remove_all(&[key.to_vec()])?;
        if let Err(why) = record(&gone) {
            self.table.put(key, &encoded(&gone)?)?;
            return Err(why);
        }
        self.copy.store(Arc::new(self.all().into_iter().filter(|other| *other.uri != *uri).collect()));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn encoded(community: &Community) -> Result<Vec<u8>, CommunityError> {
    row::encode(community).ok_or_else(|| CommunityError::Unavailable("the key cannot be written".into()))
}

fn in_order(mut all: Vec<Arc<Community>>) -> Vec<Arc<Community>> {
    all.sort_by(|one, other| (one.added, &one.uri).cmp(&(other.added, &other.uri)));
    all
}

impl Service {
    /// All trust communities, the default one first.
    #[must_use]
    pub fn communities(&self) -> Vec<Arc<Community>> {
        self.inner.communities.all()
    }

    /// Adds a trust community; recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`CommunityError`].
    pub fn add_community(&self, new: &NewCommunity) -> Result<Arc<Community>, CommunityError> {
        let communities = &self.inner.communities;
        let _guard = communities.lock();
        if communities.get(&new.uri).is_some() {
            return Err(CommunityError::Exists);
        }
        if communities.all().len() >= crate::limits::COMMUNITIES_MAX {
            let most = crate::limits::COMMUNITIES_MAX;
            return Err(CommunityError::Invalid(format!("there are {most} communities already")));
        }
        self.inner.put_community(new, self.inner.now(), "community-added", Action::Create)
    }

    /// Puts this in the place of the community of its URI, which keeps its rank; recorded. Blocks on the disk. Its
    /// clients stay; whether they still hold is asked anew.
    ///
    /// # Errors
    /// [`CommunityError`].
    pub fn set_community(&self, new: &NewCommunity) -> Result<Arc<Community>, CommunityError> {
        let communities = &self.inner.communities;
        let _guard = communities.lock();
        let added = communities.get(&new.uri).ok_or(CommunityError::NotFound)?.added;
        self.inner.put_community(new, added, "community-changed", Action::Update)
    }

    /// Removes a trust community with all its registrations, whose tokens end at once; recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`CommunityError`]. What was removed before it failed stays removed.
    pub fn remove_community(&self, uri: &str) -> Result<(), CommunityError> {
        let inner = &self.inner;
        {
            let _guard = inner.communities.lock();
            inner.communities.remove(uri, |gone| inner.community_event("community-removed", Action::Delete, gone))?;
        }
        let mut failed = None;
        for client in inner.clients.of_communities() {
            if client.kind.udap().is_some_and(|udap| *udap.community == *uri)
                && let Err(why) = self.remove_client(&client.id)
            {
                failed = Some(CommunityError::Unavailable(why.to_string()));
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

impl Inner {
    fn put_community(
        &self,
        new: &NewCommunity,
        added: Instant,
        subtype: &'static str,
        action: Action,
    ) -> Result<Arc<Community>, CommunityError> {
        let community = checked::community(new, &self.endpoints.fhir_base, added, self.now().unix_seconds())?;
        let record = |community: &Community| self.community_event(subtype, action, community);
        let community = self.communities.put(community, record)?;
        self.tending.all_due();
        Ok(community)
    }

    fn community_event(&self, subtype: &'static str, action: Action, of: &Community) -> Result<(), CommunityError> {
        let mut event = Event::new(subtype, action);
        tell(&mut event, of);
        self.operator_did(event).map_err(|why| CommunityError::Unavailable(why.to_string()))
    }
}

/// What an entry tells of a community: never its key.
fn tell(event: &mut Event, community: &Community) {
    event.detail("community", &community.uri);
    event.detail("name", &community.name);
    event.detail("profile", community.profile.as_str());
    event.detail("when_unavailable", community.when_unavailable.as_str());
    event.detail("approval", community.approval.as_str());
    event.detail("registrations_max", &community.registrations_max.to_string());
    event.detail("identity_providers", if community.identity_providers { "true" } else { "false" });
    let purposes: Vec<&str> = community.purposes.iter().map(|purpose| purpose.code()).collect();
    event.detail("purposes", &purposes.join(" "));
    for anchor in community.anchors.all() {
        event.detail("anchor", &format!("{} {}", crate::random::hex(anchor.thumbprint()), anchor.subject()));
    }
}

#[cfg(test)]
mod tests;
