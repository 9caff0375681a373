//! The registry: code systems and value sets found by canonical, compiled at first use.
//!
//! Systems that the operator loaded go before those of packages. Imports of value sets are compiled from the
//! bottom up without recursion; those that lead back to the value set itself cannot be checked.

use crate::{
    Coding, Membership, OperationError, Unknown,
    code_system::CodeSystem,
    compile::{self, Lookup},
    compose,
    content::{Budget, Codes, Content, Exhausted, Why, is_same_version},
    facts,
    grammar::{self, Grammar},
    implicit, limits,
};
use fhir::{
    schema::{self, Definitions},
    ucum::Units,
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, OnceLock},
};

type Compiled<T> = OnceLock<HashMap<usize, OnceLock<T>>>;

/// All code systems and value sets that are loaded.
#[derive(Debug)]
pub struct Terminology {
    definitions: Definitions,
    loaded: Vec<Arc<CodeSystem>>,
    /// By the address of the facts, which live as long as the process.
    systems: Compiled<Option<Arc<CodeSystem>>>,
    sets: Compiled<Arc<Content>>,
    /// Canonical of the value set of all codes of a system (`CodeSystem.valueSet`), to the system.
    whole_sets: OnceLock<HashMap<String, String>>,
    icf: OnceLock<Option<Arc<CodeSystem>>>,
    units: &'static Units,
}

/// A value set found once, so that rules compiled for validation need not look it up by its canonical each
/// time. Valid for the [`Terminology`] that made it.
#[derive(Debug, Clone)]
pub struct ValueSetHandle(Handle);

#[derive(Debug, Clone)]
enum Handle {
    Defined(&'static schema::ValueSet),
    Own(Arc<Own>),
}

/// A value set that is not one of the definitions.
#[derive(Debug)]
struct Own {
    url: String,
    version: String,
    name: String,
    content: Arc<Content>,
}

fn address<T>(of: &'static T) -> usize {
    std::ptr::from_ref(of).addr()
}

impl Terminology {
    /// What the compiled-in packages know.
    #[must_use]
    pub fn builtin() -> Self {
        Self::new(Definitions::builtin(), Vec::new())
    }

    /// What these packages know, and these code systems beside them.
    #[must_use]
    pub fn new(definitions: &Definitions, mut loaded: Vec<Arc<CodeSystem>>) -> Self {
        // The newest version of a system last.
        loaded.sort_by(|a, b| a.about().version.cmp(&b.about().version));
        Self {
            definitions: definitions.with(Vec::new()),
            loaded,
            systems: OnceLock::new(),
            sets: OnceLock::new(),
            whole_sets: OnceLock::new(),
            icf: OnceLock::new(),
            units: Units::builtin(),
        }
    }

    /// The same, and these code systems: they go before what is known of the same URL.
    #[must_use]
    pub fn beside(&self, systems: Vec<Arc<CodeSystem>>) -> Self {
        let is_given = |url: &str| systems.iter().any(|one| one.about().url == url);
        let mut all: Vec<_> = self.loaded.iter().filter(|one| !is_given(&one.about().url)).cloned().collect();
        all.extend(systems);
        Self::new(&self.definitions, all).with_units(self.units)
    }

    /// With these units of UCUM instead of the built-in table; they live as long as the process.
    #[must_use]
    pub fn with_units(mut self, units: &'static Units) -> Self {
        self.units = units;
        self
    }

    /// The definitions that it was made of.
    #[must_use]
    pub fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// The code systems that the operator loaded.
    #[must_use]
    pub fn loaded(&self) -> &[Arc<CodeSystem>] {
        &self.loaded
    }

    /// The value set of this canonical, with or without `|version`. Without, the version that `package` (the
    /// package of the definition that asks, as `name#version`; may be empty) depends on, else the newest.
    /// Value sets that URLs of SNOMED CT, LOINC and others imply are value sets too.
    #[must_use]
    pub fn value_set(&self, canonical: &str, package: &str) -> Option<ValueSetHandle> {
        if let Some(set) = self.definitions.value_set_for(canonical, package) {
            return Some(ValueSetHandle(Handle::Defined(set)));
        }
        let content = Arc::new(implicit::content(self, canonical)?);
        let (url, version) = canonical.split_once('|').unwrap_or((canonical, ""));
        let own = Own { url: url.to_owned(), version: version.to_owned(), name: String::new(), content };
        Some(ValueSetHandle(Handle::Own(Arc::new(own))))
    }

