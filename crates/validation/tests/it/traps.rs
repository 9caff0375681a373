//! Where the guides contradict themselves or lay traps: each as docs/profiles.md reads it, with the real
//! profiles of the compiled-in packages.

use crate::made::{Known, only};
use fhir::issue::IssueType::{CodeInvalid, Extension, NotFound, Required, Structure, Value};
use fhir::issue::Severity::{Error, Information, Warning};
use fhir::issue::{Issue, Severity};
use fhir::json::Tree;
use validation::Options;

const PFE: &str = "http://hl7.org/fhir/us/pacio-pfe/StructureDefinition";
const US_CORE: &str = "http://hl7.org/fhir/us/core/StructureDefinition";
const RT: &str = "http://hl7.org/fhir/us/pacio-rt/StructureDefinition";

const FUNCTIONAL: &str = r#"{"coding": [{"system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-category", "code": "functional-status"}]}"#;
const SURVEY: &str =
    r#"{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "survey"}]}"#;

fn domain(code: &str) -> String {
    format!(r#"{{"coding": [{{"system": "http://hl7.org/fhir/sid/icf", "code": "{code}"}}]}}"#)
}

/// An Observation that claims a profile of PFE; `members` come last.
fn observation(profile: &str, categories: &[&str], members: &str) -> String {
    format!(
        r#"{{"resourceType": "Observation", "meta": {{"profile": ["{PFE}/{profile}"]}}, "status": "final",
        "category": [{}], "code": {{"coding": [{{"system": "http://loinc.org", "code": "95019-8"}}]}},
        "subject": {{"reference": "Patient/betsy"}}, "performer": [{{"reference": "PractitionerRole/pt"}}], {members}}}"#,
        categories.join(", ")
    )
}

