//! Black-box tests of the crate.

mod compose;
mod membership;
mod operations;
mod world;
