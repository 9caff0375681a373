//! An expression written anew from its tree: parsing that gives the same tree.
//!
//! One spelling for what has several: `as` and `is` become functions, blanks and comments go, parentheses stand
//! where they must. SPEC: FHIRPath N1, grammar.

use crate::lexer::escaped;
use crate::quantity::{Quantity, Unit};
use crate::syntax::{Literal, Namespace, Node, Operator, Step, TypeName, Variable};
use crate::temporal::{Precision, Temporal, TemporalKind};
use fhir::primitive::decimal::Decimal;

/// Words that mean something else when they stand alone.
const KEYWORDS: &[&str] = &["and", "as", "contains", "div", "false", "implies", "in", "is", "mod", "or", "true", "xor"];

/// How strongly a node holds together; as in the parser.
const SIGN: u8 = 12;
const TERM: u8 = 13;

fn strength(node: &Node) -> u8 {
    match node {
        Node::Binary(operator, _) => operator.strength(),
        Node::Union(_) => 8,
        Node::Negate(_) | Node::Plus(_) => SIGN,
        _ => TERM,
    }
}

/// Writes a whole expression.
pub(crate) fn print(node: &Node) -> String {
    let mut out = String::new();
    write(node, 0, &mut out);
    out
}

/// Writes a node, in parentheses when it holds together less than `least`.
fn write(node: &Node, least: u8, out: &mut String) {
    if strength(node) < least {
        out.push('(');
        write(node, 0, out);
        out.push(')');
        return;
    }
    match node {
        Node::Empty => out.push_str("{}"),
        Node::Literal(literal) => write_literal(literal, out),
        Node::Pattern(pattern) => out.push_str(&escaped(&pattern.text, '\'')),
        Node::This => out.push_str("$this"),
        Node::Index => out.push_str("$index"),
        Node::Total => out.push_str("$total"),
        Node::Variable(variable) => write_variable(variable, out),
        Node::Path { base, steps } => write_path(base.as_deref(), steps, out),
        Node::Union(parts) => {
            for (at, part) in parts.iter().enumerate() {
                if at > 0 {
                    out.push_str(" | ");
                }
                write(part, 9, out);
            }
        }
        Node::Binary(operator, sides) => {
            let [left, right] = &**sides;
            write(left, operator.strength(), out);
            out.push(' ');
            out.push_str(operator.symbol());
            out.push(' ');
            write(right, operator.strength() + 1, out);
        }
        Node::Negate(operand) => {
            out.push('-');
            write(operand, SIGN, out);
        }
        Node::Plus(operand) => {
            out.push('+');
            write(operand, SIGN, out);
        }
        Node::Is(subject, name) => {
            write(subject, TERM, out);
            out.push_str(".is(");
            write_type(name, out);
            out.push(')');
        }
        Node::Indexer(sides) => {
            let [collection, index] = &**sides;
            write(collection, TERM, out);
            out.push('[');
            write(index, 0, out);
            out.push(']');
        }
        Node::Call { base, function, arguments } => {
            if let Some(base) = base {
                write(base, TERM, out);
                out.push('.');
            }
            out.push_str(function.name());
            out.push('(');
            for (at, argument) in arguments.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write(argument, 0, out);
            }
            out.push(')');
        }
    }
}

fn write_path(base: Option<&Node>, steps: &[Step], out: &mut String) {
    match base {
        // A union in parentheses is a path of no steps.
        Some(base) if steps.is_empty() => {
            out.push('(');
            write(base, 0, out);
            return out.push(')');
        }
        Some(base) => write(base, TERM, out),
        None => {}
    }
    for (at, step) in steps.iter().enumerate() {
        let begins = base.is_none() && at == 0;
        // Without `$this` a name with a capital would be a type.
        let capital = matches!(step, Step::Child(name) if name.text.starts_with(|c: char| c.is_ascii_uppercase()));
        if begins && capital {
            out.push_str("$this");
        }
        if !begins || capital {
            out.push('.');
        }
        match step {
            Step::Child(name) => write_name(&name.text, out),
            Step::Head(name) => write_name(name, out),
            Step::OfType(name) => write_type_call("ofType", name, out),
            Step::As(name) => write_type_call("as", name, out),
            Step::Where(criterion) => {
                out.push_str("where(");
                write(criterion, 0, out);
                out.push(')');
            }
            Step::WhereEquals(name, text) => {
                out.push_str("where(");
                write_name(&name.text, out);
                out.push_str(" = ");
                out.push_str(&escaped(text, '\''));
                out.push(')');
            }
            Step::WhereResolvesTo(name) => {
                out.push_str("where(resolve().is(");
                write_type(name, out);
                out.push_str("))");
            }
            Step::Resolve => out.push_str("resolve()"),
        }
    }
}

