//! One rule: what it does, to whom, for what, and with which resources.

use super::{
    text::{Fault, Place, Word, items, nearest},
    what::{self, Meant, What},
    who::{self, Facts, Who},
};
use crate::permit::Need;
use fhir::ResourceType;
use oauth::udap::purpose::Purpose;
use search::{Predicate, Registry};
use std::sync::Arc;

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Widens what its callers reach, within their scopes.
    Allow,
    /// Takes away from what its callers may, whatever gives it to them.
    Deny,
    /// Takes away all but this.
    Limit,
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Allow, Self::Deny, Self::Limit];

    /// As a file has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Limit => "limit",
        }
    }

    /// How the line with its needs begins.
    pub(super) const fn may(self) -> &'static str {
        match self {
            Self::Allow => "may",
            Self::Deny => "may not",
            Self::Limit => "may only",
        }
    }
}

/// Needs as a rule names them, and what each stands for.
pub(super) const NEEDS: [(&str, &[Need]); 7] = [
    ("read", &[Need::Read]),
    ("search", &[Need::Search]),
    ("create", &[Need::Create]),
    ("update", &[Need::Update]),
    ("delete", &[Need::Delete]),
    ("see", &[Need::Read, Need::Search]),
    ("change", &[Need::Create, Need::Update, Need::Delete]),
];

/// A rule of the operator's.
#[derive(Debug, Clone)]
pub struct Rule {
    pub(super) name: Arc<str>,
    pub(super) verb: Verb,
    pub(super) place: Place,
    /// Lines of `who`: one of each has to be the caller.
    pub(super) who: Vec<Vec<Who>>,
    /// Whoever is one of these is not meant.
    pub(super) except: Vec<Who>,
    /// For one of these; none: whatever for.
    pub(super) purposes: Vec<Purpose>,
    pub(super) needs: Vec<Need>,
    pub(super) what: Vec<What>,
}

impl Rule {
    /// Its name: what decisions are explained with.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What it does.
    #[must_use]
    pub fn verb(&self) -> Verb {
        self.verb
    }

    /// Where it begins.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// Whether another rule says what this one says, whatever it is called.
    pub(crate) fn says_as(&self, other: &Self) -> bool {
        self.verb == other.verb && self.aloud() == other.aloud()
    }

    /// As [`super::Rules::organizations`].
    pub(super) fn organizations(&self) -> Vec<String> {
        let purposes: Vec<&str> = match self.purposes.as_slice() {
            [] => vec![Purpose::TREATMENT.code()],
            named => named.iter().map(|purpose| purpose.code()).collect(),
        };
        let uris = self.who.iter().flatten().filter_map(|who| match who {
            Who::Organization(uri) => Some(uri),
            _ => None,
        });
        uris.flat_map(|uri| purposes.iter().map(move |code| format!("organization {uri}, purpose {code}"))).collect()
    }

    /// Whether it can have a say on this type and need.
    pub(crate) fn touches(&self, kind: ResourceType, need: Need) -> bool {
        match self.verb {
            Verb::Limit => !crate::grants::is_audit_event(kind),
            Verb::Allow => self.needs.contains(&need) && self.what.iter().any(|what| what.is_about(kind)),
            // What may not be seen may not be changed either.
            Verb::Deny => self.what.iter().any(|what| what.is_about(kind)),
        }
    }

    /// Whether it is about this caller.
    pub(crate) fn is_about(&self, facts: &Facts) -> bool {
        self.who.iter().all(|line| line.iter().any(|who| who.is(facts)))
            && !self.except.iter().any(|who| who.is(facts))
            && (self.purposes.is_empty() || facts.is_for(&self.purposes, self.verb == Verb::Allow))
    }

    /// The rule with the search parameters there are now.
    pub(super) fn tried(&self, registry: &Registry) -> Tried<'_> {
        Tried { rule: self, what: self.what.iter().map(|what| (what, what.is_understood(registry))).collect() }
    }

    /// The rule as one reads it aloud.
    #[must_use]
    pub fn aloud(&self) -> String {
        let line = |line: &Vec<Who>| line.iter().map(Who::aloud).collect::<Vec<_>>().join(" or ");
        let who = self.who.iter().map(line).collect::<Vec<_>>().join(", being ");
        let except = if self.except.is_empty() {
            String::new()
        } else {
            let except: Vec<String> = self.except.iter().map(Who::aloud).collect();
            format!(", but not {},", except.join(" or "))
        };
        let purposes: Vec<&str> = self.purposes.iter().map(|purpose| purpose.code()).collect();
        let purposes =
            if purposes.is_empty() { String::new() } else { format!(" for the purpose {}", purposes.join(" or ")) };
        let needs: Vec<&str> = self.needs.iter().map(|need| need.as_str()).collect();
        let what: Vec<&str> = self.what.iter().map(|what| what.text.as_str()).collect();
        let also = if self.verb == Verb::Allow { " also" } else { "" };
        let (may, needs, what) = (self.verb.may(), needs.join(", "), what.join(", and "));
        format!("{who}{except}{purposes} {may}{also} {needs}: {what}")
    }
}

