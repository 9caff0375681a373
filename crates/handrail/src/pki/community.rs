//! A trust community in a folder, for trying out UDAP: a root, an intermediate that certifies the members, and what both
//! tell of revocations. SPEC: RFC 5280, RFC 6960; UDAP rows D7 to D10.
//!
//! | file | what |
//! |---|---|
//! | `root.pem`, `root.key` | the anchor: what members are told to trust, and its key |
//! | `ca.pem`, `ca.key` | the intermediate, which may certify no further authorities, and its key |
//! | `ocsp.pem`, `ocsp.key` | who signs answers about members' certificates |
//! | `register.json` | every certificate that was made, which are revoked, where lists are published |
//! | `NAME.pem`, `NAME.key` | a member's certificate with the intermediate after it, and its key |
//!
//! Keys are readable by their owner alone. `desk` publishes: lists and answers are made of the register when they are
//! asked for, so a revocation counts at once. Left out: anything that makes an authority worth trusting (who checks
//! whom, keys in hardware, a root that is offline): the community is for laboratories.

pub(crate) mod desk;
mod signers;

use super::{
    KeyKind, PkiError, Reason,
    parts::{
        DAY_S, Row, certified, checked, distinguished, hex, hold, places, put, put_key, revoke, serial, text, valid,
    },
};
use crate::tls::private_file;
use fhir::Instant;
use oauth::{crl_issuer, der};
use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, CustomExtension, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyUsagePurpose, SanType, SerialNumber,
};
use serde::{Deserialize, Serialize};
use signers::{Authority, Signers};
use std::{
    fs::File,
    path::{Path, PathBuf},
};

/// id-pe-authorityInfoAccess. SPEC: RFC 5280 section 4.2.2.1.
const INFO_ACCESS: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 1, 1];
/// id-ad-ocsp.
const AT_OCSP: [u32; 9] = [1, 3, 6, 1, 5, 5, 7, 48, 1];
/// id-ad-caIssuers.
const AT_ISSUER: [u32; 9] = [1, 3, 6, 1, 5, 5, 7, 48, 2];
/// id-pkix-ocsp-nocheck. SPEC: RFC 6960 section 4.2.2.2.1.
const NO_CHECK: [u64; 10] = [1, 3, 6, 1, 5, 5, 7, 48, 1, 5];
/// id-ce-freshestCRL. SPEC: RFC 5280 section 4.2.1.15.
const FRESHEST: [u64; 4] = [2, 5, 29, 46];

/// Bytes of the address below which lists are published: it stands in every certificate.
const URL_BYTES_MAX: usize = 200;

/// What the intermediate is called in the register, and revoked by.
pub(crate) const INTERMEDIATE: &str = "ca";

/// Who made a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum By {
    /// The root: the intermediate's.
    Root,
    /// The intermediate: a member's.
    Intermediate,
}

/// How a member's certificate says that its status can be learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum StatusBy {
    /// By lists and by asking.
    Both,
    /// By revocation lists alone.
    Crl,
    /// By asking (OCSP) alone.
    Ocsp,
    /// Not at all.
    None,
}

/// A certificate of the register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issued {
    /// Serial number, hexadecimal.
    pub(crate) serial: String,
    /// Name of its files.
    pub(crate) name: String,
    /// Who made it.
    pub(crate) by: By,
    /// URIs in it.
    pub(crate) uris: Vec<String>,
    /// When it was made, in seconds since the epoch.
    pub(crate) made_s: i64,
    /// When it ends.
    pub(crate) ends_s: i64,
    /// When and why it was revoked.
    pub(crate) revoked: Option<(i64, Reason)>,
}

/// `register.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Register {
    /// Format of this file.
    format: u8,
    /// Address below which lists and answers are published.
    url: String,
    /// Seconds that a list counts.
    list_s: u32,
    /// Seconds that an answer counts.
    answer_s: u32,
    issued: Vec<Issued>,
}

impl Register {
    fn read(folder: &Path) -> Result<Self, PkiError> {
        let path = folder.join("register.json");
        let register: Self =
            serde_json::from_str(&text(path.clone())?).map_err(|_| PkiError::Register(path.clone()))?;
        if register.format == 1 { Ok(register) } else { Err(PkiError::Register(path)) }
    }

    fn at(&self, file: &str) -> String {
        format!("{}/{file}", self.url)
    }
}

/// A community that is asked for.
#[derive(Debug, Clone)]
pub(crate) struct NewCommunity {
    /// Its name, for people.
    pub(crate) name: String,
    /// Address below which its lists and answers will be published: `http://host[:port][/path]`.
    pub(crate) url: String,
    /// Days that its authorities count.
    pub(crate) days: u32,
    /// Seconds that a list counts.
    pub(crate) list_s: u32,
    /// Seconds that an answer counts.
    pub(crate) answer_s: u32,
    /// The keys of its authorities.
    pub(crate) key: KeyKind,
}

