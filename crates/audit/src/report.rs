//! Who saw a record: entries of the log put together for people, a line for each day and each who.
//!
//! Pure: entries go in, newest first; lines come out, whole days at a time. What did not succeed showed nothing and is
//! not told; neither is what is no access to a record (sign-ins, tokens). What an entry touched of others is not told
//! apart from what it touched of this patient, so a list with several people is called that.
//!
//! Left out: the words. A page has them in its languages, the operation in English. SPEC: rows F21, F50, H24.

use crate::entry::{Action, Entry, Kind, Outcome};
use fhir::{Instant, LogicalId, ResourceType};
use oauth::caller::Role;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Arc,
};

#[cfg(test)]
mod tests;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// How far entries may be from the order of their times: a request is recorded when it is answered, with the time when
/// it came. No request is worked on for longer.
pub const DISORDER_MS: i64 = 15 * 60 * 1000;

/// Lines of one day: what comes beyond them is added to the last one of its kind. More people than a facility has.
const LINES_OF_A_DAY_MAX: usize = 2_000;

/// What the names of the staff are to those who read the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StaffNames {
    /// Shown.
    #[default]
    Shown,
    /// Their role alone is (`audit.staff_names = "role"`).
    Role,
}

/// How much is told of what was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// Which kinds of things: goals, medicines.
    #[default]
    Kinds,
    /// Only that it was the record: for caregivers, from whom a part of it can be withheld.
    Record,
}

/// What a report is made of.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Whose record.
    pub patient: &'a LogicalId,
    /// From when on, inclusive.
    pub start: Option<Instant>,
    /// Until when, exclusive.
    pub end: Option<Instant>,
    /// Lines after which no further day is begun.
    pub count: usize,
    /// Names of staff.
    pub staff: StaffNames,
    /// How much of what.
    pub detail: Detail,
}

/// What was done with something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deed {
    /// Read or found.
    Looked,
    /// Made.
    Added,
    /// Changed.
    Changed,
    /// Removed.
    Removed,
}

impl Deed {
    /// The word for it in the operation's answer.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Looked => "looked",
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// Who it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Who {
    /// The account of a person.
    pub account: Option<Arc<str>>,
    /// Their name; `None` too where only the role is told.
    pub name: Option<Arc<str>>,
    /// Their role: a word of [`Role`], or what an organization says of somebody there.
    pub role: Option<Arc<str>>,
    /// The organization: what it calls itself, else its URI.
    pub organization: Option<Arc<str>>,
    /// The client.
    pub client: Option<Arc<str>>,
}

/// What somebody did on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The day, in days since 1970, UTC.
    pub day: i64,
    /// First time on that day.
    pub first: Instant,
    /// Last time on that day.
    pub last: Instant,
    /// Who.
    pub who: Who,
    /// Why: codes of v3-ActReason, each once.
    pub purposes: BTreeSet<Arc<str>>,
    /// Under a broken glass.
    pub emergency: bool,
    /// It was a disclosure (row F21).
    pub disclosed: bool,
    /// What, with how often; the type is `None` for the record as a whole.
    pub deeds: BTreeMap<(Deed, Option<ResourceType>), u32>,
    /// At least once in a list with several people.
    pub in_list: bool,
}

/// A part of the report.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The latest day first; within a day the latest line first.
    pub lines: Vec<Line>,
    /// There is more before this moment: the `end` of the next part.
    pub next_end: Option<Instant>,
}

/// A report in the making.
#[derive(Debug)]
pub struct Builder<'a> {
    terms: Terms<'a>,
    days: BTreeMap<i64, BTreeMap<(Who, bool, bool), Line>>,
    lines: usize,
    /// The oldest day of this part, when it is known.
    until: Option<i64>,
    has_more: bool,
}

impl<'a> Builder<'a> {
    /// Begins one.
    #[must_use]
    pub fn new(terms: Terms<'a>) -> Self {
        Self { terms, days: BTreeMap::new(), lines: 0, until: None, has_more: false }
    }

