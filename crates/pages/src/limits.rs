//! Limits of this crate, each with its unit and reason.

/// Characters of a text from outside on a page. Names have under 100; a registered app may try to fill the screen.
pub const TEXT_CHARACTERS_MAX: usize = 300;

/// Characters of a note that somebody wrote here, on a page: half a page, which is read as a whole. Forms refuse longer
/// ones, so nothing of a note is cut.
pub const NOTE_CHARACTERS_MAX: usize = 2_000;

/// Entries of an Accept-Language header that are looked at: browsers send under ten.
pub const LANGUAGES_MAX: usize = 20;

/// Bytes of a page with its stylesheet, its script and its icon: quick on a slow phone line (`design/pages.md`).
pub const PAGE_BYTES_MAX: usize = 40_000;

/// Rows of a list on one page (patients, apps, sessions): beyond it a filter helps, not a scroll bar.
pub const ROWS_MAX: usize = 50;
