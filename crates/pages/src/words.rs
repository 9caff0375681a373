//! Scopes in words: what each means to a person, in which group it stands, whether it is private or risky.
//!
//! Knows no grammar: the caller hands a scope taken apart (context, type, letters, query), so that there is one reader
//! of scopes only (`oauth::scope`). SPEC: SMART App Launch 2.2 scopes; US Core SMART scopes; rows B27, B35, B37.

mod types;

use crate::{
    Language, Literal, Text,
    html::fill_plain,
    texts::{self, Texts},
};

/// What a type of resources is to a person; `None` when there are no words for it.
pub(crate) fn of_type(name: &str, t: &Texts) -> Option<&'static str> {
    types::of_type(name).map(|meaning| (meaning.words)(t))
}

/// A scope, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub(crate) exact: Literal,
    pub(crate) kind: ScopeKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ScopeKind {
    /// Resources of a type, or of all.
    Resources {
        context: Context,
        /// `None`: `*`.
        resource_type: Option<String>,
        letters: Letters,
        query: Vec<(String, String)>,
    },
    /// `openid`, `fhirUser`, `profile`: who the person is.
    Identity,
    /// Something that we have no words for.
    Other,
}

/// Whose permission a scope speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Context {
    /// `patient/`: one record.
    Patient,
    /// `user/`: all records that the person may see.
    User,
    /// `system/`: no person is there.
    System,
}

/// The letters of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Letters {
    pub(crate) create: bool,
    pub(crate) read: bool,
    pub(crate) update: bool,
    pub(crate) delete: bool,
    pub(crate) search: bool,
}

impl Scope {
    /// `exact` is the scope as requested; the rest is what it says: the type (`None` for `*`), the letters of SMART v2
    /// (`rs`; a v1 scope's in v2 letters) and the decoded pairs behind `?`.
    #[must_use]
    pub fn resources(
        exact: &str,
        context: Context,
        resource_type: Option<&str>,
        letters: &str,
        query: &[(String, String)],
    ) -> Self {
        let has = |letter: char| letters.contains(letter);
        let letters =
            Letters { create: has('c'), read: has('r'), update: has('u'), delete: has('d'), search: has('s') };
        let resource_type = resource_type.map(str::to_owned);
        let kind = ScopeKind::Resources { context, resource_type, letters, query: query.to_vec() };
        Self { exact: exact.into(), kind }
    }

    /// Any scope that is not of resources: `openid`, `fhirUser`, `profile`, and what we have no words for.
    #[must_use]
    pub fn special(exact: &str) -> Self {
        let kind =
            if matches!(exact, "openid" | "fhirUser" | "profile") { ScopeKind::Identity } else { ScopeKind::Other };
        Self { exact: exact.into(), kind }
    }

    /// As requested.
    #[must_use]
    pub fn exact(&self) -> &str {
        self.exact.as_str()
    }

    pub(crate) fn is_of_patient(&self) -> bool {
        self.context() == Some(Context::Patient)
    }

    pub(crate) fn is_identity(&self) -> bool {
        self.kind == ScopeKind::Identity
    }

    /// Whether this is a part, by a query, of what the other scope gives whole.
    fn is_part_of(&self, whole: &Self) -> bool {
        match (&self.kind, &whole.kind) {
            (
                ScopeKind::Resources { context, resource_type, query, .. },
                ScopeKind::Resources { context: in_whole, resource_type: of_whole, query: narrowed, .. },
            ) => context == in_whole && resource_type == of_whole && !query.is_empty() && narrowed.is_empty(),
            _ => false,
        }
    }

    fn context(&self) -> Option<Context> {
        match self.kind {
            ScopeKind::Resources { context, .. } => Some(context),
            ScopeKind::Identity | ScopeKind::Other => None,
        }
    }
}

/// What an app asks for, with its switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The scope.
    pub scope: Scope,
    /// Whether the switch is on at first. `None`: as the page thinks right (private and risky ones off, others on).
    pub on: Option<bool>,
}

/// How far `user/` scopes reach for the person at the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserReach {
    /// One record: the person's own, or that of the only one in their care.
    OneRecord,
    /// More than one: a clinician's, or a caregiver's of several.
    Records,
}

