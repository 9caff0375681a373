//! Random requests before guarded worlds: every door of the service.

use super::{
    caller::{CATEGORIES, Kind, Who},
    content::{self, DATES, FAMILIES, LEAVES, PATIENTS, RECORDS},
};
use crate::{
    dice::Dice,
    twin::{
        ask::{Ask, JSON, Plain},
        query::encode,
    },
};
use fhir::ResourceType;
use search::{Parameter, ParameterKind};
use serde_json::{Value, json};

const FORM: &str = "application/x-www-form-urlencoded";
const BREAK_GLASS: &str =
    "http://terminology.hl7.org/CodeSystem/v3-ActReason#BTG; scheme=\"http://hl7.org/fhir/tag/security\"";

/// Rolls requests for a caller.
pub(super) struct Asker<'a> {
    pub(super) who: &'a Who,
    /// What differs between the worlds.
    pub(super) marked: Vec<(String, String)>,
    /// What is hidden in both worlds: on whatever types.
    pub(super) hidden: Vec<(String, String)>,
    /// Patients of whom events of the two worlds differ.
    pub(super) uneven: Vec<String>,
}

impl Asker<'_> {
    /// One request; `writes`: it may change something.
    pub(super) fn roll(&self, dice: &mut Dice, writes: bool) -> Ask {
        let mut plain = match dice.below(100) {
            0..14 => return Ask::Next,
            14..20 => self.bundle(dice, "batch", writes),
            20..25 => self.bundle(dice, "transaction", writes),
            25..29 => self.broken(dice),
            29..39 => self.operation(dice),
            _ => self.one(dice, writes),
        };
        if self.who.glass.is_some() && dice.chance(25) {
            plain.headers.push(("category", BREAK_GLASS.to_owned()));
        }
        Ask::Send(plain)
    }

    /// A resource to ask for: mostly one that is hidden or differs.
    fn target(&self, dice: &mut Dice) -> (String, String) {
        match dice.below(20) {
            0..8 if !self.marked.is_empty() => dice.pick(&self.marked).clone(),
            8..11 if !self.hidden.is_empty() => dice.pick(&self.hidden).clone(),
            11 => {
                (dice.word(&["Practitioner", "Organization", "Group", "Binary", "Basic"]).to_owned(), "p1".to_owned())
            }
            12 => (dice.pick(&RECORDS).0.to_owned(), dice.word(&["absent", "made-1", "made-2", "x_y"]).to_owned()),
            _ => {
                let (kind, ids) = *dice.pick(&RECORDS);
                (kind.to_owned(), (*dice.pick(ids)).to_owned())
            }
        }
    }

    /// One that may be written: no view rests on it, or it is hidden.
    fn written(&self, dice: &mut Dice) -> (String, String) {
        if !self.hidden.is_empty() && dice.chance(55) {
            return dice.pick(&self.hidden).clone();
        }
        let kind = dice.word(&LEAVES);
        let ids = RECORDS.iter().find(|(own, _)| *own == kind).map_or(&[][..], |(_, ids)| ids);
        // Consents may be about what goes with these.
        let id = if dice.chance(25) || kind == "Condition" { "made-0" } else { *dice.pick(ids) };
        (kind.to_owned(), id.to_owned())
    }

    fn one(&self, dice: &mut Dice, writes: bool) -> Plain {
        let (kind, id) = self.target(dice);
        let mut plain = match dice.below(if writes { 100 } else { 66 }) {
            0..12 => {
                let mut plain = Plain::get(format!("{kind}/{id}"));
                if dice.chance(15) {
                    plain.method = "HEAD";
                }
                caching(dice, &mut plain);
                plain
            }
            12..17 => {
                let mut plain =
                    Plain::get(format!("{kind}/{id}/_history/{}", dice.word(&["1", "1", "2", "2", "3", "0", "x"])));
                caching(dice, &mut plain);
                plain
            }
            17..23 => {
                let shape =
                    ["", "", "?_count=1", "?_count=1", "?_count=0", "?_since=2026", "?_since=2026-01-01T00:00:20Z"];
                Plain::get(format!("{kind}/{id}/_history{}", dice.word(&shape)))
            }
            23..66 => self.search(dice),
            66..78 => self.create(dice),
            78..92 => {
                let (kind, id) = self.written(dice);
                let body = self.body(dice, &kind, &id);
                let mut plain =
                    Plain { method: "PUT", body: Some((JSON, body.to_string())), ..Plain::get(format!("{kind}/{id}")) };
                guard(dice, &mut plain);
                plain
            }
            _ => {
                let (kind, id) = self.written(dice);
                let mut plain = Plain { method: "DELETE", ..Plain::get(format!("{kind}/{id}")) };
                guard(dice, &mut plain);
                plain
            }
        };
        if dice.chance(8) {
            let preference = [
                "return=minimal",
                "return=representation",
                "return=OperationOutcome",
                "handling=lenient",
                "handling=strict",
            ];
            plain.headers.push(("prefer", dice.word(&preference).to_owned()));
        }
        if matches!(plain.method, "POST" | "PUT") && plain.body.is_some() && dice.chance(6) {
            let provenance = json!({"resourceType": "Provenance", "recorded": "2026-01-01T00:00:00Z",
                "agent": [{"who": {"reference": format!("{kind}/{id}")}}]});
            plain.headers.push(("x-provenance", provenance.to_string()));
        }
        plain
    }

    fn search(&self, dice: &mut Dice) -> Plain {
        let kind = self.kind(dice);
        let patient = if dice.chance(90) { dice.word(&PATIENTS) } else { "absent" };
        match dice.below(12) {
            0 => {
                let form = self.query(dice, kind);
                let path = if dice.chance(30) {
                    format!("{kind}/_search?{}", self.query(dice, kind))
                } else {
                    format!("{kind}/_search")
                };
                Plain { method: "POST", body: Some((FORM, form)), ..Plain::get(path) }
            }
            1 | 2 => Plain::get(format!("Patient/{patient}/{kind}?{}", self.query(dice, kind))),
            3 => {
                let form = self.query(dice, kind);
                Plain {
                    method: "POST",
                    body: Some((FORM, form)),
                    ..Plain::get(format!("Patient/{patient}/{kind}/_search"))
                }
            }
            _ => Plain::get(format!("{kind}?{}", self.query(dice, kind))),
        }
    }

    /// A type to search, mostly one on which something is hidden.
    fn kind(&self, dice: &mut Dice) -> &'static str {
        if !self.marked.is_empty() && dice.chance(50) {
            let (kind, _) = dice.pick(&self.marked);
            if let Some((kind, _)) = RECORDS.iter().find(|(own, _)| own == kind) {
                return kind;
            }
        }
        match dice.below(20) {
            // Systems read the log by right (row B33), and it tells what the operator did to what is hidden.
            0 if self.who.kind == Kind::System => "Group",
            0 => dice.word(&[
                "Practitioner",
                "PractitionerRole",
                "Organization",
                "Group",
                "AuditEvent",
                "Basic",
                "Appointment",
            ]),
            1 => "Patient",
            _ => dice.pick(&RECORDS).0,
        }
    }

    fn query(&self, dice: &mut Dice, kind: &str) -> String {
        let mut pairs = Vec::new();
        for _ in 0..*dice.pick(&[0, 0, 1, 1, 1, 2, 3]) {
            pairs.push(self.filter(dice, kind));
        }
        for _ in 0..*dice.pick(&[0, 1, 1, 2, 2, 3]) {
            pairs.push(self.shaping(dice, kind));
        }
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        pairs.join("&")
    }

    fn filter(&self, dice: &mut Dice, kind: &str) -> (String, String) {
        match dice.below(20) {
            0..11 => self.simple(dice, kind, true),
            11..14 => {
                let list = references(kind);
                let Some(parameter) = (!list.is_empty()).then(|| *dice.pick(&list)) else {
                    return self.simple(dice, kind, true);
                };
                let fits = |one: &&(&str, &[&str])| {
                    parameter.targets.is_empty() || parameter.targets.iter().any(|target| target.name() == one.0)
                };
                let targets: Vec<&str> = RECORDS.iter().filter(fits).map(|(kind, _)| *kind).collect();
                let target = if targets.is_empty() { "Patient" } else { *dice.pick(&targets) };
                let (name, value) = self.simple(dice, target, true);
                let typed = if dice.chance(85) { format!(":{target}") } else { String::new() };
                (format!("{}{typed}.{name}", parameter.code), value)
            }
            14..19 => {
                let (source, code) = referring(dice, kind);
                let (name, value) = self.simple(dice, source, true);
                (format!("_has:{source}:{code}:{name}"), value)
            }
            _ => {
                let wrong =
                    ["colour", "_text", "_content", "_filter", "_has:Observation", "subject.name", "", "_sort:asc"];
                (dice.word(&wrong).to_owned(), dice.word(&["red", "", "1"]).to_owned())
            }
        }
    }

    fn simple(&self, dice: &mut Dice, kind: &str, own_name: bool) -> (String, String) {
        let all = parameters(kind);
        if all.is_empty() {
            return ("_id".to_owned(), "1".to_owned());
        }
        let often =
            ["code", "patient", "subject", "category", "encounter", "status", "_security", "_tag", "period", "date"];
        let known: Vec<_> = all.iter().filter(|one| often.contains(&one.code.as_str())).copied().collect();
        let parameter = if !known.is_empty() && dice.chance(45) { *dice.pick(&known) } else { *dice.pick(&all) };
        let mut text = self.value(dice, kind, parameter);
        if dice.chance(12) {
            text = format!("{text},{}", self.value(dice, kind, parameter));
        }
        let mut name = parameter.code.clone();
        if own_name && dice.chance(25) {
            let modifier = match parameter.kind {
                _ if dice.chance(15) => dice.word(&["above", "below", "in", "of-type", "bogus", "text", "exact"]),
                ParameterKind::Token => dice.word(&["missing", "not", "text"]),
                ParameterKind::String => dice.word(&["missing", "exact", "contains"]),
                ParameterKind::Reference => dice.word(&["missing", "identifier", "Patient", "Practitioner"]),
                _ => "missing",
            };
            if modifier == "missing" {
                text = dice.word(&["true", "false"]).to_owned();
            }
            name = format!("{name}:{modifier}");
        }
        (name, text)
    }

    fn value(&self, dice: &mut Dice, kind: &str, parameter: &Parameter) -> String {
        const PREFIXES: [&str; 12] = ["", "", "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"];
        match parameter.kind {
            _ if parameter.code == "_id" => self.id_of(dice, kind),
            _ if parameter.code == "_lastUpdated" => {
                format!("{}2026-01-01T00:00:{:02}Z", dice.word(&PREFIXES), dice.below(60))
            }
            ParameterKind::Date => format!("{}{}", dice.word(&PREFIXES), dice.word(&DATES)),
            ParameterKind::Number | ParameterKind::Quantity => format!("{}{}", dice.word(&PREFIXES), dice.below(3)),
            ParameterKind::Reference => {
                let fits = |one: &&(&str, &[&str])| {
                    parameter.targets.is_empty() || parameter.targets.iter().any(|target| target.name() == one.0)
                };
                let targets: Vec<&str> = RECORDS.iter().filter(fits).map(|(kind, _)| *kind).collect();
                let staff = ["Practitioner/p1", "PractitionerRole/r1", "Organization/o1", "Organization/o3"];
                if targets.is_empty() || dice.chance(15) {
                    return dice.word(&staff).to_owned();
                }
                let target = *dice.pick(&targets);
                let id = self.id_of(dice, target);
                match dice.below(6) {
                    0 => id,
                    1 => format!("https://handrail.test/fhir/{target}/{id}"),
                    _ => format!("{target}/{id}"),
                }
            }
            ParameterKind::Uri => dice.word(&["http://example.org/policy", "urn:x", "http://example.org/y"]).to_owned(),
            ParameterKind::String => {
                dice.word(&["Al", "alba", "Alba", "Birch", "Ålesund", "ales", "", "x,y"]).to_owned()
            }
            ParameterKind::Composite => format!("http://loinc.org|{}${}", dice.below(3), dice.below(3)),
            ParameterKind::Token | ParameterKind::Special => match dice.below(12) {
                0..4 => dice
                    .word(&["1", "2", "3", "http://loinc.org|1", "http://loinc.org|2", "http://snomed.info/sct|1"])
                    .to_owned(),
                4 => dice.word(&CATEGORIES).to_owned(),
                5 | 6 => dice.word(&["active", "final", "finished", "in-progress", "completed", "inactive"]).to_owned(),
                7 | 8 => {
                    let (system, code) = *dice.pick(&content::LABELS);
                    if dice.chance(50) { code.to_owned() } else { format!("{system}|{code}") }
                }
                9 => dice.word(&["t1", "urn:test:tag|t2", "|t1"]).to_owned(),
                10 => format!("urn:test:mrn|{}", dice.word(&FAMILIES)),
                _ => dice.word(&["true", "false", "female", "male", "|", "a|b|c"]).to_owned(),
            },
        }
    }

    fn id_of(&self, dice: &mut Dice, kind: &str) -> String {
        let ids = RECORDS.iter().find(|(own, _)| *own == kind).map_or(&["p1", "o1"][..], |(_, ids)| ids);
        if dice.chance(92) {
            (*dice.pick(ids)).to_owned()
        } else {
            dice.word(&["made-0", "made-1", "absent", "x_y", "%00"]).to_owned()
        }
    }

    fn shaping(&self, dice: &mut Dice, kind: &str) -> (String, String) {
        match dice.below(12) {
            0..3 => ("_count".to_owned(), dice.word(&["0", "1", "1", "2", "2", "3", "1000", "-1", "x"]).to_owned()),
            3 | 4 => {
                let all = parameters(kind);
                let key = match dice.below(4) {
                    0 => "_id".to_owned(),
                    1 => "_lastUpdated".to_owned(),
                    _ if all.is_empty() => "date".to_owned(),
                    _ => dice.pick(&all).code.clone(),
                };
                ("_sort".to_owned(), format!("{}{key}", dice.word(&["", "-"])))
            }
            5 | 6 => ("_total".to_owned(), dice.word(&["none", "estimate", "accurate", "accurate", "few"]).to_owned()),
            7 | 8 => {
                let list = references(kind);
                let code = if list.is_empty() { "subject".to_owned() } else { dice.pick(&list).code.clone() };
                let typed = if dice.chance(20) { format!(":{}", dice.pick(&RECORDS).0) } else { String::new() };
                let name = if dice.chance(4) { "_include:iterate" } else { "_include" };
                let what = if dice.chance(3) { "*".to_owned() } else { format!("{kind}:{code}{typed}") };
                (name.to_owned(), what)
            }
            9 | 10 => {
                let (source, code) = referring(dice, kind);
                ("_revinclude".to_owned(), format!("{source}:{code}"))
            }
            _ => match dice.below(3) {
                0 => ("_elements".to_owned(), "id".to_owned()),
                _ => ("_summary".to_owned(), dice.word(&["count", "count", "false", "true"]).to_owned()),
            },
        }
    }

    /// A body, in which nothing of a Consent is in force: what others decided is theirs to write down, and changes views.
    fn body(&self, dice: &mut Dice, kind: &str, id: &str) -> Value {
        let mut body = match RECORDS.iter().any(|(own, _)| *own == kind) {
            true => content::roll(dice, kind, id),
            false => json!({"resourceType": kind, "id": id}),
        };
        if kind == "Consent" {
            body["status"] = "draft".into();
        }
        match dice.below(40) {
            0 => body["id"] = json!("other"),
            1 => body["nonsense"] = json!(true),
            2 => body["resourceType"] = json!("Group"),
            _ => {}
        }
        body
    }

    fn create(&self, dice: &mut Dice) -> Plain {
        let kind = dice.word(&[
            "Observation",
            "Observation",
            "DocumentReference",
            "MedicationRequest",
            "QuestionnaireResponse",
            "Consent",
        ]);
        let mut body = self.body(dice, kind, "0");
        if dice.chance(85) {
            body.as_object_mut().map(|body| body.remove("id"));
        }
        let mut plain = Plain { method: "POST", body: Some((JSON, body.to_string())), ..Plain::get(kind.to_owned()) };
        if dice.chance(60) {
            plain.headers.push(("if-none-exist", self.condition(dice, kind)));
        }
        plain
    }

    fn condition(&self, dice: &mut Dice, kind: &str) -> String {
        let (name, value) = if dice.chance(70) { self.simple(dice, kind, false) } else { self.filter(dice, kind) };
        format!("{}={}", encode(&name), encode(&value))
    }

    fn operation(&self, dice: &mut Dice) -> Plain {
        let (kind, id) = self.target(dice);
        let post = |path: String, parts: Value| Plain {
            method: "POST",
            body: Some((JSON, json!({"resourceType": "Parameters", "parameter": parts}).to_string())),
            ..Plain::get(path)
        };
        match dice.below(16) {
            0 | 1 => Plain::get(format!("{kind}/{id}/$validate")),
            2 => {
                let body = self.body(dice, &kind, &id);
                let mode = dice.word(&["create", "update", "delete"]);
                post(
                    format!("{kind}/{id}/$validate"),
                    json!([{"name": "mode", "valueCode": mode}, {"name": "resource", "resource": body}]),
                )
            }
            3 => {
                let body = self.body(dice, &kind, &id);
                post(format!("{kind}/$validate"), json!([{"name": "resource", "resource": body}]))
            }
            4 => Plain::get(format!("Provenance/{}/$verify-signature", dice.word(&["v1", "0", "absent"]))),
            5 => Plain::get(format!("{kind}/{id}/$verify-signature")),
            6 | 7 => Plain::get(format!(
                "{kind}/{id}/$explain-access?need={}",
                dice.word(&["read", "search", "update", "x"])
            )),
            8 => post(format!("{kind}/{id}/$explain-access"), json!([{"name": "as", "valueString": "role clinician"}])),
            9 | 10 => {
                let meta = json!([{"name": "meta", "valueMeta": {"tag": [{"system": "urn:test:tag", "code": "t3"}]}}]);
                let operation = dice.word(&["$meta-add", "$meta-delete"]);
                let (kind, id) = if self.hidden.is_empty() { (kind, id) } else { dice.pick(&self.hidden).clone() };
                post(format!("{kind}/{id}/{operation}"), meta)
            }
            11 => Plain::get(format!(
                "Patient/$k-anonymity?k={}&gender={}",
                dice.word(&["2", "11"]),
                dice.word(&["female", "male"])
            )),
            12 | 13 => {
                let patients: Vec<&str> =
                    PATIENTS.into_iter().filter(|id| !self.uneven.iter().any(|one| one == id)).collect();
                let patient = if patients.is_empty() { "absent" } else { *dice.pick(&patients) };
                Plain::get(format!("Patient/{patient}/$access-report"))
            }
            14 => Plain::get(format!("ValueSet/{id}/$expand")),
            _ => Plain::get("ValueSet/$expand?url=http://example.org/vs".to_owned()),
        }
    }

    fn bundle(&self, dice: &mut Dice, kind: &str, writes: bool) -> Plain {
        let mut named: Vec<String> = Vec::new();
        let entries: Vec<Value> = (0..=dice.below(4))
            .map(|at| {
                let mut one = self.one(dice, writes);
                while one.method == "HEAD" {
                    one = self.one(dice, writes);
                }
                let mut request = json!({"method": one.method, "url": one.path});
                for (name, value) in &one.headers {
                    let member = match *name {
                        "if-match" => "ifMatch",
                        "if-none-match" => "ifNoneMatch",
                        "if-none-exist" => "ifNoneExist",
                        _ => continue,
                    };
                    request[member] = json!(value);
                }
                let mut entry = json!({"request": request});
                if let Some((JSON, body)) = &one.body {
                    let mut resource: Value = serde_json::from_str(body).unwrap_or_default();
                    if resource["subject"].is_object() {
                        if !named.is_empty() && dice.chance(20) {
                            resource["subject"]["reference"] = json!(dice.pick(&named));
                        } else if dice.chance(25) {
                            resource["subject"]["reference"] =
                                json!(format!("Patient?{}", self.condition(dice, "Patient")));
                        }
                    }
                    entry["resource"] = resource;
                    let name = format!("urn:uuid:00000000-0000-4000-8000-00000000000{at}");
                    entry["fullUrl"] = json!(name);
                    named.push(name);
                }
                entry
            })
            .collect();
        let body = json!({"resourceType": "Bundle", "type": kind, "entry": entries});
        let headers = if dice.chance(25) { vec![("prefer", "return=representation".to_owned())] } else { Vec::new() };
        Plain { method: "POST", headers, body: Some((JSON, body.to_string())), ..Plain::get(String::new()) }
    }

    /// A request that is wrong in itself, or for what is not served.
    fn broken(&self, dice: &mut Dice) -> Plain {
        let (kind, id) = self.target(dice);
        let mut plain = self.one(dice, false);
        match dice.below(13) {
            0 => plain.path = format!("{kind}/{id}/$everything"),
            1 => plain.method = "PATCH",
            2 => plain.path = format!("Nothing/{id}"),
            3 => plain.headers.push(("accept", "application/fhir+xml".to_owned())),
            4 => {
                return Plain {
                    method: "PUT",
                    body: Some((JSON, "{\"resourceType\":".to_owned())),
                    ..Plain::get(format!("{kind}/{id}"))
                };
            }
            5 => {
                return Plain {
                    method: "PUT",
                    body: Some(("text/plain", "x".to_owned())),
                    ..Plain::get(format!("{kind}/{id}"))
                };
            }
            6 => plain.path = format!("{kind}?_cursor=AAAA"),
            7 => plain.path = format!("{kind}/{id}/_history?_cursor=CURSOR"),
            8 => plain.path = format!("{kind}?{}&_cursor=CURSOR", self.query(dice, &kind)),
            9 => {
                let body = self.body(dice, "Observation", "0").to_string();
                let path = format!("Observation?{}", self.condition(dice, "Observation"));
                return Plain { method: "PUT", body: Some((JSON, body)), ..Plain::get(path) };
            }
            10 => return Plain { method: "DELETE", ..Plain::get(format!("{kind}?{}", self.condition(dice, &kind))) },
            11 => plain.headers.push(("x-purpose-of-use", dice.word(&["BTG", "HMARKT", "x"]).to_owned())),
            _ if self.who.kind == Kind::Nobody => plain.path = "metadata".to_owned(),
            _ => return Plain { method: "POST", ..Plain::get(format!("{kind}/{id}/$access-report")) },
        }
        plain
    }
}

