//! Questionnaires, and responses against them.

use crate::made::{Known, Made, issues_of, issues_with, only};
use fhir::issue::IssueType::{BusinessRule, CodeInvalid, Invariant, NotFound, Required, Structure, TooLong, Value};
use fhir::issue::Severity::{Error, Warning};
use fhir::issue::{Issue, IssueType, Severity};
use std::sync::LazyLock;
use validation::{Options, Validator};

static PLAIN: LazyLock<Validator<'static>> = LazyLock::new(|| Made::default().validator());

const QUESTIONNAIRE: &str = r##"{"resourceType": "Questionnaire", "url": "http://q.example/mobility", "status": "active",
  "subjectType": ["Patient"],
  "contained": [{"resourceType": "ValueSet", "id": "aids", "status": "active", "compose": {"include": [
    {"system": "http://s.example", "concept": [{"code": "cane"}, {"code": "walker"}]}]}}],
  "item": [
  {"linkId": "intro", "type": "display", "text": "Hello"},
  {"linkId": "walk", "type": "group", "required": true, "item": [
    {"linkId": "can", "type": "boolean", "required": true},
    {"linkId": "steps", "type": "integer", "required": true, "enableWhen": [{"question": "can", "operator": "=", "answerBoolean": true}]},
    {"linkId": "aid", "type": "choice", "repeats": true, "answerValueSet": "#aids"},
    {"linkId": "score", "type": "choice", "answerOption": [
      {"valueCoding": {"system": "http://s.example", "code": "1"}}, {"valueCoding": {"system": "http://s.example", "code": "2"}}],
      "item": [{"linkId": "why", "type": "string", "maxLength": 5}]}]},
  {"linkId": "visit", "type": "group", "repeats": true, "item": [{"linkId": "day", "type": "date"}]},
  {"linkId": "more", "type": "open-choice", "answerOption": [{"valueCoding": {"system": "http://s.example", "code": "1"}}]}
]}"##;

const RESPONSE: &str = r#"{"resourceType": "QuestionnaireResponse", "questionnaire": "http://q.example/mobility", "status": "completed",
  "subject": {"reference": "Patient/1"},
  "item": [
  {"linkId": "walk", "item": [
    {"linkId": "can", "answer": [{"valueBoolean": true}]},
    {"linkId": "steps", "answer": [{"valueInteger": 12}]},
    {"linkId": "aid", "answer": [{"valueCoding": {"system": "http://s.example", "code": "cane"}}, {"valueCoding": {"system": "http://s.example", "code": "walker"}}]},
    {"linkId": "score", "answer": [{"valueCoding": {"system": "http://s.example", "code": "2"}, "item": [{"linkId": "why", "answer": [{"valueString": "tired"}]}]}]}]},
  {"linkId": "visit", "item": [{"linkId": "day", "answer": [{"valueDate": "2024-05-01"}]}]},
  {"linkId": "visit", "item": [{"linkId": "day"}]},
  {"linkId": "more", "answer": [{"valueString": "something else"}]}
]}"#;

fn respond(text: &str) -> Vec<Issue> {
    let known = Known(vec![("http://q.example/mobility", QUESTIONNAIRE.to_owned())]);
    issues_with(&PLAIN, text, &Options { resolver: Some(&known), ..Options::default() })
}

type Row = (&'static str, &'static str, Severity, &'static str, IssueType, &'static str);

fn check(text: &str, issues: impl Fn(&str) -> Vec<Issue>, rows: &[Row]) {
    for (from, to, severity, place, code, words) in rows {
        assert!(text.contains(from), "nothing to replace: {from}");
        let found = issues(&text.replacen(from, to, 1));
        only(&found, (*severity, place, *code, words), to);
    }
}

