//! What has been seen: every shape of the planner, every kind of question. What was never seen is a
//! failure, else a way that nobody takes would pass for one that holds.

use super::queries::Asked;
use crate::{Explanation, Shape};
use policy::Access;
use search::{
    Predicate, Test,
    predicate::{DateTest, FromNow, NumberTest, Prefix, ReferenceTest, StringMatch, TokenTest, UriMatch},
    query::{Direction, SortKey},
};
use std::{collections::BTreeMap, fmt};

/// Names and how often each was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Coverage {
    shapes: BTreeMap<(Shape, bool), u64>,
    seen: BTreeMap<String, u64>,
    pub(super) searches: u64,
}

/// What happens beside the questions.
const HAPPENINGS: [&str; 15] = [
    "a creation",
    "an update",
    "a deletion",
    "a creation after a deletion",
    "a store opened again",
    "a search refused as too costly",
    "something included",
    "a cursor over a change",
    "a cursor at a deleted match",
    "a read",
    "a read that finds nothing",
    "a read of what is gone",
    "a history over several pages",
    "a page of a thousand",
    "a narrowed permit",
];

impl Coverage {
    pub(super) fn saw(&mut self, what: &str) {
        match self.seen.get_mut(what) {
            Some(count) => *count += 1,
            None => drop(self.seen.insert(what.to_owned(), 1)),
        }
    }

    /// The way that one search of the store went.
    pub(super) fn went(&mut self, explanation: &Explanation) {
        self.searches += 1;
        for step in &explanation.steps {
            *self.shapes.entry((step.shape, step.depth > 0)).or_default() += 1;
        }
    }

    /// A question.
    pub(super) fn asked(&mut self, asked: &Asked) {
        self.predicate(&asked.predicate, 0);
        for key in &asked.sort {
            self.saw(&sorted(key));
        }
        self.saw(&format!("{} sort keys", asked.sort.len()));
        if asked.count >= 1000 {
            self.saw("a page of a thousand");
        }
        if super::model::is_narrowed(asked) {
            self.saw("a narrowed permit");
        }
        for access in asked.permit.of.values() {
            if let Access::Where(grant) = access
                && is_ruled(grant)
            {
                self.saw("ruled");
            }
        }
    }

    fn predicate(&mut self, predicate: &Predicate, joins: usize) {
        // Exhaustive, so that a new predicate is asked for here.
        let name = match predicate {
            Predicate::All => "all",
            Predicate::Nothing => "nothing",
            Predicate::Id(_) => "id",
            Predicate::LastUpdated(test) => return self.saw(&format!("last updated {:?}", test.prefix)),
            Predicate::Value { test, .. } => return self.saw(&tested(test)),
            Predicate::Missing { missing: true, .. } => "missing",
            Predicate::Missing { missing: false, .. } => "not missing",
            Predicate::PatientCompartment(_) => "compartment",
            Predicate::NoOtherPatient(_) => "no other patient",
            Predicate::InForce(_) => "in force",
            Predicate::Only { .. } => "only",
            Predicate::Ruled(_) => "ruled",
            Predicate::Near { .. } => "near",
            Predicate::FromNow(FromNow { parameter: Some(_), .. }) => "from now",
            Predicate::FromNow(FromNow { parameter: None, .. }) => "last updated from now",
            Predicate::While { predicate, .. } => {
                self.predicate(predicate, joins + 1);
                "while"
            }
            Predicate::NoPatientBut(part) => {
                self.predicate(part, joins + 1);
                "no patient but"
            }
            Predicate::During(during) => {
                self.predicate(&during.predicate, joins + 1);
                "during"
            }
            Predicate::And(parts) => {
                parts.iter().for_each(|part| self.predicate(part, joins));
                "and"
            }
            Predicate::Or(parts) => {
                parts.iter().for_each(|part| self.predicate(part, joins));
                "or"
            }
            Predicate::Not(part) => {
                self.predicate(part, joins);
                "not"
            }
            Predicate::Now(part) => {
                self.predicate(part, joins);
                "now"
            }
            Predicate::Chain { predicate, .. } => {
                self.predicate(predicate, joins + 1);
                if joins == 0 { "chain" } else { "chain in a join" }
            }
            Predicate::Has { predicate, .. } => {
                self.predicate(predicate, joins + 1);
                if joins == 0 { "has" } else { "has in a join" }
            }
        };
        self.saw(name);
    }

    /// What should have been seen and was not: the planner's ways; `thorough`: those within joins, and
    /// every question, too.
    pub(super) fn missing(&self, thorough: bool) -> Vec<String> {
        let mut missing = Vec::new();
        for shape in Shape::ALL {
            let count = |inner| self.shapes.get(&(*shape, inner)).copied().unwrap_or(0);
            if count(false) == 0 {
                missing.push(format!("{shape:?}"));
            }
            if thorough && plans(*shape) && count(true) == 0 {
                missing.push(format!("{shape:?} in a join"));
            }
        }
        if thorough {
            missing.extend(questions().into_iter().filter(|name| !self.seen.contains_key(name)));
        }
        missing
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.searches += other.searches;
        for (shape, count) in &other.shapes {
            *self.shapes.entry(*shape).or_default() += count;
        }
        for (name, count) in &other.seen {
            *self.seen.entry(name.clone()).or_default() += count;
        }
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} pages; ways of the planner, at the top and within joins:", self.searches)?;
        for shape in Shape::ALL {
            let count = |inner| self.shapes.get(&(*shape, inner)).copied().unwrap_or(0);
            writeln!(f, "  {:<22} {:>9} {:>9}", format!("{shape:?}"), count(false), count(true))?;
        }
        writeln!(f, "questions and happenings:")?;
        self.seen.iter().try_for_each(|(name, count)| writeln!(f, "  {name:<32} {count:>9}"))
    }
}

