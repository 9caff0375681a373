//! Whether what a partner shows is to be believed: its chain, its URI, and that nothing of it was revoked. SPEC: rows D9
//! to D11, D20.
//!
//! Nothing is fetched for a chain that ends in no anchor: strangers make this server ask nobody.

use super::{
    community::{Community, WhenUnavailable},
    lists::{Lists, Waits},
    status,
};
use crate::{egress::Fetch, limits, service::Service};
use fhir::Instant;
use oauth::x509::{Certificate, Chain, ChainError, Status};
use std::{fmt, sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::timeout};

/// Somebody is believed, and so long without asking again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Vouched {
    /// From this second on it must be asked again.
    pub(crate) known_until_s: i64,
}

/// Why somebody is not believed. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Distrust {
    /// There is no chain to an anchor of the community.
    Chain(ChainError),
    /// The certificate does not have the URI among its names, to the letter.
    San,
    /// This one of the chain was revoked.
    Revoked {
        /// Whose certificate.
        whose: String,
        /// Since when.
        since_s: i64,
    },
    /// Nobody says whether it was, and the community does not do without.
    StatusUnavailable(String),
    /// So many wait to hear of theirs that there was no place; to come again is worth it.
    Busy,
}

impl Distrust {
    /// One word for audit entries.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Chain(why) => why.word(),
            Self::San => "certificate-uri",
            Self::Revoked { .. } => "certificate-revoked",
            Self::StatusUnavailable(_) => "revocation-unavailable",
            Self::Busy => "busy",
        }
    }
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain(why) => why.fmt(f),
            Self::San => f.write_str("the certificate does not have that URI among its names, to the letter"),
            Self::Revoked { whose, since_s } => {
                let since = Instant::from_unix_millis(since_s.saturating_mul(1000));
                write!(f, "the certificate of {whose} was revoked on {since}")
            }
            Self::Busy => f.write_str("too many wait to hear whether theirs were revoked"),
            Self::StatusUnavailable(why) => write!(f, "nobody says whether a certificate was revoked: {why}"),
        }
    }
}

impl std::error::Error for Distrust {}

/// What decides it.
pub(crate) struct Trust {
    lists: Arc<Lists>,
}

impl Trust {
    pub(crate) fn new(fetch: Arc<dyn Fetch>, clock: Arc<dyn Fn() -> Instant + Send + Sync>) -> Self {
        Self { lists: Lists::new(fetch, clock) }
    }

    /// What the issuer says of a certificate now, in the time that a request may wait.
    pub(crate) async fn standing(
        lists: Arc<Lists>,
        certificate: Arc<Certificate>,
        issuer: Arc<Certificate>,
    ) -> Result<Status, String> {
        let time = Duration::from_secs(limits::VOUCH_TIME_S_MAX);
        match timeout(time, status::status(&lists, &certificate, &issuer, Waits::Request)).await {
            Ok(said) => said.map(|(status, _)| status).map_err(|why| why.to_string()),
            Err(_) => Err("no answer in time".into()),
        }
    }

    /// Whether these certificates, the leaf first, are those of the holder of this URI in this community.
    pub(crate) async fn vouched<D: AsRef<[u8]>>(
        &self,
        community: &Community,
        x5c: &[D],
        uri: &str,
    ) -> Result<Vouched, Distrust> {
        self.vouched_for(community, x5c, uri, Waits::Request).await
    }

    /// As [`Trust::vouched`], while a request waits or nobody does.
    pub(super) async fn vouched_for<D: AsRef<[u8]>>(
        &self,
        community: &Community,
        x5c: &[D],
        uri: &str,
        waits: Waits,
    ) -> Result<Vouched, Distrust> {
        let now_s = self.lists.now_s();
        let chain = community.anchors().chain(x5c, now_s).map_err(Distrust::Chain)?;
        // Row D11, D6: without any normalisation.
        if !chain.leaf().is_some_and(|leaf| leaf.uris().iter().any(|own| own == uri)) {
            return Err(Distrust::San);
        }
        let mut asked = JoinSet::new();
        for (certificate, issuer) in chain.issued() {
            let (lists, certificate, issuer) = (Arc::clone(&self.lists), Arc::clone(certificate), Arc::clone(issuer));
            asked.spawn(async move {
                let time = Duration::from_secs(limits::VOUCH_TIME_S_MAX);
                let said = timeout(time, status::status(&lists, &certificate, &issuer, waits)).await;
                let whose = certificate.subject().to_string();
                (whose, said.unwrap_or_else(|_| Err(status::Unavailable::because("no answer in time"))))
            });
        }
        let mut known_until_s = now_s.saturating_add(limits::LISTING_LIFE_S_MAX).min(chain.until_s().saturating_add(1));
        let (mut unavailable, mut revoked, mut is_busy) = (None, None, false);
        while let Some(answered) = asked.join_next().await {
            match answered {
                Ok((whose, Ok((Status::Revoked { since_s, .. }, _)))) => {
                    revoked = Some(Distrust::Revoked { whose, since_s })
                }
                Ok((_, Ok((Status::Good { until_s }, again_s)))) => {
                    known_until_s = known_until_s.min(until_s).min(again_s);
                }
                Ok((whose, Ok((Status::Unknown, _)))) => unavailable = Some(whose),
                Ok((whose, Err(why))) => {
                    is_busy |= why.is_busy;
                    unavailable = Some(format!("{whose}: {why}"));
                }
                Err(_) => unavailable = Some("asking broke off".into()),
            }
        }
        if let Some(revoked) = revoked {
            return Err(revoked);
        }
        if is_busy {
            return Err(Distrust::Busy);
        }
        if let Some(why) = unavailable {
            if community.when_unavailable == WhenUnavailable::Refuse {
                return Err(Distrust::StatusUnavailable(why));
            }
            tracing::warn!(
                community = &*community.uri,
                uri,
                why,
                "believed, although nobody says whether it was revoked"
            );
            known_until_s = known_until_s.min(now_s + limits::TEND_AGAIN_S);
        }
        Ok(Vouched { known_until_s })
    }
}

impl Service {
    /// What the issuers say now of each certificate of a chain but the anchor, in order; why not, for the operator. All
    /// are asked at once. For a chain that ends in an anchor: others make this server ask nobody.
    pub async fn standings(&self, chain: &Chain) -> Vec<Result<Status, String>> {
        let lists = &self.inner.trust.lists;
        let asked: Vec<_> = chain
            .issued()
            .map(|(certificate, issuer)| {
                let (lists, certificate, issuer) = (Arc::clone(lists), Arc::clone(certificate), Arc::clone(issuer));
                tokio::spawn(Trust::standing(lists, certificate, issuer))
            })
            .collect();
        let mut all = Vec::with_capacity(asked.len());
        for one in asked {
            all.push(one.await.unwrap_or_else(|_| Err("asking broke off".into())));
        }
        all
    }
}

#[cfg(test)]
mod tests;
