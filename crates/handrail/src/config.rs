//! The configuration of `serve`: flags over environment over file over defaults, all from one table.
//!
//! - [`table`]: every setting, once. [`source`]: file, environment, flags. [`value`]: from text to value.
//! - [`problem`]: what is wrong and where, all of it at once. [`document`]: `docs/configuration.md`.
//!
//! A name that the table does not have is refused, in the file and as `HANDRAIL_…`. Relative paths are
//! relative to the file, those of environment and flags to the working directory.

#[cfg(test)]
mod document;
pub(crate) mod problem;
pub(crate) mod source;
pub(crate) mod table;
mod value;

use crate::{
    cors::Origin,
    egress::Network,
    forwarded::{Form, Proxies},
    listen::Listen,
    tls::client::{Files, Mode},
};
use authserver::{Branding, GlassRules};
use fhir::{ResourceType, issue::Severity};
use policy::consent::{Combine, Glass, Implicit};
use problem::{Place, Problem, Problems};
use source::{Flags, Written};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};
use table::{Setting, TABLE};
use value::Value;

pub(crate) use table::LISTEN_DEFAULT;

/// When the record of a read is on stable storage. That of a write always is, before the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Within 50 ms of the answer.
    Interval,
    /// Before the answer.
    Strict,
}

/// Certificate files of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertificateFiles {
    /// Chain, PEM, server certificate first.
    pub(crate) certificate: PathBuf,
    /// Key, PEM.
    pub(crate) key: PathBuf,
    /// OCSP response about the server's own, DER.
    pub(crate) staple: Option<PathBuf>,
}

/// The place to listen that is for clients with certificates.
#[derive(Debug)]
pub(crate) struct Mtls {
    /// Where.
    pub(crate) listen: Listen,
    /// Whether it goes on without.
    pub(crate) mode: Mode,
    /// The FHIR base there, as others reach it; by default what it listens on.
    pub(crate) base_url: Option<String>,
}

/// An outside OpenID provider that people may sign in through.
#[derive(Debug)]
pub(crate) struct OpenId {
    /// Its issuer, to the letter.
    pub(crate) issuer: String,
    /// Our name there.
    pub(crate) client_id: String,
    /// File of our secret there.
    pub(crate) secret_file: PathBuf,
    /// What people call it; by default its host.
    pub(crate) name: Option<String>,
}

/// What written resources are checked against beyond base R4 and what they claim.
#[derive(Debug, Clone)]
pub(crate) struct Validation {
    /// Canonicals of the profiles that each resource of a type must meet.
    pub(crate) required: BTreeMap<ResourceType, Vec<String>>,
    /// How bad a claimed profile is that is not loaded.
    pub(crate) unknown_profile: Severity,
    /// How bad it is when the target of a reference does not meet the profile asked for.
    pub(crate) target_profiles: Severity,
}

impl Default for Validation {
    fn default() -> Self {
        let rest::Checks { required, unknown_profile, target_profiles, .. } = rest::Checks::default();
        Self { required, unknown_profile, target_profiles }
    }
}

