//! The engines alone, in this process, through the public functions of their crates: validation against a
//! profile, a FHIRPath expression, an expansion, subsumption. No socket and no store; one core.
//!
//! Each figure is that of the best of several turns: whatever else the machine does can only slow it down.
//! Answers are checked in every turn. With `--work` the inputs are written to files, for `cargo xtask peers`.

use crate::report::Row;
use bytes::Bytes;
use fhir::{
    element::Element,
    issue::Severity,
    json::{Tree, Writer},
    schema,
};
use fhirpath::{Context, Expression, evaluate};
use live::data;
use std::{
    fs, hint,
    io::{self, Read},
    path::Path,
    time::{Duration, Instant},
};
use terminology::{Coding, ExpandOptions, workload};
use validation::{Options, Validator};

/// Turns of a row, and how long each is.
const TURNS: usize = 5;
const TURN: Duration = Duration::from_millis(600);

/// Resources of the Bundle: as many as PFE 2.0.0 has examples.
const BUNDLE: usize = 173;

/// Questions between two looks at the clock.
const ASKED: u32 = 256;

/// Codes of the value set that is expanded.
const EXPANDED: usize = 10_000;

/// Concepts of the hierarchy, about those of SNOMED CT that are active.
const CONCEPTS: u32 = 350_000;

/// The profile of the one Observation.
const SINGLE: &str = "http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/pfe-observation-single";

/// The Patient of the Bundle that the bench makes.
const PATIENT: &str = r#"{"resourceType":"Patient","id":"bench-p1","meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|6.1.0"]},"identifier":[{"system":"https://bench.example/patients","value":"1"}],"name":[{"family":"Probe","given":["Ada"]}],"gender":"female"}"#;

/// The expression over the Bundle.
const EXPRESSION: &str = "Bundle.entry.resource.ofType(Observation)\
.where(code.coding.exists(system = 'http://loinc.org') and effective.exists()).subject.reference.distinct()";

const PFE: &str = "hl7.fhir.us.pacio-pfe#2.0.0";

/// How often a second `work` is done, at best. It gives how much it did, or what went wrong.
fn best(mut work: impl FnMut() -> Result<u32, String>) -> io::Result<f64> {
    let mut best = 0f64;
    for _ in 0..TURNS {
        let (begin, mut done) = (Instant::now(), 0u64);
        while begin.elapsed() < TURN {
            done += u64::from(work().map_err(io::Error::other)?);
        }
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        let rate = done as f64 / begin.elapsed().as_secs_f64();
        best = best.max(rate);
    }
    Ok(best)
}

/// Number of errors of a validation, parsing included.
fn errors(validator: &Validator<'_>, body: &Bytes) -> Result<usize, String> {
    let tree = Tree::parse(body.clone()).map_err(|error| error.to_string())?;
    let options = Options { package: PFE, ..Options::default() };
    match validator.validate_with(tree, None, &options) {
        Ok(_) => Ok(0),
        Err(invalid) => Ok(invalid.issues.iter().filter(|issue| issue.severity >= Severity::Error).count()),
    }
}

/// An Observation of 1.5 KB, with narrative, that claims its profile.
pub(crate) fn single() -> Vec<u8> {
    claiming(&data::loaded(1, 0, 1))
}

