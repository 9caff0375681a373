//! Validation against base R4 and profiles (rows F51, F57, F67): any resource is judged within its limits,
//! the same each time, at places inside it; what base R4 refuses, profiles refuse too; XML and JSON of one
//! resource are judged alike.

use crate::{choices::Choices, mutate, samples};
use fhir::{
    issue::{Issue, Severity},
    json::Tree,
    schema, xml,
};
use validation::{Options, limits, r4};

/// Profiles that are asked for besides those that a resource claims.
const PROFILES: [&str; 12] = [
    "http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/pfe-observation-single",
    "http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/pfe-collection",
    "http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/pfe-goal",
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|6.1.0",
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|3.1.1",
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-blood-pressure",
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-questionnaireresponse",
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-condition-problems-health-concerns",
    "http://hl7.org/fhir/StructureDefinition/vitalsigns",
    "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
    "http://hl7.org/fhir/us/pacio-rt/StructureDefinition/rt-encounter",
    "http://example.org/not-loaded",
];

/// JSON as it stands; or, from another first byte, a sample with changes.
pub fn profile(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let (body, profiles) = if bytes.first() == Some(&b'{') {
        (bytes.to_vec(), vec![PROFILES[bytes.len() % PROFILES.len()]])
    } else {
        let samples = samples::of_profiles();
        let (sample, wanted) = (choices.below(samples.len()), choices.below(3));
        let profiles = (0..wanted).map(|_| choices.one(&PROFILES)).collect();
        (mutate::mutated(&samples[sample], &mut choices), profiles)
    };
    let Ok(tree) = Tree::parse(body) else { return };
    let options = Options { profiles: &profiles, ..Options::default() };
    let judged = judge(&tree, &options);
    assert_eq!(judge(&tree, &options), judged, "judged twice");
    let root = tree.resource_type();
    for issue in &judged {
        let (line, column) = issue.position.expect("a place");
        let length = tree.bytes().len();
        assert!(line as usize <= length + 1 && column as usize <= length + 1, "{line}:{column} of {length}");
        let begins = |at: &String| root.as_deref().is_none_or(|root| at.split(['.', '[']).next() == Some(root));
        assert!(issue.expression.as_ref().is_none_or(begins), "{:?} of {root:?}", issue.expression);
    }
    if r4().validate(tree.clone(), None).is_err() {
        assert!(judged.iter().any(|issue| issue.severity >= Severity::Error), "base R4 refuses it");
    }
    // By way of XML: the same resource, judged alike but for its places.
    if let Ok(written) = xml::write(&tree, schema::r4())
        && let Ok(from_xml) = xml::read(written, schema::r4())
    {
        let as_json = Tree::parse(from_xml.bytes().clone()).expect("what is made of XML is JSON");
        let without_places = |mut issues: Vec<Issue>| {
            issues.iter_mut().for_each(|issue| issue.position = None);
            issues
        };
        assert_eq!(without_places(judge(&from_xml, &options)), without_places(judge(&as_json, &options)));
    }
}

fn judge(tree: &Tree, options: &Options<'_>) -> Vec<Issue> {
    let issues = match r4().validate_with(tree.clone(), None, options) {
        Ok((_, warnings)) => warnings,
        Err(invalid) => {
            assert!(invalid.issues.iter().any(|issue| issue.severity >= Severity::Error), "refused for a reason");
            invalid.issues
        }
    };
    assert!(issues.len() <= limits::ISSUES_MAX + 1, "{} issues", issues.len());
    issues
}
