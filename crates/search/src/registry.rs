//! The search parameters this server knows, by type and code, with compiled expressions.
//!
//! A parameter on several types (`clinical-patient`) has one expression that names them all; it is
//! taken apart here, so that a resource evaluates only what concerns its own type. Parameters on
//! Resource and DomainResource belong to every type. SPEC: R4 searchparameter.html,
//! compartmentdefinition-patient.html.

mod branch;
mod own;
mod reach;

use crate::{
    added::{self, Added},
    index_key::fnv,
};
use fhir::{
    ResourceType,
    schema::{Schema, SearchParameterDefinition},
};
use fhirpath::Expression;
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

/// Number of a parameter: its place in the compiled-in tables, or the number that a store gave to an
/// added one ([`added::FIRST`] and above). The former are stable only together with
/// [`Registry::fingerprint`]; a store whose fingerprint differs rebuilds its indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParameterId(pub u16);

impl ParameterId {
    /// Whether a package added it.
    #[must_use]
    pub const fn is_added(self) -> bool {
        self.0 >= added::FIRST
    }
}

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

impl ParameterKind {
    /// The kind of this R4 code; `Special` for any other text.
    #[must_use]
    pub fn parse(code: &str) -> Self {
        match code {
            "number" => Self::Number,
            "date" => Self::Date,
            "string" => Self::String,
            "token" => Self::Token,
            "reference" => Self::Reference,
            "composite" => Self::Composite,
            "quantity" => Self::Quantity,
            "uri" => Self::Uri,
            _ => Self::Special,
        }
    }

    /// R4's code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Date => "date",
            Self::String => "string",
            Self::Token => "token",
            Self::Reference => "reference",
            Self::Composite => "composite",
            Self::Quantity => "quantity",
            Self::Uri => "uri",
            Self::Special => "special",
        }
    }
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
    pub expression: Option<Expression>,
    /// For composites: the component parameters with their expressions, relative to the composite's.
    pub components: Vec<(ParameterId, Expression)>,
}

/// A parameter that cannot be answered, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Canonical URL of its definition.
    pub url: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What one type evaluates when a resource is written.
#[derive(Debug)]
pub(crate) struct Extraction {
    pub(crate) parameter: ParameterId,
    pub(crate) expression: Expression,
}

#[derive(Debug, Default)]
struct OfType {
    by_code: Vec<(String, ParameterId)>,
    extractions: Vec<Extraction>,
    patient_compartment: Vec<ParameterId>,
    /// Those above, and those that find a part of what one of them finds (`patient` of `subject`).
    within_patient_compartment: Vec<ParameterId>,
}

/// A definition, wherever it is from.
struct Source<'a> {
    url: &'a str,
    code: &'a str,
    kind: &'a str,
    expression: &'a str,
    base: Vec<&'a str>,
    target: Vec<&'a str>,
    components: Vec<(&'a str, &'a str)>,
    /// No query names it.
    is_hidden: bool,
}

impl<'a> Source<'a> {
    fn of_own(one: &'a SearchParameterDefinition) -> Self {
        Self {
            url: one.url,
            code: one.code,
            kind: one.kind,
            expression: one.expression,
            base: one.base.clone(),
            target: one.target.clone(),
            components: one.components.clone(),
            is_hidden: false,
        }
    }

    fn of_added(one: &'a Added) -> Self {
        let one = &one.definition;
        Self {
            url: &one.url,
            code: &one.code,
            kind: &one.kind,
            expression: &one.expression,
            base: one.base.iter().map(String::as_str).collect(),
            target: one.target.iter().map(String::as_str).collect(),
            components: one.components.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect(),
            is_hidden: false,
        }
    }
}

/// All parameters.
#[derive(Debug)]
pub struct Registry {
    parameters: Vec<Parameter>,
    /// Those that packages added, by number.
    added: Vec<Parameter>,
    of_type: Vec<OfType>,
    patient: Option<ResourceType>,
    faults: Vec<Fault>,
    fingerprint: u64,
    schema: &'static Schema,
    /// Where the parameters of the server's own begin, and of these the ones that no index lists.
    own_from: usize,
    unlisted_from: usize,
}

