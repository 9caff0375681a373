//! Extensions: their URLs, their definitions, where they may stand. SPEC: R4 extensibility.html,
//! defining-extensions.html.
//!
//! The URL is absolute, but for the parts of a complex extension. An extension whose definition is loaded
//! meets it and stands where it may; one that is not known is information, but a modifier is an error: no one
//! may process what it does not understand.

use super::shape::{Active, ActiveSet};
use crate::finding::Place;
use crate::limits;
use crate::walk::{Inside, Walk};
use fhir::element::Element;
use fhir::issue::{Issue, IssueType, Severity};
use fhir::json::Value;
use fhir::schema::Profile;
use fhirpath::{Context, Expression, evaluate};

impl<'t> Walk<'t> {
    /// Adds the definition of an extension to what applies to it, and says what is wrong with its place.
    pub(crate) fn extension_known(
        &mut self,
        extension: Element<'t>,
        holder: Element<'t>,
        active: &mut ActiveSet<'t>,
        inside: &Inside<'_, 't>,
        place: &Place<'_>,
    ) {
        let Some(value) = extension.value else { return };
        let Some(stated) = value.get("url") else { return };
        let Some(url) = stated.as_str() else { return };
        let offset = stated.span().start;
        let is_modifier = place.name == "modifierExtension";
        if !url.contains(':') {
            if holder.definition.name != "Extension" {
                let text = "the URL of an extension is absolute, but for the parts of another; found a relative one";
                self.findings.add_at(Issue::error(IssueType::Extension, text), place, offset);
            }
            return;
        }
        let Some(profile) = self.validator.definitions().profile(&url).filter(|one| one.is_extension()) else {
            return self.extension_unknown(&url, is_modifier, place, offset);
        };
        let Some(shape) = self.validator.shape(profile) else { return };
        if !active.iter().any(|one| one.shape.urls.iter().any(|other| *other == *url) && one.at == 0) {
            active.push(Active::root(shape));
        }
        let root = profile.elements.first();
        let wants_modifier = root.is_some_and(|root| root.is_modifier);
        if wants_modifier != is_modifier {
            let (wanted, found) =
                if wants_modifier { ("modifierExtension", "extension") } else { ("extension", "modifierExtension") };
            let text = format!("expected the extension {} as {wanted}, found it as {found}", profile.url);
            self.findings.add_at(Issue::error(IssueType::Extension, text), place, offset);
        }
        if root.is_some_and(|root| root.max == Some(1)) && self.stands_before(holder, place, &url) {
            let text = format!("the extension {} does not repeat: found it again", profile.url);
            self.findings.add_at(Issue::error(IssueType::Structure, text), place, offset);
        }
        self.context(profile, holder, inside, place, offset);
    }

    fn extension_unknown(&mut self, url: &str, is_modifier: bool, place: &Place<'_>, offset: usize) {
        let shown = if url.len() <= 200 && url.bytes().all(|byte| byte.is_ascii_graphic()) { url } else { "" };
        let (severity, text) = if is_modifier {
            (Severity::Error, format!("the modifier extension {shown} is not known: what it changes is not known"))
        } else {
            (Severity::Information, format!("the extension {shown} is not known: not checked"))
        };
        let issue = Issue::error(IssueType::Extension, text);
        self.findings.add_at(Issue { severity, ..issue }, place, offset);
    }

    /// Whether a sibling before this one has the same URL.
    fn stands_before(&self, holder: Element<'t>, place: &Place<'_>, url: &str) -> bool {
        let index = place.index.unwrap_or(0);
        if index == 0 || !self.session.charge(index) {
            return false;
        }
        let object = if holder.is_primitive() { holder.companion } else { holder.value };
        let siblings = object.and_then(|object| object.get(place.name));
        let before = siblings.into_iter().flat_map(Value::items).take(index);
        before.filter_map(|one| one.get("url")).filter_map(Value::as_str).any(|other| other == url)
    }

