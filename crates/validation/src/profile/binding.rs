//! Bindings of all strengths. SPEC: R4 terminologies.html#strength, elementdefinition.html `binding`.
//!
//! Required: a code, or at least one coding of a concept, is of the value set. Extensible: another code is
//! right only when none of the set fits, which only people can tell: a warning. Preferred: information.
//! Example: nothing. What cannot be checked is said as such, never as wrong.

use super::discriminator::Verdict;
use super::shape::{Active, Bound};
use crate::finding::Place;
use crate::walk::Walk;
use fhir::element::Element;
use fhir::issue::{Issue, IssueType, Severity};
use fhir::json::{Kind, Value};
use fhir::schema::BindingStrength;
use terminology::{Coding, Completeness, Membership};

impl<'t> Walk<'t> {
    /// Whether the codes of an element are of a value set.
    pub(crate) fn holds(&self, bound: &Bound, element: &Element<'_>) -> Verdict {
        let Some(set) = &bound.set else { return Verdict::Unknown };
        let terminology = self.validator.terminology();
        let ask = |coding: Coding<'_>| match terminology.holds(set, coding) {
            Membership::In => Verdict::Yes,
            Membership::NotIn => Verdict::No,
            Membership::Unknown(_) => Verdict::Unknown,
        };
        let of_coding = |value: Value<'_>| with_coding(value, ask).unwrap_or(Verdict::No);
        match (element.definition.name, element.value) {
            (_, None) => Verdict::No,
            ("CodeableConcept", Some(value)) => {
                let codings = value.get("coding").into_iter().flat_map(Value::items);
                codings.map(of_coding).max().unwrap_or(Verdict::No)
            }
            (
                "Coding" | "Quantity" | "SimpleQuantity" | "Age" | "Duration" | "Count" | "Distance" | "Money",
                Some(value),
            ) => of_coding(value),
            _ => element.text().map_or(Verdict::Unknown, |text| ask(Coding::code(&text))),
        }
    }

    /// A binding of a profile.
    pub(crate) fn binding(&mut self, bound: &Bound, by: Binder<'_>, element: &Element<'t>, place: &Place<'_>) {
        let Some(value) = element.value else { return };
        if !is_bindable(element) {
            return;
        }
        let verdict = self.holds(bound, element);
        if verdict == Verdict::Yes {
            return;
        }
        let is_concept = element.definition.name == "CodeableConcept";
        let has_code = !is_concept || value.get("coding").is_some();
        // A concept that is only extensions says why there is no code (data-absent-reason).
        if !has_code && value.get("text").is_none() {
            return;
        }
        let set = bound.canonical;
        let offset = value.span().start;
        let (severity, code, text) = match (verdict, bound.strength) {
            (Verdict::Unknown, BindingStrength::Required) => {
                let text = format!("the code cannot be checked against {set}: {} ", self.why_unknown(bound, element));
                (Severity::Warning, IssueType::Incomplete, text)
            }
            (Verdict::Unknown, BindingStrength::Extensible) => {
                let text = format!("the code cannot be checked against {set}: {} ", self.why_unknown(bound, element));
                (Severity::Information, IssueType::Incomplete, text)
            }
            (_, BindingStrength::Required) if is_concept && !has_code => {
                let text = format!("expected a code of {set}, found text alone ");
                (Severity::Error, IssueType::CodeInvalid, text)
            }
            (_, BindingStrength::Required) => (
                Severity::Error,
                IssueType::CodeInvalid,
                format!("expected a code of {set}, found {} ", shown(element)),
            ),
            (_, BindingStrength::Extensible) if !has_code => {
                let text = format!("expected a code of {set} unless none fits, found text alone ");
                (Severity::Warning, IssueType::CodeInvalid, text)
            }
            (_, BindingStrength::Extensible) => {
                let text = format!("expected a code of {set} unless none fits, found {} ", shown(element));
                (Severity::Warning, IssueType::CodeInvalid, text)
            }
            (Verdict::No, BindingStrength::Preferred) if has_code => {
                let text = format!("a code of {set} is preferred, found {} ", shown(element));
                (Severity::Information, IssueType::CodeInvalid, text)
            }
            _ => return,
        };
        let issue = Issue::error(code, format!("{text}({})", by.words()));
        self.findings.add_at(Issue { severity, ..issue }, place, offset);
    }

    /// A code of a system that is loaded: whether the system has it, and calls it so. SPEC: R4
    /// datatypes.html#coding.
    pub(crate) fn coding(&mut self, value: Value<'t>, place: &Place<'_>) {
        let terminology = self.validator.terminology();
        let (Some(system), Some(code)) = (value.get("system"), value.get("code")) else { return };
        let (Some(system), Some(stated)) = (system.as_str(), code.as_str()) else { return };
        let Some(loaded) = terminology.code_system(&system) else { return };
        let about = loaded.about();
        let Some(concept) = loaded.find(&stated) else {
            if about.completeness == Completeness::Complete && is_code_like(&stated) {
                let text = format!("the code system {} has no code {stated}", about.url);
                self.findings.add_at(Issue::warning(IssueType::CodeInvalid, text), place, code.span().start);
            }
            return;
        };
        let Some(display) = value.get("display") else { return };
        let Some(found) = display.as_str() else { return };
        let wanted = loaded.display(concept);
        if wanted.is_empty()
            || is_same_text(wanted, &found)
            || loaded.designations(concept).any(|one| is_same_text(one.value, &found))
        {
            return;
        }
        let text = format!("the display of {}|{stated} is \"{wanted}\"; found another", about.url);
        self.findings.add_at(Issue::warning(IssueType::Value, text), place, display.span().start);
    }

    fn why_unknown(&self, bound: &Bound, element: &Element<'_>) -> String {
        let Some(set) = &bound.set else { return "the value set is not loaded".to_owned() };
        let terminology = self.validator.terminology();
        let mut why = None;
        let mut ask = |value: Value<'_>| {
            let answer = with_coding(value, |coding| match terminology.holds(set, coding) {
                Membership::Unknown(reason) => Some(reason.to_string()),
                _ => None,
            });
            why = why.take().or(answer.flatten());
        };
        match element.value {
            Some(value) if element.definition.name == "CodeableConcept" => {
                value.get("coding").into_iter().flat_map(Value::items).for_each(&mut ask);
            }
            Some(value) if value.kind() == Kind::Object => ask(value),
            _ => {
                if let Some(text) = element.text()
                    && let Membership::Unknown(reason) = terminology.holds(set, Coding::code(&text))
                {
                    why = Some(reason.to_string());
                }
            }
        }
        why.unwrap_or_else(|| "its content is not loaded".to_owned())
    }
}

