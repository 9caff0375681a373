//! An entry as AuditEvent, after IHE Basic Audit Log Patterns (BALP) 1.1.
//!
//! - [`event`] says what the AuditEvent of an entry is; [`Event::to_json`] writes it, and
//!   [`crate::facts`] draws the search values from the same [`Event`], so the two cannot part.
//! - The logical id is given: the store makes it, so that it tells nothing; there is one version.
//! - The BALP profile is claimed only where its cardinalities hold: success, the peer's address known,
//!   one resource touched, and for the `Patient…` form exactly one patient.
//! - A token is named by our own name for it (a piece of its hash), after the OAuth Opaque pattern
//!   (row F19); the token itself is never here.
//! - A person is one agent with two types, the user of BALP's activity patterns (IRCP) and of its OAuth patterns: by
//!   their account (`sub`) as identifier, their resource as reference, with name and role. That is the OAuth Minimal
//!   pattern (row F19).
//! - An organization that came by UDAP is an agent of its own: by the URI that its certificate proves as identifier, by
//!   the Organization here as reference. Its purposes are the event's and of the agent that asked and of the
//!   organization (row D28). Who asked there is as it says itself: name, role and, below the organization's URI, id.
//!
//! - An entry is one event, and up to two more that stand nowhere else in the log: what consents decided
//!   ([`Facet::Consent`], row F20), and the disclosure that it was ([`Facet::Disclosure`], row F21).
//! - What counted in the decision stands as entities of the role Security Resource, with what it is and what it did as
//!   details; a broken glass is one of them, and a subtype, so that it can be searched for (rows F50, G18).
//! - Labels of what left stand at the one resource, or else at the query (row F18).
//!
//! Left out: one event for each patient of a search; one event lists them all, as row F18 allows. The profiles of the two
//! further events are not claimed.
//! SPEC: R4 auditevent.html; IHE BALP RESTful activity and OAuth patterns; rows F17 to F19.

mod codes;
mod further;

use crate::entry::{Action, Counts, Effect, Entry, Kind, Label, Outcome};
use base64::{Engine, engine::general_purpose::STANDARD};
use fhir::{LogicalId, ResourceType, json::Writer};
use oauth::udap::purpose::{self, Purpose};
use std::{borrow::Cow, net::IpAddr, sync::Arc};

#[cfg(test)]
mod tests;

/// The system of identifiers that are URIs.
const URIS: &str = "urn:ietf:rfc:3986";

/// The server that recorded the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Our FHIR base URL.
    pub base_url: String,
    /// Our name and version, for people.
    pub name: String,
}

/// A code with its system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coding<'a> {
    /// System.
    pub system: &'static str,
    /// Code.
    pub code: Cow<'a, str>,
    /// Display; empty for none.
    pub display: &'static str,
}

/// `AuditEvent.agent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent<'a> {
    /// Its part in the event, and for a person a second name of it.
    pub kinds: Vec<Coding<'static>>,
    /// Identifier (system, value) or, when nobody was authenticated, a text.
    pub who: Who<'a>,
    /// A person's name.
    pub name: Option<&'a str>,
    /// A person's role.
    pub role: Option<Coding<'static>>,
    /// Whether it asked for the event.
    pub requestor: bool,
    /// `policy`: name of the access token.
    pub policy: Option<String>,
    /// Network address and its type (`2` address, `5` URI).
    pub network: Option<(Cow<'a, str>, &'static str)>,
    /// A role that no code of ours says, in the words of who asserted it.
    pub role_text: Option<&'a str>,
    /// `who.display`.
    pub display: Option<&'a str>,
    /// `purposeOfUse`: codes of v3-ActReason.
    pub purposes: &'a [Arc<str>],
}

impl<'a> Agent<'a> {
    /// One of whom nothing more is known.
    fn new(kinds: Vec<Coding<'static>>, who: Who<'a>) -> Self {
        Self {
            kinds,
            who,
            name: None,
            role: None,
            requestor: false,
            policy: None,
            network: None,
            role_text: None,
            display: None,
            purposes: &[],
        }
    }
}

/// Who an agent is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who<'a> {
    /// An identifier.
    Identifier(&'a str, &'a str),
    /// Who is known here: system and value of an identifier (a person's account), and the resource that stands for them.
    Known(&'a str, &'a str, Option<(ResourceType, LogicalId)>),
    /// A text only.
    Display(&'static str),
    /// A resource here.
    Resource(ResourceType, LogicalId),
}