    /// Whether the value set of this canonical holds this code.
    #[must_use]
    pub fn validate_code<'a>(&'a self, value_set: &'a str, coding: Coding<'_>) -> Membership<'a> {
        if let Some(set) = self.definitions.value_set(value_set) {
            return self.content(set).membership(coding);
        }
        if let Some(is) = implicit::is_a(self, value_set, coding) {
            return if is { Membership::In } else { Membership::NotIn };
        }
        let Some(content) = implicit::content(self, value_set) else {
            return Membership::Unknown(Unknown::ValueSet(value_set));
        };
        match content.membership(coding) {
            Membership::In => Membership::In,
            Membership::NotIn => Membership::NotIn,
            // The content lives no longer than this call: what is unknown is told by the canonical.
            Membership::Unknown(Unknown::System(url)) if value_set.starts_with(url) => {
                Membership::Unknown(Unknown::System(value_set.get(..url.len()).unwrap_or(value_set)))
            }
            Membership::Unknown(_) => Membership::Unknown(Unknown::Unsupported(value_set)),
        }
    }

    /// Whether this value set holds this code.
    #[must_use]
    pub fn holds<'a>(&'a self, set: &'a ValueSetHandle, coding: Coding<'_>) -> Membership<'a> {
        self.content_of(set).membership(coding)
    }

    /// The code system of this canonical, with or without `|version`: its content as far as it is here.
    #[must_use]
    pub fn code_system(&self, canonical: &str) -> Option<Arc<CodeSystem>> {
        let (url, version) = canonical.split_once('|').unwrap_or((canonical, ""));
        self.system(url, version, "").filter(|(_, is_version)| *is_version).map(|(system, _)| system)
    }

    /// The content of a value set.
    pub(crate) fn content_of<'a>(&'a self, set: &'a ValueSetHandle) -> &'a Content {
        match &set.0 {
            Handle::Defined(set) => self.content(set),
            Handle::Own(own) => &own.content,
        }
    }

    /// Canonical URL, version and name of a value set; empty when it has none.
    #[must_use]
    pub fn about_of<'a>(&'a self, set: &'a ValueSetHandle) -> (&'a str, &'a str, &'a str) {
        match &set.0 {
            Handle::Defined(set) => (set.url, set.version, set.name),
            Handle::Own(own) => (&own.url, &own.version, &own.name),
        }
    }

    /// A value set that stands in a request: composed, or as an expansion alone.
    ///
    /// # Errors
    /// A shape that a ValueSet cannot have; more than the limits allow.
    pub fn value_set_in(&self, resource: fhir::json::Value<'_>) -> Result<ValueSetHandle, OperationError> {
        let inline = compose::of_resource(resource)?;
        let content =
            compile::compile(&inline.compose, &FromRequest(self), &mut Budget::new()).map_err(|Exhausted| {
                OperationError::TooCostly("the value set takes more work than is allowed".to_owned())
            })?;
        let url = inline.compose.url.into_owned();
        Ok(ValueSetHandle(Handle::Own(Arc::new(Own { url, version: inline.version, name: inline.name, content }))))
    }

    /// Of all codes of a system that is not here as a whole.
    pub(crate) fn unknown_system(url: &str) -> Content {
        let mut codes = Codes::none(url, "", None);
        codes.rest = grammar::Rest::Fixed(crate::truth::Truth::Unsure);
        codes.why = Some(Why::System(url.into()));
        Content::of(codes)
    }

    fn sets(&self) -> &HashMap<usize, OnceLock<Arc<Content>>> {
        let cells = || self.definitions.value_sets().map(|set| (address(set), OnceLock::new())).collect();
        self.sets.get_or_init(cells)
    }

    fn content(&self, set: &'static schema::ValueSet) -> &Content {
        static NOTHING: OnceLock<Content> = OnceLock::new();
        let Some(cell) = self.sets().get(&address(set)) else {
            // Cannot be: all value sets of the definitions have a cell.
            return NOTHING.get_or_init(|| Content::unknown(Why::ValueSet("".into())));
        };
        if let Some(content) = cell.get() {
            return content;
        }
        if self.compile_with_imports(set).is_err() {
            let _ = cell.set(Arc::new(Content::unknown(Why::TooCostly(set.url.into()))));
        }
        cell.get_or_init(|| Arc::new(Content::unknown(Why::TooCostly(set.url.into()))))
    }

    /// The value sets of packages that this one imports.
    fn imports(&self, set: &'static schema::ValueSet) -> Vec<&'static schema::ValueSet> {
        let named = set.parts.iter().flat_map(|part| part.value_sets.iter());
        named.filter_map(|import| self.definitions.value_set_for(import, set.package)).collect()
    }

    /// Compiles a value set after all that it imports: strongly connected components from the bottom up
    /// (Tarjan), without recursion. Imports within a component are circular, whoever asks first.
    fn compile_with_imports(&self, top: &'static schema::ValueSet) -> Result<(), Exhausted> {
        struct Visit {
            set: &'static schema::ValueSet,
            imports: Vec<&'static schema::ValueSet>,
            next: usize,
        }
        let cells = self.sets();
        let mut budget = Budget::new();
        let mut number: HashMap<usize, (usize, usize)> = HashMap::new();
        let mut open: Vec<&'static schema::ValueSet> = Vec::new();
        let mut is_open: HashSet<usize> = HashSet::new();
        let mut path: Vec<Visit> = Vec::new();
        let enter = |set: &'static schema::ValueSet, path: &mut Vec<Visit>, number: &mut HashMap<_, _>| {
            let own = number.len();
            if own >= limits::IMPORTS_MAX {
                return Err(Exhausted);
            }
            number.insert(address(set), (own, own));
            path.push(Visit { set, imports: self.imports(set), next: 0 });
            Ok(())
        };
        enter(top, &mut path, &mut number)?;
        open.push(top);
        is_open.insert(address(top));
        while let Some(visit) = path.last_mut() {
            let own = address(visit.set);
            if let Some(import) = visit.imports.get(visit.next).copied() {
                visit.next += 1;
                let key = address(import);
                if cells.get(&key).is_some_and(|cell| cell.get().is_some()) {
                    continue;
                }
                if let Some((at, _)) = number.get(&key).copied() {
                    if is_open.contains(&key)
                        && let Some(low) = number.get_mut(&own)
                    {
                        low.1 = low.1.min(at);
                    }
                } else {
                    enter(import, &mut path, &mut number)?;
                    open.push(import);
                    is_open.insert(key);
                }
                continue;
            }
            let set = visit.set;
            path.pop();
            let (at, low) = number.get(&own).copied().unwrap_or_default();
            if let Some(above) = path.last().and_then(|above| number.get_mut(&address(above.set))) {
                above.1 = above.1.min(low);
            }
            if at != low {
                continue;
            }
            let mut together = Vec::new();
            while let Some(one) = open.pop() {
                is_open.remove(&address(one));
                together.push(one);
                if std::ptr::eq(one, set) {
                    break;
                }
            }
            let circle: HashSet<usize> = together.iter().map(|one| address(*one)).collect();
            for one in together {
                let lookup = Resolving { terminology: self, circle: &circle };
                let content = compile::compile(&compose::of_facts(one), &lookup, &mut budget)?;
                if let Some(cell) = cells.get(&address(one)) {
                    let _ = cell.set(content);
                }
            }
        }
        Ok(())
    }

    /// A code system for a value set of this package: the version named and `true`, or another and `false`.
    pub(crate) fn system(&self, url: &str, version: &str, package: &str) -> Option<(Arc<CodeSystem>, bool)> {
        let loaded = || self.loaded.iter().rev().filter(|one| one.about().url == url);
        if version.is_empty() {
            let found = loaded().next().cloned().or_else(|| self.of_package(url, package)).or_else(|| self.icf(url));
            return found.map(|system| (system, true));
        }
        let named = loaded().find(|one| is_same_version(version, &one.about().version)).cloned();
        if let Some(found) = named.or_else(|| self.of_package(&format!("{url}|{version}"), package)) {
            return Some((found, true));
        }
        self.system(url, "", package).map(|(system, _)| (system, false))
    }

    fn of_package(&self, canonical: &str, package: &str) -> Option<Arc<CodeSystem>> {
        let facts = self.definitions.code_system_for(canonical, package)?;
        let cells = || self.definitions.code_systems().map(|one| (address(one), OnceLock::new())).collect();
        let cell = self.systems.get_or_init(cells).get(&address(facts))?;
        cell.get_or_init(|| {
            if facts.concepts.is_empty() {
                return None;
            }
            let of_it = |one: &&'static schema::CodeSystem| {
                let (url, version) = one.supplements.split_once('|').unwrap_or((one.supplements, ""));
                one.content == "supplement" && url == facts.url && (version.is_empty() || version == facts.version)
            };
            facts::compiled(facts, self.definitions.code_systems().filter(of_it)).ok().map(Arc::new)
        })
        .clone()
    }

    /// The rule for the codes of a system, if it has one.
    pub(crate) fn grammar(&self, url: &str) -> Option<Grammar> {
        Grammar::of(url, self.units)
    }

    fn icf(&self, url: &str) -> Option<Arc<CodeSystem>> {
        if url != grammar::ICF {
            return None;
        }
        let chapters = || Some(Arc::new(grammar::icf_chapters().ok()?.finish().ok()?.0));
        self.icf.get_or_init(chapters).clone()
    }

    /// The system whose `CodeSystem.valueSet` is this.
    pub(crate) fn system_of_value_set(&self, canonical: &str) -> Option<&str> {
        let all = || {
            let facts = self.definitions.code_systems().filter(|one| !one.value_set.is_empty());
            let facts = facts.map(|one| (one.value_set.to_owned(), one.url.to_owned()));
            let loaded = self.loaded.iter().map(|one| one.about()).filter(|about| !about.value_set.is_empty());
            facts.chain(loaded.map(|about| (about.value_set.clone(), about.url.clone()))).collect()
        };
        self.whole_sets.get_or_init(all).get(canonical).map(String::as_str)
    }
}

