//! One audit event as facts: 100 to 200 bytes instead of a JSON resource of 3 KB.
//!
//! The bytes of an entry are `encode`'s (numbers and texts as in `bytes.rs`). What has grounds (purposes of use, what
//! counted in the decision) has version 4; without them, what an organization did that came by UDAP has version 3, what a
//! person did version 2, all else version 1, as it was before there were people:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version of this format: 1, 2 with a person, 3 with an organization, or 4 with grounds |
//! | 1 | kind (bits 0, 1), action (bits 2 to 4), outcome (bits 5, 6); bit 7 is 0 |
//! | 1 | which optional parts follow: 1 outcome text, 2 client, 4 token name, 8 IPv4, 16 IPv6, 32 query |
//! | 8 | recorded: milliseconds since 1970, big-endian, signed |
//! | text, text | subtype, request id |
//! | text, text, text | outcome text, client id, token name: each only when its bit is set |
//! | 4 or 16 | address, when its bit is set |
//! | text | query, when its bit is set |
//! | number, then for each: text, text, number | resources touched: type, id, version (0: not known) |
//! | number, then for each: text | patients |
//! | 1 | version 3: 1 when a person follows, else 0; version 4: 1 for a person, and 2 for an organization |
//! | text, text, 1, text | version 2, and 3 and 4 with a person: the person's id and name, their role (its place in the list of all), and the resource that stands for them (empty: none) |
//! | text, text | version 3, and 4 with an organization: community and URI of the organization, as its certificate proves them |
//! | number, then for each: text | the same: purposes of use |
//! | 6 texts (empty: none) | the same: the resource that stands for the organization, its own id and name, and name, id and role of who asked there |
//! | … | version 4 alone: the grounds (`entry/grounds.rs`) |
//!
//! Equal entries have equal bytes; a decoder refuses every other form. A change of the format is a
//! new version byte and keeps reading the old ones: logs are kept for years (row F26).
//!
//! SPEC: R4 auditevent.html; IHE BALP 1.1.x RESTful patterns; rows F16 to F19.

use crate::{
    bytes::{Reader, put_number, put_text},
    limits::{ENTITIES_MAX, TEXT_BYTES_MAX},
};
use fhir::{Instant, LogicalId, ResourceType, VersionId};
use oauth::{
    caller::{Role, User},
    udap::purpose::Purpose,
};
use std::{fmt, net::IpAddr, sync::Arc};

mod grounds;
mod organization;

pub use grounds::{Counted, Counts, Effect, Grounds, Label};
pub use organization::Organization;

#[cfg(test)]
mod tests;

/// What was done, in AuditEvent.action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the codes' meanings: C R U D E")]
pub enum Action {
    Create,
    Read,
    Update,
    Delete,
    Execute,
}

/// How it ended, in AuditEvent.outcome: 0, 4, 8, 12.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// 0.
    Success,
    /// 4: refused because of what the caller sent or may not do.
    MinorFailure,
    /// 8: the server could not.
    SeriousFailure,
    /// 12: the server became unusable.
    MajorFailure,
}

/// Which kind of event: AuditEvent.type and the BALP pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A RESTful interaction; subtype is its code.
    Rest,
    /// A security event of the authorization server: token issued, refused, revoked, introspected,
    /// client added or removed, keys rotated.
    Security,
    /// The server itself: start, stop, checkpoint key made.
    Application,
}

/// A resource that the event touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Its type.
    pub resource_type: ResourceType,
    /// Its id.
    pub id: LogicalId,
    /// The version read or made, when known.
    pub version: Option<VersionId>,
}

/// A person on whose behalf something was done, as they were then (row F18).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// `sub`: which account.
    pub id: Arc<str>,
    /// Their name.
    pub name: Arc<str>,
    /// Their role.
    pub role: Role,
    /// The resource that stands for them: `Practitioner/123`.
    pub fhir_user: Option<Arc<str>>,
}

impl Person {
    /// The person that a user is.
    #[must_use]
    pub fn of(user: &User) -> Self {
        Self {
            id: Arc::clone(&user.id),
            name: Arc::clone(&user.name),
            role: user.role,
            fhir_user: user.fhir_user.clone(),
        }
    }
}

