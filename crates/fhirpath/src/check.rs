//! Checking an expression against the type that it will be evaluated on, before it is.
//!
//! SPEC: FHIRPath N1, "Type Safety and Strict Evaluation". The types that each part may yield are inferred from
//! the schema; a part that can yield nothing because of a name that no such type has is an error, and so are
//! functions that need an order on what has none, text functions on what has no text, and conditions of `iif`
//! that are no booleans. Where types are open (`resolve()`, `descendants()`, `%name`) anything is accepted.
//!
//! Published expressions of R4 are not held to this: the evaluator itself yields nothing for unknown names.

use crate::expression::Expression;
use crate::function::Function;
use crate::item::{Primitive, derives_from};
use crate::syntax::{Literal, Namespace, Node, Operator, Step, TypeName, Variable};
use crate::temporal::TemporalKind;
use fhir::schema::{ElementDefinition, Schema, TypeDefinition, TypeKind};
use std::fmt;

/// Parts looked at before a check gives up and accepts the rest: only nested `repeat()` comes near.
const STEPS_MAX: u32 = 50_000;

/// What an expression can never mean on a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckError {
    /// What is wrong; quotes names of the expression and the schema only.
    pub message: String,
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CheckError {}

/// Checks an expression for evaluation on elements of a type. `resource`: the type of `%resource`, when it is
/// another one.
///
/// # Errors
/// [`CheckError`] for the first part that can mean nothing.
pub fn check(
    expression: &Expression,
    schema: &Schema,
    focus: &TypeDefinition,
    resource: Option<&TypeDefinition>,
) -> Result<(), CheckError> {
    let mut checker = Checker { schema, focus, resource: resource.unwrap_or(focus), steps: 0 };
    let this = Shape::of(Kind::Fhir(focus));
    checker.shape(expression.root(), &this).map(drop)
}

/// A type that an item may have.
#[derive(Clone, Copy)]
enum Kind<'s> {
    Fhir(&'s TypeDefinition),
    System(System),
    /// What `type()` yields.
    TypeInfo,
    /// What `elementDefinition()` yields.
    Definition,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    Boolean,
    String,
    Integer,
    Decimal,
    Date,
    DateTime,
    Time,
    Quantity,
}

const NUMBERS: &[System] = &[System::Integer, System::Decimal, System::Quantity];
const VALUES: &[System] =
    &[System::Integer, System::Decimal, System::Quantity, System::String, System::Date, System::DateTime, System::Time];

impl Kind<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Fhir(definition) => definition.name,
            Self::System(System::Boolean) => "Boolean",
            Self::System(System::String) => "String",
            Self::System(System::Integer) => "Integer",
            Self::System(System::Decimal) => "Decimal",
            Self::System(System::Date) => "Date",
            Self::System(System::DateTime) => "DateTime",
            Self::System(System::Time) => "Time",
            Self::System(System::Quantity) => "Quantity",
            Self::TypeInfo => "TypeInfo",
            Self::Definition => "ElementDefinition",
        }
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Fhir(one), Self::Fhir(two)) => one.index == two.index,
            (Self::System(one), Self::System(two)) => one == two,
            (Self::TypeInfo, Self::TypeInfo) | (Self::Definition, Self::Definition) => true,
            _ => false,
        }
    }

    /// The System type of its values; `None` for what has no single value.
    fn system(&self) -> Option<System> {
        match self {
            Self::System(system) => Some(*system),
            Self::Fhir(definition) if definition.kind == TypeKind::Primitive => Some(match Primitive::of(definition) {
                Primitive::Boolean => System::Boolean,
                Primitive::String => System::String,
                Primitive::Integer => System::Integer,
                Primitive::Decimal => System::Decimal,
                Primitive::Date => System::Date,
                Primitive::DateTime => System::DateTime,
                Primitive::Time => System::Time,
            }),
            _ => None,
        }
    }
}

/// What a part may yield: one of some types, or `None` for anything. No types at all: always empty.
#[derive(Clone)]
struct Shape<'s> {
    kinds: Option<Vec<Kind<'s>>>,
    ordered: bool,
}

impl<'s> Shape<'s> {
    const ANY: Self = Self { kinds: None, ordered: true };

    fn of(kind: Kind<'s>) -> Self {
        Self { kinds: Some(vec![kind]), ordered: true }
    }

