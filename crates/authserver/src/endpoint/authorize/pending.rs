//! Authorization requests on their way through sign-in, picker and consent, each behind a handle. SPEC: RFC 6749 section
//! 4.1; rows B16, B26, F61, F66.
//!
//! In memory: a restart begins again at the app. What the browser carries is the handle alone, so nothing of a request
//! can be changed on the way. Bounded in bytes, all in all and for each address, so that who asks without end pushes out
//! nobody but their neighbours; the oldest gives way.

use crate::{launches::Launched, limits, people::session::Session, random, token::TokenHash};
use oauth::{
    authorization_request::{AuthorizationRequest, Redirected},
    launch_context::FhirContext,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What was said of a visit, for this patient.
#[derive(Clone)]
pub(crate) enum PickedVisit {
    /// The app shall know of none.
    Without {
        /// The patient in context then.
        patient: Arc<str>,
    },
    /// Of this one.
    Visit {
        /// Whose it is.
        patient: Arc<str>,
        /// Logical id of the Encounter.
        id: Arc<str>,
        /// What is in context with it.
        around: Vec<FhirContext>,
    },
}

/// How a person came by an identity provider that the app named (row D37).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vouching {
    /// Whose account here is bound to who it vouched for.
    pub(crate) account: Arc<str>,
    /// The provider's host and port.
    pub(crate) place: Arc<str>,
    /// The community whose member it is.
    pub(crate) community: Arc<str>,
}

/// A request, and how far it has come.
#[derive(Clone)]
pub(crate) struct Waiting {
    pub(crate) request: Arc<AuthorizationRequest>,
    pub(crate) was_pushed: bool,
    /// When it came, seconds.
    pub(crate) began_s: i64,
    /// The session that it goes on in. Choices of another one do not count.
    pub(crate) session: Option<[u8; 32]>,
    /// The patient that was picked in this session.
    pub(crate) patient: Option<Arc<str>>,
    /// What was said in this session of a visit.
    pub(crate) visit: Option<PickedVisit>,
    /// What the app was launched with from here, once its handle was taken.
    pub(crate) launched: Option<Arc<Launched>>,
    /// Signing in was asked for, while this session was there.
    sent_to_sign_in: Option<Option<[u8; 32]>>,
    /// The person went to the identity provider that the request names.
    is_at_idp: bool,
    /// They were sent there again, because it had forgotten us.
    is_anew: bool,
    /// What the app is told: nobody comes by that provider.
    pub(crate) refused: Option<Arc<Redirected>>,
    /// Who came back from there.
    pub(crate) vouching: Option<Arc<Vouching>>,
}

impl Waiting {
    /// One that came just now.
    pub(crate) fn new(request: AuthorizationRequest, was_pushed: bool, now_s: i64) -> Self {
        Self {
            request: Arc::new(request),
            was_pushed,
            began_s: now_s,
            session: None,
            patient: None,
            visit: None,
            launched: None,
            sent_to_sign_in: None,
            is_at_idp: false,
            is_anew: false,
            refused: None,
            vouching: None,
        }
    }

    /// Whether the person proved who they are late enough for what the app asked (`prompt=login`, `max_age`; row B26).
    pub(crate) fn is_recent(&self, session: &Session, now_s: i64) -> bool {
        // Who is to sign in elsewhere has done so for this request; how recently was looked at then.
        if self.request.idp.is_some() {
            return self.vouching.as_ref().is_some_and(|vouching| vouching.account == session.account);
        }
        // Signing in for this very request makes another session, and is always enough.
        if self.sent_to_sign_in.is_some_and(|before| before != Some(session.hash))
            && session.authenticated_at_s >= self.began_s
        {
            return true;
        }
        let prompt = self.request.prompt;
        let is_new_enough = self.request.max_age_s.is_none_or(|max_age_s| session.is_fresh(max_age_s.into(), now_s));
        !prompt.login && !prompt.select_account && is_new_enough
    }
}

struct Held {
    waiting: Waiting,
    bytes: usize,
    place: (i64, u64),
    address: u128,
}

/// Those of one address, oldest first.
#[derive(Default)]
struct OfAddress {
    places: BTreeSet<(i64, u64)>,
    bytes: usize,
}

#[derive(Default)]
struct State {
    held: HashMap<TokenHash, Held>,
    order: BTreeMap<(i64, u64), TokenHash>,
    addresses: HashMap<u128, OfAddress>,
    bytes: usize,
    count: u64,
}

impl State {
    fn remove(&mut self, hash: &TokenHash) -> Option<Waiting> {
        let held = self.held.remove(hash)?;
        self.order.remove(&held.place);
        self.bytes -= held.bytes;
        if let Some(own) = self.addresses.get_mut(&held.address) {
            own.places.remove(&held.place);
            own.bytes -= held.bytes;
            if own.places.is_empty() {
                self.addresses.remove(&held.address);
            }
        }
        Some(held.waiting)
    }

    /// Makes room: the oldest of this address when it has too many, the oldest of all when there are too many.
    fn make_room(&mut self, address: u128) {
        while let Some(own) = self.addresses.get(&address) {
            let oldest = own.places.first().copied().filter(|_| own.bytes > limits::PENDING_ADDRESS_BYTES_MAX);
            let Some(hash) = oldest.and_then(|place| self.order.get(&place).copied()) else { break };
            self.remove(&hash);
        }
        while self.bytes > limits::PENDING_BYTES_MAX {
            let Some(oldest) = self.order.values().next().copied() else { break };
            self.remove(&oldest);
        }
    }

