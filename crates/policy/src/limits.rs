//! Stated limits of policy.

/// Rules of the labelling service: each is tried on every resource that is written.
pub const LABEL_RULES_MAX: usize = 500;

/// Inline labels of one resource that are looked at, each once; one with more is refused.
pub const INLINE_LABELS_MAX: usize = 200;

/// Bytes of a file of rules. A rule that a person can read aloud has 300; this is 800 of them.
pub const RULES_BYTES_MAX: usize = 256 * 1024;

/// Rules in a file: each that binds a caller is a part of every decision about them.
pub const RULES_MAX: usize = 200;

/// Tests in a file.
pub const RULE_TESTS_MAX: usize = 500;

/// Bytes of a rule's name, which stands in the audit log with each decision that it had a part in.
pub const RULE_NAME_BYTES_MAX: usize = 100;

/// Items in one list of a rule.
pub const RULE_LIST_MAX: usize = 50;

/// Criteria of one search in a rule.
pub const RULE_CRITERIA_MAX: usize = 20;

/// Days that a moment in a rule may be away from now: nobody's record is longer than a century.
pub const RULE_MOMENT_DAYS_MAX: i64 = 36_500;

/// Faults of a file that are told at once: a person mends no more in one go.
pub const FAULTS_MAX: usize = 50;