/// What belongs together in a person's mind, in the order of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Who the person at the page is.
    Person,
    /// Name, birthday, family.
    Identity,
    /// Moving, eating, dressing; aids.
    Moving,
    /// Memory and mood.
    Mind,
    /// Illnesses and allergies.
    Health,
    /// Tests and measurements.
    Results,
    /// Medicines and vaccines.
    Medicines,
    /// Visits, stays, treatments.
    Visits,
    /// Plans, goals, who cares.
    Care,
    /// Letters and notes.
    Notes,
    /// Insurance and bills.
    Money,
    /// Staff and places.
    Staff,
    /// Who wrote and who looked.
    Origin,
    /// What we have no group for.
    Other,
    /// All of it.
    Everything,
}

impl Group {
    /// Value of the field [`crate::fields::GROUP`].
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Identity => "identity",
            Self::Moving => "moving",
            Self::Mind => "mind",
            Self::Health => "health",
            Self::Results => "results",
            Self::Medicines => "medicines",
            Self::Visits => "visits",
            Self::Care => "care",
            Self::Notes => "notes",
            Self::Money => "money",
            Self::Staff => "staff",
            Self::Origin => "origin",
            Self::Other => "other",
            Self::Everything => "everything",
        }
    }

    pub(crate) const fn title(self, t: &Texts) -> &'static str {
        match self {
            Self::Person => t.group_person,
            Self::Identity => t.group_identity,
            Self::Moving => t.group_moving,
            Self::Mind => t.group_mind,
            Self::Health => t.group_health,
            Self::Results => t.group_results,
            Self::Medicines => t.group_medicines,
            Self::Visits => t.group_visits,
            Self::Care => t.group_care,
            Self::Notes => t.group_notes,
            Self::Money => t.group_money,
            Self::Staff => t.group_staff,
            Self::Origin => t.group_origin,
            Self::Other => t.group_other,
            Self::Everything => t.group_everything,
        }
    }
}

/// A scope in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What it is about, beginning with a small letter: `lab results`.
    pub words: String,
    /// Where it belongs.
    pub group: Group,
    /// More private than the rest, or not to be told.
    pub is_private: bool,
    /// Lets the app add, change or delete.
    pub writes: bool,
    /// What it lets the app do, as a list: `see and add`. Empty for who a person is.
    pub letters: String,
}

/// What a scope means, in a language.
#[must_use]
pub fn of(scope: &Scope, language: Language) -> Words {
    in_texts(scope, texts::of(language))
}

pub(crate) fn in_texts(scope: &Scope, t: &Texts) -> Words {
    let ScopeKind::Resources { resource_type, letters, query, .. } = &scope.kind else {
        let (words, group) = match (&scope.kind, scope.exact()) {
            (ScopeKind::Identity, "openid") => (t.words.openid.to_owned(), Group::Person),
            (ScopeKind::Identity, "fhirUser") => (t.words.fhir_user.to_owned(), Group::Person),
            (ScopeKind::Identity, _) => (t.words.profile.to_owned(), Group::Person),
            (_, exact) => (named(t.words.other_scope, exact), Group::Other),
        };
        return Words { words, group, is_private: group == Group::Other, writes: false, letters: String::new() };
    };
    let (words, group, is_private) = match resource_type {
        None => (t.words.everything.to_owned(), Group::Everything, true),
        Some(name) => of_resources(name, query, t),
    };
    let writes = letters.create || letters.update || letters.delete;
    Words { words, group, is_private, writes, letters: letters.in_words(t) }
}

impl Letters {
    fn in_words(self, t: &Texts) -> String {
        let all = [
            (self.read || self.search, t.may_see),
            (self.create, t.may_add),
            (self.update, t.may_change),
            (self.delete, t.may_delete),
        ];
        list(all.iter().filter(|(is_there, _)| *is_there).map(|(_, word)| *word), t)
    }
}

/// `a, b and c`.
pub(crate) fn list<'a>(words: impl Iterator<Item = &'a str>, t: &Texts) -> String {
    let words: Vec<&str> = words.collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, before)) => format!("{} {} {last}", before.join(", "), t.and_before(last)),
        None => String::new(),
    }
}

