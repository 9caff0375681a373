//! Random queries: every kind of test and predicate, joins in joins, permits with predicates, sorts,
//! totals, includes, pages small and large.

use super::{
    dice::Dice,
    values::{
        KINDS, REFERENCES, any_id, code, decimal, kind_of, parameter, parameters, span, system, text, unit,
        unit_system, uri,
    },
};
use crate::tests::world::{Table, at, kind};
use fhir::{LogicalId, primitive::decimal::Decimal};
use policy::{Access, Need};
use search::{
    ParameterId, ParameterKind, Predicate, Query, Test, exact,
    fold::fold,
    predicate::{
        DateTest, During, FromNow, NumberTest, Prefix, QuantityTest, ReferenceTest, Ruled, Ruling, StringMatch,
        TokenSet, TokenTest, UriMatch,
    },
    query::{Direction, Include, SortKey, Total},
    ucum,
};
use std::{collections::HashMap, sync::Arc};

pub(super) const PREFIXES: [Prefix; 9] =
    [Prefix::Eq, Prefix::Ne, Prefix::Gt, Prefix::Lt, Prefix::Ge, Prefix::Le, Prefix::Sa, Prefix::Eb, Prefix::Ap];

/// A query with its permit.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) of: &'static str,
    pub(super) predicate: Arc<Predicate>,
    pub(super) permit: Arc<Table>,
    pub(super) sort: Vec<SortKey>,
    pub(super) count: usize,
    pub(super) includes: Vec<Include>,
    pub(super) revincludes: Vec<Include>,
    /// The second page is asked for after the store has changed.
    pub(super) goes_on_later: bool,
}

impl Asked {
    pub(super) fn query(&self, total: Total) -> Query {
        Query {
            resource_type: kind(self.of),
            predicate: Arc::clone(&self.predicate),
            sort: self.sort.clone(),
            count: self.count,
            total,
            includes: self.includes.clone(),
            revincludes: self.revincludes.clone(),
            applied: "asked".into(),
            warnings: Vec::new(),
        }
    }
}

pub(super) fn asked(dice: &mut Dice) -> Asked {
    let of = dice.pick(&KINDS);
    let includes = dice.percent(20);
    Asked {
        of,
        predicate: joined(dice, of, 2),
        permit: permit(dice),
        sort: if dice.percent(50) { Vec::new() } else { sort(dice, of) },
        count: if dice.percent(15) { 1000 } else { 1 + dice.below(5) },
        includes: if includes { dice.list(0, 3, include) } else { Vec::new() },
        revincludes: if includes { dice.list(0, 3, include) } else { Vec::new() },
        goes_on_later: dice.percent(20),
    }
}

fn include(dice: &mut Dice) -> Include {
    let (source, code) = dice.pick(&REFERENCES);
    let target = dice.percent(40).then(|| kind(dice.pick(&KINDS)));
    Include { source: kind(source), parameter: parameter(source, code), target }
}

fn sort(dice: &mut Dice, of: &str) -> Vec<SortKey> {
    let way = |dice: &mut Dice| dice.pick(&[Direction::Ascending, Direction::Descending]);
    if dice.percent(25) {
        return vec![SortKey::LastUpdated(way(dice))];
    }
    dice.list(1, 4, |dice| match dice.below(5) {
        0 => SortKey::LastUpdated(way(dice)),
        1 => SortKey::Id(way(dice)),
        _ => SortKey::Parameter(any_parameter(dice, of), way(dice)),
    })
}

fn tokens(dice: &mut Dice) -> TokenSet {
    let mut tokens = TokenSet::default();
    for (system, code) in dice.list(0, 5, |dice| (system(dice), code(dice))) {
        tokens.codes.entry(system).or_default().insert(code);
    }
    tokens.systems.extend(dice.list(0, 2, system));
    tokens
}

fn any_parameter(dice: &mut Dice, of: &str) -> ParameterId {
    let code = dice.pick(parameters(of));
    parameter(of, code)
}

/// What consents leave: each patient has one of a few rules, by their id; some need other resources to be told.
#[derive(Debug)]
pub(super) struct Random {
    rules: Vec<Arc<Predicate>>,
    salt: usize,
}

