//! What is due of a request: signing in, a patient, consent. SPEC: OpenID Connect Core section 3.1.2.3; rows B23 to B28.

use super::{
    Reply, Visitor,
    pending::{PickedVisit, Waiting},
    refusal_event, rules, sign_in, way_back,
};
use crate::{
    client::{Client, check, scopes::LAUNCH_TYPES},
    launches::{LaunchError, Launched},
    outcome::page::Sent,
    page,
    people::session::Session,
};
use audit::entry::Person;
use oauth::{
    authorization_request::AuthorizationRequest,
    caller::{Role, User},
    error::ErrorCode,
    scope::{
        Scope, ScopeContext,
        offer::{Able, Line, Offer, OfferError},
        request::Special,
    },
};
use pages::{ProblemWhat, fields, paths};
use std::sync::Arc;

/// A request with everything that it needs to be decided.
pub(super) struct Due {
    pub(super) handle: String,
    pub(super) waiting: Waiting,
    pub(super) client: Arc<Client>,
    pub(super) session: Arc<Session>,
    pub(super) user: Arc<User>,
    /// Those whom a patient or caregiver may open a record of now; empty for others.
    pub(super) own: Arc<[Arc<str>]>,
    pub(super) offer: Offer,
}

impl Due {
    /// Whether a patient must be in context for what is on offer (row B24).
    pub(super) fn needs_patient(&self) -> bool {
        self.offer.lines().iter().any(|line| match line {
            Line::Resource(offered) => offered.scope.context == ScopeContext::Patient,
            // A visit is a patient's.
            Line::Special(_, Special::LaunchType { .. }) => true,
            Line::Special(..) => false,
        })
    }

    /// Whether somebody must say which visit the app shall know of (row B51). An app that was opened here has that of the
    /// launch.
    pub(super) fn needs_visit(&self) -> bool {
        let asks = |line: &Line| match line {
            Line::Special(_, Special::LaunchType { resource_type, .. }) => **resource_type == *"encounter",
            _ => false,
        };
        self.waiting.launched.is_none() && self.offer.lines().iter().any(asks)
    }

    /// What was said of a visit of the patient in context.
    pub(super) fn visit(&self) -> Option<&PickedVisit> {
        let (visit, patient) = (self.waiting.visit.as_ref()?, self.patient()?);
        let (PickedVisit::Without { patient: of } | PickedVisit::Visit { patient: of, .. }) = visit;
        (*of == patient).then_some(visit)
    }

    /// The patient in context: of the launch, the one that was picked, or the only one there is. Only of those that the
    /// person may see now (row B25): for who is bound to patients, one of them.
    pub(super) fn patient(&self) -> Option<Arc<str>> {
        if let Some(launch) = &self.waiting.launched {
            return launch.context.patient.clone();
        }
        let bound = &self.own;
        let picked = self.waiting.patient.as_ref();
        match (self.user.role, picked, &**bound) {
            // Looked up as this person when it was picked.
            (Role::Clinician, picked, _) => picked.cloned(),
            (_, Some(picked), _) if bound.contains(picked) => Some(Arc::clone(picked)),
            (_, _, [only]) => Some(Arc::clone(only)),
            _ => None,
        }
    }

    pub(super) fn request(&self) -> &AuthorizationRequest {
        &self.waiting.request
    }
}

