//! What other rules of the facility would change, and for whom: before they are in force. Row G16.
//!
//! Who is tried: every account with all that an app could have of it, every system with its scopes, and each
//! organization that a rule of either side names. What is decided is decided by the grants that would decide, over one
//! snapshot; nothing is written.
//!
//! INVARIANT: how many resources a search of somebody's own choice means, and which, is data. It is counted for the
//! operator of this machine alone ([`Service::try_rules`]); an administrator, who sees no patient's data, is told whom
//! and which types it concerns and which way ([`Service::concerned`]), as far as the rules and scopes alone say it.

use crate::{interaction::imagined, limits, service::Service, trail::Trail, wire::Accepted};
use fhir::ResourceType;
use oauth::{
    Caller,
    caller::{Grant, User},
    scope::parse_list,
};
use policy::{House, Interaction, Need, Rules, RulesAct, Shift, rules, shifts};
use search::{Predicate, Query, query::Total};
use std::{collections::BTreeMap, fmt::Write, sync::Arc};
use store::{ReadError, Snapshot};

/// What was found.
#[derive(Debug, Default)]
pub struct DryRun {
    /// Callers that were tried.
    pub tried: usize,
    /// Callers that were not, since there are too many or it took too long.
    pub left_out: usize,
    /// By caller and type, in their order.
    pub changes: Vec<Change>,
    /// Changes beyond those that are listed.
    pub unlisted: usize,
}

/// What changes for one caller and one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `clinician`, `system`, `organization`, …
    pub kind: String,
    /// Who: `dora (account 5f…)`, a client with its name, a URI.
    pub who: String,
    /// The type.
    pub resource_type: ResourceType,
    /// `see`, `read`, `create`, …
    pub need: &'static str,
    /// `more`, `less`, `other`: by the rules.
    pub way: &'static str,
    /// Counted over the data; `None`: it was not counted.
    pub counted: Option<Counted>,
}

/// How many resources, and some of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// Resources that they may then and not now.
    pub gained: Amount,
    /// Resources that they may now and not then.
    pub lost: Amount,
}

/// Of how many resources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amount {
    /// `None`: it would be too costly to count.
    pub total: Option<u64>,
    /// Ids of some.
    pub examples: Vec<String>,
}

/// Somebody to try it for.
struct Known {
    kind: String,
    who: String,
    caller: Caller,
}

impl Service {
    /// Whom these rules would concern, and which types, without a look at any data.
    #[must_use]
    pub fn concerned(&self, rules: Arc<Rules>) -> DryRun {
        self.changes(rules, |_, _| Ok(None)).unwrap_or_default()
    }

    /// The same for the operator of this machine, counted over the data of this moment.
    ///
    /// # Errors
    /// Why it cannot be counted, for the operator.
    pub fn try_rules(&self, peer: &Accepted, command: &str, rules: Arc<Rules>) -> Result<DryRun, String> {
        let (operator, interaction) = (&Caller::operator(command), Interaction::Rules(RulesAct::Try));
        self.decide(operator, &interaction).map_err(|why| why.to_string())?;
        let mut trail = Trail::begin(self.now(), peer, self.new_id().as_str().into());
        trail.caller(operator, self.accounting().disclosures);
        trail.interaction(&interaction);
        let recorded = self.parts.store.log().record(&trail.done());
        recorded.map_err(|_| "the audit log cannot be written".to_owned())?;
        let snapshot = self.snapshot();
        let count = |kind, shift: &Shift| {
            if shift.need == Need::Create {
                return Ok(None);
            }
            let permit = self.decide(operator, &Interaction::SearchType(kind)).map_err(|why| why.to_string())?;
            let amount = |meant: &Arc<Predicate>| amount(&snapshot, &permit, kind, meant);
            Ok(Some(Counted { gained: amount(&shift.gained)?, lost: amount(&shift.lost)? }))
        };
        self.changes(rules, count)
    }

    fn changes(
        &self,
        rules: Arc<Rules>,
        count: impl Fn(ResourceType, &Shift) -> Result<Option<Counted>, String>,
    ) -> Result<DryRun, String> {
        let (registry, now) = (self.registry(), self.parts.store.house());
        let mut then = House::clone(&now);
        then.rules = rules;
        let mut known = self.known(&now.rules, &then.rules);
        let mut run = DryRun { left_out: known.len().saturating_sub(limits::DRY_RUN_CALLERS_MAX), ..DryRun::default() };
        known.truncate(limits::DRY_RUN_CALLERS_MAX);
        let begun = std::time::Instant::now();
        for (at, one) in known.iter().enumerate() {
            if begun.elapsed() > limits::DRY_RUN_TIME {
                run.left_out += known.len() - at;
                break;
            }
            run.tried += 1;
            let mut of_type: BTreeMap<&str, Vec<(Shift, Option<Counted>)>> = BTreeMap::new();
            for shift in shifts(&one.caller, &registry, &now, &then) {
                let counted = count(shift.kind, &shift)?;
                if counted.as_ref().is_some_and(Counted::is_nothing) {
                    continue;
                }
                of_type.entry(shift.kind.name()).or_default().push((shift, counted));
            }
            for shifted in of_type.into_values().flat_map(seen) {
                let (shift, need, counted) = shifted;
                if run.changes.len() >= limits::DRY_RUN_CHANGES_MAX {
                    run.unlisted += 1;
                    continue;
                }
                run.changes.push(Change {
                    kind: one.kind.clone(),
                    who: one.who.clone(),
                    resource_type: shift.kind,
                    need,
                    way: shift.way.as_str(),
                    counted,
                });
            }
        }
        Ok(run)
    }

