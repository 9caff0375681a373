//! Rules in shadow (`policy.shadow`): what was found of them on real requests, kept for who looks after the rules.
//! Row G16.
//!
//! | table | key | value |
//! |---|---|---|
//! | `policy_shadow` | `found` | what was found, JSON |
//!
//! What was found is of one text, by its SHA-256: with another text it begins anew. It is written once a minute and at
//! the end, so that a restart loses little; it has ids and names of rules, and nothing of what is in a resource. It is
//! bounded: counts by rule, and the last differences.

use crate::{fault::Fault, limits, print::many};
use fhir::Instant;
use rest::shadow::{Difference, Looked, Outcome};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write,
};
use store::{Store, tables::Table};

const TABLE: &str = "policy_shadow";
const KEY: &[u8] = b"found";

/// What was found of one text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// SHA-256 of the text.
    hash: String,
    /// How many rules it has.
    rules: usize,
    /// Since when, milliseconds since the epoch.
    since_ms: i64,
    /// Requests that were looked at.
    requests: u64,
    /// Requests that were not, for too many came.
    left_out: u64,
    /// Requests by rule, of either side, and by outcome in the order of [`Outcome::ALL`].
    by_rule: BTreeMap<String, [u64; Outcome::ALL.len()]>,
    /// The last ones, oldest first.
    last: VecDeque<Line>,
}

/// A request that would be decided otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    at_ms: i64,
    request: String,
    client: String,
    user: Option<String>,
    organization: Option<String>,
    interaction: String,
    kind: String,
    outcome: String,
    rules: Vec<String>,
    concerned: usize,
    of: usize,
    examples: Vec<String>,
}

impl Found {
    /// Of a text, nothing yet.
    pub(crate) fn begin(hash: String, rules: usize, now: Instant) -> Self {
        Self { hash, rules, since_ms: now.unix_millis(), ..Self::default() }
    }

    /// Whether it is of this text.
    pub(crate) fn is_of(&self, hash: &str) -> bool {
        self.hash == hash
    }

    /// So many requests were looked at; whether that is anything.
    pub(crate) fn looked(&mut self, looked: Looked) -> bool {
        self.requests += looked.requests;
        self.left_out += looked.left_out;
        looked != Looked::default()
    }

    /// One of them would be decided otherwise.
    pub(crate) fn add(&mut self, one: &Difference) {
        let at = Outcome::ALL.iter().position(|outcome| *outcome == one.outcome).unwrap_or_default();
        for rule in &one.rules {
            if let Some(count) = self.by_rule.entry(rule.to_string()).or_default().get_mut(at) {
                *count += 1;
            }
        }
        // Whatever such a search finds, it is no other line each time: it is counted.
        if one.outcome == Outcome::Wider {
            return;
        }
        if self.last.len() >= limits::SHADOW_LINES_MAX {
            self.last.pop_front();
        }
        self.last.push_back(Line {
            at_ms: one.at.unix_millis(),
            request: one.request_id.to_string(),
            client: one.client_id.to_string(),
            user: one.user.as_deref().map(str::to_owned),
            organization: one.organization.as_deref().map(str::to_owned),
            interaction: one.interaction.to_owned(),
            kind: one.resource_type.to_string(),
            outcome: one.outcome.as_str().to_owned(),
            rules: one.rules.iter().map(ToString::to_string).collect(),
            concerned: one.concerned,
            of: one.of,
            examples: one.examples.clone(),
        });
    }

    /// To be read: counts by rule, and the last differences, newest first.
    pub(crate) fn text(&self, last: usize) -> String {
        let mut out = String::new();
        let hash = self.hash.get(..12).unwrap_or_default();
        let since = Instant::from_unix_millis(self.since_ms);
        let rules = many(u64::try_from(self.rules).unwrap_or(u64::MAX), "rule");
        let _ = writeln!(out, "in shadow  {rules} ({hash}), since {since}");
        let _ = writeln!(out, "looked at  {}; left out {}", many(self.requests, "request"), self.left_out);
        if self.by_rule.is_empty() {
            let _ = writeln!(out, "none of them would have been decided otherwise");
            return out;
        }
        let words = Outcome::ALL.map(Outcome::as_str);
        let _ = writeln!(out, "\n{}  by rule", words.map(|word| format!("{word:>8}")).concat());
        for (rule, counts) in &self.by_rule {
            let _ = writeln!(out, "{}  {rule}", counts.map(|count| format!("{count:>8}")).concat());
        }
        if !self.last.is_empty() && last > 0 {
            let _ = writeln!(out);
        }
        self.last.iter().rev().take(last).for_each(|line| line.write(&mut out));
        out
    }
}

impl Line {
    fn write(&self, out: &mut String) {
        let at = Instant::from_unix_millis(self.at_ms);
        let _ = write!(out, "{at}  {} {}  {}", self.interaction, self.kind, self.outcome);
        if self.of > 1 {
            let _ = write!(out, " {} of {}", self.concerned, self.of);
        }
        if !self.examples.is_empty() {
            let more = if self.concerned > self.examples.len() { ", …" } else { "" };
            let _ = write!(out, ": {}{more}", self.examples.join(", "));
        }
        let rules: Vec<String> = self.rules.iter().map(|rule| format!("\"{rule}\"")).collect();
        let _ = write!(out, "\n    by {}; client {}", rules.join(", "), self.client);
        for (what, who) in [("account", &self.user), ("organization", &self.organization)] {
            if let Some(who) = who {
                let _ = write!(out, ", {what} {who}");
            }
        }
        let _ = writeln!(out, "; request {}", self.request);
    }
}

/// Where it is kept.
pub(crate) struct Shelf(Table);

impl Shelf {
    /// Of this store.
    ///
    /// # Errors
    /// [`Fault`].
    pub(crate) fn open(store: &Store) -> Result<Self, Fault> {
        store.table(TABLE).map(Self).map_err(Fault::new)
    }

    /// What was kept; `None`: nothing, or nothing that can be read.
    ///
    /// # Errors
    /// [`Fault`].
    pub(crate) fn found(&self) -> Result<Option<Found>, Fault> {
        let row = self.0.value(KEY).map_err(Fault::new)?;
        Ok(row.and_then(|row| serde_json::from_slice(&row).ok()))
    }

    /// Keeps it.
    ///
    /// # Errors
    /// [`Fault`].
    pub(crate) fn keep(&self, found: &Found) -> Result<(), Fault> {
        let row = serde_json::to_vec(found).map_err(Fault::new)?;
        self.0.put(KEY, &row).map_err(Fault::new)
    }
}

#[cfg(test)]
mod tests;
