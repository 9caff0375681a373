//! The parser: precedence climbing over the tokens. SPEC: FHIRPath N1, "Operator Precedence" and grammar.
//!
//! Types are not checked here: an expression may be evaluated on any resource.

use crate::expression::ParseError;
use crate::function::{Arguments, Function};
use crate::lexer::{self, Lexeme, Token};
use crate::limits;
use crate::quantity::{CalendarUnit, Quantity, Unit};
use crate::syntax::{Literal, Name, Namespace, Node, Operator, Pattern, Step, TypeName, Variable};
use fhir::primitive::decimal::Decimal;
use std::borrow::Cow;
use std::sync::OnceLock;

/// Parses a whole text.
pub(crate) fn parse(text: &str) -> Result<Node, ParseError> {
    if text.len() > limits::TEXT_BYTES_MAX {
        return Err(ParseError { message: "expression is too long".to_owned(), offset: limits::TEXT_BYTES_MAX });
    }
    let mut parser = Parser { lexemes: lexer::tokens(text)?, at: 0, depth: 0, patterns: 0 };
    let (node, _) = parser.expression(0)?;
    match parser.peek() {
        Token::End => Ok(node),
        _ => parser.error("expected an operator or the end"),
    }
}

/// A node and the number of levels below it.
type Deep = (Node, usize);

struct Parser {
    lexemes: Vec<Lexeme>,
    at: usize,
    depth: usize,
    patterns: usize,
}

/// What binds how strongly; unary signs lie between `MULTIPLICATIVE` and a term.
const UNION: u8 = 8;
const TYPE: u8 = 9;
const ADDITIVE: u8 = 10;
const MULTIPLICATIVE: u8 = 11;

/// An operator between two expressions: its strength, and what it builds.
enum Infix {
    Operator(Operator),
    Union,
    Is,
    As,
}

fn infix(token: &Token) -> Option<(u8, Infix)> {
    let operator = |strength, operator| Some((strength, Infix::Operator(operator)));
    match token {
        Token::Word(word) => match word.as_str() {
            "implies" => operator(1, Operator::Implies),
            "or" => operator(2, Operator::Or),
            "xor" => operator(2, Operator::Xor),
            "and" => operator(3, Operator::And),
            "in" => operator(4, Operator::In),
            "contains" => operator(4, Operator::Contains),
            "is" => Some((TYPE, Infix::Is)),
            "as" => Some((TYPE, Infix::As)),
            "div" => operator(MULTIPLICATIVE, Operator::DivideWhole),
            "mod" => operator(MULTIPLICATIVE, Operator::Modulo),
            _ => None,
        },
        Token::Symbol(symbol) => match *symbol {
            "=" => operator(5, Operator::Equal),
            "!=" => operator(5, Operator::NotEqual),
            "~" => operator(5, Operator::Equivalent),
            "!~" => operator(5, Operator::NotEquivalent),
            "<" => operator(6, Operator::Less),
            "<=" => operator(6, Operator::LessOrEqual),
            ">" => operator(6, Operator::Greater),
            ">=" => operator(6, Operator::GreaterOrEqual),
            "|" => Some((UNION, Infix::Union)),
            "+" => operator(ADDITIVE, Operator::Add),
            "-" => operator(ADDITIVE, Operator::Subtract),
            "&" => operator(ADDITIVE, Operator::Concatenate),
            "*" => operator(MULTIPLICATIVE, Operator::Multiply),
            "/" => operator(MULTIPLICATIVE, Operator::Divide),
            _ => None,
        },
        _ => None,
    }
}