impl Ruling for Random {
    fn rule(
        &self,
        patient: &LogicalId,
        said: Option<&(dyn std::any::Any + Send + Sync)>,
        _: &dyn search::matcher::Related,
    ) -> Arc<Predicate> {
        assert!(said.is_none(), "no store here has a Consent");
        let sum: usize = patient.as_str().bytes().map(usize::from).sum();
        Arc::clone(&self.rules[(sum + self.salt) % self.rules.len()])
    }
}

/// A rule for each patient whom one of a few references names.
fn ruled(dice: &mut Dice, of: &'static str) -> Arc<Predicate> {
    let references: Vec<ParameterId> =
        REFERENCES.iter().filter(|(source, _)| *source == of).map(|(_, code)| parameter(of, code)).collect();
    let about = dice.list(1, 3, |dice| dice.pick(&references));
    let rules = dice.list(1, 5, |dice| match dice.below(4) {
        0 => Arc::new(Predicate::All),
        1 => Arc::new(Predicate::Nothing),
        2 => joined(dice, of, 1),
        _ => simple(dice, of, 2),
    });
    let ruling = Arc::new(Random { rules, salt: dice.below(8) });
    Arc::new(Predicate::Ruled(Ruled { ruling, about: about.into() }))
}

/// Half of the permits hide nothing; the others narrow each type by itself, searches and reads apart.
pub(super) fn permit(dice: &mut Dice) -> Arc<Table> {
    let mut of = HashMap::new();
    if dice.percent(50) {
        for name in KINDS {
            for need in [Need::Search, Need::Read] {
                let access = match dice.below(10) {
                    0 => Access::Nothing,
                    // As consents are: for each patient another rule, beside what is reached.
                    1 => Access::Where(ruled(dice, name)),
                    2 => Access::Where(Arc::new(Predicate::And(vec![simple(dice, name, 1), ruled(dice, name)]))),
                    3 => Access::Where(simple(dice, name, 2)),
                    // As a relation to a patient is granted: through what refers to them.
                    4 if dice.percent(50) => Access::Where(Arc::new(relation(dice, name, 2))),
                    4 => Access::Where(joined(dice, name, 2)),
                    _ => continue,
                };
                of.insert((kind(name), need), access);
            }
        }
    }
    Arc::new(Table { default: Access::Everything, of })
}

/// With chains and `_has`, so many deep.
fn joined(dice: &mut Dice, of: &'static str, depth: usize) -> Arc<Predicate> {
    if depth == 0 {
        return simple(dice, of, 1);
    }
    Arc::new(match dice.below(20) {
        0..7 => return simple(dice, of, 2),
        7 => Predicate::And(vec![
            Arc::new(Predicate::PatientCompartment(any_id(dice))),
            Arc::new(plain(dice, of)),
            Arc::new(plain(dice, of)),
        ]),
        8 => Predicate::And(dice.list(2, 4, |dice| Arc::new(plain(dice, of)))),
        // A list that is not short, beside a join that is wider still.
        9 => {
            let wide = chain(dice, of, 1);
            let Predicate::Chain { parameter, target, predicate } = wide else { return Arc::new(wide) };
            let predicate = Arc::new(Predicate::Not(Arc::new(Predicate::And(vec![
                predicate,
                Arc::new(plain(dice, target.name())),
            ]))));
            Predicate::And(vec![Arc::new(plain(dice, of)), Arc::new(Predicate::Chain { parameter, target, predicate })])
        }
        10..13 => chain(dice, of, depth),
        13..16 => has(dice, of, depth),
        16 => Predicate::And(vec![Arc::new(chain(dice, of, depth)), simple(dice, of, 1)]),
        17 => Predicate::And(vec![Arc::new(has(dice, of, depth)), simple(dice, of, 1)]),
        18 if dice.percent(50) => relation(dice, of, depth),
        18 => Predicate::Or(vec![joined(dice, of, depth - 1), joined(dice, of, depth - 1)]),
        _ => Predicate::Not(joined(dice, of, depth - 1)),
    })
}

fn chain(dice: &mut Dice, of: &'static str, depth: usize) -> Predicate {
    let of_type: Vec<&str> = REFERENCES.iter().filter(|(source, _)| *source == of).map(|(_, code)| *code).collect();
    let parameter = parameter(of, dice.pick(&of_type));
    let target = dice.pick(&KINDS);
    Predicate::Chain { parameter, target: kind(target), predicate: joined(dice, target, depth - 1) }
}

