//! The packages' examples against the real server: each package loads in one transaction, each
//! example is read back equal, and the use cases of the guides find exactly what a look through
//! the files finds. Called by `cargo xtask conformance DIR`.
//!
//! What is expected is computed here from the files by plain comparison of JSON text, without any
//! of the server's search code.

use clap::Parser;
use fhir::json::{Kind, Tree, Value, Writer};
use live::{client, subject::Subject};
use serde_json::Value as Json;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Where things are.
#[derive(Parser)]
struct Arguments {
    /// The handrail binary.
    #[arg(long)]
    handrail: PathBuf,
    /// Folder of the packages (`*.tgz`).
    packages: PathBuf,
}

/// One example: where it lives, its bytes as shipped, and as JSON to look through.
struct Example {
    address: String,
    bytes: Vec<u8>,
    json: Json,
}

#[expect(clippy::print_stdout, reason = "a check speaks to a terminal")]
fn say(text: &str) {
    println!("{text}");
}

fn examples(package: &Path) -> io::Result<Vec<Example>> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(package)?));
    let mut found = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let json_file = path.extension().is_some_and(|e| e == "json");
        if !path.starts_with("package/example") || !json_file {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        let json: Json = serde_json::from_slice(&bytes).map_err(io::Error::other)?;
        let part = |name: &str| json.get(name).and_then(Json::as_str).map(str::to_owned);
        if let (Some(kind), Some(id)) = (part("resourceType"), part("id")) {
            found.push(Example { address: format!("{kind}/{id}"), bytes, json });
        }
    }
    found.sort_by(|a, b| a.address.cmp(&b.address));
    Ok(found)
}

/// A resource as text that is equal for equal content: members sorted, numbers to the letter, and
/// without what the server adds (`meta.versionId`, `meta.lastUpdated`).
fn content(value: Value<'_>, path: &str) -> String {
    match value.kind() {
        Kind::Object => {
            let members: BTreeMap<&str, String> = value
                .members()
                .filter(|m| !(path == "meta" && matches!(m.name(), "versionId" | "lastUpdated")))
                .map(|m| (m.name(), content(m, if path.is_empty() { m.name() } else { "-" })))
                .filter(|(name, text)| !(*name == "meta" && path.is_empty() && text == "{}"))
                .collect();
            format!("{members:?}")
        }
        Kind::Array => format!("{:?}", value.items().map(|i| content(i, "-")).collect::<Vec<_>>()),
        Kind::String => format!("s{:?}", value.as_str().unwrap_or_default()),
        _ => value.raw().to_owned(),
    }
}

struct Server {
    subject: Subject,
    token: String,
    failures: u32,
    checks: u32,
}

impl Server {
    async fn ask(&self, method: &str, path: &str, body: &[u8]) -> io::Result<client::Answer> {
        let mut connection = client::Connection::open(self.subject.address, &self.subject.tls).await?;
        connection.send(&client::request(method, path, &self.token, body), true).await
    }

    fn check(&mut self, name: &str, problem: Option<String>) {
        self.checks += 1;
        if let Some(problem) = problem {
            self.failures += 1;
            say(&format!("  FAILED {name}: {problem}"));
        }
    }

    /// All matches of a search over all of its pages, as `Type/id`; includes apart.
    async fn search(&self, query: &str) -> io::Result<(BTreeSet<String>, BTreeSet<String>, Option<u64>)> {
        let (mut matches, mut included, mut total) = (BTreeSet::new(), BTreeSet::new(), None);
        let mut next = Some(format!("/fhir/{query}"));
        while let Some(path) = next.take() {
            let answer = self.ask("GET", &path, b"").await?;
            let bundle: Json = serde_json::from_slice(&answer.body).map_err(io::Error::other)?;
            if answer.status != 200 {
                return Err(io::Error::other(format!("{query}: status {}: {bundle}", answer.status)));
            }
            total = bundle.get("total").and_then(Json::as_u64).or(total);
            for entry in bundle.get("entry").and_then(Json::as_array).into_iter().flatten() {
                let text = |path: &str| entry.pointer(path).and_then(Json::as_str).unwrap_or_default().to_owned();
                let address = format!("{}/{}", text("/resource/resourceType"), text("/resource/id"));
                let side = if text("/search/mode") == "include" { &mut included } else { &mut matches };
                if !side.insert(address.clone()) {
                    return Err(io::Error::other(format!("{query}: {address} came twice")));
                }
            }
            next = bundle.get("link").and_then(Json::as_array).into_iter().flatten().find_map(|link| {
                let is_next = link.get("relation").and_then(Json::as_str) == Some("next");
                let url = link.get("url").and_then(Json::as_str)?;
                is_next.then(|| url.find("/fhir").and_then(|at| url.get(at..)).map(str::to_owned))?
            });
        }
        Ok((matches, included, total))
    }

