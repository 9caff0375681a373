//! A caller's scopes as predicates: what each resource type gives for each need.
//!
//! - Several scopes are a union: a resource is granted when any scope grants it (row B34).
//! - A granular scope grants what its search means (row B35). Criteria that do not parse on a type
//!   grant nothing there; so does `system/*.rs?code=…` on a type without `code`.
//! - Criteria that look through another resource grant nothing (`criteria`).
//! - `*` is every type, AuditEvent's reading included (row B33).
//! - AuditEvent is written by the server alone, whatever a scope says (row F22).
//! - `patient/` and `user/` scopes are a person's: each is what the scope says ∩ what the person may
//!   ([`crate::person`]), each in its own context, and together a union (row B42). `system/` scopes are a system's. A
//!   scope of the other kind grants nothing, whatever else the token has.
//! - What an organization that came by UDAP is given is, beside that, what goes with its purpose ([`crate::organization`]).
//! - What the operator's rules allow ([`crate::rules`]) and what a consent gives somebody whom it names ([`Given`]) is
//!   added to what is reached, within the scopes (row G16).
//! - What consents, labels and rules withhold is taken away at the end, whatever gave it ([`crate::guard`]):
//!
//! ```text
//! scopes ∩ (reach ∪ what consents give ∪ what rules allow) ∩ consents ∩ labels ∩ rules that deny or limit
//!     ∪ scopes ∩ record of a patient whose glass is broken ∩ the same under a broken glass
//! ```
//!
//! - A person who let the app know who they are (`fhirUser`) lets it read that one resource (row B54).
//!
//! SPEC: SMART App Launch 2.2 scopes-and-launch-context.html; rows B30 to B45.

pub(crate) mod account;

use crate::{
    criteria,
    glass::Broken,
    guard::{Asker, Given, Guard},
    house::House,
    label,
    organization::{Organization, Reached},
    permit::{Access, Need},
    person::{Person, Reach, Reaching},
    record::{self, Whose},
    rules::Bound,
};
use fhir::{ResourceType, issue::Issue};
use oauth::{
    Caller,
    caller::{CallerKind, Role},
    scope::{Permissions, Scope, ScopeContext},
};
use search::{Predicate, Registry};
use std::{fmt, sync::Arc};

/// All needs, in the order of the table's columns.
pub(crate) const NEEDS: [Need; 6] = [Need::Read, Need::Search, Need::Create, Need::Update, Need::Delete, Need::Relabel];

/// What compiles the criteria of a granular scope on one type.
pub(crate) type Criteria<'a> = dyn Fn(ResourceType, &[(String, String)]) -> Result<Arc<Predicate>, Vec<Issue>> + 'a;

/// A caller's scopes compiled to predicates, per type and need. Compile once per scope string.
pub struct Grants {
    kind: CallerKind,
    person: Option<Person>,
    organization: Option<Organization>,
    scopes: Arc<[Scope]>,
    /// By [`ResourceType::index`], then by place in [`NEEDS`].
    table: Vec<[Access; NEEDS.len()]>,
    unusable: Vec<Arc<str>>,
    narrowed: bool,
    asks_added: bool,
    house: House,
    asker: Asker,
    /// Whom they were compiled for.
    caller: Caller,
}

impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.scopes.iter().map(|scope| &scope.text)).finish()
    }
}

impl Grants {
    /// Compiles the caller's scopes, in this house. A granular scope whose query does not parse grants nothing. What
    /// holds for a time ([`crate::relation`]) is asked with each request (row G17).
    #[must_use]
    pub fn compile(caller: &Caller, registry: &Registry, house: &House) -> Self {
        Self::compile_with(caller, registry, house, &|kind, query| criteria::compile(registry, kind, query))
    }

