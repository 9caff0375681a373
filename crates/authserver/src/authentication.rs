//! Who a client is: by exactly one way, the one that it is registered for. SPEC: RFC 6749 section 2.3, RFC 7523, RFC 8705
//! section 2; rows A7, A11, B12, C2 to C9, C13. `communities`: with certificates of a trust community (UDAP).
//!
//! Every way to fail looks the same from outside. Where no key or secret of a client can be tried, one of nobody is, so
//! that the time spent does not tell much either; a client whose keys must be fetched can be told by a patient observer.
//! That a public client exists is no secret: its id stands in URLs.

mod communities;

use crate::{
    client::{Client, Keys, Kind},
    endpoint::Posted,
    event::Event,
    jwks_source::SourceError,
    outcome::Refusal,
    service::Inner,
    udap::trust::Distrust,
};
use oauth::{
    client_assertion::{AssertionError, ClientAssertion, Expected, Unverified},
    client_authentication::{Credentials, CredentialsError},
    jwk::{Jwks, MatchError},
    udap,
};
use std::{fmt, sync::Arc};

/// Why a client was not authenticated. For the audit entry; outside nearly all are [`Refusal::Client`].
#[derive(Debug)]
pub(crate) enum ClientRefusal {
    /// No credentials that can be read, or several.
    Credentials(CredentialsError),
    /// The assertion is not acceptable.
    Assertion(AssertionError),
    /// `client_id` beside the assertion names another client.
    OtherClientId,
    /// No client of this id.
    Unknown,
    /// The client is disabled.
    Disabled,
    /// Another way than the one it is registered for.
    Method,
    /// Not its secret.
    Secret,
    /// No certificate, or not its own.
    Certificate,
    /// Its keys could not be had.
    Keys(SourceError),
    /// The assertion was used before.
    Replayed,
    /// The assertion with certificates is not acceptable.
    Udap(udap::assertion::AssertionError),
    /// Its first certificate cannot be read.
    Leaf,
    /// Its certificates are not good, or not the client's.
    Distrust(Distrust),
    /// The form of a request is not as UDAP says.
    UdapForm(&'static str),
}

impl ClientRefusal {
    /// As one word, for metrics and log lines.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Credentials(_) => "client-no-credentials",
            Self::Assertion(_) => "client-assertion",
            Self::OtherClientId | Self::Unknown => "client-unknown",
            Self::Disabled => "client-disabled",
            Self::Method => "client-method",
            Self::Secret => "client-secret",
            Self::Certificate => "client-certificate",
            Self::Keys(_) => "client-keys",
            Self::Replayed => "client-replayed",
            Self::Udap(_) | Self::Leaf => "client-assertion",
            Self::Distrust(why) => why.word(),
            Self::UdapForm(_) => "request",
        }
    }
}

impl fmt::Display for ClientRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credentials(why) => why.fmt(f),
            Self::Assertion(why) => why.fmt(f),
            Self::OtherClientId => f.write_str("client_id and assertion name different clients"),
            Self::Unknown => f.write_str("no such client"),
            Self::Disabled => f.write_str("the client is disabled"),
            Self::Method => f.write_str("not the way of authenticating that the client is registered for"),
            Self::Secret => f.write_str("not the client's secret"),
            Self::Certificate => f.write_str("no certificate, or not the client's"),
            Self::Keys(why) => why.fmt(f),
            Self::Replayed => f.write_str("the client assertion was used before"),
            Self::Udap(why) => why.fmt(f),
            Self::Leaf => f.write_str("the first certificate of x5c cannot be read"),
            Self::Distrust(why) => why.fmt(f),
            Self::UdapForm(why) => f.write_str(why),
        }
    }
}

/// A failed authentication: why, and who the client said it was.
pub(crate) struct Unauthenticated {
    pub(crate) why: ClientRefusal,
    pub(crate) claimed: Option<String>,
}

/// How a client proved who it is.
pub(crate) enum Proof {
    /// Not at all: it is public.
    None,
    /// By its secret: the how-many-th.
    Secret(usize),
    /// By an assertion that is good but not yet marked as used.
    Assertion(ClientAssertion),
    /// By the certificate of its connection.
    Certificate,
    /// By an assertion with certificates that its community vouches for, not yet marked as used.
    Community {
        assertion: udap::assertion::Assertion,
        /// The certificates, when they are others than before.
        renewed: Option<Vec<Vec<u8>>>,
    },
}

impl Proof {
    fn assertion(&self) -> Option<&ClientAssertion> {
        match self {
            Self::Assertion(assertion) => Some(assertion),
            Self::Community { assertion, .. } => Some(&assertion.proof),
            Self::None | Self::Secret(_) | Self::Certificate => None,
        }
    }
}

/// A client that proved who it is.
pub(crate) struct Proven {
    pub(crate) client: Arc<Client>,
    pub(crate) proof: Proof,
}

