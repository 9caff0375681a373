//! What happened, for the audit log. SPEC: rows F16, F19, F24: never a token or an assertion, only a token's name.

use crate::outcome::{self, Refusal};
use audit::{
    Entry,
    entry::{Action, Grounds, Kind, Organization, Outcome, Person, Touched},
};
use fhir::{Instant, LogicalId, ResourceType};
use oauth::caller::User;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::{net::IpAddr, sync::Arc};

/// An event in the making: filled as a request is understood.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    kind: Kind,
    subtype: &'static str,
    action: Action,
    /// The client that was authenticated.
    pub(crate) client_id: Option<Arc<str>>,
    /// The person who acted, or on whose behalf the client did.
    pub(crate) person: Option<Person>,
    /// The organization that the client acts for, and why.
    pub(crate) organization: Option<Organization>,
    /// On what grounds.
    pub(crate) grounds: Option<Grounds>,
    /// The token concerned.
    pub(crate) token_name: Option<Arc<str>>,
    /// Why it failed, more exactly than the client is told.
    pub(crate) reason: Option<String>,
    /// The same as one word, where [`outcome::word`] says less.
    pub(crate) word: Option<&'static str>,
    /// What the client is told to change, where the refusal's own text does not say.
    pub(crate) told: Option<String>,
    details: Vec<(&'static str, String)>,
    /// What was searched for, in place of details.
    query: Option<String>,
    touched: Vec<Touched>,
    /// Patients whom it is about.
    patients: Vec<LogicalId>,
}

impl Event {
    /// Of this subtype; see `audit::balp` for what they are rendered as.
    pub(crate) fn new(subtype: &'static str, action: Action) -> Self {
        Self {
            kind: Kind::Security,
            subtype,
            action,
            client_id: None,
            person: None,
            organization: None,
            grounds: None,
            token_name: None,
            reason: None,
            told: None,
            word: None,
            details: Vec::new(),
            query: None,
            touched: Vec::new(),
            patients: Vec::new(),
        }
    }

    /// A person saw these patients on a page of ours: recorded as the API records a `read` or a `search-type` (row F16).
    pub(crate) fn looked(code: &'static str, query: Option<String>, user: &User, patients: &[Arc<str>]) -> Self {
        let action = if code == "read" { Action::Read } else { Action::Execute };
        let mut event = Self { kind: Kind::Rest, query, ..Self::new(code, action) };
        event.person = Some(Person::of(user));
        event.about(patients);
        let kind = ResourceType::parse("Patient").ok();
        event.touched = event
            .patients
            .iter()
            .filter_map(|id| Some(Touched { resource_type: kind?, id: id.clone(), version: None }))
            .collect();
        event
    }

    /// It showed these, and not the patients' own resources.
    pub(crate) fn touches(&mut self, shown: impl IntoIterator<Item = (ResourceType, LogicalId)>) {
        let touched = |(resource_type, id)| Touched { resource_type, id, version: None };
        self.touched = shown.into_iter().map(touched).collect();
    }

    /// These patients are whom it is about.
    pub(crate) fn about(&mut self, patients: &[Arc<str>]) {
        self.patients = patients.iter().filter_map(|id| LogicalId::parse(id).ok()).collect();
    }

    /// Adds a detail: which client, which scopes.
    pub(crate) fn detail(&mut self, name: &'static str, value: &str) {
        // Bounded, for it may come from someone whom nobody knows.
        self.details.push((name, value.chars().take(DETAIL_CHARS_MAX).collect()));
    }

    /// Now it is another event: a refusal of what was begun.
    pub(crate) fn becomes(&mut self, subtype: &'static str) {
        self.subtype = subtype;
    }

    /// The entry.
    pub(crate) fn entry(
        self,
        refusal: Option<Refusal>,
        recorded: Instant,
        address: Option<IpAddr>,
        request_id: Arc<str>,
    ) -> Entry {
        let outcome = match refusal {
            None => Outcome::Success,
            Some(refusal) if outcome::is_fault(refusal) => Outcome::SeriousFailure,
            Some(_) => Outcome::MinorFailure,
        };
        let outcome_text = refusal.map(|refusal| {
            let code = outcome::code(refusal);
            self.reason.as_ref().map_or_else(|| code.to_string(), |reason| format!("{code}: {reason}")).into()
        });
        self.written(outcome, outcome_text, recorded, address, request_id)
    }

    /// The entry of something that ended so; the reason says why.
    pub(crate) fn ended(
        mut self,
        outcome: Outcome,
        recorded: Instant,
        address: Option<IpAddr>,
        request_id: Arc<str>,
    ) -> Entry {
        let outcome_text = self.reason.take().map(Into::into);
        self.written(outcome, outcome_text, recorded, address, request_id)
    }

    fn written(
        self,
        outcome: Outcome,
        outcome_text: Option<Arc<str>>,
        recorded: Instant,
        address: Option<IpAddr>,
        request_id: Arc<str>,
    ) -> Entry {
        let encoded = |value: &str| utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
        let details: Vec<String> =
            self.details.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        Entry {
            recorded,
            kind: self.kind,
            subtype: self.subtype.into(),
            action: self.action,
            outcome,
            outcome_text,
            client_id: self.client_id,
            token_name: self.token_name,
            person: self.person.map(Box::new),
            organization: self.organization.map(Box::new),
            grounds: self.grounds.filter(|grounds| !grounds.is_empty()).map(Box::new),
            address,
            request_id,
            query: self.query.or_else(|| (!details.is_empty()).then(|| details.join("&"))).map(Into::into),
            touched: self.touched,
            patients: self.patients,
        }
    }
}

/// Characters of a detail: all scopes of most clients.
const DETAIL_CHARS_MAX: usize = 1000;