    pub(crate) fn compile_with(caller: &Caller, registry: &Registry, house: &House, criteria: &Criteria<'_>) -> Self {
        let asker = Asker::of(caller, house);
        let rules = house.rules.bound(asker.facts(), registry);
        let given = Given::of(caller, registry, house);
        let person = Person::of(caller);
        let reaching = person.as_ref().map(|person| Reaching::new(person, registry, house));
        let organization = Organization::of(caller);
        let scopes = Arc::clone(&caller.grant().scopes);
        let mut used = vec![false; scopes.len()];
        let mut table: Vec<[Access; NEEDS.len()]> = ResourceType::all()
            .map(|resource_type| match caller.kind() {
                CallerKind::Operator => NEEDS.map(|need| server_rule(resource_type, need, Access::Everything)),
                CallerKind::System => row(&scopes, resource_type, criteria, &mut used),
                CallerKind::Person => match (&person, &reaching) {
                    (Some(person), Some(reaching)) => {
                        let adds = Adds { rules: &rules, given: given.as_ref() };
                        persons_row((person, reaching), &scopes, resource_type, (registry, criteria), &adds, &mut used)
                    }
                    _ => NEEDS.map(|_| Access::Nothing),
                },
            })
            .collect();
        if caller.kind() == CallerKind::Operator {
            used.fill(true);
        }
        let unusable =
            scopes.iter().zip(used).filter(|(_, used)| !used).map(|(scope, _)| Arc::clone(&scope.text)).collect();
        if let Some(organization) = &organization {
            let reached = Reached::new(organization, registry, house);
            let adds = Adds { rules: &rules, given: given.as_ref() };
            for (kind, row) in ResourceType::all().zip(&mut table) {
                let reach = reached.of_type(kind);
                for (need, access) in NEEDS.into_iter().zip(row) {
                    let granted = std::mem::replace(access, Access::Nothing);
                    let own = if matches!(need, Need::Read | Need::Search) { reach.clone() } else { Access::Nothing };
                    *access = within(granted, &with(own, adds.of_type(kind, need).into_iter()));
                }
            }
        }
        if caller.kind() != CallerKind::Operator {
            let guard = Guard::of(caller, registry, house, &rules);
            for (kind, row) in ResourceType::all().zip(&mut table) {
                for (need, access) in NEEDS.into_iter().zip(row) {
                    if *access == Access::Nothing {
                        continue;
                    }
                    for left in guard.of_type(kind, need) {
                        let granted = std::mem::replace(access, Access::Nothing);
                        *access = within(granted, &left);
                    }
                }
            }
        }
        for (kind, row) in ResourceType::all().zip(&mut table) {
            if let Some(access) = row.get_mut(column(Need::Relabel)) {
                if is_audit_event(kind) || !label::may_relabel(&house.labels, caller, kind) {
                    *access = Access::Nothing;
                } else if looks_after_labels(caller, &scopes, kind) {
                    let left = rules.leaves(kind, Need::Relabel).into_iter().map(|rule| Access::Where(rule.predicate));
                    *access = left.fold(Access::Everything, |all, left| within(all, &left));
                }
            }
        }
        let broken = Broken::of(caller, registry, |caller| Guard::under_glass(caller, registry, house, &rules));
        if let (Some(broken), Some(person)) = (broken, &person) {
            for (kind, row) in ResourceType::all().zip(&mut table) {
                for (need, access) in NEEDS.into_iter().zip(row) {
                    let granted = std::mem::replace(access, Access::Nothing);
                    *access = broken.with(granted, &scopes, person, kind, need, criteria);
                }
            }
        }
        let narrowed = table.iter().flatten().any(|access| matches!(access, Access::Where(_)));
        let asks_added = table.iter().flatten().any(|access| match access {
            Access::Where(predicate) => predicate.asks(&mut |parameter| parameter.is_added()),
            Access::Nothing | Access::Everything => false,
        });
        let house = house.clone();
        Self {
            kind: caller.kind(),
            person,
            organization,
            scopes,
            table,
            unusable,
            narrowed,
            asks_added,
            house,
            asker,
            caller: caller.clone(),
        }
    }

    pub(crate) fn access(&self, resource_type: ResourceType, need: Need) -> &Access {
        let row = self.table.get(resource_type.index());
        row.and_then(|row| row.get(column(need))).unwrap_or(&Access::Nothing)
    }

    /// Whether these grants were compiled from this caller's own scopes, and for the same person, patient and
    /// organization, and whether consents, labels and the operator's rules say the same to both.
    pub(crate) fn belong_to(&self, caller: &Caller) -> bool {
        if self.caller.is(caller) {
            return true;
        }
        let theirs = &caller.grant().scopes;
        self.kind == caller.kind()
            && (Arc::ptr_eq(&self.scopes, theirs) || self.scopes == *theirs)
            && self.person == Person::of(caller)
            && self.organization == Organization::of(caller)
            && self.asker == Asker::of(caller, &self.house)
    }

    /// Whether decisions on anything are explained to this caller: whoever reads the whole log learns no more by it than
    /// that something is there (row G18).
    pub(crate) fn explain_all(&self) -> bool {
        let audit = ResourceType::parse("AuditEvent");
        audit.is_ok_and(|audit| *self.access(audit, Need::Read) == Access::Everything)
    }

    /// Whether an organization's purpose narrows them.
    pub(crate) fn are_of_organization(&self) -> bool {
        self.organization.is_some()
    }

    /// Whether a part of some type is granted.
    pub(crate) fn is_narrowed(&self) -> bool {
        self.narrowed
    }

    /// Whether a search parameter that a package brought is asked for anything.
    pub(crate) fn ask_added(&self) -> bool {
        self.asks_added
    }