/// A configuration that can be used.
#[derive(Debug)]
pub(crate) struct Config {
    /// The data directory, when one was named.
    pub(crate) data: Option<PathBuf>,
    /// Where to listen.
    pub(crate) listen: Listen,
    /// The FHIR base that others use, `https://…/fhir`; by default what we listen on.
    pub(crate) base_url: Option<String>,
    /// Host names that requests may name, besides the base URL's (row A24).
    pub(crate) allowed_hosts: Vec<String>,
    /// Web origins that may call, besides those of registered clients (row A13).
    pub(crate) allowed_origins: Vec<Origin>,
    /// Certificate files; without them the local CA's.
    pub(crate) certificate: Option<CertificateFiles>,
    /// Further ones, chosen by the name that a client asks for.
    pub(crate) more_certificates: Vec<CertificateFiles>,
    /// `includeSubDomains` in the HSTS field (row A4).
    pub(crate) hsts_include_subdomains: bool,
    /// Whether clients are asked for a certificate at `listen` (row A6).
    pub(crate) client_certificates: Mode,
    /// Who vouches for clients, and whom no longer.
    pub(crate) client_trust: Files,
    /// The second place to listen.
    pub(crate) mtls: Option<Mtls>,
    /// Proxies that hand on certificates (row A9).
    pub(crate) proxies: Option<Proxies>,
    /// Durability of the audit record of reads.
    pub(crate) durability: Durability,
    /// Reports, disclosures, unusual access.
    pub(crate) watching: authserver::Watching,
    /// What counts as a disclosure.
    pub(crate) disclosures: audit::disclosure::Rule,
    /// Where the audit log is copied to, and how long it is kept here.
    pub(crate) keeping: crate::keeping::Keeping,
    /// Networks that outbound fetches may reach although they are not public (row F60).
    pub(crate) egress_networks: Vec<Network>,
    /// Whether the server makes a Provenance of each write (row F28).
    pub(crate) records_provenance: bool,
    /// Files of authorities that signatures on resources are believed of.
    pub(crate) signature_anchors: Vec<PathBuf>,
    /// Whether trust communities are believed there too.
    pub(crate) signature_communities: bool,
    /// CA file that outbound fetches trust, instead of the machine's anchors.
    pub(crate) egress_ca: Option<PathBuf>,
    /// Name of the facility.
    pub(crate) facility_name: Option<String>,
    /// File of breached passwords.
    pub(crate) breached_passwords: Option<PathBuf>,
    /// What apps are told of the facility.
    pub(crate) brand: Option<Branding>,
    /// See [`table::UDAP_STRICT_COMMUNITY`].
    pub(crate) strict_community: bool,
    /// See [`table::GLASS_MINUTES`], [`table::GLASS_REVIEW_DAYS`] and [`table::GLASS_KEEP_DAYS`].
    pub(crate) glass: GlassRules,
    /// See [`table::FACILITY_CONTACT`].
    pub(crate) contact: Option<String>,
    /// An outside OpenID provider.
    pub(crate) openid: Option<OpenId>,
    /// What the facility decided on who may see what.
    pub(crate) household: crate::household::Files,
    /// How consents count.
    pub(crate) consents: policy::consent::Settings,
    /// Checks of written resources.
    pub(crate) validation: Validation,
    /// Open connections.
    pub(crate) connections_max: usize,
    /// Requests worked on at once.
    pub(crate) requests_in_flight_max: usize,
    /// Where Prometheus reads, if anywhere.
    pub(crate) metrics_listen: Option<Listen>,
    /// Log lines.
    pub(crate) log: crate::log::Settings,
    /// What each setting is and where that comes from, in the order of the table.
    pub(crate) shown: Vec<Shown>,
}

/// A setting as `handrail config` shows it.
#[derive(Debug)]
pub(crate) struct Shown {
    /// Which.
    pub(crate) setting: &'static Setting,
    /// Its value as text.
    pub(crate) value: String,
    /// Where it comes from.
    pub(crate) place: Place,
}

/// Every value in effect.
struct Effective(Vec<(Written, Value)>);

impl Config {
    /// Reads the file that the flag `--config` or `HANDRAIL_CONFIG` names, the environment and the flags.
    ///
    /// # Errors
    /// [`Problems`]: all of them.
    pub(crate) fn read(file: Option<&Path>, flags: Flags) -> Result<Self, Problems> {
        Self::from_sources(file, std::env::vars_os(), flags)
    }

    /// The defaults.
    ///
    /// # Errors
    /// None, unless a default of the table is wrong; a test reads them.
    pub(crate) fn defaults() -> Result<Self, Problems> {
        Self::from_sources(None, std::iter::empty(), Flags::default())
    }

    fn from_sources(
        file: Option<&Path>,
        environment: impl Iterator<Item = (OsString, OsString)>,
        flags: Flags,
    ) -> Result<Self, Problems> {
        let (mut written, mut problems) = (Vec::new(), Vec::new());
        for setting in TABLE {
            if let Some(default) = setting.default {
                written.push(Written { setting, texts: vec![default.to_owned()], place: Place::Default });
            }
        }
        let environment: Vec<_> = environment.collect();
        let named = environment.iter().find(|(name, _)| name == source::FILE_VARIABLE).map(|(_, path)| Path::new(path));
        if let Some(path) = file.or(named) {
            match std::fs::read_to_string(path) {
                Ok(text) => source::file(path, &text, &mut written, &mut problems),
                Err(why) => problems.push(Problem::whole(format!("{}: {}", path.display(), unreadable(&why)))),
            }
        }
        source::environment(environment.into_iter(), &mut written, &mut problems);
        source::flags(flags, &mut written);
        // Every value is checked, also one that another overrides: it would be in effect one day.
        let mut effective = Effective(Vec::new());
        for written in written {
            match value::of(&written) {
                Ok(value) => effective.put(written, value),
                Err(text) => problems.push(Problem::new(written.place, text)),
            }
        }
        effective.belong_together(&mut problems);
        if problems.is_empty() { Ok(effective.config()) } else { Err(Problems(problems)) }
    }
}