/// A member's certificate that is asked for.
#[derive(Debug, Clone)]
pub(crate) struct NewMember {
    /// Name of its files.
    pub(crate) name: String,
    /// Common name.
    pub(crate) common_name: String,
    /// Organization.
    pub(crate) organization: Option<String>,
    /// What it may speak for: URIs, to the letter.
    pub(crate) uris: Vec<String>,
    /// Other alternative names.
    pub(crate) others: Vec<SanType>,
    /// Days that it counts.
    pub(crate) days: u32,
    /// Its key.
    pub(crate) key: KeyKind,
    /// How its status can be learnt.
    pub(crate) status: StatusBy,
    /// A request in PEM whose key is to be certified; then no key is made.
    pub(crate) request: Option<String>,
    /// Whether the files of that name may be replaced.
    pub(crate) renew: bool,
}

/// A member's certificate that was made.
#[derive(Debug)]
pub(crate) struct Made {
    /// The chain, its own first; the anchor is not in it.
    pub(crate) certificate: PathBuf,
    /// Its key, when it was made here.
    pub(crate) key: Option<PathBuf>,
    /// As registered.
    pub(crate) issued: Issued,
}

/// A community whose folder is held.
pub(crate) struct Community {
    folder: PathBuf,
    signers: Signers,
    register: Register,
    _held: File,
}

