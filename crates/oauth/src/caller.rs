//! The caller: proof that a request carried a valid access token of this server.
//!
//! A token stands for a system, or for a person who let an app act for them ([`Grant::user`]). It may be bound to a key
//! that its holder must show with each request ([`Confirmation`], row A8).
//!
//! Review target: nothing outside this crate can make a [`Caller`].

use crate::{
    launch_context::LaunchContext,
    scope::{Scope, ScopeError, parse_list},
    udap::{b2b::B2b, purpose::Purpose},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{fmt, sync::Arc};

/// What a token stands for: kept by the authorization server, shared by all requests that carry it.
#[derive(Clone)]
pub struct Grant {
    /// The OAuth client.
    pub client_id: Arc<str>,
    /// Name of the client for people.
    pub client_name: Arc<str>,
    /// Granted resource scopes.
    pub scopes: Arc<[Scope]>,
    /// The whole scope string as granted.
    pub scope_text: Arc<str>,
    /// When the token was issued, seconds since the epoch.
    pub issued_at_s: i64,
    /// End of life, seconds since the epoch.
    pub expires_at_s: i64,
    /// A name for the token that tells nothing: first 16 hex digits of its hash (audit, logs).
    pub token_name: Arc<str>,
    /// The person on whose behalf the client acts; `None` for a system that acts for itself.
    pub user: Option<Arc<User>>,
    /// What was in context when the person let the client in. Empty for systems.
    pub launch: Arc<LaunchContext>,
    /// The key that the token is bound to; `None` for a bearer token.
    pub confirmation: Option<Confirmation>,
    /// Name of the consent that the token comes from: revoking that kills all its tokens.
    pub family: Option<Arc<str>>,
    /// The organization that the client acts for, and why (UDAP); `None` for clients that were registered here by name.
    pub acting: Option<Arc<Acting>>,
    /// How the client stands to the records.
    pub standing: Standing,
    /// What a system was registered to act for, as the register says now (row F48); none: treatment.
    pub purposes: Arc<[Purpose]>,
}

impl Grant {
    /// Whether the client keeps the records that consents are about.
    #[must_use]
    pub fn is_custodian(&self) -> bool {
        self.standing == Standing::Custodian
    }
}

/// How a client stands to the records, as it was registered. Apps of people and clients of trust communities are
/// ordinary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Consents bind it.
    #[default]
    Ordinary,
    /// The facility's own record system, which keeps the records that consents are about: they do not bind it (row G4).
    Custodian,
    /// Consents bind it, and what it gets says nothing of who somebody is (row F68).
    Deidentified,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ordinary, Self::Custodian, Self::Deidentified];

    /// As it is kept and written: `deidentified`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Custodian => "custodian",
            Self::Deidentified => "deidentified",
        }
    }

    /// Reads [`Standing::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.as_str() == text)
    }
}

/// An organization that came by a certificate of a trust community, and what it said of its purpose (rows D27, D28).
/// The token may be used for that alone: scopes say what it could do, this says what of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Acting {
    /// The community that vouched for it.
    pub community: Arc<str>,
    /// Its URI, to the letter as its certificate proves it.
    pub uri: Arc<str>,
    /// What it asserted: purposes, its own name, who asks.
    pub b2b: B2b,
    /// The resource that stands for it here, as a relative reference: `Organization/123`. Found by [`Acting::uri`] when
    /// the token was issued; `None`: the facility knows no such organization.
    pub organization: Option<Arc<str>>,
}

/// A person with an account at this server, as they were when the token was issued.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct User {
    /// `sub`: opaque, never used again for another person (row B53).
    pub id: Arc<str>,
    /// Their name, for people.
    pub name: Arc<str>,
    /// What they may see at most.
    pub role: Role,
    /// The resource that stands for them, as a relative reference: `Practitioner/123` (row B54).
    pub fhir_user: Option<Arc<str>>,
    /// Logical ids of the Patients that the account is bound to: their own, or those that they care for.
    pub patients: Arc<[Arc<str>]>,
    /// The glasses that they broke and that were not ended by them (rows F49, F50): of this moment, never as they were
    /// when a token was issued. Which of them have run out, [`Caller::glasses`] says.
    pub glasses: Arc<[Glass]>,
    /// Whether they have the right to break one, of this moment too.
    pub may_break_glass: bool,
}

