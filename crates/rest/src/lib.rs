//! FHIR REST interactions and the pipeline that every request takes.
