//! Stated limits of the audit log. A log must take every entry, so texts and lists that are too
//! long are cut, not refused; the limits lie above what a request within its own limits can cause.

/// Bytes of one text of an entry (query, reason, client). A request target is at most 16 KiB.
pub const TEXT_BYTES_MAX: usize = 32 * 1024;

/// Resources, and patients, that one entry names. A page of a search has at most 1,000 matches.
pub const ENTITIES_MAX: usize = 10_000;

/// Bytes of one encoded entry: a reader refuses more before it allocates. 10,000 resources and
/// 10,000 patients with ids and type names of the longest kind take 1.9 MB, five texts 160 KB.
pub const ENTRY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Entries after which [`crate::Log::sync`] signs a checkpoint without being asked.
pub const CHECKPOINT_ENTRIES: u64 = 1_000;