    /// Takes the next older entry; `Break` when no older one can be of this part.
    pub fn add(&mut self, entry: &Entry) -> ControlFlow<()> {
        let at = entry.recorded.unix_millis();
        if self.terms.start.is_some_and(|start| at < start.unix_millis() - DISORDER_MS) {
            return ControlFlow::Break(());
        }
        let day = at.div_euclid(DAY_MS);
        if let Some(until) = self.until {
            if at < until * DAY_MS - DISORDER_MS {
                self.has_more = self.has_more || self.is_told(entry);
                // One entry that is told is enough to know that there is more.
                return if self.has_more { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            }
            if day < until {
                self.has_more = self.has_more || self.is_told(entry);
                return ControlFlow::Continue(());
            }
        }
        if !self.is_told(entry) {
            return ControlFlow::Continue(());
        }
        if self.lines >= self.terms.count.max(1)
            && let Some((oldest, _)) = self.days.first_key_value()
            && day < *oldest
        {
            self.until = Some(*oldest);
            self.has_more = true;
            return ControlFlow::Continue(());
        }
        self.take(day, entry);
        ControlFlow::Continue(())
    }

    fn is_told(&self, entry: &Entry) -> bool {
        let at = entry.recorded;
        entry.kind == Kind::Rest
            && entry.outcome == Outcome::Success
            && self.terms.start.is_none_or(|start| at >= start)
            && self.terms.end.is_none_or(|end| at < end)
            && is_about(entry, self.terms.patient)
    }

    fn take(&mut self, day: i64, entry: &Entry) {
        let (emergency, disclosed) = (entry.glass().is_some(), entry.is_disclosure());
        let mut who = who(entry, self.terms.staff);
        let of_day = self.days.entry(day).or_default();
        if of_day.len() >= LINES_OF_A_DAY_MAX && !of_day.contains_key(&(who.clone(), disclosed, emergency)) {
            who = Who::default();
        }
        let line = of_day.entry((who.clone(), disclosed, emergency)).or_insert_with(|| {
            self.lines += 1;
            Line {
                day,
                first: entry.recorded,
                last: entry.recorded,
                who,
                purposes: BTreeSet::new(),
                emergency,
                disclosed,
                deeds: BTreeMap::new(),
                in_list: false,
            }
        });
        line.first = line.first.min(entry.recorded);
        line.last = line.last.max(entry.recorded);
        line.purposes.extend(entry.purposes().iter().cloned());
        line.in_list |= entry.patients.len() > 1;
        let deed = deed(entry.action, &entry.subtype);
        for kind in kinds(entry, self.terms.detail) {
            *line.deeds.entry((deed, kind)).or_default() += 1;
        }
    }

    /// What came of it.
    #[must_use]
    pub fn finish(self) -> Report {
        let until = self.until.map(|day| Instant::from_unix_millis(day * DAY_MS));
        let mut lines = Vec::with_capacity(self.lines);
        for (_, of_day) in self.days.into_iter().rev() {
            let mut of_day: Vec<Line> = of_day.into_values().collect();
            of_day.sort_by(|a, b| b.last.cmp(&a.last).then_with(|| a.who.cmp(&b.who)));
            lines.extend(of_day);
        }
        Report { lines, next_end: until.filter(|_| self.has_more) }
    }
}

/// Whether an entry is about this patient.
#[must_use]
pub fn is_about(entry: &Entry, patient: &LogicalId) -> bool {
    entry.patients.contains(patient)
        || entry.touched.iter().any(|touched| touched.resource_type.name() == "Patient" && touched.id == *patient)
}

fn who(entry: &Entry, staff: StaffNames) -> Who {
    let said = |text: &Option<Arc<str>>| text.clone().filter(|text| !text.trim().is_empty());
    let hides = |is_staff: bool| is_staff && staff == StaffNames::Role;
    let mut who = Who { client: said(&entry.client_id), ..Who::default() };
    if let Some(organization) = entry.organization.as_deref() {
        who.organization = said(&organization.name).or_else(|| Some(Arc::clone(&organization.uri)));
        who.name = said(&organization.subject_name).filter(|_| !hides(true));
        who.role = said(&organization.subject_role);
    }
    if let Some(person) = entry.person.as_deref() {
        let is_staff = !matches!(person.role, Role::Patient | Role::Caregiver);
        who.account = Some(Arc::clone(&person.id));
        who.name = Some(Arc::clone(&person.name)).filter(|_| !hides(is_staff));
        who.role = Some(person.role.as_str().into());
    }
    who
}

fn deed(action: Action, subtype: &str) -> Deed {
    match (action, subtype) {
        (Action::Create, _) => Deed::Added,
        (Action::Update, _) | (_, "patch") => Deed::Changed,
        (Action::Delete, _) => Deed::Removed,
        (Action::Read | Action::Execute, _) => Deed::Looked,
    }
}

/// The kinds of things that an entry is about, each once.
fn kinds(entry: &Entry, detail: Detail) -> Vec<Option<ResourceType>> {
    if detail == Detail::Record {
        return vec![None];
    }
    let asked = entry.query.as_deref().and_then(|query| {
        if query.contains("$access-report") {
            return ResourceType::parse("AuditEvent").ok();
        }
        let end = query.find(['?', '/']).unwrap_or(query.len());
        ResourceType::parse(query.get(..end)?).ok()
    });
    let mut kinds: Vec<Option<ResourceType>> = Vec::new();
    let only_itself = entry.touched.iter().all(|touched| touched.resource_type.name() == "Patient");
    // A report names the patient that it is of; what was looked at is the log.
    let all =
        if only_itself && asked.is_some() { None } else { Some(entry.touched.iter().map(|one| one.resource_type)) };
    for kind in all.into_iter().flatten() {
        if !kinds.contains(&Some(kind)) {
            kinds.push(Some(kind));
        }
    }
    if kinds.is_empty() {
        kinds.push(asked);
    }
    kinds
}
