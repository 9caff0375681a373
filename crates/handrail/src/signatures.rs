//! Whom signatures in resources are believed of: the authorities of files (`signature.anchors`) and, when the operator
//! says so, those of trust communities (`signature.communities`). What authorities say of certificates comes through the
//! authorization server, which fetches, keeps and bounds it. Row F31.

use crate::fault::Fault;
use authserver::Service;
use oauth::x509::{Anchors, Chain, Status};
use rest::signature::{Standing, Standings, Trust};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::{fmt::Display, path::PathBuf, sync::Arc};

/// A running server's.
pub(crate) struct SignatureTrust {
    files: Option<Anchors>,
    with_communities: bool,
    authserver: Arc<Service>,
}

impl SignatureTrust {
    /// Reads the files.
    ///
    /// # Errors
    /// [`Fault`] with the file that cannot be used.
    pub(crate) fn new(files: &[PathBuf], with_communities: bool, authserver: Arc<Service>) -> Result<Self, Fault> {
        Ok(Self { files: anchors(files)?, with_communities, authserver })
    }
}

impl Trust for SignatureTrust {
    fn anchors(&self) -> Vec<Anchors> {
        let communities = self.authserver.communities().into_iter().filter(|_| self.with_communities);
        self.files.iter().cloned().chain(communities.map(|community| community.anchors().clone())).collect()
    }

    fn standings<'a>(&'a self, chain: &'a Chain) -> Standings<'a> {
        Box::pin(async move {
            let all = self.authserver.standings(chain).await.into_iter();
            // Why an address could not be reached is for the log, where it stands already: it tells of this network.
            all.map(|said| standing(said.map_err(|_| "no authority gave an answer that can be used"))).collect()
        })
    }
}

/// What was said of a certificate.
pub(crate) fn standing<E: Display>(said: Result<Status, E>) -> Standing {
    match said {
        Ok(Status::Good { .. }) => Standing::Good,
        Ok(Status::Revoked { since_s, .. }) => Standing::Revoked { since_s },
        Ok(Status::Unknown) => Standing::Unavailable("whoever was asked does not know it".into()),
        Err(why) => Standing::Unavailable(why.to_string()),
    }
}

/// The anchors of PEM files; `None` when no file is named.
///
/// # Errors
/// [`Fault`] with the file that cannot be used.
pub(crate) fn anchors(files: &[PathBuf]) -> Result<Option<Anchors>, Fault> {
    let mut all = Vec::new();
    for file in files {
        all.extend(certificates(file)?);
    }
    if all.is_empty() {
        return Ok(None);
    }
    Anchors::new(&all).map(Some).map_err(|why| Fault::new(format_args!("anchors of signatures: {why}")))
}

/// The certificates of a PEM file, as DER; at least one.
///
/// # Errors
/// [`Fault`].
pub(crate) fn certificates(file: &std::path::Path) -> Result<Vec<Vec<u8>>, Fault> {
    let pem = std::fs::read(file).map_err(|why| Fault::at(file.display(), why))?;
    let all: Result<Vec<Vec<u8>>, _> =
        CertificateDer::pem_slice_iter(&pem).map(|one| one.map(|one| one.as_ref().to_vec())).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(Fault::at(file.display(), "holds no PEM certificate")),
        Err(_) => Err(Fault::at(file.display(), "a certificate in it is no PEM")),
    }
}