impl Parser {
    fn peek(&self) -> &Token {
        self.lexemes.get(self.at).map_or(&Token::End, |lexeme| &lexeme.token)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn error<T>(&self, message: &str) -> Result<T, ParseError> {
        let offset = self.lexemes.get(self.at).or(self.lexemes.last()).map_or(0, |lexeme| lexeme.offset);
        Err(ParseError { message: message.to_owned(), offset })
    }

    fn skip(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(found) if *found == symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), ParseError> {
        if self.skip(symbol) { Ok(()) } else { self.error(&format!("expected {symbol}")) }
    }

    /// Counts a level; too many of them are refused, both while parsing and in the tree that results.
    fn deeper(&self, below: usize) -> Result<usize, ParseError> {
        if below + 1 > limits::DEPTH_MAX { self.error("expression is nested too deeply") } else { Ok(below + 1) }
    }

    /// An expression whose operators bind at least as strongly as `strength`.
    fn expression(&mut self, strength: u8) -> Result<Deep, ParseError> {
        self.depth = self.deeper(self.depth)?;
        let (mut left, mut below) = self.prefix()?;
        while let Some((found, operator)) = infix(self.peek()) {
            if found < strength {
                break;
            }
            self.at += 1;
            (left, below) = match operator {
                Infix::Is => (Node::Is(Box::new(left), self.type_name()?), self.deeper(below)?),
                Infix::As => {
                    let step = Step::As(self.type_name()?);
                    let below = self.deeper(below)?;
                    (extend((left, below), step).0, below)
                }
                Infix::Union => {
                    let (right, right_below) = self.expression(found + 1)?;
                    let below = self.deeper(below.max(right_below))?;
                    match left {
                        // WHY: flat, so that the long unions of search parameters stay shallow.
                        Node::Union(mut parts) => {
                            parts.push(right);
                            (Node::Union(parts), below - 1)
                        }
                        left => (Node::Union(vec![left, right]), below),
                    }
                }
                Infix::Operator(operator) => {
                    let (right, right_below) = self.expression(found + 1)?;
                    let below = self.deeper(below.max(right_below))?;
                    (Node::Binary(operator, Box::new([left, right])), below)
                }
            };
        }
        self.depth -= 1;
        Ok((left, below))
    }

    fn prefix(&mut self) -> Result<Deep, ParseError> {
        for (symbol, build) in [("-", Node::Negate as fn(Box<Node>) -> Node), ("+", Node::Plus)] {
            if self.skip(symbol) {
                let (operand, below) = self.expression(MULTIPLICATIVE + 1)?;
                return Ok((build(Box::new(operand)), self.deeper(below)?));
            }
        }
        let mut term = self.term()?;
        loop {
            if self.skip(".") {
                term = self.invocation(Some(term))?;
            } else if self.skip("[") {
                let (index, index_below) = self.expression(0)?;
                self.expect("]")?;
                let below = self.deeper(term.1.max(index_below))?;
                term = (Node::Indexer(Box::new([term.0, index])), below);
            } else {
                return Ok(term);
            }
        }
    }

    fn term(&mut self) -> Result<Deep, ParseError> {
        let literal = |literal| Ok((Node::Literal(literal), 1));
        match self.peek().clone() {
            Token::Symbol("(") => {
                self.at += 1;
                let inner = self.expression(0)?;
                self.expect(")")?;
                Ok(parenthesized(inner))
            }
            Token::Symbol("{") => {
                self.at += 1;
                self.expect("}")?;
                Ok((Node::Empty, 1))
            }
            Token::String(text) => {
                self.at += 1;
                literal(Literal::String(text.into()))
            }
            Token::Integer(value) => {
                self.at += 1;
                let quantity = self.unit(Decimal { mantissa: i128::from(value), exponent: 0 });
                literal(quantity.unwrap_or(Literal::Integer(value)))
            }
            Token::Decimal(value) => {
                self.at += 1;
                literal(self.unit(value).unwrap_or(Literal::Decimal(value)))
            }
            Token::Temporal(value) => {
                self.at += 1;
                literal(Literal::Temporal(value))
            }
            Token::Special(name) => {
                self.at += 1;
                Ok((
                    match name.as_str() {
                        "this" => Node::This,
                        "index" => Node::Index,
                        _ => Node::Total,
                    },
                    1,
                ))
            }
            Token::Percent => {
                self.at += 1;
                Ok((Node::Variable(self.variable()?), 1))
            }
            Token::Word(word) if word == "true" || word == "false" => {
                self.at += 1;
                literal(Literal::Boolean(word == "true"))
            }
            Token::Word(_) | Token::Delimited(_) => self.invocation(None),
            _ => self.error("expected a value, a name or a parenthesis"),
        }
    }

    /// The unit after a number: a calendar word or a quoted UCUM code.
    fn unit(&mut self, value: Decimal) -> Option<Literal> {
        let unit = match self.peek() {
            Token::String(code) => match CalendarUnit::from_keyword(code) {
                Some(unit) => Unit::Calendar(unit),
                None => Unit::Ucum(Cow::Owned(code.clone())),
            },
            Token::Word(word) => Unit::Calendar(CalendarUnit::from_keyword(word)?),
            _ => return None,
        };
        self.at += 1;
        Some(Literal::Quantity(Box::new(Quantity { value, unit })))
    }

    fn variable(&mut self) -> Result<Variable, ParseError> {
        let mut name = match self.next() {
            Token::Word(name) | Token::Delimited(name) | Token::String(name) => name,
            _ => {
                self.at -= 1;
                return self.error("expected a name after %");
            }
        };
        // WHY: `%vs-gender` is written without backticks in older packages.
        while matches!(name.as_str(), "vs" | "ext") && self.skip("-") {
            match self.next() {
                Token::Word(rest) => name = format!("{name}-{rest}"),
                _ => {
                    self.at -= 1;
                    return self.error("expected a name");
                }
            }
        }
        let text = |text: &str| Variable::Text(text.into());
        Ok(match name.as_str() {
            "resource" => Variable::Resource,
            "rootResource" => Variable::RootResource,
            "context" => Variable::Context,
            "ucum" => text("http://unitsofmeasure.org"),
            "sct" => text("http://snomed.info/sct"),
            "loinc" => text("http://loinc.org"),
            name => {
                if let Some(id) = name.strip_prefix("vs-") {
                    text(&format!("http://hl7.org/fhir/ValueSet/{id}"))
                } else if let Some(id) = name.strip_prefix("ext-") {
                    text(&format!("http://hl7.org/fhir/StructureDefinition/{id}"))
                } else {
                    Variable::Named(name.into())
                }
            }
        })
    }

    /// A member name, or a function with its arguments.
    fn invocation(&mut self, base: Option<Deep>) -> Result<Deep, ParseError> {
        let start = self.at;
        let name = match self.next() {
            Token::Word(name) | Token::Delimited(name) => name,
            _ => {
                self.at = start;
                return self.error("expected a name");
            }
        };
        if !self.skip("(") {
            let head = base.is_none() && name.starts_with(|c: char| c.is_ascii_uppercase());
            let step = if head { Step::Head(name.into()) } else { Step::Child(Name::new(&name)) };
            return Ok(match base {
                Some(base) => extend(base, step),
                None => (Node::Path { base: None, steps: vec![step] }, 1),
            });
        }
        let Some((function, least, most, kind)) = Function::named(&name) else {
            self.at = start;
            return self.error(&format!("unknown function {name}"));
        };
        if kind == Arguments::Type {
            let type_name = self.type_name()?;
            self.expect(")")?;
            return self.type_function(base, function, type_name);
        }
        let (arguments, below) = self.arguments()?;
        if arguments.len() < least || arguments.len() > most {
            self.at = start;
            return self.error(&format!("wrong number of arguments for {name}"));
        }
        let below = self.deeper(below.max(base.as_ref().map_or(0, |base| base.1)))?;
        self.call(base, function, arguments, below)
    }

    fn type_function(&self, base: Option<Deep>, function: Function, type_name: TypeName) -> Result<Deep, ParseError> {
        let base = base.unwrap_or((Node::This, 1));
        if function == Function::Is {
            let below = self.deeper(base.1)?;
            return Ok((Node::Is(Box::new(base.0), type_name), below));
        }
        let below = self.deeper(base.1)?;
        let step = if function == Function::As { Step::As(type_name) } else { Step::OfType(type_name) };
        Ok((extend(base, step).0, below))
    }

    fn arguments(&mut self) -> Result<(Vec<Node>, usize), ParseError> {
        let mut arguments = Vec::new();
        let mut below = 0;
        if self.skip(")") {
            return Ok((arguments, below));
        }
        loop {
            let (argument, argument_below) = self.expression(0)?;
            arguments.push(argument);
            below = below.max(argument_below);
            if !self.skip(",") {
                break;
            }
        }
        self.expect(")")?;
        Ok((arguments, below))
    }

    fn call(
        &mut self,
        base: Option<Deep>,
        function: Function,
        mut arguments: Vec<Node>,
        below: usize,
    ) -> Result<Deep, ParseError> {
        if matches!(function, Function::Matches | Function::MatchesFull | Function::ReplaceMatches)
            && let Some(first) = arguments.first_mut()
            && let Node::Literal(Literal::String(text)) = first
        {
            self.patterns += 1;
            if self.patterns > limits::REGEX_LITERALS_MAX {
                return self.error("too many regular expressions");
            }
            *first = Node::Pattern(Pattern { text: std::mem::take(text), compiled: OnceLock::new() });
        }
        let step = match function {
            Function::Where => arguments.pop().map(filter),
            Function::Resolve => Some(Step::Resolve),
            _ => None,
        };
        Ok(match (step, base) {
            (Some(step), Some((base, _))) => (extend((base, 0), step).0, below),
            (Some(step), None) => (Node::Path { base: None, steps: vec![step] }, below),
            (None, base) => (Node::Call { base: base.map(|base| Box::new(base.0)), function, arguments }, below),
        })
    }

    fn type_name(&mut self) -> Result<TypeName, ParseError> {
        // WHY: some packages put the type in parentheses or quotes after `as`.
        let first = self.type_word()?;
        let namespace = match first.as_str() {
            "FHIR" => Namespace::Fhir,
            "System" => Namespace::System,
            _ => Namespace::Any,
        };
        if namespace == Namespace::Any || !self.skip(".") {
            return Ok(TypeName { namespace: Namespace::Any, name: first.into() });
        }
        Ok(TypeName { namespace, name: self.type_word()?.into() })
    }

    fn type_word(&mut self) -> Result<String, ParseError> {
        match self.next() {
            Token::Word(name) | Token::Delimited(name) => Ok(name),
            _ => {
                self.at -= 1;
                self.error("expected a type")
            }
        }
    }
}

/// A node with one more step of a path. Steps to children are as deep as the JSON can be; the others count as
/// levels at the callers, for a path is walked by recursion.
fn extend((node, below): Deep, step: Step) -> Deep {
    match node {
        Node::Path { base, mut steps } => {
            steps.push(step);
            (Node::Path { base, steps }, below)
        }
        Node::This => (Node::Path { base: None, steps: vec![step] }, below),
        node => (Node::Path { base: Some(Box::new(node)), steps: vec![step] }, below + 1),
    }
}

/// `(a | b)` must not take further operands of a union beside it, or `.c` as a step of its last path.
fn parenthesized((node, below): Deep) -> Deep {
    match node {
        union @ Node::Union(_) => (Node::Path { base: Some(Box::new(union)), steps: Vec::new() }, below + 1),
        node => (node, below),
    }
}

/// `where(criterion)`, with its common forms recognized.
fn filter(criterion: Node) -> Step {
    match criterion {
        Node::Is(subject, type_name) => match *subject {
            Node::Path { base: None, steps } if matches!(steps.as_slice(), [Step::Resolve]) => {
                Step::WhereResolvesTo(type_name)
            }
            subject => Step::Where(Box::new(Node::Is(Box::new(subject), type_name))),
        },
        Node::Binary(Operator::Equal, sides) => match *sides {
            [Node::Path { base: None, mut steps }, Node::Literal(Literal::String(text))] if steps.len() == 1 => {
                match steps.pop() {
                    Some(Step::Child(name)) => Step::WhereEquals(name, text),
                    step => {
                        let path = Node::Path { base: None, steps: step.into_iter().collect() };
                        let sides = Box::new([path, Node::Literal(Literal::String(text))]);
                        Step::Where(Box::new(Node::Binary(Operator::Equal, sides)))
                    }
                }
            }
            sides => Step::Where(Box::new(Node::Binary(Operator::Equal, Box::new(sides)))),
        },
        criterion => Step::Where(Box::new(criterion)),
    }
}
