//! `CodeSystem/$lookup`: what a code means. SPEC: R4 codesystem-operation-lookup.html.
//! Left out: definitions of concepts (prose is not kept), subproperties.

use super::{OperationError, parameters};
use crate::{Coding, Terminology, code_system::CodeSystem};
use fhir::json::Writer;
use std::sync::Arc;

/// What a code means.
#[derive(Debug, Clone)]
pub struct Lookup {
    system: Arc<CodeSystem>,
    concept: u32,
    properties: Vec<String>,
    language: String,
}

/// A property of a concept: its code, the type of its value, the value as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConceptProperty<'a> {
    /// `parent`, `COMPONENT`, …
    pub code: &'a str,
    /// `code`, `Coding` (as `system|code`), `string`, `integer`, `boolean`, `dateTime`, `decimal`.
    pub kind: &'a str,
    /// The value.
    pub value: &'a str,
}

impl Terminology {
    /// What a code means. `properties` are those asked for; none: all. `*` is all too.
    ///
    /// # Errors
    /// The system is not loaded, or does not have the code; a fragment cannot say that it has not.
    pub fn lookup(&self, coding: Coding<'_>, properties: &[&str], language: &str) -> Result<Lookup, OperationError> {
        let system = self.system_of(coding)?;
        let Some(concept) = system.find(coding.code) else {
            return Err(no_such_code(&system, coding.code));
        };
        let all = properties.is_empty() || properties.contains(&"*");
        let properties = if all { Vec::new() } else { properties.iter().map(|one| (*one).to_owned()).collect() };
        Ok(Lookup { system, concept, properties, language: language.to_owned() })
    }

    /// The code system that a coding names, in the version that it names.
    pub(crate) fn system_of(&self, coding: Coding<'_>) -> Result<Arc<CodeSystem>, OperationError> {
        let url = coding.system.ok_or_else(|| OperationError::Invalid("a system is needed".to_owned()))?;
        match self.system(url, coding.version.unwrap_or_default(), "") {
            Some((system, true)) => Ok(system),
            Some((system, false)) => Err(OperationError::NotFound(format!(
                "version {} of the code system {url} is not loaded, but {} is",
                coding.version.unwrap_or_default(),
                system.about().version
            ))),
            None => Err(OperationError::NotFound(format!("the code system {url} is not loaded"))),
        }
    }
}

/// A code that a system does not have.
pub(crate) fn no_such_code(system: &CodeSystem, code: &str) -> OperationError {
    let url = &system.about().url;
    match system.about().completeness {
        crate::Completeness::Complete => {
            OperationError::NoSuchCode(format!("the code system {url} has no code {code:?}"))
        }
        crate::Completeness::Part => {
            OperationError::Unknown(format!("only a part of the code system {url} is loaded, without {code:?}"))
        }
    }
}

impl Lookup {
    /// The code system.
    #[must_use]
    pub fn system(&self) -> &CodeSystem {
        &self.system
    }

    /// The code as the system writes it.
    #[must_use]
    pub fn code(&self) -> &str {
        self.system.code(self.concept)
    }

    /// The display, in the language asked for when there is a name in it.
    #[must_use]
    pub fn display(&self) -> &str {
        display_in(&self.system, self.concept, &self.language)
    }

