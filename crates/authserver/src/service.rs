//! The authorization server as a value: what it is made of, and what its endpoints share.
//!
//! Requests come in by `door`, the operator's acts by `operator`; `routes` has the whole table of paths.

use crate::{
    brands::{Branding, Brands},
    choices::Choices,
    client::{Client, Enforceable, invitations::Invitations, registry::Registry, secret::Pepper},
    drafts::Drafts,
    egress::Fetch,
    endpoint::{self, authorize::pending::Pending, udap_discovery::SignedParts},
    families::Families,
    glasses::{GlassRules, Glasses},
    jwks_source::JwksSources,
    keys::{Decoys, KeysError, ServerKeys},
    launches::Launches,
    ledger::Ledger,
    limits,
    live_tokens::LiveTokenTable,
    logos::Logos,
    outside::{Outside, OutsideProvider},
    people::{People, breached::ReadAt},
    persons::Persons,
    proofs::Proofs,
    rate::Buckets,
    records::{Records, Stored},
    single_use::SingleUse,
    tables::Tables,
    udap::{community::Communities, idps::Idps, tending::Tending, trust::Trust},
    used_assertions::UsedAssertions,
};
use audit::{Entry, Receipt, log};
use fhir::Instant;
use oauth::{
    bearer::{DpopFacts, LiveTokens, ProofRefused, ShownProof},
    caller::{Grant, Role, User},
    discovery::{Endpoints, Offer},
};
use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
};
use store::Store;

/// What the service is made of.
pub struct Parts {
    /// The open store: tables and audit log.
    pub store: Arc<Store>,
    /// Our own FHIR base URL, `https://HOST:PORT/fhir`, from configuration (row A24). The issuer is what stands
    /// before `/fhir`.
    pub base_url: String,
    /// The clock.
    pub clock: Arc<dyn Fn() -> Instant + Send + Sync>,
    /// The guarded outbound client ([`crate::egress::NoFetch`] for none).
    pub egress: Arc<dyn Fetch>,
    /// Whether the server can enforce a scope (its query compiles); the text says why not. Nothing else is
    /// registered or granted (row B4). `policy::enforceable` with the server's registry.
    pub enforceable: Arc<Enforceable>,
    /// What the pages and passwords of this facility are made with.
    pub facility: Facility,
}

/// What differs from facility to facility.
#[derive(Default)]
pub struct Facility {
    /// Its name, as its people know it; `None`: our host.
    pub name: Option<String>,
    /// The operator's list of breached passwords: the sorted file that Have I Been Pwned gives out.
    pub breached: Option<Arc<dyn ReadAt>>,
    /// What apps are told of it (`/brands`); `None`: nothing.
    pub brand: Option<Branding>,
    /// An OpenID provider that people may sign in through.
    pub outside: Option<Outside>,
    /// E-mail address of who runs this server: identity providers of trust communities ask for it.
    pub contact: Option<String>,
    /// Whether a trust community that nobody here knows gets no UDAP metadata, in place of those of the default one (row
    /// D5).
    pub strict_community: bool,
    /// How long a broken glass stays open, and a case unreviewed.
    pub glass: GlassRules,
}

/// Why the service does not start; an operator can act on it.
#[derive(Debug)]
pub enum StartError {
    /// The base URL is not `https://…/fhir`.
    BaseUrl,
    /// A table cannot be read, or holds what this program did not write.
    Tables(String),
    /// No key could be made.
    Keys,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BaseUrl => f.write_str("the base URL must be https://HOST[:PORT]/fhir"),
            Self::Tables(why) => write!(f, "the authorization server's tables cannot be read: {why}"),
            Self::Keys => f.write_str("no signing key could be made"),
        }
    }
}

impl std::error::Error for StartError {}

impl From<KeysError> for StartError {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Making => Self::Keys,
            KeysError::Table(why) => Self::Tables(why.0),
        }
    }
}

/// Where entries go: the store's log.
pub(crate) trait Recorder: Send + Sync {
    fn record(&self, entry: &Entry) -> Result<Receipt, log::Unavailable>;
}

impl Recorder for Store {
    fn record(&self, entry: &Entry) -> Result<Receipt, log::Unavailable> {
        self.log().record(entry)
    }
}

