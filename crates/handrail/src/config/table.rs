//! The table of settings: what file, environment, flags and `docs/configuration.md` are all made of.
//!
//! A setting must be worth its test, and none may weaken a check (invariant 12). What is not here is
//! a constant in `limits.rs`.

use crate::limits;

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `HOST:PORT`.
    Listen,
    /// A FHIR base: `https://HOST[:PORT]/fhir`.
    BaseUrl,
    /// A file or directory.
    Path,
    /// `true` or `false`.
    Switch,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number within these bounds.
    Count(u64, u64),
    /// Host names.
    Hosts,
    /// Web origins.
    Origins,
    /// Networks in CIDR notation.
    Networks,
    /// Profiles that resources of a type must meet: `TYPE=CANONICAL`.
    Profiles,
    /// Files.
    Paths,
    /// Certificates with their keys: `CHAIN=KEY`, two files.
    Pairs,
    /// The name of a header field.
    Header,
    /// A few words for people, on one line.
    Words,
    /// An https URL.
    Url,
    /// An e-mail address.
    Mail,
}

impl Kind {
    /// Whether it is a list: an array in the file, divided by commas elsewhere.
    pub(crate) const fn is_list(self) -> bool {
        matches!(self, Self::Hosts | Self::Origins | Self::Networks | Self::Profiles | Self::Paths | Self::Pairs)
    }

    /// What is expected, for error texts and the document.
    pub(crate) fn expected(self) -> String {
        match self {
            Self::Listen => "HOST:PORT, such as 127.0.0.1:8443, [::1]:8443 or 0.0.0.0:443".into(),
            Self::BaseUrl => "an https URL that ends with /fhir, such as https://fhir.example.org/fhir".into(),
            Self::Path => "a path".into(),
            Self::Switch => "true or false".into(),
            Self::OneOf(words) => format!("one of {}", words.join(", ")),
            Self::Count(from, to) => format!("a whole number from {from} to {to}"),
            Self::Hosts => "a list of host names".into(),
            Self::Origins => "a list of origins, such as https://app.example.org".into(),
            Self::Networks => "a list of networks, such as 10.1.0.0/16 or fd00::/8".into(),
            Self::Paths => "a list of paths".into(),
            Self::Pairs => "a list of CHAIN=KEY, such as /etc/handrail/other.pem=/etc/handrail/other.key".into(),
            Self::Words => "a few words on one line".into(),
            Self::Url => "an https URL, such as https://id.example.org".into(),
            Self::Mail => "an e-mail address, such as it@example.org".into(),
            Self::Header => "the name of a header field, such as X-Client-Cert".into(),
            Self::Profiles => {
                "a list of TYPE=PROFILE, such as Observation=http://example.org/StructureDefinition/ours".into()
            }
        }
    }

    /// What stands behind the flag in help lines.
    pub(crate) const fn value_name(self) -> &'static str {
        match self {
            Self::Listen => "HOST:PORT",
            Self::BaseUrl | Self::Url => "URL",
            Self::Mail => "ADDRESS",
            Self::Path => "PATH",
            Self::Switch => "true|false",
            Self::OneOf(_) => "WORD",
            Self::Count(..) => "N",
            Self::Hosts => "HOST,…",
            Self::Origins => "ORIGIN,…",
            Self::Networks => "NETWORK,…",
            Self::Profiles => "TYPE=URL,…",
            Self::Paths => "PATH,…",
            Self::Pairs => "CHAIN=KEY,…",
            Self::Words => "WORDS",
            Self::Header => "NAME",
        }
    }
}

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Name in the file; what stands before a dot is the file's section.
    pub(crate) name: &'static str,
    /// Environment variable.
    pub(crate) variable: &'static str,
    /// Flag of `serve`, without `--`.
    pub(crate) flag: &'static str,
    /// What its value must be.
    pub(crate) kind: Kind,
    /// Its value when nothing is said, as an operator would write it; `None` for none.
    pub(crate) default: Option<&'static str>,
    /// What happens without a value, when there is no default.
    pub(crate) without: &'static str,
    /// One line for help and document.
    pub(crate) meaning: &'static str,
}

/// Where `demo` and `serve` listen when nothing else is said.
pub(crate) const LISTEN_DEFAULT: &str = "127.0.0.1:8443";

