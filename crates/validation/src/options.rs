//! What a caller may ask of a validation beyond base R4.

use fhir::issue::Severity;
use fhir::json::Tree;

/// Finds resources beyond the body, as far as the one who asks may see them. What may not be seen is not
/// found: the answer never tells the two apart.
pub trait Resolver {
    /// The resource that a literal reference (`Patient/1`, an absolute URL) points at.
    fn resource(&self, reference: &str) -> Option<Tree>;

    /// The resource that a canonical names (`http://example.org/Questionnaire/a|1`).
    fn canonical(&self, canonical: &str) -> Option<Tree> {
        let _ = canonical;
        None
    }
}

/// What the resource is validated for. SPEC: R4 resource-operation-validate.html, `mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// For its content alone.
    #[default]
    Content,
    /// As the body of a create.
    Create,
    /// As the body of an update: it has an id.
    Update,
}

/// Options of [`crate::Validator::validate_with`].
#[derive(Clone, Copy)]
pub struct Options<'o> {
    /// Canonicals, with or without `|version`, of profiles that the resource must meet beside those that it
    /// claims: of the request, and those that the operator requires for its type. One that is not loaded is
    /// an error.
    pub profiles: &'o [&'o str],
    /// Profiles in `meta.profile` are checked.
    pub claims: bool,
    /// The package (`hl7.fhir.us.pacio-rt#1.0.0`) whose understanding of a canonical without version counts:
    /// its own version of a profile, or that of what it depends on. Empty: the newest.
    pub package: &'o str,
    /// How bad a profile in `meta.profile` is that is not loaded.
    pub unknown_profile: Severity,
    /// How bad it is when what a reference points at is found and does not meet a profile that the reference
    /// asks for. A target of the wrong type is an error at any rate.
    pub target_profiles: Severity,
    /// The same for a target that the resolver found, beyond the body; `None`: no different.
    pub target_profiles_beyond: Option<Severity>,
    /// What for.
    pub mode: Mode,
    /// How to find what references point at; without one only what is in the body.
    pub resolver: Option<&'o dyn Resolver>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            profiles: &[],
            claims: true,
            package: "",
            unknown_profile: Severity::Warning,
            target_profiles: Severity::Error,
            target_profiles_beyond: None,
            mode: Mode::default(),
            resolver: None,
        }
    }
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("profiles", &self.profiles)
            .field("claims", &self.claims)
            .field("package", &self.package)
            .field("unknown_profile", &self.unknown_profile)
            .field("target_profiles", &self.target_profiles)
            .field("target_profiles_beyond", &self.target_profiles_beyond)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
