//! Parameters that shape the answer rather than select: order, page, total, includes.
//! SPEC: R4 search.html#sort, #count, #total, #include, #summary, #elements.

use super::{Direction, Include, Refusal, SortKey, Total, filter, link};
use crate::{
    limits,
    registry::{ParameterKind, Registry},
};
use fhir::{ResourceType, issue::IssueType};

/// Names R4 gives to results, with or without a modifier.
const NAMES: [&str; 12] = [
    "_count",
    "_sort",
    "_total",
    "_include",
    "_revinclude",
    "_summary",
    "_elements",
    "_format",
    "_pretty",
    "_contained",
    "_containedType",
    "_score",
];

/// Whether a name, without its modifier, shapes the answer.
pub(super) fn is_known(name: &str) -> bool {
    let plain = name.split_once(':').map_or(name, |(plain, _)| plain);
    NAMES.contains(&plain)
}

/// What was asked for so far.
#[derive(Debug, Default)]
pub(super) struct Results {
    pub(super) sort: Vec<SortKey>,
    pub(super) count: Option<usize>,
    pub(super) is_count_only: bool,
    pub(super) includes: Vec<Include>,
    pub(super) revincludes: Vec<Include>,
    total: Option<Total>,
}

impl Results {
    /// Takes one parameter that [`is_known`].
    pub(super) fn take(
        &mut self,
        registry: &Registry,
        resource_type: ResourceType,
        name: &str,
        value: &str,
    ) -> Result<(), Refusal> {
        let not_supported = |text: &'static str| Err(Refusal::unknown(IssueType::NotSupported, text));
        if matches!(name, "_format" | "_pretty") {
            return Ok(());
        }
        if value.is_empty() {
            return Err(Refusal::unknown(IssueType::Invalid, "the value is empty"));
        }
        match name {
            "_count" => self.count(value),
            "_sort" => self.sort(registry, resource_type, value),
            "_total" => {
                let total = match value {
                    "none" => Total::None,
                    "estimate" => Total::Estimate,
                    "accurate" => Total::Accurate,
                    _ => return Err(Refusal::wrong("_total is none, estimate or accurate")),
                };
                once(&mut self.total, total)
            }
            "_include" | "_revinclude" => {
                if self.includes.len() + self.revincludes.len() >= limits::INCLUDES_MAX {
                    return Err(Refusal::costly(format!("at most {} includes", limits::INCLUDES_MAX)));
                }
                let is_reverse = name == "_revinclude";
                let include = include(registry, resource_type, value, is_reverse)?;
                let list = if is_reverse { &mut self.revincludes } else { &mut self.includes };
                if !list.contains(&include) {
                    list.push(include);
                }
                Ok(())
            }
            "_summary" => match value {
                "false" => Ok(()),
                "count" => {
                    self.is_count_only = true;
                    Ok(())
                }
                "true" | "text" | "data" => not_supported("of _summary only count and false are supported"),
                _ => Err(Refusal::wrong("_summary is true, text, data, count or false")),
            },
            _ if name.contains(':') => {
                let text = format!("the modifier of {} is not supported", name.split(':').next().unwrap_or_default());
                Err(Refusal::Wrong(fhir::issue::Issue::error(IssueType::NotSupported, text)))
            }
            _ => not_supported("this server does not support it"),
        }
    }

    /// How the total is wanted: a page of nothing is asked for its total.
    pub(super) fn total(&self) -> Total {
        if self.is_count_only || self.count == Some(0) {
            return Total::Accurate;
        }
        self.total.unwrap_or(Total::WhenKnown)
    }

    fn count(&mut self, value: &str) -> Result<(), Refusal> {
        let is_number = value.len() <= 18 && value.bytes().all(|byte| byte.is_ascii_digit());
        let count: u64 =
            value.parse().ok().filter(|_| is_number).ok_or_else(|| Refusal::wrong("not a number of entries"))?;
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(limits::COUNT_MAX);
        once(&mut self.count, count)
    }

    fn sort(&mut self, registry: &Registry, resource_type: ResourceType, value: &str) -> Result<(), Refusal> {
        if !self.sort.is_empty() {
            return Err(Refusal::wrong("given twice; keys are separated by commas"));
        }
        let mut keys = Vec::new();
        for key in value.split(',') {
            let (code, direction) = match key.strip_prefix('-') {
                Some(code) => (code, Direction::Descending),
                None => (key, Direction::Ascending),
            };
            let key = match code {
                "_id" => SortKey::Id(direction),
                "_lastUpdated" => SortKey::LastUpdated(direction),
                _ => {
                    let parameter = registry.parameter(resource_type, code);
                    let sortable = parameter.filter(|one| {
                        registry.is_supported(one)
                            && !matches!(one.kind, ParameterKind::Composite | ParameterKind::Special)
                    });
                    let Some(parameter) = sortable else {
                        let text = format!("{resource_type} cannot be sorted by {}", link::printable(code));
                        return Err(Refusal::unknown(IssueType::NotSupported, text));
                    };
                    SortKey::Parameter(parameter.id, direction)
                }
            };
            keys.push(key);
        }
        if keys.len() > limits::SORT_KEYS_MAX {
            return Err(Refusal::costly(format!("at most {} sort keys", limits::SORT_KEYS_MAX)));
        }
        self.sort = keys;
        Ok(())
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Refusal> {
    if place.replace(value).is_some() { Err(Refusal::wrong("given twice")) } else { Ok(()) }
}

/// `Source:parameter[:Target]`.
fn include(registry: &Registry, searched: ResourceType, value: &str, is_reverse: bool) -> Result<Include, Refusal> {
    if value == "*" || value.ends_with(":*") {
        return Err(Refusal::unknown(IssueType::NotSupported, "wildcards are not supported: name the parameter"));
    }
    let form = || Refusal::wrong("not of the form Type:reference-parameter or Type:reference-parameter:TargetType");
    let mut parts = value.split(':');
    let (source, code, target) = (parts.next(), parts.next(), parts.next());
    if parts.next().is_some() {
        return Err(form());
    }
    let source = ResourceType::parse(source.ok_or_else(form)?).map_err(|_| form())?;
    let target = target.map(ResourceType::parse).transpose().map_err(|_| form())?;
    let code = code.ok_or_else(form)?;
    filter::joined(registry, [searched, source, target.unwrap_or(source)])?;
    let parameter = registry.parameter(source, code);
    let Some(parameter) = parameter.filter(|one| one.kind == ParameterKind::Reference && registry.is_supported(one))
    else {
        let text = format!("{source} has no reference parameter {}", link::printable(code));
        return Err(Refusal::unknown(IssueType::NotSupported, text));
    };
    let may_refer = |kind: ResourceType| parameter.targets.is_empty() || parameter.targets.contains(&kind);
    if target.is_some_and(|target| !may_refer(target)) {
        return Err(Refusal::wrong("the parameter does not refer to that target type"));
    }
    if is_reverse && (!may_refer(searched) || target.is_some_and(|target| target != searched)) {
        return Err(Refusal::wrong(format!("the parameter does not refer to {searched}")));
    }
    if !is_reverse && source != searched {
        return Err(Refusal::wrong(format!("the source of an _include here is {searched}, the type searched")));
    }
    Ok(Include { source, parameter: parameter.id, target })
}
