//! What every answer of the FHIR service must be, whatever was asked.

use serde_json::Value;

/// Checks one answer: no fault of the server, no header split in two, every refusal explained.
pub(crate) fn check(status: u16, headers: &[(String, String)], body: &[u8], is_head: bool) {
    assert!((200..500).contains(&status), "{status}: {}", String::from_utf8_lossy(body));
    for (name, value) in headers {
        assert!(value.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{name}: {value:?}");
    }
    if status < 400 || is_head {
        return;
    }
    let outcome: Value = serde_json::from_slice(body).unwrap_or_else(|error| panic!("{status}: {error}"));
    explained(&outcome, status);
}

/// Checks an OperationOutcome.
pub(crate) fn explained(outcome: &Value, status: u16) {
    assert_eq!(outcome["resourceType"], "OperationOutcome", "{outcome}");
    let issues = outcome["issue"].as_array().unwrap_or_else(|| panic!("{status} without issue"));
    assert!(!issues.is_empty());
    for issue in issues {
        let text = issue["diagnostics"].as_str().unwrap_or_default();
        assert!(!text.is_empty() && !text.chars().any(char::is_control), "{issue}");
        assert!(issue["severity"].is_string() && issue["code"].is_string(), "{issue}");
        // What the client did wrong has a place: an element, a parameter, a header, or a line of the body.
        let placed =
            issue["expression"][0].as_str().is_some_and(|place| !place.is_empty()) || issue["location"][0].is_string();
        assert!(
            placed || !matches!(status, 400 | 422) || issue["code"] == "incomplete",
            "{status} without place: {issue}"
        );
    }
}