/// Look-ups of one value set that is being compiled.
struct Resolving<'a> {
    terminology: &'a Terminology,
    /// Addresses of the value sets that import each other in a circle with it, itself included.
    circle: &'a HashSet<usize>,
}

impl Lookup for Resolving<'_> {
    fn system(&self, url: &str, version: &str, package: &str) -> Option<(Arc<CodeSystem>, bool)> {
        self.terminology.system(url, version, package)
    }

    fn grammar(&self, url: &str) -> Option<Grammar> {
        self.terminology.grammar(url)
    }

    fn import(&self, canonical: &str, package: &str) -> Result<Arc<Content>, Why> {
        let Some(set) = self.terminology.definitions.value_set_for(canonical, package) else {
            let implied = implicit::content(self.terminology, canonical);
            return implied.map(Arc::new).ok_or_else(|| Why::ValueSet(canonical.into()));
        };
        if self.circle.contains(&address(set)) {
            return Err(Why::Circular(canonical.into()));
        }
        let compiled = self.terminology.sets().get(&address(set)).and_then(OnceLock::get);
        // It was compiled before what imports it.
        compiled.cloned().ok_or_else(|| Why::ValueSet(canonical.into()))
    }
}

/// Look-ups of a composition that stands in a request.
pub(crate) struct FromRequest<'a>(pub(crate) &'a Terminology);

impl Lookup for FromRequest<'_> {
    fn system(&self, url: &str, version: &str, package: &str) -> Option<(Arc<CodeSystem>, bool)> {
        self.0.system(url, version, package)
    }

    fn grammar(&self, url: &str) -> Option<Grammar> {
        self.0.grammar(url)
    }

    fn import(&self, canonical: &str, package: &str) -> Result<Arc<Content>, Why> {
        match self.0.definitions.value_set_for(canonical, package) {
            Some(set) => {
                self.0.content(set);
                let compiled = self.0.sets().get(&address(set)).and_then(OnceLock::get);
                compiled.cloned().ok_or_else(|| Why::ValueSet(canonical.into()))
            }
            None => implicit::content(self.0, canonical).map(Arc::new).ok_or_else(|| Why::ValueSet(canonical.into())),
        }
    }
}
