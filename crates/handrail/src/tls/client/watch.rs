//! Follows the files of anchors and revocation lists while the server runs. SPEC: rows A6, A11.
//!
//! What is new and good counts from the next request on. What is new and bad is said once and counted, and what is held
//! stays: a list until it ends, and then nobody is let in by it (fail-closed).

use super::{ClientTrust, Content, Files, Trust};
use crate::{clock, fault::Fault, limits, metrics::Metrics, tls::Handshakes};
use fhir::Instant;
use std::{
    os::unix::fs::MetadataExt,
    path::PathBuf,
    sync::{Arc, atomic::Ordering::Relaxed},
};

/// What a file system says of a file; `None` when it says nothing.
type Stamp = Option<(u64, u64, i64, i64, i64, i64)>;

/// Follows the files.
pub(crate) struct ClientWatch {
    files: Files,
    trust: Arc<ClientTrust>,
    handshakes: Vec<Arc<Handshakes>>,
    metrics: Arc<Metrics>,
    /// What is in use.
    held: Content,
    stamps: Vec<Stamp>,
    read_s: i64,
    /// What was refused last: to say it once.
    refused: Option<String>,
    /// Days left when the end of a list was last warned of.
    warned: Option<i64>,
}

impl ClientWatch {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// [`Fault`]: a server that is told of anchors and lists does not start without them.
    pub(crate) fn begin(files: &Files, metrics: Arc<Metrics>) -> Result<Self, Fault> {
        let now_s = clock::now().unix_seconds();
        let stamps = stamps(files);
        let held = files.read().map_err(unusable)?;
        let trust = Arc::new(ClientTrust::new(Trust::of(&held, now_s).map_err(unusable)?));
        let watch = Self {
            files: files.clone(),
            trust,
            handshakes: Vec::new(),
            metrics,
            held,
            stamps,
            read_s: now_s,
            refused: None,
            warned: None,
        };
        watch.tell();
        Ok(watch)
    }

    /// What is followed.
    pub(crate) fn trust(&self) -> Arc<ClientTrust> {
        Arc::clone(&self.trust)
    }

    /// These name the anchors to clients, and are told of new ones.
    pub(crate) fn tells(&mut self, handshakes: Vec<Arc<Handshakes>>) {
        self.handshakes = handshakes;
    }

    /// Looks whether a file changed; `wholly` reads all of them. Reads the disk.
    pub(crate) fn look(&mut self, now: Instant, wholly: bool) {
        if self.files == Files::default() {
            return;
        }
        let (now_s, stamps) = (now.unix_seconds(), stamps(&self.files));
        let old = now_s - self.read_s >= i64::try_from(limits::CERTIFICATE_LOOK.as_secs()).unwrap_or(30);
        let outdated = self.trust.current().is_outdated(now_s);
        if wholly || old || outdated || stamps != self.stamps {
            (self.stamps, self.read_s) = (stamps, now_s);
            self.read(now_s, outdated);
        }
        self.warn(now_s);
    }

    fn read(&mut self, now_s: i64, outdated: bool) {
        let found = match self.files.read() {
            Ok(found) if found == self.held && !outdated => {
                if self.refused.take().is_some() {
                    self.metrics.client_trust.stale.store(false, Relaxed);
                    tracing::info!("the files of anchors and revocation lists hold again what is in use");
                }
                return;
            }
            Ok(found) => found,
            Err(why) => return self.refuse(why.0),
        };
        match Trust::of(&found, now_s).and_then(|trust| self.trust.replace(trust)) {
            Ok(()) => {
                (self.held, self.refused, self.warned) = (found, None, None);
                self.metrics.client_trust.reloaded(true);
                self.handshakes.iter().for_each(|handshakes| handshakes.renew());
                self.tell();
                let trust = self.trust.current();
                let revoked: usize = trust.lists.iter().map(|list| list.revoked).sum();
                tracing::info!(
                    anchors = trust.anchors.len(),
                    lists = trust.lists.len(),
                    revoked,
                    "client trust renewed"
                );
            }
            Err(why) => self.refuse(why.0),
        }
    }

    fn refuse(&mut self, why: String) {
        if self.refused.as_ref() != Some(&why) {
            self.metrics.client_trust.reloaded(false);
            tracing::error!(why, "anchors or revocation lists cannot be used; the old ones stay until they end");
            self.refused = Some(why);
        }
    }

    fn tell(&self) {
        let ends_s = self.trust.current().lists_end_s().unwrap_or_default();
        self.metrics.client_trust.lists_end_s.store(ends_s, Relaxed);
    }

    /// Says when a list ends soon or has ended: once a day.
    fn warn(&mut self, now_s: i64) {
        let trust = self.trust.current();
        let Some(list) = trust.lists.iter().min_by_key(|list| list.until_s.unwrap_or(0)) else { return };
        let until_s = list.until_s.unwrap_or(0);
        let days = (until_s - now_s).div_euclid(86_400);
        // Lists that are renewed each day end within days always: only what is about to end is worth a line.
        let life_s = until_s - list.made_s;
        let soon = until_s - now_s < (life_s / 10).clamp(3600, limits::LIST_WARN_S);
        if !soon || self.warned == Some(days) {
            return;
        }
        self.warned = Some(days);
        let (path, until) = (list.path.display(), Instant::from_unix_millis(until_s.saturating_mul(1000)).to_string());
        if until_s <= now_s {
            tracing::error!(%path, until, "a revocation list has ended: no certificate of its issuer is taken");
        } else {
            tracing::warn!(%path, until, "a revocation list ends soon");
        }
    }
}

fn unusable(why: super::TrustError) -> Fault {
    Fault::new(why).fix("correct tls.client_anchors and tls.client_crls; 'handrail doctor' says more")
}

fn stamps(files: &Files) -> Vec<Stamp> {
    let stamp = |path: &PathBuf| {
        let found = std::fs::metadata(path).ok()?;
        Some((found.ino(), found.len(), found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()))
    };
    files.anchors.iter().chain(&files.lists).map(stamp).collect()
}
