//! Trust between organizations that have never met: the communities that this server is a member of, and whether a
//! partner's certificates hold. SPEC: HL7 FHIR UDAP Security 2.0 sections 1 and 2; rows D4 to D11, F60.
//!
//! - [`community`]: whom we trust, and as whom we speak there.
//! - `trust`: whether a chain holds now. [`status`]: whether one of it was revoked. `lists`: what is fetched for that.
//! - `idps`: members that people sign in at who come to us.
//! - `tending`: what becomes of a registration when its certificate does not hold any more.

pub mod community;
pub(crate) mod idps;
pub(crate) mod lists;
pub mod status;
pub(crate) mod tending;
pub(crate) mod trust;
