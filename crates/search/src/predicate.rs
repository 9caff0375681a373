//! The predicate algebra: which resources of one type are meant.
//!
//! INVARIANT: a predicate never widens by being ANDed; `policy` relies on `And([grant, search])`
//! selecting a subset of `grant`.

use crate::{matcher::Related, registry::ParameterId};
use fhir::{Instant, LogicalId, ResourceType, primitive::decimal::Decimal};
use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

/// Which resources (of a type given by context) are meant.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// Every resource.
    All,
    /// None.
    Nothing,
    /// Those that all of these mean; empty: all.
    And(Vec<Arc<Predicate>>),
    /// Those that at least one of these means; empty: none.
    Or(Vec<Arc<Predicate>>),
    /// Those that this does not mean.
    Not(Arc<Predicate>),
    /// Those with one of these ids.
    Id(Vec<LogicalId>),
    /// Those last updated so.
    LastUpdated(DateTest),
    /// Those with at least one value of the parameter that passes the test.
    Value {
        /// The parameter.
        parameter: ParameterId,
        /// The test.
        test: Test,
    },
    /// Those with no value (`true`) or at least one value (`false`) of the parameter.
    Missing {
        /// The parameter.
        parameter: ParameterId,
        /// Whether it is missing.
        missing: bool,
    },
    /// Those whose reference parameter points at a `target` resource that `predicate` means.
    Chain {
        /// The reference parameter.
        parameter: ParameterId,
        /// Type of the target.
        target: ResourceType,
        /// About the target.
        predicate: Arc<Predicate>,
    },
    /// Those that a `source` resource meant by `predicate` refers to by its parameter.
    Has {
        /// Type of the referring resource.
        source: ResourceType,
        /// Its reference parameter.
        parameter: ParameterId,
        /// About the referring resource.
        predicate: Arc<Predicate>,
    },
    /// Those whose current version this means: what is granted by what a resource says must not hold for a past version
    /// when it holds no more. Without a current version: none.
    Now(Arc<Predicate>),
    /// Those in the compartment of this patient (R4 CompartmentDefinition patient).
    PatientCompartment(LogicalId),
    /// Those whose reference parameters point at no Patient but this one.
    NoOtherPatient(LogicalId),
    /// Those that hold at the moment of the question: one value of this date parameter has it within, or there is none.
    /// A period without a start has begun, one without an end goes on; its last day belongs to it.
    /// SPEC: R4 datatypes.html#Period.
    InForce(ParameterId),
    /// Those all of whose values of the token parameter are in the set; also those without a value.
    Only {
        /// The parameter.
        parameter: ParameterId,
        /// What may be there.
        tokens: Arc<TokenSet>,
    },
    /// Those that the rule of each patient whom they are about means; also those about nobody.
    Ruled(Ruled),
    /// Those with a value of this date parameter that has an end and touches the time around the moment of the question.
    Near {
        /// The parameter.
        parameter: ParameterId,
        /// Milliseconds before the moment that still count.
        back_ms: i64,
        /// Milliseconds after it.
        ahead_ms: i64,
    },
    /// Everything, while the current version of one resource is meant by this; else nothing.
    While {
        /// Its type.
        target: ResourceType,
        /// Its id.
        id: LogicalId,
        /// About it.
        predicate: Arc<Predicate>,
    },
    /// Those whose reference parameters point at no Patient but such as this means now.
    NoPatientBut(Arc<Predicate>),
    /// Those that lie in a period that another resource gives their patient: a stay while it was insured.
    During(Arc<During>),
    /// Those with a date that compares so with a moment before or after that of the question.
    FromNow(FromNow),
}

impl Predicate {
    /// Whether one of the parameters that it asks for is such a one; those of rules of patients are not looked at.
    pub fn asks(&self, is_such: &mut dyn FnMut(ParameterId) -> bool) -> bool {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().any(|part| part.asks(is_such)),
            Self::Not(part) | Self::Now(part) => part.asks(is_such),
            Self::Value { parameter, .. }
            | Self::Missing { parameter, .. }
            | Self::Only { parameter, .. }
            | Self::Near { parameter, .. }
            | Self::InForce(parameter) => is_such(*parameter),
            Self::FromNow(from) => from.parameter.is_some_and(is_such),
            Self::While { predicate, .. } | Self::NoPatientBut(predicate) => predicate.asks(is_such),
            Self::During(during) => {
                [during.date, during.about, during.by, during.period].into_iter().any(&mut *is_such)
                    || during.predicate.asks(is_such)
            }
            Self::Ruled(ruled) => ruled.about.iter().any(|parameter| is_such(*parameter)),
            Self::Chain { parameter, predicate, .. } | Self::Has { parameter, predicate, .. } => {
                is_such(*parameter) || predicate.asks(is_such)
            }
            Self::All
            | Self::Nothing
            | Self::Id(_)
            | Self::LastUpdated(_)
            | Self::PatientCompartment(_)
            | Self::NoOtherPatient(_) => false,
        }
    }
}

/// A comparison of a date with a moment that is named by its distance from now: see [`Predicate::FromNow`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FromNow {
    /// The date parameter; `None`: `_lastUpdated`.
    pub parameter: Option<ParameterId>,
    /// How it compares.
    pub prefix: Prefix,
    /// Milliseconds from the moment of the question; before it when negative.
    pub shift_ms: i64,
}

