//! Every metric, once: name, kind, labels and meaning. The dashboard and the alert rules in `docs/` use these
//! names; a test holds them to it.
//!
//! Labels are words of this program (interactions, reasons, resource types of R4): no label takes a value
//! that a request brought, so the number of series is bounded. The one exception, the URI of a trust community, is the
//! operator's.

/// What a metric is to Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only rises, until the process starts anew.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Counts by size, with a sum.
    Histogram,
}

/// A metric.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Family {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) kind: Kind,
    /// Its labels.
    pub(crate) labels: &'static [&'static str],
    /// One line on what it says.
    pub(crate) help: &'static str,
}

macro_rules! families {
    ($($id:ident: $kind:ident $name:literal $labels:expr, $help:literal;)*) => {
        $(
            #[doc = $help]
            pub(crate) static $id: Family =
                Family { name: $name, kind: Kind::$kind, labels: &$labels, help: $help };
        )*
        /// Every metric, in the order of the page.
        #[cfg(test)]
        pub(crate) static FAMILIES: &[&Family] = &[$(&$id),*];
    };
}

families! {
    BUILD_INFO: Gauge "handrail_build_info" ["version"], "The program; always 1.";
    READY: Gauge "handrail_ready" [], "Whether requests are taken, as /readyz says: 1 or 0.";

    REQUESTS: Counter "handrail_http_requests_total" ["interaction", "code"], "Requests answered, by FHIR interaction or endpoint and status.";
    DURATION: Histogram "handrail_http_request_duration_seconds" ["interaction"], "From the head of a request to its answer, the body of the request included, the sending of the answer not.";
    IN_FLIGHT: Gauge "handrail_http_requests_in_flight" [], "Requests being worked on.";
    IN_FLIGHT_LIMIT: Gauge "handrail_http_requests_in_flight_limit" [], "How many may be; further ones get 503 (limits.requests_in_flight).";
    BY_TYPE: Counter "handrail_fhir_requests_total" ["type"], "FHIR requests whose URL names a resource type, by type.";
    RESPONSE_BYTES: Counter "handrail_http_response_bytes_total" [], "Bytes of the bodies of answers.";
    REFUSALS: Counter "handrail_refusals_total" ["reason"], "Requests refused, by reason: token-expired, scope, busy, store-unavailable and so on.";

    TOKENS_ISSUED: Counter "handrail_tokens_issued_total" [], "Access tokens issued.";
    TOKENS_REFUSED: Counter "handrail_tokens_refused_total" ["reason"], "Token requests refused, by reason.";
    CLIENTS: Gauge "handrail_clients" [], "Registered clients.";

    UNUSUAL: Counter "handrail_audit_unusual_total" ["rule"], "Unusual accesses found in the audit log, by rule.";
    UNUSUAL_OPEN: Gauge "handrail_audit_unusual_open" [], "Unusual accesses that wait for the review of a privacy officer.";
    AUDIT_EXPORTED: Gauge "handrail_audit_exported_sequence" [], "Last record of the audit log that stands in audit.export_directory; 0 without one.";

    AUDIT_SENT: Gauge "handrail_audit_sent_sequence" [], "Last record of the audit log that was sent to audit.syslog since the start; 0 without one.";
    COMMUNITY_ENDS: Gauge "handrail_udap_community_not_after_timestamp_seconds" ["community"], "When the first of our certificates in a trust community, or its last anchor, ends, in seconds since 1970.";
    PARTNERS: Gauge "handrail_udap_registrations" ["state"], "Registrations by trust communities, by state: works, waits, suspended (its certificate does not hold), stopped.";
    UNANSWERED: Gauge "handrail_udap_unanswered" [], "Registrations of whose certificates nobody says whether they were revoked: lists that have ended, hosts that do not answer.";

    GLASS_BROKEN: Counter "handrail_glass_broken_total" [], "Records that clinicians opened by breaking the glass since the start.";
    GLASS_WAITING: Gauge "handrail_glass_cases_waiting" [], "Broken glasses that wait for a privacy officer's verdict.";
    GLASS_LATE: Gauge "handrail_glass_cases_late" [], "Those that wait for longer than glass.review_days.";
    GLASS_OLDEST: Gauge "handrail_glass_oldest_case_seconds" [], "For how long the oldest of them has waited; 0: none does.";

    SHADOW_REQUESTS: Counter "handrail_policy_shadow_requests_total" [], "Answered requests that the rules of policy.shadow were tried on; there when it is set.";
    SHADOW_LEFT_OUT: Counter "handrail_policy_shadow_left_out_total" [], "Answered requests that they were not tried on, for too many waited.";
    SHADOW_DIFFERENCES: Counter "handrail_policy_shadow_differences_total" ["interaction", "outcome"], "Requests that they would have decided otherwise, by interaction and by what would have become of the answer: refused, withheld (a part of it), given, wider (a search may find more). By which rule, 'handrail policy shadow' tells.";

    CONNECTIONS_OPEN: Gauge "handrail_connections_open" [], "Open connections of clients.";
    CONNECTIONS_LIMIT: Gauge "handrail_connections_limit" [], "How many may be; resting ones give way to newcomers (limits.connections).";
    CONNECTIONS_ACCEPTED: Counter "handrail_connections_accepted_total" [], "Connections accepted.";
    CONNECTIONS_REFUSED: Counter "handrail_connections_refused_total" ["reason"], "Connections closed at once: of an address that holds its share, or not acceptable.";
    HANDSHAKES: Counter "handrail_tls_handshakes_total" ["protocol"], "TLS handshakes done, by the protocol agreed on.";
    HANDSHAKES_FAILED: Counter "handrail_tls_handshake_failures_total" ["kind"], "TLS handshakes that failed, by kind.";
    BODY_BYTES: Gauge "handrail_request_bodies_bytes" [], "Bytes of request bodies in memory, seen every two seconds.";
    SENDING_BYTES: Gauge "handrail_untaken_answers_bytes" [], "Bytes of answers, large or over HTTP/2, that peers have not taken yet, seen every two seconds.";
    CERTIFICATE_ENDS: Gauge "handrail_certificate_not_after_timestamp_seconds" [], "When the server certificate ends, the first of them when there are several, in seconds since 1970; the dashboard shows the days left.";
    CERTIFICATE_RELOADS: Counter "handrail_certificate_reloads_total" ["outcome"], "Times that changed certificate files were read: taken, or refused so that the old one stays.";
    CERTIFICATE_STALE: Gauge "handrail_certificate_stale" [], "Whether the files hold a certificate that cannot be used, so that an old one is served: 1 or 0.";

    CLIENT_CRL_ENDS: Gauge "handrail_client_crl_next_update_timestamp_seconds" [], "When the first revocation list for clients ends, in seconds since 1970; from then on no certificate of its issuer is taken.";
    CLIENT_TRUST_RELOADS: Counter "handrail_client_trust_reloads_total" ["outcome"], "Times that changed files of anchors and revocation lists were read: taken, or refused so that the old ones stay.";
    CLIENT_TRUST_STALE: Gauge "handrail_client_trust_stale" [], "Whether the files of anchors and revocation lists cannot be used, so that old ones count until they end: 1 or 0.";

    WRITER_UP: Gauge "handrail_store_writer_up" [], "Whether the store takes changes: 1 or 0.";
    TRANSACTIONS: Counter "handrail_store_transactions_total" [], "Transactions made durable; a single create, update or delete is one.";
    TABLE_CHANGES: Counter "handrail_store_table_changes_total" [], "Changes of clients, tokens and keys made durable.";
    GROUP_JOBS: Histogram "handrail_store_group_jobs" [], "Transactions and table changes that shared one sync.";
    GROUP_COMMIT: Histogram "handrail_store_commit_duration_seconds" [], "Time of a group to stable storage; stalls come on top.";
    GROUPS_FAILED: Counter "handrail_store_groups_failed_total" [], "Groups that the engine could not write; the store takes no more changes then.";
    STALLS: Counter "handrail_store_stalls_total" [], "Times that the writer was held back for the engine to keep up.";
    STALLED: Counter "handrail_store_stalled_seconds_total" [], "How long, together.";
    HEAVY: Gauge "handrail_store_heavy_searches" [], "Costly searches that run.";
    HEAVY_LIMIT: Gauge "handrail_store_heavy_searches_limit" [], "How many may at once; further ones get 503.";
    ADDED_PARAMETERS: Gauge "handrail_store_added_search_parameters" ["state"], "Search parameters of added packages, by state: indexing, ready, removing.";
    INDEXED: Gauge "handrail_store_indexing_ratio" [], "How much of the indexing of added search parameters is done, from 0 to 1; of the one that is least far.";
    QUEUE: Gauge "handrail_store_queue_jobs" [], "Changes that wait for the writer.";
    QUEUE_LIMIT: Gauge "handrail_store_queue_jobs_limit" [], "How many may wait.";
    QUEUE_BYTES: Gauge "handrail_store_queue_bytes" [], "Bytes of changes that wait for the writer.";
    QUEUE_BYTES_LIMIT: Gauge "handrail_store_queue_bytes_limit" [], "How many may wait.";
    QUEUE_REFUSED: Counter "handrail_store_queue_refusals_total" [], "Changes refused because the queue was full.";

    ENGINE_DISK: Gauge "handrail_engine_disk_bytes" [], "Bytes of the engine's files, journals included.";
    ENGINE_JOURNAL: Gauge "handrail_engine_journal_bytes" [], "Bytes of its journals.";
    ENGINE_JOURNALS: Gauge "handrail_engine_journals" [], "Journals; one is being written.";
    ENGINE_MEMTABLE: Gauge "handrail_engine_memtable_bytes" [], "Bytes of changes in memory that are in the journals only.";
    ENGINE_FLUSHES: Gauge "handrail_engine_flushes_waiting" [], "Memtables that wait to be written as tables.";
    ENGINE_COMPACTIONS_ACTIVE: Gauge "handrail_engine_compactions_active" [], "Compactions at work.";
    ENGINE_COMPACTIONS: Counter "handrail_engine_compactions_total" [], "Compactions done.";
    ENGINE_COMPACTION_TIME: Counter "handrail_engine_compaction_seconds_total" [], "Time they took.";
    ENGINE_CACHE: Gauge "handrail_engine_cache_bytes" [], "Bytes in the block cache.";
    ENGINE_CACHE_LIMIT: Gauge "handrail_engine_cache_limit_bytes" [], "How many may be.";
    ENGINE_UNWRITTEN: Gauge "handrail_engine_unwritten_bytes" [], "Bytes of changes in no table yet; writes are held back when they are many.";
    MEMORY: Gauge "handrail_memory_kept_bytes" ["shelf"], "Bytes kept in memory because they are read again: places, versions, folders of patients.";
    MEMORY_LIMIT: Gauge "handrail_memory_kept_limit_bytes" ["shelf"], "How many may be.";
    MEMORY_ASKED: Counter "handrail_memory_asked_total" ["shelf"], "Times that something was looked for there.";
    MEMORY_FOUND: Counter "handrail_memory_found_total" ["shelf"], "Times that it was there.";
    ENGINE_KEYSPACE: Gauge "handrail_engine_keyspace_disk_bytes" ["keyspace"], "Bytes of the tables of a keyspace.";
    ENGINE_TABLES: Gauge "handrail_engine_keyspace_tables" ["keyspace"], "Tables of a keyspace.";
    ENGINE_L0: Gauge "handrail_engine_keyspace_l0_tables" ["keyspace"], "Tables of its first level; writes slow down when they become many.";

    AUDIT_UP: Gauge "handrail_audit_log_up" [], "Whether the audit log takes records: 1 or 0. Without it nothing is answered.";
    AUDIT_ENTRIES: Counter "handrail_audit_entries_total" [], "Number of the last audit record: all there ever were.";
    AUDIT_UNSYNCED: Gauge "handrail_audit_unsynced_entries" [], "Audit records not yet known to be on stable storage; they are within 50 ms.";
    AUDIT_CHECKPOINT: Gauge "handrail_audit_checkpoint_timestamp_seconds" [], "When the last checkpoint of the audit log was signed by this process, in seconds since 1970.";
    AUDIT_UNCOVERED: Gauge "handrail_audit_uncovered_entries" [], "Audit records since that checkpoint: what could be cut off unnoticed.";

    DISK_FREE: Gauge "handrail_disk_free_bytes" [], "Bytes free for this user on the disk of the data directory.";
    DISK_SIZE: Gauge "handrail_disk_size_bytes" [], "Bytes of that disk.";
    LOG_LOST: Counter "handrail_log_lines_lost_total" [], "Log lines dropped because standard error was not read fast enough.";

    RESIDENT: Gauge "process_resident_memory_bytes" [], "Memory of the process.";
    VIRTUAL: Gauge "process_virtual_memory_bytes" [], "Address space of the process.";
    CPU: Counter "process_cpu_seconds_total" [], "Processor time of the process, in user and system mode.";
    OPEN_FDS: Gauge "process_open_fds" [], "Open file descriptors.";
    MAX_FDS: Gauge "process_max_fds" [], "How many may be open.";
    THREADS: Gauge "process_threads" [], "Threads of the process.";
    STARTED: Gauge "process_start_time_seconds" [], "When the process started, in seconds since 1970.";
}