fn unreadable(why: &std::io::Error) -> String {
    match why.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "this user may not read the file".to_owned(),
        std::io::ErrorKind::InvalidData => "the file is not UTF-8 text".to_owned(),
        std::io::ErrorKind::IsADirectory => "that is a directory; name the file in it".to_owned(),
        _ => why.to_string(),
    }
}

impl Effective {
    /// The later of two values counts: sources are read in the order of their precedence.
    fn put(&mut self, written: Written, value: Value) {
        self.0.retain(|(other, _)| other.setting != written.setting);
        self.0.push((written, value));
    }

    fn get(&self, setting: &Setting) -> Option<&Value> {
        self.0.iter().find(|(written, _)| written.setting == setting).map(|(_, value)| value)
    }

    fn belong_together(&self, problems: &mut Vec<Problem>) {
        let place = |setting: &Setting| {
            let (written, _) = self.0.iter().find(|(written, _)| written.setting == setting)?;
            Some(written.place.clone())
        };
        match (place(&table::TLS_CERTIFICATE), place(&table::TLS_KEY)) {
            (Some(place), None) => problems.push(Problem::new(place, "tls.certificate needs tls.key beside it")),
            (None, Some(place)) => problems.push(Problem::new(place, "tls.key needs tls.certificate beside it")),
            _ => {}
        }
        if self.get(&table::TLS_CERTIFICATE).is_none()
            && let Some(place) = place(&table::TLS_MORE_CERTIFICATES)
        {
            problems.push(Problem::new(place, "tls.more_certificates needs tls.certificate beside it"));
        }
        let needs = |setting: &'static Setting, other: &'static Setting, problems: &mut Vec<Problem>| {
            if self.is_empty(other)
                && let Some(place) = place(setting)
            {
                let text = format!("{} needs {} beside it", self.said(setting), other.name);
                problems.push(Problem::new(place, text));
            }
        };
        if self.text(&table::TLS_CLIENT_CERTIFICATES) == Some("required") {
            needs(&table::TLS_CLIENT_CERTIFICATES, &table::TLS_CLIENT_ANCHORS, problems);
        }
        if !self.is_empty(&table::MTLS_LISTEN) && self.text(&table::MTLS_CLIENT_CERTIFICATES) == Some("required") {
            needs(&table::MTLS_LISTEN, &table::TLS_CLIENT_ANCHORS, problems);
        }
        needs(&table::MTLS_BASE_URL, &table::MTLS_LISTEN, problems);
        needs(&table::FACILITY_WEBSITE, &table::FACILITY_NAME, problems);
        for setting in [
            &table::FACILITY_LOGO,
            &table::FACILITY_PORTAL_NAME,
            &table::FACILITY_PORTAL_DESCRIPTION,
            &table::FACILITY_PORTAL_URL,
            &table::FACILITY_DEVELOPERS_URL,
        ] {
            needs(setting, &table::FACILITY_WEBSITE, problems);
        }
        needs(&table::OPENID_ISSUER, &table::OPENID_CLIENT_ID, problems);
        needs(&table::OPENID_ISSUER, &table::OPENID_CLIENT_SECRET_FILE, problems);
        for setting in [&table::OPENID_CLIENT_ID, &table::OPENID_CLIENT_SECRET_FILE, &table::OPENID_NAME] {
            needs(setting, &table::OPENID_ISSUER, problems);
        }
        if let Some(Value::Count(days)) = self.get(&table::AUDIT_RETENTION_DAYS)
            && *days < crate::limits::RETENTION_DAYS_LEAST
            && self.get(&table::AUDIT_RETENTION_SHORT) != Some(&Value::Switch(true))
            && let Some(place) = place(&table::AUDIT_RETENTION_DAYS)
        {
            let least = crate::limits::RETENTION_DAYS_LEAST;
            let text = format!(
                "audit.retention_days is less than six years ({least}); where the law lets you, set audit.retention_short = true beside it"
            );
            problems.push(Problem::new(place, text));
        }
        needs(&table::AUDIT_SYSLOG_CERTIFICATE, &table::AUDIT_SYSLOG_KEY, problems);
        needs(&table::AUDIT_SYSLOG_KEY, &table::AUDIT_SYSLOG_CERTIFICATE, problems);
        for setting in [&table::AUDIT_SYSLOG_CA, &table::AUDIT_SYSLOG_CERTIFICATE] {
            needs(setting, &table::AUDIT_SYSLOG, problems);
        }
        needs(&table::TLS_OCSP_STAPLE, &table::TLS_CERTIFICATE, problems);
        if !self.is_empty(&table::TLS_CLIENT_CRLS) {
            needs(&table::TLS_CLIENT_CRLS, &table::TLS_CLIENT_ANCHORS, problems);
        }
        if self.text(&table::PROXY_CLIENT_CERTIFICATE) != Some("off") {
            needs(&table::PROXY_CLIENT_CERTIFICATE, &table::PROXY_ADDRESSES, problems);
        }
    }