/// `AuditEvent.entity`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entity<'a> {
    /// The request, by its `X-Request-Id`.
    Request(&'a str),
    /// A resource touched, with its version when known.
    Resource(ResourceType, &'a LogicalId, Option<u32>),
    /// A patient whom the data is about.
    Patient(&'a LogicalId),
    /// A search, as asked.
    Query(&'a str),
    /// What counted in the decision: what it is, what it did, its name.
    Counted(&'static str, &'static str, &'a str),
    /// The token that was shown, by our name for it as a URN.
    Token(String),
}

/// Which event of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Facet {
    /// What was done.
    Itself,
    /// What consents decided of it.
    Consent,
    /// That it was a disclosure.
    Disclosure,
}

impl Facet {
    /// All, in the order in which they stand.
    pub const ALL: [Self; 3] = [Self::Itself, Self::Consent, Self::Disclosure];

    /// Its number, which never changes: names of events carry it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Itself => 0,
            Self::Consent => 1,
            Self::Disclosure => 2,
        }
    }

    /// Whether this entry has it.
    #[must_use]
    pub fn is_of(self, entry: &Entry) -> bool {
        match self {
            Self::Itself => true,
            Self::Consent => entry.counted().iter().any(|counted| counted.what == Counts::Consent),
            Self::Disclosure => entry.is_disclosure(),
        }
    }
}

impl Entity<'_> {
    /// `entity.type`.
    #[must_use]
    pub fn kind(&self) -> Coding<'static> {
        match self {
            Self::Request(_) => codes::REQUEST_ID,
            Self::Resource(..) | Self::Query(_) | Self::Counted(..) | Self::Token(_) => codes::SYSTEM_OBJECT,
            Self::Patient(_) => codes::PERSON,
        }
    }

    /// `entity.role`.
    #[must_use]
    pub fn role(&self) -> Option<Coding<'static>> {
        match self {
            Self::Request(_) => None,
            Self::Counted(..) | Self::Token(_) => Some(codes::SECURITY_ROLE),
            Self::Resource(..) => Some(codes::RESOURCE_ROLE),
            Self::Query(_) => Some(codes::QUERY_ROLE),
            Self::Patient(_) => Some(codes::PATIENT_ROLE),
        }
    }
}

/// What an AuditEvent says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// Logical id.
    pub id: LogicalId,
    /// The facts.
    pub entry: &'a Entry,
    /// Canonical URLs of the profiles claimed.
    pub profiles: Vec<String>,
    /// `type`.
    pub kind: Coding<'static>,
    /// `subtype`.
    pub subtypes: Vec<Coding<'a>>,
    /// `action`.
    pub action: &'static str,
    /// `outcome`.
    pub outcome: &'static str,
    /// `outcomeDesc`.
    pub outcome_text: Option<Cow<'a, str>>,
    /// `agent`.
    pub agents: Vec<Agent<'a>>,
    /// `entity`.
    pub entities: Vec<Entity<'a>>,
    /// `source`.
    pub server: &'a Server,
}

/// One of the entry's AuditEvents, under this logical id. Ask [`Facet::is_of`] first.
#[must_use]
pub fn event_of<'a>(facet: Facet, entry: &'a Entry, id: &LogicalId, server: &'a Server) -> Event<'a> {
    match facet {
        Facet::Itself => event(entry, id, server),
        Facet::Consent => further::consent(entry, id, server),
        Facet::Disclosure => further::disclosure(entry, id, server),
    }
}

/// The AuditEvent of the entry, under this logical id.
#[must_use]
pub fn event<'a>(entry: &'a Entry, id: &LogicalId, server: &'a Server) -> Event<'a> {
    let own = |code: &'a str| Coding { system: codes::OWN, code: Cow::Borrowed(code), display: "" };
    let mut subtypes = match entry.kind {
        Kind::Rest => vec![Coding { system: codes::REST, code: Cow::Borrowed(&entry.subtype), display: "" }],
        Kind::Security | Kind::Application => vec![own(&entry.subtype)],
    };
    subtypes.extend(codes::dicom_subtype(entry.kind, &entry.subtype));
    subtypes.extend(entry.glass().map(|_| own("break-glass")));

    let mut entities = Vec::with_capacity(2 + entry.touched.len() + entry.patients.len());
    if !entry.request_id.trim().is_empty() {
        entities.push(Entity::Request(&entry.request_id));
    }
    if let Some(query) = entry.query.as_deref().filter(|query| !query.is_empty()) {
        entities.push(Entity::Query(query));
    }
    let version = |touched: &crate::entry::Touched| touched.version.map(fhir::VersionId::number);
    entities.extend(entry.touched.iter().map(|t| Entity::Resource(t.resource_type, &t.id, version(t))));
    entities.extend(entry.patients.iter().map(Entity::Patient));
    let glass = entry.glass().map(|id| Entity::Counted("break-glass", Effect::Permit.as_str(), id));
    entities.extend(glass.into_iter().chain(entry.counted().iter().map(counted)).filter(is_named));
    let outcome_text = entry.outcome_text.as_deref().filter(|text| !text.trim().is_empty());
    Event {
        id: id.clone(),
        entry,
        profiles: profiles(entry),
        kind: codes::event_type(entry.kind, &entry.subtype),
        subtypes,
        action: codes::action(entry.action),
        outcome: codes::outcome(entry.outcome),
        outcome_text: outcome_text.map(Cow::Borrowed),
        agents: agents(entry, server),
        entities,
        server,
    }
}

