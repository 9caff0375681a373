//! FHIR XML, both ways: a guarded reader into the tree that JSON gives, and a writer of such trees.
//!
//! The reader knows as much of XML as FHIR needs, and refuses the rest by name, with its place (row
//! F55): document types, entities beyond XML's five, encodings other than UTF-8, deep nesting, elements
//! and attributes of other namespaces. It fetches nothing and expands nothing, so what it makes is never
//! longer than a few times what it read. Order, attributes and resource types are held against the
//! tables. Comments and processing instructions are dropped, white space between elements too; values
//! keep each character, the XHTML of a narrative each byte. `xsi:schemaLocation` on the root is read
//! past, for editors write it.
//!
//! A primitive that is no number or boolean where JSON writes one becomes a JSON string: saying what is
//! wrong with it is validation's work, as are cardinalities.
//! SPEC: R4 xml.html; XML 1.0; Namespaces in XML 1.0. Left out: XML 1.1, digital signatures.

mod cursor;
mod document;
mod fault;
mod namespace;
mod read;
mod tag;
mod text;
mod write;
mod xhtml;

#[cfg(test)]
mod tests;

pub use fault::{XmlError, XmlFault, XmlFaultKind};
pub use read::{read, read_in_any_order};
pub use text::forbidden_character;
pub use write::{WriteError, WriteErrorKind, write};

/// The namespace of all FHIR elements.
const FHIR: &str = "http://hl7.org/fhir";

/// The namespace of a narrative's `<div>`.
const XHTML: &str = "http://www.w3.org/1999/xhtml";
