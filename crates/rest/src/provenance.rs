//! Provenance that comes into being with a write: the client's, from the header `X-Provenance`, and the server's own.
//!
//! Both are changes of the same commit, each about one version of one resource: so one that nobody may see stands beside
//! nothing that somebody may, and several patients never share one (row F28). Neither is made about a Provenance. What a
//! delete ended is named in its last version; a write that came to nothing has none.
//!
//! The server's says what it knows by itself: who asked (the person, the client, the organization behind it), when, what
//! was done, for what purpose and under which policies. The client's is taken at its word, as a Provenance that is
//! posted is: the permit for it is the client's own.
//!
//! SPEC: R4 provenance.html, http.html; rows F27, F28. Left out: signatures by the server on its own.

use crate::{failure::Failure, interaction::Call, limits, service::Service, trail::Trail, wire::Method};
use audit::Entry;
use fhir::{
    LogicalId, ResourceType, VersionId,
    issue::{Issue, IssueType},
    json::{Kind, Tree, Writer},
};
use oauth::{Caller, caller::Grant};
use policy::{Interaction, Permit};
use std::sync::Arc;
use store::{Change, transaction::Again};
use validation::{Options, Validated};

/// The place of what is wrong with the header.
const HEADER: &str = "http.X-Provenance";

const OPERATION: &str = "http://terminology.hl7.org/CodeSystem/v3-DataOperation";
const PARTICIPANT: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
const US_PARTICIPANT: &str = "http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type";
const REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

/// Notes for the changes of one commit.
#[derive(Default)]
pub(crate) struct Notes {
    /// To be put behind the changes, in order.
    pub(crate) changes: Vec<(Change, Permit)>,
    /// To be put behind the entries of the changes, in order.
    pub(crate) audit: Vec<Entry>,
    /// For each the change that it is about.
    pub(crate) of: Vec<usize>,
    /// Something that the client's refers to was not found: the answer must not tell by its time whether it is hidden.
    pub(crate) missed: bool,
}

/// What a Provenance is about: JSON with a hole for the version.
#[derive(Clone)]
struct Template {
    before: Arc<[u8]>,
    after: Arc<[u8]>,
    /// What follows version 1, when that is something else: an update that makes a resource is its creation.
    after_first: Option<Arc<[u8]>>,
}

impl Template {
    fn with(&self, version: VersionId) -> Vec<u8> {
        let after = self.after_first.as_ref().filter(|_| version == VersionId::FIRST).unwrap_or(&self.after);
        [&*self.before, version.to_string().as_bytes(), &**after].concat()
    }
}

/// One change with its notes, as a commit takes them.
pub(crate) struct Noted {
    pub(crate) changes: Vec<(Change, Permit)>,
    pub(crate) audit: Vec<Entry>,
    /// See [`Notes::missed`].
    pub(crate) missed: bool,
}

impl Noted {
    /// The one change of a call, and what the audit log says of it.
    pub(crate) fn one(call: &Call<'_>, change: Change, entry: Entry, trail: &Trail) -> Result<Self, Failure> {
        let header = call.asked.provenance.as_deref().map(read).transpose()?;
        if header.is_some() && subject(&change).0.name() == "Provenance" {
            let text = "X-Provenance goes with other resources, not with a Provenance";
            return Err(Failure::request(Issue::error(IssueType::BusinessRule, text).at(HEADER)));
        }
        let mut changes = vec![(change, call.permit.clone())];
        let notes = Notes::of(call, &changes, header.as_ref(), trail)?;
        let mut audit = vec![entry];
        changes.extend(notes.changes);
        audit.extend(notes.audit);
        Ok(Self { changes, audit, missed: notes.missed })
    }
}

impl Notes {
    /// Those that the changes of this call need: the client's with their header, the server's when it records them.
    /// `header`: of each change the client's Provenance, when it came with one.
    pub(crate) fn of(
        call: &Call<'_>,
        changes: &[(Change, Permit)],
        header: Option<&Tree>,
        trail: &Trail,
    ) -> Result<Self, Failure> {
        let records = call.service.records_provenance();
        let mut notes = Self::default();
        if !records && header.is_none() {
            return Ok(notes);
        }
        let kind = provenance()?;
        let server = records.then(|| operator(call.service, kind)).transpose()?;
        let client = header.map(|_| call.service.decide(call.caller, &Interaction::Create(kind))).transpose()?;
        for (at, (change, _)) in changes.iter().enumerate() {
            let (of_kind, id) = subject(change);
            if of_kind == kind {
                continue;
            }
            let expected = expected(call, change)?;
            if let (Some(header), Some(permit)) = (header, &client) {
                let template = pointed(header, of_kind, id)?;
                let (resource, missed) = checked(call, kind, template.with(expected))?;
                notes.missed |= missed;
                let template = again(&resource, expected).ok_or(Failure::Fault)?;
                notes.add(call, at, expected, (resource, template), permit, trail);
            }
            if let Some(permit) = &server {
                let template = made(call, change, of_kind, id);
                let resource = validated(call.service, kind, template.with(expected)).ok_or(Failure::Fault)?;
                notes.add(call, at, expected, (resource, template), permit, trail);
            }
        }
        Ok(notes)
    }