fn write_type_call(function: &str, name: &TypeName, out: &mut String) {
    out.push_str(function);
    out.push('(');
    write_type(name, out);
    out.push(')');
}

fn write_type(name: &TypeName, out: &mut String) {
    out.push_str(match name.namespace {
        Namespace::Any => "",
        Namespace::Fhir => "FHIR.",
        Namespace::System => "System.",
    });
    write_name(&name.name, out);
}

fn write_name(name: &str, out: &mut String) {
    let mut letters = name.bytes();
    let first = letters.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let plain = first && letters.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain && !KEYWORDS.contains(&name) { out.push_str(name) } else { out.push_str(&escaped(name, '`')) }
}

fn write_variable(variable: &Variable, out: &mut String) {
    out.push('%');
    match variable {
        Variable::Resource => out.push_str("resource"),
        Variable::RootResource => out.push_str("rootResource"),
        Variable::Context => out.push_str("context"),
        Variable::Text(text) => match text.as_ref() {
            "http://unitsofmeasure.org" => out.push_str("ucum"),
            "http://snomed.info/sct" => out.push_str("sct"),
            "http://loinc.org" => out.push_str("loinc"),
            text => {
                let of = |prefix: &str, word: &str| Some(format!("{word}{}", text.strip_prefix(prefix)?));
                let name = of("http://hl7.org/fhir/ValueSet/", "vs-")
                    .or_else(|| of("http://hl7.org/fhir/StructureDefinition/", "ext-"));
                out.push_str(&escaped(&name.unwrap_or_default(), '`'));
            }
        },
        Variable::Named(name) => write_name(name, out),
    }
}

fn write_literal(literal: &Literal, out: &mut String) {
    match literal {
        Literal::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Literal::String(text) => out.push_str(&escaped(text, '\'')),
        Literal::Integer(value) => out.push_str(&value.to_string()),
        Literal::Decimal(value) => write_decimal(*value, out),
        Literal::Temporal(value) => write_temporal(value, out),
        Literal::Quantity(quantity) => write_quantity(quantity, out),
    }
}

/// All digits: literals have no power of ten.
fn write_decimal(value: Decimal, out: &mut String) {
    let places = usize::try_from(value.exponent.min(0).unsigned_abs()).unwrap_or(0);
    let digits = format!("{:0width$}", value.mantissa.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at_checked(digits.len() - places).unwrap_or((&digits, ""));
    out.push_str(whole);
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
}

fn write_temporal(value: &Temporal, out: &mut String) {
    out.push_str(if value.kind == TemporalKind::Time { "@T" } else { "@" });
    out.push_str(&value.to_string());
    if value.kind == TemporalKind::DateTime && value.precision <= Precision::Day {
        out.push('T');
    }
}

fn write_quantity(quantity: &Quantity<'_>, out: &mut String) {
    write_decimal(quantity.value, out);
    out.push(' ');
    match &quantity.unit {
        Unit::Calendar(unit) => out.push_str(unit.keyword()),
        Unit::Ucum(code) | Unit::Other(code) => out.push_str(&escaped(code, '\'')),
    }
}

impl Operator {
    /// How strongly it binds; as in the parser.
    fn strength(self) -> u8 {
        match self {
            Self::Implies => 1,
            Self::Or | Self::Xor => 2,
            Self::And => 3,
            Self::In | Self::Contains => 4,
            Self::Equal | Self::NotEqual | Self::Equivalent | Self::NotEquivalent => 5,
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => 6,
            Self::Add | Self::Subtract | Self::Concatenate => 10,
            Self::Multiply | Self::Divide | Self::DivideWhole | Self::Modulo => 11,
        }
    }

    fn symbol(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
            Self::Xor => "xor",
            Self::Implies => "implies",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Equivalent => "~",
            Self::NotEquivalent => "!~",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::Contains => "contains",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::DivideWhole => "div",
            Self::Modulo => "mod",
            Self::Concatenate => "&",
        }
    }
}
