//! The clients: writers that keep their book, and readers that hold each answer against the
//! newest acknowledged version. All run until their connection breaks, which it must not do before
//! the kill.

use crate::model::{Book, Effect, Pending, SYSTEM, Shared, TOGETHER, bundle, observation, text};
use fhir::json::{Tree, Value};
use live::{
    client::{self, Connection, Reply},
    seeded::Seeded,
};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

/// Id → number and bytes of the newest acknowledged version.
pub(crate) type Steady = BTreeMap<String, (usize, Arc<[u8]>)>;

/// What all clients of a round share.
pub(crate) struct Round {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Arc<rustls::ClientConfig>,
    pub(crate) token: String,
    /// Set just before the kill.
    pub(crate) killed: AtomicBool,
    pub(crate) shared: Mutex<Shared>,
    pub(crate) next_shared: AtomicUsize,
    /// Acknowledged versions of resources that nobody deletes.
    pub(crate) steady: Mutex<Steady>,
}

/// The guard, whoever panicked with it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Of each three keys one is never deleted, so that readers know what to expect.
const STEADY_EVERY: usize = 3;

/// Clients that ask for the same shared key.
const SHARERS: usize = 6;

/// Live resources of one client above which it deletes more.
const LIVE_MANY: usize = 150;

/// Writes until the connection breaks. The error says what was wrong; a kill is nothing wrong.
pub(crate) async fn write(round: Arc<Round>, mut book: Book, mut chance: Seeded) -> (Book, Result<(), String>) {
    let mut connection = match Connection::open(round.address, &round.tls).await {
        Ok(connection) => connection,
        Err(error) => return (book, broke(&round, &error)),
    };
    loop {
        let request = next(&round, &mut book, &mut chance);
        book.pending = Some(request.pending.clone());
        match connection.exchange(&request.bytes).await {
            Ok(reply) => {
                let entries = if request.is_bundle { 1 + request.pending.effects.len() } else { 1 };
                book.answered.push((request.pending.request_id.clone(), entries));
                if let Err(wrong) = acknowledged(&round, &mut book, &request, &reply) {
                    return (book, Err(wrong));
                }
                book.pending = None;
            }
            Err(error) => return (book, broke(&round, &error)),
        }
    }
}

fn broke(round: &Round, error: &std::io::Error) -> Result<(), String> {
    if round.killed.load(Ordering::SeqCst) {
        Ok(())
    } else {
        Err(format!("a connection broke before the kill: {error}"))
    }
}

struct Request {
    bytes: Vec<u8>,
    pending: Pending,
    is_bundle: bool,
    /// The shared key that is created under a condition.
    shared: Option<String>,
}

fn is_steady(key: &str) -> bool {
    key.rsplit('-').next().and_then(|n| n.parse::<usize>().ok()).is_some_and(|n| n.is_multiple_of(STEADY_EVERY))
}

/// A live resource of the book; one that may be deleted when `mortal`. Not one of `but`.
fn some_live(book: &Book, chance: &mut Seeded, mortal: bool, but: &[Effect]) -> Option<(String, String)> {
    let fits = |key: &str| (!mortal || !is_steady(key)) && but.iter().all(|effect| effect.key() != key);
    // From a random key on, round to the beginning: no list of all is made.
    let from = format!("c{}-{:06}", book.client, chance.below(book.next + 1));
    let rest = book.items.range(from.clone()..).chain(book.items.range(..from));
    rest.filter(|(key, item)| item.is_live() && fits(key)).map(|(key, item)| (key.clone(), item.id.clone())).next()
}

fn fresh(book: &mut Book) -> String {
    book.next += 1;
    format!("c{}-{:06}", book.client, book.next)
}