/// Whether a shape belongs to the choice of candidates, which joins make as well.
fn plans(shape: Shape) -> bool {
    let name = format!("{shape:?}");
    ["Path", "Plan", "Chain", "Has", "Range"].iter().any(|begin| name.starts_with(begin))
}

fn sorted(key: &SortKey) -> String {
    let way = |direction: &Direction| match direction {
        Direction::Ascending => "up",
        Direction::Descending => "down",
    };
    match key {
        SortKey::LastUpdated(direction) => format!("sorted by last update, {}", way(direction)),
        SortKey::Id(direction) => format!("sorted by id, {}", way(direction)),
        SortKey::Parameter(parameter, direction) => {
            format!("sorted by a {}, {}", super::values::kind_of(*parameter).code(), way(direction))
        }
    }
}

fn tested(test: &Test) -> String {
    match test {
        Test::Token(test) => format!("token {}", token(test)),
        Test::String(StringMatch::StartsWith, _) => "string begins".into(),
        Test::String(StringMatch::Exact, _) => "string exact".into(),
        Test::String(StringMatch::Contains, _) => "string contains".into(),
        Test::Reference(ReferenceTest::Target(..)) => "reference to a target".into(),
        Test::Reference(ReferenceTest::AnyType(_)) => "reference to an id".into(),
        Test::Reference(ReferenceTest::Url(_)) => "reference to a url".into(),
        Test::Reference(ReferenceTest::Identifier(test)) => format!("reference by identifier: {}", token(test)),
        Test::Reference(ReferenceTest::Elsewhere) => "reference elsewhere".into(),
        Test::Date(DateTest { prefix, .. }) => format!("date {prefix:?}"),
        Test::Number(NumberTest { prefix, .. }) => format!("number {prefix:?}"),
        Test::Quantity(test) => {
            let how = match (&test.canonical, &test.code, &test.system) {
                (Some(_), ..) => "canonical",
                (None, Some(_), Some(_)) => "with unit and system",
                (None, Some(_), None) => "with unit",
                (None, None, Some(_)) => "with system",
                (None, None, None) => "without unit",
            };
            format!("quantity {how} {:?}", test.number.prefix)
        }
        Test::Uri(UriMatch::Exact, _) => "uri".into(),
        Test::Uri(UriMatch::Above, _) => "uri above".into(),
        Test::Uri(UriMatch::Below, _) => "uri below".into(),
        Test::Composite(_) => "composite".into(),
    }
}

fn token(test: &TokenTest) -> &'static str {
    match test {
        TokenTest::Code(_) => "code",
        TokenTest::SystemCode(..) => "system and code",
        TokenTest::NoSystem(_) => "without system",
        TokenTest::System(_) => "system",
        TokenTest::Text(_) => "text",
    }
}

/// Whether a permit has a rule for each patient.
fn is_ruled(grant: &Predicate) -> bool {
    match grant {
        Predicate::Ruled(_) => true,
        Predicate::And(parts) => parts.iter().any(|part| is_ruled(part)),
        _ => false,
    }
}

/// All names that a question can have.
fn questions() -> Vec<String> {
    const PREFIXES: [Prefix; 9] = super::queries::PREFIXES;
    const PLAIN: [&str; 35] = [
        "ruled",
        "near",
        "from now",
        "last updated from now",
        "while",
        "no patient but",
        "during",
        "all",
        "nothing",
        "id",
        "missing",
        "not missing",
        "compartment",
        "no other patient",
        "in force",
        "only",
        "now",
        "and",
        "or",
        "not",
        "chain",
        "chain in a join",
        "has",
        "has in a join",
        "string begins",
        "string exact",
        "string contains",
        "reference to a target",
        "reference to an id",
        "reference to a url",
        "uri",
        "uri above",
        "uri below",
        "composite",
        "0 sort keys",
    ];
    let tokens = ["code", "system and code", "without system", "system", "text"];
    let quantities = ["canonical", "with unit and system", "with unit", "with system", "without unit"];
    let sorted =
        ["last update", "id", "a token", "a string", "a date", "a reference", "a quantity", "a uri", "a number"];
    let mut names: Vec<String> = PLAIN.iter().chain(&HAPPENINGS).map(|name| (*name).to_owned()).collect();
    names.extend(tokens.iter().flat_map(|test| [format!("token {test}"), format!("reference by identifier: {test}")]));
    for prefix in PREFIXES {
        names.extend(["last updated", "date", "number"].iter().map(|what| format!("{what} {prefix:?}")));
        names.extend(quantities.iter().map(|how| format!("quantity {how} {prefix:?}")));
    }
    names.extend(sorted.iter().flat_map(|by| ["up", "down"].map(|way| format!("sorted by {by}, {way}"))));
    names.extend((1..4).map(|keys| format!("{keys} sort keys")));
    names
}