/// A broken glass: for some time a clinician reaches one patient's record as in an emergency (row F49).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Glass {
    /// Its id: the case in which it is reviewed.
    pub id: Arc<str>,
    /// Logical id of the patient, and of no other.
    pub patient: Arc<str>,
    /// When it ends by itself, seconds since the epoch.
    pub until_s: i64,
}

/// What a person is to this server. What each may see: `docs/access.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// A patient: their own record.
    Patient,
    /// Who cares for patients that the account is bound to: their records.
    Caregiver,
    /// A clinician of the facility.
    Clinician,
    /// Who looks after the log of who did what.
    PrivacyOfficer,
    /// Who runs the server: no patient's data.
    Administrator,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Patient, Self::Caregiver, Self::Clinician, Self::PrivacyOfficer, Self::Administrator];

    /// As it is kept and written: `privacy-officer`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Caregiver => "caregiver",
            Self::Clinician => "clinician",
            Self::PrivacyOfficer => "privacy-officer",
            Self::Administrator => "administrator",
        }
    }

    /// Reads [`Role::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// What they act for when they say nothing (row F48).
    #[must_use]
    pub const fn purposes(self) -> &'static [Purpose] {
        match self {
            Self::Patient => &[Purpose::PATIENT],
            Self::Caregiver => &[Purpose::FAMILY],
            Self::Clinician => &[Purpose::TREATMENT],
            Self::PrivacyOfficer => &[Purpose::COMPLIANCE],
            Self::Administrator => &[Purpose::ADMINISTRATION],
        }
    }
}

/// The key that a token is bound to (`cnf`, RFC 7800). Thumbprints are no secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Confirmation {
    /// SHA-256 of the DER of the client's certificate (`x5t#S256`, RFC 8705 section 3.1).
    Certificate([u8; 32]),
    /// SHA-256 thumbprint of the key of the client's DPoP proofs (`jkt`, RFC 9449 section 6.1).
    Key([u8; 32]),
}

impl Confirmation {
    /// Name and value of the member of `cnf`.
    #[must_use]
    pub fn member(&self) -> (&'static str, String) {
        match self {
            Self::Certificate(thumbprint) => ("x5t#S256", URL_SAFE_NO_PAD.encode(thumbprint)),
            Self::Key(thumbprint) => ("jkt", URL_SAFE_NO_PAD.encode(thumbprint)),
        }
    }

    /// Reads [`Confirmation::member`].
    #[must_use]
    pub fn from_member(name: &str, value: &str) -> Option<Self> {
        let thumbprint = <[u8; 32]>::try_from(URL_SAFE_NO_PAD.decode(value).ok()?).ok()?;
        match name {
            "x5t#S256" => Some(Self::Certificate(thumbprint)),
            "jkt" => Some(Self::Key(thumbprint)),
            _ => None,
        }
    }
}

/// The authenticated party behind a request. Made by [`crate::bearer::authenticate`] for tokens,
/// by [`Caller::operator`] for a command on the server's own machine, by [`Caller::at_page`] for a page of its own.
#[derive(Clone)]
pub struct Caller {
    grant: Arc<Grant>,
    kind: CallerKind,
    /// What this request is for, where that is less than, or other than, what the grant says.
    purposes: Option<Arc<[Purpose]>>,
    /// The person's glasses that have not run out.
    glasses: Arc<[Glass]>,
    is_break_glass: bool,
}

/// Stands for the server's own pages where a client's id would.
const PAGE: &str = "page";

/// Why a caller may not act for what a request says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotPermitted;

/// What kind of party calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallerKind {
    /// A registered system with SMART Backend Services.
    System,
    /// A person who signed in here and let a client act for them.
    Person,
    /// The operator, by a command that has the data directory open.
    Operator,
}

impl Caller {
    /// The operator of this machine, who holds the data directory itself: full system scopes.
    /// The record of what they do says so. `command` names what they run.
    #[must_use]
    pub fn operator(command: &str) -> Self {
        let scope = Scope {
            text: "system/*.cruds".into(),
            context: crate::scope::ScopeContext::System,
            resource_type: None,
            permissions: crate::scope::Permissions::CREATE
                .union(crate::scope::Permissions::READ)
                .union(crate::scope::Permissions::UPDATE)
                .union(crate::scope::Permissions::DELETE)
                .union(crate::scope::Permissions::SEARCH),
            query: Vec::new(),
        };
        let grant = Grant {
            client_id: "operator".into(),
            client_name: command.into(),
            scope_text: Arc::clone(&scope.text),
            scopes: Arc::new([scope]),
            issued_at_s: 0,
            expires_at_s: i64::MAX,
            token_name: "".into(),
            user: None,
            launch: Arc::default(),
            confirmation: None,
            family: None,
            acting: None,
            standing: Standing::Ordinary,
            purposes: Arc::new([Purpose::ADMINISTRATION]),
        };
        Self::of(Arc::new(grant), CallerKind::Operator, i64::MIN)
    }

