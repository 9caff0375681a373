//! One parameter that filters: `code`, `code:modifier`, a chain `subject:Patient.name`, a reverse
//! chain `_has:Observation:patient:code`. SPEC: R4 search.html#modifiers, #chaining, #has.

use super::{
    Refusal, escape,
    value::{self, Reading},
};
use crate::{
    fold::fold,
    limits,
    predicate::{Predicate, ReferenceTest, StringMatch, Test, TokenTest, UriMatch},
    registry::{Parameter, ParameterKind, Registry},
};
use fhir::{Instant, LogicalId, ResourceType, issue::IssueType};
use std::sync::Arc;

/// Modifiers that R4 names and this server does not answer yet.
const NOT_SUPPORTED: [&str; 4] = ["in", "not-in", "of-type", "iterate"];

/// Types that an untyped chain is tried on; beyond it the type has to be named.
const CHAIN_TARGETS_MAX: usize = 16;

/// Parses filters, counting what they cost together.
#[derive(Debug)]
pub(super) struct Filters<'a> {
    reading: Reading<'a>,
    tests: usize,
    joins: usize,
}

impl<'a> Filters<'a> {
    pub(super) fn new(registry: &'a Registry, base_url: &'a str, now: Option<Instant>) -> Self {
        Self { reading: Reading { registry, base_url, now }, tests: 0, joins: 0 }
    }

    /// The resources of this type that one parameter means.
    pub(super) fn parse(&mut self, resource_type: ResourceType, name: &str, value: &str) -> Result<Predicate, Refusal> {
        if value.len() > limits::VALUE_BYTES_MAX {
            return Err(Refusal::costly(format!("a value has at most {} bytes", limits::VALUE_BYTES_MAX)));
        }
        if value.is_empty() {
            return Err(Refusal::unknown(IssueType::Invalid, "the value is empty"));
        }
        self.at_depth(resource_type, name, value, 0)
    }

    fn at_depth(&mut self, kind: ResourceType, name: &str, value: &str, depth: usize) -> Result<Predicate, Refusal> {
        let reverse = name.strip_prefix("_has:");
        let chain = name.split_once('.');
        if reverse.is_some() || chain.is_some() {
            if depth >= limits::CHAIN_DEPTH_MAX {
                return Err(Refusal::unknown(
                    IssueType::NotSupported,
                    "chains of more than one step are not supported",
                ));
            }
            self.joins += 1;
            if self.joins > limits::JOINS_MAX {
                return Err(Refusal::costly(format!("at most {} chains", limits::JOINS_MAX)));
            }
        }
        match (reverse, chain) {
            (Some(rest), _) => self.has(kind, rest, value, depth),
            (None, Some((head, rest))) => self.chain(kind, head, rest, value, depth),
            (None, None) => self.simple(kind, name, value),
        }
    }

    /// `_has:source:reference:rest`.
    fn has(&mut self, kind: ResourceType, rest: &str, value: &str, depth: usize) -> Result<Predicate, Refusal> {
        let form = || Refusal::wrong("not of the form _has:Type:reference-parameter:parameter");
        let mut parts = rest.splitn(3, ':');
        let (source, code, rest) = (parts.next(), parts.next(), parts.next());
        let source = ResourceType::parse(source.ok_or_else(form)?).map_err(|_| form())?;
        joined(self.reading.registry, [kind, source])?;
        let parameter = self.reference_parameter(source, code.ok_or_else(form)?)?;
        if !parameter.targets.is_empty() && !parameter.targets.contains(&kind) {
            return Err(Refusal::wrong(format!("{} of {source} does not refer to {kind}", parameter.code)));
        }
        let predicate = self.at_depth(source, rest.ok_or_else(form)?, value, depth + 1)?;
        Ok(Predicate::Has { source, parameter: parameter.id, predicate: Arc::new(predicate) })
    }

