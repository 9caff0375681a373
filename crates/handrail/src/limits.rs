//! Stated limits of the listener, the outbound client and the commands (invariant 10; rows A21, F60, F66).
//!
//! Two of them are settings too (`limits` in the configuration file); the constants are their defaults.

use std::time::Duration;

/// Open connections. Each costs about 100 KB with TLS and HTTP/2 buffers: 1,024 stay near 100 MB.
/// Resting ones give way to newcomers.
pub(crate) const CONNECTIONS_MAX: usize = 1024;

/// Threads that work on requests, beside one for each core: as many as costly searches may run at
/// once, so that these leave a thread to everyone else, and the system shares the cores out.
pub(crate) const THREADS_BESIDE_CORES: usize = store::limits::HEAVY_SEARCHES_MAX;

/// Part of the places that is kept free while connections rest: one in this many.
pub(crate) const CONNECTIONS_RESERVE: usize = 32;

/// Files that are open besides connections: the engine's tables and journals, the audit log's segments.
pub(crate) const OTHER_FILES: usize = 512;

/// Share of the places that one address may hold while all of them work, in quarters: three of
/// four, so that one peer alone cannot shut out the others.
pub(crate) const CONNECTIONS_OF_ONE_ADDRESS_QUARTERS: usize = 3;

/// Requests worked on at once, over all connections; the next one gets 503 with Retry-After.
/// Far above what two to sixteen cores work on, low enough that queued bodies fit in memory.
pub(crate) const REQUESTS_IN_FLIGHT_MAX: usize = 512;

/// TCP connections that wait to be accepted.
pub(crate) const BACKLOG: i32 = 1024;

/// Bytes of request bodies in memory at once, over all connections; the next body gets 503. Four of
/// the largest Bundles. What a body becomes while it is worked on is at most ten times its bytes.
pub(crate) const BODY_BYTES_IN_FLIGHT_MAX: usize = 128 * 1024 * 1024;

/// Bytes from which an answer is watched until the peer has it: more than the kernel's buffers take
/// at once, so that a slow peer makes us hold it. HTTP/2 answers are watched from their first byte.
pub(crate) const LARGE_ANSWER_BYTES: usize = 128 * 1024;

/// Bytes of answers that an HTTP/2 connection may have untaken before the next is made: more than a
/// line of 100 Mbit/s holds in 40 ms, so that whoever takes them never waits for it.
pub(crate) const UNTAKEN_BYTES_MAX: usize = 512 * 1024;

/// Bytes of an HTTP/2 answer that are handed over at once. A peer that takes as much within
/// [`STALL`] is slow (26 kbit/s), not dead.
pub(crate) const PART_BYTES: usize = 64 * 1024;

/// Bytes of such answers in memory before the slowest peer is cut.
pub(crate) const SENDING_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Time that a peer gets to take a large answer: 32 MB at 2.2 Mbit/s.
pub(crate) const TAKEN: Duration = Duration::from_secs(120);

/// Time between two looks for peers that take their answers too slowly.
pub(crate) const RELIEF: Duration = Duration::from_secs(2);

/// Time that a resting connection gets to say goodbye when another needs its place. A request that
/// came at the same moment is finished.
pub(crate) const LEAVE: Duration = Duration::from_millis(200);

/// Time that a connection which is asked to end gets for the requests it has: a body, work, an answer.
pub(crate) const LAST: Duration = Duration::from_secs(300);

/// Time for the TLS handshake: two round trips and one signature, even on a bad line.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(10);

/// Time for a whole request head, and for an idle HTTP/1.1 connection until its next head.
pub(crate) const HEAD: Duration = Duration::from_secs(30);

/// Time between two parts of a request body, and of waiting for a peer that does not take our bytes.
pub(crate) const STALL: Duration = Duration::from_secs(20);

/// Time for a whole request body: 32 MB at 2.2 Mbit/s.
pub(crate) const BODY: Duration = Duration::from_secs(120);

/// Time for a whole form of the authorization server: it fits in one packet or two.
pub(crate) const FORM: Duration = Duration::from_secs(10);

/// Bytes of a refused HTTP/2 body that are received and thrown away so that its sender sees the
/// answer: twice the largest resource.
pub(crate) const LINGER_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Time for that.
pub(crate) const LINGER: Duration = Duration::from_secs(10);

/// Age at which a connection is asked to end after its current requests, so that renewed
/// certificates and changed limits reach everyone.
pub(crate) const CONNECTION_LIFE: Duration = Duration::from_secs(3600);

