//! All that the engine's owner keeps in memory beside the engine's own blocks, each within its bytes.

use super::{
    folders::Folders,
    hot::{Hot, Shelf},
    packed::{Dictionaries, Packed},
    record::Place,
};
use crate::{limits, said::Kept, stats::ShelfStats, watched::Verdict};
use fhir::LogicalId;
use policy::consent::Directives;
use std::sync::Arc;

/// Parts of a shelf of small things: the table of each stays at some 64 KB, where the allocator wastes least.
const SMALL_SHARDS: usize = 64;

/// What the consents of a patient say; under the key of nobody: whether there is any Consent.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    /// There are none.
    Nothing,
    /// This; what it is, when it is somebody's.
    Something(Option<Arc<Directives>>),
}

/// The shelves, and the numbers that say of which moment their entries are.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) hot: Hot,
    /// Type and id → place.
    pub(crate) places: Shelf<Box<[u8]>, Place>,
    /// Type and row → current version.
    pub(crate) versions: Shelf<[u8; 10], Packed>,
    /// Patient and type → what lies there.
    pub(crate) folders: Folders,
    /// Patient → what their consents say, under the keys of their folders of Consents.
    pub(crate) said: Shelf<Box<[u8]>, Said>,
    /// Patient → a rule that follows for a caller. It knows itself what it follows from.
    pub(crate) rules: Shelf<LogicalId, Kept>,
    /// Grant, type and row → whether the grant means the current version.
    pub(crate) verdicts: Shelf<(usize, [u8; 10]), Verdict>,
    pub(crate) dictionaries: Dictionaries,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self {
            hot: Hot::new(),
            places: Shelf::new(limits::PLACES_BYTES, SMALL_SHARDS),
            versions: Shelf::new(limits::VERSIONS_BYTES, SMALL_SHARDS),
            folders: Folders::new(),
            said: Shelf::new(limits::SAID_BYTES, SMALL_SHARDS),
            rules: Shelf::new(limits::RULES_BYTES, SMALL_SHARDS),
            verdicts: Shelf::new(limits::VERDICTS_BYTES, SMALL_SHARDS),
            dictionaries: Dictionaries::new(),
        }
    }

    /// Numbers of this moment.
    pub(crate) fn stats(&self) -> Vec<ShelfStats> {
        vec![
            self.places.stats("places"),
            self.versions.stats("versions"),
            self.folders.stats(),
            self.said.stats("consents"),
            self.rules.stats("rules"),
            self.verdicts.stats("verdicts"),
        ]
    }
}
