//! Primitives: JSON kind, format, required code. SPEC: R4 json.html#primitive, datatypes.html#primitive.

use crate::finding::Place;
use crate::narrative;
use crate::profile::shape::ActiveSet;
use crate::walk::{Inside, Member, Walk};
use fhir::element::Element;
use fhir::issue::{Issue, IssueType};
use fhir::json::{Kind, Value};

/// A JSON kind in words.
pub(crate) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Bool => "a boolean",
        Kind::Number => "a number",
        Kind::String => "a string",
        Kind::Array => "an array",
        Kind::Object => "an object",
    }
}

/// The JSON kind that a primitive type is written in.
fn kind_of(type_name: &str) -> Kind {
    match type_name {
        "boolean" => Kind::Bool,
        "integer" | "positiveInt" | "unsignedInt" | "decimal" => Kind::Number,
        _ => Kind::String,
    }
}

impl<'t> Walk<'t> {
    /// One primitive: its value, its companion, or both.
    pub(crate) fn primitive(
        &mut self,
        member: Member<'t>,
        value: Option<Value<'t>>,
        companion: Option<Value<'t>>,
        active: &mut ActiveSet<'t>,
        inside: &Inside<'_, 't>,
        place: &Place<'_>,
    ) {
        let definition = member.definition;
        let element =
            Element { definition, reached_by: Some(member.element), value, companion, schema: self.validator.schema };
        if let Some(value) = value {
            let wanted = kind_of(definition.name);
            if value.kind() != wanted {
                let text =
                    format!("{} is {} in JSON, found {}", definition.name, kind_name(wanted), kind_name(value.kind()));
                self.findings.add_at(Issue::error(IssueType::Value, text), place, value.span().start);
                return;
            }
            self.format(member, element, value, inside, place);
        }
        if !active.is_empty() {
            self.expand(active, element, inside, place);
        }
        if let Some(companion) = companion {
            self.companion(element, companion, active, inside, place);
        }
        let rules = self.validator.rules.of_element(member.owner, member.element);
        self.invariants(&rules.invariants, element, inside, place);
        if self.session.is_full {
            self.base_binding(member, active, element, place);
            self.apply(active, element, inside, place);
        }
    }

    fn format(
        &mut self,
        member: Member<'t>,
        element: Element<'t>,
        value: Value<'t>,
        inside: &Inside<'_, 't>,
        place: &Place<'_>,
    ) {
        let Some(text) = element.text() else { return };
        let offset = value.span().start;
        let name = member.definition.name;
        if name == "xhtml" {
            if let Err(reason) = narrative::check(&text) {
                self.findings.add_at(Issue::error(IssueType::Invalid, reason), place, offset);
            }
            return;
        }
        if let Err(reason) = fhir::primitive::check(name, &text) {
            self.findings.add_at(Issue::error(IssueType::Value, reason), place, offset);
            return;
        }
        if matches!(name, "uri" | "canonical" | "url") && text.starts_with('#') {
            inside.container.refer(&text);
        }
        let rules = self.validator.rules.of_element(member.owner, member.element);
        if let Some(set) = rules.required_codes
            && self.validator.schema.value_set_holds(set, None, &text) == Some(false)
        {
            let text = format!("expected a code of {set}, found another");
            self.findings.add_at(Issue::error(IssueType::CodeInvalid, text), place, offset);
        }
    }

    /// `_name`: id and extensions of a primitive.
    fn companion(
        &mut self,
        element: Element<'t>,
        companion: Value<'t>,
        active: &ActiveSet<'t>,
        inside: &Inside<'_, 't>,
        place: &Place<'_>,
    ) {
        let has_value = element.value.is_some();
        let offset = companion.span().start;
        if companion.kind() != Kind::Object {
            let text = format!(
                "the part of a primitive that holds its extensions is an object, found {}",
                kind_name(companion.kind())
            );
            self.findings.add_at(Issue::error(IssueType::Structure, text), place, offset);
            return;
        }
        self.members(element, companion, active, inside, place);
        let says_something = companion.members().any(|member| has_value || member.name() != "id");
        if !says_something {
            let text = "an element has a value or extensions (ele-1), found neither";
            self.findings.add_at(Issue::error(IssueType::Invariant, text), place, offset);
        }
    }
}
