//! The mixed work: mostly what people read (W6 of `design/benchmarks.md`), beside it what arrives of
//! a stay (W11): creates, updates, deletes, conditional creates, transactions. Every answer is checked.

use fhir::json::{Tree, Value};
use live::{
    client::{self, Connection, Reply},
    data,
    seeded::Seeded,
};
use memchr::memmem;
use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    ReadPatient,
    ReadObservation,
    Patients,
    OfPatient,
    ByCodeAndDate,
    History,
    Create,
    ConditionalCreate,
    Update,
    Delete,
    Transaction,
}

impl Kind {
    pub(crate) const ALL: [Self; 11] = [
        Self::ReadPatient,
        Self::ReadObservation,
        Self::Patients,
        Self::OfPatient,
        Self::ByCodeAndDate,
        Self::History,
        Self::Create,
        Self::ConditionalCreate,
        Self::Update,
        Self::Delete,
        Self::Transaction,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ReadPatient => "GET Patient/ID",
            Self::ReadObservation => "GET Observation/ID",
            Self::Patients => "Patient?_count=20",
            Self::OfPatient => "Observation?patient=&_count=50",
            Self::ByCodeAndDate => "Observation?patient=&code=&date=ge",
            Self::History => "Patient/ID/_history",
            Self::Create => "create",
            Self::ConditionalCreate => "conditional create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Transaction => "transaction of 10",
        }
    }

    fn of(dice: usize) -> Self {
        match dice {
            0..30 => Self::ReadPatient,
            30..42 => Self::ReadObservation,
            42..56 => Self::Patients,
            56..70 => Self::OfPatient,
            70..80 => Self::ByCodeAndDate,
            80..84 => Self::History,
            84..90 => Self::Create,
            90..92 => Self::ConditionalCreate,
            92..97 => Self::Update,
            97..99 => Self::Delete,
            _ => Self::Transaction,
        }
    }
}

/// Entries of one transaction.
const UNIT: usize = 10;

/// First serial of what the soak writes: above those of the load.
const SERIAL: usize = 2_000_000_000;

/// Ids of created resources that are kept for updates and deletes.
const KEPT: usize = 10_000;

/// What all clients share.
pub(crate) struct Mix {
    pub(crate) patients: usize,
    pub(crate) seed: u64,
    token: Mutex<Arc<str>>,
    serial: AtomicUsize,
    /// Created resources that nobody works on now: id and patient.
    ours: Mutex<VecDeque<(String, usize)>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn text(value: Option<Value<'_>>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().into_owned()
}

impl Mix {
    pub(crate) fn new(patients: usize, seed: u64, token: String) -> Self {
        let (token, ours) = (Mutex::new(token.into()), Mutex::new(VecDeque::new()));
        Self { patients, seed, token, serial: AtomicUsize::new(SERIAL), ours }
    }

    /// The token of the requests from now on.
    pub(crate) fn renew(&self, token: String) {
        *lock(&self.token) = token.into();
    }

    fn observation(&self, patient: usize, id: Option<&str>) -> Vec<u8> {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        // On a day before those that the search by date asks for, so that it finds the same 20.
        data::observation(patient, data::code(serial), 0, id, serial)
    }

    /// Does the request of a ticket; when it was answered, or why not.
    pub(crate) async fn one(&self, connection: &mut Connection, ticket: usize) -> io::Result<(Kind, Instant)> {
        let mut chance = Seeded::new(self.seed, u64::try_from(ticket).unwrap_or(0));
        let mut kind = Kind::of(chance.below(100));
        let patient = chance.below(self.patients);
        let code = chance.below(data::CODES.len());
        let mut own = None;
        if matches!(kind, Kind::Update | Kind::Delete) {
            own = lock(&self.ours).pop_front();
            if own.is_none() {
                kind = Kind::Create;
            }
        }
        let id = own
            .as_ref()
            .map_or_else(|| data::observation_id(patient, code, chance.below(data::DATES)), |own| own.0.clone());
        let body = match kind {
            Kind::Create | Kind::ConditionalCreate => self.observation(patient, None),
            Kind::Update => self.observation(own.as_ref().map_or(patient, |own| own.1), Some(&id)),
            Kind::Transaction => {
                let entries: Vec<_> =
                    (0..UNIT).map(|_| ("POST", "Observation".to_owned(), self.observation(patient, None))).collect();
                data::bundle(&entries)
            }
            _ => Vec::new(),
        };
        let (method, path) = match kind {
            Kind::ReadPatient => ("GET", format!("/fhir/Patient/bench-p{patient}")),
            Kind::ReadObservation => ("GET", format!("/fhir/Observation/{id}")),
            Kind::Patients => ("GET", "/fhir/Patient?_count=20".to_owned()),
            Kind::OfPatient => ("GET", format!("/fhir/Observation?patient=bench-p{patient}&_count=50")),
            Kind::ByCodeAndDate => {
                let code = data::code(code);
                ("GET", format!("/fhir/Observation?patient=bench-p{patient}&code={code}&date=ge2026-03-06&_count=20"))
            }
            Kind::History => ("GET", format!("/fhir/Patient/bench-p{patient}/_history")),
            Kind::Create | Kind::ConditionalCreate => ("POST", "/fhir/Observation".to_owned()),
            Kind::Update => ("PUT", format!("/fhir/Observation/{id}")),
            Kind::Delete => ("DELETE", format!("/fhir/Observation/{id}")),
            Kind::Transaction => ("POST", "/fhir".to_owned()),
        };
        let condition = format!("identifier=https://bench.example/observations|{ticket}-never");
        let fields = [("if-none-exist", condition.as_str())];
        let fields = if kind == Kind::ConditionalCreate { &fields[..] } else { &[] };
        let token = Arc::clone(&lock(&self.token));
        let request = client::request_with(method, &path, &token, fields, &body);
        let reply = connection.exchange(&request).await?;
        let answered = Instant::now();
        if !is_right(kind, &reply) {
            let body: String = String::from_utf8_lossy(reply.body).chars().take(400).collect();
            return Err(io::Error::other(format!("{method} {path} was answered wrongly: {} {body}", reply.status)));
        }
        match kind {
            Kind::Create | Kind::ConditionalCreate => {
                let tree = Tree::parse(reply.body.to_vec()).map_err(io::Error::other)?;
                let mut ours = lock(&self.ours);
                if ours.len() < KEPT {
                    ours.push_back((text(tree.root().get("id")), patient));
                }
            }
            Kind::Update => lock(&self.ours).extend(own),
            _ => {}
        }
        Ok((kind, answered))
    }
}

fn is_right(kind: Kind, reply: &Reply<'_>) -> bool {
    let entries = || memmem::find_iter(reply.body, "\"fullUrl\"").count();
    match kind {
        Kind::ReadPatient | Kind::ReadObservation | Kind::Update => reply.status == 200 && reply.body.len() > 100,
        Kind::Patients => reply.status == 200 && entries() == 20,
        Kind::OfPatient => reply.status == 200 && entries() == 50,
        Kind::ByCodeAndDate => reply.status == 200 && entries() == 20,
        Kind::History => reply.status == 200 && memmem::find(reply.body, b"\"history\"").is_some(),
        Kind::Create | Kind::ConditionalCreate => reply.status == 201,
        Kind::Delete => reply.status == 204,
        Kind::Transaction => reply.status == 200 && memmem::find_iter(reply.body, "\"201").count() == UNIT,
    }
}
