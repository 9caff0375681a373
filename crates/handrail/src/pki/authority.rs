//! A private certification authority in a folder, for those who have none. SPEC: RFC 5280; row A6.
//!
//! | file | what |
//! |---|---|
//! | `ca.pem` | the authority's certificate: what servers and clients are told to trust |
//! | `ca.key` | its key, 0600: it never leaves this folder |
//! | `crl.pem` | the revocation list |
//! | `register.json` | every certificate that was made, and which are revoked |
//! | `NAME.pem`, `NAME.key` | a certificate with its chain, and its key, 0600 |
//!
//! A certificate stands in the register before its file is there: what is not registered could not be revoked. Keys are
//! ECDSA, P-256 unless P-384 is asked for. Intermediates, OCSP and distribution points: `super::community`.

use super::{
    Curve, PkiError, Reason, Use,
    parts::{
        DAY_S, Row, bytes, certified, checked, distinguished, hex, hold, places, put, put_key, revoke, serial, text,
        valid,
    },
};
use crate::tls::private_file;
use fhir::Instant;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// A certificate of the register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issued {
    /// Serial number, hexadecimal.
    pub(crate) serial: String,
    /// Name of its files.
    pub(crate) name: String,
    /// Whom it is for.
    pub(crate) kind: Use,
    /// When it was made, in seconds since the epoch.
    pub(crate) made_s: i64,
    /// When it ends.
    pub(crate) ends_s: i64,
    /// When and why it was revoked.
    pub(crate) revoked: Option<(i64, Reason)>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Register {
    /// Format of this file.
    format: u8,
    /// Days that a revocation list counts.
    list_days: u32,
    /// Number of the last one.
    list_number: u64,
    issued: Vec<Issued>,
}

/// A certificate that is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Name of its files.
    pub(crate) name: String,
    /// Common name.
    pub(crate) common_name: String,
    /// Organization.
    pub(crate) organization: Option<String>,
    /// Alternative names.
    pub(crate) names: Vec<SanType>,
    /// Whom it is for.
    pub(crate) kind: Use,
    /// Days that it counts.
    pub(crate) days: u32,
    /// The curve of its key.
    pub(crate) curve: Curve,
    /// A request in PEM whose key is to be certified; then no key is made.
    pub(crate) request: Option<String>,
    /// Whether the files of that name may be replaced.
    pub(crate) renew: bool,
}

/// A certificate that was made.
#[derive(Debug)]
pub(crate) struct Made {
    /// The chain, its own first.
    pub(crate) certificate: PathBuf,
    /// Its key, when it was made here.
    pub(crate) key: Option<PathBuf>,
    /// Its DER.
    pub(crate) der: Vec<u8>,
    /// As registered.
    pub(crate) issued: Issued,
}

/// An authority whose folder is held.
pub(crate) struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    ca_pem: String,
    ends_s: i64,
    register: Register,
    _held: File,
}

impl Authority {
    /// Makes one in a folder that has none.
    ///
    /// # Errors
    /// [`PkiError`].
    pub(crate) fn init(
        folder: &Path,
        name: &str,
        (days, list_days): (u32, u32),
        curve: Curve,
        now: Instant,
    ) -> Result<Self, PkiError> {
        private_file::make_directory(folder).map_err(|why| PkiError::File(folder.to_owned(), why))?;
        let held = hold(folder)?;
        let (pem_path, key_path) = (folder.join("ca.pem"), folder.join("ca.key"));
        if pem_path.exists() || key_path.exists() {
            return Err(PkiError::Exists(folder.to_owned()));
        }
        let key = curve.key()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished(checked("the name of the authority", name)?, None);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.serial_number = Some(SerialNumber::from_slice(&serial()?));
        let ends_s = now.unix_seconds() + i64::from(days) * DAY_S;
        valid(&mut params, now, ends_s);
        let ca_pem = params.self_signed(&key)?.pem();
        put_key(&key_path, &key)?;
        let register = Register { format: 1, list_days, list_number: 0, issued: Vec::new() };
        let issuer = Issuer::new(params, key);
        let pem = ca_pem.clone();
        let mut authority = Self { folder: folder.to_owned(), issuer, ca_pem, ends_s, register, _held: held };
        authority.keep()?;
        authority.write_list(now)?;
        put(&pem_path, pem.as_bytes())?;
        Ok(authority)
    }

    /// Opens the one in this folder.
    ///
    /// # Errors
    /// [`PkiError`].
    pub(crate) fn open(folder: &Path) -> Result<Self, PkiError> {
        let pem_path = folder.join("ca.pem");
        if !pem_path.exists() {
            return Err(PkiError::Missing(folder.to_owned()));
        }
        let held = hold(folder)?;
        let ca_pem = text(pem_path.clone())?;
        let key = KeyPair::from_pem(&text(folder.join("ca.key"))?)?;
        let path = folder.join("register.json");
        let register: Register =
            serde_json::from_str(&text(path.clone())?).map_err(|_| PkiError::Register(path.clone()))?;
        if register.format != 1 {
            return Err(PkiError::Register(path));
        }
        let ends_s = CertificateDer::from_pem_slice(ca_pem.as_bytes())
            .ok()
            .and_then(|der| crate::tls::certificate::ends_at_s(&der))
            .ok_or_else(|| PkiError::File(pem_path, io::ErrorKind::InvalidData.into()))?;
        let issuer = Issuer::from_ca_cert_pem(&ca_pem, key)?;
        Ok(Self { folder: folder.to_owned(), issuer, ca_pem, ends_s, register, _held: held })
    }

