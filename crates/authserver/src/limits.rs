//! Limits of the authorization server, each with its unit and reason.

pub mod people;

/// Seconds that an access token lives. SMART Backend Services asks for at most 300 (row C10).
pub const TOKEN_LIFE_S: i64 = 300;

/// Live tokens of one client. The rate limit below keeps a client under it; this is the backstop that
/// keeps memory bounded: about 200 bytes a token.
pub const CLIENT_TOKENS_MAX: usize = 4096;

/// Seconds that a launch handle lives: until the app that was opened asks (row B23).
pub const LAUNCH_LIFE_S: i64 = 300;

/// Seconds that an authorization request waits for the person: to find the phone, to set up a passkey, to read.
pub const PENDING_LIFE_S: i64 = 1800;

/// Bytes of authorization requests that wait for people; beyond it the oldest gives way. Tens of thousands of usual ones.
pub const PENDING_BYTES_MAX: usize = 32 * 1024 * 1024;

/// As [`PENDING_BYTES_MAX`] for one address: several hundred people behind one, half an hour long.
pub const PENDING_ADDRESS_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Days that a person can let an app go on while they are away: half a year or one (row B59: three months at least).
pub const OFFLINE_DAYS: [u32; 2] = [180, 365];

/// Seconds that a used code or handle is remembered, so that its second use is known for what it is.
pub const USED_MEMORY_S: i64 = 3600;

/// Codes (pushed requests, launch handles) that are out or remembered at once: under 100 MB in all. Rates keep them far
/// below.
pub const SINGLE_USE_MAX: usize = 200_000;

/// Seconds in which a client whose connection broke may send a refresh token again, for the same successor (row B58).
pub const REFRESH_GRACE_S: i64 = 60;

/// Seconds that an offline refresh token lasts without being used: more than the three months of row B59.
pub const OFFLINE_IDLE_S: i64 = 100 * 24 * 3600;

/// Live tokens of one consent: an app that asks for a new one every five seconds. Beyond it, it must wait.
pub const FAMILY_TOKENS_MAX: usize = 64;

/// DPoP proofs that are remembered at once: 40 MB for some minutes, at 500 a second.
pub const PROOFS_MAX: usize = 200_000;

/// Registered clients: an exchange has tens to hundreds.
pub const CLIENTS_MAX: usize = 10_000;

/// Initial access tokens that wait to be used.
pub const CLIENT_INVITATIONS_MAX: usize = 1000;

/// Clients that may come of one initial access token: a maker's test and production apps, a conformance run.
pub const CLIENT_INVITATION_USES_MAX: u32 = 1000;

/// Seconds that an initial access token lasts at most: a year.
pub const CLIENT_INVITATION_LIFE_S_MAX: i64 = 366 * 24 * 3600;

/// Requests to the registration endpoint of one address per second on average, and at once (row F66). Who registers
/// does it once, and comes back seldom.
pub const REGISTRATION_RATE: (f64, f64) = (0.2, 20.0);

/// Bytes of a request body. A scope string may be long (row A21 says 32 kB), an assertion has 8 kB.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Bytes of a client's name.
pub const CLIENT_NAME_BYTES_MAX: usize = 200;

/// Bytes of all scopes of a client or of a request together.
pub const SCOPE_BYTES_MAX: usize = 32 * 1024;

/// Allowed origins of one client.
pub const CLIENT_ORIGINS_MAX: usize = 32;

/// Intents of one client: each is a button on the page that opens apps.
pub const LAUNCH_INTENTS_MAX: usize = 8;

/// Resources around a visit that an app is told of (`fhirContext`).
pub const AROUND_MAX: usize = 8;

/// Redirect URIs of one client.
pub const REDIRECT_URIS_MAX: usize = 16;

/// Self-made certificates of one client: the one in use and the next ones.
pub const CLIENT_CERTIFICATES_MAX: usize = 8;

/// Bytes of a JWKS, inline or fetched (row C9 says 256 kB).
pub const FETCH_BODY_BYTES_MAX: usize = 256 * 1024;

/// Seconds that a fetch may take (row C9).
pub const FETCH_TIME_S_MAX: u64 = 5;

/// Seconds that fetching a revocation list or an OCSP answer may take.
pub const LISTING_TIME_S_MAX: u64 = 5;

/// Bytes of a logo: four times what a page has, for the one picture on it.
pub const LOGO_BYTES_MAX: usize = 128 * 1024;

/// Pixels of a logo, each way: it is shown at 64.
pub const LOGO_PIXELS_MAX: u32 = 2048;

/// Logos that are held at once: 32 MB at most.
pub const LOGOS_MAX: usize = 256;

/// Seconds that a logo is shown before it is fetched again.
pub const LOGO_LIFE_S: i64 = 24 * 3600;

