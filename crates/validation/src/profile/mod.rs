//! Profiles: what a guide asks beyond base R4. SPEC: R4 profiling.html, elementdefinition.html.
//!
//! A profile is compiled once into a tree of rules ([`shape::Shape`]) whose nodes stand beside the elements of
//! the schema. The walk carries the nodes that apply to an element along with it, so that base and all
//! profiles are checked in one pass.
//!
//! Left out: bounds relative to today (`minValueQuantity` on dates: validation has no clock), maximum value
//! sets, `orderMeaning`, mappings.

pub(crate) mod apply;
pub(crate) mod binding;
pub(crate) mod compile;
pub(crate) mod conformance;
pub(crate) mod count;
pub(crate) mod discriminator;
pub(crate) mod extension;
pub(crate) mod fixed;
pub(crate) mod library;
mod mended;
pub(crate) mod shape;
pub(crate) mod slicing;
pub(crate) mod target;
