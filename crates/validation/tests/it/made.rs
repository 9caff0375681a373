//! Small profiles made for tests, through the registry's own tables (`definitions/README.md` of `fhir`).

use fhir::ResourceType;
use fhir::issue::{Issue, IssueType, Severity};
use fhir::json::Tree;
use fhir::schema::{self, Definitions, Tables};
use std::sync::{Arc, LazyLock};
use terminology::Terminology;
use validation::{Options, Resolver, Validator};

/// Tables in the making.
#[derive(Default)]
pub(crate) struct Made {
    profiles: String,
    constraints: String,
}

/// The URL of a profile of this name.
pub(crate) fn url(name: &str) -> String {
    format!("http://example.org/StructureDefinition/{name}")
}

impl Made {
    /// A profile; its elements follow.
    pub(crate) fn profile(mut self, name: &str, of: &str) -> Self {
        let url = url(name);
        let base = format!("http://hl7.org/fhir/StructureDefinition/{of}");
        self.profiles.push_str(&format!("P\t{url}\t1.0.0\ttest#1.0.0\t{of}\t{base}\tsnapshot\n"));
        self
    }

    /// Where the extension may stand; before its elements.
    pub(crate) fn context(mut self, kind: &str, expression: &str) -> Self {
        self.profiles.push_str(&format!("X\t{kind}\t{expression}\n"));
        self
    }

    /// FHIRPath that must hold where the extension stands; before its elements.
    pub(crate) fn context_invariant(mut self, expression: &str) -> Self {
        self.profiles.push_str(&format!("Y\t{expression}\n"));
        self
    }

    /// An element by the cells of its line: min, max, types, flags, binding, invariants, slicing, values.
    pub(crate) fn element(mut self, id: &str, cells: &[(&str, &str)]) -> Self {
        let names = ["min", "max", "types", "flags", "binding", "invariants", "slicing", "values"];
        let cell = |name: &str| cells.iter().find(|(own, _)| *own == name).map_or("", |(_, text)| *text);
        assert!(cells.iter().all(|(name, _)| names.contains(name)), "{id}");
        self.profiles.push_str(&format!("E\t{id}"));
        for name in names {
            self.profiles.push_str(&format!("\t{}", cell(name)));
        }
        self.profiles.push('\n');
        self
    }

    /// An invariant.
    pub(crate) fn invariant(mut self, key: &str, severity: &str, expression: &str) -> Self {
        self.constraints.push_str(&format!("{key}\t{severity}\t{expression}\n"));
        self
    }

    /// A validator that knows these beside the compiled-in packages.
    pub(crate) fn validator(self) -> Validator<'static> {
        let tables = Tables { profiles: self.profiles, constraints: self.constraints, ..Tables::default() };
        let definitions: &'static Definitions = Box::leak(Box::new(Definitions::builtin().with(vec![tables])));
        static TERMINOLOGY: LazyLock<Arc<Terminology>> = LazyLock::new(|| Arc::new(Terminology::builtin()));
        Validator::with(schema::r4(), definitions, TERMINOLOGY.clone())
    }
}

/// All issues of a resource that is held to these profiles.
pub(crate) fn issues_of(validator: &Validator<'_>, text: &str, profiles: &[&str]) -> Vec<Issue> {
    issues_with(validator, text, &Options { profiles, ..Options::default() })
}

pub(crate) fn issues_with(validator: &Validator<'_>, text: &str, options: &Options<'_>) -> Vec<Issue> {
    let tree = Tree::parse(text.to_owned()).unwrap_or_else(|error| panic!("{error:?} in {text}"));
    let outcome = validator.validate_with(tree, None::<ResourceType>, options);
    let issues = match outcome {
        Ok((_, issues)) => issues,
        Err(invalid) => invalid.issues,
    };
    assert!(issues.iter().all(|issue| issue.position.is_some()), "{issues:?}");
    // What base R4 prefers for categories is not what these tests are about.
    let quiet = ["dom-6", "observation-category is preferred"];
    issues.into_iter().filter(|issue| !quiet.iter().any(|words| issue.diagnostics.contains(words))).collect()
}

/// Asserts that a resource has no issue at all against the profile.
pub(crate) fn right(validator: &Validator<'_>, profile: &str, text: &str) {
    let found = issues_of(validator, text, &[&url(profile)]);
    assert!(found.is_empty(), "{text}\n{found:#?}");
}

/// Asserts that there is one issue: its severity, place, kind and some words.
pub(crate) fn wrong(
    validator: &Validator<'_>,
    profile: &str,
    text: &str,
    (severity, place, code, words): (Severity, &str, IssueType, &str),
) {
    let found = issues_of(validator, text, &[&url(profile)]);
    only(&found, (severity, place, code, words), text);
}

/// Asserts that this is the only issue.
pub(crate) fn only(found: &[Issue], wanted: (Severity, &str, IssueType, &str), about: &str) {
    let (severity, place, code, words) = wanted;
    let [issue] = found else { panic!("wanted one issue at {place}: {words}; of {about}\nfound {found:#?}") };
    assert_eq!((issue.severity, issue.expression.as_deref(), issue.code), (severity, Some(place), code), "{issue:#?}");
    assert!(issue.diagnostics.contains(words), "{words} is not in {}", issue.diagnostics);
}

/// A resolver over a few resources.
pub(crate) struct Known(pub(crate) Vec<(&'static str, String)>);

impl Resolver for Known {
    fn resource(&self, reference: &str) -> Option<Tree> {
        let (_, text) = self.0.iter().find(|(name, _)| *name == reference)?;
        Tree::parse(text.clone()).ok()
    }

    fn canonical(&self, canonical: &str) -> Option<Tree> {
        self.resource(canonical)
    }
}
