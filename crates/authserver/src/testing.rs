//! A whole authorization server in memory for unit tests: its clock, its tables, its log and its web are the test's.

pub(crate) mod browser;
pub(crate) mod communities;

use crate::{
    Branding, NewClient, NewKeys, NewKind, Service,
    egress::{Fetch, FetchError, Fetched, Fetching, Listing, Message, Said, Sending},
    glasses::Case,
    persons::Persons,
    records::{Look, Looks, PatientRecord, Patients, Records, VisitRecord, Wanted},
    service::{Ground, Recorder},
    tables::{Table, memory::MemoryTables},
};
use audit::{
    Entry, Receipt,
    log::{Appender, Durability, Log, Unavailable},
};
use bytes::Bytes;
use fhir::Instant;
use http::{Method, Request, Response};
use oauth::{
    caller::{Role, User},
    client_assertion,
    jws::Algorithm,
    scope::Scope,
    sign::PrivateKey,
};
use serde_json::{Value, json};
use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
};

pub(crate) const BASE: &str = "https://care.example:8443/fhir";
pub(crate) const ISSUER: &str = "https://care.example:8443";
pub(crate) const TOKEN: &str = "https://care.example:8443/oauth/token";
pub(crate) const NOW_S: i64 = 1_800_000_000;
pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Made once: an RSA key takes its time.
static SERVER_KEYS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let tables = MemoryTables::default();
    drop(crate::keys::ServerKeys::open(tables.keys.clone(), Instant::from_unix_millis(0)));
    tables.keys.value(b"signing").unwrap().unwrap()
});

/// The client's usual key.
pub(crate) static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(Algorithm::Es384).unwrap());
/// A stranger's.
pub(crate) static STRANGER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(Algorithm::Es384).unwrap());

pub(crate) fn jwks(keys: &[&PrivateKey]) -> String {
    json!({ "keys": keys.iter().map(|key| key.public().to_jwk()).collect::<Vec<_>>() }).to_string()
}

pub(crate) struct Recorded {
    log: Log,
    pub(crate) entries: Mutex<Vec<Entry>>,
    pub(crate) down: AtomicBool,
}

struct Nowhere;

impl Appender for Nowhere {
    fn append(&self, _record: &[u8]) -> std::io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Recorder for Recorded {
    fn record(&self, entry: &Entry) -> Result<Receipt, Unavailable> {
        if self.down.load(Ordering::Relaxed) {
            return Err(Unavailable(std::io::Error::other("no space left")));
        }
        self.entries.lock().unwrap().push(entry.clone());
        self.log.record(entry)
    }
}

/// What comes of asking for a list.
type Listed = Result<Vec<u8>, FetchError>;

/// The other hosts.
#[derive(Default)]
pub(crate) struct Web {
    /// Other servers of ours, each behind its origin.
    pub(crate) servers: Mutex<HashMap<String, Service>>,
    /// What was asked of them, and what with: `POST https://…`.
    pub(crate) asked: Mutex<Vec<(String, String)>>,
    /// What they answer in place of what they would, each once: path and answer.
    pub(crate) instead: Mutex<Vec<(String, Said)>>,
    pub(crate) pages: Mutex<HashMap<String, Result<Fetched, FetchError>>>,
    pub(crate) fetches: AtomicUsize,
    /// Those of them that were logos, which come beside what is asked for.
    pub(crate) pictures: AtomicUsize,
    /// Revocation lists and OCSP answers; `None` never comes.
    pub(crate) lists: Mutex<HashMap<String, Option<Listed>>>,
    /// What comes with them.
    pub(crate) list_cache_control: Mutex<Option<String>>,
}

impl Web {
    pub(crate) fn put(&self, url: &str, body: String, cache_control: Option<&str>) {
        let page = Fetched { body: body.into(), cache_control: cache_control.map(str::to_owned), age_s: None };
        self.pages.lock().unwrap().insert(url.into(), Ok(page));
    }