impl Visitor<'_> {
    /// Those of whom somebody has a record of their own to open now; `None`: the store does not answer. For a caregiver
    /// the record says it, at this moment (row G13).
    async fn own_patients(&self, user: &Arc<User>) -> Option<Arc<[Arc<str>]>> {
        match user.role {
            Role::Patient => Some(Arc::clone(&user.patients)),
            Role::Caregiver => {
                let (records, user) = (Arc::clone(&self.inner.records), Arc::clone(user));
                tokio::task::spawn_blocking(move || records.cared_for(&user)).await.ok().flatten()
            }
            Role::Clinician | Role::PrivacyOfficer | Role::Administrator => Some(Arc::new([])),
        }
    }

    /// Shows what is due, or goes back to the app.
    pub(super) async fn gone_on(&self, handle: String) -> Reply {
        let due = match self.due(handle).await {
            Ok(due) => due,
            Err(reply) => return *reply,
        };
        let prompt = due.request().prompt;
        if due.needs_patient() && due.patient().is_none() {
            let can_choose = due.user.role == Role::Clinician || !due.own.is_empty();
            if !can_choose {
                return self.given_up(&due, ErrorCode::AccessDenied, "this account has no patient to choose");
            }
            if due.waiting.launched.is_some() {
                return self.given_up(&due, ErrorCode::AccessDenied, "the launch has no patient");
            }
            if prompt.none {
                return self.given_up(&due, ErrorCode::InteractionRequired, "a patient must be chosen");
            }
            return self.patient_page(&due).await;
        }
        if let Some(patient) = due.patient().filter(|_| due.needs_visit() && due.visit().is_none()) {
            if prompt.none {
                return self.given_up(&due, ErrorCode::InteractionRequired, "a visit must be chosen");
            }
            return self.visit_page(&due, &patient).await;
        }
        if let Some(granted) = self.remembered(&due).await {
            return self.let_in_again(&due, &granted).await;
        }
        if prompt.none {
            return self.given_up(&due, ErrorCode::ConsentRequired, "the person has not agreed yet");
        }
        self.consent_page(&due, false).await
    }

    /// The request behind a handle, for who is signed in; else what to answer instead.
    pub(super) async fn due(&self, handle: String) -> Result<Due, Box<Reply>> {
        let inner = self.inner;
        let now_s = inner.now().unix_seconds();
        let session = self.session.clone();
        let waiting = inner.pending.in_session(&handle, session.as_ref().map(|session| &session.hash), now_s);
        let waiting = waiting.ok_or_else(|| Box::new(self.problem(ProblemWhat::Expired, Sent::NotFound)))?;
        if let Some(refused) = &waiting.refused {
            // Recorded when it was found out.
            drop(inner.pending.take(&handle));
            return Err(Box::new(way_back::refused(inner, refused)));
        }
        let request = Arc::clone(&waiting.request);
        let client = inner.clients.client(&request.client_id).filter(|client| client.works());
        let client = client.ok_or_else(|| Box::new(self.problem(ProblemWhat::UnknownApp, Sent::NotTaken)))?;
        let mut waiting = waiting;
        if let Some(launch) = &request.launch {
            let launched = self.launched(&handle, launch, &waiting, session.as_ref(), now_s).await?;
            waiting.launched = Some(launched);
        }
        let Some(session) = session.clone().filter(|session| waiting.is_recent(session, now_s)) else {
            return Err(Box::new(self.to_sign_in(&handle, &request, session.as_deref(), now_s)));
        };
        let user = inner.persons.user(&session.account);
        let user = user.ok_or_else(|| Box::new(self.problem(ProblemWhat::AccountDisabled, Sent::Refused)))?;
        let own = self.own_patients(&user).await;
        let own = own.ok_or_else(|| Box::new(self.problem(ProblemWhat::Unavailable, Sent::Unavailable)))?;
        let enforces = |scope: &Scope| check::usable(scope, &*inner.enforceable).is_ok();
        let has_encounter = match &waiting.launched {
            Some(launch) => launch.context.encounter.is_some(),
            None => !matches!(waiting.visit, Some(PickedVisit::Without { .. })),
        };
        let able = Able {
            enforces: &enforces,
            has_fhir_user: user.fhir_user.is_some(),
            is_ehr_launch: waiting.launched.is_some(),
            launch_types: if has_encounter { &LAUNCH_TYPES } else { &LAUNCH_TYPES[..1] },
            is_tiered: rules(inner, &client).udap.is_some_and(|udap| udap.is_tiered),
        };
        let offer = Offer::of(&request.scope, &client.registered, &able);
        let due = |offer| Due { handle, waiting, client, session, user, own, offer };
        match offer {
            Ok(offer) => Ok(due(offer)),
            Err(why) => {
                let description = match why {
                    OfferError::System => "system scopes cannot be asked for on behalf of a person",
                    _ => "none of the scopes can be given to this app",
                };
                Err(Box::new(self.given_up(&due(Offer::default()), ErrorCode::InvalidScope, description)))
            }
        }
    }

    /// What the app was opened with here (row B23): taken once, in the session that it was opened in.
    async fn launched(
        &self,
        handle: &str,
        launch: &str,
        waiting: &Waiting,
        session: Option<&Arc<Session>>,
        now_s: i64,
    ) -> Result<Arc<Launched>, Box<Reply>> {
        let request = &waiting.request;
        let gone = |why: &str| {
            let mut event = refusal_event(Some(&request.client_id));
            event.detail("launch", "refused");
            Box::new(self.problem(ProblemWhat::LaunchGone, Sent::Refused).failed(event, why, "launch"))
        };
        let Some(session) = session else {
            if request.prompt.none {
                return Err(Box::new(self.to_sign_in(handle, request, None, now_s)));
            }
            return Err(gone("nobody is signed in where the launch arrived"));
        };
        if let Some(launched) = &waiting.launched {
            let is_theirs = launched.user == session.account;
            return is_theirs.then(|| Arc::clone(launched)).ok_or_else(|| gone("the launch is another person's"));
        }
        let inner = Arc::clone(self.inner);
        let (launch, client_id) = (launch.to_owned(), request.client_id.clone());
        let theirs = Arc::clone(session);
        let taken = tokio::task::spawn_blocking(move || inner.launches.take(&launch, &client_id, &theirs, now_s));
        let why = match taken.await {
            Ok(Ok(launched)) => {
                let launched = Arc::new(launched);
                self.inner.pending.launched(handle, &launched, now_s);
                return Ok(launched);
            }
            Ok(Err(why)) => why,
            Err(why) => LaunchError::Unavailable(why.to_string()),
        };
        Err(match &why {
            LaunchError::Unavailable(inner) => {
                tracing::error!(why = inner, "a launch could not be looked up");
                Box::new(self.problem(ProblemWhat::Unavailable, Sent::Unavailable))
            }
            LaunchError::OtherSession => gone(why.reason()),
            LaunchError::Unknown | LaunchError::Used | LaunchError::OtherClient => {
                drop(self.inner.pending.take(handle));
                let refused =
                    request.refused(ErrorCode::AccessDenied, "the launch is unknown, was used, or is too old");
                let event = refusal_event(Some(&request.client_id));
                Box::new(way_back::refused(self.inner, &refused).failed(event, why.reason(), "launch"))
            }
        })
    }

    /// On to the sign-in page; an app that wants none shown is told so.
    fn to_sign_in(&self, handle: &str, request: &AuthorizationRequest, session: Option<&Session>, now_s: i64) -> Reply {
        let inner = self.inner;
        if request.prompt.none {
            drop(inner.pending.take(handle));
            let refused = request.refused(ErrorCode::LoginRequired, "nobody is signed in, or not recently enough");
            let event = refusal_event(Some(&request.client_id));
            return way_back::refused(inner, &refused).failed(event, refused.description, "authorization");
        }
        inner.pending.sent_to_sign_in(handle, session.map(|session| session.hash), now_s);
        if request.idp.is_some() {
            return Reply::of(page::see_other(format!("{}?{}={handle}", paths::IDP, fields::CONTINUATION), Vec::new()));
        }
        Reply::of(page::see_other(sign_in(handle), Vec::new()))
    }

    /// Ends a request without anything given.
    pub(super) fn given_up(&self, due: &Due, code: ErrorCode, description: &'static str) -> Reply {
        drop(self.inner.pending.take(&due.handle));
        let mut event = refusal_event(Some(&due.client.id));
        event.person = Some(Person::of(&due.user));
        let refused = due.request().refused(code, description);
        way_back::refused(self.inner, &refused).failed(event, &format!("{code}: {description}"), "authorization")
    }
}