fn counted(counted: &crate::entry::Counted) -> Entity<'_> {
    Entity::Counted(counted.what.as_str(), counted.effect.as_str(), &counted.name)
}

/// FHIR has no empty texts.
fn is_named(entity: &Entity<'_>) -> bool {
    !matches!(entity, Entity::Counted(_, _, name) if name.trim().is_empty())
}

/// Row F17: who sends and who receives depends on the interaction. A query's parameters flow from
/// the client to the server, so BALP makes the client its source.
fn agents<'a>(entry: &'a Entry, server: &'a Server) -> Vec<Agent<'a>> {
    let (client, us) = match (entry.kind, entry.action) {
        (Kind::Rest, Action::Read) => (codes::DESTINATION_ROLE, codes::SOURCE_ROLE),
        (Kind::Rest, Action::Create | Action::Update | Action::Execute) => {
            (codes::SOURCE_ROLE, codes::DESTINATION_ROLE)
        }
        (Kind::Rest, Action::Delete) => (codes::APPLICATION, codes::CUSTODIAN),
        (Kind::Security | Kind::Application, _) => (codes::APPLICATION, codes::DESTINATION_ROLE),
    };
    let who = || match entry.client_id.as_deref().filter(|client| !client.trim().is_empty()) {
        Some(client) => Who::Identifier(&server.base_url, client),
        None if entry.person.is_some() => Who::Display("the person's browser"),
        None => Who::Display("not authenticated"),
    };
    let person = entry.person.as_deref();
    let itself = entry.kind == Kind::Application;
    let mut agents = Vec::with_capacity(3);
    if !itself {
        agents.push(Agent {
            requestor: token_name(entry).is_none() && person.is_none(),
            network: entry.address.map(|address| (Cow::Owned(plain(address)), "2")),
            ..Agent::new(vec![client], who())
        });
    }
    agents.push(Agent {
        requestor: itself,
        network: Some((Cow::Borrowed(&server.base_url), "5")),
        ..Agent::new(vec![us], Who::Identifier(URIS, &server.base_url))
    });
    let organization = entry.organization.as_deref();
    let purposes = entry.purposes();
    let policy = token_name(entry).map(|token| format!("urn:ietf:params:oauth:jti:{token}"));
    if let Some(person) = person {
        let mut kinds = vec![codes::USER];
        kinds.extend(policy.is_some().then_some(codes::OAUTH_USER));
        let who = Who::Known(&server.base_url, &person.id, resource_of(person.fhir_user.as_deref()));
        agents.push(Agent {
            name: Some(&*person.name).filter(|name| !name.trim().is_empty()),
            role: Some(Coding { system: codes::OWN, code: Cow::Borrowed(person.role.as_str()), display: "" }),
            requestor: true,
            policy,
            purposes,
            ..Agent::new(kinds, who)
        });
    } else if policy.is_some() {
        let subject = organization
            .and_then(|organization| Some(Who::Identifier(&organization.uri, said(organization.subject_id.as_ref())?)));
        agents.push(Agent {
            name: organization.and_then(|organization| said(organization.subject_name.as_ref())),
            role_text: organization.and_then(|organization| said(organization.subject_role.as_ref())),
            requestor: true,
            policy,
            purposes,
            ..Agent::new(vec![codes::OAUTH_USER], subject.unwrap_or_else(who))
        });
    }
    if let Some(organization) = organization {
        let who = Who::Known(URIS, &organization.uri, resource_of(organization.resource.as_deref()));
        let is_payer = purposes.iter().any(|purpose| Purpose::parse(purpose).is_some_and(Purpose::is_payment));
        let kind = if is_payer { codes::PAYER } else { codes::PROVIDER };
        let display = said(organization.name.as_ref());
        agents.push(Agent { display, purposes, ..Agent::new(vec![kind], who) });
    }
    agents
}