/// The registry of the embedded tables, compiled at first use.
#[must_use]
pub fn registry() -> &'static Arc<Registry> {
    static REGISTRY: LazyLock<Arc<Registry>> = LazyLock::new(|| Arc::new(Registry::new(fhir::schema::r4())));
    &REGISTRY
}

impl Registry {
    /// Compiles the parameters of a schema.
    #[must_use]
    pub fn new(schema: &'static Schema) -> Self {
        Self::with(schema, &[])
    }

    /// Compiles the parameters of a schema and those that packages added. Where an added one repeats
    /// a code of the schema, the schema's stays.
    #[must_use]
    pub fn with(schema: &'static Schema, added: &[Added]) -> Self {
        let mut registry = Self {
            parameters: Vec::with_capacity(schema.search_parameters.len()),
            added: Vec::with_capacity(added.len()),
            of_type: ResourceType::all().map(|_| OfType::default()).collect(),
            patient: ResourceType::parse("Patient").ok(),
            faults: Vec::new(),
            fingerprint: 0,
            schema,
            own_from: 0,
            unlisted_from: 0,
        };
        let mut by_url = HashMap::new();
        for definition in &schema.search_parameters {
            if let Some(id) = registry.add_own(definition) {
                by_url.insert(definition.url, id);
                by_url.extend(definition.also.iter().map(|url| (*url, id)));
            }
        }
        registry.add_of_server();
        for one in added {
            registry.add(&Source::of_added(one), one.id, one.retired);
            if !one.retired {
                by_url.entry(&one.definition.url).or_insert(one.id);
            }
        }
        registry.added.sort_by_key(|parameter| parameter.id);
        let own = schema.search_parameters.iter().map(|one| (Source::of_own(one), by_url.get(one.url).copied()));
        let added = added.iter().filter(|one| !one.retired).map(|one| (Source::of_added(one), Some(one.id)));
        for (source, id) in own.chain(added).filter(|(source, _)| source.kind == "composite") {
            registry.add_components(&source, id, &by_url);
        }
        for of_type in &mut registry.of_type {
            of_type.by_code.sort();
            of_type.extractions.sort_by_key(|extraction| extraction.parameter);
        }
        registry.add_patient_compartment();
        registry.fingerprint = fingerprint(schema);
        registry
    }

    fn add_own(&mut self, definition: &SearchParameterDefinition) -> Option<ParameterId> {
        let id = ParameterId(u16::try_from(self.parameters.len()).ok().filter(|number| *number < added::FIRST)?);
        self.add(&Source::of_own(definition), id, false);
        Some(id)
    }

    /// `retired`: no query names it, and nothing is drawn out for it.
    fn add(&mut self, definition: &Source<'_>, id: ParameterId, retired: bool) {
        let kind = ParameterKind::parse(definition.kind);
        let is_global = definition.base.iter().any(|base| matches!(*base, "Resource" | "DomainResource"));
        let bases: Vec<ResourceType> = if is_global {
            ResourceType::all().collect()
        } else {
            definition.base.iter().filter_map(|base| ResourceType::parse(base).ok()).collect()
        };
        // `_id` and `_lastUpdated` are answered from the row itself, not from index values.
        let is_of_row = matches!(definition.code, "_id" | "_lastUpdated");
        let mut expression = None;
        if kind == ParameterKind::Special {
            self.fault(definition.url, "is of type special, which has rules of its own");
        } else if definition.expression.is_empty() && !is_of_row {
            self.fault(definition.url, "has no expression that says what it searches");
        } else if !is_of_row {
            match Expression::parse(definition.expression) {
                Ok(parsed) => expression = Some(parsed),
                Err(error) => self.fault(definition.url, &error.to_string()),
            }
        }
        for base in bases.iter().filter(|_| !retired) {
            let Some(of_type) = self.of_type.get_mut(base.index()) else { continue };
            if id.is_added() && of_type.by_code.iter().any(|(code, _)| code == definition.code) {
                continue;
            }
            if !definition.is_hidden {
                of_type.by_code.push((definition.code.to_owned(), id));
            }
            if let Some(whole) = &expression {
                let of_base = branch::of_type(whole.text(), base.name());
                let expression =
                    if of_base == whole.text() { Some(whole.clone()) } else { Expression::parse(&of_base).ok() };
                of_type.extractions.extend(expression.map(|expression| Extraction { parameter: id, expression }));
            }
        }
        let parameter = Parameter {
            id,
            code: definition.code.to_owned(),
            url: definition.url.to_owned(),
            kind,
            bases,
            targets: definition.target.iter().filter_map(|target| ResourceType::parse(target).ok()).collect(),
            expression: expression.filter(|_| !retired),
            components: Vec::new(),
        };
        if id.is_added() { self.added.push(parameter) } else { self.parameters.push(parameter) }
    }

