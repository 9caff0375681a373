//! Reads the operator's text: a statement a line, words between blanks, `#` begins a comment.

use super::{
    ACT_CODE, ACT_REASON, Authority, CONFIDENTIALITY, Clearance, Confidentiality, Label, Labels, OBSERVATION_VALUE,
    Problem, TEST_DATA, codes,
    labels::Who,
    rules::{Condition, Rule},
};
use crate::limits;
use fhir::{LogicalId, ResourceType};
use oauth::caller::Role;

/// Adds what the text says.
pub(super) fn read(mut labels: Labels, text: &str) -> Result<Labels, Vec<Problem>> {
    let mut problems = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.split_once(" #").map_or(line, |(before, _)| before);
        let words: Vec<&str> = line.split_whitespace().collect();
        let read = match words.first() {
            None => Ok(()),
            Some(first) if first.starts_with('#') => Ok(()),
            Some(_) if labels.rules.len() >= limits::LABEL_RULES_MAX => Err("there are too many rules".to_owned()),
            Some(_) => statement(&mut labels, &words, at + 1),
        };
        if let Err(text) = read {
            problems.push(Problem { line: at + 1, text });
        }
    }
    if problems.is_empty() { Ok(labels) } else { Err(problems) }
}

fn statement(labels: &mut Labels, words: &[&str], line: usize) -> Result<(), String> {
    match words {
        ["clearance", rest @ ..] => {
            let (who, rest) = who(rest)?;
            labels.clearances.insert(who, Clearance::parse(rest)?);
        }
        ["default", level] => labels.default = confidentiality(level)?,
        ["default", kind, level] => {
            labels.defaults.insert(resource_type(kind)?, confidentiality(level)?);
        }
        ["unrestricted", code] => match code.split_once('|') {
            Some((system, code)) if !system.is_empty() && !code.is_empty() => {
                labels.unrestricted.insert((system.to_owned(), code.to_owned()));
            }
            Some(_) => return Err("'unrestricted' takes SYSTEM or SYSTEM|CODE".into()),
            None if is_of_ours(code) => {
                return Err(format!("the codes of {code} have a meaning: name single ones as {code}|CODE"));
            }
            None => {
                labels.unrestricted_systems.insert((*code).to_owned());
            }
        },
        ["test-data", "hide"] => labels.hides_test_data = true,
        ["test-data", "show"] => labels.hides_test_data = false,
        ["authority", rest @ ..] => {
            let (who, rest) = who(rest)?;
            if !matches!(who, Who::Role(_) | Who::Client(_)) {
                return Err("authority is given to a role or a client".into());
            }
            let types = rest.iter().flat_map(|word| word.split(',')).map(resource_type).collect::<Result<_, _>>()?;
            labels.authorities.push(Authority { who, types });
        }
        ["label", rest @ ..] => labels.rules.push(rule(rest, line)?),
        [first, ..] => {
            return Err(format!("'{first}' is none of: clearance, default, unrestricted, test-data, authority, label"));
        }
        [] => {}
    }
    Ok(())
}

fn who<'w, 'l>(words: &'w [&'l str]) -> Result<(Who, &'w [&'l str]), String> {
    let (first, rest) = words.split_first().ok_or("whom it is about is missing")?;
    let who = match *first {
        "client" => {
            let (id, rest) = rest.split_first().ok_or("the client's id is missing")?;
            return Ok((Who::Client((*id).to_owned()), rest));
        }
        "system" => Who::System,
        "organization" => Who::AnyOrganization,
        "broken-glass" => Who::BrokenGlass,
        name => match (Role::parse(name), name.strip_prefix("Organization/")) {
            (Some(role), _) => Who::Role(role),
            (None, Some(id)) => Who::Organization(LogicalId::parse(id).map_err(|_| format!("'{id}' is no id"))?),
            (None, None) if codes::class(ACT_REASON, name) == Some(super::Class::Purpose) => {
                Who::Purpose(name.to_owned())
            }
            (None, None) => {
                return Err(format!(
                    "'{name}' is no role, no purpose of use, and none of: client ID, system, organization, Organization/ID, broken-glass"
                ));
            }
        },
    };
    Ok((who, rest))
}