/// Whether two displays are the same but for case and blanks.
fn is_same_text(one: &str, other: &str) -> bool {
    let words = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    one == other || words(one) == words(other)
}

/// Who binds.
#[derive(Clone, Copy)]
pub(crate) enum Binder<'a> {
    /// FHIR itself, at this path.
    Base(&'a str),
    Profile(Active<'a>),
}

impl Binder<'_> {
    fn words(self) -> String {
        match self {
            Self::Base(path) => path.to_owned(),
            Self::Profile(active) => format!("{}, {}", active.id(), active.profile()),
        }
    }
}

fn is_bindable(element: &Element<'_>) -> bool {
    matches!(
        element.definition.name,
        "code"
            | "CodeableConcept"
            | "Coding"
            | "Quantity"
            | "Age"
            | "Duration"
            | "Count"
            | "Distance"
            | "string"
            | "uri"
            | "canonical"
            | "url"
    )
}

/// Reads a Coding (or the unit of a Quantity); `None` when it has no code.
pub(crate) fn with_coding<R>(value: Value<'_>, ask: impl FnOnce(Coding<'_>) -> R) -> Option<R> {
    let (mut system, mut version, mut code, mut display) = (None, None, None, None);
    for member in value.members() {
        match member.name() {
            "system" => system = member.as_str(),
            "version" => version = member.as_str(),
            "code" => code = member.as_str(),
            "display" => display = member.as_str(),
            _ => {}
        }
    }
    let code = code?;
    let coding = Coding {
        // WHY: a Coding without system is of no known system; an empty text is in no value set either.
        system: Some(system.as_deref().unwrap_or_default()),
        version: version.as_deref(),
        code: &code,
        display: display.as_deref(),
    };
    Some(ask(coding))
}

/// The code that was found, when it is one: codes may be told, other texts may not.
fn shown(element: &Element<'_>) -> String {
    let mut out = String::new();
    let mut add = |system: Option<&str>, code: &str| {
        if out.len() > 200 {
            return;
        }
        if !out.is_empty() {
            out.push_str(", ");
        }
        let code = if is_code_like(code) { code } else { "another" };
        match system.filter(|system| !system.is_empty() && is_uri_like(system)) {
            Some(system) => out.push_str(&format!("{system}|{code}")),
            None => out.push_str(code),
        }
    };
    let mut coding = |value: Value<'_>| {
        with_coding(value, |coding| add(coding.system, coding.code));
    };
    match element.value {
        Some(value) if element.definition.name == "CodeableConcept" => {
            value.get("coding").into_iter().flat_map(Value::items).for_each(&mut coding);
        }
        Some(value) if value.kind() == Kind::Object => coding(value),
        _ => {
            if let Some(text) = element.text() {
                add(None, &text);
            }
        }
    }
    if out.is_empty() { "none".to_owned() } else { out }
}

/// A text that looks like a code of a terminology, not like prose.
fn is_code_like(text: &str) -> bool {
    text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:%/[]{}+*^'".contains(&byte))
}

fn is_uri_like(text: &str) -> bool {
    text.len() <= 200 && text.contains(':') && text.bytes().all(|byte| byte.is_ascii_graphic())
}
