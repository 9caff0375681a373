//! Rules in shadow: what other rules of the facility would have decided of requests that were answered. Row G16.
//!
//! A request is noted when it is answered ([`Glimpse`]), and looked at later, at the pace of whoever calls
//! [`Service::look_at_shadow`]: by the same `policy::decide`, with other rules in the house, over the store of that later
//! moment. Nothing that is answered comes of it.
//!
//! INVARIANT: no answer waits for it, and what is noted is what the caller was told: so its time tells nothing of what is
//! hidden. What waits is bounded, and what does not fit is left out and counted. Without such rules one flag is read.
//!
//! Left out: what a search would find in addition (the request alone does not tell; `handrail policy try` does), past
//! versions (the current one is looked at), what a write replaced or deleted, and creates within a transaction by their
//! content.

use crate::{
    failure::Failure,
    grants::{Given, GrantCache},
    limits,
    service::Service,
};
use fhir::{Instant, LogicalId, ResourceType};
use oauth::{Caller, caller::CallerKind};
use policy::{
    Interaction, Need,
    shadow::{Beside, Permits, Shadow},
};
use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A request that was answered, as it is looked at later.
#[derive(Clone)]
pub(crate) struct Glimpse {
    caller: Caller,
    interaction: Interaction,
    at: Instant,
    request_id: Arc<str>,
    /// What left, or what was asked for and not found.
    resources: Vec<(ResourceType, LogicalId)>,
    is_answered: bool,
}

impl fmt::Debug for Glimpse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Glimpse({})", self.request_id)
    }
}

/// What rules in shadow would do to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It would be refused as a whole.
    Refused,
    /// Some of what was answered would not be there.
    Withheld,
    /// What was refused or not found would be answered.
    Given,
    /// A search may find more.
    Wider,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Refused, Self::Withheld, Self::Given, Self::Wider];

    /// In a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Withheld => "withheld",
            Self::Given => "given",
            Self::Wider => "wider",
        }
    }
}

/// A request that rules in shadow would decide otherwise. Ids and names of rules, nothing of what is in a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// When it was asked.
    pub at: Instant,
    /// As in the audit entry.
    pub request_id: Arc<str>,
    /// By which client.
    pub client_id: Arc<str>,
    /// Id of the account of the person.
    pub user: Option<Arc<str>>,
    /// URI of the organization that came by UDAP.
    pub organization: Option<Arc<str>>,
    /// Code of the interaction.
    pub interaction: &'static str,
    /// The type that it names.
    pub resource_type: ResourceType,
    /// What would become of the answer.
    pub outcome: Outcome,
    /// The rules that make the difference.
    pub rules: Vec<Arc<str>>,
    /// Resources that are concerned.
    pub concerned: usize,
    /// Of so many that were looked at.
    pub of: usize,
    /// `Type/id` of some that are concerned.
    pub examples: Vec<String>,
}

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Looked {
    /// Requests that were looked at.
    pub requests: u64,
    /// Requests that were left out since the last look, for too many waited.
    pub left_out: u64,
}

/// The rules in shadow of a service, and the requests that wait.
#[derive(Debug, Default)]
pub(crate) struct Shadows {
    is_on: AtomicBool,
    rules: Mutex<Option<Arc<policy::Rules>>>,
    /// The shadow, and the house in force that it was cast of.
    cast: Mutex<Option<(Arc<policy::House>, Arc<Shadow>)>>,
    grants: GrantCache,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    glimpses: VecDeque<Glimpse>,
    left_out: u64,
}

impl Shadows {
    /// What is noted of a request that is decided now; `None`: nothing.
    pub(crate) fn glimpse(&self, caller: &Caller, interaction: &Interaction) -> Option<Box<Glimpse>> {
        let is_on = self.is_on.load(Ordering::Relaxed);
        // The operator is ruled by nothing, and an interaction without a type is decided entry by entry.
        if !is_on || caller.kind() == CallerKind::Operator || interaction.resource_type().is_none() {
            return None;
        }
        Some(Box::new(Glimpse {
            caller: caller.clone(),
            interaction: interaction.clone(),
            at: Instant::from_unix_millis(0),
            request_id: "".into(),
            resources: Vec::new(),
            is_answered: false,
        }))
    }