    /// Whoever stands behind a grant at this moment, seconds since the epoch.
    pub(crate) fn of(grant: Arc<Grant>, kind: CallerKind, now_s: i64) -> Self {
        let asserted = grant.acting.as_ref().map(|acting| acting.b2b.purposes.as_slice()).unwrap_or_default();
        // An organization cannot break a glass: what it calls an emergency is treatment like any other (row F49).
        let purposes = asserted.iter().any(|purpose| purpose.is_emergency()).then(|| {
            let plain = |purpose: &Purpose| if purpose.is_emergency() { Purpose::TREATMENT } else { *purpose };
            asserted.iter().map(plain).collect()
        });
        let glasses = grant.user.as_ref().map(|user| Arc::clone(&user.glasses)).unwrap_or_default();
        let glasses = if glasses.iter().all(|glass| glass.until_s > now_s) {
            glasses
        } else {
            glasses.iter().filter(|glass| glass.until_s > now_s).cloned().collect()
        };
        Self { grant, kind, purposes, glasses, is_break_glass: false }
    }

    /// The operator, who searches as a client with these scopes would: always less than
    /// [`Caller::operator`] may. The record says that it was the operator.
    ///
    /// # Errors
    /// The first scope that cannot be read.
    pub fn operator_within(command: &str, scopes: &str) -> Result<Self, ScopeError> {
        let parsed: Result<Vec<Scope>, ScopeError> = parse_list(scopes).map(|(_, scope)| scope).collect();
        let operator = Self::operator(command);
        let grant = Grant { scopes: parsed?.into(), scope_text: scopes.into(), ..operator.grant.as_ref().clone() };
        Ok(Self::of(Arc::new(grant), CallerKind::System, i64::MIN))
    }

    /// A person who is signed in, at a page of this server itself: what the page looks up for them is decided as for
    /// an app with these scopes. Of a session, never of a request to the FHIR API (row A20).
    ///
    /// # Errors
    /// The first scope that cannot be read.
    pub fn at_page(user: Arc<User>, scopes: &str) -> Result<Self, ScopeError> {
        let page = Self::operator_within("page", scopes)?;
        // A page has no part in an emergency: what is reached by a broken glass, apps show.
        let user = if user.glasses.is_empty() {
            user
        } else {
            Arc::new(User { glasses: Arc::default(), ..user.as_ref().clone() })
        };
        let grant =
            Grant { client_id: PAGE.into(), user: Some(user), purposes: Arc::default(), ..page.grant.as_ref().clone() };
        Ok(Self::of(Arc::new(grant), CallerKind::Person, i64::MIN))
    }

    /// The same for somebody who is about to break the glass for one patient: what would they reach of that record then?
    ///
    /// # Errors
    /// The first scope that cannot be read.
    pub fn at_page_breaking_glass(user: &User, patient: &str, scopes: &str) -> Result<Self, ScopeError> {
        let page = Self::at_page(Arc::new(user.clone()), scopes)?;
        let glass = Glass { id: "".into(), patient: patient.into(), until_s: i64::MAX };
        let purposes = Some(Arc::from([Purpose::BREAK_GLASS]));
        Ok(Self { glasses: Arc::new([glass]), purposes, is_break_glass: true, ..page })
    }