    /// Whether it has no value, or a list of nothing.
    fn is_empty(&self, setting: &Setting) -> bool {
        match self.get(setting) {
            None => true,
            Some(Value::Paths(paths)) => paths.is_empty(),
            Some(Value::Networks(networks)) => networks.is_empty(),
            Some(_) => false,
        }
    }

    /// The setting, with its word where it is one.
    fn said(&self, setting: &Setting) -> String {
        self.text(setting)
            .filter(|_| matches!(setting.kind, table::Kind::OneOf(_)))
            .map_or_else(|| setting.name.to_owned(), |word| format!("{} = \"{word}\"", setting.name))
    }

    fn paths(&self, setting: &Setting) -> Vec<PathBuf> {
        self.get(setting)
            .and_then(|value| if let Value::Paths(paths) = value { Some(paths.clone()) } else { None })
            .unwrap_or_default()
    }

    fn proxies(&self) -> Option<Proxies> {
        let form = match self.text(&table::PROXY_CLIENT_CERTIFICATE) {
            Some("rfc9440") => Form::Rfc9440,
            Some("escaped-pem") => Form::EscapedPem,
            _ => return None,
        };
        let (Some(Value::Networks(networks)), Some(Value::Header(header))) =
            (self.get(&table::PROXY_ADDRESSES), self.get(&table::PROXY_CLIENT_CERTIFICATE_HEADER))
        else {
            return None;
        };
        Some(Proxies { networks: networks.clone(), form, header: header.clone() })
    }

    fn path(&self, setting: &Setting) -> Option<PathBuf> {
        self.get(setting).and_then(|value| if let Value::Path(path) = value { Some(path.clone()) } else { None })
    }

    fn listen(&self, setting: &Setting) -> Option<Listen> {
        self.get(setting).and_then(|value| if let Value::Listen(at) = value { Some(at.clone()) } else { None })
    }

    fn text(&self, setting: &Setting) -> Option<&str> {
        self.get(setting).and_then(|value| if let Value::Text(text) = value { Some(text.as_str()) } else { None })
    }

    fn count(&self, setting: &Setting, default: usize) -> usize {
        match self.get(setting) {
            Some(Value::Count(count)) => usize::try_from(*count).unwrap_or(default),
            _ => default,
        }
    }

    fn glass(&self) -> GlassRules {
        let count = |setting: &Setting, default: u32| {
            u32::try_from(self.count(setting, 0)).ok().filter(|count| *count > 0).unwrap_or(default)
        };
        let GlassRules { minutes, review_days, keep_days } = GlassRules::default();
        GlassRules {
            minutes: count(&table::GLASS_MINUTES, minutes),
            review_days: count(&table::GLASS_REVIEW_DAYS, review_days),
            keep_days: count(&table::GLASS_KEEP_DAYS, keep_days),
        }
    }

    fn days(&self, setting: &Setting) -> Option<i64> {
        match self.get(setting) {
            Some(Value::Count(count)) => i64::try_from(*count).ok(),
            _ => None,
        }
    }

    fn brand(&self) -> Option<Branding> {
        let text = |setting: &Setting| self.text(setting).map(str::to_owned);
        Some(Branding {
            website: text(&table::FACILITY_WEBSITE)?,
            logo: text(&table::FACILITY_LOGO),
            portal_name: text(&table::FACILITY_PORTAL_NAME),
            portal_description: text(&table::FACILITY_PORTAL_DESCRIPTION),
            portal_url: text(&table::FACILITY_PORTAL_URL),
            developers_url: text(&table::FACILITY_DEVELOPERS_URL),
        })
    }

