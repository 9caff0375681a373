//! FHIRPath: lexer, parser, evaluator with a step budget.
