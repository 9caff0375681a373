//! The operations of a patch, read and checked before anything is done.

use super::{PatchError, Reason, Wrong};
use crate::{Expression, limits};
use fhir::{element::Element, json::Tree, schema::Schema};
use std::borrow::Cow;

/// One operation. Elements are those of the patch.
pub(super) struct Operation<'a> {
    pub(super) path: Expression,
    pub(super) action: Action<'a>,
}

pub(super) enum Action<'a> {
    Add { name: String, value: Element<'a> },
    Insert { value: Element<'a>, index: usize },
    Delete,
    Replace { value: Element<'a> },
    Move { source: usize, destination: usize },
}

/// The parts of an operation, by their names.
const PARTS: [&str; 7] = ["type", "path", "name", "value", "index", "source", "destination"];

/// The operations of a Parameters resource.
pub(super) fn read<'a>(patch: &'a Tree, schema: &'a Schema) -> Result<Vec<Operation<'a>>, PatchError> {
    let whole = |reason| PatchError { operation: None, part: "", reason };
    let parameters = Element::resource(patch, schema).filter(|one| one.definition.name == "Parameters");
    let parameters = parameters.ok_or_else(|| whole(Reason::NotParameters))?;
    let mut parts = Vec::new();
    parameters.children("parameter", |parameter| parts.push(parameter));
    if parts.is_empty() {
        return Err(whole(Reason::NoOperation));
    }
    if parts.len() > limits::PATCH_OPERATIONS_MAX {
        return Err(whole(Reason::TooMany));
    }
    let operations = parts.into_iter().enumerate().map(|(number, parameter)| {
        if name_of(&parameter) != "operation" {
            return Err(PatchError { operation: Some(number), part: "", reason: Reason::NoOperation });
        }
        operation(&parameter).map_err(|(part, reason)| PatchError { operation: Some(number), part, reason })
    });
    operations.collect()
}

/// The name of a parameter or part.
pub(super) fn name_of<'a>(parameter: &Element<'a>) -> Cow<'a, str> {
    parameter.child("name").and_then(|name| name.text()).unwrap_or_default()
}

fn operation<'a>(parameter: &Element<'a>) -> Result<Operation<'a>, Wrong> {
    let mut found: [Option<Element<'a>>; PARTS.len()] = [None; PARTS.len()];
    let mut wrong = None;
    parameter.children("part", |part| {
        let name = name_of(&part);
        match PARTS.iter().zip(&mut found).find(|(own, _)| **own == name) {
            None => wrong = wrong.take().or(Some(("", Reason::UnknownPart))),
            Some((own, Some(_))) => wrong = wrong.take().or(Some((*own, Reason::Twice))),
            Some((_, slot)) => *slot = Some(part),
        }
    });
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    let [kind, path, name, value, index, source, destination] = found;
    let text = |part: Option<Element<'a>>, name| {
        let text = part.ok_or((name, Reason::Missing))?.child("value").and_then(|value| value.text());
        text.ok_or((name, Reason::WrongType))
    };
    let number = |part, name| text(part, name)?.parse::<usize>().map_err(|_| (name, Reason::WrongType));
    let value_of = |part: Option<Element<'a>>| part.ok_or(("value", Reason::Missing));
    let action = match &*text(kind, "type")? {
        "add" => {
            let name = text(name, "name")?;
            Action::Add { name: name.trim_end_matches("[x]").to_owned(), value: value_of(value)? }
        }
        "insert" => Action::Insert { value: value_of(value)?, index: number(index, "index")? },
        "delete" => Action::Delete,
        "replace" => Action::Replace { value: value_of(value)? },
        "move" => Action::Move { source: number(source, "source")?, destination: number(destination, "destination")? },
        _ => return Err(("type", Reason::UnknownType)),
    };
    let may_have: &[&str] = match action {
        Action::Add { .. } => &["type", "path", "name", "value"],
        Action::Insert { .. } => &["type", "path", "value", "index"],
        Action::Delete => &["type", "path"],
        Action::Replace { .. } => &["type", "path", "value"],
        Action::Move { .. } => &["type", "path", "source", "destination"],
    };
    let too_many = PARTS.iter().zip(&found).find(|(name, part)| part.is_some() && !may_have.contains(name));
    if let Some((name, _)) = too_many {
        return Err((name, Reason::UnknownPart));
    }
    let path = Expression::parse(&text(path, "path")?).map_err(|why| ("path", Reason::Path(why.to_string())))?;
    Ok(Operation { path, action })
}
