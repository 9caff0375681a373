//! A compiled expression.

use crate::parser;
use crate::syntax::Node;
use std::fmt;
use std::sync::Arc;

/// A FHIRPath expression, parsed once; cheap to clone.
#[derive(Clone)]
pub struct Expression(Arc<Compiled>);

struct Compiled {
    text: Box<str>,
    root: Node,
}

impl Expression {
    /// Parses an expression.
    ///
    /// # Errors
    /// [`ParseError`] with the byte offset of the first thing that does not fit.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let root = parser::parse(text)?;
        Ok(Self(Arc::new(Compiled { text: text.into(), root })))
    }

    /// The text it was parsed from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The expression written anew from what was parsed: without comments and needless parentheses, one
    /// spelling for each form. Parsing it gives the same expression; it may nest a little deeper.
    #[must_use]
    pub fn normalized(&self) -> String {
        crate::print::print(&self.0.root)
    }

    pub(crate) fn root(&self) -> &Node {
        &self.0.root
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.text()).finish()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::str::FromStr for Expression {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// What was expected or found; quotes at most a name of the expression.
    pub message: String,
    /// Byte offset in the text.
    pub offset: usize,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at offset {}", self.message, self.offset)
    }
}

impl std::error::Error for ParseError {}
