//! Who keeps the facility's rules: proposals, approvals by another person, versions. Row G16.
//!
//! This is what the operations `Library/$policy-…` ask for; the binary keeps it. Identity and freshness of the person are
//! settled before anything of it is called; that nobody approves their own is settled there.

use fhir::Instant;
use oauth::caller::User;
use policy::Rules;
use std::{net::IpAddr, sync::Arc};

/// Whose hand it is.
#[derive(Debug, Clone, Copy)]
pub struct Hand<'a> {
    /// The administrator.
    pub user: &'a User,
    /// By which client.
    pub client_id: &'a str,
    /// By which token, in a name that tells nothing.
    pub token_name: &'a str,
    /// From where.
    pub address: IpAddr,
    /// In which request.
    pub request_id: &'a str,
}

/// What is proposed.
#[derive(Debug, Clone, Copy)]
pub enum Draft<'a> {
    /// This text.
    Text(&'a str),
    /// The text of an earlier version, by its hash: a way back.
    Version(&'a str),
}

/// Who, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Id of the account.
    pub account: String,
    /// Their name.
    pub name: String,
    /// When.
    pub at: Instant,
}

/// A proposal that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// SHA-256 of the text, in hexadecimal: what is approved.
    pub hash: String,
    /// What it is for.
    pub note: String,
    /// Who proposed it.
    pub by: Signature,
    /// When it ends by itself.
    pub ends: Instant,
    /// The version in force that it was proposed against; none yet: empty.
    pub replaces: String,
    /// Rules in it.
    pub rules: u64,
    /// Tests beside them, which all passed.
    pub tests: u64,
}

/// A version that was in force, or is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// From 1.
    pub number: u64,
    /// SHA-256 of its text.
    pub hash: String,
    /// What it is for.
    pub note: String,
    /// How it came into force: `approved` by a second person, or read of the `file` of the operator.
    pub how: String,
    /// Who proposed it.
    pub proposed: Option<Signature>,
    /// Who approved it.
    pub approved: Option<Signature>,
    /// From when on.
    pub since: Instant,
    /// Rules in it.
    pub rules: u64,
}

/// All that there is to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Whether a change takes two persons.
    pub four_eyes: bool,
    /// Proposals that wait, oldest first.
    pub waiting: Vec<Waiting>,
    /// Versions, newest first: the first one is in force. Older ones than the last hundreds are kept and not told.
    pub versions: Vec<Version>,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CouncilError {
    /// A change does not take two persons here: the operator changes the file.
    Off,
    /// The text has mistakes, or its tests fail: lines for its author.
    Faulty(Vec<String>),
    /// There is no such proposal or version.
    Unknown,
    /// Nobody approves what they proposed, by whichever account.
    SamePerson,
    /// Who proposed it may not do so any more.
    Orphaned,
    /// Another version came into force since it was proposed.
    Stale,
    /// The same text waits already.
    Waits,
    /// It is in force already.
    InForce,
    /// As many proposals wait as may, or the history is full.
    Full,
    /// It cannot be kept; the text is for the log.
    Unavailable(String),
}

/// Keeps rules, proposals and history.
pub trait Council: Send + Sync {
    /// Checks a text, runs its tests, and keeps it as a proposal.
    ///
    /// # Errors
    /// [`CouncilError`].
    fn propose(&self, by: &Hand<'_>, draft: Draft<'_>, note: &str) -> Result<(Waiting, Arc<Rules>), CouncilError>;
    /// Puts the proposal with this hash in force. It counts when this returns.
    ///
    /// # Errors
    /// [`CouncilError`].
    fn approve(&self, by: &Hand<'_>, hash: &str) -> Result<Version, CouncilError>;
    /// Ends the proposal with this hash.
    ///
    /// # Errors
    /// [`CouncilError`].
    fn withdraw(&self, by: &Hand<'_>, hash: &str) -> Result<(), CouncilError>;
    /// What waits and what was.
    ///
    /// # Errors
    /// [`CouncilError::Unavailable`].
    fn ledger(&self) -> Result<Ledger, CouncilError>;
    /// The text of a proposal or version.
    ///
    /// # Errors
    /// [`CouncilError::Unknown`], [`CouncilError::Unavailable`].
    fn text(&self, hash: &str) -> Result<String, CouncilError>;
}
