//! Trust communities over the control socket: what a command asks, what the server answers, and how it is done.

use super::{Reply, Shown};
use crate::partner::moment;
use authserver::{Approval, Client, Community, CommunityError, NewCommunity, Profile, Service, WhenUnavailable};
use oauth::{secret::Secret, x509::Certificate};
use serde::{Deserialize, Serialize};

/// Follows the state of a partner.
const UNANSWERED: &str = ", nobody says whether its certificate was revoked";

/// A community as a command asks for it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedCommunity {
    /// Its URI.
    pub(crate) uri: String,
    /// Its name, for people.
    pub(crate) name: Option<String>,
    /// Its anchors, DER.
    pub(crate) anchors: Vec<Vec<u8>>,
    /// Our chain in it, DER, our own certificate first.
    pub(crate) chain: Vec<Vec<u8>>,
    /// Our private key.
    pub(crate) key: Shown,
    /// `stu1` or `stu2`.
    pub(crate) profile: String,
    /// `refuse` or `accept`.
    pub(crate) when_unavailable: String,
    /// Codes of v3-ActReason.
    pub(crate) purposes: Vec<String>,
    /// URIs of certifications.
    pub(crate) certifications: Vec<String>,
    /// `open` or `operator`.
    pub(crate) approval: String,
    /// Registrations that it may have.
    pub(crate) registrations_max: Option<usize>,
    /// Its members may vouch for people who sign in here.
    pub(crate) identity_providers: bool,
}

/// A community, as a list shows it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListedCommunity {
    /// Its URI.
    pub(crate) uri: String,
    /// Its name.
    pub(crate) name: String,
    /// `stu1` or `stu2`.
    pub(crate) profile: String,
    /// When the first of our certificates in it, or its last anchor, ends.
    pub(crate) ends: String,
    /// The same in seconds since the epoch.
    pub(crate) ends_s: i64,
    /// `open` or `operator`.
    pub(crate) approval: String,
    /// `refuse` or `accept`.
    pub(crate) when_unavailable: String,
    /// Codes, divided by blanks.
    pub(crate) purposes: String,
    /// URIs, divided by blanks.
    pub(crate) certifications: String,
    /// Its members may vouch for people who sign in here.
    pub(crate) identity_providers: bool,
    /// How many joined by it.
    pub(crate) registrations: u64,
    /// Of how many nobody says whether their certificates were revoked.
    pub(crate) unanswered: u64,
    /// How many may.
    pub(crate) registrations_max: u64,
    /// Whose our certificate is.
    pub(crate) certificate: String,
    /// Its anchors: name and end.
    pub(crate) anchors: Vec<String>,
}

/// Somebody who joined by a trust community, as a list shows it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListedPartner {
    /// `client_id`.
    pub(crate) id: String,
    /// When it joined.
    pub(crate) created: String,
    /// Name of its software.
    pub(crate) name: String,
    /// The address that its certificate proves.
    pub(crate) uri: String,
    /// URI of the community.
    pub(crate) community: String,
    /// `works`, `waits`, `stopped`, or why it is suspended; and whether nobody tells of its certificates.
    pub(crate) state: String,
    /// What it may ask for.
    pub(crate) scope: String,
}

/// Adds a community, or changes it.
pub(super) fn put(authserver: &Service, wanted: WantedCommunity, replace: bool) -> Reply {
    let read = (
        Profile::parse(&wanted.profile),
        WhenUnavailable::parse(&wanted.when_unavailable),
        Approval::parse(&wanted.approval),
    );
    let (Some(profile), Some(when_unavailable), Some(approval)) = read else {
        return Reply::Refused("profile, when_unavailable or approval is a word that this server does not know".into());
    };
    let new = NewCommunity {
        uri: wanted.uri,
        name: wanted.name,
        anchors: wanted.anchors,
        chain: wanted.chain,
        key: Secret::new(wanted.key.0),
        profile,
        when_unavailable,
        purposes: wanted.purposes,
        certifications: wanted.certifications,
        approval,
        registrations_max: wanted.registrations_max,
        identity_providers: wanted.identity_providers,
    };
    match if replace { authserver.set_community(&new) } else { authserver.add_community(&new) } {
        Ok(community) => Reply::CommunityPut { ends: moment(community.ends_s()).to_string() },
        Err(CommunityError::Exists) => {
            Reply::Refused("there is a community of this URI already; --replace changes it".into())
        }
        Err(why) => refused(&why),
    }
}