/// A rule, and whether each of its items can still be said with the search parameters there are.
#[derive(Debug, Clone)]
pub(super) struct Tried<'r> {
    pub(super) rule: &'r Rule,
    what: Vec<(&'r What, bool)>,
}

impl Tried<'_> {
    /// Which resources of a type an allowing rule adds for a need; `None`: none.
    pub(super) fn adds(
        &self,
        registry: &Registry,
        kind: ResourceType,
        need: Need,
        facts: &Facts,
    ) -> Option<Arc<Predicate>> {
        if self.rule.verb != Verb::Allow || !self.rule.needs.contains(&need) {
            return None;
        }
        let bound = self.what.iter().filter(|(what, _)| what.is_bound(facts));
        let meant = bound.filter_map(|tried| these(tried, registry, kind, facts));
        let any = any_of(meant.collect());
        match *any {
            Predicate::Nothing => None,
            // What the current version does not say is not given with a past one.
            _ if matches!(need, Need::Read | Need::Search) && *any != Predicate::All => {
                let now = Arc::new(Predicate::Now(Arc::clone(&any)));
                Some(Arc::new(Predicate::And(vec![any, now])))
            }
            _ => Some(any),
        }
    }

    /// Which resources of a type it leaves for a need; `None`: all.
    pub(super) fn leaves(
        &self,
        registry: &Registry,
        kind: ResourceType,
        need: Need,
        facts: &Facts,
    ) -> Option<Arc<Predicate>> {
        // To change what may not be read would tell that it is there, and which version it is (row F7). Labels are looked
        // after by those who read nothing.
        let hides = matches!(need, Need::Update | Need::Delete) && self.rule.needs.contains(&Need::Read);
        let need = super::named(need);
        match self.rule.verb {
            Verb::Allow => None,
            Verb::Deny if !hides && !self.rule.needs.contains(&need) => None,
            Verb::Deny => {
                let mut parts = Vec::new();
                for (what, is_understood) in &self.what {
                    match what.of_type(registry, kind, facts) {
                        _ if !is_understood && what.is_about(kind) => return Some(Arc::new(Predicate::Nothing)),
                        Meant::Nothing => {}
                        Meant::These(these) => parts.push(these),
                    }
                }
                let any = any_of(parts);
                match *any {
                    Predicate::Nothing => None,
                    Predicate::All => Some(Arc::new(Predicate::Nothing)),
                    _ if matches!(need, Need::Read | Need::Search) => {
                        // Neither a past version that it means, nor a past one of what it means now.
                        let now = Arc::new(Predicate::Now(Arc::clone(&any)));
                        let either = Arc::new(Predicate::Or(vec![any, now]));
                        Some(Arc::new(Predicate::Not(either)))
                    }
                    _ => Some(Arc::new(Predicate::Not(any))),
                }
            }
            // An audit event is ruled by role alone.
            Verb::Limit if crate::grants::is_audit_event(kind) => None,
            Verb::Limit if !self.rule.needs.contains(&need) => Some(Arc::new(Predicate::Nothing)),
            Verb::Limit => {
                let bound = self.what.iter().filter(|(what, _)| what.is_bound(facts));
                let meant = bound.filter_map(|tried| these(tried, registry, kind, facts));
                let any = any_of(meant.collect());
                if *any == Predicate::All { None } else { Some(any) }
            }
        }
    }
}

/// What an item means of a type, when it can be said.
fn these(
    (what, is_understood): &(&What, bool),
    registry: &Registry,
    kind: ResourceType,
    facts: &Facts,
) -> Option<Arc<Predicate>> {
    match what.of_type(registry, kind, facts) {
        Meant::These(these) if *is_understood => Some(these),
        _ => None,
    }
}

impl Need {
    /// As a rule names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Search => "search",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Relabel => "relabel",
        }
    }
}

/// A rule whose lines are being read.
pub(super) struct Draft<'t> {
    pub(super) name: &'t str,
    pub(super) verb: Verb,
    pub(super) place: Place,
    who: Vec<Vec<Who>>,
    except: Vec<Who>,
    purposes: Option<Vec<Purpose>>,
    needs: Option<Vec<Need>>,
    what: Vec<What>,
    /// Something was wrong with it, and was told.
    is_faulty: bool,
}

impl<'t> Draft<'t> {
    pub(super) fn new(verb: Verb, name: &'t str, place: Place) -> Self {
        let (who, except, what) = (Vec::new(), Vec::new(), Vec::new());
        Self { name, verb, place, who, except, purposes: None, needs: None, what, is_faulty: false }
    }