fn single(members: &str) -> String {
    let members = format!(r#""effectiveDateTime": "2024-05-01T10:30:00-05:00", {members}"#);
    observation("pfe-observation-single", &[FUNCTIONAL, &domain("d4"), SURVEY], &members)
}

fn found(text: &str, options: &Options<'_>) -> Vec<Issue> {
    let tree = Tree::parse(text.to_owned()).unwrap_or_else(|error| panic!("{error:?} in {text}"));
    let issues = match validation::r4().validate_with(tree, None, options) {
        Ok((_, issues)) => issues,
        Err(invalid) => invalid.issues,
    };
    // What is not loaded is said, and is not what these tests are about.
    let quiet = ["dom-6", "is preferred", "cannot be checked"];
    issues.into_iter().filter(|issue| !quiet.iter().any(|words| issue.diagnostics.contains(words))).collect()
}

fn issues(text: &str) -> Vec<Issue> {
    found(text, &Options::default())
}

fn worst(text: &str) -> Option<Severity> {
    issues(text).iter().map(|issue| issue.severity).max()
}

#[test]
fn event_location_is_fixed_to_the_url_of_r4_core() {
    let located = |url: &str| {
        single(&format!(
            r#""extension": [{{"url": "{url}", "valueReference": {{"reference": "Location/snf"}}}}], "valueString": "x""#
        ))
    };
    assert_eq!(issues(&located("http://hl7.org/fhir/StructureDefinition/event-location")), []);
    // The canonical of PFE's own definition is the same extension, with a warning.
    let url = format!("{PFE}/event-location");
    only(&issues(&located(&url)), (Warning, "Observation.extension[0].url", Extension, "fixes the URL"), "PFE's URL");
    // Both are held to PFE's definition by the slice.
    for url in ["http://hl7.org/fhir/StructureDefinition/event-location", &*url] {
        let text = located(url).replace("Location/snf", "Organization/snf");
        assert!(
            issues(&text)
                .iter()
                .any(|one| one.severity == Error && one.diagnostics.contains("found one to Organization")),
            "{url}"
        );
    }
}

#[test]
fn categories_are_told_apart_by_required_codes_alone() {
    assert_eq!(issues(&single(r#""valueString": "x""#)), []);
    let of = |categories: &[&str]| {
        issues(&observation(
            "pfe-observation-single",
            categories,
            r#""effectiveDateTime": "2024-05-01", "valueString": "x""#,
        ))
    };
    let place = "Observation.category";
    only(&of(&[FUNCTIONAL, &domain("b1")]), (Error, place, Required, "category:survey has 0"), "no survey");
    only(&of(&[SURVEY, &domain("b1")]), (Error, place, Required, "category:us-core has 0"), "no us-core");
    only(&of(&[FUNCTIONAL, SURVEY, SURVEY]), (Error, place, Structure, "category:survey has 2"), "two");
    // The word "functioning" of the pages was taken out of the code system: it counts for nothing.
    let stale = FUNCTIONAL.replace("functional-status", "functioning");
    let found = of(&[&stale, SURVEY]);
    assert!(found.iter().any(|one| one.severity == Error && one.diagnostics.contains("category:us-core has 0")));
    // Systems of earlier drafts, which clients still send.
    let draft = SURVEY.replace(
        "http://terminology.hl7.org/CodeSystem/observation-category",
        "http://hl7.org/fhir/us/pacio-pfe/CodeSystem/pfe-survey-category-cs",
    );
    assert!(of(&[FUNCTIONAL, &draft]).iter().any(|one| one.diagnostics.contains("category:survey has 0")));
}

#[test]
fn icf_need_not_be_loaded_for_a_domain() {
    for code in ["b1", "b2", "d4", "d5", "s7", "e1"] {
        let text = observation(
            "pfe-observation-single",
            &[FUNCTIONAL, &domain(code), SURVEY],
            r#""effectiveDateTime": "2024", "valueString": "x""#,
        );
        assert_eq!(issues(&text), [], "{code}");
    }
}

#[test]
fn collections_of_collections_are_what_the_guide_shows() {
    let member = |profile: &str| {
        observation(
            profile,
            &[FUNCTIONAL, SURVEY],
            r#""id": "m", "effectiveDateTime": "2024", "hasMember": [{"reference": "Observation/q"}]"#,
        )
    };
    let collection = observation(
        "pfe-collection",
        &[FUNCTIONAL, SURVEY],
        r#""effectivePeriod": {"start": "2024"}, "hasMember": [{"reference": "Observation/m"}]"#,
    );
    let known = Known(vec![("Observation/m", member("pfe-collection"))]);
    assert_eq!(found(&collection, &Options { resolver: Some(&known), ..Options::default() }), []);
    // Another kind of Observation is none.
    let other = member("pfe-observation-clinicaltest").replace(FUNCTIONAL, SURVEY);
    let known = Known(vec![("Observation/m", other)]);
    let wrong = found(&collection, &Options { resolver: Some(&known), ..Options::default() });
    only(&wrong, (Error, "Observation.hasMember[0]", Value, "pfe-observation-single"), "clinical test");
    let valued = collection.replace("\"hasMember\"", "\"valueString\": \"x\", \"hasMember\"");
    only(&issues(&valued), (Error, "Observation.value", Structure, "not allowed"), "value");
}

#[test]
fn times_and_performers_are_narrower_than_us_core() {
    let period = single(r#""valueString": "x""#)
        .replace(r#""effectiveDateTime": "2024-05-01T10:30:00-05:00""#, r#""effectivePeriod": {"start": "2024"}"#);
    only(&issues(&period), (Error, "Observation.effective", Structure, "expected dateTime, found Period"), "single");
    // What a patient or a caregiver reports is no PFE Observation; US Core takes it.
    let own = single(r#""valueString": "x""#).replace("PractitionerRole/pt", "Patient/betsy");
    only(&issues(&own), (Error, "Observation.performer[0]", Value, "found one to Patient"), "patient");
    let simple =
        own.replace(&format!("{PFE}/pfe-observation-single"), &format!("{US_CORE}/us-core-simple-observation"));
    assert_eq!(issues(&simple), []);
}

#[test]
fn an_observation_without_value_is_told_by_the_pages_alone() {
    // The pages ask for a dataAbsentReason; no rule of the profile does.
    assert_eq!(issues(&single(r#""note": [{"text": "refused"}]"#)), []);
    // The clinical test inherits the rule of US Core (us-core-2).
    let test = observation(
        "pfe-observation-clinicaltest",
        &[
            r#"{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "therapy"}]}"#,
            FUNCTIONAL,
        ],
        r#""effectiveDateTime": "2024-05-01""#,
    );
    assert!(
        issues(&test).iter().any(|one| one.severity == Error && one.diagnostics.contains("us-core-2")),
        "{:#?}",
        issues(&test)
    );
}

#[test]
fn a_nutrition_order_without_food_is_a_warning() {
    let order = |members: &str| {
        format!(
            r#"{{"resourceType": "NutritionOrder", "meta": {{"profile": ["{PFE}/pfe-nutrition-order"]}}, "status": "active",
            "intent": "order", "patient": {{"reference": "Patient/betsy"}}, "dateTime": "2024-05-01" {members}}}"#
        )
    };
    let allergy = r#", "allergyIntolerance": [{"reference": "AllergyIntolerance/none"}]"#;
    only(&issues(&order(allergy)), (Warning, "NutritionOrder", fhir::issue::IssueType::Invariant, "nor-1"), "no diet");
    let diet = r#", "oralDiet": {"type": [{"text": "soft"}]}"#;
    assert_eq!(issues(&order(&format!("{allergy}{diet}"))), []);
    only(&issues(&order(diet)), (Error, "NutritionOrder", Required, "allergyIntolerance is missing"), "allergies");
}

fn timepoint(members: &str) -> String {
    format!(
        r#"{{"resourceType": "Encounter", "meta": {{"profile": ["{RT}/reassessment-timepoints-encounter"]}},
        "identifier": [{{"system": "urn:ietf:rfc:3986", "value": "urn:uuid:6e1b1c0e-7c0a-4d6c-8a59-3d6a2f0f8d11"}}],
        "status": "finished", "class": {{"system": "http://hl7.org/fhir/us/pacio-rt/CodeSystem/timepoint-class-cs", "code": "SNF"}},
        "type": [{{"coding": [{{"system": "http://hl7.org/fhir/us/pacio-rt/CodeSystem/timepoint-entity-cs", "code": "payer"}}]}}],
        "serviceType": {{"coding": [{{"system": "http://hl7.org/fhir/us/pacio-rt/CodeSystem/timepoint-service-type-cs", "code": "mds"}}]}},
        "subject": {{"reference": "Patient/betsy"}}, "participant": [{{"individual": {{"reference": "Practitioner/nurse"}}}}],
        "period": {{"start": "2024-05-01"}}, "reasonCode": [{{"text": "stroke"}}],
        "location": [{{"location": {{"reference": "Location/snf"}}}}], "serviceProvider": {{"reference": "Organization/snf"}},
        "partOf": {{"reference": "Encounter/stay"}}{members}}}"#
    )
}

#[test]
fn a_timepoint_stands_on_us_core_3_1_1() {
    let based = r#", "basedOn": [{"extension": [{"url": "http://hl7.org/fhir/us/pacio-rt/StructureDefinition/clinicalImpression", "valueReference": {"reference": "ClinicalImpression/1"}}]}]"#;
    assert_eq!(issues(&timepoint("")), []);
    // A Reference that holds nothing but the extension.
    assert_eq!(issues(&timepoint(based)), []);
    let text = timepoint(&based.replace("ClinicalImpression/1", "Observation/1"));
    assert!(
        issues(&text).iter().any(|one| one.severity == Error && one.diagnostics.contains("found one to Observation"))
    );
    // us-core-condition is a profile of 3.1.1 alone; 3.1.1 takes a Practitioner, 6.1.0 would take a role.
    assert_eq!(issues(&timepoint(r#", "reasonReference": [{"reference": "Condition/1"}]"#)), []);
    let role = timepoint("").replace("Practitioner/nurse", "PractitionerRole/nurse");
    only(
        &issues(&role),
        (Error, "Encounter.participant[0].individual", Value, "found one to PractitionerRole"),
        "role",
    );
    // The statuses of mistakes are forbidden.
    let mistake = timepoint("").replace("finished", "entered-in-error");
    only(&issues(&mistake), (Error, "Encounter.status", CodeInvalid, "timepoint-status-vs"), "status");
    let nothing = timepoint("")
        .replace(r#""type": [{"#, r#""length": {"value": 1}, "type": [{"#)
        .replace("\"code\": \"payer\"", "\"code\": \"nobody\"");
    assert_eq!(worst(&nothing), Some(Warning));
}

#[test]
fn the_questionnaires_that_the_guide_names_are_not_shipped() {
    let text = format!(
        r#"{{"resourceType": "QuestionnaireResponse", "meta": {{"profile": ["{US_CORE}/us-core-questionnaireresponse"]}},
        "questionnaire": "http://example.org/Questionnaire/MDS3.0-NC-1.17", "status": "completed",
        "subject": {{"reference": "Patient/betsy"}}, "authored": "2024-05-01", "item": [{{"linkId": "/52731-7", "answer": [{{"valueString": "x"}}]}}]}}"#
    );
    only(&issues(&text), (Warning, "QuestionnaireResponse.questionnaire", NotFound, "not to be had"), "MDS");
}

#[test]
fn a_unit_that_a_profile_fixes_goes_before_a_binding_that_lacks_it() {
    let saturation = |unit: &str| {
        format!(
            r#"{{"resourceType": "Observation", "meta": {{"profile": ["{US_CORE}/us-core-pulse-oximetry|3.1.1"]}}, "status": "final",
            "category": [{{"coding": [{{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}}]}}],
            "code": {{"coding": [{{"system": "http://loinc.org", "code": "59408-5"}}, {{"system": "http://loinc.org", "code": "2708-6"}}]}},
            "subject": {{"reference": "Patient/betsy"}}, "effectiveDateTime": "2024-05-01T10:30:00-05:00",
            "valueQuantity": {{"value": 95, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}},
            "component": [{{"code": {{"coding": [{{"system": "http://loinc.org", "code": "3151-8"}}]}},
              "valueQuantity": {{"value": 6, "unit": "l/min", "system": "http://unitsofmeasure.org", "code": "{unit}"}}}}]}}"#
        )
    };
    assert!(worst(&saturation("L/min")) <= Some(Warning), "{:#?}", issues(&saturation("L/min")));
    assert_eq!(worst(&saturation("mL/min")), Some(Error));
}

#[test]
fn extensions_bound_to_what_is_not_shipped() {
    let text = format!(
        r#"{{"resourceType": "DiagnosticReport", "meta": {{"profile": ["{PFE}/pfe-narrative-history-of-status"]}}, "status": "final",
        "extension": [{{"url": "{PFE}/assistance-required", "valueCodeableConcept": {{"coding": [{{"system": "http://loinc.org", "code": "LA11539-6"}}]}}}}],
        "category": [{FUNCTIONAL}], "code": {{"text": "x"}}, "subject": {{"reference": "Patient/betsy"}}, "effectiveDateTime": "2024-05-01",
        "performer": [{{"reference": "PractitionerRole/pt"}}], "presentedForm": [{{"contentType": "text/plain", "data": "eA=="}}]}}"#
    );
    let tree = Tree::parse(text).unwrap();
    let issues = match validation::r4().validate_with(tree, None, &Options::default()) {
        Ok((_, issues)) => issues,
        Err(invalid) => invalid.issues,
    };
    let about = issues.iter().find(|one| one.diagnostics.contains("LL4309-2"));
    assert_eq!(about.map(|one| one.severity), Some(Information), "{issues:#?}");
}