    fn add_components(&mut self, source: &Source<'_>, id: Option<ParameterId>, by_url: &HashMap<&str, ParameterId>) {
        let found: Result<Vec<_>, String> = source
            .components
            .iter()
            .map(|(url, expression)| {
                let id = by_url.get(url).ok_or_else(|| format!("its component {url} is not known"))?;
                Expression::parse(expression).map(|expression| (*id, expression)).map_err(|e| e.to_string())
            })
            .collect();
        let Some(id) = id else { return };
        match found {
            Ok(components) if !components.is_empty() => {
                if let Some(parameter) = self.by_id_mut(id) {
                    parameter.components = components;
                }
            }
            Ok(_) => self.fault(source.url, "has no components"),
            Err(reason) => self.fault(source.url, &reason),
        }
    }

    fn by_id_mut(&mut self, id: ParameterId) -> Option<&mut Parameter> {
        if id.is_added() {
            let at = self.added.binary_search_by_key(&id, |parameter| parameter.id).ok()?;
            return self.added.get_mut(at);
        }
        self.parameters.get_mut(usize::from(id.0))
    }

    fn add_patient_compartment(&mut self) {
        for (name, codes) in &self.schema.patient_compartment {
            let Ok(resource_type) = ResourceType::parse(name) else { continue };
            let parameters = codes.iter().filter_map(|code| self.parameter(resource_type, code));
            let parameters = parameters.filter(|one| one.kind == ParameterKind::Reference).map(|one| one.id).collect();
            if let Some(of_type) = self.of_type.get_mut(resource_type.index()) {
                of_type.patient_compartment = parameters;
                let whole = |extraction: &Extraction| {
                    let text = extraction.expression.text();
                    text.strip_suffix(".where(resolve() is Patient)").unwrap_or(text).to_owned()
                };
                let is_member = |one: &&Extraction| of_type.patient_compartment.contains(&one.parameter);
                let members: Vec<String> = of_type.extractions.iter().filter(is_member).map(whole).collect();
                let within = of_type.extractions.iter().filter(|one| members.contains(&whole(one)));
                of_type.within_patient_compartment = within.map(|one| one.parameter).collect();
            }
        }
    }

    fn fault(&mut self, url: &str, reason: &str) {
        self.faults.push(Fault { url: url.to_owned(), reason: reason.to_owned() });
    }

    /// The parameter that `code` names on this type (those on Resource and DomainResource included).
    #[must_use]
    pub fn parameter(&self, resource_type: ResourceType, code: &str) -> Option<&Parameter> {
        let by_code = &self.of_type.get(resource_type.index())?.by_code;
        let at = by_code.binary_search_by(|(own, _)| own.as_str().cmp(code)).ok()?;
        self.by_id(by_code.get(at)?.1)
    }

