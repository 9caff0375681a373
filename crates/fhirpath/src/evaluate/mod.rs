//! The evaluator: walks the tree of an expression over elements, counting steps.
//!
//! Paths are walked depth first into a visitor, so that `exists()`, `where` and comparisons of paths
//! build no collections. SPEC: FHIRPath N1, "Expressions", "Functions", "Operations".

mod combining;
mod conversion;
mod equality;
mod existence;
mod filtering;
mod math;
mod operator;
mod path;
mod reference;
mod subsetting;
mod terminology;
mod text;
mod types;
mod utility;

use crate::context::Context;
use crate::expression::Expression;
use crate::function::Function;
use crate::item::{Collection, Item};
use crate::limits;
use crate::syntax::{Literal, Node, Variable};
use fhir::element::Element;
use smallvec::smallvec;
use std::borrow::Cow;
use std::fmt;

/// Why an evaluation gave no result. Holds no data of the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvaluateError {
    /// More steps, items or text than the limits allow.
    TooCostly,
    /// One item was expected, several were there.
    NotSingleton,
    /// An operand or argument has a type that does not fit; says where.
    WrongType(&'static str),
    /// A type that FHIR and System do not have.
    UnknownType,
    /// A `%name` that has no value here.
    UnknownVariable,
    /// A regular expression that cannot be read, or is too large.
    Pattern,
    /// `checkModifiers()` found a modifier extension that it was not told of.
    Modifier,
    /// Needs what this evaluation was not given: a clock, terminology, profiles.
    Unavailable(&'static str),
}

impl fmt::Display for EvaluateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooCostly => f.write_str("the expression takes too many steps"),
            Self::NotSingleton => f.write_str("one item was expected, several were found"),
            Self::WrongType(place) => write!(f, "wrong type of operand for {place}"),
            Self::UnknownType => f.write_str("unknown type"),
            Self::UnknownVariable => f.write_str("unknown variable"),
            Self::Pattern => f.write_str("not a usable regular expression"),
            Self::Modifier => f.write_str("a modifier extension that is not allowed here"),
            Self::Unavailable(what) => write!(f, "{what} is not available here"),
        }
    }
}

impl std::error::Error for EvaluateError {}

/// Evaluates an expression on an element.
///
/// # Errors
/// [`EvaluateError`]; a search extraction or an invariant that fails so has no result at all.
pub fn evaluate<'a>(
    expression: &'a Expression,
    focus: Element<'a>,
    context: &'a Context<'a>,
) -> Result<Collection<'a>, EvaluateError> {
    let mut evaluator = Evaluator { context, focus, steps: 0 };
    let this = Item::Element(focus);
    evaluator.collect(expression.root(), Scope { this: Some(&this), index: None, total: None })
}

/// Evaluates an expression whose result is a condition, `None` when it is empty, and tells the steps that
/// it took.
///
/// # Errors
/// As [`evaluate`], and [`EvaluateError::NotSingleton`] when there are several results.
pub fn evaluate_condition<'a>(
    expression: &'a Expression,
    focus: Element<'a>,
    context: &'a Context<'a>,
) -> (Result<Option<bool>, EvaluateError>, u64) {
    let mut evaluator = Evaluator { context, focus, steps: 0 };
    let this = Item::Element(focus);
    let outcome = evaluator.truth(expression.root(), Scope { this: Some(&this), index: None, total: None });
    (outcome, evaluator.steps)
}

type Outcome<T> = Result<T, EvaluateError>;

/// Whether a visitor wants more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Continue,
    Stop,
}

/// Takes the items of a walk one by one.
type Sink<'s, 'a> = dyn FnMut(&mut Evaluator<'a>, Item<'a>) -> Outcome<Flow> + 's;

/// What `$this`, `$index` and `$total` are.
#[derive(Clone, Copy)]
struct Scope<'s, 'a> {
    this: Option<&'s Item<'a>>,
    index: Option<usize>,
    total: Option<&'s Collection<'a>>,
}

impl<'s, 'a> Scope<'s, 'a> {
    fn at(self, this: &'s Item<'a>, index: usize) -> Self {
        Scope { this: Some(this), index: Some(index), ..self }
    }
}

struct Evaluator<'a> {
    context: &'a Context<'a>,
    focus: Element<'a>,
    steps: u64,
}