    async fn found(&mut self, query: &str, expected: &BTreeSet<String>) -> io::Result<()> {
        let (matches, _, total) = self.search(&format!("{query}&_total=accurate")).await?;
        let missing: Vec<_> = expected.difference(&matches).collect();
        let extra: Vec<_> = matches.difference(expected).collect();
        let mut problem = None;
        if !missing.is_empty() || !extra.is_empty() {
            problem = Some(format!("missing {missing:?}, extra {extra:?}"));
        } else if total != Some(expected.len() as u64) {
            problem = Some(format!("total {total:?} where {} is right", expected.len()));
        } else if expected.is_empty() {
            problem = Some("the files hold nothing that fits: the check would prove nothing".into());
        }
        say(&format!("  {} → {} entries", query, matches.len()));
        self.check(query, problem);
        Ok(())
    }

    /// Loads a package in one transaction and reads every example back.
    async fn load(&mut self, name: &str, examples: &[Example], expected: usize) -> io::Result<()> {
        let mut w = Writer::new();
        w.object(|w| {
            w.member("resourceType", "Bundle");
            w.member("type", "transaction");
            w.key("entry");
            w.array(|w| {
                for example in examples {
                    w.object(|w| {
                        w.key("resource");
                        w.raw(&example.bytes);
                        w.key("request");
                        w.object(|w| {
                            w.member("method", "PUT");
                            w.member("url", &example.address);
                        });
                    });
                }
            });
        });
        let count =
            (examples.len() != expected).then(|| format!("{} examples where {expected} are known", examples.len()));
        self.check(&format!("{name}: number of examples"), count);
        let answer = self.ask("POST", "/fhir", &w.into_bytes()).await?;
        let refused =
            (answer.status != 200).then(|| String::from_utf8_lossy(&answer.body).chars().take(2000).collect());
        self.check(&format!("{name}: one transaction"), refused);
        let mut equal = 0;
        for example in examples {
            let answer = self.ask("GET", &format!("/fhir/{}", example.address), b"").await?;
            let sent = Tree::parse(example.bytes.clone()).map_err(io::Error::other)?;
            let problem = match Tree::parse(answer.body) {
                _ if answer.status != 200 => Some(format!("status {}", answer.status)),
                Ok(got) if content(got.root(), "") == content(sent.root(), "") => None,
                Ok(_) => Some("what comes back differs from what was sent".into()),
                Err(error) => Some(error.to_string()),
            };
            equal += usize::from(problem.is_none());
            self.check(&example.address, problem);
        }
        say(&format!("  {name}: {} loaded in one transaction, {equal} read back equal", examples.len()));
        Ok(())
    }
}

/// Every string below a JSON value at a path of member names; arrays are walked through.
fn texts<'a>(json: &'a Json, path: &[&str]) -> Vec<&'a str> {
    match (json, path) {
        (Json::Array(items), _) => items.iter().flat_map(|item| texts(item, path)).collect(),
        (Json::String(text), []) => vec![text],
        (Json::Object(members), [first, rest @ ..]) => members.get(*first).map_or(Vec::new(), |v| texts(v, rest)),
        _ => Vec::new(),
    }
}

fn select(examples: &[Example], kind: &str, keep: impl Fn(&Json) -> bool) -> BTreeSet<String> {
    let prefix = format!("{kind}/");
    let of_kind = examples.iter().filter(|e| e.address.starts_with(&prefix));
    of_kind.filter(|e| keep(&e.json)).map(|e| e.address.clone()).collect()
}

fn refers(json: &Json, path: &[&str], target: &str) -> bool {
    texts(json, &[path, &["reference"]].concat()).contains(&target)
}

