//! What a caller may see: random scopes, and by hand the question whether they cover a resource.
//!
//! A resource is hidden when no scope with one of the letters `r s u d` covers it: `c` tells
//! nothing about what is there. Of the audit log a caller sees its own events, those since its
//! requests began, or those of a kind that makes no difference between the worlds.
//!
//! A person's scopes reach as far as they do: to the records of patients, and to the directory.

use super::{
    dice::Dice,
    house::House,
    shape::{CODES, LOINC, Shape, TYPES, Type},
};
use oauth::caller::Role;

/// One condition of a granular scope.
#[derive(Debug, Clone)]
enum Criterion {
    /// One of these; `true`: the codes alone, without their system.
    Label(Vec<usize>, bool),
    NotLabel(usize),
    LabelMissing(bool),
    Status(usize),
    Code(usize),
    Patient(String),
    Id(Vec<String>),
    DateFrom(usize),
    NumberAbove(usize),
    Tag(usize),
}

impl Criterion {
    fn roll(dice: &mut Dice, kind: Type) -> Self {
        for _ in 0..8 {
            match dice.below(14) {
                0..5 => {
                    let first = dice.below(3);
                    let any = if dice.chance(25) { vec![first, (first + 1) % 3] } else { vec![first] };
                    return Self::Label(any, dice.chance(40));
                }
                5 => return Self::NotLabel(dice.below(3)),
                6 => return Self::LabelMissing(dice.chance(60)),
                7 if kind.status().is_some() => return Self::Status(dice.below(2)),
                8 if kind.has_code() => return Self::Code(dice.below(3)),
                9 if kind.has_patient() => return Self::Patient(Type::Patient.id(dice.below(4))),
                10 => return Self::Id((0..1 + dice.below(2)).map(|_| kind.id(dice.below(kind.ids()))).collect()),
                11 if kind.date().is_some() => return Self::DateFrom(1 + dice.below(28)),
                12 if kind.number().is_some() => return Self::NumberAbove(dice.below(100)),
                13 => return Self::Tag(1 + dice.below(2)),
                _ => {}
            }
        }
        Self::Label(vec![0], false)
    }

    /// `None`: of every type.
    fn text(&self, kind: Option<Type>) -> String {
        let of = kind.unwrap_or(Type::Patient);
        let (parameter, system, codes) = of.label();
        let token = |at: usize| {
            if system.is_empty() { codes[at].to_owned() } else { format!("{system}|{}", codes[at]) }
        };
        match self {
            Self::Label(any, bare) => {
                let value = |at: &usize| if *bare { codes[*at].to_owned() } else { token(*at) };
                let values: Vec<String> = any.iter().map(value).collect();
                format!("{parameter}={}", values.join(","))
            }
            Self::NotLabel(at) => format!("{parameter}:not={}", token(*at)),
            Self::LabelMissing(missing) => format!("{parameter}:missing={missing}"),
            Self::Status(at) => {
                let (parameter, codes) = of.status().expect("it was rolled for the type");
                format!("{parameter}={}", codes[*at])
            }
            Self::Code(at) => format!("code={LOINC}|{}", CODES[*at]),
            Self::Patient(id) => format!("patient=Patient/{id}"),
            Self::Id(ids) => format!("_id={}", ids.join(",")),
            Self::DateFrom(day) => format!("{}=ge2026-01-{day:02}", of.date().unwrap_or_default()),
            Self::NumberAbove(number) if of == Type::RiskAssessment => format!("probability=gt0.{number:02}"),
            Self::NumberAbove(number) => format!("value-quantity=gt{number}"),
            Self::Tag(tag) => format!("_tag=urn:test:tag|t{tag}"),
        }
    }

    fn covers(&self, shape: &Shape) -> bool {
        match self {
            Self::Label(any, _) => shape.label.is_some_and(|label| any.contains(&label)),
            Self::NotLabel(at) => shape.label != Some(*at),
            Self::LabelMissing(missing) => shape.label.is_none() == *missing,
            Self::Status(at) => shape.status == *at,
            Self::Code(at) => shape.code == *at,
            Self::Patient(id) => shape.patient.as_ref() == Some(id),
            Self::Id(ids) => ids.contains(&shape.id),
            Self::DateFrom(day) => shape.day >= *day,
            Self::NumberAbove(number) => shape.number > *number,
            Self::Tag(tag) => shape.tag == *tag,
        }
    }
}

#[derive(Debug, Clone)]
struct Rule {
    /// `None`: `*`.
    kind: Option<Type>,
    letters: &'static str,
    all: Vec<Criterion>,
}

impl Rule {
    fn is_of(&self, kind: Type) -> bool {
        self.kind.is_none_or(|of| of == kind)
    }
}

