//! Stated limits of terminology, each with its unit and reason.

/// Concepts of one code system. SNOMED CT has about 520,000 with the inactive ones, LOINC with its parts 300,000.
pub const CONCEPTS_MAX: usize = 4_000_000;

/// Bytes of text of one kind (codes, displays, designations) in one code system: positions are 32 bit.
pub const TEXT_BYTES_MAX: usize = 1 << 30;

/// Ranges that say what is below what in one code system: 256 MB. SNOMED CT needs about a million.
pub const COVER_RANGES_MAX: usize = 32_000_000;

/// Parents that one concept may have. The most in SNOMED CT are below 30.
pub const PARENTS_MAX: usize = 256;

/// Bytes of one code. The longest of the packages has 64; SNOMED expressions are refused anyway.
pub const CODE_BYTES_MAX: usize = 1024;

/// Value sets that one value set may import, all levels together. The most of the packages is 12.
pub const IMPORTS_MAX: usize = 4096;

/// Codes and ranges that compiling one value set with all that it imports may produce.
pub const COMPILED_MAX: usize = 8_000_000;

/// Filters of one include. More than a few make no sense.
pub const FILTERS_MAX: usize = 64;

/// Bytes of a regular expression in a filter.
pub const REGEX_BYTES_MAX: usize = 4096;

/// Bytes that a compiled regular expression may take: what a longer repetition would need is refused.
pub const REGEX_COMPILED_BYTES_MAX: usize = 1 << 20;

/// Codes in one answer of `$expand`; more have to be asked for in pages.
pub const EXPANSION_CODES_MAX: usize = 100_000;

/// Codings of one CodeableConcept that are looked at.
pub const CODINGS_MAX: usize = 256;

/// Concept maps that one translation is led on to by `unmapped`: each may have to be read from the store.
pub const MAPS_FOLLOWED_MAX: usize = 16;

/// Words of the text filter of `$expand`; further ones are not looked at.
pub const FILTER_WORDS_MAX: usize = 16;
