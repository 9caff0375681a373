//! Stated limits of this crate, each with its unit and reason (invariant 10, rows F57, F63, F65).

/// Bytes of one resource. A PDF of 5 MB in base64 fits; what is larger belongs outside the record.
pub const RESOURCE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes of a batch or transaction: what the JSON reader takes at all.
pub const BUNDLE_BYTES_MAX: usize = fhir::limits::BODY_BYTES_MAX;

/// Bytes of a `_search` form: as long as a header section may be, so that POST reaches as far as GET.
pub const FORM_BYTES_MAX: usize = 64 * 1024;

/// Entries of one batch or transaction. The largest guide (RT) has 335 examples; a stay of a year
/// in one transaction stays below 5,000.
pub const ENTRIES_MAX: usize = 10_000;

/// Characters of a request id that a client chose: a UUID has 36, trace ids of the field up to 55.
pub const REQUEST_ID_CHARS_MAX: usize = 64;

/// Callers whose grants are found by their token: some 100 bytes each. Beyond, all are looked for anew.
pub const CALLERS_SEEN_MAX: usize = 2_048;

/// Compiled scope strings kept. A client has one or two; each entry is a few kB.
pub const GRANTS_CACHED_MAX: usize = 4_096;

/// Compiled grants of people kept: one for each patient or clinician at work with each app. Each has about 20 kB; what
/// is not kept is compiled anew at the next request.
pub const GRANTS_OF_PEOPLE_CACHED_MAX: usize = 512;

/// Compiled grants of organizations that came by UDAP kept: those of this second, and the last ones.
pub const GRANTS_OF_ORGANIZATIONS_CACHED_MAX: usize = 128;

/// Times a transaction is planned anew when a condition changed between its look-up and its commit.
pub const PLANS_MAX: usize = 4;

/// Versions on a page of a history when `_count` is not given.
pub const HISTORY_COUNT: usize = 50;

/// Versions on a page of a history at most.
pub const HISTORY_COUNT_MAX: usize = 500;

/// Characters of a page cursor: ours have fewer than 1,000.
pub const CURSOR_CHARS_MAX: usize = 4_096;

/// Stored concept maps that one `$translate` without a map's name uses; more have to be named.
pub const TRANSLATE_MAPS_MAX: usize = 64;

/// Stored code systems that the composition of one value set of a request or of the store uses.
pub const SYSTEMS_BESIDE_MAX: usize = 16;

/// Bytes of a body that is validated by the thread that serves the request: the examples of the guides have 20 kB at
/// most, and what takes more than a millisecond or so makes others wait.
pub const INLINE_BYTES_MAX: usize = 64 * 1024;

/// The first step of time at which an answer leaves that could tell of hidden rows: most searches
/// within a patient's record end before it, and people do not feel it.
pub const HELD_AT_LEAST: std::time::Duration = std::time::Duration::from_millis(1);

/// Time within which held answers leave together: one change of threads for all of them. Where much is asked they leave
/// sooner, with the next that comes.
pub const HELD_TOGETHER: std::time::Duration = std::time::Duration::from_micros(250);

/// Bytes of the header `X-Provenance`: most servers and proxies take headers of 8 kB, all of them together.
pub const PROVENANCE_HEADER_BYTES_MAX: usize = 8 * 1024;

/// About how many bytes a Provenance has that the server makes: how much there is to validate.
pub const PROVENANCE_BYTES: usize = 1024;

/// Seconds a client is asked to wait after a 429 or 503.
pub const RETRY_AFTER_S: u32 = 5;

/// Characters of `Signature.data` that are looked at: a JWS with its certificates has 60 kB at most, and base64 makes
/// a third more of it.
pub const SIGNATURE_DATA_CHARS_MAX: usize = 96 * 1024;

/// Seconds by which the time within a signature and `Signature.when` may differ: a form filled in while signing.
pub const SIGNING_TIME_APART_S: u64 = 300;

/// Signatures of one resource that are verified; each may ask several authorities.
pub const SIGNATURES_MAX: usize = 16;

/// Lines of a report of who saw a record, when nothing is asked.
pub const REPORT_LINES: usize = 50;

/// Lines after which a report begins no further day, at most. A line is half a kilobyte.
pub const REPORT_LINES_MAX: usize = 200;

/// Entries that one report reads: some 2 µs each.
pub const REPORT_ENTRIES_MAX: usize = 1_000_000;

/// Largest k of `$k-anonymity`.
pub const K_MAX: u64 = 1_000_000;

/// People that `$k-anonymity` counts: each is read and rewritten.
pub const K_PEOPLE_MAX: u64 = 20_000;

/// People of one step of it.
pub const K_PAGE: usize = 500;

/// Resources that are labelled anew in one transaction: as many as one page has without harm to others who write.
pub const RELABELLED_AT_ONCE: usize = 200;

/// Callers for whom a change of the rules is tried in one go.
pub const DRY_RUN_CALLERS_MAX: usize = 2_000;

/// Lines of a dry run: nobody reads more.
pub const DRY_RUN_CHANGES_MAX: usize = 1_000;

/// Ids that a line of a dry run names, of those that somebody gains, and of those that they lose.
pub const DRY_RUN_EXAMPLES: usize = 5;

/// Time after which a dry run begins with no further caller: less than a command waits for an answer.
pub const DRY_RUN_TIME: std::time::Duration = std::time::Duration::from_secs(15);

/// Seconds since the person proved who they are, within which the facility's rules are changed: as at the pages.
pub const STEP_UP_S: i64 = 300;

/// Bytes of the line that says what a change of the rules is for.
pub const POLICY_NOTE_BYTES_MAX: usize = 500;

/// Answered requests that wait to be looked at for rules in shadow: some seconds of a busy server.
pub const SHADOW_WAITING_MAX: usize = 1_000;

/// Resources of one answer that are looked at for rules in shadow: a page.
pub const SHADOW_RESOURCES_MAX: usize = 100;

/// Resources that a difference names.
pub const SHADOW_EXAMPLES: usize = 5;
