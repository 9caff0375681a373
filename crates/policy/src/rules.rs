//! The operator's policy: small rules in a text file, in which a grant is a FHIR search with variables. Row G16.
//!
//! ```text
//! allow "Researchers see the vital signs of those who agreed"
//!     who      organization https://research.example.org
//!     purpose  HRESCH
//!     may      see
//!     what     Observation?category=vital-signs of Patient?_has:ResearchSubject:individual:status=on-study
//! ```
//!
//! - `allow` widens what a caller reaches, within their scopes: it gives no scope.
//! - `deny` takes away, whatever gives it; `limit` takes away all but what it names.
//! - Several rules of a kind add up: whatever one allows, and nothing that one denies.
//! - What cannot be said any more (a search parameter is gone since the file was read) is not allowed, and is denied.
//!
//! A file also holds tests of its rules ([`Trial`]), with a small world of their own. The language for people, with a
//! cookbook: `docs/policy.md`. Pure: who reads the file hands its text in.

mod rule;
mod text;
mod trial;
mod what;
mod who;

pub use rule::{Rule, Verb};
pub use text::{Fault, Place};
pub use trial::{Failed, Load, Miss, Trial};
pub use who::Facts;

use crate::{limits, permit::Need};
use fhir::ResourceType;
use oauth::Caller;
use rule::{Draft, Tried};
use search::{Predicate, Registry};
use std::sync::Arc;
use text::{nearest, words};
use trial::Sketch;

#[cfg(test)]
mod tests;

/// All rules of a file, in its order.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    trials: Vec<Trial>,
}

/// A caller as the tests of rules describe one, `role clinician, user Practitioner/1`: to ask what they may, and never to
/// be answered to.
///
/// # Errors
/// What is wrong with the words; their place is line 1.
pub fn caller(described: &str) -> Result<Caller, Fault> {
    trial::Cast::described(described)
}

/// A part of a decision that a rule has.
#[derive(Debug, Clone)]
pub struct Named {
    /// The rule.
    pub rule: Arc<str>,
    /// What it does.
    pub verb: Verb,
    /// What it adds, or what it leaves.
    pub predicate: Arc<Predicate>,
}

/// The rules that are about one caller.
#[derive(Debug, Clone)]
pub(crate) struct Bound<'r> {
    rules: Vec<Tried<'r>>,
    registry: &'r Registry,
    facts: Option<Facts>,
}

impl Rules {
    /// Reads a file. `registry`: the search parameters there are.
    ///
    /// # Errors
    /// All that is wrong with it, in the order of its lines.
    pub fn read(text: &str, registry: &Registry) -> Result<Self, Vec<Fault>> {
        let start = Place { line: 1, column: 1 };
        if text.len() > limits::RULES_BYTES_MAX {
            return Err(vec![Fault::new(start, format!("a file has at most {} bytes", limits::RULES_BYTES_MAX))]);
        }
        let mut reading = Reading { rules: Self::default(), faults: Vec::new(), current: None };
        let mut lines = text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
            reading.line(line, number, &mut lines, registry);
            if reading.faults.len() >= limits::FAULTS_MAX {
                return Err(reading.faults);
            }
        }
        reading.end();
        if reading.faults.is_empty() { Ok(reading.rules) } else { Err(reading.faults) }
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The organizations that rules name by their URI, as tests of rules describe them: for each purpose that a rule
    /// about them names, or else for treatment.
    #[must_use]
    pub fn organizations(&self) -> Vec<String> {
        self.rules.iter().flat_map(Rule::organizations).collect()
    }

    /// The tests beside them.
    #[must_use]
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// Adds the tests of another file, that has no rules of its own.
    ///
    /// # Errors
    /// Where it has one.
    pub fn with_trials_of(mut self, other: Self) -> Result<Self, Fault> {
        if let Some(rule) = other.rules.first() {
            let fault = Fault::new(rule.place, "a file of tests holds no rules");
            return Err(fault.instead("put the rule into the file of rules"));
        }
        self.trials.extend(other.trials);
        Ok(self)
    }

    /// All that rules look at of a caller, when a rule is about them: what is compiled for one caller counts for another
    /// only when this is equal. `None` for the operator, whom nothing rules, and whom no rule is about.
    #[must_use]
    pub fn ruled(&self, caller: &Caller) -> Option<Facts> {
        if self.rules.is_empty() {
            return None;
        }
        Facts::of(caller).filter(|facts| self.rules.iter().any(|rule| rule.is_about(facts)))
    }

    /// The rules about a caller of whom they look at this.
    pub(crate) fn bound<'r>(&'r self, facts: Option<&Facts>, registry: &'r Registry) -> Bound<'r> {
        let rules = match facts {
            Some(facts) => {
                self.rules.iter().filter(|rule| rule.is_about(facts)).map(|rule| rule.tried(registry)).collect()
            }
            None => Vec::new(),
        };
        Bound { rules, registry, facts: facts.cloned() }
    }
}

