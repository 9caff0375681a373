//! The facts of one request as they become known, for its audit entry (rows F16 to F18).

use crate::{
    Answered,
    failure::Failure,
    outcome::Mapped,
    shadow::{Glimpse, Shadows},
    wire::{Accepted, Method},
};
use audit::{
    disclosure::Rule,
    entry::{Action, Counts, Effect, Entry, Kind, Organization, Outcome, Person, Touched},
};
use fhir::{Instant, LogicalId, ResourceType, VersionId};
use oauth::{
    Caller,
    caller::{CallerKind, Glass},
};
use policy::{Interaction, Permit, RulesAct};
use std::sync::Arc;
use store::{Found, Snapshot};

/// An audit entry in the making.
#[derive(Debug, Clone)]
pub(crate) struct Trail {
    /// Code of the interaction; `None` until it is known. It becomes `entry.subtype` at the end.
    code: Option<&'static str>,
    /// What the interaction names.
    resource_type: Option<ResourceType>,
    /// It goes to somebody outside the house, and what of that counts as a disclosure (row F21).
    outside: Option<Rule>,
    /// The caller's broken glasses, as whose record and which case; the one that a request is marked with stands in the
    /// entry.
    glasses: Vec<(Arc<str>, Arc<str>)>,
    /// What is noted of it for rules in shadow.
    glimpse: Option<Box<Glimpse>>,
    entry: Entry,
}

impl Trail {
    /// Nothing is known but where the request came from and when.
    pub(crate) fn begin(recorded: Instant, peer: &Accepted, request_id: Arc<str>) -> Self {
        Self {
            code: None,
            resource_type: None,
            outside: None,
            glasses: Vec::new(),
            glimpse: None,
            entry: Entry {
                recorded,
                kind: Kind::Rest,
                // A placeholder that costs nothing: `done` sets it.
                subtype: Arc::clone(&request_id),
                action: Action::Execute,
                outcome: Outcome::Success,
                outcome_text: None,
                client_id: None,
                token_name: None,
                person: None,
                organization: None,
                grounds: None,
                address: Some(peer.address),
                request_id,
                query: None,
                touched: Vec::new(),
                patients: Vec::new(),
            },
        }
    }

    pub(crate) fn request_id(&self) -> &Arc<str> {
        &self.entry.request_id
    }

    /// Who calls; what of it counts as a disclosure when they are somebody outside.
    pub(crate) fn caller(&mut self, caller: &Caller, disclosures: Rule) {
        let grant = caller.grant();
        let is_own = grant.is_custodian() && caller.acting().is_none();
        self.outside = (caller.kind() == CallerKind::System && !is_own).then_some(disclosures);
        self.entry.client_id = Some(Arc::clone(&grant.client_id));
        self.entry.person = grant.user.as_deref().map(|user| Box::new(Person::of(user)));
        self.entry.organization = caller.acting().map(|acting| Box::new(Organization::of(acting)));
        self.entry.grounds = None;
        // What an organization asserted stands with it; what the request made of it, here (row F48).
        if caller.acting().is_none_or(|acting| acting.b2b.purposes != caller.purposes()) {
            let purposes = caller.purposes().iter().map(|purpose| purpose.code().into()).collect();
            self.entry.grounds_mut().purposes = purposes;
        }
        let of = |glass: &Glass| (Arc::clone(&glass.patient), Arc::clone(&glass.id));
        self.glasses = caller.glasses().iter().map(of).collect();
        if let Some((_, case)) = self.glasses.first().filter(|_| caller.is_break_glass()) {
            self.entry.grounds_mut().glass = Some(Arc::clone(case));
        }
        self.entry.token_name = (!grant.token_name.is_empty()).then(|| Arc::clone(&grant.token_name));
    }

    /// What is asked for.
    pub(crate) fn interaction(&mut self, interaction: &Interaction) {
        self.code = Some(interaction.code());
        self.resource_type = interaction.resource_type();
        match interaction {
            Interaction::Read(kind, id)
            | Interaction::HistoryInstance(kind, id)
            | Interaction::Update(kind, id)
            | Interaction::Patch(kind, id)
            | Interaction::Delete(kind, id) => self.touched(*kind, id, None),
            Interaction::Validate(kind, id) => self.operation(*kind, id.as_ref(), "validate"),
            Interaction::KAnonymity(kind) => self.operation(*kind, None, "k-anonymity"),
            Interaction::ExplainAccess(kind, id) => self.operation(*kind, Some(id), "explain-access"),
            Interaction::Rules(act) => self.entry.query = Some(format!("Library/${}", act.name()).into()),
            Interaction::VerifySignature(kind, id) => self.operation(*kind, Some(id), "verify-signature"),
            Interaction::Relabel(kind, id, adds) => {
                self.operation(*kind, Some(id), if *adds { "meta-add" } else { "meta-delete" });
            }
            Interaction::Terminology(kind, id, name) => self.operation(*kind, id.as_ref(), name),
            Interaction::AccessReport(patient) => {
                // The log is read, of this patient; the report of it is told in the next one.
                self.entry.patients.push(patient.clone());
                self.entry.query = Some(format!("Patient/{patient}/$access-report").into());
            }
            Interaction::Vread(kind, id, version) => self.touched(*kind, id, Some(*version)),
            Interaction::SearchCompartment(patient, _) => self.entry.patients.push(patient.clone()),
            Interaction::Capabilities
            | Interaction::Create(_)
            | Interaction::ConditionalCreate(_)
            | Interaction::SearchType(_)
            | Interaction::Batch
            | Interaction::Transaction => {}
        }
    }

