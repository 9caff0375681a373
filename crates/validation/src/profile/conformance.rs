//! "Does this element meet that profile?": asked by references, slices, choices of profiles, `conformsTo()`
//! and `memberOf()`. SPEC: R4 fhirpath.html#functions.

use super::discriminator::Verdict;
use super::shape::{Active, ActiveSet, ProfileRef};
use crate::contained::Container;
use crate::finding::{Findings, Place};
use crate::limits;
use crate::session::{Answer, Session};
use crate::validator::Validator;
use crate::walk::{Inside, Walk};
use fhir::element::Element;
use fhir::schema::{Profile, TypeKind};
use fhirpath::Code;
use std::borrow::Cow;
use terminology::{Coding, Membership};

impl<'t> Walk<'t> {
    /// Whether an element meets a profile; unknown when the profile is not loaded, or too much was asked.
    pub(crate) fn conforms(&self, element: Element<'t>, wanted: ProfileRef, inside: &Inside<'_, 't>) -> Verdict {
        let Some(profile) = wanted.profile else { return Verdict::Unknown };
        let Some(value) = element.value else { return Verdict::Unknown };
        let key = std::ptr::from_ref(profile).addr();
        self.session.answer(value, key, || self.ask(element, profile, inside))
    }

    /// The first fault that keeps an element from meeting a profile, in words without data of the resource;
    /// once it was asked whether it does.
    pub(crate) fn why_not(&self, element: Element<'t>, wanted: ProfileRef) -> Option<Cow<'static, str>> {
        self.session.why(element.value?, std::ptr::from_ref(wanted.profile?).addr())
    }

    fn ask(&self, element: Element<'t>, profile: &'static Profile, inside: &Inside<'_, 't>) -> Answer {
        if element.definition.name != profile.type_name {
            return Verdict::No.into();
        }
        match self.walk_over(element, profile, inside) {
            Some(walk) => Answer { verdict: (walk.findings.errors() == 0).into(), why: walk.findings.first_error() },
            None => Verdict::Unknown.into(),
        }
    }

    /// A walk over the element with the profile; `None` when too much was asked already.
    fn walk_over(&self, element: Element<'t>, profile: &'static Profile, inside: &Inside<'_, 't>) -> Option<Walk<'t>> {
        if self.depth >= limits::QUESTION_DEPTH_MAX {
            return None;
        }
        let shape = self.validator.shape(profile)?;
        let mut walk = Walk::new(self.validator, self.session, Findings::counting());
        walk.depth = self.depth + 1;
        walk.is_question = true;
        let place = Place { parent: None, name: element.definition.name, index: None };
        let mut active = ActiveSet::new();
        active.push(Active::root(shape));
        if element.definition.kind == TypeKind::Resource {
            // A contained resource stays in its container: what it refers to is there.
            let is_contained = inside.container.holds(element);
            let own;
            let container = if is_contained {
                inside.container
            } else {
                own = Container::new(element);
                &own
            };
            let full_url = inside.bundle.and_then(|bundle| bundle.full_url_of(element));
            let inside = Inside { resource: element, container, is_contained, bundle: inside.bundle, full_url };
            walk.resource(element, active, &inside, &place);
        } else {
            walk.expand(&mut active, element, inside, &place);
            if let Some(value) = element.value.filter(|_| !element.is_primitive()) {
                walk.members(element, value, &active, inside, &place);
            }
            walk.apply(&active, element, inside, &place);
        }
        Some(walk)
    }
}

/// What FHIRPath asks the validator.
pub(crate) struct Asked<'c, 't> {
    pub(crate) validator: &'t Validator<'t>,
    pub(crate) session: &'t Session<'t>,
    pub(crate) inside: &'c Inside<'c, 't>,
    pub(crate) depth: usize,
}

impl fhirpath::Conformance for Asked<'_, '_> {
    fn conforms_to(&self, element: Element<'_>, profile: &str) -> Option<bool> {
        let profile = self.validator.definitions().profile(profile)?;
        let mut walk = Walk::new(self.validator, self.session, Findings::counting());
        walk.depth = self.depth;
        match walk.conforms(element, ProfileRef { canonical: profile.url, profile: Some(profile) }, self.inside) {
            Verdict::Yes => Some(true),
            Verdict::No => Some(false),
            Verdict::Unknown => None,
        }
    }

    fn is_in_slice(&self, element: Element<'_>, profile: &str, slice: &str) -> Option<bool> {
        let shape = self.validator.shape(self.validator.definitions().profile(profile)?)?;
        let name = element.reached_by?.name;
        let last = |id: &str| id.rsplit('.').next().and_then(|last| last.split([':', '[']).next()) == Some(name);
        let of_element = shape.nodes.iter().filter(|node| last(&node.id)).filter_map(|node| node.slicing.as_ref());
        let slice = of_element.flat_map(|slicing| &slicing.slices).find(|one| one.name == slice)?;
        let mut walk = Walk::new(self.validator, self.session, Findings::counting());
        walk.depth = self.depth;
        match walk.belongs(element, &slice.tests, self.inside) {
            Verdict::Yes => Some(true),
            Verdict::No => Some(false),
            Verdict::Unknown => None,
        }
    }
}

impl fhirpath::Terminology for Asked<'_, '_> {
    fn member_of(&self, value_set: &str, code: Code<'_>) -> Option<bool> {
        let coding = Coding { system: code.system, version: code.version, code: code.code, display: None };
        match self.validator.terminology().validate_code(value_set, coding) {
            Membership::In => Some(true),
            Membership::NotIn => Some(false),
            Membership::Unknown(_) => None,
        }
    }

    fn subsumes(&self, general: Code<'_>, special: Code<'_>) -> Option<bool> {
        if general.system? != special.system? {
            return Some(false);
        }
        let system = self.validator.terminology().code_system(general.system?)?;
        Some(system.is_a(system.find(special.code)?, system.find(general.code)?))
    }
}

impl fhirpath::Resolve for Asked<'_, '_> {
    fn resolve(&self, reference: &str) -> Option<Element<'_>> {
        let walk = Walk::new(self.validator, self.session, Findings::counting());
        walk.target_of(reference, self.inside).map(|(found, _)| found)
    }
}