    /// The parameter with this number.
    #[must_use]
    pub fn by_id(&self, id: ParameterId) -> Option<&Parameter> {
        if id.is_added() {
            let at = self.added.binary_search_by_key(&id, |parameter| parameter.id).ok()?;
            return self.added.get(at);
        }
        self.parameters.get(usize::from(id.0))
    }

    /// The parameters that packages added, retired ones too.
    #[must_use]
    pub fn added(&self) -> &[Parameter] {
        &self.added
    }

    /// All parameters of a type, in the order of their codes.
    pub fn of_type(&self, resource_type: ResourceType) -> impl Iterator<Item = &Parameter> {
        let by_code = self.of_type.get(resource_type.index()).map(|of_type| of_type.by_code.as_slice());
        by_code.unwrap_or_default().iter().filter_map(|(_, id)| self.by_id(*id))
    }

    /// All compiled-in parameters, in the order of their numbers; those that no query names ([`Registry::of_server`]) come last.
    #[must_use]
    pub fn all(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Whether searches by this parameter are answered.
    #[must_use]
    pub fn is_supported(&self, parameter: &Parameter) -> bool {
        match parameter.kind {
            ParameterKind::Special => false,
            ParameterKind::Composite => parameter.expression.is_some() && !parameter.components.is_empty(),
            _ => parameter.expression.is_some() || matches!(parameter.code.as_str(), "_id" | "_lastUpdated"),
        }
    }

    /// Whether chains, `_has` and includes may lead from or to this type. AuditEvents may not: they
    /// lie in the audit log, where no index leads to them (row F22).
    #[must_use]
    pub fn is_joined(&self, resource_type: ResourceType) -> bool {
        resource_type.name() != "AuditEvent"
    }

    /// The reference parameters that put a resource of this type into a patient's compartment; a
    /// Patient lies in its own besides. Empty: the type is in no patient's compartment.
    #[must_use]
    pub fn patient_compartment(&self, resource_type: ResourceType) -> &[ParameterId] {
        self.of_type.get(resource_type.index()).map_or(&[], |of_type| of_type.patient_compartment.as_slice())
    }

    /// Whether a resource that refers to a patient by this parameter lies in that patient's compartment.
    #[must_use]
    pub fn is_within_patient_compartment(&self, resource_type: ResourceType, parameter: ParameterId) -> bool {
        let of_type = self.of_type.get(resource_type.index());
        of_type.is_some_and(|of_type| of_type.within_patient_compartment.contains(&parameter))
    }

    /// Whether this is the type Patient.
    #[must_use]
    pub fn is_patient(&self, resource_type: ResourceType) -> bool {
        self.patient == Some(resource_type)
    }

    /// The parameters that cannot be answered, with the reason.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The schema it was compiled from.
    #[must_use]
    pub fn schema(&self) -> &'static Schema {
        self.schema
    }

    pub(crate) fn extractions(&self, resource_type: ResourceType) -> &[Extraction] {
        self.of_type.get(resource_type.index()).map_or(&[], |of_type| of_type.extractions.as_slice())
    }

    /// A number that changes when the set of compiled-in parameters, an expression, a compartment or
    /// the form of index values changes. Added parameters are no part of it: stores index them as
    /// they come.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

/// Raise when extraction, encoding or index keys change their meaning: stores then index anew.
const FORM: &str = "1";

fn fingerprint(schema: &Schema) -> u64 {
    let mut text = String::from(FORM);
    let mut add = |part: &str| {
        text.push('\u{1f}');
        text.push_str(part);
    };
    for one in &schema.search_parameters {
        [one.url, one.code, one.kind, one.expression].into_iter().for_each(&mut add);
        one.base.iter().chain(&one.target).copied().for_each(&mut add);
        one.components.iter().flat_map(|(url, expression)| [*url, *expression]).for_each(&mut add);
    }
    own::text().for_each(&mut add);
    for (name, codes) in &schema.patient_compartment {
        add(name);
        codes.iter().copied().for_each(&mut add);
    }
    fnv(text.as_bytes())
}

#[cfg(test)]
mod tests;
