//! Stated limits of search (security row F58). Constants: none of them is a setting.

/// Parameters in one query string. A form with every US Core filter uses fewer than 30.
pub const PARAMETERS_MAX: usize = 100;

/// Bytes of one parameter's value, decoded. Room for 100 ids of 64 characters with their commas.
pub const VALUE_BYTES_MAX: usize = 8 * 1024;

/// Alternatives (comma) in one parameter. A client that fetches a page of 100 referenced
/// resources by `_id` needs 100; twice that is generous.
pub const OR_VALUES_MAX: usize = 200;

/// Alternatives over all parameters of one query: bounds the work for one candidate row.
pub const TESTS_MAX: usize = 1000;

/// Keys in `_sort`: more do not change an order that people can tell apart.
pub const SORT_KEYS_MAX: usize = 5;

/// `_include` and `_revinclude` together.
pub const INCLUDES_MAX: usize = 20;

/// Joins (chains and `_has`) in one query: each may read a whole other type.
pub const JOINS_MAX: usize = 10;

/// Depth of a chain or `_has`. Deeper ones are a later issue's.
pub const CHAIN_DEPTH_MAX: usize = 1;

/// Entries on a page when `_count` is absent.
pub const COUNT_DEFAULT: usize = 20;

/// Entries on a page at most: a page of 1,000 resources of 1.5 KB is 1.5 MB.
pub const COUNT_MAX: usize = 1000;

/// Bytes of text that an index key keeps; longer text is told apart by the matcher.
pub const KEY_TEXT_BYTES_MAX: usize = 64;

/// Bytes of a URI that an index key keeps: canonical URLs share long beginnings.
pub const KEY_URI_BYTES_MAX: usize = 128;

/// Bytes of text that decide a sort order; texts equal so far keep the order of their rows.
pub const SORT_TEXT_BYTES_MAX: usize = 128;

/// Path segments of a URI that `:above` looks up one by one; beyond it scans.
pub const URI_SEGMENTS_MAX: usize = 32;

/// Power of ten of a number in a search value: beyond it nothing measurable is meant, and
/// arithmetic on exponents stays far from overflow.
pub const EXPONENT_MAX: i32 = 1000;

/// Search parameters that packages add together. US Core adds some 80; each costs a look at every
/// resource that is written.
pub const ADDED_MAX: usize = 1000;

/// Bytes of the code of an added parameter: the longest of R4 has 35.
pub const ADDED_CODE_BYTES_MAX: usize = 64;

/// Bytes of all expressions of an added parameter: the longest of R4 has 4,000.
pub const ADDED_EXPRESSION_BYTES_MAX: usize = 16 * 1024;
