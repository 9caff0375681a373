//! The configuration file of `serve`: TOML, few settings, unknown ones refused with name and line.
//!
//! Relative paths are relative to the file. What is not here is a constant in `limits.rs`: a setting
//! must be worth its test, and none may weaken a check (invariant 12). The README lists them all.

use crate::{
    cors::Origin,
    egress::Network,
    http_client::Url,
    limits,
    listen::{Listen, NoListen},
};
use serde::Deserialize;
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// Why a configuration cannot be used.
#[derive(Debug)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    File(PathBuf, std::io::Error),
    /// Not TOML, an unknown setting, or a value of another type; the text has line and column.
    Toml(PathBuf, String),
    /// A value that is not acceptable: the setting and what it must be.
    Value(&'static str, String),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, why) => write!(f, "{}: {why}", path.display()),
            Self::Toml(path, why) => write!(f, "{}: {why}", path.display()),
            Self::Value(setting, why) => write!(f, "{setting}: {why}"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// The file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    listen: Option<String>,
    base_url: Option<String>,
    allowed_hosts: Vec<String>,
    allowed_origins: Vec<String>,
    tls: FileTls,
    audit: FileAudit,
    egress: FileEgress,
    limits: FileLimits,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileTls {
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    hsts_include_subdomains: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileAudit {
    durability: Durability,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileEgress {
    allow_networks: Vec<String>,
    ca: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileLimits {
    connections: Option<usize>,
    requests_in_flight: Option<usize>,
}

/// When the record of a read is on stable storage. That of a write always is, before the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Durability {
    /// Within 50 ms of the answer.
    #[default]
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
}

/// A configuration that can be used.
#[derive(Debug)]
pub(crate) struct Config {
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
    /// `includeSubDomains` in the HSTS field (row A4).
    pub(crate) hsts_include_subdomains: bool,
    /// Durability of the audit record of reads.
    pub(crate) durability: Durability,
    /// Networks that outbound fetches may reach although they are not public (row F60).
    pub(crate) egress_networks: Vec<Network>,
    /// CA file that outbound fetches trust, instead of the machine's anchors.
    pub(crate) egress_ca: Option<PathBuf>,
    /// Open connections.
    pub(crate) connections_max: usize,
    /// Requests worked on at once.
    pub(crate) requests_in_flight_max: usize,
}

/// Where `demo` and `serve` listen when nothing else is said.
pub(crate) const LISTEN_DEFAULT: &str = "127.0.0.1:8443";

impl Config {
    /// Reads the file, or takes the defaults.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub(crate) fn read(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else { return Self::new(File::default(), Path::new("")) };
        let text = std::fs::read_to_string(path).map_err(|why| ConfigError::File(path.to_owned(), why))?;
        let file = toml::from_str(&text).map_err(|why| ConfigError::Toml(path.to_owned(), why.to_string()))?;
        Self::new(file, path.parent().unwrap_or(Path::new("")))
    }

    fn new(file: File, folder: &Path) -> Result<Self, ConfigError> {
        let listen = file.listen.as_deref().unwrap_or(LISTEN_DEFAULT);
        let listen = listen.parse().map_err(|why: NoListen| ConfigError::Value("listen", why.to_string()))?;
        let base_url = file.base_url.as_deref().map(base_url).transpose()?;
        let certificate = match (file.tls.certificate, file.tls.key) {
            (Some(certificate), Some(key)) => {
                Some(CertificateFiles { certificate: folder.join(certificate), key: folder.join(key) })
            }
            (None, None) => None,
            _ => return Err(ConfigError::Value("tls", "certificate and key belong together; name both".into())),
        };
        let origin = |text: &String| {
            Origin::parse(text).map_err(|why| ConfigError::Value("allowed_origins", format!("'{text}': {why}")))
        };
        let network = |text: &String| {
            text.parse().map_err(|why| ConfigError::Value("egress.allow_networks", format!("'{text}': {why}")))
        };
        Ok(Self {
            listen,
            base_url,
            allowed_hosts: file.allowed_hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            allowed_origins: file.allowed_origins.iter().map(origin).collect::<Result<_, _>>()?,
            certificate,
            hsts_include_subdomains: file.tls.hsts_include_subdomains,
            durability: file.audit.durability,
            egress_networks: file.egress.allow_networks.iter().map(network).collect::<Result<_, _>>()?,
            egress_ca: file.egress.ca.map(|path| folder.join(path)),
            connections_max: bound("limits.connections", file.limits.connections, limits::CONNECTIONS_MAX)?,
            requests_in_flight_max: bound(
                "limits.requests_in_flight",
                file.limits.requests_in_flight,
                limits::REQUESTS_IN_FLIGHT_MAX,
            )?,
        })
    }
}

/// The base URL without a slash at its end.
fn base_url(text: &str) -> Result<String, ConfigError> {
    let fail = |why: String| ConfigError::Value("base_url", why);
    let url = Url::parse(text.trim_end_matches('/')).map_err(|why| fail(why.to_string()))?;
    if url.target() != "/fhir" {
        return Err(fail("it ends with /fhir, such as https://fhir.example.org/fhir".into()));
    }
    Ok(url.to_string())
}

/// A count from 1 to a million.
fn bound(setting: &'static str, value: Option<usize>, default: usize) -> Result<usize, ConfigError> {
    match value {
        None => Ok(default),
        Some(value) if (1..=1_000_000).contains(&value) => Ok(value),
        Some(_) => Err(ConfigError::Value(setting, "a number from 1 to 1000000".into())),
    }
}

#[cfg(test)]
mod tests;
