//! What an operator's file says, and what is refused of it.

use super::*;

#[test]
fn the_standard_can_be_read() {
    let standard = Labels::standard();
    assert!(standard.enforced && standard.clearances.len() == 10 && standard.authorities.len() == 1);
    assert_eq!(Labels::read("# nothing\n\n").unwrap(), standard);
    assert_eq!(standard.default_of(ResourceType::parse("Patient").unwrap()), Confidentiality::Normal);
}

#[test]
fn every_line_that_cannot_be_read_is_named() {
    let wrong = [
        "clearance",
        "clearance nurse R",
        "clearance clinician",
        "clearance client",
        "clearance Organization/a/b R",
        "default X",
        "default Nothing N",
        "unrestricted |x",
        "unrestricted http://terminology.hl7.org/CodeSystem/v3-ActCode",
        "test-data maybe",
        "authority system",
        "label PSY",
        "label when type Observation",
        "label PSYCH when type Observation",
        "label REDACTED when type Observation",
        "label N,R when type Observation",
        "label PSY when",
        "label PSY when code 123",
        "label PSY when type Observation and nothing",
        "label PSY because when type Observation",
        "nonsense",
    ];
    let problems = Labels::read(&wrong.join("\n")).unwrap_err();
    let lines: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, (1..=wrong.len()).collect::<Vec<_>>(), "{problems:?}");
    assert!(problems[0].to_string().starts_with("line 1: "));
}

#[test]
fn a_file_is_read_whole() {
    let text = "
# A facility
clearance clinician R all -CEL   # but celebrities
default Practitioner L
unrestricted http://example.org/tags
test-data hide
authority client 5f1 Observation
label ETH,R because 42CFRPart2 when code http://snomed.info/sct|7200002 http://snomed.info/sct|66590003
label PSY when type Observation and category http://example.org/c|p
label HTEST when profile http://example.org/test-patient
label SDV when value-set http://example.org/sdv
";
    let labels = Labels::read(text).unwrap();
    assert_eq!(labels.rules().len(), 4);
    assert_eq!(labels.rules()[0].labels.len(), 2);
    assert_eq!(labels.rules()[0].basis.as_ref().unwrap().code, "42CFRPart2");
    assert_eq!(labels.rules()[1].when.len(), 2);
    assert!(labels.names_client("5f1") && !labels.names_client("5f2"));
    assert!(labels.recognises(&Label::new("http://example.org/tags", "any")));
    assert!(!labels.recognises(&Label::new("http://example.org/other", "any")));
    assert_eq!(labels.default_of(ResourceType::parse("Practitioner").unwrap()), Confidentiality::Low);
}