/// What a service stands on; [`Parts`] with the store in its parts, so that a test can take others.
pub(crate) struct Ground {
    pub(crate) tables: Tables,
    pub(crate) recorder: Arc<dyn Recorder>,
    pub(crate) records: Arc<dyn Records>,
    pub(crate) base_url: String,
    pub(crate) clock: Arc<dyn Fn() -> Instant + Send + Sync>,
    pub(crate) egress: Arc<dyn Fetch>,
    pub(crate) enforceable: Arc<Enforceable>,
    pub(crate) facility: Facility,
    /// Instead of the people of the tables.
    pub(crate) persons: Option<Arc<dyn Persons>>,
}

/// What the endpoints share.
pub(crate) struct Inner {
    pub(crate) endpoints: Endpoints,
    pub(crate) offer: Offer,
    pub(crate) brands: Option<Brands>,
    pub(crate) enforceable: Arc<Enforceable>,
    pub(crate) clients: Registry,
    pub(crate) invitations: Invitations,
    pub(crate) sources: JwksSources,
    pub(crate) logos: Arc<Logos>,
    pub(crate) tokens: LiveTokenTable,
    pub(crate) assertions: UsedAssertions,
    pub(crate) keys: ServerKeys,
    pub(crate) people: Arc<People>,
    pub(crate) facility: String,
    pub(crate) outside: Option<OutsideProvider>,
    pub(crate) decoys: Decoys,
    pub(crate) pepper: Arc<Pepper>,
    pub(crate) pending: Pending,
    pub(crate) pushed: SingleUse,
    pub(crate) codes: SingleUse,
    pub(crate) families: Families,
    pub(crate) launches: Launches,
    pub(crate) glasses: Glasses,
    /// What people typed who have to prove who they are.
    pub(crate) drafts: Drafts,
    pub(crate) communities: Communities,
    pub(crate) trust: Trust,
    pub(crate) tending: Tending,
    pub(crate) signed_parts: SignedParts,
    pub(crate) idps: Idps,
    pub(crate) strict_community: bool,
    pub(crate) proofs: Proofs,
    pub(crate) persons: Arc<dyn Persons>,
    pub(crate) client_rate: Buckets<Arc<str>>,
    pub(crate) address_rate: Buckets<u128>,
    pub(crate) registration_rate: Buckets<u128>,
    pub(crate) recorder: Arc<dyn Recorder>,
    /// The log, for pages; none where there is no store.
    pub(crate) ledger: OnceLock<Arc<Ledger>>,
    /// What patients choose to share, for pages; none where there is no store.
    pub(crate) choices: OnceLock<Arc<Choices>>,
    /// Patients, for pages.
    pub(crate) records: Arc<dyn Records>,
    clock: Arc<dyn Fn() -> Instant + Send + Sync>,
    swept_s: AtomicI64,
}

/// The authorization server.
#[derive(Clone)]
pub struct Service {
    pub(crate) inner: Arc<Inner>,
}

