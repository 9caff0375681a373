//! `CodeSystem/$subsumes`: how two codes of a system relate. SPEC: R4 codesystem-operation-subsumes.html.

use super::{OperationError, lookup::no_such_code, parameters};
use crate::{Coding, Terminology};
use fhir::json::Writer;

/// How the first code relates to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subsumption {
    /// They are the same concept.
    Equivalent,
    /// The first is above the second.
    Subsumes,
    /// The first is below the second.
    SubsumedBy,
    /// Neither.
    NotSubsumed,
}

impl Subsumption {
    /// The code of concept-subsumption-outcome.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Equivalent => "equivalent",
            Self::Subsumes => "subsumes",
            Self::SubsumedBy => "subsumed-by",
            Self::NotSubsumed => "not-subsumed",
        }
    }

    /// Writes the Parameters resource.
    pub fn write(self, w: &mut Writer) {
        parameters::resource(w, |w| parameters::text(w, "outcome", "valueCode", self.code()));
    }
}

impl Terminology {
    /// How two codes of one system relate.
    ///
    /// # Errors
    /// Two systems; a system that is not loaded; a code that it does not have.
    pub fn subsumes(&self, one: Coding<'_>, other: Coding<'_>) -> Result<Subsumption, OperationError> {
        if one.system != other.system {
            return Err(OperationError::Invalid("both codes must be of the same code system".to_owned()));
        }
        let system = self.system_of(if one.version.is_some() { one } else { other })?;
        if let (Some(one), Some(other)) = (one.version, other.version)
            && one != other
        {
            return Err(OperationError::Invalid("both codes must be of the same version".to_owned()));
        }
        let find = |code: &str| system.find(code).ok_or_else(|| no_such_code(&system, code));
        let (one, other) = (find(one.code)?, find(other.code)?);
        Ok(if one == other {
            Subsumption::Equivalent
        } else if system.is_a(other, one) {
            Subsumption::Subsumes
        } else if system.is_a(one, other) {
            Subsumption::SubsumedBy
        } else {
            Subsumption::NotSubsumed
        })
    }
}
