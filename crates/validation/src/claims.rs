//! Which profiles a resource is held to: those that it claims, and those that the caller wants.
//! SPEC: R4 resource.html#Meta.profile, profiling.html#resources.

use crate::finding::Place;
use crate::limits;
use crate::profile::shape::{Active, ActiveSet};
use crate::walk::Walk;
use fhir::element::Element;
use fhir::issue::{Issue, IssueType, Severity};
use fhir::json::Value;

impl<'t> Walk<'t> {
    /// The profiles that the caller wants.
    pub(crate) fn wanted(&mut self, resource: Element<'t>, active: &mut ActiveSet<'t>, place: &Place<'_>) {
        let offset = resource.value.map_or(0, |value| value.span().start);
        for canonical in self.session.options.profiles {
            self.hold_to(canonical, Severity::Error, resource, active, place, offset);
        }
    }

    /// The profiles in `meta.profile`.
    pub(crate) fn claimed(&mut self, resource: Element<'t>, active: &mut ActiveSet<'t>, place: &Place<'_>) {
        if !self.session.options.claims {
            return;
        }
        let meta = resource.value.and_then(|value| value.get("meta"));
        let Some(list) = meta.and_then(|meta| meta.get("profile")) else { return };
        let meta = Place { parent: Some(place), name: "meta", index: None };
        for (index, claim) in list.items().enumerate() {
            if active.len() >= limits::PROFILES_MAX {
                let text =
                    format!("a resource is held to {} profiles at most: the others are not checked", active.len());
                self.findings.add_at(Issue::error(IssueType::TooCostly, text), &meta, claim.span().start);
                return;
            }
            let Some(canonical) = claim.as_str() else { continue };
            let here = Place { parent: Some(&meta), name: "profile", index: Some(index) };
            let severity = self.session.options.unknown_profile;
            self.hold_to(&canonical, severity, resource, active, &here, claim.span().start);
        }
    }

    fn hold_to(
        &mut self,
        canonical: &str,
        unknown: Severity,
        resource: Element<'t>,
        active: &mut ActiveSet<'t>,
        place: &Place<'_>,
        offset: usize,
    ) {
        // The definition of the type itself says nothing more.
        let base = canonical.strip_prefix("http://hl7.org/fhir/StructureDefinition/");
        let base = base.map(|name| name.split('|').next().unwrap_or(name));
        if let Some(name) = base
            && self.validator.schema.type_named(name).is_some()
        {
            if !self.is_type(resource, name) {
                self.wrong_type(name, resource, place, offset);
            }
            return;
        }
        let Some(profile) = self.validator.definitions().profile_for(canonical, self.session.options.package) else {
            let shown = canonical.len() <= 200 && canonical.bytes().all(|byte| byte.is_ascii_graphic());
            return self.not_loaded(if shown { canonical } else { "that is claimed" }, unknown, place, offset);
        };
        if profile.type_name != resource.definition.name {
            return self.wrong_type(profile.type_name, resource, place, offset);
        }
        let Some(shape) = self.validator.shape(profile) else { return };
        let root = Active::root(shape);
        if !active.iter().any(|one| one.is(root)) {
            active.push(root);
        }
    }

    fn wrong_type(&mut self, wanted: &str, resource: Element<'t>, place: &Place<'_>, offset: usize) {
        let text = format!("the profile is for {wanted}, the resource is {}", resource.definition.name);
        self.findings.add_at(Issue::error(IssueType::Invalid, text), place, offset);
    }

    /// The id and such, by what the resource is validated for.
    pub(crate) fn by_mode(&mut self, value: Value<'t>, place: &Place<'_>) {
        if self.session.options.mode == crate::Mode::Update && value.get("id").is_none() {
            let text = "the body of an update has an id; found none";
            self.findings.add_at(Issue::error(IssueType::Required, text), place, value.span().start);
        }
    }
}