    /// Notes an answer. `resources`: those that left, or that the request names.
    pub(crate) fn note<'r>(
        &self,
        glimpse: Option<Box<Glimpse>>,
        (at, request_id): (Instant, &Arc<str>),
        resources: impl Iterator<Item = (ResourceType, &'r LogicalId)>,
        failure: Option<&Failure>,
    ) {
        let Some(mut glimpse) = glimpse else { return };
        glimpse.is_answered = match failure {
            None => true,
            Some(Failure::NotFound | Failure::Gone | Failure::Denied(_)) => false,
            // What cannot be done whoever asks is no matter of rules.
            Some(_) => return,
        };
        let resources = resources.take(limits::SHADOW_RESOURCES_MAX);
        glimpse.resources = resources.map(|(kind, id)| (kind, id.clone())).collect();
        (glimpse.at, glimpse.request_id) = (at, Arc::clone(request_id));
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.glimpses.len() >= limits::SHADOW_WAITING_MAX {
            waiting.left_out += 1;
        } else {
            waiting.glimpses.push_back(*glimpse);
        }
    }

    fn next(&self) -> Option<Glimpse> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).glimpses.pop_front()
    }

    /// The shadow beside this house; `None`: there is none.
    fn beside(&self, live: &Arc<policy::House>) -> Option<Arc<Shadow>> {
        let rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let mut cast = self.cast.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, shadow)) = cast.as_ref().filter(|(of, _)| Arc::ptr_eq(of, live)) {
            return Some(Arc::clone(shadow));
        }
        let shadow = Arc::new(Shadow::cast(Arc::clone(live), rules));
        *cast = Some((Arc::clone(live), Arc::clone(&shadow)));
        Some(shadow)
    }
}

