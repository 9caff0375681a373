//! `$verify-signature`: what of a resource's signatures can be verified, check by check. An operation of this server;
//! its definition is `docs/signatures.md`. SPEC: rows F31 to F34.
//!
//! The answer is 200 with Parameters, whatever is found. What a Provenance covers is read in the version that it names,
//! under the caller's own permit: hidden is not found, as absent is, and the answer says no more than that. Nothing is
//! fetched but what authorities say of certificates that lead to an anchor, and only through [`crate::signature::Trust`].

use super::{
    super::{Answer, Call, resource::no_parameters},
    Inputs,
};
use crate::{
    body::Content,
    failure::Failure,
    limits,
    signature::{Against, Check, Covers, Examined, Outcome, Signature, Verdict, examine, signatures},
    trail::Trail,
    wire::Reply,
};
use fhir::{
    Instant, LogicalId, ResourceType, VersionId,
    issue::{Issue, IssueType, Severity, write_operation_outcome},
    json::{Tree, Writer},
    reference::Reference,
};
use policy::Interaction;
use store::{Found, Snapshot};

/// Verifies all signatures of the stored resource that the URL names.
pub(in crate::interaction) async fn perform(
    call: &Call<'_>,
    kind: ResourceType,
    id: &LogicalId,
    content: Content,
    trail: &mut Trail,
) -> Result<Answer, Failure> {
    match content {
        Content::Nothing => no_parameters(call)?,
        content => {
            let body = content.into_json()?;
            let _none = Inputs::of(call, Some(&body), &[])?;
        }
    }
    let mut reading = Reading { call, snapshot: call.service.snapshot(), found: Vec::new(), missed: false };
    let own = reading.read(kind, id, None)?.ok_or(Failure::NotFound)?;
    let mut all = Vec::new();
    let found = signatures(&own.tree, call.service.parts.schema);
    for signature in found.iter().take(limits::SIGNATURES_MAX) {
        all.push(one(call, &mut reading, signature, &own).await?);
    }
    let is_cut = found.len() > limits::SIGNATURES_MAX;
    trail.found_all(&reading.found);
    let reply = Reply::document(answer(&all, is_cut));
    Ok(Answer { missed: reading.missed, ..Answer::read(reply) })
}

/// Reads for one caller, and knows what was read.
struct Reading<'a> {
    call: &'a Call<'a>,
    snapshot: Snapshot,
    found: Vec<Found>,
    missed: bool,
}

/// A version that was read.
struct Read {
    tree: Tree,
    version: VersionId,
    last_updated: Instant,
}

impl Reading<'_> {
    /// The current version, or that one; `None` when it is absent, deleted, or not for this caller.
    fn read(
        &mut self,
        kind: ResourceType,
        id: &LogicalId,
        version: Option<VersionId>,
    ) -> Result<Option<Read>, Failure> {
        let service = self.call.service;
        let interaction = match version {
            None => Interaction::Read(kind, id.clone()),
            Some(version) => Interaction::Vread(kind, id.clone(), version),
        };
        let permit = service.decide(self.call.caller, &interaction);
        let found = permit.ok().map(|permit| match version {
            None => self.snapshot.read(&permit, kind, id),
            Some(version) => self.snapshot.vread(&permit, kind, id, version),
        });
        let found = match found.transpose().map_err(Failure::from) {
            Ok(Some(found)) => found,
            Ok(None) | Err(Failure::NotFound | Failure::Gone) => {
                self.missed = true;
                return Ok(None);
            }
            Err(failure) => return Err(failure),
        };
        let (version, last_updated) = (found.version, found.last_updated);
        let tree = Tree::parse(found.json.clone().into_bytes()?)?;
        self.found.push(found);
        Ok(Some(Read { tree, version, last_updated }))
    }

    /// What a reference means here; `None` also for what is no reference into this server.
    fn referred(&mut self, reference: &str) -> Result<Option<(String, Read)>, Failure> {
        let base_url = self.call.service.base_url();
        let Some(Reference::Relative(kind, id, version)) = Reference::parse(reference, Some(base_url)) else {
            return Ok(None);
        };
        Ok(self.read(kind, &id, version)?.map(|read| (format!("{kind}/{id}"), read)))
    }
}