/// Seconds in which a logo that could not be had is not asked for again.
pub const LOGO_FAILURE_S: i64 = 600;

/// Logos fetched per second on average, and at once, in all.
pub const LOGO_FETCH_RATE: (f64, f64) = (0.5, 20.0);

/// Seconds that a fetched JWKS is kept at most, whatever Cache-Control says: a withdrawn key stops working
/// within the hour.
pub const JWKS_CACHE_S_MAX: i64 = 3600;

/// Seconds that a fetched JWKS is kept when the response says nothing of caching.
pub const JWKS_CACHE_S_DEFAULT: i64 = 300;

/// Seconds in which a failed fetch is not tried again (negative cache, row C9).
pub const JWKS_FAILURE_S: i64 = 10;

/// Seconds that the document of an outside OpenID provider is kept: a provider that moves is found within the hour.
pub const OUTSIDE_DOCUMENT_S: i64 = 3600;

/// Requests that wait for an outside OpenID provider at once; a slow one holds up no more than these.
pub const OUTSIDE_AT_ONCE_MAX: usize = 64;

/// Seconds between two fetches of one JWKS because of a key id that the copy at hand does not have.
pub const JWKS_REFETCH_S: i64 = 30;

/// Fetches of one JWKS URL per second on average, and at once. It bounds what a stranger who knows a client's
/// id can make us send to the client's host when that host forbids caching.
pub const JWKS_FETCH_RATE: (f64, f64) = (2.0, 20.0);

/// Requests to the endpoints of one address per second on average, and at once (row F66). An IPv6 address
/// counts by its /64. Room for a resource server that introspects each token it is shown, and for a proxy.
pub const ADDRESS_RATE: (f64, f64) = (100.0, 500.0);

/// Tokens for one client per second on average, and at once (row F66). A client is asked to use a token for its
/// whole life.
pub const CLIENT_RATE: (f64, f64) = (10.0, 100.0);

/// Addresses (and clients) whose rate is remembered at once; beyond it idle ones are forgotten.
pub const RATE_ENTRIES_MAX: usize = 65_536;

/// Seconds that a retired signing key stays in the published JWKS, so that what it signed can be verified.
pub const KEY_OVERLAP_S: i64 = 24 * 3600;

/// Seconds between two sweeps of what has expired.
pub const SWEEP_S: i64 = 30;

/// Trust communities (UDAP): an organization is a member of a few.
pub const COMMUNITIES_MAX: usize = 100;

/// Registrations of a community, when its operator says nothing.
pub const COMMUNITY_REGISTRATIONS_DEFAULT: usize = 1000;

/// Bytes of the URI of a community: it is the key of a row.
pub const COMMUNITY_URI_BYTES_MAX: usize = 1024;

/// Communities whose metadata of one identity provider are asked for.
pub const COMMUNITIES_TRIED_MAX: usize = 8;

/// Certifications of a registration that are looked at: a client that brings more shows none that matters.
pub const CERTIFICATIONS_MAX: usize = 8;

/// Seconds that the signed part of the metadata is good.
pub const SIGNED_METADATA_LIFE_S: i64 = 24 * 3600;

/// Seconds after which it is made anew.
pub const SIGNED_METADATA_AGE_S_MAX: i64 = 12 * 3600;

/// Seconds that what an authority says of a certificate is kept without asking again, even when it counts longer: so
/// soon a revocation is known. As long as an access token lives.
pub const LISTING_LIFE_S_MAX: i64 = 300;

/// Seconds that it is kept at least, when whoever gives it out says less: they set how soon, not how often.
pub const LISTING_LIFE_S_MIN: i64 = 5;

/// Seconds that a list goes on to count, within its own time, while a newer one cannot be had.
pub const LISTING_OLD_S_MAX: i64 = 24 * 3600;

/// Seconds in which a list or answer that could not be had is not asked for again.
pub const LISTING_FAILURE_S: i64 = 30;

/// Seconds in which a host that did not answer at all is left alone: at first, and after many times.
pub const LISTING_HOST_QUIET_S: (i64, i64) = (30, 120);

/// Requests to one host for lists and answers at once.
pub const LISTING_HOST_AT_ONCE_MAX: usize = 2;

/// Requests for lists and answers at once to hosts that answered the last time. A list has up to 8 MB.
pub const LISTING_PROVEN_AT_ONCE_MAX: usize = 16;

/// As [`LISTING_PROVEN_AT_ONCE_MAX`], to hosts that did not, or were never asked: those that hang hold up no others.
pub const LISTING_UNPROVEN_AT_ONCE_MAX: usize = 8;

/// As [`LISTING_UNPROVEN_AT_ONCE_MAX`], for registrations that are looked after while nobody waits.
pub const LISTING_TENDING_AT_ONCE_MAX: usize = 4;

