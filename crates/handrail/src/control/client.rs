//! Clients over the control socket: what a command asks, what the server answers, and how it is done.

use super::Reply;
use authserver::{
    Binding, Certificate, Client, ClientError, Invitation, Keys as KnownKeys, Kind, KindName, NewCertificate,
    NewClient, NewInvitation, NewKeys, NewKind, Service,
};
use oauth::caller::Standing;
use oauth::redirect_uri::ApplicationType;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A client as a command asks for it.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Name for people.
    pub(crate) name: String,
    /// Who made it, for people.
    pub(crate) maker: Option<String>,
    /// What it is for, in its maker's words.
    pub(crate) purpose: Option<String>,
    /// Address of its logo.
    pub(crate) logo: Option<String>,
    /// Scopes it may ask for.
    pub(crate) scope: String,
    /// How it proves who it is.
    pub(crate) proof: Proof,
    /// Where an app is sent back to; none for a system.
    pub(crate) redirect_uris: Vec<String>,
    /// A program on the person's device.
    pub(crate) is_native: bool,
    /// Where an EHR launch opens it.
    pub(crate) launch_url: Option<String>,
    /// What it can be opened for, `WORD` or `WORD=NAME` each.
    #[serde(default)]
    pub(crate) intents: Vec<String>,
    /// What a system may act for: codes.
    #[serde(default)]
    pub(crate) purposes_of_use: Vec<String>,
    /// Browser origins that may call with its tokens.
    pub(crate) origins: Vec<String>,
    /// This facility trusts it.
    pub(crate) is_verified: bool,
    /// Held to the FAPI 2.0 profile.
    pub(crate) is_fapi2: bool,
    /// Its certificate alone is its right to call.
    pub(crate) calls_without_token: bool,
    /// May introspect tokens of other clients.
    pub(crate) introspects_any: bool,
    /// How it stands to the records: `custodian`, `deidentified`; empty: ordinary.
    #[serde(default)]
    pub(crate) standing: String,
}

/// An initial access token as a command asks for it.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedInvitation {
    /// Whom it is for.
    pub(crate) note: String,
    /// Names of kinds of client.
    pub(crate) kinds: Vec<String>,
    /// Scopes that it allows at most.
    pub(crate) scope: String,
    /// How many clients may come of it.
    pub(crate) uses: u32,
    /// Days that it lasts.
    pub(crate) days: u32,
}

/// An initial access token, as a list shows it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListedInvitation {
    /// A name that tells nothing of the token.
    pub(crate) name: String,
    /// Whom it is for.
    pub(crate) note: String,
    /// How many clients may still come of it.
    pub(crate) uses_left: u32,
    /// When it ends.
    pub(crate) ends: String,
    /// Kinds of client.
    pub(crate) kinds: String,
    /// Scopes.
    pub(crate) scope: String,
}

/// How a client proves who it is.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Proof {
    /// Not at all.
    #[default]
    Public,
    /// By a secret that is made for it.
    Secret,
    /// By the keys of this JWKS or JWK.
    Jwks(String),
    /// By the keys at this https URL.
    JwksUrl(String),
    /// By a certificate of a trusted authority with this name in it: member of RFC 8705 and value.
    Subject {
        /// `tls_client_auth_subject_dn` and its kin.
        member: String,
        /// The name.
        value: String,
    },
    /// By these certificates of its own, DER.
    Certificates(Vec<Vec<u8>>),
}

/// A secret on its way to the command that shows it, by a socket that only the owner of the data may open. It is
/// serialized for that alone.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown(pub(crate) String);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A registered client, as a list shows it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Registered {
    /// `client_id`.
    pub(crate) id: String,
    /// Name for people.
    pub(crate) name: String,
    /// `public`, `confidential-symmetric`, …
    pub(crate) kind: String,
    /// What it may ask for.
    pub(crate) scope: String,
    /// When it was registered.
    pub(crate) created: String,
    /// It gets no tokens.
    pub(crate) is_disabled: bool,
    /// All else that there is to say: name and value.
    pub(crate) facts: Vec<(String, String)>,
}

/// That this is no word for how a system stands to the records.
pub(super) fn no_standing(word: &str) -> Reply {
    Reply::Refused(format!("{word:?} is no standing: ordinary, custodian or deidentified"))
}

