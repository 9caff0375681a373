//! The validator: rules made once from a schema, applied to one resource at a time.

use crate::finding::{Findings, Place};
use crate::options::Options;
use crate::profile::compile::{self, Sources};
use crate::profile::library::Library;
use crate::profile::shape::Shape;
use crate::rules::Rules;
use crate::session::Session;
use crate::validated::Validated;
use crate::walk::Walk;
use fhir::ResourceType;
use fhir::issue::{Issue, IssueType, Severity};
use fhir::json::{Kind, Tree};
use fhir::schema::{self, Definitions, Profile, Schema};
use std::fmt;
use std::sync::{Arc, LazyLock};
use terminology::Terminology;

/// A resource that did not pass, with all that is wrong with it.
#[derive(Debug, Clone)]
pub struct Invalid {
    /// The resource as it was given.
    pub tree: Tree,
    /// Errors and warnings, in the order of the body.
    pub issues: Vec<Issue>,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = self.issues.iter().filter(|issue| issue.severity >= Severity::Error).count();
        write!(f, "the resource has {errors} errors")
    }
}

impl std::error::Error for Invalid {}

/// Checks resources against one schema and the profiles of a registry. Building it compiles the schema's
/// invariants: build it once. A profile is compiled at its first use.
pub struct Validator<'s> {
    pub(crate) schema: &'s Schema,
    pub(crate) rules: Rules,
    definitions: &'s Definitions,
    terminology: Arc<Terminology>,
    library: Library,
}

impl fmt::Debug for Validator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validator").finish_non_exhaustive()
    }
}

impl<'s> Validator<'s> {
    /// A validator for the types of this schema, and the profiles and codes of the compiled-in packages.
    #[must_use]
    pub fn new(schema: &'s Schema) -> Self {
        Self::with(schema, Definitions::builtin(), Arc::new(Terminology::builtin()))
    }

    /// A validator for the types of this schema, and these profiles and codes.
    #[must_use]
    pub fn with(schema: &'s Schema, definitions: &'s Definitions, terminology: Arc<Terminology>) -> Self {
        Self { schema, rules: Rules::new(schema), definitions, terminology, library: Library::new() }
    }

    /// The profiles that it knows.
    #[must_use]
    pub fn definitions(&self) -> &'s Definitions {
        self.definitions
    }

    /// The codes that it knows.
    #[must_use]
    pub fn terminology(&self) -> &Terminology {
        &self.terminology
    }

    /// A profile, compiled.
    pub(crate) fn shape(&self, profile: &'static Profile) -> Option<&Shape> {
        let sources = Sources { schema: self.schema, definitions: self.definitions, terminology: &self.terminology };
        self.library.shape(profile, || compile::compile(profile, sources))
    }

    /// Checks one resource against base R4. `expected`: the type that its place asks for (the URL, the Bundle
    /// entry).
    ///
    /// Gives the proof together with warnings. A resource needs no `id` here.
    ///
    /// # Errors
    /// [`Invalid`] with every issue found, up to [`crate::limits::ISSUES_MAX`].
    pub fn validate(&self, tree: Tree, expected: Option<ResourceType>) -> Result<(Validated, Vec<Issue>), Invalid> {
        let session = Session::new(Options::default(), false);
        let (resource_type, findings) = self.check(&tree, expected, &session);
        Self::settle(tree, resource_type, findings)
    }

    /// Checks one resource against base R4 and all profiles that it claims or that `options` want, with
    /// extensions, bindings of all strengths, references, and the rules of Bundles and Questionnaires.
    ///
    /// # Errors
    /// As [`Self::validate`].
    pub fn validate_with(
        &self,
        tree: Tree,
        expected: Option<ResourceType>,
        options: &Options<'_>,
    ) -> Result<(Validated, Vec<Issue>), Invalid> {
        let session = Session::new(*options, true);
        let (resource_type, findings) = self.check(&tree, expected, &session);
        Self::settle(tree, resource_type, findings)
    }

    fn settle(
        tree: Tree,
        resource_type: Option<ResourceType>,
        findings: Findings,
    ) -> Result<(Validated, Vec<Issue>), Invalid> {
        let issues = findings.into_issues(&tree);
        let is_valid = issues.iter().all(|issue| issue.severity < Severity::Error);
        match resource_type {
            Some(resource_type) if is_valid => Ok((Validated::new(tree, resource_type), issues)),
            _ => Err(Invalid { tree, issues }),
        }
    }

    fn check<'t>(
        &'t self,
        tree: &'t Tree,
        expected: Option<ResourceType>,
        session: &'t Session<'t>,
    ) -> (Option<ResourceType>, Findings) {
        let mut findings = Findings::new();
        let root = tree.root();
        let offset = root.span().start;
        if root.kind() != Kind::Object {
            findings.add_at_root(Issue::error(IssueType::Structure, "a resource is a JSON object"), offset);
            return (None, findings);
        }
        let Some(stated) = root.get("resourceType") else {
            let text = "resourceType is missing: expected the name of a resource type of FHIR R4";
            findings.add_at_root(Issue::error(IssueType::Required, text), offset);
            return (None, findings);
        };
        let offset = stated.span().start;
        let known = stated.as_str().and_then(|name| ResourceType::parse(&name).ok());
        let Some(resource_type) = known else {
            let text = "resourceType is not the name of a resource type of FHIR R4";
            findings.add_at_root(Issue::error(IssueType::Value, text), offset);
            return (None, findings);
        };
        if let Some(expected) = expected.filter(|expected| *expected != resource_type) {
            let text = format!("expected a resource of type {expected}, found {resource_type}");
            findings.add_at_root(Issue::error(IssueType::Invalid, text), offset);
        }
        let Some(definition) = self.schema.type_named(resource_type.name()) else { return (None, findings) };
        let mut walk = Walk::new(self, session, findings);
        walk.root(definition, root);
        walk.by_mode(root, &Place { parent: None, name: definition.name, index: None });
        (Some(resource_type), walk.findings)
    }
}

/// The validator of R4 as committed with this server.
#[must_use]
pub fn r4() -> &'static Validator<'static> {
    static R4: LazyLock<Validator<'static>> = LazyLock::new(|| Validator::new(schema::r4()));
    &R4
}

/// Checks one resource against base R4; [`Validator::validate`] also gives warnings and the tree.
///
/// # Errors
/// All issues found, each with its FHIRPath expression and position; at least one is an error.
pub fn validate(tree: Tree, schema: &'static Schema) -> Result<Validated, Vec<Issue>> {
    let outcome = if std::ptr::eq(schema, schema::r4()) {
        r4().validate(tree, None)
    } else {
        Validator::new(schema).validate(tree, None)
    };
    outcome.map(|(validated, _)| validated).map_err(|invalid| invalid.issues)
}
