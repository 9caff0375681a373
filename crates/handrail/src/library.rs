//! The packages of a directory at work: what is added or removed reaches search parameters, profiles and the
//! capability statement at once, without a restart.

use crate::{
    control::{ListedPackage, ListedParameter, PackageAdded},
    knowledge::{self, Knowledge},
    packages::{Changed, Packages},
};
use fhir::{
    ResourceType,
    schema::{self, Definitions},
};
use search::added::Choice;
use std::{collections::BTreeMap, sync::Arc};
use store::{Indexed, ParameterStatus, Store};

/// The packages, and who needs to know of them.
pub(crate) struct Parts {
    pub(crate) packages: Packages,
    pub(crate) knowledge: Arc<Knowledge>,
    /// Profiles that the operator requires.
    pub(crate) required: BTreeMap<ResourceType, Vec<String>>,
    pub(crate) store: Arc<Store>,
    pub(crate) rest: Arc<rest::Service>,
}

/// The packages at work.
pub(crate) struct Library(Parts);

fn choice(definitions: &Definitions) -> Choice {
    search::added::choose(schema::r4(), definitions.added_search_parameters())
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

impl Library {
    /// Tells store and service of the packages that there are.
    ///
    /// # Errors
    /// Why the store cannot take note of the search parameters.
    pub(crate) fn open(parts: Parts) -> Result<Self, String> {
        let library = Self(parts);
        let definitions = library.0.packages.definitions();
        library.index(definitions)?;
        library.0.rest.set_definitions(definitions);
        Ok(library)
    }

    /// Says that these are the definitions now.
    fn tell(&self, definitions: &'static Definitions) {
        self.0.knowledge.swap(definitions);
        self.0.rest.set_definitions(definitions);
    }

    /// A required profile must stay.
    fn keeps_required(&self, definitions: &Definitions) -> Result<(), String> {
        knowledge::are_loaded(definitions, &self.0.required).map_err(|lacking| {
            format!(
                "validation.required_profiles has {}, and without this package {lacking}: change that first",
                lacking.required
            )
        })
    }

    /// Whether the store takes the search parameters of these definitions.
    fn index(&self, definitions: &Definitions) -> Result<(), String> {
        self.0.store.set_parameters(choice(definitions).taken).map(drop).map_err(|why| why.to_string())
    }

    /// Takes a staged package in.
    ///
    /// # Errors
    /// Why it is not added.
    pub(crate) fn add(&self, staged: &str) -> Result<PackageAdded, String> {
        let (id, changed) = self.0.packages.add(staged, |definitions| self.index(definitions))?;
        let Changed::Yes(definitions) = changed else {
            return Ok(PackageAdded { id, ..PackageAdded::default() });
        };
        self.tell(definitions);
        let (loaded, missing) = definitions
            .package(&id)
            .into_iter()
            .flat_map(schema::Package::dependencies)
            .map(ToOwned::to_owned)
            .partition(|one: &String| definitions.package(one).is_some());
        let of_it = |package: &str| package == id;
        let own: Vec<&str> =
            definitions.added_search_parameters().filter(|one| of_it(one.package)).map(|one| one.url).collect();
        let choice = choice(definitions);
        tracing::info!(package = id, "a package was added");
        Ok(PackageAdded {
            is_new: true,
            profiles: count(definitions.profiles().filter(|one| of_it(one.package)).count()),
            value_sets: count(definitions.value_sets().filter(|one| of_it(one.package)).count()),
            code_systems: count(definitions.code_systems().filter(|one| of_it(one.package)).count()),
            concept_maps: count(definitions.concept_maps().filter(|one| of_it(one.package)).count()),
            loaded,
            missing,
            parameters: count(choice.taken.iter().filter(|one| own.contains(&one.url.as_str())).count()),
            left: choice.left.into_iter().filter(|(url, _)| own.contains(&url.as_str())).collect(),
            id,
        })
    }

    /// Removes a package.
    ///
    /// # Errors
    /// Why it stays.
    pub(crate) fn remove(&self, name: &str) -> Result<String, String> {
        let (id, definitions) = self.0.packages.remove(name, |definitions| {
            self.keeps_required(definitions)?;
            self.index(definitions)
        })?;
        self.tell(definitions);
        tracing::info!(package = id, "a package was removed");
        Ok(id)
    }

    /// All packages, with how far their search parameters are.
    pub(crate) fn list(&self) -> Vec<ListedPackage> {
        let (definitions, added) = (self.0.packages.definitions(), self.0.packages.added());
        let mut left = self.0.store.parameters();
        let mut list: Vec<ListedPackage> = definitions
            .packages()
            .iter()
            .map(|package| {
                let is_added = added.iter().any(|id| id == package.id);
                let own = |status: &ParameterStatus| {
                    let mut all = definitions.added_search_parameters();
                    is_added && all.any(|one| one.package == package.id && one.url == status.url)
                };
                let (here, others) = std::mem::take(&mut left).into_iter().partition(own);
                left = others;
                let parameters: Vec<ParameterStatus> = here;
                ListedPackage {
                    id: package.id.to_owned(),
                    is_added,
                    parameters: parameters.into_iter().map(listed).collect(),
                }
            })
            .collect();
        if !left.is_empty() {
            let parameters = left.into_iter().map(listed).collect();
            list.push(ListedPackage { id: "(removed)".into(), is_added: true, parameters });
        }
        list
    }
}

fn listed(status: ParameterStatus) -> ListedParameter {
    let (state, percent, done) = match status.indexed {
        Indexed::Building { done, percent } => ("indexing", Some(percent), done),
        Indexed::Ready => ("ready", None, 0),
        Indexed::Removing { done, percent } => ("removing", Some(percent), done),
    };
    ListedParameter { code: status.code, types: status.base, state: state.into(), percent, done }
}
