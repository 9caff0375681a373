//! `$validate`: what this server finds in a resource, without storing it. SPEC: R4
//! resource-operation-validate.html.
//!
//! The answer is 200 with an OperationOutcome, whatever is found; another status means that the request itself
//! is broken. References are followed as far as the caller may read. `mode=delete` looks at nothing that is
//! stored: here a delete of what is absent, hidden or there gives one answer.

use super::{
    super::{Answer, Call, information, resource::same_id, targets::Targets},
    Inputs, missing, stored, wrong,
};
use crate::{
    body::Content,
    failure::Failure,
    trail::Trail,
    wire::{MediaType, Reply},
};
use bytes::Bytes;
use fhir::{
    LogicalId, ResourceType,
    issue::{Issue, IssueType, operation_outcome},
    json::{Tree, Value},
    xml,
};
use policy::{Access, Need};
use validation::{Mode, Options};

/// What the resource is looked at for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    Content,
    Create,
    Update,
    Delete,
    Profile,
}

/// Validates the resource of the request, or the stored one that the URL names.
pub(in crate::interaction) fn perform(
    call: &Call<'_>,
    kind: ResourceType,
    id: Option<&LogicalId>,
    content: Content,
    trail: &mut Trail,
) -> Result<Answer, Failure> {
    let tree = match content {
        Content::Nothing => None,
        Content::Json(tree) => Some(tree),
        Content::Form(_) | Content::JsonPatch(_) => return Err(Failure::MediaType),
        Content::Xml(bytes) => match read_xml(call, bytes)? {
            Ok(tree) => Some(tree),
            Err(issues) => return answer(call, issues, false),
        },
    };
    let is_wrapped = tree.as_ref().is_some_and(|tree| wraps(tree, kind));
    let inputs = Inputs::of(call, tree.as_ref().filter(|_| is_wrapped), &["resource", "mode", "profile"])?;
    let wanted = match inputs.text("mode")? {
        None => For::Content,
        Some("create") => For::Create,
        Some("update") => For::Update,
        Some("delete") => For::Delete,
        Some("profile") => For::Profile,
        Some(_) => return Err(wrong("mode", "is one of create, update, delete, profile")),
    };
    let profiles = inputs.texts("profile")?;
    if wanted == For::Profile && profiles.is_empty() {
        return Err(missing("profile", "mode=profile needs a profile"));
    }
    if wanted == For::Delete {
        return match id {
            Some(_) => answer(call, allowed(call, kind, Need::Delete), false),
            None => Err(wrong("mode", "is delete for a resource that the URL names")),
        };
    }
    // A resource within Parameters: its lines are counted from where it stands.
    let mut shift = (1, 1);
    let resource = match (is_wrapped, tree) {
        (false, Some(tree)) => Some(tree),
        (false, None) => None,
        (true, Some(tree)) => {
            let inner = inner(&tree);
            if let Some(inner) = inner
                && tree.position(0) == inner.to_tree().position(0)
            {
                shift = inner.position();
            }
            inner.map(Value::to_tree)
        }
        (true, None) => None,
    };
    let targets = Targets::new(call, None);
    let (tree, given) = match (resource, id) {
        (Some(tree), _) => (tree, true),
        (None, Some(id)) => (stored(call, targets.snapshot(), kind, id, trail)?, false),
        (None, None) => return Err(missing("resource", "a resource is needed")),
    };
    let checks = &call.service.parts.checks;
    let mut issues = match wanted {
        For::Create => allowed(call, kind, Need::Create),
        For::Update => allowed(call, kind, Need::Update),
        _ => Vec::new(),
    };
    if let Some(id) = id.filter(|_| given && wanted == For::Update)
        && let Err(Failure::Content(wrong)) = same_id(&tree, id)
    {
        issues.extend(wrong);
    }
    let is_write = matches!(wanted, For::Create | For::Update);
    let mut all = if is_write { checks.required_of(kind) } else { Vec::new() };
    all.extend(profiles);
    let defaults = Options::default();
    let options = Options {
        profiles: &all,
        unknown_profile: if is_write { checks.unknown_profile } else { defaults.unknown_profile },
        mode: match wanted {
            For::Create => Mode::Create,
            For::Update => Mode::Update,
            _ => Mode::Content,
        },
        resolver: Some(&targets),
        ..defaults
    };
    let found = match (checks.validator)().validate_with(tree, Some(kind), &options) {
        Ok((_, warnings)) => warnings,
        Err(invalid) => invalid.issues,
    };
    issues.extend(found.into_iter().map(|issue| moved(issue, shift)));
    answer(call, issues, targets.missed())
}

/// Whether a body is the operation's Parameters, not the resource itself.
fn wraps(tree: &Tree, kind: ResourceType) -> bool {
    tree.resource_type().as_deref() == Some("Parameters") && (kind.name() != "Parameters" || inner(tree).is_some())
}

/// The parameter `resource`.
fn inner(tree: &Tree) -> Option<Value<'_>> {
    let all = tree.root().get("parameter").into_iter().flat_map(Value::items);
    let mut named = all.filter(|one| one.get("name").and_then(Value::as_str).as_deref() == Some("resource"));
    named.next()?.get("resource")
}

/// The issue at its place in the whole body. `at`: where the resource begins.
fn moved(mut issue: Issue, at: (u32, u32)) -> Issue {
    if let Some((line, column)) = &mut issue.position {
        if *line == 1 {
            *column += at.1 - 1;
        }
        *line += at.0 - 1;
    }
    issue
}

/// An XML body: the resource, or what keeps it from being one. XML that is none is no request.
fn read_xml(call: &Call<'_>, bytes: Bytes) -> Result<Result<Tree, Vec<Issue>>, Failure> {
    match xml::read(bytes, call.service.parts.schema) {
        Ok(tree) => Ok(Ok(tree)),
        Err(error) => {
            let is_fhir = error.faults.iter().all(|fault| fault.expression.is_some());
            let issue = |fault: xml::XmlFault| {
                let issue = Issue::error(IssueType::Structure, fault.kind.to_string()).on((fault.line, fault.column));
                Issue { expression: fault.expression, ..issue }
            };
            let issues = error.faults.into_iter().map(issue).collect();
            if is_fhir { Ok(Err(issues)) } else { Err(Failure::Content(issues)) }
        }
    }
}

/// What the caller's scopes have against it.
fn allowed(call: &Call<'_>, kind: ResourceType, need: Need) -> Vec<Issue> {
    if *call.permit.access(kind, need) != Access::Nothing {
        return Vec::new();
    }
    let text = format!("the token's scopes do not allow this on {kind}");
    vec![Issue::error(IssueType::Forbidden, text)]
}

/// The answer, in the form that was asked for.
fn answer(call: &Call<'_>, mut issues: Vec<Issue>, missed: bool) -> Result<Answer, Failure> {
    if issues.is_empty() {
        issues.push(information("all OK"));
    }
    let reply = if call.asked.media == MediaType::Xml {
        Reply { media: MediaType::Xml, ..Reply::document(outcome_xml(&issues, call)?) }
    } else {
        Reply::document(operation_outcome(&issues))
    };
    Ok(Answer { missed, ..Answer::read(reply) })
}

fn outcome_xml(issues: &[Issue], call: &Call<'_>) -> Result<Vec<u8>, Failure> {
    crate::wire::outcome_xml(issues, call.service.parts.schema).ok_or(Failure::Fault)
}
