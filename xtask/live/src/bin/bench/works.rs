//! The four kinds of work, each with what its answers must be.

use crate::{engines, load::Work, stage::Served};
use fhir::json::{Tree, Value};
use live::{
    client::{self, Reply},
    data,
};
use memchr::memmem;

/// Resources of one transaction.
pub(crate) const UNIT: usize = 200;

/// First serial of what the bench writes itself: above those of the load.
const SERIAL: usize = 1_000_000_000;

/// Spreads tickets over a store without a pattern that caches could love.
fn pick(ticket: usize) -> usize {
    ticket.wrapping_mul(2_654_435_761) >> 7
}

fn begins_with_id(body: &[u8], id: &str) -> bool {
    body.get(..120).unwrap_or(body).windows(id.len() + 2).any(|window| {
        window.first() == Some(&b'"') && window.last() == Some(&b'"') && window.get(1..=id.len()) == Some(id.as_bytes())
    })
}

fn text<'a>(value: Option<Value<'a>>) -> std::borrow::Cow<'a, str> {
    value.and_then(Value::as_str).unwrap_or_default()
}

/// Whether `found` has every member of `asked`, which has no `meta`.
fn same(asked: Value<'_>, found: Value<'_>) -> bool {
    asked
        .members()
        .all(|member| member.name() == "text" || found.get(member.name()).is_some_and(|f| f.raw() == member.raw()))
        && found.get("text").map(Value::raw) == asked.get("text").map(Value::raw)
        && !text(found.get("meta").and_then(|meta| meta.get("versionId"))).is_empty()
}

/// The same bytes for every request: what the bare server sends.
pub(crate) struct Bare<W> {
    pub(crate) work: W,
    pub(crate) body: Vec<u8>,
}

impl<W: Work> Work for Bare<W> {
    fn request(&self, ticket: usize) -> Vec<u8> {
        self.work.request(ticket)
    }

    fn is_right(&self, _: usize, reply: &Reply<'_>) -> bool {
        reply.status == 200 && reply.body == self.body
    }

    fn is_wholly_right(&self, _: usize, _: &[u8]) -> Result<(), String> {
        Ok(())
    }
}

/// `GET Observation/ID`.
#[derive(Clone)]
pub(crate) struct Read {
    pub(crate) patients: usize,
    pub(crate) token: String,
}

impl Read {
    fn which(&self, ticket: usize) -> (usize, usize, usize) {
        let pick = pick(ticket);
        (pick % self.patients, pick / 7 % data::CODES.len(), pick / 31 % data::DATES)
    }

    fn id(&self, ticket: usize) -> String {
        let (patient, code, day) = self.which(ticket);
        data::observation_id(patient, code, day)
    }

    pub(crate) fn path(&self, ticket: usize) -> String {
        format!("/fhir/Observation/{}", self.id(ticket))
    }
}

impl Work for Read {
    fn request(&self, ticket: usize) -> Vec<u8> {
        client::request("GET", &self.path(ticket), &self.token, b"")
    }

    fn is_right(&self, ticket: usize, reply: &Reply<'_>) -> bool {
        reply.status == 200 && reply.body.len() > 1300 && begins_with_id(reply.body, &self.id(ticket))
    }

    fn is_wholly_right(&self, ticket: usize, body: &[u8]) -> Result<(), String> {
        let (patient, code, day) = self.which(ticket);
        let asked = Tree::parse(data::loaded(patient, code, day)).map_err(|error| error.to_string())?;
        let found = Tree::parse(body.to_vec()).map_err(|error| error.to_string())?;
        if same(asked.root(), found.root()) { Ok(()) } else { Err("another resource than was stored".into()) }
    }
}

/// `GET Observation?patient=&code=&date=ge`, with 20 entries.
#[derive(Clone)]
pub(crate) struct Search {
    pub(crate) patients: usize,
    pub(crate) token: String,
}

impl Search {
    /// 25 dates, the first five are before this one: 20 entries.
    const FROM_DAY: usize = 5;

    fn which(&self, ticket: usize) -> (usize, usize) {
        let pick = pick(ticket);
        (pick % self.patients, pick / 7 % data::CODES.len())
    }

    pub(crate) fn path(&self, ticket: usize) -> String {
        let (patient, code) = self.which(ticket);
        let code = data::code(code);
        let day = Self::FROM_DAY + 1;
        format!("/fhir/Observation?patient=bench-p{patient}&code={code}&date=ge2026-03-{day:02}&_count=20")
    }
}

impl Work for Search {
    fn request(&self, ticket: usize) -> Vec<u8> {
        client::request("GET", &self.path(ticket), &self.token, b"")
    }

    fn is_right(&self, _: usize, reply: &Reply<'_>) -> bool {
        reply.status == 200 && memmem::find_iter(reply.body, "\"fullUrl\"").count() == data::DATES - Self::FROM_DAY
    }

    fn is_wholly_right(&self, ticket: usize, body: &[u8]) -> Result<(), String> {
        let (patient, code) = self.which(ticket);
        let found = Tree::parse(body.to_vec()).map_err(|error| error.to_string())?;
        let mut days: Vec<usize> = (Self::FROM_DAY..data::DATES).collect();
        for entry in found.root().get("entry").into_iter().flat_map(Value::items) {
            let resource = entry.get("resource").ok_or("an entry without resource")?;
            let id = text(resource.get("id"));
            let at = days.iter().position(|day| data::observation_id(patient, code, *day) == id);
            let day = at.map(|at| days.swap_remove(at)).ok_or_else(|| format!("{id} is twice there, or no match"))?;
            let asked = Tree::parse(data::loaded(patient, code, day)).map_err(|error| error.to_string())?;
            if !same(asked.root(), resource) {
                return Err(format!("{id} is another resource than was stored"));
            }
        }
        if days.is_empty() { Ok(()) } else { Err(format!("{} matches are missing", days.len())) }
    }
}

