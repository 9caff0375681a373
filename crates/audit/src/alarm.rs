//! What is unusual about an access: pure rules over the stream of entries, in the order of the log. Nothing is ever
//! refused because of them; a privacy officer looks at what they find.
//!
//! | rule | fires when |
//! |---|---|
//! | [`Rule::Rate`] | one of the staff read or found more than so many times in ten minutes |
//! | [`Rule::Breadth`] | one of the staff opened more than so many patients' records in an hour |
//! | [`Rule::Family`] | the patient has the family name of who looked |
//! | [`Rule::Own`] | and the given name as well: their own record |
//! | [`Rule::Protected`] | the patient is to be protected more than others (a tag or label says so) |
//! | [`Rule::Refusals`] | something was shown after so many refusals within ten minutes, to a person or a system |
//!
//! The same is told once a day. What is kept is bounded: who did nothing for an hour is forgotten.
//! SPEC: issue 7, item 7; rows F16, F50.

use crate::entry::{Action, Entry, Kind, Outcome};
use fhir::{Instant, LogicalId};
use oauth::caller::Role;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

#[cfg(test)]
mod tests;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// For how long accesses and refusals are counted.
const RATE_MS: i64 = 10 * MINUTE_MS;

/// People and systems that are followed at once.
const SUBJECTS_MAX: usize = 10_000;

/// What was told within a day, and who was compared with whom.
const TOLD_MAX: usize = 100_000;

/// From how many on it is unusual. 0 turns a rule off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Reads and searches of one person in ten minutes.
    pub rate: u32,
    /// Records that one person opened in an hour.
    pub breadth: u32,
    /// Refusals within ten minutes, before something is shown.
    pub refusals: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { rate: 300, breadth: 60, refusals: 20 }
    }
}

/// Why it is unusual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the module says what each means")]
pub enum Rule {
    Rate,
    Breadth,
    Family,
    Own,
    Protected,
    Refusals,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Rate, Self::Breadth, Self::Family, Self::Own, Self::Protected, Self::Refusals];

    /// Its word: rows, metrics, log lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Breadth => "breadth",
            Self::Family => "family",
            Self::Own => "own",
            Self::Protected => "protected",
            Self::Refusals => "refusals",
        }
    }

    /// Reads its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == word)
    }
}

/// What the rules ask of a patient. It may block on the disk.
pub trait Known {
    /// Name of the patient: given names and family names, as they are written.
    fn names(&self, patient: &LogicalId) -> Option<Names>;
    /// Whether the patient is to be protected more than others.
    fn is_protected(&self, patient: &LogicalId) -> bool;
}

/// A patient's names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// All given names.
    pub given: Vec<String>,
    /// All family names.
    pub family: Vec<String>,
}

/// An unusual access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Why.
    pub rule: Rule,
    /// The entry that set it off.
    pub sequence: u64,
    /// When that was.
    pub at: Instant,
    /// The account of who it was.
    pub account: Option<Arc<str>>,
    /// The resource that stands for them: two accounts may be one person.
    pub fhir_user: Option<Arc<str>>,
    /// Their name; for a system its client id.
    pub who: Arc<str>,
    /// Whose record, where the rule is about one.
    pub patient: Option<LogicalId>,
    /// How many, where the rule counts.
    pub count: u32,
}

/// What is remembered of one person or system.
#[derive(Debug, Default)]
struct Subject {
    looks: VecDeque<i64>,
    opened: VecDeque<(i64, LogicalId)>,
    refusals: VecDeque<i64>,
    last: i64,
}

/// The rules with what they remember.
#[derive(Debug, Default)]
pub struct Watch {
    thresholds: Thresholds,
    subjects: HashMap<Arc<str>, Subject>,
    /// What was told, and until when it is not told again.
    told: HashMap<(Rule, Arc<str>, Option<LogicalId>), i64>,
    /// Whose names were compared, and until when that holds.
    compared: HashMap<(Arc<str>, LogicalId), i64>,
}

impl Watch {
    /// With these thresholds, remembering nothing.
    #[must_use]
    pub fn new(thresholds: Thresholds) -> Self {
        Self { thresholds, ..Self::default() }
    }