/// Whether `[start, end]` of a period (or a single time) overlaps the day range `[from, to]`, by
/// comparing the first ten characters: enough for the examples, whose times have no odd offsets.
fn overlaps(json: &Json, element: &str, from: &str, to: &str) -> bool {
    let day = |path: &str| json.pointer(path).and_then(Json::as_str).and_then(|t| t.get(..10)).map(str::to_owned);
    if let Some(at) = day(&format!("/{element}DateTime")) {
        return at.as_str() >= from && at.as_str() <= to;
    }
    let period = if json.get("period").is_some() { "/period".into() } else { format!("/{element}Period") };
    let Some(start) = day(&format!("{period}/start")) else { return false };
    let end = day(&format!("{period}/end")).unwrap_or_else(|| "9999-12-31".into());
    start.as_str() <= to && end.as_str() >= from
}

async fn pfe(server: &mut Server, examples: &[Example]) -> io::Result<()> {
    let patient = "Patient/PFEIG-patientBSJ1";
    let of_patient = |json: &Json| refers(json, &["subject"], patient);
    let category = |json: &Json, code: &str| texts(json, &["category", "coding", "code"]).contains(&code);
    let code = |json: &Json, code: &str| texts(json, &["code", "coding", "code"]).contains(&code);

    for name in ["survey", "functional-status", "cognitive-status", "d4", "b1"] {
        let expected = select(examples, "Observation", |j| of_patient(j) && category(j, name));
        server.found(&format!("Observation?patient={patient}&category={name}"), &expected).await?;
    }
    let icf = select(examples, "Observation", |j| {
        of_patient(j)
            && texts(j, &["category", "coding", "system"]).contains(&"http://hl7.org/fhir/sid/icf")
            && category(j, "d4")
    });
    server.found(&format!("Observation?patient={patient}&category=http://hl7.org/fhir/sid/icf|d4"), &icf).await?;
    for panel in ["52491-8", "54635-8", "88331-4", "83233-7"] {
        let expected = select(examples, "Observation", |j| of_patient(j) && code(j, panel));
        server.found(&format!("Observation?patient={patient}&code={panel}"), &expected).await?;
    }
    let (mut first, mut last) = ("9999".to_owned(), String::new());
    let surveys = |e: &&Example| e.address.starts_with("Observation/") && category(&e.json, "survey");
    for example in examples.iter().filter(surveys) {
        for at in texts(&example.json, &["effectiveDateTime"]) {
            first = first.min(at.get(..10).unwrap_or(at).to_owned());
            last = last.max(at.get(..10).unwrap_or(at).to_owned());
        }
    }
    for (from, to) in [(first.clone(), first.clone()), (first.clone(), last.clone()), (last.clone(), last)] {
        let expected = select(examples, "Observation", |j| {
            of_patient(j) && category(j, "survey") && overlaps(j, "effective", &from, &to)
        });
        let query = format!("Observation?patient={patient}&category=survey&date=ge{from}&date=le{to}");
        server.found(&query, &expected).await?;
    }
    panels(server, examples).await
}

/// Every panel with its members, by `_include`, and every member's panels, by `_revinclude`.
async fn panels(server: &mut Server, examples: &[Example]) -> io::Result<()> {
    let known: BTreeSet<&str> = examples.iter().map(|e| e.address.as_str()).collect();
    let mut panels = 0;
    for example in examples {
        let members: BTreeSet<String> =
            texts(&example.json, &["hasMember", "reference"]).into_iter().map(str::to_owned).collect();
        let Some((_, id)) = example.address.split_once('/').filter(|_| !members.is_empty()) else { continue };
        let expected: BTreeSet<String> = members.into_iter().filter(|m| known.contains(m.as_str())).collect();
        let (matches, included, _) =
            server.search(&format!("Observation?_id={id}&_include=Observation:has-member")).await?;
        let right = matches.len() == 1 && included == expected;
        server
            .check(&format!("members of {id}"), (!right).then(|| format!("{included:?} where {expected:?} is right")));
        panels += 1;
        let Some(member) = expected.first().and_then(|m| m.split_once('/')) else { continue };
        let (_, referring, _) =
            server.search(&format!("Observation?_id={}&_revinclude=Observation:has-member", member.1)).await?;
        let address = format!("Observation/{}", member.1);
        let expected = select(examples, "Observation", |j| refers(j, &["hasMember"], &address));
        server.check(&format!("panels of {}", member.1), (referring != expected).then(|| format!("{referring:?}")));
    }
    say(&format!("  {panels} panels with exactly their members"));
    server.check("panels", (panels == 0).then(|| "none found".into()));
    Ok(())
}

