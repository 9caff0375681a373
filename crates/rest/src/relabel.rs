//! What is stored, labelled anew after the rules changed (row F43): a part at a time, for the operator of this machine.
//!
//! A part is a page of one type. What rules gave and give no more goes, what they give now comes, in one transaction of
//! new versions, each with its audit entry. What is invalid by the rules of today stays as it is and is told. A part that
//! somebody changed meanwhile is done again; doing a part twice changes nothing.

use crate::{
    body::Expects,
    failure::{Failure, Stopped},
    interaction::{self, Call},
    labels::Sets,
    limits, outcome,
    provenance::Notes,
    route::{Asked, Conditions},
    service::Service,
    trail::Trail,
    wire::{Accepted, MediaType, Method, Prefer},
};
use fhir::{ResourceType, json::Tree};
use oauth::{Caller, caller::CallerKind};
use policy::{
    Interaction,
    label::{
        self, Label,
        set::{self, Completion},
    },
};
use std::collections::BTreeMap;
use store::{Change, Found, Labels, Transaction};

/// What a part came to.
#[derive(Debug, Default)]
pub struct Relabelled {
    /// Its type.
    pub kind: String,
    /// Resources looked at.
    pub looked: u64,
    /// Of these, changed (or to be changed, when it was only looked).
    pub changed: u64,
    /// Labels added, by `code` of their systems, with how many resources.
    pub added: BTreeMap<String, u64>,
    /// Labels taken away.
    pub removed: BTreeMap<String, u64>,
    /// Resources that could not be changed, as `Type/id`, and why.
    pub refused: Vec<(String, String)>,
    /// Where to go on; `None`: all is done.
    pub next: Option<String>,
}

impl Service {
    /// Does the part after `after`. `only_look`: nothing is written.
    ///
    /// # Errors
    /// Why not, for the operator.
    pub async fn relabel(
        &self,
        peer: &Accepted,
        caller: &Caller,
        after: Option<&str>,
        only_look: bool,
    ) -> Result<Relabelled, String> {
        if caller.kind() != CallerKind::Operator {
            return Err("this is for the operator of this machine".into());
        }
        let (name, cursor) = after.map_or(("", None), |after| match after.split_once(' ') {
            Some((name, cursor)) => (name, Some(cursor)),
            None => (after, None),
        });
        let types: Vec<ResourceType> = ResourceType::all().filter(|kind| kind.name() != "AuditEvent").collect();
        let at = types.iter().position(|kind| kind.name() == name).unwrap_or_default();
        let kind = *types.get(at).ok_or("there is no type")?;
        for _ in 0..limits::PLANS_MAX {
            let mut trail = Trail::begin(self.now(), peer, self.new_id().as_str().into());
            trail.caller(caller, self.accounting().disclosures);
            match self.part(caller, kind, cursor, only_look, &trail).await {
                Ok(Some((mut part, next))) => {
                    let next_type = types.get(at + 1).map(|kind| kind.name().to_owned());
                    part.next = next.map(|cursor| format!("{kind} {cursor}")).or(next_type);
                    return Ok(part);
                }
                Ok(None) => {}
                Err(failure) => return Err(told(failure)),
            }
        }
        Err("other writers kept changing what was to be labelled; begin again".into())
    }

    /// One page; `None`: somebody changed something meanwhile.
    async fn part(
        &self,
        caller: &Caller,
        kind: ResourceType,
        cursor: Option<&str>,
        only_look: bool,
        trail: &Trail,
    ) -> Result<Option<(Relabelled, Option<String>)>, Failure> {
        let permit = self.decide(caller, &Interaction::SearchType(kind))?;
        let query = interaction::explained_query(self, kind, &format!("_count={}", limits::RELABELLED_AT_ONCE))?;
        let page = self.snapshot().search(&permit, &query, cursor, &caller.grant().client_id)?;
        let asked = Asked {
            interaction: Interaction::Transaction,
            expects: Expects::Nothing,
            query: String::new(),
            cursor: None,
            prefer: Prefer::default(),
            conditions: Conditions::default(),
            provenance: None,
            media: MediaType::Json,
        };
        let call = Call { service: self, caller, asked, permit };
        let mut part = Relabelled { kind: kind.name().to_owned(), ..Relabelled::default() };
        let (mut changes, mut audit) = (Vec::new(), Vec::new());
        for found in page.matches {
            part.looked += 1;
            let (id, version) = (found.id.clone(), found.version);
            let Some((before, after)) = self.renewed(found)? else { continue };
            match interaction::relabelled(&call, kind, after) {
                Ok(resource) => {
                    part.count(&before, resource.tree());
                    let mut entry = trail.of_entry(Method::Put);
                    entry.only(kind, &id, None);
                    audit.push(entry.done());
                    let change = Change::Update {
                        id,
                        resource,
                        if_match: Some(version),
                        if_none_match_any: false,
                        labels: Labels::Given,
                    };
                    changes.push((change, call.permit.clone()));
                }
                Err(failure) => part.refused.push((format!("{kind}/{id}"), told(failure))),
            }
        }
        if changes.is_empty() || only_look {
            let mut looked = trail.clone();
            looked.interaction(&Interaction::SearchType(kind));
            self.parts.store.log().record(&looked.done())?;
        } else {
            let notes = Notes::of(&call, &changes, None, trail)?;
            changes.extend(notes.changes);
            audit.extend(notes.audit);
            let mut whole = trail.clone();
            whole.interaction(&Interaction::Transaction);
            audit.push(whole.done());
            let transaction =
                Transaction { changes, resolved: Vec::new(), audit, glasses: trail.glasses(), now: self.now() };
            match self.parts.store.commit(transaction).await.map_err(Stopped::from) {
                Ok(_) => {}
                Err(Stopped::Moved | Stopped::Exists(..) | Stopped::At(..)) => return Ok(None),
                Err(Stopped::Whole(failure)) => return Err(failure),
            }
        }
        Ok(Some((part, page.next)))
    }

    /// A resource as it was, and with the labels that it should have; `None`: it has them.
    fn renewed(&self, found: Found) -> Result<Option<(Tree, Tree)>, Failure> {
        let kind = found.resource_type;
        let before = Tree::parse(found.json.into_bytes()?)?;
        let house = self.parts.store.house();
        let validator = (self.parts.checks.validator)();
        let due = label::rules::due(house.labels.rules(), kind, before.root(), &Sets(validator.terminology()));
        // What has too many inline labels could not have been written.
        let inline = label::inline::Inline::of(&before).unwrap_or_default();
        let completion = Completion { due: &due, inline: Some(&inline), renews: true, ..Completion::default() };
        let after = set::completed(&before, completion).map(Tree::parse).transpose()?;
        Ok(after.map(|after| (before, after)))
    }
}

impl Relabelled {
    fn count(&mut self, before: &Tree, after: &Tree) {
        self.changed += 1;
        let of = |tree: &Tree| -> Vec<Label> { set::labels(tree.root()).collect() };
        let (before, after) = (of(before), of(after));
        for label in after.iter().filter(|label| !before.contains(label)) {
            *self.added.entry(label.code.clone()).or_default() += 1;
        }
        for label in before.iter().filter(|label| !after.contains(label)) {
            *self.removed.entry(label.code.clone()).or_default() += 1;
        }
    }
}

/// Why not, in the words that a client would get.
fn told(failure: Failure) -> String {
    let mapped = outcome::map(failure);
    mapped.issues.iter().map(|issue| issue.diagnostics.to_string()).collect::<Vec<_>>().join("; ")
}