    /// Whether anything at all is granted.
    pub(crate) fn any(&self) -> bool {
        self.table.iter().flatten().any(|access| *access != Access::Nothing)
    }

    /// Scopes, as granted, that grant nothing on any type: of another context, or with criteria that
    /// do not parse. For explanations and logs.
    #[must_use]
    pub fn unusable(&self) -> &[Arc<str>] {
        &self.unusable
    }
}

/// A privacy officer changes labels of what they cannot read: of every record, where a `user/` scope lets them write
/// the type, and no rule of the operator's denies it.
fn looks_after_labels(caller: &Caller, scopes: &[Scope], kind: ResourceType) -> bool {
    let is_of_type = |scope: &Scope| scope.resource_type.as_deref().is_none_or(|name| name == kind.name());
    let reaches = |scope: &Scope| {
        scope.context == ScopeContext::User
            && scope.permissions.contains(Permissions::UPDATE)
            && scope.query.is_empty()
            && is_of_type(scope)
    };
    caller.user().is_some_and(|user| user.role == Role::PrivacyOfficer) && scopes.iter().any(reaches)
}

fn column(need: Need) -> usize {
    match need {
        Need::Read => 0,
        Need::Search => 1,
        Need::Create => 2,
        Need::Update => 3,
        Need::Delete => 4,
        Need::Relabel => 5,
    }
}

pub(crate) fn letter(need: Need) -> Permissions {
    match need {
        Need::Read => Permissions::READ,
        Need::Search => Permissions::SEARCH,
        Need::Create => Permissions::CREATE,
        Need::Update | Need::Relabel => Permissions::UPDATE,
        Need::Delete => Permissions::DELETE,
    }
}

/// The letter of a scope that stands for the need.
fn letters_of(need: Need) -> char {
    match need {
        Need::Read => 'r',
        Need::Search => 's',
        Need::Create => 'c',
        Need::Update => 'u',
        Need::Delete => 'd',
        Need::Relabel => 'u',
    }
}

/// What one type gives for each need. `used` marks the scopes that grant something.
fn row(
    scopes: &[Scope],
    resource_type: ResourceType,
    criteria: &Criteria<'_>,
    used: &mut [bool],
) -> [Access; NEEDS.len()] {
    let meant: Vec<(Permissions, Arc<Predicate>)> = scopes
        .iter()
        .zip(used)
        .filter(|(scope, _)| {
            scope.context == ScopeContext::System
                && scope.resource_type.as_deref().is_none_or(|name| name == resource_type.name())
        })
        .filter_map(|(scope, used)| {
            let predicate = if scope.query.is_empty() {
                Arc::new(Predicate::All)
            } else {
                criteria(resource_type, &scope.query).ok()?
            };
            *used |= scope.permissions != Permissions::NONE && *predicate != Predicate::Nothing;
            Some((scope.permissions, predicate))
        })
        .collect();
    NEEDS.map(|need| {
        let granted =
            meant.iter().filter(|(letters, _)| letters.contains(letter(need))).map(|(_, predicate)| predicate);
        server_rule(resource_type, need, union(granted))
    })
}

/// The same for a person: each scope as far as the person reaches with it.
fn persons_row(
    (person, reaching): (&Person, &Reaching<'_>),
    scopes: &[Scope],
    resource_type: ResourceType,
    (registry, criteria): (&Registry, &Criteria<'_>),
    adds: &Adds<'_>,
    used: &mut [bool],
) -> [Access; NEEDS.len()] {
    let of_rules = NEEDS.map(|need| adds.of_rules(resource_type, need));
    let given = adds.given.and_then(|given| given.of_type(resource_type));
    let mut meant: Vec<(Permissions, Arc<Predicate>, [Access; NEEDS.len()])> = Vec::new();
    for (scope, used) in scopes.iter().zip(used) {
        if scope.resource_type.as_deref().is_some_and(|name| name != resource_type.name()) {
            continue;
        }
        let predicate = if scope.query.is_empty() {
            Arc::new(Predicate::All)
        } else {
            match criteria(resource_type, &scope.query) {
                Ok(predicate) => predicate,
                Err(_) => continue,
            }
        };
        let own = Reach::of(reaching, scope, resource_type);
        let reach = NEEDS.map(|need| {
            let added = of_rules.get(column(need)).into_iter().flatten();
            // The patient in context of an app is one whose record is theirs: what a consent gives is seen beside it.
            let seen = matches!(need, Need::Read | Need::Search) && scope.context == ScopeContext::User;
            let added = added.chain(given.iter().filter(|_| seen));
            let added = added.filter_map(|added| in_context(added, person, scope, resource_type, registry));
            with(own.access(need).clone(), added)
        });
        *used |= *predicate != Predicate::Nothing
            && NEEDS
                .iter()
                .zip(&reach)
                .any(|(need, reach)| scope.permissions.contains(letter(*need)) && *reach != Access::Nothing);
        meant.push((scope.permissions, predicate, reach));
    }
    let itself = person.itself().filter(|(kind, _)| *kind == resource_type);
    NEEDS.map(|need| {
        let mut granted: Vec<Arc<Predicate>> = meant
            .iter()
            .filter(|(letters, ..)| letters.contains(letter(need)))
            .filter_map(|(_, predicate, reach)| both(predicate, reach.get(column(need))?))
            .collect();
        if need == Need::Read
            && let Some((_, id)) = &itself
        {
            granted.push(Arc::new(Predicate::Id(vec![id.clone()])));
        }
        server_rule(resource_type, need, union(granted.iter()))
    })
}

/// What is reached beside what somebody reaches by who they are.
struct Adds<'a> {
    rules: &'a Bound<'a>,
    given: Option<&'a Given<'a>>,
}

impl Adds<'_> {
    fn of_rules(&self, kind: ResourceType, need: Need) -> Vec<Arc<Predicate>> {
        self.rules.adds(kind, need).into_iter().map(|named| named.predicate).collect()
    }

    fn of_type(&self, kind: ResourceType, need: Need) -> Vec<Arc<Predicate>> {
        let mut added = self.of_rules(kind, need);
        if matches!(need, Need::Read | Need::Search) {
            added.extend(self.given.and_then(|given| given.of_type(kind)));
        }
        added
    }
}