/// The facts of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was recorded.
    pub recorded: Instant,
    /// What kind.
    pub kind: Kind,
    /// `read`, `search-type`, `token-issued`, …
    pub subtype: Arc<str>,
    /// Action.
    pub action: Action,
    /// Outcome.
    pub outcome: Outcome,
    /// Short public reason when it failed.
    pub outcome_text: Option<Arc<str>>,
    /// OAuth client; `None` when nobody was authenticated.
    pub client_id: Option<Arc<str>>,
    /// Name of the token (not the token).
    pub token_name: Option<Arc<str>>,
    /// The person on whose behalf the client acted, or who acted themselves; `None` for systems.
    pub person: Option<Box<Person>>,
    /// The organization that the client acted for, and why; `None` for clients that did not come by UDAP.
    pub organization: Option<Box<Organization>>,
    /// On what grounds; `None` when none are known. Never empty.
    pub grounds: Option<Box<Grounds>>,
    /// Address of the peer.
    pub address: Option<IpAddr>,
    /// X-Request-Id of the response.
    pub request_id: Arc<str>,
    /// For searches: type and query as asked, `Observation?code=x`.
    pub query: Option<Arc<str>>,
    /// Resources touched, the data entities.
    pub touched: Vec<Touched>,
    /// Patients the data is about.
    pub patients: Vec<LogicalId>,
}

/// An entry's bytes: made by [`Entry::encode`], or read back and checked by [`Encoded::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded(Vec<u8>);

impl Encoded {
    /// Takes bytes that were stored (an outbox) when they are an entry.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn check(bytes: &[u8]) -> Result<Self, Malformed> {
        Entry::decode(bytes).map(|_| Self(bytes.to_vec()))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Bytes that are no entry of a version this program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an audit entry of a known version")
    }
}

impl std::error::Error for Malformed {}

const VERSION: u8 = 1;
const VERSION_WITH_PERSON: u8 = 2;
const VERSION_WITH_ORGANIZATION: u8 = 3;
const VERSION_WITH_GROUNDS: u8 = 4;
const OF_PERSON: u8 = 1;
const OF_ORGANIZATION: u8 = 2;
const OUTCOME_TEXT: u8 = 1;
const CLIENT: u8 = 2;
const TOKEN: u8 = 4;
const IPV4: u8 = 8;
const IPV6: u8 = 16;
const QUERY: u8 = 32;

