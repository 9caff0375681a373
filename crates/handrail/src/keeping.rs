//! What becomes of the audit log beside being written: looked at for unusual access, copied to write-once files, given up
//! when it was kept for long enough. SPEC: rows F23, F26, F50.
//!
//! None of it is ever in the way of a request: what fails is told in the log and tried again.

pub(crate) mod syslog;

use crate::{clock, limits, listen::Listen, metrics::Metrics, tls};
use fhir::Instant;
use std::{path::PathBuf, sync::Arc};
use store::Store;
use tokio::time::{MissedTickBehavior, interval};

const DAY_MS: i64 = 86_400_000;

/// Where the log is copied to, and how long it is kept here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Keeping {
    /// A directory of write-once files.
    pub(crate) directory: Option<PathBuf>,
    /// Days; `None`: for ever.
    pub(crate) days: Option<u64>,
    /// A repository that takes audit messages.
    pub(crate) syslog: Option<Syslog>,
}

/// A repository of audit messages, by syslog over TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Syslog {
    /// Where it is.
    pub(crate) to: Listen,
    /// Who vouches for it; `None`: the machine's anchors.
    pub(crate) ca: Option<PathBuf>,
    /// Certificate and key that are shown to it.
    pub(crate) own: Option<(PathBuf, PathBuf)>,
}

impl Syslog {
    /// What its connections trust and show.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub(crate) fn tls(&self) -> Result<Arc<rustls::ClientConfig>, tls::trust::TrustError> {
        let own = self.own.as_ref().map(|(certificate, key)| (certificate.as_path(), key.as_path()));
        tls::trust::client_config_as(self.ca.as_deref(), own)
    }
}

/// Looks at the log for unusual access.
pub(crate) async fn watch(authserver: Arc<authserver::Service>, metrics: Arc<Metrics>) {
    let mut look = interval(limits::AUDIT_LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        let authserver = Arc::clone(&authserver);
        match tokio::task::spawn_blocking(move || authserver.watch_audit()).await {
            Ok(Ok(told)) => {
                for (rule, count) in told {
                    // Who it was stands on the privacy officer's page alone (row F24).
                    tracing::warn!(
                        rule,
                        count,
                        "unusual access: a privacy officer should look at /account/privacy/unusual"
                    );
                    metrics.unusual(rule, count);
                }
            }
            Ok(Err(why)) => tracing::error!(why, "the audit log could not be looked at for unusual access"),
            Err(why) => tracing::error!(%why, "the look at the audit log ended early"),
        }
    }
}

/// Copies what is finished, and gives up what was kept for long enough.
pub(crate) async fn keep(store: Arc<Store>, keeping: Keeping, metrics: Arc<Metrics>) {
    if keeping.directory.is_none() && keeping.days.is_none() {
        return;
    }
    let mut keep = interval(limits::AUDIT_KEEP);
    keep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        keep.tick().await;
        let (store, keeping, metrics) = (Arc::clone(&store), keeping.clone(), Arc::clone(&metrics));
        let done = tokio::task::spawn_blocking(move || kept(&store, &keeping, &metrics, clock::now())).await;
        if let Err(why) = done {
            tracing::error!(%why, "the export of the audit log ended early");
        }
    }
}

fn kept(store: &Store, keeping: &Keeping, metrics: &Metrics, now: Instant) {
    if let Some(directory) = &keeping.directory {
        // At least once a day something leaves, also where little happens.
        match store.export_audit(directory, Instant::from_unix_millis(now.unix_millis().saturating_sub(DAY_MS))) {
            Ok(reached) => metrics.exported(reached),
            Err(why) => {
                tracing::error!(%why, "the audit log could not be exported to {}", directory.display());
                return;
            }
        }
    }
    if let Some(days) = keeping.days {
        let days = i64::try_from(days).unwrap_or(i64::MAX);
        let before = now.unix_millis().saturating_sub(days.saturating_mul(DAY_MS));
        let given_up = store.give_up_audit(Instant::from_unix_millis(before), keeping.directory.as_deref(), now);
        match given_up {
            Ok(0) => {}
            Ok(segments) => {
                tracing::info!(segments, days, "parts of the audit log were kept for long enough and removed")
            }
            Err(why) => tracing::error!(%why, "parts of the audit log that are old enough could not be removed"),
        }
    }
}
