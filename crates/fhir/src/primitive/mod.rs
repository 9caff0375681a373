//! Primitive types that need more than their text. SPEC: R4 datatypes.html#primitive.

mod check;
pub mod date_time;
pub mod decimal;
pub mod instant;
mod scan;
pub mod time;
mod xhtml;

pub use check::check;