/// What somebody said, when it is anything.
fn said(text: Option<&Arc<str>>) -> Option<&str> {
    text.map(|text| &**text).filter(|text| !text.trim().is_empty())
}

/// The resource that stands for somebody.
fn resource_of(reference: Option<&str>) -> Option<(ResourceType, LogicalId)> {
    let (name, id) = reference?.split_once('/')?;
    Some((ResourceType::parse(name).ok()?, LogicalId::parse(id).ok()?))
}

/// The operator has no token, and no name of one.
fn token_name(entry: &Entry) -> Option<&str> {
    entry.token_name.as_deref().filter(|name| !name.is_empty())
}

/// An IPv4 peer of a dual-stack socket is written as IPv4.
fn plain(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

fn profiles(entry: &Entry) -> Vec<String> {
    let mut profiles = Vec::new();
    if token_name(entry).is_some() {
        let form = if entry.person.is_some() { "Minimal" } else { "Opaque" };
        profiles.push(format!("{}OAUTHaccessTokenUse.{form}", codes::PROFILE_BASE));
    }
    let name = match (&*entry.subtype, entry.action) {
        ("create", Action::Create) => "Create",
        ("read" | "vread", Action::Read) => "Read",
        ("update" | "patch", Action::Update) => "Update",
        ("delete", Action::Delete) => "Delete",
        ("search" | "search-type" | "search-system", Action::Execute) => "Query",
        _ => return profiles,
    };
    let one_object = if name == "Query" {
        entry.query.as_deref().is_some_and(|query| !query.is_empty())
    } else {
        entry.touched.len() == 1
    };
    if entry.kind == Kind::Rest && entry.outcome == Outcome::Success && entry.address.is_some() && one_object {
        let patient = if entry.patients.len() == 1 { "Patient" } else { "" };
        profiles.push(format!("{}{patient}{name}", codes::PROFILE_BASE));
    }
    profiles
}

impl Event<'_> {
    /// The AuditEvent as JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let recorded = self.entry.recorded.to_string();
        let mut w = Writer::with_capacity(2048);
        w.object(|w| {
            w.member("resourceType", "AuditEvent");
            w.member("id", self.id.as_str());
            w.key("meta");
            w.object(|w| {
                w.member("versionId", "1");
                w.member("lastUpdated", &recorded);
                if !self.profiles.is_empty() {
                    w.key("profile");
                    w.array(|w| self.profiles.iter().for_each(|profile| w.string(profile)));
                }
            });
            w.key("type");
            coding(w, &self.kind);
            w.key("subtype");
            w.array(|w| self.subtypes.iter().for_each(|subtype| coding(w, subtype)));
            w.member("action", self.action);
            w.member("recorded", &recorded);
            w.member("outcome", self.outcome);
            if let Some(text) = &self.outcome_text {
                w.member("outcomeDesc", text);
            }
            purposes(w, "purposeOfEvent", self.entry.purposes());
            w.key("agent");
            w.array(|w| self.agents.iter().for_each(|one| agent(w, one)));
            w.key("source");
            w.object(|w| {
                w.member("site", &self.server.base_url);
                w.key("observer");
                identified(w, None, "urn:ietf:rfc:3986", &self.server.base_url, Some(&self.server.name));
                w.key("type");
                w.array(|w| coding(w, &codes::APPLICATION_SERVER));
            });
            if !self.entities.is_empty() {
                w.key("entity");
                let labelled = self.labelled();
                w.array(|w| {
                    for (at, one) in self.entities.iter().enumerate() {
                        entity(w, one, if labelled == Some(at) { self.entry.labels() } else { &[] });
                    }
                });
            }
        });
        w.into_bytes()
    }
}

impl Event<'_> {
    /// The entity that the labels are of: the one resource, else the query.
    fn labelled(&self) -> Option<usize> {
        let is_resource = |entity: &Entity<'_>| matches!(entity, Entity::Resource(..));
        let mut resources = self.entities.iter().enumerate().filter(|(_, entity)| is_resource(entity));
        match (resources.next(), resources.next()) {
            (Some((at, _)), None) => Some(at),
            _ => self.entities.iter().position(|entity| matches!(entity, Entity::Query(_))),
        }
    }
}

fn coding(w: &mut Writer, coding: &Coding<'_>) {
    w.object(|w| {
        w.member("system", coding.system);
        w.member("code", &coding.code);
        if !coding.display.is_empty() {
            w.member("display", coding.display);
        }
    });
}

