//! What operations share: their parameters, from the URL and from a Parameters resource.
//!
//! SPEC: R4 operations.html. A parameter that the operation does not have is refused by name; under
//! `handling=lenient` it is ignored.

pub(super) mod access_report;
pub(crate) mod explain_access;
pub(super) mod k_anonymity;
pub(super) mod policy_change;
pub(super) mod relabel;
pub(super) mod terminology;
pub(super) mod validate;
pub(super) mod verify_signature;

use super::{Call, criteria, resource::unknown_parameter};
use crate::{failure::Failure, trail::Trail};
use fhir::{
    LogicalId, ResourceType,
    issue::{Issue, IssueType},
    json::{Kind, Tree, Value},
};
use policy::Interaction;
use search::query::parameter_name;
use std::borrow::Cow;
use store::Snapshot;

/// The parameters of a call.
#[derive(Debug, Default)]
struct Inputs(Vec<(String, Input)>);

/// A parameter.
#[derive(Debug)]
enum Input {
    /// A primitive, as text.
    Text(String),
    /// A Coding, a CodeableConcept, a resource.
    Whole(Tree),
}

impl Inputs {
    /// Those of the URL and of a Parameters resource, of these names.
    fn of(call: &Call<'_>, body: Option<&Tree>, names: &[&str]) -> Result<Self, Failure> {
        let mut inputs = Self::default();
        for (name, value) in criteria::pairs(&call.asked.query)? {
            inputs.0.push((name, Input::Text(value)));
        }
        if let Some(body) = body {
            let root = body.root();
            if body.resource_type().as_deref() != Some("Parameters") {
                let issue = Issue::error(IssueType::Invalid, "this operation takes a Parameters resource");
                return Err(Failure::content(issue.at("Parameters").on(root.position())));
            }
            for one in root.get("parameter").into_iter().flat_map(Value::items) {
                let name = one.get("name").and_then(Value::as_str).unwrap_or_default().into_owned();
                let value = one.members().find(|member| member.name().starts_with("value"));
                let input = match value.or(one.get("resource")) {
                    Some(value) if value.kind() == Kind::Object => Input::Whole(value.to_tree()),
                    Some(value) => Input::Text(value.as_str().unwrap_or(Cow::Borrowed(value.raw())).into_owned()),
                    None => {
                        let issue = Issue::error(IssueType::Required, "a parameter needs a value or a resource");
                        return Err(Failure::content(issue.at("Parameters.parameter").on(one.position())));
                    }
                };
                inputs.0.push((name, input));
            }
        }
        let unknown: Vec<Issue> = inputs
            .0
            .iter()
            .filter(|(name, _)| !names.contains(&name.as_str()))
            .map(|(name, _)| unknown_parameter(name))
            .collect();
        if unknown.is_empty() || call.asked.prefer.lenient { Ok(inputs) } else { Err(Failure::Request(unknown)) }
    }

    /// All of this name.
    fn all(&self, name: &str) -> impl Iterator<Item = &Input> {
        self.0.iter().filter(move |(own, _)| own == name).map(|(_, input)| input)
    }

    /// The one of this name.
    fn one(&self, name: &'static str) -> Result<Option<&Input>, Failure> {
        let mut all = self.all(name);
        let first = all.next();
        if all.next().is_some() { Err(wrong(name, "is given more than once")) } else { Ok(first) }
    }

    /// A primitive.
    fn text(&self, name: &'static str) -> Result<Option<&str>, Failure> {
        self.one(name)?.map(|input| text_of(name, input)).transpose()
    }

    /// Primitives of one name.
    fn texts(&self, name: &'static str) -> Result<Vec<&str>, Failure> {
        self.all(name).map(|input| text_of(name, input)).collect()
    }

    /// A primitive, empty when it is not given.
    fn word(&self, name: &'static str) -> Result<&str, Failure> {
        self.text(name).map(Option::unwrap_or_default)
    }

    fn flag(&self, name: &'static str) -> Result<bool, Failure> {
        match self.text(name)? {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(wrong(name, "is true or false")),
        }
    }

    fn number(&self, name: &'static str) -> Result<Option<usize>, Failure> {
        let number = |text: &str| text.parse().map_err(|_| wrong(name, "is a whole number, not negative"));
        self.text(name)?.map(number).transpose()
    }

    /// A Coding, a CodeableConcept, a resource.
    fn whole(&self, name: &'static str) -> Result<Option<&Tree>, Failure> {
        match self.one(name)? {
            None => Ok(None),
            Some(Input::Whole(tree)) => Ok(Some(tree)),
            Some(Input::Text(_)) => Err(wrong(name, "is an object, given in a Parameters resource")),
        }
    }
}

fn text_of<'i>(name: &str, input: &'i Input) -> Result<&'i str, Failure> {
    match input {
        Input::Text(text) => Ok(text),
        Input::Whole(_) => Err(wrong(name, "is a value, not an object")),
    }
}

/// A parameter that cannot be.
fn wrong(name: &str, what: &'static str) -> Failure {
    let name = parameter_name(name).unwrap_or_default();
    Failure::request(Issue::error(IssueType::Invalid, format!("the parameter '{name}' {what}")).at(name))
}

/// A parameter that is needed.
fn missing(name: &'static str, text: &'static str) -> Failure {
    Failure::request(Issue::error(IssueType::Required, text).at(name))
}

/// The stored resource that the URL names, as far as the caller may read it.
fn stored(
    call: &Call<'_>,
    snapshot: &Snapshot,
    kind: ResourceType,
    id: &LogicalId,
    trail: &mut Trail,
) -> Result<Tree, Failure> {
    let service = call.service;
    let permit = service.decide(call.caller, &Interaction::Read(kind, id.clone()))?;
    let found = snapshot.read(&permit, kind, id)?;
    trail.found(&found);
    Ok(Tree::parse(found.json.into_bytes()?)?)
}
