//! What a caller may see: random scopes, and by hand the question whether they cover a resource.
//!
//! A resource is hidden when no scope with one of the letters `r s u d` covers it: `c` tells
//! nothing about what is there.

use super::{
    dice::Dice,
    shape::{CODES, LOINC, Shape, TYPES, Type},
};

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

    fn text(&self, kind: Type) -> String {
        let (parameter, system, codes) = kind.label();
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
                let (parameter, codes) = kind.status().expect("it was rolled for the type");
                format!("{parameter}={}", codes[*at])
            }
            Self::Code(at) => format!("code={LOINC}|{}", CODES[*at]),
            Self::Patient(id) => format!("patient=Patient/{id}"),
            Self::Id(ids) => format!("_id={}", ids.join(",")),
            Self::DateFrom(day) => format!("{}=ge2026-01-{day:02}", kind.date().unwrap_or_default()),
            Self::NumberAbove(number) if kind == Type::RiskAssessment => format!("probability=gt0.{number:02}"),
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
    kind: Type,
    letters: &'static str,
    all: Vec<Criterion>,
}

/// A caller's scopes.
#[derive(Debug, Clone)]
pub struct Lens(Vec<Rule>);

const LETTERS: [&str; 20] = [
    "rs", "rs", "rs", "rs", "rs", "cruds", "cruds", "cruds", "cruds", "cruds", "cruds", "cruds", "r", "s", "cu", "cs",
    "ud", "cud", "rds", "c",
];

impl Lens {
    /// Scopes of most types; one at least is granular.
    pub(super) fn roll(dice: &mut Dice) -> Self {
        let mut rules = Vec::new();
        for kind in TYPES {
            let scopes = match dice.below(10) {
                0..2 => 0,
                2..4 => {
                    rules.push(Rule { kind, letters: dice.word(&LETTERS), all: Vec::new() });
                    usize::from(dice.chance(30))
                }
                4..8 => 1,
                _ => 2 + dice.below(2),
            };
            rules.extend((0..scopes).map(|_| Self::granular(dice, kind)));
        }
        rules.push(Self::granular(dice, Type::Observation));
        Self(rules)
    }

    /// With one more scope that searches a part of the observations.
    pub(super) fn searching(mut self, dice: &mut Dice) -> Self {
        self.0.retain(|rule| rule.kind != Type::Observation || !rule.all.is_empty());
        self.0.push(Rule { letters: "cruds", ..Self::granular(dice, Type::Observation) });
        self
    }

    fn granular(dice: &mut Dice, kind: Type) -> Rule {
        let mut all = vec![Criterion::roll(dice, kind)];
        if dice.chance(20) {
            all.push(Criterion::roll(dice, kind));
        }
        Rule { kind, letters: dice.word(&LETTERS), all }
    }

    /// As the token has them.
    #[must_use]
    pub fn scope(&self) -> String {
        let scopes: Vec<String> = self.0.iter().map(Rule::text).collect();
        scopes.join(" ")
    }

    /// Whether anything that tells of its being there covers it.
    pub(super) fn sees(&self, shape: &Shape) -> bool {
        self.0.iter().any(|rule| {
            rule.kind == shape.kind
                && rule.letters.contains(['r', 's', 'u', 'd'])
                && rule.all.iter().all(|criterion| criterion.covers(shape))
        })
    }

    /// The types that some scope names.
    pub(super) fn types(&self) -> Vec<Type> {
        let mut types: Vec<Type> = self.0.iter().map(|rule| rule.kind).collect();
        types.dedup();
        types
    }
}

impl Rule {
    fn text(&self) -> String {
        let criteria: Vec<String> = self.all.iter().map(|criterion| criterion.text(self.kind)).collect();
        let question = if criteria.is_empty() { "" } else { "?" };
        format!("system/{}.{}{question}{}", self.kind.name(), self.letters, criteria.join("&"))
    }
}