    fn system(kinds: &[System]) -> Self {
        Self { kinds: Some(kinds.iter().map(|kind| Kind::System(*kind)).collect()), ordered: true }
    }

    fn add(&mut self, kind: Kind<'s>) {
        if let Some(kinds) = &mut self.kinds
            && !kinds.iter().any(|known| known.is(&kind))
        {
            kinds.push(kind);
        }
    }

    fn join(&mut self, other: Self) {
        self.ordered &= other.ordered;
        match other.kinds {
            None => self.kinds = None,
            Some(kinds) => kinds.into_iter().for_each(|kind| self.add(kind)),
        }
    }

    fn size(&self) -> Option<usize> {
        self.kinds.as_ref().map(Vec::len)
    }

    /// Whether something may be there and none of it passes the test.
    fn never(&self, test: impl Fn(&Kind<'s>) -> bool) -> bool {
        self.kinds.as_ref().is_some_and(|kinds| !kinds.is_empty() && !kinds.iter().any(test))
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.kinds.iter().flatten().take(3).map(Kind::name).collect();
        names.join(" or ")
    }
}

type Checked<T> = Result<T, CheckError>;

fn wrong<T>(message: String) -> Checked<T> {
    Err(CheckError { message })
}

struct Checker<'s> {
    schema: &'s Schema,
    focus: &'s TypeDefinition,
    resource: &'s TypeDefinition,
    steps: u32,
}

