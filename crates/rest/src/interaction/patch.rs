//! `PATCH [base]/[type]/[id]`: the next version, said as changes of the one before. JSON Patch or FHIRPath Patch; in a
//! Bundle's entry JSON Patch comes within a Binary.
//!
//! Whoever patches is told of the content by what fails and by the answer, so it needs reading as well as updating.
//! What comes of it is a write like any other: validated, with its labels, recorded. Without `If-Match`, a patch whose
//! resource changed meanwhile is made anew from the version that is there then.
//!
//! SPEC: R4 http.html#patch, fhirpatch.html; RFC 6902. Left out: XML Patch.

use super::{
    Answer, Call, Proof, location,
    resource::{self, Checked},
    update, written,
};
use crate::{
    body::Content,
    failure::{Failure, Stopped},
    labels::kept,
    limits,
    outcome::Success,
    provenance::Noted,
    route::Conditions,
    trail::Trail,
    wire::{JSON_PATCH, MediaType, Reply},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use fhir::{
    LogicalId, ResourceType, VersionId,
    issue::{Issue, IssueType},
    json::{Tree, Value},
};
use fhirpath::{Context, patch::patch};
use policy::Permit;
use std::fmt::Display;
use store::{Change, Snapshot, Transaction};

/// Stores what the patch makes of the current version.
pub(super) async fn perform(
    call: Call<'_>,
    kind: ResourceType,
    id: LogicalId,
    content: Content,
    trail: &mut Trail,
) -> Result<Answer, Failure> {
    resource::no_parameters(&call)?;
    for _ in 0..limits::PLANS_MAX {
        let work = || {
            let snapshot = call.service.snapshot();
            let seen = snapshot.read(&call.permit, kind, &id);
            seen.inspect_err(|_| trail.absent(&snapshot, &call.permit, kind, &id))?;
            let conditions = &call.asked.conditions;
            let Patched { tree, version } =
                patched(&call, &snapshot, (&call.permit, conditions), (kind, &id), &content)?;
            Ok((resource::validate(&call, kind, tree, None, Some(&id))?, version))
        };
        let (checked, version) = call.service.aside.run(usize::MAX, work).await?;
        let Checked { resource, warnings, missed } = checked;
        let (if_match, labels) = (Some(version), kept(&call));
        let change = Change::Update { id: id.clone(), resource, if_match, if_none_match_any: false, labels };
        let noted = Noted::one(&call, change, trail.clone().done(), trail)?;
        let missed = missed || noted.missed;
        let transaction = Transaction {
            changes: noted.changes,
            resolved: Vec::new(),
            audit: noted.audit,
            now: call.service.now(),
            glasses: trail.glasses(),
        };
        let committed = match call.service.parts.store.commit(transaction).await.map_err(Stopped::from) {
            Ok(committed) => committed,
            Err(Stopped::Moved | Stopped::Exists(..) | Stopped::At(_, Failure::VersionMismatch(_))) => continue,
            Err(Stopped::At(_, failure) | Stopped::Whole(failure)) => return Err(failure),
        };
        let (done, receipt) = committed.into_parts();
        let done = done.into_iter().next().ok_or(Failure::Fault)?;
        let version = done.version.unwrap_or(VersionId::FIRST);
        let reply = Reply {
            success: Success::Ok,
            etag: Some(version),
            last_modified: Some(done.last_updated),
            location: Some(location(call.service.base_url(), kind, &done.id, version)),
            body: written(call.asked.prefer.returns, done.bytes, "the resource was patched", &warnings),
            media: MediaType::Json,
        };
        return Ok(Answer { reply, proof: Proof::Recorded(receipt), missed });
    }
    Err(Failure::Conflict)
}

/// A resource after its patch.
pub(super) struct Patched {
    pub(super) tree: Tree,
    /// The version that was patched.
    pub(super) version: VersionId,
}

/// What the patch makes of the current version. The answer tells of its content: the caller must see it.
pub(super) fn patched(
    call: &Call<'_>,
    snapshot: &Snapshot,
    (permit, conditions): (&Permit, &Conditions),
    (kind, id): (ResourceType, &LogicalId),
    content: &Content,
) -> Result<Patched, Failure> {
    if conditions.if_none_match.is_some() {
        let issue = Issue::error(IssueType::NotSupported, "a patch has no If-None-Match");
        return Err(Failure::request(issue.at("http.If-None-Match")));
    }
    snapshot.read(permit, kind, id)?;
    let found = snapshot.to_change(permit, kind, id, kept(call))?.ok_or(Failure::NotFound)?;
    let version = found.version;
    if update::if_match(conditions)?.is_some_and(|wanted| wanted != version) {
        return Err(Failure::VersionMismatch(Some(version)));
    }
    let before = super::canonical::tree(found).ok_or(Failure::Fault)?;
    let bytes = match content {
        Content::JsonPatch(operations) => {
            fhir::patch::apply(before.root(), operations.root()).map_err(|error| of_json(&error))?
        }
        Content::Json(parameters) => {
            let schema = call.service.parts.schema;
            let context = Context { now: Some(call.service.now()), ..Context::default() };
            patch(&before, parameters, schema, &context).map_err(|error| of_fhirpath(&error))?
        }
        Content::Nothing | Content::Xml(_) | Content::Form(_) => return Err(Failure::MediaType),
    };
    let tree = Tree::parse(bytes)?;
    resource::same_type(&tree, kind)?;
    resource::same_id(&tree, id)?;
    Ok(Patched { tree, version })
}

/// The patch of a Bundle's entry: Parameters, or JSON Patch within a Binary. SPEC: R4 http.html#patch.
pub(super) fn of_entry(resource: Option<Value<'_>>) -> Result<Content, Failure> {
    let resource = resource.ok_or_else(resource::missing_resource)?;
    if resource.get("resourceType").and_then(Value::as_str).as_deref() != Some("Binary") {
        return Ok(Content::Json(resource.to_tree()));
    }
    let wrong = |text: &'static str, place: &str| {
        Failure::content(Issue::error(IssueType::Value, text).at(format!("Binary.{place}")).on(resource.position()))
    };
    let text = |name: &str| resource.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("contentType") != JSON_PATCH {
        return Err(wrong("a patch within a Binary is application/json-patch+json", "contentType"));
    }
    let data = BASE64_STANDARD.decode(&*text("data")).map_err(|_| wrong("not base64", "data"))?;
    Ok(Content::JsonPatch(Tree::parse(data)?))
}

