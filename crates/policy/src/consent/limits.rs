//! Stated limits of consents. Beyond each of them the Consent counts as one that cannot be read: it denies.

/// Levels of provisions below the root (row G5). IHE PCF has one, R4's examples two.
pub(crate) const DEPTH_MAX: usize = 8;

/// Provisions of one Consent: a page of choices makes some ten.
pub(crate) const PROVISIONS_MAX: usize = 500;

/// Repeats of one element of a provision: lists of single documents are the longest.
pub(crate) const REPEATS_MAX: usize = 500;

/// Consents of one patient that are evaluated.
pub(crate) const CONSENTS_MAX: usize = 200;

/// Repeats and codes in all provisions of all Consents of one patient, each Coding by itself: bounds what it costs to
/// make a rule, which everybody pays who asks for anything of this patient. A page of choices makes some hundred.
pub(crate) const ITEMS_MAX: usize = 10_000;

/// Parts of the predicate of one patient, counted as the matcher goes through them: bounds what one candidate costs.
pub(crate) const PARTS_MAX: usize = 20_000;

/// Organizations above an Organization, and groups of them, that count as naming it.
pub(crate) const PART_OF_MAX: usize = 4;