/// Leaves a community.
pub(super) fn remove(authserver: &Service, uri: &str) -> Reply {
    authserver.remove_community(uri).map_or_else(|why| refused(&why), |()| Reply::Done)
}

fn refused(why: &CommunityError) -> Reply {
    if let CommunityError::Unavailable(inner) = why {
        tracing::error!(why = inner, "a community could not be changed");
    }
    Reply::Refused(why.to_string())
}

/// All communities, the default one first.
pub(super) fn communities(authserver: &Service) -> Reply {
    let (joined, unanswered) = (authserver.udap_registrations(), authserver.udap_unanswered());
    let listed = authserver.communities().into_iter().map(|community| {
        let is_its =
            |client: &&std::sync::Arc<Client>| client.kind.udap().is_some_and(|udap| udap.community == community.uri);
        let unanswered = joined.iter().filter(is_its).filter(|client| unanswered.contains(&client.id)).count();
        listed(&community, joined.iter().filter(is_its).count(), unanswered)
    });
    Reply::Communities(listed.collect())
}

fn listed(community: &Community, registrations: usize, unanswered: usize) -> ListedCommunity {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let purposes: Vec<&str> = community.purposes.iter().map(|purpose| purpose.code()).collect();
    let leaf = community.chain.first().and_then(|der| Certificate::read(der).ok());
    let anchor =
        |anchor: &std::sync::Arc<Certificate>| format!("{}, until {}", anchor.subject(), moment(anchor.not_after_s()));
    ListedCommunity {
        uri: community.uri.to_string(),
        name: community.name.clone(),
        profile: community.profile.as_str().to_owned(),
        ends: moment(community.ends_s()).to_string(),
        ends_s: community.ends_s(),
        approval: community.approval.as_str().to_owned(),
        when_unavailable: community.when_unavailable.as_str().to_owned(),
        purposes: purposes.join(" "),
        certifications: community.certifications.join(" "),
        identity_providers: community.identity_providers,
        registrations: count(registrations),
        unanswered: count(unanswered),
        registrations_max: count(community.registrations_max),
        certificate: leaf.map(|leaf| leaf.subject().to_string()).unwrap_or_default(),
        anchors: community.anchors().all().iter().map(anchor).collect(),
    }
}

/// Everybody who joined, oldest first.
pub(super) fn partners(authserver: &Service) -> Reply {
    let unanswered = authserver.udap_unanswered();
    let listed = authserver.udap_registrations().into_iter().filter_map(|client| {
        let silent = if unanswered.contains(&client.id) { UNANSWERED } else { "" };
        let udap = client.kind.udap()?;
        Some(ListedPartner {
            id: client.id.to_string(),
            created: client.created.to_string(),
            name: client.name.to_string(),
            uri: udap.uri.to_string(),
            community: udap.community.to_string(),
            state: format!("{}{silent}", state(&client)),
            scope: client.scope_text.to_string(),
        })
    });
    Reply::Partners(listed.collect())
}

/// How somebody who joined stands, as one word.
pub(crate) fn standing(client: &Client) -> &'static str {
    match client.kind.udap() {
        _ if client.disabled => "stopped",
        Some(udap) if udap.suspended.is_some() => "suspended",
        Some(udap) if !udap.is_approved => "waits",
        _ => "works",
    }
}

fn state(client: &Client) -> String {
    let why = client.kind.udap().and_then(|udap| udap.suspended.as_deref()).filter(|_| !client.disabled);
    let standing = standing(client);
    why.map_or_else(|| standing.to_owned(), |why| format!("{standing}: {why}"))
}
