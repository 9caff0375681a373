//! Primitive types that need more than their text. SPEC: R4 datatypes.html#primitive.

pub mod date_time;
pub mod decimal;
pub mod instant;
