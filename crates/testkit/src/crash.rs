//! Simulated crashes: work is done on a store, and for each point of it the directory is made that a
//! crash at that point would leave, opened, and held against what had been acknowledged.
//!
//! - [`disk`]: the simulated disk, and what a crash leaves of it.
//! - [`trace`]: what a real process did to its disk, from `strace`: every write, sync and rename of
//!   the engine's own threads too. `cargo xtask crash` plays it.
//! - [`workload`]: the work; [`check`]: what must be true after a crash.
//!
//! Under `cargo test` there is no `strace`; there the directory is looked at after every commit
//! ([`disk::Disk::observe`]), and what changed since counts as not synced.

pub mod check;
pub mod disk;
pub mod flip;
pub mod trace;
pub mod workload;

#[cfg(test)]
mod tests;