/// What a rule or a consent adds to what a scope of this context can mean: `patient/` means the record of the patient in context.
fn in_context(
    added: &Arc<Predicate>,
    person: &Person,
    scope: &Scope,
    resource_type: ResourceType,
    registry: &Registry,
) -> Option<Arc<Predicate>> {
    match scope.context {
        ScopeContext::System => None,
        ScopeContext::User => Some(Arc::clone(added)),
        ScopeContext::Patient => {
            let patient = person.context()?;
            let record = record::record_of(registry, resource_type, Whose::One(&patient))?;
            both(added, &Access::Where(record))
        }
    }
}

/// What is reached, and what is added to it.
fn with(reach: Access, added: impl Iterator<Item = Arc<Predicate>>) -> Access {
    let added: Vec<Arc<Predicate>> = added.collect();
    match reach {
        Access::Everything => Access::Everything,
        reach if added.is_empty() => reach,
        Access::Nothing => union(added.iter()),
        Access::Where(own) => union([own].iter().chain(&added)),
    }
}

/// What the criteria mean of what is reached. What was there first is asked first: criteria and labels look at one
/// resource, relations and consents at others.
pub(crate) fn both(predicate: &Arc<Predicate>, reach: &Access) -> Option<Arc<Predicate>> {
    match (reach, predicate.as_ref()) {
        (Access::Nothing, _) => None,
        (Access::Everything, _) => Some(Arc::clone(predicate)),
        (Access::Where(reach), _) if **reach == Predicate::Nothing => None,
        (Access::Where(reach), Predicate::All) => Some(Arc::clone(reach)),
        (Access::Where(reach), _) => Some(Arc::new(Predicate::And(vec![Arc::clone(predicate), Arc::clone(reach)]))),
    }
}

/// What is granted, as far as it is reached.
fn within(granted: Access, reach: &Access) -> Access {
    match granted {
        Access::Nothing => Access::Nothing,
        Access::Everything if *reach == Access::Where(Arc::new(Predicate::Nothing)) => Access::Nothing,
        Access::Everything => reach.clone(),
        Access::Where(predicate) => both(&predicate, reach).map_or(Access::Nothing, Access::Where),
    }
}

/// Rules that hold for every caller: scopes only ever narrow (row B41).
fn server_rule(resource_type: ResourceType, need: Need, granted: Access) -> Access {
    let writes = !matches!(need, Need::Read | Need::Search);
    if writes && is_audit_event(resource_type) { Access::Nothing } else { granted }
}

pub(crate) fn is_audit_event(resource_type: ResourceType) -> bool {
    resource_type.name() == "AuditEvent"
}

/// Whatever any of them means (row B34).
pub(crate) fn union<'a>(predicates: impl Iterator<Item = &'a Arc<Predicate>>) -> Access {
    let mut any: Vec<Arc<Predicate>> = Vec::new();
    for predicate in predicates {
        match **predicate {
            Predicate::All => return Access::Everything,
            Predicate::Nothing => {}
            _ if any.contains(predicate) => {}
            _ => any.push(Arc::clone(predicate)),
        }
    }
    match any.pop() {
        None => Access::Nothing,
        Some(only) if any.is_empty() => Access::Where(only),
        Some(last) => {
            any.push(last);
            Access::Where(Arc::new(Predicate::Or(any)))
        }
    }
}
