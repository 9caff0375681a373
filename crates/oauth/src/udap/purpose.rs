//! Purposes of use: codes of the HL7 code system v3-ActReason below `PurposeOfUse`. SPEC: HL7 FHIR UDAP Security 2.0
//! section 5.2.1.1; HL7 Terminology v3-ActReason as of FHIR R4; rows D27, F48.
//!
//! Plain (`SYSDEV`), as a URI with fragment, and as an object identifier with fragment are the same. Codes of other
//! systems are none of ours: what they would allow nobody here knows.

use std::fmt;

/// The code system as FHIR names it.
pub const SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

/// The code system as an object identifier.
pub const SYSTEM_OID: &str = "urn:oid:2.16.840.1.113883.5.8";

/// Each code with the code right above it; `""` stands for `PurposeOfUse` itself, which is too wide to be a purpose.
const HIERARCHY: &[(&str, &str)] = &[
    ("HMARKT", ""),
    ("HOPERAT", ""),
    ("CAREMGT", "HOPERAT"),
    ("DONAT", "HOPERAT"),
    ("FRAUD", "HOPERAT"),
    ("GOV", "HOPERAT"),
    ("HACCRED", "HOPERAT"),
    ("HCOMPL", "HOPERAT"),
    ("HDECD", "HOPERAT"),
    ("HDIRECT", "HOPERAT"),
    ("HDM", "HOPERAT"),
    ("HLEGAL", "HOPERAT"),
    ("HOUTCOMS", "HOPERAT"),
    ("HPRGRP", "HOPERAT"),
    ("HQUALIMP", "HOPERAT"),
    ("HSYSADMIN", "HOPERAT"),
    ("LABELING", "HSYSADMIN"),
    ("METAMGT", "HSYSADMIN"),
    ("MEMADMIN", "HOPERAT"),
    ("MILCDM", "HOPERAT"),
    ("PATADMIN", "HOPERAT"),
    ("PATSFTY", "HOPERAT"),
    ("PERFMSR", "HOPERAT"),
    ("RECORDMGT", "HOPERAT"),
    ("SYSDEV", "HOPERAT"),
    ("HTEST", "SYSDEV"),
    ("TRAIN", "HOPERAT"),
    ("HPAYMT", ""),
    ("CLMATTCH", "HPAYMT"),
    ("COVAUTH", "HPAYMT"),
    ("COVERAGE", "HPAYMT"),
    ("ELIGDTRM", "COVERAGE"),
    ("ELIGVER", "COVERAGE"),
    ("ENROLLM", "COVERAGE"),
    ("MILDCRG", "COVERAGE"),
    ("REMITADV", "HPAYMT"),
    ("HRESCH", ""),
    ("BIORCH", "HRESCH"),
    ("CLINTRCH", "HRESCH"),
    ("CLINTRCHNPC", "CLINTRCH"),
    ("CLINTRCHPC", "CLINTRCH"),
    ("PRECLINTRCH", "CLINTRCH"),
    ("DSRCH", "HRESCH"),
    ("POARCH", "HRESCH"),
    ("TRANSRCH", "HRESCH"),
    ("PATRQT", ""),
    ("FAMRQT", "PATRQT"),
    ("PWATRNY", "PATRQT"),
    ("SUPNWK", "PATRQT"),
    ("PUBHLTH", ""),
    ("DISASTER", "PUBHLTH"),
    ("THREAT", "PUBHLTH"),
    ("TREAT", ""),
    ("CLINTRL", "TREAT"),
    ("COC", "TREAT"),
    ("ETREAT", "TREAT"),
    ("BTG", "ETREAT"),
    ("ERTREAT", "ETREAT"),
    ("POPHLTH", "TREAT"),
];

/// One purpose of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Purpose(&'static str);

impl Purpose {
    /// Healthcare payment.
    pub const PAYMENT: Self = Self("HPAYMT");
    /// Treatment.
    pub const TREATMENT: Self = Self("TREAT");
    /// Treatment in an emergency.
    pub const EMERGENCY: Self = Self("ETREAT");
    /// Break the glass: an emergency in which somebody looks at what they otherwise may not.
    pub const BREAK_GLASS: Self = Self("BTG");
    /// At the patient's own wish.
    pub const PATIENT: Self = Self("PATRQT");
    /// At the wish of the patient's family.
    pub const FAMILY: Self = Self("FAMRQT");
    /// Running the system.
    pub const ADMINISTRATION: Self = Self("HSYSADMIN");
    /// Keeping the rules: who did what.
    pub const COMPLIANCE: Self = Self("HCOMPL");

    /// Reads a code in any of its three forms. Case counts.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let code = match text.rsplit_once('#') {
            None => text,
            Some((SYSTEM | SYSTEM_OID, code)) => code,
            Some(_) => return None,
        };
        HIERARCHY.iter().find(|(known, _)| *known == code).map(|(known, _)| Self(known))
    }

    /// The plain code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.0
    }

    /// As the guide's own examples write it: object identifier, `#`, code.
    #[must_use]
    pub fn to_urn(self) -> String {
        format!("{SYSTEM_OID}#{}", self.0)
    }

    /// Whether it is this purpose or lies below it.
    #[must_use]
    pub fn is_a(self, ancestor: Self) -> bool {
        let mut code = self.0;
        // The table is a tree of four levels at most.
        for _ in 0..4 {
            if code == ancestor.0 {
                return true;
            }
            match HIERARCHY.iter().find(|(known, _)| *known == code) {
                Some((_, above)) => code = above,
                None => return false,
            }
        }
        false
    }

    /// Healthcare payment, or a kind of it.
    #[must_use]
    pub fn is_payment(self) -> bool {
        self.is_a(Self::PAYMENT)
    }

    /// Treatment, or a kind of it.
    #[must_use]
    pub fn is_treatment(self) -> bool {
        self.is_a(Self::TREATMENT)
    }

    /// Treatment in an emergency, or a kind of it.
    #[must_use]
    pub fn is_emergency(self) -> bool {
        self.is_a(Self::EMERGENCY)
    }

    /// Whether who may act for these purposes may say that a request is for this one: it is one of them or lies below
    /// one. An emergency is more than the treatment that it lies below: it must be among them by itself. Nobody says of
    /// themselves that they break the glass (row F49).
    #[must_use]
    pub fn is_within(self, permitted: &[Self]) -> bool {
        let covers = |one: &Self| self.is_a(*one) && (!self.is_emergency() || one.is_emergency());
        self != Self::BREAK_GLASS && permitted.iter().any(covers)
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests;