impl Inner {
    /// The client of a request, which is recorded in the event. One that is not proven gets `refusal`, or what says more
    /// about the form of the request. An assertion is marked as used.
    pub(crate) async fn authenticated(
        self: &Arc<Self>,
        posted: &Posted,
        audiences: &[&str],
        refusal: Refusal,
        event: &mut Event,
    ) -> Result<Arc<Client>, Refusal> {
        self.proven_client(posted, audiences, refusal, event).await.map(|proven| proven.client)
    }

    /// The same with its proof.
    pub(crate) async fn proven_client(
        self: &Arc<Self>,
        posted: &Posted,
        audiences: &[&str],
        refusal: Refusal,
        event: &mut Event,
    ) -> Result<Proven, Refusal> {
        let proven = self.shown_by(posted, audiences).await.map_err(|failed| {
            event.reason = Some(failed.why.to_string());
            event.word = Some(failed.why.word());
            if let Some(claimed) = &failed.claimed {
                event.detail("client_id", claimed);
            }
            match failed.why {
                ClientRefusal::Credentials(CredentialsError::Several) => Refusal::SeveralCredentials,
                ClientRefusal::UdapForm(why) => Refusal::Udap(why),
                // It may come again with the same assertion.
                ClientRefusal::Distrust(Distrust::Busy) => Refusal::Unavailable,
                _ if posted.tries_basic() => Refusal::ClientBasic,
                _ => refusal,
            }
        })?;
        let client = Arc::clone(&proven.client);
        let marking = Arc::clone(self);
        let marked = tokio::task::spawn_blocking(move || marking.counts(&proven).map(|()| proven)).await;
        let proven = marked.map_err(|_| Refusal::Unavailable)?.map_err(|not_first| {
            event.reason = Some(not_first.reason());
            event.word = not_first.word();
            event.detail("client_id", &client.id);
            not_first.refusal(refusal)
        })?;
        event.client_id = Some(Arc::clone(&client.id));
        if client.is_approved() { Ok(proven) } else { Err(Refusal::Unapproved) }
    }

    /// Checks all but the replay, which needs the disk: see [`Inner::counts`].
    async fn shown_by(&self, posted: &Posted, audiences: &[&str]) -> Result<Proven, Unauthenticated> {
        // Row D25: it chooses by which rules the request is read.
        if let Some(version) = posted.form.value("udap") {
            return self.by_community(posted, version).await;
        }
        let refused = |why| Unauthenticated { why: ClientRefusal::Credentials(why), claimed: None };
        let credentials = match Credentials::read(posted.authorization.as_deref(), &posted.form) {
            Err(CredentialsError::Missing) => {
                return self.by_refresh_token(posted).ok_or_else(|| refused(CredentialsError::Missing));
            }
            read => read.map_err(refused)?,
        };
        match &credentials {
            Credentials::Assertion { assertion, client_id } => {
                let outcome = self.by_assertion(assertion.expose(), client_id.as_deref(), audiences).await;
                outcome.map_err(|failed| self.for_want_of_udap(assertion.expose()).unwrap_or(failed))
            }
            Credentials::Secret { client_id, secret, .. } => self.by_secret(client_id, secret.expose()),
            Credentials::Named { client_id } => self.by_certificate_or_name(client_id, posted),
        }
    }

    fn by_secret(&self, client_id: &str, secret: &str) -> Result<Proven, Unauthenticated> {
        let found = self.working(client_id);
        // The same work whether there is such a client, and whatever its kind.
        let position = match found.as_deref() {
            Ok(Client { kind: Kind::ConfidentialSymmetric(secrets), .. }) => {
                self.pepper.position(client_id, secret, secrets)
            }
            _ => self.pepper.position(client_id, secret, &[]),
        };
        let outcome = found.and_then(|client| match (&client.kind, position) {
            (Kind::ConfidentialSymmetric(_), Some(at)) => Ok((client, at)),
            (Kind::ConfidentialSymmetric(_), None) => Err(ClientRefusal::Secret),
            _ => Err(ClientRefusal::Method),
        });
        let outcome = outcome.map(|(client, at)| Proven { client, proof: Proof::Secret(at) });
        outcome.map_err(|why| Unauthenticated { why, claimed: Some(client_id.to_owned()) })
    }

    fn by_certificate_or_name(&self, client_id: &str, posted: &Posted) -> Result<Proven, Unauthenticated> {
        let outcome = self.working(client_id).and_then(|client| match &client.kind {
            Kind::Public => Ok((client, Proof::None)),
            Kind::MutualTls(known) => match posted.certificate.as_ref().is_some_and(|shown| shown.is(known)) {
                true => Ok((client, Proof::Certificate)),
                false => Err(ClientRefusal::Certificate),
            },
            // A client that has something to prove never passes as a public one.
            Kind::ConfidentialSymmetric(_)
            | Kind::ConfidentialAsymmetric(_)
            | Kind::BackendService(_)
            | Kind::Udap(_) => Err(ClientRefusal::Method),
        });
        let outcome = outcome.map(|(client, proof)| Proven { client, proof });
        outcome.map_err(|why| Unauthenticated { why, claimed: Some(client_id.to_owned()) })
    }

