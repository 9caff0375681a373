//! Black-box tests of the crate.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests; clippy.toml exempts only the test functions themselves"
)]

mod compose;
mod membership;
mod operations;
mod properties;
mod world;