    pub(crate) fn fail(&self, url: &str, error: FetchError) {
        self.pages.lock().unwrap().insert(url.into(), Err(error));
    }

    pub(crate) fn list_put(&self, url: &str, list: Vec<u8>) {
        self.lists.lock().unwrap().insert(url.into(), Some(Ok(list)));
    }

    pub(crate) fn list_fails(&self, url: &str, error: FetchError) {
        self.lists.lock().unwrap().insert(url.into(), Some(Err(error)));
    }

    pub(crate) fn list_hangs(&self, url: &str) {
        self.lists.lock().unwrap().insert(url.into(), None);
    }

    pub(crate) fn count(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// Without logos.
    pub(crate) fn count_of_documents(&self) -> usize {
        self.count() - self.pictures.load(Ordering::SeqCst)
    }

    /// Asks another server of ours; `None`: there is none.
    async fn server(&self, method: Method, url: &str, kind: &str, body: &str) -> Option<Said> {
        let (origin, path) =
            url.split_at(url.find('/').and_then(|_| url.get(8..)?.find('/')).map_or(url.len(), |at| at + 8));
        let service = self.servers.lock().unwrap().get(origin).cloned()?;
        self.asked.lock().unwrap().push((format!("{method} {url}"), body.to_owned()));
        let wanted = path.split('?').next();
        let instead = {
            let mut all = self.instead.lock().unwrap();
            let at = all.iter().position(|(path, _)| wanted == Some(path));
            at.map(|at| all.remove(at).1)
        };
        if instead.is_some() {
            return instead;
        }
        let asked = request(method, path, &[("content-type", kind)], body);
        // Boxed: a server asks others too.
        let answer: Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(async move { service.answer("198.51.100.7".parse().unwrap(), asked).await.into_inner() });
        let answer: Response<Bytes> = answer.await;
        Some(Said { status: answer.status().as_u16(), body: answer.into_body() })
    }
}

impl Fetch for Web {
    fn picture<'a>(&'a self, url: &'a str) -> Option<Fetching<'a>> {
        Some(Box::pin(async move {
            self.pictures.fetch_add(1, Ordering::SeqCst);
            self.fetch(url).await
        }))
    }

    fn list<'a>(&'a self, asked: Listing<'a>) -> Fetching<'a> {
        Box::pin(async move {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            let found = self.lists.lock().unwrap().get(asked.url()).cloned();
            match found.unwrap_or(Some(Err(FetchError::Status(404)))) {
                Some(found) => found.map(|body| {
                    let cache_control = self.list_cache_control.lock().unwrap().clone();
                    Fetched { body: body.into(), cache_control, age_s: None }
                }),
                None => std::future::pending().await,
            }
        })
    }

    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        Box::pin(async move {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            // Lets others come in between, as a network would.
            tokio::task::yield_now().await;
            if let Some(Said { status, body }) = self.server(Method::GET, url, "", "").await {
                let fetched = Fetched { body, cache_control: None, age_s: None };
                return if status == 200 { Ok(fetched) } else { Err(FetchError::Status(status)) };
            }
            self.pages.lock().unwrap().get(url).cloned().unwrap_or(Err(FetchError::Status(404)))
        })
    }

    fn send<'a>(&'a self, message: Message<'a>) -> Sending<'a> {
        Box::pin(async move {
            let Message { url, media_type, body } = message;
            let said = self.server(Method::POST, url, media_type, body.expose()).await;
            said.ok_or_else(|| FetchError::Unreachable("nobody there".into()))
        })
    }
}

/// Who may sign in.
#[derive(Default)]
pub(crate) struct People {
    pub(crate) users: Mutex<HashMap<String, Arc<User>>>,
    pub(crate) sessions: Mutex<HashSet<String>>,
}

impl Persons for People {
    fn user(&self, sub: &str) -> Option<Arc<User>> {
        self.users.lock().unwrap().get(sub).cloned()
    }