    /// An operation by its URL; what a body asks is not recorded.
    fn operation(&mut self, kind: ResourceType, id: Option<&LogicalId>, name: &str) {
        if let Some(id) = id {
            self.touched(kind, id, None);
        }
        let id = id.map(|id| format!("/{id}")).unwrap_or_default();
        self.entry.query = Some(format!("{kind}{id}/${name}").into());
    }

    /// The text of rules that it is about, by its hash.
    pub(crate) fn policy_text(&mut self, act: RulesAct, hash: &str) {
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hash {
            self.entry.query = Some(format!("Library/${}?hash={hash}", act.name()).into());
        }
    }

    /// It is noted for rules in shadow when it is answered.
    pub(crate) fn glimpsed(&mut self, glimpse: Option<Box<Glimpse>>) {
        self.glimpse = glimpse;
    }

    /// It is answered, with what was touched, or fails.
    pub(crate) fn note(&mut self, shadows: &Shadows, failure: Option<&Failure>) {
        let resources = self.entry.touched.iter().map(|one| (one.resource_type, &one.id));
        shadows.note(self.glimpse.take(), (self.entry.recorded, &self.entry.request_id), resources, failure);
    }

    pub(crate) fn address(&self) -> Option<std::net::IpAddr> {
        self.entry.address
    }

    /// The search as asked.
    pub(crate) fn query(&mut self, kind: ResourceType, query: &str) {
        self.entry.query = Some(format!("{kind}?{query}").into());
    }

    /// One resource, in place of what was noted before.
    pub(crate) fn only(&mut self, kind: ResourceType, id: &LogicalId, version: Option<VersionId>) {
        self.entry.touched.clear();
        self.touched(kind, id, version);
    }

    fn touched(&mut self, resource_type: ResourceType, id: &LogicalId, version: Option<VersionId>) {
        self.entry.touched.push(Touched { resource_type, id: id.clone(), version });
    }

    /// The one version that leaves.
    pub(crate) fn found(&mut self, found: &Found) {
        self.only(found.resource_type, &found.id, Some(found.version));
        self.entry.patients.clone_from(&found.patients);
    }

    /// The versions that leave, each patient once.
    pub(crate) fn found_all<'a>(&mut self, all: impl IntoIterator<Item = &'a Found>) {
        self.entry.touched.clear();
        for found in all {
            self.touched(found.resource_type, &found.id, Some(found.version));
            for patient in &found.patients {
                // A page is about few patients, mostly one.
                if !self.entry.patients.contains(patient) {
                    self.entry.patients.push(patient.clone());
                }
            }
        }
    }

    /// What counted in the decision: id of a consent, code of a label, name of a rule. Rows F20, G18.
    pub(crate) fn counted(&mut self, what: Counts, effect: Effect, name: &str) {
        self.entry.grounds_mut().count(what, effect, name);
    }

    /// What was asked for is not there for this caller: by which Consents, for those who look after the log (row F20).
    pub(crate) fn absent(&mut self, snapshot: &Snapshot, permit: &Permit, kind: ResourceType, id: &LogicalId) {
        if permit.is_narrowed() {
            for consent in snapshot.withheld_by(permit, kind, id).unwrap_or_default() {
                self.counted(Counts::Consent, Effect::Deny, consent.as_str());
            }
        }
    }

    /// What log lines and metrics may know. `code` as for [`Self::failed`].
    pub(crate) fn answered(&self, refused: Option<&'static str>, code: impl FnOnce() -> &'static str) -> Answered {
        Answered {
            request_id: Arc::clone(&self.entry.request_id),
            client_id: self.entry.client_id.clone(),
            interaction: self.code.unwrap_or_else(code),
            resource_type: self.resource_type,
            refused,
        }
    }

    /// The entry of something done.
    pub(crate) fn done(mut self) -> Entry {
        let code = self.code.unwrap_or("unknown");
        self.entry.subtype = code.into();
        self.entry.action = action_of(code);
        // Whether the request was marked or not.
        self.entry.mark_glass(&self.glasses);
        if self.outside.is_some_and(|rule| rule.counts(&self.entry)) {
            self.entry.grounds_mut().disclosed = true;
        }
        self.entry.settled()
    }

    /// The caller's broken glasses, for the entries of what is written: whose record that is, the commit knows.
    pub(crate) fn glasses(&self) -> Vec<(Arc<str>, Arc<str>)> {
        self.glasses.clone()
    }

    /// The entry of something refused or failed. `code`: what its head looked like, for one that
    /// came no further.
    pub(crate) fn failed(mut self, mapped: &Mapped, code: impl FnOnce() -> &'static str) -> Entry {
        self.code = Some(self.code.unwrap_or_else(code));
        self.entry.outcome =
            if mapped.status.is_server_error() { Outcome::SeriousFailure } else { Outcome::MinorFailure };
        self.entry.outcome_text = Some(mapped.reason().into());
        self.done()
    }

    /// A trail for one entry of this bundle: same caller and request, nothing touched yet.
    pub(crate) fn of_entry(&self, method: Method) -> Self {
        let code = match method {
            Method::Get => "read",
            Method::Post => "create",
            Method::Put => "update",
            Method::Delete => "delete",
            Method::Patch => "patch",
            Method::Other => "unknown",
        };
        let entry = Entry { query: None, touched: Vec::new(), patients: Vec::new(), ..self.entry.clone() };
        let glasses = self.glasses.clone();
        Self { code: Some(code), resource_type: None, outside: self.outside, glasses, glimpse: None, entry }
    }
}

/// AuditEvent.action of an interaction. SPEC: IHE BALP, row F17.
fn action_of(code: &str) -> Action {
    match code {
        "create" => Action::Create,
        "read" | "vread" | "history-instance" => Action::Read,
        "update" | "patch" => Action::Update,
        "delete" => Action::Delete,
        _ => Action::Execute,
    }
}