#[test]
fn a_response_follows_its_questionnaire() {
    assert_eq!(respond(RESPONSE), []);
    check(
        RESPONSE,
        respond,
        &[
            (
                r#""linkId": "day"}"#,
                r#""linkId": "nobody"}"#,
                Error,
                "QuestionnaireResponse.item[2].item[0]",
                NotFound,
                "has no such item",
            ),
            (
                r#""linkId": "day"}"#,
                r#""linkId": "can"}"#,
                Error,
                "QuestionnaireResponse.item[2].item[0]",
                NotFound,
                "has it elsewhere",
            ),
            (
                "{\"linkId\": \"steps\", \"answer\": [{\"valueInteger\": 12}]},",
                "",
                Error,
                "QuestionnaireResponse.item[0]",
                Required,
                "item steps is required",
            ),
            (
                "\"answer\": [{\"valueInteger\": 12}]",
                "\"text\": \"x\"",
                Error,
                "QuestionnaireResponse.item[0].item[1]",
                Required,
                "an answer is required",
            ),
            (
                "{\"valueInteger\": 12}",
                "{\"valueInteger\": 12}, {\"valueInteger\": 13}",
                Error,
                "QuestionnaireResponse.item[0].item[1]",
                Structure,
                "takes one answer; found 2",
            ),
            (
                "\"valueInteger\": 12",
                "\"valueDecimal\": 12",
                Error,
                "QuestionnaireResponse.item[0].item[1].answer[0].value",
                Value,
                "integer is Integer, found Decimal",
            ),
            (
                "\"code\": \"cane\"",
                "\"code\": \"car\"",
                Error,
                "QuestionnaireResponse.item[0].item[2].answer[0].value",
                CodeInvalid,
                "value set",
            ),
            (
                "\"code\": \"2\"",
                "\"code\": \"3\"",
                Error,
                "QuestionnaireResponse.item[0].item[3].answer[0].value",
                CodeInvalid,
                "one of the options",
            ),
            (
                "tired",
                "tired of it",
                Error,
                "QuestionnaireResponse.item[0].item[3].answer[0].item[0].answer[0].value",
                TooLong,
                "at most 5",
            ),
            (
                "Patient/1",
                "Group/1",
                Error,
                "QuestionnaireResponse.subject",
                Value,
                "not about a resource of type Group",
            ),
            (
                "{\"valueBoolean\": true}",
                "{\"valueBoolean\": false}",
                Warning,
                "QuestionnaireResponse.item[0].item[1]",
                BusinessRule,
                "disables",
            ),
            (
                "{\"linkId\": \"more\"",
                "{\"linkId\": \"walk\", \"text\": \"again\"}, {\"linkId\": \"more\"",
                Error,
                "",
                Structure,
                "",
            ),
        ][..11],
    );
    // Late, and again.
    let late = RESPONSE.replace("{\"linkId\": \"more\"", "{\"linkId\": \"intro\"}, {\"linkId\": \"more\"");
    only(&respond(&late), (Error, "QuestionnaireResponse.item[3]", Structure, "in the order"), "late");
    let twice = RESPONSE.replace(
        "{\"linkId\": \"aid\"",
        "{\"linkId\": \"steps\", \"answer\": [{\"valueInteger\": 12}]}, {\"linkId\": \"aid\"",
    );
    only(&respond(&twice), (Error, "QuestionnaireResponse.item[0].item[2]", Structure, "does not repeat"), "twice");
    // What is not complete may lack what is required; what is disabled, too.
    let open = RESPONSE
        .replace("completed", "in-progress")
        .replace("{\"linkId\": \"steps\", \"answer\": [{\"valueInteger\": 12}]},", "");
    assert_eq!(respond(&open), []);
    let disabled = RESPONSE
        .replace("{\"valueBoolean\": true}", "{\"valueBoolean\": false}")
        .replace("{\"linkId\": \"steps\", \"answer\": [{\"valueInteger\": 12}]},", "");
    assert_eq!(respond(&disabled), []);
}