    fn is_live(&self, session: &str) -> bool {
        self.sessions.lock().unwrap().contains(session)
    }
}

/// The record: whom everybody may see whose role lets them see anybody.
#[derive(Default)]
pub(crate) struct Charts {
    pub(crate) patients: Mutex<Vec<PatientRecord>>,
    /// With the id of their patient.
    pub(crate) visits: Mutex<Vec<(String, VisitRecord)>>,
    /// What is in context with a visit, by its id.
    pub(crate) around: Mutex<Vec<(String, Arc<str>)>>,
    /// URI and reference.
    pub(crate) organizations: Mutex<Vec<(String, Arc<str>)>>,
    /// Record number, names and birthday of those whom somebody finds in an emergency, with the id.
    pub(crate) emergency: Mutex<Vec<(&'static str, [&'static str; 3], PatientRecord)>>,
    /// What was done with a broken glass, by the id of the patient.
    pub(crate) looks: Mutex<Vec<(String, Look)>>,
    pub(crate) down: AtomicBool,
}

impl Charts {
    fn seen(&self, user: &User) -> Option<Vec<PatientRecord>> {
        let own = |id: &str| user.patients.iter().any(|bound| **bound == *id);
        let may = |patient: &&PatientRecord| match user.role {
            Role::Clinician => true,
            Role::Patient | Role::Caregiver => own(&patient.id),
            Role::PrivacyOfficer | Role::Administrator => false,
        };
        if self.down.load(Ordering::Relaxed) {
            return None;
        }
        Some(self.patients.lock().unwrap().iter().filter(may).cloned().collect())
    }
}

impl Records for Charts {
    fn patient(&self, user: &Arc<User>, id: &str) -> Option<PatientRecord> {
        self.seen(user)?.into_iter().find(|patient| *patient.id == *id)
    }

    fn cared_for(&self, user: &Arc<User>) -> Option<Arc<[Arc<str>]>> {
        (!self.down.load(Ordering::Relaxed)).then(|| Arc::clone(&user.patients))
    }

    fn patients(&self, user: &Arc<User>, words: &str) -> Option<Patients> {
        let found = self.seen(user)?.into_iter().filter(|patient| patient.name.contains(words));
        Some(Patients { found: found.collect(), has_more: false })
    }

    fn visits(&self, user: &Arc<User>, patient: &str) -> Option<Vec<VisitRecord>> {
        self.patient(user, patient)?;
        let visits = self.visits.lock().unwrap();
        Some(visits.iter().filter(|(of, _)| of == patient).map(|(_, visit)| visit.clone()).collect())
    }

    fn around(&self, user: &Arc<User>, patient: &str, visit: &str) -> Option<Vec<Arc<str>>> {
        self.visits(user, patient)?.iter().find(|known| *known.id == *visit)?;
        let around = self.around.lock().unwrap();
        Some(around.iter().filter(|(of, _)| of == visit).map(|(_, reference)| Arc::clone(reference)).collect())
    }

    fn organization_of(&self, uri: &str) -> Option<Arc<str>> {
        let organizations = self.organizations.lock().unwrap();
        organizations.iter().find(|(own, _)| own == uri).map(|(_, organization)| Arc::clone(organization))
    }

    fn in_emergency(&self, _: &Arc<User>, wanted: &Wanted) -> Option<Vec<PatientRecord>> {
        if self.down.load(Ordering::Relaxed) {
            return None;
        }
        let is_meant = |(number, names, _): &&(&str, [&str; 3], PatientRecord)| match wanted {
            Wanted::Number(wanted) => wanted == number,
            Wanted::Person { given, family, born } => [given, family, born].map(String::as_str) == *names,
        };
        Some(self.emergency.lock().unwrap().iter().filter(is_meant).map(|(_, _, patient)| patient.clone()).collect())
    }

    fn looks(&self, _: &Arc<User>, case: &Case) -> Option<Looks> {
        if self.down.load(Ordering::Relaxed) {
            return None;
        }
        let looks = self.looks.lock().unwrap();
        let looks = looks.iter().filter(|(of, _)| **of == *case.patient).map(|(_, look)| look.clone()).collect();
        Some(Looks { looks, has_more: false })
    }
}

