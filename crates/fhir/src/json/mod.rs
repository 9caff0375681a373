//! FHIR JSON: a guarded reader into a compact tree over the request's bytes, a writer, edits, and values of their own
//! for what is changed in place.
//!
//! The reader refuses what a safe server must not guess about (row F56): duplicate or escaped
//! member names, bad UTF-8, lone surrogates, NUL, trailing data, depth, member and node counts
//! over their limit. Numbers keep their text. Nothing is copied: the tree holds spans.
//! SPEC: R4 json.html; RFC 8259. Left out: comments, NaN, byte order marks.

mod edit;
mod origin;
mod owned;
mod read;
mod tree;
mod write;

#[cfg(test)]
mod tests;

pub use edit::Edits;
pub(crate) use origin::{Origin, Places};
pub use owned::Owned;
pub use read::{JsonError, JsonErrorKind};
pub(crate) use read::{is_number, position};
pub use tree::{Items, Kind, Members, Tree, Value};
pub use write::Writer;
pub(crate) use write::append_string;
