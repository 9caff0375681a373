//! Black-box tests of the crate.
#![expect(clippy::expect_used, reason = "helpers of tests; clippy.toml exempts only the test functions themselves")]

mod compose;
mod membership;
mod operations;
mod world;
