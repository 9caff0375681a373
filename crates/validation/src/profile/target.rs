//! What references of profiles may point at: by type, by profile, and how the target is held.
//! SPEC: R4 elementdefinition.html `type.targetProfile`, `type.aggregation`, `type.versioning`.
//!
//! A target is looked for in the container, in the Bundle, and with the caller's resolver. One that is not to
//! be had is checked by its type alone. A target that claims a wanted profile itself is taken at its word: its
//! own validation holds it to that. The target's own references are checked by type alone.

use super::compile::unversioned;
use super::discriminator::Verdict;
use super::shape::{Active, ProfileRef, Target, TypeRule};
use crate::finding::Place;
use crate::reference;
use crate::walk::{Inside, Walk};
use fhir::ResourceType;
use fhir::element::Element;
use fhir::issue::{Issue, IssueType, Severity};
use fhir::json::Value;

/// How a target is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    Contained,
    Bundled,
    Elsewhere,
}

impl Held {
    fn code(self) -> &'static str {
        match self {
            Self::Contained => "contained",
            Self::Bundled => "bundled",
            Self::Elsewhere => "referenced",
        }
    }
}

impl<'t> Walk<'t> {
    /// The resource that a reference's text points at.
    pub(crate) fn target_of(&self, text: &str, inside: &Inside<'_, 't>) -> Option<(Element<'t>, Held)> {
        if let Some(id) = text.strip_prefix('#') {
            let found = if id.is_empty() { Some(inside.container.resource) } else { inside.container.contained(id) };
            return found.map(|found| (found, Held::Contained));
        }
        if let Some(bundle) = inside.bundle
            && let Some(found) = bundle.find(text, inside.full_url)
        {
            return Some((found, Held::Bundled));
        }
        let found = self.session.fetch(text, self.validator.schema)?;
        Some((found, Held::Elsewhere))
    }

