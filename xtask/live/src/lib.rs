//! What the programs of this package share: the handrail binary as a subject, and a bare client.

pub mod client;
pub mod completeness;
pub mod data;
pub mod due;
mod ending;
pub mod seeded;
pub mod steady;
pub mod subject;
pub mod trail;
pub mod visitor;

pub use ending::ended;
