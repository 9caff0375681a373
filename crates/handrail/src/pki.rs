//! Certification authorities in a folder. SPEC: RFC 5280; rows A6, D7, D9.
//!
//! - [`authority`]: a private one, for clients and servers whose owner is also ours.
//! - [`community`]: one with an intermediate, which tells of revocations over http: a trust community for trying out.
//! - `parts`: what both are made of.

/// These seconds since the epoch as rcgen wants them; the type has no name here.
macro_rules! moment {
    ($seconds:expr) => {
        rcgen::date_time_ymd(1970, 1, 1) + std::time::Duration::from_secs(u64::try_from($seconds).unwrap_or_default())
    };
}

pub(crate) mod authority;
pub(crate) mod community;
mod parts;

pub(crate) use parts::alternative_names;

use rcgen::{
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, RevocationReason, RsaKeySize,
    SignatureAlgorithm,
};
use serde::{Deserialize, Serialize};
use std::{fmt, io, path::PathBuf};

/// Why the authority did not do it. For the person at the keyboard.
#[derive(Debug)]
pub(crate) enum PkiError {
    /// A file.
    File(PathBuf, io::Error),
    /// The folder holds an authority already.
    Exists(PathBuf),
    /// The folder holds none.
    Missing(PathBuf),
    /// Another command is at work in the folder.
    Busy(PathBuf),
    /// The register is not what this program wrote.
    Register(PathBuf),
    /// What was asked for cannot be.
    Asked(String),
    /// A certificate or key.
    Certificate(rcgen::Error),
}

impl fmt::Display for PkiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, why) => write!(f, "{}: {why}", path.display()),
            Self::Exists(folder) => write!(f, "{}: there is a certification authority already", folder.display()),
            Self::Missing(folder) => write!(f, "{}: there is no certification authority", folder.display()),
            Self::Busy(folder) => write!(f, "{}: another command is at work here", folder.display()),
            Self::Register(path) => write!(f, "{}: not a register of handrail", path.display()),
            Self::Asked(why) => f.write_str(why),
            Self::Certificate(why) => write!(f, "the certificate cannot be made: {why}"),
        }
    }
}

impl std::error::Error for PkiError {}

impl From<rcgen::Error> for PkiError {
    fn from(why: rcgen::Error) -> Self {
        Self::Certificate(why)
    }
}

/// The curve of a new key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Curve {
    /// P-256.
    P256,
    /// P-384.
    P384,
}

impl Curve {
    /// Makes a key.
    fn key(self) -> Result<KeyPair, PkiError> {
        Ok(KeyPair::generate_for(self.algorithm())?)
    }

    fn algorithm(self) -> &'static SignatureAlgorithm {
        match self {
            Self::P256 => &PKCS_ECDSA_P256_SHA256,
            Self::P384 => &PKCS_ECDSA_P384_SHA384,
        }
    }
}

/// What a new key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// RSA of 2048 bits: what every member of a trust community must be able to verify (row D8).
    Rsa,
    /// ECDSA.
    Ec(Curve),
}

impl KeyKind {
    /// RSA unless a curve is given.
    pub(crate) fn of(curve: Option<Curve>) -> Self {
        curve.map_or(Self::Rsa, Self::Ec)
    }

    fn key(self) -> Result<KeyPair, PkiError> {
        match self {
            Self::Rsa => Ok(KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?),
            Self::Ec(curve) => curve.key(),
        }
    }
}

/// Whom a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Use {
    /// A client of this or another server.
    Client,
    /// A server.
    Server,
}

/// Why a certificate is revoked. SPEC: RFC 5280 section 5.3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reason {
    /// No reason is told.
    Unspecified,
    /// Someone else may have the key.
    KeyCompromise,
    /// There is a newer one.
    Superseded,
    /// Its holder is no more.
    Cessation,
    /// Its holder may no longer.
    PrivilegeWithdrawn,
}

impl Reason {
    /// As rcgen has it; its number is the standard's.
    fn code(self) -> RevocationReason {
        match self {
            Self::Unspecified => RevocationReason::Unspecified,
            Self::KeyCompromise => RevocationReason::KeyCompromise,
            Self::Superseded => RevocationReason::Superseded,
            Self::Cessation => RevocationReason::CessationOfOperation,
            Self::PrivilegeWithdrawn => RevocationReason::PrivilegeWithdrawn,
        }
    }
}