/// `label CODE… [because CODE] when CONDITION [and CONDITION]…`
fn rule(words: &[&str], line: usize) -> Result<Rule, String> {
    let when = words.iter().position(|word| *word == "when").ok_or("a rule needs 'when'")?;
    let (head, conditions) = (words.get(..when).unwrap_or_default(), words.get(when + 1..).unwrap_or_default());
    let (named, basis) = match head.iter().position(|word| *word == "because") {
        None => (head, None),
        Some(at) => match head.get(at + 1..) {
            Some([code]) => (head.get(..at).unwrap_or_default(), Some(label(code)?)),
            _ => return Err("'because' takes one code".into()),
        },
    };
    let labels: Vec<Label> = named.iter().flat_map(|word| word.split(',')).map(label).collect::<Result<_, String>>()?;
    if labels.is_empty() {
        return Err("a rule needs at least one label before 'when'".into());
    }
    if let Some(made) = labels.iter().find(|label| label.system == OBSERVATION_VALUE) {
        return Err(format!("'{}' says what was done to data: no rule can give it", made.code));
    }
    if labels.iter().filter(|label| label.system == CONFIDENTIALITY).count() > 1 {
        return Err("a resource has one confidentiality".into());
    }
    let when = conditions.split(|word| *word == "and").map(condition).collect::<Result<Vec<_>, _>>()?;
    Ok(Rule { line, labels, basis, when })
}

/// A bare code that is known, or `SYSTEM|CODE`.
fn label(code: &str) -> Result<Label, String> {
    let known = |label: Label| match label.class() {
        Some(_) => Ok(label),
        None => Err(format!("'{code}' is no security label that is known here")),
    };
    if let Some((system, code)) = code.split_once('|') {
        return known(Label::new(system, code));
    }
    let systems = [CONFIDENTIALITY, ACT_CODE, OBSERVATION_VALUE];
    let system = systems.into_iter().find(|system| codes::class(system, code).is_some());
    known(Label::new(system.unwrap_or(if code == TEST_DATA { ACT_REASON } else { "" }), code))
}

fn condition(words: &[&str]) -> Result<Condition, String> {
    let needed = "a condition is: type TYPE, code SYSTEM|CODE, category SYSTEM|CODE, value-set URL, profile URL";
    match words {
        ["type", types @ ..] if !types.is_empty() => {
            let types = types.iter().flat_map(|word| word.split(',')).map(resource_type).collect::<Result<_, _>>()?;
            Ok(Condition::Type(types))
        }
        ["code", list @ ..] if !list.is_empty() => Ok(Condition::Code(codings(list)?)),
        ["category", list @ ..] if !list.is_empty() => Ok(Condition::Category(codings(list)?)),
        ["value-set", url] => Ok(Condition::ValueSet((*url).to_owned())),
        ["profile", url] => Ok(Condition::Profile((*url).to_owned())),
        _ => Err(needed.into()),
    }
}

fn codings(words: &[&str]) -> Result<Vec<(String, String)>, String> {
    let pair = |word: &str| match word.split_once('|') {
        Some((system, code)) if !system.is_empty() && !code.is_empty() => Ok((system.to_owned(), code.to_owned())),
        _ => Err(format!("'{word}' is not SYSTEM|CODE")),
    };
    words.iter().flat_map(|word| word.split(',')).filter(|word| !word.is_empty()).map(pair).collect()
}

fn confidentiality(code: &str) -> Result<Confidentiality, String> {
    Confidentiality::parse(code).ok_or_else(|| format!("'{code}' is no confidentiality: U, L, M, N, R, V"))
}

fn resource_type(name: &str) -> Result<ResourceType, String> {
    ResourceType::parse(name).map_err(|why| why.to_string())
}

fn is_of_ours(system: &str) -> bool {
    [CONFIDENTIALITY, ACT_CODE, ACT_REASON, OBSERVATION_VALUE].contains(&system)
}