impl<'s> Checker<'s> {
    fn shape(&mut self, node: &Node, this: &Shape<'s>) -> Checked<Shape<'s>> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Ok(Shape::ANY);
        }
        Ok(match node {
            Node::Empty => Shape { kinds: Some(Vec::new()), ordered: true },
            Node::Literal(literal) => Shape::system(&[match literal {
                Literal::Boolean(_) => System::Boolean,
                Literal::String(_) => System::String,
                Literal::Integer(_) => System::Integer,
                Literal::Decimal(_) => System::Decimal,
                Literal::Quantity(_) => System::Quantity,
                Literal::Temporal(value) => match value.kind {
                    TemporalKind::Date => System::Date,
                    TemporalKind::DateTime => System::DateTime,
                    TemporalKind::Time => System::Time,
                },
            }]),
            Node::Pattern(_) => Shape::system(&[System::String]),
            Node::This => this.clone(),
            Node::Index => Shape::system(&[System::Integer]),
            Node::Total => Shape::ANY,
            Node::Variable(variable) => match variable {
                Variable::Resource => Shape::of(Kind::Fhir(self.resource)),
                Variable::Context => Shape::of(Kind::Fhir(self.focus)),
                Variable::Text(_) => Shape::system(&[System::String]),
                Variable::RootResource | Variable::Named(_) => Shape::ANY,
            },
            Node::Path { base, steps } => {
                let mut shape = match base {
                    Some(base) => self.shape(base, this)?,
                    None => this.clone(),
                };
                for step in steps {
                    shape = self.step(shape, step, this)?;
                }
                shape
            }
            Node::Union(parts) => {
                let mut shape = Shape { kinds: Some(Vec::new()), ordered: true };
                for part in parts {
                    shape.join(self.shape(part, this)?);
                }
                shape
            }
            Node::Binary(operator, sides) => self.binary(*operator, sides, this)?,
            Node::Negate(operand) | Node::Plus(operand) => {
                let operand = self.shape(operand, this)?;
                let schema = self.schema;
                let number = |kind: &Kind<'s>| match kind {
                    Kind::Fhir(definition) if derives_from(schema, definition, "Quantity") => true,
                    kind => kind.system().is_some_and(|system| NUMBERS.contains(&system)),
                };
                if operand.never(number) {
                    return wrong(format!("a sign before {}, which is no number", operand.names()));
                }
                Shape::system(NUMBERS)
            }
            Node::Is(subject, name) => {
                self.shape(subject, this)?;
                if name.namespace != Namespace::System {
                    self.known(name)?;
                }
                Shape::system(&[System::Boolean])
            }
            Node::Indexer(sides) => {
                let [collection, index] = &**sides;
                let shape = self.shape(collection, this)?;
                self.shape(index, this)?;
                in_order(&shape, "[ ]")?;
                shape
            }
            Node::Call { base, function, arguments } => {
                let input = match base {
                    Some(base) => self.shape(base, this)?,
                    None => this.clone(),
                };
                self.call(input, *function, arguments, this)?
            }
        })
    }

    fn step(&mut self, shape: Shape<'s>, step: &Step, this: &Shape<'s>) -> Checked<Shape<'s>> {
        match step {
            Step::Child(name) => self.children(&shape, &name.text),
            Step::Head(name) => self.head(&shape, name),
            Step::OfType(name) | Step::As(name) => self.narrowed(&shape, name),
            Step::Where(criterion) => {
                self.shape(criterion, &shape)?;
                Ok(shape)
            }
            Step::WhereEquals(name, _) => {
                self.children(&shape, &name.text)?;
                Ok(shape)
            }
            Step::WhereResolvesTo(name) => {
                self.known(name)?;
                Ok(shape)
            }
            Step::Resolve => {
                let _ = this;
                Ok(Shape { kinds: None, ordered: shape.ordered })
            }
        }
    }

    fn children(&mut self, shape: &Shape<'s>, name: &str) -> Checked<Shape<'s>> {
        let Some(kinds) = &shape.kinds else { return Ok(shape.clone()) };
        let mut found = Shape { kinds: Some(Vec::new()), ordered: shape.ordered };
        let mut known = kinds.is_empty();
        for kind in kinds {
            match kind {
                Kind::Fhir(definition) => match definition.element(name) {
                    Some(element) => {
                        known = true;
                        self.types_of(element).for_each(|kind| found.add(kind));
                    }
                    None if self.may_be_more(definition) && self.some_type_has(definition, name) => {
                        return Ok(Shape { kinds: None, ordered: shape.ordered });
                    }
                    None => {}
                },
                Kind::TypeInfo if matches!(name, "name" | "namespace") => {
                    known = true;
                    found.add(Kind::System(System::String));
                }
                Kind::Definition => return Ok(Shape::ANY),
                Kind::System(_) | Kind::TypeInfo => {}
            }
        }
        if known { Ok(found) } else { wrong(format!("{} has no element {name}", shape.names())) }
    }

    fn types_of(&self, element: &'s ElementDefinition) -> impl Iterator<Item = Kind<'s>> {
        element.types.iter().filter_map(|of| self.schema.type_of(of)).map(Kind::Fhir)
    }

    /// An element of an abstract type has a type that specializes it.
    fn may_be_more(&self, definition: &TypeDefinition) -> bool {
        definition.is_abstract || definition.name == "Element"
    }

    fn some_type_has(&self, general: &TypeDefinition, name: &str) -> bool {
        let special = |one: &&TypeDefinition| derives_from(self.schema, one, general.name);
        self.schema.types.iter().filter(special).any(|one| one.element(name).is_some())
    }

    /// The first name of a path, with a capital: a type, which the focus must have.
    fn head(&mut self, shape: &Shape<'s>, name: &str) -> Checked<Shape<'s>> {
        let Some(wanted) = self.schema.type_named(name) else {
            return wrong(format!("there is no type {name}"));
        };
        let Some(kinds) = &shape.kinds else { return Ok(Shape::of(Kind::Fhir(wanted))) };
        let mut found = Shape { kinds: Some(Vec::new()), ordered: shape.ordered };
        for kind in kinds {
            if let Kind::Fhir(definition) = kind {
                if derives_from(self.schema, definition, name) {
                    found.add(*kind);
                } else if derives_from(self.schema, wanted, definition.name) {
                    found.add(Kind::Fhir(wanted));
                }
            }
        }
        if found.size() == Some(0) && !kinds.is_empty() {
            return wrong(format!("{} is no {name}", shape.names()));
        }
        Ok(found)
    }

    /// `as` and `ofType`: what may have the type, or the type itself.
    fn narrowed(&mut self, shape: &Shape<'s>, name: &TypeName) -> Checked<Shape<'s>> {
        self.known(name)?;
        let wanted = match name.namespace {
            Namespace::System => None,
            _ => self.schema.type_named(&name.name),
        };
        let kinds = wanted.map(|wanted| vec![Kind::Fhir(wanted)]);
        Ok(Shape { kinds, ordered: shape.ordered })
    }

    fn known(&self, name: &TypeName) -> Checked<()> {
        const SYSTEM: &[&str] =
            &["Any", "Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity"];
        let fhir = name.namespace != Namespace::System && self.schema.type_named(&name.name).is_some();
        let system = name.namespace != Namespace::Fhir && SYSTEM.contains(&name.name.as_ref());
        if fhir || system { Ok(()) } else { wrong(format!("there is no type {}", name.name)) }
    }

    fn binary(&mut self, operator: Operator, sides: &[Node; 2], this: &Shape<'s>) -> Checked<Shape<'s>> {
        use Operator as O;
        let [left, right] = sides;
        let (left, right) = (self.shape(left, this)?, self.shape(right, this)?);
        Ok(match operator {
            O::And
            | O::Or
            | O::Xor
            | O::Implies
            | O::Equal
            | O::NotEqual
            | O::Equivalent
            | O::NotEquivalent
            | O::In
            | O::Contains
            | O::Less
            | O::LessOrEqual
            | O::Greater
            | O::GreaterOrEqual => Shape::system(&[System::Boolean]),
            O::Concatenate => Shape::system(&[System::String]),
            O::Add | O::Subtract => {
                let temporal =
                    |kind: &Kind<'_>| matches!(kind.system(), Some(System::Date | System::DateTime | System::Time));
                let plain = |kind: &Kind<'_>| matches!(kind.system(), Some(System::Integer | System::Decimal));
                let only = |shape: &Shape<'s>, test: &dyn Fn(&Kind<'_>) -> bool| {
                    shape.kinds.as_ref().is_some_and(|kinds| !kinds.is_empty() && kinds.iter().all(test))
                };
                if only(&left, &temporal) && only(&right, &plain) {
                    return wrong("a number without unit is added to a date or time".to_owned());
                }
                Shape::system(VALUES)
            }
            O::Multiply | O::Divide | O::DivideWhole | O::Modulo => Shape::system(NUMBERS),
        })
    }

    /// The shapes of arguments that see the scope of the call.
    fn values(&mut self, arguments: &[Node], this: &Shape<'s>) -> Checked<Vec<Shape<'s>>> {
        arguments.iter().map(|argument| self.shape(argument, this)).collect()
    }

    fn call(
        &mut self,
        input: Shape<'s>,
        function: Function,
        arguments: &[Node],
        this: &Shape<'s>,
    ) -> Checked<Shape<'s>> {
        use Function as F;
        let one = |system: System| Ok(Shape::system(&[system]));
        match function {
            F::Exists | F::All => {
                for argument in arguments {
                    self.shape(argument, &input)?;
                }
                one(System::Boolean)
            }
            F::Select => match arguments.first() {
                Some(projection) => {
                    let projected = self.shape(projection, &input)?;
                    Ok(Shape { ordered: projected.ordered && input.ordered, ..projected })
                }
                None => Ok(Shape::ANY),
            },
            F::Repeat => self.repeat(input, arguments),
            F::Aggregate => {
                for argument in arguments {
                    self.shape(argument, &input)?;
                }
                Ok(Shape::ANY)
            }
            F::Trace => {
                for argument in arguments.iter().skip(1) {
                    self.shape(argument, &input)?;
                }
                Ok(input)
            }
            F::Sort => {
                for argument in arguments {
                    let key = if let Node::Negate(inner) = argument { inner } else { argument };
                    self.shape(key, &input)?;
                }
                Ok(Shape { ordered: true, ..input })
            }
            F::Iif => self.iif(&input, arguments),
            F::Children => {
                let mut found = Shape { kinds: Some(Vec::new()), ordered: false };
                for kind in input.kinds.as_ref().unwrap_or(&Vec::new()) {
                    if let Kind::Fhir(definition) = kind {
                        let elements = definition.elements.iter();
                        elements.for_each(|element| self.types_of(element).for_each(|kind| found.add(kind)));
                    }
                }
                let closed = input.kinds.iter().flatten().all(|kind| match kind {
                    Kind::Fhir(definition) => !self.may_be_more(definition),
                    _ => true,
                });
                Ok(if closed && input.kinds.is_some() { found } else { Shape { ordered: false, ..Shape::ANY } })
            }
            F::Descendants => Ok(Shape { kinds: None, ordered: false }),
            F::Extension => {
                self.values(arguments, this)?;
                let extension = self.schema.type_named("Extension").map(Kind::Fhir);
                Ok(Shape { kinds: Some(extension.into_iter().collect()), ordered: input.ordered })
            }
            F::First | F::Last | F::Tail | F::Skip | F::Take => {
                self.values(arguments, this)?;
                in_order(&input, function.name())?;
                Ok(input)
            }
            F::Single | F::Distinct | F::Intersect | F::Exclude | F::Slice | F::CheckModifiers => {
                self.values(arguments, this)?;
                Ok(input)
            }
            F::Union | F::Combine => {
                let mut joined = input;
                for shape in self.values(arguments, this)? {
                    joined.join(shape);
                }
                Ok(joined)
            }
            F::Contains | F::StartsWith | F::EndsWith | F::IndexOf | F::Matches | F::MatchesFull | F::Length => {
                self.values(arguments, this)?;
                has_text(&input, function)?;
                one(if matches!(function, F::IndexOf | F::Length) { System::Integer } else { System::Boolean })
            }
            F::Substring
            | F::Upper
            | F::Lower
            | F::ToChars
            | F::Trim
            | F::Split
            | F::Replace
            | F::ReplaceMatches
            | F::Encode
            | F::Decode
            | F::Escape
            | F::Unescape => {
                self.values(arguments, this)?;
                has_text(&input, function)?;
                one(System::String)
            }
            _ => {
                self.values(arguments, this)?;
                Ok(result_of(function))
            }
        }
    }

    fn repeat(&mut self, input: Shape<'s>, arguments: &[Node]) -> Checked<Shape<'s>> {
        let Some(projection) = arguments.first() else { return Ok(Shape::ANY) };
        let mut found = self.shape(projection, &input)?;
        loop {
            let before = found.size();
            if before.is_none() {
                return Ok(found);
            }
            // A name that only the first round has is no error in the second: `repeat(item)` ends at leaves.
            match self.shape(projection, &found) {
                Ok(next) => found.join(next),
                Err(_) => return Ok(found),
            }
            if found.size() == before {
                return Ok(found);
            }
        }
    }

    fn iif(&mut self, input: &Shape<'s>, arguments: &[Node]) -> Checked<Shape<'s>> {
        let Some((criterion, branches)) = arguments.split_first() else { return Ok(Shape::ANY) };
        let condition = self.shape(criterion, input)?;
        if condition.never(|kind| kind.system() == Some(System::Boolean)) {
            return wrong(format!("the condition of iif is {}, not a boolean", condition.names()));
        }
        let mut found = Shape { kinds: Some(Vec::new()), ordered: true };
        for branch in branches {
            found.join(self.shape(branch, input)?);
        }
        Ok(found)
    }
}

/// What the functions yield that depend on nothing else.
fn result_of<'s>(function: Function) -> Shape<'s> {
    use Function as F;
    let one = |system| Shape::system(&[system]);
    match function {
        F::Count => one(System::Integer),
        F::ToInteger | F::Precision => one(System::Integer),
        F::ToDecimal => one(System::Decimal),
        F::ToString | F::Join => one(System::String),
        F::ToDate | F::Today => one(System::Date),
        F::ToDateTime | F::Now => one(System::DateTime),
        F::ToTime | F::TimeOfDay => one(System::Time),
        F::ToQuantity => one(System::Quantity),
        F::Abs | F::Ceiling | F::Exp | F::Floor | F::Ln | F::Log | F::Power | F::Round | F::Sqrt | F::Truncate => {
            Shape::system(NUMBERS)
        }
        F::LowBoundary | F::HighBoundary => Shape::system(VALUES),
        F::Type => Shape::of(Kind::TypeInfo),
        F::ElementDefinition => Shape::of(Kind::Definition),
        F::GetValue => Shape::ANY,
        _ => one(System::Boolean),
    }
}

fn in_order(shape: &Shape<'_>, what: &str) -> Checked<()> {
    if shape.ordered { Ok(()) } else { wrong(format!("{what} needs an order, which children have not")) }
}

fn has_text(shape: &Shape<'_>, function: Function) -> Checked<()> {
    let text = |kind: &Kind<'_>| kind.system() == Some(System::String);
    if shape.never(text) {
        return wrong(format!("{} is a function on text, not on {}", function.name(), shape.names()));
    }
    Ok(())
}
