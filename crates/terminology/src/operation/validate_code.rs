//! `CodeSystem/$validate-code` and `ValueSet/$validate-code`: whether a code is good, with the display that it
//! should have. SPEC: R4 valueset-operation-validate-code.html, codesystem-operation-validate-code.html.

use super::{OperationError, lookup::display_in, parameters};
use crate::{
    Coding, Completeness, Membership, Terminology, Unknown, ValueSetHandle, code_system::CodeSystem,
    content::is_same_version, limits, truth::Truth,
};
use fhir::json::Writer;

/// Whether a code is good. `None`: it cannot be checked, for the reason in the message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Validated {
    /// Whether it is good, when that can be said.
    pub result: Option<bool>,
    /// What is wrong or worth knowing, for people; empty when nothing.
    pub message: String,
    /// The display that the code should have; empty when none is known.
    pub display: String,
    /// The code, with its system, that was found good; of a CodeableConcept the first such.
    pub code: String,
    /// Its system.
    pub system: String,
    /// Version of the system that was asked; empty when it has none.
    pub version: String,
}

/// What else a code has to meet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CodeOptions<'a> {
    /// Concepts that only group others are acceptable.
    pub allow_abstract: bool,
    /// Retired codes are not acceptable.
    pub active_only: bool,
    /// Language that a display should have; empty: any.
    pub language: &'a str,
}

/// Whether a display is one that its code has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DisplayCheck {
    /// It is.
    Right,
    /// It is not; this is the usual one.
    Wrong(String),
    /// The code, its system or its names are not loaded.
    Unknown,
}

/// Whether two displays are the same but for case and white space.
fn is_same_display(one: &str, other: &str) -> bool {
    let words = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    one == other || words(one) == words(other)
}

impl Terminology {
    /// Whether a display is one that its code has: the usual one or another name, in any language, whatever
    /// its case and white space.
    #[must_use]
    pub fn check_display(&self, coding: Coding<'_>) -> DisplayCheck {
        let (Some(display), Some(url)) = (coding.display, coding.system) else { return DisplayCheck::Unknown };
        let Some((system, is_version)) = self.system(url, coding.version.unwrap_or_default(), "") else {
            return DisplayCheck::Unknown;
        };
        let Some(concept) = system.find(coding.code) else { return DisplayCheck::Unknown };
        match has_display(&system, concept, display, "") {
            Some(true) => DisplayCheck::Right,
            // Another version may have called it so.
            Some(false) if is_version => DisplayCheck::Wrong(system.display(concept).to_owned()),
            _ => DisplayCheck::Unknown,
        }
    }

    /// Whether a system has a code (`CodeSystem/$validate-code`).
    ///
    /// # Errors
    /// No system is named.
    pub fn validate_in_system(
        &self,
        coding: Coding<'_>,
        options: CodeOptions<'_>,
    ) -> Result<Validated, OperationError> {
        let url = coding.system.ok_or_else(|| OperationError::Invalid("a system is needed".to_owned()))?;
        let code = coding.code;
        let mut answer = Validated { code: code.to_owned(), system: url.to_owned(), ..Validated::default() };
        let version = coding.version.unwrap_or_default();
        let Some((system, true)) = self.system(url, version, "") else {
            match self.grammar(url).map(|grammar| grammar.check(code)) {
                Some(Truth::Yes) => answer.result = Some(true),
                Some(Truth::No) => {
                    answer.result = Some(false);
                    answer.message = format!("{code:?} is no code of {url}");
                }
                _ if version.is_empty() => answer.message = Unknown::System(url).to_string(),
                _ => answer.message = Unknown::Version(&format!("{url}|{version}")).to_string(),
            }
            return Ok(answer);
        };
        answer.version.clone_from(&system.about().version);
        let Some(concept) = system.find(code) else {
            let is_wrong = match (system.about().completeness, self.grammar(url)) {
                (Completeness::Complete, _) => true,
                (Completeness::Part, grammar) => grammar.is_some_and(|grammar| grammar.check(code) == Truth::No),
            };
            answer.result = is_wrong.then_some(false);
            answer.message =
                if is_wrong { format!("{code:?} is no code of {url}") } else { Unknown::Part(url).to_string() };
            return Ok(answer);
        };
        answer.result = Some(true);
        describe(&mut answer, &system, concept, coding.display, options);
        Ok(answer)
    }

