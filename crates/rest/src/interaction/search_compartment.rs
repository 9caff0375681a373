//! `GET [base]/Patient/[id]/[type]?…`: a search within a patient's compartment.
//!
//! The compartment is one more part of the predicate; a type outside of it is refused by name.
//! SPEC: R4 http.html#search, compartmentdefinition-patient.html. Left out: `*` for all types, other
//! compartments.

use super::{Answer, Call, search_type};
use crate::{body::Content, failure::Failure, trail::Trail};
use fhir::{LogicalId, ResourceType};

/// A search that the compartment narrows.
pub(super) fn perform(
    call: &Call<'_>,
    patient: LogicalId,
    kind: ResourceType,
    content: Content,
    trail: &mut Trail,
) -> Result<Answer, Failure> {
    search_type::perform(call, kind, Some(patient), content, trail)
}
