//! Trust between organizations that have never met: the communities that this server is a member of, and whether a
//! partner's certificates hold. SPEC: HL7 FHIR UDAP Security 2.0 sections 1 and 2; rows D4 to D11, F60.
//!
//! - [`community`]: whom we trust, and as whom we speak there.

pub mod community;