impl Service {
    /// Reads the tables; makes the signing keys at first start. Blocks on the disk.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn new(parts: Parts) -> Result<Self, StartError> {
        let tables = Tables::of_store(&parts.store).map_err(|why| StartError::Tables(why.to_string()))?;
        let Parts { store, base_url, clock, egress, enforceable, facility } = parts;
        let records = Arc::new(Stored { store: Arc::clone(&store), clock: Arc::clone(&clock) });
        let ledger = Ledger::new(Arc::clone(&store), Arc::clone(&clock));
        let ledger = ledger.map_err(|why| StartError::Tables(why.to_string()))?;
        let choices = Choices::new(Arc::clone(&store), Arc::clone(&clock));
        let recorder = store;
        let service = Self::of(Ground {
            tables,
            recorder,
            records,
            base_url,
            clock,
            egress,
            enforceable,
            facility,
            persons: None,
        })?;
        let _ = service.inner.ledger.set(Arc::new(ledger));
        let _ = service.inner.choices.set(Arc::new(choices));
        Ok(service)
    }

    pub(crate) fn of(ground: Ground) -> Result<Self, StartError> {
        let Ground { tables, recorder, records, base_url, clock, egress, enforceable, facility, persons } = ground;
        let endpoints = Endpoints::of_fhir_base(&base_url).ok_or(StartError::BaseUrl)?;
        let broken = |why: crate::tables::Unavailable| StartError::Tables(why.0);
        let now = clock();
        let Facility { name, breached, brand, outside, strict_community, contact, glass } = facility;
        let logo = brand.as_ref().and_then(|brand| brand.logo.clone());
        let outside =
            outside.map(|told| OutsideProvider::new(told, &endpoints.issuer, Arc::clone(&egress), Arc::clone(&clock)));
        let people = People::open(&tables, &endpoints.issuer, Arc::clone(&clock), breached).map_err(broken)?;
        let people = Arc::new(people);
        let clients = Registry::open(tables.clients).map_err(broken)?;
        let now_s = now.unix_seconds();
        let pepper = Arc::new(Pepper::open(&*tables.keys).map_err(broken)?);
        let families = Families::open(tables.families, Arc::clone(&pepper), now_s, |id| clients.works(id));
        let families = families.map_err(broken)?;
        let keep = |grant: &Grant| {
            clients.works(&grant.client_id) && grant.family.as_deref().is_none_or(|family| families.is_live(family))
        };
        let tokens = LiveTokenTable::open(tables.tokens, now_s, keep).map_err(broken)?;
        let facility = name.unwrap_or_else(|| people.passkey_host().to_owned());
        let open = |brand: Branding| Brands::open(&brand, &facility, &endpoints, &*tables.keys, now);
        let brands = brand.map(open).transpose().map_err(broken)?;
        let keys = ServerKeys::open(tables.keys, now)?;
        let mut offer = endpoint::discovery::offer(endpoints.clone(), &*enforceable);
        if let Some(brands) = &brands {
            brands.add_to(&mut offer);
        }
        let (issuer, fetch) = (endpoints.issuer.clone(), Arc::clone(&egress));
        Ok(Self {
            inner: Arc::new(Inner {
                outside,
                offer,
                brands,
                endpoints,
                enforceable,
                clients,
                invitations: Invitations::open(tables.client_invitations).map_err(broken)?,
                sources: JwksSources::new(Arc::clone(&egress), Arc::clone(&clock)),
                trust: Trust::new(Arc::clone(&egress), Arc::clone(&clock)),
                tending: Tending::default(),
                logos: Arc::new(Logos::new(egress, Arc::clone(&clock))),
                tokens,
                assertions: UsedAssertions::open(tables.assertions).map_err(broken)?,
                decoys: Decoys::new(&keys)?,
                keys,
                persons: persons.unwrap_or_else(|| Arc::clone(&people) as Arc<dyn Persons>),
                facility,
                people,
                pepper,
                pending: Pending::default(),
                pushed: SingleUse::open(tables.requests, oauth::limits::PUSHED_REQUEST_LIFE_S).map_err(broken)?,
                codes: SingleUse::open(tables.codes, oauth::limits::CODE_LIFE_S).map_err(broken)?,
                families,
                launches: Launches::open(tables.launches).map_err(broken)?,
                glasses: Glasses::open(glass, tables.glasses, tables.open_glasses, now_s).map_err(broken)?,
                drafts: Drafts::default(),
                communities: Communities::open(tables.communities).map_err(broken)?,
                idps: Idps::new(&issuer, logo, contact, fetch, tables.identity_providers),
                strict_community,
                signed_parts: SignedParts::default(),
                proofs: Proofs::new().map_err(|_| StartError::Keys)?,
                client_rate: Buckets::new(limits::CLIENT_RATE),
                address_rate: Buckets::new(limits::ADDRESS_RATE),
                registration_rate: Buckets::new(limits::REGISTRATION_RATE),
                recorder,
                records,
                ledger: OnceLock::new(),
                choices: OnceLock::new(),
                clock,
                swept_s: AtomicI64::new(now.unix_seconds()),
            }),
        })
    }

    /// All clients, oldest first.
    #[must_use]
    pub fn clients(&self) -> Vec<Arc<Client>> {
        self.inner.clients.all()
    }

    /// The client of this id.
    #[must_use]
    pub fn client(&self, id: &str) -> Option<Arc<Client>> {
        self.inner.clients.client(id)
    }

    /// Whether a registered client names this browser origin (row A13). Exact comparison.
    #[must_use]
    pub fn knows_origin(&self, origin: &str) -> bool {
        self.inner.clients.knows_origin(origin)
    }

    /// Glasses broken since the start.
    #[must_use]
    pub fn glasses_broken(&self) -> u64 {
        self.inner.glasses.broken()
    }

    /// Cases that wait for a verdict, oldest first.
    #[must_use]
    pub fn glass_cases_waiting(&self) -> Vec<Arc<crate::Case>> {
        self.inner.glasses.waiting()
    }

    /// How long a glass stays open, and within which time its case is to be reviewed.
    #[must_use]
    pub fn glass_rules(&self) -> GlassRules {
        self.inner.glasses.rules()
    }

    /// Forgets what has expired. Requests do it now and then; a timer may do it too. Blocks on the disk.
    pub fn sweep(&self) {
        self.inner.sweep();
    }
}

