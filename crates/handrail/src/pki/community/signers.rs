//! The keys of a community at work: revocation lists and answers, made of the register. SPEC: RFC 5280 section 5, RFC 6960.

use super::{By, Issued, Register};
use crate::pki::{
    PkiError, Reason,
    parts::{bytes, text},
};
use oauth::{
    crl_issuer::{List, Revoked},
    der::Signing,
    ocsp_responder::{Answer, Failed, Question, Single, Told},
};
use rcgen::{Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, SigningKey};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::{io, path::Path};

/// An authority or responder: its certificate, and the key that signs.
pub(super) struct Authority {
    /// Its certificate, DER.
    pub(super) der: Vec<u8>,
    /// Its name, DER.
    name: Vec<u8>,
    /// The content of its subjectPublicKey.
    key: Vec<u8>,
    /// Its key identifier.
    key_id: Vec<u8>,
    /// When it ends, in seconds since the epoch.
    pub(super) ends_s: i64,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new(der: &[u8], issuer: Issuer<'static, KeyPair>) -> Result<Self, PkiError> {
        let unread = || PkiError::Certificate(rcgen::Error::CouldNotParseCertificate);
        let (_, read) = x509_parser::parse_x509_certificate(der).map_err(|_| unread())?;
        let key_id = read.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            x509_parser::extensions::ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
            _ => None,
        });
        Ok(Self {
            name: read.subject().as_raw().to_vec(),
            key: read.public_key().subject_public_key.data.to_vec(),
            key_id: key_id.unwrap_or_default(),
            ends_s: read.validity().not_after.timestamp(),
            der: der.to_vec(),
            issuer,
        })
    }

    fn read(folder: &Path, name: &str) -> Result<Self, PkiError> {
        let path = folder.join(format!("{name}.pem"));
        let pem = text(path.clone())?;
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| PkiError::File(path, io::ErrorKind::InvalidData.into()))?;
        let key = KeyPair::from_pem(&text(folder.join(format!("{name}.key")))?)?;
        Self::new(&der, Issuer::from_ca_cert_der(&der, key)?)
    }

    pub(super) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }

    fn signing(&self) -> Signing {
        let algorithm = self.issuer.key().algorithm();
        if *algorithm == PKCS_ECDSA_P256_SHA256 {
            Signing::EcdsaSha256
        } else if *algorithm == PKCS_ECDSA_P384_SHA384 {
            Signing::EcdsaSha384
        } else {
            Signing::RsaSha256
        }
    }

    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.issuer.key().sign(message).ok()
    }
}

/// When a list counts and which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edition {
    /// Its number.
    pub(super) number: u64,
    /// Since when it counts, in seconds since the epoch.
    pub(super) this_s: i64,
    /// Until when.
    pub(super) until_s: i64,
}

/// Everybody who signs for a community.
pub(super) struct Signers {
    pub(super) root: Authority,
    pub(super) intermediate: Authority,
    /// Who answers; none while the community is being made.
    pub(super) ocsp: Option<Authority>,
}

impl Signers {
    pub(super) fn read(folder: &Path) -> Result<Self, PkiError> {
        Ok(Self {
            root: Authority::read(folder, "root")?,
            intermediate: Authority::read(folder, "ca")?,
            ocsp: Some(Authority::read(folder, "ocsp")?),
        })
    }

    /// The revocation list of an authority. `base`: a delta list to that edition, with what was revoked since.
    pub(super) fn list(
        &self,
        by: By,
        register: &Register,
        edition: Edition,
        base: Option<Edition>,
    ) -> Result<Vec<u8>, PkiError> {
        let authority = match by {
            By::Root => &self.root,
            By::Intermediate => &self.intermediate,
        };
        // Of the second in which the base was made, nobody knows what it already has: told once more, it does no harm.
        let revoked: Vec<Revoked> = of(register, by)
            .filter_map(|issued| {
                let (at_s, reason) = issued.revoked?;
                let is_new = base.is_none_or(|base| at_s >= base.this_s);
                is_new.then(|| Some(Revoked { serial: bytes(&issued.serial)?, at_s, reason: number(reason) }))?
            })
            .collect();
        let delta = register.at("ca-delta.crl");
        let list = List {
            issuer: &authority.name,
            key_id: &authority.key_id,
            this_update_s: edition.this_s,
            next_update_s: Some(edition.until_s),
            number: edition.number,
            base: base.map(|base| base.number),
            scope: None,
            freshest: if by == By::Intermediate && base.is_none() { &[&delta] } else { &[] },
            revoked: &revoked,
        };
        let signed = list.signed(authority.signing(), |message| authority.sign(message));
        signed.ok_or(PkiError::Certificate(rcgen::Error::RemoteKeyError))
    }

    /// The answer to a question about members' certificates, an OCSPResponse.
    pub(super) fn answer(&self, question: &Question, register: &Register, now_s: i64) -> Vec<u8> {
        let ours = &self.intermediate;
        let Some(ocsp) = &self.ocsp else { return Failed::InternalError.to_der() };
        // SPEC: RFC 6960 section 2.3: about other issuers' certificates we may not speak.
        if !question.asked.iter().all(|asked| asked.is_issued_by(&ours.name, &ours.key)) {
            return Failed::Unauthorized.to_der();
        }
        let singles: Vec<Single> = question
            .asked
            .iter()
            .map(|asked| {
                let is_it = |issued: &&Issued| bytes(&issued.serial).is_some_and(|serial| serial == asked.serial());
                let told = match of(register, By::Intermediate).find(is_it).map(|issued| issued.revoked) {
                    None => Told::Unknown,
                    Some(None) => Told::Good,
                    Some(Some((at_s, reason))) => Told::Revoked { at_s, reason: number(reason) },
                };
                let next_update_s = Some(now_s + i64::from(register.answer_s));
                Single { id: asked.id.clone(), told, this_update_s: now_s, next_update_s }
            })
            .collect();
        let answer = Answer {
            responder_key: &ocsp.key,
            produced_s: now_s,
            singles: &singles,
            nonce: question.nonce.as_deref(),
            certificates: &[&ocsp.der],
        };
        let signed = answer.signed(ocsp.signing(), |message| ocsp.sign(message));
        signed.unwrap_or_else(|| Failed::InternalError.to_der())
    }
}

fn of(register: &Register, by: By) -> impl Iterator<Item = &Issued> {
    register.issued.iter().filter(move |issued| issued.by == by)
}

/// CRLReason. SPEC: RFC 5280 section 5.3.1: left away rather than said to be unspecified.
fn number(reason: Reason) -> Option<u8> {
    match reason {
        Reason::Unspecified => None,
        Reason::KeyCompromise => Some(1),
        Reason::Superseded => Some(4),
        Reason::Cessation => Some(5),
        Reason::PrivilegeWithdrawn => Some(9),
    }
}
