//! Who a client is: assertion, registered keys, and that the assertion comes for the first time. SPEC: rows C2 to C9, C13.
//!
//! Every way to fail looks the same from outside. Where no key of a client can be tried, a decoy is, so that the time
//! spent does not tell much either; a client whose keys must be fetched can be told by a patient observer.

use crate::{
    client::{Client, Keys},
    jwks_source::SourceError,
    outcome::Refusal,
    service::Inner,
};
use oauth::{
    client_assertion::{AssertionError, ClientAssertion, Expected, Unverified},
    jwk::{Jwks, MatchError},
    token_request::ClientCredentials,
};
use std::{fmt, sync::Arc};

/// Why a client was not authenticated. For the audit entry; outside all are [`Refusal::Client`].
#[derive(Debug, Clone)]
pub(crate) enum ClientRefusal {
    /// No assertion of the known type.
    NoAssertion,
    /// The assertion is not acceptable.
    Assertion(AssertionError),
    /// `client_id` beside the assertion names another client.
    OtherClientId,
    /// No client of this id.
    Unknown,
    /// The client is disabled.
    Disabled,
    /// Its keys could not be had.
    Keys(SourceError),
    /// The assertion was used before.
    Replayed,
}

impl ClientRefusal {
    /// As one word, for metrics and log lines.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::NoAssertion => "client-no-assertion",
            Self::Assertion(_) => "client-assertion",
            Self::OtherClientId | Self::Unknown => "client-unknown",
            Self::Disabled => "client-disabled",
            Self::Keys(_) => "client-keys",
            Self::Replayed => "client-replayed",
        }
    }
}

impl fmt::Display for ClientRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAssertion => f.write_str("no client assertion"),
            Self::Assertion(why) => why.fmt(f),
            Self::OtherClientId => f.write_str("client_id and assertion name different clients"),
            Self::Unknown => f.write_str("no such client"),
            Self::Disabled => f.write_str("the client is disabled"),
            Self::Keys(why) => why.fmt(f),
            Self::Replayed => f.write_str("the client assertion was used before"),
        }
    }
}

/// A failed authentication: why, and who the client said it was.
pub(crate) struct Unauthenticated {
    pub(crate) why: ClientRefusal,
    pub(crate) claimed: Option<String>,
}

/// A client whose assertion is good but not yet marked as used.
pub(crate) struct Proven {
    pub(crate) client: Arc<Client>,
    pub(crate) assertion: ClientAssertion,
}

impl Inner {
    /// Checks all but the replay, which needs the disk: see [`Inner::used_for_the_first_time`].
    pub(crate) async fn proven(
        &self,
        credentials: &ClientCredentials,
        audiences: &[&str],
    ) -> Result<Proven, Unauthenticated> {
        let unverified = Unverified::parse(&credentials.assertion)
            .map_err(|why| Unauthenticated { why: ClientRefusal::Assertion(why), claimed: None })?;
        let refused = |why| Unauthenticated { why, claimed: Some(unverified.client_id().to_owned()) };
        if credentials.client_id.as_deref().is_some_and(|other| other != unverified.client_id()) {
            self.spend_a_verification(&unverified);
            return Err(refused(ClientRefusal::OtherClientId));
        }
        let found = match self.clients.client(unverified.client_id()) {
            Some(client) if client.disabled => Err(ClientRefusal::Disabled),
            Some(client) => Ok(client),
            None => Err(ClientRefusal::Unknown),
        };
        let client = match found {
            Ok(client) => client,
            Err(why) => {
                self.spend_a_verification(&unverified);
                return Err(refused(why));
            }
        };
        match self.verified(&unverified, &client, audiences).await {
            Ok(assertion) => Ok(Proven { client, assertion }),
            Err(why) => {
                use AssertionError as E;
                if matches!(why, ClientRefusal::Keys(_) | ClientRefusal::Assertion(E::Jku | E::Key(_))) {
                    self.spend_a_verification(&unverified);
                }
                Err(refused(why))
            }
        }
    }

    async fn verified(
        &self,
        unverified: &Unverified<'_>,
        client: &Client,
        audiences: &[&str],
    ) -> Result<ClientAssertion, ClientRefusal> {
        let verify = |keys: &Jwks, jwks_url| {
            unverified.verify(Expected { keys, jwks_url, audiences, now_s: self.now().unix_seconds() })
        };
        match &client.keys {
            Keys::Inline(keys) => verify(keys, None).map_err(ClientRefusal::Assertion),
            Keys::Url(url) => {
                let copy = self.sources.jwks(url).await.map_err(ClientRefusal::Keys)?;
                match verify(copy.jwks(), Some(url)) {
                    Err(AssertionError::Key(MatchError::None)) => match self.sources.newer_than(url, &copy).await {
                        Some(newer) => verify(newer.jwks(), Some(url)),
                        None => Err(AssertionError::Key(MatchError::None)),
                    },
                    outcome => outcome,
                }
                .map_err(ClientRefusal::Assertion)
            }
        }
    }

    /// The work of a verification, without its outcome.
    fn spend_a_verification(&self, unverified: &Unverified<'_>) {
        if let Some(key) = self.decoys.key(unverified.algorithm()) {
            let _ = std::hint::black_box(unverified.is_signed_by(key));
        }
    }

    /// Takes from the client's rate and marks the assertion as used. Blocks on the disk.
    pub(crate) fn used_for_the_first_time(&self, proven: &Proven) -> Result<(), NotFirst> {
        let now = self.now();
        // A replay is found before it can take from the client's rate.
        if self.assertions.was_used(&proven.assertion, now.unix_seconds())? {
            return Err(NotFirst::Replayed);
        }
        self.client_rate
            .take(Arc::clone(&proven.client.id), now.unix_millis())
            .map_err(|limited| NotFirst::Limited(limited.retry_after_s))?;
        if self.assertions.use_once(&proven.assertion, now.unix_seconds())? { Ok(()) } else { Err(NotFirst::Replayed) }
    }
}

/// Why a good assertion does not count.
pub(crate) enum NotFirst {
    /// It was used before.
    Replayed,
    /// The client comes too often; seconds to wait.
    Limited(u64),
    /// The table fails; the text is for the log.
    Unavailable(String),
}

impl From<crate::tables::Unavailable> for NotFirst {
    fn from(error: crate::tables::Unavailable) -> Self {
        Self::Unavailable(error.0)
    }
}

impl NotFirst {
    /// As one word, where the refusal's own says less.
    pub(crate) fn word(&self) -> Option<&'static str> {
        matches!(self, Self::Replayed).then(|| ClientRefusal::Replayed.word())
    }

    /// As an answer, where a client that is not authenticated gets `client`.
    pub(crate) fn refusal(&self, client: Refusal) -> Refusal {
        match self {
            Self::Replayed => client,
            Self::Limited(seconds) => Refusal::TooMany(*seconds),
            Self::Unavailable(why) => {
                tracing::error!(%why, "a used assertion could not be marked");
                Refusal::Unavailable
            }
        }
    }

    /// For the audit entry.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Replayed => ClientRefusal::Replayed.to_string(),
            Self::Limited(_) => "the client comes too often".into(),
            Self::Unavailable(_) => "the store is unavailable".into(),
        }
    }
}
