//! A code system that stands in a CodeSystem resource, into the compact form. SPEC: R4 codesystem.html.
//!
//! Left out: filters that the system defines for itself, supplements.

use crate::{
    OperationError,
    builder::{BuildError, Builder},
    code_system::{About, CodeSystem, Completeness},
    facts::{Meaning, meaning},
};
use fhir::json::Value;
use std::borrow::Cow;

impl CodeSystem {
    /// The code system of a resource.
    ///
    /// # Errors
    /// It is no CodeSystem, has no `url`, or more than the limits allow.
    pub fn of_resource(resource: Value<'_>) -> Result<Self, OperationError> {
        if text(resource, "resourceType") != "CodeSystem" {
            return Err(OperationError::Invalid("a CodeSystem is needed".to_owned()));
        }
        if text(resource, "url").is_empty() {
            return Err(OperationError::Invalid("a CodeSystem with a url is needed".to_owned()));
        }
        let built = build(resource).and_then(Builder::finish);
        built
            .map(|(system, _)| system)
            .map_err(|_| OperationError::TooCostly("the code system is too large".to_owned()))
    }
}

fn build(resource: Value<'_>) -> Result<Builder, BuildError> {
    let is_complete = text(resource, "content") == "complete";
    let mut builder = Builder::new(About {
        url: text(resource, "url").into_owned(),
        version: text(resource, "version").into_owned(),
        name: text(resource, "name").into_owned(),
        completeness: if is_complete { Completeness::Complete } else { Completeness::Part },
        // R4: unsaid is unknown; codes that differ in case are taken to differ.
        is_case_sensitive: resource.get("caseSensitive").and_then(Value::as_bool) != Some(false),
        value_set: text(resource, "valueSet").into_owned(),
    });
    // All codes first: parents may be named before they stand.
    let mut waiting: Vec<(Value<'_>, Option<u32>)> = all(resource, "concept").map(|one| (one, None)).collect();
    let mut concepts = Vec::new();
    waiting.reverse();
    while let Some((concept, parent)) = waiting.pop() {
        let number = builder.concept(&text(concept, "code"))?;
        builder.display(number, &text(concept, "display"))?;
        if let Some(parent) = parent {
            builder.parent(number, parent)?;
        }
        let start = waiting.len();
        waiting.extend(all(concept, "concept").map(|one| (one, Some(number))));
        waiting.get_mut(start..).unwrap_or_default().reverse();
        concepts.push((concept, number));
    }
    let declared: Vec<(Cow<'_, str>, Meaning, usize)> = all(resource, "property")
        .map(|one| {
            let code = text(one, "code");
            let number = builder.property(&code, &text(one, "type"));
            let means = meaning(&code, &text(one, "uri"));
            (code, means, number)
        })
        .collect();
    for (concept, number) in concepts {
        for property in all(concept, "property") {
            let (code, value) = (text(property, "code"), value(property));
            let known = declared.iter().find(|one| one.0 == code);
            let (means, at) = match known {
                Some((_, means, at)) => (*means, *at),
                None => (meaning(&code, ""), builder.property(&code, "string")),
            };
            builder.say(number, means, at, &value)?;
        }
        for name in all(concept, "designation") {
            let use_code = name.get("use").map(|coding| text(coding, "code")).unwrap_or_default();
            builder.designation(number, &text(name, "language"), &use_code, &text(name, "value"))?;
        }
    }
    Ok(builder)
}

/// `property.value[x]` as text; a Coding as `system|code`.
fn value(of: Value<'_>) -> Cow<'_, str> {
    let Some(value) = of.members().find(|member| member.name().starts_with("value")) else { return Cow::Borrowed("") };
    if let Some(text) = value.as_str() {
        return text;
    }
    if value.get("code").is_some() {
        return Cow::Owned(format!("{}|{}", text(value, "system"), text(value, "code")));
    }
    Cow::Borrowed(value.raw())
}

fn text<'a>(of: Value<'a>, name: &str) -> Cow<'a, str> {
    of.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn all<'a>(of: Value<'a>, name: &str) -> impl Iterator<Item = Value<'a>> {
    of.get(name).into_iter().flat_map(Value::items)
}
