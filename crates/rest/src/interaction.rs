//! The interactions, one file each, and the call that each of them takes.
//!
//! SPEC: R4 http.html.

mod batch;
mod bundle;
mod canonical;
mod create;
mod criteria;
mod deidentified;
mod delete;
mod history_instance;
mod operation;
mod patch;
pub use operation::explain_access::{Acquaintances, View};
pub(crate) use operation::explain_access::{for_operator as explain_to_operator, imagined};
mod read;
mod resource;
mod search_compartment;
mod search_type;
mod searchset;
mod targets;
mod transaction;
mod update;
mod vread;

use crate::{
    body::Content,
    failure::Failure,
    held::Held,
    route::Asked,
    service::Service,
    trail::Trail,
    wire::{Reply, Return},
};
use audit::log::Receipt;
use bytes::Bytes;
use fhir::{
    LogicalId, ResourceType, VersionId,
    issue::{Issue, IssueType, Severity, operation_outcome},
    json::Tree,
};
use oauth::Caller;
use policy::Interaction;
use validation::Validated;

/// The search of a query string, for who explains it.
pub(crate) fn explained_query(service: &Service, kind: ResourceType, text: &str) -> Result<search::Query, Failure> {
    criteria::query(service, kind, None, text, false)
}

/// The proof of a resource with other labels, for who labels anew what is stored.
pub(crate) fn relabelled(
    call: &Call<'_>,
    kind: ResourceType,
    tree: fhir::json::Tree,
) -> Result<validation::Validated, Failure> {
    Ok(resource::proven(call, kind, tree, &targets::Targets::new(call, None))?.resource)
}

/// The proof that a resource may be stored, for what is made beside the body of a request; and whether something that
/// it refers to was not found.
pub(crate) fn check_resource(call: &Call<'_>, kind: ResourceType, tree: Tree) -> Result<(Validated, bool), Failure> {
    resource::validate(call, kind, tree, None, None).map(|checked| (checked.resource, checked.missed))
}

/// A permitted call. Its [`Permit`](policy::Permit) goes along to the store, which takes no question without one.
pub(crate) struct Call<'a> {
    pub(crate) service: &'a Service,
    pub(crate) caller: &'a Caller,
    pub(crate) asked: Asked,
    pub(crate) permit: policy::Permit,
}

/// What an interaction came to.
pub(crate) struct Answer {
    pub(crate) reply: Reply,
    pub(crate) proof: Proof,
    /// Something was looked for and not found on the way: it leaves at a step of time ([`crate::held`]).
    pub(crate) missed: bool,
}

/// Where the record of it stands.
pub(crate) enum Proof {
    /// In the trail: it is yet to be recorded.
    ToRecord,
    /// In the log: the commit took it there.
    Recorded(Receipt),
}

impl Answer {
    /// An answer whose trail is yet to be recorded.
    fn read(reply: Reply) -> Self {
        Self { reply, proof: Proof::ToRecord, missed: false }
    }
}

/// Does what was asked and permitted. `held`: taken when the answer need not be held any more.
pub(crate) async fn perform(
    mut call: Call<'_>,
    content: Content,
    trail: &mut Trail,
    held: &mut Option<Held>,
) -> Result<Answer, Failure> {
    match call.asked.interaction {
        Interaction::Batch | Interaction::Transaction => bundle::perform(call, content, trail).await,
        Interaction::SearchType(_) | Interaction::SearchCompartment(..) if held.is_some() => {
            let (patient, kind) = match std::mem::replace(&mut call.asked.interaction, Interaction::Capabilities) {
                Interaction::SearchCompartment(patient, kind) => (Some(patient), kind),
                Interaction::SearchType(kind) => (None, kind),
                _ => return Err(Failure::UnknownPath),
            };
            let found = search_type::find(&call, kind, patient, content, trail)?;
            // What is done after the step looks at nothing that is hidden; what is not written yet takes no memory, and
            // what was just written is sent sooner.
            if let Some(moment) = held.and_then(|held| held.until(true)) {
                (call.service.parts.rest_until)(moment).await;
            }
            let answer = search_type::write(&call, &found)?;
            *held = None;
            Ok(answer)
        }
        _ => perform_one(call, content, trail).await,
    }
}