    /// Every certificate, oldest first.
    pub(crate) fn issued(&self) -> &[Issued] {
        &self.register.issued
    }

    /// The authority's own certificate.
    pub(crate) fn certificate_path(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The revocation list.
    pub(crate) fn list_path(&self) -> PathBuf {
        self.folder.join("crl.pem")
    }

    /// Makes a certificate, and its key unless a request brings one.
    ///
    /// # Errors
    /// [`PkiError`].
    pub(crate) fn issue(&mut self, wanted: &Wanted, now: Instant) -> Result<Made, PkiError> {
        let (path, key_path) = places(&self.folder, &wanted.name, wanted.renew)?;
        let ends_s = (now.unix_seconds() + i64::from(wanted.days) * DAY_S).min(self.ends_s);
        if ends_s <= now.unix_seconds() {
            return Err(PkiError::Asked(
                "the authority's own certificate has ended; make a new one in another folder".into(),
            ));
        }
        let serial = serial()?;
        let mut params = CertificateParams::default();
        let organization = wanted.organization.as_deref().map(|name| checked("the organization", name)).transpose()?;
        params.distinguished_name = distinguished(checked("the common name", &wanted.common_name)?, organization);
        params.subject_alt_names.clone_from(&wanted.names);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match wanted.kind {
            Use::Client => ExtendedKeyUsagePurpose::ClientAuth,
            Use::Server => ExtendedKeyUsagePurpose::ServerAuth,
        }];
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        valid(&mut params, now, ends_s);
        let make = || wanted.curve.key();
        let (certificate, key) = certified(&params, wanted.request.as_deref(), make, &self.issuer)?;
        let issued = Issued {
            serial: hex(&serial),
            name: wanted.name.clone(),
            kind: wanted.kind,
            made_s: now.unix_seconds(),
            ends_s,
            revoked: None,
        };
        self.register.issued.push(issued.clone());
        self.keep()?;
        if let Some(key) = &key {
            put_key(&key_path, key)?;
        }
        put(&path, format!("{}{}", certificate.pem(), self.ca_pem).as_bytes())?;
        let der = certificate.der().to_vec();
        Ok(Made { certificate: path, key: key.map(|_| key_path), der, issued })
    }

    /// Revokes all certificates of a name, or the one of a serial number, and writes the list. How many were revoked.
    ///
    /// # Errors
    /// [`PkiError`], when there is none that counts.
    pub(crate) fn revoke(&mut self, which: &str, reason: Reason, now: Instant) -> Result<usize, PkiError> {
        let rows = self.register.issued.iter_mut().map(|issued| {
            let Issued { serial, name, ends_s, revoked, .. } = issued;
            Row { serial, name, ends_s: *ends_s, revoked }
        });
        let revoked = revoke(rows, which, reason, now.unix_seconds())?;
        self.keep()?;
        self.write_list(now)?;
        Ok(revoked)
    }

    /// Changes how many days a list counts.
    pub(crate) fn set_list_days(&mut self, days: u32) {
        self.register.list_days = days;
    }

    /// Writes the revocation list anew; until when it counts, in seconds since the epoch.
    ///
    /// # Errors
    /// [`PkiError`].
    pub(crate) fn write_list(&mut self, now: Instant) -> Result<i64, PkiError> {
        self.register.list_number += 1;
        // The number first: two lists of one number must never be seen.
        self.keep()?;
        let until_s = now.unix_seconds() + i64::from(self.register.list_days) * DAY_S;
        let revoked = self.register.issued.iter().filter_map(|issued| {
            let (at_s, reason) = issued.revoked?;
            Some(RevokedCertParams {
                serial_number: SerialNumber::from_slice(&bytes(&issued.serial)?),
                revocation_time: moment!(at_s),
                reason_code: (reason != Reason::Unspecified).then(|| reason.code()),
                invalidity_date: None,
            })
        });
        let list = CertificateRevocationListParams {
            this_update: moment!(now.unix_seconds()),
            next_update: moment!(until_s),
            crl_number: SerialNumber::from(self.register.list_number),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let pem = list.signed_by(&self.issuer)?.pem()?;
        let path = self.list_path();
        put(&path, pem.as_bytes())?;
        Ok(until_s)
    }

    fn keep(&self) -> Result<(), PkiError> {
        let path = self.folder.join("register.json");
        let text = serde_json::to_vec_pretty(&self.register).map_err(|_| PkiError::Register(path.clone()))?;
        private_file::write(&path, &text).map_err(|why| PkiError::File(path, why))
    }
}

#[cfg(test)]
mod tests;
