//! `POST [base]`: a Bundle of interactions. What batch and transaction share: the Bundle's own
//! form, a decision for each entry, the entries of the answer. SPEC: R4 http.html#transaction.

use super::{Answer, Call, batch, transaction};
use crate::{
    body::Content,
    failure::Failure,
    labels::Mark,
    limits,
    outcome::{Mapped, status_line},
    route::{self, Asked},
    service::Service,
    shadow::Glimpse,
    trail::Trail,
    wire::{Method, Prefer, Reply, Return, etag},
};
use fhir::{
    bundle::Entry,
    issue::{Issue, IssueType, write_operation_outcome},
    json::{Kind, Tree, Writer},
};
use policy::{Interaction, Permit};

/// A batch or a transaction, as `Bundle.type` says: the URL does not tell.
pub(super) async fn perform(mut call: Call<'_>, content: Content, trail: &mut Trail) -> Result<Answer, Failure> {
    let tree = content.into_json()?;
    let interaction = form(&tree)?;
    trail.interaction(&interaction);
    call.permit = call.service.decide(call.caller, &interaction)?;
    match interaction {
        Interaction::Batch => batch::perform(&call, &tree, trail).await,
        _ => transaction::perform(&call, &tree, trail).await,
    }
}

/// Checks that it is a Bundle of one of the two types, with entries that can be looked at.
fn form(tree: &Tree) -> Result<Interaction, Failure> {
    let root = tree.root();
    if tree.resource_type().as_deref() != Some("Bundle") {
        let issue = Issue::error(IssueType::Invalid, "the base URL takes a Bundle of type batch or transaction");
        return Err(Failure::content(issue.at("Bundle.resourceType").on(root.position())));
    }
    let declared = root.get("type");
    let interaction = match declared.and_then(fhir::json::Value::as_str).as_deref() {
        Some("batch") => Interaction::Batch,
        Some("transaction") => Interaction::Transaction,
        _ => {
            let position = declared.map_or(root.position(), fhir::json::Value::position);
            let issue = Issue::error(IssueType::Value, "Bundle.type must be batch or transaction here");
            return Err(Failure::content(issue.at("Bundle.type").on(position)));
        }
    };
    if let Some(list) = root.get("entry") {
        if list.kind() != Kind::Array || list.items().any(|entry| entry.kind() != Kind::Object) {
            let issue = Issue::error(IssueType::Structure, "Bundle.entry is a list of objects");
            return Err(Failure::content(issue.at("Bundle.entry").on(list.position())));
        }
        if list.items().nth(limits::ENTRIES_MAX).is_some() {
            return Err(Failure::TooManyEntries(limits::ENTRIES_MAX));
        }
    }
    Ok(interaction)
}

/// An entry with what it asks for and the permit of its own (row B31).
pub(super) struct Permitted<'a> {
    pub(super) entry: Entry<'a>,
    pub(super) asked: Asked,
    pub(super) permit: Permit,
    glimpse: Option<Box<Glimpse>>,
}

impl Permitted<'_> {
    /// The trail of this entry alone. It is noted for rules in shadow, once.
    pub(super) fn trail(&mut self, of: &Trail) -> Trail {
        let mut trail = of.of_entry(method(&self.entry));
        trail.interaction(&self.asked.interaction);
        trail.glimpsed(self.glimpse.take());
        trail
    }

    /// Notes for rules in shadow that it was done.
    pub(super) fn note(&mut self, service: &Service, of: &Trail) {
        if self.glimpse.is_some() {
            self.trail(of).note(&service.shadows, None);
        }
    }
}

/// Decides one entry of a request with this trail.
pub(super) fn permit<'a>(call: &Call<'_>, entry: Entry<'a>, trail: &Trail) -> Result<Permitted<'a>, Failure> {
    let returns = Some(call.asked.prefer.returns.unwrap_or(Return::Minimal));
    let prefer = Prefer { returns, ..call.asked.prefer };
    let mut asked = route::parse_entry(call.caller, &entry, call.service.base_url(), prefer)?;
    asked.provenance.clone_from(&call.asked.provenance);
    if matches!(asked.interaction, Interaction::Rules(_)) {
        let issue = Issue::error(IssueType::NotSupported, "the facility's rules are changed by a request of its own");
        return Err(Failure::content(issue.at("request")));
    }
    let shadows = &call.service.shadows;
    let glimpse = shadows.glimpse(call.caller, &asked.interaction);
    match call.service.decide(call.caller, &asked.interaction) {
        Ok(permit) => Ok(Permitted { entry, asked, permit, glimpse }),
        Err(denied) => {
            let failure = denied.into();
            if glimpse.is_some() {
                let mut trail = trail.of_entry(method(&entry));
                trail.interaction(&asked.interaction);
                trail.glimpsed(glimpse);
                trail.note(shadows, Some(&failure));
            }
            Err(failure)
        }
    }
}

/// The method of an entry, for the record of one that could not be understood further.
pub(super) fn method(entry: &Entry<'_>) -> Method {
    entry.method.as_deref().map_or(Method::Other, Method::parse)
}

/// An entry that was done.
pub(super) fn done(w: &mut Writer, reply: &Reply, body_is_outcome: bool, mark: &mut Mark<'_>) {
    w.object(|w| {
        if !reply.body.is_empty() && !body_is_outcome {
            mark.take_answer(&reply.body);
            w.key("resource");
            w.raw(&reply.body);
        }
        w.key("response");
        w.object(|w| {
            w.member("status", &status_line(reply.success.status()));
            if let Some(location) = &reply.location {
                w.member("location", location);
            }
            if let Some(version) = reply.etag {
                w.member("etag", &etag(version));
            }
            if let Some(instant) = reply.last_modified {
                w.member("lastModified", &instant.to_string());
            }
            if !reply.body.is_empty() && body_is_outcome {
                w.key("outcome");
                w.raw(&reply.body);
            }
        });
    });
}

/// An entry that failed on its own.
pub(super) fn failed(w: &mut Writer, mapped: &Mapped) {
    w.object(|w| {
        w.key("response");
        w.object(|w| {
            w.member("status", &status_line(mapped.status));
            w.key("outcome");
            write_operation_outcome(w, &mapped.issues);
        });
    });
}

/// The answer's Bundle. `entries` writes them, in the order of the request.
pub(super) fn response(kind: &str, mark: Mark<'_>, entries: impl FnOnce(&mut Writer)) -> Reply {
    let mut list = Writer::new();
    list.array(entries);
    let list = list.into_bytes();
    let mut w = Writer::with_capacity(list.len() + 80);
    w.object(|w| {
        w.member("resourceType", "Bundle");
        w.member("type", kind);
        // R4 json.html: an array has at least one item.
        if list != b"[]" {
            w.key("entry");
            w.raw(&list);
        }
    });
    Reply::document(mark.put(w.into_bytes()))
}
