//! What this process knows of profiles and codes: the compiled-in packages, those of the data directory, and
//! the code systems that were loaded into it. One validator for all, made at its first use and shared.

use crate::{config::Validation, fault::Fault, terminologies};
use fhir::{
    ResourceType,
    schema::{self, Definitions},
    ucum::Units,
};
use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};
use terminology::{CodeSystem, Terminology};
use validation::Validator;

/// Profiles and codes.
pub(crate) struct Knowledge {
    systems: Vec<Arc<CodeSystem>>,
    units: Option<&'static Units>,
    state: RwLock<State>,
}

struct State {
    definitions: &'static Definitions,
    validator: Option<&'static Validator<'static>>,
}

impl Knowledge {
    /// These definitions and these code systems.
    pub(crate) fn new(
        definitions: &'static Definitions,
        (systems, units): (Vec<Arc<CodeSystem>>, Option<Units>),
    ) -> Self {
        // Definitions and units live as long as the process, by decision.
        let units = units.map(|units| &*Box::leak(Box::new(units)));
        Self { systems, units, state: RwLock::new(State { definitions, validator: None }) }
    }

    /// These definitions, and the code systems of this data directory.
    ///
    /// # Errors
    /// [`Fault`]: a file of them cannot be read.
    pub(crate) fn of(definitions: &'static Definitions, data: &Path) -> Result<Self, Fault> {
        Ok(Self::new(definitions, terminologies::all(data)?))
    }

    /// The validator.
    pub(crate) fn validator(&self) -> &'static Validator<'static> {
        if let Some(made) = self.state.read().unwrap_or_else(PoisonError::into_inner).validator {
            return made;
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = state.validator {
            return made;
        }
        let made = self.make(state.definitions);
        state.validator = Some(made);
        made
    }

    fn make(&self, definitions: &'static Definitions) -> &'static Validator<'static> {
        if std::ptr::eq(definitions, Definitions::builtin()) && self.systems.is_empty() && self.units.is_none() {
            return validation::r4();
        }
        let mut terminology = Terminology::new(definitions, self.systems.clone());
        if let Some(units) = self.units {
            terminology = terminology.with_units(units);
        }
        Box::leak(Box::new(Validator::with(schema::r4(), definitions, Arc::new(terminology))))
    }

    /// Knows these definitions from now on.
    pub(crate) fn swap(&self, definitions: &'static Definitions) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        *state = State { definitions, validator: None };
    }
}

/// A required profile that these definitions cannot hold a resource to.
pub(crate) struct Lacking<'a> {
    /// As the setting says it: `TYPE=CANONICAL`.
    pub(crate) required: String,
    /// The type that the profile of this name is of, when there is one.
    of: Option<&'a str>,
}

impl fmt::Display for Lacking<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of {
            Some(other) => write!(f, "this profile is of {other}"),
            None => f.write_str("no such profile is loaded"),
        }
    }
}

/// The rule of `validation.required_profiles`, for a start, for a package that is to go, and for commands on a
/// directory at rest: each profile is loaded, and of its type.
///
/// # Errors
/// The first that is not.
pub(crate) fn are_loaded<'a>(
    definitions: &'a Definitions,
    required: &BTreeMap<ResourceType, Vec<String>>,
) -> Result<(), Lacking<'a>> {
    for (kind, canonical) in required.iter().flat_map(|(kind, all)| all.iter().map(move |one| (kind, one))) {
        let of = definitions.profile(canonical).map(|profile| profile.type_name);
        if of != Some(kind.name()) {
            return Err(Lacking { required: format!("{kind}={canonical}"), of });
        }
    }
    Ok(())
}

/// What the operator wants of resources that are written.
///
/// # Errors
/// [`Fault`]: a profile is required that is not loaded, or is of another type.
pub(crate) fn checks(knowledge: &Arc<Knowledge>, wanted: &Validation) -> Result<rest::Checks, Fault> {
    let definitions = knowledge.state.read().unwrap_or_else(PoisonError::into_inner).definitions;
    are_loaded(definitions, &wanted.required).map_err(|lacking| {
        let fault = Fault::at(format_args!("validation.required_profiles: {}", lacking.required), &lacking);
        match lacking.of {
            Some(_) => fault,
            None => fault.fix("handrail package add FILE.tgz adds the package that has it"),
        }
    })?;
    let own = Arc::clone(knowledge);
    Ok(rest::Checks {
        validator: Arc::new(move || own.validator()),
        required: wanted.required.clone(),
        unknown_profile: wanted.unknown_profile,
        target_profiles: wanted.target_profiles,
    })
}
