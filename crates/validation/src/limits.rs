//! Stated limits of validation (security rows F51, F57).

/// Issues of one resource; one more says that there are others. Bounds the answer, not the search.
pub const ISSUES_MAX: usize = 500;

/// Steps of one invariant on one element: base invariants take fewer than 50,000 on any example.
pub const INVARIANT_STEPS_MAX: u64 = 500_000;

/// Steps of all invariants of one resource: a body of many elements must not multiply the above.
pub const RESOURCE_STEPS_MAX: u64 = 20_000_000;

/// Questions "does this meet that profile?" of one resource (references, slices, choices of profiles): a
/// Bundle of the guides asks a few hundred.
pub const QUESTIONS_MAX: u32 = 20_000;

/// How deep such questions may ask further ones.
pub const QUESTION_DEPTH_MAX: usize = 4;

/// Resources that are fetched for one resource: what references point at, a response's questionnaire.
pub const FETCHES_MAX: usize = 200;

/// Profiles that one resource is held to: each is one more look at all of it. The guides claim one or two.
pub const PROFILES_MAX: usize = 20;

/// Elements of one type that are counted with a bit each. The widest type of R4 has fewer than 70.
pub const ELEMENTS_MAX: usize = 128;

/// Bytes at the begin of data in which readers of PDF look for theirs (row F37).
pub const POLYGLOT_HEAD_BYTES: usize = 1024;

/// Bytes of the comment at the end of a ZIP archive: its length is a number of 16 bits (row F37).
pub const ZIP_COMMENT_BYTES_MAX: usize = 65_535;