    /// Properties asked for: `parent`, `child`, `inactive`, `notSelectable` and those of the system.
    #[must_use]
    pub fn properties(&self) -> Vec<ConceptProperty<'_>> {
        let (system, concept) = (self.system.as_ref(), self.concept);
        let wanted = |code: &str| self.properties.is_empty() || self.properties.iter().any(|one| one == code);
        let mut held = Vec::new();
        for (code, related) in [("parent", system.parents(concept)), ("child", system.children(concept))] {
            if wanted(code) {
                let related = related.iter().map(|one| system.code(*one));
                held.extend(related.map(|value| ConceptProperty { code, kind: "code", value }));
            }
        }
        for (code, is) in [("inactive", system.is_inactive(concept)), ("notSelectable", system.is_abstract(concept))] {
            let stated = system.property(code).is_some_and(|own| system.values_of(own, concept).next().is_some());
            if wanted(code) && !stated && (is || code == "inactive") {
                held.push(ConceptProperty { code, kind: "boolean", value: if is { "true" } else { "false" } });
            }
        }
        for property in system.properties().iter().filter(|one| wanted(&one.code)) {
            let values = system.values_of(property, concept);
            held.extend(values.map(|value| ConceptProperty { code: &property.code, kind: &property.kind, value }));
        }
        held
    }

    /// Writes the Parameters resource.
    pub fn write(&self, w: &mut Writer) {
        let about = self.system.about();
        parameters::resource(w, |w| {
            parameters::text(w, "name", "valueString", if about.name.is_empty() { &about.url } else { &about.name });
            parameters::text(w, "version", "valueString", &about.version);
            let display = if self.display().is_empty() { self.code() } else { self.display() };
            parameters::text(w, "display", "valueString", display);
            for name in self.system.designations(self.concept) {
                if !self.properties.is_empty() && !self.properties.iter().any(|one| one == "designation") {
                    break;
                }
                parameters::parts(w, "designation", |w| {
                    parameters::text(w, "language", "valueCode", name.language);
                    if !name.use_code.is_empty() {
                        w.object(|w| {
                            w.member("name", "use");
                            w.key("valueCoding");
                            let (system, code) = use_of(name.use_code);
                            parameters::coding(w, system, "", code, "");
                        });
                    }
                    parameters::text(w, "value", "valueString", name.value);
                });
            }
            for property in self.properties() {
                parameters::parts(w, "property", |w| {
                    parameters::text(w, "code", "valueCode", property.code);
                    write_value(w, property);
                });
            }
        });
    }
}

/// A use as it is kept (`system|code`, or a code alone), as system and code.
pub(crate) fn use_of(kept: &str) -> (&str, &str) {
    kept.rsplit_once('|').unwrap_or(("", kept))
}

fn write_value(w: &mut Writer, property: ConceptProperty<'_>) {
    let value = property.value;
    w.object(|w| {
        w.member("name", "value");
        let number = || !value.is_empty() && value.parse::<f64>().is_ok_and(f64::is_finite) && is_json_number(value);
        match property.kind {
            "boolean" if matches!(value, "true" | "false") => {
                w.key("valueBoolean");
                w.raw(value.as_bytes());
            }
            "integer" if value.parse::<i32>().is_ok() => {
                w.key("valueInteger");
                w.integer(value.parse::<i64>().unwrap_or_default());
            }
            "decimal" if number() => {
                w.key("valueDecimal");
                w.raw(value.as_bytes());
            }
            "code" => w.member("valueCode", value),
            "dateTime" => w.member("valueDateTime", value),
            "Coding" => {
                w.key("valueCoding");
                let (system, code) = use_of(value);
                parameters::coding(w, system, "", code, "");
            }
            _ => w.member("valueString", value),
        }
    });
}

fn is_json_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, rest) = digits.split_at(digits.find(|one: char| !one.is_ascii_digit()).unwrap_or(digits.len()));
    let whole_is = !whole.is_empty() && (whole == "0" || !whole.starts_with('0'));
    let fraction = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    whole_is && (rest.is_empty() || rest.strip_prefix('.').is_some_and(fraction))
}

/// The display of a concept, in this language when it has a name in it.
pub(crate) fn display_in<'a>(system: &'a CodeSystem, concept: u32, language: &str) -> &'a str {
    if !language.is_empty()
        && let Some(name) = system.designations(concept).find(|name| is_language(name.language, language))
    {
        return name.value;
    }
    system.display(concept)
}

/// Whether a name's language is the one asked for, or a regional form of it.
pub(crate) fn is_language(have: &str, wanted: &str) -> bool {
    let prefix = have.get(..wanted.len()).is_some_and(|start| start.eq_ignore_ascii_case(wanted));
    prefix && matches!(have.as_bytes().get(wanted.len()), None | Some(b'-'))
}
