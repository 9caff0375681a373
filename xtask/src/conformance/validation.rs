//! The guides' own examples validate: against base R4, against the profiles that they claim, and those of PFE
//! and RT also in one Bundle each, where what they refer to must meet the profiles that they ask for.

use crate::definitions::package;
use fhir::issue::{Issue, Severity};
use fhir::json::{Tree, Writer};
use fhir::schema;
use std::path::Path;
use validation::Options;

/// Faults of the examples themselves, with the rule that each breaks; each must still be there.
const KNOWN_FAULTS: &[&str] = &[
    // US Core 3.1.1: the hash has dots (R4 base64Binary).
    "DiagnosticReport-cardiology-report.json: DiagnosticReport.presentedForm[0].hash: base64Binary is base64 with padding",
    // US Core: a fullUrl is the resource's own URL, and absolute (R4 Bundle.entry.fullUrl).
    "Bundle-66c8856b-ba11-4876-8aa8-467aad8c11a2.json: Bundle.entry[2].fullUrl: fullUrl agrees with the type and id of the resource; found others",
    "Bundle-uscore-mo3.json: Bundle.entry[1].fullUrl: fullUrl is absolute: a URL, urn:uuid: or urn:oid:",
    "Bundle-66c8856b-ba11-4876-8aa8-467aad8c11a2.json: Bundle.entry[2].fullUrl: fullUrl agrees with the type and id of the resource; found others",
    "Bundle-docref-example-2.json: Bundle.entry[2].fullUrl: fullUrl agrees with the type and id of the resource; found others",
    // PFE: US Core 6.1.0 asks for an identifier of a Practitioner; this one has none.
    "DiagnosticReport-PFEIG-DiagnosticReport.json among all: performer[0]: DiagnosticReport.performer: expected a reference to a Practitioner that meets http://hl7.org/fhir/us/core/StructureDefinition/us-core-practitioner; the one found does not: Practitioner.identifier is missing: expected at least 1",
    // RT: US Core 3.1.1 asks for an identifier of a Practitioner and for Organization.active; these have none.
    "Encounter-RT-HHA-Encounter-Re-Assessment-Timepoint-1.json among all: participant[0].individual: Encounter.participant.individual: expected a reference to a Practitioner that meets http://hl7.org/fhir/us/core/StructureDefinition/us-core-practitioner; the one found does not: Practitioner.identifier is missing: expected at least 1",
    "Encounter-RT-HHA-Encounter-Re-Assessment-Timepoint-1.json among all: participant[2].individual: Encounter.participant.individual: expected a reference to a Practitioner that meets http://hl7.org/fhir/us/core/StructureDefinition/us-core-practitioner; the one found does not: Practitioner.identifier is missing: expected at least 1",
    "Encounter-RT-HHA-Encounter-Re-Assessment-Timepoint-1.json among all: serviceProvider: Encounter.serviceProvider: expected a reference to a Organization that meets http://hl7.org/fhir/us/core/StructureDefinition/us-core-organization; the one found does not: Organization.active is missing: expected at least 1",
    "Encounter-RT-HHA-Encounter-Re-Assessment-Timepoint-2.json among all: participant[0].individual: Encounter.participant.individual: expected a reference to a Practitioner that meets http://hl7.org/fhir/us/core/StructureDefinition/us-core-practitioner; the one found does not: Practitioner.identifier is missing: expected at least 1",
    "Encounter-RT-HHA-Encounter-Re-Assessment-Timepoint-2.json among all: participant[2].individual: Encounter.participant.individual: expected a reference to a Practitioner that meets http://hl7.org/fhir/us/core/StructureDefinition/us-core-practitioner; the one found does not: Practitioner.identifier is missing: expected at least 1",
    "Encounter-RT-HHA-Encounter-Re-Assessment-Timepoint-2.json among all: serviceProvider: Encounter.serviceProvider: expected a reference to a Organization that meets http://hl7.org/fhir/us/core/StructureDefinition/us-core-organization; the one found does not: Organization.active is missing: expected at least 1",
    "Encounter-RT-HHA-Encounter-Re-Assessment-Timepoint-3.json among all: participant[0].individual: Encounter.participant.individual: expected a reference to a Practitioner that meets http://hl7.org/fhir/us/core/StructureDefinition/us-core-practitioner; the one found does not: Practitioner.identifier is missing: expected at least 1",
    "Encounter-RT-HHA-Encounter-Re-Assessment-Timepoint-3.json among all: participant[2].individual: Encounter.participant.individual: expected a reference to a Practitioner that meets http://hl7.org/fhir/us/core/StructureDefinition/us-core-practitioner; the one found does not: Practitioner.identifier is missing: expected at least 1",
    "Encounter-RT-HHA-Encounter-Re-Assessment-Timepoint-3.json among all: serviceProvider: Encounter.serviceProvider: expected a reference to a Organization that meets http://hl7.org/fhir/us/core/StructureDefinition/us-core-organization; the one found does not: Organization.active is missing: expected at least 1",
    "Encounter-RT-SNF-Encounter-Re-Assessment-Timepoint-1.json among all: serviceProvider: Encounter.serviceProvider: expected a reference to a Organization that meets http://hl7.org/fhir/us/core/StructureDefinition/us-core-organization; the one found does not: Organization.active is missing: expected at least 1",
    "Encounter-RT-SNF-Encounter-Re-Assessment-Timepoint-2.json among all: serviceProvider: Encounter.serviceProvider: expected a reference to a Organization that meets http://hl7.org/fhir/us/core/StructureDefinition/us-core-organization; the one found does not: Organization.active is missing: expected at least 1",
];