macro_rules! settings {
    ($($id:ident: $name:literal $variable:literal $flag:literal $kind:expr, $default:expr, $without:literal, $meaning:literal;)*) => {
        $(
            #[doc = $meaning]
            pub(crate) static $id: Setting = Setting {
                name: $name, variable: $variable, flag: $flag, kind: $kind, default: $default, without: $without,
                meaning: $meaning,
            };
        )*
        /// Every setting, in the order of the document.
        pub(crate) static TABLE: &[&Setting] = &[$(&$id),*];
    };
}

settings! {
    DATA: "data" "HANDRAIL_DATA" "data" Kind::Path, None, "none, it must be named",
        "data directory; made when it does not exist";
    LISTEN: "listen" "HANDRAIL_LISTEN" "listen" Kind::Listen, Some(LISTEN_DEFAULT), "",
        "where to listen; port 0 picks a free one";
    BASE_URL: "base_url" "HANDRAIL_BASE_URL" "base-url" Kind::BaseUrl, None, "what it listens on",
        "the FHIR base that others use; links, issuer and token audience are made of it, never of a request's Host";
    ALLOWED_HOSTS: "allowed_hosts" "HANDRAIL_ALLOWED_HOSTS" "allowed-hosts" Kind::Hosts, None, "none",
        "further host names that requests may name";
    ALLOWED_ORIGINS: "allowed_origins" "HANDRAIL_ALLOWED_ORIGINS" "allowed-origins" Kind::Origins, None, "none",
        "web origins that may call, besides those of registered clients";
    TLS_CERTIFICATE: "tls.certificate" "HANDRAIL_TLS_CERTIFICATE" "tls-certificate" Kind::Path, None, "a local CA",
        "PEM file of the certificate chain, the server's own first; goes with tls.key";
    TLS_KEY: "tls.key" "HANDRAIL_TLS_KEY" "tls-key" Kind::Path, None, "a local CA",
        "PEM file of its key: RSA from 2048 bits, P-256, P-384 or P-521";
    TLS_OCSP_STAPLE: "tls.ocsp_staple" "HANDRAIL_TLS_OCSP_STAPLE" "tls-ocsp-staple" Kind::Path, None, "none",
        "file of an OCSP response (DER) about tls.certificate, kept fresh by a program of yours; it is shown with handshakes while it is current";
    TLS_MORE_CERTIFICATES: "tls.more_certificates" "HANDRAIL_TLS_MORE_CERTIFICATES" "tls-more-certificates" Kind::Pairs, None, "none",
        "further PEM chains with their keys, for clients that name one of their hosts (SNI); tls.certificate is for all others";
    TLS_HSTS_INCLUDE_SUBDOMAINS: "tls.hsts_include_subdomains" "HANDRAIL_TLS_HSTS_INCLUDE_SUBDOMAINS" "tls-hsts-include-subdomains"
        Kind::Switch, Some("false"), "",
        "adds includeSubDomains to Strict-Transport-Security";
    TLS_CLIENT_CERTIFICATES: "tls.client_certificates" "HANDRAIL_TLS_CLIENT_CERTIFICATES" "tls-client-certificates"
        Kind::OneOf(&["off", "optional", "required"]), Some("off"), "",
        "certificates of clients at listen: never asked for (off), asked for and taken when they are of an anchor or self-signed (optional), or nobody is let in without one of an anchor (required)";
    TLS_CLIENT_ANCHORS: "tls.client_anchors" "HANDRAIL_TLS_CLIENT_ANCHORS" "tls-client-anchors" Kind::Paths, None, "none",
        "PEM files of the CAs that vouch for clients; read again when they change";
    TLS_CLIENT_CRLS: "tls.client_crls" "HANDRAIL_TLS_CLIENT_CRLS" "tls-client-crls" Kind::Paths, None, "none",
        "files of their revocation lists, PEM or DER; read again when they change; with any list, a certificate is refused when there is no current one of each issuer in its chain";
    MTLS_LISTEN: "mtls.listen" "HANDRAIL_MTLS_LISTEN" "mtls-listen" Kind::Listen, None, "off",
        "a second place to listen, for clients with certificates";
    MTLS_CLIENT_CERTIFICATES: "mtls.client_certificates" "HANDRAIL_MTLS_CLIENT_CERTIFICATES" "mtls-client-certificates"
        Kind::OneOf(&["optional", "required"]), Some("required"), "",
        "certificates of clients there, as tls.client_certificates";
    MTLS_BASE_URL: "mtls.base_url" "HANDRAIL_MTLS_BASE_URL" "mtls-base-url" Kind::BaseUrl, None, "what it listens on",
        "the FHIR base at that place as others reach it; discovery documents name its token endpoint in mtls_endpoint_aliases";
    PROXY_ADDRESSES: "proxy.addresses" "HANDRAIL_PROXY_ADDRESSES" "proxy-addresses" Kind::Networks, None, "none",
        "where the proxies are that end TLS in front of this server";
    PROXY_CLIENT_CERTIFICATE: "proxy.client_certificate" "HANDRAIL_PROXY_CLIENT_CERTIFICATE" "proxy-client-certificate"
        Kind::OneOf(&["off", "rfc9440", "escaped-pem"]), Some("off"), "",
        "how they hand on the certificate that their client proved to hold: not at all, as RFC 9440 says, or as percent-encoded PEM (nginx: $ssl_client_escaped_cert); the header counts from these addresses alone";
    PROXY_CLIENT_CERTIFICATE_HEADER: "proxy.client_certificate_header" "HANDRAIL_PROXY_CLIENT_CERTIFICATE_HEADER" "proxy-client-certificate-header"
        Kind::Header, Some("Client-Cert"), "",
        "the header field that they put it in, and that they must take away from what their clients send";
    AUDIT_DURABILITY: "audit.durability" "HANDRAIL_AUDIT_DURABILITY" "audit-durability"
        Kind::OneOf(&["interval", "strict"]), Some("interval"), "",
        "when the record of a read is on stable storage: within 50 ms (interval) or before the answer (strict); that of a write always is before";
    ACCESS_CLINICIANS: "access.clinicians" "HANDRAIL_ACCESS_CLINICIANS" "access-clinicians"
        Kind::OneOf(&["related", "everyone"]), Some("related"), "",
        "whose records clinicians see: those of the patients whom they have to do with (docs/access.md), or everyone's";
    ACCESS_ENCOUNTER_LOOKBACK: "access.encounter_lookback" "HANDRAIL_ACCESS_ENCOUNTER_LOOKBACK" "access-encounter-lookback"
        Kind::Count(0, limits::LOOKBACK_DAYS_MAX), Some("30"), "",
        "days for which a finished encounter, or an appointment that is past, still relates the clinicians who took part";
    ACCESS_PAYER_LOOKBACK: "access.payer_lookback" "HANDRAIL_ACCESS_PAYER_LOOKBACK" "access-payer-lookback"
        Kind::Count(0, limits::LOOKBACK_DAYS_MAX), Some("365"), "",
        "days for which a payer still sees what a coverage covered that has ended: claims are settled after it";
    AUDIT_STAFF_NAMES: "audit.staff_names" "HANDRAIL_AUDIT_STAFF_NAMES" "audit-staff-names"
        Kind::OneOf(&["shown", "role"]), Some("shown"), "",
        "what patients and caregivers are told of staff who saw their record: name and role, or the role alone";
    AUDIT_DISCLOSURES: "audit.disclosures" "HANDRAIL_AUDIT_DISCLOSURES" "audit-disclosures"
        Kind::OneOf(&["outside", "all"]), Some("outside"), "",
        "what of that which leaves to organizations and to others' systems is accounted for as a disclosure: what left for another purpose than treatment, payment, operations or the patient's own wish (outside), or everything (all)";
    AUDIT_PROTECTED_CODE: "audit.protected_code" "HANDRAIL_AUDIT_PROTECTED_CODE" "audit-protected-code"
        Kind::Words, None, "CEL, VIP and EMP",
        "a code in meta.tag or meta.security of a Patient that makes each look of the staff an unusual one, beside CEL, VIP and EMP";
    AUDIT_UNUSUAL_READS: "audit.unusual_reads" "HANDRAIL_AUDIT_UNUSUAL_READS" "audit-unusual-reads"
        Kind::Count(0, 1_000_000), Some("300"), "",
        "reads and searches of one of the staff in ten minutes, beyond which a privacy officer is told; 0 turns it off";
    AUDIT_UNUSUAL_PATIENTS: "audit.unusual_patients" "HANDRAIL_AUDIT_UNUSUAL_PATIENTS" "audit-unusual-patients"
        Kind::Count(0, 100_000), Some("60"), "",
        "records that one of the staff opens in an hour, beyond which a privacy officer is told; 0 turns it off";
    AUDIT_UNUSUAL_REFUSALS: "audit.unusual_refusals" "HANDRAIL_AUDIT_UNUSUAL_REFUSALS" "audit-unusual-refusals"
        Kind::Count(0, 100_000), Some("20"), "",
        "refusals within ten minutes after which something that is shown is told to a privacy officer; 0 turns it off";
    AUDIT_EXPORT_DIRECTORY: "audit.export_directory" "HANDRAIL_AUDIT_EXPORT_DIRECTORY" "audit-export-directory"
        Kind::Path, None, "the log stays here alone",
        "where finished parts of the audit log are copied to, as read-only files with checkpoints and keys; 'handrail audit verify' takes the directory";
    AUDIT_SYSLOG: "audit.syslog" "HANDRAIL_AUDIT_SYSLOG" "audit-syslog" Kind::Listen, None, "no repository",
        "a repository that takes audit messages (DICOM, as ATNA feeds have them) by syslog over TLS, such as arr.example.org:6514; what it does not get is sent later";
    AUDIT_SYSLOG_CA: "audit.syslog_ca" "HANDRAIL_AUDIT_SYSLOG_CA" "audit-syslog-ca" Kind::Path, None, "the machine's anchors",
        "PEM file of the CA that vouches for the repository, and nobody else";
    AUDIT_SYSLOG_CERTIFICATE: "audit.syslog_certificate" "HANDRAIL_AUDIT_SYSLOG_CERTIFICATE" "audit-syslog-certificate"
        Kind::Path, None, "none is shown",
        "PEM file of the certificate that is shown to the repository, with its chain";
    AUDIT_SYSLOG_KEY: "audit.syslog_key" "HANDRAIL_AUDIT_SYSLOG_KEY" "audit-syslog-key" Kind::Path, None, "none",
        "PEM file of its private key";
    AUDIT_RETENTION_DAYS: "audit.retention_days" "HANDRAIL_AUDIT_RETENTION_DAYS" "audit-retention-days"
        Kind::Count(1, 36_500), None, "for ever",
        "days for which the audit log is kept; fewer than 2192 (six years) need audit.retention_short; with audit.export_directory only what stands there is removed";
    AUDIT_RETENTION_SHORT: "audit.retention_short" "HANDRAIL_AUDIT_RETENTION_SHORT" "audit-retention-short"
        Kind::Switch, Some("false"), "",
        "the law here lets the audit log be kept for less than six years";
    POLICY_FILE: "policy.file" "HANDRAIL_POLICY_FILE" "policy-file" Kind::Path, None, "no rules",
        "file of the facility's own rules on who may see what (docs/policy.md); read again on SIGHUP and by 'handrail policy reload'";
    POLICY_FOUR_EYES: "policy.four_eyes" "HANDRAIL_POLICY_FOUR_EYES" "policy-four-eyes" Kind::Switch, Some("false"), "",
        "other rules come into force when a second administrator approves them (docs/policy.md); from then on the file is not read";
    POLICY_SHADOW: "policy.shadow" "HANDRAIL_POLICY_SHADOW" "policy-shadow" Kind::Path, None, "none",
        "file of rules that rule nobody: what they would decide otherwise of real requests is told by 'handrail policy shadow' (docs/policy.md); read again as policy.file is";
    LABELS_RULES: "labels.rules" "HANDRAIL_LABELS_RULES" "labels-rules" Kind::Path, None, "the standard clearances, and no rules",
        "file on security labels: who is cleared for what, and which labels resources get (docs/labels.md); read again on SIGHUP and by 'handrail policy reload'";
    EGRESS_ALLOW_NETWORKS: "egress.allow_networks" "HANDRAIL_EGRESS_ALLOW_NETWORKS" "egress-allow-networks"
        Kind::Networks, None, "none",
        "networks that fetches of client keys may reach although they are not public";
    EGRESS_CA: "egress.ca" "HANDRAIL_EGRESS_CA" "egress-ca" Kind::Path, None, "the machine's anchors",
        "CA file for those fetches";
    FACILITY_NAME: "facility.name" "HANDRAIL_FACILITY_NAME" "facility-name" Kind::Words, None, "the host of base_url",
        "name of the facility, as its people know it: on every page";
    FACILITY_WEBSITE: "facility.website" "HANDRAIL_FACILITY_WEBSITE" "facility-website" Kind::Url, None, "/brands is not there",
        "public website of the facility: with it, /brands tells apps whose server this is; its root without www. identifies the facility";
    FACILITY_LOGO: "facility.logo" "HANDRAIL_FACILITY_LOGO" "facility-logo" Kind::Url, None, "none",
        "address of the facility's logo for those apps: an SVG, or a PNG of 1024 by 1024; goes with facility.website";
    FACILITY_CONTACT: "facility.contact" "HANDRAIL_FACILITY_CONTACT" "facility-contact" Kind::Mail, None, "none",
        "e-mail address of who runs this server: told to identity providers of trust communities, which ask for it";
    FACILITY_PORTAL_NAME: "facility.portal_name" "HANDRAIL_FACILITY_PORTAL_NAME" "facility-portal-name" Kind::Words, None, "facility.name",
        "what people call the place where they sign in; goes with facility.website";
    FACILITY_PORTAL_DESCRIPTION: "facility.portal_description" "HANDRAIL_FACILITY_PORTAL_DESCRIPTION" "facility-portal-description" Kind::Words, None, "none",
        "who may sign in there, and what they find; goes with facility.website";
    FACILITY_PORTAL_URL: "facility.portal_url" "HANDRAIL_FACILITY_PORTAL_URL" "facility-portal-url" Kind::Url, None, "the page of one's apps here",
        "where people sign in; goes with facility.website";
    FACILITY_DEVELOPERS_URL: "facility.developers_url" "HANDRAIL_FACILITY_DEVELOPERS_URL" "facility-developers-url" Kind::Url, None, "facility.website",
        "where developers of apps learn how to register; goes with facility.website";
    PASSWORDS_BREACHED: "passwords.breached" "HANDRAIL_PASSWORDS_BREACHED" "passwords-breached" Kind::Path, None, "our own rules alone",
        "file of breached passwords that nobody may choose: sorted lines of SHA-1 sums, as Have I Been Pwned gives them out";
    GLASS_MINUTES: "glass.minutes" "HANDRAIL_GLASS_MINUTES" "glass-minutes" Kind::Count(5, authserver::limits::GLASS_MINUTES_MAX), Some("60"), "",
        "minutes for which a clinician with that right sees a record by breaking the glass";
    GLASS_REVIEW_DAYS: "glass.review_days" "HANDRAIL_GLASS_REVIEW_DAYS" "glass-review-days" Kind::Count(1, 90), Some("3"), "",
        "days within which a privacy officer is to judge it; later the log, a metric and the page say so";
    GLASS_KEEP_DAYS: "glass.keep_days" "HANDRAIL_GLASS_KEEP_DAYS" "glass-keep-days" Kind::Count(30, 36_500), Some("2192"), "",
        "days for which a case is kept after its verdict; one that waits is kept until it has one";
    GLASS_OVERRIDES_CONSENT: "glass.overrides_consent" "HANDRAIL_GLASS_OVERRIDES_CONSENT" "glass-overrides-consent"
        Kind::Switch, Some("false"), "",
        "a broken glass opens what a consent denies, unless that consent names emergencies; false: only what a consent leaves open for emergencies";
    OPENID_ISSUER: "openid.issuer" "HANDRAIL_OPENID_ISSUER" "openid-issuer" Kind::Url, None, "none",
        "issuer of an outside OpenID provider that people may sign in through, to the letter";
    OPENID_CLIENT_ID: "openid.client_id" "HANDRAIL_OPENID_CLIENT_ID" "openid-client-id" Kind::Words, None, "none",
        "this server's name at that provider; goes with openid.issuer";
    OPENID_CLIENT_SECRET_FILE: "openid.client_secret_file" "HANDRAIL_OPENID_CLIENT_SECRET_FILE" "openid-client-secret-file" Kind::Path, None, "none",
        "file with this server's secret at that provider; goes with openid.issuer";
    OPENID_NAME: "openid.name" "HANDRAIL_OPENID_NAME" "openid-name" Kind::Words, None, "the host of openid.issuer",
        "what people call that provider: on its button";
    UDAP_STRICT_COMMUNITY: "udap.strict_community" "HANDRAIL_UDAP_STRICT_COMMUNITY" "udap-strict-community"
        Kind::Switch, Some("false"), "",
        "who asks for the UDAP metadata of a trust community that is not known here gets nothing (204), not those of the first one";
    CONSENT_DEFAULT: "consent.default" "HANDRAIL_CONSENT_DEFAULT" "consent-default"
        Kind::OneOf(&["all-normal", "basic-normal", "break-glass-only", "deny"]), Some("all-normal"), "",
        "what others see of a patient where no Consent speaks: all that they reach, what they reach for treatment, what they reach behind a broken glass, or nothing";
    CONSENT_COMBINE: "consent.combine" "HANDRAIL_CONSENT_COMBINE" "consent-combine"
        Kind::OneOf(&["deny-overrides", "newest"]), Some("deny-overrides"), "",
        "which of several Consents of a patient counts: what denies, or the newest that says anything of a resource";
    VALIDATION_REQUIRED_PROFILES: "validation.required_profiles" "HANDRAIL_VALIDATION_REQUIRED_PROFILES" "validation-required-profiles"
        Kind::Profiles, None, "none",
        "profiles that every resource of a type must meet when it is written, besides those that it claims itself";
    VALIDATION_UNKNOWN_PROFILE: "validation.unknown_profile" "HANDRAIL_VALIDATION_UNKNOWN_PROFILE" "validation-unknown-profile"
        Kind::OneOf(&["warning", "error"]), Some("warning"), "",
        "what a profile is that a written resource claims and that is not loaded; an error refuses the write";
    VALIDATION_TARGET_PROFILES: "validation.target_profiles" "HANDRAIL_VALIDATION_TARGET_PROFILES" "validation-target-profiles"
        Kind::OneOf(&["warning", "error"]), Some("warning"), "",
        "what it is when a written resource refers to one that does not meet the profile the reference asks for";
    PROVENANCE_RECORD: "provenance.record" "HANDRAIL_PROVENANCE_RECORD" "provenance-record"
        Kind::OneOf(&["none", "writes"]), Some("none"), "",
        "whether the server makes a Provenance of each resource that is written, in the same commit: none, for the audit log says the same, or writes, which about doubles what a write costs and stores";
    SIGNATURE_ANCHORS: "signature.anchors" "HANDRAIL_SIGNATURE_ANCHORS" "signature-anchors" Kind::Paths, None, "none",
        "PEM files of the authorities whose certificates are believed in signatures on resources; read at the start";
    SIGNATURE_COMMUNITIES: "signature.communities" "HANDRAIL_SIGNATURE_COMMUNITIES" "signature-communities"
        Kind::Switch, Some("false"), "",
        "the authorities of trust communities (UDAP) are believed there too";
    LIMITS_CONNECTIONS: "limits.connections" "HANDRAIL_LIMITS_CONNECTIONS" "limits-connections"
        Kind::Count(1, limits::CONFIGURED_MAX), Some("1024"), "",
        "open connections; resting ones give way to newcomers";
    LIMITS_REQUESTS_IN_FLIGHT: "limits.requests_in_flight" "HANDRAIL_LIMITS_REQUESTS_IN_FLIGHT" "limits-requests-in-flight"
        Kind::Count(1, limits::CONFIGURED_MAX), Some("512"), "",
        "requests worked on at once; further ones get 503 with Retry-After";
    METRICS_LISTEN: "metrics.listen" "HANDRAIL_METRICS_LISTEN" "metrics-listen" Kind::Listen, None, "off",
        "where Prometheus reads /metrics, over plain HTTP and without a token: keep it on 127.0.0.1 or in a network of its own";
    LOG_LEVEL: "log.level" "HANDRAIL_LOG_LEVEL" "log-level"
        Kind::OneOf(&["error", "warn", "info", "debug", "trace"]), Some("info"), "",
        "log lines from this severity on; libraries never write more than warnings";
    LOG_FORMAT: "log.format" "HANDRAIL_LOG_FORMAT" "log-format"
        Kind::OneOf(&["auto", "json", "text"]), Some("auto"), "",
        "auto: text on a terminal, else JSON";
    LOG_ACCESS: "log.access" "HANDRAIL_LOG_ACCESS" "log-access"
        Kind::OneOf(&["off", "problems", "all"]), Some("problems"), "",
        "which requests get a line: none, those answered with 4xx or 5xx or slower than a second, or all";
}

/// Settings whose name is like a mistaken one, nearest first; at most one.
pub(crate) fn nearest<'a>(mistaken: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mistaken = mistaken.to_ascii_lowercase();
    let reach = (mistaken.chars().count() / 3).clamp(1, 4);
    let near = |name: &&str| distance(&mistaken, &name.to_ascii_lowercase());
    names
        .map(|name| (near(&name), name))
        .filter(|(far, _)| *far <= reach)
        .min_by_key(|(far, _)| *far)
        .map(|(_, name)| name)
}

/// Edits (insert, remove, replace a character) between two texts.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, c) in one.chars().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(at + 1);
        for (pair, d) in row.windows(2).zip(&other) {
            let [above_left, above] = pair else { continue };
            let left = next.last().copied().unwrap_or_default();
            next.push((above_left + usize::from(c != *d)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