/// A person whose app calls.
#[derive(Debug, Clone)]
pub(super) struct Actor {
    pub(super) role: Role,
    /// Patients that the account is bound to.
    pub(super) patients: Vec<String>,
    /// The one in context.
    pub(super) context: String,
    /// Contexts of the scopes, which take turns.
    contexts: Vec<&'static str>,
}

impl Actor {
    fn roll(dice: &mut Dice) -> Self {
        let first = dice.below(4);
        let [one, two] = [first, (first + 1 + dice.below(3)) % 4].map(|at| Type::Patient.id(at));
        let (role, patients) = match dice.below(3) {
            0 => (Role::Patient, vec![one.clone()]),
            1 => (Role::Caregiver, vec![one.clone(), two]),
            _ => (Role::Clinician, Vec::new()),
        };
        let contexts = match role {
            // With `user/` nothing is hidden from a clinician.
            Role::Clinician => vec!["patient"],
            _ => dice.pick(&[vec!["patient"], vec!["user"], vec!["patient", "user"]]).clone(),
        };
        Self { role, patients, context: one, contexts }
    }

    fn context_of(&self, rule: usize) -> &'static str {
        self.contexts[rule % self.contexts.len()]
    }

    /// Whether a scope of this place with these letters tells of the resource.
    fn reaches(&self, rule: usize, letters: &str, shape: &Shape) -> bool {
        let is_theirs = |id: &String| match self.context_of(rule) {
            "patient" => *id == self.context,
            _ => self.patients.contains(id),
        };
        match shape.kind {
            Type::Practitioner | Type::Questionnaire => letters.contains(['r', 's']),
            Type::Patient => is_theirs(&shape.id),
            _ => shape.patient.as_ref().is_some_and(is_theirs),
        }
    }
}

/// A caller's scopes.
#[derive(Debug, Clone)]
pub struct Lens {
    rules: Vec<Rule>,
    /// The person whom the caller acts for.
    actor: Option<Actor>,
    /// The organization that it is a system of.
    house: Option<House>,
    /// Criteria of a scope for audit events.
    events: Option<&'static str>,
}

const LETTERS: [&str; 20] = [
    "rs", "rs", "rs", "rs", "rs", "cruds", "cruds", "cruds", "cruds", "cruds", "cruds", "cruds", "r", "s", "cu", "cs",
    "ud", "cud", "rds", "c",
];

/// Own events; those since the requests began (`World` begins them at this time of day); failures
/// and kinds that the makers of the worlds never cause.
const EVENTS: [&str; 5] = [
    "agent:identifier=https://handrail.test/fhir|test-client",
    "date=ge2026-01-01T01:00:00Z",
    "outcome=4",
    "subtype=vread",
    "subtype=history-instance",
];

impl Lens {
    /// The scopes of one of several sorts of caller.
    pub(super) fn roll(dice: &mut Dice) -> Self {
        let rules = match dice.below(10) {
            0 => Self::few_types(dice),
            1 | 2 => Self::one_patient(dice),
            3 => Self::everywhere(dice),
            _ => Self::mixed(dice),
        };
        let events = dice.chance(35).then(|| dice.word(&EVENTS));
        Self { rules, actor: None, house: None, events }
    }

    /// The scopes of an app that acts for a person: some of everything, some of a few types.
    pub(super) fn of_person(dice: &mut Dice) -> Self {
        let actor = Actor::roll(dice);
        let whole = |letters| Rule { kind: None, letters, all: Vec::new() };
        let rules = match dice.below(6) {
            0 | 1 => vec![whole("rs")],
            2 | 3 => vec![whole("cruds")],
            4 => vec![whole(dice.word(&LETTERS)), Self::granular(dice, Type::Observation)],
            _ => Self::mixed(dice),
        };
        Self { rules, actor: Some(actor), house: None, events: None }
    }

    /// The scopes of a system of an organization that came by UDAP: some of everything, some of a few types.
    pub(super) fn of_organization(dice: &mut Dice) -> Self {
        let house = House::roll(dice);
        let whole = |letters| Rule { kind: None, letters, all: Vec::new() };
        let rules = match dice.below(6) {
            0..3 => vec![whole("rs")],
            3 => vec![whole("cruds")],
            4 => vec![whole(dice.word(&["rs", "r", "s"])), Self::granular(dice, Type::Observation)],
            _ => Self::mixed(dice),
        };
        Self { rules, actor: None, house: Some(house), events: None }
    }

    /// The organization.
    pub(super) fn house(&self) -> Option<&House> {
        self.house.as_ref()
    }

    /// The person.
    pub(super) fn actor(&self) -> Option<&Actor> {
        self.actor.as_ref()
    }