fn identified(
    w: &mut Writer,
    resource: Option<&(ResourceType, LogicalId)>,
    system: &str,
    value: &str,
    display: Option<&str>,
) {
    w.object(|w| {
        if let Some((kind, id)) = resource {
            w.member("reference", &format!("{kind}/{id}"));
        }
        w.key("identifier");
        w.object(|w| {
            w.member("system", system);
            w.member("value", value);
        });
        if let Some(display) = display {
            w.member("display", display);
        }
    });
}

fn purposes(w: &mut Writer, name: &str, purposes: &[Arc<str>]) {
    let said = || purposes.iter().filter(|purpose| !purpose.trim().is_empty());
    if said().next().is_none() {
        return;
    }
    w.key(name);
    w.array(|w| {
        for purpose in said() {
            let code = Coding { system: purpose::SYSTEM, code: Cow::Borrowed(&**purpose), display: "" };
            w.object(|w| {
                w.key("coding");
                w.array(|w| coding(w, &code));
            });
        }
    });
}

fn agent(w: &mut Writer, agent: &Agent<'_>) {
    w.object(|w| {
        w.key("type");
        w.object(|w| {
            w.key("coding");
            w.array(|w| agent.kinds.iter().for_each(|kind| coding(w, kind)));
        });
        if let Some(role) = &agent.role {
            w.key("role");
            w.array(|w| {
                w.object(|w| {
                    w.key("coding");
                    w.array(|w| coding(w, role));
                });
            });
        }
        if let Some(text) = agent.role_text {
            w.key("role");
            w.array(|w| w.object(|w| w.member("text", text)));
        }
        w.key("who");
        match &agent.who {
            Who::Identifier(system, value) => identified(w, None, system, value, agent.display),
            Who::Known(system, value, resource) => identified(w, resource.as_ref(), system, value, agent.display),
            Who::Display(text) => w.object(|w| w.member("display", text)),
            Who::Resource(kind, id) => w.object(|w| w.member("reference", &format!("{kind}/{id}"))),
        }
        if let Some(name) = agent.name {
            w.member("name", name);
        }
        w.key("requestor");
        w.boolean(agent.requestor);
        if let Some(policy) = &agent.policy {
            w.key("policy");
            w.array(|w| w.string(policy));
        }
        if let Some((address, kind)) = &agent.network {
            w.key("network");
            w.object(|w| {
                w.member("address", address);
                w.member("type", kind);
            });
        }
        purposes(w, "purposeOfUse", agent.purposes);
    });
}

/// The Consent that counted.
pub(crate) fn consent(what: &str, name: &str) -> Option<LogicalId> {
    LogicalId::parse(name).ok().filter(|_| what == Counts::Consent.as_str())
}

fn labels(w: &mut Writer, labels: &[Label]) {
    let said = || labels.iter().filter(|label| !label.code.trim().is_empty() && !label.system.trim().is_empty());
    if said().next().is_none() {
        return;
    }
    w.key("securityLabel");
    w.array(|w| {
        for label in said() {
            w.object(|w| {
                w.member("system", &label.system);
                w.member("code", &label.code);
            });
        }
    });
}

fn entity(w: &mut Writer, entity: &Entity<'_>, labels_of_it: &[Label]) {
    let identifier = |w: &mut Writer, value: &str| {
        w.key("what");
        w.object(|w| {
            w.key("identifier");
            w.object(|w| w.member("value", value));
        });
    };
    let reference = |w: &mut Writer, text: String| {
        w.key("what");
        w.object(|w| w.member("reference", &text));
    };
    w.object(|w| {
        match entity {
            Entity::Request(id) => identifier(w, id),
            Entity::Token(name) => identifier(w, name),
            Entity::Counted(what, _, name) => match consent(what, name) {
                Some(id) => reference(w, format!("Consent/{id}")),
                None => identifier(w, name),
            },
            Entity::Resource(kind, id, Some(version)) => reference(w, format!("{kind}/{id}/_history/{version}")),
            Entity::Resource(kind, id, None) => reference(w, format!("{kind}/{id}")),
            Entity::Patient(id) => reference(w, format!("Patient/{id}")),
            Entity::Query(_) => {}
        }
        w.key("type");
        coding(w, &entity.kind());
        if let Some(role) = entity.role() {
            w.key("role");
            coding(w, &role);
        }
        labels(w, labels_of_it);
        if let Entity::Query(query) = entity {
            w.member("query", &STANDARD.encode(query));
        }
        if let Entity::Counted(what, effect, _) = entity {
            w.key("detail");
            w.array(|w| {
                for (kind, value) in [("counted", what), ("effect", effect)] {
                    w.object(|w| {
                        w.member("type", kind);
                        w.member("valueString", value);
                    });
                }
            });
        }
    });
}