    /// `head.rest`, `head:Type.rest`.
    fn chain(
        &mut self,
        kind: ResourceType,
        head: &str,
        rest: &str,
        value: &str,
        depth: usize,
    ) -> Result<Predicate, Refusal> {
        let (code, asked) = head.split_once(':').map_or((head, None), |(code, kind)| (code, Some(kind)));
        let parameter = self.reference_parameter(kind, code)?;
        joined(self.reading.registry, [kind])?;
        let targets: Vec<ResourceType> = if let Some(asked) = asked {
            let asked = ResourceType::parse(asked).map_err(|_| Refusal::wrong("not a resource type"))?;
            joined(self.reading.registry, [asked])?;
            if !parameter.targets.is_empty() && !parameter.targets.contains(&asked) {
                return Err(Refusal::wrong(format!("{code} does not refer to {asked}")));
            }
            vec![asked]
        } else {
            let chained = rest.split([':', '.']).next().unwrap_or_default();
            let registry = self.reading.registry;
            let knows = |target: &ResourceType| {
                registry.is_joined(*target) && (chained == "_has" || registry.parameter(*target, chained).is_some())
            };
            if parameter.targets.is_empty() {
                ResourceType::all().filter(knows).collect()
            } else {
                parameter.targets.iter().copied().filter(knows).collect()
            }
        };
        if targets.is_empty() {
            return Err(Refusal::unknown(IssueType::NotSupported, format!("no type that {code} refers to knows it")));
        }
        if targets.len() > CHAIN_TARGETS_MAX {
            return Err(Refusal::wrong(format!("{code} refers to many types: name one ({code}:Type.{rest})")));
        }
        let (mut parts, mut refusal) = (Vec::with_capacity(targets.len()), None);
        for target in targets {
            match self.at_depth(target, rest, value, depth + 1) {
                Ok(predicate) => {
                    let predicate = Arc::new(predicate);
                    parts.push(Predicate::Chain { parameter: parameter.id, target, predicate });
                }
                Err(first) => refusal = refusal.or(Some(first)),
            }
        }
        // The same code may be of another type elsewhere: a value has to fit one of the targets.
        match refusal {
            Some(refusal) if parts.is_empty() => Err(refusal),
            _ => Ok(any_of(parts)),
        }
    }