/// Requests made before the loop begins, so that making them takes nothing from the server; what
/// goes beyond is made on the way.
pub(crate) struct Prepared<W> {
    work: W,
    first: usize,
    requests: Vec<Vec<u8>>,
}

impl<W: Work> Prepared<W> {
    pub(crate) fn new(work: W, first: usize, count: usize) -> Self {
        let requests = (first..first + count).map(|ticket| work.request(ticket)).collect();
        Self { work, first, requests }
    }
}

impl<W: Work> Work for Prepared<W> {
    fn request(&self, ticket: usize) -> Vec<u8> {
        let prepared = ticket.checked_sub(self.first).and_then(|n| self.requests.get(n));
        prepared.cloned().unwrap_or_else(|| self.work.request(ticket))
    }

    fn is_right(&self, ticket: usize, reply: &Reply<'_>) -> bool {
        self.work.is_right(ticket, reply)
    }

    fn is_wholly_right(&self, ticket: usize, body: &[u8]) -> Result<(), String> {
        self.work.is_wholly_right(ticket, body)
    }
}

/// `POST Observation`.
#[derive(Clone)]
pub(crate) struct Create {
    pub(crate) patients: usize,
    pub(crate) token: String,
}

impl Create {
    fn body(&self, ticket: usize) -> Vec<u8> {
        let pick = pick(ticket);
        let code = data::code(pick / 7);
        let day = pick / 31 % data::DATES;
        data::observation(pick % self.patients, code, day, None, SERIAL + ticket)
    }
}

/// The same, with a profile in `meta.profile`.
#[derive(Clone)]
pub(crate) struct Claim(pub(crate) Create);

impl Claim {
    /// Whether the server refuses what does not meet the profile that it claims.
    pub(crate) async fn is_held_to_it(served: &Served<'_>, token: &str) -> std::io::Result<bool> {
        let good = engines::claiming(&data::observation(0, data::code(0), 0, None, SERIAL - 1));
        let bad = String::from_utf8_lossy(&good).replace("effectiveDateTime", "issued");
        let target = served.target();
        let mut connection = client::Connection::open(target.address, &target.tls).await?;
        let request = client::request("POST", "/fhir/Observation", token, bad.as_bytes());
        let status = connection.exchange(&request).await?.status;
        Ok(matches!(status, 400 | 422))
    }
}

impl Work for Claim {
    fn request(&self, ticket: usize) -> Vec<u8> {
        client::request("POST", "/fhir/Observation", &self.0.token, &engines::claiming(&self.0.body(ticket)))
    }

    fn is_right(&self, ticket: usize, reply: &Reply<'_>) -> bool {
        self.0.is_right(ticket, reply)
    }

    fn is_wholly_right(&self, ticket: usize, body: &[u8]) -> Result<(), String> {
        self.0.is_wholly_right(ticket, body)
    }
}

impl Work for Create {
    fn request(&self, ticket: usize) -> Vec<u8> {
        client::request("POST", "/fhir/Observation", &self.token, &self.body(ticket))
    }

    fn is_right(&self, _: usize, reply: &Reply<'_>) -> bool {
        reply.status == 201
            && reply.header("etag") == Some("W/\"1\"")
            && reply.header("location").is_some_and(|place| place.ends_with("/_history/1"))
    }

    fn is_wholly_right(&self, ticket: usize, body: &[u8]) -> Result<(), String> {
        let found = Tree::parse(body.to_vec()).map_err(|error| error.to_string())?;
        let serial = found.root().get("identifier").and_then(|list| list.items().next()?.get("value"));
        if text(serial) == (SERIAL + ticket).to_string() {
            Ok(())
        } else {
            Err("the answer has another resource".into())
        }
    }
}

/// A transaction of [`UNIT`] new Observations.
#[derive(Clone)]
pub(crate) struct Transaction {
    pub(crate) patients: usize,
    pub(crate) token: String,
}

impl Work for Transaction {
    fn request(&self, ticket: usize) -> Vec<u8> {
        let pick = pick(ticket);
        let entry = |k: usize| {
            let serial = SERIAL + ticket * UNIT + k;
            let resource = data::observation(
                pick % self.patients,
                data::code(k),
                k / data::CODES.len() % data::DATES,
                None,
                serial,
            );
            ("POST", "Observation".to_owned(), resource)
        };
        let entries: Vec<_> = (0..UNIT).map(entry).collect();
        client::request("POST", "/fhir", &self.token, &data::bundle(&entries))
    }

    fn is_right(&self, _: usize, reply: &Reply<'_>) -> bool {
        reply.status == 200 && memmem::find_iter(reply.body, "\"201").count() == UNIT
    }

    fn is_wholly_right(&self, _: usize, body: &[u8]) -> Result<(), String> {
        let found = Tree::parse(body.to_vec()).map_err(|error| error.to_string())?;
        let response =
            |entry: Value<'_>| entry.get("response").map(|response| text(response.get("status")).into_owned());
        let entries = found.root().get("entry").into_iter().flat_map(Value::items);
        let created = entries.filter(|entry| response(*entry).is_some_and(|status| status.starts_with("201"))).count();
        if created == UNIT { Ok(()) } else { Err(format!("{created} of {UNIT} entries were created")) }
    }
}
