//! Work to measure terminology by, the same on every machine: a hierarchy of the size and shape of SNOMED CT,
//! and a value set of ten thousand codes. Nothing is timed here: that is for those who have a clock.

use crate::{BuildError, Builder, CodeSystem, Terminology};
use fhir::schema::{Definitions, Tables};
use std::{fmt::Write as _, sync::Arc};

/// Canonical of the hierarchy.
pub const HIERARCHY: &str = "http://example.org/CodeSystem/hierarchy";

/// Canonical of the value set of ten thousand listed codes, of a system that is loaded.
pub const TEN_THOUSAND: &str = "http://example.org/ValueSet/ten-thousand";

/// Numbers by chance, the same each time (SplitMix64).
#[derive(Debug, Clone)]
pub struct Chance(pub u64);

impl Chance {
    /// A number below `limit`; 0 when that is 0.
    pub fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        u32::try_from(mixed % u64::from(limit.max(1))).unwrap_or(0)
    }
}

/// A hierarchy of this many concepts: about twelve levels, and half of the concepts with a second or third
/// parent, mostly among the neighbours of the first, some anywhere.
///
/// # Errors
/// More concepts than there is room for.
pub fn hierarchy(concepts: u32) -> Result<CodeSystem, BuildError> {
    let mut chance = Chance(7);
    let mut builder = Builder::complete(HIERARCHY, "1", "Hierarchy");
    for number in 0..concepts {
        let concept = builder.concept(&code(number))?;
        builder.display(concept, &format!("Concept number {number} (made up)"))?;
        if number == 0 {
            continue;
        }
        let first = (number - 1) / 3;
        builder.parent(concept, first)?;
        let more = [0, 0, 0, 0, 0, 1, 1, 1, 1, 2].get(chance.below(10) as usize).copied().unwrap_or(0);
        for _ in 0..more {
            // One second parent of eight lies anywhere above.
            let second = if chance.below(8) == 0 {
                chance.below(number)
            } else {
                (first.saturating_sub(20) + chance.below(40)).min(number - 1)
            };
            builder.parent(concept, second)?;
        }
    }
    builder.finish().map(|(system, _)| system)
}

/// The code of a number in [`hierarchy`].
#[must_use]
pub fn code(number: u32) -> String {
    (10_000_000 + u64::from(number) * 13).to_string()
}

/// Terminology with the hierarchy and the value set [`TEN_THOUSAND`] over it. The facts of the value set stay
/// in memory as long as the process: call it once.
#[must_use]
pub fn terminology(hierarchy: CodeSystem) -> Terminology {
    let mut value_sets = format!("V\t{TEN_THOUSAND}\t1\tworkload#1\t\tTenThousand\nI\t{HIERARCHY}\n");
    let step = hierarchy.len() / 10_000;
    for number in 0..10_000 {
        let _ = writeln!(value_sets, "C\t{}", code(number * step.max(1)));
    }
    let tables = Tables { value_sets, ..Tables::default() };
    Terminology::new(&Definitions::builtin().with(vec![tables]), vec![Arc::new(hierarchy)])
}