    fn add(
        &mut self,
        call: &Call<'_>,
        of: usize,
        expected: VersionId,
        (resource, template): (Validated, Template),
        permit: &Permit,
        trail: &Trail,
    ) {
        let id = call.service.new_id();
        let mut entry = trail.of_entry(Method::Post);
        entry.only(resource.resource_type(), &id, None);
        self.audit.push(entry.done());
        let kind = resource.resource_type();
        let validator = Arc::clone(&call.service.parts.checks.validator);
        // It was checked with another version number: nothing else can have changed.
        let again = Again(Arc::new(move |version| {
            let tree = Tree::parse(template.with(version)).ok()?;
            validator().validate_with(tree, Some(kind), &Options::default()).ok().map(|(resource, _)| resource)
        }));
        self.changes.push((Change::Note { id, of, expected, resource, again }, permit.clone()));
        self.of.push(of);
    }
}

/// The Provenance of a header: JSON without target. `text`: the header's value.
///
/// # Errors
/// What is wrong with it. [`Failure::Denied`] comes later, with the permit.
pub(crate) fn read(text: &str) -> Result<Tree, Failure> {
    let wrong = |code, text: &'static str| Failure::request(Issue::error(code, text).at(HEADER));
    if text.len() > limits::PROVENANCE_HEADER_BYTES_MAX {
        return Err(wrong(
            IssueType::TooLong,
            "X-Provenance is longer than this server takes; post the Provenance by itself",
        ));
    }
    let tree = Tree::parse(text.as_bytes().to_vec())
        .map_err(|_| wrong(IssueType::Structure, "X-Provenance is a Provenance in JSON, on one line and in ASCII"))?;
    if tree.root().kind() != Kind::Object || tree.resource_type().as_deref() != Some("Provenance") {
        return Err(wrong(IssueType::Invalid, "X-Provenance is a Provenance in JSON"));
    }
    if tree.root().get("target").is_some() {
        return Err(wrong(
            IssueType::BusinessRule,
            "the Provenance in X-Provenance has no target: the server puts it in",
        ));
    }
    Ok(tree)
}

fn provenance() -> Result<ResourceType, Failure> {
    ResourceType::parse("Provenance").map_err(|_| Failure::Fault)
}

/// The server's own permit: what it records of a write is not the client's to grant.
fn operator(service: &Service, kind: ResourceType) -> Result<Permit, Failure> {
    Ok(service.decide(&Caller::operator("provenance"), &Interaction::Create(kind))?)
}

fn subject(change: &Change) -> (ResourceType, &LogicalId) {
    match change {
        Change::Create { id, resource, .. }
        | Change::Update { id, resource, .. }
        | Change::Note { id, resource, .. } => (resource.resource_type(), id),
        Change::Delete { resource_type, id, .. } => (*resource_type, id),
    }
}

/// The version that a note will most likely be about. Whatever it is in the end, the commit puts it in; nobody is told
/// of a guess.
fn expected(call: &Call<'_>, change: &Change) -> Result<VersionId, Failure> {
    let (kind, id) = subject(change);
    if matches!(change, Change::Create { .. }) {
        return Ok(VersionId::FIRST);
    }
    let service = call.service;
    let permit = service.decide(&Caller::operator("provenance"), &Interaction::Read(kind, id.clone()))?;
    let current = service.snapshot().read(&permit, kind, id).ok().map(|found| found.version);
    Ok(match (change, current) {
        (_, None) => VersionId::FIRST,
        (Change::Delete { .. }, Some(current)) => current,
        (_, Some(current)) => VersionId::new(current.number().saturating_add(1)).unwrap_or(current),
    })
}

/// The client's Provenance with its target.
fn pointed(header: &Tree, kind: ResourceType, id: &LogicalId) -> Result<Template, Failure> {
    let bytes = header.bytes().trim_ascii_end();
    let before = bytes.strip_suffix(b"}").ok_or(Failure::Fault)?;
    let mut before = before.to_vec();
    before.extend_from_slice(format!(",\"target\":[{{\"reference\":\"{kind}/{id}/_history/").as_bytes());
    Ok(Template { before: before.into(), after: b"\"}]}".as_slice().into(), after_first: None })
}

/// A Provenance that was checked, with a hole for the version again: the server may have labelled it since.
fn again(resource: &Validated, version: VersionId) -> Option<Template> {
    let tree = resource.tree();
    let target = tree.root().get("target")?.items().next()?;
    let end = target.get("reference")?.span().end.checked_sub(1)?;
    let before = tree.bytes().get(..end)?.strip_suffix(version.to_string().as_bytes())?;
    Some(Template { before: before.into(), after: tree.bytes().get(end..)?.into(), after_first: None })
}