    fn openid(&self) -> Option<OpenId> {
        Some(OpenId {
            issuer: self.text(&table::OPENID_ISSUER)?.to_owned(),
            client_id: self.text(&table::OPENID_CLIENT_ID)?.to_owned(),
            secret_file: self.path(&table::OPENID_CLIENT_SECRET_FILE)?,
            name: self.text(&table::OPENID_NAME).map(str::to_owned),
        })
    }

    fn consents(&self) -> policy::consent::Settings {
        let word = |setting| self.text(setting).unwrap_or_default();
        policy::consent::Settings {
            default: Implicit::parse(word(&table::CONSENT_DEFAULT)).unwrap_or_default(),
            combine: Combine::parse(word(&table::CONSENT_COMBINE)).unwrap_or_default(),
            glass: match self.get(&table::GLASS_OVERRIDES_CONSENT) {
                Some(Value::Switch(true)) => Glass::Overrides,
                _ => Glass::AsConsented,
            },
        }
    }

    fn validation(&self) -> Validation {
        let severity = |setting: &Setting| match self.text(setting) {
            Some("error") => Severity::Error,
            _ => Severity::Warning,
        };
        let mut required: BTreeMap<ResourceType, Vec<String>> = BTreeMap::new();
        if let Some(Value::Profiles(all)) = self.get(&table::VALIDATION_REQUIRED_PROFILES) {
            for (kind, canonical) in all {
                required.entry(*kind).or_default().push(canonical.clone());
            }
        }
        Validation {
            required,
            unknown_profile: severity(&table::VALIDATION_UNKNOWN_PROFILE),
            target_profiles: severity(&table::VALIDATION_TARGET_PROFILES),
        }
    }

    fn watching(&self) -> authserver::Watching {
        let count = |setting: &Setting, usual: u32| match self.get(setting) {
            Some(Value::Count(count)) => u32::try_from(*count).unwrap_or(u32::MAX),
            _ => usual,
        };
        let usual = audit::alarm::Thresholds::default();
        authserver::Watching {
            staff: match self.text(&table::AUDIT_STAFF_NAMES) {
                Some("role") => audit::report::StaffNames::Role,
                _ => audit::report::StaffNames::Shown,
            },
            thresholds: audit::alarm::Thresholds {
                rate: count(&table::AUDIT_UNUSUAL_READS, usual.rate),
                breadth: count(&table::AUDIT_UNUSUAL_PATIENTS, usual.breadth),
                refusals: count(&table::AUDIT_UNUSUAL_REFUSALS, usual.refusals),
            },
            protected: self.text(&table::AUDIT_PROTECTED_CODE).map(str::to_owned),
        }
    }

