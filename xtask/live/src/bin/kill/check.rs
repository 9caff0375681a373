//! After a restart: is everything there that was acknowledged, and nothing in halves?

use crate::{
    model::{Book, Effect, Item, Pending, SYSTEM, Shared, Version, is_sent, text},
    writers::together,
};
use fhir::json::{Tree, Value};
use live::{
    client::{self, Connection},
    seeded::Seeded,
    subject::Subject,
    trail::Entries,
};
use std::collections::BTreeMap;

/// Untouched resources that each check of a book looks at besides the touched ones.
const OLDER: usize = 10;

/// One connection of the checker, and the requests that it made.
pub(crate) struct Checker {
    connection: Connection,
    token: String,
    name: String,
    asked: usize,
    /// Request ids of answers, with the number of audit entries each must have.
    pub(crate) answered: Vec<(String, usize)>,
}

/// What a bundle of the server holds: id, version and method of each entry.
struct Listed {
    id: String,
    version: usize,
    is_delete: bool,
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Checker {
    /// Connects. `name` makes its request ids unlike others'.
    pub(crate) async fn open(subject: &Subject, token: &str, name: String) -> Result<Self, String> {
        let connection = Connection::open(subject.address, &subject.tls).await.map_err(said)?;
        Ok(Self { connection, token: token.to_owned(), name, asked: 0, answered: Vec::new() })
    }

    async fn get(&mut self, path: &str) -> Result<(u16, Vec<u8>), String> {
        self.asked += 1;
        let request_id = format!("{}-{}", self.name, self.asked);
        let request = client::request_with("GET", path, &self.token, &[("x-request-id", &request_id)], b"");
        let reply = self.connection.exchange(&request).await.map_err(|error| format!("GET {path}: {error}"))?;
        self.answered.push((request_id, 1));
        Ok((reply.status, reply.body.to_vec()))
    }

    async fn tree(&mut self, path: &str) -> Result<Tree, String> {
        let (status, body) = self.get(path).await?;
        if status != 200 {
            return Err(format!("GET {path}: {status} {}", String::from_utf8_lossy(&body)));
        }
        Tree::parse(body).map_err(said)
    }

    /// All entries of a search or history, over its pages.
    async fn list(&mut self, path: &str) -> Result<Vec<Listed>, String> {
        let (mut all, mut next) = (Vec::new(), Some(path.to_owned()));
        while let Some(path) = next {
            let tree = self.tree(&path).await?;
            for entry in tree.root().get("entry").into_iter().flat_map(Value::items) {
                let resource = entry.get("resource");
                let request = entry.get("request");
                let method = text(request.and_then(|request| request.get("method")));
                let url = text(request.and_then(|request| request.get("url")));
                let id = match resource {
                    Some(resource) => text(resource.get("id")).into_owned(),
                    None => url.rsplit('/').next().unwrap_or_default().to_owned(),
                };
                let etag = text(entry.get("response").and_then(|response| response.get("etag")));
                let number = match resource.and_then(|resource| resource.get("meta")?.get("versionId")) {
                    Some(version) => text(Some(version)).parse(),
                    None => etag.trim_start_matches("W/").trim_matches('"').parse(),
                };
                all.push(Listed { id, version: number.unwrap_or(0), is_delete: method == "DELETE" });
            }
            let links = tree.root().get("link").into_iter().flat_map(Value::items);
            let link =
                links.filter(|link| text(link.get("relation")) == "next").map(|link| text(link.get("url"))).next();
            // From the base on: host and port are ours.
            next = link.and_then(|url| url.find("/fhir/").and_then(|at| url.get(at..).map(str::to_owned)));
        }
        Ok(all)
    }

    async fn count(&mut self, query: &str) -> Result<usize, String> {
        let tree = self.tree(&format!("/fhir/Observation?{query}_summary=count")).await?;
        let total = tree.root().get("total").and_then(|total| total.number_text()?.parse().ok());
        total.ok_or_else(|| "a count without total".into())
    }

    /// Finds out what became of a request that was not answered, and notes it: whether it happened.
    /// `entries` are those that the audit log has of it.
    pub(crate) async fn settle(&mut self, book: &mut Book, entries: Entries) -> Result<Option<bool>, String> {
        let Some(pending) = book.pending.take().filter(|pending| !pending.effects.is_empty()) else { return Ok(None) };
        let mut happened = Vec::new();
        for effect in &pending.effects {
            let (is, id) = self.has_happened(book, effect).await?;
            happened.push(is);
            if is {
                book.happened(effect, id.as_deref(), None);
            }
        }
        self.is_whole(&pending, &happened).await?;
        let any = happened.iter().any(|is| *is);
        let count = happened.iter().filter(|is| **is).count();
        if any && entries.success < count {
            return Err(format!("{count} changes of {pending:?} happened, the audit log has {entries:?}"));
        }
        if !any && pending.atomic && entries.success > 0 {
            return Err(format!("nothing of {pending:?} happened, and the audit log says that it did"));
        }
        Ok(Some(any))
    }

    async fn is_whole(&mut self, pending: &Pending, happened: &[bool]) -> Result<(), String> {
        if !pending.atomic || pending.effects.len() < 2 {
            return Ok(());
        }
        let all = happened.iter().all(|is| *is);
        if !all && happened.iter().any(|is| *is) {
            return Err(format!("half of a transaction: {happened:?} of {pending:?}"));
        }
        let created = pending.effects.iter().filter(|effect| matches!(effect, Effect::Create(..))).count();
        let found = self.list(&together(&pending.request_id)).await?.len();
        if found != if all { created } else { 0 } {
            return Err(format!("{found} of the {created} resources of {pending:?} are found"));
        }
        Ok(())
    }

    async fn has_happened(&mut self, book: &Book, effect: &Effect) -> Result<(bool, Option<String>), String> {
        let key = effect.key();
        let Some(item) = book.items.get(key) else {
            let found = self.list(&by_key(key)).await?;
            return match found.as_slice() {
                [] => Ok((false, None)),
                [one] => Ok((true, Some(one.id.clone()))),
                more => Err(format!("{} resources with the key {key}", more.len())),
            };
        };
        let (status, body) = self.get(&format!("/fhir/Observation/{}", item.id)).await?;
        match (effect, status) {
            (Effect::Delete(_), 410) => Ok((true, None)),
            (Effect::Update(_, sent), 200) if is_sent(sent, &body, &item.id, item.versions.len() + 1) => {
                Ok((true, None))
            }
            // Whether it is the acknowledged version is checked with all others.
            (_, 200) => Ok((false, None)),
            _ => Err(format!("{key} ({}) answers {status}", item.id)),
        }
    }

    /// Checks what a book says: touched resources and some older ones, or all.
    pub(crate) async fn book(&mut self, book: &mut Book, chance: &mut Seeded, all: bool) -> Result<(), String> {
        let mut keys = std::mem::take(&mut book.touched);
        if all {
            keys.extend(book.items.keys().cloned());
        } else if !book.items.is_empty() {
            for _ in 0..OLDER {
                keys.extend(book.items.keys().nth(chance.below(book.items.len())).cloned());
            }
        }
        for key in keys {
            if let Some(item) = book.items.get_mut(&key) {
                self.item(&key, item).await?;
            }
        }
        let (patient, live) = (book.patient.clone(), book.live());
        let counted = self.count(&format!("patient={patient}&")).await?;
        // Shared resources may name this patient too: they are counted apart.
        let shared = self.list(&format!("/fhir/Observation?patient={patient}&_count=1000")).await?;
        if shared.len() != counted {
            return Err(format!("patient {patient}: the total is {counted}, the pages have {}", shared.len()));
        }
        let listed: BTreeMap<&str, usize> = shared.iter().map(|entry| (entry.id.as_str(), entry.version)).collect();
        let missing = book
            .items
            .values()
            .find(|item| item.is_live() && listed.get(item.id.as_str()).copied() != Some(item.versions.len()));
        if let Some(item) = missing {
            return Err(format!("Observation?patient={patient} misses {} in version {}", item.id, item.versions.len()));
        }
        let dead = book.items.values().find(|item| !item.is_live() && listed.contains_key(item.id.as_str()));
        if let Some(item) = dead {
            return Err(format!("Observation?patient={patient} has {}, which was deleted", item.id));
        }
        if listed.len() < live {
            return Err(format!("Observation?patient={patient} has {} of {live}", listed.len()));
        }
        Ok(())
    }

    async fn item(&mut self, key: &str, item: &mut Item) -> Result<(), String> {
        let (status, body) = self.get(&format!("/fhir/Observation/{}", item.id)).await?;
        let number = item.versions.len();
        let right = match item.versions.last() {
            Some(Version::Deleted) => status == 410,
            Some(Version::Bytes(bytes)) => status == 200 && *bytes == body,
            Some(Version::Sent(sent)) => status == 200 && is_sent(sent, &body, &item.id, number),
            None => false,
        };
        if !right {
            let found = String::from_utf8_lossy(&body);
            return Err(format!(
                "{key}: not version {number} that was acknowledged: {status} {found}; known: {item:?}"
            ));
        }
        if let Some(sent @ Version::Sent(_)) = item.versions.last_mut() {
            *sent = Version::Bytes(body);
        }
        let history = self.list(&format!("/fhir/Observation/{}/_history?_count=500", item.id)).await?;
        let numbers: Vec<usize> = history.iter().map(|entry| entry.version).collect();
        if numbers != (1..=number).rev().collect::<Vec<_>>() {
            return Err(format!("{key}: history {numbers:?}, where {number} versions were acknowledged"));
        }
        for (entry, version) in history.iter().rev().zip(&item.versions) {
            if entry.is_delete != matches!(version, Version::Deleted) {
                return Err(format!("{key}: version {} of the history is of another kind", entry.version));
            }
        }
        if number > 1 {
            let before = number - 1;
            let (status, body) = self.get(&format!("/fhir/Observation/{}/_history/{before}", item.id)).await?;
            let right = match item.versions.get(before - 1) {
                Some(Version::Deleted) => status == 410,
                Some(Version::Bytes(bytes)) => status == 200 && *bytes == body,
                Some(Version::Sent(sent)) => status == 200 && is_sent(sent, &body, &item.id, before),
                None => false,
            };
            if !right {
                return Err(format!("{key}: version {before} is another than was acknowledged: {status}"));
            }
        }
        let found = self.list(&by_key(key)).await?;
        let expected = usize::from(item.is_live());
        if found.len() != expected || found.iter().any(|entry| entry.id != item.id || entry.version != number) {
            return Err(format!("{key}: {} found by its identifier, {expected} expected", found.len()));
        }
        Ok(())
    }

    /// Keys under one condition: at most one resource, and that which was acknowledged.
    pub(crate) async fn shared(&mut self, shared: &mut Shared, all: bool) -> Result<(), String> {
        let mut keys = std::mem::take(&mut shared.touched);
        if all {
            keys.extend(shared.keys.keys().cloned());
        }
        for key in keys {
            let found = self.list(&by_key(&key)).await?;
            let known = shared.keys.entry(key.clone()).or_default();
            let ids: Vec<&str> = found.iter().map(|entry| entry.id.as_str()).collect();
            if ids.len() > 1
                || (known.len(), ids.len()) == (1, 0)
                || ids.iter().any(|id| !known.is_empty() && !known.contains(*id))
            {
                return Err(format!("{key}: {ids:?} found, {known:?} acknowledged"));
            }
            known.extend(found.into_iter().map(|entry| entry.id));
        }
        Ok(())
    }

    /// All live Observations of the store.
    pub(crate) async fn total(&mut self) -> Result<usize, String> {
        self.count("").await
    }
}

fn by_key(key: &str) -> String {
    format!("/fhir/Observation?identifier={SYSTEM}%7C{key}&_count=50")
}
