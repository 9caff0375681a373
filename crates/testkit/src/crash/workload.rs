//! Work for a server that will crash: requests in an order that a seed decides, and a line for each
//! before it is sent and when its answer is there.
//!
//! One request is under way at a time, but now and then several writes go together, so that they
//! share a batch. Lines are handed to a sink in one piece each; a line that was handed over was
//! acknowledged.

use crate::{Reply, Server, dice::Dice};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How much work.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// Requests that commit.
    pub commits: usize,
    /// Decides everything.
    pub seed: u64,
    /// Among them, resources of half a megabyte: so many that the engine begins a new journal.
    pub large: usize,
}

/// Types of the work, and how often each comes.
const KINDS: [&str; 4] = ["Patient", "Observation", "Observation", "Condition"];

/// Says before a request which resources it writes: `try N Type/id …`, `remove` for a deletion, `bundle`
/// for a transaction.
/// After it: `ack N STATUS HASH`.
pub(crate) struct Worker<'a> {
    server: &'a Server,
    dice: Dice,
    say: &'a mut dyn FnMut(&str),
    pub(crate) number: usize,
    pub(crate) live: BTreeSet<String>,
    pub(crate) next: usize,
}

/// A resource of this kind, marked with the number of the request that writes it.
fn resource(kind: &str, id: &str, number: usize, dice: &mut Dice) -> Value {
    let mark = json!([{"system": "urn:crash", "value": format!("n{number}")}]);
    let subject = json!({"reference": format!("Patient/p{}", dice.below(20))});
    let code = json!({"coding": [{"system": "http://loinc.org", "code": format!("{}-1", dice.below(30))}]});
    match kind {
        "Patient" => json!({"resourceType": kind, "id": id, "identifier": mark,
            "name": [{"family": format!("Family{}", dice.below(50)), "given": ["Ada"]}], "birthDate": "1944-05-06"}),
        "Condition" => json!({"resourceType": kind, "id": id, "identifier": mark, "subject": subject, "code": code,
            "clinicalStatus": {"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}}),
        _ => json!({"resourceType": "Observation", "id": id, "identifier": mark, "status": "final",
            "subject": subject, "code": code, "effectiveDateTime": format!("2025-01-{:02}", dice.below(28) + 1),
            "valueQuantity": {"value": dice.below(500), "unit": "mm[Hg]"}}),
    }
}

/// A document with half a megabyte that does not compress.
fn large(id: &str, number: usize, dice: &mut Dice) -> Value {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let data: String = (0..512 * 1024).map(|_| char::from(DIGITS[dice.below(64)])).collect();
    json!({"resourceType": "DocumentReference", "id": id, "status": "current",
        "identifier": [{"system": "urn:crash", "value": format!("n{number}")}],
        "content": [{"attachment": {"contentType": "application/octet-stream", "data": data}}]})
}

/// A short hash of bytes, for lines.
#[must_use]
pub(crate) fn hash(bytes: &[u8]) -> String {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
    format!("{:016x}", BuildHasherDefault::<DefaultHasher>::new().hash_one(bytes))
}

impl<'a> Worker<'a> {
    pub(crate) fn new(server: &'a Server, seed: u64, say: &'a mut dyn FnMut(&str)) -> Self {
        Self { server, dice: Dice::new(seed), say, number: 0, live: BTreeSet::new(), next: 0 }
    }

    fn name(&mut self, kind: &str) -> String {
        self.next += 1;
        let letter = &kind[..1].to_lowercase();
        format!("{kind}/{letter}{}", self.next)
    }

    /// The name of something to write: new, or there already.
    fn target(&mut self) -> String {
        let kind = *self.dice.pick(&KINDS);
        let known: Vec<&String> = self.live.iter().filter(|name| name.starts_with(kind)).collect();
        if !known.is_empty() && self.dice.chance(45) {
            return (*self.dice.pick(&known)).clone();
        }
        self.name(kind)
    }

    fn body(&mut self, name: &str) -> Value {
        let (kind, id) = name.split_once('/').unwrap();
        if kind == "DocumentReference" {
            large(id, self.number, &mut self.dice)
        } else {
            resource(kind, id, self.number, &mut self.dice)
        }
    }

    fn announce(&mut self, names: &str) {
        self.number += 1;
        self.server.clock().advance_s(1);
        (self.say)(&format!("try {} {names}\n", self.number));
    }

    fn request(&self, method: &str, path: &str) -> crate::Request<'a> {
        self.server.request(method, path).as_operator().header("x-request-id", &format!("n{}", self.number))
    }

    fn acknowledge(&mut self, number: usize, reply: &Reply, name: &str) {
        assert!(reply.status < 300, "{name}: {} {}", reply.status, reply.text());
        (self.say)(&format!("ack {number} {} {}\n", reply.status, hash(&reply.body)));
        self.live.insert(name.to_owned());
    }

    /// One request that commits, or a few.
    pub(crate) fn write(&mut self) {
        match self.dice.below(100) {
            0..8 if self.live.len() > 10 => {
                let names: Vec<String> =
                    self.live.iter().filter(|name| !name.starts_with("Patient")).cloned().collect();
                let name = if names.is_empty() { return self.put() } else { self.dice.pick(&names).clone() };
                self.announce(&format!("remove {name}"));
                let reply = self.request("DELETE", &name).send();
                assert!(reply.status < 300, "{}", reply.text());
                (self.say)(&format!("ack {} {} -\n", self.number, reply.status));
                self.live.remove(&name);
            }
            8..16 => self.transaction(),
            16..18 => self.together(),
            _ => self.put(),
        }
    }

    fn put(&mut self) {
        let name = self.target();
        self.put_at(&name);
    }

    fn put_at(&mut self, name: &str) {
        self.announce(name);
        let body = self.body(name);
        let reply = self.request("PUT", name).json(&body).send();
        self.acknowledge(self.number, &reply, name);
    }

    /// A resource of half a megabyte.
    pub(crate) fn large(&mut self) {
        let name = self.name("DocumentReference");
        self.put_at(&name);
    }

    fn targets(&mut self, count: usize) -> Vec<String> {
        let mut names: Vec<String> = (0..count).map(|_| self.target()).collect();
        names.sort();
        names.dedup();
        names
    }

    fn transaction(&mut self) {
        let count = 2 + self.dice.below(6);
        let names = self.targets(count);
        self.announce(&format!("bundle {}", names.join(" ")));
        let entries: Vec<Value> = names
            .iter()
            .map(|name| json!({"resource": self.body(name), "request": {"method": "PUT", "url": name}}))
            .collect();
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
        let reply = self.request("POST", "").json(&bundle).send();
        assert!(reply.status < 300, "{}", reply.text());
        (self.say)(&format!("ack {} {} -\n", self.number, reply.status));
        self.live.extend(names);
    }

    /// Several writes at the same time.
    fn together(&mut self) {
        let names = self.targets(4);
        let (mut requests, mut numbers) = (Vec::new(), Vec::new());
        for name in &names {
            self.announce(name);
            let body = self.body(name);
            numbers.push(self.number);
            requests.push(self.request("PUT", name).json(&body));
        }
        let say = &mut *self.say;
        self.server.send_together(requests, |at, reply| {
            assert!(reply.status < 300, "{}: {} {}", names[at], reply.status, reply.text());
            say(&format!("ack {} {} {}\n", numbers[at], reply.status, hash(&reply.body)));
        });
        self.live.extend(names);
    }

    /// A request that only the audit log hears of.
    pub(crate) fn read(&mut self) {
        let known: Vec<&String> = self.live.iter().collect();
        let path = match self.dice.below(4) {
            0 if !known.is_empty() => (*self.dice.pick(&known)).clone(),
            1 => "Observation?code=1-1".to_owned(),
            2 => "Patient/nobody".to_owned(),
            _ => "Patient?family=Family1".to_owned(),
        };
        self.announce("");
        let reply = self.request("GET", &path).send();
        (self.say)(&format!("ack {} {} -\n", self.number, reply.status));
    }

    /// A key of a table.
    pub(crate) fn table(&mut self) {
        let key = format!("key{}", self.dice.below(30));
        self.number += 1;
        let number = self.number;
        (self.say)(&format!("table {number} {key}\n"));
        let table = self.server.store().table("crash").expect("a table");
        table.put(key.as_bytes(), format!("n{number}").as_bytes()).expect("room in the table");
        (self.say)(&format!("put {number} {key}\n"));
    }
}

/// Does the work on a server in `directory`: the first half, then closed and opened under another
/// base URL (all indices are made anew), then the rest.
///
/// # Panics
/// When an answer is not what it should be.
pub fn work(directory: &std::path::Path, work: Work, strict: bool, say: &mut dyn FnMut(&str)) {
    let server = Server::open(directory, Server::BASE_URL, strict).expect("a server");
    say("open\n");
    let (mut number, mut live, mut next) = (0, BTreeSet::new(), 0);
    let mut server = Some(server);
    let large_from = work.commits / 2;
    for at in 0..work.commits {
        if at == work.commits * 3 / 4 {
            server = None;
            say("closed\n");
        }
        let other = format!("{}2", Server::BASE_URL);
        let server = server.get_or_insert_with(|| Server::open(directory, &other, strict).expect("a server"));
        let mut worker = Worker::new(server, work.seed ^ (at as u64).wrapping_mul(0x9e37_79b9), &mut *say);
        (worker.number, worker.live, worker.next) = (number, live, next);
        server.clock().set_s(at as i64 * 60);
        if (large_from..large_from + work.large).contains(&at) {
            worker.large()
        } else {
            worker.write()
        }
        if worker.dice.chance(40) {
            worker.read();
        }
        if worker.dice.chance(8) {
            worker.table();
        }
        (number, live, next) = (worker.number, std::mem::take(&mut worker.live), worker.next);
    }
    drop(server);
    say("end\n");
}
