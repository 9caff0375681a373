//! The high-water mark as it is written.

use super::*;
use serde_json::{Value as Json, json};

const CONFIDENTIALITY: &str = label::CONFIDENTIALITY;

fn stamped(security: Option<Json>) -> Vec<u8> {
    let mut meta = json!({"versionId": "1", "lastUpdated": "2026-01-01T00:00:00Z", "source": "a\"}{b"});
    if let Some(security) = security {
        meta["security"] = security;
    }
    json!({"resourceType": "Observation", "id": "1", "meta": meta, "status": "final"}).to_string().into_bytes()
}

fn mark(entries: &[Vec<u8>]) -> Json {
    let labels = Labels::default();
    let mut mark = Mark::new(&labels);
    entries.iter().for_each(|entry| mark.take_answer(entry));
    serde_json::from_slice(&mark.put(br#"{"resourceType":"Bundle","type":"searchset"}"#.to_vec())).unwrap()
}

/// F40: from the stored bytes, nested Bundles too; nothing is said where no entry says anything.
#[test]
fn a_bundle_carries_the_highest() {
    let level = |code: &str| json!([{"system": CONFIDENTIALITY, "code": code}]);
    assert_eq!(mark(&[stamped(None)]), json!({"resourceType": "Bundle", "type": "searchset"}));
    let all = mark(&[stamped(None), stamped(Some(level("V"))), stamped(Some(level("R")))]);
    assert_eq!(all, json!({"resourceType": "Bundle", "meta": {"security": level("V")}, "type": "searchset"}));
    let outer = mark(&[all.to_string().into_bytes(), stamped(Some(level("R")))]);
    assert_eq!(outer["meta"]["security"], level("V"));
    let outcome = br#"{"resourceType":"OperationOutcome","issue":[]}"#.to_vec();
    assert_eq!(mark(&[outcome, stamped(Some(level("L")))])["meta"]["security"], level("L"));
}

/// Text that looks like labels is none.
#[test]
fn only_meta_is_looked_at() {
    let text = r#"{"resourceType":"Observation","id":"1","meta":{"versionId":"1","source":"\"security\":[{}]"},"note":[{"text":"\"meta\":{"}]}"#;
    assert!(security(text.as_bytes()).is_none());
    assert!(security(br#"{"resourceType":"Observation","meta":{"security":["#).is_none());
    assert!(security(b"").is_none());
}
