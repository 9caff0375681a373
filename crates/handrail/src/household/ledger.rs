//! The versions of the facility's rules, and the proposals that wait: small tables of the store.
//!
//! | table | key | value |
//! |---|---|---|
//! | `policy_texts` | SHA-256 of the text, hexadecimal | the text |
//! | `policy_history` | number, 8 bytes big-endian | a version, JSON |
//! | `policy_proposals` | hash | a proposal, JSON |
//!
//! A text is there before what names it. The last version is the one in force. A store that is restored begins without
//! proposals ([`NOT_RESTORED`]): what was withdrawn since the backup must not come back to life.

use crate::limits;
use aws_lc_rs::digest;
use fhir::Instant;
use rest::council::{CouncilError, Signature, Version, Waiting};
use serde_json::{Value, json};
use store::{CommitError, Store, tables::Table};

const TEXTS: &str = "policy_texts";
const HISTORY: &str = "policy_history";
const PROPOSALS: &str = "policy_proposals";

/// Tables that a store that is restored begins without.
pub(crate) const NOT_RESTORED: [&str; 1] = [PROPOSALS];

/// A proposal, and what stood for its author then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proposal {
    pub(crate) waiting: Waiting,
    pub(crate) fhir_user: Option<String>,
}

/// The tables.
pub(crate) struct Ledger {
    texts: Table,
    history: Table,
    proposals: Table,
}

/// SHA-256 of a text, hexadecimal.
pub(crate) fn hash_of(text: &str) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unavailable(error: CommitError) -> CouncilError {
    CouncilError::Unavailable(error.to_string())
}

fn damaged() -> CouncilError {
    CouncilError::Unavailable("a row of the history of rules is malformed".into())
}

impl Ledger {
    /// Of this store.
    pub(crate) fn open(store: &Store) -> Result<Self, store::OpenError> {
        Ok(Self { texts: store.table(TEXTS)?, history: store.table(HISTORY)?, proposals: store.table(PROPOSALS)? })
    }

    /// The text of a hash.
    pub(crate) fn text(&self, hash: &str) -> Result<Option<String>, CouncilError> {
        let Some(bytes) = self.texts.value(hash.as_bytes()).map_err(unavailable)? else { return Ok(None) };
        let text = String::from_utf8(bytes).map_err(|_| damaged())?;
        // What lies there is what was approved, or it is nothing.
        if hash_of(&text) == hash { Ok(Some(text)) } else { Err(damaged()) }
    }

    /// All versions, oldest first.
    pub(crate) fn versions(&self) -> Result<Vec<Version>, CouncilError> {
        let mut rows = self.history.all().map_err(unavailable)?;
        rows.sort();
        rows.iter().map(|(key, row)| version(key, row).ok_or_else(damaged)).collect()
    }

    /// The version in force; `None`: there never was one.
    pub(crate) fn in_force(&self) -> Result<Option<Version>, CouncilError> {
        Ok(self.versions()?.pop())
    }

    /// Puts a version into the history: from now on it is the one in force. Its number is the next.
    pub(crate) fn append(&self, mut version: Version, text: &str) -> Result<Version, CouncilError> {
        let last = self.in_force()?.map_or(0, |last| last.number);
        if last >= limits::POLICY_VERSIONS_MAX {
            return Err(CouncilError::Full);
        }
        version.number = last + 1;
        self.texts.put(version.hash.as_bytes(), text.as_bytes()).map_err(unavailable)?;
        let row = json!({
            "hash": version.hash, "note": version.note, "how": version.how,
            "proposed": version.proposed.as_ref().map(signed), "approved": version.approved.as_ref().map(signed),
            "since": version.since.unix_millis(), "rules": version.rules,
        });
        self.history.put(&version.number.to_be_bytes(), row.to_string().as_bytes()).map_err(unavailable)?;
        Ok(version)
    }

    /// Proposals, those too that are over, oldest first.
    pub(crate) fn proposals(&self) -> Result<Vec<Proposal>, CouncilError> {
        let rows = self.proposals.all().map_err(unavailable)?;
        let read: Result<Vec<_>, _> = rows.iter().map(|(key, row)| proposal(key, row).ok_or_else(damaged)).collect();
        let mut read = read?;
        read.sort_by_key(|one| (one.waiting.by.at.unix_millis(), one.waiting.hash.clone()));
        Ok(read)
    }

    /// Keeps a proposal.
    pub(crate) fn keep(&self, proposal: &Proposal, text: &str) -> Result<(), CouncilError> {
        let waiting = &proposal.waiting;
        self.texts.put(waiting.hash.as_bytes(), text.as_bytes()).map_err(unavailable)?;
        let row = json!({
            "note": waiting.note, "by": signed(&waiting.by), "fhirUser": proposal.fhir_user,
            "ends": waiting.ends.unix_millis(), "replaces": waiting.replaces,
            "rules": waiting.rules, "tests": waiting.tests,
        });
        self.proposals.put(waiting.hash.as_bytes(), row.to_string().as_bytes()).map_err(unavailable)
    }

    /// Ends a proposal. Its text goes with it unless a version has it.
    pub(crate) fn end(&self, hash: &str) -> Result<(), CouncilError> {
        self.proposals.remove(hash.as_bytes()).map_err(unavailable)?;
        if !self.versions()?.iter().any(|version| version.hash == hash) {
            self.texts.remove(hash.as_bytes()).map_err(unavailable)?;
        }
        Ok(())
    }
}

fn signed(signature: &Signature) -> Value {
    json!({ "account": signature.account, "name": signature.name, "at": signature.at.unix_millis() })
}

fn signature(value: &Value) -> Option<Signature> {
    Some(Signature { account: text(value, "account")?, name: text(value, "name")?, at: instant(value, "at")? })
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

fn instant(value: &Value, name: &str) -> Option<Instant> {
    value.get(name)?.as_i64().map(Instant::from_unix_millis)
}

fn optional(value: &Value, name: &str) -> Option<Option<Signature>> {
    match value.get(name)? {
        Value::Null => Some(None),
        given => signature(given).map(Some),
    }
}

fn version(key: &[u8], row: &[u8]) -> Option<Version> {
    let row: Value = serde_json::from_slice(row).ok()?;
    Some(Version {
        number: u64::from_be_bytes(key.try_into().ok()?),
        hash: text(&row, "hash")?,
        note: text(&row, "note")?,
        how: text(&row, "how")?,
        proposed: optional(&row, "proposed")?,
        approved: optional(&row, "approved")?,
        since: instant(&row, "since")?,
        rules: row.get("rules")?.as_u64()?,
    })
}

fn proposal(key: &[u8], row: &[u8]) -> Option<Proposal> {
    let row: Value = serde_json::from_slice(row).ok()?;
    let waiting = Waiting {
        hash: std::str::from_utf8(key).ok()?.to_owned(),
        note: text(&row, "note")?,
        by: signature(row.get("by")?)?,
        ends: instant(&row, "ends")?,
        replaces: text(&row, "replaces")?,
        rules: row.get("rules")?.as_u64()?,
        tests: row.get("tests")?.as_u64()?,
    };
    Some(Proposal { waiting, fhir_user: row.get("fhirUser")?.as_str().map(str::to_owned) })
}
