//! FHIR search: queries into predicates, extraction of index values, matching in memory.