/// Does one interaction: also an entry of a batch, so that a bundle is none of them.
pub(crate) async fn perform_one(mut call: Call<'_>, content: Content, trail: &mut Trail) -> Result<Answer, Failure> {
    match std::mem::replace(&mut call.asked.interaction, Interaction::Capabilities) {
        Interaction::Capabilities => Ok(Answer::read(Reply::document(call.service.capabilities()))),
        Interaction::Read(kind, id) => read::perform(&call, kind, &id, trail),
        Interaction::Vread(kind, id, version) => vread::perform(&call, kind, &id, version, trail),
        Interaction::HistoryInstance(kind, id) => history_instance::perform(&call, kind, &id, trail),
        Interaction::SearchType(kind) => search_type::perform(&call, kind, None, content, trail),
        Interaction::SearchCompartment(patient, kind) => {
            search_compartment::perform(&call, patient, kind, content, trail)
        }
        Interaction::Create(kind) | Interaction::ConditionalCreate(kind) => {
            create::perform(call, kind, content, trail).await
        }
        Interaction::Update(kind, id) => update::perform(call, kind, id, content, trail).await,
        Interaction::Patch(kind, id) => patch::perform(call, kind, id, content, trail).await,
        Interaction::Delete(kind, id) => delete::perform(call, kind, id, trail).await,
        Interaction::Validate(kind, id) => {
            // Of a stored resource it is not known how large it is.
            let bytes = if matches!(content, Content::Nothing) { usize::MAX } else { content.bytes() };
            let work = || operation::validate::perform(&call, kind, id.as_ref(), content, trail);
            call.service.aside.run(bytes, work).await
        }
        Interaction::Relabel(kind, id, adds) => {
            operation::relabel::perform(&call, kind, &id, adds, content, trail).await
        }
        Interaction::Terminology(kind, id, name) => {
            operation::terminology::perform(&call, kind, id.as_ref(), name, content, trail)
        }
        Interaction::KAnonymity(kind) => {
            // It is not known how many there are.
            let work = || operation::k_anonymity::perform(&call, kind, trail);
            call.service.aside.run(usize::MAX, work).await
        }
        Interaction::VerifySignature(kind, id) => {
            operation::verify_signature::perform(&call, kind, &id, content, trail).await
        }
        Interaction::Rules(act) => {
            // It waits for the disk, and tries each caller whom the server knows.
            let work = || operation::policy_change::perform(&call, act, content, trail);
            call.service.aside.run(usize::MAX, work).await
        }
        Interaction::ExplainAccess(kind, id) => operation::explain_access::perform(&call, kind, &id, content, trail),
        Interaction::AccessReport(patient) => operation::access_report::perform(&call, &patient),
        Interaction::Batch | Interaction::Transaction => Err(Failure::UnknownPath),
    }
}

/// What a write answers with, as `Prefer: return=` asks. SPEC: R4 http.html#ops. Warnings are in the way of
/// nobody who did not ask for them.
fn written(returns: Option<Return>, stored: Bytes, done: &'static str, warnings: &[Issue]) -> Bytes {
    match returns {
        Some(Return::Minimal) => Bytes::new(),
        None | Some(Return::Representation) => stored,
        Some(Return::OperationOutcome) => outcome_of(done, warnings),
    }
}

/// An OperationOutcome that says that it was done, and what else is worth knowing.
fn outcome_of(done: &'static str, warnings: &[Issue]) -> Bytes {
    let mut issues = vec![information(done)];
    issues.extend_from_slice(warnings);
    operation_outcome(&issues).into()
}

/// An issue that is none.
fn information(text: &'static str) -> Issue {
    Issue { severity: Severity::Information, ..Issue::error(IssueType::Informational, text) }
}

/// `[base]/Patient/1/_history/2`
fn location(base_url: &str, kind: ResourceType, id: &LogicalId, version: VersionId) -> String {
    format!("{base_url}/{kind}/{id}/_history/{version}")
}
