//! The registry of definitions: what the packages say, found by canonical.
//!
//! [`Definitions::builtin`] holds the compiled-in packages; [`Definitions::with`] adds those that an
//! operator loads. Tables are indexed at the first question about their kind, and each definition is
//! parsed at its own first use: a start parses nothing.
//!
//! A canonical without version means the version that the asking package holds itself, else that of
//! one of its dependencies (theirs included), else the newest.
//! SPEC: R4 references.html#canonical; the FHIR NPM package specification (dependencies).

use super::{
    CapabilityStatement, CodeSystem, ConceptMap, Package, Profile, SearchParameterDefinition, Tables, ValueSet,
    capability, code_system, concept_map, package, profile, search_parameter, table::Shared, types::SharedConstraints,
    value_set,
};
use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
    sync::{LazyLock, OnceLock},
};

/// Definitions of several packages.
#[derive(Debug)]
pub struct Definitions {
    sources: Vec<&'static Source>,
    packages: Vec<Package>,
    profiles: Index<Profile>,
    code_systems: Index<CodeSystem>,
    value_sets: Index<ValueSet>,
    concept_maps: Index<ConceptMap>,
}

/// The tables of one load, each read into heads at first use.
#[derive(Debug)]
struct Source {
    texts: Texts,
    constraints: SharedConstraints,
    packages: OnceLock<Vec<Package>>,
    profiles: OnceLock<Vec<Profile>>,
    code_systems: OnceLock<Vec<CodeSystem>>,
    value_sets: OnceLock<Vec<ValueSet>>,
    concept_maps: OnceLock<Vec<ConceptMap>>,
    search_parameters: OnceLock<Vec<SearchParameterDefinition>>,
    capability: OnceLock<Vec<CapabilityStatement>>,
}

/// Texts of tables; several of a kind follow each other.
#[derive(Debug)]
struct Texts {
    manifest: &'static str,
    profiles: Vec<&'static str>,
    code_systems: &'static str,
    value_sets: &'static str,
    concept_maps: &'static str,
    search_parameters: &'static str,
    capability: Vec<&'static str>,
}

/// A definition that has a canonical URL.
trait Canonical {
    fn url(&self) -> &'static str;
    fn version(&self) -> &'static str;
    fn package(&self) -> &'static str;
}

macro_rules! canonical {
    ($($of:ty),*) => {$(
        impl Canonical for $of {
            fn url(&self) -> &'static str {
                self.url
            }
            fn version(&self) -> &'static str {
                self.version
            }
            fn package(&self) -> &'static str {
                self.package
            }
        }
    )*};
}
canonical!(Profile, CodeSystem, ValueSet, ConceptMap);

/// All definitions of a kind by URL, in the order of the packages.
type Index<T> = OnceLock<HashMap<&'static str, Vec<&'static T>>>;