impl LiveTokens for Service {
    fn grant(&self, token: &str) -> Option<Arc<Grant>> {
        self.inner.grant(token)
    }

    fn proven(&self, proof: &ShownProof<'_>) -> Result<DpopFacts, ProofRefused> {
        self.inner.proven(proof)
    }

    fn signed_in_s(&self, grant: &Grant) -> Option<i64> {
        self.inner.families.signed_in_s(grant.family.as_deref()?)
    }
}

impl LiveTokens for Inner {
    fn grant(&self, token: &str) -> Option<Arc<Grant>> {
        let grant = self.tokens.grant(token)?;
        if let Some(user) = &grant.user {
            return Some(self.of_now(&grant, user));
        }
        // WHY: a token that was being made while the standing changed has the old one; none of its kind lives on.
        if self.clients.standing_of(&grant.client_id).is_some_and(|standing| standing != grant.standing) {
            return None;
        }
        // What it may act for is the register's to say, now (row F48).
        match self.clients.purposes_of(&grant.client_id) {
            None => Some(grant),
            Some(purposes) => Some(Arc::new(Grant { purposes, ..Grant::clone(&grant) })),
        }
    }

    fn proven(&self, proof: &ShownProof<'_>) -> Result<DpopFacts, ProofRefused> {
        let ShownProof { header, method, url, access_token } = *proof;
        let now_s = self.now().unix_seconds();
        match self.proofs.take(header, method, url, Some(access_token), now_s) {
            Ok(proof) => Ok(proof.facts()),
            Err(why) => Err(ProofRefused { nonce: why.wants_nonce().then(|| self.proofs.nonce(now_s)) }),
        }
    }
}

impl Inner {
    pub(crate) fn now(&self) -> Instant {
        (self.clock)()
    }

    /// The grant with the glasses of this moment, for a clinician who may break them (row F49).
    fn of_now(&self, grant: &Arc<Grant>, user: &User) -> Arc<Grant> {
        let may = user.role == Role::Clinician && self.people.account(&user.id).is_some_and(|own| own.may_break_glass);
        if !may {
            return Arc::clone(grant);
        }
        let user = User { glasses: self.glasses.of(&user.id), may_break_glass: true, ..User::clone(user) };
        Arc::new(Grant { user: Some(Arc::new(user)), ..Grant::clone(grant) })
    }

    /// Sweeps beside the request when the last time is long enough ago.
    pub(crate) fn sweep_when_due(self: &Arc<Self>) -> Option<tokio::task::JoinHandle<()>> {
        let now_s = self.now().unix_seconds();
        let last_s = self.swept_s.load(Ordering::Relaxed);
        let due = now_s - last_s >= limits::SWEEP_S;
        if !due || self.swept_s.compare_exchange(last_s, now_s, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return None;
        }
        let inner = Arc::clone(self);
        Some(tokio::task::spawn_blocking(move || inner.sweep()))
    }

    fn sweep(&self) {
        let now_s = self.now().unix_seconds();
        self.pending.sweep(now_s);
        let swept = [
            self.tokens.sweep(now_s),
            self.assertions.sweep(now_s),
            self.codes.sweep(now_s),
            self.invitations.sweep(self.now()),
            self.pushed.sweep(now_s),
            self.families.sweep(now_s),
            self.launches.sweep(now_s),
            self.glasses.sweep(now_s),
            self.people.sweep(now_s),
        ];
        for why in swept.into_iter().filter_map(Result::err) {
            tracing::warn!(%why, "what has expired could not be removed from the tables");
        }
    }
}

#[cfg(test)]
mod tests;