/// A patient with an account.
pub(crate) fn ann() -> Arc<User> {
    Arc::new(User {
        id: "ann".into(),
        name: "Ann".into(),
        role: Role::Patient,
        fhir_user: Some("Patient/p1".into()),
        patients: Arc::new(["p1".into()]),
        glasses: Arc::default(),
        may_break_glass: false,
    })
}

pub(crate) struct World {
    pub(crate) tables: MemoryTables,
    pub(crate) now_ms: Arc<AtomicI64>,
    pub(crate) recorded: Arc<Recorded>,
    pub(crate) web: Arc<Web>,
    pub(crate) people: Arc<People>,
    pub(crate) charts: Arc<Charts>,
    /// Those of the tables sign in, not those of `people`.
    has_accounts: bool,
    pub(crate) brand: Option<Branding>,
    /// See [`crate::Facility::strict_community`]; counts from the next start on.
    pub(crate) strict_community: bool,
    pub(crate) service: Service,
    /// Its FHIR base.
    pub(crate) base: &'static str,
    jtis: AtomicUsize,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) response: Response<Bytes>,
}

impl Answer {
    /// `200`, or the status and error code: `400 invalid_client`.
    pub(crate) fn line(&self) -> String {
        match self.body["error"].as_str() {
            Some(error) => format!("{} {error}", self.status),
            None => self.status.to_string(),
        }
    }

