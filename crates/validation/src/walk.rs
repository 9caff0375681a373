//! The walk over a resource: members against the definitions of their type.
//!
//! Places are kept as a chain on the stack; nothing is allocated for what is right. The nodes of profiles that
//! apply to an element are carried along (`crate::profile`).
//! SPEC: R4 json.html.

use crate::bundle::Bundle;
use crate::contained::Container;
use crate::finding::{Findings, Place};
use crate::primitive::kind_name;
use crate::profile::shape::ActiveSet;
use crate::profile::slicing::Tallies;
use crate::rules::Special;
use crate::session::Session;
use crate::validator::Validator;
use fhir::element::Element;
use fhir::issue::{Issue, IssueType};
use fhir::json::{Kind, Value};
use fhir::schema::{ElementDefinition, TypeDefinition, TypeKind, TypeReference};

/// The resource that an element stands in, and the one that contains that resource.
pub(crate) struct Inside<'c, 't> {
    pub(crate) resource: Element<'t>,
    pub(crate) container: &'c Container<'t>,
    /// The resource is contained itself.
    pub(crate) is_contained: bool,
    /// The Bundle that the container is an entry of.
    pub(crate) bundle: Option<&'c Bundle<'t>>,
    /// The container's `fullUrl` there.
    pub(crate) full_url: Option<&'c str>,
}

/// One member's definitions.
#[derive(Clone, Copy)]
pub(crate) struct Member<'t> {
    /// The type that the element belongs to.
    pub(crate) owner: &'t TypeDefinition,
    pub(crate) element: &'t ElementDefinition,
    /// The type reference that the JSON name chose.
    pub(crate) of: &'t TypeReference,
    /// The type of the value.
    pub(crate) definition: &'t TypeDefinition,
}

/// One walk over one resource.
pub(crate) struct Walk<'t> {
    pub(crate) validator: &'t Validator<'t>,
    pub(crate) session: &'t Session<'t>,
    pub(crate) findings: Findings,
    /// How many questions this walk answers one inside of another.
    pub(crate) depth: usize,
    /// This walk only answers whether an element meets a profile: claims inside are not followed.
    pub(crate) is_question: bool,
}

impl<'t> Walk<'t> {
    pub(crate) fn new(validator: &'t Validator<'t>, session: &'t Session<'t>, findings: Findings) -> Self {
        Self { validator, session, findings, depth: 0, is_question: false }
    }
}

impl<'t> Walk<'t> {
    fn error(
        &mut self,
        code: IssueType,
        text: impl Into<std::borrow::Cow<'static, str>>,
        place: &Place<'_>,
        value: Value<'_>,
    ) {
        self.findings.add_at(Issue::error(code, text), place, value.span().start);
    }

    /// The resource at the root, or one in a Bundle or Parameters: it may contain others.
    pub(crate) fn root(&mut self, definition: &'t TypeDefinition, value: Value<'t>) {
        let place = Place { parent: None, name: definition.name, index: None };
        let resource = self.element_of(definition, value);
        let mut active = ActiveSet::new();
        if self.session.is_full {
            self.wanted(resource, &mut active, &place);
        }
        self.container(resource, active, None, None, &place);
    }