    /// SPEC: R4 defining-extensions.html#context.
    fn context(
        &mut self,
        profile: &'static Profile,
        holder: Element<'t>,
        inside: &Inside<'_, 't>,
        place: &Place<'_>,
        offset: usize,
    ) {
        let fits = |(kind, expression): &(&'static str, &'static str)| match *kind {
            "extension" => {
                let url = holder.value.and_then(|value| value.get("url")).and_then(Value::as_str);
                holder.definition.name == "Extension" && url.is_some_and(|url| url == *expression)
            }
            "fhirpath" => self.is_among(expression, holder, inside),
            _ => self.is_at(expression, holder, inside, place),
        };
        if !profile.contexts.is_empty() && !profile.contexts.iter().any(fits) {
            let places: Vec<&str> = profile.contexts.iter().map(|(_, expression)| *expression).collect();
            let text = format!(
                "the extension {} stands on {}; found it on {}",
                profile.url,
                places.join(" or "),
                holder.reached_by.map_or(holder.definition.name, |element| element.path)
            );
            self.findings.add_at(Issue::error(IssueType::Extension, text), place, offset);
        }
        for text in &profile.context_invariants {
            let Ok(expression) = Expression::parse(text) else { continue };
            let context = self.context_of(inside);
            let (outcome, steps) = fhirpath::evaluate_condition(&expression, holder, &context);
            self.session.charge(usize::try_from(steps).unwrap_or(usize::MAX));
            if outcome == Ok(Some(false)) {
                let text = format!("the extension {} may not stand here: {expression} does not hold", profile.url);
                self.findings.add_at(Issue::error(IssueType::Extension, text), place, offset);
            }
        }
    }

    /// Whether the holder is the element that a context of kind `element` names.
    fn is_at(&self, expression: &str, holder: Element<'t>, inside: &Inside<'_, 't>, place: &Place<'_>) -> bool {
        if expression == "Element" || expression.contains("://") {
            return true;
        }
        let plain = expression.strip_suffix("[x]").unwrap_or(expression);
        let Some((first, below)) = plain.split_once('.') else {
            return self.is_type(holder, plain);
        };
        if holder.definition.name == plain {
            return true;
        }
        if let Some(reached) = holder.reached_by
            && reached.path.strip_suffix("[x]").unwrap_or(reached.path) == plain
        {
            return true;
        }
        // A path through data types: `Patient.name.family`. `place` is the extension's own.
        let mut at = place.parent;
        for name in below.rsplit('.') {
            let name = name.strip_suffix("[x]").unwrap_or(name);
            match at {
                Some(here) if here.name == name => at = here.parent,
                _ => return false,
            }
        }
        inside.resource.definition.name == first
    }

    fn context_of<'c>(&self, inside: &Inside<'_, 'c>) -> Context<'c> {
        Context {
            resource: Some(inside.resource),
            root_resource: Some(inside.container.resource),
            steps_max: limits::INVARIANT_STEPS_MAX.min(self.session.steps_left.get()),
            ..Context::default()
        }
    }

    /// Whether an element is among what an expression finds in its resource; what cannot be told is none of
    /// its faults.
    fn is_among(&self, expression: &str, holder: Element<'_>, inside: &Inside<'_, '_>) -> bool {
        let Ok(expression) = Expression::parse(expression) else { return true };
        // What an expression may look at, as it is looked at anew for each extension.
        let size = inside.resource.value.map_or(0, |value| value.span().len() / 8);
        if !self.session.charge(size) {
            return true;
        }
        let context = self.context_of(inside);
        let Ok(found) = evaluate(&expression, inside.resource, &context) else { return true };
        let same = |one: Element<'_>| {
            let (left, right) = (one.value.or(one.companion), holder.value.or(holder.companion));
            left.zip(right).is_some_and(|(left, right)| left.index() == right.index())
        };
        found.iter().filter_map(fhirpath::Item::element).any(same)
    }
}