/// Words, group, and whether they are private, of a type narrowed by a query.
fn of_resources(name: &str, query: &[(String, String)], t: &Texts) -> (String, Group, bool) {
    if let [(parameter, values)] = query
        && parameter == "category"
        && let Some(known) = values.split(',').map(|value| types::of_category(name, value)).collect::<Option<Vec<_>>>()
        && let Some(first) = known.first()
    {
        let words = list(known.iter().map(|one| (one.words)(t)), t);
        return (words, first.group, known.iter().any(|one| one.is_private));
    }
    let (whole, group, is_private) = match types::of_type(name) {
        Some(meaning) => ((meaning.words)(t).to_owned(), meaning.group, meaning.is_private),
        // What we cannot explain is not on unless somebody wants it.
        None => (named(t.words.other_type, name), Group::Other, true),
    };
    if query.is_empty() {
        return (whole, group, is_private);
    }
    (fill_plain(t.words.part, &[("words", &whole)]), group, is_private)
}

/// A text with a name from a scope in it.
fn named(text: &str, name: &str) -> String {
    fill_plain(text, &[("name", Text::new(name).as_str())])
}

/// Which part of the consent page a scope stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The usual.
    Plain,
    /// More private.
    Private,
    /// Writes.
    Change,
    /// Reaches beyond the patient's record.
    Wide,
}

/// One row of the consent page or of a list of what was granted.
pub(crate) struct Row<'a> {
    pub(crate) group: Group,
    pub(crate) items: Vec<(&'a Ask, Words)>,
}

/// Puts what is asked for in parts and groups, both in the order of the page. Apart from [`Part::Plain`] each scope is a
/// row of its own.
pub(crate) fn arrange<'a>(asks: &'a [Ask], reach: UserReach, t: &Texts) -> Vec<(Part, Vec<Row<'a>>)> {
    let is_mixed = asks.iter().any(|ask| ask.scope.is_of_patient());
    let mut placed: Vec<(Part, Group, &Ask, Words)> = Vec::with_capacity(asks.len());
    for ask in asks {
        let mut words = in_texts(&ask.scope, t);
        // Beside its parts a whole type means the rest as well, and with it what is private of the type.
        if asks.iter().any(|other| other.scope.is_part_of(&ask.scope)) {
            words.words = fill_plain(t.words.all_of, &[("words", &words.words)]);
            words.is_private = true;
        }
        let is_wide = is_mixed
            && reach == UserReach::Records
            && ask.scope.context().is_some_and(|context| context != Context::Patient);
        let part = match &words {
            _ if is_wide => Part::Wide,
            words if words.writes => Part::Change,
            words if words.is_private => Part::Private,
            _ => Part::Plain,
        };
        placed.push((part, words.group, ask, words));
    }
    // Stable: within a group in the order of the request.
    placed.sort_by_key(|(part, group, ..)| (*part, *group));
    let mut parts: Vec<(Part, Vec<Row<'a>>)> = Vec::new();
    for (part, group, ask, words) in placed {
        if parts.last().is_none_or(|(last, _)| *last != part) {
            parts.push((part, Vec::new()));
        }
        let Some((_, rows)) = parts.last_mut() else { continue };
        match rows.last_mut() {
            Some(row) if part == Part::Plain && row.group == group => row.items.push((ask, words)),
            _ => rows.push(Row { group, items: vec![(ask, words)] }),
        }
    }
    parts
}

impl Ask {
    /// Whether the switch of this scope is on at first.
    pub(crate) fn is_on(&self, part: Part) -> bool {
        self.on.unwrap_or(part == Part::Plain)
    }
}

/// What a person chose on the consent page: `groups` and `scopes` are the values of the fields
/// [`crate::fields::GROUP`] and [`crate::fields::SCOPE`]. A scope counts when its own switch is on and, in a group with
/// several, the group's as well. Never grant from the field `scope` alone.
#[must_use]
pub fn chosen<'a>(asks: &'a [Ask], reach: UserReach, groups: &[&str], scopes: &[&str]) -> Vec<&'a Ask> {
    let mut off = Vec::new();
    for (part, rows) in arrange(asks, reach, texts::of(Language::English)) {
        for row in rows.iter().filter(|row| part == Part::Plain && row.items.len() > 1) {
            if !groups.contains(&row.group.key()) {
                off.extend(row.items.iter().map(|(ask, _)| ask.scope.exact()));
            }
        }
    }
    asks.iter().filter(|ask| scopes.contains(&ask.scope.exact()) && !off.contains(&ask.scope.exact())).collect()
}

#[cfg(test)]
mod tests;
