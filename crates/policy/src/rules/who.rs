//! Whom a rule is about, and what of a caller it looks at.

use super::text::{Fault, Word, items, nearest};
use crate::limits;
use fhir::{LogicalId, ResourceType};
use oauth::{
    Caller,
    caller::{CallerKind, Role},
    udap::purpose::Purpose,
};
use std::sync::Arc;

/// Kinds of caller, as a rule calls them.
const KINDS: [&str; 3] = ["person", "system", "organization"];

/// One of those whom a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    /// Every caller.
    Anyone,
    /// Everybody who signs in.
    AnyPerson,
    /// Every registered system that acts for itself, those of organizations too.
    AnySystem,
    /// Every organization that came by UDAP.
    AnyOrganization,
    /// People with this role.
    Role(Role),
    /// Whoever comes by this client.
    Client(Arc<str>),
    /// The organization that proves this URI.
    Organization(Arc<str>),
    /// Those for whom this trust community vouched.
    Community(Arc<str>),
    /// One person: the account's id, or the resource that stands for them.
    User(Arc<str>),
}

/// All of a caller that rules look at: to two callers who are equal in it they say the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Facts {
    role: Option<Role>,
    client: Arc<str>,
    account: Option<Arc<str>>,
    fhir_user: Option<Arc<str>>,
    uri: Option<Arc<str>>,
    community: Option<Arc<str>>,
    organization: Option<Arc<str>>,
    purposes: Vec<Purpose>,
    patients: Vec<LogicalId>,
}

impl Facts {
    /// Of a caller; `None` for the operator, whom nothing rules.
    #[must_use]
    pub fn of(caller: &Caller) -> Option<Self> {
        if caller.kind() == CallerKind::Operator {
            return None;
        }
        let (grant, user, acting) = (caller.grant(), caller.user(), caller.acting());
        let own = user.map(|user| user.patients.iter());
        let patients: Vec<&Arc<str>> = match &grant.launch.patient {
            Some(patient) => vec![patient],
            None => own.into_iter().flatten().collect(),
        };
        Some(Self {
            role: user.map(|user| user.role),
            client: Arc::clone(&grant.client_id),
            account: user.map(|user| Arc::clone(&user.id)),
            fhir_user: user.and_then(|user| user.fhir_user.clone()),
            uri: acting.map(|acting| Arc::clone(&acting.uri)),
            community: acting.map(|acting| Arc::clone(&acting.community)),
            organization: acting.and_then(|acting| acting.organization.clone()),
            purposes: caller.purposes().to_vec(),
            patients: patients.into_iter().filter_map(|id| LogicalId::parse(id).ok()).collect(),
        })
    }

    /// Whether its purposes are among these, or lie below one: each of them, for what gives, any for what takes away.
    pub(super) fn is_for(&self, purposes: &[Purpose], each: bool) -> bool {
        let is_met = |own: &Purpose| purposes.iter().any(|purpose| own.is_a(*purpose));
        if each {
            !self.purposes.is_empty() && self.purposes.iter().all(is_met)
        } else {
            self.purposes.iter().any(is_met)
        }
    }

    /// The resources that a variable stands for.
    pub(super) fn value(&self, variable: Variable) -> Vec<(ResourceType, LogicalId)> {
        let named = |reference: &Option<Arc<str>>| {
            let (name, id) = reference.as_deref()?.split_once('/')?;
            Some((ResourceType::parse(name).ok()?, LogicalId::parse(id).ok()?))
        };
        match variable {
            Variable::Patient => {
                let Ok(patient) = ResourceType::parse("Patient") else { return Vec::new() };
                self.patients.iter().map(|id| (patient, id.clone())).collect()
            }
            Variable::User => named(&self.fhir_user).into_iter().collect(),
            Variable::Organization => named(&self.organization).into_iter().collect(),
        }
    }
}

/// What stands for resources of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variable {
    /// The patient in context; without one, those that the account is bound to.
    Patient,
    /// The resource that stands for the person.
    User,
    /// The Organization that stands for the organization.
    Organization,
}

