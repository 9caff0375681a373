//! Our snapshots against the published ones: every profile that a package publishes with both forms,
//! on every fact that the tables have.
//!
//! Both are written as lines of the tables and compared line by line. A difference is the publisher's
//! fault, listed here with the reason, or ours. A listed one that is no longer there fails too.

use crate::definitions;
use ::definitions::{Constraints, Form, Package, compile_with, lines_of, with_both_forms};
use fhir::schema::{Definitions, Schema};
use std::{collections::BTreeMap, path::Path};

/// Packages whose snapshots must be equal. R4 core's are compared for orientation.
const HELD: [&str; 3] = [US_CORE_3, US_CORE_6, PFE];

/// Differences that are the publisher's: package, last step of the profile's URL, element (with all below
/// it and its slices; empty: the whole profile), reason.
const PUBLISHERS: [(&str, &str, &str, &str); 10] = [
    (US_CORE_3, "head-occipital-frontal-circumference-percentile", "Observation.value[x]", OPTIONAL_TYPE),
    (US_CORE_3, "pediatric-bmi-for-age", "Observation.value[x]", OPTIONAL_TYPE),
    (US_CORE_3, "pediatric-weight-for-height", "Observation.value[x]", OPTIONAL_TYPE),
    (US_CORE_3, "us-core-goal", "Goal.target.due[x]", OPTIONAL_TYPE),
    (US_CORE_3, "us-core-patient", "Patient.communication.language", MAXIMUM_SET),
    (US_CORE_3, "us-core-provenance", "Provenance.entity.agent", "refers to a slice, where R4 says Provenance.agent"),
    (US_CORE_6, "us-core-patient", "Patient.communication.language", MAXIMUM_SET),
    (US_CORE_6, "us-core-questionnaireresponse", "", "derives from a profile of SDC, a package that is not at hand"),
    (US_CORE_6, "us-core-vital-signs", "Observation.component.value[x]", "loosens a required binding of its base"),
    (PFE, "event-location", "Extension.id", "R4 says that Extension.id is a string; id is R5's"),
];

const US_CORE_3: &str = "hl7.fhir.us.core#3.1.1";
const US_CORE_6: &str = "hl7.fhir.us.core#6.1.0";
const PFE: &str = "hl7.fhir.us.pacio-pfe#2.0.0";

/// Publishers of 2019 and 2020 (R4 core's own vital signs as well) closed a choice at the mention of one
/// of its types; those of US Core 6.1.0 and PFE do so only when the type must be there, as we do.
const OPTIONAL_TYPE: &str = "closes the choice by the mention of one type that may be absent";

/// A new binding does not lift the maximum value set that the base has.
const MAXIMUM_SET: &str = "drops the maximum value set of R4's own binding";

/// Generates each snapshot and compares.
pub(super) fn equal(directory: &Path) -> Result<String, String> {
    let packages = definitions::read_packages(&directory.join("packages"))?;
    let core = packages.first().ok_or("no package")?;
    let mut constraints = Constraints::default();
    let (_, schema) = definitions::base_of(core, &mut constraints)?;
    let mut known = Definitions::empty();
    let (mut profiles, mut lines, mut core_differs) = (0, 0, 0);
    let mut differences = Vec::new();
    for package in &packages {
        let is_held = HELD.contains(&package.id().as_str());
        for url in with_both_forms(package) {
            let (seen, found) = compare(package, &url, &schema, &known);
            if is_held {
                (profiles, lines) = (profiles + 1, lines + seen);
                differences.extend(found);
            } else {
                core_differs += usize::from(!found.is_empty());
            }
        }
        known = known.with(vec![compile_with(package, &schema, &known, &mut constraints).tables]);
    }
    let listed =
        |one: &Difference| PUBLISHERS.iter().any(|(package, profile, element, _)| one.is(package, profile, element));
    let fresh: Vec<&str> = differences.iter().filter(|one| !listed(one)).map(|one| one.text.as_str()).collect();
    if !fresh.is_empty() {
        return Err(format!("{} of {lines} lines differ:\n  {}", fresh.len(), fresh.join("\n  ")));
    }
    for (package, profile, element, _) in &PUBLISHERS {
        if !differences.iter().any(|one| one.is(package, profile, element)) {
            return Err(format!("{package} {profile} {element} is listed as the publisher's fault, and is equal"));
        }
    }
    Ok(format!(
        "{profiles} profiles, {lines} lines equal but for {} of the publishers'; of R4 core's {core_differs} differ",
        PUBLISHERS.len()
    ))
}

struct Difference {
    package: String,
    profile: String,
    element: String,
    text: String,
}

impl Difference {
    fn is(&self, package: &str, profile: &str, element: &str) -> bool {
        let below = self.element.strip_prefix(element);
        let is_below = below.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ':']));
        self.package == package && self.profile == profile && is_below
    }
}

fn compare(package: &Package, url: &str, schema: &Schema, known: &Definitions) -> (usize, Vec<Difference>) {
    let profile = url.rsplit('/').next().unwrap_or(url);
    let difference = |element: &str, text: String| Difference {
        package: package.id(),
        profile: profile.to_owned(),
        element: element.to_owned(),
        text: format!("{} {profile} {text}", package.id()),
    };
    let both = [Form::Published, Form::Generated].map(|form| lines_of(package, url, form, schema, known));
    let [(published, _), (generated, loosened)] = match both {
        [Ok(published), Ok(generated)] => [published, generated],
        [Err(fault), _] | [_, Err(fault)] => return (0, vec![difference("", fault.to_string())]),
    };
    let by_id = |lines: &[String]| -> BTreeMap<String, String> {
        let split = lines.iter().map(|line| line.split_once('\t').unwrap_or((line, "")));
        split.map(|(id, facts)| (id.to_owned(), facts.to_owned())).collect()
    };
    let (of_publisher, ours) = (by_id(&published), by_id(&generated));
    let mut differences: Vec<Difference> =
        loosened.iter().map(|fault| difference(&fault.element, fault.to_string())).collect();
    for (id, facts) in &of_publisher {
        match ours.get(id) {
            None => differences.push(difference(id, format!("{id}\n    - {facts}"))),
            Some(own) if own != facts => differences.push(difference(id, format!("{id}\n    - {facts}\n    + {own}"))),
            Some(_) => {}
        }
    }
    for (id, own) in ours.iter().filter(|(id, _)| !of_publisher.contains_key(*id)) {
        differences.push(difference(id, format!("{id}\n    + {own}")));
    }
    if differences.is_empty() && published != generated {
        differences.push(difference("", "the order of the elements".to_owned()));
    }
    (published.len(), differences)
}