/// The client's, held to the rules that a Provenance which is posted is held to.
fn checked(call: &Call<'_>, kind: ResourceType, bytes: Vec<u8>) -> Result<(Validated, bool), Failure> {
    let checked = crate::interaction::check_resource(call, kind, Tree::parse(bytes)?);
    checked.map_err(|failure| match failure {
        Failure::Invalid(issues) => Failure::Invalid(
            issues
                .into_iter()
                .map(|mut issue| {
                    let inner = issue.expression.take().unwrap_or_default();
                    issue.position = None;
                    issue.at(format!("{HEADER} {inner}").trim_end().to_owned())
                })
                .collect(),
        ),
        other => other,
    })
}

fn validated(service: &Service, kind: ResourceType, bytes: Vec<u8>) -> Option<Validated> {
    let tree = Tree::parse(bytes).ok()?;
    let validator = (service.parts.checks.validator)();
    validator.validate_with(tree, Some(kind), &Options::default()).ok().map(|(resource, _)| resource)
}

/// What the server knows of a change by itself.
fn made(call: &Call<'_>, change: &Change, kind: ResourceType, id: &LogicalId) -> Template {
    let before = format!("{{\"resourceType\":\"Provenance\",\"target\":[{{\"reference\":\"{kind}/{id}/_history/");
    let after = |activity| Arc::from(rest(call, activity));
    let (activity, first) = match change {
        Change::Create { .. } | Change::Note { .. } => ("CREATE", None),
        Change::Update { .. } => ("UPDATE", Some("CREATE")),
        Change::Delete { .. } => ("DELETE", None),
    };
    Template { before: before.into_bytes().into(), after: after(activity), after_first: first.map(after) }
}

/// What follows the version: the end of the target, and members within the object.
fn rest(call: &Call<'_>, activity: &str) -> Vec<u8> {
    let mut w = Writer::after(b"\"}],".to_vec());
    w.member("recorded", &call.service.now().to_string());
    let caller = call.caller;
    if let Some(acting) = caller.acting() {
        w.key("policy");
        w.array(|w| {
            w.string(&acting.community);
            acting.b2b.consent_policy.iter().for_each(|uri| w.string(uri));
        });
        w.key("reason");
        w.array(|w| {
            for purpose in &acting.b2b.purposes {
                concept(w, REASON, purpose.code());
            }
        });
    }
    w.key("activity");
    concept(&mut w, OPERATION, activity);
    w.key("agent");
    w.array(|w| agents(w, caller, call.service.base_url()));
    let mut rest = w.into_bytes();
    rest.push(b'}');
    rest
}

fn concept(w: &mut Writer, system: &str, code: &str) {
    w.object(|w| {
        w.key("coding");
        w.array(|w| {
            w.object(|w| {
                w.member("system", system);
                w.member("code", code);
            });
        });
    });
}

/// The person as author, and the client that brought it; a system by itself is both.
fn agents(w: &mut Writer, caller: &Caller, base_url: &str) {
    let grant: &Grant = caller.grant();
    if let Some(user) = caller.user() {
        w.object(|w| {
            w.key("type");
            concept(w, PARTICIPANT, "author");
            w.key("who");
            w.object(|w| {
                match &user.fhir_user {
                    Some(reference) => w.member("reference", reference),
                    None => identifier(w, &format!("{base_url}#user"), &user.id),
                }
                display(w, &user.name);
            });
            on_behalf(w, caller);
        });
    }
    w.object(|w| {
        w.key("type");
        match caller.user() {
            Some(_) => concept(w, US_PARTICIPANT, "transmitter"),
            None => concept(w, PARTICIPANT, "author"),
        }
        w.key("who");
        w.object(|w| {
            identifier(w, &format!("{base_url}#client"), &grant.client_id);
            display(w, &grant.client_name);
        });
        on_behalf(w, caller);
    });
}

fn on_behalf(w: &mut Writer, caller: &Caller) {
    let Some(acting) = caller.acting() else { return };
    w.key("onBehalfOf");
    w.object(|w| {
        match &acting.organization {
            Some(reference) => w.member("reference", reference),
            None => identifier(w, "urn:ietf:rfc:3986", &acting.uri),
        }
        display(w, acting.b2b.organization_name.as_deref().unwrap_or_default());
    });
}

fn identifier(w: &mut Writer, system: &str, value: &str) {
    w.key("identifier");
    w.object(|w| {
        w.member("system", system);
        w.member("value", value);
    });
}

fn display(w: &mut Writer, text: &str) {
    if !text.trim().is_empty() {
        w.member("display", text);
    }
}
