//! The guides' own examples validate against base R4.

use crate::definitions::package;
use fhir::{issue::Severity, json::Tree, schema};
use std::path::Path;

/// Faults of the examples themselves; each must still be there.
const KNOWN_FAULTS: [&str; 1] =
    // US Core 3.1.1: the hash has dots.
    [
        "DiagnosticReport-cardiology-report.json: DiagnosticReport.presentedForm[0].hash: base64Binary is base64 with padding",
    ];

/// Validates all examples of the guides.
pub(super) fn examples(directory: &Path) -> Result<String, String> {
    let (mut resources, mut faults) = (0usize, Vec::new());
    for guide in schema::packages().iter().skip(1) {
        let path = directory.join(format!("packages/{}-{}.tgz", guide.name, guide.version));
        for (name, body) in package::examples(&path)? {
            let tree = Tree::parse(body).map_err(|e| format!("{name}: {e}"))?;
            if tree.resource_type().is_none() {
                // A package's examples folder holds its index too.
                continue;
            }
            resources += 1;
            let Err(invalid) = ::validation::r4().validate(tree, None) else { continue };
            for issue in invalid.issues.iter().filter(|issue| issue.severity >= Severity::Error) {
                let place = issue.expression.as_deref().unwrap_or_default();
                faults.push(format!("{name}: {place}: {}", issue.diagnostics));
            }
        }
    }
    super::settled(resources, &format!("{resources} resources"), faults, &KNOWN_FAULTS)
}
