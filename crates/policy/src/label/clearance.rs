//! A clearance: which labels somebody may see. Rows F41, F44, F47.
//!
//! As text: a confidentiality code, then what else: `R all`, `R PSY,ETH`, `R all -CEL`, `N none`, `N`. `everything` is
//! no restriction at all, unrecognised labels included.

use super::{
    ACT_CODE, ACT_REASON, Class, Confidentiality, TEST_DATA,
    codes::{self, with_above, with_below},
};
use std::collections::BTreeSet;

/// Which labels somebody may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clearance {
    /// Up to here.
    level: Confidentiality,
    /// Sensitivities, compartments and refrains, each with all below it: codes of v3-ActCode.
    codes: BTreeSet<&'static str>,
    /// Test data too, where it is hidden from others.
    test_data: bool,
    /// No label restricts, not even one that nobody knows.
    everything: bool,
}

impl Clearance {
    /// Nothing but what is for everybody.
    pub(super) const NOTHING: Self =
        Self { level: Confidentiality::Unrestricted, codes: BTreeSet::new(), test_data: false, everything: false };

    /// No restriction at all.
    pub(super) const EVERYTHING: Self =
        Self { level: Confidentiality::VeryRestricted, codes: BTreeSet::new(), test_data: true, everything: true };

    /// Reads the words of one.
    ///
    /// # Errors
    /// What is wrong with them, for the operator.
    pub fn parse(words: &[&str]) -> Result<Self, String> {
        let Some((first, rest)) = words.split_first() else {
            return Err("a clearance begins with U, L, M, N, R, V or 'everything'".into());
        };
        if *first == "everything" {
            return if rest.is_empty() { Ok(Self::EVERYTHING) } else { Err("nothing can follow 'everything'".into()) };
        }
        let level = Confidentiality::parse(first)
            .ok_or_else(|| format!("'{first}' is no confidentiality: U, L, M, N, R, V or 'everything'"))?;
        let mut clearance = Self { level, ..Self::NOTHING };
        for word in rest.iter().flat_map(|word| word.split(',')).filter(|word| !word.is_empty()) {
            match word {
                "all" => clearance.codes.extend(categories()),
                "none" => clearance.codes.clear(),
                "test-data" => clearance.test_data = true,
                _ => {
                    let (takes, code) = word.strip_prefix('-').map_or((false, word), |code| (true, code));
                    if !matches!(codes::class(ACT_CODE, code), Some(Class::Category | Class::Refrain)) {
                        return Err(format!("'{code}' is no sensitivity, compartment or refrain of v3-ActCode"));
                    }
                    for one in with_below(ACT_CODE, code) {
                        if takes {
                            clearance.codes.remove(one);
                        } else {
                            clearance.codes.insert(one);
                        }
                    }
                }
            }
        }
        Ok(clearance)
    }

    /// What both give.
    pub(super) fn and(&self, other: &Self) -> Self {
        match (self.everything, other.everything) {
            (true, _) => other.clone(),
            (_, true) => self.clone(),
            _ => Self {
                level: self.level.min(other.level),
                codes: self.codes.intersection(&other.codes).copied().collect(),
                test_data: self.test_data && other.test_data,
                everything: false,
            },
        }
    }

    /// What either gives.
    pub(super) fn or(&self, other: &Self) -> Self {
        Self {
            level: self.level.max(other.level),
            codes: self.codes.union(&other.codes).copied().collect(),
            test_data: self.test_data || other.test_data,
            everything: self.everything || other.everything,
        }
    }

    /// No label restricts.
    pub(super) fn is_everything(&self) -> bool {
        self.everything
    }

    /// The highest confidentiality.
    #[must_use]
    pub fn level(&self) -> Confidentiality {
        self.level
    }

    /// The known labels that do not withhold. `refrains`: codes that bind this server towards the caller;
    /// `purposes`: what the caller comes for.
    pub(super) fn labels(
        &self,
        refrains: &[&str],
        purposes: &[&str],
        hides_test_data: bool,
    ) -> BTreeSet<(&'static str, &'static str)> {
        let purposes: BTreeSet<&str> = purposes.iter().flat_map(|purpose| with_above(ACT_REASON, purpose)).collect();
        let passes = |system: &str, code: &str| match codes::class(system, code) {
            Some(Class::Confidentiality(level)) => level <= self.level,
            Some(Class::Category) => self.codes.contains(code),
            Some(Class::Refrain) => !refrains.contains(&code) || self.codes.contains(code),
            Some(Class::Purpose) if code == TEST_DATA => !hides_test_data || self.test_data,
            Some(Class::Purpose) => purposes.contains(code),
            Some(Class::Obligation | Class::Informative) => true,
            None => false,
        };
        codes::of_class(|_| true).filter(|(system, code)| passes(system, code)).collect()
    }
}

fn categories() -> impl Iterator<Item = &'static str> {
    codes::of_class(|class| class == Class::Category).map(|(_, code)| code)
}

#[cfg(test)]
mod tests;
