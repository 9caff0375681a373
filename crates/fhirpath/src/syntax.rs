//! The tree of a parsed expression, in the shape that the evaluator walks.
//!
//! A chain of member names, type filters and `where` is one [`Node::Path`], so that it is walked depth
//! first without collections in between. Unions are flat.

use crate::function::Function;
use crate::quantity::Quantity;
use crate::temporal::Temporal;
use fhir::primitive::decimal::Decimal;
use fhir::schema::{ElementDefinition, TypeDefinition};
use regex::Regex;
use std::sync::OnceLock;

/// A node.
#[derive(Debug)]
pub(crate) enum Node {
    /// `{}`.
    Empty,
    Literal(Literal),
    /// The literal regular expression of `matches` and its kin.
    Pattern(Pattern),
    This,
    Index,
    Total,
    Variable(Variable),
    /// Steps from where `base` yields, or from the focus.
    Path {
        base: Option<Box<Node>>,
        steps: Vec<Step>,
    },
    Union(Vec<Node>),
    Binary(Operator, Box<[Node; 2]>),
    Negate(Box<Node>),
    Plus(Box<Node>),
    Is(Box<Node>, TypeName),
    /// `base[index]`.
    Indexer(Box<[Node; 2]>),
    Call {
        base: Option<Box<Node>>,
        function: Function,
        arguments: Vec<Node>,
    },
}

/// A step of a path.
#[derive(Debug)]
pub(crate) enum Step {
    /// A member name.
    Child(Name),
    /// The first name of a path, with a capital: the focus when it has this type, else nothing.
    Head(Box<str>),
    /// `ofType(T)`.
    OfType(TypeName),
    /// `as T`, `as(T)`.
    As(TypeName),
    /// `where(…)`.
    Where(Box<Node>),
    /// `where(name = 'literal')`, the commonest of all.
    WhereEquals(Name, Box<str>),
    /// `where(resolve() is T)`.
    WhereResolvesTo(TypeName),
    /// `resolve()`.
    Resolve,
}

/// A member name, and where the tables have it: an expression sees the same type again and again, so the place
/// that the first type has it at is kept.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) text: Box<str>,
    /// Position of the first type that had it, and of the element in it.
    place: OnceLock<(usize, usize)>,
}

impl Name {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.into(), place: OnceLock::new() }
    }

    /// The element of this name that a type has.
    pub(crate) fn element<'s>(&self, definition: &'s TypeDefinition) -> Option<&'s ElementDefinition> {
        if let Some((of, at)) = self.place.get()
            && *of == definition.index
            && let Some(element) = definition.elements.get(*at)
            && element.name == self.text.as_ref()
        {
            return Some(element);
        }
        let element = definition.element(&self.text)?;
        let _known = self.place.set((definition.index, element.index));
        Some(element)
    }
}

/// A value written in the expression.
#[derive(Debug)]
pub(crate) enum Literal {
    Boolean(bool),
    String(Box<str>),
    Integer(i64),
    Decimal(Decimal),
    Temporal(Temporal),
    Quantity(Box<Quantity<'static>>),
}

/// `%name`.
#[derive(Debug)]
pub(crate) enum Variable {
    Resource,
    RootResource,
    Context,
    /// A name with a fixed text: `%ucum`, `%sct`, `%loinc`, `%vs-…`, `%ext-…`.
    Text(Box<str>),
    Named(Box<str>),
}

/// A literal regular expression. Most expressions of the tables are parsed and never evaluated, so it is
/// compiled when it is first needed; what it compiles to depends on its text alone.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) text: Box<str>,
    /// With the steps that a byte of text costs.
    pub(crate) compiled: OnceLock<Option<(Regex, usize)>>,
}

/// A type by name, with its namespace when one was written.
#[derive(Debug, Clone)]
pub(crate) struct TypeName {
    pub(crate) namespace: Namespace,
    pub(crate) name: Box<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Namespace {
    Any,
    Fhir,
    System,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    And,
    Or,
    Xor,
    Implies,
    Equal,
    NotEqual,
    Equivalent,
    NotEquivalent,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Contains,
    Add,
    Subtract,
    Multiply,
    Divide,
    DivideWhole,
    Modulo,
    Concatenate,
}