    /// Takes a line of it.
    pub(super) fn line(&mut self, words: &[Word<'t>], registry: &Registry) -> Result<(), Fault> {
        let taken = self.take(words, registry);
        self.is_faulty |= taken.is_err();
        taken
    }

    fn take(&mut self, words: &[Word<'t>], registry: &Registry) -> Result<(), Fault> {
        const LINES: [&str; 5] = ["who", "except", "purpose", "may", "what"];
        let Some((first, rest)) = words.split_first() else { return Ok(()) };
        if rest.is_empty() && LINES.contains(&first.text) {
            return Err(Fault::new(first.place, format!("nothing follows '{}'", first.text)));
        }
        let once = |is_new: bool| {
            if is_new {
                Ok(())
            } else {
                Err(Fault::new(first.place, format!("a rule has one line '{}'", first.text))
                    .instead("put all in one line"))
            }
        };
        match first.text {
            "who" => self.who.push(who::read(rest)?),
            "except" => self.except.extend(who::read(rest)?),
            "purpose" => {
                once(self.purposes.is_none())?;
                self.purposes = Some(who::purposes(rest)?);
            }
            "may" => {
                once(self.needs.is_none())?;
                self.needs = Some(self.needs(words)?);
            }
            "what" => self.what.extend(what::read(rest, registry)?),
            other => {
                let fault = Fault::new(first.place, format!("a rule has no line '{other}'"));
                return Err(match nearest(other, LINES) {
                    Some(near) => fault.instead(format!("write {near}")),
                    None => fault.instead(format!("write {}", LINES.join(", "))),
                });
            }
        }
        Ok(())
    }

    /// `may read, search`, in the form of the verb.
    fn needs(&self, words: &[Word<'t>]) -> Result<Vec<Need>, Fault> {
        let verb = self.verb;
        let (Some(may), begins) = (words.first(), words.get(1).map(|word| word.text)) else { return Ok(Vec::new()) };
        let (form, rest) = match begins {
            Some("not") => ("may not", words.get(2..)),
            Some("only") => ("may only", words.get(2..)),
            _ => ("may", words.get(1..)),
        };
        if form != verb.may() {
            let what = format!("in a rule that begins with '{}' the line is '{} …'", verb.as_str(), verb.may());
            let fitting = Verb::ALL.into_iter().find(|other| other.may() == form).map_or("", Verb::as_str);
            return Err(
                Fault::new(may.place, what).instead(format!("write '{}', or begin with '{fitting}'", verb.may()))
            );
        }
        let mut needs = Vec::new();
        for item in items(rest.unwrap_or_default())? {
            let [word] = item.as_slice() else {
                let place = item.get(1).map_or(may.place, |word| word.place);
                return Err(Fault::new(place, "a comma is missing before this"));
            };
            let Some((_, meant)) = NEEDS.iter().find(|(name, _)| *name == word.text) else {
                let names = NEEDS.map(|(name, _)| name);
                return Err(Fault::new(word.place, format!("nothing is called '{}'", word.text)).instead(
                    nearest(word.text, names)
                        .map_or(format!("write {}", names.join(", ")), |near| format!("write {near}")),
                ));
            };
            needs.extend(meant.iter().filter(|need| !needs.contains(*need)).copied().collect::<Vec<_>>());
        }
        if needs.is_empty() {
            return Err(Fault::new(may.place, format!("nothing follows '{form}'")));
        }
        if verb == Verb::Deny && needs.contains(&Need::Read) && !needs.contains(&Need::Search) {
            let what = "without 'search' this hides nothing: searches give whole resources";
            return Err(Fault::new(may.place, what).instead("write 'may not see'"));
        }
        Ok(needs)
    }

    /// The whole rule; `None` when what is wrong with it was told already.
    pub(super) fn finish(self) -> Result<Option<Rule>, Fault> {
        if self.is_faulty {
            return Ok(None);
        }
        let lacks = |line: &str, instead: &str| {
            Err(Fault::new(self.place, format!("the rule \"{}\" has no line '{line}'", self.name)).instead(instead))
        };
        if self.who.is_empty() {
            return lacks("who", "write whom it is about, perhaps 'who anyone'");
        }
        let Some(needs) = self.needs else {
            return lacks(self.verb.may(), &format!("write '{} see', for example", self.verb.may()));
        };
        if self.what.is_empty() {
            return lacks("what", "write which resources, perhaps 'what everything'");
        }
        Ok(Some(Rule {
            name: self.name.into(),
            verb: self.verb,
            place: self.place,
            who: self.who,
            except: self.except,
            purposes: self.purposes.unwrap_or_default(),
            needs,
            what: self.what,
        }))
    }
}

fn any_of(mut parts: Vec<Arc<Predicate>>) -> Arc<Predicate> {
    if parts.iter().any(|part| **part == Predicate::All) {
        return Arc::new(Predicate::All);
    }
    match (parts.len(), parts.pop()) {
        (_, None) => Arc::new(Predicate::Nothing),
        (1, Some(only)) => only,
        (_, Some(last)) => {
            parts.push(last);
            Arc::new(Predicate::Or(parts))
        }
    }
}
