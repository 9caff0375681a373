//! Stated limits of policy.

/// Rules of the labelling service: each is tried on every resource that is written.
pub const LABEL_RULES_MAX: usize = 500;

/// Inline labels of one resource that are looked at, each once; one with more is refused.
pub const INLINE_LABELS_MAX: usize = 200;