    fn element_of(&self, definition: &'t TypeDefinition, value: Value<'t>) -> Element<'t> {
        Element { definition, reached_by: None, value: Some(value), companion: None, schema: self.validator.schema }
    }

    fn container(
        &mut self,
        resource: Element<'t>,
        active: ActiveSet<'t>,
        bundle: Option<&Bundle<'t>>,
        full_url: Option<&str>,
        place: &Place<'_>,
    ) {
        let container = Container::new(resource);
        let inside = Inside { resource, container: &container, is_contained: false, bundle, full_url };
        self.resource(resource, active, &inside, place);
        container.check(&mut self.findings, place);
    }

    /// A resource, with the profiles that apply to it; those that it claims are added here.
    pub(crate) fn resource(
        &mut self,
        resource: Element<'t>,
        mut active: ActiveSet<'t>,
        inside: &Inside<'_, 't>,
        place: &Place<'_>,
    ) {
        let Some(value) = resource.value else { return };
        let is_full = self.session.is_full;
        if is_full && !self.is_question {
            self.claimed(resource, &mut active, place);
        }
        if !active.is_empty() {
            self.expand(&mut active, resource, inside, place);
        }
        if is_full && resource.definition.name == "Bundle" {
            let bundle = Bundle::new(resource);
            let inside = Inside { bundle: Some(&bundle), full_url: None, ..*inside };
            self.members(resource, value, &active, &inside, place);
            self.bundle(&bundle, place);
        } else {
            self.members(resource, value, &active, inside, place);
        }
        let rules = self.validator.rules.of_type(resource.definition);
        self.invariants(&rules.invariants, resource, inside, place);
        if is_full {
            self.apply(&active, resource, inside, place);
            match resource.definition.name {
                "Questionnaire" => self.questionnaire(value, place),
                "QuestionnaireResponse" => self.questionnaire_response(resource, inside, place),
                _ => {}
            }
        }
        if rules.kind == Special::Binary {
            self.attachment(value, place);
        }
        let has_narrative = resource.definition.element("text").is_some();
        if has_narrative && !inside.is_contained && value.get("text").and_then(|text| text.get("div")).is_none() {
            let text = "a resource should have narrative for robust management (dom-6)";
            self.findings.add_at(Issue::warning(IssueType::Invariant, text), place, value.span().start);
        }
    }

    /// The members of an object against the elements of its type.
    pub(crate) fn members(
        &mut self,
        holder: Element<'t>,
        object: Value<'t>,
        active: &ActiveSet<'t>,
        inside: &Inside<'_, 't>,
        place: &Place<'_>,
    ) {
        let definition = holder.definition;
        let mut seen = 0u128;
        let companions = object.members().any(|value| value.name_bytes().first() == Some(&b'_'));
        for value in object.members() {
            let name = value.name_bytes();
            if name.first() == Some(&b'_') || (name == b"resourceType" && definition.kind == TypeKind::Resource) {
                continue;
            }
            let Some(member) = self.member(definition, name) else {
                self.unknown(value.name(), definition, place, value);
                continue;
            };
            let has_companion = companions && member.definition.kind == TypeKind::Primitive;
            let companion = if has_companion { companion_of(object, name) } else { None };
            self.count(&mut seen, member, place, value);
            self.element(member, Some(value), companion, holder, active, inside, place);
        }
        if companions {
            self.lone_companions(holder, object, &mut seen, active, inside, place);
        }
        for element in &definition.elements {
            if element.min > 0 && seen & bit(element) == 0 {
                let text = format!("{} is missing: expected at least {}", element.path, element.min);
                self.error(IssueType::Required, text, place, object);
            }
        }
        self.check_needs(active, definition, seen, place, object);
    }

    /// Companions whose primitive has no value.
    fn lone_companions(
        &mut self,
        holder: Element<'t>,
        object: Value<'t>,
        seen: &mut u128,
        active: &ActiveSet<'t>,
        inside: &Inside<'_, 't>,
        place: &Place<'_>,
    ) {
        for companion in object.members() {
            let Some(name) = companion.name().strip_prefix('_') else { continue };
            match self
                .member(holder.definition, name.as_bytes())
                .filter(|member| member.definition.kind == TypeKind::Primitive)
            {
                None => self.unknown(companion.name(), holder.definition, place, companion),
                Some(_) if object.get(name).is_some() => {}
                Some(member) => {
                    self.count(seen, member, place, companion);
                    self.element(member, None, Some(companion), holder, active, inside, place);
                }
            }
        }
    }

    fn member(&self, owner: &'t TypeDefinition, name: &[u8]) -> Option<Member<'t>> {
        let (element, of) = owner.member_bytes(name)?;
        let definition = self.validator.schema.type_of(of)?;
        Some(Member { owner, element, of, definition })
    }

    /// Notes that an element is there; a choice must not be there in two types.
    fn count(&mut self, seen: &mut u128, member: Member<'_>, place: &Place<'_>, value: Value<'_>) {
        if *seen & bit(member.element) != 0 {
            let here = Place { parent: Some(place), name: member.element.name, index: None };
            let text = format!("{} has one type: found a second one", member.element.path);
            self.error(IssueType::Structure, text, &here, value);
        }
        *seen |= bit(member.element);
    }

    fn unknown(&mut self, name: &str, definition: &TypeDefinition, place: &Place<'_>, value: Value<'_>) {
        let readable = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let text = if readable {
            format!("{} has no element '{name}'", definition.name)
        } else {
            format!("{} has no such element", definition.name)
        };
        self.error(IssueType::Structure, text, place, value);
    }

    /// One element with all its repeats.
    #[expect(clippy::too_many_arguments, reason = "an element with both its values and all that it stands in")]
    fn element(
        &mut self,
        member: Member<'t>,
        value: Option<Value<'t>>,
        companion: Option<Value<'t>>,
        holder: Element<'t>,
        active: &ActiveSet<'t>,
        inside: &Inside<'_, 't>,
        place: &Place<'_>,
    ) {
        let mut rules = ActiveSet::new();
        rules.extend(active.iter().filter_map(|one| one.child(member.owner, member.element)));
        let is_sliced = rules.iter().any(|one| one.node().slicing.is_some());
        let mut tallies = Tallies::new();
        let offset = value.or(companion).map_or(0, |one| one.span().start);
        let repeats = member.element.max != Some(1);
        let mut here = Place { parent: Some(place), name: member.element.name, index: None };
        if !repeats {
            for one in [value, companion].into_iter().flatten() {
                if one.kind() == Kind::Array {
                    let text = format!("{} does not repeat: expected no array", member.element.path);
                    return self.error(IssueType::Structure, text, &here, one);
                }
            }
            self.check_count(&rules, 1, &here, offset);
            let mut rules = rules;
            if is_sliced {
                self.slices(member, value, companion, &mut rules, &mut tallies, inside, &here);
                self.check_tallies(&tallies, &here, offset);
            }
            return self.repeat(member, value, companion, holder, rules, inside, &here);
        }
        for one in [value, companion].into_iter().flatten() {
            if one.kind() != Kind::Array {
                let text =
                    format!("{} may repeat: expected an array, found {}", member.element.path, kind_name(one.kind()));
                return self.error(IssueType::Structure, text, &here, one);
            }
            if one.items().next().is_none() {
                return self.error(IssueType::Structure, "an array is not empty", &here, one);
            }
        }
        let mut values = value.into_iter().flat_map(Value::items);
        let mut companions = companion.into_iter().flat_map(Value::items);
        let mut index = 0;
        loop {
            let (one, its_companion) = (values.next(), companions.next());
            if one.is_none() && its_companion.is_none() {
                break;
            }
            here.index = Some(index);
            let uneven = value.is_some() && companion.is_some() && (one.is_none() || its_companion.is_none());
            if let Some(one) = one.or(its_companion).filter(|_| uneven) {
                let text = "the arrays of values and of their extensions have the same length, filled up with null";
                self.error(IssueType::Structure, text, &here, one);
            }
            let mut its_rules = rules.clone();
            if is_sliced {
                self.slices(member, one, its_companion, &mut its_rules, &mut tallies, inside, &here);
            }
            self.repeat(member, one, its_companion, holder, its_rules, inside, &here);
            index += 1;
        }
        if !rules.is_empty() {
            here.index = None;
            self.check_count(&rules, index, &here, offset);
            self.check_tallies(&tallies, &here, offset);
        }
        let (least, most) = (member.element.min as usize, member.element.max.map_or(usize::MAX, |max| max as usize));
        if let Some(list) = value.or(companion).filter(|_| index < least || index > most) {
            here.index = None;
            let text = format!("{} has {index} repeats: expected {least} to {most}", member.element.path);
            self.error(IssueType::Structure, text, &here, list);
        }
    }

    /// The slices of one repeat.
    #[expect(clippy::too_many_arguments, reason = "an element with both its values and all that it stands in")]
    fn slices(
        &mut self,
        member: Member<'t>,
        value: Option<Value<'t>>,
        companion: Option<Value<'t>>,
        rules: &mut ActiveSet<'t>,
        tallies: &mut Tallies<'t>,
        inside: &Inside<'_, 't>,
        place: &Place<'_>,
    ) {
        let value = value.filter(|value| value.kind() != Kind::Null);
        let element = self.element_at(member, value, companion);
        for at in 0..rules.len() {
            if let Some(one) = rules.get(at).copied() {
                self.sort_into(one, element, rules, tallies, inside, place);
            }
        }
    }

    /// The element of a member; a resource has its own type.
    fn element_at(&self, member: Member<'t>, value: Option<Value<'t>>, companion: Option<Value<'t>>) -> Element<'t> {
        let schema = self.validator.schema;
        let mut definition = member.definition;
        if definition.kind == TypeKind::Resource
            && let Some(resource) = value.and_then(|value| Element::resource_at(value, schema))
        {
            definition = resource.definition;
        }
        Element { definition, reached_by: Some(member.element), value, companion, schema }
    }

    /// One repeat of an element.
    #[expect(clippy::too_many_arguments, reason = "an element with both its values and all that it stands in")]
    fn repeat(
        &mut self,
        member: Member<'t>,
        value: Option<Value<'t>>,
        companion: Option<Value<'t>>,
        holder: Element<'t>,
        mut active: ActiveSet<'t>,
        inside: &Inside<'_, 't>,
        place: &Place<'_>,
    ) {
        let present = value.filter(|value| value.kind() != Kind::Null);
        let its_companion = companion.filter(|companion| companion.kind() != Kind::Null);
        if present.is_none() && its_companion.is_none() {
            if let Some(null) = value.or(companion) {
                self.error(IssueType::Structure, "null stands only beside a value or extensions", place, null);
            }
            return;
        }
        // A null that has no array around it says nothing that leaving it away would not say.
        if place.index.is_none()
            && let Some(null) = [value, companion].into_iter().flatten().find(|one| one.kind() == Kind::Null)
        {
            self.error(IssueType::Structure, "null stands only in an array", place, null);
        }
        match member.definition.kind {
            TypeKind::Primitive => self.primitive(member, present, its_companion, &mut active, inside, place),
            TypeKind::Resource => {
                if let Some(value) = present {
                    self.inner_resource(member, value, active, inside, place);
                }
            }
            TypeKind::Complex | TypeKind::Backbone => {
                if let Some(value) = present {
                    self.complex(member, value, holder, active, inside, place);
                }
            }
        }
    }

    fn complex(
        &mut self,
        member: Member<'t>,
        value: Value<'t>,
        holder: Element<'t>,
        mut active: ActiveSet<'t>,
        inside: &Inside<'_, 't>,
        place: &Place<'_>,
    ) {
        let definition = member.definition;
        if value.kind() != Kind::Object {
            let text = format!("{} is an object, found {}", definition.name, kind_name(value.kind()));
            return self.error(IssueType::Structure, text, place, value);
        }
        let element = self.element_at(member, Some(value), None);
        let is_full = self.session.is_full;
        let kind = self.validator.rules.of_type(definition).kind;
        if is_full && kind == Special::Extension {
            self.extension_known(element, holder, &mut active, inside, place);
        }
        if !active.is_empty() {
            self.expand(&mut active, element, inside, place);
        }
        self.members(element, value, &active, inside, place);
        if !value.members().any(|member| member.name_bytes() != b"id") {
            self.error(IssueType::Invariant, "an element has a value or children (ele-1), found neither", place, value);
            return;
        }
        match kind {
            Special::Attachment => self.attachment(value, place),
            Special::Extension => self.extension(value, place),
            Special::Reference => self.reference(member.of, value, inside, place),
            Special::Coding if is_full && !self.is_question => self.coding(value, place),
            Special::Coding | Special::Binary | Special::None => {}
        }
        let rules = self.validator.rules.of_element(member.owner, member.element);
        if let Some(set) = rules.required_codes {
            self.required_coding(definition, set, value, place);
        }
        self.invariants(&self.validator.rules.of_type(definition).invariants, element, inside, place);
        self.invariants(&rules.invariants, element, inside, place);
        if is_full {
            self.base_binding(member, &active, element, place);
            self.apply(&active, element, inside, place);
        }
    }

    /// SPEC: R4 extensibility.html, invariant ext-1.
    fn extension(&mut self, value: Value<'_>, place: &Place<'_>) {
        let mut nested = false;
        let mut valued = false;
        for member in value.members() {
            let name = member.name();
            nested |= name == "extension";
            valued |= name.starts_with("value") || name.starts_with("_value");
        }
        if nested == valued {
            let found = if nested { "both" } else { "neither" };
            let text = format!("an extension has either extensions or a value (ext-1), found {found}");
            self.error(IssueType::Invariant, text, place, value);
        }
    }

    /// A required binding of a Coding or CodeableConcept to an enumerable value set.
    fn required_coding(&mut self, definition: &TypeDefinition, set: &'static str, value: Value<'_>, place: &Place<'_>) {
        let schema = self.validator.schema;
        let holds = |coding: Value<'_>| {
            let code = coding.get("code").and_then(Value::as_str);
            let system = coding.get("system").and_then(Value::as_str);
            match (system, code) {
                (Some(system), Some(code)) => schema.value_set_holds(set, Some(&system), &code) == Some(true),
                _ => false,
            }
        };
        let fits = match definition.name {
            "Coding" => holds(value),
            "CodeableConcept" => {
                let only_extensions = value.get("coding").is_none() && value.get("text").is_none();
                only_extensions || value.get("coding").is_some_and(|list| list.items().any(holds))
            }
            _ => true,
        };
        if !fits {
            let text = format!("expected a code of {set}, with its system; found none");
            self.error(IssueType::CodeInvalid, text, place, value);
        }
    }

    /// A contained resource, or the resource of a Bundle entry or a parameter.
    fn inner_resource(
        &mut self,
        member: Member<'t>,
        value: Value<'t>,
        active: ActiveSet<'t>,
        inside: &Inside<'_, 't>,
        place: &Place<'_>,
    ) {
        if value.kind() != Kind::Object {
            let text = format!("a resource is an object, found {}", kind_name(value.kind()));
            return self.error(IssueType::Structure, text, place, value);
        }
        let Some(resource) =
            Element::resource_at(value, self.validator.schema).filter(|found| !found.definition.is_abstract)
        else {
            let text = "resourceType is missing or not the name of a resource type of FHIR R4";
            return self.error(IssueType::Value, text, place, value);
        };
        let wanted = member.definition;
        if !wanted.is_abstract && wanted.name != resource.definition.name {
            let text = format!("expected a resource of type {}, found {}", wanted.name, resource.definition.name);
            return self.error(IssueType::Value, text, place, value);
        }
        if member.element.name == "contained" {
            let resource = Element { reached_by: Some(member.element), ..resource };
            let inside = Inside { resource, is_contained: true, ..*inside };
            self.resource(resource, active, &inside, place);
        } else {
            let full_url = inside.bundle.and_then(|bundle| bundle.full_url_of(resource));
            self.container(resource, active, inside.bundle, full_url, place);
        }
    }
}

/// The companion of a primitive member.
fn companion_of<'t>(object: Value<'t>, name: &[u8]) -> Option<Value<'t>> {
    object.members().find(|member| member.name_bytes().strip_prefix(b"_") == Some(name))
}

pub(crate) fn bit(element: &ElementDefinition) -> u128 {
    // INVARIANT: positions are below `limits::ELEMENTS_MAX`; a test holds the tables to it.
    1u128.checked_shl(u32::try_from(element.index).unwrap_or(u32::MAX)).unwrap_or(0)
}