impl Who {
    /// Whether it is this caller.
    pub(super) fn is(&self, facts: &Facts) -> bool {
        let same = |own: &Option<Arc<str>>, other: &Arc<str>| own.as_ref() == Some(other);
        match self {
            Self::Anyone => true,
            Self::AnyPerson => facts.account.is_some(),
            Self::AnySystem => facts.account.is_none(),
            Self::AnyOrganization => facts.uri.is_some(),
            Self::Role(role) => facts.role == Some(*role),
            Self::Client(client) => facts.client == *client,
            Self::Organization(uri) => same(&facts.uri, uri),
            Self::Community(uri) => same(&facts.community, uri),
            Self::User(user) => same(&facts.account, user) || same(&facts.fhir_user, user),
        }
    }

    /// As one says it.
    pub(super) fn aloud(&self) -> String {
        match self {
            Self::Anyone => "anyone".into(),
            Self::AnyPerson => "any person".into(),
            Self::AnySystem => "any system".into(),
            Self::AnyOrganization => "any organization".into(),
            Self::Role(role) => format!("role {}", role.as_str()),
            Self::Client(client) => format!("client {client}"),
            Self::Organization(uri) => format!("organization {uri}"),
            Self::Community(uri) => format!("community {uri}"),
            Self::User(user) => format!("user {user}"),
        }
    }
}

/// Reads a list of them.
pub(super) fn read(words: &[Word<'_>]) -> Result<Vec<Who>, Fault> {
    let items = items(words)?;
    if let Some([first, ..]) = items.get(limits::RULE_LIST_MAX).map(Vec::as_slice) {
        return Err(Fault::new(first.place, format!("a list has at most {} items", limits::RULE_LIST_MAX)));
    }
    items.iter().map(|item| one(item)).collect()
}

fn one(item: &[Word<'_>]) -> Result<Who, Fault> {
    const FORMS: &str = "write 'anyone', 'any person', 'any system', 'any organization', 'role NAME', 'client ID', \
                         'organization URI', 'community URI' or 'user ID'";
    match item {
        [only] if only.text == "anyone" => Ok(Who::Anyone),
        [any, kind] if any.text == "any" => match kind.text {
            "person" => Ok(Who::AnyPerson),
            "system" => Ok(Who::AnySystem),
            "organization" => Ok(Who::AnyOrganization),
            other => Err(Fault::new(kind.place, format!("there is no kind of caller '{other}'"))
                .instead(format!("write {}", KINDS.join(", ")))),
        },
        [role, name] if role.text == "role" => Role::parse(name.text).map(Who::Role).ok_or_else(|| {
            let all = Role::ALL.map(Role::as_str);
            Fault::new(name.place, format!("there is no role '{}'", name.text)).instead(
                nearest(name.text, all).map_or(format!("write {}", all.join(", ")), |near| format!("write {near}")),
            )
        }),
        [what, id] => match what.text {
            "client" => Ok(Who::Client(id.text.into())),
            "user" => Ok(Who::User(id.text.into())),
            "organization" | "community" if !id.text.contains(':') => {
                Err(Fault::new(id.place, format!("'{}' is no URI", id.text))
                    .instead("write the URI that its certificate proves, as 'handrail udap registrations' shows it"))
            }
            "organization" => Ok(Who::Organization(id.text.into())),
            "community" => Ok(Who::Community(id.text.into())),
            other => Err(Fault::new(what.place, format!("nobody is called by '{other}'")).instead(FORMS)),
        },
        [only] => Err(Fault::new(only.place, format!("'{}' alone names nobody", only.text)).instead(FORMS)),
        [_, _, third, ..] => {
            Err(Fault::new(third.place, "a comma is missing before this, or it is too much").instead(FORMS))
        }
        [] => Err(Fault::new(super::text::Place { line: 0, column: 0 }, "nobody is named")),
    }
}

/// Reads a list of purposes of use.
pub(super) fn purposes(words: &[Word<'_>]) -> Result<Vec<Purpose>, Fault> {
    let items = items(words)?;
    let one = |item: &Vec<Word<'_>>| match item.as_slice() {
        [word] => Purpose::parse(word.text).ok_or_else(|| {
            Fault::new(word.place, format!("'{}' is no purpose of use", word.text))
                .instead("write a code of v3-ActReason such as TREAT, HPAYMT, HRESCH, PUBHLTH, PATRQT")
        }),
        [_, second, ..] => Err(Fault::new(second.place, "a comma is missing before this")),
        [] => Err(Fault::new(super::text::Place { line: 0, column: 0 }, "no purpose is named")),
    };
    items.iter().map(one).collect()
}