    pub(crate) fn token(&self) -> &str {
        self.body["access_token"].as_str().unwrap_or_else(|| panic!("no token: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name).map(|value| value.to_str().unwrap())
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::branded(None)
    }

    /// With this brand, of Maple House.
    pub(crate) fn branded(brand: Option<Branding>) -> Self {
        let tables = MemoryTables::default();
        tables.keys.put(b"signing", &SERVER_KEYS).unwrap();
        let recorded = Arc::new(Recorded {
            log: Log::open(Box::new(Nowhere), None, Durability::Appended),
            entries: Mutex::new(Vec::new()),
            down: AtomicBool::new(false),
        });
        let now_ms = Arc::new(AtomicI64::new(NOW_S * 1000));
        let web = Arc::new(Web::default());
        let people = Arc::new(People::default());
        let charts = Arc::new(Charts::default());
        let service = open(BASE, &tables, &recorded, &now_ms, &web, Some(&people), &charts, facility(&brand, false));
        let (has_accounts, strict_community, jtis) = (false, false, AtomicUsize::new(0));
        Self {
            tables,
            now_ms,
            recorded,
            web,
            people,
            charts,
            has_accounts,
            brand,
            strict_community,
            service,
            base: BASE,
            jtis,
        }
    }

    /// One in which people have accounts and sign in.
    pub(crate) fn of_accounts() -> Self {
        let mut world = Self::new();
        world.has_accounts = true;
        world.restart();
        world
    }

    /// The same under another name.
    pub(crate) fn of_accounts_at(base: &'static str, brand: Option<Branding>) -> Self {
        let mut world = Self::branded(brand);
        world.base = base;
        world.has_accounts = true;
        world.restart();
        world
    }

    /// What stands before `/fhir`.
    pub(crate) fn origin(&self) -> &'static str {
        self.base.strip_suffix("/fhir").unwrap()
    }

    /// The server stops and starts on the same tables.
    pub(crate) fn restart(&mut self) {
        let Self { tables, recorded, now_ms, web, charts, brand, strict_community, base, .. } = self;
        let people = (!self.has_accounts).then_some(&self.people);
        let facility = facility(brand, *strict_community);
        self.service = open(base, tables, recorded, now_ms, web, people, charts, facility);
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst) / 1000
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.now_ms.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub(crate) fn client(&self, scope: &str) -> Arc<str> {
        self.client_with(scope, NewKeys::Inline(jwks(&[&KEY])))
    }

    pub(crate) fn client_with(&self, scope: &str, keys: NewKeys) -> Arc<str> {
        self.add(&NewClient::new("System", scope, NewKind::BackendService(keys)))
    }

    pub(crate) fn add(&self, new: &NewClient) -> Arc<str> {
        Arc::clone(&self.service.add_client(new).unwrap().client.id)
    }

    pub(crate) fn jti(&self) -> String {
        format!("jti-{}", self.jtis.fetch_add(1, Ordering::SeqCst))
    }

    /// The claims of a good assertion.
    pub(crate) fn claims(&self, client: &str) -> Value {
        let now_s = self.now_s();
        json!({ "iss": client, "sub": client, "aud": TOKEN, "iat": now_s, "exp": now_s + 300, "jti": self.jti() })
    }

    pub(crate) fn assertion(&self, client: &str) -> String {
        client_assertion::signed(&KEY, client, TOKEN, &self.jti(), self.now_s(), 300).unwrap()
    }

    pub(crate) async fn send(&self, address: &str, request: Request<Bytes>) -> Answer {
        let address: IpAddr = address.parse().unwrap();
        let response = self.service.answer(address, request).await.into_inner();
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        Answer { status: response.status().as_u16(), body, response }
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.send("192.0.2.1", form(path, body)).await
    }

    /// A token request with this assertion.
    pub(crate) async fn ask(&self, assertion: &str, scope: &str) -> Answer {
        self.post("/oauth/token", &token_form(assertion, scope)).await
    }

    /// A good token request.
    pub(crate) async fn token(&self, client: &str, scope: &str) -> Answer {
        self.ask(&self.assertion(client), scope).await
    }

    pub(crate) fn last_entry(&self) -> Entry {
        self.recorded.entries.lock().unwrap().last().unwrap().clone()
    }

    pub(crate) fn entries(&self) -> usize {
        self.recorded.entries.lock().unwrap().len()
    }
}

/// The test's own rule: a scope whose query names `unknown` cannot be enforced.
fn enforceable(scope: &Scope) -> Result<(), String> {
    if scope.query.iter().any(|(name, _)| name == "unknown") { Err("no such search parameter".into()) } else { Ok(()) }
}

fn facility(brand: &Option<Branding>, strict_community: bool) -> crate::Facility {
    crate::Facility {
        name: brand.as_ref().map(|_| "Maple House".to_owned()),
        brand: brand.clone(),
        strict_community,
        contact: brand.as_ref().map(|_| "it@maple.example".to_owned()),
        ..crate::Facility::default()
    }
}

#[expect(clippy::too_many_arguments, reason = "what a world is made of")]
fn open(
    base: &str,
    tables: &MemoryTables,
    recorded: &Arc<Recorded>,
    now_ms: &Arc<AtomicI64>,
    web: &Arc<Web>,
    people: Option<&Arc<People>>,
    charts: &Arc<Charts>,
    facility: crate::Facility,
) -> Service {
    let now_ms = Arc::clone(now_ms);
    let clock = Arc::new(move || Instant::from_unix_millis(now_ms.load(Ordering::SeqCst)));
    let ground = Ground {
        tables: tables.tables(),
        recorder: recorded.clone(),
        records: charts.clone(),
        base_url: base.into(),
        clock,
        egress: web.clone(),
        enforceable: Arc::new(enforceable),
        facility,
        persons: people.map(|people| Arc::clone(people) as Arc<dyn Persons>),
    };
    Service::of(ground).unwrap()
}

pub(crate) fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

pub(crate) fn credentials(assertion: &str) -> String {
    format!("client_assertion_type={}&client_assertion={}", encoded(ASSERTION_TYPE), encoded(assertion))
}

pub(crate) fn token_form(assertion: &str, scope: &str) -> String {
    format!("grant_type=client_credentials&scope={}&{}", encoded(scope), credentials(assertion))
}

pub(crate) fn form(path: &str, body: &str) -> Request<Bytes> {
    request(Method::POST, path, &[("content-type", "application/x-www-form-urlencoded")], body)
}

pub(crate) fn request(method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}
