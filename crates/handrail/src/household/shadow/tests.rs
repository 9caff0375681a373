//! What was found is counted by rule, bounded, and stands again after a restart.

use super::*;
use std::sync::Arc;

fn difference(at: i64, outcome: Outcome) -> Difference {
    Difference {
        at: Instant::from_unix_millis(at),
        request_id: format!("r{at}").into(),
        client_id: "ehr".into(),
        user: Some("u1".into()),
        organization: None,
        interaction: "search-type",
        resource_type: fhir::ResourceType::parse("Observation").unwrap(),
        outcome,
        rules: vec![Arc::from("hiv")],
        concerned: 2,
        of: 10,
        examples: vec!["Observation/a".into(), "Observation/b".into()],
    }
}

#[test]
fn g16_counts_by_rule_and_the_last_ones() {
    let mut found = Found::begin("0123456789abcdef".into(), 1, Instant::from_unix_millis(0));
    assert!(found.text(10).contains("none of them"));
    assert!(found.looked(Looked { requests: 5, left_out: 1 }) && !found.looked(Looked::default()));
    found.add(&difference(1000, Outcome::Withheld));
    found.add(&difference(2000, Outcome::Wider));
    found.add(&difference(3000, Outcome::Withheld));
    let text = found.text(1);
    assert!(text.contains("1 rule (0123456789ab), since 1970-01-01T00:00:00"), "{text}");
    assert!(text.contains("looked at  5 requests; left out 1"), "{text}");
    let counts: Vec<&str> = text.lines().find(|line| line.ends_with(" hiv")).unwrap().split_whitespace().collect();
    assert_eq!(counts, ["0", "2", "0", "1", "hiv"]);
    let expected = "search-type Observation  withheld 2 of 10: Observation/a, Observation/b\n    \
                    by \"hiv\"; client ehr, account u1; request r3000";
    assert!(text.contains(expected) && !text.contains("r1000"), "{text}");
    assert!(!found.text(10).contains("r2000"), "what may be found in addition is counted, and no line");
}

#[test]
fn g16_what_is_kept_is_bounded_and_stands_again() {
    let mut found = Found::begin("h".into(), 1, Instant::from_unix_millis(0));
    let more = i64::try_from(limits::SHADOW_LINES_MAX).unwrap() + 5;
    (0..more).for_each(|at| found.add(&difference(at, Outcome::Given)));
    assert_eq!(found.last.len(), limits::SHADOW_LINES_MAX);
    assert!(
        found.text(1).contains(&format!("request r{}", more - 1)) && !found.text(usize::MAX).contains("request r4\n")
    );
    let again: Found = serde_json::from_slice(&serde_json::to_vec(&found).unwrap()).unwrap();
    assert_eq!(again, found);
    assert!(again.is_of("h") && !again.is_of("other"));
}