impl FromNow {
    /// What it means at a moment. INVARIANT: only for the question of that moment; never kept.
    #[must_use]
    pub fn at(&self, now: Instant) -> Predicate {
        let low = now.unix_millis().saturating_add(self.shift_ms);
        let test = DateTest { prefix: self.prefix, low, high: low.saturating_add(1) };
        match self.parameter {
            Some(parameter) => Predicate::Value { parameter, test: Test::Date(test) },
            None => Predicate::LastUpdated(test),
        }
    }
}

/// What lies in the periods of which resources: see [`Predicate::During`].
#[derive(Debug, Clone, PartialEq)]
pub struct During {
    /// Date parameter of the resource: one value must touch a period.
    pub date: ParameterId,
    /// Whether a resource without such a value is meant as soon as there is any period.
    pub undated: bool,
    /// Reference parameter of the resource that leads to the patient.
    pub about: ParameterId,
    /// The type that gives periods.
    pub source: ResourceType,
    /// Its reference parameter that leads to the same patient.
    pub by: ParameterId,
    /// Its date parameter; a `source` without a value is for all time.
    pub period: ParameterId,
    /// Which resources of that type.
    pub predicate: Arc<Predicate>,
}

/// Tokens that may be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenSet {
    /// Codes by their system (empty: none).
    pub codes: BTreeMap<String, BTreeSet<String>>,
    /// Systems of which any code may be there.
    pub systems: BTreeSet<String>,
}

impl TokenSet {
    /// Whether it holds this token.
    #[must_use]
    pub fn has(&self, system: Option<&str>, code: &str) -> bool {
        let system = system.unwrap_or_default();
        self.systems.contains(system) || self.codes.get(system).is_some_and(|codes| codes.contains(code))
    }
}

/// A rule that each patient has for themselves: what their consents leave.
#[derive(Clone)]
pub struct Ruled {
    /// Gives the rule of a patient.
    pub ruling: Arc<dyn Ruling>,
    /// Reference parameters that say whom a resource is about. A Patient is about itself, whatever stands here.
    pub about: Arc<[ParameterId]>,
}

impl fmt::Debug for Ruled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ruled({:?}, {:?})", self.ruling, self.about)
    }
}

/// Two are equal when they are of one making.
impl PartialEq for Ruled {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.ruling, &other.ruling) && self.about == other.about
    }
}

/// Gives the rule of each patient, for one caller and one type of resource.
pub trait Ruling: fmt::Debug + Send + Sync {
    /// What is meant of the resources about this patient. `said`: what the patient's own resources say, as whoever
    /// keeps them has read them; `None`: they say nothing. Who is somebody is asked of `related`.
    fn rule(
        &self,
        patient: &LogicalId,
        said: Option<&(dyn Any + Send + Sync)>,
        related: &dyn Related,
    ) -> Arc<Predicate>;
}

/// A test of one index value.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Of a token.
    Token(TokenTest),
    /// Of a string: the text is folded for `StartsWith` and `Contains`, as written for `Exact`.
    String(StringMatch, String),
    /// Of a reference.
    Reference(ReferenceTest),
    /// Of a date.
    Date(DateTest),
    /// Of a number.
    Number(NumberTest),
    /// Of a quantity.
    Quantity(Box<QuantityTest>),
    /// Of a URI.
    Uri(UriMatch, String),
    /// Of a composite: one test for each component, all on the same group.
    Composite(Vec<Test>),
}

/// SPEC: R4 search.html#token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenTest {
    /// `code`: any system or none.
    Code(String),
    /// `system|code`.
    SystemCode(String, String),
    /// `|code`: no system.
    NoSystem(String),
    /// `system|`: any code of the system.
    System(String),
    /// `:text`: display or text starts with this (folded).
    Text(String),
}

/// SPEC: R4 search.html#string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the modifiers")]
pub enum StringMatch {
    StartsWith,
    Exact,
    Contains,
}

/// SPEC: R4 search.html#uri.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the modifiers")]
pub enum UriMatch {
    Exact,
    Above,
    Below,
}

/// SPEC: R4 search.html#reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferenceTest {
    /// A local target of this type and id.
    Target(ResourceType, LogicalId),
    /// A local target of this id, of any type.
    AnyType(LogicalId),
    /// This absolute or canonical URL.
    Url(String),
    /// `:identifier`.
    Identifier(TokenTest),
    /// No local target: an identifier alone, or a resource elsewhere. No query asks for it, a guard does.
    Elsewhere,
}

/// Comparison prefixes. SPEC: R4 search.html#prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the prefixes")]
pub enum Prefix {
    Eq,
    Ne,
    Gt,
    Lt,
    Ge,
    Le,
    Sa,
    Eb,
    Ap,
}

/// A comparison with the span `[low, high)` that a search value stands for (milliseconds since the epoch).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTest {
    /// The prefix.
    pub prefix: Prefix,
    /// First millisecond of the search value; for `ap` already widened.
    pub low: i64,
    /// First millisecond after it.
    pub high: i64,
}

/// A comparison with a number and the interval `[low, high)` that its precision stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NumberTest {
    /// The prefix.
    pub prefix: Prefix,
    /// The number itself.
    pub value: Decimal,
    /// Lower end of its precision interval.
    pub low: Decimal,
    /// Upper end.
    pub high: Decimal,
}

/// A comparison with a quantity: the number as for [`NumberTest`], and the unit.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantityTest {
    /// The number, in the unit as written.
    pub number: NumberTest,
    /// Unit system; `None`: any.
    pub system: Option<String>,
    /// Unit code or text; `None`: any unit.
    pub code: Option<String>,
    /// The same in canonical UCUM units, when the unit is one we convert.
    pub canonical: Option<(NumberTest, String)>,
}