/// An Observation of the load that claims its profile.
pub(crate) fn claiming(observation: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(observation);
    let type_and_claim = format!(r#""resourceType":"Observation","meta":{{"profile":["{SINGLE}"]}},"#);
    text.replacen(r#""resourceType":"Observation","#, &type_and_claim, 1).into_bytes()
}

/// A Bundle of resources under example URLs.
fn collection(resources: &[Vec<u8>]) -> io::Result<Vec<u8>> {
    let mut w = Writer::new();
    let mut fault = None;
    w.object(|w| {
        w.member("resourceType", "Bundle");
        w.member("type", "collection");
        w.key("entry");
        w.array(|w| {
            for resource in resources {
                let Ok(tree) = Tree::parse(resource.clone()) else {
                    fault = Some("an example is not JSON");
                    return;
                };
                let id = tree.root().get("id").and_then(fhir::json::Value::as_str).unwrap_or_default();
                let kind = tree.resource_type().unwrap_or_default();
                w.object(|w| {
                    w.member("fullUrl", &format!("http://example.org/fhir/{kind}/{id}"));
                    w.key("resource");
                    w.raw(tree.root().raw().as_bytes());
                });
            }
        });
    });
    fault.map_or_else(|| Ok(w.into_bytes()), |fault| Err(io::Error::other(fault)))
}

/// The examples of PFE in one Bundle.
fn examples(guides: &Path) -> io::Result<Vec<u8>> {
    let package = guides.join("packages/hl7.fhir.us.pacio-pfe-2.0.0.tgz");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(fs::File::open(package)?));
    let mut all = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if path.starts_with("package/example") && path.extension().is_some_and(|kind| kind == "json") {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            if Tree::parse(bytes.clone()).is_ok_and(|tree| tree.resource_type().is_some()) {
                all.push(bytes);
            }
        }
    }
    collection(&all)
}

