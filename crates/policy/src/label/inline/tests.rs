//! Which parts can be withheld alone, and what is left of a resource without them.

use super::*;
use serde_json::{Value as Json, json};

fn tree(json: &Json) -> Tree {
    Tree::parse(json.to_string().into_bytes()).unwrap()
}

fn act(code: &str) -> Json {
    json!({"url": URL, "valueCoding": {"system": ACT_CODE, "code": code}})
}

fn observation() -> Json {
    json!({
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"text": "c"},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-01-01",
        "valueQuantity": {"value": 1, "unit": "x"},
        "note": [{"text": "one"}, {"text": "two"}],
        "component": [{"code": {"text": "cc"}, "valueString": "v"}, {"code": {"text": "dd"}}],
        "text": {"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'>all of it</div>"},
    })
}

fn names(json: &Json) -> (Vec<String>, Vec<String>) {
    let inline = Inline::of(&tree(json)).unwrap();
    let codes = |labels: &BTreeSet<Label>| labels.iter().map(|label| label.code.clone()).collect::<Vec<_>>();
    let parts = inline.parts.iter().map(|part| format!("{} {}", part.path, codes(&part.labels).join(",")));
    (parts.collect(), codes(&inline.whole))
}

fn left(json: &Json) -> Json {
    let tree = tree(json);
    let inline = Inline::of(&tree).unwrap();
    serde_json::from_slice(without(&tree, &inline.parts, &[]).unwrap().bytes()).unwrap()
}

#[test]
fn parts_stand_alone_where_the_rest_means_the_same() {
    let mut one = observation();
    one["note"][1]["extension"] = json!([act("PSY")]);
    one["note"][1]["_text"] = json!({"extension": [act("HIV")]});
    one["valueQuantity"]["_unit"] = json!({"extension": [act("ETH")]});
    one["component"][0]["_valueString"] = json!({"extension": [act("SDV")]});
    let (parts, whole) = names(&one);
    assert_eq!(parts, ["valueQuantity ETH", "note[1] HIV,PSY", "component[0].valueString SDV"]);
    assert_eq!(whole, [""; 0]);
    let left = left(&one);
    assert_eq!(left["note"], json!([{"text": "one"}]));
    assert_eq!(left["component"], json!([{"code": {"text": "cc"}}, {"code": {"text": "dd"}}]));
    assert!(left.get("valueQuantity").is_none() && left.get("text").is_none(), "{left}");
    assert_eq!(left["subject"], one["subject"]);
}

#[test]
fn what_protects_or_modifies_counts_for_the_whole() {
    let labelled = |at: &str, member: Json| {
        let mut one = observation();
        one[at] = member;
        names(&one)
    };
    let all = |(parts, whole): (Vec<String>, Vec<String>)| parts.is_empty() && whole == ["PSY"];
    let extension = || json!([act("PSY")]);
    assert!(all(labelled("extension", extension())), "of the resource itself");
    assert!(all(labelled("subject", json!({"reference": "Patient/p", "extension": extension()}))));
    assert!(all(labelled("performer", json!([{"reference": "Practitioner/p", "extension": extension()}]))));
    assert!(all(labelled("code", json!({"text": "c", "extension": extension()}))));
    assert!(all(labelled("_status", json!({"extension": extension()}))));
    assert!(all(labelled("_effectiveDateTime", json!({"extension": extension()}))));
    assert!(all(labelled("modifierExtension", json!([{"url": "u", "valueString": "x", "extension": extension()}]))));
    assert!(all(labelled("meta", json!({"extension": extension()}))));
    assert!(all(labelled("text", json!({"status": "generated", "div": "<div/>", "extension": extension()}))));
    assert!(all(labelled("contained", json!([{"resourceType": "Patient", "extension": extension()}]))));
    assert!(all(labelled("unknown", json!({"extension": extension()}))));
    assert!(all(labelled("component", json!([{"code": {"text": "c"}, "extension": extension()}]))), "its code");
    let mut consent = json!({"resourceType": "Consent", "sourceAttachment": {"extension": extension()}});
    assert!(all(names(&consent)));
    consent["resourceType"] = json!("Nothing");
    assert!(all(names(&consent)));
}

/// What must be there is told to be masked.
#[test]
fn what_is_required_is_masked() {
    let masked = json!({"extension": [{"url": ABSENT, "valueCode": "masked"}]});
    let report = json!({
        "resourceType": "Goal", "lifecycleStatus": "active", "subject": {"reference": "Patient/p"},
        "description": {"text": "x", "extension": [act("PSY")]},
    });
    assert_eq!(left(&report)["description"], masked);
    // A primitive, with and without a value beside it.
    let detected = json!({
        "resourceType": "DetectedIssue", "status": "final",
        "mitigation": [{"action": {"text": "x", "extension": [act("PSY")]}}],
    });
    assert_eq!(left(&detected)["mitigation"], json!([{"action": masked.clone()}]));
    let prism = json!({"amount": 0.5, "_amount": {"extension": [act("PSY")]}, "base": "up"});
    let lens = json!({
        "resourceType": "VisionPrescription", "status": "active",
        "lensSpecification": [{"eye": "left", "prism": [prism]}],
    });
    let left = left(&lens);
    assert_eq!(left["lensSpecification"][0]["prism"][0], json!({"_amount": masked, "base": "up"}));
}

/// F45: an update may move parts, and not take a label from what it protects.
#[test]
fn labels_that_are_taken_are_seen() {
    let mut before = observation();
    before["note"][1]["extension"] = json!([act("PSY")]);
    let taken = |after: &Json| {
        let (before, after) = (Inline::of(&tree(&before)).unwrap(), Inline::of(&tree(after)).unwrap());
        after.taken_since(&before).into_iter().map(|label| label.code).collect::<Vec<_>>()
    };
    let mut after = observation();
    assert_eq!(taken(&after), ["PSY"]);
    after["note"] = json!([{"text": "two", "extension": [act("PSY")]}, {"text": "new"}]);
    assert_eq!(taken(&after), [""; 0]);
    after["note"] = json!([{"text": "two"}]);
    after["valueQuantity"]["extension"] = json!([act("PSY")]);
    assert_eq!(taken(&after), ["PSY"]);
    after["code"]["extension"] = json!([act("PSY")]);
    assert_eq!(taken(&after), [""; 0], "it is one of the whole");
}

#[test]
fn parts_are_found_by_name_in_another_version() {
    let one = tree(&observation());
    let names = BTreeSet::from(["note", "component.valueString", "valueQuantity"]);
    let parts = Inline::named(&one, &names);
    let left: Json = serde_json::from_slice(without(&one, &parts, &[]).unwrap().bytes()).unwrap();
    assert!(left.get("note").is_none() && left.get("valueQuantity").is_none() && left.get("text").is_none());
    assert_eq!(left["component"], json!([{"code": {"text": "cc"}}, {"code": {"text": "dd"}}]));
    // A primitive and its companion.
    let goal = tree(&json!({"resourceType": "RequestGroup", "action": [{"relatedAction": [
        {"actionId": "a", "_actionId": {"id": "x"}, "relationship": "after"}]}]}));
    let parts = Inline::named(&goal, &BTreeSet::from(["action.relatedAction.actionId"]));
    let left: Json = serde_json::from_slice(without(&goal, &parts, &[]).unwrap().bytes()).unwrap();
    let related = &left["action"][0]["relatedAction"][0];
    assert_eq!(related["_actionId"]["extension"][0]["valueCode"], "masked");
    assert!(related.get("actionId").is_none());
}