fn caching(dice: &mut Dice, plain: &mut Plain) {
    match dice.below(10) {
        0 | 1 => plain.headers.push(("if-none-match", dice.word(&["W/\"1\"", "W/\"2\"", "*", "\"x\""]).to_owned())),
        2 => {
            let times =
                ["Thu, 01 Jan 2026 00:00:10 GMT", "Thu, 01 Jan 2026 01:00:10 GMT", "Thu, 01 Jan 2026 02:00:00 GMT"];
            plain.headers.push(("if-modified-since", dice.word(&times).to_owned()));
        }
        _ => {}
    }
}

fn guard(dice: &mut Dice, plain: &mut Plain) {
    match dice.below(10) {
        0..3 => {
            let tags = ["W/\"1\"", "W/\"1\"", "W/\"2\"", "*", "\"x\"", "W/\"1\", W/\"2\""];
            plain.headers.push(("if-match", dice.word(&tags).to_owned()));
        }
        3 => plain.headers.push(("if-none-match", dice.word(&["*", "*", "W/\"1\""]).to_owned())),
        _ => {}
    }
}

fn parameters(kind: &str) -> Vec<&'static Parameter> {
    let registry = search::registry::registry();
    let Ok(kind) = ResourceType::parse(kind) else { return Vec::new() };
    registry.of_type(kind).filter(|parameter| registry.is_supported(parameter)).collect()
}

fn references(kind: &str) -> Vec<&'static Parameter> {
    parameters(kind).into_iter().filter(|parameter| parameter.kind == ParameterKind::Reference).collect()
}

/// A type and its parameter that may refer to this one.
fn referring(dice: &mut Dice, kind: &str) -> (&'static str, String) {
    for _ in 0..20 {
        let (source, _) = *dice.pick(&RECORDS);
        let list = references(source);
        let fits = |one: &&&Parameter| one.targets.is_empty() || one.targets.iter().any(|target| target.name() == kind);
        let list: Vec<_> = list.iter().filter(fits).collect();
        if !list.is_empty() {
            return (source, dice.pick(&list).code.clone());
        }
    }
    ("Observation", "subject".to_owned())
}
