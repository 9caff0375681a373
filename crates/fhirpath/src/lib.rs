//! FHIRPath: lexer, parser, evaluator with a step budget.

/// A compiled FHIRPath expression.
#[derive(Debug, Clone)]
pub struct Expression;