    /// Scopes of most types; one at least is granular.
    fn mixed(dice: &mut Dice) -> Vec<Rule> {
        let mut rules = Vec::new();
        for kind in TYPES {
            let scopes = match dice.below(10) {
                0 => 0,
                1..4 => {
                    rules.push(Rule { kind: Some(kind), letters: dice.word(&LETTERS), all: Vec::new() });
                    usize::from(dice.chance(30))
                }
                4..8 => 1,
                _ => 2 + dice.below(2),
            };
            rules.extend((0..scopes).map(|_| Self::granular(dice, kind)));
        }
        rules.push(Self::granular(dice, Type::Observation));
        rules
    }

    /// All of a few types, nothing of the others: whatever joins them is hidden.
    fn few_types(dice: &mut Dice) -> Vec<Rule> {
        let letters = dice.word(&["rs", "cruds", "s"]);
        (0..1 + dice.below(3)).map(|_| Rule { kind: Some(*dice.pick(&TYPES)), letters, all: Vec::new() }).collect()
    }

    /// One patient and what is about them, as a compartment.
    fn one_patient(dice: &mut Dice) -> Vec<Rule> {
        let letters = dice.word(&["rs", "cruds"]);
        let patient = Type::Patient.id(dice.below(4));
        let about = |kind: Type| match kind {
            Type::Patient => Some(vec![Criterion::Id(vec![patient.clone()])]),
            Type::Practitioner => Some(Vec::new()),
            kind if kind.has_patient() => Some(vec![Criterion::Patient(patient.clone())]),
            _ => None,
        };
        TYPES.into_iter().filter_map(|kind| Some(Rule { kind: Some(kind), letters, all: about(kind)? })).collect()
    }

    /// A part of every type, by what all types have.
    fn everywhere(dice: &mut Dice) -> Vec<Rule> {
        let letters = dice.word(&["rs", "cruds", "cruds"]);
        let criterion = if dice.chance(75) {
            Criterion::Tag(1 + dice.below(2))
        } else {
            let ids = TYPES.iter().flat_map(|kind| (0..kind.ids()).map(|at| kind.id(at)));
            Criterion::Id(ids.filter(|_| dice.chance(40)).collect())
        };
        let mut rules = vec![Rule { kind: None, letters, all: vec![criterion] }];
        if dice.chance(40) {
            let kind = *dice.pick(&TYPES);
            rules.push(Self::granular(dice, kind));
        }
        rules
    }

    /// With one more scope that searches a part of the observations.
    pub(super) fn searching(mut self, dice: &mut Dice) -> Self {
        self.rules.retain(|rule| rule.kind != Some(Type::Observation) || !rule.all.is_empty());
        self.rules.push(Rule { letters: "cruds", ..Self::granular(dice, Type::Observation) });
        self
    }

    fn granular(dice: &mut Dice, kind: Type) -> Rule {
        let mut all = vec![Criterion::roll(dice, kind)];
        if dice.chance(20) {
            all.push(Criterion::roll(dice, kind));
        }
        Rule { kind: Some(kind), letters: dice.word(&LETTERS), all }
    }

    /// As the token has them.
    #[must_use]
    pub fn scope(&self) -> String {
        let context = |at: usize| self.actor.as_ref().map_or("system", |actor| actor.context_of(at));
        let mut scopes: Vec<String> = self.rules.iter().enumerate().map(|(at, rule)| rule.text(context(at))).collect();
        scopes.extend(self.events.map(|criteria| format!("system/AuditEvent.rs?{criteria}")));
        scopes.join(" ")
    }

    /// Whether anything that tells of its being there covers it.
    pub(super) fn sees(&self, shape: &Shape) -> bool {
        // An organization changes nothing, whatever its scopes say.
        let telling: &[char] = if self.house.is_some() { &['r', 's'] } else { &['r', 's', 'u', 'd'] };
        self.rules.iter().enumerate().any(|(at, rule)| {
            rule.is_of(shape.kind)
                && rule.letters.contains(telling)
                && self.house.as_ref().is_none_or(|house| house.reaches(shape))
                && self.actor.as_ref().is_none_or(|actor| actor.reaches(at, rule.letters, shape))
                && rule.all.iter().all(|criterion| criterion.covers(shape))
        })
    }

    /// The types on which some scope gives all of these letters, each by one scope or another.
    pub(super) fn types(&self, letters: &str) -> Vec<Type> {
        let gives =
            |kind: Type, letter| self.rules.iter().any(|rule| rule.is_of(kind) && rule.letters.contains(letter));
        TYPES.into_iter().filter(|kind| letters.chars().all(|letter| gives(*kind, letter))).collect()
    }

    /// Whether some audit events are visible.
    pub(super) fn sees_events(&self) -> bool {
        self.events.is_some()
    }
}

impl Rule {
    fn text(&self, context: &str) -> String {
        let criteria: Vec<String> = self.all.iter().map(|criterion| criterion.text(self.kind)).collect();
        let question = if criteria.is_empty() { "" } else { "?" };
        let kind = self.kind.map_or("*", Type::name);
        format!("{context}/{kind}.{}{question}{}", self.letters, criteria.join("&"))
    }
}