    /// Everybody whom this server knows, each once: people, systems, and organizations that rules name.
    fn known(&self, now: &Rules, then: &Rules) -> Vec<Known> {
        let mut all = Vec::new();
        let (users, clients) = self.acquaintances().map(|known| (known.users(), known.clients())).unwrap_or_default();
        for (login, user) in users {
            let kind = user.role.as_str().to_owned();
            let who = format!("{login} (account {})", user.id);
            all.extend(of_user(user).map(|caller| Known { kind, who, caller }));
        }
        for grant in clients.into_iter().filter(|grant| !grant.scopes.is_empty()) {
            let who = format!("{} (client {})", grant.client_name, grant.client_id);
            let kind = if grant.is_custodian() { "custodian" } else { "system" };
            all.extend(imagined(grant, &[]).ok().map(|caller| Known { kind: kind.into(), who, caller }));
        }
        let mut described: Vec<String> = now.organizations().into_iter().chain(then.organizations()).collect();
        described.sort_unstable();
        described.dedup();
        for words in described {
            let caller = rules::caller(&words);
            all.extend(caller.ok().map(|caller| Known { kind: "organization".into(), who: words, caller }));
        }
        all
    }
}

/// What is read and searched alike is seen: one line for both.
fn seen(shifts: Vec<(Shift, Option<Counted>)>) -> Vec<(Shift, &'static str, Option<Counted>)> {
    let find = |need| shifts.iter().find(|(shift, _)| shift.need == need);
    let is_seen = match (find(Need::Read), find(Need::Search)) {
        (Some((read, of_read)), Some((search, of_search))) => read.way == search.way && of_read == of_search,
        _ => false,
    };
    let named = |(shift, counted): (Shift, Option<Counted>)| match shift.need {
        Need::Search if is_seen => None,
        Need::Read if is_seen => Some((shift, "see", counted)),
        need => Some((shift, need.as_str(), counted)),
    };
    shifts.into_iter().filter_map(named).collect()
}

/// A person by an app that has all that one could have of them.
fn of_user(user: Arc<User>) -> Option<Caller> {
    let scope_text = "user/*.cruds";
    let scopes: Vec<_> = parse_list(scope_text).filter_map(|(_, scope)| scope.ok()).collect();
    let operator = Caller::operator("dry run");
    let grant = Grant {
        client_id: "any-app".into(),
        client_name: "any app".into(),
        scopes: scopes.into(),
        scope_text: scope_text.into(),
        user: Some(user),
        purposes: Arc::default(),
        ..operator.grant().as_ref().clone()
    };
    imagined(grant, &[]).ok()
}

/// Counts what is meant, under the operator's permit.
fn amount(
    snapshot: &Snapshot,
    permit: &policy::Permit,
    kind: ResourceType,
    meant: &Arc<Predicate>,
) -> Result<Amount, String> {
    if **meant == Predicate::Nothing {
        return Ok(Amount { total: Some(0), examples: Vec::new() });
    }
    let query = Query {
        resource_type: kind,
        predicate: Arc::clone(meant),
        sort: Vec::new(),
        count: limits::DRY_RUN_EXAMPLES,
        total: Total::Accurate,
        includes: Vec::new(),
        revincludes: Vec::new(),
        applied: String::new(),
        warnings: Vec::new(),
    };
    match snapshot.search(permit, &query, None, "") {
        Ok(page) => {
            Ok(Amount { total: page.total, examples: page.matches.iter().map(|found| found.id.to_string()).collect() })
        }
        Err(ReadError::TooCostly(_) | ReadError::Busy) => Ok(Amount::default()),
        Err(why) => Err(why.to_string()),
    }
}

impl Counted {
    fn is_nothing(&self) -> bool {
        self.gained.total == Some(0) && self.lost.total == Some(0)
    }
}

impl Amount {
    fn told(&self, sign: char) -> String {
        match self.total {
            Some(0) => String::new(),
            Some(total) => {
                let more =
                    if usize::try_from(total).is_ok_and(|total| total > self.examples.len()) { ", …" } else { "" };
                format!("{sign}{total} ({}{more})", self.examples.join(", "))
            }
            None => format!("{sign}? (too costly to count)"),
        }
    }
}

impl DryRun {
    /// To be read.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut kind = "";
        for change in &self.changes {
            if kind != change.kind {
                kind = &change.kind;
                let _ = writeln!(out, "{kind}");
            }
            let (who, of, need) = (&change.who, change.resource_type, change.need);
            let told = match &change.counted {
                Some(counted) => [counted.gained.told('+'), counted.lost.told('-')].join(" ").trim().to_owned(),
                None => change.way.to_owned(),
            };
            let _ = writeln!(out, "  {who}  {need} {of}  {told}");
        }
        if self.changes.is_empty() {
            let _ = writeln!(out, "nothing changes for anybody who is known here");
        }
        if self.unlisted > 0 {
            let _ = writeln!(out, "and {} more", self.unlisted);
        }
        let _ = writeln!(out, "tried for {} callers", self.tried);
        if self.left_out > 0 {
            let _ = writeln!(out, "NOT tried for {} more: there are too many to try in one go", self.left_out);
        }
        out
    }

    /// Whether nothing changes for anybody who was tried.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.changes.is_empty()
    }
}