    /// An organization as it would come by a certificate for these purposes, with scopes for all reading: what it would
    /// see of a record, for a page that tells a patient so. `organization` is a relative reference. Never of a request.
    #[must_use]
    pub fn foreseen_organization(organization: &str, purposes: &[Purpose]) -> Self {
        let operator = Self::operator("page");
        let reading = crate::scope::Permissions::READ.union(crate::scope::Permissions::SEARCH);
        let scopes = operator.grant.scopes.iter();
        let scopes = scopes.map(|scope| Scope { text: "system/*.rs".into(), permissions: reading, ..scope.clone() });
        let b2b = B2b {
            organization_id: String::new(),
            organization_name: None,
            purposes: purposes.to_vec(),
            subject_name: None,
            subject_id: None,
            subject_role: None,
            consent_policy: Vec::new(),
            consent_reference: Vec::new(),
        };
        let acting = Acting { community: "".into(), uri: "".into(), b2b, organization: Some(organization.into()) };
        let grant = Grant {
            client_id: PAGE.into(),
            scopes: scopes.collect(),
            scope_text: "system/*.rs".into(),
            acting: Some(Arc::new(acting)),
            purposes: Arc::default(),
            ..operator.grant.as_ref().clone()
        };
        Self::of(Arc::new(grant), CallerKind::System, i64::MIN)
    }

    /// Whether it is a person at a page of this server itself ([`Caller::at_page`]). No token's caller is: a token has a
    /// name, and an end.
    #[must_use]
    pub fn is_at_page(&self) -> bool {
        let grant = &self.grant;
        self.kind == CallerKind::Person
            && &*grant.client_id == PAGE
            && grant.token_name.is_empty()
            && grant.expires_at_s == i64::MAX
    }

    /// Whether the other one is the same in all: it came by the same token, for the same, at a moment when the same
    /// glasses were broken.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.grant, &other.grant)
            && self.kind == other.kind
            && self.purposes == other.purposes
            && self.glasses == other.glasses
            && self.is_break_glass == other.is_break_glass
    }

    /// What was granted.
    #[must_use]
    pub fn grant(&self) -> &Arc<Grant> {
        &self.grant
    }

    /// The person, when it is one.
    #[must_use]
    pub fn user(&self) -> Option<&Arc<User>> {
        self.grant.user.as_ref()
    }

    /// The organization that it acts for, when it came by UDAP.
    #[must_use]
    pub fn acting(&self) -> Option<&Arc<Acting>> {
        self.grant.acting.as_ref()
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> CallerKind {
        self.kind
    }

    /// What this request is for (row F48): what the client asserted (UDAP), else what the person's role or the register
    /// says, or the part of it that the request named. Never empty.
    #[must_use]
    pub fn purposes(&self) -> &[Purpose] {
        match (&self.purposes, &self.grant.acting, &self.grant.user) {
            (Some(purposes), ..) => purposes,
            (None, Some(acting), _) => &acting.b2b.purposes,
            (None, None, Some(user)) => user.role.purposes(),
            (None, None, None) if self.grant.purposes.is_empty() => &[Purpose::TREATMENT],
            (None, None, None) => &self.grant.purposes,
        }
    }

    /// The same caller for these purposes, each of which lies within theirs.
    ///
    /// # Errors
    /// [`NotPermitted`]: one does not, or there is none.
    pub fn for_purposes(self, asked: &[Purpose]) -> Result<Self, NotPermitted> {
        if asked.is_empty() || !asked.iter().all(|purpose| purpose.is_within(self.purposes())) {
            return Err(NotPermitted);
        }
        let mut once: Vec<Purpose> = Vec::new();
        for purpose in asked {
            if !once.contains(purpose) {
                once.push(*purpose);
            }
        }
        Ok(Self { purposes: Some(once.into()), ..self })
    }

    /// The glasses that this person broke and that count now (row F49). None for a request that is for something else
    /// than treatment.
    #[must_use]
    pub fn glasses(&self) -> &[Glass] {
        let counts = self.is_break_glass || self.purposes().iter().any(|purpose| purpose.is_treatment());
        if counts { &self.glasses } else { &[] }
    }

    /// The same caller in a request that is marked as the use of a broken glass (`Category`, row F49): it reaches the
    /// records of those patients and nothing else.
    ///
    /// # Errors
    /// [`NotPermitted`]: no glass is broken.
    pub fn breaking_glass(self) -> Result<Self, NotPermitted> {
        if self.glasses.is_empty() {
            return Err(NotPermitted);
        }
        Ok(Self { purposes: Some(Arc::new([Purpose::BREAK_GLASS])), is_break_glass: true, ..self })
    }

    /// Whether the request was marked as the use of a broken glass.
    #[must_use]
    pub fn is_break_glass(&self) -> bool {
        self.is_break_glass
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caller({:?}, client {})", self.kind, self.grant.client_id)?;
        self.user().map_or(Ok(()), |user| write!(f, " for {}", user.id))
    }
}

#[cfg(test)]
mod tests;
