//! Tests of the store as a whole, under permits that the tests make up.

mod added;
mod commits;
mod events;
mod folders;
mod hidden;
mod oracle;
mod plans;
mod reopening;
mod said;
pub(crate) mod world;