/// Requests that wait for a list or an answer at once; beyond it they are told to come again. A fraction of all that are
/// served at once, so that hosts that hang take no place from anybody else.
pub const LISTING_WAITING_MAX: usize = 64;

/// As [`LISTING_WAITING_MAX`], for hosts that answered the last time.
pub const LISTING_WAITING_PROVEN_MAX: usize = 128;

/// Lists that are taken apart at once.
pub const LISTING_READ_AT_ONCE_MAX: usize = 2;

/// Bytes of the lists that are held in memory: eight of the largest.
pub const LISTINGS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Lists and answers that are held in memory; an answer has some hundred bytes.
pub const LISTINGS_MAX: usize = 20_000;

/// Hosts of lists that are remembered.
pub const LISTING_HOSTS_MAX: usize = 10_000;

/// Seconds in which it must be known whether the certificates of a chain were revoked; somebody waits.
pub const VOUCH_TIME_S_MAX: u64 = 8;

/// Seconds after which a registration is looked at again whose certificates nobody spoke of.
pub const TEND_AGAIN_S: i64 = 60;

/// Registrations that are looked at in one round; the rest are due in the next.
pub const TEND_AT_ONCE_MAX: usize = 1000;

/// Seconds between two rounds.
pub const TEND_S: u64 = 5;

/// Identity providers of trust communities that are kept in mind at once; each takes some kilobytes.
pub const IDPS_MAX: usize = 256;

/// Seconds for which a registration at an identity provider counts; then it is made anew, which changes nothing where the
/// provider still knows it.
pub const IDP_REGISTRATION_S: i64 = 24 * 3600;

/// Seconds until a registration that could not be made anew is tried again, while the old one is used.
pub const IDP_REGISTRATION_AGAIN_S: i64 = 600;

/// Minutes after which a broken glass ends by itself, unless the operator says otherwise.
pub const GLASS_MINUTES: u32 = 60;

/// Minutes for which one stays open at most: a night shift's half. Who needs longer says anew why.
pub const GLASS_MINUTES_MAX: u64 = 240;

/// Days within which a case is to be reviewed, unless the operator says otherwise.
pub const GLASS_REVIEW_DAYS: u32 = 3;

/// Glasses that one person has open at once: more is no emergency but browsing.
pub const GLASSES_OF_ONE_MAX: usize = 3;

/// Searches for a patient on the page of emergencies: per second, and at once. Whoever knows whom they look for needs
/// one or two.
pub const GLASS_SEARCH_RATE: (f64, f64) = (1.0 / 120.0, 5.0);

/// Seconds for which somebody who was found waits for the reason.
pub const GLASS_SOUGHT_S: i64 = 600;

/// People who have found somebody and not said why yet.
pub const GLASS_SOUGHT_MAX: usize = 1_000;

/// Words that a reason has at least: one word is none.
pub const GLASS_REASON_WORDS_MIN: usize = 3;

/// Characters of a reason or of a reviewer's note: a paragraph.
pub const GLASS_WORDS_CHARS_MAX: usize = 1_000;

/// Days for which a case is kept after its verdict, unless the operator says otherwise. SPEC: 45 CFR 164.316(b)(2)(i), six
/// years.
pub const GLASS_KEEP_DAYS: u32 = 2_192;

/// Cases that are kept: one an hour for ten years; each has some hundred bytes. Beyond it the one that was judged first
/// leaves; when all of them wait, no glass can be broken.
pub const GLASS_CASES_MAX: usize = 100_000;

/// Pages of the audit log that are read for it.
pub const GLASS_PAGES_MAX: usize = 20;

/// Entries of the audit log that the page of a case shows.
pub const GLASS_LOOKS_MAX: usize = 100;

/// Entries of the audit log that one report of who saw a record reads at most: two seconds.
pub const REPORT_ENTRIES_MAX: usize = 1_000_000;

/// Entries of the audit log that are looked at for unusual access in one part.
pub const WATCHED_AT_ONCE: usize = 2_000;

/// Parts of one look: a log that was never looked at is walked through in several, and each keeps how far it came.
pub const WATCH_PARTS_MAX: usize = 500;

/// Entries before the last look that are seen again after a start, so that counts go on.
pub const WATCHED_BEFORE: u64 = 5_000;

/// Characters of the note of a review: as many as its page shows.
pub const NOTE_CHARS_MAX: usize = pages::limits::NOTE_CHARACTERS_MAX;

/// Characters of a field of the search before a glass is broken: longer than any name.
pub const GLASS_FIELD_CHARS_MAX: usize = 200;

/// Lines of the page of who saw a record after which it begins no further day: some screens of a phone.
pub const SEEN_LINES: usize = 30;

/// Lines of the table of the same: more than a spreadsheet is looked through for.
pub const SEEN_TABLE_LINES: usize = 10_000;
