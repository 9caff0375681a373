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
const HELD: [&str; 3] = ["hl7.fhir.us.core#3.1.1", "hl7.fhir.us.core#6.1.0", "hl7.fhir.us.pacio-pfe#2.0.0"];

/// Differences that are the publisher's: package, last step of the profile's URL, element, reason.
const PUBLISHERS: [(&str, &str, &str, &str); 0] = [];

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
                if std::env::var_os("ORIENT").is_some() { found.iter().for_each(|one| eprintln!("      {}", one.text)); }
            }
        }
        known = known.with(vec![compile_with(package, &schema, &known, &mut constraints).tables]);
    }
    let listed = |one: &Difference| PUBLISHERS.iter().any(|(package, profile, element, _)| one.is(package, profile, element));
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
        self.package == package && self.profile == profile && self.element == element
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
    let [published, generated] = match both {
        [Ok(published), Ok(generated)] => [published, generated],
        [Err(fault), _] | [_, Err(fault)] => return (0, vec![difference("", fault.to_string())]),
    };
    let by_id = |lines: &[String]| -> BTreeMap<String, String> {
        let split = lines.iter().map(|line| line.split_once('\t').unwrap_or((line, "")));
        split.map(|(id, facts)| (id.to_owned(), facts.to_owned())).collect()
    };
    let (of_publisher, ours) = (by_id(&published), by_id(&generated));
    let mut differences = Vec::new();
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
