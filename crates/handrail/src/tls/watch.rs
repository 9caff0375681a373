//! Follows the certificate files while the server runs: what is new and good is served, what is new and bad is
//! said once and counted, and the end of what is served is warned of in time. So with the OCSP response beside it: a bad
//! one is said once, and what was shown goes on while it is current. SPEC: row A5.

use super::{
    certificate::{Certificate, CertificateError},
    local_ca,
    staple::{self, Staple, StapleError},
};
use crate::{clock, config::CertificateFiles, fault::Fault, limits, metrics::CertificateState};
use fhir::Instant;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering::Relaxed},
};

/// Where the certificate comes from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// Files of the operator.
    Files(CertificateFiles),
    /// The local CA of the data directory.
    LocalCa {
        /// The host that it names.
        host: String,
    },
}

/// Chain and key.
type Pem = (Vec<u8>, Vec<u8>);

impl Source {
    /// Reads chain and key; the local CA makes them when there are none or they are about to end.
    ///
    /// # Errors
    /// [`Fault`] with the file.
    pub(crate) fn read(&self, directory: &Path) -> Result<Pem, Fault> {
        match self {
            Self::Files(files) => {
                let read = |path: &Path| std::fs::read(path).map_err(|why| Fault::at(path.display(), why));
                Ok((read(&files.certificate)?, read(&files.key)?))
            }
            Self::LocalCa { host } => {
                let leaf = local_ca::leaf(directory, host, clock::now()).map_err(Fault::new)?;
                Ok((leaf.chain.into_bytes(), leaf.key.into_bytes()))
            }
        }
    }

    /// What to do about a pair that cannot be used.
    pub(crate) fn fault(&self, why: &CertificateError) -> Fault {
        match self {
            Self::Files(files) => Fault::at(files.certificate.display(), why),
            Self::LocalCa { .. } => Fault::new(why).fix("delete DIR/tls to have a new local CA made"),
        }
    }
}

/// Follows one source.
pub(crate) struct Watch {
    certificate: Arc<Certificate>,
    source: Source,
    directory: PathBuf,
    state: Arc<CertificateState>,
    /// What is served.
    served: Pem,
    /// What was refused last, and why: to say it once.
    refused: Option<(Option<Pem>, String)>,
    /// Days left when the end was last warned of.
    warned: Option<i64>,
    /// What was wrong with the OCSP response when it was last looked at: to say it once.
    unstapled: Option<StapleError>,
}

impl Watch {
    /// `served` is what the certificate was made of.
    pub(crate) fn new(
        certificate: Arc<Certificate>,
        source: Source,
        directory: PathBuf,
        state: Arc<CertificateState>,
        served: Pem,
    ) -> Self {
        if let Some(ends_s) = certificate.ends_at_s() {
            state.ends_s.store(ends_s, Relaxed);
        }
        Self { certificate, source, directory, state, served, refused: None, warned: None, unstapled: None }
    }

    /// Looks at the files: their whole content, so that neither the precision of file times nor links
    /// matter. Reads the disk.
    pub(crate) fn look(&mut self, now: Instant) {
        match self.source.read(&self.directory) {
            Ok(found) if found != self.served => match self.certificate.replace(&found.0, &found.1) {
                Ok(()) => {
                    self.state.reloaded(true);
                    tracing::info!(ends = self.certificate.ends_at_s().map(ends), "the certificate was renewed");
                    (self.served, self.refused, self.warned) = (found, None, None);
                }
                Err(why) => self.refuse(Some(found), self.source.fault(&why).to_string()),
            },
            Ok(_) if self.refused.take().is_some() => {
                self.state.stale.store(false, Relaxed);
                tracing::info!("the certificate files hold again what is served");
            }
            Ok(_) => {}
            Err(why) => self.refuse(None, why.to_string()),
        }
        self.look_at_staple(now);
        self.warn(now);
    }

    /// Looks at the file of the OCSP response. Reads the disk.
    pub(crate) fn look_at_staple(&mut self, now: Instant) {
        let Source::Files(CertificateFiles { staple: Some(path), .. }) = &self.source else { return };
        let Some(leaf) = self.certificate.leaf() else { return };
        let read = |bytes: &[u8]| Staple::read(bytes, &leaf, now.unix_seconds());
        let shown = self.certificate.stapled();
        match staple::bytes_of(path).and_then(|bytes| read(&bytes)) {
            Ok(staple) => {
                self.unstapled = None;
                if shown.as_ref() != Some(&staple.der) {
                    tracing::info!(until = ends(staple.until_s), "the OCSP response is shown with the certificate");
                    self.certificate.staple(Some(staple.der));
                }
            }
            Err(why) => {
                let goes_on = shown.as_ref().is_some_and(|shown| read(shown).is_ok());
                if self.unstapled.as_ref() != Some(&why) {
                    let (file, why) = (path.display().to_string(), why.to_string());
                    if goes_on {
                        tracing::warn!(file, why, "the new OCSP response cannot be shown; the one before goes on");
                    } else {
                        tracing::warn!(file, why, "no OCSP response is shown with the certificate");
                    }
                }
                if shown.is_some() && !goes_on {
                    // Said again when it was said while the one before went on.
                    if self.unstapled.as_ref() == Some(&why) {
                        tracing::warn!(file = %path.display(), "the OCSP response that was shown has ended");
                    }
                    self.certificate.staple(None);
                }
                self.unstapled = Some(why);
            }
        }
    }

    fn refuse(&mut self, found: Option<Pem>, why: String) {
        let refused = Some((found, why));
        if self.refused != refused {
            self.state.reloaded(false);
            if let Some((_, why)) = &refused {
                tracing::error!(why, "the new certificate cannot be used; the old one stays");
            }
            self.refused = refused;
        }
    }

    /// Says when the certificate that is served ends soon, has ended or has not begun: once a day.
    fn warn(&mut self, now: Instant) {
        let Some((begins_s, ends_s)) = self.certificate.validity_s() else { return };
        self.state.ends_s.store(ends_s, Relaxed);
        let days = (ends_s - now.unix_seconds()).div_euclid(86_400);
        let early = now.unix_seconds() < begins_s;
        if (days > limits::CERTIFICATE_WARN_DAYS && !early) || self.warned == Some(days) {
            return;
        }
        self.warned = Some(days);
        let ends = ends(ends_s);
        if early {
            tracing::error!(
                begins = self::ends(begins_s),
                "the server certificate is not valid yet: clients refuse it"
            );
        } else if days < 0 {
            tracing::error!(ends, "the server certificate has ended: clients refuse it");
        } else {
            tracing::warn!(days, ends, "the server certificate ends soon");
        }
    }
}

/// A moment as text.
fn ends(seconds: i64) -> String {
    Instant::from_unix_millis(seconds.saturating_mul(1000)).to_string()
}

#[cfg(test)]
mod tests;