impl Bound<'_> {
    /// What allowing rules add to what is reached of a type.
    pub(crate) fn adds(&self, kind: ResourceType, need: Need) -> Vec<Named> {
        let need = named(need);
        self.each(|rule, facts| rule.adds(self.registry, kind, need, facts))
    }

    /// What each denying and limiting rule leaves of a type: all of them hold.
    pub(crate) fn leaves(&self, kind: ResourceType, need: Need) -> Vec<Named> {
        self.each(|rule, facts| rule.leaves(self.registry, kind, need, facts))
    }

    fn each(&self, part: impl Fn(&Tried<'_>, &Facts) -> Option<Arc<Predicate>>) -> Vec<Named> {
        let Some(facts) = &self.facts else { return Vec::new() };
        let named = |tried: &Tried<'_>| {
            let predicate = part(tried, facts)?;
            Some(Named { rule: Arc::clone(&tried.rule.name), verb: tried.rule.verb, predicate })
        };
        self.rules.iter().filter_map(named).collect()
    }
}

/// The need as rules name it: to change what a resource is called is to change it.
fn named(need: Need) -> Need {
    if need == Need::Relabel { Need::Update } else { need }
}

/// What the lines at the margin begin.
enum Current<'t> {
    Rule(Draft<'t>),
    Trial(Sketch<'t>),
    /// Something that is wrong, whose lines nobody can read.
    Lost,
}

/// A file that is being read.
struct Reading<'t> {
    rules: Rules,
    faults: Vec<Fault>,
    current: Option<Current<'t>>,
}

impl<'t> Reading<'t> {
    fn line(
        &mut self,
        line: &'t str,
        number: u32,
        lines: &mut impl Iterator<Item = (usize, &'t str)>,
        registry: &Registry,
    ) {
        let place = Place { line: number, column: 1 };
        let words = words(line, place);
        let Some(first) = words.first() else { return };
        if first.text.starts_with('#') {
            return;
        }
        if first.place.column == 1 {
            self.end();
            match head(line, place) {
                Ok(current) => self.current = Some(current),
                Err(fault) => {
                    self.faults.push(fault);
                    self.current = Some(Current::Lost);
                }
            }
            return;
        }
        let outcome = match &mut self.current {
            None => {
                let fault = Fault::new(first.place, "this line belongs to no rule");
                Err(fault
                    .instead("begin with allow \"NAME\", deny \"NAME\", limit \"NAME\" or test \"NAME\" at the margin"))
            }
            Some(Current::Lost) => Ok(()),
            Some(Current::Rule(draft)) => draft.line(&words, registry),
            Some(Current::Trial(sketch)) => sketch.line(line, &words, lines),
        };
        self.faults.extend(outcome.err());
    }

    /// Ends what the last line at the margin began.
    fn end(&mut self) {
        match self.current.take() {
            Some(Current::Rule(draft)) => match draft.finish() {
                Ok(Some(rule)) => {
                    let earlier = self.rules.rules.iter().find(|earlier| earlier.name == rule.name);
                    if let Some(earlier) = earlier {
                        let what = format!("the rule \"{}\" stands in line {} already", rule.name, earlier.place.line);
                        self.faults.push(Fault::new(rule.place, what).instead("give each rule its own name"));
                    } else if self.rules.rules.len() >= limits::RULES_MAX {
                        let what = format!("a file has at most {} rules", limits::RULES_MAX);
                        self.faults.push(Fault::new(rule.place, what));
                    }
                    self.rules.rules.push(rule);
                }
                Ok(None) => {}
                Err(fault) => self.faults.push(fault),
            },
            Some(Current::Trial(sketch)) => match sketch.finish() {
                Ok(Some(trial)) if self.rules.trials.len() < limits::RULE_TESTS_MAX => self.rules.trials.push(trial),
                Ok(Some(trial)) => {
                    let what = format!("a file has at most {} tests", limits::RULE_TESTS_MAX);
                    self.faults.push(Fault::new(trial.place(), what));
                }
                Ok(None) => {}
                Err(fault) => self.faults.push(fault),
            },
            Some(Current::Lost) | None => {}
        }
    }
}

/// `allow "NAME"`, at the margin.
fn head(line: &str, place: Place) -> Result<Current<'_>, Fault> {
    const HEADS: [&str; 4] = ["allow", "deny", "limit", "test"];
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    if !HEADS.contains(&word) {
        let fault = Fault::new(place, format!("nothing begins with '{word}'"));
        return Err(match nearest(word, HEADS) {
            Some(near) => fault.instead(format!("write {near}")),
            None => fault.instead("write allow, deny, limit or test; lines that belong to one are indented"),
        });
    }
    let from = line.len() - rest.trim_start().len();
    let at = place.after(line, from);
    let name = rest.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let Some(name) = name.filter(|name| !name.trim().is_empty() && !name.contains(['"', '\t'])) else {
        return Err(Fault::new(at, "the name is missing").instead(format!("write {word} \"what it is for\"")));
    };
    if name.len() > limits::RULE_NAME_BYTES_MAX || name.chars().any(char::is_control) {
        return Err(Fault::new(at, format!("a name is one line of at most {} bytes", limits::RULE_NAME_BYTES_MAX)));
    }
    Ok(match Verb::ALL.into_iter().find(|verb| verb.as_str() == word) {
        Some(verb) => Current::Rule(Draft::new(verb, name, place)),
        None => Current::Trial(Sketch::new(name, place)),
    })
}