/// Several ways to have to do with something, as they hold now.
fn relation(dice: &mut Dice, of: &'static str, depth: usize) -> Predicate {
    let ways = vec![Arc::new(plain(dice, of)), Arc::new(has(dice, of, depth)), Arc::new(chain(dice, of, depth))];
    Predicate::Now(Arc::new(Predicate::Or(ways)))
}

fn has(dice: &mut Dice, of: &'static str, depth: usize) -> Predicate {
    let _ = of;
    let (source, code) = dice.pick(&REFERENCES);
    Predicate::Has {
        source: kind(source),
        parameter: parameter(source, code),
        predicate: joined(dice, source, depth - 1),
    }
}

/// A test for one index key, with many rows: several of these are intersected.
fn plain(dice: &mut Dice, of: &str) -> Predicate {
    let code = match of {
        "Patient" => dice.pick(&["gender", "_profile", "identifier"]),
        "Observation" => dice.pick(&["code", "status", "performer", "_profile"]),
        "Encounter" => dice.pick(&["class", "identifier", "part-of"]),
        _ => dice.pick(&["condition", "encounter", "probability"]),
    };
    let parameter = parameter(of, code);
    let test = match kind_of(parameter) {
        ParameterKind::Token if dice.percent(50) => Test::Token(TokenTest::Code(dice.pick(&["a", "b"]).to_owned())),
        ParameterKind::Reference if dice.percent(50) => Test::Reference(ReferenceTest::AnyType(any_id(dice))),
        _ => test(dice, parameter),
    };
    Predicate::Value { parameter, test }
}

/// Without joins, so many brackets deep.
fn simple(dice: &mut Dice, of: &str, depth: usize) -> Arc<Predicate> {
    if depth == 0 {
        return Arc::new(leaf(dice, of));
    }
    Arc::new(match dice.below(13) {
        12 => Predicate::Now(simple(dice, of, depth - 1)),
        0..5 => leaf(dice, of),
        5..8 => Predicate::And(dice.list(0, 4, |dice| simple(dice, of, depth - 1))),
        8..10 => Predicate::Or(dice.list(0, 4, |dice| simple(dice, of, depth - 1))),
        10 => {
            let parameter = any_parameter(dice, of);
            let one = |dice: &mut Dice| Arc::new(Predicate::Value { parameter, test: test(dice, parameter) });
            Predicate::Or(dice.list(2, 4, one))
        }
        _ => Predicate::Not(simple(dice, of, depth - 1)),
    })
}

fn leaf(dice: &mut Dice, of: &str) -> Predicate {
    match dice.below(37) {
        36 => Predicate::FromNow(FromNow {
            parameter: if dice.percent(30) {
                None
            } else {
                Some(parameter(of, if of == "Patient" { "birthdate" } else { "date" }))
            },
            prefix: dice.pick(&PREFIXES),
            shift_ms: (dice.below(7) as i64 - 3) * 86_400_000,
        }),
        32 => Predicate::Near {
            parameter: any_parameter(dice, of),
            back_ms: dice.below(3) as i64 * 86_400_000,
            ahead_ms: dice.below(3) as i64 * 86_400_000,
        },
        33 => {
            let target = dice.pick(&KINDS);
            Predicate::While { target: kind(target), id: any_id(dice), predicate: simple(dice, target, 1) }
        }
        34 => Predicate::NoPatientBut(simple(dice, "Patient", 1)),
        35 if of != "Patient" => Predicate::During(Arc::new(During {
            date: parameter(of, "date"),
            undated: dice.percent(50),
            about: parameter(of, "patient"),
            source: kind("Encounter"),
            by: parameter("Encounter", "patient"),
            period: parameter("Encounter", "date"),
            predicate: simple(dice, "Encounter", 1),
        })),
        30 => Predicate::InForce(any_parameter(dice, of)),
        31 => Predicate::Only { parameter: any_parameter(dice, of), tokens: Arc::new(tokens(dice)) },
        0 => Predicate::All,
        1 => Predicate::Nothing,
        2 | 3 => Predicate::Id(dice.list(0, 4, any_id)),
        4 | 5 => {
            let low = at(dice.between(0, 40)).unix_millis();
            Predicate::LastUpdated(DateTest { prefix: dice.pick(&PREFIXES), low, high: low + dice.pick(&[1, 5]) })
        }
        6 | 7 => Predicate::Missing { parameter: any_parameter(dice, of), missing: dice.percent(50) },
        8 => Predicate::PatientCompartment(any_id(dice)),
        9 => Predicate::NoOtherPatient(any_id(dice)),
        10..13 if of != "Patient" => {
            let parameter = parameter(of, dice.pick(&["patient", "subject"]));
            let test = Test::Reference(ReferenceTest::Target(kind("Patient"), any_id(dice)));
            Predicate::Value { parameter, test }
        }
        _ => {
            let parameter = any_parameter(dice, of);
            Predicate::Value { parameter, test: test(dice, parameter) }
        }
    }
}