fn next(round: &Round, book: &mut Book, chance: &mut Seeded) -> Request {
    let request_id = format!("k{}-{:016x}", book.client, chance.next());
    let fields = [("x-request-id", request_id.as_str())];
    let simple = |method: &str, path: &str, more: &[(&str, &str)], body: &[u8], effect: Effect| Request {
        bytes: client::request_with(method, path, &round.token, &[&fields, more].concat(), body),
        pending: Pending { request_id: request_id.clone(), effects: vec![effect], atomic: true },
        is_bundle: false,
        shared: None,
    };
    let many = book.items.len() > LIVE_MANY && book.live() > LIVE_MANY;
    let dice = chance.below(100);
    let value = chance.below(10_000);
    match dice {
        0..30 => {
            if let Some((key, id)) = some_live(book, chance, false, &[]) {
                let body = observation(&book.patient, &key, None, Some(&id), value);
                return simple(
                    "PUT",
                    &format!("/fhir/Observation/{id}"),
                    &[],
                    &body,
                    Effect::Update(key, body.clone()),
                );
            }
        }
        30..40 => {
            if let Some((key, id)) = some_live(book, chance, true, &[]) {
                return simple("DELETE", &format!("/fhir/Observation/{id}"), &[], b"", Effect::Delete(key));
            }
        }
        40..45 => {
            let key = fresh(book);
            let body = observation(&book.patient, &key, None, None, value);
            let condition = format!("identifier={SYSTEM}|{key}");
            let more = [("if-none-exist", condition.as_str())];
            return simple("POST", "/fhir/Observation", &more, &body, Effect::Create(key, body.clone()));
        }
        45..52 => {
            let key = format!("shared-{:06}", round.next_shared.fetch_add(1, Ordering::Relaxed) / SHARERS);
            let body = observation(&book.patient, &key, None, None, value);
            let condition = format!("identifier={SYSTEM}|{key}");
            let mut shared = lock(&round.shared);
            shared.keys.entry(key.clone()).or_default();
            shared.touched.insert(key.clone());
            let more = [("if-none-exist", condition.as_str())];
            return Request {
                bytes: client::request_with(
                    "POST",
                    "/fhir/Observation",
                    &round.token,
                    &[&fields[..], &more].concat(),
                    &body,
                ),
                pending: Pending { request_id: request_id.clone(), effects: Vec::new(), atomic: true },
                is_bundle: false,
                shared: Some(key),
            };
        }
        52..76 => return several(round, book, chance, request_id.clone(), dice < 66, many),
        _ => {}
    }
    let key = fresh(book);
    let body = observation(&book.patient, &key, None, None, value);
    simple("POST", "/fhir/Observation", &[], &body, Effect::Create(key, body.clone()))
}

/// A transaction or a batch: creates, an update, and deletes (more of them when there are many).
fn several(
    round: &Round,
    book: &mut Book,
    chance: &mut Seeded,
    request_id: String,
    atomic: bool,
    many: bool,
) -> Request {
    let mut effects: Vec<Effect> = Vec::new();
    for _ in 0..1 + chance.below(if many { 2 } else { 6 }) {
        let key = fresh(book);
        let together = atomic.then_some(request_id.as_str());
        let body = observation(&book.patient, &key, together, None, chance.below(10_000));
        effects.push(Effect::Create(key, body));
    }
    if let Some((key, id)) = some_live(book, chance, false, &effects) {
        let body = observation(&book.patient, &key, None, Some(&id), chance.below(10_000));
        effects.push(Effect::Update(key, body));
    }
    for _ in 0..if many { 8 } else { chance.below(2) } {
        if let Some((key, _)) = some_live(book, chance, true, &effects) {
            effects.push(Effect::Delete(key));
        }
    }
    let id = |key: &str| book.items.get(key).map(|item| item.id.clone()).unwrap_or_default();
    let entries: Vec<_> = effects
        .iter()
        .map(|effect| match effect {
            Effect::Create(_, body) => ("POST", "Observation".to_owned(), Some(body.as_slice())),
            Effect::Update(key, body) => ("PUT", format!("Observation/{}", id(key)), Some(body.as_slice())),
            Effect::Delete(key) => ("DELETE", format!("Observation/{}", id(key)), None),
        })
        .collect();
    let body = bundle(if atomic { "transaction" } else { "batch" }, &entries);
    let bytes = client::request_with("POST", "/fhir", &round.token, &[("x-request-id", &request_id)], &body);
    Request { bytes, pending: Pending { request_id, effects, atomic }, is_bundle: true, shared: None }
}

/// Id and version of `…/Observation/ID/_history/N`.
fn place(location: &str) -> Option<(&str, usize)> {
    let (rest, version) = location.rsplit_once("/_history/")?;
    Some((rest.rsplit('/').next()?, version.parse().ok()?))
}