impl Entry {
    /// The bytes, as the module describes. Texts and lists over the limits are cut.
    #[must_use]
    pub fn encode(&self) -> Encoded {
        let mut out = Vec::with_capacity(256 + self.touched.len() * 40);
        self.encode_into(&mut out);
        Encoded(out)
    }

    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        let kind = match self.kind {
            Kind::Rest => 0,
            Kind::Security => 1,
            Kind::Application => 2,
        };
        let action = match self.action {
            Action::Create => 0,
            Action::Read => 1,
            Action::Update => 2,
            Action::Delete => 3,
            Action::Execute => 4,
        };
        let outcome = match self.outcome {
            Outcome::Success => 0,
            Outcome::MinorFailure => 1,
            Outcome::SeriousFailure => 2,
            Outcome::MajorFailure => 3,
        };
        let texts = [
            (OUTCOME_TEXT, &self.outcome_text),
            (CLIENT, &self.client_id),
            (TOKEN, &self.token_name),
            (QUERY, &self.query),
        ];
        let mut parts = texts.iter().filter(|(_, text)| text.is_some()).fold(0, |bits, (bit, _)| bits | bit);
        parts |= match self.address {
            None => 0,
            Some(IpAddr::V4(_)) => IPV4,
            Some(IpAddr::V6(_)) => IPV6,
        };
        let grounds = self.grounds.as_deref().filter(|grounds| !grounds.is_empty());
        let version = match (grounds, &self.organization, &self.person) {
            (Some(_), _, _) => VERSION_WITH_GROUNDS,
            (None, Some(_), _) => VERSION_WITH_ORGANIZATION,
            (None, None, Some(_)) => VERSION_WITH_PERSON,
            (None, None, None) => VERSION,
        };
        out.extend_from_slice(&[version, kind | action << 2 | outcome << 5, parts]);
        out.extend_from_slice(&self.recorded.unix_millis().to_be_bytes());
        put_text(out, &self.subtype, TEXT_BYTES_MAX);
        put_text(out, &self.request_id, TEXT_BYTES_MAX);
        for text in [&self.outcome_text, &self.client_id, &self.token_name].into_iter().flatten() {
            put_text(out, text, TEXT_BYTES_MAX);
        }
        match self.address {
            None => {}
            Some(IpAddr::V4(address)) => out.extend_from_slice(&address.octets()),
            Some(IpAddr::V6(address)) => out.extend_from_slice(&address.octets()),
        }
        if let Some(query) = &self.query {
            put_text(out, query, TEXT_BYTES_MAX);
        }
        put_number(out, self.touched.len().min(ENTITIES_MAX) as u64);
        for touched in self.touched.iter().take(ENTITIES_MAX) {
            put_text(out, touched.resource_type.name(), TEXT_BYTES_MAX);
            put_text(out, touched.id.as_str(), TEXT_BYTES_MAX);
            put_number(out, touched.version.map_or(0, |version| u64::from(version.number())));
        }
        put_number(out, self.patients.len().min(ENTITIES_MAX) as u64);
        for patient in self.patients.iter().take(ENTITIES_MAX) {
            put_text(out, patient.as_str(), TEXT_BYTES_MAX);
        }
        let of_person = if self.person.is_some() { OF_PERSON } else { 0 };
        match version {
            VERSION_WITH_GROUNDS => {
                out.push(of_person | if self.organization.is_some() { OF_ORGANIZATION } else { 0 });
            }
            VERSION_WITH_ORGANIZATION => out.push(of_person),
            _ => {}
        }
        if let Some(person) = &self.person {
            put_text(out, &person.id, TEXT_BYTES_MAX);
            put_text(out, &person.name, TEXT_BYTES_MAX);
            out.push(role_number(person.role));
            put_text(out, person.fhir_user.as_deref().unwrap_or_default(), TEXT_BYTES_MAX);
        }
        if let Some(organization) = &self.organization {
            organization.put(out);
        }
        if let Some(grounds) = grounds {
            grounds.put(out);
        }
    }

    /// Purposes of use: those of the request, else those that the organization's token was issued for.
    #[must_use]
    pub fn purposes(&self) -> &[Arc<str>] {
        match (&self.grounds, &self.organization) {
            (Some(grounds), _) if !grounds.purposes.is_empty() => &grounds.purposes,
            (_, Some(organization)) => &organization.purposes,
            _ => &[],
        }
    }

    /// The glass that was broken for it.
    #[must_use]
    pub fn glass(&self) -> Option<&str> {
        self.grounds.as_ref().and_then(|grounds| grounds.glass.as_deref())
    }

    /// Marks what has to do with a record whose glass is broken with the case, and with its purpose beside the others (row
    /// F50). `glasses`: of each whose record it opens, and the case.
    pub fn mark_glass<'a>(&mut self, glasses: impl IntoIterator<Item = &'a (Arc<str>, Arc<str>)>) {
        let patients = &self.patients;
        let mut glasses = glasses.into_iter();
        let opened = glasses.find(|(whose, _)| patients.iter().any(|patient| *patient.as_str() == **whose));
        let Some((_, case)) = opened else { return };
        let grounds = self.grounds_mut();
        grounds.glass = Some(Arc::clone(case));
        let code = Purpose::BREAK_GLASS.code();
        if !grounds.purposes.iter().any(|purpose| **purpose == *code) {
            grounds.purposes.push(code.into());
        }
    }

    /// What counted in the decision.
    #[must_use]
    pub fn counted(&self) -> &[Counted] {
        self.grounds.as_ref().map_or(&[], |grounds| &grounds.counted)
    }

    /// Security labels of what left.
    #[must_use]
    pub fn labels(&self) -> &[Label] {
        self.grounds.as_ref().map_or(&[], |grounds| &grounds.labels)
    }

    /// Whether it was a disclosure to somebody outside.
    #[must_use]
    pub fn is_disclosure(&self) -> bool {
        self.grounds.as_ref().is_some_and(|grounds| grounds.disclosed)
    }

    /// The grounds, to be filled. Leave none of them empty: [`Entry::settled`] at the end.
    pub fn grounds_mut(&mut self) -> &mut Grounds {
        self.grounds.get_or_insert_default()
    }

    /// Grounds that say nothing are none.
    #[must_use]
    pub fn settled(mut self) -> Self {
        self.grounds = self.grounds.filter(|grounds| !grounds.is_empty());
        self
    }

    /// Reads the bytes that [`Entry::encode`] made.
    ///
    /// # Errors
    /// [`Malformed`] on anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        decoded(bytes, true)
    }

    /// The same without the resources touched, the query and the names of token and request: all that the rules of
    /// [`crate::alarm`] look at, for a fifth of the time. What is left out is checked for its form alone.
    ///
    /// # Errors
    /// As [`Entry::decode`].
    pub fn decode_brief(bytes: &[u8]) -> Result<Self, Malformed> {
        decoded(bytes, false)
    }
}

fn decoded(bytes: &[u8], whole: bool) -> Result<Entry, Malformed> {
    let mut reader = Reader(bytes);
    let entry = read(&mut reader, whole).ok_or(Malformed)?;
    if reader.0.is_empty() { Ok(entry) } else { Err(Malformed) }
}