    fn config(self) -> Config {
        let is = |setting: &Setting, word: &str| self.text(setting) == Some(word);
        let certificate = self.path(&table::TLS_CERTIFICATE).zip(self.path(&table::TLS_KEY));
        Config {
            data: self.path(&table::DATA),
            listen: self.listen(&table::LISTEN).unwrap_or_else(Listen::usual),
            base_url: self.text(&table::BASE_URL).map(str::to_owned),
            allowed_hosts: match self.get(&table::ALLOWED_HOSTS) {
                Some(Value::Hosts(hosts)) => hosts.clone(),
                _ => Vec::new(),
            },
            allowed_origins: match self.get(&table::ALLOWED_ORIGINS) {
                Some(Value::Origins(origins)) => origins.clone(),
                _ => Vec::new(),
            },
            certificate: certificate.map(|(certificate, key)| CertificateFiles {
                certificate,
                key,
                staple: self.path(&table::TLS_OCSP_STAPLE),
            }),
            more_certificates: match self.get(&table::TLS_MORE_CERTIFICATES) {
                Some(Value::Pairs(pairs)) => pairs
                    .iter()
                    .map(|(chain, key)| CertificateFiles { certificate: chain.clone(), key: key.clone(), staple: None })
                    .collect(),
                _ => Vec::new(),
            },
            hsts_include_subdomains: self.get(&table::TLS_HSTS_INCLUDE_SUBDOMAINS) == Some(&Value::Switch(true)),
            client_certificates: Mode::of_word(self.text(&table::TLS_CLIENT_CERTIFICATES)),
            client_trust: Files {
                anchors: self.paths(&table::TLS_CLIENT_ANCHORS),
                lists: self.paths(&table::TLS_CLIENT_CRLS),
            },
            mtls: self.listen(&table::MTLS_LISTEN).map(|listen| Mtls {
                listen,
                mode: Mode::of_word(self.text(&table::MTLS_CLIENT_CERTIFICATES)),
                base_url: self.text(&table::MTLS_BASE_URL).map(str::to_owned),
            }),
            proxies: self.proxies(),
            durability: match is(&table::AUDIT_DURABILITY, "strict") {
                true => Durability::Strict,
                false => Durability::Interval,
            },
            watching: self.watching(),
            disclosures: match is(&table::AUDIT_DISCLOSURES, "all") {
                true => audit::disclosure::Rule::All,
                false => audit::disclosure::Rule::Outside,
            },
            keeping: crate::keeping::Keeping {
                directory: self.path(&table::AUDIT_EXPORT_DIRECTORY),
                days: match self.get(&table::AUDIT_RETENTION_DAYS) {
                    Some(Value::Count(days)) => Some(*days),
                    _ => None,
                },
                syslog: self.listen(&table::AUDIT_SYSLOG).map(|to| crate::keeping::Syslog {
                    to,
                    ca: self.path(&table::AUDIT_SYSLOG_CA),
                    own: self.path(&table::AUDIT_SYSLOG_CERTIFICATE).zip(self.path(&table::AUDIT_SYSLOG_KEY)),
                }),
            },
            egress_networks: match self.get(&table::EGRESS_ALLOW_NETWORKS) {
                Some(Value::Networks(networks)) => networks.clone(),
                _ => Vec::new(),
            },
            egress_ca: self.path(&table::EGRESS_CA),
            facility_name: self.text(&table::FACILITY_NAME).map(str::to_owned),
            breached_passwords: self.path(&table::PASSWORDS_BREACHED),
            brand: self.brand(),
            strict_community: self.get(&table::UDAP_STRICT_COMMUNITY) == Some(&Value::Switch(true)),
            glass: self.glass(),
            contact: self.text(&table::FACILITY_CONTACT).map(str::to_owned),
            openid: self.openid(),
            household: crate::household::Files {
                rules: self.path(&table::POLICY_FILE),
                four_eyes: self.get(&table::POLICY_FOUR_EYES) == Some(&Value::Switch(true)),
                shadow: self.path(&table::POLICY_SHADOW),
                labels: self.path(&table::LABELS_RULES),
                clinicians: match is(&table::ACCESS_CLINICIANS, "everyone") {
                    true => policy::Clinicians::Everyone,
                    false => policy::Clinicians::Related,
                },
                encounter_lookback_days: self.days(&table::ACCESS_ENCOUNTER_LOOKBACK),
                payer_lookback_days: self.days(&table::ACCESS_PAYER_LOOKBACK),
            },
            consents: self.consents(),
            validation: self.validation(),
            records_provenance: is(&table::PROVENANCE_RECORD, "writes"),
            signature_anchors: self.paths(&table::SIGNATURE_ANCHORS),
            signature_communities: self.get(&table::SIGNATURE_COMMUNITIES) == Some(&Value::Switch(true)),
            connections_max: self.count(&table::LIMITS_CONNECTIONS, crate::limits::CONNECTIONS_MAX),
            requests_in_flight_max: self
                .count(&table::LIMITS_REQUESTS_IN_FLIGHT, crate::limits::REQUESTS_IN_FLIGHT_MAX),
            metrics_listen: self.listen(&table::METRICS_LISTEN),
            log: crate::log::Settings::of_words(
                self.text(&table::LOG_LEVEL),
                self.text(&table::LOG_FORMAT),
                self.text(&table::LOG_ACCESS),
            ),
            shown: self.shown(),
        }
    }

    fn shown(&self) -> Vec<Shown> {
        let row = |setting: &'static Setting| match self.0.iter().find(|(written, _)| written.setting == setting) {
            Some((written, value)) => {
                let value = match value {
                    Value::Path(path) => path.display().to_string(),
                    Value::Text(text) => text.clone(),
                    Value::Listen(listen) => listen.to_string(),
                    _ => written.texts.join(", "),
                };
                Shown { setting, value, place: written.place.clone() }
            }
            None => Shown { setting, value: format!("({})", setting.without), place: Place::Default },
        };
        TABLE.iter().map(|setting| row(setting)).collect()
    }
}

#[cfg(test)]
mod tests;
