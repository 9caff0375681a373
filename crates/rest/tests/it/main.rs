//! The FHIR service from outside: requests in, responses out, over a real store.

mod attacked;
mod audit_trail;
mod batches;
mod capabilities;
mod conditional;
mod granular;
mod reads;
mod searches;
mod transactions;
mod world;
mod writes;