async fn one(
    call: &Call<'_>,
    reading: &mut Reading<'_>,
    signature: &Signature<'_>,
    own: &Read,
) -> Result<Examined, Failure> {
    let now_s = call.service.now().unix_seconds();
    let trust = call.service.trust();
    let target = match &signature.covers {
        Covers::Target(reference) => Some((reference.contains("/_history/"), reading.referred(reference)?)),
        Covers::Itself(_) | Covers::Unknown(_) => None,
    };
    let covered = match &target {
        None => Against::Resource(own.tree.root()),
        Some((_, Some((_, read)))) => Against::Resource(read.tree.root()),
        Some((_, None)) => Against::NotFound,
    };
    let anchors = trust.anchors();
    let mut examined = call
        .service
        .aside
        .run(own.tree.bytes().len(), || Ok::<_, Failure>(examine(signature, covered, &anchors, now_s)))
        .await?;
    if let Some((names_version, Some((name, read)))) = &target {
        let version = format!("{name}/_history/{}", read.version);
        let text = if *names_version {
            format!("it is held against the version that the target names, {version}")
        } else {
            format!("the target names no version; it is held against the current one, {version}")
        };
        examined.checks.insert(0, Check { name: "target", outcome: Outcome::Passed, text });
        examined.target = Some(version);
    }
    if !examined.verifies() {
        return Ok(examined);
    }
    if let Some(chain) = examined.chain.clone() {
        let standings = trust.standings(&chain).await;
        examined.revocation(&standings, Some(own.last_updated.unix_seconds()), now_s);
    }
    let who = signature.who().map(|reference| reading.referred(&reference)).transpose()?.flatten();
    let who = who.as_ref().map(|(name, read)| (format!("{}/{name}", call.service.base_url()), read));
    examined.signer(signature, who.as_ref().map(|(url, read)| (read.tree.root(), url.as_str())));
    Ok(examined)
}

/// The answer: whether all are valid, each with its checks, and the same as an OperationOutcome.
fn answer(all: &[Examined], is_cut: bool) -> Vec<u8> {
    let is_valid = !all.is_empty() && !is_cut && all.iter().all(|one| one.verdict() == Verdict::Valid);
    let mut w = Writer::new();
    w.object(|w| {
        w.member("resourceType", "Parameters");
        w.key("parameter");
        w.array(|w| {
            w.object(|w| {
                w.member("name", "valid");
                w.key("valueBoolean");
                w.boolean(is_valid);
            });
            all.iter().for_each(|one| one.write(w));
            w.object(|w| {
                w.member("name", "outcome");
                w.key("resource");
                write_operation_outcome(w, &issues(all, is_cut));
            });
        });
    });
    w.into_bytes()
}

fn issues(all: &[Examined], is_cut: bool) -> Vec<Issue> {
    let mut issues = Vec::new();
    for one in all {
        for check in &one.checks {
            let issue = match check.outcome {
                Outcome::Passed => Issue {
                    severity: Severity::Information,
                    ..Issue::error(IssueType::Informational, check.text.clone())
                },
                Outcome::Failed => Issue::error(IssueType::Security, check.text.clone()),
                Outcome::NotChecked => Issue::warning(IssueType::Incomplete, check.text.clone()),
            };
            issues.push(issue.at(one.place.clone()));
        }
    }
    if is_cut {
        let text = format!("there are more signatures than the {} that are looked at", limits::SIGNATURES_MAX);
        issues.push(Issue::warning(IssueType::TooCostly, text));
    }
    if all.is_empty() {
        issues.push(Issue::warning(IssueType::NotFound, "the resource has no signature of its own"));
    }
    issues
}
