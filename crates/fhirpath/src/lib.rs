//! FHIRPath: lexer, parser, evaluator with a step budget.
//!
//! [`Expression::parse`] compiles the text once; [`evaluate`] walks [`fhir::element::Element`]s. An
//! expression is parsed without a schema: names of types are compared when it is evaluated, and a name that
//! nothing has yields nothing. [`check()`] tells beforehand what can mean nothing on a type.
//!
//! Nothing is fetched: `resolve()` finds contained resources, asks [`Resolve`] when the caller gives
//! one, and otherwise yields a stand-in that knows only the type ([`Item::Unresolved`]), which is what
//! search parameters ask for (`where(resolve() is Patient)`).
//!
//! [`patch`] changes a resource by operations that name elements so.
//!
//! SPEC: FHIRPath N1 (hl7.org/fhirpath), R4 fhirpath.html. What needs more than the resource (codes, profiles,
//! other resources, the time) is asked of the [`Context`]. Left out: CQL's long integers.

pub mod limits;

mod check;
mod context;
mod definition;
mod evaluate;
mod expression;
mod function;
mod item;
mod lexer;
mod number;
mod parser;
pub mod patch;
mod print;
mod quantity;
mod syntax;
mod temporal;

pub use check::{CheckError, check};
pub use context::{Code, Conformance, Context, Resolve, Terminology, Trace};
pub use definition::Definition;
pub use evaluate::{EvaluateError, evaluate, evaluate_condition};
pub use expression::{Expression, ParseError};
pub use item::{Collection, Item};
pub use quantity::{CalendarUnit, Quantity, Unit};
pub use temporal::{Precision, Temporal, TemporalKind};
