//! FHIR REST: interactions, and the pipeline that every request takes.
//!
//! Begin at [`pipeline`]: it is the security argument. Then:
//!
//! - [`service`]: the parts, and how a request enters.
//! - [`wire`]: the only file that knows HTTP syntax. [`outcome`]: the only mapping to status codes.
//! - [`route`]: the table of routes; which interaction is asked for.
//! - [`body`]: a body stays closed until someone may be here.
//! - [`held`]: answers that leave at steps of time, so that the time tells nothing; [`steps`] wakes them.
//! - [`council`]: who keeps the facility's rules, and their history.
//! - [`dry_run`]: what other rules of the facility would change. [`shadow`]: what they would have decided of requests.
//! - [`aside`]: large bodies are validated without keeping a thread from others.
//! - [`provenance`]: Provenance that comes into being with a write.
//! - [`signature`]: what of a signature can be verified.
//! - [`interaction`]: one file for each interaction. [`capability`]: what `/metadata` says.
//!
//! SPEC: R4 http.html. Left out: XML, operations, conditional update and delete.

mod answered;
mod aside;
mod body;
mod capability;
mod checks;
pub mod council;
mod dry_run;
mod emergency;
mod explain;
mod failure;
mod grants;
mod held;
mod interaction;
mod labels;
pub mod limits;
mod outcome;
mod pipeline;
mod provenance;
mod purpose;
mod relabel;
pub mod route;
mod service;
pub mod shadow;
pub mod signature;
mod steps;
mod trail;
pub mod wire;

pub use answered::{Answered, WORDS};
pub use aside::Lend;
pub use checks::{Checks, Validating};
pub use dry_run::{Amount, Change, Counted, DryRun};
pub use interaction::{Acquaintances, View};
pub use labels::Sets;
pub use relabel::Relabelled;
pub use service::{Accounting, Parts, RestUntil, Service};
pub use steps::Steps;