    /// Whether a value set holds one of these codings (`ValueSet/$validate-code`; several: those of a
    /// CodeableConcept, of which one must be in it).
    #[must_use]
    pub fn validate_in_set(&self, set: &ValueSetHandle, codings: &[Coding<'_>], options: CodeOptions<'_>) -> Validated {
        let mut unknown: Option<Validated> = None;
        let mut wrong = Validated { result: Some(false), ..Validated::default() };
        let name = self.about_of(set).0;
        for coding in codings.iter().take(limits::CODINGS_MAX) {
            let answer = self.one_in_set(set, *coding, options);
            match answer.result {
                Some(true) => return answer,
                None => unknown = unknown.or(Some(answer)),
                Some(false) => {
                    if !wrong.message.is_empty() {
                        wrong.message.push_str("; ");
                    }
                    let keep = codings.len() == 1;
                    wrong.message.push_str(&answer.message);
                    if keep {
                        wrong = answer;
                    }
                }
            }
        }
        if wrong.message.is_empty() {
            wrong.message = format!("there is no code to be in {name}");
        }
        unknown.unwrap_or(wrong)
    }

    fn one_in_set(&self, set: &ValueSetHandle, coding: Coding<'_>, options: CodeOptions<'_>) -> Validated {
        let content = self.content_of(set);
        let code = coding.code;
        let mut answer = Validated { code: code.to_owned(), ..Validated::default() };
        // Without a system it is that of the value set which has the code.
        let holds = |url: &str| content.membership(Coding { system: Some(url), ..coding }) == Membership::In;
        let inferred = content.parts.iter().map(|codes| codes.url.as_ref()).find(|url| holds(url));
        let system = coding.system.or(inferred);
        answer.system = system.unwrap_or_default().to_owned();
        let shown = coding.system.map_or_else(|| code.to_owned(), |system| format!("{system}#{code}"));
        match content.membership(coding) {
            Membership::In => answer.result = Some(true),
            Membership::NotIn => {
                answer.result = Some(false);
                answer.message = format!("{shown} is not in {}", self.about_of(set).0);
            }
            Membership::Unknown(why) => answer.message = format!("{shown} cannot be checked: {why}"),
        }
        let pinned = content
            .parts
            .iter()
            .find(|codes| system.is_some_and(|system| system == codes.url.as_ref()) && !codes.version.is_empty());
        if let (Some(pinned), Some(version)) = (pinned, coding.version)
            && answer.result == Some(true)
            && !is_same_version(&pinned.version, version)
        {
            answer.result = Some(false);
            answer.message =
                format!("{shown} is of version {version}, the value set asks for version {}", pinned.version);
        }
        let Some(system) = system else { return answer };
        let Some((system, _)) = self.system(system, coding.version.unwrap_or_default(), "") else { return answer };
        answer.version.clone_from(&system.about().version);
        if let Some(concept) = system.find(code) {
            // A display that the value set gives is as good as the system's own.
            let given = content.parts.iter().find_map(|codes| {
                let own = codes.system.as_ref()?.find(code)?;
                let at = codes.shown.binary_search_by_key(&own, |one| one.0).ok()?;
                codes.shown.get(at).map(|(_, display)| display.as_ref())
            });
            let is_given = coding.display.zip(given).is_some_and(|(have, given)| is_same_display(have, given));
            let display = coding.display.filter(|_| !is_given);
            describe(&mut answer, &system, concept, display, options);
        }
        answer
    }
}

/// Adds display, and what speaks against a concept that exists.
fn describe(
    answer: &mut Validated,
    system: &CodeSystem,
    concept: u32,
    display: Option<&str>,
    options: CodeOptions<'_>,
) {
    answer.display = display_in(system, concept, options.language).to_owned();
    if answer.result != Some(true) {
        return;
    }
    let code = system.code(concept);
    if system.is_abstract(concept) && !options.allow_abstract {
        answer.result = Some(false);
        answer.message = format!("{code:?} only groups other codes");
    } else if system.is_inactive(concept) && options.active_only {
        answer.result = Some(false);
        answer.message = format!("{code:?} is retired");
    } else if let Some(display) = display
        && has_display(system, concept, display, options.language) == Some(false)
    {
        answer.result = Some(false);
        answer.message = format!("the display of {code:?} is {:?}", answer.display);
    } else if system.is_inactive(concept) {
        answer.message = format!("{code:?} is retired");
    }
}

/// Whether a concept is called so; `None` when no name of it is known (in that language).
fn has_display(system: &CodeSystem, concept: u32, display: &str, language: &str) -> Option<bool> {
    let usual = system.display(concept);
    let mut known = !usual.is_empty();
    if known && is_same_display(usual, display) {
        return Some(true);
    }
    for name in system.designations(concept) {
        known = true;
        if is_same_display(name.value, display) {
            return Some(true);
        }
    }
    // Names in the language asked for are not loaded: what is said in it cannot be checked.
    let spoken = |name: crate::Designation<'_>| super::lookup::is_language(name.language, language);
    if !language.is_empty()
        && !super::lookup::is_language("en", language.split('-').next().unwrap_or_default())
        && !system.designations(concept).any(spoken)
    {
        return None;
    }
    known.then_some(false)
}

impl Validated {
    /// Writes the Parameters resource.
    ///
    /// # Errors
    /// It cannot be checked: `result` is required and must not be made up.
    pub fn write(&self, w: &mut Writer) -> Result<(), OperationError> {
        let Some(result) = self.result else { return Err(OperationError::Unknown(self.message.clone())) };
        parameters::resource(w, |w| {
            parameters::boolean(w, "result", result);
            parameters::text(w, "message", "valueString", &self.message);
            parameters::text(w, "display", "valueString", &self.display);
            parameters::text(w, "code", "valueCode", &self.code);
            parameters::text(w, "system", "valueUri", &self.system);
            parameters::text(w, "version", "valueString", &self.version);
        });
        Ok(())
    }
}