fn read(r: &mut Reader<'_>, whole: bool) -> Option<Entry> {
    let [version, codes, parts] = r.array()?;
    if !(VERSION..=VERSION_WITH_GROUNDS).contains(&version)
        || codes & 0x80 != 0
        || parts & 0xc0 != 0
        || parts & (IPV4 | IPV6) == IPV4 | IPV6
    {
        return None;
    }
    let kind = [Kind::Rest, Kind::Security, Kind::Application].get(usize::from(codes & 3)).copied()?;
    let action = [Action::Create, Action::Read, Action::Update, Action::Delete, Action::Execute]
        .get(usize::from(codes >> 2 & 7))
        .copied()?;
    let outcome = [Outcome::Success, Outcome::MinorFailure, Outcome::SeriousFailure, Outcome::MajorFailure]
        .get(usize::from(codes >> 5 & 3))
        .copied()?;
    let recorded = Instant::from_unix_millis(i64::from_be_bytes(r.array()?));
    let text = |r: &mut Reader<'_>| r.text(TEXT_BYTES_MAX).map(Arc::<str>::from);
    let optional = |r: &mut Reader<'_>, bit: u8| {
        if parts & bit == 0 { Some(None) } else { r.text(TEXT_BYTES_MAX).map(|t| Some(t.into())) }
    };
    let subtype: Arc<str> = text(r)?;
    let request_id = if whole { text(r)? } else { r.text(TEXT_BYTES_MAX).map(|_| Arc::clone(&subtype))? };
    let passed = |r: &mut Reader<'_>, bit: u8| {
        if parts & bit == 0 { Some(None) } else { r.text(TEXT_BYTES_MAX).map(|_| None) }
    };
    let outcome_text = optional(r, OUTCOME_TEXT)?;
    let client_id = optional(r, CLIENT)?;
    let token_name = if whole { optional(r, TOKEN)? } else { passed(r, TOKEN)? };
    let address = match parts & (IPV4 | IPV6) {
        0 => None,
        IPV4 => Some(IpAddr::from(r.array::<4>()?)),
        _ => Some(IpAddr::from(r.array::<16>()?)),
    };
    let query = if whole { optional(r, QUERY)? } else { passed(r, QUERY)? };
    let mut touched = Vec::new();
    for _ in 0..r.length(ENTITIES_MAX)? {
        if !whole {
            r.text(TEXT_BYTES_MAX)?;
            r.text(TEXT_BYTES_MAX)?;
            u32::try_from(r.number()?).ok()?;
            continue;
        }
        let resource_type = ResourceType::parse(r.text(TEXT_BYTES_MAX)?).ok()?;
        let id = LogicalId::parse(r.text(TEXT_BYTES_MAX)?).ok()?;
        let version = match u32::try_from(r.number()?).ok()? {
            0 => None,
            number => VersionId::new(number),
        };
        touched.push(Touched { resource_type, id, version });
    }
    let mut patients = Vec::new();
    for _ in 0..r.length(ENTITIES_MAX)? {
        patients.push(LogicalId::parse(r.text(TEXT_BYTES_MAX)?).ok()?);
    }
    let of = match version {
        VERSION_WITH_PERSON => OF_PERSON,
        VERSION_WITH_ORGANIZATION => r.byte().filter(|of| *of <= OF_PERSON)? | OF_ORGANIZATION,
        VERSION_WITH_GROUNDS => r.byte().filter(|of| *of <= OF_PERSON | OF_ORGANIZATION)?,
        _ => 0,
    };
    let person = if of & OF_PERSON == 0 { None } else { Some(Box::new(person(r)?)) };
    let organization = if of & OF_ORGANIZATION == 0 { None } else { Some(Box::new(Organization::read(r)?)) };
    let grounds = if version == VERSION_WITH_GROUNDS { Some(Box::new(Grounds::read(r)?)) } else { None };
    Some(Entry {
        recorded,
        kind,
        subtype,
        action,
        outcome,
        outcome_text,
        client_id,
        token_name,
        person,
        organization,
        grounds,
        address,
        request_id,
        query,
        touched,
        patients,
    })
}

/// Numbers stay for ever: logs are kept for years.
const ROLES: [Role; 5] = [Role::Patient, Role::Caregiver, Role::Clinician, Role::PrivacyOfficer, Role::Administrator];

fn role_number(role: Role) -> u8 {
    match role {
        Role::Patient => 0,
        Role::Caregiver => 1,
        Role::Clinician => 2,
        Role::PrivacyOfficer => 3,
        Role::Administrator => 4,
    }
}

fn person(r: &mut Reader<'_>) -> Option<Person> {
    let id = r.text(TEXT_BYTES_MAX)?.into();
    let name = r.text(TEXT_BYTES_MAX)?.into();
    let [role] = r.array()?;
    let role = ROLES.get(usize::from(role)).copied()?;
    let fhir_user = Some(r.text(TEXT_BYTES_MAX)?).filter(|text| !text.is_empty()).map(Arc::from);
    Some(Person { id, name, role, fhir_user })
}
