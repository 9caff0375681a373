//! What codes and profiles know: `memberOf()`, `subsumes()`, `subsumedBy()`, `conformsTo()`, `slice()`,
//! `checkModifiers()`. SPEC: R4 fhirpath.html#functions, #txapi.
//!
//! The [`Context`](crate::Context) answers; without it, the value sets that the tables enumerate and the types
//! of FHIR are all that is known, and anything else is an error, never "no".

use super::path::child_text;
use super::{EvaluateError, Evaluator, Outcome, Scope, boolean};
use crate::context::Code;
use crate::function::Function;
use crate::item::{Collection, Item, derives_from};
use crate::syntax::Node;
use fhir::element::Element;
use smallvec::SmallVec;
use std::borrow::Cow;

/// System, version and code, as they stand in an element.
struct Coded<'a> {
    system: Option<Cow<'a, str>>,
    version: Option<Cow<'a, str>>,
    code: Cow<'a, str>,
}

impl Coded<'_> {
    fn code(&self) -> Code<'_> {
        Code { system: self.system.as_deref(), version: self.version.as_deref(), code: &self.code }
    }
}

/// The codes of a CodeableConcept, a Coding or a bare code; `None` for anything else.
fn codes<'a>(item: &Item<'a>) -> Option<SmallVec<[Coded<'a>; 2]>> {
    let mut out = SmallVec::new();
    let mut add = |coding: &Element<'a>| {
        if let Some(code) = child_text(coding, "code") {
            out.push(Coded { system: child_text(coding, "system"), version: child_text(coding, "version"), code });
        }
    };
    match item {
        Item::Element(element) if element.definition.name == "CodeableConcept" => {
            element.children("coding", |coding| add(&coding));
        }
        Item::Element(element) if element.definition.name == "Coding" => add(element),
        Item::Element(element) if element.is_primitive() && element.value.is_none() => {}
        item => out.push(Coded { system: None, version: None, code: item.as_str()? }),
    }
    Some(out)
}

/// True when one is, false when none is, `None` when one that cannot be told could be.
fn any(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(false);
    for answer in answers {
        match answer {
            Some(true) => return Some(true),
            Some(false) => {}
            None => result = None,
        }
    }
    result
}