impl<'a> Evaluator<'a> {
    fn charge(&mut self, steps: usize) -> Outcome<()> {
        self.steps = self.steps.saturating_add(steps as u64);
        if self.steps > self.context.steps_max { Err(EvaluateError::TooCostly) } else { Ok(()) }
    }

    /// Charges for a built text and refuses it when it is too long.
    fn charge_text(&mut self, bytes: usize) -> Outcome<()> {
        if bytes > limits::STRING_BYTES_MAX {
            return Err(EvaluateError::TooCostly);
        }
        self.charge(bytes / 64)
    }

    fn push(&mut self, out: &mut Collection<'a>, item: Item<'a>) -> Outcome<()> {
        if out.len() >= limits::ITEMS_MAX {
            return Err(EvaluateError::TooCostly);
        }
        self.charge(1)?;
        out.push(item);
        Ok(())
    }

    fn collect(&mut self, node: &'a Node, scope: Scope<'_, 'a>) -> Outcome<Collection<'a>> {
        self.charge(1)?;
        Ok(match node {
            Node::Empty => Collection::new(),
            Node::Literal(literal) => smallvec![literal_item(literal)],
            Node::Pattern(pattern) => smallvec![Item::String(Cow::Borrowed(&pattern.text))],
            Node::This => scope.this.cloned().into_iter().collect(),
            Node::Index => scope.index.and_then(|at| i64::try_from(at).ok()).map(Item::Integer).into_iter().collect(),
            Node::Total => scope.total.cloned().unwrap_or_default(),
            Node::Variable(variable) => return self.variable(variable),
            Node::Path { .. } => {
                let mut out = Collection::new();
                self.walk(node, scope, &mut |me, item| {
                    me.push(&mut out, item)?;
                    Ok(Flow::Continue)
                })?;
                out
            }
            Node::Union(parts) => return self.union_of(parts, scope),
            Node::Binary(operator, sides) => return self.binary(*operator, sides, scope),
            Node::Negate(operand) => return self.negate(operand, scope),
            Node::Plus(operand) => {
                let operand = self.collect(operand, scope)?;
                return self.signed(operand);
            }
            Node::Is(..) => self.truth(node, scope)?.map(Item::Boolean).into_iter().collect(),
            Node::Indexer(sides) => return self.indexer(sides, scope),
            Node::Call { base, function, arguments } => {
                return self.call(base.as_deref(), *function, arguments, scope);
            }
        })
    }

    /// At most one item.
    fn single(&mut self, node: &'a Node, scope: Scope<'_, 'a>) -> Outcome<Option<Item<'a>>> {
        one(self.collect(node, scope)?)
    }

    fn variable(&mut self, variable: &'a Variable) -> Outcome<Collection<'a>> {
        let item = match variable {
            Variable::Resource => Item::Element(self.resource()),
            Variable::RootResource => Item::Element(self.context.root_resource.unwrap_or_else(|| self.resource())),
            Variable::Context => Item::Element(self.focus),
            Variable::Text(text) => Item::String(Cow::Borrowed(text)),
            Variable::Named(name) => {
                let found = self.context.variables.iter().find(|(known, _)| *known == name.as_ref());
                found.map(|(_, item)| item.clone()).ok_or(EvaluateError::UnknownVariable)?
            }
        };
        Ok(smallvec![item])
    }

    fn resource(&self) -> Element<'a> {
        self.context.resource.unwrap_or(self.focus)
    }

    #[inline(never)]
    fn call(
        &mut self,
        base: Option<&'a Node>,
        function: Function,
        arguments: &'a [Node],
        scope: Scope<'_, 'a>,
    ) -> Outcome<Collection<'a>> {
        use Function as F;
        match function {
            F::Empty
            | F::Exists
            | F::All
            | F::Not
            | F::AllTrue
            | F::AllFalse
            | F::AnyTrue
            | F::AnyFalse
            | F::Count
            | F::HasValue
            | F::SubsetOf
            | F::SupersetOf
            | F::IsDistinct => self.existence(base, function, arguments, scope),
            F::Select
            | F::Repeat
            | F::Sort
            | F::Aggregate
            | F::Trace
            | F::Iif
            | F::Children
            | F::Descendants
            | F::Extension
            | F::Where
            | F::OfType
            | F::As
            | F::Is
            | F::Resolve => self.filtering(base, function, arguments, scope),
            F::First | F::Last | F::Tail | F::Skip | F::Take | F::Single => {
                self.subsetting(base, function, arguments, scope)
            }
            F::Union | F::Combine | F::Intersect | F::Exclude | F::Distinct => {
                self.combining(base, function, arguments, scope)
            }
            F::ToBoolean
            | F::ToInteger
            | F::ToDecimal
            | F::ToDate
            | F::ToDateTime
            | F::ToTime
            | F::ToQuantity
            | F::ToString
            | F::ConvertsToBoolean
            | F::ConvertsToInteger
            | F::ConvertsToDecimal
            | F::ConvertsToDate
            | F::ConvertsToDateTime
            | F::ConvertsToTime
            | F::ConvertsToQuantity
            | F::ConvertsToString => self.conversion(base, function, arguments, scope),
            F::Contains
            | F::StartsWith
            | F::EndsWith
            | F::IndexOf
            | F::Substring
            | F::Length
            | F::Upper
            | F::Lower
            | F::ToChars
            | F::Trim
            | F::Split
            | F::Join
            | F::Matches
            | F::MatchesFull
            | F::Replace
            | F::ReplaceMatches
            | F::Encode
            | F::Decode
            | F::Escape
            | F::Unescape => self.text(base, function, arguments, scope),
            F::Abs | F::Ceiling | F::Exp | F::Floor | F::Ln | F::Log | F::Power | F::Round | F::Sqrt | F::Truncate => {
                self.math(base, function, arguments, scope)
            }
            F::MemberOf | F::ConformsTo | F::Subsumes | F::SubsumedBy | F::Slice | F::CheckModifiers => {
                self.terminology(base, function, arguments, scope)
            }
            F::Now
            | F::Today
            | F::TimeOfDay
            | F::GetValue
            | F::HtmlChecks
            | F::Type
            | F::ElementDefinition
            | F::LowBoundary
            | F::HighBoundary
            | F::Precision
            | F::Comparable => self.utility(base, function, arguments, scope),
        }
    }

    /// The collection that a function is called on.
    fn input(&mut self, base: Option<&'a Node>, scope: Scope<'_, 'a>) -> Outcome<Collection<'a>> {
        match base {
            Some(base) => self.collect(base, scope),
            None => Ok(scope.this.cloned().into_iter().collect()),
        }
    }

    /// The one item that a function is called on.
    fn input_one(&mut self, base: Option<&'a Node>, scope: Scope<'_, 'a>) -> Outcome<Option<Item<'a>>> {
        one(self.input(base, scope)?)
    }

    /// The argument at this place as a text; `None` when it is absent or empty.
    fn text_argument(
        &mut self,
        arguments: &'a [Node],
        at: usize,
        scope: Scope<'_, 'a>,
    ) -> Outcome<Option<Cow<'a, str>>> {
        let Some(node) = arguments.get(at) else { return Ok(None) };
        match self.single(node, scope)? {
            None => Ok(None),
            Some(item) => item.as_str().map(Some).ok_or(EvaluateError::WrongType("a text argument")),
        }
    }

    /// The argument at this place as a whole number.
    fn integer_argument(&mut self, arguments: &'a [Node], at: usize, scope: Scope<'_, 'a>) -> Outcome<Option<i64>> {
        let Some(node) = arguments.get(at) else { return Ok(None) };
        match self.single(node, scope)? {
            None => Ok(None),
            Some(item) => item.as_integer().map(Some).ok_or(EvaluateError::WrongType("a number argument")),
        }
    }
}

fn one<'a>(mut items: Collection<'a>) -> Outcome<Option<Item<'a>>> {
    if items.len() > 1 { Err(EvaluateError::NotSingleton) } else { Ok(items.pop()) }
}

fn boolean<'a>(value: Option<bool>) -> Collection<'a> {
    value.map(Item::Boolean).into_iter().collect()
}

fn optional<'a>(item: Option<Item<'a>>) -> Collection<'a> {
    item.into_iter().collect()
}

fn literal_item(literal: &Literal) -> Item<'_> {
    match literal {
        Literal::Boolean(value) => Item::Boolean(*value),
        Literal::String(text) => Item::String(Cow::Borrowed(text)),
        Literal::Integer(value) => Item::Integer(*value),
        Literal::Decimal(value) => Item::Decimal(*value),
        Literal::Temporal(value) => Item::Temporal(*value),
        Literal::Quantity(quantity) => Item::Quantity(quantity.clone()),
    }
}
