//! Which resources go together, and what is done when some are refused.
//!
//! Single resources fill transactions of up to [`limits::LOAD_ENTRIES`]; what belongs together goes in
//! one. When a transaction is refused, the entries that the server's reasons name are left out and
//! the rest is sent again, whole: it is still one transaction. Reasons that name no entry refuse all
//! that belong together; single resources are then halved until the culprit stands alone.

use super::{
    source::{Found, Piece, Resource},
    tally::Tally,
    target::{Reason, Sent, Target},
};
use crate::{fault::Fault, limits};
use fhir::json::Writer;
use std::collections::BTreeMap;

/// Collects, sends and counts.
pub(super) struct Planner {
    target: Target,
    tally: Tally,
    waiting: Vec<Resource>,
    waiting_bytes: usize,
}

impl Planner {
    /// For this target.
    pub(super) fn new(target: Target) -> Self {
        Self { target, tally: Tally::default(), waiting: Vec::new(), waiting_bytes: 0 }
    }

    /// Takes what was found next.
    ///
    /// # Errors
    /// [`Fault`] when the target cannot go on; what it refuses is only counted.
    pub(super) async fn take(&mut self, piece: Piece) -> Result<(), Fault> {
        match piece.found {
            Found::One(resource) => {
                self.tally.read(&resource.type_name);
                self.waiting_bytes += resource.json.len();
                self.waiting.push(resource);
                if self.waiting.len() >= limits::LOAD_ENTRIES || self.waiting_bytes >= limits::LOAD_BYTES {
                    self.flush().await?;
                }
                Ok(())
            }
            Found::Together(_, resources) => {
                self.flush().await?;
                for resource in &resources {
                    self.tally.read(&resource.type_name);
                }
                self.send(resources, false).await
            }
            Found::Request { label, is_batch, types, json } => {
                self.flush().await?;
                for type_name in &types {
                    self.tally.read(type_name);
                }
                match self.target.send(json).await? {
                    Sent::Done(outcomes) => {
                        for (at, type_name) in types.iter().enumerate() {
                            match outcomes.get(at) {
                                Some(Some(why)) if is_batch => {
                                    self.tally.refuse(type_name, format!("{label} entry {at}"), why);
                                }
                                _ => self.tally.store(type_name),
                            }
                        }
                    }
                    Sent::Refused(reasons) => {
                        for (at, type_name) in types.iter().enumerate() {
                            let own = reasons.iter().find(|reason| reason.entry.is_none_or(|entry| entry == at));
                            let why = own.map_or("the transaction was refused as a whole", |reason| &reason.text);
                            self.tally.refuse(type_name, format!("{label} entry {at}"), why);
                        }
                    }
                }
                Ok(())
            }
            Found::Unreadable(label, why) => {
                self.tally.unreadable(label, &why);
                Ok(())
            }
        }
    }

    /// Sends what still waits.
    ///
    /// # Errors
    /// [`Fault`].
    pub(super) async fn finish(&mut self) -> Result<(), Fault> {
        self.flush().await
    }

    /// The counts.
    pub(super) fn into_tally(self) -> Tally {
        self.tally
    }

    async fn flush(&mut self) -> Result<(), Fault> {
        self.waiting_bytes = 0;
        let waiting = std::mem::take(&mut self.waiting);
        self.send(waiting, true).await
    }

    async fn send(&mut self, resources: Vec<Resource>, divisible: bool) -> Result<(), Fault> {
        let mut groups = vec![resources];
        while let Some(mut group) = groups.pop() {
            if group.is_empty() {
                continue;
            }
            let reasons = match self.target.send(transaction(&group).into()).await? {
                Sent::Done(_) => {
                    for resource in &group {
                        self.tally.store(&resource.type_name);
                    }
                    continue;
                }
                Sent::Refused(reasons) => reasons,
            };
            let named: BTreeMap<usize, &Reason> = reasons
                .iter()
                .rev()
                .filter_map(|reason| Some((reason.entry.filter(|at| *at < group.len())?, reason)))
                .collect();
            if !named.is_empty() {
                let mut at = 0;
                group.retain(|resource| {
                    let reason = named.get(&at);
                    at += 1;
                    if let Some(reason) = reason {
                        self.tally.refuse(&resource.type_name, resource.label.clone(), &reason.text);
                    }
                    reason.is_none()
                });
                groups.push(group);
            } else if divisible && group.len() > 1 {
                let second = group.split_off(group.len() / 2);
                groups.push(second);
                groups.push(group);
            } else {
                let why = reasons.first().map_or("no reason given", |reason| reason.text.as_str());
                for resource in group {
                    self.tally.refuse(&resource.type_name, resource.label, why);
                }
            }
        }
        Ok(())
    }
}

/// A transaction of these resources: PUT under their own id, POST without one.
fn transaction(resources: &[Resource]) -> Vec<u8> {
    let bytes: usize = resources.iter().map(|resource| resource.json.len() + 160).sum();
    let mut w = Writer::with_capacity(bytes);
    w.object(|w| {
        w.member("resourceType", "Bundle");
        w.member("type", "transaction");
        w.key("entry");
        w.array(|w| {
            for resource in resources {
                w.object(|w| {
                    if let Some(full_url) = &resource.full_url {
                        w.member("fullUrl", full_url);
                    }
                    w.key("resource");
                    w.raw(&resource.json);
                    w.key("request");
                    w.object(|w| match &resource.id {
                        Some(id) => {
                            w.member("method", "PUT");
                            w.member("url", &format!("{}/{id}", resource.type_name));
                        }
                        None => {
                            w.member("method", "POST");
                            w.member("url", &resource.type_name);
                        }
                    });
                });
            }
        });
    });
    w.into_bytes()
}
