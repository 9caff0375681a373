//! Validation of resources against base R4; the only maker of [`Validated`].

mod validated;

pub use validated::Validated;