    /// The next entry of the log, and what is unusual about it.
    pub fn see(&mut self, sequence: u64, entry: &Entry, known: &dyn Known) -> Vec<Alarm> {
        let mut alarms = Vec::new();
        let at = entry.recorded.unix_millis();
        let person = entry.person.as_deref();
        let Some(subject) = person.map(|person| &person.id).or(entry.client_id.as_ref()).cloned() else {
            return alarms;
        };
        if entry.kind != Kind::Rest {
            return alarms;
        }
        let is_staff = person.is_some_and(|person| !matches!(person.role, Role::Patient | Role::Caregiver));
        let who = person.map_or_else(|| Arc::clone(&subject), |person| Arc::clone(&person.name));
        let account = person.map(|person| Arc::clone(&person.id));
        let fhir_user = person.and_then(|person| person.fhir_user.clone());
        let mut tell = |told: &mut HashMap<_, _>, rule: Rule, patient: Option<&LogicalId>, count: u32| {
            let key = (rule, Arc::clone(&subject), patient.cloned());
            if told.get(&key).is_some_and(|until| at < *until) {
                return;
            }
            if told.len() >= TOLD_MAX {
                told.retain(|_, until| at < *until);
                // To tell something twice is better than to remember without end.
                if told.len() >= TOLD_MAX {
                    told.clear();
                }
            }
            told.insert(key, at.saturating_add(DAY_MS));
            let (who, account, fhir_user) = (Arc::clone(&who), account.clone(), fhir_user.clone());
            let patient = patient.cloned();
            alarms.push(Alarm { rule, sequence, at: entry.recorded, account, fhir_user, who, patient, count });
        };
        if self.subjects.len() >= SUBJECTS_MAX && !self.subjects.contains_key(&subject) {
            self.subjects.retain(|_, one| at - one.last < HOUR_MS);
            if self.subjects.len() >= SUBJECTS_MAX {
                self.subjects.clear();
            }
        }
        let one = self.subjects.entry(Arc::clone(&subject)).or_default();
        one.last = at;
        if entry.outcome == Outcome::MinorFailure {
            if self.thresholds.refusals > 0 {
                count(&mut one.refusals, at, self.thresholds.refusals);
            }
            return alarms;
        }
        let showed = entry.outcome == Outcome::Success && !entry.patients.is_empty();
        if !showed {
            return alarms;
        }
        let refused = recent(&mut one.refusals, at);
        if self.thresholds.refusals > 0 && refused >= self.thresholds.refusals {
            let patient = entry.patients.first().filter(|_| entry.patients.len() == 1);
            tell(&mut self.told, Rule::Refusals, patient, refused);
            one.refusals.clear();
        }
        if !is_staff || !matches!(entry.action, Action::Read | Action::Execute) {
            return alarms;
        }
        if self.thresholds.rate > 0 {
            count(&mut one.looks, at, self.thresholds.rate.saturating_add(1));
            let looks = recent(&mut one.looks, at);
            if looks > self.thresholds.rate {
                tell(&mut self.told, Rule::Rate, None, looks);
            }
        }
        // A list shows many names; whose record was opened is another matter.
        let [patient] = entry.patients.as_slice() else { return alarms };
        if self.thresholds.breadth > 0 {
            one.opened.retain(|(when, other)| at - when < HOUR_MS && other != patient);
            one.opened.push_back((at, patient.clone()));
            while one.opened.len() as u64 > u64::from(self.thresholds.breadth) + 1 {
                one.opened.pop_front();
            }
            let opened = u32::try_from(one.opened.len()).unwrap_or(u32::MAX);
            if opened > self.thresholds.breadth {
                tell(&mut self.told, Rule::Breadth, None, opened);
            }
        }
        let pair = (Arc::clone(&subject), patient.clone());
        if self.compared.get(&pair).is_some_and(|until| at < *until) {
            return alarms;
        }
        if self.compared.len() >= TOLD_MAX {
            self.compared.clear();
        }
        self.compared.insert(pair, at.saturating_add(DAY_MS));
        let name = person.map(|person| &*person.name).unwrap_or_default();
        match known.names(patient).map(|names| alike(name, &names)) {
            Some(Alike::Both) => tell(&mut self.told, Rule::Own, Some(patient), 1),
            Some(Alike::Family) => tell(&mut self.told, Rule::Family, Some(patient), 1),
            Some(Alike::Not) | None => {}
        }
        if known.is_protected(patient) {
            tell(&mut self.told, Rule::Protected, Some(patient), 1);
        }
        alarms
    }
}

/// Adds a moment; no more are kept than are asked for.
fn count(moments: &mut VecDeque<i64>, at: i64, most: u32) {
    moments.push_back(at);
    while moments.len() as u64 > u64::from(most) {
        moments.pop_front();
    }
}

/// How many of them are recent; the others go.
fn recent(moments: &mut VecDeque<i64>, at: i64) -> u32 {
    moments.retain(|moment| at - moment < RATE_MS);
    u32::try_from(moments.len()).unwrap_or(u32::MAX)
}

#[derive(Debug, PartialEq, Eq)]
enum Alike {
    Not,
    Family,
    Both,
}

/// Whether a name written in one line has these names in it. Titles and letters behind a comma are none.
fn alike(written: &str, names: &Names) -> Alike {
    let words = |text: &str| -> Vec<String> {
        text.split(|letter: char| letter.is_whitespace() || letter == '-')
            .map(folded)
            .filter(|word| word.len() > 1)
            .collect()
    };
    let written = words(written.split(',').next().unwrap_or_default());
    // A family name of several words counts when all of them are there.
    let has = |name: &String| {
        let parts = words(name);
        !parts.is_empty() && parts.iter().all(|part| written.contains(part))
    };
    match (names.family.iter().any(has), names.given.iter().any(has)) {
        (true, true) => Alike::Both,
        (true, false) => Alike::Family,
        (false, _) => Alike::Not,
    }
}

fn folded(word: &str) -> String {
    word.chars().filter(|letter| letter.is_alphabetic()).flat_map(char::to_lowercase).collect()
}