    /// The public app that a refresh token is of, when nothing else says who asks: SMART asks a public app for nothing
    /// beside the token, and npm `fhirclient` sends nothing. It is no less than its id, which stands in URLs.
    fn by_refresh_token(&self, posted: &Posted) -> Option<Proven> {
        if posted.form.value("grant_type") != Some("refresh_token") {
            return None;
        }
        let client_id = self.families.client_of_token(posted.form.value("refresh_token")?).ok()??;
        let client = self.working(&client_id).ok()?;
        matches!(client.kind, Kind::Public).then_some(Proven { client, proof: Proof::None })
    }

    fn working(&self, client_id: &str) -> Result<Arc<Client>, ClientRefusal> {
        match self.clients.client(client_id) {
            Some(client) if !client.works() => Err(ClientRefusal::Disabled),
            Some(client) => Ok(client),
            None => Err(ClientRefusal::Unknown),
        }
    }

    async fn by_assertion(
        &self,
        assertion: &str,
        client_id: Option<&str>,
        audiences: &[&str],
    ) -> Result<Proven, Unauthenticated> {
        let unverified = Unverified::parse(assertion)
            .map_err(|why| Unauthenticated { why: ClientRefusal::Assertion(why), claimed: None })?;
        let refused = |why| Unauthenticated { why, claimed: Some(unverified.client_id().to_owned()) };
        if client_id.is_some_and(|other| other != unverified.client_id()) {
            self.spend_a_verification(&unverified);
            return Err(refused(ClientRefusal::OtherClientId));
        }
        let found = self.working(unverified.client_id()).and_then(|client| match client.kind.keys().cloned() {
            Some(_) if client.assertion_algorithm.is_some_and(|only| only != unverified.algorithm()) => {
                Err(ClientRefusal::Method)
            }
            Some(keys) => Ok((client, keys)),
            None => Err(ClientRefusal::Method),
        });
        let (client, keys) = match found {
            Ok(found) => found,
            Err(why) => {
                self.spend_a_verification(&unverified);
                return Err(refused(why));
            }
        };
        match self.verified(&unverified, &keys, audiences).await {
            Ok(assertion) => Ok(Proven { client, proof: Proof::Assertion(assertion) }),
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
        keys: &Keys,
        audiences: &[&str],
    ) -> Result<ClientAssertion, ClientRefusal> {
        let verify = |keys: &Jwks, jwks_url| {
            unverified.verify(Expected { keys, jwks_url, audiences, now_s: self.now().unix_seconds() })
        };
        match keys {
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

    /// Takes from the client's rate, marks an assertion as used, notes that a secret was. Blocks on the disk.
    ///
    /// A public client proves nothing, so it has no rate of its own that a stranger could use up: what it redeems has.
    fn counts(&self, proven: &Proven) -> Result<(), NotFirst> {
        let now = self.now();
        // A replay is found before it can take from the client's rate.
        if let Some(assertion) = proven.proof.assertion()
            && self.assertions.was_used(assertion, now.unix_seconds())?
        {
            return Err(NotFirst::Replayed);
        }
        if !proven.client.is_app() {
            self.client_rate
                .take(Arc::clone(&proven.client.id), now.unix_millis())
                .map_err(|limited| NotFirst::Limited(limited.retry_after_s))?;
        }
        if let Some(assertion) = proven.proof.assertion()
            && !self.assertions.use_once(assertion, now.unix_seconds())?
        {
            return Err(NotFirst::Replayed);
        }
        match &proven.proof {
            Proof::Community { renewed: Some(x5c), .. } => {
                if let Err(why) = self.certificate_renewed(&proven.client, x5c) {
                    tracing::warn!(%why, "the renewed certificate of a client could not be noted");
                }
                Ok(())
            }
            Proof::Secret(at) => {
                if let Err(why) = self.clients.secret_used(&proven.client, *at, now) {
                    tracing::warn!(%why, "the last use of a client's secret could not be noted");
                }
                Ok(())
            }
            _ => Ok(()),
        }
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
    fn word(&self) -> Option<&'static str> {
        matches!(self, Self::Replayed).then(|| ClientRefusal::Replayed.word())
    }

    /// As an answer, where a client that is not authenticated gets `client`.
    fn refusal(&self, client: Refusal) -> Refusal {
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
    fn reason(&self) -> String {
        match self {
            Self::Replayed => ClientRefusal::Replayed.to_string(),
            Self::Limited(_) => "the client comes too often".into(),
            Self::Unavailable(_) => "the store is unavailable".into(),
        }
    }
}