    fn fresh(&mut self, handle: &str, now_s: i64) -> Option<&mut Waiting> {
        let held = self.held.get_mut(&TokenHash::of(handle))?;
        (now_s < held.waiting.began_s + limits::PENDING_LIFE_S).then_some(&mut held.waiting)
    }
}

/// Those that wait.
#[derive(Default)]
pub(crate) struct Pending {
    state: Mutex<State>,
}

/// What one takes beside the text of its request: the maps, and what is parsed.
const OVERHEAD_BYTES: usize = 1024;

impl Pending {
    /// Keeps one from this address, whose text had so many bytes; its handle. `None` without randomness.
    pub(crate) fn put(&self, waiting: Waiting, bytes: usize, address: u128) -> Option<String> {
        let handle = random::secret().ok()?;
        let hash = TokenHash::of(&handle);
        // What is parsed of a text takes a few times its room.
        let bytes = OVERHEAD_BYTES + 4 * bytes;
        let mut state = self.state();
        state.count += 1;
        let place = (waiting.began_s, state.count);
        state.bytes += bytes;
        state.order.insert(place, hash);
        let own = state.addresses.entry(address).or_default();
        own.places.insert(place);
        own.bytes += bytes;
        state.held.insert(hash, Held { waiting, bytes, place, address });
        state.make_room(address);
        Some(handle)
    }

    /// The request behind this handle, for the pages on the way to it.
    pub(crate) fn request(&self, handle: &str, now_s: i64) -> Option<Arc<AuthorizationRequest>> {
        self.state().fresh(handle, now_s).map(|waiting| Arc::clone(&waiting.request))
    }

    /// The one behind this handle, as it goes on in this session: one that was in another begins its choices anew.
    pub(crate) fn in_session(&self, handle: &str, session: Option<&[u8; 32]>, now_s: i64) -> Option<Waiting> {
        let mut state = self.state();
        let waiting = state.fresh(handle, now_s)?;
        if let Some(session) = session
            && waiting.session.as_ref() != Some(session)
        {
            waiting.session = Some(*session);
            (waiting.patient, waiting.visit) = (None, None);
        }
        Some(waiting.clone())
    }

    /// The person is sent to sign in, from this session or none. The first time counts: what was there then is not
    /// recent enough.
    pub(crate) fn sent_to_sign_in(&self, handle: &str, session: Option<[u8; 32]>, now_s: i64) {
        if let Some(waiting) = self.state().fresh(handle, now_s) {
            waiting.sent_to_sign_in.get_or_insert(session);
        }
    }

    /// Keeps what its launch handle stood for, which was taken just now.
    pub(crate) fn launched(&self, handle: &str, launched: &Arc<Launched>, now_s: i64) {
        if let Some(waiting) = self.state().fresh(handle, now_s) {
            waiting.launched = Some(Arc::clone(launched));
        }
    }

    /// The person goes to the identity provider.
    pub(crate) fn sent_to_idp(&self, handle: &str, now_s: i64) {
        if let Some(waiting) = self.state().fresh(handle, now_s) {
            waiting.is_at_idp = true;
        }
    }

    /// Whether they went, and did not come back yet.
    pub(crate) fn was_sent_to_idp(&self, handle: &str, now_s: i64) -> bool {
        self.state().fresh(handle, now_s).is_some_and(|waiting| waiting.is_at_idp)
    }

    /// They are to go there again, which is done once for each request.
    pub(crate) fn begins_anew(&self, handle: &str, now_s: i64) -> bool {
        let mut state = self.state();
        let Some(waiting) = state.fresh(handle, now_s) else { return false };
        waiting.is_at_idp = false;
        !std::mem::replace(&mut waiting.is_anew, true)
    }

    /// Nobody comes by the identity provider.
    pub(crate) fn refused(&self, handle: &str, refused: Redirected, now_s: i64) {
        if let Some(waiting) = self.state().fresh(handle, now_s) {
            waiting.is_at_idp = false;
            waiting.refused = Some(Arc::new(refused));
        }
    }

    /// The identity provider vouched for somebody.
    pub(crate) fn vouched(&self, handle: &str, vouching: Vouching, now_s: i64) {
        if let Some(waiting) = self.state().fresh(handle, now_s) {
            waiting.is_at_idp = false;
            waiting.vouching = Some(Arc::new(vouching));
        }
    }

    /// Picks a patient in this session; `false` when it is not this session's.
    pub(crate) fn pick(&self, handle: &str, session: &[u8; 32], patient: &str, now_s: i64) -> bool {
        let mut state = self.state();
        let Some(waiting) = state.fresh(handle, now_s) else { return false };
        if waiting.session.as_ref() != Some(session) {
            return false;
        }
        (waiting.patient, waiting.visit) = (Some(patient.into()), None);
        true
    }

    /// Keeps what was said of a visit in this session; `false` when it is not this session's.
    pub(crate) fn pick_visit(&self, handle: &str, session: &[u8; 32], visit: PickedVisit, now_s: i64) -> bool {
        let mut state = self.state();
        let Some(waiting) = state.fresh(handle, now_s) else { return false };
        if waiting.session.as_ref() != Some(session) {
            return false;
        }
        waiting.visit = Some(visit);
        true
    }

    /// Ends it: of several that would, one has it.
    pub(crate) fn take(&self, handle: &str) -> Option<Waiting> {
        self.state().remove(&TokenHash::of(handle))
    }

    /// Forgets what took too long.
    pub(crate) fn sweep(&self, now_s: i64) {
        let mut state = self.state();
        while let Some((place, hash)) = state.order.first_key_value().map(|(place, hash)| (*place, *hash)) {
            if now_s < place.0 + limits::PENDING_LIFE_S {
                break;
            }
            state.remove(&hash);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