impl Community {
    /// Makes one in a folder that has none.
    ///
    /// # Errors
    /// [`PkiError`].
    pub(crate) fn init(folder: &Path, new: &NewCommunity, now: Instant) -> Result<Self, PkiError> {
        let name = checked("the name of the community", &new.name)?;
        let url = address(&new.url)?;
        private_file::make_directory(folder).map_err(|why| PkiError::File(folder.to_owned(), why))?;
        let held = hold(folder)?;
        if ["root.pem", "root.key", "ca.pem", "ca.key"].iter().any(|file| folder.join(file).exists()) {
            return Err(PkiError::Exists(folder.to_owned()));
        }
        let register = Register { format: 1, url, list_s: new.list_s, answer_s: new.answer_s, issued: Vec::new() };
        let ends_s = now.unix_seconds() + i64::from(new.days) * DAY_S;
        // The names of all three differ: a chain is built by names.
        let titled = |what: &str| {
            let short: String = name.chars().take(63 - what.len()).collect();
            distinguished(&format!("{short} {what}"), Some(name))
        };

        let mut root = authority(2, ends_s, now)?;
        root.distinguished_name = titled("root");
        let root_key = new.key.key()?;
        let root_certificate = root.self_signed(&root_key)?;
        let root_pem = root_certificate.pem();
        let root = Issuer::new(root, root_key);

        let mut intermediate = authority(0, ends_s, now)?;
        intermediate.distinguished_name = titled("CA");
        intermediate.use_authority_key_identifier_extension = true;
        intermediate.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![register.at("root.crl")] }];
        let key = new.key.key()?;
        let certificate = intermediate.signed_by(&key, &root)?;
        let mut this = Self {
            register,
            folder: folder.to_owned(),
            signers: Signers {
                root: Authority::new(root_certificate.der(), root)?,
                ocsp: None,
                intermediate: Authority::new(certificate.der(), Issuer::new(intermediate.clone(), key))?,
            },
            _held: held,
        };
        let serial = intermediate.serial_number.as_ref().map(|serial| hex(serial.as_ref())).unwrap_or_default();
        this.register.issued.push(Issued {
            serial,
            name: INTERMEDIATE.into(),
            by: By::Root,
            uris: Vec::new(),
            made_s: now.unix_seconds(),
            ends_s,
            revoked: None,
        });

        let mut responder = CertificateParams::default();
        responder.distinguished_name = titled("OCSP");
        responder.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        responder.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
        responder.use_authority_key_identifier_extension = true;
        responder.custom_extensions = vec![CustomExtension::from_oid_content(&NO_CHECK, der::value(der::NULL, &[]))];
        responder.serial_number = Some(SerialNumber::from_slice(&self::serial()?));
        valid(&mut responder, now, ends_s);
        let responder_key = new.key.key()?;
        let responder = responder.signed_by(&responder_key, this.signers.intermediate.issuer())?;

        put_key(&folder.join("root.key"), this.signers.root.issuer().key())?;
        put_key(&folder.join("ca.key"), this.signers.intermediate.issuer().key())?;
        put_key(&folder.join("ocsp.key"), &responder_key)?;
        put(&folder.join("ocsp.pem"), responder.pem().as_bytes())?;
        put(&folder.join("ca.pem"), certificate.pem().as_bytes())?;
        this.keep()?;
        // The anchor last: a folder that has it is whole.
        put(&folder.join("root.pem"), root_pem.as_bytes())?;
        Ok(this)
    }

    /// Opens the one in this folder.
    ///
    /// # Errors
    /// [`PkiError`].
    pub(crate) fn open(folder: &Path) -> Result<Self, PkiError> {
        if !folder.join("root.pem").exists() {
            return Err(PkiError::Missing(folder.to_owned()));
        }
        let held = hold(folder)?;
        let (signers, register) = (Signers::read(folder)?, Register::read(folder)?);
        Ok(Self { folder: folder.to_owned(), signers, register, _held: held })
    }

    /// Every certificate, oldest first.
    pub(crate) fn issued(&self) -> &[Issued] {
        &self.register.issued
    }

    /// Where lists and answers are published.
    pub(crate) fn url(&self) -> &str {
        &self.register.url
    }

    /// The anchor.
    pub(crate) fn anchor_path(&self) -> PathBuf {
        self.folder.join("root.pem")
    }

    /// Certifies a member, and makes its key unless a request brings one.
    ///
    /// # Errors
    /// [`PkiError`].
    pub(crate) fn issue(&mut self, wanted: &NewMember, now: Instant) -> Result<Made, PkiError> {
        let (path, key_path) = places(&self.folder, &wanted.name, wanted.renew)?;
        let ends_s = (now.unix_seconds() + i64::from(wanted.days) * DAY_S).min(self.signers.intermediate.ends_s);
        if ends_s <= now.unix_seconds() {
            return Err(PkiError::Asked("the community's own certificates have ended; make a new one".into()));
        }
        let serial = serial()?;
        let mut params = CertificateParams::default();
        let organization = wanted.organization.as_deref().map(|name| checked("the organization", name)).transpose()?;
        params.distinguished_name = distinguished(checked("the common name", &wanted.common_name)?, organization);
        params.subject_alt_names = super::alternative_names(&[], &wanted.uris, &[], &[])?;
        params.subject_alt_names.extend(wanted.others.iter().cloned());
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        valid(&mut params, now, ends_s);
        self.tell_status(&mut params, wanted.status);
        let issuer = self.signers.intermediate.issuer();
        let (certificate, key) = certified(&params, wanted.request.as_deref(), || wanted.key.key(), issuer)?;
        let issued = Issued {
            serial: hex(&serial),
            name: wanted.name.clone(),
            by: By::Intermediate,
            uris: wanted.uris.clone(),
            made_s: now.unix_seconds(),
            ends_s,
            revoked: None,
        };
        // In the register first: what is not there could not be revoked.
        self.register.issued.push(issued.clone());
        self.keep()?;
        if let Some(key) = &key {
            put_key(&key_path, key)?;
        }
        put(&path, format!("{}{}", certificate.pem(), text(self.folder.join("ca.pem"))?).as_bytes())?;
        Ok(Made { certificate: path, key: key.map(|_| key_path), issued })
    }

    fn tell_status(&self, params: &mut CertificateParams, status: StatusBy) {
        let located = |method: &[u32], file: &str| {
            let place = der::value(der::context_plain(6), self.register.at(file).as_bytes());
            der::sequence(&[&der::oid(method), &place])
        };
        let mut access = located(&AT_ISSUER, "ca.cer");
        if matches!(status, StatusBy::Both | StatusBy::Ocsp) {
            access = [located(&AT_OCSP, "ocsp"), access].concat();
        }
        let access = der::value(der::SEQUENCE, &access);
        params.custom_extensions.push(CustomExtension::from_oid_content(&INFO_ACCESS, access));
        if matches!(status, StatusBy::Both | StatusBy::Crl) {
            params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![self.register.at("ca.crl")] }];
            let delta = self.register.at("ca-delta.crl");
            let points = crl_issuer::distribution_points(&[&delta]);
            params.custom_extensions.push(CustomExtension::from_oid_content(&FRESHEST, points));
        }
    }

    /// Revokes all certificates of a name, or the one of a serial number. How many were revoked.
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
        Ok(revoked)
    }

    fn keep(&self) -> Result<(), PkiError> {
        let path = self.folder.join("register.json");
        let text = serde_json::to_vec_pretty(&self.register).map_err(|_| PkiError::Register(path.clone()))?;
        private_file::write(&path, &text).map_err(|why| PkiError::File(path, why))
    }
}

/// An authority's parameters, but its name. `below`: how many authorities may stand between it and a member.
fn authority(below: u8, ends_s: i64, now: Instant) -> Result<CertificateParams, PkiError> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.serial_number = Some(SerialNumber::from_slice(&serial()?));
    valid(&mut params, now, ends_s);
    Ok(params)
}

/// SPEC: RFC 5280 section 4.2.1.13: http, for a list over https could need a list to be read.
fn address(url: &str) -> Result<String, PkiError> {
    let url = url.trim_end_matches('/');
    let uri: Option<http::Uri> = url.parse().ok().filter(|_| url.len() <= URL_BYTES_MAX && url.is_ascii());
    let fits = uri.is_some_and(|uri| {
        uri.scheme_str() == Some("http")
            && uri.query().is_none()
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
    });
    if fits { Ok(url.to_owned()) } else { Err(PkiError::Asked(format!("{url}: expected http://HOST:PORT"))) }
}

#[cfg(test)]
mod tests;