/// Registers it.
pub(super) fn add(authserver: &Service, wanted: Wanted) -> Reply {
    // WHY: a word that is not known must not make a client that sees more than was meant.
    let standing = match &*wanted.standing {
        "" => Standing::default(),
        word => match Standing::parse(word) {
            Some(standing) => standing,
            None => return no_standing(word),
        },
    };
    let is_app = !wanted.redirect_uris.is_empty();
    let keys = |keys| if is_app { NewKind::ConfidentialAsymmetric(keys) } else { NewKind::BackendService(keys) };
    let kind = match wanted.proof {
        Proof::Public => NewKind::Public,
        Proof::Secret => NewKind::ConfidentialSymmetric,
        Proof::Jwks(text) => keys(NewKeys::Inline(text)),
        Proof::JwksUrl(url) => keys(NewKeys::Url(url)),
        Proof::Subject { member, value } => NewKind::MutualTls(NewCertificate::Subject(member, value)),
        Proof::Certificates(certificates) => NewKind::MutualTls(NewCertificate::SelfSigned(certificates)),
    };
    let new = NewClient {
        name: wanted.name,
        maker: wanted.maker,
        scope: wanted.scope,
        kind,
        redirect_uris: wanted.redirect_uris,
        application: if wanted.is_native { ApplicationType::Native } else { ApplicationType::Web },
        launch_url: wanted.launch_url,
        intents: wanted.intents,
        origins: wanted.origins,
        is_verified: wanted.is_verified,
        is_fapi2: wanted.is_fapi2,
        calls_without_token: wanted.calls_without_token,
        purposes_of_use: wanted.purposes_of_use,
        introspects_any: wanted.introspects_any,
        standing,
        purpose: wanted.purpose,
        logo: wanted.logo,
        requires_pushed: false,
        binding: None,
        assertion_algorithm: None,
    };
    match authserver.add_client(&new) {
        Ok(added) => Reply::Added {
            id: added.client.id.to_string(),
            secret: added.secret.map(|secret| Shown(secret.expose().to_owned())),
        },
        Err(why) => refused(&why),
    }
}

/// All of them.
pub(super) fn list(authserver: &Service) -> Reply {
    Reply::Clients(authserver.clients().iter().map(|client| registered(client)).collect())
}

