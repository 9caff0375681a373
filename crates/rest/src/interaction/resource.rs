//! What reads and writes of one resource share: the reply of a version, the resource of a body.

use super::{
    Call,
    targets::{Entries, Targets},
};
use crate::{
    body::Content,
    failure::Failure,
    labels::{self, Write},
    outcome::Success,
    route::Conditions,
    wire::{MediaType, Reply, Tags},
};
use bytes::Bytes;
use fhir::{
    LogicalId, ResourceType,
    issue::{self, Issue, IssueType},
    json::{Kind, Tree},
};
use search::query::parameter_name;
use store::Found;
use validation::{Options, Validated};

/// A version as it leaves: its bytes, or 304 when the client's copy is this very version.
///
/// Row F10: the version was read under a permit before its tag is compared.
pub(super) fn reply(found: Found, conditions: &Conditions) -> Result<Reply, Failure> {
    let unchanged = match (&conditions.if_none_match, conditions.if_modified_since_s) {
        (Some(Tags::Any), _) => true,
        (Some(Tags::Versions(versions)), _) => versions.contains(&found.version),
        (None, Some(since_s)) => found.last_updated.unix_seconds() <= since_s,
        (None, None) => false,
    };
    Ok(Reply {
        success: if unchanged { Success::NotModified } else { Success::Ok },
        etag: Some(found.version),
        last_modified: Some(found.last_updated),
        location: None,
        body: if unchanged { Bytes::new() } else { found.json.into_bytes()? },
        media: MediaType::Json,
    })
}

/// Refuses parameters of an interaction that has none; under `handling=lenient` they are ignored.
pub(super) fn no_parameters(call: &Call<'_>) -> Result<(), Failure> {
    let names = call.asked.query.split('&').filter(|pair| !pair.is_empty());
    let unknown: Vec<Issue> = names.map(|pair| unknown_parameter(pair.split('=').next().unwrap_or_default())).collect();
    if unknown.is_empty() || call.asked.prefer.lenient { Ok(()) } else { Err(Failure::Request(unknown)) }
}

/// The issue that names a parameter which the interaction does not have.
pub(super) fn unknown_parameter(name: &str) -> Issue {
    match parameter_name(name) {
        Some(name) => {
            let text = format!("this interaction has no parameter '{name}'");
            Issue::error(IssueType::NotSupported, text).at(name)
        }
        None => Issue::error(IssueType::NotSupported, "this interaction has no such parameter").at(issue::URL),
    }
}

/// A resource that may be stored.
pub(super) struct Checked {
    pub(super) resource: Validated,
    /// Worth knowing, and no reason to refuse it.
    pub(super) warnings: Vec<Issue>,
    /// Something that it refers to was not found: the answer must not tell by its time whether it is hidden.
    pub(super) missed: bool,
}

/// The resource of a body: of the type that the URL names, and valid.
pub(super) async fn validated(
    call: &Call<'_>,
    kind: ResourceType,
    id: Option<&LogicalId>,
    content: Content,
) -> Result<Checked, Failure> {
    let bytes = content.bytes();
    let work = || {
        let tree = content.into_json()?;
        same_type(&tree, kind)?;
        if let Some(id) = id {
            same_id(&tree, id)?;
        }
        validate(call, kind, tree, None, id)
    };
    call.service.aside.run(bytes, work).await
}

/// The proof that a resource keeps the rules of R4, of the profiles that it claims and of those that are
/// required of its type; or every rule that it breaks. `entries`: what a transaction writes beside it; `updates`: the id
/// of what it takes the place of. It gets the labels that it must have ([`crate::labels`]).
pub(super) fn validate(
    call: &Call<'_>,
    kind: ResourceType,
    tree: Tree,
    entries: Option<&Entries>,
    updates: Option<&LogicalId>,
) -> Result<Checked, Failure> {
    let targets = Targets::new(call, entries);
    let before = match updates {
        Some(id) => targets.snapshot().to_change(&call.permit, kind, id, labels::kept(call))?,
        None => None,
    };
    let before = before.and_then(super::canonical::tree);
    let write = if updates.is_some() { Write::Update(before.as_ref()) } else { Write::Create };
    let (tree, noted) = labels::completed(call, kind, tree, write)?;
    let mut checked = proven(call, kind, tree, &targets)?;
    checked.warnings.extend(noted);
    Ok(checked)
}

/// The proof of a resource that has its labels.
pub(super) fn proven(
    call: &Call<'_>,
    kind: ResourceType,
    tree: Tree,
    targets: &Targets<'_>,
) -> Result<Checked, Failure> {
    let checks = &call.service.parts.checks;
    let options = Options {
        profiles: &checks.required_of(kind),
        unknown_profile: checks.unknown_profile,
        target_profiles: checks.target_profiles,
        resolver: Some(targets),
        ..Options::default()
    };
    let outcome = (checks.validator)().validate_with(tree, Some(kind), &options);
    let (resource, warnings) = outcome.map_err(|invalid| Failure::Invalid(invalid.issues))?;
    Ok(Checked { resource, warnings, missed: targets.missed() })
}

/// An entry that writes without a resource.
pub(super) fn missing_resource() -> Failure {
    Failure::content(Issue::error(IssueType::Required, "this entry needs a resource").at("resource"))
}

/// SPEC: R4 http.html#create: the type of the resource is that of the URL.
pub(super) fn same_type(tree: &Tree, kind: ResourceType) -> Result<(), Failure> {
    let root = tree.root();
    if root.kind() != Kind::Object {
        return Err(Failure::content(
            Issue::error(IssueType::Structure, "the body must be one JSON object, a resource")
                .at(kind.name())
                .on(root.position()),
        ));
    }
    let declared = tree.resource_type();
    if declared.as_deref() == Some(kind.name()) {
        return Ok(());
    }
    let position = root.get("resourceType").map_or(root.position(), |member| member.position());
    let issue = match declared {
        Some(_) => Issue::error(IssueType::Invalid, format!("the URL takes a {kind}, the body is another type")),
        None => Issue::error(IssueType::Required, "the body has no resourceType"),
    };
    Err(Failure::content(issue.at(format!("{kind}.resourceType")).on(position)))
}

/// SPEC: R4 http.html#update: the id in the body is that of the URL.
pub(super) fn same_id(tree: &Tree, id: &LogicalId) -> Result<(), Failure> {
    let member = tree.root().get("id");
    let kind = tree.resource_type().unwrap_or_default();
    let issue = match member.map(|member| (member.as_str(), member.position())) {
        Some((Some(own), _)) if own == id.as_str() => return Ok(()),
        Some((_, position)) => Issue::error(IssueType::Value, "the id in the body is not that of the URL").on(position),
        None => Issue::error(IssueType::Required, "an update needs the resource's id in the body, as in the URL"),
    };
    Err(Failure::content(issue.at(format!("{kind}.id"))))
}