/// Time that requests in flight get to finish when the server stops.
pub(crate) const DRAIN: Duration = Duration::from_secs(30);

/// Bytes of a request head: scopes and search URLs can be long (row A21).
pub(crate) const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Header fields of a request. Browsers send about 20.
pub(crate) const HEADERS_MAX: usize = 100;

/// Streams that one HTTP/2 connection may have open.
pub(crate) const STREAMS_MAX: u32 = 128;

/// Streams that an HTTP/2 peer may open and reset before they were looked at (rapid reset).
pub(crate) const RESET_STREAMS_MAX: usize = 20;

/// Streams that we had to reset for a peer's errors before its connection ends.
pub(crate) const ERROR_STREAMS_MAX: usize = 64;

/// Bytes of body that an HTTP/2 peer may send before we read them, per stream.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 256 * 1024;

/// The same for a whole connection.
pub(crate) const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;

/// Time between two pings on a quiet HTTP/2 connection, and for the answer to one.
pub(crate) const PING: Duration = Duration::from_secs(20);

/// Redirects that an outbound fetch follows, all within its origin (row C9).
pub(crate) const REDIRECTS_MAX: usize = 3;

/// Ports that outbound fetches may use, outside allowed networks (row F60).
pub(crate) const EGRESS_PORTS: [u16; 2] = [443, 8443];

/// Port of revocation lists and OCSP responders that answer by plain HTTP, outside allowed networks (row F60).
pub(crate) const LISTING_PORT: u16 = 80;

/// Bytes of one line on the control socket: a name, scopes and a JWKS.
pub(crate) const CONTROL_BYTES_MAX: usize = 512 * 1024;

/// Time for one exchange on the control socket.
pub(crate) const CONTROL: Duration = Duration::from_secs(30);

/// Time that a command waits for one answer of a server: a transaction of a whole package.
pub(crate) const CLIENT: Duration = Duration::from_secs(300);

/// Bytes of an answer that a command reads: what a full transaction response can be.
pub(crate) const CLIENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Entries of one transaction that `load` makes of single resources.
pub(crate) const LOAD_ENTRIES: usize = 200;

/// Bytes of one transaction that `load` makes of single resources.
pub(crate) const LOAD_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of one file that `load` reads whole, and of one unpacked member of a package.
pub(crate) const LOAD_FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Bytes of all examples of one package, unpacked.
pub(crate) const LOAD_PACKAGE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What `limits.connections` and `limits.requests_in_flight` can be set to: more is a typing mistake.
pub(crate) const CONFIGURED_MAX: u64 = 1_000_000;

/// Days that a look-back can be set to: ten years.
pub(crate) const LOOKBACK_DAYS_MAX: u64 = 3_650;

/// Packages that can be added. A guide depends on some ten.
pub(crate) const PACKAGES_MAX: usize = 100;

/// Bytes of a package's archive, and of what it is compiled to: a block of a backup holds each.
pub(crate) const PACKAGE_FILE_BYTES_MAX: u64 = 60 * 1024 * 1024;

/// Time from which a request is slow enough for a log line of its own.
pub(crate) const SLOW: Duration = Duration::from_secs(1);

/// Log lines that wait to be written; a line is about 300 bytes.
pub(crate) const LOG_LINES_MAX: usize = 8192;

/// Bytes of them.
pub(crate) const LOG_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Time between two looks at whether the certificate files changed.
pub(crate) const CERTIFICATE_LOOK: Duration = Duration::from_secs(30);

/// Bytes of an OCSP response beside the certificate. Common ones have 0.5 to 3 kB; each handshake carries it.
pub(crate) const OCSP_STAPLE_BYTES_MAX: usize = 16 * 1024;

/// Days before the certificate's end at which the log begins to warn.
pub(crate) const CERTIFICATE_WARN_DAYS: i64 = 14;

/// Connections to the metrics: a few scrapers and a person with curl.
pub(crate) const METRICS_CONNECTIONS_MAX: usize = 16;

/// Time after which such a connection is closed; scrapers open another.
pub(crate) const METRICS_CONNECTION_LIFE: Duration = Duration::from_secs(600);

/// Age from which on a package that is staged was left behind: no command takes as long.
pub(crate) const STAGED_AGE_MAX: std::time::Duration = std::time::Duration::from_secs(3600);

/// Time between two looks at whether a file of anchors or revocation lists was touched: soon enough for a revocation,
/// and a look costs one call for each file.
pub(crate) const CLIENT_TRUST_LOOK: Duration = Duration::from_secs(2);