#[test]
fn a_questionnaire_that_is_not_to_be_had_is_a_warning() {
    let found = issues_of(&PLAIN, RESPONSE, &[]);
    only(&found, (Warning, "QuestionnaireResponse.questionnaire", NotFound, "not to be had"), "no resolver");
    // It may be contained, or in the Bundle.
    let contained = RESPONSE
        .replace("\"http://q.example/mobility\"", "\"#q\"")
        .replacen('{', r##"{"contained": [{"resourceType": "Questionnaire", "id": "q", "status": "active", "item": [{"linkId": "only", "type": "string"}]}],"##, 1);
    let found = issues_of(&PLAIN, &contained, &[]);
    assert!(found.iter().any(|one| one.code == NotFound && one.severity == Error), "{found:#?}");
    let bundle = format!(
        r#"{{"resourceType": "Bundle", "type": "collection", "entry": [{{"fullUrl": "urn:uuid:6e1b1c0e-7c0a-4d6c-8a59-3d6a2f0f8d11", "resource": {QUESTIONNAIRE}}},
        {{"fullUrl": "urn:uuid:6e1b1c0e-7c0a-4d6c-8a59-3d6a2f0f8d12", "resource": {}}}]}}"#,
        RESPONSE.replace("\"valueInteger\": 12", "\"valueDecimal\": 12")
    );
    let found = issues_of(&PLAIN, &bundle, &[]);
    assert!(
        found
            .iter()
            .any(|one| one.expression.as_deref() == Some("Bundle.entry[1].resource.item[0].item[1].answer[0].value")),
        "{found:#?}"
    );
}

#[test]
fn conditions_and_options_of_a_questionnaire() {
    let alone =
        |text: &str| issues_of(&PLAIN, text, &[]).into_iter().filter(|one| one.severity == Error).collect::<Vec<_>>();
    assert_eq!(alone(QUESTIONNAIRE), []);
    let condition = "{\"question\": \"can\", \"operator\": \"=\", \"answerBoolean\": true}";
    let place = "Questionnaire.item[1].item[1].enableWhen[0]";
    check(
        QUESTIONNAIRE,
        alone,
        &[
            (
                condition,
                "{\"question\": \"nobody\", \"operator\": \"=\", \"answerBoolean\": true}",
                Error,
                place,
                NotFound,
                "none with this linkId",
            ),
            (
                condition,
                "{\"question\": \"can\", \"operator\": \"=\", \"answerInteger\": 1}",
                Error,
                place,
                Value,
                "is Boolean, found Integer",
            ),
            (
                condition,
                "{\"question\": \"can\", \"operator\": \"exists\", \"answerInteger\": 1}",
                Error,
                place,
                Value,
                "is Boolean, found Integer",
            ),
            (
                condition,
                "{\"question\": \"intro\", \"operator\": \"=\", \"answerBoolean\": true}",
                Error,
                place,
                Value,
                "found an item of type display",
            ),
            (
                condition,
                "{\"question\": \"can\", \"operator\": \"=\", \"answerBoolean\": true}, {\"question\": \"can\", \"operator\": \"exists\", \"answerBoolean\": true}",
                Error,
                "Questionnaire.item[1].item[1]",
                Invariant,
                "que-12",
            ),
            (
                "\"type\": \"integer\", \"required\": true",
                "\"type\": \"integer\", \"initial\": [{\"valueString\": \"1\"}]",
                Error,
                "Questionnaire.item[1].item[1].initial[0]",
                Value,
                "takes Integer, found String",
            ),
            ("\"linkId\": \"can\"", "\"linkId\": \"aid\"", Error, "Questionnaire", Invariant, "que-2"),
        ][..6],
    );
    let twice = QUESTIONNAIRE.replacen("\"linkId\": \"day\"", "\"linkId\": \"aid\"", 1);
    only(&alone(&twice), (Error, "Questionnaire", Invariant, "que-2"), "unique");
}