    fn reference_parameter(&self, kind: ResourceType, code: &str) -> Result<&'a Parameter, Refusal> {
        let parameter = self.known(kind, code)?;
        if parameter.kind == ParameterKind::Reference {
            Ok(parameter)
        } else {
            Err(Refusal::wrong(format!("{} of {kind} is no reference parameter", parameter.code)))
        }
    }

    fn known(&self, kind: ResourceType, code: &str) -> Result<&'a Parameter, Refusal> {
        let registry = self.reading.registry;
        match registry.parameter(kind, code) {
            None => Err(Refusal::unknown(IssueType::NotSupported, format!("{kind} has no such search parameter"))),
            Some(parameter) if !registry.is_supported(parameter) => {
                Err(Refusal::unknown(IssueType::NotSupported, "this server does not search by it"))
            }
            Some(parameter) => Ok(parameter),
        }
    }

    /// `code`, `code:modifier`.
    fn simple(&mut self, kind: ResourceType, name: &str, value: &str) -> Result<Predicate, Refusal> {
        let (code, modifier) = name.split_once(':').map_or((name, None), |(code, modifier)| (code, Some(modifier)));
        let parameter = self.known(kind, code)?;
        let is_of_row = matches!(code, "_id" | "_lastUpdated");
        if modifier == Some("missing") {
            let missing = match value {
                "true" => true,
                "false" => false,
                _ => return Err(Refusal::wrong(":missing is true or false")),
            };
            // Every stored resource has an id and a time.
            return Ok(match (is_of_row, missing) {
                (true, true) => Predicate::Nothing,
                (true, false) => Predicate::All,
                (false, _) => Predicate::Missing { parameter: parameter.id, missing },
            });
        }
        let alternatives = escape::split(value, ',');
        self.tests += alternatives.len();
        if alternatives.len() > limits::OR_VALUES_MAX || self.tests > limits::TESTS_MAX {
            return Err(Refusal::costly(format!("at most {} alternatives", limits::OR_VALUES_MAX)));
        }
        if alternatives.iter().any(|one| one.is_empty()) {
            return Err(Refusal::wrong("one of the alternatives is empty"));
        }
        if is_of_row {
            return self.of_row(code, modifier, &alternatives);
        }
        let parts: Result<Vec<Predicate>, Refusal> = alternatives
            .into_iter()
            .map(|text| {
                let test = self.test(parameter, modifier, text)?;
                Ok(Predicate::Value { parameter: parameter.id, test })
            })
            .collect();
        let any = any_of(parts?);
        Ok(if modifier == Some("not") { Predicate::Not(Arc::new(any)) } else { any })
    }

    fn of_row(&self, code: &str, modifier: Option<&str>, alternatives: &[&str]) -> Result<Predicate, Refusal> {
        match (code, modifier) {
            ("_id", None | Some("not")) => {
                let ids: Result<Vec<LogicalId>, Refusal> = alternatives
                    .iter()
                    .map(|text| LogicalId::parse(text).map_err(|error| Refusal::wrong(error.to_string())))
                    .collect();
                let any = Predicate::Id(ids?);
                Ok(if modifier.is_some() { Predicate::Not(Arc::new(any)) } else { any })
            }
            ("_lastUpdated", None) => {
                let tests: Result<Vec<Predicate>, Refusal> =
                    alternatives.iter().map(|text| self.reading.date(text).map(Predicate::LastUpdated)).collect();
                tests.map(any_of)
            }
            _ => Err(bad_modifier(modifier.unwrap_or_default())),
        }
    }

    fn test(&self, parameter: &Parameter, modifier: Option<&str>, text: &str) -> Result<Test, Refusal> {
        let Some(modifier) = modifier else { return self.reading.plain(parameter, text) };
        match (parameter.kind, modifier) {
            (ParameterKind::String, "exact") => Ok(Test::String(StringMatch::Exact, escape::unescape(text))),
            (ParameterKind::String, "contains") => {
                value::string(text).map(|text| Test::String(StringMatch::Contains, text))
            }
            (ParameterKind::Token, "not") => value::token(text).map(Test::Token),
            (ParameterKind::Token, "text") => {
                let folded = fold(&escape::unescape(text));
                if folded.is_empty() {
                    return Err(Refusal::wrong("the text is blank"));
                }
                Ok(Test::Token(TokenTest::Text(folded)))
            }
            (ParameterKind::Uri, "above") => Ok(Test::Uri(UriMatch::Above, escape::unescape(text))),
            (ParameterKind::Uri, "below") => Ok(Test::Uri(UriMatch::Below, escape::unescape(text))),
            (ParameterKind::Reference, "identifier") => {
                value::token(text).map(|test| Test::Reference(ReferenceTest::Identifier(test)))
            }
            (ParameterKind::Reference, _) => {
                let target = ResourceType::parse(modifier).map_err(|_| bad_modifier(modifier))?;
                if !parameter.targets.is_empty() && !parameter.targets.contains(&target) {
                    return Err(Refusal::wrong(format!("{} does not refer to {target}", parameter.code)));
                }
                value::reference_of_type(target, text).map(Test::Reference)
            }
            _ => Err(bad_modifier(modifier)),
        }
    }
}

/// Refuses a join from or to a type that takes part in none.
pub(super) fn joined<const N: usize>(registry: &Registry, types: [ResourceType; N]) -> Result<(), Refusal> {
    match types.into_iter().find(|one| !registry.is_joined(*one)) {
        None => Ok(()),
        Some(one) => {
            let text = format!("chains, _has and includes from or to {one} are not supported");
            Err(Refusal::unknown(IssueType::NotSupported, text))
        }
    }
}

/// R4: a request with a modifier that the server does not support SHALL be rejected.
fn bad_modifier(modifier: &str) -> Refusal {
    let known = ["missing", "exact", "contains", "not", "text", "above", "below", "identifier"];
    let text = if known.contains(&modifier) {
        format!("the modifier :{modifier} does not go with this parameter here")
    } else if NOT_SUPPORTED.contains(&modifier) {
        format!("the modifier :{modifier} is not supported")
    } else {
        "there is no such modifier".to_owned()
    };
    Refusal::Wrong(fhir::issue::Issue::error(IssueType::NotSupported, text))
}

fn any_of(mut parts: Vec<Predicate>) -> Predicate {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            Predicate::Or(parts.into_iter().map(Arc::new).collect())
        }
    }
}