/// Guides whose examples are a world of their own: they are checked in one Bundle, too.
const WHOLE: &[&str] = &["hl7.fhir.us.pacio-pfe", "hl7.fhir.us.pacio-rt"];

/// Validates all examples of the guides.
pub(super) fn examples(directory: &Path) -> Result<String, String> {
    let (mut resources, mut faults) = (0usize, Vec::new());
    for guide in schema::packages().iter().skip(1) {
        let path = directory.join(format!("packages/{}-{}.tgz", guide.name, guide.version));
        let options = Options { package: guide.id, ..Options::default() };
        let mut whole = Writer::new();
        let mut names = Vec::new();
        let mut entries: Vec<(String, Tree)> = Vec::new();
        for (name, body) in package::examples(&path)? {
            let tree = Tree::parse(body).map_err(|e| format!("{name}: {e}"))?;
            let Some(kind) = tree.resource_type() else {
                // A package's examples folder holds its index too.
                continue;
            };
            resources += 1;
            let id = tree.root().get("id").and_then(fhir::json::Value::as_str).unwrap_or_default();
            let url = format!("http://example.org/fhir/{kind}/{id}");
            faults.extend(errors(&tree, &options).into_iter().map(|(place, why)| format!("{name}: {place}: {why}")));
            names.push(name);
            entries.push((url, tree));
        }
        if !WHOLE.contains(&guide.name) {
            continue;
        }
        whole.object(|w| {
            w.member("resourceType", "Bundle");
            w.member("type", "collection");
            w.key("entry");
            w.array(|w| {
                for (url, tree) in &entries {
                    w.object(|w| {
                        w.member("fullUrl", url);
                        w.key("resource");
                        w.raw(tree.root().raw().as_bytes());
                    });
                }
            });
        });
        let bundle = Tree::parse(whole.into_bytes()).map_err(|e| format!("{}: {e}", guide.name))?;
        for (place, why) in errors(&bundle, &options) {
            let entry = place.strip_prefix("Bundle.entry[").and_then(|rest| rest.split_once("].resource"));
            let entry = entry.and_then(|(index, rest)| Some((names.get(index.parse::<usize>().ok()?)?, rest)));
            let fault = match entry {
                Some((name, rest)) => format!("{name} among all: {}: {why}", rest.trim_start_matches('.')),
                None => format!("{} among all: {place}: {why}", guide.name),
            };
            faults.push(fault);
        }
    }
    super::settled(resources, &format!("{resources} resources"), faults, KNOWN_FAULTS)
}

/// The errors of a resource: their places and words, without the profile's name behind them.
fn errors(tree: &Tree, options: &Options<'_>) -> Vec<(String, String)> {
    let issues: Vec<Issue> = match ::validation::r4().validate_with(tree.clone(), None, options) {
        Ok((_, issues)) => issues,
        Err(invalid) => invalid.issues,
    };
    let errors = issues.into_iter().filter(|issue| issue.severity >= Severity::Error);
    let words = |issue: &Issue| issue.diagnostics.split(" (http").next().unwrap_or_default().to_owned();
    errors.map(|issue| (issue.expression.clone().unwrap_or_default(), words(&issue))).collect()
}
