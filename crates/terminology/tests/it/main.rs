//! Black-box tests of the crate.

mod membership;