/// A Bundle of the shape of PFE's examples, of our own making: mostly single Observations, collections of them,
/// and the Patient that all are about.
fn made_bundle() -> io::Result<Vec<u8>> {
    let collections = 11;
    let mut all = vec![PATIENT.as_bytes().to_vec()];
    for n in 0..BUNDLE - collections - 1 {
        let id = format!("single-{n}");
        all.push(claiming(&data::observation(1, data::code(n), n % data::DATES, Some(&id), n)));
    }
    for n in 0..collections {
        let members: Vec<String> =
            (0..7).map(|k| format!(r#"{{"reference":"Observation/single-{}"}}"#, n * 7 + k)).collect();
        let observation = data::observation(1, data::code(n), n, Some(&format!("collection-{n}")), 1000 + n);
        let text = String::from_utf8_lossy(&claiming(&observation)).replace("pfe-observation-single", "pfe-collection");
        // A collection has members where a single Observation has a value.
        let Some((head, _)) = text.split_once("\"valueCodeableConcept\"") else { continue };
        all.push(format!("{head}\"hasMember\":[{}]}}", members.join(",")).into_bytes());
    }
    collection(&all)
}

/// The rows. `guides`: a folder with `packages/`, whose PFE examples are used; `work`: where the inputs go.
pub(crate) fn rows(guides: Option<&Path>, work: Option<&Path>) -> io::Result<Vec<Row>> {
    let validator = validation::r4();
    let single = Bytes::from(single());
    let (bundle, whose) = match guides {
        Some(guides) => (examples(guides)?, "the PFE examples"),
        None => (made_bundle()?, "173 resources shaped like the PFE examples"),
    };
    let bundle = Bytes::from(bundle);
    if let Some(folder) = work {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("single.json"), &single)?;
        fs::write(folder.join("bundle.json"), &bundle)?;
        fs::write(folder.join("expression.txt"), EXPRESSION)?;
    }

    if errors(validator, &single).map_err(io::Error::other)? != 0 {
        return Err(io::Error::other("the Observation of the bench does not meet its profile"));
    }
    let rate = best(|| match errors(validator, &single)? {
        0 => Ok(1),
        other => Err(format!("{other} errors where there were none")),
    })?;
    let name = format!("validate a PFE single Observation against its profile, {} bytes", single.len());
    let bounds = (20_000.0, 60_000.0);
    let mut rows = vec![Row::figure(name, format!("{rate:.0}/s"), rate, "/s a core", bounds, false)];

    // The examples have faults of their own (`cargo xtask conformance`): as many each time.
    let faults = errors(validator, &bundle).map_err(io::Error::other)?;
    let tree = Tree::parse(bundle.clone()).map_err(io::Error::other)?;
    let entries = tree.root().get("entry").map_or(0, |entries| entries.items().count());
    let rate = best(|| match errors(validator, &bundle)? {
        found if found == faults => Ok(1),
        other => Err(format!("{other} errors where there were {faults}")),
    })?;
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    let resources = rate * entries as f64;
    let name = format!("validate {whose} in one Bundle, {} KB, {faults} errors", bundle.len() / 1024);
    rows.push(Row::told(name, format!("{resources:.0} resources/s"), rate, "Bundles/s"));

    let expression = Expression::parse(EXPRESSION).map_err(|error| io::Error::other(error.to_string()))?;
    let focus = Element::resource(&tree, schema::r4()).ok_or_else(|| io::Error::other("no Bundle"))?;
    let context = Context::default();
    let found = || evaluate(&expression, focus, &context).map(|all| all.len()).map_err(|error| error.to_string());
    let once = found().map_err(io::Error::other)?;
    let rate = best(|| match found()? {
        count if count == once && count > 0 => Ok(1),
        other => Err(format!("the expression gave {other} items")),
    })?;
    let name = format!("FHIRPath over that Bundle, compiled once: {once} of its subjects");
    rows.push(Row::told(name, format!("{:.1} µs", 1e6 / rate), rate, "/s a core"));
    rows.extend(terminology()?);
    Ok(rows)
}

fn built<E: std::fmt::Display>(error: E) -> io::Error {
    io::Error::other(error.to_string())
}

fn terminology() -> io::Result<Vec<Row>> {
    let begin = Instant::now();
    let deep = workload::hierarchy(CONCEPTS).map_err(built)?;
    let terminology = workload::terminology(deep);
    let build = begin.elapsed();
    let set = terminology.value_set(workload::TEN_THOUSAND, "").ok_or_else(|| built("no value set"))?;
    let mut bytes = 0;
    let rate = best(|| {
        let expansion = terminology.expand(&set, ExpandOptions::default()).map_err(|error| error.to_string())?;
        let mut w = Writer::with_capacity(1 << 20);
        expansion.write(&mut w, "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "2026-01-01T00:00:00Z");
        bytes = hint::black_box(w.into_bytes()).len();
        if expansion.total == EXPANDED { Ok(1) } else { Err(format!("{} codes", expansion.total)) }
    })?;
    let name = format!("$expand of {EXPANDED} codes, all on one page, written as {} KB", bytes / 1024);
    let mut rows = vec![Row::told(name, format!("{:.2} ms", 1e3 / rate), rate, "/s a core")];

    // Every second pair is one of a concept and one above it, by the way the hierarchy is made.
    let mut chance = workload::Chance(4);
    let pairs: Vec<(String, String, bool)> = (0..4096u32)
        .map(|at| {
            let one = chance.below(CONCEPTS);
            let above = (0..=at % 5).fold(one, |below, _| below.saturating_sub(1) / 3);
            let other = if at % 2 == 0 { above } else { chance.below(CONCEPTS) };
            (workload::code(one), workload::code(other), at % 2 == 0)
        })
        .collect();
    let mut at = 0;
    let rate = best(|| {
        for _ in 0..ASKED {
            let Some((one, top, must)) = pairs.get(at % pairs.len()) else { break };
            at += 1;
            let ask = |code| Coding { system: Some(workload::HIERARCHY), version: None, code, display: None };
            let answer = terminology.subsumes(ask(top), ask(one)).map_err(|error| error.to_string())?;
            if *must && !matches!(answer.code(), "subsumes" | "equivalent") {
                return Err(format!("{one} is below {top}, and was not found to be"));
            }
        }
        Ok(ASKED)
    })?;
    let name = format!("is-a of two codes among {CONCEPTS} concepts (made in {:.1} s)", build.as_secs_f64());
    rows.push(Row::told(name, format!("{:.2} µs", 1e6 / rate), rate, "/s a core"));
    Ok(rows)
}