async fn rt(server: &mut Server, examples: &[Example]) -> io::Result<()> {
    let roots: BTreeSet<String> = examples
        .iter()
        .flat_map(|e| texts(&e.json, &["partOf", "reference"]))
        .filter(|r| r.starts_with("Encounter/"))
        .map(str::to_owned)
        .collect();
    server.check("root encounters", (roots.len() != 2).then(|| format!("{roots:?}")));
    for root in &roots {
        let part_of = |j: &Json| refers(j, &["partOf"], root);
        server.found(&format!("Encounter?part-of={root}"), &select(examples, "Encounter", part_of)).await?;
        for (from, to) in [("2021-03-01", "2021-03-11"), ("2021-03-12", "2021-04-07"), ("2021-04-08", "2021-08-24")] {
            let expected = select(examples, "Encounter", |j| part_of(j) && overlaps(j, "effective", from, to));
            if !expected.is_empty() {
                server.found(&format!("Encounter?part-of={root}&date=ge{from}&date=le{to}"), &expected).await?;
            }
        }
        let observations = select(examples, "Observation", |j| refers(j, &["encounter"], root));
        server.found(&format!("Observation?encounter={root}&_count=50"), &observations).await?;
    }
    let extension = ["basedOn", "extension", "valueReference"];
    let impressions: BTreeSet<String> = examples
        .iter()
        .flat_map(|e| texts(&e.json, &[&extension[..], &["reference"]].concat()))
        .map(str::to_owned)
        .collect();
    server.check("impressions", impressions.is_empty().then(|| "none found".into()));
    for impression in &impressions {
        let expected = select(examples, "Encounter", |j| refers(j, &extension, impression));
        server.found(&format!("Encounter?based-on={impression}"), &expected).await?;
        let expected =
            select(examples, "Encounter", |j| refers(j, &["basedOn"], impression) || refers(j, &extension, impression));
        let (matches, included, _) =
            server.search(&format!("Encounter?based-on={impression}&_include=Encounter:based-on")).await?;
        let right = matches == expected && included.contains(impression);
        server.check(&format!("include of {impression}"), (!right).then(|| format!("{matches:?} {included:?}")));
    }
    let episodes: BTreeSet<String> =
        examples.iter().flat_map(|e| texts(&e.json, &["episodeOfCare", "reference"])).map(str::to_owned).collect();
    for episode in &episodes {
        let expected = select(examples, "Encounter", |j| refers(j, &["episodeOfCare"], episode));
        server.found(&format!("Encounter?episode-of-care={episode}"), &expected).await?;
    }
    let patient = "Patient/RT-Patient-BSJ";
    let expected = select(examples, "Encounter", |j| refers(j, &["subject"], patient));
    server.found(&format!("Encounter?patient={patient}"), &expected).await?;
    let expected = select(examples, "Encounter", |j| {
        refers(j, &["subject"], patient) && overlaps(j, "", "2021-04-01", "2021-04-30")
    });
    server.found(&format!("Encounter?patient={patient}&date=ge2021-04-01&date=le2021-04-30"), &expected).await?;
    panels(server, examples).await
}

async fn run(arguments: &Arguments) -> io::Result<(u32, u32)> {
    let directory = tempfile::tempdir()?;
    let subject = Subject::start(&arguments.handrail, directory.path()).await?;
    let client = subject.register("system/*.cruds")?;
    let token = subject.token(&client)?;
    let mut server = Server { subject, token, failures: 0, checks: 0 };
    let pfe_examples = examples(&arguments.packages.join("hl7.fhir.us.pacio-pfe-2.0.0.tgz"))?;
    server.load("PFE 2.0.0", &pfe_examples, 173).await?;
    pfe(&mut server, &pfe_examples).await?;
    let rt_examples = examples(&arguments.packages.join("hl7.fhir.us.pacio-rt-1.0.0.tgz"))?;
    server.load("RT 1.0.0", &rt_examples, 335).await?;
    rt(&mut server, &rt_examples).await?;
    Ok((server.checks - server.failures, server.failures))
}

fn main() -> ExitCode {
    live::ended("guides", all(&Arguments::parse()))
}

fn all(arguments: &Arguments) -> io::Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (passed, failed) = runtime.block_on(run(arguments))?;
    say(&format!("examples: {passed} passed, {failed} failed"));
    Ok(failed == 0)
}