impl Definitions {
    /// The compiled-in packages: R4 core, US Core 3.1.1 and 6.1.0, PFE, RT.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Definitions> = LazyLock::new(|| {
            let texts = Texts {
                manifest: include_str!("../../definitions/manifest.tsv"),
                profiles: vec![
                    include_str!("../../definitions/profiles-r4-core-4.0.1.tsv"),
                    include_str!("../../definitions/profiles-us-core-3.1.1.tsv"),
                    include_str!("../../definitions/profiles-us-core-6.1.0.tsv"),
                    include_str!("../../definitions/profiles-pfe-2.0.0.tsv"),
                    include_str!("../../definitions/profiles-rt-1.0.0.tsv"),
                ],
                code_systems: include_str!("../../definitions/code-systems.tsv"),
                value_sets: include_str!("../../definitions/value-sets.tsv"),
                concept_maps: include_str!("../../definitions/concept-maps.tsv"),
                // Those of the compiled-in packages are in the schema.
                search_parameters: "",
                capability: vec![
                    include_str!("../../definitions/capability-us-core-3.1.1.tsv"),
                    include_str!("../../definitions/capability-us-core-6.1.0.tsv"),
                    include_str!("../../definitions/capability-pfe-2.0.0.tsv"),
                    include_str!("../../definitions/capability-rt-1.0.0.tsv"),
                ],
            };
            Definitions::of(vec![Source::leaked(texts, include_str!("../../definitions/constraints.tsv"))])
        });
        &BUILTIN
    }

    /// These definitions and those of further tables, which are newer than all before them where
    /// versions say nothing.
    ///
    /// The texts are kept as long as the process lives, by decision: definitions are read from
    /// everywhere and change when an operator says so.
    #[must_use]
    pub fn with(&self, tables: Vec<Tables>) -> Self {
        let mut sources = self.sources.clone();
        sources.extend(tables.into_iter().map(|tables| {
            let texts = Texts {
                manifest: leak(tables.manifest),
                profiles: vec![leak(tables.profiles)],
                code_systems: leak(tables.code_systems),
                value_sets: leak(tables.value_sets),
                concept_maps: leak(tables.concept_maps),
                search_parameters: leak(tables.search_parameters),
                capability: vec![leak(tables.capability)],
            };
            Source::leaked(texts, leak(tables.constraints))
        }));
        Self::of(sources)
    }

    /// No definitions at all: what the compiled-in tables are themselves made upon.
    #[must_use]
    pub fn empty() -> Self {
        Self::of(Vec::new())
    }

    fn of(sources: Vec<&'static Source>) -> Self {
        Self {
            packages: sources.iter().flat_map(|source| source.packages()).copied().collect(),
            sources,
            profiles: OnceLock::new(),
            code_systems: OnceLock::new(),
            value_sets: OnceLock::new(),
            concept_maps: OnceLock::new(),
        }
    }

    /// The packages in the order of precedence, R4 core first.
    #[must_use]
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// The package of this id (`hl7.fhir.us.core#6.1.0`; `#6.1.x` is the newest of 6.1).
    #[must_use]
    pub fn package(&self, id: &str) -> Option<&Package> {
        match id.strip_suffix(".x") {
            None => self.packages.iter().find(|one| one.id == id),
            Some(start) => {
                let of_start = |one: &&Package| one.id.strip_prefix(start).is_some_and(|rest| rest.starts_with('.'));
                let all = self.packages.iter().filter(of_start);
                all.max_by(|a, b| compare_versions(a.version, b.version))
            }
        }
    }

    /// The profile or extension of this canonical, with or without `|version`; without, the newest.
    #[must_use]
    pub fn profile(&self, canonical: &str) -> Option<&'static Profile> {
        self.profile_for(canonical, "")
    }

    /// As [`Self::profile`], as a package means it that depends on packages of these ids.
    #[must_use]
    pub fn profile_among(&self, canonical: &str, dependencies: &[String]) -> Option<&'static Profile> {
        let dependencies: Vec<&str> = dependencies.iter().map(String::as_str).collect();
        self.find(self.profile_index(), canonical, &dependencies)
    }

    /// As [`Self::profile`], as the package of this id means it.
    #[must_use]
    pub fn profile_for(&self, canonical: &str, package: &str) -> Option<&'static Profile> {
        self.find(self.profile_index(), canonical, &[package])
    }

    /// All profiles and extensions, in the order of the packages.
    pub fn profiles(&self) -> impl Iterator<Item = &'static Profile> {
        self.sources.iter().flat_map(|source| source.profiles())
    }

    /// The code system of this canonical, with or without `|version`; without, the newest. Not
    /// supplements.
    #[must_use]
    pub fn code_system(&self, canonical: &str) -> Option<&'static CodeSystem> {
        self.code_system_for(canonical, "")
    }

    /// As [`Self::code_system`], as the package of this id means it.
    #[must_use]
    pub fn code_system_for(&self, canonical: &str, package: &str) -> Option<&'static CodeSystem> {
        let systems = || index(self.code_systems().filter(|one| one.content != "supplement"));
        let index = self.code_systems.get_or_init(systems);
        self.find(index, canonical, &[package])
    }

    /// All code systems and supplements, in the order of the packages.
    pub fn code_systems(&self) -> impl Iterator<Item = &'static CodeSystem> {
        self.sources.iter().flat_map(|source| source.code_systems())
    }

    /// The value set of this canonical, with or without `|version`; without, the newest.
    #[must_use]
    pub fn value_set(&self, canonical: &str) -> Option<&'static ValueSet> {
        self.value_set_for(canonical, "")
    }

    /// As [`Self::value_set`], as the package of this id means it.
    #[must_use]
    pub fn value_set_for(&self, canonical: &str, package: &str) -> Option<&'static ValueSet> {
        let index = self.value_sets.get_or_init(|| index(self.value_sets()));
        self.find(index, canonical, &[package])
    }

    /// All value sets, in the order of the packages.
    pub fn value_sets(&self) -> impl Iterator<Item = &'static ValueSet> {
        self.sources.iter().flat_map(|source| source.value_sets())
    }

    /// The concept map of this canonical, with or without `|version`; without, the newest.
    #[must_use]
    pub fn concept_map(&self, canonical: &str) -> Option<&'static ConceptMap> {
        let index = self.concept_maps.get_or_init(|| index(self.concept_maps()));
        self.find(index, canonical, &[])
    }

    /// All concept maps, in the order of the packages.
    pub fn concept_maps(&self) -> impl Iterator<Item = &'static ConceptMap> {
        self.sources.iter().flat_map(|source| source.concept_maps())
    }

    /// Search parameters of the packages that are not compiled in; those that are stand in
    /// [`super::Schema::search_parameters`].
    pub fn added_search_parameters(&self) -> impl Iterator<Item = &'static SearchParameterDefinition> {
        self.sources.iter().flat_map(|source| {
            source.search_parameters.get_or_init(|| search_parameter::read(source.texts.search_parameters))
        })
    }

    /// The server statements of the packages, in their order.
    pub fn capability_statements(&self) -> impl Iterator<Item = &'static CapabilityStatement> + Clone {
        self.sources.iter().flat_map(|source| source.capability_statements())
    }

    fn profile_index(&self) -> &HashMap<&'static str, Vec<&'static Profile>> {
        self.profiles.get_or_init(|| index(self.profiles()))
    }

    fn find<T: Canonical>(
        &self,
        index: &HashMap<&'static str, Vec<&'static T>>,
        canonical: &str,
        packages: &[&str],
    ) -> Option<&'static T> {
        let (url, version) = canonical.split_once('|').unwrap_or((canonical, ""));
        let all = index.get(url)?;
        if let [only] = all.as_slice() {
            return (version.is_empty() || only.version() == version).then_some(*only);
        }
        // Of the same version the package that knows better, the later, wins.
        let wanted = all.iter().filter(|one| version.is_empty() || one.version() == version);
        let near = self.near(packages);
        let by_package = near.iter().find_map(|id| wanted.clone().rfind(|one| one.package() == *id));
        by_package.or_else(|| wanted.max_by(|a, b| compare_versions(a.version(), b.version()))).copied()
    }

    /// Packages and all that they depend on, the nearest first.
    fn near(&self, packages: &[&str]) -> Vec<&'static str> {
        let named = packages.iter().filter_map(|id| self.package(id));
        let mut near: Vec<&'static str> = named.map(|one| one.id).collect();
        let mut seen: HashSet<&'static str> = near.iter().copied().collect();
        let mut at = 0;
        while let Some(id) = near.get(at).copied() {
            at += 1;
            let dependencies = self.package(id).into_iter().flat_map(Package::dependencies);
            let known = dependencies.filter_map(|id| self.package(id).map(|one| one.id));
            near.extend(known.filter(|one| seen.insert(one)));
        }
        near
    }
}