fn registered(client: &Client) -> Registered {
    let mut facts: Vec<(String, String)> = Vec::new();
    let mut fact = |name: &str, value: &str| facts.push((name.to_owned(), value.to_owned()));
    for (name, text) in [("maker", &client.maker), ("purpose", &client.purpose), ("logo", &client.logo)] {
        if let Some(text) = text {
            fact(name, text);
        }
    }
    for uri in &*client.redirect_uris {
        fact("redirect URI", uri.as_str());
    }
    if let Some(url) = &client.launch_url {
        fact("launch URL", url);
    }
    for intent in &*client.intents {
        fact("intent", &intent.to_string());
    }
    for purpose in &*client.purposes_of_use {
        fact("purpose of use", purpose.code());
    }
    for origin in &client.origins {
        fact("origin", origin);
    }
    match &client.kind {
        Kind::Public => {}
        Kind::ConfidentialSymmetric(secrets) => {
            for secret in secrets {
                let used = secret.last_used.map_or_else(|| "never used".into(), |used| format!("last used {used}"));
                fact("secret", &format!("made {}, {used}", secret.created));
            }
        }
        Kind::ConfidentialAsymmetric(KnownKeys::Url(url)) | Kind::BackendService(KnownKeys::Url(url)) => {
            fact("JWKS URL", url);
        }
        Kind::ConfidentialAsymmetric(KnownKeys::Inline(jwks)) | Kind::BackendService(KnownKeys::Inline(jwks)) => {
            for key in jwks.keys() {
                fact("key", key.kid().unwrap_or_default());
            }
        }
        Kind::MutualTls(Certificate::SelfSigned(known)) => {
            for thumbprint in known.iter() {
                let hex: Vec<String> = thumbprint.iter().map(|byte| format!("{byte:02x}")).collect();
                fact("certificate SHA-256", &hex.concat());
            }
        }
        Kind::MutualTls(Certificate::Subject(subject)) => {
            let (member, value) = subject.member();
            fact(member, &value);
        }
        Kind::Udap(udap) => {
            fact("trust community", &udap.community);
            fact("URI", &udap.uri);
            fact("certificate SHA-256", &udap.thumbprint());
            for contact in &*udap.contacts {
                fact("contact", contact);
            }
            if !udap.is_approved {
                fact("waits for the operator", "it gets no token until then");
            }
            if let Some(why) = &udap.suspended {
                fact("suspended", why);
            }
        }
    }
    match client.binding {
        None => {}
        Some(Binding::Key) => fact("tokens are bound to", "the key of its DPoP proofs"),
        Some(Binding::Certificate) => fact("tokens are bound to", "its certificate"),
    }
    if let Some(algorithm) = client.assertion_algorithm {
        fact("assertions are signed with", algorithm.as_str());
    }
    if let Some(own) = &client.own {
        fact("registered itself by invitation", &own.invitation);
        for contact in &own.metadata.contacts {
            fact("contact", contact);
        }
    }
    for (is, name) in [
        (client.requires_pushed, "its authorization requests are pushed"),
        (client.is_verified, "verified by this facility"),
        (client.is_fapi2, "held to the FAPI 2.0 profile"),
        (client.calls_without_token, "calls without a token"),
        (client.introspects_any, "may introspect tokens of others"),
        (client.standing == Standing::Custodian, "this facility's own record system: consents do not bind it"),
        (client.standing == Standing::Deidentified, "gets de-identified data alone"),
    ] {
        if is {
            fact(name, "yes");
        }
    }
    Registered {
        id: client.id.to_string(),
        name: client.name.to_string(),
        kind: client.kind.name().to_owned(),
        scope: client.scope_text.to_string(),
        created: client.created.to_string(),
        is_disabled: client.disabled,
        facts,
    }
}

/// A change that has nothing to tell.
pub(super) fn done(outcome: Result<(), ClientError>) -> Reply {
    outcome.map_or_else(|why| refused(&why), |()| Reply::Done)
}

/// Makes an initial access token.
pub(super) fn invite(authserver: &Service, wanted: WantedInvitation) -> Reply {
    let kinds: Result<Vec<KindName>, String> = wanted
        .kinds
        .iter()
        .map(|name| KindName::parse(name).ok_or_else(|| format!("{name} is no kind of client: {}", kind_names())))
        .collect();
    let kinds = match kinds {
        Ok(kinds) => kinds,
        Err(why) => return Reply::Refused(why),
    };
    let WantedInvitation { note, scope, uses, days, .. } = wanted;
    let new = NewInvitation { note, kinds, scope, uses, life_s: i64::from(days) * 24 * 3600 };
    match authserver.invite_client(&new) {
        Ok((token, _)) => Reply::ClientInvited(Shown(token.expose().to_owned())),
        Err(why) => refused(&why),
    }
}

/// Names of all kinds of client.
fn kind_names() -> String {
    KindName::ALL.map(KindName::as_str).join(", ")
}

/// All initial access tokens that still work.
pub(super) fn invitations(authserver: &Service) -> Reply {
    let listed = |invitation: &std::sync::Arc<Invitation>| ListedInvitation {
        name: invitation.name.to_string(),
        note: invitation.note.to_string(),
        uses_left: invitation.uses_left,
        ends: invitation.ends.to_string(),
        kinds: invitation.reach.kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" "),
        scope: invitation.reach.scope_text.to_string(),
    };
    Reply::ClientInvitations(authserver.client_invitations().iter().map(listed).collect())
}

/// A new secret.
pub(super) fn new_secret(authserver: &Service, id: String) -> Reply {
    match authserver.new_client_secret(&id) {
        Ok(secret) => Reply::Added { id, secret: Some(Shown(secret.expose().to_owned())) },
        Err(why) => refused(&why),
    }
}

fn refused(why: &ClientError) -> Reply {
    if let ClientError::Unavailable(inner) = why {
        tracing::error!(why = inner, "a client could not be changed");
    }
    Reply::Refused(why.to_string())
}
