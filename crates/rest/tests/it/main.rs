//! The FHIR service from outside: requests in, responses out, over a real store.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod access_report;
mod attacked;
mod audit_trail;
mod batches;
mod binaries;
mod capabilities;
mod conditional;
mod consents;
mod deidentified;
mod dry_run;
mod explain_access;
mod glass;
mod granular;
mod hostile;
mod labels;
mod operations;
mod organizations;
mod patches;
mod people;
mod policy_change;
mod profiles;
mod provenances;
mod reads;
mod redaction;
mod relations;
mod rules;
mod searches;
mod shadow;
mod signatures;
mod transactions;
mod twin;
mod world;
mod writes;
