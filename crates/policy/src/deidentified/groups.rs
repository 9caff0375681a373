//! k-anonymity of de-identified people: how many share all that is left of them. SPEC: Sweeney, k-anonymity (2002).
//!
//! Counted over what tells a person from others in data that are published elsewhere: year of birth, sex, state, area of
//! the ZIP code, race and ethnicity. Left out: what rare codes of other resources tell.

use fhir::json::{Tree, Value};
use std::collections::BTreeMap;

/// People by what is left of them.
#[derive(Debug, Default)]
pub struct Groups {
    sizes: BTreeMap<Vec<String>, u64>,
}

impl Groups {
    /// Adds a Patient, de-identified. What is no JSON is nobody.
    pub fn add(&mut self, patient: &[u8]) {
        let Ok(tree) = Tree::parse(patient.to_vec()) else { return };
        let root = tree.root();
        let text = |value: Option<Value<'_>>| value.and_then(Value::as_str).unwrap_or_default().into_owned();
        let mut parts = vec![text(root.get("birthDate")), text(root.get("gender"))];
        let items = |name: &str| root.get(name).into_iter().flat_map(Value::items);
        for address in items("address") {
            parts.extend(["state", "country", "postalCode"].map(|name| text(address.get(name))));
        }
        for extension in items("extension") {
            parts.push(extension.raw().to_owned());
        }
        *self.sizes.entry(parts).or_default() += 1;
    }

    /// How many people there are.
    #[must_use]
    pub fn people(&self) -> u64 {
        self.sizes.values().sum()
    }

    /// How many groups they make.
    #[must_use]
    pub fn groups(&self) -> u64 {
        self.sizes.len() as u64
    }

    /// The smallest group: this is k. `None` without people.
    #[must_use]
    pub fn smallest(&self) -> Option<u64> {
        self.sizes.values().min().copied()
    }

    /// Groups of fewer than so many, and how many people are in them.
    #[must_use]
    pub fn below(&self, k: u64) -> (u64, u64) {
        let small = self.sizes.values().filter(|size| **size < k);
        small.fold((0, 0), |(groups, people), size| (groups + 1, people + size))
    }
}