/// Bytes of a file of anchors or of a revocation list. A list of this size names 200,000 certificates, and its whole is
/// hashed when a certificate is examined.
pub(crate) const TRUST_FILE_BYTES_MAX: u64 = 8 << 20;

/// Seconds before a revocation list's end at which the log begins to warn, at the latest when a tenth of its life is left.
pub(crate) const LIST_WARN_S: i64 = 7 * 86_400;

/// Certificates of a chain that a proxy hands on.
pub(crate) const CHAIN_MAX: usize = 8;

/// Certificates whose examination a connection remembers: those of a proxy's clients.
pub(crate) const EXAMINED_MAX: usize = 256;

/// Bytes of this server's secret at an outside OpenID provider: providers make some dozens.
pub(crate) const OPENID_SECRET_BYTES_MAX: usize = 1024;

/// Connections to what a lab community publishes.
pub(crate) const PKI_CONNECTIONS_MAX: usize = 64;

/// Time after which such a connection is closed; who asks again opens another.
pub(crate) const PKI_CONNECTION_LIFE: Duration = Duration::from_secs(60);

/// Days before the end of our certificate or the anchor of a trust community at which the log begins to warn: a community
/// takes weeks to check who asks for a new one.
pub(crate) const COMMUNITY_WARN_DAYS: i64 = 30;

/// Time between two looks at broken glasses that nobody judged.
pub(crate) const GLASS_LOOK: Duration = Duration::from_secs(600);

/// Time between two looks at those ends.
pub(crate) const COMMUNITY_LOOK: Duration = Duration::from_secs(600);

/// How often the audit log is looked at for unusual access: a privacy officer hears of it within seconds.
pub(crate) const AUDIT_LOOK: std::time::Duration = std::time::Duration::from_secs(5);

/// How often finished parts of the audit log leave, and old ones go.
pub(crate) const AUDIT_KEEP: std::time::Duration = std::time::Duration::from_secs(60);

/// How often the audit log is looked at for what the repository has not got yet.
pub(crate) const SYSLOG_LOOK: std::time::Duration = std::time::Duration::from_secs(2);

/// How long a repository may take for a connection or a batch.
pub(crate) const SYSLOG_PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// How long to wait before a repository that went away is tried again.
pub(crate) const SYSLOG_AGAIN: std::time::Duration = std::time::Duration::from_secs(10);

/// Days that an audit log is kept at least, unless the operator says that the law here asks for less: six years. SPEC:
/// 45 CFR 164.316(b)(2).
pub(crate) const RETENTION_DAYS_LEAST: u64 = 2_192;

/// Entries that are read and sent at once to a syslog repository: under a megabyte.
pub(crate) const SYSLOG_BATCH: usize = 200;

/// After this long what was written to a syslog repository has surely arrived, or the connection is over: the system
/// ends it when nothing was confirmed for [`SYSLOG_PATIENCE`], and some seconds pass until that is seen.
pub(crate) const SYSLOG_ARRIVED: std::time::Duration = std::time::Duration::from_secs(30);

/// Versions of the facility's rules: one each day for a quarter of a century.
pub(crate) const POLICY_VERSIONS_MAX: u64 = 10_000;

/// Versions that a list tells, the newest.
pub(crate) const POLICY_VERSIONS_TOLD: usize = 200;

/// Proposals that wait at once.
pub(crate) const POLICY_PROPOSALS_MAX: usize = 10;

/// Milliseconds that a proposal waits: a week, in which somebody is back.
pub(crate) const POLICY_PROPOSAL_LIFE_MS: i64 = 7 * 24 * 3600 * 1000;

/// Lines on tests that fail, at most.
pub(crate) const POLICY_FAULTS_TOLD: usize = 50;

/// Differences of rules in shadow that are kept, the last ones: some hundred kilobytes.
pub(crate) const SHADOW_LINES_MAX: usize = 1_000;

/// How often requests that wait are looked at for rules in shadow: apart from the requests themselves, so that no time
/// that a caller sees tells of it.
pub(crate) const SHADOW_LOOK: std::time::Duration = std::time::Duration::from_millis(250);

/// How long such a look lasts: a tenth of one core at most.
pub(crate) const SHADOW_TIME: std::time::Duration = std::time::Duration::from_millis(25);

/// The same, for who wants to read what was found now.
pub(crate) const SHADOW_TIME_ASKED: std::time::Duration = std::time::Duration::from_secs(2);

/// How often what was found is written down.
pub(crate) const SHADOW_KEEP: std::time::Duration = std::time::Duration::from_secs(60);