fn token(dice: &mut Dice) -> TokenTest {
    match dice.below(8) {
        0..3 => TokenTest::Code(code(dice)),
        3 | 4 => TokenTest::SystemCode(system(dice), code(dice)),
        5 => TokenTest::NoSystem(code(dice)),
        6 => TokenTest::System(system(dice)),
        _ => TokenTest::Text(fold(&text(dice)).chars().take(2).collect()),
    }
}

fn number(dice: &mut Dice) -> NumberTest {
    let (prefix, value) = (dice.pick(&PREFIXES), decimal(dice));
    let interval =
        if prefix == Prefix::Ap { exact::approximate_interval(value) } else { exact::precision_interval(value) };
    let (low, high) = interval.unwrap();
    NumberTest { prefix, value, low, high }
}

/// A test for values of this parameter.
fn test(dice: &mut Dice, parameter: ParameterId) -> Test {
    match kind_of(parameter) {
        ParameterKind::Token => Test::Token(token(dice)),
        ParameterKind::String => match dice.below(4) {
            0 => Test::String(StringMatch::Exact, text(dice)),
            1 => Test::String(StringMatch::Contains, fold(dice.pick(&["nn", "e", "b", ""]))),
            _ => {
                let whole = fold(&text(dice));
                let length = 1 + dice.below(whole.chars().count());
                Test::String(StringMatch::StartsWith, whole.chars().take(length).collect())
            }
        },
        ParameterKind::Date => {
            let (low, high) = span(dice);
            Test::Date(DateTest { prefix: dice.pick(&PREFIXES), low, high })
        }
        ParameterKind::Number => Test::Number(number(dice)),
        ParameterKind::Reference => Test::Reference(match dice.below(8) {
            0..4 => ReferenceTest::Target(kind(dice.pick(&KINDS)), any_id(dice)),
            4 | 5 => ReferenceTest::AnyType(any_id(dice)),
            6 => ReferenceTest::Url(uri(dice)),
            _ => ReferenceTest::Identifier(token(dice)),
        }),
        ParameterKind::Quantity => {
            let (number, system) = (number(dice), unit_system(dice));
            let code = dice.percent(70).then(|| unit(dice));
            let is_ucum = system.as_deref() == Some(ucum::SYSTEM);
            let canonical = code.as_deref().filter(|_| is_ucum).and_then(|code| {
                let (factor, unit) = ucum::factor(code)?;
                let times = |value: Decimal| exact::product(value, factor);
                let (value, low, high) = (times(number.value)?, times(number.low)?, times(number.high)?);
                Some((NumberTest { prefix: number.prefix, value, low, high }, unit))
            });
            Test::Quantity(Box::new(QuantityTest { number, system, code, canonical }))
        }
        ParameterKind::Uri => Test::Uri(dice.pick(&[UriMatch::Exact, UriMatch::Above, UriMatch::Below]), uri(dice)),
        ParameterKind::Composite => {
            let components = search::registry().by_id(parameter).unwrap().components.iter();
            Test::Composite(components.map(|(component, _)| test(dice, *component)).collect())
        }
        ParameterKind::Special => panic!("special parameters are not asked for"),
    }
}

/// Everything of a type.
pub(super) fn whole(of: &str) -> Query {
    Query {
        resource_type: kind(of),
        predicate: Arc::new(Predicate::All),
        sort: Vec::new(),
        count: 3,
        total: Total::None,
        includes: Vec::new(),
        revincludes: Vec::new(),
        applied: "asked".into(),
        warnings: Vec::new(),
    }
}
