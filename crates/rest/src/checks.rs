//! What a resource is checked against before it is stored, as the operator says.
//!
//! Base R4 always; the profiles in `meta.profile` that are loaded; those that are required of its type.
//! No setting takes a check away: what can be said is more profiles, and how bad what is unknown is.

use fhir::{ResourceType, issue::Severity};
use std::{collections::BTreeMap, fmt, sync::Arc};
use validation::Validator;

/// Gives the validator, which is made at its first use: a start compiles nothing.
pub type Validating = dyn Fn() -> &'static Validator<'static> + Send + Sync;

/// What resources are checked against.
#[derive(Clone)]
pub struct Checks {
    /// The validator, with all profiles and codes that are loaded.
    pub validator: Arc<Validating>,
    /// Canonicals of the profiles that every resource of a type must meet when it is written.
    pub required: BTreeMap<ResourceType, Vec<String>>,
    /// How bad a profile in `meta.profile` is that is not loaded, on a write.
    pub unknown_profile: Severity,
    /// How bad it is on a write when what a reference points at does not meet the profile that the reference
    /// asks for.
    pub target_profiles: Severity,
}

impl Default for Checks {
    /// What is compiled in, and nothing required.
    fn default() -> Self {
        Self {
            validator: Arc::new(validation::r4),
            required: BTreeMap::new(),
            unknown_profile: Severity::Warning,
            target_profiles: Severity::Warning,
        }
    }
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checks")
            .field("required", &self.required)
            .field("unknown_profile", &self.unknown_profile)
            .field("target_profiles", &self.target_profiles)
            .finish_non_exhaustive()
    }
}

impl Checks {
    /// The profiles required of this type.
    pub(crate) fn required_of(&self, kind: ResourceType) -> Vec<&str> {
        self.required.get(&kind).map(|list| list.iter().map(String::as_str).collect()).unwrap_or_default()
    }
}
