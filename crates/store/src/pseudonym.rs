//! Names of resources for those who may not know which they are (row F68).
//!
//! HMAC-SHA256 over recipient, type and id with a key of the store's secret: the same for one recipient at all times,
//! another for each other. SPEC: 45 CFR 164.514(c). Left out: the way back; whoever has no key cannot try ids out.

use crate::cursor::derive;
use aws_lc_rs::hmac;
use fhir::ResourceType;
use std::fmt;

/// Bytes of a pseudonym: 128 bits do not meet by chance.
const BYTES: usize = 16;

/// The pseudonyms that one recipient knows resources by.
pub struct Pseudonyms {
    key: hmac::Key,
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonyms(…)")
    }
}

impl Pseudonyms {
    pub(crate) fn new(root: &[u8; 32], recipient: &str) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &derive(root, recipient)) }
    }

    /// The logical id that stands for this one.
    #[must_use]
    pub fn of(&self, resource_type: ResourceType, id: &str) -> String {
        let tag = hmac::sign(&self.key, format!("{resource_type}/{id}").as_bytes());
        tag.as_ref().iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f68_each_recipient_has_its_own_and_keeps_it() {
        let patient = ResourceType::parse("Patient").unwrap();
        let encounter = ResourceType::parse("Encounter").unwrap();
        let of = |root: u8, recipient: &str, kind, id: &str| Pseudonyms::new(&[root; 32], recipient).of(kind, id);
        let one = of(1, "study", patient, "1");
        assert_eq!(one, of(1, "study", patient, "1"));
        assert_eq!(one.len(), 32);
        assert!(fhir::LogicalId::parse(&one).is_ok());
        for other in [
            of(2, "study", patient, "1"),
            of(1, "other", patient, "1"),
            of(1, "study", encounter, "1"),
            of(1, "study", patient, "2"),
        ] {
            assert_ne!(one, other);
        }
    }
}