    /// The target of a Reference, or of a primitive that holds a reference's text.
    pub(crate) fn follow(&self, element: Element<'t>, inside: &Inside<'_, 't>) -> Option<Element<'t>> {
        let text = if element.is_primitive() {
            element.text()?
        } else {
            element.value?.get("reference").and_then(Value::as_str)?
        };
        self.target_of(&text, inside).map(|(found, _)| found)
    }

    /// A Reference against what a profile says of its type.
    pub(crate) fn targets(
        &mut self,
        rule: &'t TypeRule,
        active: Active<'t>,
        element: Element<'t>,
        inside: &Inside<'_, 't>,
        place: &Place<'_>,
    ) {
        let Some(value) = element.value else { return };
        let stated = value.get("reference");
        let text = stated.and_then(Value::as_str);
        let offset = stated.unwrap_or(value).span().start;
        if let Some(text) = text.as_deref() {
            self.versioning(rule, active, text, place, offset);
        }
        let found = text.as_deref().and_then(|text| self.target_of(text, inside));
        if let Some(text) = text.as_deref()
            && !rule.aggregation.is_empty()
        {
            let held = match (found, text.starts_with('#')) {
                (_, true) => Held::Contained,
                (Some((_, held)), _) => held,
                (None, _) => Held::Elsewhere,
            };
            if !rule.aggregation.contains(&held.code()) {
                let text = format!(
                    "{}: expected a target that is {}, found one that is {} ({})",
                    active.id(),
                    rule.aggregation.join(" or "),
                    held.code(),
                    active.profile()
                );
                self.findings.add_at(Issue::error(IssueType::Value, text), place, offset);
            }
        }
        if rule.targets.is_empty() {
            return;
        }
        let by_element = value.get("type").and_then(Value::as_str);
        let by_element = by_element.as_deref().map(|name| name.rsplit('/').next().unwrap_or(name));
        let name = match &found {
            Some((target, _)) => Some(target.definition.name),
            None => text.as_deref().and_then(reference::type_segment).or(by_element),
        };
        let Some(name) = name.and_then(|name| ResourceType::parse(name).ok()).map(ResourceType::name) else { return };
        let mut wanted: smallvec::SmallVec<[ProfileRef; 4]> = smallvec::SmallVec::new();
        let mut fits = false;
        for target in &rule.targets {
            match target {
                Target::Type(one) if *one == name || *one == "Resource" => return,
                Target::Type(_) => {}
                Target::Profile(one) => match one.profile {
                    // Nothing is known of it, not even its type.
                    None => return,
                    Some(profile) if profile.type_name == name => {
                        fits = true;
                        wanted.push(*one);
                    }
                    Some(_) => {}
                },
            }
        }
        if !fits {
            let names: Vec<&str> = rule.targets.iter().map(target_name).collect();
            let text = format!(
                "{}: expected a reference to {}, found one to {name} ({})",
                active.id(),
                names.join(" or "),
                active.profile()
            );
            return self.findings.add_at(Issue::error(IssueType::Value, text), place, offset);
        }
        let Some((target, held)) = found.filter(|_| !self.is_question) else { return };
        let verdict = wanted.iter().map(|one| self.target_conforms(target, *one, inside)).max();
        if verdict == Some(Verdict::No) {
            let names: Vec<&str> = wanted.iter().map(|one| one.canonical).collect();
            let why = wanted.first().and_then(|one| self.why_not(target, *one)).unwrap_or_default();
            let text = format!(
                "{}: expected a reference to a {name} that meets {}; the one found does not: {why} ({})",
                active.id(),
                names.join(" or "),
                active.profile()
            );
            let options = self.session.options;
            let beyond = options.target_profiles_beyond.filter(|_| held == Held::Elsewhere);
            let severity = beyond.unwrap_or(options.target_profiles);
            let issue = Issue { severity, ..Issue::error(IssueType::Value, text) };
            self.findings.add_at(issue, place, offset);
        }
    }

    fn versioning(&mut self, rule: &TypeRule, active: Active<'t>, text: &str, place: &Place<'_>, offset: usize) {
        let is_specific = text.contains("/_history/");
        let wanted = match rule.versioning {
            "specific" if !is_specific => "names a version",
            "independent" if is_specific => "names no version",
            _ => return,
        };
        let text = format!("{}: expected a reference that {wanted} ({})", active.id(), active.profile());
        self.findings.add_at(Issue::error(IssueType::Value, text), place, offset);
    }

    fn target_conforms(&self, target: Element<'t>, wanted: ProfileRef, inside: &Inside<'_, 't>) -> Verdict {
        let (Some(value), Some(profile)) = (target.value, wanted.profile) else { return Verdict::Unknown };
        // WHY: a key of its own, as what a target claims is no answer to whether it conforms.
        let key = !std::ptr::from_ref(profile).addr();
        let claims = self.session.answer(value, key, || Verdict::from(self.claims(target, wanted)).into());
        if claims == Verdict::Yes { claims } else { self.conforms(target, wanted, inside) }
    }

    /// Whether a resource claims a profile, or one that derives from it.
    fn claims(&self, resource: Element<'t>, wanted: ProfileRef) -> bool {
        let Some(wanted) = wanted.profile else { return false };
        let claims = resource.value.and_then(|value| value.get("meta")).and_then(|meta| meta.get("profile"));
        claims.into_iter().flat_map(Value::items).any(|claim| {
            let Some(claim) = claim.as_str() else { return false };
            if unversioned(&claim) == wanted.url {
                return true;
            }
            let mut profile = self.validator.definitions().profile(&claim);
            for _ in 0..16 {
                match profile {
                    Some(one) if unversioned(one.base) == wanted.url => return true,
                    Some(one) => profile = self.validator.definitions().profile_for(one.base, one.package),
                    None => return false,
                }
            }
            false
        })
    }

    /// Says that a profile that an element should meet is not loaded.
    pub(crate) fn not_loaded(&mut self, profile: &str, severity: Severity, place: &Place<'_>, offset: usize) {
        let text = format!("the profile {profile} is not loaded: not checked");
        self.findings.add_at(Issue { severity, ..Issue::error(IssueType::NotFound, text) }, place, offset);
    }
}

fn target_name(target: &Target) -> &str {
    match target {
        Target::Type(name) => name,
        Target::Profile(one) => one.canonical,
    }
}