fn acknowledged(round: &Round, book: &mut Book, request: &Request, reply: &Reply<'_>) -> Result<(), String> {
    let wrong = |why: &str| {
        let body: String = String::from_utf8_lossy(reply.body).chars().take(500).collect();
        Err(format!("{why}: {} {body} to {:?}", reply.status, request.pending))
    };
    if reply.header("x-request-id") != Some(&request.pending.request_id) {
        return wrong("another request id");
    }
    if let Some(key) = &request.shared {
        if !matches!(reply.status, 200 | 201) {
            return wrong("a conditional create");
        }
        let Ok(found) = Tree::parse(reply.body.to_vec()) else { return wrong("no JSON") };
        let id = text(found.root().get("id")).into_owned();
        let mut shared = lock(&round.shared);
        let ids = shared.keys.entry(key.clone()).or_default();
        ids.insert(id);
        if ids.len() > 1 {
            return wrong("a second resource under one condition");
        }
        return Ok(());
    }
    if request.is_bundle {
        if reply.status != 200 {
            return wrong("a Bundle");
        }
        let Ok(answer) = Tree::parse(reply.body.to_vec()) else { return wrong("no JSON") };
        let responses: Vec<_> =
            answer.root().get("entry").into_iter().flat_map(Value::items).map(|entry| entry.get("response")).collect();
        if responses.len() != request.pending.effects.len() {
            return wrong("another number of entries");
        }
        for (effect, response) in request.pending.effects.iter().zip(responses) {
            let status = text(response.and_then(|r| r.get("status"))).into_owned();
            let location = text(response.and_then(|r| r.get("location"))).into_owned();
            let expected = match effect {
                Effect::Create(..) => "201",
                Effect::Update(..) => "200",
                Effect::Delete(..) => "204",
            };
            if !status.starts_with(expected) {
                return wrong("an entry");
            }
            book.happened(effect, place(&location).map(|(id, _)| id), None);
        }
        return Ok(());
    }
    for effect in &request.pending.effects {
        let known = book.items.get(effect.key()).map_or(0, |item| item.versions.len());
        let expected = match effect {
            Effect::Create(..) => 201,
            Effect::Update(..) => 200,
            Effect::Delete(..) => 204,
        };
        if reply.status != expected {
            return wrong("another status");
        }
        if expected == 204 {
            book.happened(effect, None, None);
            continue;
        }
        let Ok(found) = Tree::parse(reply.body.to_vec()) else { return wrong("no JSON") };
        let id = text(found.root().get("id")).into_owned();
        let version = text(found.root().get("meta").and_then(|meta| meta.get("versionId"))).into_owned();
        if version != (known + 1).to_string() || reply.header("etag") != Some(&format!("W/\"{version}\"")) {
            return wrong("another version than the next");
        }
        book.happened(effect, Some(&id), Some(reply.body));
        if is_steady(effect.key()) {
            lock(&round.steady).insert(id, (known + 1, reply.body.into()));
        }
    }
    Ok(())
}

/// Reads until the connection breaks: by id and by key, and never older than acknowledged.
pub(crate) async fn read(
    round: Arc<Round>,
    client: usize,
    mut chance: Seeded,
) -> (Vec<(String, usize)>, Result<(), String>) {
    let mut answered = Vec::new();
    let mut connection = match Connection::open(round.address, &round.tls).await {
        Ok(connection) => connection,
        Err(error) => return (answered, broke(&round, &error)),
    };
    loop {
        let chosen = {
            let steady = lock(&round.steady);
            let skip = chance.below(steady.len().min(500));
            steady.iter().rev().nth(skip).map(|(id, (version, bytes))| (id.clone(), *version, Arc::clone(bytes)))
        };
        let Some((id, version, bytes)) = chosen else {
            tokio::task::yield_now().await;
            if round.killed.load(Ordering::SeqCst) {
                return (answered, Ok(()));
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            continue;
        };
        let by_key = chance.below(4) == 0;
        let path = if by_key { format!("/fhir/Observation?_id={id}") } else { format!("/fhir/Observation/{id}") };
        let request_id = format!("r{client}-{:016x}", chance.next());
        let request = client::request_with("GET", &path, &round.token, &[("x-request-id", &request_id)], b"");
        let reply = match connection.exchange(&request).await {
            Ok(reply) => reply,
            Err(error) => return (answered, broke(&round, &error)),
        };
        answered.push((request_id, 1));
        let wrong = |why: &str| {
            let body: String = String::from_utf8_lossy(reply.body).chars().take(500).collect();
            Err(format!("GET {path}: {why}: {} {body}", reply.status))
        };
        if reply.status != 200 {
            return (answered, wrong("an acknowledged resource"));
        }
        let Ok(tree) = Tree::parse(reply.body.to_vec()) else { return (answered, wrong("no JSON")) };
        let found = if by_key {
            tree.root().get("entry").and_then(|entries| entries.items().next()?.get("resource"))
        } else {
            Some(tree.root())
        };
        let number = text(found.and_then(|found| found.get("meta")?.get("versionId"))).parse().unwrap_or(0);
        if number < version {
            return (answered, wrong(&format!("older than version {version}, which was acknowledged")));
        }
        if number == version && found.is_none_or(|found| found.raw().as_bytes() != &*bytes) {
            return (answered, wrong("other bytes than were acknowledged"));
        }
    }
}

/// The search by which all of one transaction are found.
pub(crate) fn together(request_id: &str) -> String {
    format!("/fhir/Observation?identifier={TOGETHER}%7C{request_id}&_count=50")
}