impl Service {
    /// From now on these rules are tried on what is asked, beside those in force, what waits included; `None`: none
    /// are, and what waits is forgotten.
    pub fn set_shadow(&self, rules: Option<Arc<policy::Rules>>) {
        let shadows = &self.shadows;
        shadows.is_on.store(rules.is_some(), Ordering::Relaxed);
        if rules.is_none() {
            *shadows.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Waiting::default();
        }
        *shadows.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
        *shadows.cast.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Looks at requests that wait, and begins with no further one after this time. `tell` hears of each that would have
    /// been decided otherwise.
    pub fn look_at_shadow(&self, time: Duration, tell: &mut dyn FnMut(Difference)) -> Looked {
        let begun = std::time::Instant::now();
        let mut looked = Looked::default();
        while begun.elapsed() < time
            && let Some(glimpse) = self.shadows.next()
        {
            looked.requests += 1;
            self.compared(&glimpse).into_iter().flatten().for_each(&mut *tell);
        }
        let mut waiting = self.shadows.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        looked.left_out = std::mem::take(&mut waiting.left_out);
        looked
    }

    /// What would be otherwise; `None`: nothing, for no rule that differs is about the caller.
    fn compared(&self, glimpse: &Glimpse) -> Option<Vec<Difference>> {
        let Glimpse { caller, interaction, .. } = glimpse;
        let (registry, house) = (self.registry(), self.parts.store.house());
        let shadow = self.shadows.beside(&house)?;
        let beside = shadow.on(caller, &registry)?;
        let kind = interaction.resource_type()?;
        let permit = |grants: &GrantCache, house: &Arc<policy::House>| {
            let given = Given { registry: Arc::clone(&registry), house: Arc::clone(house) };
            grants.decide(caller, &given, interaction).ok()
        };
        let (live, other) = (permit(&self.grants, &house), permit(&self.shadows.grants, shadow.house()));
        let permits = Permits { live: live.as_ref(), shadow: other.as_ref() };
        let of_type = |way| {
            let mut rules: Vec<Arc<str>> = Vec::new();
            for rule in interaction.needs().iter().flat_map(|need| beside.rules(kind, *need, way)) {
                if !rules.contains(&rule) {
                    rules.push(rule);
                }
            }
            rules
        };
        let whole = |outcome, rules| Some(vec![glimpse.otherwise(kind, outcome, rules, Vec::new(), 0)]);
        match (permits.live, permits.shadow) {
            (None, None) => return None,
            (Some(_), None) if glimpse.is_answered => return whole(Outcome::Refused, of_type(policy::Way::Less)),
            (Some(_), None) => return None,
            (None, Some(_)) if glimpse.resources.is_empty() => {
                return whole(Outcome::Given, of_type(policy::Way::More));
            }
            _ => {}
        }
        let mut found = self.of_resources(glimpse, &beside, permits, kind);
        let is_search = matches!(interaction, Interaction::SearchType(_) | Interaction::SearchCompartment(..));
        if is_search && Beside::differs(permits, kind, Need::Search) {
            let rules = of_type(policy::Way::More);
            if !rules.is_empty() {
                found.push(glimpse.otherwise(kind, Outcome::Wider, rules, Vec::new(), 0));
            }
        }
        Some(found)
    }

    /// What becomes of the resources that left, or of the one that did not.
    fn of_resources(
        &self,
        glimpse: &Glimpse,
        beside: &Beside<'_>,
        permits: Permits<'_>,
        kind: ResourceType,
    ) -> Vec<Difference> {
        let snapshot = self.snapshot();
        let operator = Caller::operator("shadow");
        let (mut rules, mut concerned): (Vec<Arc<str>>, Vec<String>) = (Vec::new(), Vec::new());
        for (of, id) in &glimpse.resources {
            let needs: &[Need] = if *of == kind { needs_of_one(&glimpse.interaction) } else { &[Need::Read] };
            let look = Interaction::ExplainAccess(*of, id.clone());
            let Ok(permit) = self.decide(&operator, &look) else { continue };
            let seen = snapshot.look(&permit, *of, id, |looked| {
                needs.iter().find_map(|need| beside.of_resource(permits, *need, looked))
            });
            // What is gone meanwhile is told by nobody.
            let Ok(Some(other)) = seen else { continue };
            if other.may == glimpse.is_answered {
                continue;
            }
            concerned.push(format!("{of}/{id}"));
            for rule in other.rules {
                if !rules.contains(&rule) {
                    rules.push(rule);
                }
            }
        }
        if concerned.is_empty() {
            return Vec::new();
        }
        let outcome = if glimpse.is_answered { Outcome::Withheld } else { Outcome::Given };
        vec![glimpse.otherwise(kind, outcome, rules, concerned, glimpse.resources.len())]
    }
}

impl Glimpse {
    fn otherwise(
        &self,
        kind: ResourceType,
        outcome: Outcome,
        rules: Vec<Arc<str>>,
        mut examples: Vec<String>,
        of: usize,
    ) -> Difference {
        let grant = self.caller.grant();
        let concerned = examples.len();
        examples.truncate(limits::SHADOW_EXAMPLES);
        Difference {
            at: self.at,
            request_id: Arc::clone(&self.request_id),
            client_id: Arc::clone(&grant.client_id),
            user: grant.user.as_ref().map(|user| Arc::clone(&user.id)),
            organization: self.caller.acting().map(|acting| Arc::clone(&acting.uri)),
            interaction: self.interaction.code(),
            resource_type: kind,
            outcome,
            rules,
            concerned,
            of,
            examples,
        }
    }
}

/// What is needed on a resource that an interaction answers with, as it is after it.
fn needs_of_one(interaction: &Interaction) -> &'static [Need] {
    match interaction {
        Interaction::Read(..)
        | Interaction::Vread(..)
        | Interaction::HistoryInstance(..)
        | Interaction::Create(_)
        | Interaction::Update(..)
        | Interaction::Patch(..)
        | Interaction::SearchType(_)
        | Interaction::SearchCompartment(..) => interaction.needs(),
        // What is deleted is not there to be looked at; operations are decided by their type.
        _ => &[],
    }
}
