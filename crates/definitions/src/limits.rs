//! Stated limits of packages and definitions. The largest package at hand (R4 core) is 4 MB packed,
//! 55 MB unpacked, 4,600 files; its largest profile has 500 elements.

/// Bytes of a packed archive.
pub const ARCHIVE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Bytes of all entries unpacked, with the archive's own blocks.
pub const UNPACKED_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Unpacked bytes for each packed byte. Packages have 10 to 20; a bomb of zeros has 1,000.
pub const RATIO_MAX: u64 = 100;

/// Unpacked bytes that no ratio is asked of: a small archive of large text may pack well.
pub const RATIO_FREE_BYTES: u64 = 4 * 1024 * 1024;

/// Entries of an archive, folders included.
pub const ENTRIES_MAX: usize = 50_000;

/// Bytes of one entry: what the JSON reader takes.
pub const ENTRY_BYTES_MAX: u64 = fhir::limits::BODY_BYTES_MAX as u64;

/// Bytes of the name of an entry.
pub const NAME_BYTES_MAX: usize = 512;

/// Folders in the name of an entry.
pub const NAME_DEPTH_MAX: usize = 16;

/// Bytes of a package that are kept while it is compiled: JSON of profiles and search parameters, lines
/// of terminology. R4 core has 25 MB.
pub const KEPT_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Elements that a differential or a snapshot lists; the largest at hand has 500. Each is looked for
/// among its siblings: time grows with the square.
pub const ELEMENTS_MAX: usize = 5_000;

/// Weight of the elements that stand in a tree while a snapshot is made, those unfolded from types and
/// copied into slices included. An element weighs one, and one more for each [`TYPES_PER_WEIGHT`] types
/// that it may have. Bounds time and memory (below 100 MB).
pub const NODES_MAX: usize = 40_000;

/// Types of an element that weigh as much as the element.
pub const TYPES_PER_WEIGHT: usize = 8;

/// Invariants of one element.
pub const CONSTRAINTS_MAX: usize = 256;

/// Types of one element, and profiles or targets of one type.
pub const TYPES_MAX: usize = 256;

/// Discriminators of one slicing.
pub const DISCRIMINATORS_MAX: usize = 32;

/// Steps of an element's path.
pub const PATH_STEPS_MAX: usize = 32;

/// Profiles upon profiles, and profiles within profiles. The deepest chain at hand has 5.
pub const BASES_MAX: usize = 24;

/// Nesting of concepts in a code system: below the JSON reader's own limit.
pub const CONCEPT_DEPTH_MAX: usize = fhir::limits::DEPTH_MAX;
