//! The validator: rules made once from a schema, applied to one resource at a time.

use crate::finding::Findings;
use crate::rules::Rules;
use crate::validated::Validated;
use crate::walk::Walk;
use fhir::ResourceType;
use fhir::issue::{Issue, IssueType, Severity};
use fhir::json::{Kind, Tree};
use fhir::schema::{self, Schema};
use std::fmt;
use std::sync::LazyLock;

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

/// Checks resources against one schema. Building it compiles the schema's invariants: build it once.
pub struct Validator<'s> {
    pub(crate) schema: &'s Schema,
    pub(crate) rules: Rules,
}

impl fmt::Debug for Validator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validator").finish_non_exhaustive()
    }
}

impl<'s> Validator<'s> {
    /// A validator for the types of this schema.
    #[must_use]
    pub fn new(schema: &'s Schema) -> Self {
        Self { schema, rules: Rules::new(schema) }
    }

    /// Checks one resource. `expected`: the type that its place asks for (the URL, the Bundle entry).
    ///
    /// Gives the proof together with warnings. A resource needs no `id` here.
    ///
    /// # Errors
    /// [`Invalid`] with every issue found, up to [`crate::limits::ISSUES_MAX`].
    pub fn validate(&self, tree: Tree, expected: Option<ResourceType>) -> Result<(Validated, Vec<Issue>), Invalid> {
        let (resource_type, findings) = self.check(&tree, expected);
        let issues = findings.into_issues(&tree);
        let is_valid = issues.iter().all(|issue| issue.severity < Severity::Error);
        match resource_type {
            Some(resource_type) if is_valid => Ok((Validated::new(tree, resource_type), issues)),
            _ => Err(Invalid { tree, issues }),
        }
    }

    fn check(&self, tree: &Tree, expected: Option<ResourceType>) -> (Option<ResourceType>, Findings) {
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
        let mut walk = Walk::new(self, findings);
        walk.root(definition, root);
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
