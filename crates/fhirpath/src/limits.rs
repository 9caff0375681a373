//! Stated limits of FHIRPath (security row F57: complexity of expressions and regular expressions).

/// Bytes of one expression. The longest of the R4 and guide packages has about 3,000.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;

/// Nesting of one expression, in nodes of its tree. The deepest invariant of R4 has about 15; evaluation
/// uses the stack once per level, and 64 levels stay far below the 2 MiB of a worker thread.
pub const DEPTH_MAX: usize = 64;

/// Steps of one evaluation: nodes evaluated, items visited, and 64 bytes of text each count one.
/// The costliest base invariant on the largest example takes fewer than 200,000.
pub const STEPS_MAX: u64 = 2_000_000;

/// Items of one collection: bounds memory to about 64 bytes times this.
pub const ITEMS_MAX: usize = 200_000;

/// Bytes of one string that an expression builds.
pub const STRING_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of a regular expression's text.
pub const REGEX_BYTES_MAX: usize = 1024;

/// Bytes of a compiled regular expression that stands in the text. The largest of R4's invariants (eld-19)
/// takes 3 MiB; it is compiled once.
pub const REGEX_COMPILED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Regular expressions that stand in the text of one expression. R4's sdf-19 has 4.
pub const REGEX_LITERALS_MAX: usize = 8;

/// Bytes of a compiled regular expression that is light, as all in use but eld-19 are, and as one that is
/// computed, and compiled anew each time, has to be.
pub const REGEX_LIGHT_BYTES_MAX: usize = 64 * 1024;

/// Steps that a byte of text costs against a light regular expression. Linear time is no small time: where its
/// states explode, the worst of this size take 20 microseconds a byte, and 2 million steps are 2 seconds.
pub const REGEX_LIGHT_STEPS: usize = 16;

/// The same for a heavy one.
pub const REGEX_HEAVY_STEPS: usize = 128;

/// Steps that a computed regular expression costs: compiling one takes up to a millisecond.
pub const REGEX_COMPUTED_STEPS: usize = 10_000;

/// Operations of one FHIRPath Patch: those that clients make change a few elements.
pub const PATCH_OPERATIONS_MAX: usize = 1_000;

/// Bytes of the resource, counted anew for each operation of a FHIRPath Patch, for each has it read and written whole:
/// about a second.
pub const PATCH_WORK_BYTES_MAX: usize = 64 * 1024 * 1024;
