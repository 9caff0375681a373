//! `$validate` and terminology operations of the caller: what is stored is asked for by its id, and bodies refer
//! to what the caller may and may not see, under profiles that have targets looked into.

use super::{
    ask::{Asker, JSON, Plain},
    dice::Dice,
    query,
    shape::{Shape, Type},
};
use serde_json::{Value, json};

/// A profile of US Core for this type, which asks for a subject that is a US Core Patient.
fn profile(kind: Type) -> &'static str {
    match kind {
        Type::Patient => "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient",
        Type::Practitioner => "http://hl7.org/fhir/us/core/StructureDefinition/us-core-practitioner",
        Type::Condition => "http://hl7.org/fhir/us/core/StructureDefinition/us-core-condition-problems-health-concerns",
        Type::Encounter => "http://hl7.org/fhir/us/core/StructureDefinition/us-core-encounter",
        Type::DiagnosticReport => "http://hl7.org/fhir/us/core/StructureDefinition/us-core-diagnosticreport-lab",
        _ => "http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab",
    }
}

fn parameters(parts: Vec<Value>) -> Option<(&'static str, String)> {
    Some((JSON, json!({"resourceType": "Parameters", "parameter": parts}).to_string()))
}

/// One request.
pub(super) fn roll(dice: &mut Dice, asker: &Asker) -> Plain {
    let (kind, id) = asker.target(dice, "r");
    let name = kind.name();
    let post = |path: String, body| Plain { method: "POST", body, ..Plain::get(path) };
    match dice.below(10) {
        0..3 => Plain::get(format!("{name}/{id}/$validate")),
        3 => Plain::get(format!("{name}/{id}/$validate?profile={}", profile(kind))),
        4 => {
            let parts = vec![json!({"name": "mode", "valueCode": "delete"})];
            post(format!("{name}/{id}/$validate"), parameters(parts))
        }
        5 => Plain::get(format!("ValueSet/{}/$expand", query::id(dice, kind))),
        6 => Plain::get("ValueSet/$expand?url=http://example.org/vs".to_owned()),
        _ => {
            let mut body = Shape::roll(dice, kind, &id).json();
            body["meta"]["profile"] = json!([profile(kind)]);
            let mode = dice.word(&["create", "update"]);
            let parts = vec![json!({"name": "mode", "valueCode": mode}), json!({"name": "resource", "resource": body})];
            post(format!("{name}/{id}/$validate"), parameters(parts))
        }
    }
}