fn index<T: Canonical>(all: impl Iterator<Item = &'static T>) -> HashMap<&'static str, Vec<&'static T>> {
    let mut index: HashMap<&'static str, Vec<&'static T>> = HashMap::new();
    for one in all {
        index.entry(one.url()).or_default().push(one);
    }
    index
}

/// Numbers between dots as numbers, the rest as text; a pre-release is older than its release.
fn compare_versions(a: &str, b: &str) -> Ordering {
    let (a_release, a_pre) = a.split_once('-').unwrap_or((a, ""));
    let (b_release, b_pre) = b.split_once('-').unwrap_or((b, ""));
    let numbers = |text: &str| -> Option<Vec<u64>> { text.split('.').map(|one| one.parse().ok()).collect() };
    match (numbers(a_release), numbers(b_release)) {
        (Some(one), Some(other)) => {
            one.cmp(&other).then_with(|| a_pre.is_empty().cmp(&b_pre.is_empty())).then_with(|| a_pre.cmp(b_pre))
        }
        _ => a.cmp(b),
    }
}

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

impl Source {
    fn leaked(texts: Texts, constraints: &'static str) -> &'static Self {
        Box::leak(Box::new(Self {
            texts,
            constraints: SharedConstraints::new(constraints),
            packages: OnceLock::new(),
            profiles: OnceLock::new(),
            code_systems: OnceLock::new(),
            value_sets: OnceLock::new(),
            concept_maps: OnceLock::new(),
            search_parameters: OnceLock::new(),
            capability: OnceLock::new(),
        }))
    }

    fn shared(&'static self) -> Shared {
        &self.constraints
    }

    fn packages(&self) -> &[Package] {
        self.packages.get_or_init(|| package::read(self.texts.manifest))
    }

    fn profiles(&'static self) -> &'static [Profile] {
        let read = || self.texts.profiles.iter().flat_map(|text| profile::read(text, self.shared())).collect();
        self.profiles.get_or_init(read)
    }

    fn code_systems(&'static self) -> &'static [CodeSystem] {
        self.code_systems.get_or_init(|| code_system::read(self.texts.code_systems, self.shared()))
    }

    fn value_sets(&'static self) -> &'static [ValueSet] {
        self.value_sets.get_or_init(|| value_set::read(self.texts.value_sets, self.shared()))
    }

    fn concept_maps(&'static self) -> &'static [ConceptMap] {
        self.concept_maps.get_or_init(|| concept_map::read(self.texts.concept_maps, self.shared()))
    }

    fn capability_statements(&'static self) -> &'static [CapabilityStatement] {
        self.capability.get_or_init(|| self.texts.capability.iter().flat_map(|text| capability::read(text)).collect())
    }
}

#[cfg(test)]
mod tests;