fn of_json(error: &fhir::patch::PatchError) -> Failure {
    told(error.operation, error.member, &error.reason, error.reason.is_about_resource(), None)
}

fn of_fhirpath(error: &fhirpath::patch::PatchError) -> Failure {
    let place = error.operation.map(|number| match error.part {
        "" => format!("Parameters.parameter[{number}]"),
        part => format!("Parameters.parameter[{number}].part.where(name = '{part}')"),
    });
    let place = place.unwrap_or_else(|| "Parameters".to_owned());
    told(error.operation, error.part, &error.reason, error.reason.is_about_resource(), Some(place))
}

/// What is wrong with a patch is content that cannot be taken; what does not suit the resource is as invalid as the
/// resource that it would make.
fn told(
    operation: Option<usize>,
    member: &str,
    reason: &dyn Display,
    is_about_resource: bool,
    place: Option<String>,
) -> Failure {
    let text = match (operation, member) {
        (None, _) => reason.to_string(),
        (Some(number), "") => format!("operation {}: {reason}", number + 1),
        (Some(number), member) => format!("operation {}, '{member}': {reason}", number + 1),
    };
    let code = if is_about_resource { IssueType::Processing } else { IssueType::Structure };
    let issue = Issue::error(code, text);
    let issue = match place {
        Some(place) => issue.at(place),
        None => issue,
    };
    if is_about_resource { Failure::Invalid(vec![issue]) } else { Failure::content(issue) }
}