impl<'a> Evaluator<'a> {
    #[inline(never)]
    pub(super) fn terminology(
        &mut self,
        base: Option<&'a Node>,
        function: Function,
        arguments: &'a [Node],
        scope: Scope<'_, 'a>,
    ) -> Outcome<Collection<'a>> {
        match function {
            Function::Slice => return self.slice(base, arguments, scope),
            Function::CheckModifiers => return self.check_modifiers(base, arguments, scope),
            _ => {}
        }
        let Some(item) = self.input_one(base, scope)? else { return Ok(Collection::new()) };
        match function {
            Function::MemberOf => self.member_of(&item, arguments, scope),
            Function::Subsumes | Function::SubsumedBy => {
                let Some(other) = arguments.first() else { return Ok(Collection::new()) };
                let Some(other) = self.single(other, scope)? else { return Ok(Collection::new()) };
                let (general, special) = if function == Function::Subsumes { (&item, &other) } else { (&other, &item) };
                self.subsumes(general, special)
            }
            _ => self.conforms_to(&item, arguments, scope),
        }
    }

    fn member_of(&mut self, item: &Item<'a>, arguments: &'a [Node], scope: Scope<'_, 'a>) -> Outcome<Collection<'a>> {
        let Some(url) = self.text_argument(arguments, 0, scope)? else { return Ok(Collection::new()) };
        let codes = codes(item).ok_or(EvaluateError::WrongType("memberOf"))?;
        self.charge(codes.len().saturating_mul(16))?;
        let schema = self.focus.schema;
        let answers = codes.iter().map(|coded| {
            let code = coded.code();
            match self.context.terminology {
                Some(terminology) => terminology.member_of(&url, code),
                None => schema.value_set_holds(&url, code.system, code.code),
            }
        });
        any(answers).map(|member| boolean(Some(member))).ok_or(EvaluateError::Unavailable("this value set"))
    }

    fn subsumes(&mut self, general: &Item<'a>, special: &Item<'a>) -> Outcome<Collection<'a>> {
        let wrong = EvaluateError::WrongType("subsumes");
        let (general, special) = (codes(general).ok_or(wrong)?, codes(special).ok_or(wrong)?);
        self.charge(general.len().saturating_mul(special.len()).saturating_mul(16))?;
        let pairs = general.iter().flat_map(|general| special.iter().map(move |special| (general, special)));
        let answers = pairs.map(|(general, special)| {
            if general.system != special.system {
                return Some(false);
            }
            if general.code == special.code {
                return Some(true);
            }
            self.context.terminology.and_then(|known| known.subsumes(general.code(), special.code()))
        });
        any(answers).map(|found| boolean(Some(found))).ok_or(EvaluateError::Unavailable("this code system"))
    }

    /// Without profiles, conformance to a type of FHIR.
    fn conforms_to(&mut self, item: &Item<'a>, arguments: &'a [Node], scope: Scope<'_, 'a>) -> Outcome<Collection<'a>> {
        let Some(url) = self.text_argument(arguments, 0, scope)? else { return Ok(Collection::new()) };
        let unavailable = EvaluateError::Unavailable("this profile");
        self.charge(1000)?;
        if let (Item::Element(element), Some(conformance)) = (item, self.context.conformance)
            && let Some(conforms) = conformance.conforms_to(*element, &url)
        {
            return Ok(boolean(Some(conforms)));
        }
        let name = url.strip_prefix("http://hl7.org/fhir/StructureDefinition/").ok_or(unavailable)?;
        self.focus.schema.type_named(name).ok_or(unavailable)?;
        let definition = match item {
            Item::Element(element) => element.definition,
            Item::Unresolved(definition) => definition,
            _ => return Ok(boolean(Some(false))),
        };
        Ok(boolean(Some(derives_from(self.focus.schema, definition, name))))
    }

    /// The elements of the input that belong to a slice of a profile.
    fn slice(
        &mut self,
        base: Option<&'a Node>,
        arguments: &'a [Node],
        scope: Scope<'_, 'a>,
    ) -> Outcome<Collection<'a>> {
        let mut out = Collection::new();
        let (url, name) = (self.text_argument(arguments, 0, scope)?, self.text_argument(arguments, 1, scope)?);
        let (Some(url), Some(name)) = (url, name) else { return Ok(out) };
        for item in self.input(base, scope)? {
            self.charge(100)?;
            let Item::Element(element) = item else { continue };
            let known = self.context.conformance.and_then(|known| known.is_in_slice(element, &url, &name));
            if known.ok_or(EvaluateError::Unavailable("this slice"))? {
                self.push(&mut out, item)?;
            }
        }
        Ok(out)
    }

    /// The input, if its elements have no other modifier extensions than those that the arguments name.
    fn check_modifiers(
        &mut self,
        base: Option<&'a Node>,
        arguments: &'a [Node],
        scope: Scope<'_, 'a>,
    ) -> Outcome<Collection<'a>> {
        let mut allowed: SmallVec<[Cow<'a, str>; 4]> = SmallVec::new();
        for argument in arguments {
            for item in self.collect(argument, scope)? {
                allowed.push(item.as_str().ok_or(EvaluateError::WrongType("checkModifiers"))?);
            }
        }
        let input = self.input(base, scope)?;
        for item in &input {
            let Item::Element(element) = item else { continue };
            let mut stranger = false;
            element.children("modifierExtension", |extension| {
                let url = child_text(&extension, "url").unwrap_or_default();
                stranger |= !allowed.contains(&url);
            });
            self.charge(allowed.len())?;
            if stranger {
                return Err(EvaluateError::Modifier);
            }
        }
        Ok(input)
    }
}
